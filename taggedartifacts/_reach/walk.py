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
from .found import UNBOUND, Ignored, Reads, Text, Values
from .location import label_of
from .members import BOUND, closure_of, defaults, is_dispatcher, is_generated, put_on_member, registry
from .objects import (
    DESCRIBES,
    DESCRIPTORS,
    GENERATED,
    PUT_ON,
    functions_of,
    home_of,
    is_code,
    is_left_out,
    is_named_by_its_module,
    is_space_of_this_library,
    is_written_only,
    leads_to,
    module_of,
    namespace,
    plain,
    stands_for_module,
    whole_name,
    wrapped,
)
from .outside import Outside
from .reads import IMPORTED_ONLY, REFLECTION, Imported, names_read
from .watch import MISSING, Watch

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from .found import Encode
    from .location import Locator
    from .reads import Chain, Chains, LookedUp


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
        self._text = Text(tree)
        self._enter, self._key = self._text.enter, self._text.key
        self._pending: deque[object] = deque()
        self._seen: dict[int, object] = {}
        self._watch = Watch()
        self._ignored = Ignored(ignore)
        self._values = Values(tree, self._text, self._watch, self._ignored, encode)
        self._root: object = None
        self._inner: list[object] = []  # what our decorators hold: their options are no code
        self._outside = Outside(tree, self._watch, self._ignored, self._count, self._take_module, self._take_global)

    def over(self, roots: Iterable[object]) -> tuple[Reads, Watch]:
        for root in roots:
            if not self._inner:
                self._root, self._inner = root, [root]
            self._follow(root)
        while self._pending:
            self._visit(self._pending.popleft())
            if not self._pending:
                self._outside.take_asked(list(self._seen.values()), self._text.describes)
        self._outside.take_parameters()
        values, text = self._values, self._text
        found = values.texts, values.readers, values.unknown, text.places(), text.spaces
        return Reads(*found, frozenset(self._ignored.found), values.code), self._watch

    def _follow(self, value: object) -> None:
        if id(value) not in self._seen:
            self._seen[id(value)] = value
            self._pending.append(value)

    def _visit(self, value: Any) -> None:
        if isinstance(value, type):
            self._visit_class(value)
        elif isinstance(value, types.FunctionType):
            self._visit_function(value)
        elif (location := self._enter(home_of(type(value)))) is not None:  # an object that wraps a function
            self._follow(type(value))
            self._watch.mapping(namespace(value))
            self._take_attributes(value, value, label_of(location, value))
        for inner in filter(is_code, wrapped(value) if not isinstance(value, type) else ()):
            self._follow(inner)

    # Functions

    def _visit_function(self, function: types.FunctionType) -> None:
        space, code = function.__globals__, function.__code__
        self._watch.function(function)
        if (decoration := vars(function).get("_taggedartifacts")) is not None:
            self._visit_decorated(function, decoration)
            return
        location = self._enter(space)
        # A wrapper of a library goes by what it wraps: a script is the module that others import.
        label = label_of(location or self._tree.location(plain(function).__globals__), function)
        if location is None:
            if is_dispatcher(function):
                self._watch.mapping(function.registry)  # type: ignore[attr-defined]  # singledispatch has set it
                self._count(f"{label}.registry", f"{function.__name__}.registry", registry(function), label)
            elif function.__closure__ and not is_space_of_this_library(
                space
            ):  # what a wrapper holds is not its package's
                self._take_cells(function, label)
            self._outside.take_of_cell(function, label)
            self._outside.note_module(str(space.get("__name__")))
            return
        names = names_read(code)
        for name, chains in names.globals.items():
            self._take_global(space, name, chains, label)
        for imported, chains in names.imports.items():
            self._take_import(space, imported, chains, label)
        self._take_cells(function, label, names.cells)
        if function not in self._inner:
            self._take_statement(space, code.co_qualname, label)
        if "savefig" in names.attributes:
            self._outside.note_module("matplotlib")
        self._outside.note_attributes(names.attributes, label)
        self._outside.take_mentioned(space, names.globals, label)
        own = function is self._root
        is_one_of_several = not own and "." not in code.co_qualname and self._text.is_one_of_several(function)
        if is_one_of_several and not self._values.hold(function):
            self._count(label, label, function, label)
        fixed = bindings_of(space).fixes_defaults(code, function.__defaults__ or ()) and not function.__kwdefaults__
        for name, value in {} if own or fixed else defaults(function).items():
            self._take_part(f"{label}.{name}", name, value, label)
        if (other := self._text.other_code(function)) is not None:
            self._take_part(f"{label}.__code__", f"{label}.__code__", other, label)
        self._take_attributes(function, function, label)

    def _take_attributes(self, function: Any, inner: object, label: str) -> None:
        for name, value in namespace(function).items():
            if name not in PUT_ON and (function is inner or vars(inner).get(name, MISSING) is not value):
                self._take_part(f"{label}.{name}", f"{label.rpartition('.')[2]}.{name}", value, label)

    def _visit_decorated(self, function: types.FunctionType, decoration: Any) -> None:
        inner = function.__wrapped__  # type: ignore[attr-defined]  # functools.wraps has set it
        self._inner.append(inner)
        self._follow(inner)
        label = label_of(self._enter(inner.__globals__), inner) if isinstance(inner, types.FunctionType) else ""
        config, load = decoration.options.config, decoration.options.load
        if inner is not self._root and label and (callable(config) or config):
            self._take_part(f"{label}.config", "config", config() if callable(config) else config, label)
        if inner is not self._root and load is not None:
            self._take_part(f"{label}.load", "load", load, label)
        self._take_attributes(function, inner, label)

    def _take_cells(self, function: types.FunctionType, label: str, chains: Chains | None = None) -> None:
        for cell in function.__closure__ or ():
            self._watch.cell(cell)
        for name, value in closure_of(function).items():
            key = name if function is self._root else f"{label}.{name}"
            for chain in (chains or {}).get(name, ((),)):
                if is_written_only(chain, value):
                    self._ignored.has((key, name))
                else:
                    self._take_part(key, name, value, label, chain=chain)

    # Names

    def _take_statement(self, space: dict[str, Any], qualname: str, label: str) -> None:
        """Take the names that a statement reads: the decorators of a function or class, and the bases of a class."""
        for name, *chain in bindings_of(space).read_by(qualname):
            self._take_global(space, name, (tuple(chain),), label)

    def _take_global(self, space: dict[str, Any], name: str, chains: tuple[Chain, ...], label: str) -> None:
        value = space.get(name, MISSING)
        self._watch.name(space, name, value)
        self._ignored.has((self._key(space, name), name))
        if value is MISSING:
            if name in REFLECTION:
                self._take_all(space, label)
            else:
                self._take_missing(space, name, self._key(space, name), label)
                self._outside.take_builtin(name, label)
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
        self, space: dict[str, Any], imported: Imported | LookedUp, chains: Iterable[Chain], label: str
    ) -> None:
        self._outside.note_module(imported.module)
        module = module_of(imported, space)
        if isinstance(imported, Imported):
            self._watch.name(sys.modules, whole_name(imported, space), MISSING if module is None else module)
        if module is not None:
            for chain in chains:
                self._take_module(module, chain, label, imported.module)

    def _take(self, space: dict[str, Any], name: str, value: Any, chain: Chain, label: str, spelled: str) -> None:
        """Take the value of a name of a module, which code spells so and reads attributes of."""
        key = self._key(space, name)
        if isinstance(value, types.ModuleType) or stands_for_module(value):
            if self._text.is_chosen(space, name):
                self._choose(key, spelled, value, label)
            self._take_module(value, chain, label, spelled)
            return
        if self._ignored.has((key, spelled)) or is_left_out(value) or name in DESCRIBES:
            return
        if is_code(value):
            self._outside.note_module(str(getattr(value, "__module__", "")))
            # A worker may not have the text, and then what a library's own name gives is as the text had it.
            if not self._text.is_as_written(space, name, value) and not (
                self._text.is_unknown(space) and is_named_by_its_module(value, space)
            ):
                self._count(key, spelled, value, label, is_defined=self._text.is_defined(space, name))
            if isinstance(value, type) and chain and self._take_class_attribute(value, chain[0], label):
                return
            self._follow(value)
        elif not self._text.is_literal(space, name, value):
            self._count(key, spelled, value, label, is_defined=self._text.is_plain(space, name))

    def _take_module(self, module: Any, chain: Chain, label: str, spelled: str) -> None:
        if not isinstance(module, types.ModuleType):
            # Its module's name does not give it, so the object has no form.
            self._follow(module if isinstance(module, type) else type(module))
            for name, part in self._outside.parts(module, chain):
                self._take_part(f"{spelled}.{name}", f"{spelled}.{name}", part, label)
            return
        space = namespace(module)
        self._outside.note_module(str(space.get("__name__")))
        if module is sys and chain[:1] == ("argv",):
            self._outside.take_arguments(label)
        is_package = space.get("__file__") is None and "__path__" in space
        if chain == IMPORTED_ONLY:
            self._enter(space)
            return
        if not is_package and self._enter(space) is None:
            if chain:
                self._outside.take(space, chain, label, spelled)
            return
        if has_class := type(module) is not types.ModuleType and self._tree.defines(type(module), {}):
            self._follow(type(module))  # whose properties may read anything of the module
        if has_class or not chain or chain[0] == "__dict__":
            if not is_package:
                self._take_all(space, label)
                for name in self._text.bound(space) - space.keys():
                    self._take_missing(space, name, self._key(space, name), label)
            return
        name = chain[0]
        value = space.get(name, MISSING)
        self._watch.name(space, name, value)
        if value is MISSING:
            self._ignored.has((f"{spelled}.{name}",))
            self._take_missing(space, name, f"{spelled}.{name}", label)
        else:
            self._take(space, name, value, chain[1:], label, f"{spelled}.{name}")

    def _choose(self, key: str, spelled: str, module: object, label: str) -> None:
        """Take which module a name gives, where no text fixes that."""
        space = namespace(module)
        location = self._tree.location(space)
        self._count(key, spelled, location.name if location is not None else str(space.get("__name__")), label)

    def _take_part(self, key: str, spelled: str, value: Any, label: str, *, chain: Chain = ()) -> None:
        """Take a default, a variable of an enclosing function, or an attribute."""
        if self._ignored.has((key, spelled)) or is_left_out(value):
            return
        if isinstance(value, types.ModuleType):
            self._choose(key, spelled, value, label)
            self._take_module(value, chain, label, spelled)
        elif is_code(value):
            self._follow(value)
            if not self._text.is_wrapped_definition(value):
                self._count(key, spelled, value, label)
        else:
            self._count(key, spelled, value, label)

    def _take_missing(self, space: dict[str, Any], name: str, key: str, label: str) -> None:
        """Take a name without a value: its module may make one when asked, or bind it in a branch not taken."""
        if (asked := space.get("__getattr__")) is not None and self._enter(space) is not None:
            self._take(space, "__getattr__", asked, (), label, f"{key}.__getattr__")
        if name in self._text.bound(space):
            self._count(key, name, UNBOUND, label)

    # Classes

    def _visit_class(self, kind: type) -> None:
        space = home_of(kind)
        if self._enter(space) is None:
            self._outside.note_module(kind.__module__)
            return
        for base in (*kind.__mro__[1:], type(kind)):
            self._follow(base)
        label = label_of(self._tree.location(space), kind)
        self._take_statement(space, kind.__qualname__, label)
        self._outside.take_bases(kind, space, label)
        self._watch.mapping(kind.__dict__)
        for name in list(vars(kind)):
            self._take_entry(kind, space, name, label)
        for name in bindings_of(space).of_class(kind.__qualname__).keys() - vars(kind).keys() - GENERATED:
            self._take_part(f"{label}.{name}", f"{kind.__qualname__}.{name}", UNBOUND, label)
        for name, value in self._outside.written(kind, space):
            self._take_part(f"{label}.{name}", f"{kind.__qualname__}.{name}", value, label)
        self._watch.mapping(vars(kind).get("__dataclass_fields__", {}))

    def _take_entry(self, kind: type, space: dict[str, Any], name: str, label: str) -> None:
        value, binding = vars(kind)[name], bindings_of(space).of_class(kind.__qualname__).get(name)
        is_written = name in GENERATED and not isinstance(binding, Defined) and (binding is None or name not in BOUND)
        if is_written or is_left_out(value) or isinstance(value, DESCRIPTORS):
            return
        spelled = f"{kind.__qualname__}.{name}"
        key = self._key(space, spelled)
        if isinstance(value, types.ModuleType):
            self._take_part(key, spelled, value, label)
            return
        functions = functions_of(value)
        if functions or is_code(value):
            if binding is None and any(is_generated(name, each) for each in functions):
                for each in functions:  # from other members of the class, which count, but for what was set on it
                    self._watch.function(each)
                    for parameter, default in self._text.set_defaults(kind, each).items():
                        self._take_part(f"{key}.{parameter}", f"{spelled}.{parameter}", default, label)
                return
            if self._ignored.has((key, spelled)):
                return
            written = isinstance(binding, Defined) and leads_to(value, binding.code, spelled)
            if not written and not (binding is None and not functions):
                self._count(key, spelled, value, label, is_defined=isinstance(binding, Defined))
            for part in (*functions, value):
                self._follow(part)
            return
        if kind in type(value).__mro__ and hasattr(value, "_value_"):  # a member of an enumeration
            self._watch.mapping(vars(value))
            for attribute, held_by_it in put_on_member(value).items():
                self._take_part(f"{key}.{attribute}", f"{spelled}.{attribute}", held_by_it, label)
            value = value._value_
        value = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
        if not isinstance(value, type(kind)) and isinstance(binding, Literal) and binding.is_held_by(value):
            return
        self._count(key, spelled, value, label)

    def _take_class_attribute(self, kind: type, name: str, label: str) -> bool:
        """Take one attribute of a class, if that is data of the work tree; else the whole class is what is read."""
        for base in kind.__mro__:
            space = home_of(base)
            if name not in vars(base):
                self._watch.name(vars(base), name, MISSING)
                if name in bindings_of(space).of_class(base.__qualname__):
                    return False  # it was deleted
                continue
            value = vars(base)[name]
            if self._tree.location(space) is None or name in GENERATED or hasattr(value, "__get__") or is_code(value):
                return False
            self._watch.name(vars(base), name, value)
            self._enter(space)
            self._take_entry(base, space, name, label)
            return True
        return False

    def _count(self, key: str, spelled: str, value: Any, label: str, *, is_defined: bool = False) -> None:
        for code in self._values.count(key, spelled, value, label, is_defined=is_defined):
            self._follow(code)
