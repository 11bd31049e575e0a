"""A key of plain data, by which a call that was prepared is found again."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from .._canonical.encoding import is_registered
from .._path import ArtifactPath

_MOST_KEY = 16 << 10  # bytes


def _path_mark() -> None:
    """Mark a path in a key."""


def _artifact_mark() -> None:
    """Mark the path of an artifact."""


_MARKS = {type(Path()): _path_mark, ArtifactPath: _artifact_mark}


class _NoKeyError(Exception):
    """A value holds something else than plain data, or too much of it."""


class _Sink:
    """Takes what a pickler writes: small data at once, when it is complete."""

    __slots__ = ("written",)

    def __init__(self) -> None:
        self.written = b""

    def write(self, chunk: bytes) -> None:
        if self.written or len(chunk) > _MOST_KEY:
            raise _NoKeyError
        self.written = chunk


class _Keys(pickle.Pickler):
    """Writes exact builtin values and paths only, each type with marks of its own, so that different values differ."""

    def reducer_override(self, value: object) -> Any:
        if (mark := _MARKS.get(type(value))) is not None and not is_registered(type(value)):
            return mark, (str(value),)
        if value is _path_mark or value is _artifact_mark:
            return NotImplemented  # by its name
        raise _NoKeyError


def plain_key(value: object) -> bytes | None:
    """Make a key of plain data: None, bool, int, float, str, bytes, paths, and lists, tuples, dicts and sets of them.

    Values of different type or sign have different keys, and equal ones mostly, but not always, the same. No
    code occurs in them. Takes a quarter of the time of a canonical form (1.1 µs where that takes 4.4).

    Returns:
        The key, or None for a value that holds anything else, or is large.
    """
    sink = _Sink()
    try:
        _Keys(sink, 5).dump(value)
    except (_NoKeyError, RuntimeError):  # also nested too deeply, or changed by another thread: the encoder will say so
        return None
    return bytes(sink.written)
