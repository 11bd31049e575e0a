"""The disk: what has reached it, by fsync, what moves on it, by rename, and small files, read whole."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from typing import TYPE_CHECKING

from .._errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable

# Where a directory cannot be opened for reading, or synced at all (CIFS, some FUSE file systems), its names are as
# safe as they can be. PostgreSQL's fsync_fname_ext lets the same pass.
_CANNOT_OPEN = frozenset({errno.EACCES, errno.EISDIR})
_CANNOT_SYNC = frozenset({errno.EBADF, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP})
# Windows flushes only what is open for writing, as its documentation of FlushFileBuffers says.
_TO_SYNC = os.O_RDWR if os.name == "nt" else os.O_RDONLY

# Windows replaces no file that is open: for an instant, a virus scanner may have it, or a call that reads a record.
_TRIES = 20 if os.name == "nt" else 1
_SECONDS_BETWEEN = 0.025

# For files that others could have put there: follow no link, and wait for no pipe. Windows has neither flag, but one
# without which os.read and os.write translate the ends of lines.
CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
# A name that is too long for the file system, or below a file, leads to nothing either.
_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})

# How often to look again when another host of a network file system replaces what is being looked at.
STARTS = 10


def refresh(directory: str) -> None:
    """Make a network file system show what other hosts have done in a directory, as far as it can be read.

    An NFS client remembers for up to a minute which names there were and what they stood for; opening the directory
    ends that.
    """
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        next(entries, None)


def read_whole(path: str, most: int) -> tuple[bytes, os.stat_result] | None:
    """Read a small file in the hidden directory, with what it was when it was read; None if there is none.

    Follows no symbolic link and opens nothing but a regular file, so that a hostile folder cannot make it block.

    Args:
        path: Where it lies.
        most: How many bytes it can have.

    Raises:
        RecordError: If it cannot be read, is something else, or has more bytes.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | CAREFULLY)
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        reason = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
        raise RecordError(f"{path} cannot be read: {reason}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise RecordError(f"{path} is not a regular file")
        if status.st_size > most:
            raise RecordError(f"{path} has {status.st_size} bytes, where at most {most} can be right")
        return os.read(descriptor, status.st_size), status
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)


def sync_file(path: str) -> None:
    """Make sure that the content of a file is on the disk.

    Raises:
        OSError: If it is not. Never to be retried: after a failed fsync the kernel may have dropped the data.
    """
    descriptor = os.open(path, _TO_SYNC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: str) -> None:
    """Make sure that the names in a directory are on the disk, where the file system can.

    Raises:
        OSError: If they are not.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        if error.errno in _CANNOT_OPEN:
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
    finally:
        os.close(descriptor)


def put(source: str, target: str) -> None:
    """Rename, in place of the file that stands at *target*.

    Raises:
        OSError: If it cannot be moved.
    """
    for _ in range(_TRIES - 1):
        with contextlib.suppress(PermissionError):
            os.replace(source, target)
            return
        if os.path.isdir(target):  # which no patience helps against
            break
        time.sleep(_SECONDS_BETWEEN)
    try:
        os.replace(source, target)
    except PermissionError as error:
        if _TRIES > 1:
            error.add_note("Windows replaces no file that a program has open: close it there, and call again")
        raise


def store(
    staging: str, path: str, content: bytes, *, readable: int = 0o666, first: Callable[[], None] | None = None
) -> None:
    """Store a small file, whole or not at all, in place of what stands there.

    Args:
        staging: A private directory on the same file system.
        path: Where it is to lie.
        content: What it is to hold.
        readable: The most that its mode may be.
        first: Brings to the disk what has to be there before it. Told only here, the disk has both to write at once.

    Raises:
        OSError: If it could not be stored; then what stood there stands there.
    """
    temporary = f"{staging}.{os.urandom(8).hex()}"  # beside it: in it is what a function wrote
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, readable)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if first is not None:
                _begin(descriptor)
                first()
            os.fsync(descriptor)
        put(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _begin(descriptor: int) -> None:
    """Let the system begin to write a file to the disk, where it can be told to; waits for nothing."""
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def move(source: str, target: str) -> None:
    """Rename, in place of what stands at *target*; also a directory that its maker made read-only.

    Such a one must be writable for the moment, because the entry ``..`` in it changes.

    Raises:
        OSError: If it cannot be moved.
    """
    try:
        put(source, target)
    except PermissionError:
        mode = os.lstat(source).st_mode
        if not stat.S_ISDIR(mode) or mode & stat.S_IWUSR:
            raise
        os.chmod(source, stat.S_IMODE(mode) | stat.S_IWUSR)
        moved = source
        try:
            put(source, target)
            moved = target
        finally:
            os.chmod(moved, stat.S_IMODE(mode))
