"""The moment in a session, which lives for days while its code is committed, edited and loaded again.

The repository is looked at afresh for each cell, and what the session knows beyond it is added: definitions that are
not committed, and older code that is still in use.
"""

from __future__ import annotations

import inspect
import os
import sys
import time
from dataclasses import dataclass, replace
from operator import is_
from typing import TYPE_CHECKING, Any

from .._code.codestate import files_at_head, stamp, take_look
from .._code.dirt import STALE, Change
from .._code.look import Look
from .._errors import RepositoryError, UnhashableError
from .._hashing import file_hexdigest
from .._reach.bindings import keep_file
from .._reach.modules import loaded_modules
from .._reach.prompt import is_interactive, shell
from .fingerprint import Definition, definitions_in, moved
from .moment import Moment, View
from .notebooks import SUFFIXES, by_bare, missing, outlines
from .session import session, version

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from .._code.dirt import CodeState
    from .._reach.definition import Source
    from .._reach.survey import Imports
    from .._reach.syntax import Outline
    from .fingerprint import Fingerprint

_SECONDS = 2.0  # for how long a look holds where no shell tells that a new cell is executed
_OUTDATED = (
    "loaded again, while an older version of it is still in use: import it by name again, and run or load again what "
    "it decorates or makes"
)
_UNCOMMITTED = "defined interactively, and in no notebook at HEAD"


@dataclass(frozen=True, slots=True, weakref_slot=True)
class _HeldLook:
    """A look that holds for some time.

    Attributes:
        look: The look.
        root: The root of the repository.
        executions: How many cells the session had executed.
        head: What stood at HEAD and in the index.
        loaded: What was loaded.
        taken: When it was taken.
        outdated: The files whose older code is still about in the repository's modules, with a digest of each.
    """

    look: Look
    root: str
    executions: int
    head: tuple[object, ...]
    loaded: tuple[object, ...]
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
        ignore: Collection[str],
        reads: bool,
    ) -> None:
        interactive = is_interactive(f)
        space = inspect.unwrap(f).__globals__
        self._definition = Definition(f, ignore) if interactive and not reads else None
        # VS Code, and %run -i, give __main__ a __file__ that has nothing to do with what is typed.
        self._file: str | None = None if interactive else space.get("__file__")
        if self._file is not None:
            keep_file(space)
        self._space: dict[str, Any] | None = None
        self._digest = ""
        self._repo = repo or (os.getcwd() if self._file is None else None)
        self._scope = scope
        self._held: _HeldLook | None = None
        self._sent: View | None = None
        self._last: tuple[Fingerprint | None, _HeldLook, CodeState, View] | None = None
        root = None
        if self._file is not None:
            self._space = _module_space(space)
            self._digest = _file_digest(self._file)
            root = _root(take_look(self._file, repo=repo, scope=scope, namespace=self._space))
        if root is not None and self._space is None:
            for name in ("__main__", ""):  # %run executes a script again, and clears what the namespace says of itself
                loaded_modules(root).renew(name)
        session.listen(root)

    def root(self) -> str | None:
        """Tell the root of the repository as of now; None where there is none, or none that can be read."""
        return (self._take() if self._sent is None else self._sent.look).root

    def view(self, f: Callable[..., Any]) -> View:
        """Tell what a call of the undecorated function *f* sees now.

        Raises:
            UnhashableError: If an interactive function reads a value that has no canonical form.
        """
        fingerprint = None if self._definition is None else self._definition.fingerprint()
        seen: dict[str, Any] = {}
        if fingerprint is not None:
            seen = {
                "interactive": fingerprint.encoded,
                "executions": session.executions,
                "read": fingerprint.read,
                "files": fingerprint.files,
                "meant": fingerprint.meant,
            }
        if self._sent is not None:
            return replace(self._sent, **seen)
        held = self._look(None if fingerprint is None else fingerprint.imports)
        if isinstance(held, Look):
            return View(held, **seen)
        brought = [f] if fingerprint is None else [*fingerprint.read, *fingerprint.held]
        stale = {**held.outdated, **session.outdated(held.root, brought)}
        if self._file is not None and self._space is None and _file_digest(self._file) != self._digest:
            stale[os.path.relpath(self._file, held.root).replace(os.sep, "/")] = self._digest
        state, last = held.look.state(), self._last
        if last is not None and not stale and all(map(is_, last, (fingerprint, held, state))):
            return last[-1]
        changes = _replaced(stale)
        if fingerprint is not None:
            changes += _uncommitted(held.root, held.head, list(fingerprint.sources.values()))
        unknown = any(change.what == STALE for change in state.changes)
        view = View(held.look, changes=tuple(changes), reusable=not stale and not unknown, **seen)
        self._last = None if stale else (fingerprint, held, state, view)
        return view

    def moved(self, view: View) -> list[str]:
        """Name what an interactive function reads and is made of that moved since its call saw this."""
        if self._definition is None or self._sent is not None or view.interactive is None:
            return []
        try:
            now = self._definition.fingerprint()
        except UnhashableError as error:  # of what came to stand in the place of something
            return [str(error).partition("; ")[0]]
        if now.encoded == view.interactive:
            return []
        return moved(view.interactive, now.encoded, now.assigned, executed=session.executions != view.executions)

    def defining(self, view: View, code: Collection[object]) -> View:
        """Return the view with what a call was given: definitions that stand nowhere at HEAD, and older code."""
        if not code:
            return view
        sources, read, held = definitions_in(code)
        root = view.look.root
        changes, stale = [], dict[str, str]()
        if root is not None:
            stale = session.outdated(root, [*code, *read, *held])
            changes = _replaced(stale) + (_uncommitted(root, stamp(root), sources) if sources else [])
        changes = [each for each in changes if each not in view.changes]
        if not changes and not read and not sources:
            return view
        reusable = view.reusable and not stale
        told = replace(view, changes=(*view.changes, *changes), read=(*view.read, *read), reusable=reusable)
        return replace(told, meant=None) if sources else told  # what code that is given reads may be meant

    def _look(self, typed: Imports | None = None) -> _HeldLook | Look:
        """Return the look that holds now; a bare one where there is no repository, or none that can be read."""
        key = (self._file, self._digest, self._repo, self._scope, id(self._space), typed)
        held: _HeldLook | None = session.looks.get(key)
        root = _root(self._take(typed)) if held is None else held.root
        if root is not None:
            # The look comes last: what changes meanwhile is seen the next time.
            executions, head, loaded, now = session.executions, stamp(root), version(root), time.monotonic()
            if (
                held is not None
                and (held.executions, held.head, held.loaded) == (executions, head, loaded)
                and (shell() is not None or now - held.taken < _SECONDS)
            ):
                self._held = held
                return held
            session.notice(root)
            loaded = version(root)
            look = self._take(typed)
            if _root(look) == root:
                held = _HeldLook(look, root, executions, head, loaded, now, session.outdated(root))
                session.looks[key] = self._held = held
                return held
        session.looks.pop(key, None)
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
        gone = dict.fromkeys(("_space", "_held", "_last"))
        return {**vars(self), **gone, "_sent": replace(view, read=())}


