"""What a walk finds, and how it has values encoded: the walk knows no canonical form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


class Encoded(NamedTuple):
    """How a value counts.

    Attributes:
        text: Its canonical form; None if it has none.
        reason: Why not.
        code: The functions and classes that occur in it.
        found: Which of the parts that were to be left out were there.
    """

    text: bytes | None
    reason: str = ""
    code: tuple[Any, ...] = ()
    found: frozenset[tuple[str, ...]] = frozenset()


class Encode(Protocol):
    """What encodes values; given to the walk by who knows how values are encoded."""

    def __call__(self, value: object, place: str, without: tuple[tuple[str, ...], ...]) -> Encoded:
        """Encode a value that stands at *place*, without the parts to which these paths lead."""

    def named(self, code: Collection[tuple[Any, str]], place: str) -> Encoded:
        """Encode functions by the names that their text gives them."""

    def refuse(self, place: str, reason: str) -> Exception:
        """Make the error that refuses code which decides the result and cannot be told."""


class Reads(NamedTuple):
    """What a function reads, as it is now.

    Attributes:
        values: Canonical form of each value that counts, by name.
        readers: Who reads each: ``plots.fig``.
        unknown: What does not count because it has no canonical form, and why.
        places: Paths of the modules that are not imported from where the function's own module is, by import name.
        spaces: The globals of the modules of the work tree that it reaches, by path relative to the root.
        ignored: Those of the names to be left out that meant something.
        code: The functions and classes that occur in the values.
    """

    values: Mapping[str, bytes]
    readers: Mapping[str, str]
    unknown: Mapping[str, str]
    places: Mapping[str, str]
    spaces: Mapping[str, dict[str, Any]]
    ignored: frozenset[str]
    code: Collection[object] = ()


class Ignored:
    """The names of what is left out, and which of them meant something.

    Attributes:
        found: Those that did.

    Args:
        names: Names of globals, of variables of enclosing functions, and of parts of them.
    """

    def __init__(self, names: Collection[str]) -> None:
        self.found: set[str] = set()
        self._names = tuple(names)

    def has(self, spellings: Iterable[str]) -> bool:
        """Say whether something is left out, by one of the names that it has."""
        found = {name for name in spellings if name in self._names}
        self.found |= found
        return bool(found)

    def parts(self, spellings: Iterable[str]) -> tuple[tuple[str, ...], ...]:
        """List the ways to the parts that are left out of something."""
        heads = {f"{name}." for name in spellings}
        return tuple(
            tuple(each[len(head) :].split(".")) for each in self._names for head in heads if each.startswith(head)
        )

    def note(self, spellings: Iterable[str], found: Iterable[tuple[str, ...]]) -> None:
        """Note which of the ways led to something."""
        self.found |= {".".join((name, *path)) for name in spellings for path in found} & set(self._names)
