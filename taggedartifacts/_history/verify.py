"""Verifying: whether artifacts are still what they were when they were made."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._errors import RecordError, short_traceback
from .._store.condition import condition, describe, describe_file, with_manifest
from .._store.folder import Target
from .._store.key import is_hashed
from .._store.origin import record_of
from .._store.staging import kept_work, leftovers
from .._store.table import Shown, Table, byte_count, minute
from .versions import selections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .._store.record import FileEntry, Record

_log = logging.getLogger("taggedartifacts")

_SAY_EVERY = 5.0  # seconds


@dataclass(frozen=True, repr=False)
class Problem(Shown):
    """Something that is not as it was when an artifact was made.

    Attributes:
        path: What it is about: an artifact, a file in one or beside it, a record, a patch or a staging directory.
        what: ``"missing"``, ``"changed"``, ``"truncated"``, ``"unexpected"``, ``"damaged record"``, ``"no record"``,
            ``"unreadable"``, ``"leftover"`` or ``"kept"``.
        detail: What was found, in words.
    """

    path: str
    what: str
    detail: str

    def _table(self) -> Table:
        return Table(f"{self.what}: {self.path}: {self.detail}")


class Problems(Shown, list[Problem]):
    """Problems; empty, and so false, when all is well. Prints as a table."""

    __slots__ = ()

    def _table(self) -> Table:
        if not self:
            return Table("no problems")
        rows = tuple((problem.what, problem.path, problem.detail) for problem in self)
        return Table(f"{len(self)} problem{'s' * (len(self) != 1)}", rows)


@short_traceback
def verify(path: str | os.PathLike[str]) -> list[Problem]:
    """Read artifacts again and list what is missing, changed or damaged.

    Every byte is read and digested, whatever the times of the files say. Nothing is written but, where the file system
    has locks, the lock of a staging directory, to learn whether somebody works in it. Long work says in the log how far
    it is.

    Args:
        path: An artifact, an untagged name for all of its artifacts, or a directory for all in it and below it.

    Returns:
        The problems; an empty list, which is false, when all is well. Prints as a table.

    Raises:
        ArtifactNotFoundError: If there is nothing of that name.

    Example:
        >>> path = save("Ada", "output/name.txt")
        >>> verify(path)
        no problems
        >>> _ = path.write_text("Eve")
        >>> [problem.what for problem in verify(path)]
        ['changed']
    """
    problems = Problems()
    progress = _Progress()

    def unreadable(error: OSError) -> None:
        problems.append(Problem(str(error.filename), "unreadable", error.strerror or str(error)))

    for selection in selections(path, unreadable):
        for done, name in enumerate(selection.names):
            progress.say(selection.given, done, len(selection.names))
            problems.extend(_problems_of(Target(selection.folder, name), progress))
        for path_left in leftovers(selection.folder, None if selection.whole else selection.names):
            problems.append(Problem(path_left, "leftover", "the process that worked in it is gone"))
        for path_kept in kept_work(selection.folder, None if selection.whole else selection.names):
            problems.append(Problem(path_kept, "kept", "finished work that could not be published; yours to remove"))
    return problems


class _Progress:
    """How far the work is, said in the log every few seconds."""

    def __init__(self) -> None:
        self._said = time.monotonic()
        self.size = 0

    def say(self, folder: str, done: int, of: int) -> None:
        if time.monotonic() - self._said > _SAY_EVERY:
            self._said = time.monotonic()
            _log.info("verified %d of %d artifacts in %s, %s read so far", done, of, folder, byte_count(self.size))


def _problems_of(target: Target, progress: _Progress) -> Iterator[Problem]:
    where = target.record_path
    try:
        record = record_of(target)
    except RecordError as error:
        yield Problem(where, "damaged record", str(error))
        return
    if record is None:
        yield Problem(target.path, "no record", "nothing tells what it should be")
        return
    if record.key.tag != target.tag or not is_hashed(record.canonical, record.config_hash):
        yield Problem(where, "damaged record", "it contradicts itself or the artifact's name")
    if record.patch is not None and not os.path.lexists(os.path.join(target.folder.patches, record.patch)):
        yield Problem(
            os.path.join(target.folder.patches, record.patch), "missing", "the patch of the uncommitted changes"
        )
    try:
        record = with_manifest(target.folder, record)
    except RecordError as error:
        yield Problem(os.path.join(target.folder.manifests, record.manifest or ""), "damaged record", str(error))
    progress.size += record.size
    if _is_good(target, record):
        return
    yield from _check_content(target, record)
    for companion in record.companions:
        yield from _check_companion(target.folder.artifact(companion.path), companion)


def _is_good(target: Target, record: Record) -> bool:
    try:
        return condition(target, record, read=True)[0].is_good
    except OSError:  # which file is to blame, the checks of each will tell
        return False


def _check_content(target: Target, record: Record) -> Iterator[Problem]:
    path = os.path.realpath(target.path)
    try:
        size = os.lstat(path).st_size
        if record.kind == "file" and size < record.size and os.path.isfile(path):
            yield Problem(target.path, "truncated", f"{size:,} of {record.size:,} bytes are left")
            return
        content = describe(path)
    except FileNotFoundError:
        yield Problem(target.path, "missing", f"made by {record.function} on {minute(record.started)}")
    except OSError as error:
        yield Problem(target.path, "unreadable", error.strerror or str(error))
    else:
        if content.kind != record.kind:
            yield Problem(target.path, "changed", f"it was a {record.kind} and is a {content.kind}")
        elif content.digest != record.digest:
            known = _by_path(record.files)  # empty where the manifest is lost
            differing = list(_check_files(target.path, known, _by_path(content.files))) if known else []
            yield from differing or [Problem(target.path, "changed", "its content is not what was made")]


def _check_files(root: str, known: Mapping[str, FileEntry], seen: Mapping[str, FileEntry]) -> Iterator[Problem]:
    for name in sorted({*known, *seen}):
        path = os.path.join(root, name)
        if name not in seen:
            yield Problem(path, "missing", f"{known[name].size:,} bytes")
        elif name not in known:
            yield Problem(path, "unexpected", f"{seen[name].size:,} bytes that were not made with the rest")
        else:
            yield from _check_entry(path, known[name], seen[name])


def _check_companion(path: str, known: FileEntry) -> Iterator[Problem]:
    try:
        seen = describe_file(path, known.path)
    except FileNotFoundError:
        yield Problem(path, "missing", f"{known.size:,} bytes that belong to an artifact")
    except OSError as error:
        yield Problem(path, "unreadable", error.strerror or str(error))
    else:
        yield from _check_entry(path, known, seen)


def _check_entry(path: str, known: FileEntry, seen: FileEntry) -> Iterator[Problem]:
    if seen.digest == known.digest:
        return
    if seen.size < known.size:
        yield Problem(path, "truncated", f"{seen.size:,} of {known.size:,} bytes are left")
    else:
        yield Problem(path, "changed", "its content is not what was made")


def _by_path(entries: tuple[FileEntry, ...]) -> dict[str, FileEntry]:
    return {entry.path: entry for entry in entries}
