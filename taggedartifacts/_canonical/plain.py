"""Canonical form of what the standard library has beside plain values: buffers, annotations, parsers, views."""

from __future__ import annotations

import collections
import os
import sys
import types
import typing
from typing import TYPE_CHECKING, Any

from .instances import attributes, package, slots
from .names import type_name
from .text import Form, RefusalError, one, quoted, same_as, several, tagged_text, unordered

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterable

    from .text import Reducer

_ADDRESSES = ("IPv4Address", "IPv6Address", "IPv4Network", "IPv6Network", "IPv4Interface", "IPv6Interface")


def recognise(kind: type) -> Reducer | None:
    """Find the form of a type of the standard library; of a subclass only where it says the same."""
    if (reducer := _EXACT.get(kind)) is not None:
        return reducer
    if issubclass(kind, types.GenericAlias):
        return _alias
    name = f"{kind.__module__}.{kind.__qualname__}"
    if (reducer := _BY_NAME.get(name)) is not None:
        return reducer
    if any(f"{base.__module__}.{base.__qualname__}" == "configparser.RawConfigParser" for base in kind.__mro__):
        return _parser
    if any(package(base) == "pathlib" and base.__name__ == "PurePath" for base in kind.__mro__):
        return _path_subclass
    typing_bases = {base.__name__ for base in kind.__mro__ if base.__module__ == "typing"}
    if "_BaseGenericAlias" in typing_bases and "_SpecialGenericAlias" not in typing_bases:
        return _alias
    return _special if typing_bases & {"_SpecialForm", "_SpecialGenericAlias"} else None


def _buffer(value: Any) -> Form:
    # An array says its elements in the byte order of the machine; so does a view of one.
    if sys.byteorder == "big":
        raise RefusalError("a buffer of this machine's byte order has no canonical form; use an array of NumPy")
    return several("buffer", (value.format, list(value.shape or ()), value.tobytes()))


def _array(value: Any) -> Form:
    # An array of "l" is wider on one system than on another; what counts is the width.
    code = f"{value.typecode if value.typecode in 'uwfd' else 'iu'[value.typecode.isupper()]}{value.itemsize}"
    copy = value[:]
    if sys.byteorder == "big":
        copy.byteswap()
    return several("buffer", (f"array {code}", [len(value)], copy.tobytes()))


def _default_dict(value: collections.defaultdict[object, object]) -> Form:
    return several("defaultdict", (value.default_factory, dict(value.items())), (".default_factory", ""))


def _chain(value: collections.ChainMap[object, object]) -> Form:
    return same_as(dict(value.items()))


def _parser(value: Any) -> Form:
    # What it reads values by, and the text of each, not yet interpolated; sections in their order.
    transform = value.optionxform
    converters = {name: _plain_function(each, value) for name, each in value.converters._data.items() if each}
    rules = {
        "booleans": dict(value.BOOLEAN_STATES),
        "converters": converters,
        "default section": value.default_section,
        "interpolation": type(value._interpolation),
        "optionxform": _plain_function(transform, value),
    }
    sections = [[name, dict(section)] for name, section in value._sections.items()]
    return several("parser", (type_name(type(value)), rules, dict(value.defaults()), sections))


def _plain_function(function: Any, owner: object) -> object:
    return function.__func__ if getattr(function, "__self__", None) is owner else function


def _path_subclass(value: pathlib.PurePath) -> Form:
    kind = type(value)
    own = [base for base in kind.__mro__ if package(base) != "pathlib"]
    names = {name for base in own for name in base.__dict__.get("__slots__", ())}
    held = attributes(value, [name for name in slots(kind) if name in names])
    kept = {name: item for name, item in held.items() if name not in _CACHES_OF_PATHS}
    return several("object", (type_name(kind), kept, {"path": value.as_posix()}))


# Python 3.12 and later let subclasses have a __dict__, and keep there what earlier ones keep in slots.
_CACHES_OF_PATHS = frozenset(
    ("_drv", "_root", "_parts", "_str", "_hash", "_pparts", "_cached_cparts", "_raw_paths", "_tail_cached")
)


def _alias(value: Any) -> Form:
    origin = typing.get_origin(value)
    if origin in (typing.Union, types.UnionType):
        return _union(value)
    arguments = list(typing.get_args(value))
    if getattr(value, "__unpacked__", False):  # *tuple[int, ...]
        return several("alias", (origin, arguments, "*"))
    if origin is typing.Annotated:
        return several("alias", ("typing:Annotated", arguments))
    return several("alias", (origin, arguments, getattr(value, "_name", None)))


def _union(value: Any) -> Form:
    return unordered("union", typing.get_args(value))


def _special(value: Any) -> str:
    return tagged_text("class", quoted(f"typing:{value._name}"))


def _variable(value: Any) -> Form:
    variance = [value.__covariant__, value.__contravariant__] if hasattr(value, "__covariant__") else None
    return several(
        "typevar",
        (value.__name__, getattr(value, "__bound__", None), list(getattr(value, "__constraints__", ())), variance),
    )


def _keys(value: Iterable[object]) -> Form:
    return unordered("keys", list(value))


def _values(value: Iterable[object]) -> Form:
    return one("values", list(value))


def _items(value: Iterable[Any]) -> Form:
    return one("items", dict(value))


def _environment(value: os._Environ[Any]) -> Form:
    return same_as(dict(value.items()))


_EXACT: dict[type, Reducer] = {
    memoryview: _buffer,
    collections.defaultdict: _default_dict,
    collections.ChainMap: _chain,
    types.GenericAlias: _alias,
    types.UnionType: _union,
    **dict.fromkeys((type({}.keys()), type(collections.OrderedDict().keys())), _keys),
    **dict.fromkeys((type({}.values()), type(collections.OrderedDict().values())), _values),
    **dict.fromkeys((type({}.items()), type(collections.OrderedDict().items())), _items),
    type(os.environ): _environment,
    type(NotImplemented): lambda _value: tagged_text("class", quoted("builtins:NotImplemented")),
}

# Recognised without importing the module, which would cost time at start-up.
_BY_NAME: dict[str, Reducer] = {
    "_struct.Struct": lambda value: several("struct", (value.format,)),
    "array.array": _array,
    "typing._AnyMeta": _special,
    "typing.TypeVar": _variable,
    "typing.Union": _union,
    "typing.ForwardRef": lambda value: several("forwardref", (value.__forward_arg__,)),
    **{
        f"ipaddress.{name}": lambda value: several("ipaddress", (type(value).__name__, str(value)))
        for name in _ADDRESSES
    },
}
