"""What stands in an output directory: the records that are stored there, and which of them describe what is there."""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING, NamedTuple

from .._errors import ArtifactConflictError, RecordError
from .._memory import Memory
from .._tag import Tag, is_tagged, split_name
from .content import describe, describe_file, same_digests, same_times, with_times
from .folder import RECORD_SUFFIX
from .record import Record, read_record

if TYPE_CHECKING:
    from .folder import Folder

_log = logging.getLogger("taggedartifacts")

_PARSED = 4  # how many times the bytes of its file a record takes in memory
# Records by path, each with the stat of its file: a repeated hit reads and parses it only if that stat has changed.
_memo: Memory[str, tuple[tuple[int, ...], Record]] = Memory()


class Found(NamedTuple):
    """An artifact that can be reused.

    Attributes:
        record: Its record, or None for a bare file.
        stale_times: Whether the record on the disk has other times, though the content agrees.
    """

    record: Record | None
    stale_times: bool = False


def stored_record(folder: Folder, name: str) -> Record | None:
    """Read the record of an artifact; a damaged one is reported in the log and treated as absent."""
    path = folder.record(name)
    try:
        status = os.lstat(path)
    except OSError:
        return None
    signature = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    known = _memo.get(path)
    if known is not None and known[0] == signature:
        return known[1]
    try:
        record = read_record(path)
    except RecordError as error:
        _log.warning("treated as absent: %s", error)
        return None
    if record is not None and record.artifact != name:  # a case-insensitive file system serves Name's record for name
        raise ArtifactConflictError(
            f"{folder.artifact(name)} is {record.artifact} to this file system, made by {record.function}; "
            "give one of them another name"
        )
    if record is not None and not (is_tagged(name) and Tag.parse(name) == record.identity.tag):
        _log.warning("treated as absent: %s", f"{path} contradicts the name of its artifact")
        return None
    if record is not None:
        _memo.put(path, (signature, record), _PARSED * status.st_size)
    return record


def standing_record(path: str, record: Record) -> Found | None:
    """Tell which record describes what stands at *path*: the record itself, or that of what it was to replace.

    Returns:
        The one that does, with the times of now, or None if the content is another.

    Raises:
        FileNotFoundError: If the artifact or a companion is gone.
    """
    candidates = [record] if record.replaced is None else [record, record.replaced]
    doubtful = []
    for candidate in candidates:
        same = same_times(path, candidate)
        if same:
            return Found(candidate)
        if same is None:
            doubtful.append(with_times(path, candidate))  # before the digest: a change during it shows next time
    return next((Found(candidate, stale_times=True) for candidate in doubtful if same_digests(path, candidate)), None)


def remember(folder: Folder, record: Record) -> None:
    """Remember, in this process only, a record whose times could not be refreshed on the disk."""
    path = folder.record(record.artifact)
    known = _memo.get(path)
    if known is not None and known[1].run == record.run:  # and not the successor that is taking its place just now
        _memo[path] = (known[0], record)


def companion_owner(folder: Folder, name: str) -> Record | None:
    """Find the record of the artifact beside which the file *name* was written, if there is one."""
    try:
        stored = os.listdir(folder.records)
    except OSError:
        return None
    for entry in stored:
        artifact = entry.removesuffix(RECORD_SUFFIX)
        if artifact not in (entry, name) and name.startswith(split_name(artifact)[0]):
            with contextlib.suppress(ArtifactConflictError):  # a record under another's name says nothing of *name*
                record = stored_record(folder, artifact)
                if record is not None and any(companion.path == name for companion in record.companions):
                    return record
    return None


def is_as_made(path: str, record: Record) -> bool:
    """Tell whether all that is left of an artifact is of its run, or of the run whose artifact it was to replace."""
    runs = (record,) if record.replaced is None else (record, record.replaced)
    folder = os.path.dirname(path)
    known = {(companion.path, companion.digest) for run in runs for companion in run.companions}
    for name in {name for name, _ in known}:
        with contextlib.suppress(FileNotFoundError):
            if (name, describe_file(os.path.join(folder, name), name).digest) not in known:
                return False
    return not os.path.exists(path) or describe(os.path.realpath(path)).digest in {run.digest for run in runs}
