"""Where libgit2 refuses a repository: the ``git`` command in its place, or an error that names the remedy."""

from __future__ import annotations

import shlex
import shutil

from .._errors import RepositoryError
from .command import CommandRepository, find_root, folders_with_git


def stand_in(start: str, found: str, why: str, error: Exception | None = None) -> CommandRepository:
    """Give the repository of a directory through the ``git`` command, if that can read it.

    Args:
        start: The directory.
        found: The git directory that libgit2 found.
        why: What it has against it.
        error: How it said so, if it did.

    Raises:
        RepositoryError: If the command refuses too, or there is none.
    """
    if root := find_root(start):
        return CommandRepository(root, why)
    if "not owned" in why:
        root = next(folders_with_git(start), found)  # what git calls the repository in worktrees and submodules too
        raise RepositoryError(
            f"{root} belongs to another user, so git does not trust it; if you do, run: "
            f"git config --global --add safe.directory {shlex.quote(root)}"
        ) from error
    remedy = "git refuses it too" if shutil.which("git") else "install the 'git' command, which can"
    raise RepositoryError(f"{found} cannot be read by libgit2 ({why}); {remedy}") from error
