"""The outcome of a run: what was written becomes artifacts under the tag that is true now."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import platform
import socket
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .._canonical.encoding import encode
from .._errors import ArtifactConflictError, ArtifactNotWrittenError, InputError, RecordError, TaggedArtifactsError
from .._reach.forks import looking
from .._store.condition import MOST_IN_RECORD, Content, condition, describe, manifest_name
from .._store.key import shortened
from .._store.origin import stored_record
from .._store.publish import publish, store_patch
from .._store.record import MAX_RECORD_BYTES, Record
from .._store.staging import keep, mark, unmark
from .._store.written import Staged, check_room, check_written, companions, is_little, retag, syncing
from .call import check_allowed

if TYPE_CHECKING:
    from .._code.dirt import CodeState
    from .._reach.opened import Opened
    from .._session.moment import View
    from .._store.record import FileEntry
    from .call import Call

_log = logging.getLogger("taggedartifacts")

_FEW_COMPANIONS = 10_000  # of which the record has room, whatever their names
_FEW_CHANGES = 1_000  # likewise; what else a record holds is shortened, or a list of names of modules


def checked(call: Call, staged: list[Staged], opened: Opened) -> tuple[Call, list[Staged]]:
    """Check that the tag is still true now that the function has run, or give its output the true one.

    Args:
        call: The call.
        staged: Its outputs.
        opened: What the run opened.

    Raises:
        InputError: If an input, a file of the scope that it may have read, or what a session's function reads changed.
        DirtyRepositoryError: If modules that were loaded meanwhile make the code dirty, and that is not allowed.
    """
    parameters = call.decoration.parameters
    if "inputs" in call.encoded and parameters.encoded_inputs(call.bound, call.cwd) != call.encoded["inputs"]:
        names = ", ".join(call.decoration.options.inputs)
        raise InputError(f"an input ({names}) changed while {call.key.function} ran; call it again when it is complete")
    within = functools.partial(parameters.within_inputs, call.bound, call.cwd)
    files = call.view.look.changed(opened)
    moved = call.decoration.moment.moved(call.view)
    if changed := moved or sorted({*files} - within(call.state.root or "", files)):
        raise InputError(
            f"{', '.join(changed[:3])} changed while {call.key.function} ran, and may have been read before or after; "
            "call it again"
        )
    late = call.view.look.late(call.loaded)  # modules of the work tree that the scope does not hold
    view = call.view.with_look(call.view.look.whole().leaving(within)) if late else call.view
    state = view.state()
    if state == call.state and not late:
        return call, staged
    true = _in_state(call, view, state, late)
    if true.key == call.key:
        return true, staged
    if late:
        _log.warning(
            "%s imported %s while it ran, which no import statement names; all of the repository counts now, and it "
            "will be made again each time until an import statement names that module",
            true.key.function,
            ", ".join(sorted(late)),
        )
    else:
        _log.warning(
            "%s loaded modules while it ran that change its tag from %s to %s; it will be made again each time until "
            "they are imported at the head of the module that defines the function",
            true.key.function,
            call.key.tag,
            true.key.tag,
        )
    return true, [retag(each, target.name) for each, target in zip(staged, true.targets, strict=True)]


def _in_state(call: Call, view: View, state: CodeState, late: dict[str, str]) -> Call:
    """Return the same call with the tag of another code state, seen by another view perhaps.

    Args:
        call: The call.
        view: That view.
        state: The state.
        late: Modules that count beside its scope, by path and content.

    Raises:
        DirtyRepositoryError: If that is not allowed.
    """
    check_allowed(call.decoration, state)
    encoded = {**call.encoded, "late": encode(late, "modules")} if late else call.encoded
    destination = call.destination.with_key(call.decoration.key(encoded, state))
    return call._replace(
        context=call.context._replace(view=view, state=state), encoded=encoded, destination=destination
    )


def publish_all(
    call: Call,
    staged: list[Staged],
    started: datetime,
    seconds: float,
    *,
    recompute: bool,
    locked: bool,
    undeclared: tuple[FileEntry, ...],
) -> None:
    """Publish the outputs of a run, all or none as far as can be known before.

    What came to stand in their place while the function ran is kept, unless the user asked to have it replaced.

    Args:
        call: The call, with its true tag.
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
            each.folder.make()  # what a cleaner removed while the function ran
            check_written(each)
        run = os.urandom(8).hex()
        # The little that most write is synced when its record is written, which saves a third of the time for both.
        unsynced = len(staged) == 1 and (recompute or locked) and is_little(staged)
        with contextlib.nullcontext() if unsynced else syncing(staged):
            records = [replace(_record(call, each, run, started, seconds), undeclared=undeclared) for each in staged]
        if not recompute and call.find() is not None:
            for each in staged:
                _leave_to(each)
            return
        predecessors = _predecessors(call, staged, recompute=recompute, locked=locked)
        reason = _reason(call, staged, predecessors, recompute=recompute)
        for each, record, predecessor in zip(staged, records, predecessors, strict=True):
            record = replace(record, replaced=_replaced(each, record, predecessor))
            _store_patch(call, each, record)
            if not publish(each, record, predecessor, exclusive=not (recompute or locked), unsynced=unsynced):
                if call.find() is not None:
                    _leave_to(each)
                    continue
                # What stands there is of this very code and configuration, but lacks a companion or another output.
                publish(each, record, predecessor, exclusive=False)
            _log.info("made %s in %.3g s%s", each.final, seconds, reason)
    except FileNotFoundError as error:
        # Somebody swept our staging away, as can happen where there are no locks: all is well if theirs is there.
        if call.find() is None:
            raise ArtifactNotWrittenError(
                f"{error.filename} vanished before {staged[0].final} was published; find out what removes files there, "
                "or whether the function did, and call it again"
            ) from error


