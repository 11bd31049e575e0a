"""Publishing: from what a function wrote in staging to an artifact under its tagged name, all or nothing.

The order is what makes it safe. Files reach the disk before their names do; the record's name comes first, because
whoever sees an artifact must find its record; the artifact's own rename is the commit point. Power loss was replayed
write by write against this order: without the fsync of the file, artifacts of length zero were found, and without that
of the directory, acknowledged artifacts were missing.

The patch of what is not committed is stored once for all artifacts of one dirty state. It quotes files of the
work tree, and output directories are often shared. So it can be read only by who could read every file quoted.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import stat
from functools import partial
from typing import TYPE_CHECKING

from .condition import manifest_json, manifests_of
from .disk import move, store, sync_directory
from .staging import aside, clean_up, make_staging, unmark
from .written import companion_names, is_companion, sync_written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .folder import Folder
    from .record import Record
    from .written import Staged

_log = logging.getLogger("taggedartifacts")

# What FAT and some FUSE file systems say to a hard link, and what Windows' "incorrect function" becomes.
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL})


def publish(
    staged: Staged, record: Record, predecessor: Record | None, *, exclusive: bool, unsynced: bool = False
) -> bool:
    """Put the record and then the artifact under their final names.

    Args:
        staged: What was written, checked, and synced unless it is *unsynced*.
        record: Its record, which must describe what it replaces too.
        predecessor: The record that stands there.
        exclusive: Publish only where nothing stands; for when no lock is held.
        unsynced: What was written is not synced yet, and has to be, with its record; only where not *exclusive*.

    Returns:
        False if *exclusive* and somebody else was first: then nothing was published.

    Raises:
        OSError: If it could not be published; then nothing new is visible.
    """
    ours, moved = os.lstat(staged.path), list[str]()
    if exclusive and not _link(staged.path, staged.final):
        return False
    try:
        _forget(staged, predecessor, but=record)  # now, as nobody would know of it once the record is replaced
        first = partial(sync_written, staged) if unsynced else None
        store(staged.staging, staged.folder.record(staged.name), record.to_json(), first=first)
        sync_directory(staged.folder.records)
        if record.manifest is not None and record.files:  # after what names it, or a crash between would leave it over
            store(staged.staging, os.path.join(staged.folder.manifests, record.manifest), manifest_json(record.files))
            sync_directory(staged.folder.manifests)
        _move_companions(staged, moved)
        if not exclusive:
            _replace(staged, staged.name)
    except BaseException:
        if exclusive:
            _take_back(staged, ours)
        _bring_back(staged, moved)
        raise
    # Past the commit point: the artifact is there, and whatever fails now must not make it look lost.
    unmark(staged.staging)
    try:
        sync_directory(staged.folder.path)
        for gone in companion_names(predecessor) - companion_names(record):
            move(staged.folder.artifact(gone), os.path.join(staged.staging, gone))
        _forget(staged, record.replaced)
    except OSError as error:
        _log.warning("%s is published, but may not survive a power failure: %s", staged.final, error)
    return True


def _forget(staged: Staged, record: Record | None, but: Record | None = None) -> None:
    """Remove the manifests that a record names, but not those that another one names."""
    named, others = (set(manifests_of(staged.folder, staged.name, each)) for each in (record, but))
    for gone in named - others:
        with contextlib.suppress(OSError):
            os.unlink(gone)


def store_record(folder: Folder, record: Record) -> None:
    """Replace the record of an artifact atomically."""
    staging = make_staging(folder, record.artifact)
    try:
        store(staging, folder.record(record.artifact), record.to_json())
    finally:
        clean_up(folder, staging)


def _move_companions(staged: Staged, moved: list[str]) -> None:
    for name in sorted(os.listdir(staged.staging)):
        if name != staged.name:
            if not is_companion(staged, name):
                _log.warning(
                    "%s was written beside %s without its stem; it is kept without a tag or a record%s. Make it a "
                    "keyword of its own, or begin its name with the stem of the path that the function receives",
                    name,
                    staged.name,
                    ", in place of what stood there" if os.path.lexists(staged.folder.artifact(name)) else "",
                )
            _replace(staged, name)
            moved.append(name)


def _bring_back(staged: Staged, moved: list[str]) -> None:
    """Move what has gone before the artifact back to it in staging, so that all of it is kept together."""
    for name in moved:
        with contextlib.suppress(OSError):
            move(staged.folder.artifact(name), os.path.join(staged.staging, name))


def _replace(staged: Staged, name: str) -> None:
    """Move the artifact, or what was written beside it, to where it belongs, in place of what stands there."""
    source, target = os.path.join(staged.staging, name), staged.folder.artifact(name)
    try:
        move(source, target)
    except OSError as error:
        in_the_way = error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.EISDIR, errno.ENOTDIR)
        # Windows says EACCES where a directory stands, for a file too that another program has open.
        if not in_the_way and not (error.errno == errno.EACCES and os.path.isdir(target)):
            raise
        # A directory cannot be replaced in one step: the old one steps aside. Clearing the staging brings it back where
        # its successor does not come, be it that this fails or that we die here.
        move(target, os.path.join(aside(staged.staging), name))
        move(source, target)


def _take_back(staged: Staged, ours: os.stat_result) -> None:
    """Let an artifact vanish again that came first and lacks its companions, unless somebody has replaced it."""
    taken = os.path.join(staged.staging, f".{os.urandom(8).hex()}")
    try:
        os.rename(staged.final, taken)
        if not os.path.samestat(os.lstat(taken), ours):
            _link(taken, staged.final)
        elif os.path.lexists(staged.path):
            os.unlink(taken)
        else:
            os.rename(taken, staged.path)
    except OSError as error:
        _log.warning("%s is there without all that belongs to it; call recompute: %s", staged.final, error)


def _link(source: str, target: str) -> bool:
    """Give *source* the name *target* unless something has it; a directory is renamed, which is refused likewise."""
    try:
        if os.path.isdir(source):
            os.rename(source, target)
        else:
            os.link(source, target)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            # An NFS client that missed the answer asks again, and is told that the name is taken: by this very file.
            return os.path.exists(source) and os.path.samefile(source, target)
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(target):
            return False
        try:
            os.rename(source, target)  # no hard links here either: the last, narrow window
        except FileExistsError:  # which Windows sees to
            return False
    return True


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
    # Whoever is in the patch's group may be in the file's group, or be one of its others: both must be let through.
    members = bool(status.st_mode & group_bit) and (others or status.st_gid == group)
    return 0o600 | 0o060 * members | 0o006 * (others and members)
