"""Showing the library's log to those who have set up no logging of their own."""

from __future__ import annotations

import logging
import sys


class _Stderr(logging.StreamHandler):  # type: ignore[type-arg]  # generic in stubs only
    """Writes to what stderr is at that moment, which tests and notebooks replace."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def show_log(level: int = logging.INFO) -> None:
    """Show on stderr what the library says in its log: what it made and why, and what it reused.

    Does nothing where a handler is there already, the library's or one for everything (``logging.basicConfig``):
    whoever set that up decides what is shown. Called again, it changes the level.

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
