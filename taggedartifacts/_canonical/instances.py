"""Canonical form of instances: what their class declares as fields, and what is refused for good reason."""

from __future__ import annotations

import enum
import functools
import io
import types
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Generator, Iterator
from typing import TYPE_CHECKING, Any

from .names import type_name
from .text import Form, RefusalError, same_as, several

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .text import Reducer

_NAMESPACES = ("argparse.Namespace", "types.SimpleNamespace")
_CACHE_OF_ATTRS = "_attrs_cached_hash"
_BUILT_INS = (str, int, float, complex, bytes, bytearray, list, tuple, set, frozenset)
_REASONS: tuple[tuple[tuple[type, ...], str], ...] = (
    ((Generator, AsyncGenerator), "a generator gives its values only once, so it has no canonical form"),
    ((io.IOBase,), "an open file has no canonical form"),
    ((Awaitable,), "an awaitable has no canonical form"),
    ((types.ModuleType,), "a module has no canonical form"),
    ((Iterator, AsyncIterator), "an iterator gives its values only once, so it has no canonical form"),
)
# Packages with dicts whose attributes are items, or that note there how a file was written: nothing beside the items.
_BOOKKEEPERS = frozenset(
    {"addict", "attrdict", "benedict", "box", "configobj", "dotmap", "munch", "pyhocon", "ruamel", "tomlkit", "yacs"}
)
_RANDOM_GENERATORS = frozenset({"random.Random", "random.SystemRandom", "numpy.random.mtrand.RandomState"})


def recognise(kind: type) -> Reducer | None:
    """Find the form of instances whose class says which fields they have."""
    if issubclass(kind, enum.Enum):
        return _flag if issubclass(kind, enum.Flag) else _enum
    if isinstance(getattr(kind, "__dataclass_fields__", None), dict) and not issubclass(kind, type):
        return functools.partial(_instance, _dataclass_fields)
    if isinstance(getattr(kind, "__attrs_attrs__", None), tuple) and not issubclass(kind, type):
        return functools.partial(_instance, _attrs_fields)
    if any(base.__qualname__ == "BaseModel" and base.__module__.split(".")[0] == "pydantic" for base in kind.__mro__):
        return _pydantic
    if issubclass(kind, tuple) and isinstance(getattr(kind, "_fields", None), tuple):
        return _namedtuple
    if any(f"{base.__module__}.{base.__qualname__}" in _NAMESPACES for base in kind.__mro__):
        return functools.partial(_instance, lambda _kind: ())
    return None


def recognise_dict(kind: type) -> Reducer | None:
    """Find the form of a subclass of dict: that of its items, unless it holds attributes beside them."""
    if not issubclass(kind, dict) or any(base.__module__.partition(".")[0] in _BOOKKEEPERS for base in kind.__mro__):
        return None
    return functools.partial(_dict, slots(kind))


def recognise_subclass(kind: type) -> Reducer | None:
    """Find the form of a subclass of a built-in type: its own name beside the built-in value."""
    if getattr(kind, "n_fields", 0) > getattr(kind, "n_sequence_fields", 0):
        return None  # as os.stat_result: the tuple does not hold all that there is
    for base in _BUILT_INS:
        if issubclass(kind, base) and kind is not base:
            return functools.partial(_subclass, base)
    return None


def refuse(value: Any) -> Form:
    """Refuse a value that nothing recognises, with the reason as far as its type tells."""
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    for classes, reason in _REASONS:
        if isinstance(value, classes):
            raise RefusalError(reason)
    if name in _RANDOM_GENERATORS or kind.__module__.startswith("numpy.random"):
        raise RefusalError(
            "a random generator has a state that every use changes, so it has no canonical form; pass its seed"
        )
    if kind.__module__ in ("_thread", "threading", "multiprocessing.synchronize"):
        raise RefusalError(f"{name}, which synchronises threads or processes, has no canonical form")
    raise RefusalError(f"an object of type {name} has no canonical form")


def attributes(value: object, fields: Iterable[str]) -> dict[str, object]:
    """Collect what an instance holds: the fields of its class and whatever else was set on it, but no caches."""
    kind = type(value)
    held = {name: getattr(value, name) for name in fields if hasattr(value, name)}
    for name, item in getattr(value, "__dict__", {}).items():
        if name not in held and not _is_cached(kind, name):
            held[name] = item
    return held


