"""Whether a file still holds the code that was loaded from it: between a module's load and the first look at it."""

from __future__ import annotations

import importlib.machinery
import marshal
import os
import sys
import time
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from .members import nested

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

# The kernel gives the time of boot in whole seconds, and file systems stamp with the tick before.
_MARGIN_SECONDS = 2.0
_HEADER_BYTES = 16
_FORKED = 0x40  # PF_FORKNOEXEC of the kernel's flags for a process: it was forked, and has executed no program since


def running_code(namespace: dict[str, Any]) -> CodeType | None:
    """The code object of the module that is being loaded into a namespace, if it is: it stands on the stack."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals is namespace and frame.f_code.co_name == "<module>":
            return frame.f_code
        frame = frame.f_back
    return None


def holds_loaded_code(file: str, namespace: dict[str, Any], code: CodeType | None) -> bool:
    """Say whether the file holds the code in a module's namespace, as far as that can be told.

    A file whose change time lies before the start of the process cannot have changed since it was loaded (the change
    time, unlike the modification time, cannot be set), unless Python took an older bytecode file for that of this
    source: one of the same size and second. A younger file is compiled and compared with what is loaded: with the
    module's own code object if that is still running, else with the code of the functions and methods that the module
    defines. A bytecode file that other processes may have written since never vouches for what this one has loaded; it
    can show that something else than functions differs. So touching a file, or checking it out, is never a false alarm.
    Values that were set on the module are no code.

    Args:
        file: The source file.
        namespace: The module's globals.
        code: The module's code object, where known.

    Raises:
        OSError: If the file cannot be read.
    """
    status = os.stat(file)
    changed = max(status.st_ctime, status.st_mtime)  # on Windows, the first is when the file was made
    is_old = changed < _process_start() - _MARGIN_SECONDS
    loader = namespace.get("__loader__")
    if loader is not None and type(loader) is not importlib.machinery.SourceFileLoader:
        return True  # an extension, an archive, or a hook that rewrites the source: nothing to compare with
    cached = namespace.get("__cached__")
    if is_old and not _is_older(cached, changed):
        return True
    bytecode = _bytecode_at(cached, status)
    if is_old and (bytecode is None or not bytecode.is_current):
        return True
    compiled = _code_in(file, namespace.get("__file__") or file, bytecode, changed)
    if compiled is None:
        return False
    if code is not None:
        return compiled == code
    functions = [function.__code__ for function in _functions(namespace)]
    if not set(nested(compiled)).issuperset(functions):
        return False
    # One of an older source, where the import read the source and was told not to write bytecode, shows nothing.
    if bytecode is None or not (bytecode.is_current or bytecode.written >= _process_start() - _MARGIN_SECONDS):
        return True
    written = bytecode.code()
    return written is None or written == compiled or not set(nested(written)).issuperset(functions)


def loaded_code(namespace: dict[str, Any]) -> CodeType | None:
    """Tell the code object of a module that is loaded; None where its file does not hold it any more, or never did."""
    file = namespace.get("__file__")
    try:
        if not isinstance(file, str) or not holds_loaded_code(file, namespace, None):
            return None
        status = os.stat(file)
        bytecode = _bytecode_at(namespace.get("__cached__"), status)
        return _code_in(file, file, bytecode, max(status.st_ctime, status.st_mtime))
    except OSError:  # an archive
        return None


def _code_in(file: str, name: str, bytecode: _Bytecode | None, changed: float) -> CodeType | None:
    """Take the code of a file from its bytecode if that was written since, else from its text; None for no Python.

    Args:
        file: The source file.
        name: What the code is to give as its file.
        bytecode: The bytecode file beside it.
        changed: When the source changed for the last time.
    """
    code = None
    if bytecode is not None and bytecode.is_current and bytecode.written >= changed:
        code = bytecode.code()
    if code is None:
        with open(file, "rb") as opened:
            try:
                code = compile(opened.read(), name, "exec", dont_inherit=True)
            except (SyntaxError, ValueError):  # ValueError: null bytes, as in an extension
                return None
    return code


def may_have_changed(file: str) -> bool:
    """Say whether a file is young enough to have changed since this process began."""
    status = os.stat(file)
    return max(status.st_ctime, status.st_mtime) >= _process_start() - _MARGIN_SECONDS


def _is_older(path: object, changed: float) -> bool:
    """Tell whether a bytecode file was written before its source changed for the last time."""
    try:
        return isinstance(path, str) and os.stat(path).st_mtime < changed
    except OSError:
        return False


class _Bytecode(NamedTuple):
    """A bytecode file beside a source.

    Attributes:
        content: What it holds.
        written: When it was written.
        is_current: Whether Python takes it for that of the source as it stands: by size and second.
    """

    content: bytes
    written: float
    is_current: bool

    def code(self) -> CodeType | None:
        """Load the code object in it; None if it is damaged."""
        try:
            code = marshal.loads(self.content[_HEADER_BYTES:])  # noqa: S302 - the interpreter's own cache
        except (EOFError, ValueError, TypeError):
            return None
        return code if isinstance(code, CodeType) else None


def _bytecode_at(path: object, source: os.stat_result) -> _Bytecode | None:
    """Read the bytecode file at a path, given the status of its source; None if there is none."""
    if not isinstance(path, str):
        return None
    try:
        with open(path, "rb") as opened:
            content, written = opened.read(), os.fstat(opened.fileno()).st_mtime
    except OSError:
        return None
    stamp = b"".join((int(each) & 0xFFFFFFFF).to_bytes(4, "little") for each in (0, source.st_mtime, source.st_size))
    return _Bytecode(content, written, is_current=content[4:_HEADER_BYTES] == stamp)


def _functions(namespace: dict[str, Any]) -> Iterator[FunctionType]:
    """The functions and methods whose code came out of the module's file."""
    file = namespace.get("__file__")
    for value in list(namespace.values()):
        members = list(vars(value).values()) if isinstance(value, type) else [value]
        for member in members:
            function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
            if not isinstance(function, FunctionType) or function.__globals__ is not namespace:
                continue
            if function.__code__.co_filename == file:
                yield function


def _process_start() -> float:
    """When this process began, in seconds since the epoch; 0 where unknown, and where the clock was set since."""
    # What the clock said of files before it was set, and after it, cannot be compared with one time.
    return _STARTED if abs(_boot_time() - _BOOTED) < _MARGIN_SECONDS else 0.0


def _boot_time() -> float:
    """When the system was started, as far as the clock knows today: it moves when the clock is set."""
    clock: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.time() - time.clock_gettime(clock) if clock is not None else 0.0


def _start_time(booted: float) -> float:
    """Ask the system when this process began, given when that was started; 0 where it does not say.

    A fork cannot know when what it inherited was loaded, unless it inherited the answer.
    """
    try:
        with open("/proc/self/stat", "rb") as file:
            facts = file.read().rpartition(b")")[2].split()
        flags, ticks = int(facts[6]), int(facts[19])
        return 0.0 if flags & _FORKED else booted + ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0


# As early as can be: the clock may be set later.
_BOOTED = _boot_time()
_STARTED = _start_time(_BOOTED)
