"""Where a function comes from: settled when it is decorated, and never asked again, least of all by a worker."""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from .bindings import bindings_of, note
from .modules import places, running_code
from .prompt import SCRIPT, has_arrived, is_interactive
from .scripts import name_of

if TYPE_CHECKING:
    from collections.abc import Callable


_DIGITS = 10


class Home(NamedTuple):
    """Where a function was defined. Travels with the function, so that a worker says of it what its driver says.

    Attributes:
        module: Its module's name.
        name: Its name within the module; with the line, or its definition, where others share the name.
        file: The absolute path of its module's file; None in a session.
        interactive: Whether it was typed into a cell or at a prompt.
        script: If a script defines it, the name under which others would import that, and its file.
        arrived: Whether it was sent to this process as a value, which is then not the one that defines its script.
    """

    module: str
    name: str
    file: str | None
    interactive: bool
    script: tuple[str, str] | None = None
    arrived: bool = False

    @classmethod
    def of(cls, f: Callable[..., Any]) -> Home:
        """Settle where a function comes from, in the process that defines it.

        Raises:
            TypeError: If this process did not define it: it was sent here as a value, before it was decorated.
        """
        # Of what decorators wrap: one that both wear must not give functions of two modules the same name.
        plain = inspect.unwrap(f)
        if has_arrived(plain):
            raise TypeError(
                f"{f.__qualname__} was sent to this process as a value and is decorated only here, where nothing tells "
                "which code it is; decorate it at the top of a module or script, and send the decorated function"
            )
        interactive = is_interactive(f)
        file = plain.__globals__.get("__file__")
        if not isinstance(file, str) or interactive:  # an editor may set __file__ in a session
            return cls(f.__module__, f.__qualname__, None, interactive)
        shared = f.__qualname__.rpartition(".")[2] in ("<lambda>", "_")
        name = f"{f.__qualname__} in line {plain.__code__.co_firstlineno}" if shared else _name(f.__qualname__, plain)
        file = os.path.abspath(file)
        script = name_of(plain.__globals__) if plain.__globals__.get("__name__") in SCRIPT else None
        return cls(f.__module__, name, file, interactive, None if script is None else (script, file))

    def function_name(self, root: str | None) -> str:
        """Name the function for records: its file, relative to the repository, and its name there."""
        return f"{self.source(root)}::{self.name}"

    def source(self, root: str | None) -> str:
        """Name the file relative to the repository; what lies elsewhere, by its module."""
        if self.file is None:
            return self.module
        if root is not None and (found := places(self.file, root)):
            return found[-1][0]  # where a link leads, if that is in the repository too
        return os.path.basename(self.file) if self.module in SCRIPT else self.module


def _name(qualname: str, plain: Any) -> str:
    """Name a function; with a digest of its definition where its file defines another one of that name."""
    if (code := running_code(plain.__globals__)) is not None:
        note(plain.__globals__, code)
    if bindings_of(plain.__globals__).times(qualname) < 2:
        return qualname
    from .definition import source_of  # what reads source code is not for scripts to wait for

    return f"{qualname} as {source_of(plain).code[:_DIGITS]}"
