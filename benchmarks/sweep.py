"""A sweep that finds other artifacts each time: ``python sweep.py <tool> <count>``, in the project; prints JSON.

Run it once to make them all, and then as often as it is to be measured, each time in a fresh process: the seconds for a
call, the mean of all.
"""

from __future__ import annotations

import importlib
import json
import sys
import time


def main(tool: str, count: int) -> None:
    call = importlib.import_module(f"work_{tool}").call
    call("first.csv")  # with the imports that wait for it
    tables = [f"penguins-{i}.csv" for i in range(count)]
    start = time.perf_counter()
    for table in tables:
        call(table)
    json.dump({tool: (time.perf_counter() - start) / count}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
