"""Names as canonical form: types, functions and classes count by the module and the qualified name that reach them."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import sys
import types
import weakref
from typing import TYPE_CHECKING, Any

from .._reach.met import calling, is_what_its_name_gives, meet, meet_typed, named_before, script_name
from .._reach.prompt import SCRIPT, has_arrived, in_session, own_function, sent
from .held import full_name
from .text import Form, RefusalError, index_label, listed, one, quoted, several, tagged_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from .text import Reducer

_METHODS = (types.MethodType, types.BuiltinMethodType, types.MethodWrapperType)
_PLAIN_FUNCTIONS = (
    types.FunctionType,
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
)
_DEFINED = (types.FunctionType, type)
_NAMED_BY_NUMPY = ("numpy.ufunc", "numpy._ArrayFunctionDispatcher")
# NumPy 2 renamed it; the class is the same.
_RENAMED = {"numpy:bool": "numpy:bool_"}
# Python 3.13 keeps the classes of pathlib in modules beside it, and their common methods in bases that nobody sees.
_PATHLIB = re.compile(r"pathlib\._(?:local|abc):(?:(PurePath|Path)Base(?=\.))?")

_NOTHING: dict[str, Any] = {}

# By class, for as long as that lives: so the module, which holds the class, is not held.
_known: weakref.WeakKeyDictionary[type, tuple[weakref.ref[types.ModuleType], str, str, str, object]]
_known = weakref.WeakKeyDictionary()

_fingerprint: Callable[[Any], str | None] | None = None


def use_fingerprint(function: Callable[[Any], str | None] | None) -> None:
    """Set what tells the definition of an interactive function or class, whose name alone does not tell what it is.

    *function* takes a function or class of ``__main__`` and returns a digest of its definition, or None if it is not
    interactive. It is always asked, as editors and magics give an interactive ``__main__`` a file.
    """
    global _fingerprint  # set once, at import, by the layer above that knows about sessions
    _fingerprint = function


def type_name(kind: type, *, described: bool = False) -> object:
    """Encode the type of a value: the name that gives it, together with its definition where that is interactive.

    A class that a function has defined stands for itself: it counts by what it consists of. One that no name gives, or
    that was defined again since, is refused, as its name does not tell what its methods do; unless the user has
    *described* what decides results about its instances.
    """
    # Asked for each instance: a name that gave the class before, and gives it still, needs no more than that.
    known = _known.get(kind)
    if (
        known is not None
        and getattr(known[0](), "__dict__", _NOTHING).get(known[1]) is kind
        and (known[4] is None or known[4] == _script())
    ):
        digest = meet(kind, known[2])
        return known[3] if digest is None else [known[3], digest]
    module, qualname = kind.__module__, kind.__qualname__
    space = getattr(sys.modules.get(module), "__dict__", _NOTHING)
    if module not in SCRIPT and space.get(qualname) is kind:
        return _remembered(kind, None)
    if (digest := _definition(module, kind)) is not None:
        meet_typed(kind)
        return [f"__main__:{qualname}", digest]
    if module == "__main__" and space.get(qualname) is kind and (script := _script()) is not None:
        return _remembered(kind, script)
    if not described and (form := _generic(kind)) is not None:
        return form
    if not described and _depth(module, qualname, kind) is None:
        if (alias := _alias(module, kind)) is not None:
            return _named(kind, module, alias)
        if "<locals>" in qualname:
            return kind
        is_known = module in SCRIPT and is_what_its_name_gives(kind, qualname)
        if not is_known and _at_name(module, qualname) is not None:
            raise RefusalError(f"{module}.{qualname} is another class now than the one that made this instance")
        if not is_known and not was_sent(kind):
            raise RefusalError(
                f"an instance of {module}.{qualname} has no canonical form, because that name does not give its class",
                "bind the class to its name in the module that it says it comes from",
            )
        return _name_and_digest(kind, module, qualname)
    return _name_and_digest(kind, module, qualname) if described else _named(kind, module, qualname)


def _generic(kind: type) -> Form | None:
    # pydantic makes a class of a generic model and its parameters, which tell it, as they tell an alias of typing.
    said = vars(kind).get("__pydantic_generic_metadata__")
    if not isinstance(said, dict) or said.get("origin") is None:
        return None
    return several("alias", (said["origin"], list(said["args"]), None))


def _remembered(kind: type, script: object) -> object:
    module, qualname = kind.__module__, kind.__qualname__
    name = _named(kind, module, qualname)
    with contextlib.suppress(TypeError):  # what stands for a module may be an object that cannot be referred to weakly
        home = weakref.ref(sys.modules[module])
        _known[kind] = home, qualname, module, name if isinstance(name, str) else name[0], script
    return name


def _script() -> object | None:
    """Tell by what the classes of this script are named; None in a session, and where something else decides, too."""
    if sent or calling.get() is not None or in_session():
        return None
    space = vars(sys.modules["__main__"])
    return [space.get(each) for each in ("__spec__", "__file__", "__package__")]


def written_name(function: Any) -> str:
    """Name a function as its definition writes it, without asking whether the name gives it."""
    module = str(getattr(function, "__module__", None) or type(function).__module__)
    return f"{_module_name(module, function)}:{getattr(function, '__qualname__', None) or type(function).__qualname__}"


def was_sent(kind: Any) -> bool:
    """Tell whether a class came from, or went to, another process by value: there its name leads nowhere."""
    for name in ("cloudpickle.cloudpickle", "joblib.externals.cloudpickle.cloudpickle"):
        if isinstance(kind, type) and kind in getattr(sys.modules.get(name), "_DYNAMIC_CLASS_TRACKER_BY_CLASS", ()):
            return True
    return False


def recognise(kind: type) -> Reducer | None:
    """Find the form of functions, classes, methods and partial applications."""
    if issubclass(kind, type):
        return _class
    if issubclass(kind, functools.partial):
        return _partial if kind is functools.partial else None
    if issubclass(kind, _METHODS):
        return _method
    if issubclass(kind, _PLAIN_FUNCTIONS) or full_name(kind) in _NAMED_BY_NUMPY:
        return named_function
    if kind is type(functools.lru_cache(int)):
        return _cached
    return None


def _class(value: type) -> str | Form:
    if value is types.NoneType or value is type(...) or value is type(NotImplemented):
        return tagged_text("class", quoted(f"types:{value.__qualname__}"))
    return _by_name("class", value)


def _cached(value: Any) -> str | Form:
    try:
        return named_function(value)
    except RefusalError:
        return several("cached", (value.__wrapped__, value.cache_parameters()), (".__wrapped__",))


def _method(value: Any) -> str | Form:
    owner = value.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        return named_function(value)
    name = value.__name__
    try:
        given = getattr(owner, name, None)
        is_named = given == value
    except Exception:  # of whatever a class does when it is asked for an attribute
        given, is_named = None, False
    if is_named or _is_copy(value, given):
        return several("method", (owner, name), (".__self__",))
    if isinstance(value, types.MethodType):  # as of a base class, or under another name
        return several("method", (owner, value.__func__), (".__self__", ".__func__"))
    # pybind11 binds the functions of a module to a record of its own.
    module = value.__module__ if isinstance(value, types.BuiltinFunctionType) else None
    if isinstance(module, str) and _at_name(module, name) is value:
        return one("function", _named(value, module, name))
    raise RefusalError(f"the bound method {name!r} is not what its object gives under that name")


def _is_copy(value: Any, given: Any) -> bool:
    # cloudpickle sends the function below a class method by value, though a name gives the method.
    if not isinstance(value, types.MethodType) or not isinstance(given, types.MethodType):
        return False
    one, other = value.__func__, given.__func__
    if not isinstance(one, types.FunctionType) or not isinstance(other, types.FunctionType):
        return False
    return given.__self__ is value.__self__ and has_arrived(one) and _is_same_code(one, other)


def _is_same_code(one: types.FunctionType, other: types.FunctionType) -> bool:
    return one.__code__ == other.__code__ and not one.__closure__ and not other.__closure__


def _partial(value: functools.partial[Any]) -> Form:
    arguments = Form(value.args, lambda index: f".args{index_label(index)}", listed)
    keywords = value.keywords
    parts = (value.func, arguments, keywords)
    # What `functools.update_wrapper` copies from the function says nothing that this does not say.
    held = {name: item for name, item in vars(value).items() if not _is_copied(name, item, value.func)}
    return several("partial", (*parts, held) if held else parts, (".func", "", ".keywords", ""))


def _is_copied(name: str, item: object, function: object) -> bool:
    return item is function or getattr(function, name, _NOTHING) is item


def named_function(value: Any) -> str | Form:
    """Describe what is called like a function by the name that gives it.

    Raises:
        RefusalError: If no name does.
    """
    return _by_name("function", value)


def _by_name(tag: str, value: Any) -> str | Form:
    qualname = str(getattr(value, "__qualname__", None) or getattr(value, "__name__", ""))
    module = _home(value, qualname)
    depth = _depth(module, qualname, value)
    if depth is None and module in SCRIPT and is_what_its_name_gives(value, qualname):
        depth = 0
    path = f"{qualname}{'.__wrapped__' * (depth or 0)}"
    if (digest := _definition(module, value)) is not None:
        meet_typed(value)
        return one(tag, [f"__main__:{path}", digest])
    if depth is None:
        if isinstance(value, type) and (form := _generic(value)) is not None:
            return form
        if isinstance(value, types.FunctionType) and (form := _by_definition(value, module)) is not None:
            return form
        if (alias := _alias(module, value)) is None:
            if isinstance(value, type) and (form := _by_definition(value, module)) is not None:
                return form
            raise _unnamed(tag, value, module, qualname)
        path = alias
    try:
        return one(tag, _named(value, module, path))
    except RefusalError:
        if isinstance(value, _DEFINED) and (form := _by_definition(value, module)) is not None:
            return form
        raise


def _named(value: Any, module: str, path: str) -> str | list[str]:
    _check_name(value, module, path)
    return _name_and_digest(value, module, path)


def _name_and_digest(value: Any, module: str, path: str) -> str | list[str]:
    name = f"{_module_name(module, value)}:{path}"
    if name.startswith("pathlib._"):
        name = _PATHLIB.sub(lambda match: f"pathlib:{match[1] or ''}", name)
    name = _RENAMED.get(name, name)
    digest = meet(value, module)
    return name if digest is None else [name, digest]


def _check_name(value: Any, module: str, path: str) -> None:
    function = own_function(value) if module in SCRIPT else None
    if was_sent(value) or (function is not None and has_arrived(function)):
        return  # each time that a value is sent here, it is another object
    # A name that is bound anew in a loop gives that very object each time. A module that is loaded again is another
    # one, as in Streamlit, or has another spec.
    space = sys.modules.get(module)
    load = space, getattr(space, "__spec__", None)
    known = named_before.get((module, path))
    if known is not None and known[1]() is load[0] and known[2]() is load[1]:
        if known[0]() is value:
            return
        raise RefusalError(
            f"{module}.{path} gave another object before, so the name does not tell which of them this is",
            "give each its own name in a module",
        )
    with contextlib.suppress(TypeError):  # some built-in functions cannot be referred to weakly
        named_before.note((module, path), value, load)


def _by_definition(function: types.FunctionType | type, module: str) -> Form | None:
    # What reads source code is not for scripts to wait for.
    if isinstance(function, type):
        if "<locals>" not in function.__qualname__:
            return None
        from .classes import class_definition

        return class_definition(function, _module_name(module, function))
    from .classes import definition

    form = definition(function, _module_name(module, function))
    if form is not None:
        meet(function, module)
    return form


def _home(value: Any, qualname: str) -> str:
    module = getattr(value, "__module__", None)
    if module is None and isinstance(getattr(value, "__self__", None), types.ModuleType):
        module = value.__self__.__name__
    if module is None and isinstance(owner := getattr(value, "__objclass__", None), type):
        module = owner.__module__
    if module is None and type(value).__module__ == "numpy":
        module = "numpy"
    if module is None and isinstance(value, types.FunctionType):
        raise RefusalError(
            f"the function {qualname}, which was made from a string, has no canonical form",
            "pass what it is made from, and make it inside of the function",
        )
    if not isinstance(module, str) or not qualname:
        raise RefusalError(f"{type(value).__qualname__} without a module and a name has no canonical form")
    return module


def _unnamed(tag: str, value: Any, module: str, qualname: str) -> RefusalError:
    if isinstance(value, types.FunctionType):
        where = f"line {value.__code__.co_firstlineno} of {os.path.basename(value.__code__.co_filename)}"
        kind = "lambda" if "<lambda>" in qualname else f"function {qualname}"
        return RefusalError(
            f"the {kind} has no canonical form: no name gives it, and {where} is not, or no longer, its definition",
            "define it in a module",
        )
    return RefusalError(
        f"{module}.{qualname} is not this {tag}: that name gives something else, and no other one is known"
    )


def _at_name(module: str, qualname: str) -> Any:
    # What the name gives; None if nothing.
    found: Any = sys.modules.get(module)
    if found is None and module == "__mp_main__":
        found = sys.modules.get("__main__")
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


def _depth(module: str, qualname: str, value: Any) -> int | None:
    # How many decorators lie between what the name gives and the value; None when the name does not lead to it.
    found = _at_name(module, qualname)
    depth = 0
    while found is not value:
        found = getattr(found, "__wrapped__", None)
        depth += 1
        if found is None or depth > sys.getrecursionlimit():
            return None
    return depth


def _alias(module: str, value: object) -> str | None:
    # A name of its own module that gives it, as of what a function made there: the first in alphabetical order.
    if module in SCRIPT:
        return None  # what a script or a session binds it may bind anew
    space = getattr(sys.modules.get(module), "__dict__", _NOTHING)
    return min((name for name, item in list(space.items()) if item is value), default=None)


def _definition(module: str, value: object) -> str | None:
    return _fingerprint(value) if module in SCRIPT and _fingerprint is not None else None


def _module_name(module: str, value: object) -> str:
    # What a script defines goes by the name under which others import it, so that both give one hash.
    if module not in SCRIPT:
        return module
    if (name := script_name(value)) is None:
        raise RefusalError(
            f"{getattr(value, '__qualname__', value)} is of another process, or was defined interactively, and came "
            "here without what tells its definition; define it in a module"
        )
    return name
