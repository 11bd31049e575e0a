"""Whether git tracks a file, and which digest stands for the code of one that it does not track."""

from __future__ import annotations

import os
import sysconfig
from typing import TYPE_CHECKING, Any

from .._git.repository import find_repository, reading
from .._hashing import file_hexdigest
from .._reach.loaded import holds_loaded_code
from .._reach.modules import is_installed, places

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGE = __name__.partition(".")[0]
_MOST_KNOWN = 1 << 14
_roots: dict[str, str] = {}
_tracked: dict[tuple[str, tuple[int, ...]], bool] = {}
_digests: dict[tuple[str, tuple[int, ...], int], tuple[object, str]] = {}


def is_tracked(file: str) -> bool:
    """Say whether git tracks a file, given by its absolute path, in the repository around it."""
    root = _roots.get(os.path.dirname(file))
    if root is not None and (known := _tracked.get((file, _stamp(os.path.join(root, ".git", "index"))))) is not None:
        return known
    with reading(file):
        repository = find_repository(os.path.dirname(file))
        if repository is None:
            return False
        if len(_tracked) >= _MOST_KNOWN:
            _tracked.clear()
            _roots.clear()
        _roots[os.path.dirname(file)] = repository.root
        key = (file, _stamp(os.path.join(repository.root, ".git", "index")))
        found = places(file, repository.root)
        _tracked[key] = bool(found) and repository.in_index(found[0][0])
        return _tracked[key]


def digest_of_code(root: str | None, space: Mapping[str, Any]) -> str | None:
    """Digest the file of a module whose code no commit of the work tree fixes; None for what one fixes, or installed.

    Args:
        root: The root of the work tree, if there is one.
        space: The module's globals.
    """
    file = space.get("__file__")
    if not isinstance(file, str) or str(space.get("__name__")).partition(".")[0] == _PACKAGE:
        return None
    file = os.path.realpath(file)
    if file.startswith(_STANDARD) or is_installed(file.lstrip(os.sep).replace(os.sep, "/"), ""):
        return None
    if root is None or (places(file, root) and is_tracked(file)):
        return None
    return _digest(file, space)


_STANDARD = tuple({os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib")})


def _digest(file: str, space: Mapping[str, Any]) -> str:
    load = space.get("__spec__") or space
    key = (file, _stamp(file), id(load))
    if key not in _digests:
        if len(_digests) >= _MOST_KNOWN:
            _digests.clear()
        try:
            held = holds_loaded_code(file, dict(space), None)
            digest = file_hexdigest(file) if held else os.urandom(16).hex()
        except OSError:  # it is gone: what was loaded is not known any more, and equals nothing
            digest = os.urandom(16).hex()
        _digests[key] = (load, digest)
    return _digests[key][1]


def _stamp(file: str) -> tuple[int, ...]:
    try:
        info = os.stat(file)
    except OSError:
        return ()
    return info.st_mtime_ns, info.st_ctime_ns, info.st_size, info.st_ino
