"""What a call sees of the code that runs, and the moment when it looks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .._hashing import hexdigest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from .._code.dirt import Change, CodeState
    from .._code.look import Look


@dataclass(slots=True)
class View:
    """What one call sees: a look, with what the session knows beyond it.

    Attributes:
        look: The look at the repository.
        interactive: The encoded fingerprint of an interactive function; None for functions of modules.
        changes: What makes the code dirty beside what git knows, with a digest of each.
        read: Functions and classes of modules by which an interactive function reads what these hold.
        files: The files of the code of modules that occurs in what an interactive function reads.
        meant: The ignored names that meant something to an interactive function; None if that cannot be told.
        executions: How many cells the session had executed.
        reusable: Whether the code that runs is known; what unknown code makes is never reused.
    """

    look: Look
    interactive: bytes | None = None
    changes: tuple[tuple[Change, str], ...] = ()
    reusable: bool = True
    read: tuple[Any, ...] = ()
    files: frozenset[str] = frozenset()
    meant: frozenset[str] | None = None
    executions: int = field(default=0, compare=False)
    _told: tuple[CodeState, CodeState] | None = field(default=None, init=False, repr=False, compare=False)

    def with_look(self, look: Look) -> View:
        """Return the view with another look at the same repository."""
        return self if look is self.look else replace(self, look=look)

    def state(self) -> CodeState:
        """Return the code state, with the modules that were loaded up to now.

        Raises:
            RepositoryError: What was found wrong when the look was taken.
        """
        state = self.look.state()
        if not self.changes:
            return state
        known = self._told
        if known is not None and known[0] is state:
            return known[1]
        parts = [state.dirty or "", *(f"{change.path}\0{change.what}\0{digest}" for change, digest in self.changes)]
        told = replace(
            state,
            dirty=hexdigest("\n".join(parts).encode(errors="surrogateescape")),
            changes=(*state.changes, *(change for change, _ in self.changes)),
        )
        self._told = state, told
        return told


class Moment:
    """Decides which look at the repository each call of one decorated function uses: here, always the same.

    Args:
        view: What was seen when the function's code was loaded.
    """

    def __init__(self, view: View) -> None:
        self._view = view

    def root(self) -> str | None:
        """Tell the root of the repository; None where there is none, or none that can be read."""
        return self._view.look.root

    def view(self, _f: Callable[..., Any]) -> View:
        """Tell what a call of the undecorated function sees now.

        Raises:
            UnhashableError: If an interactive function reads a value that has no canonical form.
        """
        return self._view

    def moved(self, _view: View) -> list[str]:
        """Name what an interactive function reads and is made of that moved since its call saw this: here, nothing."""
        return []

    def defining(self, view: View, _code: Collection[object]) -> View:
        """Return the view with what the functions and classes that a call was given make of it: here, the same."""
        return view
