"""The patch of what is not committed, stored once for all artifacts of one dirty state.

It quotes files of the work tree, and output directories are often shared. So it can be read only by who could read
every file that it quotes.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from .disk import store, sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .folder import Folder


def store_patch(folder: Folder, staging: str, name: str, content: bytes, quoted: Iterable[str]) -> None:
    """Store a patch.

    Args:
        folder: The output directory.
        staging: A private directory on the same file system.
        name: The file name of the patch.
        content: What it says.
        quoted: The files that it quotes, absolute; what is not there any more is quoted from the repository.

    Raises:
        OSError: If it cannot be stored.
    """
    group = os.stat(staging).st_gid
    store(staging, os.path.join(folder.patches, name), content, readable=_readable(quoted, group))
    sync_directory(folder.patches)


def _readable(quoted: Iterable[str], group: int) -> int:
    """Find who can read all files, as the bits of a mode: others, and the members of a group."""
    allowed = 0o664
    directories = set()
    for path in quoted:
        allowed &= _allowed(path, group, stat.S_IRGRP, stat.S_IROTH)
        while (path := os.path.dirname(path)) not in directories:
            directories.add(path)
    for directory in directories:
        allowed &= _allowed(directory, group, stat.S_IXGRP, stat.S_IXOTH)
    return allowed | 0o600


def _allowed(path: str, group: int, group_bit: int, others_bit: int) -> int:
    """Tell whom one file or directory lets through; what is no file leaves all."""
    try:
        status = os.stat(path)
    except OSError:
        return 0o666
    others = bool(status.st_mode & others_bit)
    # Others of whom one is in the group, or the group of which others are not: both must be let through.
    members = (
        bool(status.st_mode & group_bit) if status.st_gid == group else others and bool(status.st_mode & group_bit)
    )
    return 0o600 | 0o060 * members | 0o006 * (others and members)
