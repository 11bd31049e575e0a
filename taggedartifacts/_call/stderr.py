"""What people see on stderr: the library's log, and short tracebacks of its errors."""

from __future__ import annotations

import logging
import os
import sys
from copy import copy
from typing import TYPE_CHECKING

from .._errors import TaggedArtifactsError
from .._reach.prompt import shell

if TYPE_CHECKING:
    from types import TracebackType

_OURS = os.path.dirname(os.path.dirname(__file__)) + os.sep
# What these raise says what is wrong with what the user wrote; where in the library it was found out says nothing more.
_CHECKS = tuple(os.path.join(_OURS, "_call", name) for name in ("binding.py", "wrong.py"))
# A call of an ``async`` function goes through these on its way from one part of the library to another.
_BETWEEN = tuple(os.path.join(os.path.dirname(os.__file__), name) + os.sep for name in ("asyncio", "concurrent"))


class _Shortening:
    """A block from which errors come with a short traceback."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, Exception):
            shorten(error)


shortening = _Shortening()


def shorten(error: BaseException) -> None:
    """Take the library's frames out of the traceback of an error, all but the first, and of the errors behind it.

    An error that was not raised on purpose keeps the last one too, which tells where to look for the mistake.
    """
    entry = error.__traceback__
    if entry is None:
        return
    spoken = isinstance(error, TaggedArtifactsError)
    _join_entries(entry, _shown(entry.tb_next, spoken=spoken))
    seen: set[int] = {id(error)}
    behind = error.__cause__ or error.__context__
    while behind is not None and id(behind) not in seen:
        seen.add(id(behind))
        shown = _shown(behind.__traceback__, spoken=False)
        if shown:
            _join_entries(shown[0], shown[1:])
            behind.__traceback__ = shown[0]
        behind = behind.__cause__ or behind.__context__


def _shown(traceback: TracebackType | None, *, spoken: bool) -> list[TracebackType]:
    """List what is to be seen of a traceback."""
    chain = []
    while traceback is not None:
        chain.append(traceback)
        traceback = traceback.tb_next
    shown = [each for each in chain if not _file(each).startswith((_OURS, *_BETWEEN))]
    is_ours = bool(chain) and _file(chain[-1]).startswith(_OURS)
    if is_ours and not spoken and _file(chain[-1]) not in _CHECKS:
        shown.append(chain[-1])
    return shown


def _file(traceback: TracebackType) -> str:
    return traceback.tb_frame.f_code.co_filename


def _join_entries(first: TracebackType, rest: list[TracebackType]) -> None:
    for each, following in zip([first, *rest], [*rest, None], strict=True):
        each.tb_next = following


class _Stderr(logging.StreamHandler):  # type: ignore[type-arg]  # generic in stubs only
    """Writes to what stderr is at that moment, which tests and notebooks replace.

    What stands below a cell is kept in the notebook's file. So there a path below the current directory is written from
    there on, and reusing takes no figure: the same cells write the same, in another clone too.
    """

    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record.args, tuple) and getattr(shell(), "kernel", None) is not None:
            here = os.path.join(os.getcwd(), "")
            short = tuple(each.removeprefix(here) if isinstance(each, str) else each for each in record.args)
            record, brief = copy(record), getattr(record, "brief", None)
            record.msg, record.args = (record.msg, short) if brief is None else (brief, short[: brief.count("%s")])
        return super().format(record)

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def show_log(level: int = logging.INFO) -> None:
    """Show on stderr what the library says in its log: what it made and why, and what it reused.

    Does nothing where the program has set up logging of its own, for the library or for everything
    (``logging.basicConfig``). Called again, it changes the level. In a notebook, paths below the current directory are
    short, and no seconds are given for what was reused, so that its file changes less.

    Args:
        level: The least important messages to show: by default all but those for the curious, which are
            ``logging.DEBUG``.
    """
    logger = logging.getLogger("taggedartifacts")
    if not any(isinstance(handler, _Stderr) for handler in logger.handlers):
        if logger.hasHandlers():
            return
        logger.addHandler(_Stderr())
    logger.setLevel(level)
