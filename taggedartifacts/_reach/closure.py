"""Follow the imports of files through a work tree. Pure: what there is, and what stands in it, is asked for."""

from __future__ import annotations

import posixpath
import sys
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from .places import SUFFIXES, forms_of_package
from .survey import Hidden

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .survey import Import, Imports


# Loaded before any file of a user, or compiled into every interpreter: no file can stand in for these.
_NEVER_A_FILE = frozenset(
    {
        *("__future__", "__main__", "sys", "builtins", "os", "io", "abc", "codecs", "stat", "time", "marshal", "errno"),
        *("itertools", "atexit", "faulthandler", "posix", "posixpath", "genericpath", "encodings", "_thread", "pwd"),
    }
)


class FileTree(Protocol):
    """What the walk asks. Paths are relative to the root of the work tree, with "/"; the root itself is ""."""

    def isfile(self, path: str) -> bool:
        """Say whether a path is a file, or a link that leads to one."""
        ...

    def isdir(self, path: str) -> bool:
        """Say whether a path is a folder, or a link that leads to one."""
        ...

    def follow(self, path: str) -> Sequence[str]:
        """List the links on the way of a path and the file that they lead to, of those in the work tree.

        Nothing if there is no link on the way.
        """
        ...

    def inside(self, absolute: str) -> str | None:
        """Write an absolute path relative to the root; None if it lies elsewhere."""
        ...

    def imports_of(self, path: str) -> Imports:
        """Read a Python file."""
        ...


class Closure(NamedTuple):
    """What the imports of some files reach in a work tree.

    Attributes:
        causes: The files (P), each with the file that imports it by the shortest way, or the link that leads to it;
            None for a file to start from. Nearest first.
        probes: Where an import was looked for (N), without suffix: ``lib/json`` for ``lib/json.py``,
            ``lib/json/__init__.py``, ``lib/json.so`` and the like; those of them that are files are in *causes*. One
            that ends with "/" is a folder that is not there: any module below it would be found.
        hides: Where one of the files hides what it uses, each with that file.
        strings: String literals of the files that could name a file.
        reads_source: Whether one of the files reads the text of source files.
    """

    causes: Mapping[str, str | None]
    probes: frozenset[str]
    hides: tuple[tuple[str, Hidden], ...]
    strings: frozenset[str]
    reads_source: bool

    @property
    def files(self) -> frozenset[str]:
        """The files, P."""
        return frozenset(self.causes)


def closure(tree: FileTree, starts: Iterable[str], path_roots: Iterable[str] = ()) -> Closure:
    """Find what the imports of some files reach in a work tree.

    An import is looked for in every folder that may be on ``sys.path``: those given, those that a file of the closure
    adds, and the folders above the importing file; wherever it is found, it counts.

    Args:
        tree: The work tree.
        starts: The files to start from.
        path_roots: The entries of ``sys.path`` that lie in the work tree.
    """
    walk = _Search(tree)
    for root in path_roots:
        walk.add_root(root, None)
    for start in starts:
        walk.start(start)
    walk.run()
    return Closure(
        causes=walk.causes,
        probes=frozenset(walk.probes),
        hides=tuple(walk.hides),
        strings=frozenset(walk.strings),
        reads_source=walk.reads_source,
    )


class _Name(NamedTuple):
    """An absolute import, apart from where it stands."""

    parts: tuple[str, ...]
    names: tuple[str, ...]
    is_use: bool


