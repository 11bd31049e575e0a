"""What the functions over records cost as a folder fills up: ``python history.py <rounds> <most artifacts>``.

Prints seconds as JSON. The listing of the directory is the floor of what `versions` can cost.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from timing import interleaved

from taggedartifacts import compare, prune, record, verify, versions
from taggedartifacts._hashing import hexdigest
from taggedartifacts._store.folder import Folder
from taggedartifacts._store.record import Record
from taggedartifacts._tag import tagged_name

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
    path = folder / tagged_name(name, known.key.digits)
    path.touch()
    status = path.stat()
    final = replace(known, artifact=path.name, outputs=(path.name,), mtime_ns=status.st_mtime_ns)
    Path(Folder(str(folder)).record(path.name)).write_bytes(final.to_json())
    return path


def main(rounds: int, most: int) -> None:
    found = {}
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
            calls = {
                "os.listdir": lambda: os.listdir(name),
                "versions of a name that has ten": lambda: versions(folder / "hist.png"),
                "record": lambda: record(ours[0]),
                "compare": lambda: compare(ours[0], ours[1]),
                "verify of a name that has ten": lambda: verify(folder / "hist.png"),
                "prune of a name that has ten, dry run": lambda: prune(folder / "hist.png", keep=2),
            }
            if count <= 10_000:
                calls["verify of the folder"] = lambda: verify(folder)
                calls["prune of the folder, dry run"] = lambda: prune(folder, keep=2)
            found[str(count)] = interleaved(calls, rounds=rounds, seconds=0.0)
            count *= 10
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
