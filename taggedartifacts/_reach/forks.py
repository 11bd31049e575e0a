"""The one lock under which threads look at the code that runs, and how a fork leaves it to the child.

A fork copies a lock that another thread holds, and no thread into the child that could release it. So a fork waits
until nobody holds it, and until nobody is in the middle of importing what this library imports late. For filelock it
must wait before it begins: a fork that has begun keeps filelock from being imported to its end. The other locks of this
library are those that cached properties have before Python 3.12: a child gets new ones.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
import threading
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

looking = threading.RLock()

_SECONDS = 30.0  # a look at a large repository on a slow disk; longer than that, nobody waits for a fork
_IMPORTED_LATE = frozenset({__name__.partition(".")[0], "concurrent", "pygit2", "xxhash"})


def settle() -> None:
    """Wait until no other thread looks, or imports what is imported late; for the moment before a fork begins."""
    if looking.acquire(timeout=_SECONDS):
        looking.release()
    _wait_for(_IMPORTED_LATE | {"filelock"})


def _before() -> None:
    looking.acquire(timeout=_SECONDS)
    _wait_for(_IMPORTED_LATE)
    if sys.version_info < (3, 12):
        _cached_properties(len(sys.modules))  # here, as a child copies what it looks at


def _wait_for(packages: Collection[str]) -> None:
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in packages:
            spec = getattr(module, "__spec__", None)
            if getattr(spec, "_initializing", False):  # CPython's own sign; what this thread imports itself waits not
                importlib.import_module(name)


def _in_parent() -> None:
    if _is_mine():
        looking.release()


def _in_child() -> None:
    if _is_mine():
        looking.release()  # and still holds it if the fork came in the middle of a look of this very thread
    else:
        looking._at_fork_reinit()  # type: ignore[attr-defined]  # as the standard library does with its own
    if sys.version_info < (3, 12):
        for each in _cached_properties(len(sys.modules)):
            each.lock._at_fork_reinit()  # type: ignore[attr-defined]  # one for all instances, perhaps held


def _is_mine() -> bool:
    """Tell whether this thread has the lock, which it has not if it waited in vain."""
    return looking._is_owned()  # type: ignore[attr-defined,no-any-return]  # as conditions ask it


@functools.lru_cache(1)
def _cached_properties(_modules: int) -> tuple[cached_property[object], ...]:
    """Find those of the classes of this library, as far as it is imported."""
    ours = __name__.partition(".")[0]
    modules = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] == ours]
    classes = [each for module in modules for each in list(vars(module).values()) if isinstance(each, type)]
    return tuple([member for each in classes for member in vars(each).values() if isinstance(member, cached_property)])


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
