"""What changed in the scope while a function ran: files that are no modules, which it may have read anew."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .._errors import RepositoryError
from .._git.command import status_of
from .._git.repository import find_repository, reading
from .._git.trees import Delta
from .dirt import Status, same_syntax
from .kinds import opens_unseen
from .worktree import relative

if TYPE_CHECKING:
    from collections.abc import Collection

    from .._reach.opened import Opened
    from .facts import Facts

_MARGIN_SECONDS = 2.0  # file systems stamp with the tick before


def changed_meanwhile(facts: Facts, opened: Opened, modules: Collection[str]) -> list[str]:
    """List the files of the scope that changed since the look and that the run opened, or may have opened unseen.

    Where the repository cannot be read any more, as by another user, only files that imports reach are judged, by their
    times.

    Args:
        facts: What the look found.
        opened: What the run opened.
        modules: Paths of the modules that are loaded: what runs of them is in memory.
    """
    files = opened.files.copy()  # to which other threads add
    seen = {relative(path, facts.root) for file in files for path in (file, os.path.realpath(file))}
    try:
        with reading(facts.root):
            status = _status(facts)
            tracked = status.repository.tracked()
            paths = tracked if opened.has_started else [path for path in tracked if path in seen or opens_unseen(path)]
            return [path for path in _doubtful(paths, facts, modules) if _differs(path, facts, status)]
    except RepositoryError:
        return _doubtful([path for path in facts.scope.files if path in seen], facts, modules)


def _status(facts: Facts) -> Status:
    repository = find_repository(facts.root)
    if repository is None:
        raise RepositoryError(f"{facts.root} is no git repository any more; what it held is not known")
    return Status(repository, facts.heads[""])


def _doubtful(paths: Collection[str], facts: Facts, modules: Collection[str]) -> list[str]:
    """Pick the paths of the scope whose times say that they may have changed since the look."""
    return [
        path for path in sorted(paths) if path not in modules and facts.scope.holds(path) and not _is_older(path, facts)
    ]


def _is_older(path: str, facts: Facts) -> bool:
    info = status_of(os.path.join(facts.root, path))
    return info is not None and max(info.st_mtime, info.st_ctime) < facts.taken - _MARGIN_SECONDS


def _differs(path: str, facts: Facts, status: Status) -> bool:
    entry = status.repository.entry(status.head, path)
    dirt = facts.dirt.get(path)
    before = (dirt.mode, dirt.oid) if dirt is not None else entry
    now = status.repository.stored(path, entry[0] if entry else None)
    if now is None:
        return before is not None and before[0] != 0
    if before == (now.mode, now.oid):
        return False
    delta = Delta(path, before, (now.mode, now.oid))
    return facts.scope.by_bytes or dirt is not None or not same_syntax(status.repository, delta, now.content)
