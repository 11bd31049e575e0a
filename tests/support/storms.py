"""Storms: calls that are killed, interrupted or refused by the system at every possible moment.

Run in a process of its own, single-threaded, in the root of a project: ``python storms.py <storm> <shape> ...``. It
prints what it counted as JSON; a state that must not be is an AssertionError.
"""

import asyncio
import inspect
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

# Each run writes a token of its own all over its output, so that a mixture of two runs, or half of one, shows.
WORK = """
import os, secrets
from pathlib import Path
from taggedartifacts import Artifact

LINES = 2000

def fill(path, token):
    with open(path, "w") as file:
        for _ in range(4):
            file.write(token * (LINES // 4))

@Artifact("out", ignore=("fill",))
def file(out):
    fill(out, secrets.token_hex(8) + "\\n")

@Artifact("out", ignore=("fill",))
def directory(out):
    token = secrets.token_hex(8) + "\\n"
    for name in ("a", "b/c", "b/d"):
        path = Path(out, name)
        path.parent.mkdir(exist_ok=True)
        fill(path, token)

@Artifact("out", ignore=("fill",))
def beside(out):
    token = secrets.token_hex(8) + "\\n"
    fill(out, token)
    fill(Path(out).with_suffix(".idx"), token)
    Path(out).with_suffix(".parts").mkdir()
    fill(Path(out).with_suffix(".parts") / "0", token)

@Artifact(("one", "two"), ignore=("fill",))
def several(one, two):
    token = secrets.token_hex(8) + "\\n"
    fill(one, token)
    fill(two, token)
"""
LINES = 2000
OUTPUTS = {
    "file": ("out/file.txt",),
    "directory": ("out/directory/",),
    "beside": ("out/beside.txt",),
    "several": ("out/one.txt", "out/two.txt"),
}


def token(path):
    """Read the token of a file, which must be whole; None if it is not there."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return None

    assert len(lines) == LINES, f"{path} has {len(lines)} lines"
    assert len(set(lines)) == 1, f"{path} is a mixture of {set(lines)}"
    return lines[0]


def check(out=Path("out")):
    """Check all that must hold at any moment; returns how many artifacts there are."""
    artifacts = [path for path in out.glob("*") if path.suffix not in (".idx", ".parts")]
    assert all(path.exists() for path in artifacts), "a link that leads nowhere"
    seen = [path for path in artifacts if path.name != ".taggedartifacts" and not path.is_symlink()]
    for path in seen:
        parts = [path / name for name in ("a", "b/c", "b/d")] if path.is_dir() else [path]
        tokens = {token(part) for part in parts}
        assert len(tokens) == 1, f"{path} is a mixture of {tokens}"
        assert None not in tokens, f"{path} is half there"
        record = json.loads((out / ".taggedartifacts" / "records" / f"{path.name}.json").read_bytes())
        size = sum(part.stat().st_size for part in parts)
        mtime = max(part.stat().st_mtime_ns for part in parts)
        records = [record, record | (record["replaced"] or {})]  # of the other, what differs
        known = [(each["size"], each["mtime_ns"]) for each in records]
        assert (size, mtime) in known, f"{path} is not what its record says: {size}, {mtime} not in {known}"
    return len(seen)


def check_next_call(shape, *, recompute=False):
    """Call again and check: nothing blocks it, all is there, of one run; and making it anew leaves nothing over."""
    signal.alarm(100)  # a lock that is held for good; less may pass on a busy machine
    paths = call(shape, recompute=recompute)
    if left_over():
        paths = call(shape, recompute=True)
    signal.alarm(0)
    tokens = set()
    for path in paths:
        tokens |= {token(path / "a" if path.is_dir() else path)}
        for suffix, inner in ((".idx", ""), (".parts", "0")):
            if path.name.startswith("beside"):
                tokens |= {token(path.with_suffix(suffix) / inner)}
    assert len(tokens) == 1, f"{paths} are of several runs: {tokens}"
    assert not left_over()
    check()


def touch(shape, really):
    """Change the time of an artifact, as a copy would, so that its content has to decide; it may be gone just now."""
    import contextlib

    import work

    if really:
        result = getattr(work, shape).path(*OUTPUTS[shape])
        for path in result if isinstance(result, tuple) else (result,):
            with contextlib.suppress(FileNotFoundError):
                os.utime(path / "a" if path.is_dir() else path)


def left_over():
    """List what is left in staging."""
    return os.listdir("out/.taggedartifacts/staging")


def call(shape, *, recompute=False):
    """Call the function of a shape; the paths of its outputs."""
    import work

    function = getattr(work, shape)
    result = (function.recompute if recompute else function)(*OUTPUTS[shape])
    if inspect.isawaitable(result):
        result = asyncio.run(result)
    return result if isinstance(result, tuple) else (result,)


def fresh(shape):
    """Remove what a shape has made, as a user would."""
    import shutil

    for path in Path("out").glob("*"):
        if path.name != ".taggedartifacts":
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def in_child(work):
    """Do something in a forked process; returns its id."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


