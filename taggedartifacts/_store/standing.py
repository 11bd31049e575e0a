"""The records that are stored in an output directory, read once as long as they stay."""

from __future__ import annotations

import contextlib
import logging
import os

from .._errors import ArtifactConflictError, RecordError
from .._tag import split_name
from .folder import RECORD_SUFFIX
from .record import Record, read_record
from .target import Target

_log = logging.getLogger("taggedartifacts")

_MEMO_BYTES = 16 << 20  # of the records' files; parsed, they take two to three times as much


class _Memo:
    """Records by path, each with the stat of its file: a repeated hit reads and parses it only if that has changed.

    Lives as long as the process. What would exceed `_MEMO_BYTES` makes it begin anew.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, ...], Record]] = {}
        self._bytes = 0

    def get(self, path: str, status: os.stat_result) -> Record | None:
        """The record that the file held when it had that stat."""
        known = self._known.get(path)
        return known[1] if known is not None and known[0] == _stamp(status) else None

    def put(self, path: str, status: os.stat_result, record: Record) -> None:
        """Remember what a file holds."""
        before = self._known.get(path)
        self._bytes += status.st_size - (before[0][0] if before else 0)
        if self._bytes > _MEMO_BYTES:
            self._known, self._bytes = {}, status.st_size
        self._known[path] = (_stamp(status), record)

    def put_instead(self, path: str, record: Record) -> None:
        """Remember a record in place of that of the same run, as if its file held it; not in place of a successor's."""
        known = self._known.get(path)
        if known is not None and known[1].run == record.run:
            self._known[path] = (known[0], record)


_memo = _Memo()


def stored_record(target: Target) -> Record | None:
    """Read the record of an artifact; a damaged one is reported in the log and treated as absent."""
    path, name = target.record_path, target.name
    try:
        status = os.lstat(path)
    except OSError:
        return None
    if (known := _memo.get(path, status)) is not None:
        return known
    try:
        record = read_record(path)
    except RecordError as error:
        _log.warning("treated as absent: %s", error)
        return None
    if record is not None and record.artifact != name:  # a case-insensitive file system serves Name's record for name
        raise ArtifactConflictError(
            f"{target.path} is {record.artifact} to this file system, made by {record.function}; "
            "give one of them another name"
        )
    if record is not None and not record.key.is_in(name):
        _log.warning("treated as absent: %s", f"{path} contradicts the name of its artifact")
        return None
    if record is not None:
        _memo.put(path, status, record)
    return record


def remember(target: Target, record: Record) -> None:
    """Remember, in this process only, a record whose times could not be refreshed on the disk."""
    _memo.put_instead(target.record_path, record)


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns


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
