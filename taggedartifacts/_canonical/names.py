"""Names as canonical form: types, functions and classes count by the module and the qualified name that reach them."""

from __future__ import annotations

import functools
import os
import re
import sys
import types
from typing import TYPE_CHECKING, Any

from .met import meet
from .text import Form, RefusalError, index_label, listed, one, quoted, several, tagged_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from .text import Reducer

_MAIN = ("__main__", "__mp_main__")  # multiprocessing's spawned children know the parent's __main__ by the second name
_METHODS = (types.MethodType, types.BuiltinMethodType, types.MethodWrapperType)
_PLAIN_FUNCTIONS = (
    types.FunctionType,
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
)
# NumPy 2 renamed it; the class is the same.
_RENAMED = {"numpy:bool": "numpy:bool_"}
# Python 3.13 keeps the classes of pathlib in modules beside it, and their common methods in bases that nobody sees.
_PATHLIB = re.compile(r"pathlib\._(?:local|abc):(?:(PurePath|Path)Base(?=\.))?")

_fingerprint: Callable[[Any], str | None] | None = None


def use_fingerprint(function: Callable[[Any], str | None] | None) -> None:
    """Set what tells the definition of an interactive function or class, whose name alone does not tell what it is.

    *function* takes a function or class of ``__main__`` and returns a digest of its definition, or None if it is not
    interactive. It is always asked, as editors and magics give an interactive ``__main__`` a file.
    """
    global _fingerprint  # set once, at import, by the layer above that knows about sessions
    _fingerprint = function


def type_name(kind: type, *, described: bool = False) -> object:
    """Encode the type of a value: as it is declared, together with its definition where that is interactive.

    A local class, and one that was defined again since, are refused, as their names do not tell what their methods do;
    unless the user has *described* what decides results about that very class.
    """
    module, qualname = kind.__module__, kind.__qualname__
    if (digest := _definition(module, kind)) is not None:
        meet(kind, module)
        return [f"__main__:{qualname}", digest]
    if not described:
        if "<locals>" in qualname:
            raise RefusalError(
                f"an instance of the local class {qualname} has no canonical form, because no name that can be "
                "imported gives the class"
            )
        if isinstance(_found(module, qualname), type) and _depth(module, qualname, kind) is None:
            raise RefusalError(f"{module}.{qualname} is another class now than the one that made this instance")
    name = f"{_module_name(module)}:{qualname}"
    digest = meet(kind, module)
    return name if digest is None else [name, digest]


def recognise(kind: type) -> Reducer | None:
    """Find the form of functions, classes, methods and partial applications."""
    if issubclass(kind, type):
        return _class
    if issubclass(kind, functools.partial):
        return _partial if kind is functools.partial else None
    if issubclass(kind, _METHODS):
        return _method
    if issubclass(kind, _PLAIN_FUNCTIONS) or _is_named(kind):
        return _function
    return None


def _is_named(kind: type) -> bool:
    name = f"{kind.__module__}.{kind.__qualname__}"
    return name in ("numpy.ufunc", "numpy._ArrayFunctionDispatcher", "functools._lru_cache_wrapper")


def _class(value: type) -> str | Form:
    if value is types.NoneType or value is type(...) or value is type(NotImplemented):
        return tagged_text("class", quoted(f"types:{value.__qualname__}"))
    return _by_name("class", value)


def _function(value: Any) -> str | Form:
    return _by_name("function", value)


def _method(value: Any) -> str | Form:
    owner = value.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        return _by_name("function", value)
    name = value.__name__
    if getattr(owner, name, None) != value:
        raise RefusalError(f"the bound method {name!r} is not what its object gives under that name")
    return several("method", (owner, name), (".__self__",))


def _partial(value: functools.partial[Any]) -> Form:
    arguments = Form(value.args, lambda index: f".args{index_label(index)}", listed)
    keywords = value.keywords
    if vars(value):
        raise RefusalError("a partial function with attributes of its own has no canonical form")
    return several("partial", (value.func, arguments, keywords), (".func", "", ".keywords"))


