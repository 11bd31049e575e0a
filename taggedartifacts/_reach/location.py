"""Where modules lie in a work tree, what they are called there, and where a function comes from."""

from __future__ import annotations

import inspect
import os
import re
import sys
import types
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, NamedTuple

from .bindings import bindings_of, kept_file, note
from .loaded import running_code
from .met import import_folder, name_of
from .objects import is_of_this_library, namespace, wrapped
from .places import folder_and_name, is_installed, places
from .prompt import SCRIPT, has_arrived, is_interactive

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FunctionType

_UNSAFE = re.compile(rb"[^A-Za-z0-9_.~/:-]")
# What stands for the root in values that are read: no path begins like this.
ROOT = "⟨root⟩"


class Location(NamedTuple):
    """Where a module of the work tree lies.

    Attributes:
        path: Path of its file relative to the root, with "/".
        name: The name by which others import it, a script too.
        above: The folder from which it is imported, relative to the root; empty for the root itself.
    """

    path: str
    name: str
    above: str


class Locator:
    """Finds where modules lie in the work tree of a decorated function.

    Args:
        root: Absolute path of its root; None where there is no repository, and then the folder from which the
            function's module is imported.
        space: The globals of the function: its module counts wherever it lies.
    """

    def __init__(self, root: str | None, space: dict[str, Any]) -> None:
        file = file_of(space)
        self.root = root or (import_folder(file) if file else os.getcwd())
        self._own = space
        # The package of an installed function is the user's own if it uses this library. Another's, decorated from
        # outside, is environment: to walk through pandas takes half a minute, and finds its caches.
        folder = None if file is None or places(file, self.root) else _package_folder(file)
        self._package = folder if folder is not None and _uses_us(folder) else None
        self._locations: dict[int, tuple[dict[str, Any], Location | None]] = {}
        spelled = {each for each in (self.root, _spelled(file, self.root)) if each not in (None, os.sep)}
        roots = {
            encode_basestring(each)[1:-1]
            for root in spelled
            if root
            for each in (root, root.replace(os.sep, "/"), _quoted(root.replace(os.sep, "/")))
        }
        # The longest first. As bytes, as a name that is no UTF-8 has escapes of its own there.
        self._spelled = sorted((each.encode("utf-8", "backslashreplace") for each in roots), key=len, reverse=True)
        # Also in the address of a file, or of a database: file:///home/me/project/runs.db.
        written = b"|".join(map(re.escape, self._spelled))
        self._pattern = re.compile(rb'(?<!\\)"((?:[a-z][a-z0-9+.-]*:/{2,3})?)(?:' + written + rb')(?=["/\\])')

    def location(self, space: dict[str, Any]) -> Location | None:
        """Tell where a module lies, by its globals; None if it is not of the work tree, or installed there."""
        known = self._locations.get(id(space))
        if known is None:
            known = self._locations[id(space)] = (space, self._find(space))
        return known[1]

    def is_own(self, location: Location) -> bool:
        """Say whether it is the module of the decorated function."""
        own = self.location(self._own)
        return own is not None and own.path == location.path

    def is_beside(self, location: Location) -> bool:
        """Say whether a module is imported from the folder of the decorated function; for a session, from the root."""
        own = self.location(self._own)
        return location.above == ("" if own is None else own.above)

    def defines(self, value: object, space: dict[str, Any]) -> bool:
        """Say whether what an installed module holds comes from the work tree, a script or a session: it or its class.

        Args:
            value: What it holds.
            space: The globals of the installed module.
        """
        package = str(space.get("__name__")).partition(".")[0]
        inner = getattr(value, "__func__", None) if isinstance(value, types.MethodType) else None
        for part in (value, inner, *wrapped(value)):
            if isinstance(part, types.FunctionType):
                home = part.__globals__
            else:
                kind = part if isinstance(part, type) else type(part)
                home = namespace(sys.modules.get(str(kind.__module__)))
            name = str(home.get("__name__"))
            if name in SCRIPT or (name.partition(".")[0] != package and self.location(home) is not None):
                return True
        return False

    def relative(self, text: bytes) -> bytes:
        """Write the absolute paths below the root in a canonical text relative to it."""
        if not any(each in text for each in self._spelled):
            return text
        return self._pattern.sub(rf'"\1{ROOT}'.encode(), text)

    def _find(self, space: dict[str, Any]) -> Location | None:
        file = file_of(space)
        if file is None:
            return None
        found = places(file, self.root)
        if not found:
            own = self._package is not None and os.path.realpath(file).startswith(self._package)
            return _location(os.path.basename(file), file, space) if own else None
        path = found[0][0]
        return None if is_installed(path, self.root) and space is not self._own else _location(path, found[0][1], space)


def label_of(location: Location | None, value: Any) -> str:
    """Name a function or class as who reads what it reads: ``plots.fig``."""
    name = str(getattr(value, "__qualname__", type(value).__qualname__)).replace(".<locals>", "")
    return f"{location.name}.{name}" if location is not None else f"{getattr(value, '__module__', '')}.{name}"


def _quoted(path: str) -> str:
    """Write a path as it stands in an address; not by `urllib`, which takes 3 ms to load."""
    return _UNSAFE.sub(lambda found: b"%%%02X" % found[0][0], os.fsencode(path)).decode("ascii")


