"""Load: ``python benchmarks/load.py [PART ...] [--hits N] [--reloads N] [--size BYTES] [--files N]``; prints a table.

What grows when it should not, and what large work costs beside ``cp`` and ``sha256sum``: memory over hits with distinct
arguments, over arguments of 1 MB, over edits and reloads of a module, and over a day of cells in one kernel; then a
large artifact, a directory of many files, and many input files. Each part has a process of its own; all of them run
where none is named. The defaults are small; the full load is::

    python benchmarks/load.py --hits 1000000 --reloads 500 --size 5000000000 --files 200000
"""

from __future__ import annotations

import argparse
import importlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from project import commit, git
from timing import resident

from taggedartifacts._hashing import hexdigest
from taggedartifacts._store.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable

WORK = """
from pathlib import Path
from taggedartifacts import Artifact

@Artifact("outpath", allow_dirty=True)
def small(x, outpath):
    Path(outpath).touch()

@Artifact("outpath", allow_dirty=True, ignore=("x",))
def ignoring(x, outpath):
    Path(outpath).touch()

@Artifact("outpath", allow_dirty=True)
def large(size, outpath):
    block = bytes(range(256)) * 4096
    with open(outpath, "wb") as file:
        for _ in range(size // len(block)):
            file.write(block)

@Artifact("outpath", allow_dirty=True)
def many(files, outpath):
    for number in range(files):
        with open(f"{outpath}/{number}", "w") as file:
            file.write(str(number))

@Artifact("outpath", inputs=("source",), allow_dirty=True)
def reads(source, outpath):
    Path(outpath).touch()
"""


def timed(name: str, work: Callable[[], object]) -> None:
    """Print how long something takes, of which the processor works for it, and the most memory so far."""
    before, began = processor(), time.perf_counter()
    peak = work()
    took, worked = time.perf_counter() - began, processor() - before
    most = peak if isinstance(peak, float) else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{name:42} {took:10.3f} s, {worked:10.3f} s of a processor, at most {most:,.0f} MB", flush=True)


def processor() -> float:
    """The seconds that this process and its children have had of a processor."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def command(*words: str) -> Callable[[], float]:
    """Run a command; the most memory that it had, in MB. What rusage says of a child counts its parent's, too."""

    def work() -> float:
        most = 0
        with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                with open(f"/proc/{process.pid}/status") as file:
                    most = max([most, *(int(line.split()[1]) for line in file if line.startswith("VmHWM"))])
                time.sleep(0.01)
        assert process.returncode == 0
        return most / 1e3

    return work


def growth(name: str, count: int, work: Callable[[int], object], pid: int | None = None) -> None:
    """Print the resident memory after 1, 10, 100 … repetitions, and after all of them."""
    marks = dict.fromkeys([*(10**power for power in range(len(str(count)))), count], 0.0)
    before, began = processor(), time.perf_counter()
    for number in range(1, count + 1):
        work(number)
        if number in marks:
            marks[number] = resident(pid or os.getpid()) / 1e6
    each, worked = (time.perf_counter() - began) / count, (processor() - before) / count
    print(
        f"{name:42} {each * 1e6:10.1f} µs, {worked * 1e6:10.1f} µs of a processor, "
        + ", ".join(f"{at:,}: {size:,.1f} MB" for at, size in marks.items()),
        flush=True,
    )


def hits(work, count: int) -> None:
    """Hits with distinct arguments, ignored ones and such that count."""
    work.ignoring(0, "hits/ignoring.txt")
    growth(f"{count:,} hits, distinct ignored ones", count, lambda number: work.ignoring(number, "hits/ignoring.txt"))
    path = work.small(0, "hits/f.txt")
    record = path.parent / ".taggedartifacts" / "records" / f"{path.name}.json"
    text = record.read_bytes()
    known = Record.from_json(text)

    def distinct(number: int) -> None:
        # Put there rather than made: a million misses would be an hour of flushes.
        other = work.small.path(number, "hits/f.txt")
        if not other.exists():
            other.touch()  # no link, of which a file can have 65,000
            os.utime(other, ns=(known.mtime_ns, known.mtime_ns))
            canonical = known.canonical.replace('"x":0', f'"x":{number}')
            config_hash = hexdigest(canonical.encode())
            names = {"artifact": other.name, "outputs": (other.name,)}
            stored = replace(known, canonical=canonical, config_hash=config_hash, **names)
            record.with_name(f"{other.name}.json").write_bytes(stored.to_json())
        work.small(number, "hits/f.txt")

    growth(f"{count:,} hits with distinct arguments", count, distinct)
    assert text == record.read_bytes()


