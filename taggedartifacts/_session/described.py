"""What functions and classes say of themselves, and code may read: docstrings, names, annotations, subclasses. Pure.

None of it decides what they do. So it counts only where some code that a function reaches asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._reach.bytecode import nested
from .entries import said

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import CodeType

# By what code asks for each.
_ASKED = {
    "__doc__": frozenset({"__doc__", "getdoc", "help"}),
    "__name__": frozenset({"__name__", "__qualname__"}),
    "__annotations__": frozenset(
        {"__annotations__", "get_annotations", "get_type_hints", "signature", "getfullargspec"}
    ),
    "__subclasses__": frozenset({"__subclasses__"}),
}
_ALL = frozenset[str]().union(*_ASKED.values())

# A class body has these names because of its own.
_OF_CLASS_BODY = frozenset({"__doc__", "__annotations__", "__name__", "__qualname__"})


def asked(code: CodeType) -> set[str]:
    """Find the names by which code asks for something of that kind."""
    found: set[str] = set()
    for part in nested(code):
        names = _ALL.intersection(part.co_names)
        is_class_body = "__module__" in part.co_names and "__qualname__" in part.co_names
        found |= names - _OF_CLASS_BODY if is_class_body else names
    return found


def described(value: object, names: Collection[str]) -> dict[str, Any]:
    """Collect what a function or class says of itself, as far as code that reads attributes of these names asks."""
    found = {part: said(value, part) for part, asking in _ASKED.items() if not asking.isdisjoint(names)}
    if found.pop("__subclasses__", None) is not None and isinstance(value, type):
        subclasses: list[type] = type.__subclasses__(value)
        found |= {f"subclass {number}": each for number, each in enumerate(subclasses)}
    return {part: each for part, each in found.items() if each}
