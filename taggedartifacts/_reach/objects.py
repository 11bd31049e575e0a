"""What a walk makes of objects: which are code, what lies below decorators, what never counts. Runs none of them."""

from __future__ import annotations

import builtins
import os
import sys
import types
import typing
from collections import Counter, OrderedDict, defaultdict, deque
from functools import WRAPPER_ASSIGNMENTS, partial
from typing import TYPE_CHECKING, Any

from .members import closure_of
from .reads import ADDED_TO, WRITTEN, Imported, LookedUp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType

# Entries of a class that Python, or what generates its members, writes from the others.
GENERATED = frozenset(
    {
        *("__module__", "__slotnames__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__slots__"),
        *("__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__"),
        *("__static_attributes__", "__firstlineno__", "__classcell__", "__classdictcell__"),
        *("__orig_bases__", "__parameters__", "__type_params__", "__hash__", "__match_args__"),
        *("__dataclass_fields__", "__dataclass_params__"),
        *("__attrs_attrs__", "__attrs_props__", "__attrs_own_setattr__"),
        # What pydantic builds from the fields, decorators and configuration of a model, with addresses, and its caches.
        *("__pydantic_core_schema__", "__pydantic_validator__", "__pydantic_serializer__", "__signature__"),
        *("__pydantic_complete__", "__pydantic_setattr_handlers__", "__pydantic_parent_namespace__"),
        *("__pydantic_decorators__", "__pydantic_computed_fields__"),  # whose functions are members, too
        *("_fields", "_field_defaults", "__getnewargs__", "__new_member__", "__abstractmethods__", "_abc_impl"),
        *("_member_names_", "_member_map_", "_value2member_map_", "_unhashable_values_", "_hashable_values_"),
        *("_unhashable_values_map_", "_value_repr_", "_use_args_", "_member_type_", "_new_member_"),
        "_generate_next_value_",
    }
)
# What the decorator puts on a function.
PUT_ON = frozenset(
    {"_taggedartifacts", "recompute", "path", "is_cached", "explain", *WRAPPER_ASSIGNMENTS, "__wrapped__"}
)
# What a module says of itself.
DESCRIBES = frozenset(
    {
        *("__name__", "__file__", "__path__", "__spec__", "__loader__", "__package__", "__cached__"),
        *("__builtins__", "__dict__", "__qualname__"),
    }
)
# By what those that wrap code hold it.
_WRAPPED = ("__wrapped__", "__func__", "py_func", "func", "fget", "fset", "fdel", "callback", "dispatcher")
_MOST_WRAPPED = 64
_BUILTINS = vars(builtins)
_LOGGERS = frozenset({"logging", "loguru", "structlog"})
_TYPING = frozenset({"typing", "typing_extensions", "types"})
_PACKAGE = __name__.partition(".")[0]
DESCRIPTORS = (
    types.MemberDescriptorType,
    types.GetSetDescriptorType,
    types.WrapperDescriptorType,
    type(vars(Imported)["module"]),  # of a named tuple
)
_CONTAINERS = (list, dict, set, deque, Counter, defaultdict, OrderedDict)
_CODE = (
    types.FunctionType,
    type,
    types.BuiltinFunctionType,
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
)


def is_code(value: object) -> bool:
    """Tell whether a value is a function or a class, below decorators perhaps."""
    kind = type(value)
    if isinstance(value, types.BuiltinFunctionType):  # also the method of an object, which is a value
        return value.__self__ is None or isinstance(value.__self__, types.ModuleType)
    if isinstance(value, _CODE):
        return True
    if isinstance(value, partial):
        return False  # its arguments are values
    if kind.__module__ == "numpy" and kind.__name__ in ("ufunc", "_ArrayFunctionDispatcher"):
        return True
    return isinstance(_held(value, "__wrapped__"), _CODE) or isinstance(_held(value, "py_func"), _CODE)


def is_named_by_its_module(value: Any, space: Mapping[str, Any]) -> bool:
    """Tell whether another module than the one with these globals gives a function or class by its own name."""
    name = getattr(value, "__module__", None)
    if not isinstance(name, str) or name == space.get("__name__") or name not in sys.modules:
        return False
    return getattr(sys.modules[name], getattr(value, "__qualname__", ""), None) is value


def wrapped(value: object) -> list[Any]:
    """List what an object holds that may wrap code."""
    found = (_held(value, name) for name in _WRAPPED)
    return [each for each in found if each is not None]


def functions_of(value: object) -> list[types.FunctionType]:
    """List the functions of which a member of a class or module consists: itself, and what it wraps."""
    return [each for each in (value, *wrapped(value)) if isinstance(each, types.FunctionType)]


def _held(value: object, name: str) -> object:
    """What an object holds by a name, without running code of the user's."""
    is_of_python = isinstance(value, (property, classmethod, staticmethod, types.FunctionType))
    if is_of_python or type(value).__module__ in ("functools", "contextlib"):
        return getattr(value, name, None)
    try:
        return object.__getattribute__(value, "__dict__").get(name)
    except AttributeError:
        return None


