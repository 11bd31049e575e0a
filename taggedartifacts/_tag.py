"""The tag: which code and which configuration made a file, as it stands in the file's name. Pure: touches no disk."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from ._errors import ArtifactNameError, short_traceback

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

COMMIT_DIGITS = 10
DIGEST_DIGITS = 10
CONFIG_DIGITS = 12

_COMMIT = rf"[0-9a-f]{{{COMMIT_DIGITS}}}"
_DIGEST = rf"[0-9a-f]{{{DIGEST_DIGITS}}}"
_CONFIG = rf"[0-9a-f]{{{CONFIG_DIGITS}}}"
# What a stem with a tag ends in. Of one length, so that a match begins at a known place.
_DIRTY_END = re.compile(rf"-({_COMMIT})-dirty-({_DIGEST})-({_CONFIG})")
_DIRTY_LENGTH = len("--dirty--") + COMMIT_DIGITS + DIGEST_DIGITS + CONFIG_DIGITS
_CLEAN_END = re.compile(rf"-({_COMMIT})-({_CONFIG})")
_CLEAN_LENGTH = len("--") + COMMIT_DIGITS + CONFIG_DIGITS
_TAG = re.compile(rf"{_COMMIT}-(dirty-{_DIGEST}-)?{_CONFIG}")
# A clean tag behind such a stem would read as the dirty tag of a shorter one.
_MISLEADING_STEM = re.compile(rf"(?s).+-{_COMMIT}-dirty")
_FIELDS = {"commit": COMMIT_DIGITS, "dirty": DIGEST_DIGITS, "config": CONFIG_DIGITS}
_HEX = frozenset("0123456789abcdef")

_COMPRESSIONS = frozenset(
    {".bgz", ".br", ".bz2", ".fz", ".gz", ".lz", ".lz4", ".lzma", ".sz", ".xz", ".z", ".zip", ".zst"}
)
# Of a tag: commit, uncommitted changes or None, configuration.
Digits = tuple[str, str | None, str]

# Formats that readers know by both suffixes: a tag between the two would hide what the file is.
_DOUBLE = frozenset({".ome.tif", ".ome.tiff", ".ome.zarr"})


@dataclass(frozen=True, slots=True)
class Tag:
    """Which code and which configuration made an artifact, as far as its name tells.

    Two artifacts with equal tags were made by the same code and the same configuration.

    Attributes:
        commit: The first 10 hex digits of the commit.
        dirty: 10 hex digits that identify the uncommitted changes, or None when there were none.
        config: The first 12 hex digits of the config hash.

    Raises:
        ValueError: If a field has not exactly that many lower-case hex digits.

    Example:
        >>> str(Tag(commit="8c1f0e92d4", dirty=None, config="5b7ad3f0c1e2"))
        '8c1f0e92d4-5b7ad3f0c1e2'
    """

    commit: str
    dirty: str | None
    config: str

    def __post_init__(self) -> None:
        texts = str is type(self.commit) is type(self.config) and (self.dirty is None or type(self.dirty) is str)
        if texts and _TAG.fullmatch(str(self)):
            return
        for field, count in _FIELDS.items():
            value = getattr(self, field)
            if value is None and field == "dirty":
                continue
            if not isinstance(value, str) or len(value) != count or not _HEX.issuperset(value):
                raise ValueError(f"{field} of a tag must be {count} lower-case hex digits, not {value!r}")

    def __str__(self) -> str:
        return _text((self.commit, self.dirty, self.config))

    @classmethod
    @short_traceback
    def parse(cls, path: str | os.PathLike[str]) -> Self:
        """Read the tag back from the name of an artifact.

        The directory does not matter, and nothing needs to exist.

        Args:
            path: A tagged name, or any path that ends in one.

        Returns:
            The tag for which ``str(tag)`` stands in the name.

        Raises:
            TypeError: If it is no path.
            ValueError: If the name holds no tag.

        Example:
            >>> Tag.parse("figures/hist-8c1f0e92d4-5b7ad3f0c1e2.png").config
            '5b7ad3f0c1e2'
        """
        return cls(*_parsed(path)[1:4])


def split_name(name: str) -> tuple[str, str]:
    """Split a file name into the stem, which is never empty, and the suffix: both of them where two belong together."""
    dot = name.rfind(".")
    if dot <= 0:
        return name, ""
    before = name.rfind(".", 0, dot)
    if before > 0 and (name[dot:].lower() in _COMPRESSIONS or name[before:].lower() in _DOUBLE):
        dot = before
    return name[:dot], name[dot:]


def tagged_name(name: str, digits: Digits) -> str:
    """Put the digits of a tag into a file name.

    Raises:
        ArtifactNameError: If the tag could not be read back unambiguously.
    """
    stem, suffix = split_name(name)
    if digits[1] is None and stem.endswith("-dirty") and _MISLEADING_STEM.fullmatch(stem):
        raise ArtifactNameError(
            f"{name!r} cannot be tagged: behind a stem that ends in '-<{COMMIT_DIGITS} hex digits>-dirty' "
            "a clean tag would read as a dirty one; give the output another name"
        )
    return f"{stem}-{_text(digits)}{suffix}"


def untagged_name(path: str | os.PathLike[str]) -> str:
    """Take the tag out of a file name: the name that the user gave.

    Raises:
        ValueError: If the name holds no tag.
    """
    stem, *_, suffix = _parsed(path)
    return f"{stem}{suffix}"


def is_tagged(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file name holds a tag."""
    return _parse(_name(path)) is not None


