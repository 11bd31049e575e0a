"""What a function wrote in staging, checked and brought to the disk before any of it is published."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .._errors import ArtifactConflictError, ArtifactNotWrittenError
from .._tag import is_tagged, split_name
from .condition import describe_file, scan
from .disk import sync_directory, sync_file
from .folder import Target
from .origin import companion_owner, stored_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from .folder import Folder
    from .record import FileEntry, Record

# What is synced by the thread that reads it: files, and bytes of them together.
_FEW = 4
_LITTLE = 1 << 20


@dataclass(frozen=True, slots=True)
class Staged:
    """One output of a run that is under way.

    Attributes:
        folder: The output directory.
        name: The tagged file name.
        staging: The private directory in which the function writes.
        directory: Whether the call promised a directory.
        taken: Whether something stood where the artifact will stand before the function ran.
    """

    folder: Folder
    name: str
    staging: str
    directory: bool
    taken: bool

    @property
    def path(self) -> str:
        """Where the function writes."""
        return os.path.join(self.staging, self.name)

    @property
    def final(self) -> str:
        """Where the artifact will stand."""
        return self.target.path

    @property
    def target(self) -> Target:
        """The artifact that it is to become."""
        return Target(self.folder, self.name)


def check_written(staged: Staged) -> None:
    """Check that the function wrote what it promised.

    Raises:
        ArtifactNotWrittenError: If it did not; names what it wrote instead.
    """
    try:
        status = os.lstat(staged.path)
    except FileNotFoundError:
        instead = sorted(os.listdir(staged.staging))
        raise ArtifactNotWrittenError(
            f"the function returned, but wrote {', '.join(map(repr, instead)) or 'nothing'} where {staged.name!r} was "
            f"promised (for {staged.final}); {_advice(staged.name, instead)}"
        ) from None
    if stat.S_ISLNK(status.st_mode):
        raise ArtifactNotWrittenError(f"the function made {staged.name} a symbolic link; write a real file there")
    if staged.directory and not stat.S_ISDIR(status.st_mode):
        raise ArtifactNotWrittenError(f"the function made {staged.name} a file; its path promises a directory")
    _relink(staged)


def _advice(promised: str, written: Sequence[str]) -> str:
    """Say what to do when other files were written than the one that was promised."""
    longer = [name for name in written if name.startswith(promised)]
    if len(longer) == 1:
        return f"end the output's name in {longer[0].removeprefix(promised)!r}, which was put behind it"
    if longer:
        return (
            "if it is a prefix of the names of several files, as for a checkpoint, give the output a slash at its end: "
            "the function then receives a directory, and writes them in it"
        )
    return "write to exactly the path that the function receives"


def _relink(staged: Staged) -> None:
    """Let links to absolute paths in staging lead there by relative ones, which hold when both have moved."""
    links = [relative for relative, status in scan(staged.staging) if stat.S_ISLNK(status.st_mode)]
    inside = (staged.staging + os.sep, os.path.realpath(staged.staging) + os.sep) if links else ()
    for relative in links:
        link = os.path.join(staged.staging, relative)
        target = os.path.normpath(os.readlink(link))
        if target.startswith(inside):
            os.unlink(link)
            os.symlink(os.path.relpath(target, os.path.dirname(link)), link, target_is_directory=os.path.isdir(target))


def companions(staged: Staged) -> tuple[FileEntry, ...]:
    """List the files that were written beside the output with its stem."""
    names = (name for name in sorted(os.listdir(staged.staging)) if is_companion(staged, name))
    return tuple(describe_file(os.path.join(staged.staging, name), name) for name in names)


@contextlib.contextmanager
def syncing(staged: Sequence[Staged]) -> Iterator[None]:
    """Bring all that was written in staging to the disk while the block reads it: each takes about as long.

    A little is brought there at once: on a busy machine, to wake a thread takes longer.

    Raises:
        OSError: When the block is over, if it could not be brought there.
    """
    if is_little(staged):
        for each in staged:
            sync_written(each)
        yield
        return
    with contextlib.ExitStack() as stack:
        synced: list[Future[None]] = []
        try:
            from concurrent.futures import ThreadPoolExecutor  # filelock has it, unless the interpreter ends

            pool = stack.enter_context(ThreadPoolExecutor(1))
            for each in staged:
                synced.append(pool.submit(sync_written, each))  # noqa: PERF401 - what is under way when the next one fails
        except RuntimeError:  # no thread is to be had: the limit is reached, or the interpreter ends
            for each in staged[len(synced) :]:
                sync_written(each)
        yield
        for future in synced:
            future.result()


def is_little(staged: Sequence[Staged]) -> bool:
    """Tell whether so little was written that it takes longer to wake a thread than to bring it to the disk."""
    left, room = _FEW, _LITTLE
    for each in staged:
        for _, status in scan(each.staging):
            left, room = left - 1, room - status.st_size
    return left >= 0 and room >= 0


def sync_written(staged: Staged) -> None:
    """Bring what was written for one output to the disk.

    Raises:
        OSError: If it could not be brought there.
    """
    directories = {staged.staging}
    for relative, status in scan(staged.staging):
        path = os.path.join(staged.staging, relative)
        if stat.S_ISREG(status.st_mode):
            sync_file(path)
        while (path := os.path.dirname(path)) not in directories:
            directories.add(path)
    directories.remove(staged.staging)  # what lies in it leaves it; its new place is synced when it is there
    for directory in sorted(directories, reverse=True):
        sync_directory(directory)


def check_room(staged: Staged, predecessor: Record | None, *, recompute: bool) -> None:
    """Check that what was written beside the output takes nothing's place but that of its predecessor's companions.

    Where the predecessor's record is lost, its companions are known by their content, or replaced on demand.

    Args:
        staged: The output.
        predecessor: The record of what it replaces.
        recompute: Whether the user asked to have it replaced.

    Raises:
        ArtifactConflictError: If something else has the place; names the file.
    """
    ours = companion_names(predecessor) | {staged.name}
    for name in sorted(set(os.listdir(staged.staging)) - ours):
        path = staged.folder.artifact(name)
        if not os.path.lexists(path):
            continue
        remedy = "write it under another name"
        if is_companion(staged, name) and predecessor is None and not _has_owner(Target(staged.folder, name)):
            if recompute or _is_same(os.path.join(staged.staging, name), path):
                continue
            remedy = "no record tells of it: move it away, or call recompute to have it replaced"
        elif not (is_companion(staged, name) or is_tagged(name) or os.path.isdir(path)):
            continue
        raise ArtifactConflictError(
            f"the function wrote {name!r} beside {staged.name}, but {path} is there already; {remedy}"
        )


def _has_owner(target: Target) -> bool:
    return stored_record(target) is not None or companion_owner(target) is not None


def _is_same(path: str, other: str) -> bool:
    with contextlib.suppress(ArtifactNotWrittenError):  # no file at all
        return describe_file(path, "").digest == describe_file(other, "").digest
    return False


def companion_names(record: Record | None) -> set[str]:
    """Name the files that were written beside an artifact."""
    return set() if record is None else {companion.path for companion in record.companions}


def retag(staged: Staged, name: str) -> Staged:
    """Give what was written in staging another tagged name, companions included."""
    before, after = split_name(staged.name)[0], split_name(name)[0]
    for written in os.listdir(staged.staging):
        if written.startswith(before):
            os.rename(
                os.path.join(staged.staging, written),
                os.path.join(staged.staging, after + written.removeprefix(before)),
            )
    return replace(staged, name=name)


def is_companion(staged: Staged, name: str) -> bool:
    """Tell whether a name in staging has the stem of the output, and is not the output."""
    return name != staged.name and name.startswith(split_name(staged.name)[0])
