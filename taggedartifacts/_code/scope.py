"""The scope: which paths of the repository are the code that decides a result.

By itself, it is three things: the files that imports reach (P), the places where an import looked and found nothing
(N), and tracked files that are data or settings (X, `kinds`). Where a file of P hides what it uses, all of the
repository is the code. ``scope=`` puts paths of the user's in the place of X, and then nothing falls back.
"""

from __future__ import annotations

import enum
import logging
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .._errors import ScopeError
from .._git.trees import SUBMODULE_MODE
from .._hashing import hexdigest
from .._reach.closure import Closure, closure
from .._reach.places import is_probed, probed
from . import kinds
from .settings import FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from .._reach.closure import FileTree
    from .settings import Settings

_log = logging.getLogger("taggedartifacts")

TYPED = "<typed>"
"""Stands for code that is no file of the work tree, in its root: what it imports is followed, and it counts nowhere."""


class Kind(enum.Enum):
    """How a scope was found."""

    AUTOMATIC = "automatic"
    PATHS = "paths"
    WHOLE = "whole repository"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which paths of a repository are the code.

    Attributes:
        kind: How it was found.
        files: The files that imports reach, P; of a whole repository the function's own.
        probes: Where an import looked and found nothing, N, without suffix.
        names: Last parts of string literals that name files which would not count by their kind.
        paths: What the user named.
        reasons: Why the whole repository counts, if the user did not say so: ``helpers.py:3 imports subprocess``.
        by_bytes: Whether comments and layout count, since the code reads source files.
        causes: How each file came into the scope.
    """

    kind: Kind = Kind.WHOLE
    files: frozenset[str] = frozenset()
    probes: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    by_bytes: bool = True
    causes: Mapping[str, str | None] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_whole(self) -> bool:
        """Whether all of the repository is the code."""
        return self.kind is Kind.WHOLE

    def listed(self) -> tuple[str, ...]:
        """List the files that imports reach and the paths that the user named; none for a whole repository."""
        return () if self.is_whole else tuple(sorted({*self.files, *self.paths}))

    def holds(self, path: str) -> bool:
        """Say whether a tracked path, relative to the root, is in the scope."""
        if path in self.files:
            return True
        if self.is_whole:
            return not path.endswith(kinds.NOTEBOOK)
        if is_probed(path, self.probes):
            return True
        if self.kind is Kind.PATHS:
            return is_below(path, self.paths)
        return kinds.counts(path, self.names)

    def within(self, others: Iterable[str] | None) -> frozenset[str] | None:
        """Name files and folders that hold all tracked paths of the scope; None for all of the repository.

        Args:
            others: The tracked paths that do not end in ``.py``, or have no other name; None where they are not known.
        """
        if self.is_whole or os.curdir in self.paths:
            return None
        code = {*self.files, *self.paths, *(path.rstrip("/") for path in probed(self.probes))}
        if self.kind is Kind.PATHS:
            return frozenset(code)
        if others is None or any(map(kinds.may_name_source, self.names)):
            return None
        return frozenset(code.union(path for path in others if self.holds(path)))

    def holds_bytes(self, path: str) -> bool:
        """Say whether all that a tracked file holds counts: of a Python file, only its syntax tree may."""
        return self.holds(path) and (self.by_bytes or not path.endswith(".py"))

    def enters(self) -> Callable[[str], bool]:
        """Make the test whether there can be code below a folder: data may lie anywhere."""
        if self.kind is not Kind.PATHS:
            return bool
        above = {folder for path in (*self.files, *self.paths, *self.probes) for folder in _path_and_above(path)}
        open_ended = tuple(probe.rstrip("/") for probe in self.probes if probe.endswith("/"))
        return lambda folder: folder in above or is_below(folder, (*self.paths, *open_ended))

    def holds_module(self, path: str, *, is_script: bool) -> bool:
        """Say whether a loaded module, tracked or not, is in the scope.

        The script that calls is only where imports reach it.
        """
        if path in self.files:
            return True
        return not is_script and (self.is_whole or (self.kind is Kind.PATHS and is_below(path, self.paths)))

    def holds_submodule(self, path: str) -> bool:
        """Say whether a submodule is in the scope: as data, or because a module in it is."""
        return self.holds(path) or any(file.startswith(f"{path}/") for file in self.files)

    def key(self) -> str:
        """Digest all that decides which paths it holds, for what is remembered of it."""
        parts = (self.kind.value, str(self.by_bytes), *self.paths, "", *sorted(self.files), "", *sorted(self.probes))
        return hexdigest("\0".join((*parts, "", *sorted(self.names))).encode(errors="surrogateescape"))

    def digest(self, entry: Callable[[str], tuple[int, str] | None]) -> str:
        """Digest the map from its paths to what a commit holds there.

        What is data by its kind follows from the commit, so it stands there as a rule.

        Args:
            entry: Gives mode and object id of a path at the commit.
        """
        if self.is_whole:
            return hexdigest(b"the whole repository")
        parts = [f"{self.kind.value} {self.by_bytes}", *sorted(self.names)]
        for path in sorted({*self.files, *self.paths}):
            found = entry(path) or _submodule_above(path, entry)
            if found is not None:
                parts.append(f"{found[0]:o} {found[1]} {path}")
        return hexdigest("\0".join(parts).encode(errors="surrogateescape"))

    def chain(self, path: str) -> str:
        """Say how a file came into the scope: ``helpers.py, imported by plots.py``, ``a.csv, which counts as data``."""
        said = path
        if self.reasons and path not in {*self.files, *self.causes}:
            return f"{path}, which counts since {self.reasons[0]}"
        if self.kind is Kind.AUTOMATIC and path not in self.files and not is_probed(path, self.probes):
            return f"{path}, which counts as data"
        while (by := self.causes.get(path)) is not None and by in self.causes:
            path = by
            said += f", imported by {path}"
        return said


def is_below(path: str, paths: Sequence[str]) -> bool:
    """Say whether a path is one of some, or lies below one; a notebook only if it is named."""
    if path in paths:
        return True
    return not path.endswith(kinds.NOTEBOOK) and any(part == os.curdir or path.startswith(f"{part}/") for part in paths)


def checked_paths(scope: Sequence[str] | None) -> tuple[str, ...]:
    """Check the paths that a decorator was given.

    Raises:
        ScopeError: If they are a bare string, which would be taken letter by letter.
    """
    if isinstance(scope, str):
        raise ScopeError(f"scope={scope!r} must be a sequence of paths, as in scope=[{scope!r}]")
    return tuple(scope or ())


def named_paths(
    root: str, given: Sequence[str], settings: Settings, exists: Callable[[str], bool]
) -> tuple[str, ...] | None:
    """Settle the paths that a user names: the decorator's, else the project's; None for the automatic scope.

    Args:
        root: The root of the work tree.
        given: What the decorator was given.
        settings: What the project says.
        exists: Says whether a path relative to the root is there at HEAD.

    Raises:
        ScopeError: If a path lies outside the repository or is not there at HEAD.
    """
    place, paths = ("scope=", given) if given else (os.path.join(root, FILE), settings.scope)
    chosen = set()
    for path in paths:
        relative = os.path.normpath(os.fspath(path))
        if os.path.isabs(relative) or relative.split(os.sep)[0] == os.pardir:
            raise ScopeError(f"{place}: {path!r} lies outside the repository {root}; give paths relative to its root")
        relative = _as_on_disk(relative.replace(os.sep, "/"))  # as git writes paths, on Windows too
        if relative != os.curdir and not exists(relative):
            raise ScopeError(f"{place}: {path!r} is not in the repository {root} at HEAD; correct it, or commit it")
        chosen.add(relative)
    return tuple(sorted(chosen)) or None


def _as_on_disk(path: str) -> str:
    """Write a path as the system gives it, in a locale without its letters too: git stores UTF-8."""
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return os.fsdecode(path.encode())
    return path


def find_scope(paths: tuple[str, ...] | None, tree: FileTree, starts: Iterable[str], roots: Iterable[str]) -> Scope:
    """Find the scope of code that starts from some files.

    Args:
        paths: What the user named, or None.
        tree: The work tree.
        starts: The files of the function, and of what is handed to it.
        roots: The import roots in the work tree.
    """
    starts = tuple(dict.fromkeys(starts))
    if paths is not None and os.curdir in paths:
        return Scope(files=frozenset(starts) - {TYPED}, paths=(os.curdir,))
    found = closure(tree, starts, roots)
    if paths is not None:
        return _scope(found, Kind.PATHS, paths=paths)
    if found.hides:
        reasons = tuple(
            f"what was typed {each.reason}" if path == TYPED else f"{path}:{each.line} {each.reason}"
            for path, each in found.hides
        )
        _log.debug("the whole repository counts for %s, since %s", ", ".join(starts), "; ".join(reasons))
        return Scope(files=frozenset(starts) - {TYPED}, reasons=reasons, causes=found.causes)
    return _scope(found, Kind.AUTOMATIC, names=kinds.named(found.strings))


def recorded_scope(kind: str, paths: Sequence[str], names: Sequence[str], reasons: Sequence[str]) -> Scope:
    """Build a scope again from what a record says of it; it holds what that one held, but for what was not there."""
    found = Kind(kind) if kind in {each.value for each in Kind} else Kind.WHOLE
    files = frozenset(paths) if found is Kind.AUTOMATIC else frozenset()
    return Scope(
        found,
        files,
        names=frozenset(names),
        paths=() if files else tuple(paths),
        reasons=tuple(reasons),
        by_bytes=found is Kind.WHOLE,
    )


def united(one: Scope, other: Scope) -> Scope:
    """Put two scopes of one kind together."""
    return Scope(
        kind=one.kind,
        files=one.files | other.files,
        probes=one.probes | other.probes,
        names=one.names | other.names,
        paths=one.paths,
        by_bytes=one.by_bytes or other.by_bytes,
        causes={**other.causes, **one.causes},
    )


def with_linked(paths: tuple[str, ...], tree: FileTree, links_below: Callable[[str], Iterable[str]]) -> tuple[str, ...]:
    """Add to paths what the links on their way, and those below them, lead to in the work tree.

    Args:
        paths: The paths.
        tree: The work tree.
        links_below: Lists the tracked links below a path.
    """
    found: dict[str, None] = {}
    pending = list(paths)
    while pending:
        path = pending.pop()
        if path not in found:
            found[path] = None
            pending += tree.follow(path)
            pending += [target for link in links_below(path) for target in tree.follow(link)]
    return tuple(sorted(found))


def _scope(found: Closure, kind: Kind, *, paths: tuple[str, ...] = (), names: frozenset[str] = frozenset()) -> Scope:
    return Scope(
        kind=kind,
        files=found.files - {TYPED},
        probes=found.probes,
        names=names,
        paths=paths,
        by_bytes=found.reads_source,
        causes=found.causes,
    )


def _submodule_above(path: str, entry: Callable[[str], tuple[int, str] | None]) -> tuple[int, str] | None:
    """Find the submodule that holds a file: its commit is all that there is of the file in this repository."""
    found = filter(None, map(entry, _path_and_above(path)))
    return next((each for each in found if each[0] == SUBMODULE_MODE), None)


def _path_and_above(path: str) -> Iterator[str]:
    """Iterate over the folders above a path, and the path itself, which may be one."""
    while path:
        yield path
        path = path.rpartition("/")[0]
