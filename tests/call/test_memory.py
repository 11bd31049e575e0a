"""What is remembered for repeated calls: bounded in bytes, by all together, and still remembered below the bound."""

import decimal
import gc
import importlib.util
import os
import sys
import time
import tracemalloc
import types

import pytest
from cases import WRITE
from project import HEAD

from taggedartifacts import _memory
from taggedartifacts._call import inputs
from taggedartifacts._call.call import Decoration
from taggedartifacts._memory import Memory


@pytest.fixture(autouse=True)
def afresh():
    """Begin with nothing remembered."""
    _memory.forget()
    yield
    _memory.forget()


class TestMemory:
    def test_bound(self, monkeypatch):
        """All memories together hold no more than the bound, and what does not fit at all is not remembered."""
        monkeypatch.setattr(_memory, "MOST_BYTES", 100)
        a, b = Memory(), Memory()
        a.put(1, "x", 60)
        b.put(1, "y", 40)
        assert 100 == _memory.held_bytes()
        assert ("x", "y") == (a.get(1), b.get(1))
        b.put(2, "z", 1)

        assert {} == a
        assert {2: "z"} == b
        assert 1 == _memory.held_bytes()
        b.put(3, "large", 101)
        assert {} == a == b

    def test_counted_once(self):
        """What takes another's place counts in its place, and what went with its owner counts no more."""
        a, b = Memory(), Memory()
        for number in range(3):
            a.put(1, number, 10 + number)
            b.put(number, "", 10)
        assert 42 == _memory.held_bytes()
        del a
        assert 30 == _memory.held_bytes()
        b.clear()

        assert 0 == _memory.held_bytes()

    def test_freed_while_another_is_counted(self):
        """What is freed while something else is put into a memory counts no more."""

        class Frees:
            def __hash__(self):
                gone.clear()
                return 1

        gone, left = [Memory()], Memory()
        gone[0].put(1, "", 50)
        left.put(Frees(), "", 10)

        assert 10 == _memory.held_bytes()

    def test_large_arguments(self, project):
        """A repeated call with a large argument keeps no copy of it."""
        work = project.module(WRITE)
        for number in range(3):
            work.f(f"{number}" * 1_000_000, "out/f.txt")
        tracemalloc.start()
        try:
            for number in range(3):
                work.f(f"{number}" * 1_000_000, "out/f.txt")
            grown = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()

        assert grown < 500_000
        assert 3 == len(work.runs)
        assert _memory.held_bytes() < 200_000

    def test_still_remembered(self, project, monkeypatch):
        """A record that was read is not read again while its file stands as it was."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        assert path == work.f(1, "out/f.txt")
        monkeypatch.setattr("taggedartifacts._store.origin.read_stamped", None)

        assert path == work.f(1, "out/f.txt")


class TestOnceRead:
    """What follows from a file is found again only when the file has changed."""

    @pytest.fixture
    def reads(self, tmp_path):
        """A file that was written long ago, and what was read of it so far."""
        file, read = tmp_path / "file", []
        file.write_text("1")
        os.utime(file, (1, 1))
        return file, read

    @staticmethod
    def ask(file, read):
        """Say what the file holds."""
        return _memory.once_read(str(file), lambda path: read.append(path) or (file.exists() and file.read_text()))

    def test_changed(self, reads, monkeypatch):
        """It is read once, and once more when it has changed."""
        monkeypatch.setattr(_memory, "SETTLED", -(10**18))
        file, read = reads
        before = [self.ask(file, read), self.ask(file, read)]
        assert 1 == len(read)
        file.write_text("22")

        assert ["1", "1", "22", "22"] == [*before, self.ask(file, read), self.ask(file, read)]
        assert 2 == len(read)

    def test_young(self, reads):
        """What was written just now is read each time: it could be written again and have the same times."""
        file, read = reads
        file.write_text("22")

        assert ["22", "22"] == [self.ask(file, read), self.ask(file, read)]
        assert 2 == len(read)

    def test_missing(self, reads):
        """Where there is no file, what that means is asked each time."""
        file, read = reads
        file.unlink()

        assert [False, False] == [self.ask(file, read), self.ask(file, read)]
        assert 2 == len(read)


class TestInputs:
    def test_steps_of_inode_numbers(self):
        """Files are spread over groups whatever the steps in which a file system numbers them."""
        for step in (1, 16, 4096):
            files = {str(n): types.SimpleNamespace(identity=(1, n * step, 0, 0, 0)) for n in range(8192)}
            groups = inputs._grouped(files).values()

            assert sum(map(len, groups)) == 8192
            assert max(map(len, groups)) < 1024

    def test_many_are_not_read_again(self, tmp_path, monkeypatch):
        """However many files there are, what was read is not read again, and of what changed only a part."""
        monkeypatch.setattr(inputs, "_GROUP", 8)
        for number in range(100):
            (tmp_path / str(number)).write_text(str(number))
            os.utime(tmp_path / str(number), (1, 1))
        monkeypatch.setattr(inputs, "SETTLED", -int(1e12))
        before = inputs.input_contents({"x": tmp_path})
        read, real = [], inputs.file_hexdigest
        monkeypatch.setattr(inputs, "file_hexdigest", lambda path, *more: read.append(path) or real(path, *more))

        assert before == inputs.input_contents({"x": tmp_path})
        assert [] == read
        (tmp_path / "7").write_text("changed")
        after = inputs.input_contents({"x": tmp_path})
        assert ["7"] == [name for name in after["x"] if after["x"][name] != before["x"][name]]
        assert 1 <= len(read) < 60
        assert _memory.held_bytes() < 100 * 100

    def test_lately_written(self, tmp_path):
        """Files that were written just now are read again: their times do not vouch for them."""
        for number in range(inputs._GROUP + 1):
            (tmp_path / str(number)).write_text(str(number))
        inputs.input_contents({"x": tmp_path})

        assert 0 == _memory.held_bytes()


class TestDecorators:
    def test_many_in_one_module(self, project, monkeypatch):
        """However many functions of a module are decorated, its file is compared once with what was loaded."""
        from taggedartifacts._reach import modules

        compared, real = [], modules.holds_loaded_code
        monkeypatch.setattr(modules, "holds_loaded_code", lambda *each: compared.append(each[0]) or real(*each))
        project.module("".join(f'@Artifact("out")\ndef f{number}(out): ...\n' for number in range(30)))

        assert len([file for file in compared if file.endswith("work.py")]) <= 2

    def test_edits(self, project):
        """What was remembered of a function goes when an edit and a reload, or another cell, have replaced it."""
        work = project.module(WRITE)
        held = []
        for number in range(4):
            work.f(number, "out/f.txt")
            gc.collect()
            held.append(_memory.held_bytes())
            path = project.write("work.py", HEAD + WRITE + f"VERSION = {number}\n")
            project.commit()
            work.__spec__ = importlib.util.spec_from_file_location(work.__name__, path)  # as a reload does
            work.__spec__.loader.exec_module(work)
        gc.collect()

        kept = [each for each in gc.get_objects() if type(each) is Decoration and each.home.module == work.__name__]
        assert len(kept) == 1
        assert held[-1] - held[1] < 2 * 1000  # what files import is remembered by their content

    def test_commits(self, project, monkeypatch):
        """Of the artifacts that older code made, nothing is remembered, though their function is still there."""
        monkeypatch.setattr("taggedartifacts._session.in_session", lambda: True)
        work, table, held = project.module(WRITE), decimal.Decimal(3), []
        for number in range(4):
            project.write("pyproject.toml", f"# {number}\n[tool.taggedartifacts]\nscope = ['.']\n")
            project.commit()
            monkeypatch.setattr("taggedartifacts._session.session.session.executions", number)
            for argument in (1, table, 1, table):
                work.f(argument, "out/f.txt")
            held.append(_memory.held_bytes())

        assert 8 == len(work.runs)
        assert held[-1] - held[1] < 2 * 500

    def test_edited_between(self, project):
        """A file that is edited between two decorators of one load is noticed, as ever."""
        path = project.write(
            "work.py",
            "from taggedartifacts import Artifact\n"
            '@Artifact("out")\ndef f(out): open(out, "w").close()\n'
            "from pathlib import Path\nhere = Path(__file__)\nhere.write_text(here.read_text() + 'x = 1\\n')\n"
            '@Artifact("out")\ndef g(out): open(out, "w").close()\n',
        )
        project.commit()
        work = project.load(path)

        with pytest.raises(OSError, match=r"work\.py"):
            work.g("out/g.txt")


class TestCompanions:
    def test_linear(self, project):
        """Which files belong to an artifact is found by one reading of its record, however many they are."""
        from taggedartifacts import verify
        from taggedartifacts._store import origin

        work = project.module(WRITE + "    for n in range(200):\n        Path(outpath).with_suffix(f'.{n}').touch()\n")
        path = work.f(1, "out/f.txt")
        calls = []

        def count(frame, event, _):
            if event == "call" and frame.f_code is origin.stored_record.__code__:
                calls.append(1)

        sys.setprofile(count)
        began = time.perf_counter()
        try:
            assert [] == verify(project.out)
        finally:
            sys.setprofile(None)
        assert len(calls) < 10
        assert time.perf_counter() - began < 60
        assert path.exists()
