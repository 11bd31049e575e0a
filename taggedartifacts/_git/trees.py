"""Commits and trees as they lie in history: which commit changed the code, and what a commit holds.

Takes the objects of pygit2 and does not import it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

NOTEBOOK = ".ipynb"


def last_commit(repository: Any, commit: str, paths: Sequence[str]) -> str:
    """Find the commit that ``git log -1 -- <paths>`` names, where notebooks are no code.

    Follows the first parent whose code in scope is the same, which is git's default simplification of history. A
    notebook counts only if *paths* names it.
    """
    current: Any = repository[commit]
    code = _entries(current.tree, paths)
    while True:
        for parent in current.parents:
            before = _entries(parent.tree, paths)
            if all(map(_same_code, code, before)):
                current, code = parent, before
                break
        else:
            return str(current.id)


def _entries(tree: Any, paths: Sequence[str]) -> list[Any]:
    return [_at(tree, path) for path in paths] if paths else [tree]


def _at(tree: Any, path: str) -> Any:
    try:
        return tree[path]
    except KeyError:
        return None


def _same_code(one: Any, other: Any) -> bool:
    if one is None or other is None:
        present = one or other
        return present is None or (_is_tree(present) and not _holds_code(present))
    if one.id == other.id and one.filemode == other.filemode:
        return True
    if not (_is_tree(one) and _is_tree(other)):
        return False
    before = {entry.name: entry for entry in other}
    for entry in one:
        if not _same_entry(entry, before.pop(entry.name, None)):
            return False
    return all(_same_entry(None, entry) for entry in before.values())


def _same_entry(one: Any, other: Any) -> bool:
    present = [entry for entry in (one, other) if entry is not None]
    if all(not _is_tree(entry) and entry.name.endswith(NOTEBOOK) for entry in present):
        return True
    return _same_code(one, other)


def _holds_code(tree: Any) -> bool:
    return any(_holds_code(entry) if _is_tree(entry) else not entry.name.endswith(NOTEBOOK) for entry in tree)


def _is_tree(entry: Any) -> bool:
    return bool(entry.type_str == "tree")


def files(repository: Any, commit: str, suffix: str) -> Iterator[tuple[str, str, Callable[[], bytes]]]:
    """Iterate over the files at a commit whose names end so: path, object id, and what reads the content."""
    pending: list[tuple[str, Any]] = [("", repository[commit].tree)]
    while pending:
        prefix, tree = pending.pop()
        for entry in tree:
            path = f"{prefix}{entry.name}"
            if _is_tree(entry):
                pending.append((f"{path}/", entry))
            elif entry.type_str == "blob" and path.endswith(suffix):
                yield path, str(entry.id), entry.read_raw
