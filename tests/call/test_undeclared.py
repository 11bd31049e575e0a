"""Files that a function is given or opens and that are no inputs: recorded, warned of, and never served stale."""

from __future__ import annotations

import _ctypes
import os
import shutil
from pathlib import Path

import pytest
from gitrepo import GitRepo

from taggedartifacts import _memory
from taggedartifacts._call import inputs as _inputs
from taggedartifacts._errors import InputChangedError
from taggedartifacts._hashing import hexdigest
from taggedartifacts._memory import Memory


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(_inputs, "_remembered", Memory())


class TestUndeclared:
    SOURCE = """
@Artifact("out")
def copy(table, out, **more):
    Path(out).write_text(Path(table[0] if isinstance(table, list) else table).read_text())
"""

    @pytest.mark.parametrize("give", [str, Path, lambda path: [str(path)]], ids=["str", "Path", "list"])
    def test_never_stale(self, project, give, caplog, monkeypatch):
        """A file that an argument names and inputs= does not is recorded and warned of; changed, it is no hit."""
        monkeypatch.setattr(_memory, "_said", Memory())
        work = project.module(self.SOURCE)
        table = project.write("table.csv", "a")
        with caplog.at_level("WARNING"):
            path = work.copy(give(table), "out/a.csv")
            work.copy(give(table), "out/b.csv")

        assert [(str(table), 1, hexdigest(b"a"))] == [(e.path, e.size, e.digest) for e in path.record.undeclared]
        (message,) = [each.getMessage() for each in caplog.records]
        assert f"the content of {table} does not count" in message
        assert "inputs=('table',)" in message
        os.utime(table, ns=(0, 0))
        assert path == work.copy(give(table), "out/a.csv")
        table.write_text("b")
        with pytest.raises(InputChangedError, match="name its parameter in inputs="):
            work.copy(give(table), "out/a.csv")
        assert not work.copy.is_cached(give(table), "out/a.csv")
        assert "refused" == work.copy.explain(give(table), "out/a.csv").outcome
        assert "b" == work.copy.recompute(give(table), "out/a.csv").read_text()
        assert path == work.copy(give(table), "out/a.csv")

    @pytest.mark.parametrize("how", ["gone", "file", "loop"])
    def test_where_nothing_can_be_found(self, project, how):
        """Where nothing can be found under its path any more, it does not matter."""
        work = project.module(self.SOURCE)
        table = project.write("folder/table.csv", "a")
        path = work.copy(table, "out/a.csv")
        shutil.rmtree(table.parent)
        if how == "file":
            project.write("folder", "x")
        elif how == "loop":
            os.symlink("folder", "folder")

        assert path == work.copy(table, "out/a.csv")

    def test_what_cannot_be_read_any_more(self, project):
        """What is no file now, nothing vouches for; the message names it."""
        work = project.module(self.SOURCE)
        table = project.write("table.csv", "")
        work.copy(table, "out/a.csv")
        table.unlink()
        os.mkfifo(table)

        with pytest.raises(InputChangedError, match=r"^.*/table\.csv has changed since"):
            work.copy(table, "out/a.csv")

    def test_what_is_none(self, project):
        """Inputs, ignored parameters, artifacts, code in scope and what the run writes are no undeclared inputs."""
        work = project.module(
            self.SOURCE
            + """
@Artifact("out", inputs=("table",), ignore=("log",))
def other(table, out, log, kept, code):
    Path(log).write_text("y")
    Path(kept).write_text("y")
    Path(out).write_text("")
"""
        )
        table, log, kept = (project.write(name, "x") for name in ("t.csv", "log.txt", "kept.txt"))
        artifact = work.copy(table, "out/a.csv")
        made = work.other(table, "out/b.csv", log, str(kept), str(project.path / "work.py"))

        assert () == made.record.undeclared
        assert () == work.copy(artifact, "out/c.csv").record.undeclared


