"""Artifacts with records, written without a call: for tests of what happens to thousands, or to damaged ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from taggedartifacts._hashing import hexdigest
from taggedartifacts._store.condition import describe
from taggedartifacts._store.folder import Folder
from taggedartifacts._store.record import Record
from taggedartifacts._tag import tagged_name

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "1a2b3c4d5e" + "0" * 30
OTHER_COMMIT = "9f8e7d6c5b" + "0" * 30
DIRTY = "3c" * 16


def put(
    folder: Path,
    name: str = "hist.png",
    *,
    config: object = None,
    content: bytes = b"content\n",
    record: bool = True,
    **fields: Any,
) -> Path:
    """Put an artifact of that untagged name into a folder, with a record unless told otherwise."""
    canonical = json.dumps({"arguments": {}, "config": config}, separators=(",", ":"))
    values = {"commit": COMMIT, "dirty": None, "config_hash": hexdigest(canonical.encode())}
    values |= {key: fields.pop(key) for key in tuple(fields) if key in values}
    known: dict[str, Any] = {"function": "plots.py::histogram", "canonical": canonical, **values}
    probe = Record(artifact="", **known, **_REST, kind="file", size=0, mtime_ns=0, digest="0" * 32)
    path = folder / tagged_name(name, probe.key.digits)
    Folder(str(folder)).make()
    path.write_bytes(content)
    if record:
        seen = describe(str(path))
        standing = {"kind": seen.kind, "size": seen.size, "mtime_ns": seen.mtime_ns, "digest": seen.digest}
        whole = Record(artifact=path.name, **(known | _REST | {"outputs": (path.name,)} | standing | fields))
        record_path(path).write_bytes(whole.to_json())
    return path


def record_path(artifact: Path) -> Path:
    """Tell where the record of an artifact lies."""
    return artifact.parent / ".taggedartifacts" / "records" / f"{artifact.name}.json"


def change_record(artifact: Path, /, **fields: Any) -> None:
    """Write other values into the record of an artifact."""
    path = record_path(artifact)
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


_REST: dict[str, Any] = {
    "run": "0" * 16,
    "outputs": ("hist.png",),
    "started": "2026-01-02T03:04:05.000006+00:00",
    "seconds": 1.5,
    "python": "3.11.7",
    "platform": "Linux 6 x86_64",
    "host": "here",
    "packages": {"numpy": "2.0"},
}
