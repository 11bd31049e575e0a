"""Power loss: a disk that notes every write and every flush, and what is on it if the power fails in between.

Run in processes of their own: ``device`` serves the disk by FUSE, ``record`` makes artifacts on a file system that is
mounted from it, and ``replay`` builds the disks that a power failure could have left behind, mounts each, and calls
again. What a disk has not flushed may be there or not, in any combination.
"""

import contextlib
import ctypes
import functools
import json
import os
import random
import stat
import struct
import subprocess
import sys
from pathlib import Path

import storms

HEAD = struct.Struct("<cQI")  # kind (Write, Flush, Mark), offset, length of the data that follows
SECTORS = 4096  # bytes that reach the disk together or not at all
CUT_SHORT = ("several", "beside")  # a replacement of these that is cut short is made anew, as the docs say


def device(mountpoint, image, log):
    """Serve the file *image* as the block device ``disk``, and take notes in *log*; what ``mark`` is told, too."""
    import fuse

    class Device(fuse.Operations):
        def __init__(self):
            self.image = os.open(image, os.O_RDWR)
            self.log = open(log, "wb", buffering=0)  # noqa: SIM115 - closed by the end of the process

        def note(self, kind, offset=0, content=b""):
            self.log.write(HEAD.pack(kind, offset, len(content)) + content)

        def getattr(self, path, fh=None):
            if path == "/":
                return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
            if path not in ("/disk", "/mark"):
                raise fuse.FuseOSError(2)
            size = os.fstat(self.image).st_size if path == "/disk" else 0
            return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1, "st_size": size}

        def readdir(self, path, fh):
            return [".", "..", "disk", "mark"]

        def read(self, path, size, offset, fh):
            return os.pread(self.image, size, offset)

        def write(self, path, content, offset, fh):
            if path == "/mark":
                self.note(b"M", 0, content)
            else:
                os.pwrite(self.image, content, offset)
                self.note(b"W", offset, content)
            return len(content)

        def fsync(self, path, datasync, fh):
            self.note(b"F")
            return 0

    fuse.FUSE(Device(), mountpoint, foreground=True, nothreads=True, big_writes=True)


def tokens(paths):
    """Read the tokens of the artifacts of one call; they are one if they are whole and of one run."""
    found = set()
    for path in paths:
        found.add(storms.token(path / "a" if path.is_dir() else path))
        if path.name.startswith("beside"):
            found.add(storms.token(path.with_suffix(".idx")))
            found.add(storms.token(path.with_suffix(".parts") / "0"))
    return found


def record(shape, base, mark, restless, unsafe):
    """Make, recompute and reuse artifacts below *base*, and tell *mark* what begins and what has returned.

    Args:
        restless: Flush the whole file system before whatever changes names, as another program may do at any moment.
        unsafe: Flush nothing, as the library must not; to see that this is found out.
    """
    descriptor = os.open(mark, os.O_WRONLY)
    disk = os.open(".", os.O_RDONLY)
    libc = ctypes.CDLL(None)
    names = {"os.rename", "os.mkdir", "os.link", "os.rmdir", "os.remove", "open"}

    def flush(event, arguments):
        if event in names and f"{os.sep}out" in str(arguments[0]):
            libc.syncfs(disk)

    def tell(**what):
        os.pwrite(descriptor, json.dumps(what).encode(), 0)

    def make(*, recompute):
        import work

        function = getattr(work, shape)
        result = (function.recompute if recompute else function)(*outputs)
        return result if isinstance(result, tuple) else (result,)

    outputs = [os.path.join(base, path) + "/" * path.endswith("/") for path in storms.OUTPUTS[shape]]
    outputs = [path.replace("//", "/") for path in outputs]
    if int(unsafe):
        os.fsync = lambda _: None
    if int(restless):
        sys.addaudithook(flush)
    for recompute in (False, True, True):
        tell(begins=shape, recompute=recompute)
        paths = make(recompute=recompute)
        tell(returns=shape, tokens=sorted(tokens(paths)))
    # A copy or a restored backup changes times: then the next call writes the record anew.
    tell(touched=shape)
    for path in paths:
        os.utime(path / "a" if path.is_dir() else path)
    make(recompute=False)
    os.close(disk)


def read_log(log):
    """Read what the device noted: kind, offset, content; long writes in pieces that may be lost each by itself."""
    content, entries, place = Path(log).read_bytes(), [], 0
    while place < len(content):
        kind, offset, size = HEAD.unpack_from(content, place)
        place += HEAD.size
        data = content[place : place + size]
        place += size
        if kind == b"W":
            entries += [(kind, offset + at, data[at : at + SECTORS]) for at in range(0, size, SECTORS)]
        else:
            entries.append((kind, offset, data))
    return entries


