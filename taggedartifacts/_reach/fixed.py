"""What the text of the work tree fixes: literals that are still held, and code that names still give."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

from .bindings import Computed, Defined, Literal, Taken, bindings_of
from .members import MADE, defaults
from .objects import WRAPPED, leads_to, module_of, namespace, value_of
from .watch import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .bindings import Binding
    from .location import Location, Locator

_MOST_STEPS = 8  # modules that hand a name on


class Text:
    """The text of the modules of a work tree.

    Args:
        tree: The work tree.
        enter: Says whether a module, given by its globals, is of the work tree (None if not), and notes that it counts.
    """

    def __init__(self, tree: Locator, enter: Callable[[dict[str, Any]], Location | None]) -> None:
        self._tree = tree
        self._enter = enter

    def is_literal(self, space: dict[str, Any], name: str, value: object) -> bool:
        """Say whether a name holds the immutable literal to which its file, or one that it imports, binds it once."""
        for _ in range(_MOST_STEPS):
            binding = self._binding(space, name)
            if isinstance(binding, Literal):
                return binding.is_held_by(value)
            if not isinstance(binding, Taken) or binding.name is None:
                return False
            space, name = namespace(module_of(binding.source, space)), binding.name
            if self._enter(space) is None:
                return False
        return False

    def is_as_written(self, space: dict[str, Any], name: str, value: object) -> bool:
        """Say whether a name gives the function or class that the text of its module binds it to."""
        for _ in range(_MOST_STEPS):
            binding = self._binding(space, name)
            if isinstance(binding, Defined):
                return leads_to(value, binding.code, name)
            if isinstance(binding, Computed):
                return False
            if isinstance(binding, Taken):
                sources = [(binding.source, binding.name)]
            else:
                sources = [(star, name) for star in bindings_of(space).stars] if self._enter(space) else []
                if len(sources) > 1:
                    return False  # in branches perhaps
            found = [(namespace(module_of(source, space)), taken) for source, taken in sources if taken is not None]
            held = [(there, taken) for there, taken in found if there.get(taken, MISSING) is value]
            if not held:
                return False
            space, name = held[0]
            if self._enter(space) is None:
                return not self._tree.defines(value, space)
        return False

    def is_chosen(self, space: dict[str, Any], name: str) -> bool:
        """Say whether the text of a module, or of one that it imports from, binds a name to one of several things."""
        for _ in range(_MOST_STEPS):
            binding = self._binding(space, name)
            if not isinstance(binding, Taken) or binding.name is None:
                return isinstance(binding, Computed) or (binding is None and len(bindings_of(space).stars) > 1)
            space, name = namespace(module_of(binding.source, space)), binding.name
        return False

    def bound(self, space: dict[str, Any]) -> frozenset[str]:
        """List the names that the text of a module binds, perhaps in branches that were not taken."""
        return frozenset(bindings_of(space).names) if self._enter(space) is not None else frozenset()

    def is_one_of_several(self, value: object) -> bool:
        """Say whether the text of its module defines more than one function of that qualified name."""
        if not isinstance(value, FunctionType) or self._enter(value.__globals__) is None:
            return False
        return bindings_of(value.__globals__).times(value.__code__.co_qualname) > 1

    def is_unknown(self, space: dict[str, Any]) -> bool:
        """Say whether nothing is known of the text of a module."""
        return not bindings_of(space).names

    def is_defined(self, space: dict[str, Any], name: str) -> bool:
        """Say whether the text of a module binds a name once, by ``def`` or ``class``."""
        return isinstance(self._binding(space, name), Defined)

    def set_defaults(self, kind: type, function: FunctionType) -> dict[str, Any]:
        """Collect the defaults of a function that was written into a class which the class itself does not tell."""
        found = {name: value for name, value in defaults(function).items() if type(value).__name__ not in MADE}
        for base in kind.__mro__ if found else ():
            bound = bindings_of(namespace(sys.modules.get(base.__module__))).of_class(base.__qualname__)
            for name, value in list(found.items()):
                binding = bound.get(name)
                is_written = isinstance(binding, Literal) and binding.is_held_by(value)
                if is_written or vars(base).get(name, MISSING) is value:
                    del found[name]
        return found

    def named(self, value: Any) -> list[tuple[FunctionType, str]]:
        """Name the functions of which code consists by their text; empty if no text defines one of them."""
        functions = [part for part in map(value_of(value), ("", *WRAPPED)) if isinstance(part, FunctionType)]
        functions = functions[:1] if isinstance(value, FunctionType) else functions
        found = []
        for function in functions:
            code, bindings = function.__code__, bindings_of(function.__globals__)
            location = self._enter(function.__globals__)
            if location is None or not bindings.defines(code):
                return []
            name = f"{location.name}:{code.co_qualname}"
            if bindings.times(code.co_qualname) > 1:
                from .definition import source_of  # what reads source code is not for scripts to wait for

                name = f"{name} as {source_of(function).code}"
            found.append((function, name))
        return found

    def _binding(self, space: dict[str, Any], name: str) -> Binding | None:
        return bindings_of(space).names.get(name) if self._enter(space) is not None else None

    def is_wrapped_definition(self, value: Any) -> bool:
        """Tell whether code of an enclosing function is what its own module defines by name, which text fixes."""
        module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
        space = namespace(sys.modules.get(str(module)))
        if self._enter(space) is None:
            return False
        binding = bindings_of(space).names.get(name)
        return isinstance(binding, Defined) and leads_to(value, binding.code, name)
