"""The instructions of a code object, as far as names and constants go: a tenth of the time that `dis` takes. Pure."""

from __future__ import annotations

import dis
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

_EXTENDED = dis.opmap["EXTENDED_ARG"]
_SMALL_INTEGER = dis.opmap.get("LOAD_SMALL_INT", -1)
_PASSED_OVER = frozenset(
    dis.opmap[name]
    for name in ("CACHE", "NOP", "RESUME", "COPY_FREE_VARS", "NOT_TAKEN", "KW_NAMES")
    if name in dis.opmap
)
# Bits of the argument that say something else than which name.
_SHIFTS = {dis.opmap["LOAD_GLOBAL"]: 1, dis.opmap.get("LOAD_SUPER_ATTR", -1): 2}
if sys.version_info >= (3, 12):
    _SHIFTS[dis.opmap["LOAD_ATTR"]] = 1
_NAMES, _CONSTANTS = frozenset(dis.hasname), frozenset(dis.hasconst)
_VARIABLES = frozenset(dis.haslocal) | frozenset(dis.hasfree)
# Two variables in one instruction, since 3.13.
_PAIRS = frozenset(dis.opmap[name] for name in dis.opmap if name.count("_FAST") > 1)


def instructions(code: CodeType) -> Iterator[tuple[str, object, int]]:
    """Iterate over the instructions of one code object: operation, its name, constant, variable or number, argument.

    What does nothing is passed over. Two variables in one instruction are a tuple.
    """
    raw, names, constants, opname = code.co_code, code.co_names, code.co_consts, dis.opname
    cells = [name for name in code.co_cellvars if name not in code.co_varnames]
    variables = (*code.co_varnames, *cells, *code.co_freevars)
    extended = 0
    for position in range(0, len(raw), 2):
        operation = raw[position]
        if operation in _PASSED_OVER:
            continue
        argument = raw[position + 1] | extended
        if operation == _EXTENDED:
            extended = argument << 8
            continue
        extended = 0
        value: object = argument
        if operation in _NAMES:
            value = names[argument >> _SHIFTS.get(operation, 0)]
        elif operation == _SMALL_INTEGER:
            value = argument
        elif operation in _CONSTANTS:
            value = constants[argument]
        elif operation in _VARIABLES:
            pair = operation in _PAIRS
            value = (variables[argument >> 4], variables[argument & 15]) if pair else variables[argument]
        yield opname[operation], value, argument


_JUMPS = frozenset(dis.opname[operation] for operation in (*dis.hasjrel, *dis.hasjabs))


def effect(operation: str, argument: int) -> int | None:
    """Tell by how much an instruction changes the depth of the stack; None if it jumps."""
    if operation in _JUMPS:
        return None
    code = dis.opmap[operation]
    return dis.stack_effect(code, argument if code >= dis.HAVE_ARGUMENT else None)
