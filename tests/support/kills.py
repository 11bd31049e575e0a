"""Kills: calls that are killed in the middle, each at some instant after one of its steps.

Run in a process of its own, single-threaded, in the root of a project: ``python kills.py <shape> <count> <seed>``. It
counts the kills that hit a call, by the last step that was told, and prints that as JSON; one that came too late does
not count. A state that must not be is an AssertionError.
"""

import collections
import functools
import itertools
import json
import logging
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import storms

from taggedartifacts import verify

WORK = (
    storms.WORK
    + """
@Artifact("out", ignore=("fill",), link=True)
def linked(out):
    fill(out, secrets.token_hex(8) + "\\n")

@Artifact("out", ignore=("fill",))
async def awaited(out):
    fill(out, secrets.token_hex(8) + "\\n")

@Artifact("out", ignore=("fill",))
def listed(out):
    directory.__wrapped__(out)
"""
)
OUTPUTS = storms.OUTPUTS | {"linked": ("out/linked.txt",), "awaited": ("out/awaited.txt",), "listed": ("out/listed/",)}
SHAPES = sorted(OUTPUTS)
CUT_SHORT = ("several", "beside")  # a replacement of these that is cut short is made anew, as the docs say
HIDDEN = Path("out/.taggedartifacts")
STEPS = {"records": "record", "manifests": "manifest", "out": "artifact"}  # of a rename, by its folder


def told(tell, shape, recompute, fatal, delay):
    """Call, and tell each step just before it is done: what it is, when, and the token that the run writes.

    The steps are the beginning of the call, of the function, and of what follows its return; each rename, by what gets
    a name; and the end. Some seconds after one of them, the kernel ends this process, as it does by SIGKILL.
    """
    import work

    tokens, steps = [""], itertools.count()

    def say(step):
        os.write(tell, f"{step} {time.perf_counter()} {tokens[-1]}\n".encode())
        if next(steps) == fatal:
            # A timer of the kernel: who sends a signal comes too late on a busy machine.
            signal.setitimer(signal.ITIMER_REAL, max(delay, 1e-6))

    def hook(event, arguments):
        if event == "open" and str(arguments[0]).endswith(".complete"):
            say("returned")
        elif event == "os.rename" and str(arguments[1]).startswith(os.path.abspath("out")):
            say(STEPS.get(os.path.basename(os.path.dirname(arguments[1])), "aside"))

    fill = work.fill

    def first(path, token):
        work.fill = fill
        tokens.append(token.strip())
        say("function")
        fill(path, token)

    work.fill = first
    sys.addaudithook(hook)
    say("call")
    storms.call(shape, recompute=recompute)
    say("over")


def victim(shape, *, recompute, fatal=None, delay=0.0):
    """Call in a process of its own, which ends *delay* seconds after a step; how it ended, and the steps it told."""
    reading, writing = os.pipe()
    pid = storms.in_child(functools.partial(told, writing, shape, recompute, fatal, delay))
    os.close(writing)
    with open(reading) as file:
        steps = [line.rstrip("\n").split(" ") for line in file]
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), steps


def measured(shape, *, recompute):
    """Measure how long each step of a call takes, at least: a busy machine adds to it."""
    runs = []
    for _ in range(5):
        if not recompute:
            storms.fresh(shape)
        code, steps = victim(shape, recompute=recompute)
        assert code == 0
        runs.append([float(when) for _, when, _ in steps])
    columns = zip(*runs, strict=True)
    return [min(b - a for a, b in zip(*pair, strict=True)) for pair in itertools.pairwise(columns)]


