"""The code state: which commit, and which uncommitted changes, the code that runs is."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ._errors import DirtyRepositoryError, RepositoryError
from ._hashing import hexdigest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Change:
    """One thing that makes the code dirty: a path relative to the root, and what is wrong with it."""

    path: str
    what: str


@dataclass(frozen=True)
class CodeState:
    """The commit and the uncommitted changes of the code that runs.

    Attributes:
        commit: Full hex of the last commit that changed the code in scope.
        dirty: Full digest (32 hex digits) of the changes, or None when there are none.
        root: Absolute path of the work tree's root, or None where there is no repository.
        scope: Paths relative to the root that are the code; empty for the whole repository.
        changes: What makes it dirty.
        patch: The changes as ``git apply`` takes them, while dirty and not too large.
        modules: Loaded modules that git ignores, by path relative to the root: digest of their content.
        remote: URL of the remote, without credentials.
    """

    commit: str
    dirty: str | None = None
    root: str | None = None
    scope: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    patch: bytes | None = None
    modules: Mapping[str, str] = field(default_factory=dict)
    remote: str | None = None

    def refusal(self, function: str) -> DirtyRepositoryError:
        """Build the error that refuses to run *function* on this state."""
        return DirtyRepositoryError(f"{function}: {', '.join(f'{c.path} ({c.what})' for c in self.changes)}")


class Look:
    """One look at the repository, taken when a module was loaded; the same for the whole life of that load."""

    def __init__(self, found: CodeState | RepositoryError) -> None:
        self._found = found

    def state(self) -> CodeState:
        """Return the code state, with the modules that were loaded up to now.

        Raises:
            RepositoryError: What was found wrong when the look was taken.
        """
        if isinstance(self._found, RepositoryError):
            raise self._found
        return self._found


def take_look(file: str | None, *, repo: str | None = None, scope: Sequence[str] | None = None) -> Look:
    """Look at the repository of a module's file; never raises, errors come from `Look.state`.

    Args:
        file: The file of the function's own module, or None for an interactive function.
        repo: A path inside the repository, when it cannot be found from the file.
        scope: Paths relative to the root, or None for the project's default.
    """
    import pygit2  # 90 ms: only when a function is decorated

    start = repo or (os.path.dirname(os.path.abspath(file)) if file else os.getcwd())
    found = pygit2.discover_repository(start) or pygit2.discover_repository(os.getcwd())
    if not found:
        return Look(RepositoryError(f"{start} is in no git repository; run 'git init' and commit, or pass repo="))
    repository = pygit2.Repository(found)
    if repository.head_is_unborn:
        return Look(RepositoryError(f"{repository.workdir} has no commit yet"))
    changed = sorted(repository.status(untracked_files="no"))
    parts = []
    for path in changed:
        full = os.path.join(repository.workdir, path)
        content = open(full, "rb").read() if os.path.exists(full) else b""  # noqa: SIM115
        parts.append(path.encode() + b"\0" + hexdigest(content).encode())
    return Look(
        CodeState(
            commit=str(repository.head.target),
            dirty=hexdigest(b"\0".join(parts)) if changed else None,
            root=repository.workdir.rstrip("/"),
            scope=tuple(scope or ()),
            changes=tuple(Change(path, "modified") for path in changed),
        )
    )
