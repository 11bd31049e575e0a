"""What makes code dirty: what differs from the commit, and the code state and the facts of a look that say so."""

from __future__ import annotations

import os
import re
import stat
import time
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from .._errors import DirtyRepositoryError, RepositoryError
from .._git.command import PATCH_BYTES, CommandRepository, status_of
from .._git.repository import Repository, difference, find_repository
from .._git.trees import SUBMODULE_MODE, Delta, Stored, file_patch
from .._hashing import hexdigest
from .._reach.syntax import module_digest
from .memory import memory
from .scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .._git.command import Candidates
    from .._reach.modules import LoadedFile

# What is wrong with a loaded module whose code is not known any more: its commit could be any, or none.
STALE = "changed after it was loaded: reload it, or start again"
_LISTED = 10


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that makes the code dirty: a path, and what is wrong with it.

    Attributes:
        path: Relative to the root.
        what: What is wrong with it.
        mode: Mode of what stands there; 0 for nothing.
        oid: Its object id.
        patch: The difference from the commit as a patch.
        is_layout: Whether it differs in comments and layout of Python code alone.
    """

    path: str
    what: str
    mode: int = field(default=0, compare=False, repr=False)
    oid: str = field(default="", compare=False, repr=False)
    patch: bytes | None = field(default=None, compare=False, repr=False)
    is_layout: bool = field(default=False, compare=False, repr=False)

    def below(self, folder: str) -> Change:
        """Return what it is to the repository around its own: in the folder, and out of reach of a patch."""
        return replace(self, path=folder + self.path, patch=None)


@dataclass(frozen=True)
class CodeState:
    """The commit and the uncommitted changes of the code that runs.

    Attributes:
        commit: Full hex of the last commit that changed the code in scope; where ``TAGGEDARTIFACTS_COMMIT`` stands in
            for a repository, what it says, which may be abbreviated to 10 digits or more.
        dirty: Full digest (32 hex digits) of the changes, or None when there are none.
        root: Absolute path of the work tree's root, or None where there is no repository.
        scope: Which paths are the code.
        digest: Digest of what the commit holds in the scope; None where there is no repository.
        changes: What makes it dirty.
        patch: The changes as ``git apply`` takes them, while dirty and not too large.
        modules: Loaded modules that git ignores, by path relative to the root: digest of their content.
        remote: URL of the remote, without credentials.
    """

    commit: str
    dirty: str | None = None
    root: str | None = None
    scope: Scope = field(default_factory=Scope)
    digest: str | None = None
    changes: tuple[Change, ...] = ()
    patch: bytes | None = None
    modules: Mapping[str, str] = field(default_factory=dict)
    remote: str | None = None

    def listed(self, line: str) -> list[str]:
        """List what makes it dirty, or the beginning of that: *line* filled with each ``path`` and ``what``."""
        lines = [line.format(path=change.path, what=change.what) for change in self.changes[:_LISTED]]
        more = len(self.changes) - _LISTED
        return [*lines, f"and {more} more"] if more > 0 else lines

    def refusal(self, function: str) -> DirtyRepositoryError:
        """Build the error that refuses to run *function* on this state."""
        whole = f"\n(all of the repository counts, since {self.scope.reasons[0]})" if self.scope.reasons else ""
        data = next((each.path for each in self.changes if self._may_be_left_out(each.path)), None)
        return DirtyRepositoryError(
            f"{function}: the code in {self.root} is not what its commit {self.commit[:10]} holds:\n"
            + "\n".join(f"  {line}" for line in self.listed("{path}: {what}"))
            + whole
            + "\nCommit it or stash it, or pass allow_dirty=True to work with a tag that says dirty (in tests, set "
            "TAGGEDARTIFACTS_ALLOW_DIRTY=1)."
            + (
                f" If {data} does not decide the result, scope= can name what does beside the imported modules"
                if data
                else ""
            )
        )

    def _may_be_left_out(self, path: str) -> bool:
        """Say whether ``scope=`` can leave out a path: not what imports reach, which always counts."""
        return path not in self.scope.files and (self.scope.is_whole or not path.endswith(".py"))


REGULAR = 0o10  # the first four bits of the mode of a regular file
# Before an address there may be helpers, as in "gcrypt::https://…"; what these take otherwise can be a whole command.
_HELPERS = re.compile(r"(?:[\w+.-]+::)*")
_URL = re.compile(r"((?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//)(?:[^/?#]*@)?([^?#]*)(.*)")
_SHORT = re.compile(r"(git@)?(?:(?<!@)[^/?#@]*@)?([^?#]*)(.*)")  # "git@host:path"; git reads no password there
_SECRET = re.compile(r"[@\s]|%(?:25)*(?:40|3[fF])")  # also as it stands in a URL within a URL


class Facts(NamedTuple):
    """What a look found in the repository, as plain data.

    Attributes:
        root: Root of the work tree.
        heads: The commits checked out, by the prefix of the paths that they hold; "" is the repository itself.
        commit: The last one that changed the scope.
        scope: Which paths are the code.
        digest: Digest of what the commit holds in the scope.
        own: Paths of the function's own file, which is always in scope.
        untracked: Files that imports reach and no commit holds.
        changes: What differs from the commit, by path.
        remote: URL of the remote, without credentials.
        foreign: Digests of what counts beside the repository: the function's own file if that is not there, the
            package if that is installed, and the commits of further repositories.
        generated: Version files that the build writes from git: they are left out.
        taken: When the look was taken, in seconds since the epoch.
    """

    root: str
    heads: Mapping[str, str]
    commit: str
    scope: Scope
    digest: str
    own: tuple[str, ...]
    untracked: tuple[str, ...]
    changes: Mapping[str, Change]
    remote: str | None
    foreign: Mapping[str, str]
    generated: frozenset[str]
    taken: float


class Status:
    """What differs from HEAD in one repository at one moment; what was asked once is answered the same again.

    Args:
        repository: The repository.
        head: The commit to compare with; by default that at HEAD.

    Attributes:
        repository: The repository.
        head: The commit that it is compared with.
        taken: When it was begun, in seconds since the epoch.
        loaded: The modules that were loaded at that moment. What is loaded later may have been edited in between.
        facts: What was found of scopes in it, by what they start from.
    """

    def __init__(self, repository: Repository | CommandRepository, head: str | None = None) -> None:
        self.repository = repository
        if isinstance(repository, Repository):
            repository.kept = memory(repository.root)
        self.taken = time.time()
        self.head = head or repository.head
        self.loaded: Mapping[tuple[str, str], LoadedFile] | None = None
        self.facts: dict[object, Any] = {}
        self._found: dict[frozenset[str] | None, Candidates] = {}
        self._judged: dict[str, Change | None] = {}
        self._submodules: dict[str, Status | None] = {}

    def _candidates(self, within: frozenset[str] | None = None) -> Candidates:
        found = self._found.get(None) or self._found.get(within)
        if found is None:
            found = self.repository.candidates(within)
            if self.head != self.repository.head:
                since = {delta.path for delta in self.repository.deltas(self.head, self.repository.head)}
                found = found._replace(paths=found.paths | since)
            self._found[within] = found
        return found

    def _any(self, path: str) -> Candidates:
        """Return candidates that tell of a path what the index tells of it."""
        return next(iter(self._found.values()), None) or self._candidates(frozenset((path,)))

    def may_differ(self, path: str) -> bool:
        """Say whether a path may differ from the commit."""
        return path in self._candidates(frozenset((path,))).paths

    def collect(
        self,
        wanted: Callable[[str], bool],
        wanted_submodule: Callable[[str], bool] | None = None,
        within: frozenset[str] | None = None,
    ) -> tuple[dict[str, Change], dict[str, str]]:
        """Judge the wanted paths, and the wanted submodules.

        Args:
            wanted: Says whether a path is wanted.
            wanted_submodule: Says whether a submodule is.
            within: Files and folders that hold all the paths that are wanted, to save looking elsewhere.

        Returns:
            What differs, by path; and the commits checked out, by the prefix of paths that they hold: "" is the
            repository itself, "vendor/lib/" a submodule.
        """
        paths, submodules, _ = self._candidates(within)
        changes, heads = {}, {"": self.head}
        for path in sorted(paths - submodules):
            if wanted(path) and (found := self.judge(path)) is not None:
                changes[path] = found
        for path in sorted(submodules):
            if (wanted_submodule or wanted)(path):
                inner = self._submodule(path)
                if (moved := self._moved(path, inner)) is not None:
                    changes[path] = moved
                if inner is not None:
                    below, commits = inner.collect(Scope().holds)  # no notebooks there either
                    changes |= {f"{path}/{name}": found.below(f"{path}/") for name, found in below.items()}
                    heads |= {f"{path}/{prefix}": commit for prefix, commit in commits.items()}
        return changes, heads

    def last_commit(self, key: str, search: Callable[[], str]) -> str:
        """Tell the last commit that changed what a key names; *search* finds it where it is not remembered.

        In a shallow clone it depends on how much of the history is there, so it is searched each time.
        """
        if self.repository.is_shallow:
            return search()
        return memory(self.repository.root).commit(f"{self.head} {key}", search)

    def is_tracked(self, path: str) -> bool:
        """Say whether git knows the path, at HEAD or in the index."""
        repository = self.repository
        return repository.in_index(path) or repository.entry(self.head, path) is not None

    def judge(self, path: str) -> Change | None:
        """Judge one path; None if it does not differ."""
        if path not in self._judged:
            self._judged[path] = self._compare(path)
        return self._judged[path]

    def _compare(self, path: str) -> Change | None:
        repository = self.repository
        before = repository.entry(self.head, path)
        tracked = repository.in_index(path)
        now = repository.stored(path, before[0] if before else None)
        if now is None and (before is None or path in self._any(path).sparse):
            return None
        if now is None:
            what = "deleted"
        elif now.doubt:
            what = now.doubt
        elif before is None:
            what = "added, not committed"
        elif not tracked:
            what = "in a merge conflict, or removed from the index"
        elif (now.mode, now.oid) == before:
            return None
        elif now.mode >> 12 != before[0] >> 12:
            what = "of another type"
        else:
            what = "modified" if now.oid != before[1] else "of another mode"
        return Change(
            path,
            what,
            now.mode if now else 0,
            now.oid if now else "",
            self._patch(path, before, now),
            is_layout=tracked and self._is_layout(path, before, now),
        )

    def _is_layout(self, path: str, before: tuple[int, str] | None, now: Stored | None) -> bool:
        if before is None or now is None or before[0] != now.mode or now.content is None:
            return False
        return same_syntax(self.repository, Delta(path, before, (now.mode, now.oid)), now.content)

    def new_file(self, path: str, what: str) -> Change | None:
        """Judge a path that no commit holds as something that counts; None if it is no file."""
        now = self.repository.stored(path)
        return now and Change(path, now.doubt or what, now.mode, now.oid, self._patch(path, None, now))

    def _patch(self, path: str, before: tuple[int, str] | None, now: Stored | None) -> bytes | None:
        if (before and before[0] == SUBMODULE_MODE) or (now and now.content is None):
            return None
        old = Stored(*before, self.repository.blob(before[1])) if before else None
        if old and len(old.content or b"") > PATCH_BYTES:
            return None
        return file_patch(os.fsencode(path), old, now, difference)

    def _submodule(self, path: str) -> Status | None:
        if path not in self._submodules:
            folder = os.path.join(self.repository.root, path)
            is_here = os.path.exists(os.path.join(folder, ".git")) and not os.path.islink(folder)
            inside = find_repository(folder) if is_here else None
            # With a .git that is none, what is found is the repository around it.
            is_own = inside is not None and os.path.samefile(inside.root, folder)
            self._submodules[path] = Status(inside) if inside and is_own else None
        return self._submodules[path]

    def _moved(self, path: str, inner: Status | None) -> Change | None:
        if inner is None:
            info = status_of(os.path.join(self.repository.root, path))
            # A folder without a repository was never checked out; anything else is judged as a file is, or its absence.
            return None if info and stat.S_ISDIR(info.st_mode) else self.judge(path)
        before = self.repository.entry(self.head, path)
        if before == (SUBMODULE_MODE, inner.repository.head):
            return None
        what = "a submodule at another commit" if before else "a new submodule, not committed"
        return Change(path, what, SUBMODULE_MODE, inner.repository.head)


def open_again(root: str, prefix: str = "") -> Repository | CommandRepository:
    """Open the repository that was looked at, or the submodule whose paths have the prefix.

    Raises:
        RepositoryError: If it is there no more.
    """
    repository = find_repository(os.path.join(root, prefix))
    if repository is None:
        raise RepositoryError(f"{root} is no git repository any more; what it held is not known")
    return repository


def same_syntax(repository: Repository | CommandRepository, delta: Delta, content: bytes | None = None) -> bool:
    """Say whether two versions of a Python file differ in comments and layout alone.

    Args:
        repository: Where they are stored.
        delta: The two.
        content: The newer one, where the repository does not hold it.
    """
    path, old, new = delta
    if old is None or new is None or old[0] != new[0] or not path.endswith(".py") or old[0] >> 12 != REGULAR:
        return False
    known = memory(repository.root)

    def digest(oid: str, text: bytes | None) -> str:
        return known.syntax(oid, lambda: module_digest(repository.blob(oid) if text is None else text) or "")

    before = digest(old[1], None)
    return before != "" and before == digest(new[1], content)


def in_order(changes: Iterable[Change]) -> list[Change]:
    """Sort changes by their paths."""
    return sorted(changes, key=attrgetter("path"))


def digest_of(changes: Iterable[Change]) -> str | None:
    """Digest the paths that differ and what stands there; None if there are none. The same on every clone."""
    parts = [b"%o %s %s\0" % (each.mode, each.oid.encode(), os.fsencode(each.path)) for each in in_order(changes)]
    return hexdigest(b"".join(parts)) if parts else None


def patch_of(changes: Iterable[Change]) -> bytes | None:
    """Join the patches; None if there is nothing to patch, one cannot be had, or they are too large together."""
    parts = [each.patch for each in in_order(changes)]
    known = [part for part in parts if part is not None]
    if not parts or len(known) < len(parts) or sum(map(len, known)) > PATCH_BYTES:
        return None
    return b"".join(known)


def remote_url(repository: Repository | CommandRepository) -> str | None:
    """URL of ``origin``, or of the only remote, without user names, passwords and tokens."""
    remotes = repository.remotes()
    url = remotes.get("origin") or (next(iter(remotes.values())) if len(remotes) == 1 else None)
    if url is None:
        return None
    address = url.strip()
    if os.path.isabs(address) and not address.startswith("//"):
        return address
    prefix = _HELPERS.match(address)[0]  # type: ignore[index]  # nothing matches it, too
    parts = _URL.fullmatch(address, len(prefix)) or (None if prefix else _SHORT.fullmatch(address))
    if parts is None:
        return prefix or None
    start, shown, dropped = parts.groups(default="")
    # What looks like a secret after all, as one with a slash in it, leaves nothing to be told.
    return None if _SECRET.search(shown + dropped) else f"{prefix}{start}{shown}"