# Modules that only look: an end in the middle of them changes nothing, and they run most of the lines.
MUTED = {"call.py", "record.py", "binding.py", "environment.py", "codestate.py", "encoding.py"}


class Stop:
    """Do something at the n-th line that Python runs below here, in the library or in what it calls."""

    def __init__(self, number, act, *, opcodes=False, only=None):
        self.left, self.act, self.opcodes, self.muted, self.only = number, act, opcodes, None, only

    def __enter__(self):
        sys.settrace(self.trace)

    def __exit__(self, *_):
        sys.settrace(None)

    def trace(self, frame, event, _):
        if self.muted is not None:
            if event == "return" and frame is self.muted:
                self.muted = None
            return self.trace
        if event == "call" and os.path.basename(frame.f_code.co_filename) in MUTED:
            self.muted = frame
            return self.trace
        if self.only and os.path.basename(frame.f_code.co_filename) != self.only:
            return None
        frame.f_trace_opcodes = self.opcodes
        if event == ("opcode" if self.opcodes else "line"):
            self.left -= 1
            if self.left == 0:
                sys.settrace(None)
                self.act()
        return self.trace


def lines_of(shape, *, recompute, opcodes=False, only=None):
    """Count the lines, or bytecodes, that a call runs, in one module perhaps."""
    if not recompute:
        fresh(shape)
    stop = Stop(sys.maxsize, None, opcodes=opcodes, only=only)
    with stop:
        call(shape, recompute=recompute)
    return sys.maxsize - stop.left


def die():
    """End this process as a power cut would, as far as the kernel lets us."""
    os.kill(os.getpid(), signal.SIGKILL)


def interrupt():
    """Press Ctrl-C."""
    raise KeyboardInterrupt


def kill_at_lines(shape, step, offset):
    """Kill a call at every *step*-th line that it runs, made and recomputed."""
    call(shape)
    counts = {"killed": 0}
    for recompute in (False, True):
        for number in range(1 + offset, lines_of(shape, recompute=recompute), step):
            if not recompute:
                fresh(shape)

            def run(number=number, recompute=recompute):
                with Stop(number, die):
                    call(shape, recompute=recompute)

            _, status = os.waitpid(in_child(run), 0)
            assert status in (0, signal.SIGKILL), f"line {number}: the call failed: {status}"
            counts["killed"] += bool(status)
            check()
            check_next_call(shape)
    return counts


def interrupt_at_lines(shape, step, offset, opcodes=0, only=None):
    """Interrupt a call at every *step*-th line or bytecode, of one module perhaps; its process lives on, and calls."""
    call(shape)
    call(shape, recompute=True)  # what is imported late is
    counts = {"interrupted": 0}
    for recompute in (False, True):
        lines = lines_of(shape, recompute=recompute, opcodes=bool(opcodes), only=only)
        for number in range(1 + offset, lines, step):
            if not recompute:
                fresh(shape)

            def run(number=number, recompute=recompute):
                try:
                    with Stop(number, interrupt, opcodes=bool(opcodes), only=only):
                        call(shape, recompute=recompute)
                except (KeyboardInterrupt, RuntimeError) as error:
                    # CPython's Condition.wait, interrupted between two steps, complains that its own lock is not held.
                    if KeyboardInterrupt not in (type(error), type(error.__context__)):
                        raise
                    check()
                    check_next_call(shape, recompute=bool(number % 2))
                    os._exit(7)

            status = os.waitstatus_to_exitcode(os.waitpid(in_child(run), 0)[1])
            assert status in (0, 7), f"line {number}: the next call failed: {status}"
            counts["interrupted"] += status == 7
    return counts


