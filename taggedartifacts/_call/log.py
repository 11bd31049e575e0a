"""Showing the library's log to those who have set up no logging of their own."""

from __future__ import annotations

import logging
import os
import sys
from copy import copy

from .._reach.prompt import shell


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

    Does nothing where a handler is there already, the library's or one for everything (``logging.basicConfig``):
    whoever set that up decides what is shown. Called again, it changes the level. In a notebook, paths below the
    current directory are short, and no seconds are given for what was reused, so that its file changes less.

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
