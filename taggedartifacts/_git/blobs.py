"""How git would store the files of a work tree: their mode, and the object id of what its filters make of them.

Takes the repositories of pygit2 and does not import it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from typing import TYPE_CHECKING, Any

from .command import LINK_MODE, PATCH_BYTES, Stored, file_mode, git, lfs_pointer, status_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_IDENT = re.compile(rb"\$Id:[^$\n]*\$")


def stored(opened: Any, root: str, path: str, known: int | None) -> Stored | None:
    """Say how git would store what stands at a path in the work tree; None for no file.

    Args:
        opened: The repository.
        root: Root of its work tree.
        path: The path, relative to the root.
        known: Mode of the file in a commit, which stays where the file system cannot tell.
    """
    full = os.path.join(root, path)
    info = status_of(full)
    if info is None:
        return None
    trust_mode, trust_links = (is_on(opened, name, unset=True) for name in ("core.filemode", "core.symlinks"))
    mode = file_mode(info, known, trust_mode=trust_mode, trust_links=trust_links)
    if stat.S_ISLNK(info.st_mode):
        data = os.readlink(os.fsencode(full))
    elif not stat.S_ISREG(info.st_mode):
        return None
    elif (name := _filter(opened, path)) == "lfs":
        data = lfs_pointer(full)
    elif name is not None:
        return _filtered(opened, root, path, mode, name, info.st_size)
    else:
        # Not the filters of pygit2, which give what they make of a content up to its first zero byte (pygit2 1.21).
        oid = str(opened.hashfile(os.fsencode(path), as_path="" if mode == LINK_MODE else None))
        return Stored(mode, oid, _content(full, info.st_size, oid))
    return Stored(mode, _blob_id(data), data)


def _blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()  # noqa: S324 - git's own id


def _content(full: str, size: int, oid: str) -> bytes | None:
    """Read what git would store, unless it is large: of what its own filters may make of a file, what has the id."""
    if size > PATCH_BYTES:
        return None
    with open(full, "rb") as file:
        data = file.read()
    return next((content for content in _ways_to_store(data) if _blob_id(content) == oid), None)


def _ways_to_store(data: bytes) -> Iterator[bytes]:
    for content in (data, _IDENT.sub(b"$Id$", data)):
        yield content
        yield content.replace(b"\r\n", b"\n")


def _filter(opened: Any, path: str) -> str | None:
    """Name what decides how git stores the path, if that is beyond libgit2."""
    if isinstance(opened.get_attr(os.fsencode(path), "working-tree-encoding"), str):
        return "working-tree-encoding"
    name = opened.get_attr(os.fsencode(path), "filter")
    # As git does, which stores the file as it is when nothing says what the filter's name means.
    known = isinstance(name, str) and any(f"filter.{name}.{kind}" in opened.config for kind in ("clean", "process"))
    if name == "lfs" or known:
        return str(name)
    return "core.safecrlf" if _is_strict(opened) else None


def is_on(opened: Any, name: str, *, unset: bool = False) -> bool:
    """Say whether a setting is on in the repository; *unset* where nothing sets it."""
    return bool(opened.config.get_bool(name)) if name in opened.config else unset


def _is_strict(opened: Any) -> bool:
    """Say whether libgit2 refuses even to hash line ends that git would not give back; git hash-object does not."""
    name = "core.safecrlf"
    return name in opened.config and opened.config[name] != "warn" and is_on(opened, name)


def _filtered(opened: Any, root: str, path: str, mode: int, name: str, size: int) -> Stored:
    answer = git(root, "hash-object", "--", path)
    if answer is not None:
        oid = answer.decode().strip()
        return Stored(mode, oid, _content(os.path.join(root, path), size, oid))
    lacking = "failed" if shutil.which("git") else "is not installed"
    why = f"how git stores it, by {name!r}, needs the 'git' command, which {lacking}"
    return Stored(mode, str(opened.hashfile(os.fsencode(path), as_path="")), None, why)
