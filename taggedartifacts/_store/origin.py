"""Origin: to which artifact a path belongs, or of which it is a copy, and the record of that artifact."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from .._errors import ArtifactConflictError, ArtifactNotFoundError, RecordError
from .._tag import is_tagged, of_name
from .condition import companion_owner, condition, stored_record
from .content import describe, with_manifest
from .folder import HIDDEN, RECORD_SUFFIX, Folder, Target
from .record import Record, read_record
from .table import byte_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._tag import Tag


def record(path: str | os.PathLike[str], *, search: str | os.PathLike[str] | None = None) -> Record:
    """Read where an artifact comes from.

    Runs nothing, takes no lock, and needs no repository.

    Args:
        path: An artifact, a file inside a directory artifact, or a companion; also a symbolic link to one of them.
            With `search`, a copy of one, under any name and wherever it lies.
        search: A folder: the artifact is found by the content of *path* among those that are recorded in this folder
            and below it. If several have that content, the last that was made.

    Returns:
        What was recorded when it was made, even if the artifact itself was changed or removed since.

    Raises:
        ArtifactNotFoundError: If it has no record; tells what its name alone says. If `search` holds no artifact of
            that content.
        RecordError: If its record is damaged, or was written by a newer version of the library.

    Example:
        >>> record(save("Ada", "output/name.txt")).canonical
        '{"arguments":{"text":"Ada"},"config":{}}'
    """
    if search is not None:
        return find_copied(os.fspath(path), os.fspath(search))
    target = find_target(path)
    found = record_of(target)
    if found is None:
        there = "has no record" if os.path.lexists(target.path) else "is not there and has no record"
        raise ArtifactNotFoundError(
            f"{target.path} {there}; its name alone says: {said_by(target.tag)}. "
            f"If it is a copy, copy its record along, to {target.record_path}, or name the folder where it was made "
            "in record(path, search=folder)"
        )
    return with_manifest(target.folder, found)


def record_of(target: Target) -> Record | None:
    """Read the record of an artifact; None if there is none.

    After an interrupted recompute it is the one that describes what stands there.

    Raises:
        RecordError: If it is damaged, or not the record of this artifact.
    """
    record = read_record(target.record_path)
    if record is None or record.artifact == target.name:
        return record and _chosen(target, record)
    raise RecordError(f"{target.record_path} is the record of {record.artifact}, not of {target.name}")


def find_target(path: str | os.PathLike[str]) -> Target:
    """Find the artifact to which a path belongs: the nearest with a record, else the nearest with a tag in its name.

    Raises:
        ArtifactNotFoundError: If it belongs to none.
    """
    absolute = os.path.abspath(path)
    if not isinstance(absolute, str):
        raise TypeError(f"a path must be a str or a path, not {path!r}")
    bare = None
    for start in dict.fromkeys((absolute, os.path.realpath(absolute))):
        for folder, name in _upwards(start):
            target = Target(Folder(folder), name)
            if is_tagged(name):
                if os.path.lexists(target.record_path):  # a damaged one too
                    return target
                bare = bare or target
            owner = companion_owner(target)
            if owner is not None:
                return Target(target.folder, owner.artifact)
    if bare is None:
        raise ArtifactNotFoundError(f"{absolute} {_none_here(path, absolute)}")
    return bare


def said_by(tag: Tag) -> str:
    """Say in words what a tag tells."""
    dirty = "nothing uncommitted" if tag.dirty is None else f"uncommitted changes {tag.dirty}"
    return f"commit {tag.commit}, {dirty}, config hash {tag.config}"


def _none_here(path: str | os.PathLike[str], absolute: str) -> str:
    """Say that a path is of no artifact, and where to look for those that somebody may mean who gives it."""
    folder, name = os.path.split(absolute)
    try:
        count = sum(1 for _ in of_name(os.listdir(folder), name))
    except OSError:
        count = 0
    if os.path.lexists(absolute):
        said = "belongs to no artifact: there is no tag in its name or above it. "
        more = "If it is a copy of an artifact, record(path, search=folder) finds that by its content"
    else:
        said, more = "is not there", ", and no artifact has that name; check the path"
    if count:
        listed = f"versions({os.fspath(path)!r}) lists the artifacts of that name, {count} of them"
        more = listed if said.endswith(" ") else f"; {listed}"
    return said + more


def _upwards(path: str) -> Iterator[tuple[str, str]]:
    """Split a path into directory and name, then that directory, and so on."""
    while True:
        path, name = os.path.split(path)
        if not name:
            return
        yield path, name


def _chosen(target: Target, record: Record) -> Record:
    """Choose between a record and the one that it replaces, if the recompute between them was interrupted."""
    if record.replaced is None:
        return record
    try:
        answer, judged_by = condition(target, record)
    except OSError:
        return record
    return judged_by if answer.is_good else record


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
