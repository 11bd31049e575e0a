"""Digests: the one hash function of the library, over bytes and over files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xxhash

if TYPE_CHECKING:
    import os

_BUFFER_BYTES = 1 << 20


def hexdigest(data: bytes) -> str:
    """Digest bytes: xxh3_128, as 32 lower-case hex digits."""
    return xxhash.xxh3_128_hexdigest(data)


def file_hexdigest(path: str | os.PathLike[str]) -> str:
    """Digest the content of a file: xxh3_128, as 32 lower-case hex digits.

    Raises:
        OSError: If the file cannot be read.
    """
    state = xxhash.xxh3_128()
    # Not mmap: it is faster, but a concurrent truncation would kill the interpreter with SIGBUS.
    buffer = bytearray(_BUFFER_BYTES)
    view = memoryview(buffer)
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            state.update(view[:count])
    return state.hexdigest()
