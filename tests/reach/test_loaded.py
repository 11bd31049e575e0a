"""Whether files hold what was loaded: what vouches for that and what does not."""

import os
import py_compile
import sys
import time

import pytest

from taggedartifacts._reach import loaded
from taggedartifacts._reach.loaded import holds_loaded_code


@pytest.fixture
def module(project, monkeypatch):
    """Load a module as an import does, with a bytecode file of the older source beside it."""
    project.write("old.py", "def f():\n    return 1\n")
    namespace = vars(project.load(project.path / "old.py"))
    namespace["__cached__"] = str(project.path / "old.pyc")
    return namespace


class TestBytecode:
    def test_of_another_process(self, project, module):
        """A bytecode file that another process wrote of a newer source says nothing of what this one loaded."""
        file = project.write("old.py", "def f():\n    return 22\n")
        py_compile.compile(str(file), cfile=module["__cached__"])

        assert not holds_loaded_code(str(file), module, None)

    def test_older_than_its_source(self, project, module, monkeypatch):
        """What Python took from a bytecode file of the same size and second is not the source, however long ago."""
        file = project.path / "old.py"
        py_compile.compile(str(file), cfile=module["__cached__"])
        times = os.stat(file)
        file.write_text("def f():\n    return 2\n")
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
        os.utime(module["__cached__"], ns=(0, times.st_mtime_ns - 10**9))
        monkeypatch.setattr(loaded, "_STARTED", time.time() + 3600)

        assert not holds_loaded_code(str(file), module, None)

    def test_touched(self, project, module):
        """A file that was touched is what was loaded."""
        file = project.path / "old.py"
        py_compile.compile(str(file), cfile=module["__cached__"])
        os.utime(file)

        assert holds_loaded_code(str(file), module, None)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the start of a process is not known")
class TestClock:
    @pytest.mark.parametrize("seconds", [3600, -3600])
    def test_was_set(self, project, module, monkeypatch, seconds):
        """After the clock was set, no time vouches for a file."""
        file = project.write("old.py", "def f():\n    return 22\n")
        now = time.time()
        monkeypatch.setattr(loaded.time, "time", lambda: now + seconds)

        assert 0.0 == loaded._process_start()
        assert not holds_loaded_code(str(file), module, None)
