"""The record: what is known of an artifact beyond its name, as data (docs/records.rst). Reading it runs nothing."""

from __future__ import annotations

import errno
import json
import os
import re
from dataclasses import dataclass, field, fields
from operator import contains
from typing import TYPE_CHECKING, Any, Literal, Self

from .._errors import RecordError
from .._hashing import hexdigest
from .._tag import COMMIT_DIGITS
from .disk import STARTS, read_whole, refresh
from .key import Key, scope_text
from .table import Shown, Table, byte_count

if TYPE_CHECKING:
    from collections.abc import Collection

SCHEMA = 1
# Large values and large manifests are kept elsewhere: only by what is written beside an output can this be reached.
MAX_RECORD_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file: of a directory artifact (path relative to it), or a companion (file name).

    Attributes:
        path: Relative path, with forward slashes.
        size: Bytes.
        mtime_ns: Time of the last modification, nanoseconds since 1970.
        digest: xxh3_128 of the content (of the target's text for a symbolic link), 32 hex digits.
    """

    path: str
    size: int
    mtime_ns: int
    digest: str


@dataclass(frozen=True, kw_only=True, repr=False)
class Record(Shown):
    """Where an artifact comes from; prints as a table, in a notebook too.

    Written when the artifact is made, before it has its name, and the same as the file that holds it.

    Attributes:
        schema: Version of the record's format.
        artifact: File name of the artifact, tag included.
        kind: ``"file"`` or ``"directory"``.
        function: File, relative to the repository, and qualified name: ``analysis/plots.py::histogram``.
        commit: Full hex of the commit; where ``TAGGEDARTIFACTS_COMMIT`` stood in for a repository, what that said.
        dirty: Full digest of the uncommitted changes, 32 hex digits, or None.
        config_hash: Full config hash, 32 hex digits: xxh3_128 of the canonical form.
        canonical: Canonical form of configuration, arguments and whatever else is in the config hash: JSON text, in
            which large values are replaced by their digests.
        scope: Files that imports reached, and paths that the user named, relative to the repository's root.
        scope_kind: ``"automatic"``, ``"paths"`` where the user named some, or ``"whole repository"``.
        scope_names: Files that count since the code names them, although their kind does not.
        scope_reasons: Why the whole repository was the code although nobody asked for it.
        scope_digest: Digest of what the commit holds in the scope, 32 hex digits; None without a repository.
        remote: URL of the repository's remote, without credentials.
        run: Random token of the run; the outputs of one run share it.
        outputs: File names of all artifacts of that run, in the order of the keywords; None for one not asked for.
        started: When the function was started, UTC, ISO 8601.
        seconds: How long it took, in seconds.
        size: Bytes, of a directory the sum over its files.
        mtime_ns: Time of the last modification, nanoseconds since 1970.
        digest: xxh3_128 of the content, 32 hex digits; of a directory that of its manifest.
        files (tuple[FileEntry, ...]): The manifest of a directory; empty for a file.
        manifest: The file name of a large manifest below ``.taggedartifacts/manifests``, or None.
        listing: xxh3_128 of the names, sizes and times in a directory, 32 hex digits, or None for a file.
        companions (tuple[FileEntry, ...]): Files that were written beside the artifact with its stem.
        python: Version of Python.
        platform: Operating system, release and machine.
        host: Name of the computer.
        packages: Versions of the imported packages.
        changes: While dirty, what was not committed: path and what was wrong with it.
        patch: While dirty, the file name of the patch below ``.taggedartifacts/patches``, or None.
        readers: Who reads each of the ``globals`` in the configuration, as ``plots.fig``.
        unknown: What the function reads that does not count because it has no canonical form, and why.
        undeclared: Files that arguments named and ``inputs`` did not, and those that git does not track and the
            function opened by itself, as they were when it ran; the digest is empty for a file over 1 GiB.
        replaced (Record | None): The record of the artifact that this one replaced, as long as that may still stand.
    """

    # What decides whether a call hits comes first: see `reuse.stands`.
    schema: int = SCHEMA
    artifact: str
    kind: Literal["file", "directory"]
    function: str
    commit: str
    dirty: str | None
    config_hash: str
    scope_digest: str | None = None
    outputs: tuple[str | None, ...]
    companions: tuple[FileEntry, ...] = ()
    undeclared: tuple[FileEntry, ...] = ()
    size: int
    mtime_ns: int
    canonical: str
    scope: tuple[str, ...] = ()
    scope_kind: str = "whole repository"
    scope_names: tuple[str, ...] = ()
    scope_reasons: tuple[str, ...] = ()
    remote: str | None = None
    run: str
    started: str
    seconds: float
    digest: str
    files: tuple[FileEntry, ...] = ()
    manifest: str | None = None
    listing: str | None = None
    python: str
    platform: str
    host: str
    packages: dict[str, str]
    changes: tuple[tuple[str, str], ...] = ()
    patch: str | None = None
    readers: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    replaced: Record | None = None

    @property
    def key(self) -> Key:
        """The part that a hit compares; without the scope in words, which it does not."""
        return Key(self.function, self.commit, self.dirty, self.config_hash, self.scope_digest)

    @property
    def scope_text(self) -> str:
        """The scope in words."""
        return scope_text(self.scope_kind, self.scope, self.scope_reasons)

    def _table(self) -> Table:
        rows = {
            "commit": self.commit if self.dirty is None else f"{self.commit} and uncommitted changes {self.dirty}",
            "changes": ", ".join(f"{path} ({what})" for path, what in self.changes),
            "scope": self.scope_text,
            "remote": self.remote or "",
            "config hash": self.config_hash,
            "configuration": self.canonical,
            "content": f"{byte_count(self.size)}, xxh3_128 {self.digest}",
            "files": f"{len(self.files):,}" if self.kind == "directory" and (self.files or not self.manifest) else "",
            "companions": ", ".join(entry.path for entry in self.companions),
            "outputs": ", ".join(filter(None, self.outputs)) if len(self.outputs) > 1 else "",
            "started": f"{self.started}, took {self.seconds:.3g} s",
            "where": f"Python {self.python}, {self.platform}, {self.host}",
            "does not count": ", ".join(f"{name} ({reason})" for name, reason in self.unknown.items()),
            "not in inputs": ", ".join(entry.path for entry in self.undeclared),
            "packages": ", ".join(f"{name} {version}" for name, version in self.packages.items()),
        }
        return Table(f"{self.artifact}, made by {self.function}", tuple(row for row in rows.items() if row[1]))

    def to_json(self) -> bytes:
        """Write the record as the JSON text that is stored: one key a line.

        Of the record that it replaces, nothing large that is the same; of a manifest in a file of its own, its name.
        """
        values = self._stored()
        if self.replaced is not None:
            before = self.replaced._stored()
            values["replaced"] = {key: value for key, value in before.items() if not _repeats(key, value, values[key])}
        members = (f'"{key}": {_encode(value)}' for key, value in values.items())
        return sealed(("{\n" + ",\n".join(members)).encode())

    def _stored(self) -> dict[str, Any]:
        # Not asdict, which copies all of it.
        values = {name: getattr(self, name) for name in _NAMES} | {"replaced": None}
        return values if self.manifest is None else values | {"files": ()}

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read a record, believing nothing.

        Raises:
            RecordError: If the text is no record of a schema that this version knows.
        """
        try:
            return cls._from_data(_decode(text.decode()))
        except KeyError as error:
            raise RecordError(f"{error} is missing") from error
        except RecursionError as error:
            raise RecordError("it is nested deeper than any record is") from error
        except (ValueError, TypeError) as error:
            raise RecordError(str(error)) from error

    @classmethod
    def _from_data(cls, data: Any) -> Self:
        if not isinstance(data, dict):
            raise TypeError("not a JSON object")
        data.pop("checksum", None)  # what was changed by hand may be believed as far as it goes
        if data.get("schema") != SCHEMA:
            raise ValueError(f"schema {data.get('schema')!r} where this version knows {SCHEMA}")
        values = _typed(data)
        if values["kind"] not in ("file", "directory"):
            raise ValueError(f"kind is {values['kind']!r}")
        strings = [output for output in values["outputs"] if output is not None]
        for name in _DICTS:
            strings += values[name].values()
        for name in _LISTS:
            strings += values[name]
            values[name] = tuple(values[name])
        _strings(strings)  # all at once, as most are short
        values["outputs"] = tuple(values["outputs"])
        for name in _MANIFESTS:
            values[name] = _entries(values[name]) if values[name] else ()
        values["changes"] = tuple([(path, what) for path, what in map(_strings, values["changes"])])
        _check_meaning(values)
        if values["replaced"] is not None:
            before = values["replaced"]
            repeated = {
                key: data[key] for key, value in data.items() if key not in before and _repeats(key, value, value)
            }
            values["replaced"] = cls._from_data({**before, **repeated, "replaced": None})
        record = object.__new__(cls)
        # All fields are there; a frozen class sets them one by one, in five times the time.
        object.__setattr__(record, "__dict__", values)
        return record


# What records of earlier releases do not hold.
_LATER: dict[str, Any] = {"manifest": None, "listing": None, "readers": {}, "unknown": {}, "undeclared": []}
_FILE_NAME = re.compile(rf"[^/\0{re.escape(os.sep)}]+/?")
_DIGESTS = ("dirty", "config_hash", "digest", "scope_digest", "listing")
_LISTS = ("scope", "scope_names", "scope_reasons")
_DICTS = ("packages", "readers", "unknown")
_MANIFESTS = ("files", "companions", "undeclared")
_DIGEST = re.compile("[0-9a-f]{32}")
_SEVERAL_HEXES = re.compile(f"[0-9a-f]{{{COMMIT_DIGITS},64}}(?: [0-9a-f]{{32}})*")
_decode = json.JSONDecoder().decode
_encode = json.JSONEncoder(default=lambda entry: {name: getattr(entry, name) for name in FileEntry.__slots__}).encode

_KINDS: dict[str, frozenset[type]] = {
    "str": frozenset({str}),
    "str | None": frozenset({str, type(None)}),
    "int": frozenset({int}),
    "float": frozenset({int, float}),
    "dict[str, str]": frozenset({dict}),
    "Record | None": frozenset({dict, type(None)}),
}
_TYPES = {
    each.name: _KINDS.get(str(each.type), frozenset({str if "Literal" in str(each.type) else list}))
    for each in fields(Record)
}
_NAMES = tuple(_TYPES)


def _typed(data: dict[str, Any]) -> dict[str, Any]:
    """Take the fields out of a record's data, each of its type.

    Raises:
        KeyError: If one is missing.
        TypeError: If one is of another type.
    """
    if tuple(data) == _NAMES and all(map(contains, _TYPES.values(), map(type, data.values()))):
        return data.copy()  # as nearly all are, in half the time
    values = {}
    for name, types in _TYPES.items():
        values[name] = value = data.get(name, _LATER[name]) if name in _LATER else data[name]
        if type(value) not in types:  # exactly these, because True is an int
            raise TypeError(f"{name} is of type {type(value).__name__}")
    return values


def sealed(text: bytes) -> bytes:
    """End a record with a checksum of all before it, by which it is known to be as it was written."""
    return b'%b,\n"checksum": "%b"\n}\n' % (text, hexdigest(text).encode())


def _repeats(key: str, value: object, again: object) -> bool:
    """Tell whether a value of the record that is replaced is large, and says what its successor says."""
    return (key == "canonical" or isinstance(value, (list, tuple, dict))) and value == again


def _strings(values: Collection[Any]) -> tuple[str, ...]:
    if values and not set(map(type, values)) <= {str}:
        raise TypeError("a list of strings holds something else")
    return tuple(values)


def _entries(values: list[Any]) -> tuple[FileEntry, ...]:
    entries = tuple(FileEntry(**value) for value in values)
    for entry in entries:
        if (type(entry.path), type(entry.size), type(entry.mtime_ns), type(entry.digest)) != (str, int, int, str):
            raise TypeError("an entry of a manifest has a wrong type")
        _check_number(entry.size)
        _check_number(entry.mtime_ns)
    return entries


def _check_number(number: float) -> None:
    if not abs(number) < 1 << 63:  # nor is what is no number
        raise ValueError("a size or a time is larger than any")


def _check_meaning(values: dict[str, Any]) -> None:
    """Check what other code relies on: digits are digits, and names lead to no other directory.

    Raises:
        ValueError: If something is not as this library writes it.
    """
    hexes = [values["commit"], *[values[key] for key in _DIGESTS if values[key] is not None]]
    text = " ".join(hexes)  # all at once, which takes a fifth of the time
    if not _SEVERAL_HEXES.fullmatch(text) or text.count(" ") >= len(hexes):
        wrong = (key for key in _DIGESTS if values[key] is not None and not _DIGEST.fullmatch(values[key]))
        key = next(wrong, "commit")
        raise ValueError(f"{key} is {values[key]!r:.80}")
    names = {values["artifact"], *values["outputs"], values["patch"], values["manifest"]}
    names.update([entry.path for entry in values["companions"]])
    names.discard(None)
    for name in names:
        # A slash at the end of an output says that its path promised a directory.
        # A drive leads elsewhere on Windows: joined to a directory, C:name is a file of that drive.
        drive = ":" in name and os.path.splitdrive(name)[0]
        if not _FILE_NAME.fullmatch(name) or name in (os.curdir, os.pardir) or drive:
            raise ValueError(f"{name!r:.80} is no file name")
        os.fsencode(name)
    _check_number(abs(values["size"]) + abs(values["mtime_ns"]))
    _check_number(values["seconds"])


def read_record(path: str) -> Record | None:
    """Read the record in a file; None if there is none.

    Raises:
        RecordError: If what is there is not a record that this version can read.
    """
    found = read_stamped(path)
    return found and found[0]


def read_stamped(path: str) -> tuple[Record, os.stat_result] | None:
    """Read the record in a file, with what the file that was read was; None if there is none.

    Raises:
        RecordError: If what is there is not a record that this version can read.
    """
    starts = STARTS
    while True:
        try:
            found = read_whole(path, MAX_RECORD_BYTES)
            break
        except RecordError as error:
            starts -= 1
            if getattr(error.__cause__, "errno", None) != errno.ESTALE or not starts:
                raise
            refresh(os.path.dirname(path))  # on NFS, another host has replaced it
    if found is None:
        return None
    try:
        return Record.from_json(found[0]), found[1]
    except RecordError as error:
        raise RecordError(f"{path} is no record that can be read: {error}; recompute writes another") from error