def _by_name(tag: str, value: Any) -> str | Form:
    qualname = str(getattr(value, "__qualname__", None) or getattr(value, "__name__", ""))
    module = _home(value, qualname)
    _refuse_unnamed(value, qualname)
    depth = _depth(module, qualname, value)
    if depth is None:
        raise RefusalError(
            f"{module}.{qualname} is not this {tag}: that name gives something else, and no other one is known"
        )
    if (digest := _definition(module, value)) is not None:
        meet(value, module)
        return one(tag, [f"__main__:{qualname}{'.__wrapped__' * depth}", digest])
    if _is_interactive(module):
        raise RefusalError(f"the {tag} {qualname} is defined interactively, and its definition cannot be told here")
    name = f"{_module_name(module)}:{qualname}{'.__wrapped__' * depth}"
    if name.startswith("pathlib._"):
        name = _PATHLIB.sub(lambda match: f"pathlib:{match[1] or ''}", name)
    name = _RENAMED.get(name, name)
    digest = meet(value, module)
    return one(tag, name if digest is None else [name, digest])


def _home(value: Any, qualname: str) -> str:
    module = getattr(value, "__module__", None)
    if module is None and isinstance(getattr(value, "__self__", None), types.ModuleType):
        module = value.__self__.__name__
    if module is None and isinstance(owner := getattr(value, "__objclass__", None), type):
        module = owner.__module__
    if module is None and type(value).__module__ == "numpy":
        module = "numpy"
    if not isinstance(module, str) or not qualname:
        raise RefusalError(f"{type(value).__qualname__} without a module and a name has no canonical form")
    return module


def _refuse_unnamed(value: Any, qualname: str) -> None:
    if qualname.rpartition(".")[2] == "<lambda>":
        code = getattr(value, "__code__", None)
        where = f" (written in line {code.co_firstlineno} of {os.path.basename(code.co_filename)})" if code else ""
        raise RefusalError(f"a lambda has no canonical form{where}, because no name tells what it does")
    if "<locals>" in qualname:
        kind = (
            "closure"
            if getattr(value, "__closure__", None)
            else "local class"
            if isinstance(value, type)
            else "local function"
        )
        raise RefusalError(
            f"the {kind} {qualname} has no canonical form, because no name that can be imported gives it"
        )


def _found(module: str, qualname: str) -> Any:
    # What the name gives; None if nothing.
    found: Any = sys.modules.get(module)
    if found is None and module == "__mp_main__":
        found = sys.modules.get("__main__")
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


def _depth(module: str, qualname: str, value: Any) -> int | None:
    # How many decorators lie between what the name gives and the value; None when the name does not lead to it.
    found = _found(module, qualname)
    depth = 0
    while found is not value:
        found = getattr(found, "__wrapped__", None)
        depth += 1
        if found is None or depth > sys.getrecursionlimit():
            return None
    return depth


def _definition(module: str, value: object) -> str | None:
    return _fingerprint(value) if module in _MAIN and _fingerprint is not None else None


def _is_interactive(module: str) -> bool:
    return module in _MAIN and _main_file() is None and _main_spec_name() is None


def _module_name(module: str) -> str:
    # A module that runs as a script goes by the name under which others import it, so that both give one hash.
    if module not in _MAIN:
        return module
    if (name := _main_spec_name()) is not None:
        return name
    if (file := _main_file()) is None:
        return "__main__"
    return _import_name(os.path.abspath(file))


def _main_spec_name() -> str | None:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec.name if spec is not None else None


def _main_file() -> str | None:
    file = getattr(sys.modules["__main__"], "__file__", None)
    # A kernel's __main__ may carry the notebook's name; a notebook is no module.
    return file if isinstance(file, str) and not file.endswith(".ipynb") else None


@functools.lru_cache(maxsize=8)
def _import_name(file: str) -> str:
    directory, name = os.path.split(file)
    parts = [os.path.splitext(name)[0]]
    while os.path.isfile(os.path.join(directory, "__init__.py")):
        directory, package = os.path.split(directory)
        parts.insert(0, package)
    return ".".join(parts)
