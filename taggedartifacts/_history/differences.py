"""Differences between two configurations: exactly where their canonical forms differ, in words. Pure: touches no disk.

The forms are read without recursion, because they may be nested deeper than Python's stack, where ``json.loads`` gives
up (after 994 levels in CPython 3.11); and with their numbers as text, because 1, 1.0 and true are different values
there and equal ones in Python.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from .._errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WORD = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[][{}]|[^][{}",:\s]+')
_DIGEST = re.compile(r"[0-9a-f]{32}")
_DIGEST_LETTERS = 10
_MOST_DEPTH = 20
_MOST_RENDERED = 20_000  # letters
_MOST_SHOWN = 60  # letters
_CONTEXT = 15  # letters
# Tagged objects that are sets, and those around a text that says on its own what it is.
_SETS = frozenset({"set", "frozenset"})
_PLAIN = frozenset({"float", "decimal", "date", "uuid", "timezone"})
_PYTHON_NAMES = {"true": "True", "false": "False", "null": "None"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which two artifacts differ.

    Attributes:
        place: What differs, as in ``config.model.depth`` or ``packages.numpy``.
        a: How it is for the first.
        b: How it is for the second.
        is_environment: Whether it is no part of the tag, but of where the artifact was made.
        reader: Who reads it, where it is no argument; empty otherwise.
        path: The file, relative to the repository's root, where it is one of the code that two commits hold
            differently: the place then says, too, how that came into the scope.
    """

    place: str
    a: str
    b: str
    is_environment: bool = field(default=False, repr=False, compare=False)
    reader: str = ""
    path: str = field(default="", repr=False, compare=False)

    def __str__(self) -> str:
        return printable(f"{self.place}: {self.a} → {self.b}" + (f", read by {self.reader}" if self.reader else ""))


class _Atom(str):
    """A number, true, false or null, as it is written."""

    __slots__ = ()


class _Tagged(NamedTuple):
    """A tagged object: what JSON cannot hold."""

    name: str
    value: Any


_GLOBALS = "globals"
ABSENT = "absent"  # as which None is shown, which no form gives


def canonical_differences(a: str, b: str, readers: Mapping[str, str] = {}) -> Iterator[Difference]:
    """List where two canonical forms differ, in the order of their keys.

    Args:
        a: One of them.
        b: The other.
        readers: Who reads each of the ``globals``.

    Raises:
        ValueError: If one of the texts is no canonical form.
    """
    pending = [("", _open_form(a), _open_form(b), "")]
    while pending:
        place, x, y, reader = pending.pop()
        members = _members(place, x, y)
        if members is not None:
            pending.extend((*each, _reader_of(place, each[0], readers) or reader) for each in reversed(members))
        elif place == _GLOBALS and isinstance(y if x is None else x, dict):
            # One of the two reads nothing: each name is a difference of its own.
            pending.append((place, {} if x is None else x, {} if y is None else y, ""))
        elif not _same(x, y):
            yield Difference(place, *_windows(_one_line(x), _one_line(y)), reader=reader)


def _reader_of(place: str, below: str, readers: Mapping[str, str]) -> str:
    return readers.get(below.removeprefix(f"{_GLOBALS}."), "") if place == _GLOBALS else ""


def _members(place: str, x: Any, y: Any) -> list[tuple[str, Any, Any]] | None:
    """Pair what two values hold; None if they have to be told apart as wholes."""
    if type(x) is not type(y):
        return None
    if isinstance(x, dict):
        keys = [*x, *(key for key in y if key not in x)]
        return [(_key_below(place, key), x.get(key), y.get(key)) for key in keys]
    if isinstance(x, list) and len(x) == len(y):
        return [(f"{place}[{i}]", left, right) for i, (left, right) in enumerate(zip(x, y, strict=True))]
    if _is_object(x) and _is_object(y) and len(x.value) == len(y.value) and x.value[0] == y.value[0]:
        return [(place, left, right) for left, right in zip(x.value[1:], y.value[1:], strict=True)]
    return None


def _is_object(value: Any) -> bool:
    """Whether it is an instance of a class, encoded as the class's name and what the instance holds."""
    return isinstance(value, _Tagged) and value.name == "object" and isinstance(value.value, list) and bool(value.value)


def _key_below(place: str, key: str | tuple[str]) -> str:
    if isinstance(key, tuple):
        return f"{place}[{key[0]}]"
    if place == _GLOBALS:
        return f"{place}.{key}"  # names with dots are how code spells them
    if not key.isidentifier():
        return f"{place}[{key!r}]"
    return f"{place}.{key}" if place else key