def states(entries, count, chance):
    """List moments at which the power fails, and which of the writes not yet flushed are on the disk then.

    First all moments before and after a flush and at a mark, with all that was written; then random ones.

    Yields:
        How many entries came before, from where on they were not flushed, and the numbers of those that are there.
    """
    ends = [number for number, (kind, _, _) in enumerate(entries) if kind == b"F"] + [len(entries)]
    wanted = {number + step for number, (kind, _, _) in enumerate(entries) if kind != b"W" for step in (0, 1)}
    moments = [(moment, 1.0) for moment in wanted]
    moments += [(chance.randint(0, len(entries)), chance.choice((0.0, 0.1, 0.5, 0.9, 1.0))) for _ in range(count)]
    for moment, share in sorted(moments):
        since = max((end + 1 for end in ends if end < moment), default=0)
        writes = [number for number in range(since, moment) if entries[number][0] == b"W"]
        there = [number for number in writes if share == 1.0 or chance.random() < share]
        if share not in (0.0, 1.0):
            chance.shuffle(there)  # of two writes to one place either may be the last
        yield moment, since, there


def replay(shape, base, log, image, place, options, count, seed):
    """Mount what a power failure could have left, many times, and check it.

    Returns:
        How many states there were, in how many an artifact was promised or there, and what was wrong.
    """
    import work

    entries = read_log(log)
    work.file("warm/out/file.txt")  # imports what a call needs, once for all
    repository = os.getcwd()
    durable, flushed = f"{image}.durable", 0
    subprocess.run(["cp", "--sparse=always", image, durable], check=True)
    counts = {"writes": sum(kind == b"W" for kind, _, _ in entries), "flushes": 0, "states": 0, "promised": 0}
    counts["flushes"] = sum(kind == b"F" for kind, _, _ in entries)
    wrong = []
    for moment, since, there in states(entries, int(count), random.Random(int(seed))):
        apply(durable, entries, [number for number in range(flushed, since) if entries[number][0] == b"W"])
        flushed = since
        state = f"{image}.state"
        subprocess.run(["cp", "--sparse=always", durable, state], check=True)
        apply(state, entries, there)
        marks = [json.loads(content) for kind, _, content in entries[:moment] if kind == b"M"]
        counts["states"] += 1
        counts["promised"] += any("returns" in mark for mark in marks)
        done = subprocess.run(["mount", "-o", f"loop,{options}", state, place], capture_output=True, text=True)
        if done.returncode:
            wrong.append(f"{moment}: cannot be mounted: {done.stderr}")
            continue
        try:
            reader, writer = os.pipe()
            pid = storms.in_child(functools.partial(say, writer, shape, os.path.join(place, base), marks))
            os.close(writer)
            with open(reader) as said:
                if problem := said.read():
                    wrong.append(f"{moment} of {len(entries)}, {len(there)} of {moment - since} in flight: {problem}")
            os.waitpid(pid, 0)
        finally:
            os.chdir(repository)
            subprocess.run(["umount", place], check=True)
    for made in (durable, f"{image}.state"):
        os.unlink(made)
    return {**counts, "wrong": wrong[:5], "violations": len(wrong)}


def apply(image, entries, numbers):
    """Write what was written, in that order."""
    with open(image, "r+b", buffering=0) as file:
        for number in numbers:
            file.seek(entries[number][1])
            file.write(entries[number][2])


def say(lane, shape, base, marks):
    """Check a disk, and say what is wrong with it."""
    import traceback

    try:
        check(shape, base, marks)
    except BaseException:
        os.write(lane, "".join(traceback.format_exc().splitlines(True)[-4:]).encode())


def check(shape, base, marks):
    """Check the two laws on a disk: what a call had returned is there, and what is there is whole."""
    import work

    returned = [mark["tokens"] for mark in marks if "returns" in mark]
    is_running = bool(marks) and "begins" in marks[-1]
    if not os.path.isdir(base):
        assert not returned, f"{base} is gone"
        return
    os.chdir(base)
    if os.path.isdir("out") and not any("touched" in mark for mark in marks):
        storms.check()

    class Ran(Exception):
        pass

    def refuse(*_):
        raise Ran

    fill, work.fill = work.fill, refuse
    if returned:
        try:
            found = tokens(storms.call(shape))
        except Ran:
            assert is_running and shape in CUT_SHORT, "what a call had returned is not there"  # noqa: PT018
        else:
            assert len(found) == 1, f"of several runs, or half: {found}"
            assert is_running or found == set(returned[-1]), f"not the last that was returned: {found}"
    else:
        with contextlib.suppress(Ran):
            found = tokens(storms.call(shape))
            assert len(found) == 1, f"served, but not whole: {found}"
            assert None not in found, "served, but not whole"
    work.fill = fill
    storms.check_next_call(shape)


if __name__ == "__main__":
    sys.path.insert(0, os.environ.get("PROJECT", os.getcwd()))
    command, *rest = sys.argv[1:]
    print(json.dumps({"device": device, "record": record, "replay": replay}[command](*rest)))
