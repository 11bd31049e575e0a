"""Code objects: their instructions, and their digests without the file and the lines that they come from. Pure.

The instructions are read as far as names and constants go: in a tenth of the time that `dis` takes.
"""

from __future__ import annotations

import dis
import sys
import weakref
from types import CodeType
from typing import TYPE_CHECKING, Generic, TypeVar

from .._hashing import hexdigest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


T = TypeVar("T")

_BINDS = frozenset({"STORE_NAME", "STORE_GLOBAL", "DELETE_NAME", "DELETE_GLOBAL"})
_READS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
# What a class body reads from its own namespace.
_OWN_NAMES = frozenset({"__name__", "__module__", "__qualname__", "__annotations__", "__type_params__"})
_COMPARED = (
    "co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_flags", "co_name", "co_names", "co_varnames",
    "co_freevars", "co_cellvars", "co_code", "co_exceptiontable",
)  # fmt: skip


def nested(code: CodeType) -> Iterator[CodeType]:
    """Iterate over a code object and all that are nested in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from nested(constant)


def same(one: CodeType, other: CodeType) -> bool:
    """Tell whether two code objects do the same, wherever they stand."""
    return all(getattr(one, name) == getattr(other, name) for name in _COMPARED) and (
        _constants(one) == _constants(other)
    )


def _constants(code: CodeType) -> list[object]:
    return [_constant(value) for value in code.co_consts]


def _constant(value: object) -> object:
    if isinstance(value, CodeType):
        return [[getattr(value, name) for name in _COMPARED], _constants(value)]
    if isinstance(value, tuple):
        return [_constant(item) for item in value]
    if isinstance(value, frozenset):  # its order is that of the hash seed
        return ["frozenset", sorted(str(_constant(item)) for item in value)]
    return [type(value).__name__, repr(value)]


class OncePerCode(Generic[T]):
    """A function of a code object that is asked once for each, and remembered for as long as the code lives.

    By identity, since to hash a code object takes microseconds.

    Args:
        find: The function.
    """

    def __init__(self, find: Callable[[CodeType], T]) -> None:
        self._find = find
        self._known: dict[int, tuple[weakref.ref[CodeType], T]] = {}

    def __call__(self, code: CodeType) -> T:
        known = self._known.get(id(code))
        if known is None:
            key, forget = id(code), self._known.pop
            known = self._known[key] = weakref.ref(code, lambda _: forget(key, None)), self._find(code)
        return known[1]


@OncePerCode
def code_digest(code: CodeType) -> str:
    """Digest a code object: good for this version of Python only, so the last resort where no source is to be had."""
    return hexdigest(repr(_constant(code)).encode())


def reads(code: CodeType) -> Iterator[str]:
    """Iterate over the global names that a code object reads, nested ones included."""
    for part in nested(code):
        for instruction in dis.get_instructions(part):
            if instruction.opname in _READS and instruction.argval not in _OWN_NAMES:
                yield instruction.argval


def binds(code: CodeType) -> Iterator[str]:
    """Iterate over the names that a module and its class bodies bind, each as often as it is bound."""
    for part in nested(code):
        for instruction in dis.get_instructions(part):
            if instruction.opname in _BINDS:
                yield instruction.argval
