"""Digests: the one hash function of the library, over bytes and over files."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

import xxhash

if TYPE_CHECKING:
    from collections.abc import Buffer, Iterable

_BUFFER_BYTES = 1 << 20
_SECONDS_BETWEEN_LINES = 3.0

_logger = logging.getLogger("taggedartifacts")


def hexdigest(data: Buffer) -> str:
    """Digest bytes, or anything contiguous that shows its memory: xxh3_128, as 32 lower-case hex digits."""
    return xxhash.xxh3_128_hexdigest(data)


def hexdigest_parts(parts: Iterable[Buffer]) -> str:
    """Digest bytes that come in parts, as if they were one."""
    state = xxhash.xxh3_128()
    for part in parts:
        state.update(part)
    return state.hexdigest()


def file_hexdigest(path: str | os.PathLike[str]) -> str:
    """Digest the content of a file: xxh3_128, as 32 lower-case hex digits.

    What takes more than a few seconds says in the log how far it is.

    Raises:
        OSError: If the file cannot be read.
    """
    state = xxhash.xxh3_128()
    # Not mmap: it is faster, but a concurrent truncation would kill the interpreter with SIGBUS.
    buffer = bytearray(_BUFFER_BYTES)
    view = memoryview(buffer)
    done = 0
    start = time.monotonic()
    said = start
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            state.update(view[:count])
            done += count
            if (now := time.monotonic()) - said > _SECONDS_BETWEEN_LINES:
                said = now
                seconds = now - start
                _logger.info(
                    "hashing %s: %.1f MB in %.0f s, %.0f MB/s", path, done / 1e6, seconds, done / 1e6 / seconds
                )
    return state.hexdigest()
