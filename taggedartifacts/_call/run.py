"""A call, from its arguments to its artifact: reuse what is there, or take the lock, run the function and publish.

Reuse comes first, and at once. The steps of all else are a generator that yields what it cannot do itself, waiting and
running the function, so that one description serves plain and ``async`` functions.
"""

from __future__ import annotations

import logging
import math
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .._errors import ArtifactNotFoundError, ArtifactNotWrittenError, LockTimeoutError, RecursiveCallError
from .._memory import is_news
from .._reach.forks import looking
from .._reach.places import places
from .._store.condition import Condition, condition
from .._store.reuse import find_any
from .._tag import Tag, of_name, untagged_name
from .call import prepare
from .inputs import described, named_files, opened_files
from .steps import Making, Run, being_made, drive, drive_async

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping

    from .._reach.opened import Opened
    from .._store.folder import Target
    from .._store.lock import ArtifactLock
    from .._store.origin import Memo
    from .._store.record import Record
    from .._store.written import Staged
    from .call import Call, Decoration
    from .inputs import Named
    from .steps import Steps

_log = logging.getLogger("taggedartifacts")


def carry_out(
    f: Callable[..., object],
    decoration: Decoration,
    args: tuple[object, ...],
    kwargs: dict[str, object],
    *,
    recompute: bool = False,
) -> object:
    """Carry out a call of a plain function."""
    call = prepare(f, decoration, args, kwargs)
    return _answer(call) if _is_hit(call, recompute=recompute) else drive(_steps(call, recompute=recompute), f)


async def carry_out_async(
    f: Callable[..., Awaitable[object]],
    decoration: Decoration,
    args: tuple[object, ...],
    kwargs: dict[str, object],
    *,
    recompute: bool = False,
) -> object:
    """Carry out a call of an ``async`` function."""

    def steps() -> Steps:
        call = prepare(f, decoration, args, kwargs)
        if _is_hit(call, recompute=recompute):
            return _answer(call)
        return (yield from _steps(call, recompute=recompute))

    return await drive_async(steps(), f)


def _is_hit(call: Call, *, recompute: bool) -> bool:
    """Say what is to be said before a call, and tell whether its artifacts are there and can be reused."""
    _warn_if_dirty(call)
    _warn_of_unknown(call)
    if call.decoration.options.mode == "r":
        return False
    call.check_links()
    return not recompute and call.view.reusable and _reused(call)


def _warn_if_dirty(call: Call) -> None:
    """Log, once for each state, that the code is not committed."""
    state = call.state
    if state.dirty is not None and is_news("dirty", state.root, state.dirty):
        shown = ", ".join(state.listed("{path} ({what})"))
        _log.warning("code is not committed, artifacts are marked dirty: %s", shown)


def _warn_of_unknown(call: Call) -> None:
    """Log, once for each function, what it reads that does not count."""
    unknown = call.unknown
    if unknown and is_news("unknown", call.key.function, *unknown):
        _log.warning(
            "%s reads what has no canonical form, so that it does not count: %s",
            call.key.function,
            "; ".join(unknown.values()),
        )


def _steps(call: Call, *, recompute: bool) -> Steps:
    """Describe the steps of a call that is no hit."""
    if call.decoration.options.mode == "r":
        return (yield from _reading(call))
    making = Making()
    try:
        try:
            call = yield from _make(call, making, recompute=recompute or not call.view.reusable)
        finally:
            making.give_back()
    finally:
        making.give_back()  # an interrupt may have hit the first
    return _answer(call)


def _answer(call: Call) -> object:
    """Give what a call returns, once its artifacts are there."""
    call.set_links()
    load = call.decoration.options.load
    return call.result if load is None else load(call.result)


def _reading(call: Call) -> Steps:
    """Run a function that reads an artifact; the artifact must be there.

    Raises:
        ArtifactNotFoundError: If it is not; lists the tags that are.
        ArtifactModifiedError: If it was changed since it was made.
    """
    for target, path, memo in zip(call.targets, call.paths, call.destination.memos, strict=True):
        found = find_any(target, memo)
        if found is None:
            target.folder.look_closely()
            found = find_any(target, memo)
        if found is None:
            raise ArtifactNotFoundError(f"{path} is not there; {_others(target)}")
    call.redirect([os.fspath(path) for path in call.paths])
    return (yield Run(call.bound, Making()))


