"""The walk over what a function reads: values of globals, enclosing functions, modules and classes of the work tree.

A function is decided by more than its arguments and the text that its commit fixes. The walk begins at the function and
follows, by name, the functions and classes of the work tree. Of each it takes what a closed list says that it consists
of, and what the text of its file does not fix is a value that counts:

- a function: its code, the variables of enclosing functions, defaults and attributes;
- a class: its bases, metaclass and every entry of its namespace but those that Python writes itself;
- a module: the attributes that the code names, or all where it names none;
- an object: its canonical form, and its class.

Code that a name gives, other than the text of its module binds to it, counts as a value. Installed code is environment.
"""

from __future__ import annotations

import sys
import types
from collections import deque
from typing import TYPE_CHECKING, Any

from .bindings import Defined, Literal, bindings_of
from .figures import changed_parameters, parameters
from .fixed import Text
from .found import Ignored, Reads
from .members import closure, defaults, is_generated
from .objects import (
    DESCRIBES,
    DESCRIPTORS,
    GENERATED,
    WRAPPED,
    held,
    is_code,
    is_left_out,
    is_named_by_its_module,
    is_ours,
    is_written_only,
    leads_to,
    module_of,
    namespace,
    value_of,
)
from .reads import IMPORTED_ONLY, REFLECTION, names_read
from .values import Values
from .watch import MISSING, Watch

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from .found import Encode
    from .location import Location, Locator
    from .reads import Imported

# What the decorator puts on a function.
_OURS = frozenset({"_taggedartifacts", "__wrapped__", "recompute", "path", "is_cached", "explain"})
_FIGURES = frozenset({"matplotlib", "mpl_toolkits", "pylab", "seaborn"})


def walk(roots: Iterable[object], tree: Locator, ignore: Collection[str], encode: Encode) -> tuple[Reads, Watch]:
    """Find what functions and classes read.

    Args:
        roots: The decorated function, and the functions and classes that occur in the values of a call.
        tree: The work tree.
        ignore: Names of globals, of variables of enclosing functions, and of parts of them, that are left out.
        encode: Encodes values.

    Returns:
        What was found, and what tells whether it still holds.
    """
    return _Walk(tree, ignore, encode).over(roots)


