"""What looks remember: what files import, on the disk and in this process, and the work tree as one look sees it.

All of it follows from content, so it never goes stale, but for what the index tells, which is kept with a stamp of the
index. Losing it costs time, and what is damaged is as good as lost.
Between processes it lies in the user's cache folder (``$XDG_CACHE_HOME/taggedartifacts``, else
``~/.cache/taggedartifacts``), one file for each work tree. Only a call that makes an artifact writes there.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING

from .. import _memory
from .._hashing import hexdigest
from .._reach import hiding
from .._reach.forks import looking
from .._reach.places import relative
from .._reach.survey import FORM, Imports
from . import kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# What is remembered holds for the rules by which it was found: a new library with others must not read it.
_FORM = f"3 {FORM} {hexdigest(repr((kinds.KINDS, kinds.NAMES, kinds.FOLDERS)).encode())}"
_MOST_BYTES = 2 << 20  # of one work tree, in memory and in its file: about 1,500 modules
_PARSED = 3  # how many times the bytes of its text the imports of a file take in memory
_SECTIONS = ("imports", "syntax", "commits", "links", "index")


class CodeMemory:
    """What is remembered of one work tree; one object for each in the process.

    Args:
        root: The root of the work tree.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._used: dict[str, _memory.Memory[str, str]] = {section: _memory.Memory() for section in _SECTIONS}
        self._kept: _memory.Memory[str, dict[str, str]] = _memory.Memory()
        self._read: _memory.Memory[str, Imports] = _memory.Memory()
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

    def told(self) -> str | None:
        """Tell what was kept of HEAD and the index."""
        return self._recall("index", "")

    def tell(self, text: str) -> None:
        """Keep what HEAD and the index tell, instead of what they told before."""
        self._note("index", "", text)

    def save(self) -> None:
        """Keep for other processes what is new, if the cache folder can be written."""
        folder = _folder()
        with looking:
            if not self._has_news or folder is None:
                return
            self._has_news = False
            sections = {
                section: {**(self._stored()[section] if self._bytes < _MOST_BYTES // 2 else {}), **used}
                for section, used in self._used.items()
            }
        text = _file_content(sections)
        if len(text) > _MOST_BYTES:
            text = _file_content(self._used)
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
        used = self._used[section]
        if (known := used.get(key)) is not None:
            return known
        known = self._stored()[section].get(key)
        if known is not None:
            used.put(key, known, len(key) + len(known))
        return known

    def _note(self, section: str, key: str, text: str) -> None:
        with looking:
            self._bytes += len(key) + len(text)
            if self._bytes > _MOST_BYTES:
                for used in self._used.values():
                    used.clear()
                self._read.clear()
                self._bytes = len(key) + len(text)
            self._used[section].put(key, text, len(key) + len(text))
            self._has_news = True

    def _stored(self) -> dict[str, dict[str, str]]:
        with looking:
            kept = {**self._kept}
            if len(kept) == len(_SECTIONS):
                return kept
            folder = _folder()
            stored = _stored_texts(self._file(folder)) if folder else _nothing()
            for section, known in stored.items():
                self._kept.put(section, known, sum(len(key) + len(text) for key, text in known.items()))
            return stored

    def _file(self, folder: str) -> str:
        return os.path.join(folder, f"{hexdigest(os.fsencode(self._root))}.json")


_memories: dict[str, CodeMemory] = {}


def memory(root: str) -> CodeMemory:
    """What is remembered of the work tree at *root*."""
    return _memories.get(root) or _memories.setdefault(root, CodeMemory(root))


def _folder() -> str | None:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "taggedartifacts") if os.path.isabs(base) else None


def _nothing() -> dict[str, dict[str, str]]:
    return {section: {} for section in _SECTIONS}


def _file_content(sections: Mapping[str, Mapping[str, str]]) -> bytes:
    """Write what is remembered behind a digest of it: one wrong letter could name a commit that is not there."""
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


TYPED = "<typed>"
"""Stands for code that is no file of the work tree, in its root: what it imports is followed, and it counts nowhere."""


class WorkTree:
    """The files of a work tree at one moment; asked twice, it answers the same.

    Args:
        root: Its root, absolute and real.
        memory: Remembers what files import.
        typed: What is imported by code that is no file of the work tree.
    """

    def __init__(self, root: str, memory: CodeMemory, typed: Imports | None = None) -> None:
        self._root = root
        self._prefix = root.rstrip(os.sep) + os.sep
        self._memory = memory
        self._typed = typed
        self._files: dict[str, bool] = {}
        self._links: dict[str, bool] = {}
        self._imports: dict[str, Imports] = {}

    def isfile(self, path: str) -> bool:
        """Say whether a path is a file, or a link that leads to one."""
        known = self._files.get(path)
        if known is None:
            known = path == TYPED or os.path.isfile(self._absolute(path))
            self._files[path] = known
        return known

    def isdir(self, path: str) -> bool:
        """Say whether a path is a folder, or a link that leads to one."""
        return os.path.isdir(self._absolute(path))

    def follow(self, path: str) -> Sequence[str]:
        """List the links on the way of a path and the file that they lead to, of those in the work tree."""
        links = [start for start in _starts(path) if self._is_link(start)]
        if not links:
            return ()
        target = self.inside(os.path.realpath(self._absolute(path)))
        return links if target is None else [*links, target]

    def inside(self, absolute: str) -> str | None:
        """Write an absolute path relative to the root; None if it lies elsewhere."""
        return relative(os.path.realpath(absolute), self._root)

    def imports_of(self, path: str) -> Imports:
        """Read a Python file."""
        if path == TYPED:
            return self._typed or Imports()
        if path not in self._imports:
            try:
                with open(self._absolute(path), "rb") as file:
                    self._imports[path] = self._memory.imports(file.read())
            except OSError:  # it was there a moment ago
                self._imports[path] = Imports()
        return self._imports[path]

    def _absolute(self, path: str) -> str:
        return self._prefix + path if path else self._root  # os.path.join takes four times as long, 500 times a look

    def _is_link(self, path: str) -> bool:
        known = self._links.get(path)
        if known is None:
            known = self._links[path] = os.path.islink(self._absolute(path))
        return known


def _starts(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]
