"""Reuse: whether the artifact that stands at a path is the one that a call asks for. Takes no lock, runs nothing.

Most calls find a file that stands as its call made it, the only output of its run, with nothing beside it. That is told
at once, by `stands`: whoever asks knows what the record of such a file says, up to its size and times, and what decides
comes first in a record. So the bytes are compared, and that the record is as it was written is told by its checksum.
Nothing is parsed or used of what is read. Whatever is otherwise is left to `find`, which reads the record whole.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
from json.encoder import encode_basestring_ascii as quoted
from typing import TYPE_CHECKING, NamedTuple

from .._errors import ArtifactConflictError, ArtifactModifiedError, RecordError
from .condition import Condition, condition, is_gone
from .disk import STARTS, read_whole
from .origin import companion_owner, signature, stored_record
from .record import MAX_RECORD_BYTES, SCHEMA, sealed
from .table import minute

if TYPE_CHECKING:
    from .folder import Target
    from .key import Key
    from .origin import Memo
    from .record import Record

_log = logging.getLogger("taggedartifacts")

# What reading gives when another process, or on NFS another host, replaces the artifact meanwhile: then look again.
_REPLACED = frozenset({errno.ENOENT, errno.ESTALE})
_SEAL = len(sealed(b""))


def stands(target: Target, key: Key, memo: Memo) -> bool:
    """Tell at once whether such a file is there as *key* made it; False says nothing."""
    path, record_path = target.path, target.record_path
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            return False
        size, mtime_ns = status.st_size, status.st_mtime_ns
        if memo.stood is not None or memo.known is not None:
            now = signature(os.lstat(record_path))
            if memo.stood == (key, size, mtime_ns, now):
                return True
            if memo.known is not None and memo.known[:2] == (record_path, now):
                return False  # it had to be read whole before, and that is remembered
        found = read_whole(record_path, MAX_RECORD_BYTES)
    except (OSError, RecordError):
        return False
    if found is None:
        return False
    text, stamp = found
    if not text.startswith(_head(target.name, key, size, mtime_ns)) or text != sealed(text[:-_SEAL]):  # damaged
        return False
    memo.stood = key, size, mtime_ns, signature(stamp)
    memo.keep()
    return True


def _head(name: str, key: Key, size: int, mtime_ns: int) -> bytes:
    """Write how the record of such a file begins."""
    function, commit, dirty, config_hash, scope_digest, _ = key
    artifact = quoted(name)
    changes = "null" if dirty is None else f'"{dirty}"'
    scope = "null" if scope_digest is None else f'"{scope_digest}"'
    return (
        f'{{\n"schema": {SCHEMA},\n"artifact": {artifact},\n"kind": "file",\n"function": {quoted(function)},\n'
        f'"commit": "{commit}",\n"dirty": {changes},\n"config_hash": "{config_hash}",\n"scope_digest": {scope},\n'
        f'"outputs": [{artifact}],\n"companions": [],\n"undeclared": [],\n"size": {size},\n"mtime_ns": {mtime_ns},\n'
    ).encode()


class Found(NamedTuple):
    """An artifact that can be reused.

    Attributes:
        record: Its record, or None for a bare file.
        is_touched: Whether the record on the disk has other times, though the content agrees.
    """

    record: Record | None
    is_touched: bool = False


def find(
    target: Target, key: Key, *, directory: bool, position: int | None = None, memo: Memo | None = None
) -> Found | None:
    """Find an artifact if it is there and is what *key* asks for.

    Args:
        target: The artifact.
        key: What it has to have been made by.
        directory: Whether the call promises a directory.
        position: Which of the call's outputs it is; None if that does not matter.
        memo: What is remembered of it.

    Raises:
        ArtifactConflictError: If it was made by something else or as another output, or is a file where a directory is
            promised.
        ArtifactModifiedError: If it was changed since it was made.
        OSError: If it cannot be read.
    """
    starts = STARTS
    while True:
        try:
            return _find(target, key, memo, directory=directory, position=position)
        except OSError as error:
            starts -= 1
            if error.errno not in _REPLACED or not starts:
                raise
            target.folder.look_closely()


def _find(target: Target, key: Key, memo: Memo | None, *, directory: bool, position: int | None) -> Found | None:
    path, name = target.path, target.name
    record, before = _newest_record(target, memo), None
    while record is not None:
        try:
            _check_maker(path, record, key, position)
            if directory or f"{name}/" in record.outputs:
                _check_kind(path, is_directory=record.kind == "directory", promised=directory)
        except ArtifactConflictError:
            if is_gone(target, record):
                return None
            raise
        answer, judged_by = condition(target, record)
        if answer.is_good:
            return Found(judged_by, is_touched=answer is Condition.TOUCHED)
        _check_link(path)
        # Nothing is there, or what is left is not the whole artifact, but holds no edit either.
        if answer in (Condition.GONE, Condition.PARTIAL) or (answer is Condition.HALFWAY and record == before):
            return None
        # NFS shows an old record beside a new artifact until the times of attributes are over.
        target.folder.look_closely()
        again = stored_record(target, memo)
        # Another process may replace record and artifact while we look: only the same at three looks is an edit.
        if again == record == before:
            beside = "".join(f" or {companion.path} beside it" for companion in record.companions)
            raise ArtifactModifiedError(
                f"{path}{beside} was changed after {record.function} made it on {minute(record.started)}; "
                "to keep the changed file, give it another name; "
                "to have the artifact back, delete the file or call the function's recompute"
            )
        record, before = again, record
    return _bare(target, directory=directory)


def check_owner(target: Target, key: Key, position: int) -> None:
    """Check that a file which is to be replaced, changed or not, is nobody else's.

    Args:
        target: The file.
        key: What makes its successor.
        position: Which of the call's outputs that is.

    Raises:
        ArtifactConflictError: If something else made it, or it belongs to the artifact beside which it was written.
    """
    record = stored_record(target)
    if record is None:
        _check_no_companion(target)
    elif not is_gone(target, record):
        _check_maker(target.path, record, key, position)


def find_any(target: Target, memo: Memo | None = None) -> Found | None:
    """Find an artifact, whatever it was made by; as `find`, for a function that only reads it."""
    record = _newest_record(target, memo)
    if record is None:
        return Found(None) if os.path.lexists(target.path) else None
    return find(target, record.key, directory=f"{target.name}/" in record.outputs, memo=memo)


def _newest_record(target: Target, memo: Memo | None) -> Record | None:
    """Read the record of an artifact, which an NFS client may believe to have none although it is there itself."""
    record = stored_record(target, memo)
    if record is None and os.path.lexists(target.path):
        target.folder.look_closely()
        record = stored_record(target, memo)
    return record


def _check_maker(path: str, record: Record, key: Key, position: int | None) -> None:
    if not record.key.agrees(key):
        raise _conflict(path, record, key)
    if position is not None and _name_of(record.outputs, position) != record.artifact:
        raise ArtifactConflictError(
            f"{path} was made by {record.function} as another of its outputs; give each output a name of its own"
        )


def _name_of(outputs: tuple[str | None, ...], position: int) -> str | None:
    """The name of an output; a slash at its end says that a directory was promised."""
    output = outputs[position] if position < len(outputs) else None
    return output and output.rstrip("/")


def _conflict(path: str, record: Record, key: Key) -> ArtifactConflictError:
    if record.key[:4] == key[:4]:
        return ArtifactConflictError(
            f"{path} was made with another scope as the code: {record.scope_text}; now it is {key.scope_text}. "
            "Both have the same last commit, so their names are the same: remove that artifact, or give this output "
            "another name"
        )
    if record.function != key.function:
        return ArtifactConflictError(
            f"{path} was made by {record.function} and is asked for by {key.function}; "
            "give one of the two outputs another name"
        )
    return ArtifactConflictError(
        f"{path} was made from another code or configuration whose shortened hashes are the same "
        f"({record.commit}, {record.config_hash} against {key.commit}, {key.config_hash}); "
        "give this output another name"
    )


def _check_kind(path: str, *, is_directory: bool, promised: bool) -> None:
    if promised != is_directory:
        kinds = ("a file", "a directory")
        raise ArtifactConflictError(
            f"{path} is {kinds[is_directory]}, and {kinds[promised]} is to be made there; give one another name"
        )


def _check_link(path: str) -> None:
    """Refuse a link that leads nowhere: what it led to may be on a disk that is not there now."""
    if os.path.islink(path) and not os.path.exists(path):
        raise ArtifactConflictError(
            f"{path} is a link to {os.readlink(path)}, which is not there; bring that back, or remove the link to have "
            "the artifact made again"
        )


def _bare(target: Target, *, directory: bool) -> Found | None:
    path = target.path
    if not os.path.exists(path):
        _check_link(path)
        return None
    if directory:
        _check_kind(path, is_directory=os.path.isdir(path), promised=True)
    elif not os.path.isfile(path) and not os.path.isdir(path):
        raise ArtifactConflictError(
            f"{path} is neither a file nor a directory; remove it, or give this output another name"
        )
    if target.name not in os.listdir(target.folder.path):
        raise ArtifactConflictError(f"{path} has another name there, differing in case; give this output another name")
    _check_no_companion(target)
    _log.warning("%s has no record; it counts as it is", path)
    return Found(None)


def _check_no_companion(target: Target) -> None:
    owner = companion_owner(target)
    if owner is not None:
        raise ArtifactConflictError(
            f"{target.path} was written beside {owner.artifact} by {owner.function}; "
            "give one of the two outputs another name"
        )
