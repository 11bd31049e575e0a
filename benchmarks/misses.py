"""Misses: what a call costs beyond the function that it runs: ``python misses.py <what> <rounds>``, in the project.

Each round times the bare function, the function followed by an fsync of what it wrote, a call that makes an artifact,
and joblib keeping the same bytes. Prints seconds as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import joblib

from taggedartifacts import Artifact

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = os.urandom(1 << 20)
FILES = 1000
SIZES = {"1 KB": 1000, "1 MB": 10**6, "100 MB": 10**8, "1 GB": 10**9, "1,000 files": 1000}


def write(path: str, size: int) -> None:
    with open(path, "wb", buffering=0) as file:
        while size > 0:
            size -= file.write(CHUNK[:size])


def write_all(path: str, what: str) -> None:
    """The function that is measured: write so many bytes, or so many files of 1 KB."""
    if what == "1,000 files":
        os.makedirs(path, exist_ok=True)
        for number in range(FILES):
            write(os.path.join(path, f"{number}.bin"), SIZES[what])
    else:
        write(path, SIZES[what])


def sync(path: str) -> None:
    names = [os.path.join(path, name) for name in os.listdir(path)] if os.path.isdir(path) else []
    for name in (*names, path, os.path.dirname(path)):
        descriptor = os.open(name, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


@Artifact(keyword="outpath", allow_dirty=True)
def make(number: int, what: str, outpath: str) -> None:
    write_all(outpath, what)


def timed(call: Callable[[], object]) -> float:
    os.sync()  # so that nobody pays for what another one wrote
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main(what: str, rounds: int) -> None:
    folder = Path("misses").absolute()
    folder.mkdir(exist_ok=True)
    memory = joblib.Memory(folder / "joblib-cache", verbose=0)

    @memory.cache
    def keep(number: int, what: str) -> bytes:
        return CHUNK[: SIZES[what]] if SIZES[what] <= len(CHUNK) else CHUNK * (SIZES[what] // len(CHUNK))

    samples: dict[str, list[float]] = {"bare function": [], "bare function, fsync": [], "taggedartifacts": []}
    with_joblib = what not in ("1,000 files", "1 GB")
    if with_joblib:
        samples["joblib"] = []
    bare = str(folder / "bare")
    path = f"{folder}/made" + ("/" if what == "1,000 files" else "")
    for number in range(rounds + 1):  # the first round imports what a miss needs, and is not counted
        seconds = {"bare function": timed(lambda: write_all(bare, what))}
        _remove(bare)
        seconds["bare function, fsync"] = timed(lambda: (write_all(bare, what), sync(bare)))
        _remove(bare)
        seconds["taggedartifacts"] = timed(lambda n=number: make(n, what, outpath=path))
        if with_joblib:
            seconds["joblib"] = timed(lambda n=number: keep(n, what))
        _remove(make.path(number, what, outpath=path))
        if number:
            for name, value in seconds.items():
                samples[name].append(value)
    json.dump(samples, sys.stdout)


def _remove(path: str | Path) -> None:
    if os.path.isdir(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
