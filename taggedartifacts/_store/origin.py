"""Origin: to which artifact a path belongs, or of which it is a copy, and the record of that artifact.

Calls and all who look at many artifacts treat a damaged record as absent, and say so: `stored_record`. Who asks for one
record is told what is wrong with it: `record_of`.
"""

from __future__ import annotations

import contextlib
import logging
import os
from operator import itemgetter
from typing import TYPE_CHECKING

from .._errors import ArtifactConflictError, ArtifactNotFoundError, RecordError, short_traceback
from .._memory import is_news
from .._tag import is_tagged, of_name, split_name
from .condition import condition, describe, with_manifest
from .folder import HIDDEN, RECORD_SUFFIX, Folder, Target
from .record import Record, read_record, read_stamped
from .table import byte_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._memory import Memory
    from .._tag import Tag
    from .key import Key

_log = logging.getLogger("taggedartifacts")

_PARSED = 4  # how many times the bytes of its file a record takes in memory
_BESIDE = 1000  # bytes of what is remembered beside it


@short_traceback
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
        return _find_copied(os.fspath(path), os.fspath(search))
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
    if record is None:
        return None
    if record.artifact != target.name:
        raise RecordError(f"{target.record_path} is the record of {record.artifact}, not of {target.name}")
    if record.replaced is not None:
        with contextlib.suppress(OSError):
            answer, judged_by = condition(target, record)
            if answer.is_good:
                return judged_by
    return record


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
    listed = f"versions({os.fspath(path)!r}) lists the artifacts of that name, {count} of them"
    if os.path.lexists(absolute):
        copied = "If it is a copy of an artifact, record(path, search=folder) finds that by its content"
        return f"belongs to no artifact: there is no tag in its name or above it. {listed if count else copied}"
    return f"is not there; {listed}" if count else "is not there, and no artifact has that name; check the path"


def _upwards(path: str) -> Iterator[tuple[str, str]]:
    """Split a path into directory and name, then that directory, and so on."""
    while True:
        path, name = os.path.split(path)
        if not name:
            return
        yield path, name


class Memo:
    """What repeated calls remember of an artifact: its record is read again only if that file has changed.

    Args:
        memory: Holds this, once there is something to remember.
        place: Where: what calls asked for, in whatever state the code was, and their output path.

    Attributes:
        known: The path of the record, the stat of its file, and the record; None before it is read.
        stood: What was found to stand there: its key, size and time, and the stat of the record that says so.
    """

    __slots__ = ("_memory", "_place", "known", "stood")

    def __init__(self, memory: Memory[tuple[bytes, str], Memo], place: tuple[bytes, str]) -> None:
        self._memory, self._place = memory, place
        self.known: tuple[str, tuple[int, ...], Record] | None = None
        self.stood: tuple[Key, int, int, tuple[int, ...]] | None = None

    def keep(self) -> None:
        """Have this found by the next call that asks the same."""
        size = _BESIDE if self.known is None else _BESIDE + _PARSED * self.known[1][1]
        self._memory.put(self._place, self, size)

    def renew(self, record: Record) -> None:
        """Remember, in this process only, a record whose times could not be refreshed on the disk."""
        known = self.known
        if known is not None and known[2].run == record.run:  # and not the successor that is taking its place just now
            self.known = (*known[:2], record)


def stored_record(target: Target, memo: Memo | None = None) -> Record | None:
    """Read the record of an artifact; a damaged one is reported in the log and treated as absent.

    Args:
        target: The artifact.
        memo: What is remembered of it.
    """
    path, name = target.record_path, target.name
    if memo is not None and (known := memo.known) is not None and known[0] == path:
        try:
            if known[1] == signature(os.lstat(path)):
                return known[2]
        except OSError:
            return None
    try:
        found = read_stamped(path)
    except RecordError as error:
        _report(path, str(error))
        return None
    if found is None:
        return None
    record, status = found
    if record.artifact != name:
        raise ArtifactConflictError(_of_another(target, record, status))
    if not record.key.is_in(name):
        _report(path, f"{path} contradicts the name of its artifact")
        return None
    if memo is not None:
        memo.known = path, signature(status), record
        memo.keep()
    return record


def _report(path: str, wrong: str) -> None:
    """Say of a record once what is wrong with it: a call looks at it up to four times."""
    with contextlib.suppress(OSError):  # it has gone, or lies in a folder that cannot be searched
        if is_news("record", path, str(signature(os.lstat(path)))):
            _log.warning("treated as absent: %s", wrong)


def _of_another(target: Target, record: Record, status: os.stat_result) -> str:
    """Say what is wrong where the record of another artifact stands."""
    with contextlib.suppress(OSError):
        if os.path.samestat(status, os.lstat(target.folder.record(record.artifact))):  # case does not count here
            return (
                f"{target.path} is {record.artifact} to this file system, made by {record.function}; "
                "give one of them another name"
            )
    return (
        f"{target.record_path} is the record of {record.artifact}, not of {target.name}; "
        f"remove it, and {target.name} too if that was copied with it"
    )


def signature(status: os.stat_result) -> tuple[int, ...]:
    """Take out of the stat of a file what changes when another takes its place, or it is written."""
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def recorded(folder: Folder) -> list[str]:
    """List the artifacts of which there are records, whether they can be read or not."""
    try:
        listed = os.listdir(folder.records)
    except OSError:
        return []
    return [each.removesuffix(RECORD_SUFFIX) for each in listed if each.endswith(RECORD_SUFFIX)]


def companion_owner(target: Target) -> Record | None:
    """Find the record of the artifact beside which a file was written, if there is one."""
    folder, name = target
    for artifact in recorded(folder):
        if artifact != name and name.startswith(split_name(artifact)[0]):
            with contextlib.suppress(ArtifactConflictError):  # a record under another's name says nothing of this one
                record = stored_record(Target(folder, artifact))
                if record is not None and any(companion.path == name for companion in record.companions):
                    return record
    return None


def _find_copied(copy: str, search: str) -> Record:
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
        key=itemgetter(0),
        default=None,
    )
    if found is None:
        raise ArtifactNotFoundError(
            f"no artifact that is recorded in {search} or below it has the content of {copy} "
            f"({byte_count(wanted.size)}): it was edited or saved anew since, or the artifact is elsewhere"
        )
    return found[1]


def _folders(search: str) -> Iterator[Folder]:
    for path, directories, _ in os.walk(search):
        if HIDDEN in directories:
            yield Folder(os.path.abspath(path))
        directories[:] = sorted(each for each in directories if each not in (HIDDEN, ".git"))


def _matches(folder: Folder, content: tuple[str, int, str]) -> Iterator[tuple[tuple[bool, bool, str], Record]]:
    """Find the records that fit, each with how well: by a whole artifact, by one that is there, by the newest."""
    for name in recorded(folder):
        try:
            record = stored_record(Target(folder, name))
        except ArtifactConflictError:  # a record under another's name
            continue
        if record is None:
            continue
        is_whole = (record.kind, record.size, record.digest) == content
        with contextlib.suppress(RecordError):  # without its manifest, a directory is still found by what it is itself
            record = with_manifest(folder, record)
        parts = (*record.files, *record.companions)
        if is_whole or any((part.size, part.digest) == content[1:] for part in parts):
            yield (is_whole, os.path.lexists(folder.artifact(name)), record.started), record
