"""Collects the code that occurs in values while they are encoded: functions, classes, and the types of instances.

This is where the canonical form and the code state meet. A class or function in a value counts by the module and name
that give that very object, so its text is code, and its module has to be looked at. The encoder knows neither a work
tree nor what git tracks; it tells what it met, and asks how that counts:

- Whoever computes a config hash encodes inside of ``with collecting(Met(digest_of)) as met:``. Afterwards ``met.code``
  holds the very functions, classes and modules that the values name or consist of, ``met.modules`` the import names of
  their modules, and ``met.files`` the files of those that count by name. These files join the scope. What is nested in
  a value, in a closure or in a default is among them, and so is what a value reads that counts by its definition.
- ``digest_of(module, file)`` says how the code of a module counts, once for each module and `Met`. None: by name, and
  its module joins the scope, as for what is tracked or installed. A digest of the file: it is joined to the form of
  everything that the module defines, ``["module:name", "digest"]``, as for a file that is not tracked.
- Without a `Met`, as in `config_hash`, all code counts by its name.

Nothing is collected from plain values, so that they cost what they cost without it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from .scripts import file_of

if TYPE_CHECKING:
    from collections.abc import Callable

_current: ContextVar[Met | None] = ContextVar("taggedartifacts.met", default=None)


class Met:
    """The code that was met while values were encoded.

    Attributes:
        code: The functions, classes and modules, by their ids.
        modules: The import names of the modules that define them; a script's is ``__main__``.
        digests: The digests that were joined to forms, by module.
        files: The files of the other modules, as far as they have one.

    Args:
        digest_of: Says for an import name and a file (None if the module has none) what is joined to the forms of what
            the module defines: None for nothing, or a digest.
    """

    def __init__(self, digest_of: Callable[[str, str | None], str | None] | None = None) -> None:
        self.code: dict[int, Any] = {}
        self.modules: set[str] = set()
        self.digests: dict[str, str] = {}
        self.files: set[str] = set()
        self._digest_of = digest_of

    def add(self, value: Any, module: str) -> str | None:
        """Take in a function or class of a module; return the digest that has to be joined to its form, if any."""
        self.code[id(value)] = value
        if module not in self.modules:
            self.modules.add(module)
            file = file_of(value, module)
            digest = None if self._digest_of is None else self._digest_of(module, file)
            if digest is not None:
                self.digests[module] = digest
            elif file is not None:
                self.files.add(file)
        return self.digests.get(module)


class collecting:  # noqa: N801 - read as a verb, and a third of the cost of contextlib's
    """Collect into a `Met` what is met of code while values are encoded in this context."""

    __slots__ = ("_met", "_token")

    def __init__(self, met: Met) -> None:
        self._met = met

    def __enter__(self) -> Met:
        self._token = _current.set(self._met)
        return self._met

    def __exit__(self, *_error: object) -> None:
        _current.reset(self._token)


def meet(value: Any, module: str) -> str | None:
    """Say that a function or class of a module occurs; return the digest that has to be joined to its form, if any."""
    met = _current.get()
    return None if met is None else met.add(value, module)


def meet_typed(value: Any) -> None:
    """Say that a function or class occurs that was typed into a session: it is in no file."""
    met = _current.get()
    if met is not None:
        met.code[id(value)] = value
