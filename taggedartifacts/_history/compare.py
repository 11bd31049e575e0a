"""Comparing two artifacts: what they hold now, whether code, configuration and content are the same, what differs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._errors import RecordError, short_traceback
from .._path import ArtifactPath
from .._store.condition import Condition, condition, describe, describe_file, with_manifest
from .._store.key import same_commit
from .._store.origin import find_target, record_of, said_by
from .._store.table import Shown, Table, byte_count, labelled
from .._tag import split_name, untagged_name
from .differences import ABSENT, Difference
from .keys import FullKey, commits_between, file_differences, key_differences, tag_differences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .._store.condition import Content
    from .._store.folder import Target
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
    files = _entries_by_path(content.files) if content.kind == "directory" else {"": (content.size, content.digest)}
    changed = record is not None and _differs_from_record(record, content, companions)
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
            yield Difference(f"{place}{between}{path}" if path else place, _entry_text(here), _entry_text(there))


def _entry_text(entry: tuple[int, str] | None) -> str:
    return ABSENT if entry is None else f"{byte_count(entry[0])} ({entry[1][:_DIGEST_DIGITS]}…)"


def _seen_before(record: Record, unknown: list[str]) -> Seen:
    if not _is_listed(record):
        unknown.append(f"{record.artifact}: not all of it is there any more, and neither is the list of its files")
        return Seen(None, {}, None)
    unknown.append(f"{record.artifact}: not all of it is there any more; its content is given as it was recorded")
    return _recorded(record)


def _differs_from_record(record: Record, content: Content, companions: Mapping[str, tuple[int, str]] | None) -> bool:
    as_made = (record.kind, record.digest, _by_suffix(record.artifact, record.companions))
    return (content.kind, content.digest, companions) != as_made


def _is_listed(record: Record) -> bool:
    """Tell whether the files of a directory are known: a large manifest may be lost."""
    return record.manifest is None or bool(record.files)


def _recorded(record: Record) -> Seen:
    files = _entries_by_path(record.files) if record.kind == "directory" else {"": (record.size, record.digest)}
    return Seen(record.kind, files, _by_suffix(record.artifact, record.companions))


def _entries_by_path(entries: tuple[FileEntry, ...]) -> dict[str, tuple[int, str]]:
    return {entry.path: (entry.size, entry.digest) for entry in entries}


def _by_suffix(artifact: str, companions: tuple[FileEntry, ...]) -> dict[str, tuple[int, str]]:
    stem = split_name(artifact)[0]
    return {entry.path.removeprefix(stem): (entry.size, entry.digest) for entry in companions}


_ANSWERS = {True: "yes", False: "no", None: "not known"}


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """How two artifacts relate; prints as a table, in a notebook too.

    Attributes:
        a: The first artifact.
        b: The second one.
        same_code: Whether commit and uncommitted changes are the same.
        same_config: Whether configuration, arguments and whatever else is hashed are the same.
        same_content: Whether the bytes are the same; None when it cannot be known.
        differences: Exactly what differs, as far as it can be known: code, configuration, environment, content.
        commits: The commits between the two, newest first, as digits and subject: those that only *b* has, then
            those that only *a* has.
        reproducible: False when the same function made different content from the same code and configuration, True
            when it made the same, None when these two do not tell.
        unknown: What could not be found out, and why.
    """

    a: ArtifactPath
    b: ArtifactPath
    same_code: bool | None
    same_config: bool | None
    same_content: bool | None
    differences: tuple[Difference, ...]
    commits: tuple[tuple[str, str], ...]
    reproducible: bool | None
    unknown: tuple[str, ...]

    def _table(self) -> Table:
        rows = [
            ("same code", _ANSWERS[self.same_code]),
            ("same configuration", _ANSWERS[self.same_config]),
            ("same content", _ANSWERS[self.same_content]),
        ]
        rows += labelled("differs", map(str, self.differences))
        rows += labelled("commits", (f"{digits[:10]} {subject}" for digits, subject in self.commits))
        rows += labelled("not known", self.unknown)
        return Table(f"{self.a} → {self.b}", tuple(rows), () if self.reproducible is not False else (self._verdict(),))

    def _verdict(self) -> str:
        verdict = "Code and configuration are the same and the content is not: the function is not reproducible"
        if any(each.is_environment for each in self.differences):
            return f"{verdict}, or depends on the environment, which differs too."
        return f"{verdict}."


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two artifacts, with what is known of it."""

    target: Target
    path: ArtifactPath
    record: Record | None
    seen: Seen

    @classmethod
    def of(cls, path: str | os.PathLike[str], unknown: list[str]) -> _Side:
        target = find_target(path)
        named = os.path.basename(os.path.normpath(path)) == target.name
        shown = ArtifactPath(path if named else target.path)
        record = None
        try:
            record = record_of(target)
            record = record and with_manifest(target.folder, record)
        except RecordError as error:
            unknown.append(
                f"{target.name}: its record is damaged ({error}); its name alone says: {said_by(target.tag)}"
            )
        else:
            if record is None:
                unknown.append(f"{target.name}: it has no record; its name alone says: {said_by(target.tag)}")
        return cls(target, shown, record, see_content(target, record, unknown))


