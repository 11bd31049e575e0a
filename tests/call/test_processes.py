"""Processes: the same tag wherever the same code runs, and one run however many ask."""

import json
import os
import signal
import subprocess
import sys

import pytest
from gitrepo import BECOME_NOBODY, IS_ROOT, GitRepo

WORK = """
import json, os, sys
import helper
from pathlib import Path
from taggedartifacts import Artifact

CONFIG = {{"bins": 40, "range": [0, 1.5]}}

@Artifact("outpath", CONFIG, allow_dirty=True)
def f(x, outpath, options=None):
    with open({runs!r}, "a") as runs:
        runs.write(f"{{os.getpid()}}\\n")
    Path(outpath).write_text(f"{{x}}\\n")

def main(x=1, outpath={outpath!r}, options=None):
    cached = f.is_cached(x, outpath, options)
    return [str(f(x, outpath, options)), cached]

if __name__ == "__main__":
    print(json.dumps(main()))
"""


@pytest.fixture
def repo(tmp_path):
    """A repository whose script makes one artifact in a folder outside it and notes each run."""
    made = GitRepo(tmp_path / "repo")
    made.runs = tmp_path / "runs"
    made.shared = tmp_path / "shared"
    made.write("work.py", WORK.format(runs=str(made.runs), outpath=str(made.shared / "f.txt")))
    made.write("helper.py", "x = 1\n")
    made.commit()
    return made


def call(repo, *arguments, **env):
    """Run the script in a fresh process: the artifact's name, and whether it was there."""
    path, cached = json.loads(repo.python(*(arguments or ("work.py",)), **env))
    return os.path.basename(path), cached


def runs(repo):
    return len(repo.runs.read_text().splitlines())


class TestSameEverywhere:
    def test_hash_seeds(self, repo):
        """Another hash seed changes nothing."""
        names = {call(repo, PYTHONHASHSEED=seed)[0] for seed in ("0", "1", "random")}

        assert 1 == len(names)
        assert 1 == runs(repo)

    def test_order_of_dicts(self, repo):
        """The order in which a dict was filled changes nothing."""
        first = call(
            repo, "-c", "import work; print(work.json.dumps(work.main(options={'a': 1, 'b': {'c': 2, 'd': 3}})))"
        )
        second = call(
            repo, "-c", "import work; print(work.json.dumps(work.main(options={'b': {'d': 3, 'c': 2}, 'a': 1})))"
        )

        assert (first[0], True) == second

    def test_working_directory_and_import(self, repo, tmp_path):
        """Run as a script here or there, or imported: the same artifact."""
        first = call(repo)
        elsewhere = GitRepo(tmp_path / "elsewhere", init=None)
        elsewhere.env["PYTHONPATH"] = str(repo.path)

        assert (first[0], True) == call(elsewhere, repo.path / "work.py")
        assert (first[0], True) == call(elsewhere, "-m", "work")
        assert (first[0], True) == call(elsewhere, "-c", "import work; print(work.json.dumps(work.main()))")
        assert 1 == runs(repo)

    def test_another_clone(self, repo, tmp_path):
        """Another clone in another folder, with a space in its name, finds the artifact."""
        first = call(repo)
        repo.git("clone", "-q", ".", tmp_path / "another clöne")
        clone = GitRepo(tmp_path / "another clöne")

        assert (first[0], True) == call(clone)

    def test_worktree_and_detached_head(self, repo, tmp_path):
        """A linked worktree and a detached HEAD on the same commit find the artifact."""
        first = call(repo)
        repo.git("worktree", "add", "-q", "--detach", tmp_path / "linked")

        assert (first[0], True) == call(GitRepo(tmp_path / "linked"))
        repo.git("checkout", "-q", "--detach")
        assert (first[0], True) == call(repo)

    def test_subdirectory(self, repo):
        """A module in a subdirectory belongs to the repository all the same."""
        repo.git("mv", "work.py", "sub-work.py")
        (repo.path / "sub").mkdir()
        repo.git("mv", "sub-work.py", "sub/work.py")
        repo.git("mv", "helper.py", "sub/helper.py")
        repo.commit()

        assert repo.head[:10] in call(repo, "sub/work.py")[0]


