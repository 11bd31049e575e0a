"""The index, entry by entry, and how git would store the files of a work tree.

Of the index: what libgit2's diffs pass over, stale times, and how to divide a comparison. Of a file: its mode, and the
object id of what git's filters make of it. Takes the objects of pygit2 and does not import it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from .._hashing import file_stamp
from .command import PATCH_BYTES, Candidates, file_mode, git, lfs_pointer, status_of
from .trees import LINK_MODE, SUBMODULE_MODE, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_IDENT = re.compile(rb"\$Id:[^$\n]*\$")
_SOURCE = re.compile(rb"[^/]\.py\Z")


class Told(NamedTuple):
    """What HEAD and the index alone tell.

    Attributes:
        stamp: What they were.
        staged: What differs between them, and what the index hides from status.
        others: The paths in the index that do not end in ``.py``, or have no other name; None where they are many.
        shares: How to divide the index among threads, once that is asked.
        is_settled: Whether the index was old enough, when it was asked, not to be written again with the same stamp.
    """

    stamp: tuple[object, ...]
    staged: Candidates
    others: tuple[str, ...] | None
    shares: list[list[bytes]] | None = None
    is_settled: bool = True  # what is kept for others is

    def to_text(self) -> str:
        """Write it in a form that `from_text` reads."""
        divided = None if self.shares is None else [[*map(os.fsdecode, share)] for share in self.shares]
        return json.dumps([self.stamp, [*map(sorted, self.staged)], self.others, divided])

    @property
    def is_small(self) -> bool:
        """Whether it is worth keeping for other processes."""
        units = sum(map(len, self.shares or ()))
        return self.others is not None and max(len(self.staged.paths), units) <= _MOST_OTHERS

    @classmethod
    def from_text(cls, text: str) -> Told:
        """Read what `to_text` has written."""
        stamp, staged, others, divided = json.loads(text)
        parts = divided and [[os.fsencode(name) for name in share] for share in divided]
        return cls(tuple(stamp), Candidates(*map(set, staged)), None if others is None else tuple(others), parts)


class Kept:
    """Keeps what HEAD and the index of one work tree told; by itself for this process alone."""

    told: Told | None = None

    def keep(self, told: Told) -> Told:
        """Keep it for later looks of this process and, if it can be relied on and is small, for others."""
        self.told = told
        if told.is_small and told.is_settled:
            self.write(told.to_text())
        return told

    def read(self) -> str | None:
        """Read what was written for other processes, if anything was."""
        return None

    def write(self, text: str) -> None:
        """Write a text for other processes instead of the one before."""


def stamp_of(path: str) -> tuple[int, ...]:
    """Stamp a file by what changes whenever git writes it; nothing where there is none, as no index at first."""
    try:
        return file_stamp(path)
    except OSError:
        return ()


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
        return Stored(mode, oid, _small_content(full, info.st_size, oid))
    return Stored(mode, _blob_id(data), data)


def _blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()  # noqa: S324 - git's own id


def _small_content(full: str, size: int, oid: str) -> bytes | None:
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
        return Stored(mode, oid, _small_content(os.path.join(root, path), size, oid))
    lacking = "failed" if shutil.which("git") else "is not installed"
    why = f"how git stores it, by {name!r}, needs the 'git' command, which {lacking}"
    return Stored(mode, str(opened.hashfile(os.fsencode(path), as_path="")), None, why)


_ASSUME_UNCHANGED = 0x8000  # in an entry's flags
_SKIP_WORKTREE, _INTENT_TO_ADD = 0x4000, 0x2000  # in its extended flags
SAMPLE = 64  # entries that are compared with their files, spread evenly
# So many of them with other times than their files are a copied or touched checkout; fewer, what an editor saved.
_STALE = 4
# Entries for which another thread is worth its start. Git takes 500 for its own (preload-index.c), which read no index.
_WORTH = 1000
_MOST_OTHERS = 2000  # to name so many takes as long as to compare as many thousand files


def hidden_entries(entries: Sequence[Any], read: Callable[[Any], bytes], *, is_sparse: bool) -> Candidates:
    """Find submodules and the paths that are hidden from status.

    Args:
        entries: The entries.
        read: Reads the path of an entry.
        is_sparse: Whether this is a sparse checkout; else nothing but a deletion explains that a file is not there.
    """
    found = Candidates(set(), set(), set())
    for entry in entries:
        hidden = entry.flags & _ASSUME_UNCHANGED or entry.flags_extended & (_SKIP_WORKTREE | _INTENT_TO_ADD)
        if hidden or entry.mode == SUBMODULE_MODE:
            path = os.fsdecode(read(entry.path))
            (found.submodules if entry.mode == SUBMODULE_MODE else found.paths).add(path)
            if is_sparse and entry.flags_extended & _SKIP_WORKTREE:
                found.sparse.add(path)
    return found


def other_paths(entries: Sequence[Any], read: Callable[[Any], bytes]) -> tuple[str, ...] | None:
    """List the paths that do not end in ``.py``, or have no other name; None where they are many."""
    found = [path for entry in entries if not _SOURCE.search(path := read(entry.path))]
    return tuple(map(os.fsdecode, found)) if len(found) <= _MOST_OTHERS else None


def is_stale(sample: Sequence[Any], read: Callable[[Any], bytes], root: str) -> bool:
    """Judge by a sample of the entries whether the index holds the times of other files than those at *root*."""
    files = [(entry, os.fsdecode(read(entry.path))) for entry in sample if entry.mode != SUBMODULE_MODE]
    old = sum(_is_old(entry, os.path.join(root, path)) for entry, path in files)
    return old >= min(_STALE, max(1, len(sample) // 2))


def _is_old(entry: Any, path: str) -> bool:
    info = status_of(path)
    # A file of another size was edited; refreshing the index would not help.
    return (
        info is not None
        and entry.file_size == info.st_size & 0xFFFFFFFF
        and (entry.mtime.seconds != int(info.st_mtime) or entry.ino not in (0, info.st_ino & 0xFFFFFFFF))
    )


def processors() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shares(paths: Sequence[bytes], most: int) -> list[list[bytes]]:
    """Divide the index into files and folders that several threads can compare, each about as many entries.

    Every entry lies in a share; in git's order, in only one.

    Args:
        paths: The paths of the entries.
        most: How many shares there may be.

    Returns:
        The shares; a single empty one, which stands for everything, where dividing is not worth it.
    """
    count = min(most, len(paths) // _WORTH)
    if count < 2:
        return [[]]
    most_of_one = len(paths) // count // 4  # so that what is left over for the last share is little
    pending, units = list(_below(b"", paths)), []
    while pending:
        name, members = pending.pop()
        if len(members) > most_of_one and name.endswith(b"/"):
            pending += _below(name, members)
        else:
            units.append((len(members), name.rstrip(b"/")))
    found: list[list[bytes]] = [[] for _ in range(count)]
    weights = [0] * count
    for weight, name in sorted(units, reverse=True):
        lightest = weights.index(min(weights))
        found[lightest].append(name)
        weights[lightest] += weight
    return found


def _below(folder: bytes, paths: Sequence[bytes]) -> Iterator[tuple[bytes, list[bytes]]]:
    """Group the paths in a folder by the file, or the folder with its slash, that each of them leads to there."""
    start = len(folder)
    for name, group in groupby(paths, lambda path: path[: path.find(b"/", start) + 1] or path):
        yield name, list(group)
