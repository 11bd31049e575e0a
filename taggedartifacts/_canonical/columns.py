"""Canonical form of columns of strings: the same from Python's strings as from Arrow's memory, read in place."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .._hashing import hexdigest_parts
from .arrays import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_MISSING = -1
_BATCH = 1 << 14  # strings encoded at a time, so that the copies are bounded


def strings_text(values: Sequence[str | None]) -> str:
    """Write a column of Python strings and None: how many, the digest of their lengths, the digest of their bytes."""
    lengths = sys.modules["numpy"].empty(len(values), "<i8")

    def contents() -> Iterator[bytes]:
        for start in range(0, len(values), _BATCH):
            batch = values[start : start + _BATCH]
            encoded = [None if value is None else value.encode("utf-8", "surrogatepass") for value in batch]
            lengths[start : start + _BATCH] = [_MISSING if value is None else len(value) for value in encoded]
            yield b"".join(filter(None, encoded))

    return lengths_and_bytes(lengths, contents())


def arrow_strings_text(column: Any) -> str:
    """Write a column of Arrow's strings, which pandas and polars hold too, as if they were Python strings."""
    numpy = sys.modules["numpy"]
    lengths = numpy.empty(len(column), "<i8")
    contents = []
    start = 0
    for chunk in getattr(column, "chunks", [column]):
        missing = chunk.is_null().to_numpy(zero_copy_only=False) if chunk.null_count else None
        # Wide offsets share the bytes; below a null there may lie anything.
        strings = (chunk if missing is None else chunk.fill_null("")).cast("large_string")
        offsets = numpy.frombuffer(strings.buffers()[1] or bytes(8), "<i8")[strings.offset :][: len(strings) + 1]
        stop = start + len(strings)
        numpy.subtract(offsets[1:], offsets[:-1], out=lengths[start:stop])
        if missing is not None:
            lengths[start:stop][missing] = _MISSING
        contents.append(memoryview(strings.buffers()[2] or b"")[offsets[0] : offsets[-1]])
        start = stop
    return lengths_and_bytes(lengths, contents)


def lengths_and_bytes(lengths: Any, contents: Iterable[Any]) -> str:
    """Write a column of strings: the lengths of their UTF-8 (-1 for a missing one), and all of it in a row."""
    content = hexdigest_parts(contents)  # first: it may be what finds out the lengths
    return f'[{len(lengths)},"{digest(lengths)}","{content}"]'
