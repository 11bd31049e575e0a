"""Code that occurs in values: collected while they are encoded, and named as others would import it, a script's too.

This is where the canonical form and the code state meet. A class or function in a value counts by the module and name
that give that very object, so its text is code, and its module has to be looked at. The encoder knows neither a work
tree nor what git tracks; it tells what it met, and asks how that counts:

- Whoever computes a config hash encodes inside of ``with Met(digest_of) as met:``. Afterwards ``met.code``
  holds the very functions, classes and modules that the values name or consist of, ``met.modules`` the import names of
  their modules, and ``met.files`` the files of those that count by name. These files join the scope. What is nested in
  a value, in a closure or in a default is among them, and so is what a value reads that counts by its definition.
- ``digest_of(module, file)`` says how the code of a module counts, once for each module and `Met`. None: by name, and
  its module joins the scope, as for what is tracked or installed. A digest of the file: it is joined to the form of
  everything that the module defines, ``["module:name", "digest"]``, as for a file that is not tracked.
- Without a `Met`, as in `config_hash`, all code counts by its name.

Nothing is collected from plain values, so that they cost what they cost without it.

A worker has a ``__main__`` of its own, which says nothing about what was sent to it. So what a script defines is named
by the globals of its own functions, which travel with them, or by the decorated function that was sent along with it.
"""

from __future__ import annotations

import ast
import functools
import os
import sys
import weakref
from collections import Counter
from contextvars import ContextVar
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from .members import binds
from .prompt import SCRIPT, by_name, has_arrived, own_function
from .syntax import tree_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FEW_NAMES = 1 << 12  # beyond which it is asked which are there

# The script that sent the decorated function which is being called, by its name and its file, as settled there; for as
# long as the call is prepared.
calling: ContextVar[tuple[str, str] | None] = ContextVar("taggedartifacts.calling", default=None)


def script_name(value: Any) -> str | None:
    """Name the script that defines a function or class; None if nothing that came with it tells.

    Args:
        value: A function or class whose module is ``__main__``, and which no session defines.
    """
    if (function := own_function(value)) is not None:
        return name_of(function.__globals__)
    if (caller := calling.get()) is not None:
        return caller[0]
    # Of a class without functions, only the script itself can say that it is its own.
    main = sys.modules.get(value.__module__) or sys.modules["__main__"]
    return name_of(vars(main)) if by_name(vars(main), value.__qualname__) is value else None


def name_of(space: Mapping[str, Any]) -> str | None:
    """Name a script by its globals; None if it has no file."""
    spec, file, package = (space.get(each) for each in ("__spec__", "__file__", "__package__"))
    if spec is not None and spec.name not in SCRIPT:  # cProfile makes one with the name __main__
        return str(spec.name)
    # A kernel's __main__ may carry the notebook's name; a notebook is no module.
    if not isinstance(file, str) or file.endswith(".ipynb"):
        return None
    stem = os.path.splitext(os.path.basename(file))[0]
    return f"{package}.{stem}" if package else _script(os.path.abspath(file)).import_name


def is_what_its_name_gives(value: object, qualname: str) -> bool:
    """Tell whether a function or class that was sent here is what the script gives under its name.

    Here, no name of a module leads to it. So its script has to bind the name once, and to it, without a decorator.
    """
    function = own_function(value)
    caller = calling.get()
    if function is None and caller is None:
        return False
    if function is not None and not has_arrived(function):  # a profiler may run a script beside __main__
        return by_name(function.__globals__, qualname) is value
    if isinstance(value, FunctionType) and (hasattr(value, "__wrapped__") or value.__code__.co_qualname != qualname):
        return False
    file = caller and caller[1] if function is None else function.__globals__.get("__file__")
    return isinstance(file, str) and qualname in _script(file).bound_once


def referred(value: object) -> Callable[[], object]:
    """Refer to a module or its spec: weakly, and not by its address, which the next one may get."""
    try:
        return weakref.ref(value)
    except TypeError:  # None
        return lambda: value


class _Given(dict[tuple[str, str], "tuple[Callable[[], object], Callable[[], object], Callable[[], object]]"]):
    """What names gave, by module and name: the object, the module and its specification, all referred to weakly.

    An entry lives as long as its load of the module. Of names that a program has made and taken away again, a few
    thousand are known, or as many as there are others.
    """

    def __init__(self) -> None:
        super().__init__()
        self._most = _FEW_NAMES

    def note(self, place: tuple[str, str], value: object, load: tuple[object, object]) -> None:
        """Note what a name gives.

        Raises:
            TypeError: If it cannot be referred to weakly, as some built-in functions.
        """
        self[place] = weakref.ref(value), referred(load[0]), referred(load[1])
        if len(self) > self._most:
            for other, (given, module, _) in list(self.items()):
                space = sys.modules.get(other[0])
                # Its module is not asked what the name gives: it could import something then.
                is_there = other[1].partition(".")[0] in getattr(space, "__dict__", {})
                if module() is not space or (given() is None and not is_there):
                    self.pop(other, None)  # another thread may have done it
            self._most = max(_FEW_NAMES, 2 * len(self))


