"""Crowds: however many ask, by whatever means, each artifact is made once, and nobody waits for nothing."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
from cases import TWO, WRITE, hold, is_free
from gitrepo import GitRepo
from heavy import every

from taggedartifacts import ArtifactNotWrittenError, LockTimeoutError, RecursiveCallError

SLOW = """
import json, os, sys, time
from pathlib import Path
from taggedartifacts import Artifact

@Artifact("out")
def slow(number, out, seconds=0.0):
    with open("runs", "a") as runs:
        runs.write(f"{number}\\n")
    time.sleep(seconds)
    Path(out).write_text(str(number))

@Artifact("out")
def chain(number, out):
    below = chain(number - 1, out="out/chain.txt").read_text() if number else ""
    with open("runs", "a") as runs:
        runs.write(f"chain {number}\\n")
    Path(out).write_text(below + str(number))
"""
# A process that forks a crowd and lets all of it go at the same instant; it prints what each one answered.
CROWD = """
import json, os, sys, traceback
sys.path.insert(0, os.getcwd())
import work

def crowd(members, ask):
    gate, lane = os.pipe(), os.pipe()
    pids = []
    for member in range(members):
        pids.append(os.fork())
        if not pids[-1]:
            try:
                os.close(gate[1])
                os.read(gate[0], 1)
                answer = [ask(member), ""]
            except BaseException:
                answer = [None, traceback.format_exc()]
            finally:
                os.write(lane[1], (json.dumps(answer) + "\\n").encode())
                os._exit(0)
    os.close(gate[1])
    os.close(lane[1])
    with os.fdopen(lane[0]) as answers:
        print(json.dumps([json.loads(line) for line in answers]))
    for pid in pids:
        os.waitpid(pid, 0)
"""


@pytest.fixture
def repo(tmp_path):
    """A repository whose functions note each run."""
    made = GitRepo(tmp_path / "repo")
    made.write(".gitignore", "out/\nruns\n")
    made.write("work.py", SLOW)
    made.commit()
    return made


def crowd(repo, members, ask):
    """Let a crowd of processes ask at the same instant; what each answered."""
    code = f"{CROWD}\ndef ask(member):\n    {ask}\ncrowd({members}, ask)"
    answers = json.loads(repo.run(sys.executable, "-B", "-c", code, seconds=600))

    assert members == len(answers)
    assert "" == "".join(error for _, error in answers)
    return [answer for answer, _ in answers]


def runs(repo):
    return (repo.path / "runs").read_text().splitlines()


class TestProcesses:
    def test_one_artifact(self, repo):
        """Sixty-four processes at once for one artifact: the function runs once, and all get it."""
        answers = crowd(repo, 64, 'return work.slow(1, "out/f.txt").read_text()')

        assert ["1"] * 64 == answers
        assert ["1"] == runs(repo)

    def test_many_artifacts(self, repo):
        """Sixteen processes that each ask for the same forty artifacts, each in its own order: forty runs."""
        ask = (
            "import random; order = random.Random(member).sample(range(40), 40)\n"
            '    return sum(int(work.slow(number, "out/f.txt").read_text()) for number in order)'
        )
        answers = crowd(repo, 16, ask)

        assert [780] * 16 == answers
        assert sorted(map(str, range(40))) == sorted(runs(repo))

    def test_nested(self, repo):
        """Functions that build on each other's artifacts, asked for from every step at once: each step is made once."""
        answers = crowd(repo, 16, 'return work.chain(member % 8, out="out/chain.txt").read_text()')

        assert ["0", "01", "012", "0123", "01234", "012345", "0123456", "01234567"] == sorted(set(answers))
        assert [f"chain {number}" for number in range(8)] == sorted(runs(repo))

    def test_counts(self, repo):
        """Of sixteen, one says that it made the artifact, and fifteen that they reused it, and whom they awaited."""
        ask = (
            "import io, logging; said = io.StringIO()\n"
            "    from taggedartifacts._store import lock; lock.SAY_AFTER = 0.5\n"
            "    logging.basicConfig(stream=said, level=logging.INFO, format='%(message)s')\n"
            '    work.slow(1, "out/f.txt", seconds=2)\n'
            "    return [os.getpid(), said.getvalue().splitlines()]"
        )
        said = crowd(repo, 16, ask)
        (maker,) = [pid for pid, lines in said if any(line.startswith("made ") for line in lines)]
        others = [lines for pid, lines in said if pid != maker]

        waiting = [line for lines in others for line in lines[:-1]]  # who comes late may not have to
        assert 15 == sum(lines[-1].startswith("reused ") for lines in others)
        assert 1 <= len(waiting) <= 15
        assert all(line.startswith(f"waiting for process {maker} on ") for line in waiting), waiting
        assert ["1"] == runs(repo)

    @pytest.mark.storm
    def test_thousand_artifacts(self, repo):
        """Sixty-four processes for a thousand artifacts: a thousand runs."""
        ask = (
            "import random; order = random.Random(member).sample(range(1000), 1000)\n"
            '    return sum(int(work.slow(number, "out/f.txt").read_text()) for number in order)'
        )
        answers = crowd(repo, 64, ask)

        assert [499500] * 64 == answers
        assert sorted(map(str, range(1000))) == sorted(runs(repo))


