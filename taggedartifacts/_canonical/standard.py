"""Canonical form of the standard library's values: numbers, dates, paths, mappings, buffers, annotations, parsers."""

from __future__ import annotations

import collections
import datetime
import os
import pathlib
import re
import sys
import types
import typing
from typing import TYPE_CHECKING, Any

from .held import full_name, held_attributes, package, slots
from .names import type_name
from .text import Form, RefusalError, number, one, quoted, same_as, several, tagged_text, unordered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal
    from fractions import Fraction

    from .text import Reducer

_DIGITS_OF_NANOSECONDS = 9
_UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"})


def recognise(kind: type) -> Reducer | None:
    """Find the form of a type of the standard library; of a subclass only where it says the same."""
    if (reducer := _EXACT.get(kind)) is not None:
        return reducer
    if any(full_name(base) == "taggedartifacts.ArtifactPath" for base in kind.__mro__):
        return _artifact
    return _BY_NAME.get(full_name(kind))


def recognise_kind(kind: type) -> Reducer | None:
    """Find the form of a type that is derived from one of the standard library, or is one kind of annotation."""
    if issubclass(kind, types.GenericAlias):
        return _generic_alias
    if any(full_name(base) == "configparser.RawConfigParser" for base in kind.__mro__):
        return _parser
    if any(package(base) == "pathlib" and base.__name__ == "PurePath" for base in kind.__mro__):
        return _path_subclass
    typing_bases = {base.__name__ for base in kind.__mro__ if base.__module__ == "typing"}
    if "_BaseGenericAlias" in typing_bases and "_SpecialGenericAlias" not in typing_bases:
        return _generic_alias
    return _special if typing_bases & {"_SpecialForm", "_SpecialGenericAlias"} else None


def moment(value: datetime.datetime, nanosecond: int = 0) -> str:
    """Write a date with a time: as the clock on the wall shows it, the zone by name or offset, and the fold."""
    clock = _clock(value, value.microsecond, nanosecond)
    text = f"{value.year:04}-{value.month:02}-{value.day:02}T{clock}"
    return tagged_text("datetime", f"[{quoted(text)},{_zone(value.tzinfo)},{_fold(value)}]")


def duration(value: datetime.timedelta, nanosecond: int = 0) -> str:
    """Write a span of time: whole nanoseconds."""
    microseconds = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    return tagged_text("timedelta", str(microseconds * 1000 + nanosecond))


def _clock(value: datetime.datetime | datetime.time, microsecond: int, nanosecond: int = 0) -> str:
    text = f"{value.hour:02}:{value.minute:02}:{value.second:02}"
    fraction = f"{microsecond * 1000 + nanosecond:0{_DIGITS_OF_NANOSECONDS}}".rstrip("0")
    return f"{text}.{fraction}" if fraction else text


def _zone(zone: datetime.tzinfo | None) -> str:
    return "null" if zone is None else quoted(zone_name(zone))


def _fold(value: datetime.datetime | datetime.time) -> int:
    zone = value.tzinfo
    name = getattr(zone, "zone", None)
    if not isinstance(name, str) or name in _UTC_NAMES:
        return value.fold
    # pytz keeps the offset in the zone of each value, and leaves the fold at 0 on both sides of a change of clocks.
    import zoneinfo  # 5 ms, and pytz is rare

    try:
        named = zoneinfo.ZoneInfo(name)
    except zoneinfo.ZoneInfoNotFoundError as error:
        raise RefusalError(f"no time zone {name} is known here; install tzdata") from error
    # pytz gives a time alone an offset only in zones that never change theirs.
    date = (value.year, value.month, value.day) if isinstance(value, datetime.datetime) else (1970, 1, 1)
    wall = datetime.datetime(*date, value.hour, value.minute, value.second, tzinfo=named)
    for fold in (0, 1):
        if wall.replace(fold=fold).utcoffset() == value.utcoffset():
            return fold
    raise RefusalError(
        f"its offset from UTC is {value.utcoffset()}, which the zone {name} does not have at that time; use "
        "zoneinfo.ZoneInfo, or localize of pytz"
    )