def _predecessors(call: Call, staged: list[Staged], *, recompute: bool, locked: bool) -> list[Record | None]:
    """Read the records of what stands in the place of the outputs, once it is clear that it may be replaced.

    Raises:
        ArtifactConflictError: If something else has taken a name meanwhile.
        ArtifactModifiedError: If what stands there was changed meanwhile.
    """
    predecessors = [stored_record(each.target) for each in staged]
    for each, predecessor in zip(staged, predecessors, strict=True):
        if locked and not recompute and not each.taken and os.path.lexists(each.final):
            raise ArtifactConflictError(
                f"{each.final} came to be there while {call.key.function} ran, which would have made it; "
                "move it away and call again, or call recompute"
            )
        check_room(each, predecessor, recompute=recompute)
    return predecessors


def mark_all(staged: list[Staged]) -> None:
    """Mark what a function wrote as finished work, now that it has returned."""
    for each in staged:
        mark(each.staging)


def keep_all(staged: list[Staged], error: BaseException) -> None:
    """Keep what a function wrote that has returned, and let the error that came after it say where."""
    places = [place for each in staged if (place := keep(each.folder, each.staging, each.name)) is not None]
    if not places:
        return
    said = f"what the function wrote is kept in {', '.join(places)}"
    if isinstance(error, TaggedArtifactsError) and len(error.args) == 1:
        error.args = (f"{error}; {said}",)
    elif isinstance(error, OSError) and error.strerror:
        error.strerror = f"{error.strerror}; {said}"
        error.args = (error.errno, error.strerror, *error.args[2:])  # which a pickle is made of
    else:
        error.add_note(said)


def _leave_to(staged: Staged) -> None:
    """Give up what was written in favour of the same that somebody else made."""
    unmark(staged.staging)
    _log.info("%s was made by somebody else meanwhile; theirs is kept", staged.final)


def _reason(call: Call, staged: list[Staged], predecessors: list[Record | None], *, recompute: bool) -> str:
    """Say for the log why the artifacts had to be made, if somebody reads it."""
    if not _log.isEnabledFor(logging.INFO):
        return ""
    from .explain import why  # with what reads the records of others, only where it is told

    return why(call, staged, predecessors, recompute=recompute)


def _replaced(staged: Staged, record: Record, predecessor: Record | None) -> Record | None:
    """Return the record that describes the artifact which is to be replaced, if one stands there unchanged.

    Until the artifact is renamed too, its new record must describe that one as well; a bare file, which counts as it
    is, must count after a crash too.
    """
    try:
        if predecessor is None:
            if not os.path.lexists(staged.final):
                return None
            bare = describe(os.path.realpath(staged.final))
            bare_record = replace(record, **bare._asdict(), companions=(), manifest=None, run="", replaced=None)
            return bare_record if len(bare.files) <= MOST_IN_RECORD else replace(bare_record, files=())
        answer, judged_by = condition(staged.target, predecessor)
    except (FileNotFoundError, ArtifactNotWrittenError):
        return None
    return replace(judged_by, replaced=None) if answer.is_good else None


