"""The moment in a session, which lives for days while its code is committed, edited and loaded again.

The repository is looked at afresh for each cell, and what the session knows beyond it is added: definitions that are
not committed, and older code that is still in use.
"""

from __future__ import annotations

import functools
import inspect
import os
import time
from dataclasses import dataclass, replace
from operator import is_
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakValueDictionary

from .._code.codestate import files_at_head, stamp, take_look
from .._code.dirt import STALE, Change
from .._code.look import Look
from .._errors import RepositoryError, UnhashableError
from .._memory import Memory
from .._reach.location import keep_file
from .._reach.modules import loaded_modules
from .._reach.prompt import is_interactive, shell
from .fingerprint import Definition, definitions_in, moved
from .moment import Moment, View
from .notebooks import SUFFIXES, missing, outlines, stands_in_code
from .reloads import file_digest, module_space, notice, outdated, version

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from .._code.dirt import CodeState
    from .._reach.definition import Source
    from .._reach.survey import Imports
    from .._reach.syntax import Outline
    from .fingerprint import Fingerprint

_SECONDS = 2.0  # for how long a look holds where no shell tells that a new cell is executed
_OUTDATED = "loaded again, while an older version of it is still in use: import it by name again"
_UNCOMMITTED = "defined interactively, and in no notebook at HEAD"

_executions = 0
# Held by the moments that have taken them, so that what a reload has replaced takes its look along.
_looks: WeakValueDictionary[tuple[object, ...], _HeldLook] = WeakValueDictionary()
_roots: set[str] = set()


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What decides whether a look still holds: cells executed, HEAD and index, modules loaded."""

    executions: int
    repository: tuple[object, ...]
    loaded: tuple[object, ...]

    @classmethod
    def take(cls, root: str) -> Self:
        """Take the stamp of a repository as of now."""
        _roots.add(root)
        return cls(_executions, stamp(root), version(root))


@dataclass(frozen=True, slots=True, weakref_slot=True)
class _HeldLook:
    """A look that holds for some time: the repository's root, what stood there, and when it was taken.

    And the files whose older code is still about in the repository's modules, with a digest of each.
    """

    look: Look
    root: str
    stamp: _Stamp
    taken: float
    outdated: Mapping[str, str]


class LiveMoment(Moment):
    """The moment in a session, or of a function that was typed: a look afresh for each cell.

    Can be sent to a worker: there it stays with what the session saw last.

    Args:
        f: The undecorated function.
        repo: A path inside the repository, when it cannot be found from the function.
        scope: Paths relative to the root that are the code, or None for the project's default.
        ignore: Names of globals that do not decide the result of an interactive function.
        reads: Whether the function only reads artifacts: its own code decides nothing about them.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        *,
        repo: str | None,
        scope: Sequence[str] | None,
        ignore: Collection[str] = (),
        reads: bool = False,
    ) -> None:
        interactive = is_interactive(f)
        space = inspect.unwrap(f).__globals__
        self._definition = Definition(f) if interactive and not reads else None
        # VS Code, and %run -i, give __main__ a __file__ that has nothing to do with what is typed.
        self._file: str | None = None if interactive else space.get("__file__")
        if self._file is not None:
            keep_file(space)
        self._space: dict[str, Any] | None = None
        self._digest = ""
        self._repo = repo or (os.getcwd() if self._file is None else None)
        self._scope = scope
        self._ignore = frozenset(ignore)
        self._held: _HeldLook | None = None
        self._sent: View | None = None
        self._known: tuple[Fingerprint, tuple[object, ...], list[tuple[Change, str]]] | None = None
        self._last: tuple[Fingerprint | None, _HeldLook, CodeState, View] | None = None
        root = None
        if self._file is not None:
            self._space = module_space(space)
            self._digest = file_digest(self._file)
            root = _root(take_look(self._file, repo=repo, scope=scope, namespace=self._space))
        if root is not None and self._space is None:
            for name in ("__main__", ""):  # %run executes a script again, and clears what the namespace says of itself
                loaded_modules(root).renew(name)
        _listen(root)

    def root(self) -> str | None:
        """Tell the root of the repository as of now; None where there is none, or none that can be read."""
        return (self._take() if self._sent is None else self._sent.look).root

    def view(self, f: Callable[..., Any]) -> View:
        """Tell what a call of the undecorated function *f* sees now.

        Raises:
            UnhashableError: If an interactive function reads a value that has no canonical form.
        """
        fingerprint = None if self._definition is None else self._definition.fingerprint(self._ignore)
        seen: dict[str, Any] = {}
        if fingerprint is not None:
            seen = {
                "interactive": fingerprint.encoded,
                "executions": _executions,
                "read": fingerprint.read,
                "files": fingerprint.files,
            }
        if self._sent is not None:
            return replace(self._sent, **seen)
        held = self._look(None if fingerprint is None else fingerprint.imports)
        if isinstance(held, Look):
            return View(held, **seen)
        stale = {**held.outdated, **outdated(held.root, [f] if fingerprint is None else fingerprint.imported)}
        if self._file is not None and self._space is None and file_digest(self._file) != self._digest:
            stale[os.path.relpath(self._file, held.root).replace(os.sep, "/")] = self._digest
        state, last = held.look.state(), self._last
        if last is not None and not stale and all(map(is_, last, (fingerprint, held, state))):
            return last[-1]
        changes = [(Change(path, _OUTDATED), stale[path]) for path in sorted(stale)]
        if fingerprint is not None:
            changes += self._uncommitted_of(fingerprint, held)
        unknown = any(change.what == STALE for change in state.changes)
        view = View(held.look, changes=tuple(changes), reusable=not stale and not unknown, **seen)
        self._last = None if stale else (fingerprint, held, state, view)
        return view

    def _uncommitted_of(self, fingerprint: Fingerprint, held: _HeldLook) -> list[tuple[Change, str]]:
        known = self._known
        if known is None or known[0] is not fingerprint or known[1] != (held.root, held.stamp.repository):
            changes = _uncommitted(held.root, held.stamp.repository, list(fingerprint.sources.values()))
            known = self._known = fingerprint, (held.root, held.stamp.repository), changes
        return known[2]

    def moved(self, view: View) -> list[str]:
        """Name what an interactive function reads and is made of that moved since its call saw this."""
        if self._definition is None or self._sent is not None or view.interactive is None:
            return []
        try:
            now = self._definition.fingerprint(self._ignore)
        except UnhashableError as error:  # of what came to stand in the place of something
            return [str(error).partition("; ")[0]]
        if now.encoded == view.interactive:
            return []
        return moved(view.interactive, now.encoded, now.assigned, executed=_executions != view.executions)

    def defining(self, view: View, code: Collection[object]) -> View:
        """Return the view with those definitions of a session that a call was given and that stand nowhere at HEAD."""
        sources, read = definitions_in(code) if code else ([], ())
        root = view.look.root
        changes = _uncommitted(root, stamp(root), sources) if sources and root is not None else []
        changes = [each for each in changes if each not in view.changes]
        if not changes and not read:
            return view
        return replace(view, changes=(*view.changes, *changes), read=(*view.read, *read))

    def _look(self, typed: Imports | None = None) -> _HeldLook | Look:
        """Return the look that holds now; a bare one where there is no repository, or none that can be read."""
        key = (self._file, self._digest, self._repo, self._scope, id(self._space), typed)
        held = _looks.get(key)
        root = _root(self._take(typed)) if held is None else held.root
        if root is not None:
            # The stamp comes before the look: what changes between the two is seen the next time.
            now, taken = _Stamp.take(root), time.monotonic()
            if held is not None and now == held.stamp and (shell() is not None or taken - held.taken < _SECONDS):
                self._held = held
                return held
            notice(root)
            now = replace(now, loaded=version(root))
            look = self._take(typed)
            if _root(look) == root:
                held = _looks[key] = self._held = _HeldLook(look, root, now, taken, outdated(root))
                return held
        _looks.pop(key, None)
        return self._take(typed)

    def _take(self, typed: Imports | None = None) -> Look:
        return take_look(
            self._file,
            repo=self._repo,
            scope=self._scope,
            namespace=self._space,
            digest=self._digest,
            typed=typed,
            fresh=True,
        )

    def __getstate__(self) -> dict[str, Any]:
        view = self._sent
        if view is None and self._definition is not None:
            view = self.view(self._definition.function)
        elif view is None:
            held = self._look()
            view = View(held if isinstance(held, Look) else held.look)
        gone = dict.fromkeys(("_space", "_held", "_known", "_last"))
        return {**vars(self), **gone, "_sent": replace(view, read=())}


