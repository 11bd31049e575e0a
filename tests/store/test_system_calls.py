"""System calls that fail, each in its turn, while an artifact is made."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import storms
from gitrepo import GitRepo
from storms import OUTPUTS, WORK

STORMS = Path(storms.__file__)


@pytest.fixture
def repo(tmp_path):
    """A repository with a function for each shape of output."""
    made = GitRepo(tmp_path / "repo")
    for path in (made.write(".gitignore", "out/\n"), made.write("work.py", WORK)):
        os.utime(path, (1e9, 1e9))  # so old that the index can be trusted, and each look opens the same files
    made.commit()
    return made


CALLS = (
    "fsync",
    "rename,renameat,renameat2",
    "mkdir,mkdirat",
    "write,pwrite64,writev",
    "open,openat",
    "unlink,unlinkat,rmdir",
    "link,linkat",
    "flock",
)
ERRORS = ("EIO", "ENOSPC", "EACCES", "EINTR")
MODES = ("make", "recompute", "without locks")


def strace(repo, shape, mode, calls, inject=()):
    """Call, traced; what the process says of it, and the log, a list of lines for each of its threads."""
    prepare(repo, shape, mode)
    command = ["strace", "-f", "-y", "-qq", "--seccomp-bpf", "-o", "log", "-e", f"trace={calls},flock"]
    command += ["-e", "inject=flock:error=ENOLCK"] if mode == "without locks" else []
    command += [part for each in inject for part in ("-e", each)]
    said = repo.run(*command, sys.executable, "-B", STORMS, "once", shape, str(int(mode == "recompute")), check=False)
    threads = {}
    for line in (repo.path / "log").read_text(errors="replace").splitlines():
        pid, _, rest = line.partition(" ")
        # Each system call has a counter of its own for each thread.
        threads.setdefault((pid, rest.lstrip().partition("(")[0]), []).append(rest)
    return said, threads


def prepare(repo, shape, mode):
    """Put the folder into the state in which the call shall find it."""
    shutil.rmtree(repo.path / "out", ignore_errors=True)
    if mode == "recompute":
        kept = repo.path.parent / f"kept-{shape}"
        if not kept.exists():
            repo.python("-B", STORMS, "once", shape, "0")
            shutil.copytree(repo.path / "out", kept, symlinks=True)
        else:
            shutil.copytree(kept, repo.path / "out", symlinks=True)


def aims(repo, shape, mode, calls):
    """List the system calls of a call that have to do with its folder: name, and which one of its thread it is."""
    _, threads = strace(repo, shape, mode, calls)
    wanted = calls.split(",")
    found = {
        (name, number)
        for (_, name), lines in threads.items()
        for number, line in enumerate(lines, 1)
        if name in wanted and is_ours(repo, line)
    }
    return sorted(found)


def is_ours(repo, line):
    return f"{repo.path}/out" in line or '"out' in line


def obstruct(repo, shape, mode, call, number, error):
    """Let a system call fail, and check that nothing half is visible and the next call works; what the call said.

    Returns:
        Its error, "" if it came through, or None if another system call was hit: their number may vary.
    """
    said, threads = strace(repo, shape, mode, call, [f"inject={call}:error={error}:when={number}"])
    hit = [line for (_, name), lines in threads.items() if name == call for line in lines if "(INJECTED)" in line]
    if not any(is_ours(repo, line) for line in hit):
        return None
    if (repo.path / "out").exists():
        aftermath(repo, shape)
    answer = json.loads(said.splitlines()[-1])
    assert "error" in answer or len(answer["paths"]) == len(OUTPUTS[shape])
    return answer.get("error", "")


def aftermath(repo, shape):
    """Check that nothing half is visible and that the next call works."""
    repo.python(
        "-c",
        f"import sys; sys.path[:0] = [{str(STORMS.parent)!r}, '.']; import storms; storms.check()\n"
        f"storms.check_next_call({shape!r})",
    )


@pytest.mark.skipif(not shutil.which("strace"), reason="strace makes system calls fail for this test")
class TestSystemCalls:
    """Each system call that a run needs fails once."""

    @pytest.fixture(autouse=True)
    def traceable(self, repo):
        """Skip where nothing can be traced."""
        done = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("strace may not trace here")

    @pytest.mark.parametrize(
        ("call", "error", "mode"),
        [
            ("fsync", "EIO", "make"),
            ("rename", "EACCES", "recompute"),
            *(
                pytest.param(*row, marks=pytest.mark.heavy)
                for row in [
                    ("fsync", "EINTR", "recompute"),
                    ("rename", "ENOSPC", "make"),
                    ("mkdir", "ENOSPC", "make"),
                    ("write", "ENOSPC", "recompute"),
                    ("openat", "EIO", "make"),
                    ("rmdir", "EACCES", "recompute"),
                    ("link", "EIO", "without locks"),
                    ("flock", "EIO", "make"),
                ]
            ),
        ],
    )
    def test_some(self, repo, call, error, mode):
        """The error comes through or does not matter, nothing half is visible, and the next call works."""
        said, tries = None, 0
        while said is None and tries < 5:
            found = [number for name, number in aims(repo, "file", mode, call) if name == call]
            said, tries = obstruct(repo, "file", mode, call, found[len(found) // 2], error), tries + 1

        assert said is not None
        assert not said or os.strerror(getattr(errno, error)) in said

    @pytest.mark.storm
    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("shape", sorted(OUTPUTS))
    @pytest.mark.parametrize("calls", CALLS)
    def test_all(self, repo, calls, shape, mode):
        """Likewise for every one of them that has to do with the folder, and four errors."""
        found = aims(repo, shape, mode, calls)
        missed = 0
        for index in range(len(found)):
            for error in ERRORS:
                said = obstruct(repo, shape, mode, *found[index], error)
                if said is None and len(again := aims(repo, shape, mode, calls)) == len(found):
                    found = again
                    said = obstruct(repo, shape, mode, *found[index], error)
                missed += said is None
                assert not said or os.strerror(getattr(errno, error)) in said, f"{found[index]}: {said}"

        assert missed <= len(found) * len(ERRORS) // 2
        assert found or calls.startswith("link")
