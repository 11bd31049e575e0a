"""Canonical form of instances: their class with the fields that it declares, else with the state that they tell.

The state is what the object protocol gives, which ``copy`` and ``pickle`` use, so a type that can be copied has a form.
Only its values count, never the bytes of a pickle.
"""

from __future__ import annotations

import copyreg
import enum
import functools
import sys
from collections import Counter, OrderedDict, defaultdict
from typing import TYPE_CHECKING, Any

from .held import full_name, held_attributes, kept, package, slots
from .names import type_name
from .text import Form, RefusalError, object_shape, quoted, same_as, several, shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .text import Reducer

_NAMESPACES = ("argparse.Namespace", "types.SimpleNamespace")
_BUILT_INS = (str, int, float, complex, bytes, bytearray, list, tuple, set, frozenset)
_ABSENT = object()
_CONTAINERS = (dict, *_BUILT_INS)
_PROTOCOL = 2  # the first that tells class, arguments and state apart; later ones differ in how pickles are written
_NEW = tuple(getattr(copyreg, name) for name in ("__newobj__", "__newobj_ex__"))  # what the default gives to call
_ARGUMENTS = ("__getnewargs__", "__getnewargs_ex__")
# Packages with dicts whose attributes are items, or that note there how a file was written: nothing beside the items.
_BOOKKEEPERS = frozenset(
    {"addict", "attrdict", "benedict", "box", "configobj", "dotmap", "munch", "pyhocon", "ruamel", "tomlkit", "yacs"}
)


def recognise(kind: type) -> Reducer | None:
    """Find the form of instances whose class says which fields they have."""
    if issubclass(kind, enum.Enum):
        return _flag if issubclass(kind, enum.Flag) else _enum
    if isinstance(getattr(kind, "__dataclass_fields__", None), dict) and not issubclass(kind, type):
        return functools.partial(_by_fields, (*_dataclass_fields(kind), *slots(kind)))
    if isinstance(getattr(kind, "__attrs_attrs__", None), tuple) and not issubclass(kind, type):
        return functools.partial(_by_fields, (*_attrs_fields(kind), *slots(kind)))
    if any(base.__qualname__ == "BaseModel" and package(base) == "pydantic" for base in kind.__mro__):
        return _pydantic
    if issubclass(kind, tuple) and isinstance(getattr(kind, "_fields", None), tuple):
        return _namedtuple
    if any(full_name(base) in _NAMESPACES for base in kind.__mro__):
        return functools.partial(_by_fields, tuple(slots(kind)))
    return None


def recognise_other(kind: type) -> Reducer | None:
    """Find the form of any other instance: of a dict, of another built-in type, or by the object protocol."""
    return _recognise_dict(kind) or _recognise_subclass(kind) or _recognise_by_protocol(kind)


def _recognise_dict(kind: type) -> Reducer | None:
    """Find the form of a subclass of dict: its class, its attributes and its items.

    Those of the standard library count by their items alone; so do those of packages that only write keys otherwise.
    """
    if not issubclass(kind, dict):
        return None
    if kind in (OrderedDict, Counter) or any(package(base) in _BOOKKEEPERS for base in kind.__mro__):
        return lambda value: same_as(dict(value.items()))
    return functools.partial(_dict, slots(kind))


def _recognise_subclass(kind: type) -> Reducer | None:
    """Find the form of a subclass of a built-in type: its own name beside the built-in value."""
    if getattr(kind, "n_fields", 0) > getattr(kind, "n_sequence_fields", 0):
        return None  # as os.stat_result: the tuple does not hold all that there is
    for base in _BUILT_INS:
        if issubclass(kind, base) and kind is not base:
            return functools.partial(_subclass, base)
    return None


def _recognise_by_protocol(kind: type) -> Reducer | None:
    """Find the form of instances by the object protocol; a plain object stands for nothing but itself."""
    if kind is object:
        return None
    # What others register for a type would make the hash depend on who is imported.
    reduce = copyreg.dispatch_table.get(kind)
    if reduce is not None and str(reduce.__module__).partition(".")[0] not in (package(kind), "copyreg"):
        reduce = None
    if reduce is None and not _is_own(kind, "__reduce_ex__", "__reduce__"):
        return _standard if _is_own(kind, *_ARGUMENTS) else _ByState(kind)
    return functools.partial(_reduced, reduce)


