"""What a walk finds: the values that count, each once, by its name, with its canonical form and its reader.

How values are encoded, the walk is told: it knows no canonical form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .objects import is_code

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from .fixed import Text
    from .location import Locator
    from .watch import Watch

# What stands for the value of a name that has none.
UNBOUND = {"unbound": True}


class Values:
    """The values that one walk counts.

    Attributes:
        texts: Canonical form of each, by name.
        readers: Who reads each.
        unknown: What has no canonical form, and why.
        code: The functions and classes that occur in them.

    Args:
        tree: The work tree: paths below its root count relative to it.
        text: What the text of its modules fixes.
        watch: Told of each value, so that it is encoded again only when it has changed.
        ignored: What is left out.
        encode: Encodes values.
    """

    def __init__(self, tree: Locator, text: Text, watch: Watch, ignored: Ignored, encode: Encode) -> None:
        self.texts: dict[str, bytes] = {}
        self.readers: dict[str, str] = {}
        self.unknown: dict[str, str] = {}
        self.code: list[object] = []
        self._kept: dict[str, int] = {}
        self._ids: set[int] = set()
        self._tree = tree
        self._text = text
        self._watch = watch
        self._ignored = ignored
        self._encode = encode

    def hold(self, value: object) -> bool:
        """Say whether a value counts, by whatever name."""
        return id(value) in self._ids

    def count(self, key: str, spelled: str, value: Any, label: str, *, is_defined: bool) -> list[object]:
        """Count a value.

        Args:
            key: Its name in the record.
            spelled: Its name as the code that reads it spells it.
            value: The value.
            label: Who reads it.
            is_defined: Whether the text defines code of that name.

        Returns:
            The functions and classes that occur in it, which count too.
        """
        if (before := self._kept.get(key)) is not None:
            if before == id(value):
                return []
            key = f"{label}: {key}"
        self._kept[key] = id(value)
        self._ids.add(id(value))
        without = self._ignored.parts((key, spelled))
        met: list[object] = []

        def encode() -> Encoded:
            return self._encode(value, f"global {key!r}", without)

        encoded = encode()
        if (encoded.text is None or self._text.is_one_of_several(value)) and (code := self._text.named(value)):
            encoded = self._encode.named(code, f"global {key!r}")
            met += [function for function, _ in code]
        if not is_code(value):
            self._watch.value(value, encoded, encode)
        self._ignored.note((key, spelled), encoded.found)
        met += encoded.code
        if encoded.text is not None:
            self.texts[key] = self._tree.relative(encoded.text)
            self.readers[key] = label
        elif is_defined:
            raise self._encode.refuse(f"global {key!r}", encoded.reason)
        else:
            self.unknown[key] = encoded.reason
            met.append(type(value))
        self.code += met
        return met


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
