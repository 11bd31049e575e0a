"""The manifest of a large directory artifact, in a file of its own: a hit has no use for it.

The record tells by one digest whether names, sizes and times are as they were made, and by another whether the content
is; only who asks which file differs reads the manifest.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from .._errors import RecordError
from .folder import lock_key
from .record import FileEntry, read_regular

if TYPE_CHECKING:
    from .folder import Folder
    from .record import Record

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
    text = read_regular(path, _MAX_BYTES)
    if text is None:
        raise RecordError(f"{path} is gone, which lists the files of {record.artifact}")
    try:
        files = tuple(FileEntry(*entry) for entry in json.loads(text))
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