def object_form(kind: type, held: Mapping[Any, object]) -> Form:
    """Describe an instance by its type and a dict of what it holds."""
    name, shape = type_name(kind), shape_of(held)
    if shape is None or type(name) is not str:
        return several("object", (name, dict(held)))
    head = f'{{"$object":[{quoted(name)},'
    return Form([held[each] for each in shape.names], shape.label, lambda texts: f"{head}{shape.finish(texts)}]}}")


def _by_fields(fields: Sequence[str], value: object) -> Form:
    held = held_attributes(value, fields)
    # A dict or list that is a dataclass too (as model outputs of some libraries are) holds more than its fields.
    return _described_subclass(value, held) if isinstance(value, _CONTAINERS) else object_form(type(value), held)


def _described_subclass(value: object, held: object) -> Form:
    if isinstance(value, dict):
        return several("object", (type_name(type(value)), held, dict(value.items())))
    base = next(base for base in _BUILT_INS if isinstance(value, base))
    return several("object", (type_name(type(value)), held, _plain_value(base, value)))


def _dict(fields: Sequence[str], value: dict[object, object]) -> Form:
    # Some keep each item as an attribute, too.
    beside = getattr(value, "__dict__", None)
    held = {} if beside is value else held_attributes(value, fields)
    held = {name: item for name, item in held.items() if dict.get(value, name, _ABSENT) is not item}
    if isinstance(value, defaultdict):
        held["default_factory"] = value.default_factory
    return _described_subclass(value, held)


def _dataclass_fields(kind: type) -> list[str]:
    import dataclasses  # 6 ms, and loaded already by whoever made a dataclass

    return [field.name for field in dataclasses.fields(kind)]


def _attrs_fields(kind: type) -> list[str]:
    return [field.name for field in kind.__attrs_attrs__]  # type: ignore[attr-defined]  # attrs is recognised by it


def _pydantic(value: Any) -> Form:
    held = held_attributes(value, ())
    for extra in ("__pydantic_extra__", "__pydantic_private__"):
        held.update(getattr(value, extra, None) or {})
    return object_form(type(value), held)


def _namedtuple(value: Any) -> Form:
    kind = type(value)
    if len(kind._fields) != tuple.__len__(value):
        raise RefusalError(f"{kind.__qualname__} does not name all of its fields")
    held = dict(zip(kind._fields, tuple.__iter__(value), strict=True))
    return object_form(kind, held_attributes(value, ()) | held)


def _enum(value: enum.Enum) -> Form:
    return several("enum", (type_name(type(value)), value._name_, value._value_), ("", "", ".value"))


def _flag(value: enum.Flag) -> Form:
    # By value alone: how Python spells a combination of flags is its own affair.
    return several("enum", (type_name(type(value)), None, value._value_))


def _subclass(base: type, value: object) -> Form:
    held = held_attributes(value, slots(type(value)))
    name, plain = type_name(type(value)), _plain_value(base, value)
    return several("subclass", (name, held, plain) if held else (name, plain))


def _plain_value(base: type, value: Any) -> object:
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


def _is_own(kind: type, *names: str) -> bool:
    return any(getattr(kind, name, None) is not getattr(object, name, None) for name in names)


class _ByState:
    """Describe instances by what the default of the protocol would gather, without the detour through it.

    These are attributes and slots, or what ``__getstate__`` gives.
    """

    def __init__(self, kind: type) -> None:
        self._slots = slots(kind)
        self._has_state = _is_own(kind, "__getstate__")
        self._is_checked = False

    def __call__(self, value: Any) -> Form:
        if not self._is_checked:
            _reduction(value, None)  # refuses what a class written in C hides
            self._is_checked = True
        if self._has_state:
            return _instance(type(value), arguments=[], state=_asked(value, value.__getstate__))
        return object_form(type(value), held_attributes(value, self._slots))


def _standard(value: Any) -> Form:
    _, (_, *arguments), state, items, pairs = (*_reduction(value, None), None, None, None)[:5]
    return _instance(type(value), arguments=arguments, state=state, items=items, pairs=pairs)


