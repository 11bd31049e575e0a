"""Repeated hits in one process: ``python hits.py <rounds>``, in the project; prints seconds for a call as JSON."""

from __future__ import annotations

import importlib
import json
import os
import sys

from project import TOOLS
from timing import interleaved

TABLE = "penguins.csv"


def main(rounds: int) -> None:
    calls = {tool: importlib.import_module(f"work_{tool}").call for tool in TOOLS}
    made = os.fspath(calls["taggedartifacts"](TABLE))
    record = f"figures/.taggedartifacts/records/{os.path.basename(made)}.json"
    calls = {tool: lambda call=call: call(TABLE) for tool, call in calls.items()}
    calls["two stats"] = lambda: (os.lstat(record), os.stat(made))
    json.dump(interleaved(calls, rounds=rounds, seconds=0.004), sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