@short_traceback
def compare(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> Comparison:
    """Compare two artifacts: were they made by the same code, with the same configuration, and do they hold the same?

    Goes by their records, by their names where there are none, and by their content where it was changed since it was
    made. Names exactly what differs, and what it could not find out.

    Args:
        a: An artifact, or anything that belongs to one.
        b: Another one.

    Returns:
        The answers, which print as a table.

    Raises:
        ArtifactNotFoundError: If a path belongs to no artifact.

    Example:
        >>> answer = compare(save("Ada", "output/name.txt"), save("Eve", "output/name.txt"))
        >>> answer.same_code, answer.same_config, str(answer.differences[0])
        (True, False, "arguments.text: 'Ada' → 'Eve'")
    """
    unknown: list[str] = []
    first, second = _Side.of(a, unknown), _Side.of(b, unknown)
    same_content, content = content_differences(first.seen, second.seen)
    commits: tuple[tuple[str, str], ...] = ()
    if first.record is None or second.record is None:
        here, there = first.target.tag, second.target.tag
        same_code = (here.commit, here.dirty) == (there.commit, there.dirty)
        same_config = here.config == there.config
        differences = tag_differences(here, there)
    else:
        key, other = first.record.key, second.record.key
        same_code = same_commit(key.commit, other.commit) and key.dirty == other.dirty
        same_config = key.config_hash == other.config_hash
        keys = (FullKey.of(first.record, first.target.folder), FullKey.of(second.record, second.target.folder))
        differences = (*key_differences(*keys, unknown), *file_differences(*keys))
        unknown += _without_form(first.record, second.record)
        differences += tuple(_environment_differences(first.record, second.record))
        between = commits_between(*keys)
        if between is None:
            unknown.append("the commits between them: no repository that has both is around them or here")
        commits = between or ()
    return Comparison(
        a=first.path,
        b=second.path,
        same_code=same_code,
        same_config=same_config,
        same_content=same_content,
        differences=(*differences, *content),
        commits=commits,
        reproducible=_reproducible(first, second, same_content) if same_code and same_config else None,
        unknown=tuple(unknown),
    )


def _without_form(a: Record, b: Record) -> Iterator[str]:
    """Say of which globals it cannot be known whether they differ."""
    for name in sorted({*a.unknown, *b.unknown}):
        yield f"whether {name} differs: it has no canonical form"


def _environment_differences(a: Record, b: Record) -> Iterator[Difference]:
    fields = (("Python", a.python, b.python), ("platform", a.platform, b.platform), ("host", a.host, b.host))
    yield from (Difference(*field, is_environment=True) for field in fields if field[1] != field[2])
    for name in sorted({*a.packages, *b.packages}):
        here, there = a.packages.get(name, "not imported"), b.packages.get(name, "not imported")
        if here != there:
            yield Difference(f"packages.{name}", here, there, is_environment=True)


def _reproducible(a: _Side, b: _Side, same_content: bool | None) -> bool | None:
    """Tell from two artifacts of the same code and configuration whether their function is reproducible."""
    if a.record is None or b.record is None:
        alike = untagged_name(a.target.name) == untagged_name(b.target.name)
        return same_content if alike and not (a.seen.changed or b.seen.changed) else None
    outputs = (_which_output(a.record), _which_output(b.record))
    if outputs[0] != outputs[1]:  # two outputs of one function, or of two
        return None
    # As they were made: what somebody changed afterwards says nothing about the function.
    return a.record.digest == b.record.digest


def _which_output(record: Record) -> tuple[str, int, str]:
    """Tell which output of which function an artifact is."""
    names = [name and name.rstrip("/") for name in record.outputs]
    index = names.index(record.artifact) if record.artifact in names else 0
    return record.function, index, split_name(record.artifact)[1]
