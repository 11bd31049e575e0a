"""What a hit costs in a notebook: ``python benchmarks/bench_notebook.py [files]``, in a kernel of its own.

A repository of so many files (1,000 by default) is made in a temporary directory, and a function from a cell, with a
helper and a constant, is called: as the first of its cell, when the repository is looked at, and in a loop.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from gitrepo import GitRepo
from kernel import Kernel

DEFINITIONS = """
import time
from taggedartifacts import Artifact

N = 1

def helper(x):
    return x + N

@Artifact("out")
def count(x, out):
    with open(out, "w") as file:
        file.write(str(helper(x)))
"""
TIMED = "clock = time.perf_counter()\ncount(1, out='out.txt')\nprint(time.perf_counter() - clock)"
LOOP = """
times = []
for _ in range(1000):
    clock = time.perf_counter()
    count(1, out='out.txt')
    times.append(time.perf_counter() - clock)
print(times)
"""


def main(files: int) -> None:
    """Measure, and print medians and 95th percentiles in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        repo = GitRepo(Path(folder) / "repo")
        for number in range(files):
            repo.write(f"package{number % 20}/module{number}.py", "x = 1\n")
        repo.write("work.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": DEFINITIONS}]}))
        repo.write(".gitignore", "/out*\n")
        repo.commit()
        with Kernel(repo) as kernel:
            kernel.run(DEFINITIONS, "count(1, out='out.txt')")
            firsts = [float(kernel.run(TIMED)) for _ in range(50)]
            loop = json.loads(kernel.run(LOOP))
    for name, times in (("first of its cell", firsts), ("in a loop of 1,000", loop)):
        median, high = statistics.median(times) * 1e3, statistics.quantiles(times, n=20)[-1] * 1e3
        print(f"hit in a notebook, {files} files, {name}: median {median:.2f} ms, p95 {high:.2f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
