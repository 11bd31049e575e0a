"""The condition of an artifact: whether what stands there is what its record says.

`condition` alone judges that. A call, `verify`, `compare`, `prune` and `explain` all ask here, and so agree.
"""

from __future__ import annotations

import contextlib
import os
from enum import Enum
from typing import TYPE_CHECKING

from .content import describe, describe_file, same_digests, same_times, with_times

if TYPE_CHECKING:
    from .folder import Target
    from .record import Record


class Condition(Enum):
    """How an artifact stands to its record; what was written beside it is part of it."""

    WHOLE = "all is there, with the sizes and times of the record"
    TOUCHED = "all is there with the recorded content, and other times"
    PARTIAL = "something is gone, and what is left is as it was made"
    HALFWAY = "all is there, some of it of this run and some of the run whose artifact it was to replace"
    CHANGED = "something has another content than it was made with"
    GONE = "nothing is there"

    @property
    def is_good(self) -> bool:
        """Whether all of the artifact is there as it was made."""
        return self is Condition.WHOLE or self is Condition.TOUCHED


def condition(target: Target, record: Record, *, read: bool = False) -> tuple[Condition, Record]:
    """Judge what stands at a target by its record, or by that of what it was to replace, if that still stands.

    Sizes and times decide where all agree or a size differs, else the content; but not whether a bare file that was to
    be replaced still stands: nobody knows who made that, so the same content may be an edit.

    Args:
        target: The artifact.
        record: Its record.
        read: Believe no times, and read the content wherever the sizes agree.

    Returns:
        The condition, and the record that was judged by. When touched, that has the times of now.

    Raises:
        OSError: If something is there and cannot be read.
    """
    path = target.path
    runs = (record,) if record.replaced is None else (record, record.replaced)
    doubtful = []
    try:
        for run in runs:
            same = same_times(path, run)
            if same and not read:
                return Condition.WHOLE, run
            if same or (same is None and run.run):  # a bare file has no run
                doubtful.append(with_times(path, run))  # before the digest: a change during it shows next time
        for run in doubtful:
            if same_digests(path, run):
                return Condition.TOUCHED, run
    except FileNotFoundError:
        if is_gone(target, record):
            return Condition.GONE, record
        return Condition.PARTIAL if _is_left_as_made(path, runs) else Condition.CHANGED, record
    is_halfway = len(runs) > 1 and _is_left_as_made(path, runs)
    return Condition.HALFWAY if is_halfway else Condition.CHANGED, record


def is_gone(target: Target, record: Record) -> bool:
    """Tell whether nothing of an artifact is there, without looking closer."""
    beside = (target.folder.artifact(companion.path) for companion in record.companions)
    return not any(map(os.path.lexists, (target.path, *beside)))


def _is_left_as_made(path: str, runs: tuple[Record, ...]) -> bool:
    """Tell whether all that is left of an artifact is of one of these runs."""
    folder = os.path.dirname(path)
    known = {(companion.path, companion.digest) for run in runs for companion in run.companions}
    for name in {name for name, _ in known}:
        with contextlib.suppress(FileNotFoundError):
            if (name, describe_file(os.path.join(folder, name), name).digest) not in known:
                return False
    digests = {run.digest for run in runs if run.run}
    return not os.path.exists(path) or describe(os.path.realpath(path)).digest in digests
