"""Large values of a canonical form, replaced by their digests: what a record keeps of them. Pure.

A value of that size tells nobody anything, and a record has to be read at every hit. What is replaced, an argument or
an entry of the configuration, becomes the tagged object ``{"$digest":["<xxh3_128, 32 hex digits>",<bytes>]}``, which no
value of a user can be mistaken for, so that two records still tell which values are the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._hashing import hexdigest

if TYPE_CHECKING:
    from collections.abc import Callable

    _Short = Callable[[str, int, int], str]

_MOST_CHARACTERS = 16 << 10  # of one value
_MOST_TOGETHER = 1 << 20  # of what stands below one key of the form, after that
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[][{},]')
_MARK = '{"$digest":["'


def shortened(canonical: str) -> str:
    """Replace the large values in a canonical form; it stays as it is where there are none."""
    if len(canonical) <= _MOST_CHARACTERS:
        return canonical
    return _replaced(canonical, 0, len(canonical), _short_part)


def is_shortened(canonical: str) -> bool:
    """Tell whether values in a canonical form were replaced, so that the config hash is not the hash of this text."""
    return _MARK in canonical


def _short_part(text: str, start: int, end: int) -> str:
    """Shorten what stands below one key of the form: the arguments, the configuration and so on."""
    if end - start <= _MOST_CHARACTERS:
        return text[start:end]
    if text.startswith("{", start) and not text.startswith('{"$', start):
        part = _replaced(text, start, end, _short_value)
        if len(part) <= _MOST_TOGETHER:
            return part
    return _digest(text[start:end])


def _short_value(text: str, start: int, end: int) -> str:
    return text[start:end] if end - start <= _MOST_CHARACTERS else _digest(text[start:end])


def _digest(value: str) -> str:
    content = value.encode("utf-8", "surrogatepass")
    return f'{_MARK}{hexdigest(content)}",{len(content)}]}}'


def _replaced(text: str, start: int, end: int, short: _Short) -> str:
    """Write the object in ``text[start:end]`` anew, its values shortened."""
    pieces, done = [], start
    for first, behind in _values(text, start, end):
        pieces += [text[done:first], short(text, first, behind)]
        done = behind
    return "".join([*pieces, text[done:end]])


def _values(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Find where the values of an object begin and end."""
    found: list[tuple[int, int]] = []
    depth, first = 0, -1
    for token in _TOKEN.finditer(text, start, end):
        kind = text[token.start()]
        if kind == '"':
            if depth == 1 and first < 0:
                first = token.end() + 1  # behind the colon
        elif kind in "{[":
            depth += 1
        elif kind == ",":
            if depth == 1:
                found.append((first, token.start()))
                first = -1
        else:
            depth -= 1
            if depth == 0 and first >= 0:
                found.append((first, token.start()))
    return found
