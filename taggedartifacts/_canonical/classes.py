"""Canonical form of what no name gives: lambdas, local functions and closures, and classes that are made in a function.

A function counts by its definition. Each entry of a class has a form, and its functions count by their definitions.
Loaded only when one of them occurs, since source code is read for it.
"""

from __future__ import annotations

import enum
import functools
import inspect
import types
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from .._reach.definition import source_of
from .._reach.members import HOLDS, closure_of, defaults, fields_of, is_generated, is_undefined, registry
from .._reach.met import meet
from .._reach.objects import DESCRIPTORS, GENERATED
from .text import Form, RefusalError, Written, object_shape, quoted, several, tagged_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_LABELS_OF_FUNCTION = {"closure": ".__closure__", "defaults": ".__defaults__", "reads": ".__globals__"}


def definition(function: FunctionType, module: str) -> Form | None:
    """Describe a function of a *module* by what it consists of; None if its source is not to be had.

    The form holds the module, a digest of the syntax tree, and what is there of defaults, variables of enclosing
    functions, attributes, and the global names that the code reads. The source is verified against the code that runs.
    """
    source = source_of(function)
    if source.outline is None:
        return None
    cells = closure_of(function)
    space = function.__globals__
    parts: dict[str, object] = {
        "attributes": dict(vars(function)),
        "closure": cells,
        "defaults": defaults(function),
        "reads": {name: _module_by_name(space[name]) for name in source.reads if name in space},
        "unassigned": len(function.__closure__ or ()) - len(cells),
    }
    members = {"code": source.code, "module": module, **{name: value for name, value in parts.items() if value}}
    shape = object_shape(tuple(members))
    return Form(
        [members[name] for name in shape.names],
        lambda index: _LABELS_OF_FUNCTION.get(shape.names[index], ""),
        lambda texts: tagged_text("function", shape.finish(texts)),
    )


def _module_by_name(value: object) -> object:
    if not isinstance(value, ModuleType):
        return value
    meet(value, value.__name__)
    return Written(tagged_text("module", quoted(value.__name__)))


# Entries that nothing else tells, though Python or what generates members may write them.
_TELLING = frozenset(
    {"__getnewargs__", "__hash__", "__match_args__", "__orig_bases__", "__slots__", "_field_defaults", "_fields"}
)
_WRITTEN = GENERATED - _TELLING
_ACCESS = tuple(kind for kind in DESCRIPTORS if kind is not types.WrapperDescriptorType)  # to slots and fields
_PARTS_OF_FIELDS = (
    *("alias", "compare", "converter", "default", "default_factory", "eq", "eq_key", "hash", "init", "kw_only"),
    *("metadata", "on_setattr", "order", "order_key", "repr", "type", "validator"),
)
_LABELS = {"annotations": ".__annotations__", "bases": ".__bases__", "metaclass": ".__class__"}


def class_definition(kind: type, module: str) -> Form:
    """Describe a class of a *module* by what it consists of.

    The form holds name, module and bases, and what there is of a metaclass, annotations, fields, members of an
    enumeration, names of generated methods, and other entries.

    Raises:
        RefusalError: If its library compiles what it does.
    """
    is_model = any(base.__module__.startswith("pydantic.") for base in kind.__mro__)
    if is_model or type(kind).__basicsize__ != type.__basicsize__:
        raise RefusalError(
            f"the local class {kind.__qualname__} has no canonical form, because its library compiles what it does",
            "define the class in a module",
        )
    meet(kind, kind.__module__)
    parts: dict[str, object] = {
        "annotations": _annotations(kind),
        "entries": dict(_members_told(kind)),
        "fields": [[name, _field(field)] for name, field in fields_of(kind)],
        "generated": sorted(_generated_members(kind)),
        "members": [[name, member._value_] for name, member in getattr(kind, "__members__", {}).items()],
        "metaclass": type(kind) if type(kind) is not type else None,
    }
    members = {
        "bases": list(kind.__bases__),
        "module": module,
        "name": kind.__qualname__,
        **{name: value for name, value in parts.items() if value},
    }
    shape = object_shape(tuple(members))
    return Form(
        [members[name] for name in shape.names],
        lambda index: _LABELS.get(shape.names[index], ""),
        lambda texts: tagged_text("class", shape.finish(texts)),
    )


def _annotations(kind: type) -> dict[str, Any]:
    try:
        return inspect.get_annotations(kind)
    except NameError as error:  # Python 3.14 looks the names up only now
        raise RefusalError(f"the annotations of the class {kind.__qualname__} cannot be read: {error}") from error


def _members_told(kind: type) -> Iterator[tuple[str, object]]:
    members: dict[str, Any] | None = getattr(kind, "__members__", None) if issubclass(kind, enum.Enum) else None
    for name, member in vars(kind).items():
        if name in _WRITTEN or isinstance(member, _ACCESS) or _is_written(name, member):
            continue
        if name == "__orig_bases__" and "_fields" in vars(kind):
            continue  # Python 3.12 says so of a named tuple
        if members is not None and (name in members or (name[:1] == name[-1:] == "_" and not _is_defined(member))):
            continue
        yield name, _member(member)


def _member(member: Any) -> object:
    held = HOLDS.get(type(member))
    if held is None:
        return member
    parts = [_member(getattr(member, name)) for name in held]
    if isinstance(member, functools.singledispatchmethod):
        parts.append(registry(member.dispatcher))
    return several("member", (type(member).__name__, parts))


def _is_defined(member: object) -> bool:
    return type(member) in HOLDS or isinstance(member, types.FunctionType | types.WrapperDescriptorType)


def _is_written(name: str, member: object) -> bool:
    plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
    return isinstance(plain, types.FunctionType) and is_generated(name, plain)


def _generated_members(kind: type) -> Iterator[str]:
    # They follow from fields and options, and the options tell themselves by what is there. 3.13 adds __replace__.
    for name, member in vars(kind).items():
        if name not in ("__replace__", *_WRITTEN) and not issubclass(kind, enum.Enum) and _is_written(name, member):
            yield name


def _field(field: Any) -> dict[str, object]:
    parts = {name: value for name in _PARTS_OF_FIELDS if not is_undefined(value := getattr(field, name, None))}
    kind = getattr(field, "_field_type", None)  # of a dataclass: whether it is a ClassVar or an InitVar
    return parts | ({} if kind is None else {"kind": kind.name})