def _reduced(reduce: Callable[[Any], Any] | None, value: Any) -> Form:
    kind = type(value)
    reduction = _reduction(value, reduce)
    if isinstance(reduction, str):
        return _global(value, reduction)
    call, arguments, state, items, pairs, setter = (*reduction, None, None, None, None)[:6]
    arguments = list(arguments or ())
    if call in _NEW and arguments and arguments[0] is kind:
        call, arguments = None, arguments[1:]
    held = _beside(value, [*arguments, state])
    return _instance(
        kind,
        call=None if call is kind else call,
        arguments=arguments,
        state=state,
        items=items,
        pairs=pairs,
        setter=setter,
        beside=held or None,
    )


def _reduction(value: Any, reduce: Callable[[Any], Any] | None) -> Any:
    found = _asked(value, value.__reduce_ex__, _PROTOCOL) if reduce is None else _asked(value, reduce, value)
    if isinstance(found, str) or (isinstance(found, tuple) and len(found) >= 2):
        return found
    raise RefusalError(f"an object of type {type(value).__qualname__} has no canonical form: its state is {found!r}")


def _asked(value: Any, method: Callable[..., Any], *arguments: object) -> Any:
    try:
        return method(*arguments)
    except Exception as error:  # of whatever a class does there
        raise RefusalError(
            f"an object of type {full_name(type(value))} has no canonical form: "
            f"it does not tell its state ({error or type(error).__name__})"
        ) from error


def _global(value: Any, path: str) -> Form:
    module = getattr(value, "__module__", None) or type(value).__module__
    found: Any = sys.modules.get(module)
    for step in path.split("."):
        found = getattr(found, step, None)
    if found is not value:
        raise RefusalError(
            f"an object of type {type(value).__qualname__} says that it is {module}.{path}, which is another object"
        )
    held = _beside(value, [None]) if module == "__main__" else None  # where a name may give another one tomorrow
    return several("global", (f"{module}:{path}", held) if held else (f"{module}:{path}",))


def _instance(
    kind: type,
    *,
    items: Iterable[object] | None = None,
    pairs: Iterable[tuple[object, object]] | None = None,
    arguments: list[object],
    state: object,
    **others: object,
) -> Form:
    if type(state) is dict and not state:
        state = None
    elif type(state) is dict:
        state = kept(kind, state)
    elif isinstance(state, tuple):
        state = [kept(kind, each) if type(each) is dict else each for each in state]
    parts = {
        "arguments": arguments or None,
        "items": None if items is None else list(items) or None,
        "pairs": None if pairs is None else dict(pairs) or None,
        "state": state,
        **others,
    }
    name, told = type_name(kind), {name: it for name, it in parts.items() if it is not None}
    if type(state) is dict and len(told) == 1 and type(name) is str and (shape := shape_of(state)) is not None:
        head = f'{{"$instance":[{quoted(name)},{{"state":'
        return Form(
            [state[each] for each in shape.names], shape.label, lambda texts: f"{head}{shape.finish(texts)}}}]}}"
        )
    names, _, finish, _ = object_shape(tuple(told))
    # Places in a state read like the way to them.
    parts_form = Form(
        [told[each] for each in names],
        lambda index: ".__reduce__()[0]" if names[index] == "call" else "",
        finish,
    )
    return several("instance", (name, parts_form))


def _beside(value: Any, told: list[object]) -> dict[str, object]:
    """Collect what an object holds in its ``__dict__`` and slots beyond what its reduction tells."""
    parts = [*told, *(told[-1] if isinstance(told[-1], tuple) else ())]
    dicts = [part for part in parts if isinstance(part, dict)]
    held = dict(getattr(value, "__dict__", {}))
    for name in slots(type(value)):
        try:
            held[name] = getattr(value, name)
        except AttributeError:
            continue
    beyond = {name: item for name, item in held.items() if not _is_told(name, item, dicts)}
    return kept(type(value), beyond)


def _is_told(name: str, item: object, dicts: list[dict[Any, object]]) -> bool:
    return any(dict.get(told, name, _ABSENT) is item for told in dicts)