class TestReplacedMeanwhile:
    """A reader never takes a replacement that is under way for somebody's edit."""

    @pytest.mark.parametrize(("shape", "rounds"), every(3, [("file", 60), ("directory", 60), ("beside", 60)]))
    def test_readers_and_writers(self, tmp_path, shape, rounds):
        """While two processes replace an artifact over and over, six others reuse it without an error."""
        replace(tmp_path, shape, rounds)

    @pytest.mark.storm
    @pytest.mark.parametrize("shape", ["file", "directory", "beside", "several"])
    def test_storm(self, tmp_path, shape):
        """Likewise, for a thousand rounds."""
        replace(tmp_path, shape, 1000)


def replace(tmp_path, shape, rounds):
    """Reuse and replace at the same time, and check afterwards that all is whole."""
    import storms

    repo = GitRepo(tmp_path / "repo")
    repo.write(".gitignore", "out/\n")
    repo.write("work.py", storms.WORK)
    repo.commit()
    ask = (
        f"import storms\n    for turn in range({rounds}):\n"
        f"        storms.call({shape!r}, recompute=member < 2)\n        storms.touch({shape!r}, member == 7)"
    )
    repo.env["PYTHONPATH"] = os.path.dirname(storms.__file__)
    crowd(repo, 8, ask)
    repo.python("-c", f"import storms, sys; sys.path.insert(0, '.'); storms.check_next_call({shape!r})")