def _make(call: Call, making: Making, *, recompute: bool) -> Generator[float | Run, object, Call]:
    """Make the artifacts of a call, unless another process makes them first.

    Args:
        call: The call.
        making: Where it puts what it holds meanwhile.
        recompute: Make them even if they are there, and replace them.

    Returns:
        The call as it was carried out: what it loaded while it ran can have changed its tag.

    Raises:
        LockTimeoutError: If another process is still making one after the option's ``timeout``.
        RecursiveCallError: If this very artifact is being made by the caller.
        ArtifactNameError: If one would stand inside another artifact.
        ArtifactConflictError: If something else has the place of one, or of the link to it.
        ArtifactModifiedError: If one was changed while the function ran.
        ArtifactNotWrittenError: If the function did not write what it promised.
        InputError: If an input changed while the function ran.
        RecordError: If the record would be too large to be read back.
        OSError: If it could not be published; nothing is visible then.

    What the function wrote before one of the last four is kept, and the error says where.
    """
    # The one path of each artifact, by whichever links its folder was reached.
    wholes = {target: os.path.join(os.path.realpath(target.folder.path), target.name) for target in call.targets}
    making.artifacts = frozenset(wholes.values())
    if again := making.artifacts & being_made():
        raise RecursiveCallError(
            f"{call.key.function} asks for {min(again)} while it is making it; call it with other arguments"
        )
    _import_late()
    from .._store.staging import sweep
    from .outcome import check_size

    if not (yield from _locking(call, making, wholes, recompute=recompute)):
        return call
    locked = all(lock.works for lock in making.locks)
    for folder, name in call.targets:
        folder.look_closely()
        sweep(folder, name, locked=locked)
        folder.check_place(name)
    check_size(call)
    if recompute:
        call.check_owner()
    if not recompute and _reused(call):
        return call
    call.check_links()
    return (yield from _run(call, making, recompute=recompute, locked=locked))


def _run(call: Call, making: Making, *, recompute: bool, locked: bool) -> Generator[Run, object, Call]:
    """Run the function on staging paths and publish what it wrote; return the call with the tag that is true then."""
    from .._code.memory import memory  # with the others, as in the only caller
    from .._reach.opened import watching
    from .outcome import checked, keep_all, mark_all, publish_all

    staged, process = _staged(call, making), os.getpid()
    started, clock = datetime.now(UTC), time.perf_counter()
    call.redirect([each.path for each in staged])
    opened = making.stack.enter_context(watching(call.state.root or os.getcwd()))
    named = _named(call)
    try:
        yield Run(call.bound, making)
        if os.getpid() != process:
            raise ArtifactNotWrittenError(
                f"{call.key.function} returned in a process that it forked; only process {process}, which "
                "called it, publishes what was written. Leave forked processes with os._exit"
            )
        mark_all(staged)
        seconds = time.perf_counter() - clock
        itself = _opened(call, opened, named)  # before anything is opened here
        true, staged = checked(call, staged, opened)
        locked = locked and true.key == call.key
        undeclared = described(named, call.cwd, call.key.function)
        undeclared += described(itself, call.state.root or "", call.key.function)
        publish_all(true, staged, started, seconds, recompute=recompute, locked=locked, undeclared=undeclared)
    except BaseException as error:
        if making.returned and os.getpid() == process:
            keep_all(staged, error)
        raise
    call.decoration.reader.watch_loaded(call.view.look)
    if true.state.root is not None:
        memory(true.state.root).save()
    return true


def _named(call: Call) -> tuple[Named, ...]:
    """Find the files that arguments name and that are no inputs, artifacts or code."""
    root, scope = call.state.root, call.state.scope

    def counts(file: str) -> bool:
        found = places(file, root) if root is not None else []
        return bool(found) and scope.holds(found[-1][0]) and call.view.look.is_tracked(found[-1][1])

    return named_files(call.decoration.parameters.path_arguments(call.bound), call.cwd, counts)


def _opened(call: Call, opened: Opened, named: Iterable[Named]) -> tuple[Named, ...]:
    """Find the files that the run has opened by itself and that do not count."""
    files = call.view.look.uncounted(opened)
    if not files:
        return ()
    declared = [*call.decoration.parameters.left_out(call.bound), *(each.path for each in named)]
    return opened_files(files, call.view.look.root or "", declared, call.cwd)


def _import_late() -> None:
    """Import what it takes to make artifacts, for which a script whose artifacts are all there does not wait.

    All of it at once, under the lock that a fork waits for: a child inherits no module that another thread has half
    imported, and would wait for it for ever.
    """
    with looking:
        from .._reach import opened

        opened.install()  # first: by it, a fork that is about to begin waits for the rest
        from .._code import memory  # noqa: F401
        from .._store import link, lock, publish, staging, written  # noqa: F401
        from . import explain, outcome  # noqa: F401

        lock.load()


