"""What a code object reads beyond its arguments: globals, variables of enclosing functions, imports. Pure."""

from __future__ import annotations

import re
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from .members import LOADS, OF_BODY, OncePerCode, effect, instructions, nested

if TYPE_CHECKING:
    from collections.abc import Iterator

_CELL = frozenset({"LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"})
_ATTRIBUTE = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
# What stands for the attributes of a module that is imported and perhaps not used.
IMPORTED_ONLY = ("",)
# What stands for the attributes of a container that is only added to, by `runs.append(x)` or `seen[x] = y`, and of what
# is only written: an object of which an attribute is set, a number that is only counted up. None of these is read.
ADDED_TO = ("+",)
WRITTEN = ("=",)
_ADDS = frozenset({"append", "add", "extend", "update", "appendleft", "insert"})
ITEM = "[]"
"""What stands, among the names that code assigns, for an item of whatever there is."""
_ASSIGNS = frozenset({"STORE_GLOBAL", "DELETE_GLOBAL", "STORE_ATTR", "DELETE_ATTR", "STORE_DEREF", "DELETE_DEREF"})
_DROPS = frozenset({"POP_TOP", "STORE_ATTR"})
_STORES = ("STORE_FAST", "STORE_DEREF")
_ITEM = ("BINARY_OP", 26)  # since 3.14
# By these, code reaches globals whose names it does not say.
REFLECTION = frozenset({"globals", "eval", "exec"})
# By these methods, code reads the arguments of the command without naming them.
PARSES = frozenset({"parse_args", "parse_known_args", "parse_intermixed_args"})

# The file of a function that stands for what a cell reads of a module, and for what an argument names.
OF_CELL, OF_ARGUMENT = "<cell>", "<argument>"
_MENTIONED = re.compile(r"@([^\W\d]\w*)((?:\.[^\W\d]\w*)*)")

# Attributes, one of another.
Chain = tuple[str, ...]
Chains = dict[str, tuple[Chain, ...]]


def mentioned(value: object) -> Iterator[tuple[str, Chain]]:
    """Iterate over the names that texts in a value say as pandas has it, ``"x > @LIMIT"``, with their attributes."""
    pending, inside = [value], set()
    while pending:
        each = pending.pop()
        if isinstance(each, str):
            if "@" in each:
                yield from ((name, tuple(rest.split(".")[1:])) for name, rest in _MENTIONED.findall(each))
        elif isinstance(each, (dict, list, tuple, set, frozenset)) and id(each) not in inside:
            inside.add(id(each))
            pending += each.values() if isinstance(each, dict) else each


def reader(chain: Chain, space: dict[str, Any], file: str, qualname: str) -> FunctionType:
    """Make a function that reads a global and its attributes; without any, all globals. It is never called."""
    code = compile(f"lambda: {'.'.join(chain) or 'globals()'}", file, "eval").co_consts[0]
    made = FunctionType(code.replace(co_qualname=file), space)  # by the name of a lambda, it might be one of several
    made.__qualname__ = qualname
    return made


class Imported(NamedTuple):
    """A module that code imports: as ``import a.b`` gives ``a``, or ``from ..a import b``.

    Attributes:
        module: Its name as it is written.
        level: How many dots stand before it.
    """

    module: str
    level: int


class LookedUp(NamedTuple):
    """What code may look a module up by: ``sys.modules["a.b"]``, ``importlib.import_module("a.b")``, or other things.

    Attributes:
        by: The global, or what is imported, that it looks up in or calls.
        steps: The attributes of it.
        module: The string.
    """

    by: str | Imported
    steps: Chain
    module: str