def slots(kind: type) -> list[str]:
    """List the names that a class and its bases declare as slots, without those that attrs adds for caches."""
    names: list[str] = []
    for base in kind.__mro__:
        if "__attrs_attrs__" in base.__dict__ and getattr(base.__dict__.get("__attrs_props__"), "is_slotted", True):
            continue  # its fields are listed; what else attrs puts there are caches, computed when asked for
        declared = base.__dict__.get("__slots__", ())
        for name in (declared,) if isinstance(declared, str) else declared:
            mangled = (
                f"_{base.__name__.lstrip('_')}{name}" if name.startswith("__") and not name.endswith("__") else name
            )
            if name not in ("__dict__", "__weakref__"):
                names.append(mangled)
    return names


def _is_cached(kind: type, name: str) -> bool:
    # A cached property is computed from the rest; it must not change the hash when somebody looks at it.
    if name == _CACHE_OF_ATTRS:
        return hasattr(kind, "__attrs_attrs__")
    return isinstance(getattr(kind, name, None), functools.cached_property)


def _labelled(kind: type, held: object) -> Form:
    return several("object", (type_name(kind), held))


def _instance(fields: Callable[[type], Iterable[str]], value: object) -> Form:
    kind = type(value)
    held = attributes(value, [*fields(kind), *slots(kind)])
    # A dict or list that is a dataclass too (as model outputs of some libraries are) holds more than its fields.
    return _labelled(kind, held) if not isinstance(value, (dict, *_BUILT_INS)) else _described_subclass(value, held)


def _described_subclass(value: object, held: object) -> Form:
    if isinstance(value, dict):
        return several("object", (type_name(type(value)), held, dict(value.items())))
    base = next(base for base in _BUILT_INS if isinstance(value, base))
    return several("object", (type_name(type(value)), held, _plain(base, value)))


def _dict(fields: Sequence[str], value: dict[object, object]) -> Form:
    beside = getattr(value, "__dict__", None)
    if fields or (beside and beside is not value):
        # Some keep each item as an attribute, too.
        absent = object()
        held = {
            name: item for name, item in attributes(value, fields).items() if dict.get(value, name, absent) is not item
        }
        if held:
            return _described_subclass(value, held)
    return same_as(dict(value.items()))


def _dataclass_fields(kind: type) -> Iterable[str]:
    import dataclasses  # 6 ms, and loaded already by whoever made a dataclass

    return [field.name for field in dataclasses.fields(kind)]


def _attrs_fields(kind: type) -> Iterable[str]:
    return [field.name for field in kind.__attrs_attrs__]  # type: ignore[attr-defined]  # attrs is recognised by it


def _pydantic(value: Any) -> Form:
    held = attributes(value, ())
    for extra in ("__pydantic_extra__", "__pydantic_private__"):
        held.update(getattr(value, extra, None) or {})
    return _labelled(type(value), held)


def _namedtuple(value: Any) -> Form:
    kind = type(value)
    if len(kind._fields) != tuple.__len__(value):
        raise RefusalError(f"{kind.__qualname__} does not name all of its fields")
    held = dict(zip(kind._fields, tuple.__iter__(value), strict=True))
    return _labelled(kind, attributes(value, ()) | held)


def _enum(value: enum.Enum) -> Form:
    return several("enum", (type_name(type(value)), value._name_, value._value_), ("", "", ".value"))


def _flag(value: enum.Flag) -> Form:
    # By value alone: how Python spells a combination of flags is its own affair.
    return several("enum", (type_name(type(value)), None, value._value_))


def _subclass(base: type, value: object) -> Form:
    held = attributes(value, slots(type(value)))
    parts = (
        (type_name(type(value)), held, _plain(base, value)) if held else (type_name(type(value)), _plain(base, value))
    )
    return several("subclass", parts)


def _plain(base: type, value: Any) -> object:
    # The unbound methods of the built-in type: a subclass may override its own.
    if base in (list, tuple):
        return list(base.__iter__(value))
    if base in (set, frozenset):
        return frozenset(base.__iter__(value))
    if base is str:
        return str.__str__(value)
    if base is bytes or base is bytearray:
        return bytes(memoryview(value))
    if base is complex:
        return complex(value.real, value.imag)
    return int.__index__(value) if base is int else float.__float__(value)
