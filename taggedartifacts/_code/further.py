"""Further repositories that count: those that the project names with ``also``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .._errors import ScopeError
from .._git.repository import find_repository
from .._reach.modules import loaded_modules
from .dirt import Dirt, Survey
from .kinds import kind_of
from .memory import memory
from .settings import FILE

if TYPE_CHECKING:
    from collections.abc import Sequence


def further_repositories(root: str, also: Sequence[str]) -> tuple[dict[str, str], dict[str, Dirt]]:
    """Look at further repositories.

    Args:
        root: The root of the work tree that names them.
        also: Their paths, relative to it.

    Returns:
        The last commit of each that touched more than documents and notebooks, and what is not committed there, by
        path.

    Raises:
        ScopeError: If a path lies in no repository.
    """
    commits: dict[str, str] = {}
    dirt: dict[str, Dirt] = {}
    for path in also:
        found = find_repository(os.path.join(root, path)) if os.path.isdir(os.path.join(root, path)) else None
        if found is None:
            raise ScopeError(f"{os.path.join(root, FILE)}: 'also' names {path!r}, which lies in no git repository")
        survey = Survey(found)
        head = survey.head
        commits[path] = memory(found.root).commit(
            f"{head} also",
            lambda found=found, head=head: found.last_commit(head, lambda delta: _counts(delta.path)),  # type: ignore[misc]  # bound early, for the loop
        )
        changed, _ = survey.collect(_counts)
        dirt |= {f"{path}/{name}": each._replace(patch=None) for name, each in changed.items()}
        for _, name in loaded_modules(found.root).files():
            if not survey.is_tracked(name) and not found.is_ignored(name):
                new = survey.new_file(name, "loaded, but not tracked by git")
                if new is not None:
                    dirt[f"{path}/{name}"] = new._replace(patch=None)
    return commits, dirt


def _counts(path: str) -> bool:
    return kind_of(path) not in ("document", "notebook")
