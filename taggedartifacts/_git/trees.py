"""Commits and trees as they lie in history: which commit changed the code, and what a commit holds.

Takes the objects of pygit2 and does not import it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

NOTEBOOK = ".ipynb"
_MOST_AT_HAND = 64


class Delta(NamedTuple):
    """One path at which two commits differ.

    Attributes:
        path: Relative to the root, with "/".
        old: Mode and object id in the older commit, or None.
        new: The same in the newer one.
    """

    path: str
    old: tuple[int, str] | None
    new: tuple[int, str] | None


def last_commit(
    commit: str,
    parents: Callable[[str], Sequence[str]],
    deltas: Callable[[str, str], Iterable[Delta]],
    matters: Callable[[Delta], bool],
) -> str:
    """Find the last commit that changed something that matters.

    Follows the first parent in which all that matters is the same, which is git's default simplification of history:
    the answer is that of ``git log -1 -- <paths>``.

    Args:
        commit: Where to begin.
        parents: Lists the parents of a commit.
        deltas: Lists where a parent and its child differ.
        matters: Says whether a difference is one of the code.
    """
    while True:
        for parent in parents(commit):
            if not any(map(matters, deltas(parent, commit))):
                commit = parent
                break
        else:
            return commit


class History:
    """The history of a repository through libgit2.

    Args:
        repository: The repository, of pygit2.
        enters: Says whether there can be code below a folder; what it says no to is not compared.
    """

    def __init__(self, repository: Any, enters: Callable[[str], bool]) -> None:
        self._repository = repository
        self._enters = enters
        self._at_hand: dict[str, Any] = {}

    def parents(self, commit: str) -> list[str]:
        """List the parents of a commit; none where the older part of the history is not here."""
        repository = self._repository
        is_shallow = repository.is_shallow
        return [str(each) for each in self._commit(commit).parent_ids if not is_shallow or each in repository]

    def deltas(self, old: str, new: str) -> Iterator[Delta]:
        """Iterate over the paths at which two commits differ.

        Entry by entry, so that who asks can stop at the first that matters: for most commits libgit2's own comparison,
        which begins with 0.1 ms, takes longer.
        """
        pending = [("", self._commit(old).tree, self._commit(new).tree)]
        while pending:
            prefix, before, after = pending.pop()
            known = {entry.name: entry for entry in before or ()}
            for entry in after or ():
                was = known.pop(entry.name, None)
                if was is not None and was.id == entry.id and was.filemode == entry.filemode:
                    continue
                yield from self._differing(f"{prefix}{entry.name}", was, entry, pending)
            for was in known.values():
                yield from self._differing(f"{prefix}{was.name}", was, None, pending)

    def _differing(self, path: str, old: Any, new: Any, pending: list[tuple[str, Any, Any]]) -> Iterator[Delta]:
        """Give what differs at a path, but put folders with those that are still to be compared."""
        old_folder, new_folder = (
            entry if entry is not None and entry.type_str == "tree" else None for entry in (old, new)
        )
        if (old_folder is not None or new_folder is not None) and self._enters(path):
            pending.append((f"{path}/", old_folder, new_folder))
        before = _side(old) if old is not None and old_folder is None else None
        after = _side(new) if new is not None and new_folder is None else None
        if before or after:
            yield Delta(path, before, after)

    def _commit(self, oid: str) -> Any:
        if oid not in self._at_hand:
            if len(self._at_hand) >= _MOST_AT_HAND:
                self._at_hand.clear()
            self._at_hand[oid] = self._repository[oid]
        return self._at_hand[oid]


def _side(entry: Any) -> tuple[int, str]:
    return entry.filemode, str(entry.id)


def files(repository: Any, commit: str, suffix: str) -> Iterator[tuple[str, str, Callable[[], bytes]]]:
    """Iterate over the files at a commit whose names end so: path, object id, and what reads the content."""
    pending: list[tuple[str, Any]] = [("", repository[commit].tree)]
    while pending:
        prefix, tree = pending.pop()
        for entry in tree:
            path = f"{prefix}{entry.name}"
            if entry.type_str == "tree":
                pending.append((f"{path}/", entry))
            elif entry.type_str == "blob" and path.endswith(suffix):
                yield path, str(entry.id), entry.read_raw
