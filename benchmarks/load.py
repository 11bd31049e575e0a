"""Load: ``python benchmarks/load.py [--hits N] [--reloads N] [--size BYTES] [--files N]``; prints a table.

What grows when it should not, and what large work costs beside ``cp`` and ``sha256sum``: memory over hits with distinct
arguments, over arguments of 1 MB, and over edits and reloads of a module; then a large artifact, a directory of many
files, and many input files. The defaults are small; the full load is::

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


def resident() -> float:
    """The resident memory, in MB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def timed(name: str, work: Callable[[], object]) -> None:
    """Print how long something takes, and the most memory so far."""
    began = time.perf_counter()
    work()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{name:42} {time.perf_counter() - began:10.3f} s   at most {most:,.0f} MB")


def command(*words: str) -> Callable[[], object]:
    return lambda: subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def growth(name: str, count: int, work: Callable[[int], object]) -> None:
    """Print the resident memory after a tenth of the repetitions, a half, and all of them."""
    marks = {count // 10: 0.0, count // 2: 0.0, count: 0.0}
    began = time.perf_counter()
    for number in range(1, count + 1):
        work(number)
        if number in marks:
            marks[number] = resident()
    each = (time.perf_counter() - began) / count
    print(f"{name:42} {each * 1e6:10.1f} µs  " + ", ".join(f"{at:,}: {size:,.0f} MB" for at, size in marks.items()))


def memory(work, hits: int, reloads: int) -> None:
    """What must stay flat."""
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

    growth(f"{hits:,} hits with distinct arguments", hits, distinct)
    growth("300 arguments of 1 MB, made", 300, lambda number: work.small(f"{number:06}" * 170_000, "large/f.txt"))
    growth("300 arguments of 1 MB, hit", 300, lambda number: work.small(f"{number:06}" * 170_000, "large/f.txt"))
    assert text == record.read_bytes()

    def reload(number: int) -> None:
        Path("work.py").write_text(f"{WORK}\nVERSION = {number}\n")
        importlib.invalidate_caches()
        importlib.reload(work).small.path(number, "hits/f.txt")

    growth(f"{reloads} edits and reloads", reloads, reload)


def sizes(work, size: int, files: int) -> None:
    """What large work costs, beside what only copies or only reads it."""
    timed(f"make {size:,} bytes", lambda: work.large(size, "out/large"))
    path = os.fspath(work.large.path(size, "out/large"))
    timed("  hit", lambda: work.large(size, "out/large"))
    timed("  cp", command("cp", path, "copy"))
    timed("  sha256sum", command("sha256sum", path))
    timed(f"make a directory of {files:,} files", lambda: work.many(files, "out/many/"))
    directory = os.fspath(work.many.path(files, "out/many/"))
    timed("  hit", lambda: work.many(files, "out/many/"))
    timed("  cp -r", command("cp", "-r", directory, "copies"))
    timed(f"{files:,} input files, first", lambda: work.reads("copies", "out/read"))
    time.sleep(2.6)  # younger files are read again, as their times do not vouch for them
    timed("  again", lambda: work.reads("copies", "out/read"))
    timed("  and again", lambda: work.reads("copies", "out/read"))
    timed("  sha256sum", command("sh", "-c", "find copies -type f -print0 | xargs -0 sha256sum"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("hits", 20_000), ("reloads", 50), ("size", 50_000_000), ("files", 2_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("work.py").write_text(WORK)
        for words in (
            ["init", "-q"],
            ["add", "work.py"],
            ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"],
        ):
            subprocess.run(["git", *words], check=True)
        sys.path.insert(0, folder)
        sys.dont_write_bytecode = True
        work = importlib.import_module("work")
        sizes(work, options.size, options.files)
        memory(work, options.hits, options.reloads)
        os.chdir("/")


if __name__ == "__main__":
    main()
