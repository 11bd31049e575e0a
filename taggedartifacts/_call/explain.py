"""Explaining a call: whether it would reuse an artifact, and if not, what differs from the nearest one there is.

A miss says why in its log, in one clause. That must be cheap: `why` looks at some of the artifacts that there are, and
not at all of them; `explain` has more time.
"""

from __future__ import annotations

import heapq
import math
import os
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from .._errors import ArtifactConflictError, ArtifactModifiedError, InputChangedError, RecordError
from .._history.keys import FullKey, file_differences, key_differences, tag_differences
from .._history.versions import newest_first, present
from .._path import ArtifactPath
from .._store.condition import Condition, condition
from .._store.key import shortened
from .._store.origin import stored_record
from .._store.record import read_record
from .._store.reuse import Found, find_any
from .._store.table import Shown, Table, clipped, labelled, minute
from .._tag import Tag, of_name, untagged_name
from .call import Decoration, is_refused, prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .._code.dirt import Change
    from .._history.differences import Difference
    from .._history.versions import Version
    from .._store.folder import Target
    from .._store.record import Record
    from .._store.written import Staged
    from .call import Call

# Reading that many records takes about 50 ms; further ones differ more, by their names, or are older.
_MOST_COMPARED = 500

Outcome = Literal["hit", "miss", "read", "refused"]

_HEADINGS = {
    "hit": "A call returns {path} without running the function.",
    "read": "A call runs the function, which reads {path}.",
    "miss": "A call runs the function and makes {path}.",
    "refused": "A call is refused; it is about {path}.",
}


