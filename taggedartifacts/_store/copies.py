"""Copies: which artifact a file or directory is a copy of, found by its content."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from .._errors import ArtifactConflictError, ArtifactNotFoundError, RecordError
from .condition import stored_record
from .content import describe
from .folder import HIDDEN, RECORD_SUFFIX, Folder
from .key import Target
from .manifest import with_manifest
from .table import byte_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .record import Record


class _Match(NamedTuple):
    """How well a record fits; the greatest is the best."""

    is_whole: bool  # and not one of the files that belong to an artifact
    is_there: bool
    started: str
    record: Record


def find_copied(copy: str, search: str) -> Record:
    """Find the record of the artifact of which *copy* is one; the last that was made, if several have that content.

    Compares sizes and digests with the records in *search* and below it; follows no symbolic link there.

    Raises:
        ArtifactNotFoundError: If there is none, or no such file or folder.
    """
    try:
        wanted = describe(os.path.realpath(copy))
    except FileNotFoundError as error:
        raise ArtifactNotFoundError(f"{copy} is not there, so its content cannot be looked for") from error
    if not os.path.isdir(search):
        raise ArtifactNotFoundError(f"search={search!r} is no folder; give one below which the artifacts lie")
    content = wanted.kind, wanted.size, wanted.digest
    found = max(
        (match for folder in _folders(search) for match in _matches(folder, content)),
        key=lambda match: match[:-1],
        default=None,
    )
    if found is None:
        raise ArtifactNotFoundError(
            f"no artifact that is recorded in {search} or below it has the content of {copy} "
            f"({byte_count(wanted.size)}): it was edited or saved anew since, or the artifact is elsewhere"
        )
    return found.record


def _folders(search: str) -> Iterator[Folder]:
    for path, directories, _ in os.walk(search):
        if HIDDEN in directories:
            yield Folder(os.path.abspath(path))
        directories[:] = sorted(each for each in directories if each not in (HIDDEN, ".git"))


def _matches(folder: Folder, content: tuple[str, int, str]) -> Iterator[_Match]:
    try:
        listed = os.listdir(folder.records)
    except OSError:
        return
    for entry in listed:
        name = entry.removesuffix(RECORD_SUFFIX)
        try:
            record = stored_record(Target(folder, name)) if name != entry else None
        except ArtifactConflictError:  # a record under another's name
            continue
        if record is None:
            continue
        is_whole = (record.kind, record.size, record.digest) == content
        with contextlib.suppress(RecordError):  # without its manifest, a directory is still found by what it is itself
            record = with_manifest(folder, record)
        parts = (*record.files, *record.companions)
        if is_whole or any((part.size, part.digest) == content[1:] for part in parts):
            yield _Match(is_whole, os.path.lexists(folder.artifact(name)), record.started, record)
