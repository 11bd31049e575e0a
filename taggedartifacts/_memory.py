"""What is remembered for repeated calls, bounded in bytes: 64 MiB in all, whatever is remembered by whom.

Nothing of it is needed: what was forgotten is computed or read again. So when the bound is reached all is forgotten,
which costs less to say and to check than an order in which to forget.
"""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ._hashing import SETTLED, file_stamp

if TYPE_CHECKING:
    from collections.abc import Callable

K = TypeVar("K")
V = TypeVar("V")

MOST_BYTES = 64 << 20


class _All(weakref.WeakValueDictionary[int, "Memory[Any, Any]"]):
    """All memories that there are, and about how many bytes they hold together."""

    held = 0


_all = _All()


class Memory(dict[K, V], Generic[K, V]):
    """A dict that is emptied when all of them together hold too much."""

    __slots__ = ("__weakref__", "_sizes")

    def __init__(self) -> None:
        super().__init__()
        self._sizes: dict[K, int] = {}
        _all[id(self)] = self
        # What goes with its owner counts no more: each edit of a cell or a module leaves a decorator behind.
        weakref.finalize(self, _uncount, self._sizes).atexit = False

    def put(self, key: K, value: V, size: int) -> None:
        """Remember a value.

        Args:
            key: What it is found by.
            value: What to remember.
            size: About how many bytes key and value take.
        """
        # Threads may count past each other: by little, and from anew each time that all is forgotten. What is freed
        # while this is computed uncounts itself, so it is computed before it is added.
        more = size - self._sizes.get(key, 0)
        _all.held += more
        if _all.held > MOST_BYTES:
            forget()
            if size > MOST_BYTES:
                return
            _all.held = size
        self[key], self._sizes[key] = value, size

    def clear(self) -> None:
        """Forget all of it."""
        super().clear()
        _uncount(self._sizes)


def _uncount(sizes: dict[Any, int]) -> None:
    gone = sum(sizes.values())
    _all.held -= gone
    sizes.clear()


# What was said once and is not to be said again: as long as the process lives, or until all is forgotten.
_said: Memory[tuple[object, ...], None] = Memory()


def is_news(*said: object) -> bool:
    """Tell whether something is said for the first time, as far as is remembered.

    Args:
        *said: What it is, and of whom: strings, or tuples of them.
    """
    is_new = said not in _said
    if is_new:
        _said.put(said, None, len(repr(said)))
    return is_new


# By the file: its stamp, and what was made of it. Until the file changes, or all is forgotten.
_read: Memory[str, tuple[tuple[int, ...], Any]] = Memory()
_READ_BYTES = 500


def once_read(file: str, read: Callable[[str], V]) -> V:
    """Give what *read* makes of a file, in few bytes; it reads again only when the file has changed.

    Of a file that was written just now nothing is remembered: it could be written again and have the same stamp.
    """
    try:
        stamp = file_stamp(file)
    except OSError:
        return read(file)
    known = _read.get(file)
    if known is None or known[0] != stamp:
        now = time.time_ns()
        known = stamp, read(file)
        if max(stamp[:2]) < now - SETTLED:
            _read.put(file, known, _READ_BYTES)
    found: V = known[1]
    return found


def forget() -> None:
    """Forget all that is remembered."""
    for each in _all.valuerefs():
        if (memory := each()) is not None:
            memory.clear()
    _all.held = 0


def held_bytes() -> int:
    """Say about how many bytes are remembered."""
    return _all.held