class _Walk:
    """One walk. Not recursive from function to function, so that they may call each other in circles."""

    def __init__(self, tree: Locator, ignore: Collection[str], encode: Encode) -> None:
        self._tree = tree
        self._text = Text(self._enter)
        self._pending: deque[object] = deque()
        self._seen: dict[int, object] = {}
        self._watch = Watch()
        self._locations: dict[str, Location] = {}
        self._spaces: dict[str, dict[str, Any]] = {}
        self._ignored = Ignored(ignore)
        self._values = Values(tree, self._text, self._watch, self._ignored, encode)
        self._root: object = None
        self._figures = False

    def over(self, roots: Iterable[object]) -> tuple[Reads, Watch]:
        for position, root in enumerate(roots):
            self._root = root if position == 0 else self._root
            self._follow(root)
        while self._pending:
            self._visit(self._pending.popleft())
        if self._figures:
            self._take_figures()
        places = {each.name: each.path for each in self._locations.values() if not self._tree.is_beside(each)}
        reads = Reads(
            self._values.texts,
            self._values.readers,
            self._values.unknown,
            places,
            self._spaces,
            frozenset(self._ignored.found),
        )
        return reads, self._watch

    def _follow(self, value: object) -> None:
        if id(value) not in self._seen:
            self._seen[id(value)] = value
            self._pending.append(value)

    def _visit(self, value: Any) -> None:
        if isinstance(value, type):
            self._visit_class(value)
        elif isinstance(value, types.FunctionType):
            self._visit_function(value)
        for part in WRAPPED if not isinstance(value, type) else ():
            inner = held(value, part)
            if is_code(inner):
                self._follow(inner)

    # Functions

    def _visit_function(self, function: types.FunctionType) -> None:
        space, code = function.__globals__, function.__code__
        self._watch.function(function)
        if (decoration := vars(function).get("_taggedartifacts")) is not None:
            self._visit_decorated(function, decoration)
            return
        location = self._enter(space)
        label = self._label(location, function)
        if location is None:
            # A wrapper from an installed package: what it holds is not of that package.
            if function.__closure__ and not is_ours(space):
                self._take_cells(function, label)
            self._note_figures(str(space.get("__name__")))
            return
        names = names_read(code)
        for name, chains in names.globals.items():
            self._take_global(space, name, chains, label)
        for imported, chains in names.imports.items():
            self._take_import(space, imported, chains, label)
        self._take_cells(function, label, names.cells)
        if "savefig" in names.attributes:
            self._figures = True
        own = function is self._root
        fixed = bindings_of(space).fixes_defaults(code, function.__defaults__ or ()) and not function.__kwdefaults__
        for name, value in {} if own or fixed else defaults(function).items():
            self._take_part(f"{label}.{name}", name, value, label)
        for name, value in vars(function).items():
            if name not in _OURS:
                self._take_part(f"{label}.{name}", f"{function.__name__}.{name}", value, label)

    def _visit_decorated(self, function: types.FunctionType, decoration: Any) -> None:
        inner = function.__wrapped__  # type: ignore[attr-defined]  # functools.wraps has set it
        self._follow(inner)
        label = self._label(self._enter(inner.__globals__), inner) if isinstance(inner, types.FunctionType) else ""
        config = decoration.options.config
        if inner is not self._root and label and (callable(config) or config):
            self._take_part(f"{label}.config", "config", config() if callable(config) else config, label)
        for name, value in vars(function).items():
            if name not in _OURS and vars(inner).get(name, MISSING) is not value:
                self._take_part(f"{label}.{name}", f"{function.__name__}.{name}", value, label)

    def _take_cells(
        self,
        function: types.FunctionType,
        label: str,
        chains: Mapping[str, tuple[tuple[str, ...], ...]] | None = None,
    ) -> None:
        for cell in function.__closure__ or ():
            self._watch.cell(cell)
        for name, value in closure(function).items():
            key = name if function is self._root else f"{label}.{name}"
            for chain in (chains or {}).get(name, ((),)):
                if is_written_only(chain, value):
                    self._ignored.has((key, name))
                elif isinstance(value, types.ModuleType):
                    self._take_module(value, chain, label, name)
                else:
                    self._take_part(key, name, value, label)

    # Names

    def _take_global(self, space: dict[str, Any], name: str, chains: tuple[tuple[str, ...], ...], label: str) -> None:
        value = space.get(name, MISSING)
        self._watch.name(space, name, value)
        self._ignored.has((self._key(space, name), name))
        if value is MISSING:
            if name in REFLECTION:
                self._take_all(space, label)
            return
        for chain in chains:
            if not is_written_only(chain, value):
                self._take(space, name, value, chain, label, name)

    def _take_all(self, space: dict[str, Any], label: str) -> None:
        self._watch.mapping(space)
        for name, value in list(space.items()):
            if not (name.startswith("__") and name.endswith("__")) and not isinstance(value, types.ModuleType):
                self._take(space, name, value, (), label, name)

    def _take_import(
        self, space: dict[str, Any], imported: Imported, chains: tuple[tuple[str, ...], ...], label: str
    ) -> None:
        self._note_figures(imported.module)
        module = module_of(imported, space)
        if module is not None:
            for chain in chains:
                self._take_module(module, chain, label, imported.module)

    def _take(
        self, space: dict[str, Any], name: str, value: Any, chain: tuple[str, ...], label: str, spelled: str
    ) -> None:
        """Take the value of a name of a module, which code spells so and reads attributes of."""
        if isinstance(value, types.ModuleType):
            self._take_module(value, chain, label, spelled)
            return
        location = self._tree.location(space)
        key = name if location is None or self._tree.is_own(location) else f"{location.name}.{name}"
        if self._ignored.has((key, spelled)) or is_left_out(value) or name in DESCRIBES:
            return
        if is_code(value):
            self._note_figures(str(getattr(value, "__module__", "")))
            # A worker may not have the text, and then what a library's own name gives is as the text had it.
            if not self._text.is_as_written(space, name, value) and not (
                self._text.is_unknown(space) and is_named_by_its_module(value, space)
            ):
                self._count(key, spelled, value, label, is_defined=self._text.is_defined(space, name))
            if isinstance(value, type) and chain and self._take_class_attribute(value, chain[0], label):
                return
            self._follow(value)
        elif not self._text.is_literal(space, name, value):
            self._count(key, spelled, value, label)

    def _take_module(self, module: types.ModuleType, chain: tuple[str, ...], label: str, spelled: str) -> None:
        space = namespace(module)
        self._note_figures(str(space.get("__name__")))
        is_package = space.get("__file__") is None and "__path__" in space
        if not is_package and self._enter(space) is None:
            return
        if chain == IMPORTED_ONLY:
            return
        if not chain:
            if not is_package:
                self._take_all(space, label)
            return
        name = chain[0]
        value = space.get(name, MISSING)
        self._watch.name(space, name, value)
        if value is MISSING:
            self._ignored.has((f"{spelled}.{name}",))
        else:
            self._take(space, name, value, chain[1:], label, f"{spelled}.{name}")

    def _take_part(self, key: str, spelled: str, value: Any, label: str) -> None:
        """Take a default, a variable of an enclosing function, or an attribute."""
        if self._ignored.has((key, spelled)) or is_left_out(value):
            return
        if isinstance(value, types.ModuleType):
            self._take_module(value, (), label, spelled)
        elif is_code(value):
            self._follow(value)
            if not self._text.is_wrapped_definition(value):
                self._count(key, spelled, value, label)
        else:
            self._count(key, spelled, value, label)

    # Classes

    def _visit_class(self, kind: type) -> None:
        space = namespace(sys.modules.get(kind.__module__))
        if self._enter(space) is None:
            self._note_figures(kind.__module__)
            return
        for base in (*kind.__mro__[1:], type(kind)):
            self._follow(base)
        self._watch.mapping(kind.__dict__)
        for name in list(vars(kind)):
            self._take_entry(kind, space, name, self._label(self._tree.location(space), kind))
        for field in vars(kind).get("__dataclass_fields__", {}).values():
            if is_code(field.default_factory) and not isinstance(field.default_factory, type):
                self._follow(field.default_factory)

    def _take_entry(self, kind: type, space: dict[str, Any], name: str, label: str) -> None:
        value = vars(kind)[name]
        if name in GENERATED or is_left_out(value) or isinstance(value, DESCRIPTORS):
            return
        binding = bindings_of(space).of_class(kind.__qualname__).get(name)
        key = self._key(space, f"{kind.__qualname__}.{name}")
        functions = [part for part in map(value_of(value), ("", *WRAPPED)) if isinstance(part, types.FunctionType)]
        if functions or is_code(value):
            if binding is None and any(is_generated(name, each) for each in functions):
                return  # from other members of the class, which count
            if self._ignored.has((key, f"{kind.__qualname__}.{name}")):
                return
            written = isinstance(binding, Defined) and leads_to(value, binding.code, f"{kind.__qualname__}.{name}")
            if not written and not (binding is None and not functions):
                self._count(key, f"{kind.__qualname__}.{name}", value, label, is_defined=isinstance(binding, Defined))
            for part in functions or [value]:
                self._follow(part)
            return
        if not isinstance(value, type(kind)) and isinstance(binding, Literal) and binding.is_held_by(value):
            return
        if isinstance(value, kind) and hasattr(value, "_value_"):  # a member of an enumeration
            value = value._value_
            if isinstance(binding, Literal) and binding.is_held_by(value):
                return
        self._count(key, f"{kind.__qualname__}.{name}", value, label)

    def _take_class_attribute(self, kind: type, name: str, label: str) -> bool:
        """Take one attribute of a class, if that is data of the work tree; else the whole class is what is read."""
        for base in kind.__mro__:
            if name not in vars(base):
                self._watch.name(vars(base), name, MISSING)
                continue
            space = namespace(sys.modules.get(base.__module__))
            value = vars(base)[name]
            if self._tree.location(space) is None or hasattr(value, "__get__") or is_code(value):
                return False
            self._watch.name(vars(base), name, value)
            self._enter(space)
            self._take_entry(base, space, name, label)
            return True
        return False

    def _count(self, key: str, spelled: str, value: Any, label: str, *, is_defined: bool = False) -> None:
        for code in self._values.count(key, spelled, value, label, is_defined=is_defined):
            self._follow(code)

    def _take_figures(self) -> None:
        held = parameters()
        if held is None:
            return
        self._watch.mapping(held)
        for name, value in changed_parameters().items():
            self._count(f"matplotlib.rcParams.{name}", f"rcParams.{name}", value, "matplotlib")

    # Modules

    def _enter(self, space: dict[str, Any]) -> Location | None:
        """Note that a module is reached; None if it is not of the work tree."""
        location = self._tree.location(space)
        if location is not None and location.path not in self._locations:
            self._locations[location.path] = location
            self._spaces[location.path] = space
        return location

    def _key(self, space: dict[str, Any], name: str) -> str:
        location = self._tree.location(space)
        return name if location is None or self._tree.is_own(location) else f"{location.name}.{name}"

    def _label(self, location: Location | None, value: Any) -> str:
        name = str(getattr(value, "__qualname__", type(value).__qualname__)).replace(".<locals>", "")
        return f"{location.name}.{name}" if location is not None else f"{getattr(value, '__module__', '')}.{name}"

    def _note_figures(self, module: str) -> None:
        if module.partition(".")[0] in _FIGURES:
            self._figures = True
