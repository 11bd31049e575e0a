"""What moved while a function of a session ran: definitions and values, as its fingerprint told them before. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .._reach.reads import ITEM

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_Places = dict[tuple[str, ...], Any]


def moved(before: bytes, now: bytes, assigned: Collection[str], *, executed: bool) -> list[str]:
    """List the names of what two fingerprints tell otherwise, without what the code itself changes.

    Args:
        before: The fingerprint with which a call began.
        now: That of the same function now.
        assigned: The names that the code assigns: globals, variables of enclosing functions, attributes; `ITEM`.
        executed: Whether the session ran something else meanwhile. If not, what changed in place the code changed.
    """
    old, new = dict(_places(_values_in(before))), dict(_places(_values_in(now)))
    found = []
    for place in sorted(old.keys() | new.keys()):
        first, then = old.get(place), new.get(place)
        name = place[-1].rpartition(" ")[2]
        if first == then or name in assigned:
            continue
        is_in_place = isinstance(first, dict | list) and isinstance(then, dict | list)
        if not (is_in_place and not executed) and not (ITEM in assigned and (is_in_place or not executed)):
            found.append(name if place[-1] != "code" else place[-2])
    return list(dict.fromkeys(found))


def _values_in(encoded: bytes) -> Any:
    # As they are written: `1`, `1.0` and `"1"` differ.
    return json.loads(encoded, parse_int=_number, parse_float=_number)


def _number(text: str) -> tuple[str]:
    return (text,)


def _places(told: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, parts in told["definitions"].items():
        for part, values in parts.items():
            if isinstance(values, dict):
                yield from (((key, part, name), value) for name, value in values.items())
            else:
                yield (key, part), values
    for part in ("globals", "names"):
        yield from (((part, name), value) for name, value in told.get(part, {}).items())
    if "strings" in told:
        yield from ((("strings", *place), value) for place, value in _places(told["strings"]))
