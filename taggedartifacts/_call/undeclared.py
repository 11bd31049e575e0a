"""Undeclared inputs: files that arguments name and ``inputs`` does not, so that only their names count for the tag."""

from __future__ import annotations

import logging
import os
import stat
from typing import TYPE_CHECKING, Any, NamedTuple

from .._errors import InputChangedError
from .._memory import is_news
from .._path import ArtifactPath
from .._store.record import FileEntry
from .._tag import is_tagged
from .inputs import input_contents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .._store.record import Record

_log = logging.getLogger("taggedartifacts")

_MOST_DIGESTED = 1 << 30  # bytes
_MOST_LETTERS = 4096  # of a string that can be a path
_MOST_LISTED = 1000  # of the paths in one list


class Named(NamedTuple):
    """A file that an argument names, as it was before the run.

    Attributes:
        name: The parameter.
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
            digest = _digest(each.path, cwd) if same and now.st_size <= _MOST_DIGESTED else ""
        except OSError:  # the run has removed it, or it cannot be read
            continue
        if same:
            entries.append(FileEntry(each.path, now.st_size, now.st_mtime_ns, digest))
            if is_news("undeclared", function, each.name):
                _log.warning(
                    "%s: the content of %s does not count, only its name does; to let it count, inputs=(%r,)",
                    function,
                    each.path,
                    each.name,
                )
    return tuple(entries)


def check_unchanged(record: Record, cwd: str) -> None:
    """Check that the files that arguments name hold what they held when an artifact was made.

    Raises:
        InputChangedError: If one holds something else; touched alone, or gone, it does not.
    """
    for entry in record.undeclared:
        try:
            now = os.stat(os.path.join(cwd, entry.path))
            if (now.st_size, now.st_mtime_ns) == (entry.size, entry.mtime_ns):
                continue
            if now.st_size == entry.size and entry.digest and _digest(entry.path, cwd) == entry.digest:
                continue
        except FileNotFoundError:
            continue
        raise InputChangedError(
            f"{entry.path} holds something else than when {record.artifact} was made from it, and its content does not "
            "count; name its parameter in inputs= to let it count, or call recompute to make the artifact again"
        )


def _paths(value: Any) -> Iterator[str]:
    if isinstance(value, (list, tuple)):
        for item in value[:_MOST_LISTED]:
            if isinstance(item, (str, os.PathLike)):
                yield from _paths(item)
        return
    if isinstance(value, ArtifactPath) or not isinstance(value, (str, os.PathLike)):
        return
    path = os.fspath(value)
    # What has a tag is an artifact, of which the tag tells the content.
    if isinstance(path, str) and 0 < len(path) <= _MOST_LETTERS and not is_tagged(os.path.basename(path)):
        yield path


def _digest(path: str, cwd: str) -> str:
    return str(input_contents({"": path}, cwd)[""])
