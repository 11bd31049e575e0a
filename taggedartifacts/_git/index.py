"""The index, entry by entry: what libgit2's diffs pass over, stale times, and how to divide a comparison.

Takes the entries of libgit2 and does not import it.
"""

from __future__ import annotations

import os
from itertools import groupby
from typing import TYPE_CHECKING, Any

from .command import SUBMODULE_MODE, Candidates, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_ASSUME_UNCHANGED = 0x8000  # in an entry's flags
_SKIP_WORKTREE, _INTENT_TO_ADD = 0x4000, 0x2000  # in its extended flags
_SAMPLE = 64  # entries that are compared with their files, spread evenly
# So many of them with other times than their files are a copied or touched checkout; fewer, what an editor saved.
_STALE = 4
# Entries for which another thread is worth its start. Git takes 500 for its own (preload-index.c), which read no index.
_WORTH = 1000


def hidden_entries(entries: Sequence[Any], text: Callable[[Any], str], *, is_sparse: bool) -> Candidates:
    """Find submodules and the paths that are hidden from status.

    Args:
        entries: The entries.
        text: Reads the path of an entry.
        is_sparse: Whether this is a sparse checkout; else nothing but a deletion explains that a file is not there.
    """
    found = Candidates(set(), set(), set())
    for entry in entries:
        hidden = entry.flags & _ASSUME_UNCHANGED or entry.flags_extended & (_SKIP_WORKTREE | _INTENT_TO_ADD)
        if hidden or entry.mode == SUBMODULE_MODE:
            path = text(entry.path)
            (found.submodules if entry.mode == SUBMODULE_MODE else found.paths).add(path)
            if is_sparse and entry.flags_extended & _SKIP_WORKTREE:
                found.sparse.add(path)
    return found


def is_stale(entries: Sequence[Any], text: Callable[[Any], str], root: str) -> bool:
    """Judge by a sample of the entries whether the index holds the times of other files than those at *root*."""
    sample = entries[:: max(1, len(entries) // _SAMPLE)]
    old = sum(_is_old(entry, os.path.join(root, text(entry.path))) for entry in sample if entry.mode != SUBMODULE_MODE)
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