def _listen(root: str | None) -> None:
    if root is not None:
        _roots.add(root)
    session = shell()
    if session is not None and not getattr(session, "_taggedartifacts_listens", False):
        session._taggedartifacts_listens = True
        # Unlike pre_run_cell and execution_count, it tells of silent executions and callbacks of widgets too.
        session.events.register("pre_execute", _on_execute)
        session.events.register("post_execute", _notice)


def _on_execute() -> None:
    global _executions  # one count for the whole process
    _executions += 1
    _notice()


def _notice() -> None:
    # What a cell has just loaded is compared with its files before the next edit.
    for root in _roots:
        notice(root)


def _root(look: Look) -> str | None:
    try:
        return look.state().root
    except RepositoryError:
        return None


def _uncommitted(root: str, stamped: object, sources: list[Source]) -> list[tuple[Change, str]]:
    for suffix in SUFFIXES:
        names = missing(sources, _committed(root, suffix, stamped))
        sources = [source for source in sources if source.name in names]
        if not sources:
            break
    return [(Change(source.name, _UNCOMMITTED), source.code) for source in sources]


@functools.lru_cache(maxsize=16)
def _committed(root: str, suffix: str, _stamp: object) -> frozenset[Outline]:
    session = shell()
    transform = None if session is None else session.transform_cell
    found: set[Outline] = set()
    for path, identity, content in files_at_head(root, suffix):
        found |= _outlines((root, path), identity, content, transform)
    return frozenset(found)


# By root and path, with the identity of the content: what no commit at HEAD holds any more is not asked for again.
_known: Memory[tuple[str, str], tuple[str, frozenset[Outline]]] = Memory()


def _outlines(
    place: tuple[str, str], identity: str, content: Callable[[], bytes], transform: Callable[[str], str] | None
) -> frozenset[Outline]:
    known = _known.get(place)
    if known is None or known[0] != identity:
        path, data = place[1], content()
        found = outlines(path, data, transform) if stands_in_code(path, data) else frozenset()
        known = identity, found
        _known.put(place, known, 200 + len(data) * bool(found))
    return known[1]
