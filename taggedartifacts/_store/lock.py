"""The lock that keeps others from making the same artifact meanwhile.

It only prevents work from being done twice; that nothing half or wrong is ever published does not depend on it. So
where the file system has no locks, the work goes on without.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import logging
import os
import socket
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .._errors import ArtifactConflictError
from .._memory import is_news
from .disk import CAREFULLY

if TYPE_CHECKING:
    from filelock import BaseFileLock

_log = logging.getLogger("taggedartifacts")

_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP})
# NFS (nfs(5)) and Lustre; NFS v3 with nolock shows the first.
_LOCAL_LOCKS = frozenset({"local_lock=all", "local_lock=flock", "localflock"})
_MOUNTS = "/proc/self/mountinfo"

# Wait so many seconds between two looks: often enough to wake within 50 ms, rarely enough that a crowd of waiters
# leaves the processor to the holder. On two cores, the last of 64 woke 20 ms after the artifact had its name; with
# 5 ms, later, and at twice the cost.
INTERVAL = 0.02
# To look for the artifact costs a tenth of trying the lock, which only has to be tried in case its holder failed.
LOOKS = 5
SAY_AFTER = 1.0  # seconds of waiting, after which the log says for whom


def load() -> None:
    """Import what locks are made of, which takes 50 ms: only when something has to be made."""
    import filelock  # noqa: F401


class ArtifactLock:
    """The lock of one artifact, among threads, processes and hosts that share the file system.

    The kernel frees it when its process dies. The lock's file stays: two holders would be let in if it were removed.
    Whoever tries to take it gives it back, be it by ``with``: an interrupt may come between the two.

    Args:
        path: Where the lock's file lies, as from `Folder.lock`.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._held: BaseFileLock | None = None
        self.works = True  # False where the file system refuses locks, or keeps them from other hosts

    def __enter__(self) -> ArtifactLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def try_acquire(self) -> bool:
        """Take the lock if nobody has it; never waits.

        Raises:
            ArtifactConflictError: If something else stands in the place of the lock's file.
            OSError: If the lock's file cannot be opened.
        """
        self._check_place()
        from filelock import FileLock, Timeout

        # As open to others as the folder that it lies in: members of a group must be able to open it, whoever made it.
        mode = os.stat(os.path.dirname(self._path)).st_mode & 0o666
        # Ours to release before it is taken: an interrupt in the middle of filelock's own work can leave it locked.
        self._held = FileLock(self._path, mode=mode, thread_local=False, fallback_to_soft=False)
        try:
            self._held.acquire(blocking=False)
        except Timeout:
            self._held = None
            return False
        except OSError as error:
            self._held = None
            if error.errno not in _NO_LOCKS:
                raise
            if self._is_news():
                _log.warning(
                    "%s: the file system has no locks (%s); processes that make the same artifact at the same time "
                    "will each make it, and the first one's is kept",
                    os.path.dirname(self._path),
                    error.strerror,
                )
            return True
        self._sign()
        if (option := _local_locks(os.stat(self._path).st_dev)) and self._is_news():
            _log.warning(
                "%s: other hosts do not see the locks of this one (%s); hosts that make the same artifact at the same "
                "time will each make it, and the first one's is kept",
                os.path.dirname(self._path),
                option,
            )
        return True

    def _is_news(self) -> bool:
        """Note that the lock does not work, and tell whether that was not yet said of its folder."""
        self.works = False
        return is_news("lock", os.path.dirname(self._path))

    def _check_place(self) -> None:
        try:
            status = os.lstat(self._path)
        except FileNotFoundError:
            return
        if not stat.S_ISREG(status.st_mode):
            raise ArtifactConflictError(f"{self._path} is no lock of this library's making; remove it")

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._held is not None:
            try:
                self._held.release(force=True)
            finally:
                if self._held.is_locked:  # interrupted
                    self._held.release(force=True)
            self._held = None

    def holder(self) -> str:
        """Say who holds the lock, as far as can be known."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | CAREFULLY)
            try:
                signed = json.loads(os.read(descriptor, 1000))
            finally:
                os.close(descriptor)
            return f"process {int(signed['pid'])} on {str(signed['host'])[:100]} since {str(signed['since'])[:40]}"
        except (OSError, ValueError, TypeError, KeyError):
            return "another process"

    def _sign(self) -> None:
        """Write into the lock's file who holds it; for people only, so a full disk may prevent it."""
        since = datetime.now(UTC).isoformat(timespec="seconds")
        text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since}).encode()
        with contextlib.suppress(OSError):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_TRUNC | CAREFULLY)
            try:
                os.write(descriptor, text)
            finally:
                os.close(descriptor)


@functools.lru_cache(16)  # file systems, as long as the process lives; to read the table takes half as long as a lock
def _local_locks(device: int) -> str | None:
    """Find the option by which a file system was mounted with locks of its own on each host; None if there is none."""
    with contextlib.suppress(OSError), open(_MOUNTS, errors="surrogateescape") as mounts:  # Linux alone has it
        number = f"{os.major(device)}:{os.minor(device)}"
        for line in mounts:
            fields = line.split()
            if fields[2] == number:
                return next((option for option in fields[-1].split(",") if option in _LOCAL_LOCKS), None)
    return None
