"""A crowd: ``python crowd.py <tool> <table> <moment>``, in the project, is one of many processes that call at once.

Waits for the moment (of the clock that all processes share), calls, and prints when it was done as JSON. `gather`
starts them and counts how often the function ran.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from project import HERE, MODULES

if TYPE_CHECKING:
    from pathlib import Path

PROCESSES = 16
SECONDS = 1.0  # that the function takes: longer than the processes need to arrive


def modules() -> dict[str, str]:
    """The modules of the project with a function that takes its time, and notes that it ran and when it was done."""
    slow = f"""
import os, time
def note():
    time.sleep({SECONDS})
    with open("ran.txt", "a") as file:
        file.write(f"{{os.getpid()}} {{time.monotonic()}}\\n")
"""
    found = {}
    for tool, source in MODULES.items():
        head, _, tail = source.partition("def histogram")
        line, _, body = tail.partition("\n")
        found[f"slow_{tool}"] = f"{slow}{head}def histogram{line}\n    note()\n{body}"
    return found


def gather(project: Path, tool: str, table: str) -> dict[str, float]:
    """Let the processes call at once.

    Returns:
        How often the function ran, and, in seconds, how long after the first process the last one was done.
    """
    ran = project / "ran.txt"
    ran.unlink(missing_ok=True)
    moment = time.monotonic() + 6
    environment = os.environ | {"PYTHONPATH": f"{project}{os.pathsep}{HERE}"}
    command = [sys.executable, str(HERE / "crowd.py"), tool, table, str(moment)]
    crowd = [
        subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    said = [json.loads(process.communicate()[0]) for process in crowd]
    done = sorted(each["done"] for each in said)
    return {
        "runs": len(ran.read_text().splitlines()),
        "late": max(each["late"] for each in said),
        "median waiter": done[len(done) // 2] - done[0],
        "last waiter": done[-1] - done[0],
    }


def main(tool: str, table: str, moment: float) -> None:
    work = importlib.import_module(f"slow_{tool}")
    late = max(0.0, time.monotonic() - moment)
    time.sleep(max(0.0, moment - time.monotonic()))
    work.call(table)
    json.dump({"done": time.monotonic(), "late": late}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