@dataclass(frozen=True, repr=False)
class Explanation(Shown):
    """Why a call would run its function, or not; prints as a table, in a notebook too.

    Attributes:
        outcome: ``"hit"``, ``"miss"``, ``"read"`` for a function in mode ``"r"`` whose artifact is there, or
            ``"refused"`` when the call would raise.
        paths: The artifacts that the call is about, one for each keyword.
        reasons: Why, in words.
        nearest: The artifact of the same name that differs in the fewest things, if there is one and none is reused.
        differences: What differs from it; the first value is the nearest one's, the second that of the call.
        changes: What is not committed.
        unknown: What the function reads that does not count because it has no canonical form, and why.
    """

    outcome: Outcome
    paths: tuple[ArtifactPath, ...]
    reasons: tuple[str, ...]
    nearest: ArtifactPath | None = None
    differences: tuple[Difference, ...] = ()
    changes: tuple[Change, ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()

    def _table(self) -> Table:
        clauses = [clause for reason in self.reasons for clause in reason.split("; ")]  # each fits on a line
        rows = labelled("why", clauses)
        rows += [("nearest", str(self.nearest))] if self.nearest is not None else []
        rows += labelled("differs", map(str, self.differences))
        rows += labelled("not committed", (f"{change.path} ({change.what})" for change in self.changes))
        rows += labelled("does not count", (f"{name}: {why}" for name, why in self.unknown))
        return Table(_HEADINGS[self.outcome].format(path=" and ".join(map(str, self.paths))), tuple(rows))


def explain(
    f: Callable[..., object], decoration: Decoration, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Explanation:
    """Explain what a call would do; runs and writes nothing, and explains what a call would refuse.

    Raises:
        RepositoryError: If the commit cannot be known.
        KeyError, TypeError, UnhashableError, InputError, ArtifactNameError: If the call's tag cannot be computed.
    """
    # Uncommitted code that is not allowed is one of the things to be explained.
    lenient = decoration.with_options(decoration.options._replace(allow_dirty=True))
    call = prepare(f, lenient, args, kwargs)
    refused = is_refused(decoration.options, call.state)
    reasons = ["the code is not committed, and allow_dirty is not set"] if refused else []
    reads = decoration.options.mode == "r"
    try:
        call.check_links()
        found: Sequence[Found] | None = _artifacts_read(call) if reads else call.find()
    except (ArtifactConflictError, ArtifactModifiedError, InputChangedError) as error:
        return _explanation("refused", call, [*reasons, str(error)])
    if found is not None:
        outcome: Outcome = "refused" if refused else "read" if reads else "hit"
        return _explanation(outcome, call, [*reasons, *_why_found(call, found)])
    missing: Outcome = "refused" if refused or reads else "miss"
    return _explanation(missing, call, [*reasons, *_why_missed(call)], *_nearest(call))


def _explanation(
    outcome: Outcome,
    call: Call,
    reasons: list[str],
    nearest: ArtifactPath | None = None,
    differences: tuple[Difference, ...] = (),
) -> Explanation:
    unknown = tuple(call.unknown.items())
    return Explanation(outcome, call.paths, tuple(reasons), nearest, differences, call.state.changes, unknown)


def _artifacts_read(call: Call) -> list[Found] | None:
    """Find the artifacts that a function in mode ``"r"`` reads; None if one is not there."""
    found = [find_any(target) for target in call.targets]
    there = [each for each in found if each is not None]
    return there if len(there) == len(found) else None


def _why_found(call: Call, found: Sequence[Found]) -> Iterator[str]:
    for path, target, each in zip(call.paths, call.targets, found, strict=True):
        if each.record is not None:
            record = each.record
            made = f"made by {record.function} on {minute(record.started)} in {record.seconds:.3g} s"
            yield f"{path.name} is there, {made}"
        else:
            yield f"{path.name} is there and counts as it is: {_why_bare(target)}"


def _why_bare(target: Target) -> str:
    try:
        read_record(target.record_path)
    except RecordError as error:
        return f"its record is damaged ({error})"
    return "it has no record"


def _why_missed(call: Call) -> Iterator[str]:
    there, whole = [], True
    for target in call.targets:
        folder, name = target
        record = stored_record(target)
        if not os.path.lexists(target.path):
            yield f"{name} is not there: {_why_gone(record)}"
            continue
        there.append(name)
        if record is None or condition(target, record)[0] is not Condition.PARTIAL:
            continue
        for companion in record.companions:
            if not os.path.lexists(folder.artifact(companion.path)):
                whole = False
                yield f"{companion.path}, which was written beside {name}, is gone"
    if [target.name for target in call.targets] == there and whole:
        if len(there) == 1:
            yield f"{there[0]} is there, but what would run is not the code on disk, or its replacement was cut short"
            return
        yield "the outputs that are there come from different runs"
    elif there and len(call.targets) > 1:
        yield f"{', '.join(there)} would be made again with the rest: the outputs of a run belong together"


def _why_gone(record: Record | None) -> str:
    if record is None:
        return "nothing was made by this code with this configuration, or it was removed"
    return f"{record.function} made it on {minute(record.started)}, and it was removed or moved since"


def _nearest(call: Call) -> tuple[ArtifactPath | None, tuple[Difference, ...]]:
    """Find the artifact of the same untagged name that differs in the fewest things, and list those."""
    target, wanted = call.targets[0], full_key(call)
    try:
        names = present(target.folder, untagged_name(target.name))
    except OSError:
        return None, ()
    found = [(_differences_from(version, wanted), version) for version in _most_alike(target, names, _MOST_COMPARED)]
    if not found:
        return None, ()
    # One without a record comes last: its tag does not tell in how many things its configuration differs.
    differences, nearest = min(found, key=lambda each: (each[1].record is None, len(each[0])))
    path = ArtifactPath(os.path.join(os.path.dirname(call.outputs[0].given), nearest.target.name))
    return path, (*differences, *_files_changed_since(nearest, wanted))


def _most_alike(target: Target, names: Iterable[str], most: int) -> list[Version]:
    """Look at those of a name's other artifacts whose tags differ least from that of the target, newest first."""
    tag = target.tag
    others = [each for each in names if each != target.name]
    near = heapq.nsmallest(most, others, key=lambda each: len(tag_differences(Tag.parse(each), tag)))
    return newest_first(target.folder, near)


def _differences_from(
    version: Version, wanted: FullKey, most_letters: float = math.inf, *, by_patches: bool = True
) -> tuple[Difference, ...]:
    """List in what a call differs from an artifact; by the tags if there is no record, or too much to compare."""
    record = version.record
    if record is None or max(len(record.canonical), len(wanted.canonical)) > most_letters:
        return tag_differences(version.target.tag, wanted.key.tag)
    return key_differences(FullKey.of(record, version.target.folder), wanted, [], by_patches=by_patches)


def _files_changed_since(version: Version, wanted: FullKey) -> tuple[Difference, ...]:
    """List the files of the code that differ between the commit of an artifact and that of a call."""
    if version.record is None:
        return ()
    return file_differences(FullKey.of(version.record, version.target.folder), wanted)


def full_key(call: Call) -> FullKey:
    """Take the key of a call, with all that it holds digests of."""
    state = call.state
    changes = {change.path: change.what for change in state.changes}
    return FullKey(
        key=call.key,
        canonical=shortened(call.canonical.decode()),
        changes=changes,
        read_patch=lambda: state.patch,
        scope=state.scope,
        folder=state.root or os.curdir,
        readers=call.readers,
    )


# 5 ms for the entries of a folder, 3 ms for the records.
_MOST_ENTRIES = 5_000
_MOST_RECORDS = 20
_MOST_LETTERS = 50_000  # of a canonical form, which takes 5 ms to compare
_MOST_SAID = 3


def why(call: Call, staged: Sequence[Staged], predecessors: Sequence[Record | None], *, recompute: bool) -> str:
    """Say why a call made what it made: a clause with a colon before it, or nothing if it was never made before."""
    if not call.view.reusable:
        reason = "the code that runs is not the code on disk"
    elif recompute:
        reason = "recompute was called"
    elif any(each.taken for each in staged):
        reason = "not all that belongs to it was there"
    elif any(record is not None for record in predecessors):
        reason = "it had been removed"
    else:
        try:
            reason = "; ".join(_clauses(_nearest_differences(call)))
        except (OSError, ValueError):  # a folder that cannot be listed, records that are damaged
            reason = ""
    return reason and f": {reason}"


def _nearest_differences(call: Call) -> Sequence[Difference]:
    """List in what the call differs from the artifact of its name that differs least, of equal ones from the newest."""
    target, wanted = call.targets[0], full_key(call)
    with os.scandir(target.folder.path) as entries:
        listed = [entry.name for entry in islice(entries, _MOST_ENTRIES)]
    near = _most_alike(target, of_name(listed, untagged_name(target.name)), _MOST_RECORDS)
    if not near:
        return ()
    # Patches are read for the one that is told of.
    nearest = min(near, key=lambda each: len(_differences_from(each, wanted, _MOST_LETTERS, by_patches=False)))
    differences = _differences_from(nearest, wanted, _MOST_LETTERS)
    files = _files_changed_since(nearest, wanted)
    # Which commit it was says less than which files.
    return [*files, *(each for each in differences if not files or each.place not in ("commit", "scope"))]


def _clauses(differences: Iterable[Difference]) -> list[str]:
    """Say differences in as few words as a line of a log has room for."""
    differences = tuple(differences)
    others = [each for each in differences if each.place == "function"]  # then all else may differ, and tells nothing
    said = list(dict.fromkeys(map(_said, others or differences)))
    more = len(said) - _MOST_SAID
    return [*said[:_MOST_SAID], f"and {more} more"] if more > 0 else said


def _said(difference: Difference) -> str:
    if difference.path:
        return f"{difference.path} changed{difference.place.removeprefix(difference.path)}"
    if difference.place.startswith("uncommitted ") and difference.a == "as committed":
        return clipped(f"{difference.place.removeprefix('uncommitted ')} changed")
    kind, _, place = difference.place.replace("[", ".[", 1).partition(".")
    if kind in ("config", "arguments", "globals") and place:
        return clipped(f"{place} {difference.a} → {difference.b}")
    if kind == "inputs":
        return clipped(f"the content of {place} changed") if place else "other inputs count"
    if kind == "interactive":
        return "what the session defines changed"
    return clipped(f"{difference.place} {difference.a} → {difference.b}")
