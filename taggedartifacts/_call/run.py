"""A call, from its arguments to its artifact: reuse what is there, or take the lock, run the function and publish.

The steps are a generator that yields what it cannot do itself, waiting and running the function, so that one
description serves plain and ``async`` functions.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .._errors import ArtifactNotFoundError, ArtifactNotWrittenError, LockTimeoutError, RecursiveCallError
from .._store.content import same_times
from .._store.reuse import find_any
from .._store.standing import remember
from .._tag import Tag, is_tagged, untagged_name
from .steps import Making, Run, Wait, being_made
from .task import prepare
from .undeclared import described

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from .._store.folder import Folder
    from .._store.lock import ArtifactLock
    from .._store.record import Record
    from .steps import Steps
    from .task import Decoration, Task

_log = logging.getLogger("taggedartifacts")


def call(
    f: Callable[..., object],
    decoration: Decoration,
    args: tuple[object, ...],
    kwargs: dict[str, object],
    *,
    recompute: bool = False,
) -> Steps:
    """Describe the steps of a call; a generator that `drive` or `drive_async` carries out."""
    task = prepare(f, decoration, args, kwargs)
    task.warn_if_dirty()
    task.warn_of_unknown()
    options = decoration.options
    if options.mode == "r":
        return (yield from _reading(task))
    recompute = recompute or not task.view.reusable
    if recompute or not _reused(task):
        held = _Held()
        try:
            task = yield from _making(task, held, recompute=recompute)
        finally:
            held.give_back()  # the second time: an interrupt may have hit the first
    return task.result if options.load is None else options.load(task.result)


class _Held:
    """What a call holds while it makes its artifacts, for itself alone: their locks, and the mark on its context."""

    def __init__(self) -> None:
        self.locks: list[ArtifactLock] = []
        self.making = Making(frozenset())

    def give_back(self) -> None:
        """Give all of it back; again and again does no harm."""
        for lock in self.locks:
            lock.release()
        self.making.end()


def _reading(task: Task) -> Steps:
    """Run a function that reads an artifact; the artifact must be there.

    Raises:
        ArtifactNotFoundError: If it is not; lists the tags that are.
        ArtifactModifiedError: If it was changed since it was made.
    """
    paths = []
    for output, (folder, name), path in zip(task.outputs, task.places, task.paths, strict=True):
        found = find_any(folder, name)
        if found is None:
            folder.look_closely()
            found = find_any(folder, name)
        if found is None:
            raise ArtifactNotFoundError(f"{path} is not there; {_others(folder, name)}")
        paths.append(output.staged(os.fspath(path)))
    task.decoration.parameters.redirect(task.bound, paths)
    return (yield Run(task.bound, Making(frozenset())))


def _making(task: Task, held: _Held, *, recompute: bool) -> Generator[Wait | Run, object, Task]:
    """Make the artifacts of a call, unless another process makes them first.

    Args:
        task: The call.
        held: Where it puts what it holds meanwhile.
        recompute: Make them even if they are there, and replace them.

    Returns:
        The call as it was carried out: what it loaded while it ran can have changed its tag.

    Raises:
        LockTimeoutError: If another process is still making one after the option's ``timeout``.
        RecursiveCallError: If this very artifact is being made by the caller.
        ArtifactNameError: If one would stand inside another artifact.
        ArtifactConflictError: If something else has the place of one.
        ArtifactModifiedError: If one was changed while the function ran.
        ArtifactNotWrittenError: If the function did not write what it promised.
        InputError: If an input changed while the function ran.
        OSError: If it could not be published; nothing is visible then.
    """
    artifacts = frozenset(_whole(*place) for place in task.places)
    if again := artifacts & being_made():
        raise RecursiveCallError(
            f"{task.identity.function} asks for {min(again)} while it is making it; call it with other arguments"
        )
    # A script whose artifacts are all there does not wait for what it takes to make them to be imported.
    from .._store.lock import ArtifactLock, Patience
    from .._store.staging import clean_up, make_staging, sweep
    from .._store.written import Staged
    from .outcome import checked, publish_all

    with contextlib.ExitStack() as stack:
        # In one order everywhere, so that no two calls wait for each other.
        stack.callback(held.give_back)
        patience = Patience(task.decoration.options.timeout)
        for folder, name in sorted(task.places, key=lambda place: _whole(*place)):
            held.locks.append(lock := ArtifactLock(folder.lock(name)))
            folder.check_outside()
            with folder.naming_itself():
                folder.make()
                is_ours = lock.try_acquire()
            while not is_ours:
                path = folder.artifact(name)
                if patience.is_exhausted():
                    raise LockTimeoutError(
                        f"{lock.holder()} is still making {path} after the timeout; wait longer, or stop that process"
                    )
                for _ in range(1 if recompute else patience.LOOKS):
                    yield Wait(patience.INTERVAL)
                    if not recompute and _reused(task):
                        return task
                    if patience.is_exhausted():
                        break
                # Once its holder had time to sign it, and not when the artifact is there and the next one holds it.
                patience.say(path, lock.holder)
                is_ours = lock.try_acquire()
        locked = all(lock.works for lock in held.locks)
        for folder, name in task.places:
            folder.look_closely()
            sweep(folder, name, locked=locked)
            folder.check_place(name)
        if recompute:
            task.check_owner()
        if not recompute and _reused(task):
            return task
        staged, process = [], os.getpid()
        for output, (folder, name) in zip(task.outputs, task.places, strict=True):
            staging = make_staging(folder, name)
            stack.callback(_in_process, process, clean_up, folder, staging)
            staged.append(Staged(folder, name, staging, output.directory, os.path.lexists(folder.artifact(name))))
            if output.directory:
                os.mkdir(staged[-1].path)
        started, clock = datetime.now(UTC), time.perf_counter()
        task.decoration.parameters.redirect(
            task.bound, [output.staged(each.path) for output, each in zip(task.outputs, staged, strict=True)]
        )
        held.making.artifacts = artifacts
        named = task.named_files()
        yield Run(task.bound, held.making)
        if os.getpid() != process:
            raise ArtifactNotWrittenError(
                f"{task.identity.function} returned in a process that it forked; only process {process}, which called "
                "it, publishes what was written. Leave forked processes with os._exit"
            )
        seconds = time.perf_counter() - clock
        true, staged = checked(task, staged)
        locked = locked and true.identity == task.identity
        undeclared = described(named, task.cwd, task.identity.function)
        publish_all(true, staged, started, seconds, recompute=recompute, locked=locked, undeclared=undeclared)
        return true


def _in_process(process: int, work: Callable[..., object], *args: object) -> None:
    """Do *work* unless this is a fork of *process*, which has no business with what is its parent's."""
    if os.getpid() == process:
        work(*args)