def plain(function: types.FunctionType) -> types.FunctionType:
    """Find the function that is wrapped by others, as `functools.wraps` says."""
    for _ in range(_MOST_WRAPPED):
        inner = vars(function).get("__wrapped__")
        if not isinstance(inner, types.FunctionType):
            break
        function = inner
    return function


def leads_to(value: Any, code: CodeType, name: str) -> bool:
    """Tell whether a function or class is the one that a text defines, below decorators perhaps."""
    if isinstance(value, type):
        return value.__qualname__ == name
    pending, seen = [value], 0
    while pending and seen < _MOST_WRAPPED:
        each = pending.pop()
        seen += 1
        if isinstance(each, types.FunctionType):
            if each.__code__ == code:
                return True
            pending += filter(is_code, closure_of(each).values())
        elif isinstance(each, type) and each.__qualname__ == name:
            return True
        pending += filter(is_code, wrapped(each))
    return False


def is_written_only(chain: tuple[str, ...], value: object) -> bool:
    return chain == WRITTEN or (chain == ADDED_TO and type(value) in _CONTAINERS)


def is_left_out(value: object) -> bool:
    kind = type(value)
    home = kind.__module__.partition(".")[0]
    is_of_typing = home in _TYPING and kind.__module__ != "types" and not isinstance(value, type)
    is_annotation = is_of_typing and typing.get_origin(value) is not typing.Literal  # whose values code may ask for
    # A plain object() is a mark without state.
    return home in _LOGGERS or is_annotation or kind is object or _is_our_own(value)


def _is_our_own(value: object) -> bool:
    if isinstance(value, os.PathLike):
        return False  # the path of an artifact, which is a value
    kind = value if isinstance(value, type) else type(value)
    return kind.__module__.partition(".")[0] == _PACKAGE


def is_of_this_library(value: object) -> bool:
    """Tell whether a value is this library, something of it, or a function that it decorated."""
    if isinstance(value, types.ModuleType):
        return is_space_of_this_library(namespace(value))
    if type(value) is types.FunctionType and "_taggedartifacts" in vars(value):
        return True
    kind = value if type(value) is type else type(value)
    return kind.__module__.partition(".")[0] == _PACKAGE if isinstance(kind.__module__, str) else False


def is_space_of_this_library(space: Mapping[str, Any]) -> bool:
    """Tell whether globals are those of a module of this library."""
    return str(space.get("__name__", "")).partition(".")[0] == _PACKAGE


def module_of(imported: Imported | LookedUp, space: Mapping[str, Any]) -> Any:
    """Find what is loaded, as an import statement in another module would, or a look into ``sys.modules``.

    This is a module, or what one has put there in its place; None if it is not loaded.
    """
    return (
        _value_looked_up(imported, space)
        if isinstance(imported, LookedUp)
        else sys.modules.get(whole_name(imported, space))
    )


def whole_name(imported: Imported, space: Mapping[str, Any]) -> str:
    """Tell the whole name of a module that another one imports."""
    name = imported.module
    if imported.level:
        package = str(space.get("__package__") or str(space.get("__name__", "")).rpartition(".")[0])
        parts = package.split(".")
        above = ".".join(parts[: len(parts) - imported.level + 1])
        name = f"{above}.{name}".rstrip(".")
    return name


def _value_looked_up(looked_up: LookedUp, space: Mapping[str, Any]) -> Any:
    by, steps, name = looked_up
    value: object = module_of(by, space) if isinstance(by, Imported) else space.get(by, _BUILTINS.get(by))
    for step in steps:
        if value is not sys.modules or step != "get":
            value = namespace(value).get(step)
    if value is sys.modules:
        return module_of(Imported(str(space.get(name)) if name == "__name__" else name, 0), space)
    if value is _BUILTINS["__import__"]:
        return module_of(Imported(name.partition(".")[0], 0), space)
    if value is not None and value is namespace(sys.modules.get("importlib")).get("import_module"):
        plain = name.lstrip(".")
        return module_of(Imported(plain, len(name) - len(plain)), space)
    return None


def stands_for_module(value: object) -> bool:
    """Tell whether a module has put a class of its own, or an object of one, into its place in ``sys.modules``."""
    name = (value if isinstance(value, type) else type(value)).__module__
    return isinstance(name, str) and sys.modules.get(name, sys) is value


def home_of(kind: type) -> dict[str, Any]:
    """Find the globals of the module of a class, also where something else stands in for that in ``sys.modules``."""
    module = sys.modules.get(kind.__module__)
    if not isinstance(module, types.ModuleType):
        for member in vars(kind).values():
            if isinstance(member, types.FunctionType) and member.__module__ == kind.__module__:
                return member.__globals__
    return namespace(module)


def namespace(module: object) -> dict[str, Any]:
    """The globals of a module, without waking a lazily loaded one; none of what is no module."""
    try:
        found = object.__getattribute__(module, "__dict__")
    except AttributeError:
        return {}
    return found if isinstance(found, dict) else {}
