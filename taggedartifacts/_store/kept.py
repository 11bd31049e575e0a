"""What is kept: the work of functions that returned, where publishing it was refused or failed. People alone remove it.

A mark beside a staging directory says that its function has returned. Whoever clears that directory, the call itself or
the next holder of the lock when the process was killed, moves it to ``.taggedartifacts/kept`` instead of removing it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .._tag import is_tagged
from .content import scan
from .disk import CAREFULLY, move, sync_directory

if TYPE_CHECKING:
    from collections.abc import Collection

    from .folder import Folder

_log = logging.getLogger("taggedartifacts")

COMPLETE = ".complete"
_NAME_BYTES = 255


def mark(staging: str) -> None:
    """Mark a staging directory as complete: its function has returned."""
    # An empty file, for which there is room on a full disk; where even that cannot be, the call itself still knows.
    with contextlib.suppress(OSError):
        os.close(os.open(staging + COMPLETE, os.O_WRONLY | os.O_CREAT | CAREFULLY, 0o666))


def unmark(staging: str) -> None:
    """Take the mark away: what was written is published, or is nothing that anybody needs."""
    with contextlib.suppress(OSError):
        os.unlink(staging + COMPLETE)


def is_marked(staging: str) -> bool:
    """Tell whether a staging directory holds finished work."""
    return os.path.lexists(staging + COMPLETE)


def keep(folder: Folder, staging: str, name: str | None = None) -> str | None:
    """Move what a function wrote from staging to where it is kept.

    Args:
        folder: The output directory.
        staging: The staging directory, of which the function has returned.
        name: File name of the artifact that it was to become; by default the first tagged name that is there.

    Returns:
        Where it is now: still in staging if it cannot be moved. None if there is nothing to keep.
    """
    try:
        if all(stat.S_ISDIR(status.st_mode) for _, status in scan(staging)):
            return None
        name = name or next(filter(is_tagged, sorted(os.listdir(staging))), os.path.basename(staging).split("@")[0])
        folder.make_kept()
        moment = datetime.now(UTC).strftime("@%Y%m%dT%H%M%S.%fZ")
        label = os.fsdecode(os.fsencode(name)[: _NAME_BYTES - len(moment)])
        place = os.path.join(folder.kept, label + moment)
        move(staging, place)
    except OSError as error:
        mark(staging)
        _log.warning("%s holds what a function wrote, and cannot be moved to %s: %s", staging, folder.kept, error)
        return staging
    unmark(staging)
    with contextlib.suppress(OSError):
        sync_directory(folder.kept)
    _log.warning("what a function wrote for %s could not be published; it is kept in %s", folder.artifact(name), place)
    return place


def kept(folder: Folder, names: Collection[str] | None = None) -> list[str]:
    """List what is kept.

    Args:
        folder: The output directory.
        names: File names of the artifacts to list it for; None for all.
    """
    try:
        listed = sorted(os.listdir(folder.kept))
    except OSError:
        return []
    # A long name is cut, so that what is listed begins it.
    wanted = listed if names is None else [each for each in listed if _name_of(each, names)]
    return [os.path.join(folder.kept, each) for each in wanted]


def _name_of(entry: str, names: Collection[str]) -> bool:
    label = entry.rpartition("@")[0]
    return label in names or (len(os.fsencode(entry)) == _NAME_BYTES and any(each.startswith(label) for each in names))
