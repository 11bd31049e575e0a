"""What functions and classes hold beside their text: defaults, closures, methods, attributes."""

from __future__ import annotations

import enum
import functools
import inspect
from types import FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# The values by which dataclasses, attrs and pydantic say that a field has no default.
_UNDEFINED = frozenset({"_MISSING_TYPE", "_Nothing", "PydanticUndefinedType"})

# What else a field of a generated class may say of itself, and what it says where nobody has said anything.
_OPTIONS = {
    **dict.fromkeys(("repr", "compare", "init", "eq", "order"), True),
    **dict.fromkeys(("hash", "metadata", "converter", "validator", "on_setattr")),
    "kw_only": False,
}
_WRITTEN_BY = ("__dataclass_params__", "__attrs_attrs__")
_MEMBERS = ("__init__", "__repr__", "__eq__", "__lt__", "__hash__", "__setattr__", "__slots__")
# Modules that write members into classes, which follow from the other members and from the text of the class.
WRITERS = frozenset(
    {"abc", "attr", "attrs", "collections", "dataclasses", "enum", "functools", "pydantic", "reprlib", "typing"}
)
# What is written into named tuples and enumerations without double underscores.
_WRITTEN = frozenset({"_make", "_replace", "_asdict", "_generate_next_value_", "_new_member_"})
# By what the descriptors of Python hold what they call.
HOLDS: dict[type, tuple[str, ...]] = {
    property: ("fget", "fset", "fdel"),
    classmethod: ("__func__",),
    staticmethod: ("__func__",),
    functools.cached_property: ("func",),
    functools.partialmethod: ("func", "args", "keywords"),
    functools.singledispatchmethod: ("func",),
}

_OF_MEMBERS = frozenset({"_value_", "_name_", "__objclass__", "_sort_order_"})
# What stands for a default that a factory makes in what dataclasses and attrs write.
MADE = frozenset({"_HAS_DEFAULT_FACTORY_CLASS", "_Nothing"})


def is_special(name: str) -> bool:
    """Tell whether a name has double underscores, as those have that mean something to Python."""
    return name.startswith("__") and name.endswith("__")


def is_undefined(value: object) -> bool:
    """Tell whether a value says that a field has no default, or stands for no value at all."""
    return value is None or type(value).__name__ in _UNDEFINED


def is_generated(name: str, function: FunctionType) -> bool:
    """Tell whether a member of a class was written by what writes members, and not by the user."""
    if not is_special(name) and name not in _WRITTEN:
        return False
    home, code = str(function.__globals__.get("__name__")), function.__code__
    # Each has one way to run the text that it writes: dataclasses, attrs, named tuples (CPython 3.11 to 3.13).
    return (
        home.partition(".")[0] in WRITERS
        or code.co_qualname.startswith("__create_fn__.")
        or code.co_filename.startswith("<attrs generated")
        or home.startswith("namedtuple_")
    )


def defaults(function: FunctionType) -> dict[str, Any]:
    """Collect the defaults of a function by parameter."""
    positional = function.__defaults__ or ()
    count = function.__code__.co_argcount
    # What makes functions from functions may leave more defaults than there are parameters.
    places = [f"default {number}" for number in range(len(positional) - count)]
    names = (*places, *function.__code__.co_varnames[max(0, count - len(positional)) : count])
    return {**dict(zip(names, positional, strict=True)), **(function.__kwdefaults__ or {})}


def put_on_member(member: object) -> dict[str, Any]:
    """Collect what a member of an enumeration holds beside its name and value."""
    return {name: value for name, value in vars(member).items() if name not in _OF_MEMBERS}


def closure(function: FunctionType) -> dict[str, Any]:
    """Collect the variables of enclosing functions that a function holds, as far as they are assigned."""
    values = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            values[name] = cell.cell_contents
        except ValueError:
            continue
    return values


def registry(dispatcher: Any) -> list[list[Any]]:
    """List the classes by which `functools.singledispatch` dispatches, each with its function."""
    chosen = sorted(dispatcher.registry.items(), key=lambda item: f"{item[0].__module__}.{item[0].__qualname__}")
    return [list(each) for each in chosen]


def methods(kind: type) -> dict[str, FunctionType]:
    """Find the functions that a class defines, below properties and decorators, not those made for it."""
    found = {}
    for name, member in vars(kind).items():
        parts = [getattr(member, part, None) for part in ("fget", "fset", "fdel", "__func__", "func")]
        for part in (member, *parts) if not isinstance(member, FunctionType) else (member,):
            plain = inspect.unwrap(part) if callable(part) else None
            if not isinstance(plain, FunctionType) or not plain.__qualname__.startswith(f"{kind.__qualname__}."):
                continue
            if not is_generated(name, plain):
                found[name if part is parts[0] or part is member else f"{name} {plain.__qualname__}"] = plain
    return found


def attributes(kind: type) -> Iterator[tuple[str, Any]]:
    """Iterate over what a class computed when it was defined: where it names a constant, its text does not tell."""
    if issubclass(kind, enum.Enum):
        yield from ((name, member.value) for name, member in kind.__members__.items())
        return
    functions = methods(kind)
    for name, member in vars(kind).items():
        if (
            not is_special(name)
            and not name.startswith("_abc_")
            and name not in functions
            and not hasattr(member, "__get__")
        ):
            yield name, member
    for name, field in fields_of(kind):
        for part in ("default", "default_factory", "factory"):
            value = getattr(field, part, None)
            value = getattr(value, "factory", value)  # attrs keeps the factory in the default
            if not is_undefined(value):
                yield f"{name}: {part}", value
        for part, plain in _OPTIONS.items():
            value = getattr(field, part, plain)
            value = dict(value) if isinstance(value, MappingProxyType) else value
            if value != plain and (value or value is False):
                yield f"{name}: {part}", value
    if any(name in vars(kind) for name in _WRITTEN_BY):
        # Which members it has is told by options of what generates them, and these may be names.
        yield "generated members", [[name, vars(kind)[name] is None] for name in _MEMBERS if name in vars(kind)]


def fields_of(kind: type) -> Iterator[tuple[str, Any]]:
    """Iterate over what dataclasses, pydantic and attrs keep of the fields of a class."""
    for name in ("__dataclass_fields__", "__pydantic_fields__"):
        yield from vars(kind).get(name, {}).items()
    yield from ((field.name, field) for field in vars(kind).get("__attrs_attrs__", ()))
