"""The import statement that a file would need for what a cell reads. Pure."""

from __future__ import annotations

from types import FunctionType, ModuleType

from .entries import said


def statement(name: str, value: object) -> str:
    """Write the statement that would import a value under a name, or the module of its class."""
    if isinstance(value, ModuleType):
        return f"import {value.__name__} as {name}" if name.isidentifier() else f"import {value.__name__}"
    of = value if isinstance(value, FunctionType | type) or callable(value) else type(value)
    module = said(of, "__module__")
    if not isinstance(module, str) or module in ("__main__", "builtins"):
        return ""
    inner = str(said(of, "__qualname__") or "").partition(".")[0]
    if of is value and inner.isidentifier() and name.isidentifier():
        return f"from {module} import {inner} as {name}"
    return f"import {module}"
