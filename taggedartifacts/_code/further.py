"""Further repositories that count: those that the project names with ``also``."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from .._errors import ScopeError
from .._git.repository import find_repository
from .._reach.modules import loaded_modules
from .dirt import Dirt, Status
from .kinds import kind_of
from .settings import FILE
from .state import STALE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._git.trees import Delta


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
        status = Status(found)
        commits[path] = status.last_commit("also", partial(found.last_commit, status.head, _matters))
        changed, _ = status.collect(_counts)
        dirt |= {f"{path}/{name}": each._replace(patch=None) for name, each in changed.items()}
        for (_, name), loaded in loaded_modules(found.root).files().items():
            if not status.is_tracked(name):
                new = None if found.is_ignored(name) else status.new_file(name, "loaded, but not tracked by git")
                if new is not None:
                    dirt[f"{path}/{name}"] = new._replace(patch=None)
            elif loaded.is_doubtful or not loaded.is_as_loaded():
                dirt[f"{path}/{name}"] = Dirt(STALE, 0o100644, loaded.token, None)
    return commits, dirt


def _matters(delta: Delta) -> bool:
    return _counts(delta.path)


def _counts(path: str) -> bool:
    return kind_of(path) not in ("document", "notebook")