def _locking(
    call: Call, making: Making, wholes: Mapping[Target, str], *, recompute: bool
) -> Generator[float, object, bool]:
    """Take the locks of the artifacts of a call, waiting for whoever holds one; False if they came to be there."""
    from .._store.lock import INTERVAL, LOOKS, SAY_AFTER, ArtifactLock  # as in the only caller

    timeout, began, is_told = call.decoration.options.timeout, time.monotonic(), False
    most = math.inf if timeout is None else timeout
    # In one order everywhere, so that no two calls wait for each other.
    for target in sorted(call.targets, key=wholes.__getitem__):
        folder, path = target.folder, target.path
        making.locks.append(lock := ArtifactLock(target.lock_path))
        folder.check_outside(os.path.dirname(wholes[target]))
        with folder.naming_itself():
            folder.make()
            is_ours = _acquired(lock, target)
        while not is_ours:
            if time.monotonic() - began >= most:
                raise LockTimeoutError(
                    f"{lock.holder()} is still making {path} after the timeout; wait longer, or stop that process"
                )
            for _ in range(1 if recompute else LOOKS):
                yield INTERVAL
                if not recompute and _reused(call):
                    return False
                if time.monotonic() - began >= most:
                    break
            # Once its holder had time to sign it, and not when the artifact is there and the next one holds it.
            if not is_told and time.monotonic() - began >= SAY_AFTER:
                is_told = True
                _log.warning("waiting for %s, which is making %s", lock.holder(), path)
            is_ours = _acquired(lock, target)
    return True


def _staged(call: Call, making: Making) -> list[Staged]:
    """Make a place for each output to be written to; *making* cleans them up, in this process alone."""
    from .._store.staging import Claim, clean_up, make_staging  # with the others, as in the only caller
    from .._store.written import Staged

    staged, process = [], os.getpid()
    for output, target in zip(call.outputs, call.targets, strict=True):
        folder, name = target
        staging = make_staging(folder, name)
        making.stack.callback(_in_process, process, clean_up, folder, staging)
        making.claims.append(claim := Claim())
        claim.take(staging)
        staged.append(Staged(folder, name, staging, output.directory, os.path.lexists(target.path)))
        if output.directory:
            os.mkdir(staged[-1].path)
    return staged


def _acquired(lock: ArtifactLock, target: Target) -> bool:
    """Take the lock of an artifact if nobody makes it, not even a call whose lock's file was removed meanwhile."""
    from .._store.staging import is_worked_on  # as in the only caller

    if not lock.try_acquire():
        return False
    if lock.works and is_worked_on(target.folder, target.name):
        lock.release()
        return False
    return True


def _in_process(process: int, work: Callable[..., object], *args: object) -> None:
    """Do *work* unless this is a fork of *process*, which has no business with what is its parent's."""
    if os.getpid() == process:
        work(*args)


def _reused(call: Call) -> bool:
    """Tell whether the artifacts can be reused, and if so, say it in the log."""
    is_told = _log.isEnabledFor(logging.INFO)
    if not is_told and call.stands():
        return True
    found = call.find()
    if found is None:
        return False
    for target, memo, each in zip(call.targets, call.destination.memos, found, strict=True):
        if each.record is not None and each.is_touched:
            _refresh(target, memo, each.record)
        if each.record is not None and is_told:
            _log.info("reused %s, %.3g s saved", target.path, each.record.seconds, extra={"brief": "reused %s"})
    return True


def _refresh(target: Target, memo: Memo, record: Record) -> None:
    """Write the times of now into the record where that can be done at once, else keep them in memory."""
    from .._store.lock import ArtifactLock  # with the next, only where something has to be written
    from .._store.publish import store_record

    try:
        with ArtifactLock(target.lock_path) as lock:
            if lock.try_acquire():
                # Another may have replaced artifact and record before the lock was ours.
                if lock.works and condition(target, record)[0] is Condition.WHOLE:
                    store_record(target.folder, record)
                return
    except OSError as error:  # a reader without write permission reuses all the same
        _log.debug("the record of %s keeps its old times: %s", record.artifact, error)
    memo.renew(record)


def _others(target: Target) -> str:
    """Say which artifacts of the same untagged name there are."""
    folder, wanted = target.folder, untagged_name(target.name)
    try:
        names = sorted(os.listdir(folder.path))
    except FileNotFoundError:
        return f"{folder.path} does not exist. Make the artifact first"
    tags = [str(Tag.parse(each)) for each in of_name(names, wanted)]
    if not tags:
        return f"there is no {wanted} with any tag. Make the artifact first"
    listed = f"the tags of {wanted} that are there: {', '.join(tags[:20])}" + (", …" if len(tags) > 20 else "")
    return f"{listed}. Make the artifact first, or read with the code and configuration that made one of these"
