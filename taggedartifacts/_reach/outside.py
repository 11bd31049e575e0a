"""What no statement of the work tree fixes: builtins, libraries, the interpreter, matplotlib's parameters, bases.

Also what stands in the place of a module, and how functions and classes describe themselves.
"""

from __future__ import annotations

import builtins
import sys
import types
from functools import partial
from typing import TYPE_CHECKING, Any

from .bindings import Literal, bindings_of
from .location import label_of
from .members import WRITERS, written
from .objects import DESCRIBES, GENERATED, home_of, namespace, plain
from .reads import IMPORTED_ONLY, OF_ARGUMENT, OF_CELL, PARSES, REFLECTION, mentioned, names_read
from .watch import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from .found import Ignored
    from .location import Locator
    from .reads import Chain
    from .watch import Watch

_BUILTINS = vars(builtins)
_CONSTANTS = frozenset({int, float, complex, bool, str, bytes, tuple, frozenset, types.NoneType})
# By which names code reads how functions and classes describe themselves.
_DESCRIBED = {
    "__annotations__": frozenset({"__annotations__", "get_annotations", "get_type_hints"}),
    "__doc__": frozenset({"__doc__", "getdoc"}),
    "__name__": frozenset({"__name__"}),
    "__qualname__": frozenset({"__qualname__"}),
}
# Their classes stand among the bases of others without being named there, or the other way round.
_OF_PYTHON = frozenset({"builtins", "typing", "typing_extensions"})
_HOMES = frozenset({"builtins", "io", "_io"})
# Constants, and what an interactive interpreter or IPython keeps there.
_KEPT = frozenset({"Ellipsis", "NotImplemented", "_", "get_ipython", "display"})
# What no figure shows: windows, keys, the web, and what is warned of.
_NOT_SHOWN = (
    *("backend", "keymap.", "interactive", "toolbar", "webagg.", "tk.", "macosx.", "figure.max_open_warning"),
    "docstring.",
)

_DRAW = frozenset({"matplotlib", "mpl_toolkits", "pylab", "seaborn"})


