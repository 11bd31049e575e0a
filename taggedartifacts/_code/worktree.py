"""The work tree as the search for imports sees it: its files, its links, and what each file imports."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from .._reach.imports import Imports
from .._reach.modules import is_installed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .memory import CodeMemory

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


def relative(absolute: str, root: str) -> str | None:
    """Write an absolute path relative to a root, as git does; None if it does not lie below."""
    if absolute == root:
        return ""
    prefix = root.rstrip(os.sep) + os.sep
    return absolute[len(prefix) :].replace(os.sep, "/") if absolute.startswith(prefix) else None


def import_roots(root: str) -> tuple[str, ...]:
    """List the entries of ``sys.path`` that lie in a work tree, relative to its root, without installed packages."""
    found = (relative(os.path.realpath(entry or os.curdir), root) for entry in sys.path if isinstance(entry, str))
    inside = dict.fromkeys(path for path in found if path is not None)
    return tuple(path for path in inside if not is_installed(f"{path}/module", root))


def joined(parts: Sequence[Imports]) -> Imports:
    """Put together what several pieces of code import."""
    if len(parts) == 1:
        return parts[0]
    fields: Mapping[str, list[object]] = {name: [] for name in Imports._fields[:-1]}
    for part in parts:
        for name, found in fields.items():
            found.extend(getattr(part, name))
    return Imports(
        **{name: tuple(dict.fromkeys(found)) for name, found in fields.items()},  # type: ignore[arg-type]  # as read
        reads_source=any(part.reads_source for part in parts),
    )


def _starts(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]
