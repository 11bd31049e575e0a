"""What has reached the disk: the fsync of files and of directories."""

from __future__ import annotations

import errno
import os

# Where a directory cannot be opened for reading, or synced at all (CIFS, some FUSE file systems), its names are as
# safe as they can be. PostgreSQL's fsync_fname_ext lets the same pass.
_CANNOT_OPEN = frozenset({errno.EACCES, errno.EISDIR})
_CANNOT_SYNC = frozenset({errno.EBADF, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP})


def sync_file(path: str) -> None:
    """Make sure that the content of a file is on the disk.

    Raises:
        OSError: If it is not. Never to be retried: after a failed fsync the kernel may have dropped the data.
    """
    descriptor = os.open(path, os.O_RDONLY)
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
