"""Digests that stand for code which no commit fixes: of files that git does not track, or that lie elsewhere."""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
from typing import TYPE_CHECKING, Any

from .._hashing import file_hexdigest
from .._memory import Memory
from .._reach.loaded import holds_loaded_code
from .._reach.modules import is_installed

if TYPE_CHECKING:
    from .look import Look

_PACKAGE = __name__.partition(".")[0]
_MOST_KNOWN = 1 << 14
_digests: Memory[tuple[str, tuple[int, ...], int], tuple[object, str]] = Memory()
_ENTRY_BYTES = 500


def digest_of_code(look: Look, module: str, file: str | None) -> str | None:
    """Digest the file of a module that neither a commit nor an installation fixes; None for what one of them fixes.

    Args:
        look: The look at the repository; where there is none, nothing has a digest.
        module: The import name of the module.
        file: The absolute path of its file, or None.
    """
    if file is None or look.root is None or module.partition(".")[0] == _PACKAGE:
        return None
    real, is_fixed = _place(file)
    return None if is_fixed or look.is_tracked(real) else _digest(file, real, module)


_STANDARD = tuple({os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib")})


@functools.lru_cache(maxsize=_MOST_KNOWN)
def _place(file: str) -> tuple[str, bool]:
    """Find where a file really is, and whether it is of the standard library or of an installed package."""
    real = os.path.realpath(file)
    is_standard = real.startswith(_STANDARD) or not os.path.isabs(file)  # "<frozen …>"
    return real, is_standard or is_installed(real.lstrip(os.sep).replace(os.sep, "/"), "")


def _digest(file: str, real: str, module: str) -> str:
    space: dict[str, Any] = getattr(sys.modules.get(module), "__dict__", {})
    if space.get("__file__") != file:  # of a script that runs, or was run, in another process
        space = {"__file__": file}
    load = space.get("__spec__") or sys.modules.get(module)
    key = (real, _stamp(real), id(load))
    known = _digests.get(key)
    if known is None:
        try:
            digest = file_hexdigest(real) if holds_loaded_code(real, space, None) else os.urandom(16).hex()
        except OSError:  # it is gone: what was loaded is not known any more, and equals nothing
            digest = os.urandom(16).hex()
        known = load, digest
        _digests.put(key, known, _ENTRY_BYTES)
    return known[1]


def _stamp(file: str) -> tuple[int, ...]:
    try:
        info = os.stat(file)
    except OSError:
        return ()
    return info.st_mtime_ns, info.st_ctime_ns, info.st_size, info.st_ino
