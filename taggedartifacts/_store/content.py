"""The content of an artifact: what stands at a path, by its sizes and times, and by its digest."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from .._errors import ArtifactNotWrittenError
from .._hashing import file_hexdigest, hexdigest
from .record import FileEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .record import Record


@dataclass(frozen=True, slots=True)
class Content:
    """What a record says of the content of an artifact; fields as in `Record`."""

    kind: Literal["file", "directory"]
    size: int
    mtime_ns: int
    digest: str
    files: tuple[FileEntry, ...] = ()
    listing: str | None = None


def describe(path: str) -> Content:
    """Digest the file or directory at a path.

    The digest of a directory is that of its manifest: a line ``path NUL digest`` for each entry, sorted by path.

    Raises:
        ArtifactNotWrittenError: If it is, or holds, anything but files, directories and symbolic links.
        OSError: If it cannot be read.
    """
    status = os.lstat(path)
    if stat.S_ISREG(status.st_mode):
        return Content("file", status.st_size, status.st_mtime_ns, file_hexdigest(path))
    if not stat.S_ISDIR(status.st_mode):
        raise ArtifactNotWrittenError(f"{path} is neither a file nor a directory; write a real file there")
    files = tuple(describe_file(os.path.join(path, relative), relative) for relative, _ in scan(path))
    manifest = "".join(f"{entry.path}\0{entry.digest}\n" for entry in files)
    return Content(
        "directory",
        sum(entry.size for entry in files),
        max((entry.mtime_ns for entry in files), default=status.st_mtime_ns),
        hexdigest(manifest.encode("utf-8", "surrogateescape")),
        files,
        _listing((entry.path, entry.size, entry.mtime_ns) for entry in files),
    )


def _listing(entries: Iterable[tuple[str, int, int]]) -> str:
    """Digest the names, sizes and times in a directory, sorted by name."""
    lines = "".join(f"{path}\0{size}\0{mtime_ns}\n" for path, size, mtime_ns in entries)
    return hexdigest(lines.encode("utf-8", "surrogateescape"))


def _measured(directory: str) -> list[tuple[str, int, int]]:
    """List what is in a directory as a manifest has it: names, sizes and times; an empty directory has none."""
    return [(name, 0, 0) if name.endswith("/") else (name, s.st_size, s.st_mtime_ns) for name, s in scan(directory)]


def describe_file(path: str, name: str) -> FileEntry:
    """Digest one entry of a directory, or one companion."""
    status = os.lstat(path)
    if stat.S_ISREG(status.st_mode):
        digest = file_hexdigest(path)
    elif stat.S_ISLNK(status.st_mode):
        digest = hexdigest(os.fsencode(os.readlink(path)))
    elif stat.S_ISDIR(status.st_mode):  # a companion, or an empty one
        content = describe(path)
        return FileEntry(name, content.size, content.mtime_ns if content.files else 0, content.digest)
    else:
        raise ArtifactNotWrittenError(f"{path} is neither a file, a directory nor a symbolic link; it cannot be kept")
    return FileEntry(name, status.st_size, status.st_mtime_ns, digest)


def scan(directory: str) -> Iterator[tuple[str, os.stat_result]]:
    """List a tree, sorted: path relative to it with forward slashes (behind an empty directory too), and its lstat."""
    pending = [""]
    found: list[tuple[str, os.stat_result]] = []
    while pending:
        below = pending.pop()
        with os.scandir(os.path.join(directory, below)) as entries:
            before = len(found) + len(pending)
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{below}{entry.name}/")
                else:
                    found.append((below + entry.name, entry.stat(follow_symlinks=False)))
        if below and len(found) + len(pending) == before:
            found.append((below, os.lstat(os.path.join(directory, below))))
    return iter(sorted(found))


def same_times(path: str, record: Record) -> bool | None:
    """Tell, from sizes and times alone, whether what stands at *path* is as its record says.

    Returns:
        True when all agree, False when a size or a name differs, None when only times differ: then the digests decide.
    """
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode) != (record.kind == "directory"):
        return False
    if record.kind == "file" and not record.companions:  # most are, and a hit waits for it
        if status.st_size != record.size:
            return False
        return True if status.st_mtime_ns == record.mtime_ns else None
    same_listing = True
    if record.kind == "file":
        seen = [("", status.st_size, status.st_mtime_ns)]
        known = [("", record.size, record.mtime_ns)]
    elif record.listing is None:  # of an older version
        seen = _measured(path)
        known = [(entry.path, entry.size, entry.mtime_ns) for entry in record.files]
    else:
        entries = _measured(path)
        seen, known = [("", sum(size for _, size, _ in entries), 0)], [("", record.size, 0)]
        same_listing = _listing(entries) == record.listing
    for companion in record.companions:
        seen.append((companion.path, *_size_and_time(os.path.join(os.path.dirname(path), companion.path))))
        known.append((companion.path, companion.size, companion.mtime_ns))
    if seen == known and same_listing:
        return True
    return None if [each[:2] for each in seen] == [each[:2] for each in known] else False


def with_times(path: str, record: Record) -> Record:
    """Return the record with the times that the artifact and its companions have now, and else as it was."""
    folder = os.path.dirname(path)
    companions = (
        replace(each, mtime_ns=_size_and_time(os.path.join(folder, each.path))[1]) for each in record.companions
    )
    if record.kind == "file":
        files, mtime_ns, listing = record.files, os.stat(path).st_mtime_ns, None
    else:
        entries = _measured(path)
        times = {name: time for name, _, time in entries}
        files = tuple(replace(each, mtime_ns=times.get(each.path, each.mtime_ns)) for each in record.files)
        mtime_ns, listing = max(times.values(), default=record.mtime_ns), _listing(entries)
    return replace(record, mtime_ns=mtime_ns, files=files, listing=listing, companions=tuple(companions))


def _size_and_time(path: str) -> tuple[int, int]:
    """Measure a companion as `describe_file` does, without reading it."""
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode):
        return status.st_size, status.st_mtime_ns
    below = _measured(path)
    return sum(size for _, size, _ in below), max((time for _, _, time in below), default=0)


def same_digests(path: str, record: Record) -> bool:
    """Tell, by reading all of it, whether what stands at *path* and its companions is as its record says."""
    folder = os.path.dirname(path)
    return describe(os.path.realpath(path)).digest == record.digest and all(
        describe_file(os.path.join(folder, companion.path), companion.path).digest == companion.digest
        for companion in record.companions
    )
