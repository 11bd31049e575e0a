"""Input files: their content as it enters the config hash."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

from .._errors import InputError
from .._hashing import Progress, file_hexdigest
from .._store.folder import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Mapping

# Threads hide the latency of many small files that are not cached (3,000 of 10 KB from a disk: 0.42 s, not 0.56 s,
# more over a network); from memory they gain nothing, so that less than this is read without them.
_PARALLEL_BYTES = 32 << 20
_MOST_THREADS = 8
# A file changed twice within the granularity of its file system's clock shows the same times for both contents: at most
# 2 s, on FAT. A stat that is not older than this when the reading begins does not vouch for what was read.
_SETTLED_NANOSECONDS = 2_500_000_000
_MOST_REMEMBERED = 1 << 17

_Identity = tuple[int, int, int, int, int]
_remembered: dict[_Identity, str] = {}


def input_contents(paths: Mapping[str, object], cwd: str = "") -> dict[str, object]:
    """Describe the content of input files and directories by parameter; what it returns has a canonical form.

    A file is described by the digest of its content, a directory by a dict of its entries by name, an empty one too;
    a list or tuple of paths by the list of what they hold, a dict by a dict of that, None by None. Symbolic links count
    as what they lead to; names and modes of the files themselves do not count, nor does the library's own
    ``.taggedartifacts`` in a directory.

    Args:
        paths: What was passed for each parameter named by ``inputs``.
        cwd: What relative paths go by; the working directory of the process if it is empty.

    Raises:
        InputError: If one is missing, cannot be read, is no path, or changes while it is read; names the parameter and
            the path.
    """
    files: dict[str, _File] = {}
    described = {name: _describe(name, path, files, cwd) for name, path in paths.items()}
    _digest(files)
    return {name: _filled(found) for name, found in described.items()}


class _File:
    """A file whose content is wanted: the parameter that led to it, its path, what it is, and its digest once known."""

    __slots__ = ("digest", "identity", "name", "path", "size")

    def __init__(self, name: str, path: str, found: os.stat_result) -> None:
        self.name = name
        self.path = path
        self.size = found.st_size
        self.identity = _identity(found)
        self.digest = _remembered.get(self.identity)


class _Named:
    """A dict of paths: what its entries hold, by key."""

    __slots__ = ("entries",)

    def __init__(self, entries: dict[object, object]) -> None:
        self.entries = entries


def _describe(name: str, path: object, files: dict[str, _File], cwd: str) -> object:
    if path is None:
        return None
    if isinstance(path, (list, tuple)):
        return [_describe(name, item, files, cwd) for item in path]
    if isinstance(path, dict):
        return _Named({key: _describe(name, item, files, cwd) for key, item in path.items()})
    try:
        text = os.fsdecode(path)  # type: ignore[arg-type]  # what is no path is refused below
    except TypeError as error:
        raise InputError(
            f"input {name!r}: {type(path).__qualname__} is no path; inputs takes paths of files and directories, "
            "lists, tuples and dicts of them, and None"
        ) from error
    return _entry(name, os.path.join(cwd, text), files, ())


def _entry(name: str, path: str, files: dict[str, _File], parents: tuple[tuple[int, int], ...]) -> object:
    try:
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):
            # Records and locks of the library itself change with every artifact that is made beside the inputs.
            names = sorted(entry for entry in os.listdir(path) if entry != HIDDEN)
    except (OSError, ValueError) as error:
        raise _unreadable(name, path, error) from error
    if stat.S_ISREG(found.st_mode):
        return files.setdefault(path, _File(name, path, found))
    if not stat.S_ISDIR(found.st_mode):
        raise InputError(f"input {name!r}: {path} is neither a file nor a directory, so its content cannot be hashed")
    itself = (found.st_dev, found.st_ino)
    if found.st_ino and itself in parents:  # without inode numbers, the system stops what goes in a circle
        raise InputError(f"input {name!r}: {path} leads back to a directory that holds it; remove that symbolic link")
    return {entry: _entry(name, os.path.join(path, entry), files, (*parents, itself)) for entry in names}


def _filled(found: object) -> object:
    if isinstance(found, _File):
        return found.digest
    if isinstance(found, _Named):  # not what a directory of such entries would be
        return {None: {key: _filled(entry) for key, entry in found.entries.items()}}
    if isinstance(found, dict):
        return {name: _filled(entry) for name, entry in found.items()}
    return [_filled(item) for item in found] if isinstance(found, list) else found


def _digest(files: Mapping[str, _File]) -> None:
    unknown = [file for file in files.values() if file.digest is None]
    total = sum(file.size for file in unknown)
    progress = Progress(f"{len(unknown)} input files", total)
    if len(unknown) < 2 or total < _PARALLEL_BYTES:
        for file in unknown:
            _read(file, progress)
        return
    from concurrent.futures import ThreadPoolExecutor  # 10 ms, and only large inputs need it

    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1, len(unknown))) as pool:
        for future in [pool.submit(_read, file, progress) for file in unknown]:
            future.result()


def _read(file: _File, progress: Progress) -> None:
    before = time.time_ns()
    try:
        file.digest = file_hexdigest(file.path, progress)
        after = _identity(os.stat(file.path))
    except OSError as error:
        raise _unreadable(file.name, file.path, error) from error
    if after != file.identity:
        raise InputError(f"input {file.name!r}: {file.path} changed while it was read; call again when it is complete")
    # Some file systems (FUSE, shares on Windows) have no inode numbers: there two files could be taken for one.
    if file.identity[1] and max(file.identity[3:]) < before - _SETTLED_NANOSECONDS:
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        _remembered[file.identity] = file.digest


def _identity(found: os.stat_result) -> _Identity:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _unreadable(name: str, path: str, error: OSError | ValueError) -> InputError:
    reason = getattr(error, "strerror", None) or str(error)
    return InputError(f"input {name!r}: {path}: {reason}; give the path of a file or directory that can be read")
