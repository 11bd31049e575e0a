"""The condition of an artifact: what stands at a path, and whether that is what its record says.

`condition` alone judges that. A call, `verify`, `compare`, `prune` and `explain` all ask here, and so agree. Sizes and
times tell it where they can, else the digest of the content.

The manifest of a large directory lies in a file of its own: a hit has no use for it. The record tells by one digest
whether names, sizes and times are as they were made, and by another whether the content is; only who asks which file
differs reads the manifest.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Literal, NamedTuple

from .._errors import ArtifactNotWrittenError, RecordError
from .._hashing import file_hexdigest, hexdigest
from .disk import read_whole
from .folder import lock_key
from .record import FileEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .folder import Folder, Target
    from .record import Record


class Content(NamedTuple):
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


class Condition(Enum):
    """How an artifact stands to its record; what was written beside it is part of it."""

    WHOLE = "all is there, with the sizes and times of the record"
    TOUCHED = "all is there with the recorded content, and other times"
    PARTIAL = "something is gone, and what is left is as it was made"
    HALFWAY = "all is there, some of it of this run and some of the run whose artifact it was to replace"
    CHANGED = "something has another content than it was made with"
    GONE = "nothing is there"

    @property
    def is_good(self) -> bool:
        """Whether all of the artifact is there as it was made."""
        return self is Condition.WHOLE or self is Condition.TOUCHED


def condition(target: Target, record: Record, *, read: bool = False) -> tuple[Condition, Record]:
    """Judge what stands at a target by its record, or by that of what it was to replace, if that still stands.

    Sizes and times decide where all agree or a size differs, else the content; but not whether a bare file that was to
    be replaced still stands: nobody knows who made that, so the same content may be an edit.

    Args:
        target: The artifact.
        record: Its record.
        read: Believe no times, and read the content wherever the sizes agree.

    Returns:
        The condition, and the record that was judged by. When touched, that has the times of now.

    Raises:
        OSError: If something is there and cannot be read.
    """
    path = target.path
    runs = (record,) if record.replaced is None else (record, record.replaced)
    doubtful = []
    try:
        for run in runs:
            same = _same_times(path, run)
            if same and not read:
                return Condition.WHOLE, run
            if same or (same is None and run.run):  # a bare file has no run
                doubtful.append(_with_times(path, run))  # before the digest: a change during it shows next time
        for run in doubtful:
            if _same_digests(path, run):
                return Condition.TOUCHED, run
    except FileNotFoundError:
        if is_gone(target, record):
            return Condition.GONE, record
        return Condition.PARTIAL if _is_left_as_made(path, runs) else Condition.CHANGED, record
    is_halfway = len(runs) > 1 and _is_left_as_made(path, runs)
    return Condition.HALFWAY if is_halfway else Condition.CHANGED, record


def is_gone(target: Target, record: Record) -> bool:
    """Tell whether nothing of an artifact is there, without looking closer."""
    beside = (target.folder.artifact(companion.path) for companion in record.companions)
    return not any(map(os.path.lexists, (target.path, *beside)))


def _is_left_as_made(path: str, runs: tuple[Record, ...]) -> bool:
    """Tell whether all that is left of an artifact is of one of these runs."""
    folder = os.path.dirname(path)
    known = {(companion.path, companion.digest) for run in runs for companion in run.companions}
    for name in {name for name, _ in known}:
        with contextlib.suppress(FileNotFoundError):
            if (name, describe_file(os.path.join(folder, name), name).digest) not in known:
                return False
    digests = {run.digest for run in runs if run.run}
    return not os.path.exists(path) or describe(os.path.realpath(path)).digest in digests


def _same_times(path: str, record: Record) -> bool | None:
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


def _with_times(path: str, record: Record) -> Record:
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


def _same_digests(path: str, record: Record) -> bool:
    """Tell, by reading all of it, whether what stands at *path* and its companions is as its record says."""
    folder = os.path.dirname(path)
    return describe(os.path.realpath(path)).digest == record.digest and all(
        describe_file(os.path.join(folder, companion.path), companion.path).digest == companion.digest
        for companion in record.companions
    )


MOST_IN_RECORD = 1_000  # entries, about 150 KB of a record, which is read in a millisecond or two
_MAX_BYTES = 1 << 30  # ten million files


def manifest_name(name: str, run: str) -> str:
    """Name the file for the manifest of the artifact *name* that was made by that run."""
    return f"{lock_key(name)}-{run}.json"


def manifest_json(files: tuple[FileEntry, ...]) -> bytes:
    """Write a manifest: a JSON list, an entry a line."""
    lines = ",\n".join(json.dumps([each.path, each.size, each.mtime_ns, each.digest]) for each in files)
    return f"[\n{lines}\n]\n".encode()


def with_manifest(folder: Folder, record: Record) -> Record:
    """Return a record with its manifest, if that lies in a file of its own.

    Raises:
        RecordError: If the manifest is gone, or is none.
    """
    if record.manifest is None or record.files:
        return record
    path = os.path.join(folder.manifests, record.manifest)
    found = read_whole(path, _MAX_BYTES)
    if found is None:
        raise RecordError(f"{path} is gone, which lists the files of {record.artifact}")
    try:
        files = tuple(FileEntry(*entry) for entry in json.loads(found[0]))
        types = {(type(each.path), type(each.size), type(each.mtime_ns), type(each.digest)) for each in files}
    except (ValueError, TypeError, RecursionError) as error:
        raise RecordError(f"{path} is no manifest: {error}") from error
    if not types <= {(str, int, int, str)}:
        raise RecordError(f"{path} is no manifest: an entry has a wrong type")
    return replace(record, files=files)


def manifests_of(folder: Folder, name: str, record: Record | None) -> list[str]:
    """List the files in which the manifests of the artifact *name* lie: its own, and that of what it replaced."""
    records = [each for each in (record, record and record.replaced) if each]
    # A record may come from anywhere: what it names is of this artifact only if its name says so.
    names = {each.manifest for each in records if each.manifest and each.manifest.startswith(f"{lock_key(name)}-")}
    return [os.path.join(folder.manifests, each) for each in sorted(names)]
