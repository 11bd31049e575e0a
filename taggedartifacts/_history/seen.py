"""What two artifacts hold, as it stands on the disk now, and where that differs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._store.condition import Condition, condition
from .._store.content import describe, describe_file
from .._store.table import byte_count
from .._tag import split_name
from .differences import ABSENT, Difference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .._store.content import Content
    from .._store.key import Target
    from .._store.record import FileEntry, Record

_DIGEST_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Seen:
    """What an artifact holds.

    Attributes:
        kind: ``"file"``, ``"directory"``, or None if it cannot be known.
        files: Size and digest by path relative to it; that of a file is empty.
        companions: The same by what their names have behind the stem, or None if it cannot be known which they are.
        changed: Whether it is not as its record says.
    """

    kind: str | None
    files: Mapping[str, tuple[int, str]]
    companions: Mapping[str, tuple[int, str]] | None
    changed: bool = False


def see_content(target: Target, record: Record | None, unknown: list[str]) -> Seen:
    """Find out what an artifact holds; reads it only if it is not as old and as large as its record says.

    Args:
        target: The artifact.
        record: Its record, if there is one.
        unknown: Takes a sentence if something is not as it should be.
    """
    path, name = target.path, target.name
    try:
        if record is not None:
            answer, _ = condition(target, record)
            if answer.is_good and _is_listed(record):
                return _recorded(record)
            if answer in (Condition.GONE, Condition.PARTIAL):
                return _seen_before(record, unknown)
        content = describe(os.path.realpath(path))
        companions = None
        if record is not None:
            folder = os.path.dirname(path)
            names = [entry.path for entry in record.companions]
            companions = _by_suffix(name, tuple(describe_file(os.path.join(folder, each), each) for each in names))
    except OSError as error:
        if record is not None and isinstance(error, FileNotFoundError):
            return _seen_before(record, unknown)
        unknown.append(f"{name}: its content cannot be read ({error})")
        return Seen(None, {}, None)
    files = _files(content.files) if content.kind == "directory" else {"": (content.size, content.digest)}
    changed = record is not None and _is_changed(record, content, companions)
    if changed:
        unknown.append(f"{name}: it was changed after it was made; its content is given as it is now")
    return Seen(content.kind, files, companions, changed)


def content_differences(a: Seen, b: Seen) -> tuple[bool | None, tuple[Difference, ...]]:
    """Tell whether two artifacts hold the same, and list where they do not."""
    if a.kind is None or b.kind is None:
        return None, ()
    differences: list[Difference] = []
    if a.kind != b.kind:
        differences.append(Difference("content", f"a {a.kind}", f"a {b.kind}"))
    else:
        differences += _entry_differences("content", "/", a.files, b.files)
    if a.companions is not None and b.companions is not None:
        differences += _entry_differences("companion", " ", a.companions, b.companions)
    return not differences, tuple(differences)


def _entry_differences(
    place: str, between: str, a: Mapping[str, tuple[int, str]], b: Mapping[str, tuple[int, str]]
) -> Iterator[Difference]:
    for path in sorted({*a, *b}):
        here, there = a.get(path), b.get(path)
        if here is None or there is None or here[1] != there[1]:
            yield Difference(f"{place}{between}{path}" if path else place, _text(here), _text(there))


def _text(entry: tuple[int, str] | None) -> str:
    return ABSENT if entry is None else f"{byte_count(entry[0])} ({entry[1][:_DIGEST_DIGITS]}…)"


def _seen_before(record: Record, unknown: list[str]) -> Seen:
    if not _is_listed(record):
        unknown.append(f"{record.artifact}: not all of it is there any more, and neither is the list of its files")
        return Seen(None, {}, None)
    unknown.append(f"{record.artifact}: not all of it is there any more; its content is given as it was recorded")
    return _recorded(record)


def _is_changed(record: Record, content: Content, companions: Mapping[str, tuple[int, str]] | None) -> bool:
    as_made = (record.kind, record.digest, _by_suffix(record.artifact, record.companions))
    return (content.kind, content.digest, companions) != as_made


def _is_listed(record: Record) -> bool:
    """Tell whether the files of a directory are known: a large manifest may be lost."""
    return record.manifest is None or bool(record.files)


def _recorded(record: Record) -> Seen:
    files = _files(record.files) if record.kind == "directory" else {"": (record.size, record.digest)}
    return Seen(record.kind, files, _by_suffix(record.artifact, record.companions))


def _files(entries: tuple[FileEntry, ...]) -> dict[str, tuple[int, str]]:
    return {entry.path: (entry.size, entry.digest) for entry in entries}


def _by_suffix(artifact: str, companions: tuple[FileEntry, ...]) -> dict[str, tuple[int, str]]:
    stem = split_name(artifact)[0]
    return {entry.path.removeprefix(stem): (entry.size, entry.digest) for entry in companions}
