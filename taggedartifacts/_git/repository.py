"""One git repository through libgit2: its HEAD, what differs from it, its history, objects and ignore rules."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .._errors import RepositoryError
from .._hashing import SETTLED
from .command import Candidates, CommandRepository, folders_with_git, git, stand_in
from .index import (
    SAMPLE,
    Kept,
    Told,
    hidden_entries,
    is_on,
    is_stale,
    other_paths,
    processors,
    shares,
    stamp_of,
    stored,
)
from .trees import History, files, last_commit, links

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    import pygit2

    from .trees import Delta, Stored


@contextmanager
def reading(root: str) -> Iterator[None]:
    """Turn what libgit2 and the disk complain of into a `RepositoryError` that names the repository."""
    import pygit2  # 90 ms: only when a function is decorated

    try:
        yield
    except RepositoryError:
        raise
    # libgit2's "not found" comes as KeyError, its "invalid" as ValueError.
    except (pygit2.GitError, KeyError, ValueError, OSError) as error:
        raise RepositoryError(
            f"the repository of {root} cannot be read: {error}; see what 'git fsck' and 'git status' say there"
        ) from error


def find_repository(start: str) -> Repository | CommandRepository | None:
    """Open the repository that holds a directory, through libgit2 or, where that refuses, the ``git`` command.

    Raises:
        RepositoryError: If there is one, but it is bare, belongs to somebody else, or nothing here can read it.
    """
    import pygit2  # 90 ms: only when a function is decorated

    found = _discover(start, os.environ.get("GIT_CEILING_DIRECTORIES", ""))
    if found is None:
        return None
    try:
        opened = _open(start)
        if _is_partial(opened):
            return stand_in(start, found, "it is a partial clone")
        if not opened.is_bare:
            repository = Repository(opened, start)
            len(opened.index)  # the index too can have a format that libgit2 refuses
            return repository
    except pygit2.GitError as error:
        return stand_in(start, found, str(error), error)
    raise RepositoryError(
        f"{found} is a bare repository, which has no work tree; run in a clone of it, or pass repo= with a path in one"
    )


def _discover(start: str, ceiling: str) -> str | None:
    """Find the git directory of the repository that holds a directory, below the *ceiling*."""
    import pygit2

    found: str | None = pygit2.discover_repository(start, False, ceiling)
    if found is None and sys.version_info < (3, 12):
        # pygit2 (1.21 still) gives a None that it does not own; after some fifty, the process aborts when it ends.
        with suppress(ImportError):  # not every build has it
            import ctypes

            ctypes.pythonapi.Py_IncRef(ctypes.py_object(None))
    return found


def _is_partial(opened: pygit2.Repository) -> bool:
    """Say whether the repository leaves objects at a remote until they are asked for, as a partial clone does."""
    return any(is_on(opened, f"remote.{name}.promisor") for name in opened.remotes.names())


def _open(start: str) -> pygit2.Repository:
    """Open the repository that holds a directory; its work tree is the folder that holds ``.git``, as git has it.

    Opened by the git directory, libgit2 would take the folder where that lies, which may be quite another one.
    """
    import pygit2

    opened = pygit2.Repository(start)
    if os.path.exists(os.path.join(opened.path, "commondir")):
        # A linked worktree. Its git directory says where it was made; it may have been copied or moved since.
        for folder in folders_with_git(start):
            if _discover(folder, os.path.dirname(folder)) == opened.path:
                if folder != os.path.realpath(opened.workdir):
                    opened.workdir = folder
                break
    return opened


class Repository:
    """A repository that libgit2 can read. Short-lived: open it, ask, drop it; it sees the disk as it stands."""

    def __init__(self, opened: pygit2.Repository, start: str) -> None:
        self.kept = Kept()
        """Where to keep what HEAD and the index alone tell."""
        self._opened = opened
        self._start = os.path.realpath(start)
        self.root = os.path.realpath(opened.workdir)
        self._index_file = os.path.join(opened.path, "index")
        # Before the index is read: what is read may be newer, and never older.
        self._stamp = stamp_of(self._index_file)

    @cached_property
    def head(self) -> str:
        """Full hex of the commit at HEAD."""
        if self._opened.head_is_unborn:
            raise RepositoryError(f"{self.root} has no commit yet; commit the code: git add, git commit")
        return str(self._opened.head.target)

    def candidates(self, within: Collection[str] | None = None) -> Candidates:
        """Find the paths that may differ from HEAD, staged or not, hidden from status or not.

        Two index diffs, as status makes them; a straight ``diff("HEAD")`` reads every file again. What HEAD and the
        index alone tell is remembered while neither has moved: a notebook asks again for each cell.

        Args:
            within: Files, and folders with all below them, to which the comparison with the work tree may be
                restricted; None for none. What is found elsewhere need not be all.
        """
        told = self._tell()
        if is_on(self._opened, "core.ignorecase"):  # git orders and finds paths in another way
            paths = _compare(self._opened, [])
        elif within is None:
            paths = self._differing(self._shares(told))
        else:
            paths = _compare(self._opened, list(_encoded(within)))
        return told.staged._replace(paths=told.staged.paths | (paths - told.staged.submodules))

    @property
    def others(self) -> tuple[str, ...] | None:
        """The paths in the index that do not end in ``.py``, or have no other name; None where they are many."""
        return self._tell().others

    def _tell(self) -> Told:
        told = self.kept.told
        if told is None or told.stamp != self._now():
            told = self.kept.told = self._recall() or self.kept.keep(self._ask_index())
        return told

    def _now(self) -> tuple[object, ...]:
        return (self.head, is_on(self._opened, "core.sparsecheckout"), *self._stamp)

    def _recall(self) -> Told | None:
        """Find what another process was told, if neither HEAD nor the index has moved since."""
        text = self.kept.read()
        with suppress(ValueError, TypeError):  # of another form
            if text and (told := Told.from_text(text)).stamp == self._now() and not self._is_stale():
                return told
        return None

    def _ask_index(self) -> Told:
        """Find what HEAD and the index alone tell; brings the times in the index up to date if they are stale."""
        from pygit2.enums import DiffOption
        from pygit2.ffi import ffi

        if self._is_stale():
            self._refresh()
        asked, now, index = time.time_ns(), self._now(), self._opened.index
        entries = self._entries()
        found = hidden_entries(entries, ffi.string, is_sparse=is_on(self._opened, "core.sparsecheckout"))
        others = other_paths(entries, ffi.string)
        diff = index.diff_to_tree(self._opened[self.head].tree, flags=DiffOption.INCLUDE_TYPECHANGE)
        found.paths.update(_paths_in(diff) - found.submodules)
        for sides in index.conflicts or ():
            found.paths.update(os.fsdecode(side.path) for side in sides if side is not None)
        is_settled = max(self._stamp[:2], default=asked) < asked - SETTLED
        return Told(now, found, others, is_settled=is_settled)

    def _shares(self, told: Told) -> list[list[bytes]]:
        """Divide the index among the threads that compare it with the work tree."""
        from pygit2.ffi import ffi

        if told.shares is None:
            paths = [ffi.string(entry.path) for entry in self._entries()]
            told = self.kept.keep(told._replace(shares=shares(paths, processors())))
        return told.shares or [[]]

    def _entries(self, step: int = 1) -> list[Any]:
        """List the entries of the index, or of each *step* the first."""
        from pygit2.ffi import C

        index = self._opened.index
        return [C.git_index_get_byindex(index._index, position) for position in range(0, len(index), step)]

    def _is_stale(self) -> bool:
        """Judge by a sample whether the index holds the times of other files than those in the work tree."""
        from pygit2.ffi import ffi

        return is_stale(self._entries(max(1, len(self._opened.index) // SAMPLE)), ffi.string, self.root)

    def _refresh(self) -> None:
        """Bring the times in the index up to date, so that only the first look reads every file."""
        import pygit2

        index = self._opened.index
        if git(self.root, "update-index", "-q", "--refresh") is None and not shutil.which("git"):
            # The command locks the index before it reads it; libgit2 does not, so it only stands in where no git
            # can be changing the index meanwhile.
            flags = pygit2.enums.DiffOption.IGNORE_SUBMODULES | pygit2.enums.DiffOption.UPDATE_INDEX
            with suppress(pygit2.GitError):  # a lock that is held, or nowhere to write: judge without
                index.diff_to_workdir(flags)
        self._stamp = stamp_of(self._index_file)
        index.read(False)

    def _differing(self, divided: list[list[bytes]]) -> set[str]:
        """Compare the index with the work tree, each share in a thread of its own.

        To ask the system for the times of each file is most of the work, which git too does in several threads.
        """
        import pygit2

        found: list[set[str]] = []

        def compare(share: list[bytes]) -> None:
            # What is not found here is found below, where an error can be raised.
            with suppress(pygit2.GitError, KeyError, ValueError, OSError):
                found.append(_compare(_open(self._start), share))

        started = []
        with suppress(RuntimeError):  # no more threads are to be had
            for share in divided[1:]:
                thread = threading.Thread(target=compare, args=(share,))
                thread.start()
                started.append(thread)
        paths = _compare(self._opened, divided[0])
        for thread in started:
            thread.join()
        # An index that was replaced meanwhile may have been read by some of them and not by others.
        if len(found) < len(divided) - 1 or (started and stamp_of(self._index_file) != self._stamp):
            return _compare(self._opened, [])
        return paths.union(*found)

    def in_index(self, path: str) -> bool:
        """Say whether the path is tracked, and not in a conflict."""
        try:
            # A new object each time, in 30 µs: one that is kept would outlive pygit2, which then complains on stderr.
            self._opened.index[path]
        except KeyError:
            return False
        return True

    @property
    def index(self) -> tuple[str, tuple[int, ...]]:
        """The file of the index, and its stamp from before it was read."""
        return self._index_file, self._stamp

    def tracked(self) -> list[str]:
        """List the paths in the index."""
        return [entry.path for entry in self._opened.index]

    def entry(self, commit: str, path: str) -> tuple[int, str] | None:
        """Mode and object id of a path at a commit, or None."""
        try:
            found = self._opened[commit].tree[path]
        except KeyError:
            return None
        return found.filemode, str(found.id)

    def stored(self, path: str, known: int | None = None) -> Stored | None:
        """Say how git would store what stands at the path in the work tree; None for no file."""
        return stored(self._opened, self.root, path, known)

    def is_ignored(self, path: str) -> bool:
        """Say whether git is told to ignore the path."""
        try:
            return self._opened.path_is_ignored(path)
        except UnicodeEncodeError:  # pygit2 1.21 takes no other names; not ignored means that it counts
            return False

    def last_commit(self, commit: str, matters: Callable[[Delta], bool], enters: Callable[[str], bool] = bool) -> str:
        """Find the last commit, from *commit* on, that changed something that matters.

        Args:
            commit: Where to begin.
            matters: Says whether a difference is one of the code.
            enters: Says whether there can be code below a folder.
        """
        history = History(self._opened, enters)
        return last_commit(commit, history.parents, history.deltas, matters)

    def deltas(self, old: str, new: str) -> Iterator[Delta]:
        """Iterate over the paths at which two commits differ."""
        return History(self._opened, bool).deltas(old, new)

    def blob(self, oid: str) -> bytes:
        """Content of a blob."""
        return self._opened[oid].read_raw()

    def links(self, tree: str) -> list[str]:
        """List the symbolic links in a tree and below, by their paths from there."""
        return links(self._opened, tree)

    def remotes(self) -> dict[str, str]:
        """URLs of the remotes, by name."""
        return {remote.name: remote.url for remote in self._opened.remotes if remote.name and remote.url}

    def files(self, commit: str, suffix: str) -> Iterator[tuple[str, str, Callable[[], bytes]]]:
        """Iterate over the files at a commit whose names end so: path, object id, and what reads the content."""
        return files(self._opened, commit, suffix)

    def subjects_between(self, old: str, new: str) -> list[tuple[str, str]]:
        """Commits reachable from *new* and not from *old*, newest first: full hex and first line of the message."""
        walker = self._opened.walk(new)
        walker.hide(old)
        return [(str(commit.id), commit.message.partition("\n")[0]) for commit in walker]

    def is_reachable(self, commit: str) -> bool:
        """Say whether the commit is in the history of any branch, remote branch or tag, or of HEAD."""
        import pygit2

        tips = {self.head}
        for name in self._opened.listall_references():
            with suppress(KeyError, ValueError, pygit2.GitError):  # a dangling symbolic ref; a tag of a tree
                tips.add(str(self._opened.lookup_reference(name).peel(pygit2.Commit).id))
        return self.exists(commit) and any(tip == commit or self._opened.descendant_of(tip, commit) for tip in tips)

    def exists(self, oid: str) -> bool:
        """Say whether the repository holds the object; *oid* may be abbreviated."""
        try:
            return oid in self._opened
        except ValueError:  # no object id, or too short to be one object's
            return False

    @property
    def is_shallow(self) -> bool:
        """Whether the older part of the history is not there, as after ``git clone --depth``."""
        return bool(self._opened.is_shallow)


def difference(old: bytes, new: bytes) -> bytes:
    """What a patch says between two contents, behind the names: hunks, or the whole of it where one is binary."""
    import pygit2

    patch = pygit2.Patch.create_from(old, new, flag=pygit2.enums.DiffOption.SHOW_BINARY).data
    hunks = patch.find(b"\n@@ ")
    return patch[(hunks if hunks >= 0 else patch.find(b"\nGIT binary patch\n")) + 1 :]


def _encoded(paths: Collection[str]) -> Iterator[bytes]:
    """Write paths as git has them; what the system has no bytes for is no file."""
    for path in paths:
        with suppress(UnicodeEncodeError):
            yield os.fsencode(path)


def _compare(opened: pygit2.Repository, below: list[bytes]) -> set[str]:
    """Compare the index with the work tree below some paths, or everywhere; pygit2's own method takes no paths."""
    import pygit2
    from pygit2.enums import DiffOption
    from pygit2.errors import check_error
    from pygit2.ffi import C, ffi

    # Each as a folder too: of a name without a slash, libgit2 1.9 passes over what lies below it once it has met
    # another path that begins with the name, as "data-old.csv" does with "data".
    names = [ffi.new("char[]", name) for path in below for name in (path, path + b"/")]
    strings = ffi.new("char *[]", names)
    options, found = ffi.new("git_diff_options *"), ffi.new("git_diff **")
    check_error(C.git_diff_options_init(options, 1))
    options.flags = DiffOption.IGNORE_SUBMODULES | DiffOption.DISABLE_PATHSPEC_MATCH
    options.pathspec.strings, options.pathspec.count = strings, len(names)
    check_error(C.git_diff_index_to_workdir(found, opened._repo, opened.index._index, options))
    return _paths_in(pygit2.Diff.from_c(bytes(ffi.buffer(found)[:]), opened))


def _paths_in(diff: Any) -> set[str]:
    return {os.fsdecode(file.raw_path) for delta in diff.deltas for file in (delta.old_file, delta.new_file)}