class TestOpened:
    """A file that the function opens by itself and that does not count is an undeclared input too."""

    SOURCE = """
import csv
def text(path, mode="r"):
    with open(path, mode) as file:
        return list(csv.reader(file))
@Artifact("out")
def f(out):
    Path(out).write_text(str({read}))
"""

    @pytest.mark.parametrize(
        "read",
        [
            "text('data.bin')",
            "Path('data.bin').read_bytes()",
            "text(Path(__file__).parent / 'data.bin')",
            "os.read(os.open('data.bin', os.O_RDONLY), 9)",
            "text('data.bin', 'r+')",
            "__import__('numpy').fromfile('data.bin', dtype='u1').sum()",
        ],
    )
    def test_never_stale(self, project, caplog, monkeypatch, read):
        """It is recorded and warned of; touched, it is a hit, and changed, no hit."""
        monkeypatch.setattr(_memory, "_said", Memory())
        work = project.module("import os\n" + self.SOURCE.format(read=read))
        data = project.write("data.bin", "a")
        with caplog.at_level("WARNING"):
            path = work.f("out/a.txt")
            work.f("out/b.txt")

        assert [("data.bin", 1, hexdigest(b"a"))] == [(e.path, e.size, e.digest) for e in path.record.undeclared]
        (message,) = [each.getMessage() for each in caplog.records]
        assert "f reads data.bin, which is no tracked file of its scope, so its content does not count" in message
        os.utime(data, ns=(0, 0))
        assert path == work.f("out/a.txt")
        data.write_text("b")
        with pytest.raises(InputChangedError, match=r"give it one, if the function opens it by itself"):
            work.f("out/a.txt")
        assert not work.f.is_cached("out/a.txt")
        work.f.recompute("out/a.txt")
        assert path == work.f("out/a.txt")

    @pytest.mark.parametrize(
        ("name", "read"),
        [
            ("notes.md", "Path('notes' + '.md').read_text()"),
            ("logo.svg", "[p.read_text() for p in Path().iterdir() if p.suffix == '.svg']"),
            ("report.ipynb", "Path('report.ipynb').read_text()"),
            ("other.py", "Path('other' + '.py').read_text()"),
            ("named.py", "Path('named.py').read_text()"),
            ("left.csv", "Path('left.csv').read_text()"),
        ],
    )
    def test_tracked_out_of_scope(self, project, name, read):
        """A tracked file that the scope does not hold is one too, and so is one of which only the syntax counts."""
        file = project.write(name, "1")
        scope = ', scope=["work.py"]' if name == "left.csv" else ""
        work = project.module(self.SOURCE.format(read=read).replace('"out")', f'"out"{scope})'))
        project.commit()
        path = work.f("out/a.txt")

        assert [name] == [entry.path for entry in path.record.undeclared]
        assert path == work.f("out/a.txt")
        file.write_text("1 # 2")
        with pytest.raises(InputChangedError):
            work.f("out/a.txt")

    def test_from_elsewhere(self, project, monkeypatch):
        """It is found again from another working directory."""
        work = project.module(self.SOURCE.format(read="text(Path(__file__).parent / 'data.bin')"))
        data = project.write("data.bin", "a")
        path = work.f(project.path / "out" / "a.txt")
        (project.path / "sub").mkdir()
        monkeypatch.chdir(project.path / "sub")

        assert path == work.f(project.path / "out" / "a.txt")
        data.write_text("b")
        with pytest.raises(InputChangedError):
            work.f(project.path / "out" / "a.txt")

    @pytest.mark.parametrize(
        "load",
        [
            "ctypes.CDLL('./libx.so')",
            "ctypes.cdll.LoadLibrary(Path(__file__).parent / 'libx.so')",
            "ctypes.PyDLL(os.path.abspath('libx.so'))",
            "numpy.ctypeslib.load_library('libx', '.')",
        ],
    )
    def test_library_built_here(self, project, load):
        """A library of C that git ignores and that is built again."""
        work = project.module("import ctypes, os, numpy\n" + self.SOURCE.format(read=f"bool({load})"))
        library = project.path / "libx.so"
        shutil.copyfile(_ctypes.__file__, library)
        project.write(".gitignore", "*.so\nout/\n")
        project.commit()
        path = work.f("out/a.txt")

        assert ["libx.so"] == [entry.path for entry in path.record.undeclared]
        os.replace(shutil.copyfile(library, project.path / "new"), library)
        assert path == work.f("out/a.txt")
        (project.path / "new").write_bytes(library.read_bytes() + b"x")
        os.replace(project.path / "new", library)
        with pytest.raises(InputChangedError):
            work.f("out/a.txt")

    def test_what_is_none(self, project, monkeypatch):
        """Tracked files, what the run makes or changes, inputs, what is ignored, artifacts, and code are none."""
        project.write("tracked.csv", "a")
        project.write("late_one.py", "N = 1")
        project.write("ignored_one.py", "N = 1")
        project.write(".gitignore", "/ignored_one.py\n/out/\n/env/\n")
        project.write("env/lib/site-packages/package/data.txt", "1")
        project.write("env/__pycache__/cache.json", "1")
        (project.path / "link.csv").symlink_to(__file__)
        (project.path / "out").mkdir()
        (project.path / "out" / "link.csv").symlink_to(project.path / "tracked.csv")
        monkeypatch.syspath_prepend(project.path)
        work = project.module(
            """
@Artifact("out")
def inner(out):
    Path(out).write_text("x")
@Artifact("out", inputs=("table", "tables"), ignore=("log",))
def f(table, tables, log, out):
    data = "env/lib/site-packages/package/data.txt", "env/__pycache__/cache.json", ".git/HEAD", "link.csv"
    given = table, tables["a"], tables["folder"] + "/v.csv", log
    for path in (*given, "tracked.csv", "out/link.csv", inner("out/inner.txt"), __file__, *data):
        Path(path).read_text()
    Path("made.txt").write_text("x")
    Path("made.txt").read_text()
    with open("count.txt", "r+") as file:
        file.write(str(int(file.read()) + 1))
    open("written.txt", "a").close()
    import late_one, ignored_one
    Path(out).write_text("x")
"""
        )
        for name in ("t.csv", "u.csv", "more/v.csv", "log.txt", "count.txt", "written.txt"):
            project.write(name, "1")

        tables = {"a": "u.csv", "folder": "more"}
        assert () == work.f("t.csv", tables, "log.txt", "out/a.txt").record.undeclared

    def test_after_a_call_inside(self, project):
        """What a function opens after it called another one is seen, too."""
        inner = "@Artifact('out')\ndef inner(out):\n    Path(out).touch()\n"
        work = project.module(inner + self.SOURCE.format(read="[inner('out/i.txt'), text('data.bin')]"))
        project.write("data.bin", "a")

        assert ["data.bin"] == [each.path for each in work.f("out/a.txt").record.undeclared]

    def test_committed_since(self, project):
        """What is committed since counts by its commit."""
        work = project.module(self.SOURCE.format(read="text('data.bin')"))
        project.write("data.bin", "a")
        work.f("out/a.txt")
        project.commit()

        assert () == project.load(project.path / "work.py").f("out/a.txt").record.undeclared

    def test_submodule(self, project, tmp_path):
        """What a submodule tracks counts by its commit."""
        library = GitRepo(tmp_path / "library")
        library.write("a.csv", "1")
        library.commit()
        project.git("submodule", "add", "-q", str(library.path), "vendor")
        work = project.module(self.SOURCE.format(read="text('vendor/a.csv')"))

        assert () == work.f("out/a.txt").record.undeclared

    def test_too_many(self, project, monkeypatch, caplog):
        """Of very many, that the last are not looked at again is said."""
        monkeypatch.setattr(_inputs, "_MOST_LISTED", 2)
        monkeypatch.setattr(_memory, "_said", Memory())
        work = project.module(self.SOURCE.format(read="[Path(f'{n}.txt').read_text() for n in range(3)]"))
        for number in range(3):
            project.write(f"{number}.txt", "x")

        assert ["0.txt", "1.txt"] == [each.path for each in work.f("out/a.txt").record.undeclared]
        assert ["f reads 0.txt" in caplog.text, "f reads 1.txt" in caplog.text] == [True, True]
        assert "3 files that do not count were read; changes of 1 of them will not be seen" in caplog.text
