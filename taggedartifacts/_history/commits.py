"""Commits: what the repository near an artifact knows of the commits that artifacts were made from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .._code.dirt import remote_url, same_syntax
from .._errors import RepositoryError
from .._git.repository import find_repository, reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .._code.scope import Scope
    from .._git.command import CommandRepository
    from .._git.repository import Repository
    from .._store.record import Record

_MOST_COMMITS = 1000


def commits_between(a: str, b: str, folders: Iterable[str]) -> tuple[tuple[str, str], ...] | None:
    """List the commits that only one of two has in its history, newest first, those of *b* before those of *a*.

    Args:
        a: Full hex of a commit.
        b: Full hex of another.
        folders: Directories in which to look for the repository; the current one is tried last.

    Returns:
        Full hex and subject of each, or None if no repository that can be read has both.
    """
    for folder in (*folders, os.getcwd()):
        try:
            with reading(folder):
                repository = find_repository(folder)
                if repository is not None and repository.exists(a) and repository.exists(b):
                    found = repository.subjects_between(a, b) + repository.subjects_between(b, a)
                    return tuple(found[:_MOST_COMMITS])
        except RepositoryError:
            continue
    return None


def changed_files(a: str, b: str, scopes: Sequence[Scope], folders: Iterable[str]) -> list[str] | None:
    """List the files of the code that two commits hold differently; comments and layout do not count.

    Args:
        a: Full hex of a commit.
        b: Full hex of another.
        scopes: What was the code.
        folders: Directories in which to look for the repository; the current one is tried last.

    Returns:
        Their paths, or None if no repository that can be read has both.
    """
    for folder in (*folders, os.getcwd()):
        try:
            with reading(folder):
                repository = find_repository(folder)
                if repository is None or not (repository.exists(a) and repository.exists(b)):
                    continue
                by_bytes = any(scope.by_bytes for scope in scopes)
                return sorted(
                    delta.path
                    for delta in repository.deltas(a, b)
                    if any(scope.holds(delta.path) for scope in scopes)
                    and (by_bytes or not same_syntax(repository, delta))
                )
        except RepositoryError:
            continue
    return None


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
        self._known: dict[str, bool | None] = {}

    def contain(self, record: Record) -> bool | None:
        """Tell whether a branch, a tag or HEAD contains the commit that an artifact was made from.

        Returns:
            None if it cannot be known: the commit is not here, and the artifact was made from another repository, or
            the older part of the history is not here.
        """
        if record.commit not in self._known:
            with reading(self._repository.root):
                self._known[record.commit] = self._ask(record)
        return self._known[record.commit]

    def _ask(self, record: Record) -> bool | None:
        if self._repository.exists(record.commit):
            return self._repository.is_reachable(record.commit)
        known = not self._repository.is_shallow and remote_url(self._repository) == record.remote
        return False if known else None
