"""What the canonical form of a value leaves out, and code that reads it may see: tuples, and the order of dicts. Pure.

Configuration counts as YAML and JSON write it: a list and a tuple are one, and a dict has no order. A value that a cell
reads is code as much as data, and there both decide: ``np.zeros((2, 3))``, and the order of the bars of a figure.
"""

from __future__ import annotations

import dataclasses
import functools
from argparse import Namespace
from collections import OrderedDict
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from .._reach.prompt import is_interactive_class

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        elif (keys := _keys(each)) is not None and not _is_sorted(keys):
            found.append([*way, keys])
        above = (*above, id(each))
        for place, child in enumerate(_children(each)):
            if type(child) not in _LEAVES and id(child) not in above:
                pending.append(((*way, place), above, child))
    return found


def _keys(value: Any) -> list[Any] | None:
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
    if isinstance(value, type) or not _is_plain(type(value)):
        return ()
    held = object.__getattribute__(value, "__dict__")
    return [held[name] for name in sorted(name for name in held if type(name) is str)]


def _is_plain(kind: type) -> bool:
    if not kind.__dictoffset__:
        return False
    return issubclass(kind, _HOLDERS) or dataclasses.is_dataclass(kind) or is_interactive_class(kind)


def _is_sorted(keys: list[Any]) -> bool:
    if len(keys) <= 1:
        return True
    return all(type(name) is str for name in keys) and keys == sorted(keys)
