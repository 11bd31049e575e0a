"""Origin: to which artifact a path belongs, and the record of that artifact."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._errors import ArtifactNotFoundError, RecordError
from .._tag import Tag, is_tagged
from .folder import Folder
from .manifest import with_manifest
from .record import Record, read_record
from .standing import companion_owner, standing_record

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Origin:
    """An artifact, present or gone.

    Attributes:
        folder: The output directory.
        name: Its tagged file name.
    """

    folder: Folder
    name: str

    @property
    def path(self) -> str:
        """Where the artifact stands, absolute."""
        return self.folder.artifact(self.name)

    @property
    def tag(self) -> Tag:
        """The tag in its name."""
        return Tag.parse(self.name)

    def record(self) -> Record | None:
        """Read its record; None if there is none.

        After an interrupted recompute it is the one that describes what stands there.

        Raises:
            RecordError: If it is damaged, or not the record of this artifact.
        """
        record = read_record(self.folder.record(self.name))
        if record is None or record.artifact == self.name:
            return record and _standing(self.path, record)
        raise RecordError(f"{self.folder.record(self.name)} is the record of {record.artifact}, not of {self.name}")


def record(path: str | os.PathLike[str]) -> Record:
    """Read where an artifact comes from.

    Runs nothing, takes no lock, and needs no repository.

    Args:
        path: An artifact, a file inside a directory artifact, or a companion; also a symbolic link to one of them.

    Returns:
        What was recorded when it was made, even if the artifact itself was changed or removed since.

    Raises:
        ArtifactNotFoundError: If it has no record; tells what its name alone says.
        RecordError: If its record is damaged, or was written by a newer version of the library.

    Example:
        >>> record(save("Ada", "output/name.txt")).canonical
        '{"arguments":{"text":"Ada"},"config":{}}'
    """
    origin = find_origin(path)
    found = origin.record()
    if found is None:
        there = "has no record" if os.path.lexists(origin.path) else "is not there and has no record"
        raise ArtifactNotFoundError(
            f"{origin.path} {there}; its name alone says: {said_by(origin.tag)}. "
            f"When an artifact is copied, copy {origin.folder.record(origin.name)} along"
        )
    return with_manifest(origin.folder, found)


def find_origin(path: str | os.PathLike[str]) -> Origin:
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
            if is_tagged(name):
                origin = Origin(Folder(folder), name)
                if os.path.lexists(origin.folder.record(name)):  # a damaged one too
                    return origin
                bare = bare or origin
            owner = companion_owner(Folder(folder), name)
            if owner is not None:
                return Origin(Folder(folder), owner.artifact)
    if bare is None:
        raise ArtifactNotFoundError(f"{absolute} belongs to no artifact: there is no tag in its name or above it")
    return bare


def said_by(tag: Tag) -> str:
    """Say in words what a tag tells."""
    dirty = "nothing uncommitted" if tag.dirty is None else f"uncommitted changes {tag.dirty}"
    return f"commit {tag.commit}, {dirty}, config hash {tag.config}"


def _upwards(path: str) -> Iterator[tuple[str, str]]:
    """Split a path into directory and name, then that directory, and so on."""
    while True:
        path, name = os.path.split(path)
        if not name:
            return
        yield path, name


def _standing(path: str, record: Record) -> Record:
    """Choose between a record and the one that it replaces, if the recompute between them was interrupted."""
    if record.replaced is None:
        return record
    try:
        found = standing_record(path, record)
    except OSError:
        return record
    return record if found is None or found.record is None else found.record
