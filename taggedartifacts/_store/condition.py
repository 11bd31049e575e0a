"""Artifacts as they stand: the records that are stored, and the condition: whether what stands there is as they say.

`condition` alone judges that. A call, `verify`, `compare`, `prune` and `explain` all ask here, and so agree.
"""

from __future__ import annotations

import contextlib
import logging
import os
from enum import Enum
from typing import TYPE_CHECKING

from .._errors import ArtifactConflictError, RecordError
from .._memory import is_news
from .._tag import split_name
from .content import describe, describe_file, same_digests, same_times, with_times
from .folder import RECORD_SUFFIX, Target
from .record import Record, read_stamped

if TYPE_CHECKING:
    from .._memory import Memory
    from .key import Key

_log = logging.getLogger("taggedartifacts")

_PARSED = 4  # how many times the bytes of its file a record takes in memory
_BESIDE = 1000  # bytes of what is remembered beside it


class Memo:
    """What repeated calls remember of an artifact: its record is read again only if that file has changed.

    Args:
        memory: Holds this, once there is something to remember.
        place: Where: what calls asked for, in whatever state the code was, and their output path.

    Attributes:
        known: The path of the record, the stat of its file, and the record; None before it is read.
        stood: What was found to stand there: its key, size and time, and the stat of the record that says so.
    """

    __slots__ = ("_memory", "_place", "known", "stood")

    def __init__(self, memory: Memory[tuple[bytes, str], Memo], place: tuple[bytes, str]) -> None:
        self._memory, self._place = memory, place
        self.known: tuple[str, tuple[int, ...], Record] | None = None
        self.stood: tuple[Key, int, int, tuple[int, ...]] | None = None

    def keep(self) -> None:
        """Have this found by the next call that asks the same."""
        size = _BESIDE if self.known is None else _BESIDE + _PARSED * self.known[1][1]
        self._memory.put(self._place, self, size)

    def renew(self, record: Record) -> None:
        """Remember, in this process only, a record whose times could not be refreshed on the disk."""
        known = self.known
        if known is not None and known[2].run == record.run:  # and not the successor that is taking its place just now
            self.known = (*known[:2], record)


def stored_record(target: Target, memo: Memo | None = None) -> Record | None:
    """Read the record of an artifact; a damaged one is reported in the log and treated as absent.

    Args:
        target: The artifact.
        memo: What is remembered of it.
    """
    path, name = target.record_path, target.name
    if memo is not None and (known := memo.known) is not None and known[0] == path:
        try:
            if known[1] == signature(os.lstat(path)):
                return known[2]
        except OSError:
            return None
    try:
        found = read_stamped(path)
    except RecordError as error:
        _report(path, str(error))
        return None
    if found is None:
        return None
    record, status = found
    if record.artifact != name:
        raise ArtifactConflictError(_of_another(target, record, status))
    if not record.key.is_in(name):
        _report(path, f"{path} contradicts the name of its artifact")
        return None
    if memo is not None:
        memo.known = path, signature(status), record
        memo.keep()
    return record


def _report(path: str, wrong: str) -> None:
    """Say of a record once what is wrong with it: a call looks at it up to four times."""
    with contextlib.suppress(OSError):  # it has gone, or lies in a folder that cannot be searched
        if is_news("record", path, str(signature(os.lstat(path)))):
            _log.warning("treated as absent: %s", wrong)


def _of_another(target: Target, record: Record, status: os.stat_result) -> str:
    """Say what is wrong where the record of another artifact stands."""
    with contextlib.suppress(OSError):
        if os.path.samestat(status, os.lstat(target.folder.record(record.artifact))):  # case does not count here
            return (
                f"{target.path} is {record.artifact} to this file system, made by {record.function}; "
                "give one of them another name"
            )
    return (
        f"{target.record_path} is the record of {record.artifact}, not of {target.name}; "
        f"remove it, and {target.name} too if that was copied with it"
    )


def signature(status: os.stat_result) -> tuple[int, ...]:
    """Take out of the stat of a file what changes when another takes its place, or it is written."""
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def companion_owner(target: Target) -> Record | None:
    """Find the record of the artifact beside which a file was written, if there is one."""
    folder, name = target
    try:
        stored = os.listdir(folder.records)
    except OSError:
        return None
    for entry in stored:
        artifact = entry.removesuffix(RECORD_SUFFIX)
        if artifact not in (entry, name) and name.startswith(split_name(artifact)[0]):
            with contextlib.suppress(ArtifactConflictError):  # a record under another's name says nothing of this one
                record = stored_record(Target(folder, artifact))
                if record is not None and any(companion.path == name for companion in record.companions):
                    return record
    return None


class Condition(Enum):
    """How an artifact stands to its record; what was written beside it is part of it."""

    WHOLE = "all is there, with the sizes and times of the record"
    TOUCHED = "all is there with the recorded content, and other times"
    PARTIAL = "something is gone, and what is left is as it was made"
    HALFWAY = "all is there, some of it of this run and some of the run whose artifact it was to replace"
    CHANGED = "something has another content than it was made with"
    GONE = "nothing is there"

    @property
    def is_good(self) -> bool:
        """Whether all of the artifact is there as it was made."""
        return self is Condition.WHOLE or self is Condition.TOUCHED


def condition(target: Target, record: Record, *, read: bool = False) -> tuple[Condition, Record]:
    """Judge what stands at a target by its record, or by that of what it was to replace, if that still stands.

    Sizes and times decide where all agree or a size differs, else the content; but not whether a bare file that was to
    be replaced still stands: nobody knows who made that, so the same content may be an edit.

    Args:
        target: The artifact.
        record: Its record.
        read: Believe no times, and read the content wherever the sizes agree.

    Returns:
        The condition, and the record that was judged by. When touched, that has the times of now.

    Raises:
        OSError: If something is there and cannot be read.
    """
    path = target.path
    runs = (record,) if record.replaced is None else (record, record.replaced)
    doubtful = []
    try:
        for run in runs:
            same = same_times(path, run)
            if same and not read:
                return Condition.WHOLE, run
            if same or (same is None and run.run):  # a bare file has no run
                doubtful.append(with_times(path, run))  # before the digest: a change during it shows next time
        for run in doubtful:
            if same_digests(path, run):
                return Condition.TOUCHED, run
    except FileNotFoundError:
        if is_gone(target, record):
            return Condition.GONE, record
        return Condition.PARTIAL if _is_left_as_made(path, runs) else Condition.CHANGED, record
    is_halfway = len(runs) > 1 and _is_left_as_made(path, runs)
    return Condition.HALFWAY if is_halfway else Condition.CHANGED, record


def is_gone(target: Target, record: Record) -> bool:
    """Tell whether nothing of an artifact is there, without looking closer."""
    beside = (target.folder.artifact(companion.path) for companion in record.companions)
    return not any(map(os.path.lexists, (target.path, *beside)))


def _is_left_as_made(path: str, runs: tuple[Record, ...]) -> bool:
    """Tell whether all that is left of an artifact is of one of these runs."""
    folder = os.path.dirname(path)
    known = {(companion.path, companion.digest) for run in runs for companion in run.companions}
    for name in {name for name, _ in known}:
        with contextlib.suppress(FileNotFoundError):
            if (name, describe_file(os.path.join(folder, name), name).digest) not in known:
                return False
    digests = {run.digest for run in runs if run.run}
    return not os.path.exists(path) or describe(os.path.realpath(path)).digest in digests