class TestThreads:
    @pytest.mark.parametrize("artifacts", [1, 40, pytest.param(1000, marks=pytest.mark.storm)])
    def test_sixty_four(self, project, artifacts):
        """Sixty-four threads at once, each for all artifacts in an order of its own: one run for each artifact."""
        work = project.module(WRITE)
        barrier, results = threading.Barrier(64), []

        def ask(member):
            order = random.Random(member).sample(range(artifacts), artifacts)
            barrier.wait()
            results.append({number: work.f(number, outpath="out/f.txt") for number in order})

        threads = [threading.Thread(target=ask, args=(member,)) for member in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert 64 == len(results)
        assert all(result == results[0] for result in results)
        assert artifacts == len(set(results[0].values())) == len(work.runs)

    def test_sync_and_async(self, project):
        """Threads and tasks of one process ask for the artifacts of a plain and of an async function."""
        work = project.module(
            WRITE + "\nimport asyncio\n@Artifact('out')\nasync def g(x, out):\n    runs.append('g')\n"
            "    await asyncio.sleep(0)\n    text = (await asyncio.to_thread(f, x, 'out/f.txt')).read_text()\n"
            "    Path(out).write_text(text)\n"
        )

        async def crowd():
            tasks = [work.g(number % 3, "out/g.txt") for number in range(24)]
            threads = [asyncio.to_thread(work.f, number % 3, "out/f.txt") for number in range(24)]
            return await asyncio.gather(*tasks, *threads)

        assert 6 == len(set(asyncio.run(crowd())))
        assert 3 == work.runs.count("g")
        assert 6 == len(work.runs)


class TestForks:
    def test_child_that_leaves(self, project):
        """A process that the function forked, and that unwinds through it, leaves its parent's work and lock alone."""
        work = project.module(
            'runs = []\n@Artifact("out")\ndef f(out):\n    runs.append(1)\n    Path(out).write_text("mine")\n'
            "    if os.fork() == 0:\n        raise SystemExit\n    os.wait()\n"
            "    assert not is_free(out), 'the lock is free'\n    assert os.path.exists(out), 'staging is gone'\n"
        )
        work.is_free = lambda out: is_free(project, out)
        parent = os.getpid()
        try:
            path = work.f("out/f.txt")
        finally:
            if os.getpid() != parent:
                os._exit(0)

        assert "mine" == path.read_text()
        assert [] == project.staged()

    def test_child_that_returns(self, project):
        """A forked process in which the function returns publishes nothing; the error says why."""
        work = project.module(
            '@Artifact("out")\ndef f(out):\n    pid = os.fork()\n    if pid:\n'
            "        status.append(os.waitpid(pid, 0)[1])\n    Path(out).write_text(str(pid))\nstatus = []\n"
        )
        parent, wrong = os.getpid(), 0
        try:
            path = work.f("out/f.txt")
        except ArtifactNotWrittenError as error:
            wrong = 7 if "returned in a process that it forked" in str(error) else 1
        finally:
            if os.getpid() != parent:
                os._exit(wrong)

        assert [7] == [os.waitstatus_to_exitcode(status) for status in work.status]
        assert path.read_text() != "0"

    def test_child_that_tries_again(self, project):
        """A forked process that returned, and asks again after the error, gets another rather than waiting for ever."""
        work = project.module(
            '@Artifact("out")\ndef f(out):\n    pid = os.fork()\n    if pid:\n'
            "        status.append(os.waitpid(pid, 0)[1])\n    Path(out).write_text(str(pid))\nstatus = []\n"
        )
        parent, wrong = os.getpid(), 0
        try:
            work.f("out/f.txt")
        except ArtifactNotWrittenError:
            signal.alarm(20)
            try:
                work.f("out/f.txt")
            except RecursiveCallError:
                wrong = 7
        finally:
            if os.getpid() != parent:
                os._exit(wrong)

        assert [7] == [os.waitstatus_to_exitcode(status) for status in work.status]
        assert work.f.is_cached("out/f.txt")

    def test_child_that_asks(self, project):
        """A forked process that asks for what its parent is making gets an error rather than waiting for ever."""
        work = project.module(
            '@Artifact("out")\ndef f(out):\n    pid = os.fork()\n    if pid == 0:\n        ask()\n'
            '    status.append(os.waitpid(pid, 0)[1])\n    Path(out).write_text("mine")\nstatus = []\n'
        )

        def ask():
            try:
                work.f("out/f.txt")
            except RecursiveCallError:
                os._exit(7)
            finally:
                os._exit(1)

        work.ask = ask
        work.f("out/f.txt")

        assert [7] == [os.waitstatus_to_exitcode(status) for status in work.status]


class TestWaiting:
    def test_timeout_is_for_the_call(self, project):
        """A timeout is that of the whole call, however many outputs it has to wait for."""
        work = project.module(TWO.replace('("a", "b")', '("a", "b"), timeout=2'))
        first, second = work.two.path(1, "out/a.txt", "out/b.txt")
        locks = [hold(project, path) for path in (first, second)]
        threading.Timer(1, locks[0].release).start()
        began = time.monotonic()
        try:
            with pytest.raises(LockTimeoutError, match="b-"):
                work.two(1, "out/a.txt", "out/b.txt")
        finally:
            for lock in locks:
                lock.release()

        assert time.monotonic() - began < 2.9  # else 3
        assert [] == work.runs

    def test_stopped_holder(self, repo):
        """A holder that is stopped blocks no other artifact, and waiting for its own ends with the timeout."""
        code = "import work\nwork.slow(1, 'out/f.txt', seconds=60)"
        holder = subprocess.Popen([sys.executable, "-c", code], cwd=repo.path, env=repo.env)
        try:
            wait_for(lambda: (repo.path / "runs").exists() and runs(repo))
            os.kill(holder.pid, 19)  # SIGSTOP
            repo.python(
                "-c", "import work\nwork.slow(2, 'out/f.txt')\nwork.slow(2, 'out/f.txt')\nwork.slow(3, 'out/f.txt')"
            )
        finally:
            holder.kill()
            holder.wait()

        assert ["1", "2", "3"] == runs(repo)
        assert "1" == repo.python("-c", "import work; print(work.slow(1, 'out/f.txt', seconds=0).read_text())")


def wait_for(condition):
    """Wait until something is so, a minute at most."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
