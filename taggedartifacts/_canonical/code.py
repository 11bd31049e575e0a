"""Canonical form of functions that no name gives: lambdas, local functions, closures count by their definition.

Loaded only when such a function occurs, since it reads source code.
"""

from __future__ import annotations

from types import FunctionType, ModuleType

from .._reach.definition import source_of
from .._reach.members import closure, defaults
from .._reach.met import meet
from .text import Form, Written, object_shape, quoted, tagged_text

_LABELS = {"closure": ".__closure__", "defaults": ".__defaults__", "reads": ".__globals__"}


def definition(function: FunctionType, module: str) -> Form | None:
    """Describe a function of a *module* by what it consists of; None if its source is not to be had.

    The form holds the module, a digest of the syntax tree, and what is there of defaults, variables of enclosing
    functions, attributes, and the global names that the code reads. The source is verified against the code that runs.
    """
    source = source_of(function)
    if source.outline is None:
        return None
    cells = closure(function)
    space = function.__globals__
    parts: dict[str, object] = {
        "attributes": dict(vars(function)),
        "closure": cells,
        "defaults": defaults(function),
        "reads": {name: _read(space[name]) for name in source.reads if name in space},
        "unassigned": len(function.__closure__ or ()) - len(cells),
    }
    members = {"code": source.code, "module": module, **{name: value for name, value in parts.items() if value}}
    shape = object_shape(tuple(members))
    return Form(
        [members[name] for name in shape.names],
        lambda index: _LABELS.get(shape.names[index], ""),
        lambda texts: tagged_text("function", shape.finish(texts)),
    )


def _read(value: object) -> object:
    if not isinstance(value, ModuleType):
        return value
    meet(value, value.__name__)
    return Written(tagged_text("module", quoted(value.__name__)))
