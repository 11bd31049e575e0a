"""Digests: the one hash function of the library, over bytes and over files."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

import xxhash

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed import ReadableBuffer

SETTLED = 2_500_000_000
"""Nanoseconds after which a file that is written again has other times.

Written twice within the granularity of its file system's clock, it shows the same times for both contents: at most 2 s,
on FAT. A stat that is not older than this when the reading begins does not vouch for what was read.
"""
_BUFFER_BYTES = 1 << 20
_SECONDS_BETWEEN_LINES = 3.0

_logger = logging.getLogger("taggedartifacts")


def hexdigest(data: ReadableBuffer) -> str:
    """Digest bytes, or anything contiguous that shows its memory: xxh3_128, as 32 lower-case hex digits."""
    return xxhash.xxh3_128_hexdigest(data)


def hexdigest_parts(parts: Iterable[ReadableBuffer]) -> str:
    """Digest bytes that come in parts, as if they were one."""
    state = xxhash.xxh3_128()
    for part in parts:
        state.update(part)
    return state.hexdigest()


def file_stamp(path: str) -> tuple[int, ...]:
    """Tell cheaply what changes with the content of a file: its times, its size and which file it is.

    Raises:
        OSError: If there is none.
    """
    info = os.stat(path)
    return info.st_mtime_ns, info.st_ctime_ns, info.st_size, info.st_ino


class Progress:
    """How far the hashing of files is, said in the log every few seconds while it lasts.

    Args:
        what: What is hashed.
        total: Bytes that there are in all.
    """

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._start = self._said = time.monotonic()

    def advance(self, count: int) -> None:
        """Count bytes as hashed."""
        self._done += count
        now = time.monotonic()
        if now - self._said > _SECONDS_BETWEEN_LINES:
            self._said = now
            rate = self._done / (now - self._start)
            _logger.info(
                "hashing %s: %.0f of %.0f MB done, %.0f MB/s",
                self._what,
                self._done / 1e6,
                self._total / 1e6,
                rate / 1e6,
            )


def file_hexdigest(path: str | os.PathLike[str], progress: Progress | None = None) -> str:
    """Digest the content of a file: xxh3_128, as 32 lower-case hex digits.

    What takes more than a few seconds says in the log how far it is.

    Args:
        path: The file.
        progress: Counts the bytes, when the file is one of several.

    Raises:
        OSError: If the file cannot be read.
    """
    state = xxhash.xxh3_128()
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        progress = progress or Progress(os.fspath(path), size)
        # Not mmap: it is faster, but a concurrent truncation would kill the interpreter with SIGBUS.
        buffer = bytearray(min(size + 1, _BUFFER_BYTES))
        view = memoryview(buffer)
        while count := file.readinto(buffer):
            state.update(view[:count])
            progress.advance(count)
    return state.hexdigest()