class Outside:
    """What one walk takes of that; what libraries define themselves is environment.

    Args:
        tree: The work tree.
        watch: Told of each, so that the next call sees a change.
        ignored: What is left out.
        count: Counts a value: by its name in the record, as it is spelled, and with who reads it.
        enter: Takes what is read of a module: the attributes, who reads it, and as what it is spelled.
        name: Takes a global: its namespace, its name, the attributes that are read of it, and who reads it.
    """

    def __init__(
        self,
        tree: Locator,
        watch: Watch,
        ignored: Ignored,
        count: Callable[[str, str, object, str], None],
        enter: Callable[[types.ModuleType, Chain, str, str], None],
        name: Callable[[dict[str, Any], str, tuple[Chain, ...], str], None],
    ) -> None:
        self._tree = tree
        self._watch = watch
        self._ignored = ignored
        self._count = count
        self._enter = enter
        self._name = name
        self._has_subclasses = False
        self._are_drawn = False
        self._described: set[str] = set()
        self._taken: set[tuple[int, str]] = set()

    def take(self, space: dict[str, Any], chain: tuple[str, ...], label: str, spelled: str) -> None:
        """Take what code reads of an installed module, given its globals and the attributes that the code names."""
        name = chain[0]
        value = space.get(name, MISSING)
        self._watch.name(space, name, value)
        spelled = f"{spelled}.{name}"
        if isinstance(value, types.ModuleType):
            self._enter(value, chain[1:], label, spelled)
        elif space is _BUILTINS:
            self.take_builtin(name, label)
        elif value is not MISSING and (_is_made(space) or self._tree.defines(value, space) or _is_set(space, name)):
            self._count(f"{space.get('__name__')}.{name}", spelled, value, label)

    def parts(self, stands_in: object, chain: tuple[str, ...]) -> Iterator[tuple[str, object]]:
        """Iterate over what code reads of an object that stands in for a module: the data of its classes, too."""
        found: dict[str, object] = {}
        if isinstance(stands_in, type):
            return  # the walk visits it
        for kind in reversed(type(stands_in).__mro__[:-1]):
            self._watch.mapping(vars(kind))
            found |= {
                name: each
                for name, each in vars(kind).items()
                if name not in GENERATED and not hasattr(each, "__get__")
            }
        self._watch.mapping(namespace(stands_in))
        found |= namespace(stands_in)
        for name in found if chain != IMPORTED_ONLY else ():
            if chain[:1] == (name,) or not found.keys() & chain[:1]:  # by a method or property, code may read all
                yield name, found[name]

    def take_mentioned(self, space: dict[str, Any], names: Mapping[str, Iterable[Chain]], label: str) -> None:
        """Take the globals that texts name which some code reads, as in ``df.query(CUT)`` with ``"x > @LIMIT"``."""
        for name, chains in names.items():
            for found, further in (each for chain in chains for each in mentioned(_given(space, (name, *chain)))):
                if found in space and self._is_first(space, found):
                    self._name(space, found, (further,), label)

    def take_of_cell(self, function: types.FunctionType, label: str) -> None:
        """Take what a cell reads of an installed module, and what an argument names, by what stands for that."""
        file, space = function.__code__.co_filename, function.__globals__
        if file == OF_ARGUMENT:
            for name, chains in names_read(function.__code__).globals.items():
                self._name(space, name, chains, label)
        if file == OF_CELL:
            for name, chains in names_read(function.__code__).globals.items():
                for chain in chains:
                    self.take(space, (name, *chain), label, str(space.get("__name__")))

    def take_builtin(self, name: str, label: str) -> None:
        """Take a name that no module binds where it is read."""
        value = _BUILTINS.get(name, MISSING)
        self._watch.name(_BUILTINS, name, value)
        if not (value is MISSING or _is_of_python(name, value)):
            self._count(f"builtins.{name}", name, value, label)

    def note_attributes(self, attributes: Collection[str], label: str) -> None:
        """Note the attributes that some code reads."""
        if not PARSES.isdisjoint(attributes):
            self.take_arguments(label)
        self._has_subclasses |= "__subclasses__" in attributes
        self._described |= {name for name, by in _DESCRIBED.items() if not by.isdisjoint(attributes)}

    def take_arguments(self, label: str) -> None:
        """Take the arguments of the command, but for the path of the program."""
        if not self._ignored.has(("sys.argv",)) and self._is_first(sys, "argv"):
            self._watch.name(vars(sys), "argv", sys.argv)
            self._watch.result(sys.argv.copy, sys.argv.copy())
            self._count("sys.argv", "sys.argv", sys.argv[1:], label)

    def take_bases(self, kind: type, space: dict[str, Any], label: str) -> None:
        """Take the bases and the metaclass of a class that its statement does not name, as those of ``type(…)``.

        Bases that it names, and that were set to others or in another order since, are taken all.
        """
        self._watch.attribute(kind, "__bases__")
        named = [_given(space, chain) for chain in bindings_of(space).read_by(kind.__qualname__)]
        metaclass = [type(kind)] if type(kind) not in map(type, kind.__bases__) else []
        chosen: list[type] = []
        for base in (*kind.__bases__, *metaclass):
            home = namespace(sys.modules.get(base.__module__))
            is_named = any(base is each for each in named) or _given(home, base.__qualname__.split(".")) is not base
            if not is_named and self._tree.location(home) is not None:
                chosen.append(base)
        written = [each for each in named if isinstance(each, type) and each not in type.mro(type(kind))]
        if named and not chosen and list(filter(_has_name, kind.__bases__)) != list(filter(_has_name, written)):
            chosen = list(kind.__bases__)
        if chosen:
            self._count(f"{label}.__bases__", "", chosen, label)

    def written(self, kind: type, space: dict[str, Any]) -> Iterator[tuple[str, object]]:
        """Iterate over what was written into a class that its text does not tell."""
        texts = bindings_of(space)
        called = [_given(space, chain) for chain in texts.read_by(kind.__qualname__)]
        is_told = texts.times(kind.__qualname__) > 0 and all(map(_is_writer, called))
        return written(kind, is_told=is_told or not texts.names)

    def take_asked(self, seen: Collection[object], describes: Callable[[Any, str, object], bool]) -> None:
        """Take what code that was noted asks of functions and classes, given what says whether their text tells it."""
        self._take_subclasses([each for each in seen if isinstance(each, type)])
        for value in seen if self._described else ():
            if isinstance(value, (type, types.FunctionType)):
                self._take_descriptions(value, describes)

    def _take_descriptions(
        self, value: type | types.FunctionType, describes: Callable[[Any, str, object], bool]
    ) -> None:
        inner = value if isinstance(value, type) else plain(value)
        location = self._tree.location(home_of(inner) if isinstance(inner, type) else inner.__globals__)
        for name in sorted(self._described) if location is not None else ():
            key = f"{label_of(location, inner)}.{name}"
            if self._ignored.has((key,)) or not self._is_first(value, name):
                continue
            self._watch.attribute(value, name)
            found = getattr(value, name, MISSING)
            if isinstance(found, dict):
                self._watch.mapping(found)
            if found is not MISSING and not describes(inner, name, found):
                self._count(key, key, found, label_of(location, inner))

    def _take_subclasses(self, classes: Iterable[type]) -> None:
        """Take the subclasses of classes of the work tree, if some code asks for those of one, as of plug-ins."""
        for kind in classes if self._has_subclasses else ():
            location = self._tree.location(home_of(kind))
            if location is not None and self._is_first(kind, "__subclasses__"):
                found: list[type] = type.__subclasses__(kind)
                self._watch.result(partial(type.__subclasses__, kind), found)
                self._count(f"{label_of(location, kind)}.__subclasses__", "", found, label_of(location, kind))

    def _is_first(self, value: object, name: str) -> bool:
        """Say whether something of a value is taken for the first time."""
        key = id(value), name
        is_first = key not in self._taken
        self._taken.add(key)
        return is_first

    def note_module(self, name: str) -> None:
        """Note that a module is reached, by its import name: perhaps one that draws figures."""
        self._are_drawn |= name.partition(".")[0] in _DRAW

    def take_parameters(self) -> None:
        """Take matplotlib's parameters that are not its defaults, if something is drawn."""
        if not self._are_drawn:
            return
        parameters = getattr(sys.modules.get("matplotlib"), "rcParams", None)
        if not isinstance(parameters, dict):
            self._watch.name(sys.modules, "matplotlib", MISSING)  # a run may load it
            return
        self._watch.mapping(parameters)
        for name, value in _changed(parameters).items():
            self._count(f"matplotlib.rcParams.{name}", f"rcParams.{name}", value, "matplotlib")