def arguments(work) -> None:
    """Arguments of 1 MB."""
    growth("300 arguments of 1 MB, made", 300, lambda number: work.small(f"{number:06}" * 170_000, "large/f.txt"))
    growth("300 arguments of 1 MB, hit", 300, lambda number: work.small(f"{number:06}" * 170_000, "large/f.txt"))


def reloads(work, count: int) -> None:
    """Edits and reloads of a module, and a day of cells: both edited and run again in one kernel."""

    def reload(number: int) -> None:
        Path("work.py").write_text(f"{WORK}\nVERSION = {number}\n")
        importlib.invalidate_caches()
        importlib.reload(work).small.path(number, "hits/f.txt")

    growth(f"{count} edits and reloads", count, reload)


def cells(count: int) -> None:
    """A day of cells: in one kernel a module is edited and reloaded, and a cell that defines a function is edited."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", extra_arguments=["--HistoryManager.enabled=False"])
    try:
        pid = manager.provisioner.process.pid

        def cell(number: int) -> None:
            Path("work.py").write_text(f"{WORK}\nVERSION = {number}\n")
            text = (
                "import importlib, sys, work; importlib.invalidate_caches(); importlib.reload(work)\n"
                f"work.small({number}, 'cells/module.txt')\n"
                "@work.Artifact('outpath', allow_dirty=True)\n"
                f"def here(x, outpath):\n    work.Path(outpath).write_text(str(x + {number}))\n"
                f"here({number}, 'cells/cell.txt')\n"
            )
            reply = client.execute_interactive(text, output_hook=lambda _: None, timeout=60)
            assert reply["content"]["status"] == "ok", reply["content"]

        growth(f"{count} edits, reloads and cells in a kernel", count, cell, pid)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def large(work, size: int) -> None:
    """What a large artifact costs, beside what only copies or only reads it."""
    timed(f"make {size:,} bytes", lambda: work.large(size, "out/large"))
    path = os.fspath(work.large.path(size, "out/large"))
    timed("  hit", lambda: work.large(size, "out/large"))
    timed("  cp", command("cp", path, "copy"))
    timed("  sha256sum", command("sha256sum", path))


def many(work, files: int) -> None:
    """What a directory of many files costs."""
    timed(f"make a directory of {files:,} files", lambda: work.many(files, "out/many/"))
    directory = os.fspath(work.many.path(files, "out/many/"))
    timed("  hit", lambda: work.many(files, "out/many/"))
    timed("  cp -r", command("cp", "-r", directory, "copies"))


def inputs(work, files: int) -> None:
    """What many input files cost."""
    Path("copies").mkdir()
    for number in range(files):
        Path("copies", str(number)).write_text(str(number))
    timed(f"{files:,} input files, first", lambda: work.reads("copies", "out/read"))
    time.sleep(2.6)  # younger files are read again, as their times do not vouch for them
    timed("  again", lambda: work.reads("copies", "out/read"))
    timed("  and again", lambda: work.reads("copies", "out/read"))
    timed("  sha256sum", command("sh", "-c", "find copies -type f -print0 | xargs -0 sha256sum"))


PARTS: dict[str, Callable[..., None]] = {
    "hits": lambda work, options: hits(work, options.hits),
    "arguments": lambda work, options: arguments(work),
    "reloads": lambda work, options: reloads(work, options.reloads),
    "cells": lambda work, options: cells(options.reloads),
    "large": lambda work, options: large(work, options.size),
    "many": lambda work, options: many(work, options.files),
    "inputs": lambda work, options: inputs(work, options.files),
}


def run(part: str, options: argparse.Namespace) -> None:
    """Run one part, in a repository of its own."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("work.py").write_text(WORK)
        git(Path(folder), "init", "-q")
        commit(Path(folder))
        sys.path.insert(0, folder)
        sys.dont_write_bytecode = True
        PARTS[part](importlib.import_module("work"), options)
        os.chdir("/")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}")
    for name, default in (("hits", 20_000), ("reloads", 50), ("size", 50_000_000), ("files", 2_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    if len(options.parts) == 1:
        run(options.parts[0], options)
        return
    for part in options.parts or PARTS:
        subprocess.run(
            [sys.executable, __file__, part, *(word for word in sys.argv[1:] if word not in PARTS)], check=True
        )


if __name__ == "__main__":
    main()
