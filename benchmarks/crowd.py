"""A crowd: ``python crowd.py <tool> <table>``, in the project, is one of many processes that call at once.

Says that it is ready, reads the moment at which to call (of the clock that all processes share), calls, and prints when
it was done as JSON. Then it stays until all are done: an interpreter takes tens of milliseconds to end, and sixteen of
them on two cores would keep those that have not yet returned from the processor. `gather` starts them and counts how
often the function ran.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from project import HERE, MODULES

if TYPE_CHECKING:
    from pathlib import Path

PROCESSES = 16
MANY = 64  # of our own only
SECONDS = 1.0  # that the function takes
PATIENCE = 20.0  # seconds, after which what has not returned is given up


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


def gather(project: Path, tool: str, table: str, processes: int = PROCESSES) -> dict[str, float]:
    """Let the processes call at once.

    Returns:
        How often the function ran; how many processes did not return; in seconds, how long after the first of them the
        middle one and the last one were done, and how much of the processor the middle one took; and, for our own, how
        long after the artifact got its name the middle one and the last one of those that waited were done.
    """
    ran = project / "ran.txt"
    ran.unlink(missing_ok=True)
    environment = os.environ | {"PYTHONPATH": f"{project}{os.pathsep}{HERE}"}
    command = [sys.executable, str(HERE / "crowd.py"), tool, table]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    crowd = [subprocess.Popen(command, cwd=project, env=environment, **pipes) for _ in range(processes)]
    for process in crowd:
        process.stdout.readline()
    moment = time.monotonic() + 0.5
    for process in crowd:
        process.stdin.write(f"{moment}\n")
        process.stdin.flush()
    said, missing = [], 0
    for process in crowd:
        left = max(0.1, moment + PATIENCE - time.monotonic())
        if select.select([process.stdout], [], [], left)[0]:
            said.append(json.loads(process.stdout.readline()))
        else:
            missing += 1
            process.kill()
    for process in crowd:
        process.communicate()
    done = sorted(each["done"] for each in said) or [0.0]
    processor = sorted(each["processor"] for each in said) or [0.0]
    found = {
        "runs": len(ran.read_text().splitlines()),
        "missing": missing,
        "late": max((each["late"] for each in said), default=0.0),
        "median waiter": done[len(done) // 2] - done[0],
        "last waiter": done[-1] - done[0],
        "processor": processor[len(processor) // 2],
    }
    if named := [each["named"] for each in said if each["named"]]:
        waited = sorted(each["done"] - named[0] for each in said if not each["named"])
        found |= {"median woken": waited[len(waited) // 2], "last woken": waited[-1]}
    return found


def main(tool: str, table: str) -> None:
    work = importlib.import_module(f"slow_{tool}")
    named = _watched_names() if tool == "taggedartifacts" else []
    print("ready", flush=True)
    moment = float(sys.stdin.readline())
    late = max(0.0, time.monotonic() - moment)
    time.sleep(max(0.0, moment - time.monotonic()))
    before = time.process_time()
    work.call(table)
    done, processor = time.monotonic(), time.process_time() - before
    said = {"done": done, "processor": processor, "late": late, "named": max(named, default=None)}
    print(json.dumps(said), flush=True)
    sys.stdin.read()


def _watched_names() -> list[float]:
    """Note when an artifact gets its name in this process; a record's name comes before it and lies elsewhere."""
    named, replace = [], os.replace

    def watched(source: str, target: str) -> None:
        replace(source, target)
        if ".taggedartifacts" not in os.path.normpath(target).split(os.sep):
            named.append(time.monotonic())

    os.replace = watched
    return named


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
