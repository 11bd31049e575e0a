"""The index of a repository, entry by entry: what libgit2's diffs pass over, and whether its times are out of date.

Takes the entries of libgit2 and does not import it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ._git_command import SUBMODULE_MODE, Candidates, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ASSUME_UNCHANGED = 0x8000  # in an entry's flags
_SKIP_WORKTREE, _INTENT_TO_ADD = 0x4000, 0x2000  # in its extended flags
_SAMPLE = 64  # entries that are compared with their files, spread evenly
# So many of them with other times than their files are a copied or touched checkout; fewer, what an editor saved.
_STALE = 4


def hidden_entries(entries: Sequence[Any], text: Callable[[Any], str]) -> Candidates:
    """Find submodules and the paths that are hidden from status.

    Args:
        entries: The entries.
        text: Reads the path of an entry.
    """
    found = Candidates(set(), set(), set())
    for entry in entries:
        hidden = entry.flags & _ASSUME_UNCHANGED or entry.flags_extended & (_SKIP_WORKTREE | _INTENT_TO_ADD)
        if hidden or entry.mode == SUBMODULE_MODE:
            path = text(entry.path)
            (found.submodules if entry.mode == SUBMODULE_MODE else found.paths).add(path)
            if entry.flags_extended & _SKIP_WORKTREE:
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
