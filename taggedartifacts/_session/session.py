"""The session of this process: what it has executed and loaded again, and what is remembered of it.

Of code that was loaded again it tells what autoreload patched in place, and older functions that are still about.
"""

from __future__ import annotations

import os
import sys
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from .._memory import Memory
from .._reach.members import closure_of, nested, same
from .._reach.modules import LoadedFile, loaded_modules
from .._reach.objects import wrapped
from .._reach.prompt import shell

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from .._reach.syntax import Outline


# What most modules and classes hold. None of it brings a function of a module; what containers hold, others tell.
_BRINGS_NONE = frozenset(
    {
        *(str, int, float, bool, complex, bytes, type(None), tuple, list, dict, set, frozenset, ModuleType),
        *(BuiltinFunctionType, WrapperDescriptorType, MethodDescriptorType),
        *(GetSetDescriptorType, MemberDescriptorType),
    }
)


class Session:
    """What a process knows of its session. There is one, which lives as long as the process.

    Attributes:
        executions: How many cells it has executed, silent executions and callbacks of widgets included.
        looks: Looks at repositories that hold for some time, by what they are of. Held by the moments that have taken
            them, so that what a reload has replaced takes its look along.
        outlines: The definitions in each notebook, by root and path, with the identity of its content.
        committed: The definitions in all notebooks of a suffix, by root and suffix, with what stood at HEAD; each by
            its bare outline. Of each root and suffix the last ones only.
        readers: Functions that read what cells read of modules, by module, names and function.
    """

    def __init__(self) -> None:
        self.executions = 0
        self.looks: WeakValueDictionary[tuple[object, ...], Any] = WeakValueDictionary()
        self.outlines: Memory[tuple[str, str], tuple[str, frozenset[Outline]]] = Memory()
        self.committed: dict[tuple[str, str], tuple[object, Mapping[str, list[Outline]]]] = {}
        self.readers: Memory[tuple[int, tuple[str, ...], str], FunctionType] = Memory()
        self._shell: object = None
        # By root, and by module and path: the module's file as it was loaded, and the time of it that autoreload had
        # noted then. As many as the modules of the repositories, and so are the names of those that were loaded again.
        self._noted: dict[str, dict[tuple[str, str], tuple[LoadedFile, float | None]]] = {}
        self._again: set[str] = set()
        # The code in a file as it was loaded last, and which code was found to be in it, or not to be.
        self._codes: WeakKeyDictionary[LoadedFile, tuple[tuple[CodeType, ...], dict[CodeType, bool]]] = (
            WeakKeyDictionary()
        )

    def listen(self, root: str | None) -> None:
        """Take note of a repository, and of what the shell executes, if there is one."""
        if root is not None:
            self._noted.setdefault(root, {})
        running = shell()
        if running is not None and running is not self._shell:
            self._shell = running
            # Unlike pre_run_cell and execution_count, it tells of silent executions and callbacks of widgets too.
            running.events.register("pre_execute", self._on_execute)
            running.events.register("post_execute", self._notice_all)

    def _on_execute(self) -> None:
        self.executions += 1
        self._notice_all()

    def _notice_all(self) -> None:
        # What a cell has just loaded is compared with its files before the next edit.
        for root in list(self._noted):
            self.notice(root)

    def notice(self, root: str) -> None:
        """Notice which modules of a repository were loaded, loaded again, or patched since this was last called.

        A reload gives a module a new specification; what IPython's autoreload patches in place keeps the old one, and
        only autoreload's own notes tell.
        """
        modules, noted = loaded_modules(root), self._noted.setdefault(root, {})
        for place, loaded in modules.files().items():
            name = place[0]
            patched = _patched(name)
            before, baseline = noted.get(place, (None, None))
            if before is not None and before is not loaded:
                self._again.add(name)
            # Loading the extension notes the times of all files, and loads none: only a change of the note tells.
            if before is None or baseline is None or loaded.is_as_loaded():
                noted[place] = loaded, patched
            elif patched != baseline and _has_loaded(loaded.file, patched):
                modules.renew(name)
                self._again.add(name)

    def outdated(self, root: str, values: Iterable[object] | None = None) -> dict[str, str]:
        """Find functions and classes that their modules do not hold any more, as they were loaded again.

        After ``from helper import clean`` the old function stays when helper is loaded again, unless by autoreload. So
        does what a decorator of helper has put around a function of another module, or of a cell.

        Args:
            root: The root of the repository.
            values: Where to look for them, and for all code that each value brings; by default in all of the
                repository's modules.

        Returns:
            Digests that stand for the old code, by the path of the file that it came from.
        """
        if not self._again:
            return {}
        files = {name: loaded for (name, _), loaded in loaded_modules(root).files().items()}
        if values is None:
            values = [value for name in files if name in sys.modules for value in vars(sys.modules[name]).values()]
        found = {}
        for function in _brought_by(values, files):
            code, space = function.__code__, function.__globals__
            name = space.get("__name__")
            if name in self._again and name in files and space is getattr(sys.modules.get(name), "__dict__", None):
                loaded = files[name]
                if code.co_filename == space.get("__file__") and not self._holds(loaded, code):
                    found[loaded.path] = loaded.token
        return found

    def _holds(self, loaded: LoadedFile, code: CodeType) -> bool:
        known = self._codes.get(loaded)
        if known is None:
            known = self._codes[loaded] = _codes_of_file(loaded.file), {}
        codes, found = known
        if code not in found:
            found[code] = any(same(code, each) for each in codes)
        return found[code]


