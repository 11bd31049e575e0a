"""The names that a module's file may have, and the modules that no file can stand in for."""

from __future__ import annotations

import posixpath
import sys
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES
from typing import TYPE_CHECKING

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