def of_name(names: Iterable[str], untagged: str) -> Iterator[str]:
    """Choose the names that are *untagged* with any tag in them."""
    stem, suffix = split_name(untagged)
    stem += "-"
    for each in names:
        # One name among 100,000 others is told by two comparisons, without the regular expression.
        parts = _parse(each) if each.startswith(stem) and each.endswith(suffix) else None
        if parts is not None and parts[0] + parts[4] == untagged:
            yield each


def tag_digits(path: str | os.PathLike[str]) -> Digits:
    """Read the digits of the tag in a file name.

    Raises:
        ValueError: If the name holds no tag.
    """
    return _parsed(path)[1:4]


def has_digits(name: str, digits: Digits) -> bool:
    """Tell whether a file name, without a directory before it, holds the tag of these digits."""
    parts = _parse(name)
    return parts is not None and parts[1:4] == digits


def _text(digits: Digits) -> str:
    commit, dirty, config = digits
    return f"{commit}-{config}" if dirty is None else f"{commit}-dirty-{dirty}-{config}"


def _parsed(path: str | os.PathLike[str]) -> tuple[str, str, str | None, str, str]:
    name = _name(path)
    parts = _parse(name)
    if parts is None:
        raise ValueError(f"no tag in the name {name!r}: expected stem-commit-config or stem-commit-dirty-digest-config")
    return parts


def _name(path: str | os.PathLike[str]) -> str:
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else path
    if not isinstance(text, str):
        raise TypeError(f"a tagged path must be a str or a path, not {path!r}")
    return os.path.basename(text.rstrip("/" + os.sep))


def _parse(name: str) -> tuple[str, str, str | None, str, str] | None:
    """Take a file name apart: stem, digits of the tag, suffix; None if it holds no tag."""
    stem, suffix = split_name(name)
    start = len(stem) - _DIRTY_LENGTH
    if start > 0 and (match := _DIRTY_END.fullmatch(stem, start)):
        return stem[:start], match[1], match[2], match[3], suffix
    start = len(stem) - _CLEAN_LENGTH
    if start > 0 and (match := _CLEAN_END.fullmatch(stem, start)):
        return stem[:start], match[1], None, match[2], suffix
    return None
