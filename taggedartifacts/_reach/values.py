"""The values that count for what a function reads: each once, by its name, with its canonical form and its reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .objects import is_code

if TYPE_CHECKING:
    from .fixed import Text
    from .found import Encode, Encoded, Ignored
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
