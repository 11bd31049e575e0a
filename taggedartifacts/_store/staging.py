"""Staging: the private directory in which a function writes, its leftovers, and finished work that is kept.

A run has a claim on its staging directory, which shows that it goes on even where its lock's file was removed. A
cleaner that removes old files takes the file of a held lock, and the next call then locks a new one. So a run holds its
staging directory itself, by a lock of the kernel on the directory, which cannot be removed without the work in it.

A mark beside a staging directory says that its function has returned. Whoever clears that directory, the call itself or
the next holder of the lock when the process was killed, moves it to ``.taggedartifacts/kept`` instead of removing it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import socket
import stat
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .._tag import is_tagged
from .condition import scan
from .disk import CAREFULLY, move, sync_directory
from .folder import lock_key
from .lock import ArtifactLock

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .folder import Folder

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows, where what is open cannot be removed
    fcntl = None

# What a forked child has to give back: one for each output that this process is making.
_claims: set[Claim] = set()


class Claim:
    """A claim on one staging directory, which whoever makes it keeps in order to give it back."""

    def __init__(self) -> None:
        self._closing: Iterator[None] = iter(())

    def take(self, staging: str) -> None:
        """Claim a staging directory, as far as the file system can."""
        if fcntl is None:
            return
        with contextlib.suppress(OSError):
            descriptor = os.open(staging, os.O_RDONLY)
            self._closing = map(os.close, [descriptor])
            _claims.add(self)
            # Shared, because who asks whether there is a claim holds one of the other kind for an instant.
            fcntl.flock(descriptor, fcntl.LOCK_SH)

    def release(self) -> None:
        """Give it back; again and again does no harm."""
        # One step, which no interrupt divides: taken out of a variable first, a descriptor could be lost before it is
        # closed; closed first, it could be closed again when another thread has got its number.
        tuple(self._closing)
        _claims.discard(self)


def is_claimed(staging: str) -> bool:
    """Tell whether a process works in a staging directory, as far as the file system can tell."""
    if fcntl is None:
        return False
    try:
        descriptor = os.open(staging, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _drop() -> None:
    """Close the copies that a forked child has: it may live longer than the run, which goes on in its parent."""
    for each in tuple(_claims):
        with contextlib.suppress(OSError):
            each.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drop)


_log = logging.getLogger("taggedartifacts")

# A directory that makes room for its successor is moved to a place of this name, and back if the successor never comes.
_ASIDE = ".aside"
_FOREIGN_AGE = 3600.0  # seconds; a younger leftover of another artifact is left to that artifact's next call
_UNLOCKED_AGE = 7 * 86400.0  # seconds; without locks, nothing younger can be called dead


def make_staging(folder: Folder, name: str) -> str:
    """Make a private directory for one run that makes the artifact *name*."""
    while True:
        # Not tempfile.mkdtemp: it gives 0700, where other members of the group must be able to sweep up after a crash.
        path = os.path.join(folder.staging, f"{lock_key(name)}@{_host()}@{os.urandom(8).hex()}")
        with contextlib.suppress(FileExistsError):
            os.mkdir(path)
            return path


def aside(staging: str) -> str:
    """Make the place to which a directory that is being replaced is moved meanwhile."""
    path = staging + _ASIDE
    os.makedirs(path, exist_ok=True)
    return path


def clean_up(folder: Folder, staging: str) -> None:
    """Clear the staging directory of a run that is over, whichever way it ended; never fails."""
    if os.path.isdir(staging + _ASIDE):
        _clear(folder, staging + _ASIDE)
    _clear(folder, staging)


def _discard(path: str) -> None:
    """Remove a staging directory as far as it can be removed; what stays is left to the next holder of the lock."""
    shutil.rmtree(path, ignore_errors=True)
    if not os.path.lexists(path):
        return
    # A function may have made directories read-only. Nothing outside is touched: through no link, and not the
    # directory above, which others share.
    for above, names, _ in os.walk(path):
        for inner in (os.path.join(above, name) for name in names):
            if not os.path.islink(inner):
                with contextlib.suppress(OSError):
                    os.chmod(inner, 0o700)
    shutil.rmtree(path, ignore_errors=True)
    if os.path.lexists(path):
        _log.warning("%s is left over and cannot be removed", path)


def sweep(folder: Folder, name: str, *, locked: bool) -> None:
    """Clear what dead processes left behind. To be called by the holder of the lock of *name*.

    Whether a process lives is asked of its lock alone: process ids mean nothing in another container. Nor do locks from
    host to host where each mounts the file system with locks of its own (Lustre's localflock, NFS's local_lock), so
    what another host left must be old besides.

    Args:
        folder: The output directory.
        name: File name of the artifact whose lock is held.
        locked: Whether that lock is a real one.
    """
    for path, key in _staged_entries(folder):
        if path.endswith(COMPLETE):  # goes with its staging directory
            if key == lock_key(name) and not os.path.lexists(path.removesuffix(COMPLETE)):
                unmark(path.removesuffix(COMPLETE))
        elif key == lock_key(name):
            if path.endswith(_ASIDE) or _is_over(path, locked=locked):
                _clear(folder, path)
        elif _older(path, _FOREIGN_AGE if _is_ours(path) else _UNLOCKED_AGE):
            _clear_foreign(folder, path, key)


def is_worked_on(folder: Folder, name: str) -> bool:
    """Tell whether a run makes the artifact *name* although its lock was to be had: the lock's file was removed.

    Args:
        folder: The output directory.
        name: File name of the artifact whose lock is held.
    """
    return any(is_claimed(path) for path, key in _staged_entries(folder) if key == lock_key(name))


def is_busy(folder: Folder, name: str, *, locked: bool) -> bool:
    """Tell whether somebody may be making the artifact *name* although its lock was to be had: see `sweep`.

    Args:
        folder: The output directory.
        name: File name of the artifact whose lock is held.
        locked: Whether that lock is a real one.
    """
    own = (path for path, key in _staged_entries(folder) if key == lock_key(name))
    return any(is_claimed(path) or not _is_over(path, locked=locked) for path in own)


def leftovers(folder: Folder, names: Collection[str] | None = None) -> list[str]:
    """List the staging directories that dead processes left behind, as `sweep` judges them. Removes nothing.

    Args:
        folder: The output directory.
        names: File names of the artifacts to list them for; None for all.
    """
    try:
        entries = sorted(_staged_entries(folder))
    except OSError:
        return []
    keys = None if names is None else {lock_key(name) for name in names}
    wanted = ((path, key) for path, key in entries if not path.endswith(COMPLETE) and (keys is None or key in keys))
    return [path for path, key in wanted if _is_dead(folder, path, key) and os.path.lexists(path)]


def _staged_entries(folder: Folder) -> list[tuple[str, str]]:
    """List what is in staging: path, and the hash of the artifact's name."""
    return [(os.path.join(folder.staging, entry), entry.partition("@")[0]) for entry in os.listdir(folder.staging)]


