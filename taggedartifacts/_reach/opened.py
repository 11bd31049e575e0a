"""What a run opens: the files that Python sees it open, and whether it starts other programs, which open unseen.

Python tells by audit events (PEP 578). The hook is put in at the first run, because it cannot be taken out again; while
nothing runs it costs 0.1 µs an event. Blind is it to files that libraries open in C (HDF5, netCDF, Parquet, GDAL,
databases), and to all that other processes read.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

from .forks import looking, settle

if TYPE_CHECKING:
    from collections.abc import Iterator

_STARTS = frozenset({"subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.startfile"})
_OPENS = frozenset({"open", "sqlite3.connect", "ctypes.dlopen"})
_FORKS = frozenset({"os.fork", "os.forkpty"})
_MOST_FILES = 100_000  # some 60 MB with what stood there, while a function runs


class Opened:
    """What was opened while a run was watched, by whichever thread.

    Attributes:
        files: Absolute paths below the folder that is watched, each with what stood there when it was first opened to
            be read; None if nothing did, or if it was opened to be written.
        has_started: Whether another program was started, or more was opened than is remembered: then any file may have
            been read.
    """

    def __init__(self, folder: str) -> None:
        self.files: dict[str, os.stat_result | None] = {}
        self.has_started = False
        self._prefix = folder.rstrip(os.sep) + os.sep

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note an audit event."""
        if event in _STARTS or len(self.files) >= _MOST_FILES:
            self.has_started = True
            return
        path = arguments[0] if arguments else None
        if isinstance(path, str | bytes | os.PathLike):
            with contextlib.suppress(ValueError, TypeError, OSError):
                absolute = os.path.abspath(os.fsdecode(path))
                if absolute.startswith(self._prefix) and absolute not in self.files:
                    self.files[absolute] = None if _only_writes(event, arguments) else _status_at(absolute)


def _only_writes(event: str, arguments: tuple[Any, ...]) -> bool:
    flags = arguments[2] if event == "open" and len(arguments) > 2 else 0
    return isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR) == os.O_WRONLY


def _status_at(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


# What is watched, each for as long as its run; None until the hook is in, which stays as long as the process.
_watching: tuple[Opened, ...] | None = None


@contextlib.contextmanager
def watching(folder: str) -> Iterator[Opened]:
    """Watch what is opened below a folder while the context lasts."""
    global _watching  # read by the hook, which takes no lock
    opened = Opened(folder)
    install()
    with looking:  # not a lock of its own, with which another thread could leave a forked child
        _watching = (*(_watching or ()), opened)
    try:
        yield opened
    finally:
        with looking:
            _watching = tuple(each for each in _watching or () if each is not opened)


def install() -> None:
    """Put in the hook, through which forks wait besides."""
    global _watching
    with looking:
        if _watching is None:
            _watching = ()
            sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _FORKS:
        settle()
    elif _watching and (event in _OPENS or event in _STARTS):
        for opened in _watching:
            opened.note(event, arguments)
