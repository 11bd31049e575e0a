"""Input files: the content of those that are declared, as it enters the config hash, and those that are not.

A file that an argument names and ``inputs`` does not is an undeclared input: only its name counts for the tag.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import time
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from .._errors import InputChangedError, InputError
from .._hashing import SETTLED, Progress, file_hexdigest, hexdigest
from .._memory import Memory, is_news
from .._store.folder import HIDDEN
from .._store.record import FileEntry
from .._tag import is_tagged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .._store.record import Record

# Threads hide the latency of many small files that are not cached (3,000 of 10 KB from a disk: 0.42 s, not 0.56 s,
# more over a network); from memory they gain nothing, so that less than this is read without them.
_PARALLEL_BYTES = 32 << 20
_MOST_THREADS = 8
# The digests of many files are remembered by groups of about so many, 16 bytes each: a million files take 16 MB then,
# and when one changes, its group is read again. Which group a file is in is told by its inode number.
_GROUP = 512
_ENTRY_BYTES = 400  # of a group, or of a file by itself, beside its digests

_Identity = tuple[int, int, int, int, int]
_Key = _Identity | str  # of a file, or of a group of files
# The digests of the files of a group, by what is in it; as long as the process lives, or until all is forgotten.
_remembered: Memory[_Key, bytes] = Memory()


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
    files: dict[_Key, _File] = {}
    described = {name: _describe(name, path, files, cwd) for name, path in paths.items()}
    _digest(files)
    return {name: _filled(found) for name, found in described.items()}


class _File:
    """A file whose content is wanted: the parameter that led to it, its path, what it is, and its digest once known."""

    __slots__ = ("digest", "identity", "is_settled", "name", "path", "size")

    def __init__(self, name: str, path: str, found: os.stat_result) -> None:
        self.name = name
        self.path = path
        self.size = found.st_size
        self.identity = _identity(found)
        self.digest: str | None = None
        self.is_settled = False


def _describe(name: str, path: object, files: dict[_Key, _File], cwd: str) -> object:
    if path is None:
        return None
    if isinstance(path, (list, tuple)):
        return [_describe(name, item, files, cwd) for item in path]
    if isinstance(path, dict):  # not what a directory of such entries would be
        return {None: {key: _describe(name, item, files, cwd) for key, item in path.items()}}
    try:
        text = os.fsdecode(path)  # type: ignore[arg-type]  # what is no path is refused below
    except TypeError as error:
        raise InputError(
            f"input {name!r}: {type(path).__qualname__} is no path; inputs takes paths of files and directories, "
            "lists, tuples and dicts of them, and None"
        ) from error
    return _entry(name, os.path.join(cwd, text), files, ())


def _entry(name: str, path: str, files: dict[_Key, _File], parents: tuple[tuple[int, int], ...]) -> object:
    try:
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):
            # Records and locks of the library itself change with every artifact that is made beside the inputs.
            names = sorted(entry for entry in os.listdir(path) if entry != HIDDEN)
    except (OSError, ValueError) as error:
        raise _unreadable(name, path, error) from error
    if stat.S_ISREG(found.st_mode):
        # Some file systems (FUSE, shares on Windows) have no inode numbers: there two files could be taken for one.
        return files.setdefault(_identity(found) if found.st_ino else path, _File(name, path, found))
    if not stat.S_ISDIR(found.st_mode):
        raise InputError(f"input {name!r}: {path} is neither a file nor a directory, so its content cannot be hashed")
    itself = (found.st_dev, found.st_ino)
    if found.st_ino and itself in parents:  # without inode numbers, the system stops what goes in a circle
        raise InputError(f"input {name!r}: {path} leads back to a directory that holds it; remove that symbolic link")
    return {entry: _entry(name, os.path.join(path, entry), files, (*parents, itself)) for entry in names}


def _filled(found: object) -> object:
    if isinstance(found, _File):
        return found.digest
    if isinstance(found, dict):
        return {name: _filled(entry) for name, entry in found.items()}
    return [_filled(item) for item in found] if isinstance(found, list) else found


def _digest(files: Mapping[_Key, _File]) -> None:
    """Fill in the digests of files: as remembered, or read."""
    groups = _grouped(files)
    for key, group in groups.items():
        if (known := _remembered.get(key)) is not None:
            for index, file in enumerate(group):
                file.digest = known[16 * index : 16 * index + 16].hex()
    _read_all([file for file in files.values() if file.digest is None])
    for key, group in groups.items():
        if all(file.is_settled for file in group):  # thus read just now
            digests = bytes.fromhex("".join([file.digest or "" for file in group]))
            _remembered.put(key, digests, _ENTRY_BYTES + len(digests))


def _grouped(files: Mapping[_Key, _File]) -> dict[_Key, list[_File]]:
    """Sort many files into groups, by a digest of what is in each; of few, each is one by itself."""
    if len(files) <= _GROUP:
        return {key: [file] for key, file in files.items()}
    sorted_files = sorted(files.values(), key=attrgetter("identity"))
    count = 1 << (len(sorted_files) // _GROUP).bit_length()
    groups: dict[int, list[_File]] = {}
    for file in sorted_files:
        # Fibonacci hashing (Knuth): file systems give out inode numbers in steps, perhaps all of one remainder.
        mixed = (file.identity[1] * 0x9E3779B97F4A7C15 & 0xFFFF_FFFF_FFFF_FFFF) >> 32
        groups.setdefault(mixed % count, []).append(file)
    return {hexdigest(repr([each.identity for each in group]).encode()): group for group in groups.values()}


def _read_all(unknown: list[_File]) -> None:
    total = sum(file.size for file in unknown)
    progress = Progress(f"{len(unknown)} input files", total)
    if len(unknown) < 2 or total < _PARALLEL_BYTES:
        for file in unknown:
            _read_file(file, progress)
        return
    with contextlib.suppress(RuntimeError):  # no thread is to be had: the limit is reached, or the interpreter ends
        from concurrent.futures import ThreadPoolExecutor  # 10 ms, and only large inputs need it

        with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1, len(unknown))) as pool:
            for future in [pool.submit(_read_file, file, progress) for file in unknown]:
                future.result()
    for file in unknown:
        if file.digest is None:
            _read_file(file, progress)


def _read_file(file: _File, progress: Progress) -> None:
    before = time.time_ns()
    try:
        file.digest = file_hexdigest(file.path, progress)
        after = _identity(os.stat(file.path))
    except OSError as error:
        raise _unreadable(file.name, file.path, error) from error
    if after != file.identity:
        raise InputError(f"input {file.name!r}: {file.path} changed while it was read; call again when it is complete")
    file.is_settled = bool(file.identity[1]) and max(file.identity[3:]) < before - SETTLED


def _identity(found: os.stat_result) -> _Identity:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _unreadable(name: str, path: str, error: OSError | ValueError) -> InputError:
    reason = getattr(error, "strerror", None) or str(error)
    return InputError(f"input {name!r}: {path}: {reason}; give the path of a file or directory that can be read")


_log = logging.getLogger("taggedartifacts")

_MOST_DIGESTED = 1 << 30  # bytes
_MOST_LETTERS = 4096  # of a string that can be a path
_MOST_LISTED = 1000  # of the paths in one list


class Named(NamedTuple):
    """A file that does not count, as it was before the run.

    Attributes:
        name: The parameter that names it; empty for one that the function opened by itself.
        path: The path as it is written.
        status: What the file was.
    """

    name: str
    path: str
    status: os.stat_result


def named_files(arguments: Iterable[tuple[str, object]], cwd: str, counts: Callable[[str], bool]) -> tuple[Named, ...]:
    """Find the regular files that arguments name and that do not count.

    Args:
        arguments: Parameters and their values.
        cwd: What relative paths go by.
        counts: Says of an absolute path whether that file's content counts already.
    """
    found = []
    for name, value in arguments:
        for path in _paths(value):
            file = os.path.join(cwd, path)
            try:
                status = os.stat(file)
            except (OSError, ValueError):
                continue
            if stat.S_ISREG(status.st_mode) and not counts(file):
                found.append(Named(name, path, status))
    return tuple(found)


def opened_files(
    files: Mapping[str, os.stat_result], root: str, declared: Iterable[object], cwd: str
) -> tuple[Named, ...]:
    """Find the regular files that a run has opened by itself and that do not count.

    Args:
        files: Those of them in the work tree, by the path relative to the root: what they were then.
        root: The root of the work tree.
        declared: What arguments name that count otherwise, or are to be ignored.
        cwd: What relative paths of these go by.
    """
    named = (path for value in declared for each in leaves(value) for path in _paths(each))
    known = tuple({os.path.abspath(os.path.join(cwd, path)) for path in named})
    found = []
    for path, status in files.items():
        parts = path.split("/")
        file = os.path.join(root, *parts)
        is_ours = HIDDEN in parts or any(map(is_tagged, parts))
        if is_ours or any(file == each or file.startswith(each + os.sep) for each in known):
            continue
        if stat.S_ISREG(status.st_mode):
            found.append(Named("", path, status))
    if len(found) > _MOST_LISTED:
        _log.warning(
            "%d files that do not count were read; changes of %d of them will not be seen. Pass their folder as "
            "an argument, and name that in inputs=",
            len(found),
            len(found) - _MOST_LISTED,
        )
    return tuple(found[:_MOST_LISTED])


def described(files: Iterable[Named], cwd: str, function: str) -> tuple[FileEntry, ...]:
    """Describe those of the files that the run did not change, and say in the log, once, that they do not count."""
    entries = []
    for each in files:
        file = os.path.join(cwd, each.path)
        try:
            now = os.stat(file)
            same = (now.st_size, now.st_mtime_ns, now.st_ino) == (
                each.status.st_size,
                each.status.st_mtime_ns,
                each.status.st_ino,
            )
            digest = _digest_of(each.path, cwd) if same and now.st_size <= _MOST_DIGESTED else ""
        except OSError:  # the run has removed it, or it cannot be read
            continue
        if same:
            entries.append(FileEntry(each.path, now.st_size, now.st_mtime_ns, digest))
            _warn(each, function)
    return tuple(entries)


def _warn(file: Named, function: str) -> None:
    if not is_news("undeclared", function, file.name, "" if file.name else file.path):
        return
    if file.name:
        _log.warning(
            "%s: the content of %s does not count, only its name does; to let it count, inputs=(%r,)",
            function,
            file.path,
            file.name,
        )
    else:
        _log.warning(
            "%s reads %s, which is no tracked file of its scope, so its content does not count; to let it count, pass "
            "its path as an argument, and name that in inputs=",
            function,
            file.path,
        )


def check_unchanged(record: Record, cwd: str, root: str | None) -> None:
    """Check that the files which do not count hold what they held when an artifact was made.

    Args:
        record: The record of the artifact.
        cwd: What the paths that arguments gave go by.
        root: What the paths of files go by that the function opened by itself.

    Raises:
        InputChangedError: If one holds something else; touched alone, or where nothing can be found, it does not.
    """
    for entry in record.undeclared:
        try:
            file, now = _found(entry.path, cwd, root)
        except (OSError, ValueError):  # gone, where this user may not look, or no path that this system can have
            continue
        if (now.st_size, now.st_mtime_ns) == (entry.size, entry.mtime_ns):
            continue
        with contextlib.suppress(InputError):  # it cannot be read any more, or it changes at this moment
            if now.st_size == entry.size and entry.digest and _digest_of(file, "") == entry.digest:
                continue
        raise InputChangedError(
            f"{entry.path} has changed since {record.artifact} was made from it, and its content does not count; name "
            "its parameter in inputs= to let it count (give it one, if the function opens it by itself), "
            "or call recompute to make the artifact again"
        )


def _found(path: str, cwd: str, root: str | None) -> tuple[str, os.stat_result]:
    file = os.path.join(cwd, path)
    try:
        return file, os.stat(file)
    except (OSError, ValueError):
        if root is None:
            raise
    file = os.path.join(root, path)
    return file, os.stat(file)


def _paths(value: Any) -> Iterator[str]:
    if isinstance(value, (list, tuple)):
        for item in value[:_MOST_LISTED]:
            if isinstance(item, (str, os.PathLike)):
                yield from _paths(item)
        return
    if not isinstance(value, (str, os.PathLike)):
        return
    path = os.fspath(value)
    # What has a tag is an artifact, of which the tag tells the content.
    if isinstance(path, str) and 0 < len(path) <= _MOST_LETTERS and not is_tagged(os.path.basename(path)):
        yield path


def leaves(value: Any) -> Iterator[Any]:
    """Iterate over what lists, tuples and dicts of a value hold, at whatever depth; over the value if it is none."""
    if isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    else:
        yield value


def _digest_of(path: str, cwd: str) -> str:
    return str(input_contents({"": path}, cwd)[""])
