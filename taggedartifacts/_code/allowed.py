"""Whether code that is not committed may run although its decorator does not say so: in tests, and while developing."""

from __future__ import annotations

import os

from .._errors import RepositoryError
from .._memory import Memory
from .settings import FILE, read_settings

_VARIABLE = "TAGGEDARTIFACTS_ALLOW_DIRTY"
# By the root of a repository: the stat of its settings, and what they say. A dirty call would parse them each time.
_known: Memory[str, tuple[tuple[int, ...], bool]] = Memory()
_ENTRY_BYTES = 500


def allows_dirty(root: str | None) -> bool:
    """Tell whether this process, or the project, allows dirty code to all functions; the process has precedence.

    Args:
        root: The root of the work tree; None where there is none.

    Raises:
        RepositoryError: If the variable says something else than yes or no.
        ScopeError: If the project's settings are wrong.
    """
    value = os.environ.get(_VARIABLE, "")
    if value not in ("", "0", "1"):
        raise RepositoryError(f"{_VARIABLE}={value!r}: set it to 1 to allow code that is not committed, or to 0")
    if value:
        return value == "1"
    if root is None:
        return False
    try:
        status = os.stat(os.path.join(root, FILE))
    except OSError:
        return False
    stamp = status.st_ino, status.st_size, status.st_mtime_ns
    known = _known.get(root)
    if known is None or known[0] != stamp:
        known = stamp, read_settings(root).allow_dirty
        _known.put(root, known, _ENTRY_BYTES)
    return known[1]
