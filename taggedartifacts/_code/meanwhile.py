"""What a function opened while it ran: files of the scope that changed meanwhile, and files that do not count."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .._errors import RepositoryError
from .._git.command import status_of
from .._git.index import stamp_of
from .._git.repository import reading
from .._git.trees import Delta
from .._reach.places import is_installed, relative
from .dirt import Facts, Status, open_again, same_syntax
from .kinds import opens_unseen
from .memory import Tracked, memory
from .settings import FILE

if TYPE_CHECKING:
    from collections.abc import Collection

    from .._reach.opened import Opened

_MARGIN_SECONDS = 2.0  # file systems stamp with the tick before
_PATH_BYTES = 100  # beside its letters, in a set


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
            tracked = _listed(facts.root)
            paths = tracked.paths if opened.has_started else tracked.unseen | (tracked.paths & seen)
            doubtful = _doubtful(paths, facts, modules)
            if not doubtful:  # as nearly always, and then no repository has to be opened
                return []
            status = Status(open_again(facts.root), facts.heads[""])
            return [path for path in doubtful if _differs(path, facts, status)]
    except RepositoryError:
        return _doubtful([path for path in facts.scope.files if path in seen], facts, modules)


def uncounted(facts: Facts, opened: Opened, modules: Collection[str]) -> dict[str, os.stat_result]:
    """Find the files of the work tree that the run opened and that do not count, each with what it was then.

    Git does not track them, or the scope does not hold them. Those of submodules, of environments and of git itself are
    left out, and so are the settings, which the library reads, and what Python loads as code.

    Args:
        facts: What the look found.
        opened: What the run opened.
        modules: Paths of the modules that are loaded.

    Returns:
        By the path relative to the root.
    """
    submodules = tuple(filter(None, facts.heads))
    files = ((relative(file, facts.root), status) for file, status in opened.files.copy().items())
    found = {
        path: status
        for path, status in files
        if path
        and status is not None
        and path not in modules
        and path != FILE
        and not path.startswith(submodules)
        and not _NO_DATA.intersection(path.split("/"))
        and not is_installed(path, facts.root)
    }
    if not found:
        return {}
    try:
        with reading(facts.root):
            tracked = _listed(facts.root).paths
    except RepositoryError:
        return {}

    def counts(path: str | None) -> bool:
        return path is not None and path in tracked and facts.scope.holds_bytes(path)

    real = {path: relative(os.path.realpath(os.path.join(facts.root, path)), facts.root) for path in sorted(found)}
    return {path: found[path] for path, leads_to in real.items() if not (counts(path) or counts(leads_to))}


_NO_DATA = frozenset({".git", "__pycache__"})


def _listed(root: str) -> Tracked:
    """List what is tracked: to read an index of 300 files takes 10 ms, to stamp it 10 µs."""
    remembered = memory(root).tracked
    known = remembered.get(root)
    if known is None or stamp_of(known.file) != known.stamp:
        repository = open_again(root)
        paths = frozenset(repository.tracked())
        known = Tracked(*repository.index, paths, frozenset(filter(opens_unseen, paths)))
        if known.file:
            remembered.put(root, known, sum(map(len, paths)) + _PATH_BYTES * len(paths))
    return known


def _doubtful(paths: Collection[str], facts: Facts, modules: Collection[str]) -> list[str]:
    """Pick the paths of the scope whose times say that they may have changed since the look."""
    return [
        path
        for path in sorted(paths)
        if path not in modules and facts.scope.holds(path) and not _is_from_before(path, facts)
    ]


def _is_from_before(path: str, facts: Facts) -> bool:
    info = status_of(os.path.join(facts.root, path))
    return info is not None and max(info.st_mtime, info.st_ctime) < facts.taken - _MARGIN_SECONDS


def _differs(path: str, facts: Facts, status: Status) -> bool:
    entry = status.repository.entry(status.head, path)
    change = facts.changes.get(path)
    before = (change.mode, change.oid) if change is not None else entry
    now = status.repository.stored(path, entry[0] if entry else None)
    if now is None:
        return before is not None and before[0] != 0
    if before == (now.mode, now.oid):
        return False
    delta = Delta(path, before, (now.mode, now.oid))
    return facts.scope.by_bytes or change is not None or not same_syntax(status.repository, delta, now.content)
