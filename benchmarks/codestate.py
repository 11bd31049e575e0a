"""Looks at repositories of several sizes, beside ``git status``: ``python codestate.py <rounds> <files> ...``.

Prints seconds as JSON: by number of files, and for what else a repository may hold.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pygit2
from project import commit, git
from timing import interleaved

from taggedartifacts._code.codestate import take_look

if TYPE_CHECKING:
    from collections.abc import Callable

IGNORED_FILES = 60_000
COMMITS = 20_000
MODULES = 50
# The first look of a process, after its imports; then what it found is kept as a call that makes something keeps it.
FIRST_LOOK = """
import sys, time
import pygit2, pygit2.enums, pygit2.ffi
from taggedartifacts._code.codestate import take_look
from taggedartifacts._code.memory import memory
root, *scope = sys.argv[1:]
start = time.perf_counter()
take_look(f"{root}/pkg/m0.py", scope=scope).state()
print(time.perf_counter() - start)
memory(root).save()
"""


def make(root: Path, count: int) -> None:
    for number in range(count):
        folder = root / f"d{number // 1000}" / f"s{number // 50 % 20}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"f{number}.py").write_text(f"x = {number}\n" * 20)
    git(root, "init", "-q")
    git(root, "config", "gc.auto", "0")
    commit(root)
    time.sleep(1.1)  # else the index is as young as its files, and git too has to read them
    git(root, "status", "--porcelain", "-uno")


def add_history(root: Path) -> None:
    stream = [f"reset refs/heads/long\nfrom {git(root, 'rev-parse', 'HEAD', text=True).stdout}\n"]
    stream += [
        f"commit refs/heads/long\ncommitter b <b@b> {1_600_000_000 + number} +0000\ndata 1\nx\n"
        f"M 644 inline other/page\ndata 6\n{number:06d}\n"
        for number in range(COMMITS)
    ]
    git(root, "fast-import", "--quiet", input="".join(stream), text=True)
    git(root, "checkout", "-q", "long")


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def of_size(root: Path, rounds: int) -> dict[str, list[float]]:
    """Time looks, the command, and the naive diff; and once, what both cost after all files were touched."""

    def look() -> object:
        return take_look(None, repo=str(root), scope=["."]).state()

    def status() -> None:
        git(root, "status", "--porcelain", "-uno")

    found = interleaved({"taggedartifacts": look, "git status -uno": status}, rounds=rounds, seconds=0.0)
    found["a straight diff with HEAD"] = [seconds(lambda: len(pygit2.Repository(str(root)).diff("HEAD")))]
    for name, action in (("taggedartifacts, all files touched", look), ("git status, all files touched", status)):
        for path in root.rglob("*.py"):
            os.utime(path)
        found[name] = [seconds(action)]
    return found


def of_contents(root: Path, rounds: int) -> dict[str, list[float]]:
    """Time looks at what may make them slow: many ignored files, a long history; and asking one look again."""
    found = {}

    def note(name: str, action: Callable[[], object]) -> None:
        found[name] = interleaved({name: action}, rounds=rounds, seconds=0.0)[name]

    note("a look", lambda: take_look(None, repo=str(root), scope=["."]))
    (root / ".gitignore").write_text("ignored/\n")
    commit(root)
    (root / "ignored").mkdir()
    for number in range(IGNORED_FILES):
        (root / "ignored" / str(number)).touch()
    note(f"beside {IGNORED_FILES:,} ignored files", lambda: take_look(None, repo=str(root), scope=["."]))
    add_history(root)
    note(f"the scope's last commit, {COMMITS:,} back", lambda: take_look(None, repo=str(root), scope=["d0"]))
    asked = take_look(None, repo=str(root), scope=["."])
    found["asking a look again"] = interleaved({"again": asked.state}, rounds=rounds, seconds=0.01)["again"]
    return found


def of_scope(root: Path, rounds: int) -> dict[str, list[float]]:
    """Time the first look of a process, for a function whose imports reach 50 modules; and the command."""
    (root / "pkg").mkdir()
    for number in range(MODULES):
        imports = "".join(f"from . import m{each}\n" for each in (2 * number + 1, 2 * number + 2) if each < MODULES)
        body = "".join(f"def f{each}(x):\n    return [x, {each}, 'text']\n\n" for each in range(40))
        (root / "pkg" / f"m{number}.py").write_text(f"import json, os\nimport collections\n{imports}{body}")
    commit(root)
    (root / "page.md").write_text("x")
    commit(root)
    time.sleep(1.1)
    git(root, "status", "--porcelain", "-uno")
    time.sleep(3)  # until the index is old enough for what it tells to be kept
    found: dict[str, list[float]] = {"automatic, remembered": [], "automatic, cold": [], 'scope=["."]': []}
    with tempfile.TemporaryDirectory() as kept:
        for number in range(rounds + 1):
            for name, samples in found.items():
                with tempfile.TemporaryDirectory() as lost:
                    environment = {**os.environ, "XDG_CACHE_HOME": lost if "cold" in name else kept}
                    command = [sys.executable, "-c", FIRST_LOOK, str(root), *(["."] if "scope" in name else [])]
                    done = subprocess.run(
                        command, env=environment, check=True, capture_output=True, text=True, cwd=root
                    )
                if number:  # the first round fills what is remembered
                    samples.append(float(done.stdout))
    found["git status -uno"] = [seconds(lambda: git(root, "status", "--porcelain", "-uno")) for _ in range(rounds)]
    return found


def main(rounds: int, sizes: list[int]) -> None:
    found = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), size)
            found[str(size)] = of_size(Path(folder), rounds)
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), 1000)
        found["contents"] = of_contents(Path(folder), rounds)
    for size in sizes:
        if size >= 1000:
            with tempfile.TemporaryDirectory() as folder:
                make(Path(folder).resolve(), size - MODULES)
                found[f"scope {size}"] = of_scope(Path(folder).resolve(), rounds)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), [int(size) for size in sys.argv[2:]])
