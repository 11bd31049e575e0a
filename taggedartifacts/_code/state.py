"""What a code state says: a commit, and what in the work tree makes the code another than that commit's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .._errors import DirtyRepositoryError
from .scope import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

# What is wrong with a loaded module whose code is not known any more: its commit could be any, or none.
STALE = "changed after it was loaded: reload it, or start again"
_LISTED = 10


@dataclass(frozen=True)
class Change:
    """One thing that makes the code dirty: a path relative to the root, and what is wrong with it."""

    path: str
    what: str


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
