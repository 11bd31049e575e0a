"""Versions: the artifacts of one name, newest first, and which artifacts a path covers."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .._errors import ArtifactConflictError, ArtifactNotFoundError, RecordError, short_traceback
from .._path import ArtifactPath
from .._store.folder import HIDDEN, Folder, Target
from .._store.origin import find_target, record_of, recorded, said_by, stored_record
from .._store.table import Shown, Table
from .._tag import is_tagged, of_name, split_name, untagged_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .._store.record import Record


@dataclass(frozen=True, slots=True)
class Version:
    """An artifact that is there, with what is known of it.

    Attributes:
        target: Where it stands.
        record: Its record, or None if it has none that can be read.
        started: When it was made, seconds since 1970: as recorded, else the time of its last modification.
    """

    target: Target
    record: Record | None
    started: float


@dataclass(frozen=True, slots=True)
class Selection:
    """The artifacts in one directory that a path covers.

    Attributes:
        given: The directory as the path writes it.
        folder: The directory.
        names: File names of the artifacts, present or only recorded.
        whole: Whether all of the directory is covered.
    """

    given: str
    folder: Folder
    names: tuple[str, ...]
    whole: bool


def selections(path: str | os.PathLike[str], unreadable: Callable[[OSError], None]) -> Iterator[Selection]:
    """List what a path covers: one artifact, all of one untagged name, or all in a directory and below it.

    Follows no symbolic link below the path.

    Args:
        path: An artifact or what belongs to one, an untagged name, or a directory.
        unreadable: Told of each directory that cannot be listed.

    Raises:
        ArtifactNotFoundError: If it covers nothing.
    """
    text = os.fspath(path)
    given, name = os.path.split(text.rstrip("/" + os.sep) if len(text) > 1 else text)
    if os.path.isdir(text) and not is_tagged(name):
        yield from _selections_below(text, unreadable)
        return
    folder = Folder(os.path.abspath(given))
    known = is_tagged(name) and (os.path.lexists(folder.artifact(name)) or os.path.lexists(folder.record(name)))
    names = [] if known else sorted({*present(folder, name), *of_name(recorded(folder), name)})
    if not names:
        target = find_target(path)
        if not os.path.lexists(target.path) and not os.path.lexists(target.record_path):
            raise ArtifactNotFoundError(f"{target.path} is not there, and there is no record of it")
        if target.folder != folder:
            given, folder = target.folder.path, target.folder
        names = [target.name]
    yield Selection(given, folder, tuple(names), whole=False)


def present(folder: Folder, name: str | None = None) -> list[str]:
    """List the artifacts in a directory, or those of one untagged name; companions are none.

    Raises:
        OSError: If the directory cannot be listed; one that does not exist holds none.
    """
    try:
        listed = os.listdir(folder.path)
    except FileNotFoundError:
        return []
    if name is None:
        names = [each for each in listed if is_tagged(each)]
        records = set(recorded(folder))
    else:  # for the few of one name it is cheaper to ask for each record than to list them all
        names = list(of_name(listed, name))
        records = {each for each in names if os.path.lexists(folder.record(each))}
    bare = [each for each in names if each not in records]
    # Which files were written beside an artifact is found by its record, so only a stem with a record can have any.
    stems = {split_name(each)[0] for each in bare}
    beside = set()
    for artifact in recorded(folder) if bare else ():
        if is_tagged(artifact) and split_name(artifact)[0] in stems:
            with contextlib.suppress(ArtifactConflictError):  # a record under another's name says nothing
                record = stored_record(Target(folder, artifact))
                beside |= {each.path for each in record.companions} if record else set()
    return [each for each in names if each not in beside or each in records]


def known_version(target: Target) -> Version | None:
    """Look at one artifact; None if nothing stands there."""
    try:
        status = os.stat(target.path)
    except OSError:
        return None
    try:
        record = record_of(target)
    except RecordError:
        record = None
    started = _seconds(record.started) if record else None
    return Version(target, record, status.st_mtime if started is None else started)


def newest_first(folder: Folder, names: Iterable[str]) -> list[Version]:
    """Look at artifacts and sort them by age; leaves out those that are gone."""
    known = (known_version(Target(folder, name)) for name in names)
    return sorted((version for version in known if version), key=lambda version: version.started, reverse=True)


def _selections_below(top: str, unreadable: Callable[[OSError], None]) -> Iterator[Selection]:
    for given, directories, _ in os.walk(top, onerror=unreadable):
        # A directory with a tag is an artifact: what is in it belongs to it.
        directories[:] = sorted(each for each in directories if each not in (HIDDEN, ".git") and not is_tagged(each))
        folder = Folder(os.path.abspath(given))
        names = sorted({*present(folder), *filter(is_tagged, recorded(folder))})
        if names or os.path.isdir(folder.hidden):
            yield Selection(given, folder, tuple(names), whole=True)


def _seconds(started: str) -> float | None:
    try:
        moment = datetime.fromisoformat(started)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


class Versions(Shown, list[ArtifactPath]):
    """Artifacts of one name, newest first; prints as a table."""

    __slots__ = ()

    def _table(self) -> Table:
        rows = tuple((path.name, said_by(path.tag)) for path in self)
        return Table(f"{len(self)} artifact{'s' * (len(self) != 1)}, newest first", rows)


@short_traceback
def versions(path: str | os.PathLike[str]) -> list[ArtifactPath]:
    """List all artifacts of one name, newest first.

    Files and directories, made by clean and by dirty code; newest by when the function was started, which copying does
    not change, or by the time of the last modification where there is no record. Costs a listing of the directory and
    reads one small file for each artifact that it returns, however many others there are.

    Args:
        path: The name as given to the function (``figures/hist.png``), or any artifact of that name.

    Returns:
        The artifacts, in the directory as *path* writes it; empty if there are none. Prints as a table.

    Raises:
        OSError: If the directory cannot be listed.

    Example:
        >>> first, second = save("Ada", "output/name.txt"), save("Grace", "output/name.txt")
        >>> versions("output/name.txt") == [second, first]
        True
    """
    given, name = os.path.split(os.fspath(path).rstrip("/" + os.sep))
    folder = Folder(os.path.abspath(given))
    names = present(folder, untagged_name(name)) if is_tagged(name) else []
    # A name that was given to the function may itself hold a tag, that of its input perhaps.
    known = newest_first(folder, names or present(folder, name))
    return Versions(ArtifactPath(os.path.join(given, version.target.name)) for version in known)
