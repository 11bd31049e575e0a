"""Starting: imports, and scripts in which everything is cached, from start to end, as commands."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from project import TOOLS, worker
from timing import interleaved

if TYPE_CHECKING:
    from pathlib import Path

    from timing import Samples

SWEEP = 500


def imports(project: Path, rounds: int) -> Samples:
    """Time an interpreter that imports each library and ends."""
    statements = {"nothing": "pass", "pygit2": "import pygit2", **{tool: f"import {tool}" for tool in TOOLS}}
    return _commands(project, {name: ["-c", statement] for name, statement in statements.items()}, rounds)


def scripts(project: Path, rounds: int) -> Samples:
    """Time scripts that make twenty calls, all of them hits."""
    return _commands(project, {tool: [f"script_{tool}.py"] for tool in TOOLS}, rounds)


def first_hits(project: Path, rounds: int) -> Samples:
    """Time the first hit of processes, and its parts."""
    found = [worker(project, "first_hit") for _ in range(rounds)]
    return {name: [each[name] for each in found] for name in found[0]}


def sweeps(project: Path, rounds: int) -> Samples:
    """Time hits of as many different artifacts, each tool in turn, in fresh processes."""
    for tool in TOOLS:
        worker(project, "sweep", tool, SWEEP)  # which makes them
    samples: Samples = {tool: [] for tool in TOOLS}
    for _ in range(rounds):
        for tool in TOOLS:
            samples[tool].append(worker(project, "sweep", tool, SWEEP)[tool])
    return samples


def _commands(project: Path, commands: dict[str, list[str]], rounds: int) -> Samples:
    def runs(arguments: list[str]) -> None:
        subprocess.run([sys.executable, *arguments], cwd=project, check=True, stdout=subprocess.DEVNULL)

    calls = {name: lambda arguments=arguments: runs(arguments) for name, arguments in commands.items()}
    return interleaved(calls, rounds=rounds, seconds=0)
