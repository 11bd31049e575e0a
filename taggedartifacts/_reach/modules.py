"""The modules that this process loaded from a work tree, and whether their files still hold what was loaded."""

from __future__ import annotations

import functools
import os
import sys
from dataclasses import dataclass, field, replace
from operator import is_, itemgetter
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from .._hashing import file_hexdigest, file_stamp
from .bindings import holds_literals, note
from .forks import looking
from .loaded import holds_loaded_code, may_have_changed, running_code
from .objects import namespace
from .places import folder_and_name, lies_below, places
from .prompt import SCRIPT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType

# multiprocessing's children load the script as the second, copy what they loaded, and give the copy both names.
_COPY = "__mp_main__"
_SPEC = itemgetter("__spec__")


@dataclass(frozen=True, eq=False)
class LoadedFile:
    """A file of the work tree as it was when its module was first seen.

    Attributes:
        path: Path relative to the root of the work tree, with "/"; that of the archive for a module in a zip file.
        file: The same, absolute.
        is_script: Whether it was only run, as ``__main__``.
        digest: Digest of the content, or None if the file does not hold what was loaded.
        is_doubtful: Whether names hold other values than the literals that the file binds them to: the file was edited,
            or somebody has set them. In a file that is as committed, they were set.
        token: Stands for what was loaded when that is not known: equal to nothing in any other process.
    """

    path: str
    file: str
    is_script: bool
    digest: str | None
    _load: object
    _stamp: tuple[int, ...]
    is_doubtful: bool = False
    token: str = field(default_factory=lambda: os.urandom(20).hex())
    _code: CodeType | None = None  # the module's own code object, if the file was compared with that

    def is_as_loaded(self) -> bool:
        """Say whether the file on disk is still the code that was loaded; touching it changes nothing."""
        if self.digest is None:
            return False
        try:
            return file_stamp(self.file) == self._stamp or file_hexdigest(self.file) == self.digest
        except OSError:
            return False


class LoadedModules:
    """The modules loaded from one work tree, in this process."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._files: Mapping[tuple[str, str], LoadedFile] = {}
        # Most modules: a scan has nothing more to ask about them. Until a scan finds that they have left sys.modules.
        self._elsewhere: dict[str, object] = {}
        self._is_current: Callable[[], bool] = lambda: False

    def files(self) -> Mapping[tuple[str, str], LoadedFile]:
        """All that are loaded now, by module name and path; the same object as before if nothing was loaded since."""
        if not self._is_current():
            with looking:
                self._scan()
        return self._files

    def add(self, file: str, space: dict[str, Any], code: CodeType | None = None) -> None:
        """Note a module that is being loaded, and perhaps is not listed in ``sys.modules``.

        Args:
            file: Its file.
            space: Its globals.
            code: Its code object, where known.
        """
        if code is not None:
            note(space, code)
        with looking:
            found = dict(self._files)
            name = space.get("__name__", "")
            for place in places(file, self._root):
                self._see(found, str(name), place, space, code)
            self._take(found)

    def add_held(self, space: dict[str, Any]) -> None:
        """Note the modules that names lead to and ``sys.modules`` does not list: loaded by a path, or gone from there.

        Args:
            space: The globals of a module, to start from.
        """
        with looking:
            found = dict(self._files)
            seen, pending = {id(space)}, [space]
            while pending:
                for value in list(pending.pop().values()):
                    home = _home_of(value)
                    if home is None or id(home) in seen:
                        continue
                    seen.add(id(home))
                    file, name = home.get("__file__"), str(home.get("__name__", ""))
                    if isinstance(file, str) and lies_below(self._root, folder_and_name(file)[0]):
                        pending.append(home)
                        if namespace(sys.modules.get(name)) is not home:
                            for place in places(file, self._root):
                                self._see(found, name, place, home, None)
            self._take(found)

    def renew(self, name: str) -> None:
        """Take note that the module's code was replaced in place by what its file holds now."""
        space = namespace(sys.modules.get(name))
        with looking:
            self._files = {
                key: _renewed(each, space.get("__spec__") or space) if key[0] == name else each
                for key, each in self._files.items()
            }

    def _scan(self) -> None:
        known, modules, elsewhere = self._files, sys.modules.copy(), self._elsewhere
        found: dict[tuple[str, str], LoadedFile] = {}
        names = []
        for name in elsewhere.keys() - modules.keys():
            del elsewhere[name]
        for name, module in [each for each in modules.items() if elsewhere.get(each[0]) is not each[1]]:
            elsewhere.pop(name, None)
            if name == "__main__" and modules.get(_COPY) is module:
                continue
            space = namespace(module)
            file = space.get("__file__")
            if isinstance(file, str):
                if not lies_below(self._root, folder_and_name(file)[0]):
                    elsewhere[name] = module
                    continue
                found_at = places(file, self._root)
                if found_at:
                    names.append(name)
                for place in found_at:
                    key = name, place[0]
                    if key in known:
                        found[key] = known[key]
                    self._see(found, name, place, space, None)
        for key, loaded in known.items():  # noted by `add`, or gone from sys.modules but perhaps still in use
            found.setdefault(key, loaded)
        self._take(found)
        self._is_current = _unchanged_since(modules, names)

    def _take(self, found: Mapping[tuple[str, str], LoadedFile]) -> None:
        """Take what was found, unless it is the same: who holds the mapping of before knows by it that nothing came."""
        if found.keys() != self._files.keys() or any(found[key] is not self._files[key] for key in found):
            self._files = found

    def _see(
        self,
        found: dict[tuple[str, str], LoadedFile],
        name: str,
        place: tuple[str, str],
        space: dict[str, Any],
        code: CodeType | None,
    ) -> None:
        path, file = place
        load = space.get("__spec__") or space  # a spec compares by its fields, so only by identity
        known = found.get((name, path))
        again = known is not None and (known._load is load or name == _COPY)
        if known is not None and again and (code is None or known.digest is None):
            return
        doubtful = False
        try:
            code = code or running_code(space)
            if known is not None and again and code is not None and known._code is code:
                return  # the next of many decorators in one module
            stamp = file_stamp(file)
            same = file != space.get("__file__") or holds_loaded_code(file, space, code)
            digest = known.digest if known and again else file_hexdigest(file)
            if same and file == space.get("__file__") and may_have_changed(file):
                doubtful = not holds_literals(space)
        except OSError:
            stamp, same, digest = (), False, None
        if again and same:
            return
        found[name, path] = LoadedFile(
            path, file, name in SCRIPT, digest if same else None, load, stamp, doubtful, _code=code if same else None
        )


