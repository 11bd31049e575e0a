"""The records that are stored in an output directory, read once as long as they stay."""

from __future__ import annotations

import contextlib
import logging
import os

from .._errors import ArtifactConflictError, RecordError
from .._memory import Memory
from .._tag import split_name
from .folder import RECORD_SUFFIX
from .key import Target
from .record import Record, read_stamped

_log = logging.getLogger("taggedartifacts")

_PARSED = 4  # how many times the bytes of its file a record takes in memory
# Records by path, each with the stat of its file: a repeated hit reads and parses it only if that stat has changed.
_memo: Memory[str, tuple[tuple[int, ...], Record]] = Memory()


def stored_record(target: Target) -> Record | None:
    """Read the record of an artifact; a damaged one is reported in the log and treated as absent."""
    path, name = target.record_path, target.name
    if (known := _memo.get(path)) is not None:
        try:
            if known[0] == _signature(os.lstat(path)):
                return known[1]
        except OSError:
            return None
    try:
        found = read_stamped(path)
    except RecordError as error:
        if os.path.lexists(path):  # and in a folder that can be searched
            _log.warning("treated as absent: %s", error)
        return None
    if found is None:
        return None
    record, status = found
    if record.artifact != name:  # a case-insensitive file system serves Name's record for name
        raise ArtifactConflictError(
            f"{target.path} is {record.artifact} to this file system, made by {record.function}; "
            "give one of them another name"
        )
    if not record.key.is_in(name):
        _log.warning("treated as absent: %s", f"{path} contradicts the name of its artifact")
        return None
    _memo.put(path, (_signature(status), record), _PARSED * status.st_size)
    return record


def _signature(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def remember(target: Target, record: Record) -> None:
    """Remember, in this process only, a record whose times could not be refreshed on the disk."""
    path = target.record_path
    known = _memo.get(path)
    if known is not None and known[1].run == record.run:  # and not the successor that is taking its place just now
        _memo[path] = (known[0], record)


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