def zone_name(zone: datetime.tzinfo) -> str:
    """Name a time zone: the key in the IANA database, else its offset and own name; never today's offset of a key."""
    # zoneinfo, then pytz; pandas gives either, depending on its version.
    name = getattr(zone, "key", None) or getattr(zone, "zone", None)
    if isinstance(name, str):
        return "+00:00" if name in _UTC_NAMES else name
    offset = zone.utcoffset(None)
    if offset is None:
        raise RefusalError(
            f"a time zone of type {type(zone).__module__}.{type(zone).__qualname__} has no name; use zoneinfo.ZoneInfo"
        )
    seconds, microseconds = divmod(abs(offset) // datetime.timedelta(microseconds=1), 1_000_000)
    text = f"{'-' if offset < datetime.timedelta() else '+'}{seconds // 3600:02}:{seconds // 60 % 60:02}"
    if seconds % 60 or microseconds:
        text += f":{seconds % 60:02}"
    if microseconds:
        text += f".{microseconds:06}"
    given = zone.tzname(None) if isinstance(zone, datetime.timezone) else None
    # What strftime writes for %Z.
    is_own = given is not None and given not in _UTC_NAMES and given != datetime.timezone(offset).tzname(None)
    return f"{text} {given}" if is_own else text


def _time(value: datetime.time) -> str:
    return tagged_text("time", f"[{quoted(_clock(value, value.microsecond))},{_zone(value.tzinfo)},{_fold(value)}]")


def _complex(value: complex) -> str:
    return tagged_text("complex", f"[{number(value.real)},{number(value.imag)}]")


def _decimal(value: Decimal) -> str:
    # Not str(value): its letters depend on the context of the thread. 1.0 and 1.00 differ, they compute differently.
    sign, digits, exponent = value.as_tuple()
    coefficient = "".join(map(str, digits))
    names = {"F": "Infinity", "n": "NaN", "N": "sNaN"}
    if isinstance(exponent, str):
        text = names[exponent] + (coefficient if exponent != "F" else "")
    else:
        text = f"{coefficient}e{exponent}"
    return tagged_text("decimal", quoted("-" * sign + text))


def _fraction(value: Fraction) -> Form:
    return several("fraction", (value.numerator, value.denominator))


def _path(value: pathlib.PurePath) -> str:
    return tagged_text("path", quoted(value.as_posix()))


def _artifact(value: pathlib.PurePath) -> str:
    return tagged_text("artifact", quoted(value.name))


def _pattern(value: re.Pattern[Any]) -> Form:
    return several("pattern", (value.pattern, int(value.flags)), (".pattern",))


def _deque(value: collections.deque[object]) -> Form:
    return several("deque", (list(value), value.maxlen))


def _omegaconf(value: Any) -> Form:
    omegaconf = sys.modules["omegaconf"]
    try:
        if omegaconf.OmegaConf.is_dict(value):
            return same_as(None if value._is_none() else dict(value.items()))
        return same_as(None if value._is_none() else list(value))
    except omegaconf.errors.OmegaConfBaseException as error:  # a missing value, an interpolation that leads nowhere
        raise RefusalError(str(error).replace("\n", " ")) from error


def _buffer(value: Any) -> Form:
    # An array says its elements in the byte order of the machine; so does a view of one.
    if sys.byteorder == "big":
        raise RefusalError("a buffer of this machine's byte order has no canonical form; use an array of NumPy")
    return several("buffer", (value.format, list(value.shape or ()), value.tobytes()))


def _buffer_array(value: Any) -> Form:
    # An array of "l" is wider on one system than on another; what counts is the width.
    code = f"{value.typecode if value.typecode in 'uwfd' else 'iu'[value.typecode.isupper()]}{value.itemsize}"
    copy = value[:]
    if sys.byteorder == "big":
        copy.byteswap()
    return several("buffer", (f"array {code}", [len(value)], copy.tobytes()))


def _default_dict(value: collections.defaultdict[object, object]) -> Form:
    return several("defaultdict", (value.default_factory, dict(value.items())), (".default_factory", ""))


def _items_alone(value: Mapping[object, object]) -> Form:
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
    held = held_attributes(value, [name for name in slots(kind) if name in names])
    kept = {name: item for name, item in held.items() if name not in _CACHES_OF_PATHS}
    return several("object", (type_name(kind), kept, {"path": value.as_posix()}))


# Python 3.12 and later let subclasses have a __dict__, and keep there what earlier ones keep in slots.
_CACHES_OF_PATHS = frozenset(
    ("_drv", "_root", "_parts", "_str", "_hash", "_pparts", "_cached_cparts", "_raw_paths", "_tail_cached")
)


def _generic_alias(value: Any) -> Form:
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


def _type_variable(value: Any) -> Form:
    variance = [value.__covariant__, value.__contravariant__] if hasattr(value, "__covariant__") else None
    return several(
        "typevar",
        (value.__name__, getattr(value, "__bound__", None), list(getattr(value, "__constraints__", ())), variance),
    )


def _keys(value: Iterable[object]) -> Form:
    return unordered("keys", list(value))


def _values_view(value: Iterable[object]) -> Form:
    return one("values", list(value))


def _items(value: Iterable[Any]) -> Form:
    return one("items", dict(value))


_EXACT: dict[type, Reducer] = {
    complex: _complex,
    range: lambda value: several("range", (value.start, value.stop, value.step)),
    slice: lambda value: several("slice", (value.start, value.stop, value.step), (".start", ".stop", ".step")),
    types.EllipsisType: lambda _value: tagged_text("ellipsis", "null"),
    types.NotImplementedType: lambda _value: tagged_text("class", quoted("builtins:NotImplemented")),
    datetime.datetime: moment,
    datetime.date: lambda value: tagged_text("date", quoted(value.isoformat())),
    datetime.time: _time,
    datetime.timedelta: duration,
    datetime.timezone: lambda value: tagged_text("timezone", quoted(zone_name(value))),
    re.Pattern: _pattern,
    memoryview: _buffer,
    collections.deque: _deque,
    collections.defaultdict: _default_dict,
    **dict.fromkeys((types.MappingProxyType, collections.ChainMap, type(os.environ)), _items_alone),
    **dict.fromkeys((type({}.keys()), type(collections.OrderedDict().keys())), _keys),
    **dict.fromkeys((type({}.values()), type(collections.OrderedDict().values())), _values_view),
    **dict.fromkeys((type({}.items()), type(collections.OrderedDict().items())), _items),
    types.UnionType: _union,
    **dict.fromkeys(
        (
            pathlib.Path,
            pathlib.PosixPath,
            pathlib.WindowsPath,
            pathlib.PurePath,
            pathlib.PurePosixPath,
            pathlib.PureWindowsPath,
        ),
        _path,
    ),
}

# Recognised without importing the module, which would cost time at start-up.
_BY_NAME: dict[str, Reducer] = {
    "decimal.Decimal": _decimal,
    "fractions.Fraction": _fraction,
    "uuid.UUID": lambda value: tagged_text("uuid", quoted(str(value))),
    "zoneinfo.ZoneInfo": lambda value: tagged_text("timezone", quoted(zone_name(value))),
    "_struct.Struct": lambda value: several("struct", (value.format,)),
    "array.array": _buffer_array,
    "typing.TypeVar": _type_variable,
    "typing.Union": _union,
    "typing.ForwardRef": lambda value: several("forwardref", (value.__forward_arg__,)),
    **{
        f"ipaddress.{name}": lambda value: several("ipaddress", (type(value).__name__, str(value)))
        for name in ("IPv4Address", "IPv6Address", "IPv4Network", "IPv6Network", "IPv4Interface", "IPv6Interface")
    },
    "omegaconf.dictconfig.DictConfig": _omegaconf,
    "omegaconf.listconfig.ListConfig": _omegaconf,
}
