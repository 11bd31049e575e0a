"""The claim of a run on its staging directory, which shows that it goes on even where its lock's file was removed.

A cleaner that removes old files takes the file of a held lock, and the next call then locks a new one. So a run holds
its staging directory itself, by a lock of the kernel on the directory, which cannot be removed without the work in it.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows, where what is open cannot be removed
    fcntl = None

if TYPE_CHECKING:
    from collections.abc import Iterator

_held: set[Claim] = set()


class Claim:
    """A claim on one staging directory, which whoever makes it keeps in order to give it back."""

    def __init__(self) -> None:
        self._closing: Iterator[None] = iter(())

    def take(self, staging: str) -> None:
        """Claim a staging directory, as far as the file system can."""
        if fcntl is None:
            return
        with contextlib.suppress(OSError):
            descriptor = os.open(staging, os.O_RDONLY)
            self._closing = map(os.close, [descriptor])
            _held.add(self)
            # Shared, because who asks whether there is a claim holds one of the other kind for an instant.
            fcntl.flock(descriptor, fcntl.LOCK_SH)

    def release(self) -> None:
        """Give it back; again and again does no harm."""
        # One step, which no interrupt divides: taken out of a variable first, a descriptor could be lost before it is
        # closed; closed first, it could be closed again when another thread has got its number.
        tuple(self._closing)
        _held.discard(self)


def is_claimed(staging: str) -> bool:
    """Tell whether a process works in a staging directory, as far as the file system can tell."""
    if fcntl is None:
        return False
    try:
        descriptor = os.open(staging, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _drop() -> None:
    """Close the copies that a forked child has: it may live longer than the run, which goes on in its parent."""
    for each in tuple(_held):
        with contextlib.suppress(OSError):
            each.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drop)