def _root(look: Look) -> str | None:
    """Tell the root of the repository that a look is of; None where there is none, or none that can be read."""
    try:
        return look.state().root
    except RepositoryError:
        return None


def _module_space(space: dict[str, Any]) -> dict[str, Any] | None:
    """Find the namespace of the imported module that a function belongs to; ``%run`` and scripts import none.

    What autoreload patches in place has globals of its own.
    """
    name = space.get("__name__")
    found = vars(sys.modules[name]) if name in sys.modules and name != "__main__" else {}
    return found if found.get("__file__") == space.get("__file__") is not None else None


def _file_digest(file: str) -> str:
    """Digest a file as it stands, or tell that it is gone."""
    try:
        return file_hexdigest(file)
    except OSError:
        return ""


def _replaced(stale: Mapping[str, str]) -> list[tuple[Change, str]]:
    return [(Change(path, _OUTDATED), stale[path]) for path in sorted(stale)]


def _uncommitted(root: str, head: object, sources: list[Source]) -> list[tuple[Change, str]]:
    for suffix in SUFFIXES:
        sources = missing(sources, _committed(root, suffix, head))
        if not sources:
            break
    return [(Change(source.name, _UNCOMMITTED), source.code) for source in sources]


def _committed(root: str, suffix: str, head: object) -> Mapping[str, list[Outline]]:
    """Outline what stands in code cells at HEAD, in the files whose names end so."""
    known = session.committed.get((root, suffix))
    if known is None or known[0] != head:
        running = shell()
        transform = None if running is None else running.transform_cell
        found: set[Outline] = set()
        for path, identity, content in files_at_head(root, suffix):
            found |= _outlines((root, path), identity, content, transform)
        known = session.committed[root, suffix] = head, by_bare(found)
    return known[1]


def _outlines(
    place: tuple[str, str], identity: str, content: Callable[[], bytes], transform: Callable[[str], str] | None
) -> frozenset[Outline]:
    known = session.outlines.get(place)
    if known is None or known[0] != identity:
        data = content()
        found = outlines(place[1], data, transform)
        known = identity, found
        session.outlines.put(place, known, 200 + len(data) * bool(found))
    return known[1]