WAYS = {
    "terminate": (signal.SIGTERM, signal.SIG_DFL),
    "exit": (signal.SIGTERM, lambda number, _: sys.exit(128 + number)),
    "interrupt": (signal.SIGINT, signal.default_int_handler),
}


def signalled(shape, way):
    """Send a signal to a call that waits, that runs its function, and that publishes, at each of its renames."""
    number, handler = WAYS[way]
    call(shape)
    counts = {"waiting": 0, "running": 0, "publishing": 0}

    ended = -number if way == "terminate" else 1

    def ends(pid):
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert status in (0, ended), status
        check()
        assert way == "terminate" or not left_over(), "a call that could clean up did not"
        return status != 0

    for recompute in (False, True):
        fresh(shape) if not recompute else None
        pid, told = stuck(shape, handler, number, recompute)
        os.kill(pid, number)
        assert ends(pid)
        os.close(told)
        check_next_call(shape)
        counts["running"] += 1

        fresh(shape) if not recompute else None
        holder, gate = stuck(shape, signal.SIG_DFL, number, recompute)
        pid = waiting(shape, handler, number, recompute)
        os.kill(pid, number)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == ended
        os.write(gate, b"go")
        assert os.waitpid(holder, 0)[1] == 0, "the holder suffered from the end of one who waited"
        os.close(gate)
        check_next_call(shape)
        counts["waiting"] += 1

        at, is_hit = 0, True
        while is_hit:
            at += 1
            fresh(shape) if not recompute else None
            is_hit = ends(in_child(lambda at=at, recompute=recompute: at_rename(at, shape, handler, number, recompute)))
            counts["publishing"] += is_hit
            check_next_call(shape)
    return counts


def stuck(shape, handler, number, recompute):
    """Start a call whose function waits in the middle; its process, once it is there, and where it is told to go on."""
    import work

    come, came = os.pipe()
    go, gone = os.pipe()
    fill = work.fill

    def wait(path, token):
        Path(path).write_text(token)
        os.write(came, b"here")
        os.read(go, 1)
        work.fill = fill
        fill(path, token)

    def run():
        os.close(gone)
        signal.alarm(60)
        signal.signal(number, handler)
        work.fill = wait
        call(shape, recompute=recompute)

    pid = in_child(run)
    os.close(came)  # or nobody would notice the end of a child that never came there
    assert os.read(come, 4) == b"here"
    os.close(come)
    os.close(go)
    return pid, gone


def waiting(shape, handler, number, recompute):
    """Start a call that waits for another; its process, once it waits."""
    come, came = os.pipe()
    sleep = time.sleep

    def run():
        signal.alarm(60)
        signal.signal(number, handler)
        time.sleep = lambda seconds: (os.write(came, b"here"), sleep(seconds))
        call(shape, recompute=recompute)

    pid = in_child(run)
    os.close(came)
    assert os.read(come, 4) == b"here"
    os.set_blocking(come, False)
    PIPES.append(come)  # kept open: who waits goes on to write into it
    return pid


PIPES = []


def at_rename(at, shape, handler, number, recompute):
    """Call, and get a signal just before the name of something changes for the *at*-th time."""
    signal.alarm(60)
    signal.signal(number, handler)
    left = [at]

    def count(event, arguments):
        if event == "os.rename" and "out/" in str(arguments[0]):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), number)

    sys.addaudithook(count)
    call(shape, recompute=recompute)


def once(shape, recompute):
    """Call, as a process that somebody else kills or obstructs."""
    try:
        paths = call(shape, recompute=bool(recompute))
    except OSError as error:
        return {"error": f"{type(error).__name__}: {error}", "errno": error.errno}
    return {"paths": [str(path) for path in paths]}


STORMS = {each.__name__: each for each in (kill_at_lines, interrupt_at_lines, signalled, once)}

if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    storm, shape, *numbers = sys.argv[1:]
    print(json.dumps(STORMS[storm](shape, *(int(each) if each.isdigit() else each for each in numbers))))
