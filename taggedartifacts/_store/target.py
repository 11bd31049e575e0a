"""The target: one artifact by its folder and its tagged name, present or not, and where what belongs to it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .._tag import Tag

if TYPE_CHECKING:
    from .folder import Folder


class Target(NamedTuple):
    """An artifact, present or not.

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
    def record_path(self) -> str:
        """Where its record lies."""
        return self.folder.record(self.name)

    @property
    def lock_path(self) -> str:
        """Where its lock lies."""
        return self.folder.lock(self.name)

    @property
    def tag(self) -> Tag:
        """The tag in its name."""
        return Tag.parse(self.name)