@dataclass(slots=True)
class _Search:
    tree: FileTree
    causes: dict[str, str | None] = field(default_factory=dict)
    probes: set[str] = field(default_factory=set)
    hides: list[tuple[str, Hidden]] = field(default_factory=list)
    strings: set[str] = field(default_factory=set)
    reads_source: bool = False
    _roots: dict[str, None] = field(default_factory=dict)
    _queue: deque[str] = field(default_factory=deque)
    _imported: dict[_Name, str] = field(default_factory=dict)
    _done: dict[str, set[_Name]] = field(default_factory=dict)
    _seen: dict[tuple[str, bool], set[Import]] = field(default_factory=dict)
    _absent: set[str] = field(default_factory=set)
    _looked: dict[str, tuple[bool, bool]] = field(default_factory=dict)
    _packages: dict[str, bool] = field(default_factory=dict)

    def run(self) -> None:
        while self._queue:
            self._visit(self._queue.popleft())

    def start(self, path: str) -> None:
        self._add(path, None)
        # Under which name it is imported cannot be told: every folder above may be a package that is run before it.
        for folder in _above(path):
            self._package(folder, path)

    def add_root(self, root: str, by: str | None) -> None:
        root = _normal(root)
        if root in self._roots:
            return
        self._roots[root] = None
        if root and self.tree.isfile(root):
            self._add(root, by)  # an archive of modules
        for name, importer in list(self._imported.items()):
            self._resolve(root, name, importer)

    def _add(self, path: str, by: str | None) -> None:
        if path in self.causes:
            return
        self.causes[path] = by
        self._queue.append(path)
        for target in self.tree.follow(path):
            if target not in self.causes:
                self.causes[target] = path
                self._queue.append(target)

    def _visit(self, path: str) -> None:
        is_start = self.causes[path] is None
        if not path.endswith(".py") and not (is_start and not path.endswith(SUFFIXES)):
            return
        if not self.tree.isfile(path):
            return
        read = self.tree.imports_of(path)
        self.hides.extend((path, each) for each in read.hides)
        self.strings.update(read.strings)
        self.reads_source |= read.reads_source
        above = _above(path)
        for base, added in read.folders:
            for root in self._places(base, added, above):
                self.add_root(root, path)
        self._follow(path, above, read.imports, is_use=False)
        self._follow(path, above, read.uses, is_use=True)

    def _follow(self, path: str, above: list[str], imports: Iterable[Import], *, is_use: bool) -> None:
        seen = self._seen.setdefault((above[0], is_use), set())
        for each in imports:
            # A module beside this one, which leads to the same, is often imported by its neighbours as well.
            if each in seen:
                continue
            seen.add(each)
            level, module, names = each
            name = _Name(tuple(module.split(".")) if module else (), names, is_use)
            if not level:
                if name.parts[0] not in _NEVER_A_FILE:
                    self._absolute(above, name, path)
            elif level <= len(above):  # else above the work tree
                self._relative(above[level - 1], name, path)

    def _places(self, base: str, path: str, above: list[str]) -> Iterator[str]:
        """Where a folder that a file adds to ``sys.path`` may lie in the work tree; see :func:`~.literals.place`."""
        if base == "":
            root = self.tree.inside(path)
            candidates = [root] if root is not None else []
        elif base == "file":
            candidates = [posixpath.join(above[0], path)]
        else:  # from where a script is run is not known: from one of the folders above it
            candidates = [posixpath.join(each, path) for each in above]
        for candidate in map(_normal, candidates):
            if not candidate.startswith("..") and (self.tree.isdir(candidate) or self.tree.isfile(candidate)):
                yield candidate

    def _absolute(self, above: list[str], name: _Name, by: str) -> None:
        if name not in self._imported:
            self._imported[name] = by
            for root in list(self._roots):
                self._resolve(root, name, by)
        for root in above:
            if root not in self._roots:
                self._resolve(root, name, by)

    def _resolve(self, root: str, name: _Name, by: str) -> None:
        if f"{root}/{name.parts[0]}" in self._absent:
            is_module_alone = len(name.parts) == 1 and not name.names
            if is_module_alone or name.is_use or name.parts[0] in sys.stdlib_module_names:
                return
        done = self._done.setdefault(root, set())
        if name not in done:
            done.add(name)
            self._find(root, name, by)

    def _relative(self, folder: str, name: _Name, by: str) -> None:
        has_code = self._package(folder, by)
        if name.parts:
            self._find(folder, name, by, may_be_standard=False)
        else:
            self._take(folder, name, by)
        if not has_code:  # a namespace: other roots may hold other parts of it
            for root in list(self._roots):
                if folder != root and _is_below(root, folder):
                    inner = tuple(folder[len(root) :].strip("/").split("/"))
                    self._absolute([], name._replace(parts=inner + name.parts), by)

    def _find(self, root: str, name: _Name, by: str, *, may_be_standard: bool = True) -> None:
        """Look for a module part by part, and for what is taken out of it."""
        stem = root
        for position, part in enumerate(name.parts):
            stem = f"{stem}/{part}" if stem else part
            found, is_folder = self._look(stem, by, is_probe=not name.is_use)
            if not is_folder:
                if not found and not name.is_use:
                    is_last = position == len(name.parts) - 1
                    if position == 0:
                        self._absent.add(f"{root}/{part}")
                    is_standard = position == 0 and may_be_standard and part in sys.stdlib_module_names
                    if not (is_last and not name.names) and not is_standard:
                        self.probes.add(f"{stem}/")  # a folder without code would do for what lies in it
                return
        self._take(stem, name, by)

    def _take(self, folder: str, name: _Name, by: str) -> None:
        """Look for what is taken out of a package, each of which may be a submodule."""
        for each in name.names:
            if each != "*":
                self._look(f"{folder}/{each}" if folder else each, by, is_probe=not name.is_use)
                continue
            for path in forms_of_package(folder):
                if path.endswith(".py") and self.tree.isfile(path):
                    for export in self.tree.imports_of(path).exports:
                        if export == "*":
                            self.hides.append((path, Hidden(1, "computes __all__, by which a star imports")))
                            continue
                        self._look(f"{folder}/{export}" if folder else export, by, is_probe=True)

    def _look(self, stem: str, by: str, *, is_probe: bool) -> tuple[bool, bool]:
        """Look for a module or package; tell whether it is there with code, and whether it is a folder."""
        if is_probe:
            self.probes.add(stem)
        known = self._looked.get(stem)
        if known is not None:
            return known
        found = False
        for suffix in SUFFIXES:
            if self.tree.isfile(stem + suffix):
                self._add(stem + suffix, by)
                found = True
        is_folder = self.tree.isdir(stem)
        if is_folder:
            has_code = self._package(stem, by)
            is_folder = has_code or not found  # a module goes before a folder without code
            found = has_code or found
        self._looked[stem] = found, is_folder
        return found, is_folder

    def _package(self, folder: str, by: str) -> bool:
        """Add the code that a package runs when it is imported."""
        if folder in self._packages:
            return self._packages[folder]
        self.probes.add(f"{folder}/__init__" if folder else "__init__")
        found = False
        for path in forms_of_package(folder):
            if self.tree.isfile(path):
                self._add(path, by)
                found = True
        self._packages[folder] = found
        return found


def _above(path: str) -> list[str]:
    """List the folders above a file, from its own to the root of the work tree."""
    found = []
    while path:
        path = path.rpartition("/")[0]
        found.append(path)
    return found


def _is_below(root: str, folder: str) -> bool:
    return not root or folder.startswith(f"{root}/")


def _normal(path: str) -> str:
    normal = posixpath.normpath(path)
    return "" if normal == "." else normal
