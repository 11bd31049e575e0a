"""Commits and trees as they lie in history: which commit changed the code, what a commit holds, and patches.

Takes the objects of pygit2 and does not import it.

A patch is a change of one path, as bytes that ``git apply`` takes. What stands between the contents is written by
libgit2, the head by hand. ``pygit2.Patch`` (1.21) takes no name that is not UTF-8 and no mode, so it can write no new
mode, no executable file and no link; and it leaves out the tab behind a name with spaces, without which ``patch`` cuts
such a name short.

Source of the format: "Generating patch text with -p" in git-diff(1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

LINK_MODE, SUBMODULE_MODE, TREE_MODE = 0o120000, 0o160000, 0o040000
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


class Stored(NamedTuple):
    """A path as git stores it, or would store it: mode, object id, content unless large, why that is in doubt."""

    mode: int
    oid: str
    content: bytes | None = None
    doubt: str | None = None


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
    for path, entry in _entries(repository[commit].tree):
        if entry.type_str == "blob" and path.endswith(suffix):
            yield path, str(entry.id), entry.read_raw


def links(repository: Any, tree: str) -> list[str]:
    """List the symbolic links in a tree and below, by their paths from there."""
    return [path for path, entry in _entries(repository[tree]) if entry.filemode == LINK_MODE]


def _entries(tree: Any) -> Iterator[tuple[str, Any]]:
    """Iterate over what a tree and those below it hold beside trees, with the paths from there."""
    pending = [("", tree)]
    while pending:
        prefix, folder = pending.pop()
        for entry in folder:
            if entry.type_str == "tree":
                pending.append((f"{prefix}{entry.name}/", entry))
            else:
                yield f"{prefix}{entry.name}", entry


_QUOTED = re.compile(rb'[\x00-\x1f"\\\x7f]')
_TYPE = 0o170000


def file_patch(
    path: bytes, old: Stored | None, new: Stored | None, difference: Callable[[bytes, bytes], bytes]
) -> bytes:
    """Write the patch that takes a path from *old* to *new*, where None is its absence.

    Args:
        path: The path relative to the root.
        old: What the commit holds.
        new: What the work tree holds.
        difference: Gives what a patch says between two contents: hunks, or what stands for binary content.
    """
    if old and new and old.mode & _TYPE != new.mode & _TYPE:
        return file_patch(path, old, None, difference) + file_patch(path, None, new, difference)
    lines = [b"diff --git %s %s\n" % (_name(b"a/", path), _name(b"b/", path))]
    if old is None and new is not None:
        lines.append(b"new file mode %o\n" % new.mode)
    elif new is None and old is not None:
        lines.append(b"deleted file mode %o\n" % old.mode)
    elif old and new and old.mode != new.mode:
        lines.append(b"old mode %o\nnew mode %o\n" % (old.mode, new.mode))
    before, after = ((side and side.content) or b"" for side in (old, new))
    known = old or new
    none = "0" * len(known.oid) if known else ""
    oids = (old.oid if old else none).encode(), (new.oid if new else none).encode()
    if oids[0] != oids[1]:
        same_mode = b" %o" % old.mode if old and new and old.mode == new.mode else b""
        lines.append(b"index %s..%s%s\n" % (*oids, same_mode))
    if before != after:
        body = difference(before, after)
        if body.startswith(b"@@ "):
            names = _name(b"a/", path) if old else b"/dev/null", _name(b"b/", path) if new else b"/dev/null"
            # A tab behind a name with spaces, as git writes it, or the name would end at the first of them.
            tab = b"\t" if b" " in path else b""
            lines.append(b"--- %s%s\n+++ %s%s\n" % (names[0], tab, names[1], tab))
        lines.append(body)
    return b"".join(lines)


def _name(prefix: bytes, path: bytes) -> bytes:
    if not _QUOTED.search(path):
        return prefix + path
    return b'"%s%s"' % (prefix, _QUOTED.sub(lambda found: b"\\%03o" % found[0][0], path))