def _whole(folder: Folder, name: str) -> str:
    """The one path of an artifact, by whichever links its folder was reached."""
    return os.path.join(os.path.realpath(folder.path), name)


def _reused(task: Task) -> bool:
    """Tell whether the artifacts can be reused, and if so, say it in the log."""
    found = task.find()
    if found is None:
        return False
    for (folder, name), each in zip(task.places, found, strict=True):
        if each.record is not None and each.stale_times:
            _refresh(folder, each.record)
        if each.record is not None and _log.isEnabledFor(logging.INFO):
            _log.info("reused %s, %.3g s saved", folder.artifact(name), each.record.seconds)
    return True


def _refresh(folder: Folder, record: Record) -> None:
    """Write the times of now into the record where that can be done at once, else keep them in memory."""
    from .._store.lock import ArtifactLock  # with the next, only where something has to be written
    from .._store.publish import store_record

    lock = ArtifactLock(folder.lock(record.artifact))
    try:
        if lock.try_acquire():
            try:
                # Another may have replaced artifact and record before the lock was ours.
                if lock.works and same_times(folder.artifact(record.artifact), record):
                    store_record(folder, record)
                return
            finally:
                lock.release()
    except OSError as error:  # a reader without write permission reuses all the same
        _log.debug("the record of %s keeps its old times: %s", record.artifact, error)
    remember(folder, record)


def _others(folder: Folder, name: str) -> str:
    """Say which artifacts of the same untagged name there are."""
    wanted = untagged_name(name)
    try:
        names = sorted(os.listdir(folder.path))
    except FileNotFoundError:
        return f"{folder.path} does not exist"
    tags = [str(Tag.parse(each)) for each in names if is_tagged(each) and untagged_name(each) == wanted]
    if not tags:
        return f"there is no {wanted} with any tag"
    return f"the tags of {wanted} that are there: {', '.join(tags[:20])}" + (", …" if len(tags) > 20 else "")
