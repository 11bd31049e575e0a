"""A real git working directory for tests: nothing is mocked, and nothing of the user's own git setup leaks in."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

IS_ROOT = getattr(os, "geteuid", lambda: None)() == 0  # Windows has neither

# Code that continues as another user, who may not be able to read what Python imports: all of it is imported before.
BECOME_NOBODY = """
import asyncio, concurrent.futures.thread, dataclasses, decimal, fractions, html, importlib, os, pkgutil, zoneinfo
import importlib.metadata, filelock, pygit2, pygit2.enums, pygit2.errors, pygit2.ffi, taggedartifacts
for found in pkgutil.walk_packages(taggedartifacts.__path__, "taggedartifacts."):
    importlib.import_module(found.name)
os.setgid(65534)
os.setuid(65534)
"""

_CONFIG = """\
[user]
    name = A Tester
    email = tester@example.org
[init]
    defaultBranch = main
[commit]
    gpgSign = false
[protocol "file"]
    allow = always
[gc]
    auto = 0
[maintenance]
    auto = false
"""
_SCRUBBED = ("GIT_", "PYTHON", "TAGGEDARTIFACTS", "XDG_", "PYTEST", "COV_")


def clean_environment(home: Path, **extra: str) -> dict[str, str]:
    """Build an environment for subprocesses without the user's git and Python settings, and with a home of its own."""
    home.mkdir(parents=True, exist_ok=True)
    config = home / ".gitconfig"
    if not config.exists():
        config.write_text(_CONFIG)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(_SCRUBBED)},
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C.UTF-8",
        # The copy of the package that tests/mutants.py has changed.
        **({"PYTHONPATH": os.environ["MUTATED_PACKAGE"]} if "MUTATED_PACKAGE" in os.environ else {}),
        **extra,
    }


class GitRepo:
    """A git working directory at *path*, with an environment of its own.

    Args:
        path: The root of the work tree; made, and made a repository, if it is not there.
        home: Where the global git config lies; by default ``<path>-home`` beside the repository.
        init: Arguments for ``git init``, or None for a directory that stays what it is.
    """

    def __init__(self, path: Path, *, home: Path | None = None, init: tuple[str, ...] | None = ()) -> None:
        self.path = path
        self.env = clean_environment(home or path.parent / f"{path.name}-home")
        path.mkdir(parents=True, exist_ok=True)
        if init is not None and not (path / ".git").exists():
            self.git("init", "-q", *init)

    def run(self, *command: str | os.PathLike[str], check: bool = True, seconds: float = 120, **env: str) -> str:
        """Run a command in the root; return its output, stripped at the end, or raise with what it said."""
        done = subprocess.run(
            [os.fspath(part) for part in command],
            cwd=self.path,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=seconds,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{command} gave {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout.rstrip()

    def git(self, *arguments: str | os.PathLike[str], check: bool = True, **env: str) -> str:
        """Run a git command."""
        return self.run("git", *arguments, check=check, **env)

    def feed(self, source: IO[bytes], *arguments: str) -> None:
        """Run a git command that reads a file."""
        subprocess.run(["git", *arguments], cwd=self.path, env=self.env, stdin=source, capture_output=True, check=True)

    def python(self, *arguments: str | os.PathLike[str], check: bool = True, **env: str) -> str:
        """Run this Python in a fresh process, in the root; it writes no bytecode unless told so."""
        return self.run(sys.executable, *arguments, check=check, **{"PYTHONDONTWRITEBYTECODE": "1", **env})

    def write(self, name: str, content: str | bytes = "") -> Path:
        """Write a file below the root, with its directories; text is dedented."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(textwrap.dedent(content).encode() if isinstance(content, str) else content)
        return path

    def commit(self, message: str = "Change", *paths: str) -> str:
        """Commit everything, or only *paths*, even if nothing changed; return the full hex of the commit."""
        self.git("add", "--all", "--", *paths)
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.head

    @property
    def head(self) -> str:
        """Full hex of the commit at HEAD."""
        return self.git("rev-parse", "HEAD")

    def status(self, *arguments: str) -> str:
        """Say what ``git status --porcelain`` says, by default about tracked files only; empty when clean."""
        return self.git("status", "--porcelain", *(arguments or ("-uno",)))
