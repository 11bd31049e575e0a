"""Notebooks and prompts, where code is no file of a commit.

Which moment a decorated function has: that of its load in scripts, tests and workers; each cell's in a session.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from .._canonical.names import use_fingerprint
from .._code.codestate import take_look
from .._reach.prompt import in_session, is_interactive, is_typed
from .moment import Moment, View

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence


def moment_of(
    f: Callable[..., Any],
    *,
    repo: str | None,
    scope: Sequence[str] | None,
    ignore: Collection[str],
    reads: bool,
) -> Moment:
    """Choose the moment of a function that is being decorated.

    Args:
        f: The undecorated function.
        repo: A path inside the repository, when it cannot be found from the function.
        scope: Paths relative to the root that are the code, or None for the project's default.
        ignore: Names of globals that do not decide the result of an interactive function.
        reads: Whether the function only reads artifacts: its own code decides nothing about them.
    """
    if not is_interactive(f) and not in_session():
        space = inspect.unwrap(f).__globals__
        return Moment(View(take_look(space.get("__file__"), repo=repo, scope=scope, namespace=space)))
    from .live import LiveMoment  # what reads source code is not for scripts to wait for

    return LiveMoment(f, repo=repo, scope=scope, ignore=ignore, reads=reads)


def _digest_of_typed(value: object) -> str | None:
    if not is_typed(value):
        return None
    from .fingerprint import value_digest  # what reads source code is not for scripts to wait for

    return value_digest(value)


use_fingerprint(_digest_of_typed)
