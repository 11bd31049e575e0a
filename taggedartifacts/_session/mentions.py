"""What cells name beyond the globals that instructions show: names in strings, by reflection, and of modules.

``df.query("x > @LIMIT")``, SQL over frames, formulas and ``!cmd {N}`` look names up where they are called.

An attribute of a module, such as ``helper.BINS``, a cell reads as a function of that very module would read one.
So for each there is one, made here and never called; whether it counts is for the walk over functions in files to
say, which knows the text of the modules.
"""

from __future__ import annotations

import builtins
import functools
import re
import sys
from operator import itemgetter
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from .._reach.objects import module_of, namespace
from .._reach.outside import is_built_in
from .._reach.reads import ADDED_TO, IMPORTED_ONLY, OF_CELL, REFLECTION, WRITTEN, names_read, reader
from .._reach.watch import MISSING
from .session import session

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from types import CodeType

    from .._reach.definition import Source
    from .._reach.watch import Watch

# By these attributes of a function, of a frame and of the shell, code reaches all globals.
_ATTRIBUTES = frozenset({"__globals__", "f_globals", "user_ns", "user_global_ns", "user_module"})
_OF_SHELL_ALONE = frozenset({"ev", "ex", "run_cell", "run_code"})
_BUILT_IN = [getattr(builtins, name) for name in REFLECTION]
_NAME = re.compile(r"[^\W\d]\w*")
# What IPython and plain prompts put among the globals: the history, and ways to leave.
_OF_SHELL = re.compile(r"__\w*__|_+|_\d+|_i+|_i\d+|_[oid]h|_exit_code|In|Out|get_ipython|exit|quit|open")