def _store_patch(call: Call, staged: Staged, record: Record) -> None:
    state = call.state
    if record.patch is not None and state.patch is not None and state.root is not None:
        quoted = [os.path.join(state.root, change.path) for change in state.changes]
        store_patch(staged.folder, staged.staging, record.patch, state.patch, quoted)


def check_size(call: Call) -> None:
    """Check, before hours are spent, that what is known of the record already leaves it room to be read back.

    Raises:
        RecordError: If it does not.
    """
    if len(call.state.changes) <= _FEW_CHANGES:
        return
    nothing = Content("file", 0, 0, "0" * 32)
    size = len(_described(call, nothing, "", datetime.now(UTC), 0).to_json())
    if size > MAX_RECORD_BYTES // 2:
        raise RecordError(
            f"the record of {call.targets[0].name} would take {size:,} bytes without its content, which is more than "
            f"is read back; {len(call.state.changes):,} paths are not committed: commit them or have git ignore them"
        )


def _record(call: Call, staged: Staged, run: str, started: datetime, seconds: float) -> Record:
    content = describe(staged.path)
    record = replace(
        _described(call, content, run, started, seconds),
        artifact=staged.name,
        manifest=manifest_name(staged.name, run) if len(content.files) > MOST_IN_RECORD else None,
        companions=companions(staged),
        **environment(),
    )
    if len(record.companions) > _FEW_COMPANIONS and len(record.to_json()) > MAX_RECORD_BYTES:
        raise ArtifactNotWrittenError(
            f"{len(record.companions):,} files were written beside {staged.name}, more than one record can name; "
            "write them into a directory, by an output path that ends with a slash"
        )
    return record


def _described(call: Call, content: Content, run: str, started: datetime, seconds: float) -> Record:
    """Describe a run by all but the artifact's name, what stands beside it and the environment."""
    state, key = call.state, call.key
    return Record(
        artifact=call.targets[0].name,
        function=key.function,
        commit=key.commit,
        dirty=key.dirty,
        config_hash=key.config_hash,
        canonical=shortened(call.canonical.decode()),
        scope=state.scope.listed(),
        scope_kind=state.scope.kind.value,
        scope_names=tuple(sorted(state.scope.names)),
        scope_reasons=state.scope.reasons,
        scope_digest=state.digest,
        remote=state.remote,
        run=run,
        outputs=call.destination.spread(
            [
                target.name + "/" if output.directory else target.name
                for output, target in zip(call.outputs, call.targets, strict=True)
            ]
        ),
        started=started.isoformat(timespec="microseconds"),
        seconds=round(seconds, 6),
        **content._asdict(),
        changes=tuple((change.path, change.what) for change in state.changes),
        patch=f"{key.dirty}.patch" if state.patch is not None else None,
        python="",
        platform="",
        host="",
        packages={},
        readers=dict(call.readers),
        unknown=dict(call.unknown),
    )


def environment() -> dict[str, Any]:
    """Describe where this process runs, with the versions of the packages that it has imported."""
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "host": socket.gethostname(),
        "packages": dict(_packages(tuple(sys.modules))),
    }


@functools.lru_cache(1)  # mostly, nothing is imported between one run and the next
def _packages(modules: tuple[str, ...]) -> dict[str, str]:
    names = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names
    versions = ((name, _version(name)) for name in sorted(names) if not name.startswith("_"))
    return {name: version for name, version in versions if version is not None}


@functools.lru_cache(1 << 12)  # as long as the process lives: what is loaded stays what it was
def _version(package: str) -> str | None:
    # Not by getattr: a module that computes its version when asked may warn that this is deprecated.
    version = getattr(sys.modules.get(package), "__dict__", {}).get("__version__")
    if isinstance(version, str):
        return version
    with looking:  # a fork waits for it: what a module imports late, `metadata` among them, a child must find whole
        from importlib import metadata  # 30 ms: only for packages that do not say their version themselves

        try:
            return metadata.version(package)
        except (metadata.PackageNotFoundError, ValueError):
            return None
