"""Reuse: whether the artifact that stands at a path is the one that a call asks for. Takes no lock, runs nothing."""

from __future__ import annotations

import errno
import logging
import os
from typing import TYPE_CHECKING

from .._errors import ArtifactConflictError, ArtifactModifiedError
from .._text import minute
from .disk import STARTS
from .standing import Found, companion_owner, is_as_made, standing_record, stored_record

if TYPE_CHECKING:
    from .folder import Folder
    from .record import Identity, Record

_log = logging.getLogger("taggedartifacts")

# What reading gives when another process, or on NFS another host, replaces the artifact meanwhile: then look again.
_REPLACED = frozenset({errno.ENOENT, errno.ESTALE})


def find(
    folder: Folder, name: str, identity: Identity, *, directory: bool, position: int | None = None
) -> Found | None:
    """Find the artifact *name* if it is there and is what *identity* asks for.

    Args:
        folder: The output directory.
        name: The tagged file name.
        identity: What the artifact has to have been made by.
        directory: Whether the call promises a directory.
        position: Which of the call's outputs it is; None if that does not matter.

    Raises:
        ArtifactConflictError: If it was made by something else or as another output, or is a file where a directory is
            promised.
        ArtifactModifiedError: If it was changed since it was made.
        OSError: If it cannot be read.
    """
    starts = STARTS
    while True:
        try:
            return _find(folder, name, identity, directory=directory, position=position)
        except OSError as error:
            starts -= 1
            if error.errno not in _REPLACED or not starts:
                raise
            folder.look_closely()


def _find(folder: Folder, name: str, identity: Identity, *, directory: bool, position: int | None) -> Found | None:
    path = folder.artifact(name)
    record, before = _newest_record(folder, name), None
    while record is not None:
        try:
            _check_maker(path, record, identity, position)
            if directory or f"{name}/" in record.outputs:
                _check_kind(path, is_directory=record.kind == "directory", promised=directory)
        except ArtifactConflictError:
            if _is_left(path, record):
                raise
            return None
        try:
            standing = standing_record(path, record)
            if standing is None and record == before and record.replaced is not None and is_as_made(path, record):
                return None  # a replacement stopped between a companion and the artifact
        except FileNotFoundError:
            _check_link(path)
            # Nothing is there, or a companion is gone: what is left is not the whole artifact, but may hold an edit.
            if is_as_made(path, record):
                return None
            standing = None
        if standing is not None:
            return standing
        folder.look_closely()  # NFS shows an old record beside a new artifact until the times of attributes are over
        again = stored_record(folder, name)
        # Another process may replace record and artifact while we look: only the same at three looks is an edit.
        if again == record == before:
            beside = "".join(f" or {companion.path} beside it" for companion in record.companions)
            raise ArtifactModifiedError(
                f"{path}{beside} was changed after {record.function} made it on {minute(record.started)}; "
                "to keep the changed file, give it another name; "
                "to have the artifact back, delete the file or call the function's recompute"
            )
        record, before = again, record
    return _bare(folder, name, directory=directory)


def check_owner(folder: Folder, name: str, identity: Identity, position: int) -> None:
    """Check that a file which is to be replaced, changed or not, is nobody else's.

    Args:
        folder: The output directory.
        name: The tagged file name.
        identity: What makes its successor.
        position: Which of the call's outputs that is.

    Raises:
        ArtifactConflictError: If something else made it, or it belongs to the artifact beside which it was written.
    """
    record = stored_record(folder, name)
    if record is None:
        _check_no_companion(folder, name)
    elif _is_left(folder.artifact(name), record):
        _check_maker(folder.artifact(name), record, identity, position)


def find_any(folder: Folder, name: str) -> Found | None:
    """Find the artifact *name*, whatever it was made by; as `find`, for a function that only reads it."""
    record = _newest_record(folder, name)
    if record is None:
        return Found(None) if os.path.lexists(folder.artifact(name)) else None
    return find(folder, name, record.identity, directory=f"{name}/" in record.outputs)


def _newest_record(folder: Folder, name: str) -> Record | None:
    """Read the record of an artifact, which an NFS client may believe to have none although it is there itself."""
    record = stored_record(folder, name)
    if record is None and os.path.lexists(folder.artifact(name)):
        folder.look_closely()
        record = stored_record(folder, name)
    return record


def _is_left(path: str, record: Record) -> bool:
    """Tell whether anything of an artifact is there: what was deleted is in nobody's way."""
    beside = (os.path.join(os.path.dirname(path), companion.path) for companion in record.companions)
    return any(map(os.path.lexists, (path, *beside)))


def _check_maker(path: str, record: Record, identity: Identity, position: int | None) -> None:
    if record.identity != identity:
        raise _conflict(path, record, identity)
    made = [output and output.rstrip("/") for output in record.outputs]
    if position is not None and made[position : position + 1] != [record.artifact]:
        raise ArtifactConflictError(
            f"{path} was made by {record.function} as another of its outputs; give each output a name of its own"
        )


def _conflict(path: str, record: Record, identity: Identity) -> ArtifactConflictError:
    if record.function != identity.function:
        return ArtifactConflictError(
            f"{path} was made by {record.function} and is asked for by {identity.function}; "
            "give one of the two outputs another name"
        )
    return ArtifactConflictError(
        f"{path} was made from another code or configuration whose shortened hashes are the same "
        f"({record.commit}, {record.config_hash} against {identity.commit}, {identity.config_hash}); "
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


def _bare(folder: Folder, name: str, *, directory: bool) -> Found | None:
    path = folder.artifact(name)
    if not os.path.exists(path):
        _check_link(path)
        return None
    if directory:
        _check_kind(path, is_directory=os.path.isdir(path), promised=True)
    elif not os.path.isfile(path) and not os.path.isdir(path):
        raise ArtifactConflictError(
            f"{path} is neither a file nor a directory; remove it, or give this output another name"
        )
    if name not in os.listdir(folder.path):
        raise ArtifactConflictError(f"{path} has another name there, differing in case; give this output another name")
    _check_no_companion(folder, name)
    _log.info("%s has no record; it counts as it is", path)
    return Found(None)


def _check_no_companion(folder: Folder, name: str) -> None:
    owner = companion_owner(folder, name)
    if owner is not None:
        raise ArtifactConflictError(
            f"{folder.artifact(name)} was written beside {owner.artifact} by {owner.function}; "
            "give one of the two outputs another name"
        )