class Names(NamedTuple):
    """The names that a code object reads, nested ones included, each with the attributes that follow it.

    Attributes:
        globals: Global names, built-in ones too: for ``settings.A`` and ``settings`` alone, ``(("A",), ())``.
        cells: Variables of enclosing functions, likewise.
        imports: Modules that it imports itself, and what it looks up by a string, likewise.
        attributes: Names of all attributes that it reads.
    """

    globals: Chains
    cells: Chains
    imports: dict[Imported | LookedUp, tuple[Chain, ...]]
    attributes: frozenset[str]


# What imports bind local names to, each perhaps one of several in branches: modules, and the attributes of them.
_Bound = dict[str, dict[tuple[Imported | LookedUp, Chain], None]]


@OncePerCode
def names_read(code: CodeType) -> Names:
    """Find the names that a code object reads."""
    found: list[tuple[str, Any, Chain]] = []
    bound: _Bound = {}
    free = frozenset(code.co_freevars)
    for part in nested(code):
        found += _chains(part, bound)
        known = {*part.co_varnames, *part.co_cellvars, *part.co_freevars}  # where a text is looked up, these come first
        found += [("global", name, chain) for name, chain in mentioned(part.co_consts) if name not in known]
    tables: dict[str, dict[object, dict[Chain, None]]] = {"global": {}, "cell": {}, "import": {}}
    attributes: set[str] = set()
    for kind, name, chain in found:
        if kind == "local" and name in bound:
            for imported, steps in bound[name]:
                tables["import"].setdefault(imported, {})[(*steps, *chain)] = None
        elif kind == "import":
            tables["import"].setdefault(name, {})[chain] = None
        elif kind == "cell" and name in free:
            tables["cell"].setdefault(name, {})[chain] = None
        elif kind == "global" and name not in OF_BODY:
            tables["global"].setdefault(name, {})[chain] = None
        attributes.update(chain)
    for part in nested(code):
        attributes.update(part.co_names)
    for name in free:  # a cell that is only handed on to a nested function
        tables["cell"].setdefault(name, {(): None})
    listed = {kind: {name: tuple(chains) for name, chains in table.items()} for kind, table in tables.items()}
    return Names(listed["global"], listed["cell"], listed["import"], frozenset(attributes))  # type: ignore[arg-type]


def _chains(code: CodeType, bound: _Bound) -> Iterator[tuple[str, Any, Chain]]:
    """Iterate over the names that one code object loads, with the attributes that follow; note what it imports."""
    kind, last = "", -1
    name: Any = ""
    chain: Chain = ()
    target: tuple[Imported | LookedUp, Chain] | None = None
    module, whole = Imported("", 0), False
    listed: list[tuple[str, Any, int]] = list(instructions(code))
    for position, (operation, value, _) in enumerate(listed):
        if position <= last or operation == "PUSH_NULL":
            continue
        if operation in _ATTRIBUTE and value != "__dict__":  # which is all of it
            if kind:
                chain = (*chain, value)
            continue
        if kind:
            looked_up, last = _looked_up(kind, name, chain, bound, listed, position)
            if kind == "import" and operation.startswith(_STORES):
                target = (name, chain)
            else:
                yield kind, name, IMPORTED_ONLY if kind == "import" and operation in _DROPS and not chain else chain
            kind, name, chain = "import" if looked_up else "", looked_up, ()
            if looked_up:
                continue
        if operation.startswith(_STORES) and target is not None:
            stored = value[0] if isinstance(value, tuple) else value
            bound.setdefault(stored, {})[target] = None
            if not target[1]:  # loading a module runs its code, whether or not it is used
                yield "local", stored, IMPORTED_ONLY
            target = None
        if "LOAD" in operation:
            for loaded in _loaded(operation, value, bound):
                if kind:
                    yield kind, name, ()
                kind, name = loaded
            if kind in ("global", "cell") and (written := _written(listed, position)) is not None:
                yield kind, name, written
                kind = ""
        elif operation == "IMPORT_NAME":
            level, names = listed[position - 2][1], listed[position - 1][1]
            module, whole = Imported(value, level), not names
            target = (module._replace(module=value.partition(".")[0]), ()) if whole else None
        elif operation == "IMPORT_FROM":
            # `import a.b as c` takes a.b apart: IMPORT_NAME a.b, then IMPORT_FROM b.
            target = (module, ()) if whole else (module, (value,))
        elif operation not in ("SWAP", "POP_TOP"):
            target = None
    if kind:
        yield kind, name, chain


