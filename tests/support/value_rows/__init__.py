"""Values that science passes, by library: equal ones, different ones, refused ones.

Each function makes the rows of one library, and needs it. A row says how to make a value, other values that differ from
it, what is done to look at or use it, which must not change its hash, and, for what is refused, what the error says.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

LIBRARIES = {}


class Row(NamedTuple):
    """A value: ``others`` differ from it, ``use`` does not change it; or it is ``refused`` with these words."""

    what: str
    make: Any
    others: tuple[Any, ...] = ()
    use: Any = None
    refused: str | None = None


def library(name, *modules):
    def add(rows):
        LIBRARIES[name] = (modules or (name,), functools.cache(lambda: list(rows())))  # classes are defined once
        return rows

    return add


def adder(n):
    return lambda x: x + n
