"""Code that was loaded again: what autoreload patched in place, and older functions that are still about."""

from __future__ import annotations

import inspect
import os
import sys
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .._hashing import file_hexdigest
from .._reach.members import methods, nested, same
from .._reach.modules import LoadedFile, loaded_modules

if TYPE_CHECKING:
    from collections.abc import Iterable

# By root, module and path: the module's file as it was loaded, and the time of it that autoreload had noted then.
_noted: dict[tuple[str, str, str], tuple[LoadedFile, float | None]] = {}
_again: set[str] = set()


def notice(root: str) -> None:
    """Notice which modules of a repository were loaded, loaded again, or patched in place since this was last called.

    A reload gives a module a new specification; what IPython's autoreload patches in place keeps the old one, and only
    autoreload's own notes tell.
    """
    modules = loaded_modules(root)
    for (name, path), loaded in modules.files().items():
        key = root, name, path
        patched = _patched(name)
        before, baseline = _noted.get(key, (None, None))
        if before is not None and before is not loaded:
            _again.add(name)
        # Loading the extension notes the times of all files, and loads none: only a change of the note tells.
        if before is None or baseline is None or loaded.is_as_loaded():
            _noted[key] = loaded, patched
        elif patched != baseline and _has_loaded(loaded.file, patched):
            modules.renew(name)
            _again.add(name)


def module_space(space: dict[str, Any]) -> dict[str, Any] | None:
    """Find the namespace of the imported module that a function belongs to; ``%run`` and scripts import none.

    What autoreload patches in place has globals of its own.
    """
    name = space.get("__name__")
    found = vars(sys.modules[name]) if name in sys.modules and name != "__main__" else {}
    return found if found.get("__file__") == space.get("__file__") is not None else None


def version(root: str) -> tuple[object, ...]:
    """Tell what is loaded: equal as long as nothing was loaded, loaded again or patched."""
    files = loaded_modules(root).files()
    reloader = _reloader()
    return (files, *(() if reloader is None else [reloader.modules_mtimes.get(name) for name, _ in files]))


def outdated(root: str, values: Iterable[object] | None = None) -> dict[str, str]:
    """Find functions and classes that their modules do not hold any more, as they were loaded again.

    After ``from helper import clean`` the old function stays when helper is loaded again, unless by autoreload.

    Args:
        root: The root of the repository.
        values: Where to look for them; by default in all of the repository's modules.

    Returns:
        Digests that stand for the old code, by the path of the file that it came from.
    """
    if not _again:
        return {}
    files = {name: loaded for (name, _), loaded in loaded_modules(root).files().items()}
    if values is None:
        values = [value for name in files if name in sys.modules for value in vars(sys.modules[name]).values()]
    found = {}
    for value in values:
        name = getattr(value, "__module__", None) if callable(value) else None
        if name in _again and name in files:
            loaded, space = files[name], vars(sys.modules.get(name))
            if not all(_holds(loaded, code) for code in _own_codes(value, space)):
                found[loaded.path] = loaded.token
    return found


def file_digest(file: str) -> str:
    """Digest a file as it stands, or tell that it is gone."""
    try:
        return file_hexdigest(file)
    except OSError:
        return ""


def _own_codes(value: Any, space: dict[str, Any]) -> list[CodeType]:
    plain = value if isinstance(value, type) else inspect.unwrap(value)
    functions = methods(plain).values() if isinstance(plain, type) else [plain]
    own = [each for each in functions if isinstance(each, FunctionType) and each.__globals__ is space]
    return [each.__code__ for each in own if each.__code__.co_filename == space.get("__file__")]


# The code in a file as it was loaded last, and which code was found to be in it, or not to be.
_codes: WeakKeyDictionary[LoadedFile, tuple[tuple[CodeType, ...], dict[CodeType, bool]]] = WeakKeyDictionary()


def _holds(loaded: LoadedFile, code: CodeType) -> bool:
    known = _codes.get(loaded)
    if known is None:
        known = _codes[loaded] = _codes_of_file(loaded.file), {}
    codes, found = known
    if code not in found:
        found[code] = any(same(code, each) for each in codes)
    return found[code]


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
