"""Why an artifact had to be made although there are others of its name: one clause for the log.

To be told at each miss it must be cheap, so it looks at some of the artifacts that there are and not at all of them;
`explain` has more time.
"""

from __future__ import annotations

import heapq
import os
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from .._history.differences import FileDifference
from .._history.keys import FullKey, file_differences, key_differences, tag_differences
from .._history.stretch import newest_first
from .._store.table import clipped
from .._tag import Tag, of_name, untagged_name
from .explain import full_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .._history.differences import Difference
    from .._history.stretch import Version
    from .._store.key import Target
    from .._store.record import Record
    from .._store.written import Staged
    from .call import Call

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
            reason = "; ".join(_clauses(_nearest_differences(call, call.targets[0])))
        except (OSError, ValueError):  # a folder that cannot be listed, records that are damaged
            reason = ""
    return reason and f": {reason}"


def _nearest_differences(call: Call, target: Target) -> Sequence[Difference]:
    """List in what the call differs from the artifact of its name that differs least, of equal ones from the newest."""
    folder, name, tag = target.folder, target.name, target.tag
    with os.scandir(folder.path) as entries:
        listed = [entry.name for entry in islice(entries, _MOST_ENTRIES)]
    others = [each for each in of_name(listed, untagged_name(name)) if each != name]
    near = heapq.nsmallest(_MOST_RECORDS, others, key=lambda each: len(tag_differences(Tag.parse(each), tag)))
    wanted = full_key(call)
    blind = replace(wanted, read_patch=lambda: None)  # patches are read for the one that is told of
    found = [(len(_differences(version, blind)), i, version) for i, version in enumerate(newest_first(folder, near))]
    if not found:
        return ()
    nearest = min(found)[2]
    differences = _differences(nearest, wanted, patches=True)
    if nearest.record is None:
        return differences
    files = file_differences(FullKey.of(nearest.record, nearest.target.folder), wanted)
    # Which commit it was says less than which files.
    return [*files, *(each for each in differences if not files or each.place not in ("commit", "scope"))]


def _differences(version: Version, wanted: FullKey, *, patches: bool = False) -> Sequence[Difference]:
    record = version.record
    if record is None or max(len(record.canonical), len(wanted.canonical)) > _MOST_LETTERS:
        return tag_differences(version.target.tag, wanted.key.tag)
    key = FullKey.of(record, version.target.folder)
    return key_differences(key if patches else replace(key, read_patch=lambda: None), wanted)[0]


def _clauses(differences: Iterable[Difference]) -> list[str]:
    """Say differences in as few words as a line of a log has room for."""
    differences = tuple(differences)
    others = [each for each in differences if each.place == "function"]  # then all else may differ, and tells nothing
    said = list(dict.fromkeys(map(_said, others or differences)))
    more = len(said) - _MOST_SAID
    return [*said[:_MOST_SAID], f"and {more} more"] if more > 0 else said


def _said(difference: Difference) -> str:
    if isinstance(difference, FileDifference):
        return f"{difference.path} changed" + (difference.cause and f", {difference.cause}")
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