session = Session()


def version(root: str) -> tuple[object, ...]:
    """Tell what is loaded: equal as long as nothing was loaded, loaded again or patched."""
    files = loaded_modules(root).files()
    reloader = _reloader()
    return (files, *(() if reloader is None else [reloader.modules_mtimes.get(name) for name, _ in files]))


def _brought_by(values: Iterable[object], modules: Collection[str]) -> Iterator[FunctionType]:
    """Iterate over the functions that values bring, layer by layer; runs no code of theirs.

    What a function wraps, and holds in its closure, as defaults and attributes; of a class of these modules its bases,
    metaclass and members; of any other object its class, and what it wraps.
    """
    pending, seen = list(values), set[int]()
    while pending:
        value: Any = pending.pop()
        kind = type(value)
        if kind in _BRINGS_NONE or id(value) in seen:
            continue
        seen.add(id(value))
        if kind is FunctionType:
            yield value
            if value.__closure__:
                pending += closure_of(value).values()
            for held in (value.__defaults__, (value.__kwdefaults__ or {}).values(), vars(value).values()):
                pending += held or ()
        elif kind is MethodType:
            pending += [value.__func__, value.__self__]
        elif issubclass(kind, type):
            pending.append(kind)
            if vars(value).get("__module__") in modules:
                pending += [*value.__mro__, *vars(value).values()]
        else:
            pending += [kind, *wrapped(value)]


def _codes_of_file(file: str) -> tuple[CodeType, ...]:
    try:
        with open(file, "rb") as source:
            return tuple(nested(compile(source.read(), file, "exec", dont_inherit=True)))
    except (OSError, SyntaxError, ValueError):
        return ()


def _has_loaded(file: str, patched: float | None) -> bool:
    """Tell whether autoreload has loaded the file as it stands, without an error."""
    try:
        return os.stat(file).st_mtime == patched and _reloader().failed.get(file) != patched
    except OSError:
        return False


def _patched(name: str) -> float | None:
    reloader = _reloader()
    return None if reloader is None else reloader.modules_mtimes.get(name)


def _reloader() -> Any:
    if "IPython.extensions.autoreload" not in sys.modules:
        return None
    shell = sys.modules["IPython"].get_ipython()
    magics = None if shell is None else shell.magics_manager.registry.get("AutoreloadMagics")
    return getattr(magics, "_reloader", None)