class Mentions:
    """The globals that strings name, each with its namespace.

    A string that is nothing but a name is more often a key, as in ``row["x"]``, than code: see `items`.

    Attributes:
        names: All names that were looked for, whether or not there are such globals.
        reach_all: Whether code may read any global by reflection.

    Args:
        watch: Told of each name that is looked for, whether or not there is such a global.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.names: set[str] = set()
        self.reach_all = False
        self._found: dict[tuple[str, int], tuple[Mapping[str, Any], bool]] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def items(self) -> list[tuple[str, Mapping[str, Any], bool]]:
        """List them by name: the name, its namespace, and whether all strings that have it are nothing but a name."""
        found = [(name, space, is_key) for (name, _), (space, is_key) in self._found.items()]
        return sorted(found, key=itemgetter(0))

    def of_code(self, function: FunctionType, source: Source) -> None:
        """Take in what the strings of a function name, and all that it may reach by reflection."""
        space, code = function.__globals__, function.__code__
        # What looks a name up does so among the variables of its caller first.
        known = {*source.reads, *code.co_varnames, *code.co_cellvars, *code.co_freevars}
        self._of_texts(source.strings, space, known)
        for chain in _of_main(code, space):
            if chain:
                self._add(chain[0], space, is_key=False)
        if _reaches_all(code, source, space):
            self._take_all(space)

    def _take_all(self, space: Mapping[str, Any]) -> None:
        self._watch.lose()
        self.reach_all = True
        for name in list(space):
            self._add(name, space, is_key=False)

    def of_value(self, value: object, space: Mapping[str, Any], *, is_code: bool = False) -> None:
        """Take in what the strings in a value name: annotations that are evaluated, if it is code."""
        pending, texts = [value], list[str]()
        inside: set[int] = set()
        while pending:
            each = pending.pop()
            if type(each) is str:
                texts.append(each)
            elif type(each) is BuiltinFunctionType and _is_reflection(each):
                self._take_all(space)
            elif isinstance(each, bytes | bytearray) and b"__main__" in each:  # a pickle of what the session defines
                self._of_texts([each.decode("latin-1")], space, is_code=True)
            elif isinstance(each, dict | list | tuple | set | frozenset) and id(each) not in inside:
                inside.add(id(each))
                pending += [*each, *each.values()] if isinstance(each, dict) else each
        self._of_texts(texts, space, is_code=is_code)

    def _of_texts(
        self, texts: Iterable[str], space: Mapping[str, Any], known: Collection[str] = (), *, is_code: bool = False
    ) -> None:
        """Take in what strings name, without names that are known to mean something else."""
        named, keys = set[str](), set[str]()
        for text in texts:
            found = _NAME.findall(text)
            if found == [text] and not is_code:
                keys.add(text)
            else:
                named.update(found)
        for name in named.difference(known):
            self._add(name, space, is_key=False)
        for name in keys.difference(named, known):
            self._add(name, space, is_key=True)

    def _add(self, name: str, space: Mapping[str, Any], *, is_key: bool) -> None:
        self._watch.name(space, name, space.get(name, MISSING))
        self.names.add(name)
        if name in space and not _OF_SHELL.fullmatch(name):
            before = self._found.get((name, id(space)), (space, True))
            self._found[name, id(space)] = space, is_key and before[1]


def _reaches_all(code: CodeType, source: Source, space: Mapping[str, Any]) -> bool:
    """Tell whether code reaches all globals of the session: by a built-in, an attribute, the module or the dict."""
    if any(chain[:1] in ((), ("__dict__",)) for chain in _of_main(code, space)) or "__main__" in source.strings:
        return True
    names = names_read(code)
    by_shell = not _OF_SHELL_ALONE.isdisjoint(names.attributes) and "get_ipython" in source.reads
    if by_shell or not _ATTRIBUTES.isdisjoint((*names.attributes, *source.strings)):
        return True
    return any(_stands_for_all(name, names.globals.get(name, ()), space) for name in source.reads)


def _stands_for_all(name: str, chains: Iterable[tuple[str, ...]], space: Mapping[str, Any]) -> bool:
    value = space.get(name, getattr(builtins, name, None) if name in REFLECTION else None)
    if value is space or _is_reflection(value) or getattr(value, "__dict__", None) is space:
        return True
    return value is builtins and any(chain[0] in REFLECTION for chain in chains if chain)


def _is_reflection(value: object) -> bool:
    return any(value is each for each in _BUILT_IN)


def _of_main(code: Any, space: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for imported, chains in names_read(code).imports.items():
        is_own = imported.module == "__name__" and namespace(module_of(imported, space)) is space
        if is_own or imported.module == "__main__":
            yield from (chain for chain in chains if chain != ("",))


_READ_NOTHING = (IMPORTED_ONLY, ADDED_TO, WRITTEN)
_READER_BYTES = 1000


def readers(function: FunctionType, watch: Watch) -> Iterator[FunctionType]:
    """Iterate over functions that read, of the modules that a function reads, what it reads of them.

    Args:
        function: The function.
        watch: Told of what leads to the modules.
    """
    names, space = names_read(function.__code__), function.__globals__
    found: list[tuple[object, Collection[tuple[str, ...]]]] = []
    for name, chains in names.globals.items():
        watch.name(space, name, space.get(name, MISSING))
        found.append((space.get(name), chains))
        if name not in space:
            watch.name(vars(builtins), name, vars(builtins).get(name, MISSING))
            if name in vars(builtins) and not is_built_in(name):
                found.append((builtins, ((name,),)))
    for each, chains in names.imports.items():
        module = module_of(each, space)
        watch.result(functools.partial(module_of, each, space), module)
        found.append((module, chains))
    for value, chained in found:
        if isinstance(value, ModuleType):
            yield from (_reader(value, chain, function, watch) for chain in chained if chain not in _READ_NOTHING)
    if "savefig" in names.attributes:
        watch.name(sys.modules, "matplotlib", sys.modules.get("matplotlib", MISSING))
        if (matplotlib := sys.modules.get("matplotlib")) is not None:
            yield _reader(matplotlib, ("rcParams",), function, watch)


def _reader(module: ModuleType, chain: tuple[str, ...], function: FunctionType, watch: Watch) -> FunctionType:
    while len(chain) > 1:
        inner = vars(module).get(chain[0], MISSING)
        watch.name(vars(module), chain[0], inner)
        if not isinstance(inner, ModuleType):
            break
        module, chain = inner, chain[1:]
    key = (id(module), chain, function.__qualname__)
    known = session.readers.get(key)
    if known is None or known.__globals__ is not vars(module):
        known = reader(chain, vars(module), OF_CELL, function.__qualname__)
        session.readers.put(key, known, _READER_BYTES)
    return known
