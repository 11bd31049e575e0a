"""What functions, classes and code objects consist of, as the interpreter's data model has it. Pure.

The instructions are read as far as names and constants go: in a tenth of the time that `dis` takes.
"""

from __future__ import annotations

import dis
import enum
import functools
import inspect
import sys
import weakref
from types import CodeType, FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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

# What Python writes into a class, and what counts all the same where the body of the class binds it.
BOUND = frozenset({"__hash__", "__match_args__", "__slots__"})

# `_inverted_` is a cache of flags.
_OF_MEMBERS = frozenset({"_value_", "_name_", "__objclass__", "_sort_order_", "_inverted_"})
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


def closure_of(function: FunctionType) -> dict[str, Any]:
    """Collect the variables of enclosing functions that a function holds, as far as they are assigned."""
    values = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            values[name] = cell.cell_contents
        except ValueError:
            continue
    return values


def is_dispatcher(function: FunctionType) -> bool:
    """Tell whether `functools.singledispatch` made a function."""
    return function.__globals__.get("__name__") == "functools" and "registry" in vars(function)


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
        yield from ((f"{name}: {part}", value) for part, value in _of_field(field))
    if any(name in vars(kind) for name in _WRITTEN_BY):
        # Which members it has is told by options of what generates them, and these may be names.
        yield "generated members", [[name, vars(kind)[name] is None] for name in _MEMBERS if name in vars(kind)]


def _of_field(field: Any) -> Iterator[tuple[str, Any]]:
    for part in ("default", "default_factory", "factory"):
        value = getattr(field, part, None)
        value = getattr(value, "factory", value)  # attrs keeps the factory in the default
        if not is_undefined(value):
            yield part, value
    for part, plain in _OPTIONS.items():
        value = getattr(field, part, plain)
        value = dict(value) if isinstance(value, MappingProxyType) else value
        if value != plain and (value or value is False):
            yield part, value


def written(kind: type, *, is_told: bool) -> Iterator[tuple[str, Any]]:
    """Iterate over what was written into a class that its text and its entries do not tell.

    Args:
        kind: The class.
        is_told: Whether a class statement made it that calls nothing but what writes members.
    """
    held, fields = vars(kind), dict(fields_of(kind) if is_written(kind) else ())
    above = [field for base in kind.__mro__[1:] for _, field in fields_of(base)]
    for name, field in fields.items():
        for part, value in _of_field(field) if not any(field is each for each in above) else ():
            is_plain = isinstance(value, type) and value.__module__ == "builtins"  # list, dict
            if value is not field.default and not is_plain and part != "kw_only":
                yield f"{name}: {part}", value
    if not is_told and any(name in held for name in _WRITTEN_BY):
        yield "members", tuple(name if held[name] is not None else f"no {name}" for name in _MEMBERS if name in held)
    # What a class says of the order of its fields, it says twice: by hand, one of both is changed.
    matched = held.get("_fields") or tuple(name for name, field in fields.items() if _is_positional(field))
    if is_written(kind) and not (is_told and held.get("__match_args__", ()) == matched):
        yield "fields", (tuple(fields), matched, held.get("__match_args__"))
    if not is_told and issubclass(kind, enum.Enum):
        yield "members", tuple(kind.__members__)


def _is_positional(field: Any) -> bool:
    of_dataclass = getattr(field, "_field_type", None)
    is_of_instance = of_dataclass is None or of_dataclass.name != "_FIELD_CLASSVAR"
    return bool(is_of_instance and field.init and not field.kw_only)


def is_written(kind: type) -> bool:
    """Tell whether dataclasses, attrs or named tuples have written members into a class."""
    return any(name in vars(kind) for name in (*_WRITTEN_BY, "_fields"))


def fields_of(kind: type) -> Iterator[tuple[str, Any]]:
    """Iterate over what dataclasses, pydantic and attrs keep of the fields of a class."""
    for name in ("__dataclass_fields__", "__pydantic_fields__"):
        yield from vars(kind).get(name, {}).items()
    yield from ((field.name, field) for field in vars(kind).get("__attrs_attrs__", ()))


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
LOADS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
"""The instructions that read a global name."""
# What a class body reads from its own namespace.
OF_BODY = frozenset({"__name__", "__module__", "__qualname__", "__annotations__", "__type_params__"})
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


def code_text(code: CodeType) -> str:
    """Write a code object: good for this version of Python only, so the last resort where no source is to be had."""
    return repr(_constant(code))


def reads(code: CodeType) -> Iterator[str]:
    """Iterate over the global names that a code object reads, nested ones included."""
    for part in nested(code):
        for operation, name, _ in instructions(part):
            if operation in LOADS and name not in OF_BODY:
                yield str(name)


def binds(code: CodeType) -> Iterator[str]:
    """Iterate over the names that a module and its class bodies bind, each as often as it is bound."""
    for part in nested(code):
        for operation, name, _ in instructions(part):
            if operation in _BINDS:
                yield str(name)