named_before = _Given()


def _defining_file(value: object, module: str) -> str | None:
    """Find the file of the module that defines a function or class; that of a script as the process that ran it says.

    Args:
        value: A function, class or module.
        module: The import name of its module.
    """
    file = getattr(sys.modules.get(module), "__file__", None)
    if module in SCRIPT and not isinstance(value, ModuleType):
        function, caller = own_function(value), calling.get()
        if function is not None:
            file = function.__globals__.get("__file__")
        elif caller is not None:
            file = caller[1]
    return file if isinstance(file, str) else None


class _Script:
    """The script of this process, or one that sent something here, as its file stands when first asked for."""

    def __init__(self, file: str) -> None:
        self._file = file

    @functools.cached_property
    def import_name(self) -> str:
        """The name by which others import it."""
        return os.path.relpath(os.path.splitext(self._file)[0], import_folder(self._file)).replace(os.sep, ".")

    @functools.cached_property
    def bound_once(self) -> frozenset[str]:
        """The qualified names of plain definitions of which the file binds every part once."""
        try:
            with open(self._file, "rb") as opened:
                source = opened.read()
            tree = tree_of(source)
            times = Counter(binds(compile(source, self._file, "exec", dont_inherit=True)))
        except (OSError, SyntaxError, ValueError):
            return frozenset()
        found = set()

        def look(node: ast.AST, above: str) -> None:
            for child in ast.iter_child_nodes(node):
                if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    look(child, above)
                elif times[child.name] == 1:
                    if not child.decorator_list or isinstance(child, ast.ClassDef):
                        found.add(above + child.name)
                    if isinstance(child, ast.ClassDef):
                        look(child, f"{above}{child.name}.")

        look(tree, "")
        return frozenset(found)


@functools.lru_cache(maxsize=64)  # as long as the process lives, or until there are more
def _script(file: str) -> _Script:
    return _Script(file)


def import_folder(file: str) -> str:
    """Find the folder from which a file is imported: the nearest above it that is no package."""
    folder = os.path.dirname(file)
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder = os.path.dirname(folder)
    return folder


# What collects in this context, for as long as its ``with`` lasts.
_current: ContextVar[Met | None] = ContextVar("taggedartifacts.met", default=None)


class Met:
    """The code that is met while values are encoded in this context: ``with Met() as met:``.

    Attributes:
        code: The functions, classes and modules, by their ids.
        modules: The import names of the modules that define them; a script's is ``__main__``.
        digests: The digests that were joined to forms, by module.
        files: The files of the other modules, as far as they have one.

    Args:
        digest_of: Says for an import name and a file (None if the module has none) what is joined to the forms of what
            the module defines: None for nothing, or a digest.
    """

    def __init__(self, digest_of: Callable[[str, str | None], str | None] | None = None) -> None:
        self.code: dict[int, Any] = {}
        self.modules: set[str] = set()
        self.digests: dict[str, str] = {}
        self.files: set[str] = set()
        self._digest_of = digest_of

    def __enter__(self) -> Met:
        self._token = _current.set(self)
        return self

    def __exit__(self, *_error: object) -> None:
        _current.reset(self._token)

    def add(self, value: Any, module: str) -> str | None:
        """Take in a function or class of a module; return the digest that has to be joined to its form, if any."""
        self.code[id(value)] = value
        if module not in self.modules:
            self.modules.add(module)
            file = _defining_file(value, module)
            digest = None if self._digest_of is None else self._digest_of(module, file)
            if digest is not None:
                self.digests[module] = digest
            elif file is not None:
                self.files.add(file)
        return self.digests.get(module)


def meet(value: Any, module: str) -> str | None:
    """Say that a function or class of a module occurs; return the digest that has to be joined to its form, if any."""
    met = _current.get()
    return None if met is None else met.add(value, module)


def meet_typed(value: Any) -> None:
    """Say that a function or class occurs that was typed into a session: it is in no file."""
    met = _current.get()
    if met is not None:
        met.code[id(value)] = value
