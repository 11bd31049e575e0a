"""What the functions over records cost as a folder fills up: ``python benchmarks/bench_history.py [most artifacts]``.

Prints medians and 95th percentiles in milliseconds. The listing of the directory is the floor of what `versions` can
cost; it is timed in the same run.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from taggedartifacts import compare, prune, record, verify, versions
from taggedartifacts._folder import Folder
from taggedartifacts._hashing import hexdigest
from taggedartifacts._record import Record
from taggedartifacts._tag import tagged_name

if TYPE_CHECKING:
    from collections.abc import Callable

OF_A_NAME = 10


def put(folder: Path, name: str, number: int) -> Path:
    canonical = f'{{"arguments":{{"number":{number}}},"config":{{"bins":40}}}}'
    known = Record(
        artifact=name,
        kind="file",
        function="plots.py::histogram",
        commit="1a2b3c4d5e" * 4,
        dirty=None,
        config_hash=hexdigest(canonical.encode()),
        canonical=canonical,
        run="0" * 16,
        outputs=(name,),
        started=f"2026-01-02T03:04:05.{number:06}+00:00",
        seconds=1.0,
        size=0,
        mtime_ns=0,
        digest=hexdigest(b""),
        python="3.11.7",
        platform="Linux",
        host="here",
        packages={f"package{i}": "1.0" for i in range(20)},
    )
    path = folder / tagged_name(name, known.identity.tag)
    path.touch()
    status = path.stat()
    final = replace(known, artifact=path.name, outputs=(path.name,), mtime_ns=status.st_mtime_ns)
    Path(Folder(str(folder)).record(path.name)).write_bytes(final.to_json())
    return path


def timed(label: str, call: Callable[[], object], times: int) -> None:
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    seconds.sort()
    print(f"  {label:44} {statistics.median(seconds) * 1e3:10.2f} {seconds[int(times * 0.95)] * 1e3:10.2f}")


def main(most: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Folder(name).make()
        ours = [put(folder, "hist.png", number) for number in range(OF_A_NAME)]
        there = OF_A_NAME
        count = 100
        while count <= most:
            while there < count:
                put(folder, f"other{there % 50}.png", there)
                there += 1
            print(f"{count:,} artifacts in the folder, {OF_A_NAME} of the name asked for:   median        p95  (ms)")
            timed("os.listdir", lambda: os.listdir(name), 20)
            timed("versions", lambda: versions(folder / "hist.png"), 20)
            timed("record", lambda: record(ours[0]), 100)
            timed("compare", lambda: compare(ours[0], ours[1]), 50)
            timed("verify, one name", lambda: verify(folder / "hist.png"), 20)
            timed("prune, one name, dry run", lambda: prune(folder / "hist.png", keep=2), 20)
            if count <= 10_000:
                timed("verify, whole folder", lambda: verify(folder), 3)
                timed("prune, whole folder, dry run", lambda: prune(folder, keep=2), 3)
            count *= 10


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
