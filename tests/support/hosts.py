"""What a host does in a shared folder: run in a kernel of its own, in that folder; says what came of it as JSON."""

import errno
import json
import logging
import os
import sys
import time
from collections import Counter
from pathlib import Path

import storms
import xxhash

from taggedartifacts import ArtifactModifiedError, LockTimeoutError, record

RUNS = []  # the outputs for which a function ran here
SAID = []  # what the library logged


class Ear(logging.Handler):
    def emit(self, record):
        SAID.append((record.levelname, record.getMessage()))


def listen():
    """Note which functions run and what the library says."""
    import work

    fill = work.fill

    def noting(path, token):
        RUNS.append(os.path.basename(path))
        fill(path, token)

    work.fill = noting
    logging.getLogger("taggedartifacts").addHandler(Ear())
    logging.getLogger("taggedartifacts").setLevel(logging.INFO)


def warnings():
    return [text for level, text in SAID if level == "WARNING" and not text.startswith("waiting for")]


def together(moment):
    """Begin when the others begin, as the clock of their common machine says."""
    time.sleep(max(0.0, float(moment) - time.time()))


def tokens(paths):
    """Read the tokens of an artifact of any shape; one for each output."""
    return [storms.token(path / "a" if path.is_dir() else path) for path in paths]


def many(count, moment):
    """Call for many artifacts at once with another host; what was made and reused here, and what all of them hold."""
    import work

    work.file(f"out/warm-{os.uname().nodename}.txt")
    RUNS.clear()
    together(moment)
    made = []
    without = mismatched = 0
    for number in range(int(count)):
        path = work.file(f"out/file{number}.txt")
        made.append(storms.token(path))
        try:
            mismatched += record(path).digest != xxhash.xxh3_128_hexdigest(path.read_bytes())
        except FileNotFoundError:
            without += 1
    reused = sum(text.startswith("reused") and "/file" in text for _, text in SAID)
    counts = {"made": len(RUNS), "reused": reused, "without record": without, "mismatched": mismatched}
    return {**counts, "tokens": made, "warnings": warnings()}


def replace(shape, moment, seconds):
    """Recompute an artifact again and again; how often."""
    storms.call(shape)
    together(moment)
    end, count = time.monotonic() + float(seconds), 0
    while time.monotonic() < end:
        storms.call(shape, recompute=True)
        count += 1
    return {"count": count, "warnings": warnings()}


def read(shape, moment, seconds):
    """Reuse and read an artifact again and again while another host replaces it; what was seen."""
    storms.call(shape)
    RUNS.clear()
    together(moment)
    end, counts, seen, wrong = time.monotonic() + float(seconds), Counter(), set(), []
    while time.monotonic() < end:
        counts["calls"] += 1
        try:
            paths = storms.call(shape)
        except Exception as error:
            wrong.append(f"{type(error).__name__}: {error}")
            continue
        try:
            seen.update(tokens(paths))  # which fails if it is half or mixed
        except OSError as error:  # replaced since: the reader's to handle, not the library's
            counts[errno.errorcode[error.errno]] += 1
    return {**counts, "seen": len(seen), "runs": len(RUNS), "wrong": wrong[:3], "warnings": warnings()}


def hang(shape, recompute, at):
    """Call and stop for good: while the function runs, or before the *at*-th time that a name is changed; say so."""
    import work

    if int(recompute):
        storms.call(shape)
    left = [int(at)]

    def stop(*_):
        Path("hangs").touch()
        time.sleep(1000)

    def count(event, arguments):
        if event == "os.rename" and "out/" in str(arguments[0]):
            left[0] -= 1
            if left[0] == 0:
                stop()

    if left[0]:
        sys.addaudithook(count)
    else:
        work.fill = stop
    storms.call(shape, recompute=bool(int(recompute)))


def follow(shape):
    """Call after another host has died; how long it took, what the library said, and what is there."""
    began = time.monotonic()
    paths = storms.call(shape)
    seconds = time.monotonic() - began
    storms.check()
    return {"seconds": seconds, "made": len(RUNS), "tokens": tokens(paths), "warnings": warnings()}


def impatient(shape):
    """Call, and wait for no longer than its timeout says; what the error says."""
    import work

    try:
        getattr(work, shape)(*storms.OUTPUTS[shape[len("impatient_") :]])
    except LockTimeoutError as error:
        return str(error)
    raise AssertionError("nobody holds the lock")


def hold_open(shape):
    """Replace an artifact while it is open here; what was left over then and later, and what was read."""
    [path] = storms.call(shape)
    with open(path / "a") as file:
        old = storms.token(path / "a")
        storms.call(shape, recompute=True)
        left = len(storms.left_over())
        reads = file.readline().strip()
    storms.call(shape, recompute=True)
    new = storms.token(path / "a")
    return {"left": left, "left later": len(storms.left_over()), "old": old, "reads": reads, "new": new}


def edit(shape, moment):
    """Edit an artifact in place at a moment, as a user would; when that was done."""
    [path] = storms.call(shape)
    together(moment)
    with open(path, "a") as file:
        file.write("edited\n")
    return {"at": time.time()}


def look(shape, seconds):
    """Reuse an artifact again and again until the library says that it was changed; when it said so."""
    end = time.time() + float(seconds)
    while time.time() < end:
        try:
            storms.call(shape)
        except ArtifactModifiedError:
            return {"at": time.time()}
        time.sleep(0.1)
    raise AssertionError("nobody saw the change")


DOES = {each.__name__: each for each in (many, read, replace, hang, follow, impatient, hold_open, edit, look)}

if __name__ == "__main__":
    sys.path.insert(0, os.environ["PROJECT"])
    listen()
    print(json.dumps(DOES[sys.argv[1]](*sys.argv[2:])))
