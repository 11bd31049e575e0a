"""The first hit of a process, after its imports: ``python first_hit.py``, in the project; prints seconds as JSON.

The floor is what no first hit can do without: two stats, and reading and parsing the record. It is timed on another
artifact's record, so that both find their code as cold.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import time

from work_taggedartifacts import call, histogram

from taggedartifacts import config_hash

FOLDER = "figures/.taggedartifacts/records"
OTHER, TABLE = "penguins-0.csv", "penguins-1.csv"


def main() -> None:
    record = next(f"{FOLDER}/{name}" for name in os.listdir(FOLDER) if OTHER in open(f"{FOLDER}/{name}").read())  # noqa: SIM115
    path = f"figures/{os.path.basename(record)[:-5]}"
    signature = inspect.signature(histogram)
    start = time.perf_counter()
    os.lstat(record)
    os.stat(path)
    descriptor = os.open(record, os.O_RDONLY)
    text = os.read(descriptor, 1 << 20)
    os.close(descriptor)
    json.loads(text)
    floor = time.perf_counter()
    signature.bind(TABLE, outpath="figures/hist.png").apply_defaults()
    bound = time.perf_counter()
    config_hash({"config": {"bins": 40}, "arguments": {"table": OTHER}})
    hashed = time.perf_counter()
    call(TABLE)
    done = time.perf_counter()
    seconds = {"floor": floor - start, "binding": bound - floor, "hashing": hashed - bound, "first hit": done - hashed}
    json.dump(seconds, sys.stdout)


if __name__ == "__main__":
    main()