def _loaded(operation: str, value: Any, bound: _Bound) -> list[tuple[str, str]]:
    """List what an instruction loads, and of what kind that is; from 3.13 on, one may load two variables."""
    if operation in LOADS:
        return [("global", value)]
    if operation in _CELL:
        return [("local" if value in bound else "cell", value)]
    if "LOAD_FAST" not in operation:
        return []
    variables = value if isinstance(value, tuple) else (value,)
    return [("local" if each in bound else "", each) for each in variables[operation.startswith("STORE") :]]


def _looked_up(
    kind: str, name: str, chain: Chain, bound: _Bound, listed: list[tuple[str, Any, int]], position: int
) -> tuple[LookedUp | None, int]:
    """Tell what is looked up by a string in what was loaded before a position, and where that ends."""
    operation, module, _ = listed[position]
    is_text = operation == "LOAD_CONST" and isinstance(module, str)
    if not is_text and not (operation in LOADS and module in OF_BODY):
        return None, -1
    by: list[tuple[str | Imported, Chain]] = [(name, chain)] if kind == "global" else []
    if kind == "local":
        by = [(source, (*steps, *chain)) for source, steps in bound[name] if isinstance(source, Imported)]
    for further in range(position + 1, min(len(listed), position + 5)):
        operation, value, argument = listed[further]
        is_item = further == position + 1 and (operation == "BINARY_SUBSCR" or (operation, argument) == _ITEM)
        if is_item or operation.startswith("CALL"):
            return (LookedUp(*by[0], module), further) if by else (None, -1)
        if operation not in ("LOAD_CONST", "PRECALL") and not (operation in LOADS and value == "__package__"):
            break
    return None, -1


def _written(listed: list[tuple[str, Any, int]], position: int) -> Chain | None:
    """Say how what is loaded at a position is only written, if it is."""
    name = listed[position][1]
    after = [operation for operation, _, _ in listed[position + 1 : position + 4]]
    if after[:1] == ["STORE_ATTR"]:
        return WRITTEN
    if after[:1] in (["LOAD_CONST"], ["LOAD_SMALL_INT"]) and after[1:2] == ["BINARY_OP"]:
        stored = listed[position + 3]
        return WRITTEN if stored[0] in ("STORE_GLOBAL", "STORE_DEREF") and stored[1] == name else None
    adds = after[:1] in (["LOAD_ATTR"], ["LOAD_METHOD"]) and listed[position + 1][1] in _ADDS
    depth = 1
    for further in range(position + 1, len(listed)):
        operation, _, argument = listed[further]
        if operation == "STORE_SUBSCR" and depth == 2 and not adds:
            return ADDED_TO
        change = effect(operation, argument)
        if change is None:
            return None
        depth += change
        if depth <= 1 and operation.startswith("CALL"):
            popped = listed[further + 1][0] == "POP_TOP" if further + 1 < len(listed) else False
            return ADDED_TO if adds and depth == 1 and popped else None
        if depth < 1 or (depth == 1 and not adds and operation not in ("NOP", "RESUME")):
            return None
    return None


@OncePerCode
def assigned(code: CodeType) -> frozenset[str]:
    """Find the names that a code object assigns: globals, variables of enclosing functions, attributes; `ITEM`."""
    found = set()
    for part in nested(code):
        for operation, value, _ in instructions(part):
            if operation in _ASSIGNS:
                found.add(str(value))
            elif operation in ("STORE_SUBSCR", "DELETE_SUBSCR"):
                found.add(ITEM)
    return frozenset(found)
