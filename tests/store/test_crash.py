"""Crashes: whatever happens in the middle of a call, nothing half is visible and nothing blocks the next one."""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import kills
import pytest
import storms
from gitrepo import GitRepo
from heavy import but
from storms import WAYS

STORMS = Path(storms.__file__)
KILLS = Path(kills.__file__)
SHAPES = ["beside", "directory", "file", "several"]
FILE_FIRST = but(SHAPES, "file")
LINES = [("file", 300), ("several", 600), *(pytest.param(shape, 60, marks=pytest.mark.heavy) for shape in SHAPES)]


@pytest.fixture
def repo():
    """A repository with a function for each shape of output, in memory where there is such a file system."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    directory = tempfile.mkdtemp(prefix="taggedartifacts-", dir=memory)
    made = GitRepo(Path(directory, "repo"))
    made.write(".gitignore", "out/\n")
    made.write("work.py", kills.WORK)
    made.commit()
    yield made
    shutil.rmtree(directory)


def storm(repo, *arguments, of=STORMS):
    """Run a storm in a process of its own; what it counted."""
    said = repo.run(sys.executable, "-B", of, *map(str, arguments), seconds=3600)
    print(*arguments, said)
    return json.loads(said)


def kill(repo, shape, count, seed):
    """Run a storm of kills; what it counted."""
    return storm(repo, shape, count, seed, of=KILLS)


class TestKill:
    @pytest.mark.parametrize("shape", but(kills.SHAPES, "file"))
    def test_random_instants(self, repo, shape):
        """Killed at a random instant after each step: the two laws hold, the next call works, and nothing is left."""
        counts = kill(repo, shape, 40, 1)

        assert counts["hit"] == 40

    @pytest.mark.parametrize(("shape", "step"), LINES)
    def test_lines(self, repo, shape, step):
        """Killed at every so many lines of all that a call runs, in the library and below it: likewise."""
        counts = storm(repo, "kill_at_lines", shape, step, 7)

        assert counts["killed"] > 1200 / step

    @pytest.mark.storm
    @pytest.mark.parametrize("shape", kills.SHAPES)
    def test_thousands(self, repo, shape):
        """Likewise, 10,000 in all that hit a call in the middle, after each of its steps."""
        counts = kill(repo, shape, 10_000 // len(kills.SHAPES) + 1, 2)

        assert counts["hit"] * len(kills.SHAPES) >= 10_000
        assert min(counts["after"].values()) > 50

    @pytest.mark.storm
    @pytest.mark.parametrize("shape", SHAPES)
    def test_all_lines(self, repo, shape):
        """Killed at every third line."""
        counts = storm(repo, "kill_at_lines", shape, 3, 0)

        assert counts["killed"] > 500


class TestInterrupt:
    @pytest.mark.parametrize(("shape", "step"), LINES)
    def test_lines(self, repo, shape, step):
        """Ctrl-C at every so many lines: the lock is free at once, and the next call sweeps and works."""
        counts = storm(repo, "interrupt_at_lines", shape, step, 3)

        assert counts["interrupted"] > 1200 / step

    @pytest.mark.storm
    @pytest.mark.parametrize("shape", SHAPES)
    def test_all_lines(self, repo, shape):
        """Ctrl-C at every third line."""
        counts = storm(repo, "interrupt_at_lines", shape, 3, 0)

        assert counts["interrupted"] > 500

    def test_steps(self, repo):
        """Ctrl-C at one line in eight of a call itself: where CPython leaves a loop by no ``finally``, too."""
        counts = storm(repo, "interrupt_at_lines", "several", 8, 2, 0, "run.py")

        assert counts["interrupted"] > 20

    @pytest.mark.storm
    @pytest.mark.parametrize("shape", SHAPES)
    def test_all_steps(self, repo, shape):
        """Ctrl-C at each line of a call itself."""
        counts = storm(repo, "interrupt_at_lines", shape, 1, 0, 0, "run.py")

        assert counts["interrupted"] > 100

    @pytest.mark.storm
    @pytest.mark.parametrize("shape", SHAPES)
    def test_bytecodes(self, repo, shape):
        """Ctrl-C between two bytecodes, at one in thirty-one."""
        counts = storm(repo, "interrupt_at_lines", shape, 31, 0, 1)

        assert counts["interrupted"] > 500


class TestSignals:
    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("shape", FILE_FIRST)
    def test_stages(self, repo, shape, way):
        """SIGTERM, with a handler or without, and Ctrl-C end a call that waits, runs or publishes; nothing is left."""
        counts = storm(repo, "signalled", shape, way)

        assert counts["waiting"] == counts["running"] == 2
        assert counts["publishing"] >= 4


class TestReplacement:
    @pytest.mark.parametrize("bare", [False, True])
    def test_dies_between_the_names(self, project, monkeypatch, bare):
        """If a replacement ends between record and artifact, the old one counts as before, with or without a record."""
        from cases import WRITE

        work = project.module(WRITE.replace("{x}", "{len(runs) * 11}"))
        path = work.f(1, "out/f.txt")
        if bare:
            (project.out / ".taggedartifacts" / "records" / f"{path.name}.json").unlink()

        def fail(staged, name):
            raise OSError(5, "Input/output error")

        monkeypatch.setattr("taggedartifacts._store.publish._replace", fail)
        with pytest.raises(OSError, match="Input/output error"):
            work.f.recompute(1, "out/f.txt")

        assert path == work.f(1, "out/f.txt")
        assert "11\n" == path.read_text()
        assert 2 == len(work.runs)
