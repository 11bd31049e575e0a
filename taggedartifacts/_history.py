"""History: all artifacts of one name, across commits and configurations."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ._errors import RecordError
from ._folder import Folder
from ._origin import Origin, said_by
from ._path import ArtifactPath
from ._tag import is_tagged, split_name, untagged_name
from ._text import ShownList, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._record import Record


class Versions(ShownList[ArtifactPath]):
    """Artifacts of one name, newest first; prints as a table."""

    __slots__ = ()

    def _table(self) -> Table:
        rows = tuple((path.name, said_by(path.tag)) for path in self)
        return Table(f"{len(self)} artifact{'s' * (len(self) != 1)}", rows)


@dataclass(frozen=True, slots=True)
class Version:
    """An artifact that is there, with what is known of it.

    Attributes:
        origin: Where it stands.
        record: Its record, or None if it has none that can be read.
        started: When it was made, seconds since 1970: as recorded, else the time of its last modification.
    """

    origin: Origin
    record: Record | None
    started: float


def versions(path: str | os.PathLike[str]) -> list[ArtifactPath]:
    """List all artifacts of one name, newest first.

    Of files and directories, clean and dirty code, whatever made them; newest by when the function was started, which
    copying does not change, or by the time of the last modification where there is no record. It takes one listing of
    the directory and one small file for each artifact that it returns.

    Args:
        path: The name as given to the function (``figures/hist.png``), or any artifact of that name.

    Returns:
        The artifacts, in the directory as *path* writes it; empty if there are none. Prints as a table.

    Raises:
        OSError: If the directory cannot be listed.
    """
    folder, name = os.path.split(os.fspath(path).rstrip("/" + os.sep))
    name = untagged_name(name) if is_tagged(name) else name
    known = [known_version(Origin(Folder(os.path.abspath(folder)), each)) for each in names_of(folder, name)]
    present = sorted((version for version in known if version), key=lambda version: version.started, reverse=True)
    return Versions(ArtifactPath(os.path.join(folder, version.origin.name)) for version in present)


def names_of(folder: str, name: str) -> Iterator[str]:
    """List the tagged names in a directory that belong to an untagged one; none if there is no directory.

    Raises:
        OSError: If the directory cannot be listed.
    """
    stem, suffix = split_name(name)
    stem += "-"
    try:
        listed = os.listdir(folder or os.curdir)
    except FileNotFoundError:
        return
    for each in listed:
        # A name of 100,000 that belongs to another one is told by two comparisons, without the regular expression.
        if each.startswith(stem) and each.endswith(suffix) and is_tagged(each) and untagged_name(each) == name:
            yield each


def known_version(origin: Origin) -> Version | None:
    """Look at one artifact; None if nothing stands there."""
    try:
        status = os.stat(origin.path)
    except OSError:
        return None
    try:
        record = origin.record()
    except RecordError:
        record = None
    started = _seconds(record.started) if record else None
    return Version(origin, record, status.st_mtime if started is None else started)


def _seconds(started: str) -> float | None:
    try:
        moment = datetime.fromisoformat(started)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
