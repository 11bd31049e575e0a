"""The outcome of a run: what was written becomes artifacts under the tag that is true now."""

from __future__ import annotations

import logging
import os
import secrets
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from .._errors import ArtifactConflictError, ArtifactNotWrittenError, InputError
from .._store.content import describe
from .._store.publish import publish
from .._store.record import Record
from .._store.standing import standing_record, stored_record
from .._store.written import Staged, check_room, check_written, companions, retag, syncing
from .environment import environment

if TYPE_CHECKING:
    from datetime import datetime

    from .._store.record import FileEntry
    from .task import Task

_log = logging.getLogger("taggedartifacts")


def checked(task: Task, staged: list[Staged]) -> tuple[Task, list[Staged]]:
    """Check that the tag is still true now that the function has run, or give its output the true one.

    Raises:
        InputError: If an input changed meanwhile.
        DirtyRepositoryError: If modules that were loaded meanwhile make the code dirty, and that is not allowed.
    """
    parameters = task.decoration.parameters
    if "inputs" in task.encoded and parameters.encoded_inputs(task.bound, task.cwd) != task.encoded["inputs"]:
        names = ", ".join(task.decoration.options.inputs)
        raise InputError(f"an input ({names}) changed while {task.identity.function} ran; nothing is published")
    state = task.view.state()
    if state == task.state:
        return task, staged
    true = task.in_state(state)
    if true.identity == task.identity:
        return true, staged
    _log.warning(
        "%s loaded modules while it ran that change its tag from %s to %s; it will be made again each time until they "
        "are imported at the head of the module that defines the function",
        true.identity.function,
        task.identity.tag,
        true.identity.tag,
    )
    return true, [retag(each, name) for each, (_, name) in zip(staged, true.places, strict=True)]


def publish_all(
    task: Task,
    staged: list[Staged],
    started: datetime,
    seconds: float,
    *,
    recompute: bool,
    locked: bool,
    undeclared: tuple[FileEntry, ...] = (),
) -> None:
    """Publish the outputs of a run, all or none as far as can be known before.

    What came to stand in their place while the function ran is kept, unless the user asked to have it replaced.

    Args:
        task: The call, with its true tag.
        staged: Its outputs.
        started: When the function was started.
        seconds: How long it took.
        recompute: Replace what stands there.
        locked: Whether their locks are held, so that nobody else makes the same artifacts.
        undeclared: The files that arguments named, and whose content does not count.

    Raises:
        ArtifactNotWrittenError: If an output is missing.
        ArtifactConflictError: If something else has taken a name meanwhile.
        ArtifactModifiedError: If what stands there was changed meanwhile.
        OSError: If the disk refuses.
    """
    try:
        for each in staged:
            check_written(each)
        run = secrets.token_hex(8)
        with syncing(staged):
            records = [replace(_record(task, each, run, started, seconds), undeclared=undeclared) for each in staged]
        if not recompute and task.find() is not None:
            for each in staged:
                _say_kept(each)
            return
        predecessors = [stored_record(each.folder, each.name) for each in staged]
        for each, predecessor in zip(staged, predecessors, strict=True):
            if locked and not recompute and not each.taken and os.path.lexists(each.final):
                raise ArtifactConflictError(
                    f"{each.final} came to be there while {task.identity.function} ran, which would have made it; "
                    "move it away and call again, or call recompute"
                )
            check_room(each, predecessor, recompute=recompute)
        for each, record, predecessor in zip(staged, records, predecessors, strict=True):
            record = replace(record, replaced=_standing(each, record, predecessor))
            if not publish(each, record, predecessor, task.state.patch, exclusive=not (recompute or locked)):
                if task.find() is not None:
                    _say_kept(each)
                    continue
                # What stands there is of this very code and configuration, but lacks a companion or another output.
                publish(each, record, predecessor, task.state.patch, exclusive=False)
            _log.info("made %s in %.3g s", each.final, seconds)
    except FileNotFoundError as error:
        # Somebody swept our staging away, as can happen where there are no locks: all is well if theirs is there.
        if task.find() is None:
            raise ArtifactNotWrittenError(
                f"{error.filename} vanished before {staged[0].final} was published; find out what removes files there, "
                "or whether the function did, and call it again"
            ) from error


def _say_kept(staged: Staged) -> None:
    _log.info("%s was made by somebody else meanwhile; theirs is kept", staged.final)


def _standing(staged: Staged, record: Record, predecessor: Record | None) -> Record | None:
    """Return the record that describes the artifact which is to be replaced, if one stands there unchanged.

    Until the artifact is renamed too, its new record must describe that one as well; a bare file, which counts as it
    is, must count after a crash too.
    """
    try:
        if predecessor is None:
            bare = describe(os.path.realpath(staged.final))
            content = {field.name: getattr(bare, field.name) for field in fields(bare)}
            return replace(record, **content, companions=(), run="", replaced=None)
        found = standing_record(staged.final, predecessor)
    except (FileNotFoundError, ArtifactNotWrittenError):
        return None
    return None if found is None or found.record is None else replace(found.record, replaced=None)


def _record(task: Task, staged: Staged, run: str, started: datetime, seconds: float) -> Record:
    content, state, identity = describe(staged.path), task.state, task.identity
    return Record(
        artifact=staged.name,
        function=identity.function,
        commit=identity.commit,
        dirty=identity.dirty,
        config_hash=identity.config_hash,
        canonical=task.canonical.decode(),
        scope=state.scope,
        remote=state.remote,
        run=run,
        outputs=tuple(
            name + "/" if output.directory else name
            for output, (_, name) in zip(task.outputs, task.places, strict=True)
        ),
        started=started.isoformat(timespec="microseconds"),
        seconds=round(seconds, 6),
        kind=content.kind,
        size=content.size,
        mtime_ns=content.mtime_ns,
        digest=content.digest,
        files=content.files,
        companions=companions(staged),
        changes=tuple((change.path, change.what) for change in state.changes),
        patch=f"{identity.dirty}.patch" if state.patch is not None else None,
        readers=dict(task.reads.readers) if task.reads is not None else {},
        unknown=dict(task.reads.unknown) if task.reads is not None else {},
        **environment(),
    )
