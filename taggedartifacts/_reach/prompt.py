"""Whether code was typed: into a cell, or at a prompt. Light, since every script asks."""

from __future__ import annotations

import inspect
import linecache
import os
import re
import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

from .members import methods

if TYPE_CHECKING:
    from types import ModuleType

# Where kernels, marimo, IPython's terminal, magics and plain prompts say that code comes from; libraries and the frozen
# standard library compile from such names too, but into modules of their own.
INTERACTIVE_FILE = re.compile(r"[\\/](ipykernel|marimo)_\d+[\\/]|ipython-input|^<")


def has_arrived(function: FunctionType) -> bool:
    """Tell whether a function was sent to this process as a value, and so is of no module or session here.

    cloudpickle puts the globals of such a function together: of what a module says of itself they hold the package, and
    never the specification, which every namespace that Python makes for a module, script or session has.
    """
    return "__package__" in function.__globals__ and "__spec__" not in function.__globals__


def is_interactive(value: object) -> bool:
    """Tell whether a function, or the one below its decorators, was defined in a cell or at a prompt."""
    plain = inspect.unwrap(value) if callable(value) else value
    return isinstance(plain, FunctionType) and is_from_session(plain)


def is_from_session(function: FunctionType) -> bool:
    """Tell whether the code of a function itself, whatever it wraps, was typed into a cell or at a prompt."""
    space = function.__globals__
    if space.get("__spec__") is not None and space.get("__name__") != "__main__":
        return False
    file = function.__code__.co_filename
    if INTERACTIVE_FILE.search(file):
        return True
    entry = linecache.cache.get(file)
    if entry is not None and len(entry) > 1 and entry[1] is None:
        return True
    return not os.path.isfile(file) and not os.path.isfile(str(space.get("__file__", "")))


def is_interactive_class(kind: type) -> bool:
    """Tell whether a class was defined in a cell or at a prompt."""
    if kind.__module__ != "__main__":
        return False
    main = sys.modules["__main__"]
    # In a worker that a class was sent to, __main__ is some other program, which does not know the class.
    known = getattr(main, "__file__", None) is not None and by_name(main, kind.__qualname__) is kind
    if known and not in_session():
        return False
    functions = methods(kind).values()
    return not functions or any(is_interactive(function) for function in functions)


def shell() -> Any:
    """Find IPython's shell, if this is a session of one; never imports IPython."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None and hasattr(module, "get_ipython") else None


def in_session() -> bool:
    """Tell whether this process is an interactive session: a kernel, a terminal, marimo, a prompt."""
    if shell() is not None or hasattr(sys, "ps1") or sys.flags.interactive:
        return True
    marimo: Any = sys.modules.get("marimo")
    return marimo is not None and bool(marimo.running_in_notebook())


def by_name(module: ModuleType, qualname: str) -> object:
    """Find what a qualified name gives in a module; None if nothing."""
    value: object = module
    for part in qualname.split("."):
        value = getattr(value, part, None)
    return value
