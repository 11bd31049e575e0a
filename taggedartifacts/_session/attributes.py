"""Attributes of modules that cells name, such as ``helper.BINS``: handed to the walk over what functions in files read.

A cell reads such an attribute as a function of that very module would read a global. So for each there is one, made
here and never called; whether it counts is for the walk to say, which knows the text of the modules.
"""

from __future__ import annotations

import builtins
import functools
import sys
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

from .._memory import Memory
from .._reach.objects import module_of
from .._reach.planted import OF_CELL, is_built_in
from .._reach.reads import ADDED_TO, IMPORTED_ONLY, WRITTEN, names_read
from .._reach.watch import MISSING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .._reach.watch import Watch

_READ_NOTHING = (IMPORTED_ONLY, ADDED_TO, WRITTEN)
# Kept, so that what the walk has found for one is found again.
_known: Memory[tuple[int, tuple[str, ...], str], FunctionType] = Memory()
_ENTRY_BYTES = 1000


def readers(function: FunctionType, watch: Watch) -> Iterator[FunctionType]:
    """Iterate over functions that read, of the modules that a function reads, what it reads of them.

    Args:
        function: The function.
        watch: Told of what leads to the modules.
    """
    names, space = names_read(function.__code__), function.__globals__
    found: list[tuple[object, Collection[tuple[str, ...]]]] = []
    for name, chains in names.globals.items():
        watch.name(space, name, space.get(name, MISSING))
        found.append((space.get(name), chains))
        if name not in space:
            watch.name(vars(builtins), name, vars(builtins).get(name, MISSING))
            if name in vars(builtins) and not is_built_in(name):
                found.append((builtins, ((name,),)))
    for each, chains in names.imports.items():
        module = module_of(each, space)
        watch.result(functools.partial(module_of, each, space), module)
        found.append((module, chains))
    for value, chained in found:
        if isinstance(value, ModuleType):
            yield from (_reader(value, chain, function, watch) for chain in chained if chain not in _READ_NOTHING)
    if "savefig" in names.attributes:
        watch.name(sys.modules, "matplotlib", sys.modules.get("matplotlib", MISSING))
        if (matplotlib := sys.modules.get("matplotlib")) is not None:
            yield _reader(matplotlib, ("rcParams",), function, watch)


def _reader(module: ModuleType, chain: tuple[str, ...], function: FunctionType, watch: Watch) -> FunctionType:
    while len(chain) > 1:
        inner = vars(module).get(chain[0], MISSING)
        watch.name(vars(module), chain[0], inner)
        if not isinstance(inner, ModuleType):
            break
        module, chain = inner, chain[1:]
    key = (id(module), chain, function.__qualname__)
    known = _known.get(key)
    if known is None or known.__globals__ is not vars(module):
        code = compile(f"lambda: {'.'.join(chain) or 'globals()'}", OF_CELL, "eval").co_consts[0]
        known = FunctionType(code, vars(module))
        known.__qualname__ = function.__qualname__
        _known.put(key, known, _ENTRY_BYTES)
    return known
