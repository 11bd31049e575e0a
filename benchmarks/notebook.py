"""What a hit costs in a notebook: ``python notebook.py <rounds> <files>``, in a kernel; prints seconds as JSON.

A repository of so many files is made, and a function from a cell, with a helper and a constant, is called: as the first
of its cell, when the repository is looked at, and in a loop. Beside them what that look cannot do without: asking the
system once for each file.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests/support"))

from gitrepo import GitRepo
from kernel import Kernel

DEFINITIONS = """
import os, subprocess, time
import pygit2
from taggedartifacts import Artifact

N = 1

def helper(x):
    return x + N

@Artifact("out")
def count(x, out):
    with open(out, "w") as file:
        file.write(str(helper(x)))

def timed(action):
    clock = time.perf_counter()
    action()
    print(time.perf_counter() - clock)

index = pygit2.Repository(".").index
paths = [entry.path for entry in index]
status = ["git", "status", "--porcelain", "-uno"]
"""
ONCE = {
    "taggedartifacts, first of its cell": "timed(lambda: count(1, out='out.txt'))",
    "git status -uno": "timed(lambda: subprocess.run(status, check=True))",
    "libgit2 compares index and files": "timed(index.diff_to_workdir)",
    "os.lstat of each file": "timed(lambda: [os.lstat(path) for path in paths])",
}
LOOP = """
times = []
for _ in range(1000):
    clock = time.perf_counter()
    count(1, out='out.txt')
    times.append(time.perf_counter() - clock)
print(times)
"""


def main(rounds: int, files: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        repo = GitRepo(Path(folder) / "repo")
        for number in range(files):
            repo.write(f"package{number % 20}/module{number}.py", "x = 1\n")
        repo.write("work.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": DEFINITIONS}]}))
        repo.write(".gitignore", "/out*\n")
        repo.commit()
        with Kernel(repo) as kernel:
            kernel.run(DEFINITIONS, "count(1, out='out.txt')")
            found: dict[str, list[float]] = {name: [] for name in ONCE}
            for _ in range(rounds):
                for name, cell in ONCE.items():
                    found[name].append(float(kernel.run(cell).split()[-1]))
            found["taggedartifacts, in a loop of 1,000"] = json.loads(kernel.run(LOOP))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