def kill(shape, count, seed):
    """Kill calls in the middle, made and recomputed by turns, mostly after the step where fewest were killed so far."""
    import taggedartifacts._call.outcome as outcome

    if shape == "listed":
        outcome.MOST_IN_RECORD = 2  # or a manifest of its own would take a thousand files
    logging.getLogger("taggedartifacts").setLevel(logging.ERROR)
    chance = random.Random(seed)
    storms.call(shape)
    times = [measured(shape, recompute=recompute) for recompute in (False, True)]
    hit, late, after, names = 0, 0, collections.Counter(), {}
    for number in range(4 * count):
        recompute = bool(number % 2)
        step = number // 2 % len(times[recompute])
        if number % 3:
            step = min(range(len(times[recompute])), key=lambda each: after[recompute, each])
        if not recompute:
            storms.fresh(shape)
        before = only(tokens(storms.call(shape))) if recompute else None
        delay = chance.uniform(0, times[recompute][step])
        code, steps = victim(shape, recompute=recompute, fatal=step, delay=delay)
        assert code in (0, -signal.SIGALRM), f"the call failed: {code}"
        last, _, new = steps[-1]
        check(shape, [name for name, *_ in steps], before, new)
        if last == "over":
            late += 1
            continue
        hit += 1
        after[recompute, len(steps) - 1] += 1
        names[recompute, len(steps) - 1] = f"{len(steps)} {last}, {'recomputed' if recompute else 'made'}"
        if hit == count:
            break
    return {"hit": hit, "too late": late, "after": {names[each]: after[each] for each in sorted(names)}}


def check(shape, steps, before, new):
    """Check what a kill has left: the two laws at once, after the next call, and after the next one that makes it.

    Args:
        shape: What was called.
        steps: All that it told.
        before: The token of what was to be replaced, None if nothing was there.
        new: The token of the run that was killed, "" if its function had not begun.
    """
    import work

    signal.alarm(100)  # a lock that is held for good; less may pass on a busy machine
    returned, renamed = "returned" in steps[:-1], "artifact" in steps  # the last may not have been done
    storms.check()
    found = getattr(work, shape).path(*storms.OUTPUTS[shape])
    allowed = {before, new} if renamed else {before}
    if "aside" in steps:  # a directory that makes room; the next call brings it back
        allowed.add(None)
    for path in found if isinstance(found, tuple) else (found,):
        there = storms.token(path / "a" if shape in ("directory", "listed") else path)
        assert there in allowed, f"{path} of {there} is there after {steps}, of {before} and {new}"
    there = only(tokens(storms.call(shape)))
    assert returned or there != new, f"published though the function had not returned: {steps}"
    if before is not None and not (renamed and shape in CUT_SHORT):
        assert there in allowed, f"{before} was there and is lost: {steps}"
    if storms.left_over():
        storms.call(shape, recompute=True)
    kept = {token for place in (HIDDEN / "kept").glob("*") for token in tokens_below(place)}
    assert kept <= {new}, f"of {kept} kept, {new} was killed"
    assert "returned" in steps or not kept, "what is not finished was kept"
    assert not returned or new in {there, *kept}, f"what a function had written is lost: {steps}"
    storms.check_next_call(shape)
    signal.alarm(0)
    left = {folder.name: {each.name for each in folder.iterdir()} for folder in HIDDEN.iterdir() if folder.is_dir()}
    artifacts = {path.name for path in Path("out").glob("*-*") if path.suffix not in (".idx", ".parts")}
    records = {f"{name}.json" for name in artifacts}
    assert left["records"] == records, f"{left['records']} are left, for {artifacts}"
    known = [json.loads((HIDDEN / "records" / each).read_bytes()) for each in records]
    manifests = {each["manifest"] for record in known for each in (record, record["replaced"] or record)} - {None}
    assert left["manifests"] <= manifests, f"{left['manifests']} are left after {steps}, for {manifests}"
    assert not left["patches"]
    for place in (HIDDEN / "kept").glob("*"):
        shutil.rmtree(place)
    assert not verify("out")


def tokens(paths):
    """Read the tokens of the artifacts of one call, and of what stands beside them."""
    found = set()
    for path in paths:
        found |= tokens_below(path)
        for companion in path.parent.glob(f"{path.stem}.*"):
            found |= tokens_below(companion)
    return found


def tokens_below(path):
    """Read the tokens of all files at a path."""
    return {storms.token(each) for each in [path, *path.rglob("*")] if each.is_file()}


def only(found):
    """Return the one token; more are of several runs."""
    assert len(found) == 1, f"of several runs, or half: {found}"
    return found.pop()


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    storms.OUTPUTS.update(OUTPUTS)  # here alone: other tests try all shapes that stand there
    print(json.dumps(kill(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