def _renewed(loaded: LoadedFile, load: object) -> LoadedFile:
    digest, stamp = file_hexdigest(loaded.file), file_stamp(loaded.file)
    return replace(loaded, digest=digest, _load=load, _stamp=stamp, token=os.urandom(20).hex())


@functools.lru_cache(maxsize=64)  # work trees; of one that is forgotten, all is compared anew with what was loaded
def loaded_modules(root: str) -> LoadedModules:
    """The modules of the work tree at *root*; one object for each root, shared by everything in the process."""
    return LoadedModules(root)


def _unchanged_since(modules: dict[str, Any], names: list[str]) -> Callable[[], bool]:
    """Make the check that a call pays for: has any module been loaded, replaced or reloaded?

    A new module changes their number or, behind one that was deleted, the last name or its object; a reload gives the
    module a new ``__spec__``; an assignment to ``sys.modules`` a new object, looked for among those of the work tree.
    """
    live = sys.modules
    count, last = len(modules), next(reversed(modules))
    spaces = [namespace(modules[name]) for name in names]
    specs = [space.get("__spec__") for space in spaces]
    # Twice the last one, because itemgetter gives no tuple for a single name.
    pick = itemgetter(*names, last, last)
    objects = pick(modules)

    def is_current() -> bool:
        try:
            return (
                len(live) == count
                and live is sys.modules
                and next(reversed(live)) == last
                and all(map(is_, pick(live), objects))
                and all(map(is_, map(_SPEC, spaces), specs))
            )
        except (KeyError, RuntimeError):  # removed, or changed by another thread between two steps
            return False

    return is_current


def _home_of(value: object) -> dict[str, Any] | None:
    """The globals of the module that a value is, or that defines it or its class."""
    if isinstance(value, ModuleType):
        return namespace(value)
    if isinstance(value, FunctionType):
        return value.__globals__
    members = vars(value if isinstance(value, type) else type(value)).values()
    return next((member.__globals__ for member in members if isinstance(member, FunctionType)), None)
