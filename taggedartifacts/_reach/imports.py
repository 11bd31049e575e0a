"""What one Python file imports, names and hides, and which files an import may find. Pure.

All that imports can reach follows from this. It depends on the text alone, not on where the file lies, so it is
remembered by the file's digest.
"""

from __future__ import annotations

import json
import posixpath
import sys
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

COMPILED = (*EXTENSION_SUFFIXES, *BYTECODE_SUFFIXES)
SUFFIXES = (".py", *COMPILED)
"""What the name of a module's file ends with in this Python: source, compiled extension, byte code without source."""

# Loaded before any file of a user, or compiled into every interpreter: no file can stand in for these.
NEVER_A_FILE = frozenset(
    {
        *("__future__", "__main__", "sys", "builtins", "os", "io", "abc", "codecs", "stat", "time", "marshal", "errno"),
        *("itertools", "atexit", "faulthandler", "posix", "posixpath", "genericpath", "encodings", "_thread", "pwd"),
    }
)


def stems(path: str) -> list[str]:
    """List the probes that would find a file at a path: ``lib/json`` and ``lib/json/__init__`` for the latter's."""
    for suffix in SUFFIXES:
        if path.endswith(suffix):
            stem = path[: -len(suffix)]
            return [stem, *([posixpath.dirname(stem)] if posixpath.basename(stem) == "__init__" else [])]
    return []


def is_probed(path: str, probes: Collection[str]) -> bool:
    """Say whether an import looked for a module at a path.

    Args:
        path: The path of a file.
        probes: Where it looked: without suffix, or a folder with "/" at its end for all modules below.
    """
    found = stems(path)
    if any(stem in probes for stem in found):
        return True
    while found and path:
        path = posixpath.dirname(path)
        if f"{path}/" in probes:
            return True
    return False


def probed(probes: Collection[str]) -> Iterator[str]:
    """Iterate over the paths at which an import looked for a module, and the folders: the last with "/" at the end."""
    for stem in probes:
        if stem.endswith("/"):
            yield stem
        else:
            yield from forms(stem)


def is_standard(name: str) -> bool:
    """Say whether a module of the standard library has this name."""
    return name in sys.stdlib_module_names


def forms(stem: str) -> Iterator[str]:
    """Iterate over the files that an import of a module may find, given the path without a suffix."""
    for suffix in SUFFIXES:
        yield stem + suffix
    if posixpath.basename(stem) != "__init__":
        yield from forms_of_package(stem)


def forms_of_package(folder: str) -> Iterator[str]:
    """Iterate over the files that hold the code of a package."""
    for suffix in SUFFIXES:
        yield f"{folder}/__init__{suffix}" if folder else f"__init__{suffix}"


FORM = f"2-{sys.version_info.major}.{sys.version_info.minor}"
"""Names what :meth:`Imports.to_text` writes: it changes with what is read, and with the syntax that Python knows."""


class Import(NamedTuple):
    """One import.

    Attributes:
        level: Number of leading dots; 0 for an absolute name.
        module: Dotted name of the module; empty for ``from . import x``.
        names: What is taken out of it, each perhaps a submodule; ``*`` for all.
    """

    level: int
    module: str
    names: tuple[str, ...]


class Hidden(NamedTuple):
    """A place where a file hides what it uses.

    Attributes:
        line: Number of the line.
        reason: What stands there: ``imports subprocess``, ``uses eval``.
    """

    line: int
    reason: str


class Imports(NamedTuple):
    """What one file imports, names and hides.

    Attributes:
        imports: All imports, in the order of their lines, wherever they stand; also those by a literal name
            (``import_module("x")``).
        uses: Attributes of imported modules that are named, as imports: ``pkg.sub.f`` may lead to a module ``pkg.sub``
            that another file imported.
        exports: What ``__all__`` lists: a star may import modules of these names; ``*`` if more is computed.
        folders: What the file adds to ``sys.path``, as :func:`~.literals.place` gives it.
        hides: Where the file hides what it uses; then what it reaches cannot be told.
        strings: String literals that could name a file.
        reads_source: Whether it reads the text of source files (``inspect.getsource``), so that comments count.
    """

    imports: tuple[Import, ...] = ()
    uses: tuple[Import, ...] = ()
    exports: tuple[str, ...] = ()
    folders: tuple[tuple[str, str], ...] = ()
    hides: tuple[Hidden, ...] = ()
    strings: tuple[str, ...] = ()
    reads_source: bool = False

    def to_text(self) -> str:
        """Write it as JSON in ASCII, to be read by :meth:`from_text` where :data:`FORM` is the same."""
        return json.dumps(self, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Imports:
        """Read what :meth:`to_text` wrote."""
        imports, uses, exports, folders, hides, strings, reads_source = json.loads(text)
        return cls(
            tuple([Import(level, module, tuple(names)) for level, module, names in imports]),
            tuple([Import(level, module, tuple(names)) for level, module, names in uses]),
            tuple(exports),
            tuple([(base, path) for base, path in folders]),
            tuple([Hidden(*each) for each in hides]),
            tuple(strings),
            reads_source,
        )
