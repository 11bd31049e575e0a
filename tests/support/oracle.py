"""What runs inside of a session: calls a decorated function, and asks the undecorated one what it would write now."""

import asyncio
import concurrent.futures
import inspect
import json
import os
import sys
import tempfile
from pathlib import Path

from taggedartifacts._errors import TaggedArtifactsError

_KEPT = {"In", "Out", "get_ipython", "exit", "quit", "open"}


def begin():
    """Forget what the cells before have defined."""
    space = vars(sys.modules["__main__"])
    for name in [name for name in space if not name.startswith("_") and name not in _KEPT]:
        del space[name]


def check(stem, *args, restore=""):
    """Call the function `f` of the session; print what came of it, and what it would write now, as JSON."""
    space = vars(sys.modules["__main__"])
    path = Path("out", stem, "made.txt")
    before = {each: each.stat().st_mtime_ns for each in path.parent.glob("made-*")}
    seen = {"error": None}
    try:
        made = _value(space["f"](*_placed(space["f"], path, args)))
        made = Path(made)
        seen |= {
            "name": made.name,
            "hit": before.get(made) == made.stat().st_mtime_ns,
            "content": made.read_text(),
        }
    except TaggedArtifactsError as error:
        seen["error"] = f"{type(error).__name__}: {error}"[:400]
    exec(restore, space)
    with tempfile.TemporaryDirectory() as folder:
        now = os.path.join(folder, "now.txt")
        try:
            _value(
                inspect.unwrap(space["f"], stop=lambda g: not hasattr(g, "recompute"))(*_placed(space["f"], now, args))
            )
            seen["now"] = Path(now).read_text()
        except Exception as error:
            seen["now"] = f"raised {type(error).__name__}: {error}"
    exec(restore, space)
    print(json.dumps(seen))


def _placed(function, path, args):
    names = list(inspect.signature(function).parameters)
    return [*args, path] if names[0] == "self" else [path, *args]


def _value(result):
    if not inspect.isawaitable(result):
        return result
    with concurrent.futures.ThreadPoolExecutor() as pool:  # the session has a loop that is running
        return pool.submit(asyncio.run, _waited(result)).result()


async def _waited(result):
    return await result
