"""Canonical form of the standard library's value types: numbers, dates and times, paths, patterns, mappings."""

from __future__ import annotations

import datetime
import pathlib
import re
import sys
import types
from collections import deque
from typing import TYPE_CHECKING, Any

from .._path import ArtifactPath
from .text import Form, RefusalError, number, quoted, same_as, several, tagged_text

if TYPE_CHECKING:
    from decimal import Decimal
    from fractions import Fraction

    from .text import Reducer

_DIGITS_OF_NANOSECONDS = 9
_UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"})


def recognise(kind: type) -> Reducer | None:
    """Find the form of a type of the standard library; of a subclass only where it says the same."""
    if (reducer := _EXACT.get(kind)) is not None:
        return reducer
    if issubclass(kind, ArtifactPath):
        return _artifact
    return _BY_NAME.get(f"{kind.__module__}.{kind.__qualname__}")


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


def _deque(value: deque[object]) -> Form:
    return several("deque", (list(value), value.maxlen))


def _omegaconf(value: Any) -> Form:
    omegaconf = sys.modules["omegaconf"]
    try:
        if omegaconf.OmegaConf.is_dict(value):
            return same_as(None if value._is_none() else dict(value.items()))
        return same_as(None if value._is_none() else list(value))
    except omegaconf.errors.OmegaConfBaseException as error:  # a missing value, an interpolation that leads nowhere
        raise RefusalError(str(error).replace("\n", " ")) from error


_EXACT: dict[type, Reducer] = {
    complex: _complex,
    range: lambda value: several("range", (value.start, value.stop, value.step)),
    slice: lambda value: several("slice", (value.start, value.stop, value.step), (".start", ".stop", ".step")),
    types.EllipsisType: lambda _value: tagged_text("ellipsis", "null"),
    datetime.datetime: moment,
    datetime.date: lambda value: tagged_text("date", quoted(value.isoformat())),
    datetime.time: _time,
    datetime.timedelta: duration,
    datetime.timezone: lambda value: tagged_text("timezone", quoted(zone_name(value))),
    re.Pattern: _pattern,
    deque: _deque,
    types.MappingProxyType: lambda value: same_as(dict(value.items())),
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
    "omegaconf.dictconfig.DictConfig": _omegaconf,
    "omegaconf.listconfig.ListConfig": _omegaconf,
}
