"""Publishing: from what a function wrote in staging to an artifact under its tagged name, all or nothing.

The order is what makes it safe. Files reach the disk before their names do; the record's name comes first, because
whoever sees an artifact must find its record; the artifact's own rename is the commit point. Power loss was replayed
write by write against this order: without the fsync of the file, artifacts of length zero were found, and without that
of the directory, acknowledged artifacts were missing.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import secrets
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ._content import describe_file, scan
from ._disk import move, put, sync_directory, sync_file
from ._errors import ArtifactConflictError, ArtifactNotWrittenError
from ._staging import aside, clean_up, make_staging
from ._tag import is_tagged, split_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._folder import Folder
    from ._record import FileEntry, Record

_log = logging.getLogger("taggedartifacts")

# What FAT and some FUSE file systems say to a hard link, and what Windows' "incorrect function" becomes.
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL})


@dataclass(frozen=True, slots=True)
class Staged:
    """One output of a run that is under way.

    Attributes:
        folder: The output directory.
        name: The tagged file name.
        staging: The private directory in which the function writes.
        directory: Whether the call promised a directory.
    """

    folder: Folder
    name: str
    staging: str
    directory: bool

    @property
    def path(self) -> str:
        """Where the function writes."""
        return os.path.join(self.staging, self.name)

    @property
    def final(self) -> str:
        """Where the artifact will stand."""
        return self.folder.artifact(self.name)


def check_written(staged: Staged) -> None:
    """Check that the function wrote what it promised.

    Raises:
        ArtifactNotWrittenError: If it did not; names what it wrote instead.
    """
    try:
        status = os.lstat(staged.path)
    except FileNotFoundError:
        instead = ", ".join(repr(name) for name in sorted(os.listdir(staged.staging))) or "nothing"
        raise ArtifactNotWrittenError(
            f"the function returned, but wrote {instead} where {staged.name!r} was promised (for {staged.final}); "
            "write to exactly the path that the function receives"
        ) from None
    if stat.S_ISLNK(status.st_mode):
        raise ArtifactNotWrittenError(f"the function made {staged.name} a symbolic link; write a real file there")
    if staged.directory and not stat.S_ISDIR(status.st_mode):
        raise ArtifactNotWrittenError(f"the function made {staged.name} a file; its path promises a directory")


def companions(staged: Staged) -> tuple[FileEntry, ...]:
    """List the files that were written beside the output with its stem."""
    names = (name for name in sorted(os.listdir(staged.staging)) if _is_companion(staged, name))
    return tuple(describe_file(os.path.join(staged.staging, name), name) for name in names)


@contextlib.contextmanager
def syncing(staged: Sequence[Staged]) -> Iterator[None]:
    """Bring all that was written in staging to the disk while the block reads it: each takes about as long.

    Raises:
        OSError: When the block is over, if it could not be brought there.
    """
    from concurrent.futures import ThreadPoolExecutor  # which filelock has imported

    with ThreadPoolExecutor(1) as pool:
        try:
            synced = [pool.submit(_sync, each) for each in staged]
        except RuntimeError:  # no thread is to be had: the limit is reached, or the interpreter ends
            synced = []
            for each in staged:
                _sync(each)
        yield
        for future in synced:
            future.result()


def _sync(staged: Staged) -> None:
    directories = {staged.staging}
    for relative, status in scan(staged.staging):
        path = os.path.join(staged.staging, relative)
        if stat.S_ISREG(status.st_mode):
            sync_file(path)
        while (path := os.path.dirname(path)) not in directories:
            directories.add(path)
    directories.remove(staged.staging)  # what lies in it leaves it; its new place is synced when it is there
    for directory in sorted(directories, reverse=True):
        sync_directory(directory)


def check_room(staged: Staged, predecessor: Record | None) -> None:
    """Check that what was written beside the output takes nothing's place but that of its predecessor's companions.

    Raises:
        ArtifactConflictError: If it would; names the file.
    """
    ours = _companion_names(predecessor) | {staged.name}
    for name in set(os.listdir(staged.staging)) - ours:
        path = staged.folder.artifact(name)
        if os.path.lexists(path) and (_is_companion(staged, name) or is_tagged(name) or os.path.isdir(path)):
            raise ArtifactConflictError(
                f"the function wrote {name!r} beside {staged.name}, but {path} is there already; "
                "write it under another name"
            )


def publish(
    staged: Staged, record: Record, predecessor: Record | None, patch: bytes | None, *, exclusive: bool
) -> bool:
    """Put the record and then the artifact under their final names.

    Args:
        staged: What was written, checked and synced.
        record: Its record, which must describe what it replaces too.
        predecessor: The record that stands there.
        patch: The content of the patch that the record names.
        exclusive: Publish only where nothing stands; for when no lock is held.

    Returns:
        False if *exclusive* and somebody else was first: then nothing was published.

    Raises:
        OSError: If it could not be published; then nothing new is visible.
    """
    if record.patch is not None and patch is not None:
        _store(staged.staging, os.path.join(staged.folder.patches, record.patch), patch)
        sync_directory(staged.folder.patches)
    ours = os.lstat(staged.path)
    if exclusive and not _link(staged.path, staged.final):
        return False
    try:
        _store(staged.staging, staged.folder.record(staged.name), record.to_json())
        sync_directory(staged.folder.records)
        _move_companions(staged)
    except BaseException:
        if exclusive:
            _take_back(staged, ours)
        raise
    if not exclusive:
        _replace(staged, staged.name)
    # Past the commit point: the artifact is there, and whatever fails now must not make it look lost.
    try:
        sync_directory(staged.folder.path)
        for gone in _companion_names(predecessor) - _companion_names(record):
            move(staged.folder.artifact(gone), os.path.join(staged.staging, gone))
    except OSError as error:
        _log.warning("%s is published, but may not survive a power failure: %s", staged.final, error)
    return True


def _companion_names(record: Record | None) -> set[str]:
    return set() if record is None else {companion.path for companion in record.companions}


def store_record(folder: Folder, record: Record) -> None:
    """Replace the record of an artifact atomically."""
    staging = make_staging(folder, record.artifact)
    try:
        _store(staging, folder.record(record.artifact), record.to_json())
    finally:
        clean_up(folder, staging)


def retag(staged: Staged, name: str) -> Staged:
    """Give what was written in staging another tagged name, companions included."""
    before, after = split_name(staged.name)[0], split_name(name)[0]
    for written in os.listdir(staged.staging):
        if written.startswith(before):
            os.rename(
                os.path.join(staged.staging, written),
                os.path.join(staged.staging, after + written.removeprefix(before)),
            )
    return replace(staged, name=name)


def _is_companion(staged: Staged, name: str) -> bool:
    return name != staged.name and name.startswith(split_name(staged.name)[0])


def _move_companions(staged: Staged) -> None:
    for name in sorted(os.listdir(staged.staging)):
        if name != staged.name:
            if not _is_companion(staged, name):
                _log.warning(
                    "%s was written beside %s without its stem; it is kept without a tag or a record. Make it a "
                    "keyword of its own, or begin its name with the stem of the path that the function receives",
                    name,
                    staged.name,
                )
            _replace(staged, name)


def _store(staging: str, path: str, content: bytes) -> None:
    temporary = os.path.join(staging, f".{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    put(temporary, path)


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
        # A directory cannot be replaced in one step: the old one steps aside; sweeping brings it back if we die here.
        place = os.path.join(aside(staged.staging), name)
        move(target, place)
        try:
            move(source, target)
        except BaseException:
            with contextlib.suppress(OSError):
                move(place, target)
            raise


def _take_back(staged: Staged, ours: os.stat_result) -> None:
    """Let an artifact vanish again that came first and lacks its companions, unless somebody has replaced it."""
    taken = os.path.join(staged.staging, f".{secrets.token_hex(8)}")
    try:
        os.rename(staged.final, taken)
        if not os.path.samestat(os.lstat(taken), ours):
            _link(taken, staged.final)
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