def _is_ours(path: str) -> bool:
    """Tell whether a staging directory was made on this host."""
    return os.path.basename(path).split("@")[1:2] == [_host()]


def _is_over(path: str, *, locked: bool) -> bool:
    """Tell whether nobody works in a staging directory any more, now that its lock was to be had."""
    return (locked and _is_ours(path)) or _older(path, _UNLOCKED_AGE)


def _is_dead(folder: Folder, path: str, key: str) -> bool:
    lock_file = folder.lock_of(key)
    works = True
    try:
        # Where there is no lock's file nobody works: it is made before the staging directory. None is made for this.
        if os.path.lexists(lock_file):
            with ArtifactLock(lock_file) as lock:
                if not lock.try_acquire():
                    return False
                works = lock.works
    except OSError:
        return False  # not ours to judge
    return not is_claimed(path) and _is_over(path, locked=works)


def _clear_foreign(folder: Folder, path: str, key: str) -> None:
    with contextlib.suppress(OSError), ArtifactLock(folder.lock_of(key)) as lock:
        if lock.try_acquire() and lock.works and not is_claimed(path):
            _clear(folder, path)


def _clear(folder: Folder, path: str) -> None:
    if os.path.islink(path) or not os.path.isdir(path):
        with contextlib.suppress(OSError):
            os.unlink(path)
        return
    if path.endswith(_ASIDE) and not _restore(folder, path):
        return
    if os.path.lexists(path + COMPLETE) and keep(folder, path) is not None:
        return
    unmark(path)  # first: what is half removed is no finished work
    _discard(path)


def _restore(folder: Folder, place: str) -> bool:
    """Bring back what stepped aside for a successor that never came; tell whether nothing is left that is needed."""
    try:
        for name in os.listdir(place):
            restored = folder.artifact(name)
            if not os.path.lexists(restored):
                move(os.path.join(place, name), restored)
                _log.warning("%s was not replaced after all; it is back", restored)
    except OSError as error:
        _log.warning("%s holds what was to be replaced, and cannot be brought back: %s", place, error)
        return False
    return True


def _older(path: str, seconds: float) -> bool:
    """Tell whether the last write in a staging directory is longer ago than that, as far as its top level shows."""
    try:
        inside = [os.path.join(path, name) for name in os.listdir(path)] if os.path.isdir(path) else []
        return all(time.time() - os.lstat(each).st_mtime > seconds for each in [path, *inside])
    except OSError:
        return False


def _host() -> str:
    return socket.gethostname().replace(os.sep, "_").replace("@", "_")[:64]


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


def kept_work(folder: Folder, names: Collection[str] | None = None) -> list[str]:
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
    wanted = listed if names is None else [each for each in listed if _is_named_by(each, names)]
    return [os.path.join(folder.kept, each) for each in wanted]


def _is_named_by(entry: str, names: Collection[str]) -> bool:
    label = entry.rpartition("@")[0]
    return label in names or (len(os.fsencode(entry)) == _NAME_BYTES and any(each.startswith(label) for each in names))
