"""What looks remember: what files import, and what git said of commits and trees, in this process and on the disk.

All of it follows from content, so it never goes stale, but for what the index tells, which is kept with a stamp of the
index. Losing it costs time, and what is damaged is as good as lost.
Between processes it lies in the user's cache folder (``$XDG_CACHE_HOME/taggedartifacts``, else
``~/.cache/taggedartifacts``), one file for each work tree. Only a call that makes an artifact writes there.
"""

from __future__ import annotations

import contextlib
import json
import os
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from .._git.index import Kept
from .._hashing import hexdigest
from .._memory import Memory
from .._reach import hiding
from .._reach.forks import looking
from .._reach.survey import FORM, Imports
from . import kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# What is remembered holds for the rules by which it was found: a new library with others must not read it.
_FORM = f"3 {FORM} {hexdigest(repr((kinds.KINDS, kinds.NAMES, kinds.FOLDERS)).encode())}"
_MOST_BYTES = 2 << 20  # of one work tree, in memory and in its file: about 1,500 modules
_PARSED = 3  # how many times the bytes of its text the imports of a file take in memory
_SECTIONS = ("imports", "syntax", "commits", "links", "index")


class Tracked(NamedTuple):
    """What an index lists, remembered as long as git does not write another.

    Attributes:
        file: The file of the index.
        stamp: What that was stamped with.
        paths: The tracked paths.
        unseen: Those of them that libraries open unseen.
    """

    file: str
    stamp: tuple[int, ...]
    paths: frozenset[str]
    unseen: frozenset[str]


class CodeMemory(Kept):
    """What is remembered of one work tree; one object for each in the process.

    Attributes:
        tracked: What the index lists, by the root.

    Args:
        root: The root of the work tree.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._used: Memory[tuple[str, str], str] = Memory()  # by section and key
        self._kept: Memory[str, dict[str, dict[str, str]]] = Memory()  # by the root, its one key: what the file holds
        self._read: Memory[str, Imports] = Memory()
        self.tracked: Memory[str, Tracked] = Memory()
        self._bytes = 0
        self._has_news = False

    def imports(self, content: bytes) -> Imports:
        """Tell what a Python file imports, of which this is the content."""
        key = hexdigest(content)
        if (known := self._read.get(key)) is not None:
            return known
        if (text := self._recall("imports", key)) is not None:
            with contextlib.suppress(ValueError, TypeError):  # of another form, or damaged
                return self._parsed(key, Imports.from_text(text), text)
        found = hiding.read(content)
        self._note("imports", key, text := found.to_text())
        return self._parsed(key, found, text)

    def _parsed(self, key: str, found: Imports, text: str) -> Imports:
        self._read.put(key, found, len(key) + _PARSED * len(text))
        return found

    def syntax(self, oid: str, digest: Callable[[], str]) -> str:
        """Tell the digest of a blob's syntax tree; *digest* computes it where it is not known."""
        return self._remembered("syntax", oid, digest)

    def links(self, tree: str, search: Callable[[], list[str]]) -> list[str]:
        """Tell the links in a tree of git's; *search* finds them where they are not known."""
        text = self._remembered("links", tree, lambda: "\0".join(search()))
        return text.split("\0") if text else []

    def commit(self, key: str, search: Callable[[], str]) -> str:
        """Tell the commit that was found for a key; *search* finds it where it is not known."""
        return self._remembered("commits", key, search)

    def read(self) -> str | None:
        """Read what HEAD and the index told."""
        return self._recall("index", "")

    def write(self, text: str) -> None:
        """Write what HEAD and the index tell, instead of what they told before."""
        self._note("index", "", text)

    def save(self) -> None:
        """Keep for other processes what is new, if the cache folder can be written."""
        folder = _folder()
        with looking:
            if not self._has_news or folder is None:
                return
            self._has_news = False
            kept = self._stored() if self._bytes < _MOST_BYTES // 2 else _nothing()
            used = self._used.copy()
        text = _file_content(kept, used)
        if len(text) > _MOST_BYTES:
            text = _file_content(_nothing(), used)
        temporary = os.path.join(folder, f".{os.urandom(8).hex()}")
        with contextlib.suppress(OSError):
            os.makedirs(folder, mode=0o700, exist_ok=True)
            try:
                with open(temporary, "wb") as file:
                    file.write(text)
                os.replace(temporary, self._file(folder))
            except OSError:
                os.unlink(temporary)

    def _remembered(self, section: str, key: str, find: Callable[[], str]) -> str:
        known = self._recall(section, key)
        if known is None:
            known = find()
            self._note(section, key, known)
        return known

    def _recall(self, section: str, key: str) -> str | None:
        known = self._used.get((section, key))
        if known is None and (known := self._stored()[section].get(key)) is not None:
            self._used.put((section, key), known, len(key) + len(known))
        return known

    def _note(self, section: str, key: str, text: str) -> None:
        with looking:
            self._bytes += len(key) + len(text)
            if self._bytes > _MOST_BYTES:
                self._used.clear()
                self._read.clear()
                self._bytes = len(key) + len(text)
            self._used.put((section, key), text, len(key) + len(text))
            self._has_news = True

    def _stored(self) -> dict[str, dict[str, str]]:
        with looking:
            stored = self._kept.get(self._root)
            if stored is None:
                folder = _folder()
                stored = _stored_texts(self._file(folder)) if folder else _nothing()
                size = sum(len(key) + len(text) for known in stored.values() for key, text in known.items())
                self._kept.put(self._root, stored, size)
            return stored

    def _file(self, folder: str) -> str:
        return os.path.join(folder, f"{hexdigest(os.fsencode(self._root))}.json")


@lru_cache(maxsize=64)  # work trees, submodules included; as long as the process lives, or until there are more
def memory(root: str) -> CodeMemory:
    """What is remembered of the work tree at *root*."""
    return CodeMemory(root)


def _folder() -> str | None:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "taggedartifacts") if os.path.isabs(base) else None


def _nothing() -> dict[str, dict[str, str]]:
    return {section: {} for section in _SECTIONS}


def _file_content(kept: Mapping[str, Mapping[str, str]], used: Mapping[tuple[str, str], str]) -> bytes:
    """Write what is remembered behind a digest of it: one wrong letter could name a commit that is not there."""
    sections = {section: {**kept[section]} for section in _SECTIONS}
    for (section, key), remembered in used.items():
        sections[section][key] = remembered
    text = json.dumps(sections).encode()
    return f"{_FORM} {hexdigest(text)}\n".encode() + text


def _stored_texts(file: str) -> dict[str, dict[str, str]]:
    try:
        if os.path.getsize(file) > 2 * _MOST_BYTES:
            return _nothing()
        with open(file, "rb") as opened:
            head, _, text = opened.read().partition(b"\n")
    except OSError:
        return _nothing()
    if head != f"{_FORM} {hexdigest(text)}".encode():
        return _nothing()
    known: dict[str, dict[str, str]] = json.loads(text)
    return known
