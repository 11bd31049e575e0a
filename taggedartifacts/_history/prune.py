"""Pruning: removing artifacts with all that belongs to them, and nothing else."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from .._code.dirt import remote_url
from .._errors import ArtifactConflictError, RepositoryError, short_traceback
from .._git.repository import find_repository, reading
from .._path import ArtifactPath
from .._store.condition import Condition, condition, manifests_of, scan
from .._store.disk import move
from .._store.lock import ArtifactLock
from .._store.origin import recorded, said_by
from .._store.staging import clean_up, is_busy, make_staging
from .._store.table import Shown, Table, byte_count
from .._tag import DIGEST_DIGITS, Tag, is_tagged, split_name, untagged_name
from .versions import known_version, newest_first, selections

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._git.command import CommandRepository
    from .._git.repository import Repository
    from .._store.folder import Folder
    from .._store.record import Record
    from .versions import Selection, Version

_log = logging.getLogger("taggedartifacts")


class Pruned(Shown, list[ArtifactPath]):
    """Artifacts that were removed, or would be; prints as a table.

    Attributes:
        size: Bytes that they, their companions, records and patches take.
        dry_run: Whether nothing was removed.
    """

    __slots__ = ("_is_asked", "dry_run", "size")

    def __init__(self, paths: Iterable[ArtifactPath] = (), *, dry_run: bool = True, is_asked: bool = True) -> None:
        super().__init__(paths)
        self.dry_run = dry_run
        self.size = 0
        self._is_asked = is_asked  # whether any criterion was given

    def _table(self) -> Table:
        return Table(self._summary(), tuple((str(path), said_by(path.tag)) for path in self))

    def _summary(self) -> str:
        did = "would remove" if self.dry_run else "removed"
        if not self._is_asked:
            return f"{did} nothing: pass keep=, older_than=, dirty=True or unreachable=True to say what can go"
        return f"{did} {len(self)} artifact{'s' * (len(self) != 1)}, {byte_count(self.size)}"


@dataclass(frozen=True, slots=True)
class _Criteria:
    """What names artifacts, and how many of each untagged name are protected."""

    keep: int | None
    before: float | None
    dirty: bool
    unreachable: bool

    @property
    def names_some(self) -> bool:
        """Tell whether any criterion names artifacts, beside what *keep* leaves over."""
        return self.before is not None or self.dirty or self.unreachable

    @property
    def is_asked(self) -> bool:
        """Tell whether anything can go."""
        return self.keep is not None or self.names_some

    def chosen(self, versions: list[Version], branches: Branches | None) -> Iterator[Version]:
        """Choose from the artifacts of one untagged name, newest first."""
        for version in versions[self.keep or 0 :]:
            if (
                (self.keep is not None and not self.names_some)
                or (self.before is not None and version.started < self.before)
                or (self.dirty and version.target.tag.dirty is not None)
                or (branches is not None and _is_unreachable(version, branches))
            ):
                yield version


@short_traceback
def prune(
    path: str | os.PathLike[str],
    *,
    keep: int | None = None,
    older_than: timedelta | datetime | None = None,
    dirty: bool = False,
    unreachable: bool = False,
    dry_run: bool = True,
) -> list[ArtifactPath]:
    """Remove artifacts with their records, companions and patches; by default only say which.

    Removes what any criterion names, and never what *keep* protects; *keep* alone names all that it does not protect.
    Never removes a file without a tag, an artifact that was changed since it was made, what another process is making,
    or anything behind a symbolic link. What cannot be removed stays, is named in the log, and does not stop it. A crash
    at any moment leaves each artifact whole or gone.

    Args:
        path: An artifact, an untagged name for all of its artifacts, or a directory for all in it and below it.
        keep: How many artifacts of each untagged name to protect, the newest first.
        older_than: Name those made longer ago than this, or before this moment (local time unless it has a time zone).
        dirty: Name those made by code that was not committed.
        unreachable: Name those whose commit no branch, no tag and not HEAD of the repository contains: that of the
            directory, else that of the current one. What this cannot tell, as without a record, stays.
        dry_run: Remove nothing.

    Returns:
        The artifacts that were removed, or would be. Prints as a table, with the bytes; they are in the log too.

    Raises:
        ArtifactNotFoundError: If there is nothing of that name.
        ArtifactConflictError: When all else is done, if something else stands where a hidden directory should be.
        RepositoryError: If *unreachable* is asked for and cannot be known.
        TypeError: If an argument has a wrong type.
        ValueError: If *keep* is negative.

    Example:
        >>> first, second = save("Ada", "output/name.txt"), save("Grace", "output/name.txt")
        >>> prune("output", keep=1, dry_run=False) == [first]
        True
        >>> second.exists()
        True
    """
    criteria = _Criteria(_checked_keep(keep), _threshold(older_than), dirty, unreachable)
    pruned, foreign = Pruned(dry_run=dry_run, is_asked=criteria.is_asked), list[ArtifactConflictError]()
    for selection in selections(path, _pass_over):
        foreign += _prune(selection, criteria, pruned)
    _log.info("%s", pruned._summary())
    for error in foreign[:1]:
        raise error
    return pruned


def _prune(selection: Selection, criteria: _Criteria, pruned: Pruned) -> Iterator[ArtifactConflictError]:
    """Remove what is chosen of one directory, and the patches that nothing needs any more; note what is gone."""
    patches, gone = set(), set()
    for version in _to_remove(selection, criteria):
        try:
            if _is_changed(version):
                _log.warning("%s is kept: it was changed since it was made; delete it by hand", version.target.path)
                continue
            size = _whole_size(version) if pruned.dry_run else _remove(version)
        except ArtifactConflictError as error:
            yield error
            continue
        except OSError as error:
            _log.warning("%s is kept, as far as it is there: %s", version.target.path, error)
            continue
        if size is not None:
            pruned.append(ArtifactPath(os.path.join(selection.given, version.target.name)))
            pruned.size += size
            gone.add(version.target.name)
            patches |= {version.record.patch} if version.record and version.record.patch else set()
    for patch in sorted(patches):
        try:
            pruned.size += _drop_patch(selection.folder, patch, gone, dry_run=pruned.dry_run)
        except OSError as error:
            _log.warning("%s is kept, as far as it is there: %s", patch, error)


def _pass_over(error: OSError) -> None:
    _log.warning("%s is passed over: %s", error.filename, error.strerror)


def _checked_keep(keep: int | None) -> int | None:
    if keep is None:
        return None
    if isinstance(keep, bool) or not isinstance(keep, int):
        raise TypeError(f"keep must be a number of artifacts, not {keep!r}")
    if keep < 0:
        raise ValueError(f"keep must be at least 0, not {keep!r}")
    return keep


def _threshold(older_than: timedelta | datetime | None) -> float | None:
    if older_than is None:
        return None
    if isinstance(older_than, timedelta):
        if older_than < timedelta(0):  # which all are
            raise ValueError(f"older_than must be at least 0 when it is a timedelta, not {older_than!r}")
        return time.time() - older_than.total_seconds()
    if isinstance(older_than, datetime):
        return older_than.astimezone(UTC).timestamp()
    # A bare number could be taken for days by one and for seconds by another, and what is removed is gone.
    raise TypeError(f"older_than must be a timedelta or a datetime, not {older_than!r}")


def _to_remove(selection: Selection, criteria: _Criteria) -> list[Version]:
    names: dict[str, list[str]] = {}
    for name in selection.names:
        names.setdefault(untagged_name(name), []).append(name)
    branches = Branches(selection.folder.path) if criteria.unreachable and names else None
    versions = (newest_first(selection.folder, each) for each in names.values())
    return [version for each in versions for version in criteria.chosen(each, branches)]


def _is_unreachable(version: Version, branches: Branches) -> bool:
    """Tell whether no branch contains the commit of an artifact; where that cannot be known, it does not count."""
    contained = version.record and branches.contain(version.record)
    if contained is None:
        _log.warning("%s is kept: whether a branch has its commit cannot be known here", version.target.path)
    return contained is False


def _is_changed(version: Version) -> bool:
    """Tell whether somebody edited an artifact, or what was written beside it; that is his to remove."""
    record = version.record
    return record is not None and condition(version.target, record)[0] is Condition.CHANGED


def _belongings(version: Version) -> list[str]:
    """List what goes with an artifact, in the order in which it goes: companions, then the record."""
    folder, name = version.target.folder, version.target.name
    companions = version.record.companions if version.record else ()
    # A record may come from anywhere: what it names goes only if its name has the artifact's tag in it.
    paths = [folder.artifact(each.path) for each in companions if each.path.startswith(split_name(name)[0])]
    paths += manifests_of(folder, name, version.record)
    return [path for path in (*paths, folder.record(name)) if os.path.lexists(path)]


def _whole_size(version: Version) -> int:
    """Count the bytes of an artifact and what goes with it."""
    return sum(map(_size_of, [version.target.path, *_belongings(version)]))


def _size_of(path: str) -> int:
    status = os.lstat(path)
    if stat.S_ISDIR(status.st_mode):
        return sum(below.st_size for _, below in scan(path))
    return status.st_size


def _remove(version: Version) -> int | None:
    """Remove one artifact; returns its bytes, or None if it is being made or was made again meanwhile."""
    folder, name = version.target.folder, version.target.name
    folder.make()
    with ArtifactLock(folder.lock(name)) as lock:
        if not lock.try_acquire():
            _log.warning("%s is kept: %s is making it", version.target.path, lock.holder())
            return None
        if is_busy(folder, name, locked=lock.works):
            _log.warning("%s is kept: %s is making it", version.target.path, "perhaps another host")
            return None
        if known_version(version.target) != version:
            _log.warning("%s is kept: it was made again meanwhile", version.target.path)
            return None
        size = _whole_size(version)
        staging = make_staging(folder, name)
        try:
            # One rename takes the artifact away, whole; a directory removed in place would be seen in halves.
            # The record goes last: what is visible has its record, and what is left of a crash is known by it.
            move(version.target.path, os.path.join(staging, name))
            for number, path in enumerate(_belongings(version)):
                move(path, os.path.join(staging, f".{number}"))
        finally:
            clean_up(folder, staging)
        return size


def _drop_patch(folder: Folder, patch: str, gone: set[str], *, dry_run: bool) -> int:
    """Remove a patch that no record needs any more; returns the bytes that this frees."""
    path = os.path.join(folder.patches, patch)
    if any(_needs(name, patch) for name in recorded(folder) if name not in gone):
        return 0
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return 0
    # Whoever is publishing has a staging directory, and may have stored this patch for a record that is not there yet.
    if not stat.S_ISREG(status.st_mode) or (not dry_run and os.listdir(folder.staging)):
        return 0
    if not dry_run:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    return status.st_size


def _needs(name: str, patch: str) -> bool:
    return is_tagged(name) and Tag.parse(name).dirty == patch[:DIGEST_DIGITS]


class Branches:
    """What the branches and tags of a repository contain.

    Args:
        folder: A directory in the repository; else that of the current directory is asked.

    Raises:
        RepositoryError: If there is none, or it cannot be read.
    """

    def __init__(self, folder: str) -> None:
        with reading(folder):
            found = find_repository(folder) or find_repository(os.getcwd())
        if found is None:
            raise RepositoryError(
                f"neither {folder} nor the current directory is in a git repository, so nothing tells which commits "
                "are unreachable; change to the repository of the code"
            )
        self._repository: Repository | CommandRepository = found
        self._known: dict[tuple[str, str | None], bool | None] = {}

    def contain(self, record: Record) -> bool | None:
        """Tell whether a branch, a tag or HEAD contains the commit that an artifact was made from.

        Returns:
            None if it cannot be known: the commit is not here, and the artifact was made from another repository, or
            the older part of the history is not here.
        """
        key = record.commit, record.remote
        if key not in self._known:
            with reading(self._repository.root):
                self._known[key] = self._ask(record)
        return self._known[key]

    def _ask(self, record: Record) -> bool | None:
        if self._repository.exists(record.commit):
            return self._repository.is_reachable(record.commit)
        known = not self._repository.is_shallow and remote_url(self._repository) == record.remote
        return False if known else None
