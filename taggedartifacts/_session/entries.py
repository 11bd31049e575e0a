"""What functions and classes of a session hold beside their text, and what they say of themselves.

Closed: of a class, everything in its namespace counts but what stands in a table here, what is generated from the other
entries, and the methods that its own text defines. What has no form is refused by whoever encodes it.

Docstrings, names, annotations and subclasses do not decide what code does. So these count only where some code that a
function reaches asks for them.

Configuration counts as YAML and JSON write it: a list and a tuple are one, and a dict has no order. A value that a cell
reads is code as much as data, and there both decide: ``np.zeros((2, 3))``, and the order of the bars of a figure.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import functools
from argparse import Namespace
from collections import OrderedDict
from types import FunctionType, MappingProxyType, ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from .._reach.definition import is_our_decorator
from .._reach.members import (
    HOLDS,
    WRITERS,
    attributes,
    closure_of,
    is_dispatcher,
    is_generated,
    is_special,
    is_written,
    nested,
    put_on_member,
    registry,
)
from .._reach.objects import DESCRIPTORS, GENERATED
from .._reach.prompt import is_interactive_class
from .._reach.syntax import tree_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from types import CodeType

# Which of these functools.wraps copies depends on the version of Python; the definition of what is wrapped has them.
_COPIED = frozenset({"__annotations__", "__annotate__", "__type_params__"})
_DEFINED = (FunctionType, classmethod, staticmethod, property)


def said(value: object, name: str) -> Any:
    """Say what a name gives of an object; None if nothing, or if ``__getattr__`` raises another error than it may."""
    try:
        return getattr(value, name, None)
    except Exception:
        return None


def function_attributes(function: Any) -> dict[str, Any]:
    """Collect what was set on a function, without what decorators of this library set."""
    held = vars(function) if hasattr(function, "__dict__") else {}
    return {name: value for name, value in held.items() if name != "__wrapped__" and not is_our_decorator(value)}


def maker(wrapper: object) -> str:
    """Name what made an object that wraps a function: the code of the wrapper, or its class."""
    if isinstance(wrapper, FunctionType):
        return f"{wrapper.__globals__['__name__']}:{wrapper.__code__.co_qualname}"
    return f"{type(wrapper).__module__}:{type(wrapper).__qualname__}"


def enclosed(function: FunctionType) -> dict[str, Any]:
    """Collect the variables of enclosing functions of a wrapper; of what dispatches by type, the functions it chooses.

    The cache of a dispatcher is no state.
    """
    return {"registry": registry(function)} if is_dispatcher(function) else closure_of(function)


def state(wrapper: object) -> dict[str, Any]:
    """Collect the attributes of an object that wraps a function, and its class, if a session has defined that."""
    if isinstance(wrapper, FunctionType) or not is_interactive_class(type(wrapper)):
        return {}
    wrapped = said(wrapper, "__wrapped__")
    held = function_attributes(wrapper)
    for name in _COPIED & held.keys():
        if held[name] is said(wrapped, name):
            del held[name]
    return {**held, "__class__": type(wrapper)}


def entries(kind: type) -> Iterator[tuple[str, Any]]:
    """Iterate over what a class holds beside its data and the methods that its text defines."""
    is_enum = issubclass(kind, enum.Enum)
    known = {name for name, _ in attributes(kind)} | set(getattr(kind, "__members__", ()))
    for name, member in vars(kind).items():
        if name == "__match_args__" and not is_written(kind):
            yield name, member
        is_generated_by_name = name in GENERATED and not (name == "__hash__" and isinstance(member, FunctionType))
        if is_generated_by_name or name in known or name.startswith("_abc_") or isinstance(member, DESCRIPTORS):
            continue
        home = type(member).__module__.partition(".")[0]
        if home == "_ctypes" or (is_special(name) and (not hasattr(member, "__get__") or home in WRITERS)):
            continue  # of the class's text, or of what generates members
        if is_enum and name.startswith("_") and name.endswith("_") and not isinstance(member, _DEFINED):
            continue  # likewise
        for part, value in _parts_of_member(name, member):
            if not isinstance(value, FunctionType):
                yield part, value
            elif not is_generated(name, value):
                if not _is_defined_in(value, kind):
                    yield part, value
                yield from ((f"{part}.{each}", held) for each, held in _marks(value).items())
    for name, member in getattr(kind, "__members__", {}).items() if is_enum else ():
        yield from ((f"{name}.{part}", value) for part, value in put_on_member(member).items())
    if is_interactive_class(type(kind)):
        yield "metaclass", type(kind)


def lacking(kind: type, text: str | None) -> list[str]:
    """List the functions that the text of a class defines and the class has not: deleted, or in another branch."""
    defined = () if text is None else _functions_in(text)
    mangled = f"_{kind.__name__.lstrip('_')}"
    names = {f"{mangled}{name}" if name.startswith("__") and not name.endswith("__") else name for name in defined}
    return sorted(names - vars(kind).keys())


@functools.lru_cache(maxsize=256)  # of classes, which are looked into at each call
def _functions_in(text: str) -> frozenset[str]:
    found, pending = set(), [*ast.iter_child_nodes(tree_of(text).body[0])]
    while pending:
        item = pending.pop()
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(item.name)
        elif not isinstance(item, ast.ClassDef | ast.expr):
            pending += ast.iter_child_nodes(item)
    return frozenset(found)


def _parts_of_member(name: str, member: Any) -> Iterator[tuple[str, Any]]:
    held = HOLDS.get(type(member))
    if held is None:
        yield name, member
        return
    for each in held:
        if (value := getattr(member, each)) not in (None, (), {}):
            yield from _parts_of_member(name if len(held) == 1 else f"{name}.{each}", value)
    if isinstance(member, functools.singledispatchmethod):
        yield f"{name}.registry", registry(member.dispatcher)


def _is_defined_in(function: FunctionType, kind: type) -> bool:
    within = function.__code__.co_qualname.removeprefix(f"{kind.__qualname__}.")
    return within != function.__code__.co_qualname and "." not in within and "__wrapped__" not in vars(function)


def _marks(function: FunctionType) -> dict[str, Any]:
    found = function_attributes(function)
    found.pop("__isabstractmethod__", None)
    return found


# By what code asks for each.
_ASKED = {
    "__doc__": frozenset({"__doc__", "getdoc", "help"}),
    "__name__": frozenset({"__name__", "__qualname__"}),
    "__annotations__": frozenset(
        {"__annotations__", "get_annotations", "get_type_hints", "signature", "getfullargspec"}
    ),
    "__subclasses__": frozenset({"__subclasses__"}),
}
_ALL = frozenset(name for asking in _ASKED.values() for name in asking)

# A class body has these names because of its own.
_OF_CLASS_BODY = frozenset({"__doc__", "__annotations__", "__name__", "__qualname__"})


def asked(code: CodeType) -> set[str]:
    """Find the names by which code asks for something of that kind."""
    found: set[str] = set()
    for part in nested(code):
        names = _ALL.intersection(part.co_names)
        names |= {each for each in part.co_consts if type(each) is str and is_special(each) and each in _ALL}
        is_class_body = "__module__" in part.co_names and "__qualname__" in part.co_names
        found |= names - _OF_CLASS_BODY if is_class_body else names
    return found


def told_of_itself(value: object, names: Collection[str]) -> dict[str, Any]:
    """Collect what a function or class says of itself, as far as code that reads attributes of these names asks."""
    found = {part: said(value, part) for part, asking in _ASKED.items() if not asking.isdisjoint(names)}
    if found.pop("__subclasses__", None) is not None and isinstance(value, type):
        subclasses: list[type] = type.__subclasses__(value)
        found |= {f"subclass {number}": each for number, each in enumerate(subclasses)}
    return {part: each for part, each in found.items() if each}


def statement(name: str, value: object) -> str:
    """Write the statement that would import a value under a name, or the module of its class."""
    if isinstance(value, ModuleType):
        return f"import {value.__name__} as {name}" if name.isidentifier() else f"import {value.__name__}"
    of = value if isinstance(value, FunctionType | type) or callable(value) else type(value)
    module = said(of, "__module__")
    if not isinstance(module, str) or module in ("__main__", "builtins"):
        return ""
    inner = str(said(of, "__qualname__") or "").partition(".")[0]
    if of is value and inner.isidentifier() and name.isidentifier():
        return f"from {module} import {inner} as {name}"
    return f"import {module}"


_LEAVES = frozenset({str, int, float, bool, type(None), bytes, complex})
_HOLDERS = (Namespace, SimpleNamespace)


def order(value: object) -> list[object]:
    """List the tuples, and the dicts that are not sorted by their keys, in a value; each by the way that leads to it.

    A way is written as the places of the children in the order in which they stand. What is no container and no object
    of plain attributes is not looked into: its own form tells all of it.
    """
    found: list[object] = []
    pending: list[tuple[tuple[int, ...], tuple[int, ...], Any]] = [((), (), value)]
    while pending:
        way, above, each = pending.pop()
        if type(each) is tuple:
            found.append([*way, "tuple"])
        elif (keys := _keys_of_dict(each)) is not None and not _is_sorted(keys):
            found.append([*way, keys])
        above = (*above, id(each))
        for place, child in enumerate(_children(each)):
            if type(child) not in _LEAVES and id(child) not in above:
                pending.append(((*way, place), above, child))
    return found


def _keys_of_dict(value: Any) -> list[Any] | None:
    if isinstance(value, OrderedDict | MappingProxyType):  # an order of its own, or that of what it shows
        return list(value)
    return list(dict.keys(value)) if isinstance(value, dict) else None


def _children(value: Any) -> Iterable[object]:
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, dict):
        return dict.values(value)
    if isinstance(value, MappingProxyType):
        return value.values()
    if isinstance(value, functools.partial):
        return [*value.args, *value.keywords.values()]
    if isinstance(value, type) or not _is_holder(type(value)):
        return ()
    held = object.__getattribute__(value, "__dict__")
    return [held[name] for name in sorted(name for name in held if type(name) is str)]


def _is_holder(kind: type) -> bool:
    if not kind.__dictoffset__:
        return False
    return issubclass(kind, _HOLDERS) or dataclasses.is_dataclass(kind) or is_interactive_class(kind)


def _is_sorted(keys: list[Any]) -> bool:
    if len(keys) <= 1:
        return True
    return all(type(name) is str for name in keys) and keys == sorted(keys)