def _is_made(space: dict[str, Any]) -> bool:
    """Say whether a module was made by hand: no import gives it, and no text."""
    return space.get("__spec__") is None and space is not _BUILTINS and space.get("__name__") != "__main__"


def _is_set(space: dict[str, Any], name: str) -> bool:
    """Say whether a constant of an installed module is no longer the literal to which its text binds it."""
    home, value = str(space.get("__name__")).partition(".")[0], space[name]
    if type(value) not in _CONSTANTS or name in DESCRIBES or home in sys.stdlib_module_names:
        return False
    binding = bindings_of(space).names.get(name)
    return isinstance(binding, Literal) and not binding.is_held_by(value)


def _given(space: dict[str, Any], chain: Iterable[str]) -> object:
    """Look up a name and its attributes, as far as they are those of modules and classes."""
    name, *attributes = chain
    found: object = space.get(name)
    for each in attributes:
        if isinstance(found, type | types.ModuleType):
            found = vars(found).get(each)
    return found


def _is_writer(value: object) -> bool:
    """Say whether what a class statement reads is a base, or a decorator that writes what its options say."""
    return isinstance(value, type) or str(getattr(value, "__module__", "")).partition(".")[0] in WRITERS


def _has_name(kind: type) -> bool:
    """Say whether its module gives a class by its name; what a call makes has none, as `namedtuple` in a statement."""
    home = namespace(sys.modules.get(kind.__module__))
    return kind.__module__ not in _OF_PYTHON and _given(home, kind.__qualname__.split(".")) is kind


def is_built_in(name: str) -> bool:
    """Say whether a name is one of Python's own, and gives what Python gives; not those that reach others."""
    return name in _BUILTINS and name not in REFLECTION and _is_of_python(name, _BUILTINS[name])


def _is_of_python(name: str, value: Any) -> bool:
    if name in _KEPT or name.startswith("__") or type(value).__module__ == "_sitebuiltins":
        return True
    return isinstance(value, (type, types.BuiltinFunctionType)) and value.__module__ in _HOMES


def _changed(parameters: dict[str, Any]) -> dict[str, object]:
    """Collect the parameters that are not matplotlib's defaults."""
    defaults = getattr(sys.modules.get("matplotlib"), "rcParamsDefault", None)
    if not isinstance(defaults, dict):
        return {}
    found = {}
    for name, value in dict.items(parameters):
        if not name.startswith(_NOT_SHOWN) and not _is_same_value(dict.get(defaults, name), value):
            found[name] = _plain(value)
    return found


def _is_same_value(one: object, other: object) -> bool:
    return one is other or (type(one) is type(other) and repr(one) == repr(other))


def _plain(value: Any) -> object:
    # A cycle of colours and styles says its content by key.
    return {"cycle": value.by_key()} if type(value).__module__.partition(".")[0] == "cycler" else value
