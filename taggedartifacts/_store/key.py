"""The key: what decides which artifact a call has, with its large values as a record shortens them. Pure.

A large value of the canonical form tells nobody anything, and a record has to be read at every hit. What is replaced,
an argument or an entry of the configuration, becomes the tagged object
``{"$digest":["<xxh3_128, 32 hex digits>",<bytes>]}``, which no value of a user can be mistaken for, so that two records
still tell which values are the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from .._hashing import hexdigest
from .._tag import COMMIT_DIGITS, CONFIG_DIGITS, DIGEST_DIGITS, Tag, has_digits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .._tag import Digits


_MOST_LISTED = 12


class Key(NamedTuple):
    """What a hit compares whole: who makes the artifact, from which code, with which configuration.

    Attributes:
        function: File and qualified name of the function.
        commit: Full hex of the commit.
        dirty: Full digest of the uncommitted changes, or None.
        config_hash: Full config hash.
        scope_digest: Digest of what the commit holds in the scope; None where there is no repository.
        scope_text: The scope in words, which are not compared.
    """

    function: str
    commit: str
    dirty: str | None
    config_hash: str
    scope_digest: str | None = None
    scope_text: str = ""

    def agrees(self, other: Key) -> bool:
        """Say whether two are the same, as far as both know.

        Where a variable stands in for the repository, there is no scope, and no root to which a path is relative.
        """
        if self.scope_digest is not None and other.scope_digest is not None:
            return self[:5] == other[:5]
        same_rest = (self.dirty, self.config_hash) == (other.dirty, other.config_hash)
        return same_commit(self.commit, other.commit) and same_rest and _same_function(self.function, other.function)

    @property
    def tag(self) -> Tag:
        """The part of it that stands in the artifact's name."""
        return Tag(*self.digits)

    @property
    def digits(self) -> Digits:
        """The digits of that tag."""
        _, commit, dirty, config_hash, _, _ = self
        return commit[:COMMIT_DIGITS], dirty and dirty[:DIGEST_DIGITS], config_hash[:CONFIG_DIGITS]

    def is_in(self, name: str) -> bool:
        """Tell whether a file name holds that tag."""
        return has_digits(name, self.digits)


def scope_text(kind: str, paths: Sequence[str], reasons: Sequence[str]) -> str:
    """Say in words what a scope was."""
    if kind == "whole repository":
        return f"the whole repository, since {reasons[0]}" if reasons else "the whole repository"
    listed = ", ".join(paths[:_MOST_LISTED]) + (f" and {len(paths) - _MOST_LISTED} more" * (len(paths) > _MOST_LISTED))
    return f"{listed}, and data files" if kind == "automatic" else listed


def same_commit(one: str, other: str) -> bool:
    """Tell whether two commits are the same, as far as is known: one that stood in for a repository may be short."""
    return one.startswith(other) or other.startswith(one)


def _same_function(one: str, other: str) -> bool:
    """Say whether two functions are one, of which one may be named by less of its path."""
    return one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}")


_MOST_CHARACTERS = 16 << 10  # of one value
_MOST_TOGETHER = 1 << 20  # of what stands below one key of the form, after that
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[][{},]')
_MARK = '{"$digest":["'


def shortened(canonical: str) -> str:
    """Replace the large values in a canonical form; it stays as it is where there are none."""
    if len(canonical) <= _MOST_CHARACTERS:
        return canonical
    return _replaced(canonical, 0, len(canonical), _short_part)


def is_hashed(canonical: str, config_hash: str) -> bool:
    """Tell whether a recorded form is what a config hash is of, as far as can be told: not where it was shortened."""
    return _MARK in canonical or hexdigest(canonical.encode("utf-8", "surrogatepass")) == config_hash


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


def _replaced(text: str, start: int, end: int, short: Callable[[str, int, int], str]) -> str:
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
