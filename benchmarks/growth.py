"""Growth: ``python growth.py <rounds> <most artifacts>``, in the project; prints what it measured as JSON.

A directory is filled with artifacts and their records up to the number given, and a hit among them is timed at each
power of ten, with `versions` of one name that has ten artifacts. Then so many hits that memory would show if it grew.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import work_taggedartifacts
from timing import interleaved, resident

from taggedartifacts import versions

HITS = 100_000
DISTINCT = 6000  # more than anything that is remembered may hold


def main(rounds: int, most: int) -> None:
    work = work_taggedartifacts
    folder, records = Path("figures"), Path("figures/.taggedartifacts/records")
    for number in range(10):
        work.call(f"penguins-{number}.csv")
        work.histogram(f"penguins-{number}.csv", outpath="few/hist.png")
    there = len(os.listdir(folder))
    found: dict[str, dict[str, list[float]]] = {}
    count = 10
    while count <= most:
        while there < count:
            name = f"other{there % 50}-1a2b3c4d5e-{there:012x}.png"
            for path in (folder / name, records / f"{name}.json"):
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
            there += 1
        hits = {
            "hit": lambda: work.call("penguins-1.csv"),
            "hit among 10": lambda: work.histogram("penguins-1.csv", outpath="few/hist.png"),
        }
        # Not in the same rounds: a listing of a million names leaves the processor's caches to whoever comes next.
        lists = {
            "versions": lambda: versions("figures/hist.png"),
            "os.listdir": lambda: os.listdir("figures"),
        }
        found[str(count)] = interleaved(hits, rounds=rounds, seconds=0.004)
        found[str(count)] |= interleaved(lists, rounds=rounds // 4, seconds=0.004)
        count *= 10
    json.dump({"growth": found, "memory": memory()}, sys.stdout)


def memory() -> dict[str, list[int]]:
    """Measure the resident memory, in bytes, as hits go by: of one artifact, and of many in turn."""
    work = work_taggedartifacts

    @work.Artifact(keyword="outpath", allow_dirty=True)
    def small(number, outpath):
        Path(outpath).touch()

    found: dict[str, list[int]] = {"hits of one artifact": [], "hits of 6,000 in turn": []}
    for number in range(DISTINCT):
        small(number, outpath="many/small.txt")
    for label, distinct in zip(found, (1, DISTINCT), strict=True):
        for number in range(HITS + 1):
            if number % (HITS // 5) == 0:
                found[label].append(resident(os.getpid()))
            small(number % distinct, outpath="many/small.txt")
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
