"""The keys of artifacts in full, that is function, code and configuration, and where two of them differ."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from .._code.dirt import same_syntax
from .._code.scope import recorded_scope
from .._errors import RecordError, RepositoryError
from .._git.repository import find_repository, reading
from .._store.disk import read_whole
from .._store.key import is_hashed, same_commit
from .._store.record import MAX_RECORD_BYTES
from .._tag import COMMIT_DIGITS, DIGEST_DIGITS
from .differences import Difference, canonical_differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .._code.scope import Scope
    from .._git.command import CommandRepository
    from .._git.repository import Repository
    from .._store.folder import Folder
    from .._store.key import Key
    from .._store.record import Record
    from .._tag import Tag

_COMMITTED = "as committed"
_MOST_FILES = 20
_MOST_COMMITS = 1000

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class FullKey:
    """A key, and what it holds digests of: all that decides what an artifact holds.

    Attributes:
        key: Function, commit, digest of the uncommitted changes and config hash.
        canonical: The canonical form that the config hash is of.
        changes: What was not committed, by path: what was wrong with it.
        read_patch: Reads the uncommitted changes as a patch.
        scope: What was the code.
        folder: A directory in or near the repository.
        readers: Who reads each of the globals in the configuration.
    """

    key: Key
    canonical: str
    changes: Mapping[str, str]
    read_patch: Callable[[], bytes | None]
    scope: Scope
    folder: str
    readers: Mapping[str, str]

    @classmethod
    def of(cls, record: Record, folder: Folder) -> FullKey:
        """Take it from a record, and its patch from beside that."""
        return cls(
            key=record.key._replace(scope_text=record.scope_text),
            canonical=record.canonical,
            changes=dict(record.changes),
            read_patch=lambda: _read_patch(record, folder),
            scope=recorded_scope(record.scope_kind, record.scope, record.scope_names, record.scope_reasons),
            folder=folder.path,
            readers=record.readers,
        )


def key_differences(a: FullKey, b: FullKey, unknown: list[str], *, by_patches: bool = True) -> tuple[Difference, ...]:
    """List where two keys differ.

    Args:
        a: One of them.
        b: The other.
        unknown: Takes a sentence on each thing that could not be found out.
        by_patches: Whether to read the uncommitted changes of both, which tell apart two changes of one file.
    """
    return (*_code_differences(a, b, unknown, by_patches=by_patches), *_config_differences(a, b, unknown))


def file_differences(a: FullKey, b: FullKey) -> tuple[Difference, ...]:
    """List the files of the code that the commits of two keys hold differently, as far as a repository here tells.

    Opens the repository, so it is for the two that somebody is told of, and not for all that there are.
    """
    if same_commit(a.key.commit, b.key.commit):
        return ()
    scopes = a.scope, b.scope
    by_bytes = any(scope.by_bytes for scope in scopes)  # else comments and layout do not count

    def changed(repository: Repository | CommandRepository) -> list[str]:
        return sorted(
            delta.path
            for delta in repository.deltas(a.key.commit, b.key.commit)
            if any(scope.holds(delta.path) for scope in scopes) and (by_bytes or not same_syntax(repository, delta))
        )

    paths = _ask_first(a, b, changed) or []
    commits = a.key.commit[:COMMIT_DIGITS], b.key.commit[:COMMIT_DIGITS]
    found = [Difference(b.scope.chain(path), *commits, path=path) for path in paths[:_MOST_FILES]]
    if len(paths) > _MOST_FILES:
        found.append(Difference(f"{len(paths) - _MOST_FILES} more files", *commits))
    return tuple(found)


def tag_differences(a: Tag, b: Tag) -> tuple[Difference, ...]:
    """List where two tags differ, which is all that can be known of artifacts without records."""
    fields = (
        ("commit", a.commit, b.commit),
        ("uncommitted changes", a.dirty or "none", b.dirty or "none"),
        ("config hash", a.config, b.config),
    )
    return tuple(Difference(*field) for field in fields if field[1] != field[2])


def _code_differences(a: FullKey, b: FullKey, unknown: list[str], *, by_patches: bool) -> Iterator[Difference]:
    if a.key.function != b.key.function:
        yield Difference("function", a.key.function, b.key.function)
    if not same_commit(a.key.commit, b.key.commit):
        yield Difference("commit", a.key.commit[:COMMIT_DIGITS], b.key.commit[:COMMIT_DIGITS])
    if a.key.scope_text != b.key.scope_text:
        yield Difference("scope", a.key.scope_text, b.key.scope_text)
    if a.key.dirty != b.key.dirty:
        patches = (a.read_patch(), b.read_patch()) if by_patches and a.changes and b.changes else (None, None)
        yield from _change_differences(a, b, patches, unknown)


def _change_differences(
    a: FullKey, b: FullKey, patches: tuple[bytes | None, bytes | None], unknown: list[str]
) -> Iterator[Difference]:
    """List the uncommitted files that differ; two that were changed alike are told apart by the patches."""
    parts = (
        None if patches[0] is None or patches[1] is None else (_files_of_patch(patches[0]), _files_of_patch(patches[1]))
    )
    found = False
    doubtful = []
    for path in dict.fromkeys((*a.changes, *b.changes)):
        was, now = a.changes.get(path, _COMMITTED), b.changes.get(path, _COMMITTED)
        same = None if parts is None else _same_part(path, *parts)
        if was != now:
            yield Difference(f"uncommitted {path}", was, now)
        elif same is False:
            yield Difference(f"uncommitted {path}", was, f"{now} in another way")
        elif same is None:
            doubtful.append(path)
        found = found or was != now or same is False
    if doubtful:
        unknown.append(f"whether the uncommitted changes of {', '.join(doubtful)} differ: not all are in the patches")
    if not found:
        yield Difference("uncommitted changes", _dirty_text(a.key.dirty), _dirty_text(b.key.dirty))


def _files_of_patch(patch: bytes) -> dict[bytes, bytes]:
    """Split a patch by file: the line that names it, and what is changed.

    Not by ``pygit2.Diff.parse_diff`` (1.21), which refuses a whole patch for one file with a space in its name that is
    binary, new and empty, or changed in its mode alone.
    """
    pieces = (b"\n" + patch).split(b"\ndiff --git ")[1:]
    return {head: body for head, _, body in (piece.partition(b"\n") for piece in pieces)}


def _same_part(path: str, a: Mapping[bytes, bytes], b: Mapping[bytes, bytes]) -> bool | None:
    """Tell whether two patches change a file alike; None if neither names it."""
    ending = b" b/" + os.fsencode(path)
    heads = {head for head in (*a, *b) if head.endswith(ending)}
    return all(a.get(head) == b.get(head) for head in heads) if heads else None


def _config_differences(a: FullKey, b: FullKey, unknown: list[str]) -> Iterator[Difference]:
    if a.key.config_hash == b.key.config_hash:
        return
    differences = None
    # A canonical form that is not what was hashed would name differences that there are not.
    if all(is_hashed(each.canonical, each.key.config_hash) for each in (a, b)):
        try:
            differences = list(canonical_differences(a.canonical, b.canonical, {**a.readers, **b.readers}))
        except ValueError:
            differences = None
    if differences:
        yield from differences
    else:
        unknown.append("where the configurations differ: what is recorded of one of them is damaged")
        yield Difference("config hash", a.key.config_hash, b.key.config_hash)


def _read_patch(record: Record, folder: Folder) -> bytes | None:
    if record.patch is None:
        return None
    try:
        found = read_whole(os.path.join(folder.patches, record.patch), MAX_RECORD_BYTES)
    except RecordError:
        return None
    return found and found[0]


def _dirty_text(digest: str | None) -> str:
    return "none" if digest is None else digest[:DIGEST_DIGITS]


def commits_between(a: FullKey, b: FullKey) -> tuple[tuple[str, str], ...] | None:
    """List the commits that only one of two has in its history, newest first, those of *b* before those of *a*.

    Returns:
        Full hex and subject of each, or None if no repository that can be read has both.
    """
    here, there = a.key.commit, b.key.commit

    def between(repository: Repository | CommandRepository) -> tuple[tuple[str, str], ...]:
        both = repository.subjects_between(here, there) + repository.subjects_between(there, here)
        return tuple(both[:_MOST_COMMITS])

    return () if same_commit(here, there) else _ask_first(a, b, between)


def _ask_first(a: FullKey, b: FullKey, ask: Callable[[Repository | CommandRepository], _Answer]) -> _Answer | None:
    """Ask the first repository that has both commits; None if none that can be read has."""
    for folder in (a.folder, b.folder, os.getcwd()):
        try:
            with reading(folder):
                repository = find_repository(folder)
                if repository is not None and repository.exists(a.key.commit) and repository.exists(b.key.commit):
                    return ask(repository)
        except RepositoryError:
            continue
    return None
