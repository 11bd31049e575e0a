"""What functions and classes hold beside their text: defaults, closures, methods, attributes."""

from __future__ import annotations

import enum
import inspect
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# The values by which dataclasses, attrs and pydantic say that a field has no default.
_UNDEFINED = frozenset({"_MISSING_TYPE", "_Nothing", "PydanticUndefinedType"})


def defaults(function: FunctionType) -> dict[str, Any]:
    """Collect the defaults of a function by parameter."""
    positional = function.__defaults__ or ()
    count = function.__code__.co_argcount
    # What makes functions from functions may leave more defaults than there are parameters.
    places = [f"default {number}" for number in range(len(positional) - count)]
    names = (*places, *function.__code__.co_varnames[max(0, count - len(positional)) : count])
    return {**dict(zip(names, positional, strict=True)), **(function.__kwdefaults__ or {})}


def closure(function: FunctionType) -> dict[str, Any]:
    """Collect the variables of enclosing functions that a function holds, as far as they are assigned."""
    values = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            values[name] = cell.cell_contents
        except ValueError:
            continue
    return values


def methods(kind: type) -> dict[str, FunctionType]:
    """Find the functions that a class defines, below properties and decorators, not those made for it."""
    found = {}
    for name, member in vars(kind).items():
        parts = [getattr(member, part, None) for part in ("fget", "fset", "fdel", "__func__", "func")]
        for part in (member, *parts) if not isinstance(member, FunctionType) else (member,):
            plain = inspect.unwrap(part) if callable(part) else None
            if not isinstance(plain, FunctionType) or not plain.__qualname__.startswith(f"{kind.__qualname__}."):
                continue
            # What dataclasses, named tuples and attrs write for a class follows from its definition.
            if not plain.__code__.co_filename.startswith(("<string>", "<attrs generated")):
                found[name if part is parts[0] or part is member else f"{name} {plain.__qualname__}"] = plain
    return found


def attributes(kind: type) -> Iterator[tuple[str, Any]]:
    """Iterate over what a class computed when it was defined: where it names a constant, its text does not tell."""
    if issubclass(kind, enum.Enum):
        yield from ((name, member.value) for name, member in kind.__members__.items())
        return
    functions = methods(kind)
    for name, member in vars(kind).items():
        dunder = name.startswith("__") and name.endswith("__")
        if not dunder and not name.startswith("_abc_") and name not in functions and not hasattr(member, "__get__"):
            yield name, member
    for name, field in _fields(kind):
        for part in ("default", "default_factory", "factory"):
            value = getattr(field, part, None)
            value = getattr(value, "factory", value)  # attrs keeps the factory in the default
            if value is not None and type(value).__name__ not in _UNDEFINED:
                yield f"{name}: {part}", value


def _fields(kind: type) -> Iterator[tuple[str, Any]]:
    for name in ("__dataclass_fields__", "__pydantic_fields__"):
        yield from vars(kind).get(name, {}).items()
    yield from ((field.name, field) for field in vars(kind).get("__attrs_attrs__", ()))
