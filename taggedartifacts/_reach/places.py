"""Places: where files lie, in a work tree or among installed packages, where links lead, and where imports look."""

from __future__ import annotations

import functools
import os
import posixpath
import sys
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_INSTALLED = frozenset({"site-packages", "dist-packages"})
_CASE_MAY_NOT_COUNT = sys.platform in ("darwin", "win32")

COMPILED = (*EXTENSION_SUFFIXES, *BYTECODE_SUFFIXES)
SUFFIXES = (".py", *COMPILED)
"""What the name of a module's file ends with in this Python: source, compiled extension, byte code without source."""


@functools.lru_cache(maxsize=4096)  # as long as the process lives: a link that is turned meanwhile is not followed
def _real_folder(folder: str) -> str:
    """Find where a folder really is; asked once for each."""
    return os.path.realpath(folder)


def folder_and_name(file: str) -> tuple[str, str]:
    """Split off the name of a file, and find where its folder really is."""
    # os.path.split takes a microsecond, for every module that is loaded; Windows knows two separators.
    folder, _, name = file.replace("/", os.sep).rpartition(os.sep)
    return _real_folder(folder or os.sep), name


def lies_below(root: str, folder: str) -> bool:
    """Say whether a folder is a root or lies below it."""
    above, below = root.rstrip(os.sep) + os.sep, f"{folder.rstrip(os.sep)}{os.sep}"
    return below.startswith(above) or (_CASE_MAY_NOT_COUNT and _is_one_folder(below[: len(above)], above))


def _is_one_folder(one: str, other: str) -> bool:
    """Tell whether two directories are one, of which the names differ in case; for systems whose realpath keeps it."""
    try:
        return one.casefold() == other.casefold() and os.path.samefile(one, other)
    except OSError:
        return False


def places(file: str, root: str) -> list[tuple[str, str]]:
    """Where a module's file lies in the work tree, as named, and what a link there points to.

    Each is relative to the root, as git writes paths, and absolute, as the system does.
    """
    real, name = folder_and_name(file)
    if not lies_below(root, real) or not os.path.isabs(file):
        return []
    prefix = root.rstrip(os.sep) + os.sep
    named = os.path.join(real, name)
    while not os.path.isfile(named):  # in a zip file: the archive is what git knows
        named = os.path.dirname(named)
        if len(named) <= len(root):
            return []
    links = [named]
    if os.path.islink(named):
        links.append(os.path.realpath(named))
    return [(place[len(prefix) :].replace(os.sep, "/"), place) for place in links if lies_below(root, place)]


def relative(absolute: str, root: str) -> str | None:
    """Write an absolute path relative to a root, as git does; None if it does not lie below."""
    if absolute == root:
        return ""
    prefix = root.rstrip(os.sep) + os.sep
    return absolute[len(prefix) :].replace(os.sep, "/") if absolute.startswith(prefix) else None


def is_installed(path: str, root: str) -> bool:
    """Say whether a path relative to the root lies in a virtual environment there, or among installed packages."""
    parts = path.split("/")[:-1]
    if _INSTALLED.intersection(parts):
        return True
    folders = ["/".join([root, *parts[: count + 1]]) for count in range(len(parts))]
    return any(os.path.exists(f"{folder}/pyvenv.cfg") or os.path.isdir(f"{folder}/conda-meta") for folder in folders)


def import_roots(root: str) -> tuple[str, ...]:
    """List the entries of ``sys.path`` that lie in a work tree, relative to its root, without installed packages."""
    found = (relative(os.path.realpath(entry or os.curdir), root) for entry in sys.path if isinstance(entry, str))
    inside = dict.fromkeys(path for path in found if path is not None)
    return tuple(path for path in inside if not is_installed(f"{path}/module", root))


def _stems(path: str) -> list[str]:
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
    found = _stems(path)
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
