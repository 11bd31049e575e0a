"""Whether a file still holds the code that was loaded from it: between a module's load and the first look at it."""

from __future__ import annotations

import ast
import contextlib
import importlib.machinery
import marshal
import os
from collections import Counter
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from .bytecode import binds, nested

if TYPE_CHECKING:
    from collections.abc import Iterator

# The kernel gives the time of boot in whole seconds, and file systems stamp with the tick before.
_MARGIN_SECONDS = 2.0
_HEADER_BYTES = 16
_FORKED = 0x40  # PF_FORKNOEXEC of the kernel's flags for a process: it was forked, and has executed no program since
_started: float | None = None


def holds_loaded_code(file: str, namespace: dict[str, Any], code: CodeType | None) -> bool:
    """Say whether the file holds the code in a module's namespace, as far as that can be told.

    A file whose change time lies before the start of the process cannot have changed since it was loaded (the change
    time, unlike the modification time, cannot be set). A younger one is compiled and compared: with the module's own
    code object if that is still running, else with the bytecode file that its import wrote, else with the code of the
    functions and methods that the module defines, and with its constants. So touching a file, or checking it out, is
    never a false alarm.

    Args:
        file: The source file.
        namespace: The module's globals.
        code: The module's code object, where known.

    Raises:
        OSError: If the file cannot be read.
    """
    status = os.stat(file)
    changed = max(status.st_ctime, status.st_mtime)  # on Windows, the first is when the file was made
    if changed < _process_start() - _MARGIN_SECONDS:
        return True
    loader = namespace.get("__loader__")
    if loader is not None and type(loader) is not importlib.machinery.SourceFileLoader:
        return True  # an extension, an archive, or a hook that rewrites the source: nothing to compare with
    written = None if code else _bytecode(file, namespace, changed)
    if written is True:
        return True
    with open(file, "rb") as opened:
        source = opened.read()
    try:
        compiled = compile(source, namespace.get("__file__") or file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):  # ValueError: null bytes
        return False
    if code or written:
        return compiled == (code or written)
    known = set(nested(compiled))
    return all(function.__code__ in known for function in _functions(namespace)) and all(
        type(namespace.get(name)) is type(value) and namespace[name] == value
        for name, value in _constants(source, compiled)
    )


def _bytecode(file: str, namespace: dict[str, Any], changed: float) -> CodeType | bool | None:
    """The module's bytecode file: True if it is of this very source, else its code; None if there is none to go by."""
    cached = namespace.get("__cached__")
    if not isinstance(cached, str):
        return None
    try:
        with open(cached, "rb") as opened:
            content = opened.read()
            written = os.fstat(opened.fileno()).st_mtime
        info = os.stat(file)
    except OSError:
        return None
    stamped = int.from_bytes(content[8:12], "little"), int.from_bytes(content[12:16], "little")
    current = int(info.st_mtime) & 0xFFFFFFFF, info.st_size & 0xFFFFFFFF
    is_current = content[4:8] == bytes(4) and stamped == current
    if is_current and written >= changed:
        return True
    if not is_current and written < _process_start() - _MARGIN_SECONDS:
        return None  # of an older source; the import read the source, and was told not to write bytecode
    try:
        code = marshal.loads(content[_HEADER_BYTES:])  # noqa: S302 - the interpreter's own cache, which it loaded
    except (EOFError, ValueError, TypeError):
        return None
    return code if isinstance(code, CodeType) else None


def _constants(source: bytes, compiled: CodeType) -> Iterator[tuple[str, object]]:
    """The names that a module binds once, and to a constant, as ``BINS = 40``."""
    tree = ast.parse(source)
    if any(isinstance(node, ast.alias) and node.name == "*" for node in ast.walk(tree)):
        return  # which may bind any name again
    times = Counter(binds(compiled))
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if times[name] == 1:
                with contextlib.suppress(ValueError, TypeError):
                    # What can be changed in place may have been.
                    if not isinstance(constant := ast.literal_eval(value), list | dict | set):
                        yield name, constant


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
    """When this process began, in seconds since the epoch; 0 where unknown.

    A fork that did not inherit the answer cannot know when what it inherited was loaded.
    """
    global _started
    if _started is None:
        try:
            with open("/proc/self/stat", "rb") as file:
                facts = file.read().rpartition(b")")[2].split()
            flags, ticks = int(facts[6]), int(facts[19])
            with open("/proc/stat", "rb") as file:
                boot = int(next(line for line in file if line.startswith(b"btime")).split()[1])
            _started = 0.0 if flags & _FORKED else boot + ticks / os.sysconf("SC_CLK_TCK")
        except (OSError, StopIteration, ValueError, IndexError):
            _started = 0.0
    return _started