def file_of(space: dict[str, Any]) -> str | None:
    """Tell the file of a module, by its globals: absolute; None if it has none."""
    file = space.get("__file__")
    if file is None:
        file = kept_file(space)
    return os.path.abspath(file) if isinstance(file, str) else None


def _location(path: str, file: str, space: dict[str, Any]) -> Location:
    stem = os.path.splitext(path)[0].removesuffix("/__init__")
    spec = space.get("__spec__")
    name = str(space.get("__name__", ""))
    if name in SCRIPT:
        name = getattr(spec, "name", "").removesuffix(".__main__") or ""
    dotted = stem.replace("/", ".")
    if not name or not f".{dotted}".endswith(f".{name}"):
        # A script, or a module that was loaded under a name of its own.
        name = os.path.relpath(os.path.splitext(file)[0], import_folder(file)).replace(os.sep, ".")
        name = name.removesuffix(".__init__")
    return Location(path, name, dotted.removesuffix(name).rstrip(".").replace(".", "/"))


def _package_folder(file: str) -> str:
    """Name the outermost package that holds a file, or the file itself where none does."""
    real = os.path.realpath(file)
    folder = import_folder(real)
    first = os.path.relpath(real, folder).split(os.sep)[0]
    whole = os.path.join(folder, first)
    return whole + os.sep if os.path.isdir(whole) else whole


def _uses_us(folder: str) -> bool:
    """Say whether a loaded module of a package, or a module by its file, imported this library."""
    spaces = [namespace(module) for module in list(sys.modules.values())]
    return any(
        any(map(is_of_this_library, list(space.values())))
        for space in spaces
        if isinstance(file := space.get("__file__"), str) and os.path.join(*folder_and_name(file)).startswith(folder)
    )


def _spelled(file: str | None, root: str) -> str | None:
    """Spell the root as the function's file spells it, if that goes through a link."""
    if file is None:
        return None
    real = os.path.realpath(os.path.dirname(file))
    folder = os.path.dirname(file)
    if real == folder or not real.startswith(root):
        return None
    below = real[len(root) :]
    return folder[: len(folder) - len(below)] if below and folder.endswith(below) else folder if not below else None


_DIGITS = 10  # of a digest


class Home(NamedTuple):
    """Where a function was defined. Travels with the function, so that a worker says of it what its driver says.

    Attributes:
        module: Its module's name.
        name: Its name within the module; with the beginning of a digest of its definition where others share the name.
        file: The absolute path of its module's file; None in a session.
        interactive: Whether it was typed into a cell or at a prompt.
        script: If a script defines it, the name under which others would import that, and its file.
        arrived: Whether it was sent to this process as a value, which is then not the one that defines its script.
    """

    module: str
    name: str
    file: str | None
    interactive: bool
    script: tuple[str, str] | None = None
    arrived: bool = False

    @classmethod
    def of(cls, f: Callable[..., Any]) -> Home:
        """Settle where a function comes from, in the process that defines it.

        Raises:
            TypeError: If this process did not define it: it was sent here as a value, before it was decorated.
        """
        # Of what decorators wrap: one that both wear must not give functions of two modules the same name.
        plain = inspect.unwrap(f)
        if has_arrived(plain):
            raise TypeError(
                f"{f.__qualname__} was sent to this process as a value and is decorated only here, where nothing tells "
                "which code it is; decorate it at the top of a module or script, and send the decorated function"
            )
        interactive = is_interactive(f)
        file = plain.__globals__.get("__file__")
        if not isinstance(file, str) or interactive:  # an editor may set __file__ in a session
            return cls(f.__module__, f.__qualname__, None, interactive)
        name = _own_name(plain, f.__qualname__)
        file = os.path.abspath(file)
        script = name_of(plain.__globals__) if plain.__globals__.get("__name__") in SCRIPT else None
        return cls(f.__module__, name, file, interactive, None if script is None else (script, file))

    def function_name(self, root: str | None) -> str:
        """Name the function for records: its file, relative to the repository, and its name there."""
        return f"{self.source(root)}::{self.name}"

    def source(self, root: str | None) -> str:
        """Name the file relative to the repository; what lies elsewhere, by its module."""
        if self.file is None:
            return self.module
        if root is None:  # where it would lie in a repository that begins at its import root
            name, parts = os.path.basename(self.file), self.module.split(".")
            return "/".join((*(parts if name == "__init__.py" else parts[:-1]), name))
        if found := places(self.file, root):
            return found[-1][0]  # where a link leads, if that is in the repository too
        return os.path.basename(self.file) if self.module in SCRIPT else self.module


def _own_name(plain: FunctionType, qualname: str) -> str:
    space = plain.__globals__
    code = running_code(space)
    if code is not None and code.co_filename == space.get("__file__"):
        note(space, code)  # what the text says, while that is known
    if qualname.rpartition(".")[2] not in ("<lambda>", "_") and bindings_of(space).times(qualname) < 2:
        return qualname
    from .definition import source_of  # what reads source code is not for scripts to wait for

    return f"{qualname} as {source_of(plain).code[:_DIGITS]}"
