"""A program at a pseudo-terminal, as a person at a keyboard has it."""

from __future__ import annotations

import os
import select
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gitrepo import GitRepo

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals on Windows")

SECONDS = 60


def type_into(repo: GitRepo, command: list[str], lines: list[str]) -> str:
    """Type lines into a program that runs in a repository until it ends; return what the terminal shows.

    Raises:
        TimeoutError: If the program does not end in time; it is killed then.
    """
    ours, theirs = pty.openpty()
    env = {**repo.env, "TERM": "dumb", "PYTHONDONTWRITEBYTECODE": "1", "IPYTHONDIR": str(repo.path.parent / "ipython")}
    process = subprocess.Popen(command, cwd=repo.path, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        os.write(ours, "".join(f"{line}\n" for line in lines).encode())
        until = time.monotonic() + SECONDS
        while select.select([ours], [], [], max(0.0, until - time.monotonic()))[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # EIO: the program has gone
                process.wait(timeout=SECONDS)
                return shown.decode(errors="replace")
        raise TimeoutError(shown.decode(errors="replace"))
    finally:
        process.kill()
        process.wait()
        os.close(ours)