def _same(a: Any, b: Any) -> bool:
    pending = [(a, b)]
    while pending:
        x, y = pending.pop()
        if type(x) is not type(y):
            return False
        if isinstance(x, (list, _Tagged)):
            if len(x) != len(y):
                return False
            pending.extend(zip(x, y, strict=True))
        elif isinstance(x, dict):
            if x.keys() != y.keys():
                return False
            pending.extend((value, y[key]) for key, value in x.items())
        elif x != y:
            return False
    return True


def _open_form(text: str) -> Any:
    open_values: list[list[Any]] = [[]]
    try:
        for word in _WORD.findall(text):
            if word in ("{", "["):
                open_values.append([])
                continue
            if word == "]":
                value: Any = open_values.pop()
            elif word == "}":
                value = _object(open_values.pop())
            else:
                value = json.loads(word) if word[0] == '"' else _Atom(word)
            open_values[-1].append(value)
    except (IndexError, TypeError) as error:
        raise ValueError("not well formed") from error
    if len(open_values) != 1 or len(open_values[0]) != 1:
        raise ValueError("not well formed")
    return open_values[0][0]


def _object(members: list[Any]) -> Any:
    """Make an object of its keys and values, in turn: a dict, or what a tag stands for."""
    pairs = list(zip(members[::2], members[1::2], strict=True))
    if any(type(key) is not str for key, _ in pairs):
        raise TypeError("a key is no string")
    if len(pairs) != 1 or not pairs[0][0].startswith("$"):
        return dict(pairs)
    name, value = pairs[0][0][1:], pairs[0][1]
    if name == "dict":
        # A key that is no string is kept as it is shown, in a tuple: what it shows may be a key, too.
        keyed = {(_one_line(key),): item for key, item in value}
        if len(keyed) == len(value):
            return keyed
    return _Tagged(name, value)


def _windows(a: str, b: str) -> tuple[str, str]:
    """Cut two texts to a length that people read, around the place where they begin to differ."""
    if max(len(a), len(b)) <= _MOST_SHOWN:
        return a, b
    start = next((i for i, (left, right) in enumerate(zip(a, b, strict=False)) if left != right), min(len(a), len(b)))
    start = max(0, start - _CONTEXT)
    end = start + _MOST_SHOWN

    def window(text: str) -> str:
        return ("…" if start else "") + text[start:end] + ("…" if len(text) > end else "")

    return window(a), window(b)


def _one_line(value: Any) -> str:
    """Write a value on one line, as Python would where it can."""
    pieces: list[str] = []
    room = _MOST_RENDERED
    for piece in _pieces(value, _MOST_DEPTH):
        pieces.append(piece)
        room -= len(piece)
        if room < 0:
            pieces.append("…")
            break
    return "".join(pieces)


def _pieces(value: Any, depth: int) -> Iterator[str]:
    if value is None:
        yield ABSENT
    elif isinstance(value, _Atom):
        yield _PYTHON_NAMES.get(value, value)
    elif type(value) is tuple:  # a key that is no string
        yield value[0]
    elif isinstance(value, str):
        yield value[:_DIGEST_LETTERS] + "…" if _DIGEST.fullmatch(value) else repr(value[:_MOST_RENDERED])
    elif depth == 0:
        yield "…"
    elif isinstance(value, list):
        yield from _enclosed("[", value, "]", depth)
    elif isinstance(value, dict):
        yield "{"
        for i, (key, item) in enumerate(value.items()):
            yield ", " * (i > 0)
            yield from _pieces(key, depth - 1)
            yield ": "
            yield from _pieces(item, depth - 1)
        yield "}"
    elif value.name in _PLAIN and isinstance(value.value, str):
        yield value.value
    elif value.name == "enum" and isinstance(value.value, list) and len(value.value) > 1:
        yield ".".join(str(part).rpartition(":")[2] for part in value.value[:2])  # module:Color and RED
    elif isinstance(value.value, list):
        opening, closing = ("{", "}") if value.name in _SETS else (f"{value.name}(", ")")
        yield from _enclosed(opening, value.value, closing, depth)
    else:
        yield f"{value.name}("
        yield from _pieces(value.value, depth - 1)
        yield ")"


def _enclosed(opening: str, items: list[Any], closing: str, depth: int) -> Iterator[str]:
    yield opening
    for i, item in enumerate(items):
        yield ", " * (i > 0)
        yield from _pieces(item, depth - 1)
    yield closing
