"""Whether code was typed: into a cell, or at a prompt. Light, since every script asks."""

from __future__ import annotations

import inspect
import linecache
import os
import re
import sys
import types
from types import FunctionType
from typing import TYPE_CHECKING, Any

from .._hashing import hexdigest
from .members import OncePerCode, attributes, code_text, methods

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType

# Where kernels, marimo, IPython's terminal, magics and plain prompts say that code comes from; libraries and the frozen
# standard library compile from such names too, but into modules of their own.
INTERACTIVE_FILE = re.compile(r"[\\/](ipykernel|marimo)_\d+[\\/]|ipython-input|^<")


# multiprocessing's spawned children know the parent's __main__ by the second name.
SCRIPT = ("__main__", "__mp_main__")

# What their session knew of the functions that were sent to this process, by digests of their code: their sources. As
# long as the process lives; of more than so many definitions, those go that came first and did not come again with the
# last function: each function brings all that its session holds, so what goes is of cells that were edited since.
sent: dict[str, object] = {}
MOST_SENT = 1 << 14


def has_arrived(function: FunctionType) -> bool:
    """Tell whether a function was sent to this process as a value, and so is of no module or session here.

    cloudpickle puts the globals of such a function together: of what a module says of itself they hold the package, and
    never the specification, which every namespace that Python makes for a module, script or session has; or, made by
    cProfile, the bytecode's place.
    """
    space = function.__globals__
    return "__package__" in space and "__spec__" not in space and "__cached__" not in space


def is_interactive(value: object) -> bool:
    """Tell whether a function, or the one below its decorators, was defined in a cell or at a prompt."""
    plain = inspect.unwrap(value) if callable(value) else value
    return isinstance(plain, FunctionType) and is_from_session(plain)


def is_from_session(function: FunctionType) -> bool:
    """Tell whether the code of a function itself, whatever it wraps, was typed into a cell or at a prompt."""
    space = function.__globals__
    if has_arrived(function):
        # Of a session; or of a script, unless its session said otherwise: an editor may set __file__ there.
        return "__file__" not in space or code_digest(function.__code__) in sent
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
    if kind.__module__ != "__main__" and not _is_made_here(kind):
        return False
    own = own_function(kind)
    if own is not None and has_arrived(own):
        return is_from_session(own)
    if own is None and sent and definition_key(kind) in sent:
        return True
    main = vars(sys.modules["__main__"])
    space = main if own is None else own.__globals__
    # In a worker, __main__ is some other program, which does not know a class that was sent there.
    is_unknown = own is None and by_name(main, kind.__qualname__) is not kind
    if not in_session() and (is_unknown or space.get("__file__") is not None):
        return False
    functions = methods(kind).values()
    return not functions or any(is_interactive(function) for function in functions)


def _is_made_here(kind: type) -> bool:
    """Tell whether a class came out of make_dataclass, which before Python 3.12 does not say where."""
    name = kind.__name__
    return (
        kind.__module__ == "types"
        and vars(sys.modules["__main__"]).get(name) is kind
        and vars(types).get(name) is not kind
    )


def is_typed(value: object) -> bool:
    """Tell whether a function or class was defined in a cell or at a prompt."""
    return is_interactive_class(value) if isinstance(value, type) else is_interactive(value)


def own_function(value: object) -> FunctionType | None:
    """Find a function whose globals are those of the script that defines a function or class; None if there is none."""
    members = vars(value).values() if isinstance(value, type) else (value,)
    generated = None
    for member in members:
        plain = inspect.unwrap(member) if callable(member) else getattr(member, "fget", None)
        plain = getattr(plain, "__func__", plain)
        if isinstance(plain, FunctionType) and plain.__globals__.get("__name__", plain.__module__) in SCRIPT:
            if not isinstance(value, type) or plain.__code__.co_qualname.startswith(f"{value.__qualname__}."):
                return plain
            generated = generated or plain  # by dataclasses, into what they take for the script
    return generated


def definition_key(value: FunctionType | type) -> str:
    """Digest what of a definition reaches a worker: its code, and the names of what a class holds."""
    if isinstance(value, FunctionType):
        return code_digest(value.__code__)
    codes = [code_digest(function.__code__) for function in methods(value).values()]
    names = [name for name, _ in attributes(value)]
    fields = vars(value).get("__dataclass_fields__", {})
    return hexdigest("\n".join([value.__qualname__, *codes, "", *names, "", *fields]).encode())


def shell() -> Any:
    """Find IPython's shell, if this is a session of one; never imports IPython."""
    find = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return None if find is None else find()


def in_session() -> bool:
    """Tell whether this process is an interactive session: a kernel, a terminal, marimo, a prompt."""
    if shell() is not None or hasattr(sys, "ps1") or sys.flags.interactive:
        return True
    marimo: Any = sys.modules.get("marimo")
    return marimo is not None and bool(marimo.running_in_notebook())


def by_name(space: Mapping[str, Any], qualname: str) -> object:
    """Find what a qualified name gives in the namespace of a module; None if nothing."""
    first, *rest = qualname.split(".")
    value: object = space.get(first)
    for part in rest:
        value = getattr(value, part, None)
    return value


@OncePerCode
def code_digest(code: CodeType) -> str:
    """Digest a code object."""
    return hexdigest(code_text(code).encode())