class TestDifferent:
    def test_each_change_has_a_tag(self, repo):
        """Argument, config, unstaged edit, staged edit: each gives another tag; a module that nobody imports none."""
        argument = "import work; print(work.json.dumps(work.main(2)))"
        config = "import work; work.CONFIG['bins'] = 60; print(work.json.dumps(work.main()))"
        module = "import extra, work; print(work.json.dumps(work.main()))"
        names = [call(repo)[0], call(repo, "-c", argument)[0], call(repo, "-c", config)[0]]
        repo.write("extra.py", "y = 1\n")
        names.append(call(repo, "-c", module)[0])
        repo.write("helper.py", "x = 2\n")
        names.append(call(repo)[0])
        repo.write("helper.py", "x = 3\n")
        repo.git("add", "helper.py")
        names.append(call(repo)[0])

        assert 5 == len(set(names))
        assert names[0] == names[3]
        assert [False] * 4 + [True] * 2 == ["-dirty-" in name for name in names]

    def test_undone(self, repo):
        """Undoing an edit finds the old artifact, clean or dirty."""
        clean = call(repo)[0]
        repo.write("helper.py", "x = 2\n")
        dirty = call(repo)[0]
        repo.write("helper.py", "x = 1\n")
        assert (clean, True) == call(repo)
        repo.write("helper.py", "x = 2\n")
        repo.git("add", "helper.py")

        assert (dirty, True) == call(repo)
        assert 2 == runs(repo)

    def test_commit(self, repo):
        """A commit gives another tag."""
        first = call(repo)[0]
        repo.write("helper.py", "x = 2\n")
        repo.commit()

        assert first != call(repo)[0]


def start(repo, code):
    """Start a process that says ``ready`` and goes on with *code* when it is sent a line."""
    waiting = "import sys, work; print('ready', flush=True); sys.stdin.readline()\n"
    command = [sys.executable, "-c", waiting + code]
    process = subprocess.Popen(
        command, cwd=repo.path, env=repo.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert "ready\n" == process.stdout.readline()
    return process


class TestCrowd:
    @pytest.mark.heavy
    def test_twenty_four_processes(self, repo):
        """Twenty-four processes at once: the function runs once, and all get the artifact."""
        crowd = [start(repo, "print(work.main()[0])") for _ in range(24)]
        try:
            for process in crowd:
                process.stdin.write("go\n")
                process.stdin.flush()
            paths = {process.communicate(timeout=100)[0] for process in crowd}
        finally:
            for process in crowd:
                process.kill()
                process.wait()

        assert 1 == len(paths)
        assert os.path.exists(paths.pop().strip())
        assert 1 == runs(repo)


class TestKilled:
    def test_next_call_works_at_once(self, repo):
        """A process that is killed while it makes an artifact leaves nothing visible and blocks nobody."""
        killed = start(
            repo,
            "inner = work.f.__wrapped__\n"
            "def hang(x, outpath, options=None):\n"
            "    inner(x, outpath)\n    print('made', flush=True)\n    sys.stdin.readline()\n"
            "work.f.__wrapped__ = hang\nwork.main()",
        )
        killed.stdin.write("go\n")
        killed.stdin.flush()
        assert "made\n" == killed.stdout.readline()
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        staging = repo.shared / ".taggedartifacts" / "staging"

        assert [".taggedartifacts"] == os.listdir(repo.shared)
        assert 1 == len(os.listdir(staging))
        name, cached = call(repo)
        assert not cached
        assert {".taggedartifacts", name} == set(os.listdir(repo.shared))
        assert [] == os.listdir(staging)


@pytest.mark.skipif(not IS_ROOT, reason="needs root to become somebody else")
class TestReaders:
    def test_no_write_permission(self, repo):
        """A reader without write permission reuses the artifact, and nothing at all is written."""
        name = call(repo)[0]
        for directory in (repo.path.parent, *repo.path.parent.parents[:-1]):
            os.chmod(directory, os.stat(directory).st_mode | 0o055)
        before = snapshot(repo.shared)
        code = (
            f"import os, work\nwork.f.path(1, 'x')\n{BECOME_NOBODY}"
            f"assert not os.access({str(repo.shared)!r}, os.W_OK)\nprint(work.json.dumps(work.main()))"
        )

        assert (name, True) == call(repo, "-c", code)
        assert before == snapshot(repo.shared)
        assert 1 == runs(repo)

    def test_miss_without_write_permission(self, repo):
        """A miss where nothing may be written is an error that names the folder and a remedy, before the run."""
        call(repo)
        for directory in (repo.path.parent, *repo.path.parent.parents[:-1]):
            os.chmod(directory, os.stat(directory).st_mode | 0o055)
        code = (
            f"import os, work\nwork.f.path(1, 'x')\n{BECOME_NOBODY}"
            "try:\n    work.main(2)\nexcept PermissionError as error:\n    print(work.json.dumps([str(error), False]))"
        )

        said = repo.python("-c", code)
        assert f"nothing can be made in {repo.shared}, only what is there reused; make it elsewhere" in said
        assert 1 == runs(repo)


def snapshot(folder):
    """Everything that a write would change; reading changes only the time of access."""
    status = {path: path.lstat() for path in [folder, *folder.rglob("*")]}
    return {path: (s.st_mode, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for path, s in status.items()}
