"""Fixtures: a real project, in a real git repository, whose modules are really imported."""

import os
import sys
import time
from pathlib import Path

import pytest
from hypothesis import settings
from project import Project

# .ci/run asks for this many once; as a habit, a tenth of a minute has to do.
settings.register_profile("thorough", max_examples=400)


@pytest.fixture(scope="session", autouse=True)
def cache_of_its_own(tmp_path_factory):
    """Nothing is written into the user's own cache; what tests start inherits this. Matplotlib keeps its fonts."""
    with pytest.MonkeyPatch.context() as patch:
        if "MPLCONFIGDIR" not in os.environ:
            patch.setenv("MPLCONFIGDIR", os.path.expanduser("~/.cache/matplotlib"))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def nothing_left(tmp_path_factory):
    """No test leaves a process or a mount behind; processes are known by a variable that they inherit."""
    mark = f"STARTED_BY_TESTS_OF_{os.getpid()}"
    os.environ[mark] = "1"
    yield
    del os.environ[mark]
    end = time.monotonic() + 10
    while (left := processes(f"{mark}=1\0")) and time.monotonic() < end:
        time.sleep(0.05)  # some are just ending

    assert [] == left
    assert [] == mounts(tmp_path_factory.getbasetemp())


def processes(mark):
    """List the command lines of the processes that have a mark in their environment, and of our own children."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((directory / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() or mark.encode() in (directory / "environ").read_bytes():
                found.append((directory / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except (FileNotFoundError, ProcessLookupError, PermissionError):  # it has ended, or is another user's
            continue
    return found


def mounts(below):
    """List what is mounted below a directory."""
    table = Path("/proc/self/mounts")
    lines = table.read_text().splitlines() if table.exists() else []
    return [line for line in lines if line.split()[1].startswith(f"{below}{os.sep}")]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project, with this process in its root."""
    made = Project(tmp_path / "project")
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(made.path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield made
    for name in made.loaded:
        sys.modules.pop(name, None)
