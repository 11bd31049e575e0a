"""Attributes of modules that cells name, such as ``helper.BINS``: handed to the walk over what functions in files read.

A cell reads such an attribute as a function of that very module would read a global. So for each there is one, made
here and never called; whether it counts is for the walk to say, which knows the text of the modules.
"""

from __future__ import annotations

import sys
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

from .._reach.objects import module_of
from .._reach.reads import ADDED_TO, IMPORTED_ONLY, WRITTEN, names_read

if TYPE_CHECKING:
    from collections.abc import Iterator

_READ_NOTHING = (IMPORTED_ONLY, ADDED_TO, WRITTEN)
_MOST_KNOWN = 1024
# Kept, so that what the walk has found for one is found again.
_known: dict[tuple[int, tuple[str, ...], str], FunctionType] = {}


def readers(function: FunctionType) -> Iterator[FunctionType]:
    """Iterate over functions that read, of the modules that a function reads, what it reads of them."""
    names = names_read(function.__code__)
    named = [(function.__globals__.get(name), chains) for name, chains in names.globals.items()]
    imported = [(module_of(each, function.__globals__), chains) for each, chains in names.imports.items()]
    for module, chains in named + imported:
        if isinstance(module, ModuleType):
            yield from (_reader(module, chain, function) for chain in chains if chain not in _READ_NOTHING)
    if "savefig" in names.attributes and (matplotlib := sys.modules.get("matplotlib")) is not None:
        yield _reader(matplotlib, ("rcParams",), function)


def _reader(module: ModuleType, chain: tuple[str, ...], function: FunctionType) -> FunctionType:
    while len(chain) > 1 and isinstance(inner := vars(module).get(chain[0]), ModuleType):
        module, chain = inner, chain[1:]
    key = (id(module), chain, function.__qualname__)
    known = _known.get(key)
    if known is None or known.__globals__ is not vars(module):
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        code = compile(f"lambda: {'.'.join(chain) or 'globals()'}", "<cell>", "eval").co_consts[0]
        known = _known[key] = FunctionType(code, vars(module))
        known.__qualname__ = function.__qualname__
    return known
