"""Origin: to which artifact a path belongs, and the record of that artifact."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .._errors import ArtifactNotFoundError, RecordError
from .._tag import is_tagged, of_name
from .condition import companion_owner, condition
from .folder import Folder
from .key import Target
from .manifest import with_manifest
from .record import Record, read_record

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
        from .copies import find_copied  # few look for copies

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
