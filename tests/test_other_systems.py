"""Windows and macOS, as far as they can be tried elsewhere: without what only Linux has, and with their paths."""

import ast
import errno
import ntpath
import os
import py_compile
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import taggedartifacts
from taggedartifacts import ArtifactNameError, RecordError
from taggedartifacts._call import destination as _destination
from taggedartifacts._call import inputs as _inputs
from taggedartifacts._code import scope as _scope
from taggedartifacts._code.settings import Settings
from taggedartifacts._reach import loaded as _loadedcode
from taggedartifacts._reach import places as _places
from taggedartifacts._store import disk as _disk
from taggedartifacts._store import publish as _publish
from taggedartifacts._store.disk import move
from taggedartifacts._store.folder import Folder
from taggedartifacts._store.record import Record

PACKAGE = Path(taggedartifacts.__file__).parent

# What Windows has not, taken away before the library is imported, and then all that people do with artifacts.
# O_NONBLOCK stays: the lock of this system needs it.
LIFE = """\
import os
for name in ("O_NOFOLLOW", "geteuid", "getuid", "fork", "pathconf", "statvfs", "chown"):
    delattr(os, name)

from pathlib import Path
from taggedartifacts import Artifact, compare, prune, record, verify, versions

@Artifact("outpath", allow_dirty=True)
def save(count, outpath):
    outpath.write_text("a" * count)

@Artifact("outpath", allow_dirty=True)
def store(outpath):
    Path(outpath, "weights.txt").write_text("1")

first, second = save(1, Path("out/a.txt")), save(2, Path("out/a.txt"))
assert save(1, Path("out/a.txt")) == save.recompute(1, Path("out/a.txt")) == first
assert record(store("out/model/")).kind == record(store.recompute("out/model/")).kind == "directory"
assert versions("out/a.txt") and not compare(first, second).same_content and not verify("out")
prune("out/a.txt", keep=1, dry_run=False)
assert len(list(Path("out").glob("a-*.txt"))) == 1
"""


def windows(**present):
    """An ``os`` that names and splits paths as Windows does."""
    paths = SimpleNamespace(
        isabs=ntpath.isabs,
        isfile=lambda _path: True,
        islink=lambda _path: False,
        join=ntpath.join,
        normpath=ntpath.normpath,
        realpath=ntpath.normpath,
    )
    return SimpleNamespace(sep="\\", curdir=".", pardir="..", fspath=os.fspath, path=paths, **present)


class TestImports:
    def test_no_module_that_only_unix_has(self):
        """Importing the library needs nothing that Windows lacks."""
        names = {
            alias.name
            for path in PACKAGE.glob("*.py")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import)
            for alias in node.names
        }

        assert set() == names & {"fcntl", "grp", "pwd", "resource", "termios", "tty"}


# What the tests import from elsewhere was made for this system, and comes first; then what Windows lacks is taken away.
COLLECT = """\
import os, signal, sys
import asyncio, concurrent.futures.process, multiprocessing.pool
import attrs, cloudpickle, filelock, IPython, ipykernel, joblib, matplotlib, nbclient, omegaconf, pandas, polars
import pyarrow, pydantic, pytest

for name in ("fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"):
    sys.modules[name] = None
for name in ("chown", "fork", "geteuid", "getuid", "mkfifo", "O_NOFOLLOW", "pathconf", "setuid", "statvfs"):
    delattr(os, name)
del signal.SIGKILL
options = "--collect-only -qqq -o addopts= -p no:xdist -p no:cacheprovider -W ignore"
sys.exit(pytest.main([*options.split(), sys.argv[1]]))
"""


class TestCollection:
    @pytest.mark.heavy
    def test_without_what_only_unix_has(self, project):
        """The tests can be collected where these modules and functions are missing, so that the others run there."""
        project.run(sys.executable, "-c", COLLECT, Path(__file__).parent)


class TestLife:
    def test_without_what_only_unix_has(self, project):
        """Making, reusing, replacing, asking and tidying up work where these functions and flags are missing."""
        project.write("life.py", LIFE)
        project.commit()

        project.run(sys.executable, "life.py")


class TestGitPaths:
    def test_module(self, monkeypatch):
        """A loaded module is found in the work tree, under the path that git gives it."""
        monkeypatch.setattr(_places, "os", windows())
        _places._real_folder.cache_clear()
        expected = [("analysis/plots.py", r"C:\work\analysis\plots.py")]

        assert expected == _places.places(r"C:\work\analysis\plots.py", r"C:\work")
        assert expected == _places.places("C:/work/analysis/plots.py", r"C:\work")
        assert [] == _places.places(r"C:\workshop\plots.py", r"C:\work")

    def test_scope(self, monkeypatch):
        """A scope is compared with paths as git writes them, however it was written."""
        monkeypatch.setattr(_scope, "os", windows(fsencode=os.fsencode, fsdecode=os.fsdecode))
        there = {"analysis/plots", "data"}.__contains__
        paths = _scope.named_paths(r"C:\work", [r"analysis\plots", "data/"], Settings(), there)

        assert paths == ("analysis/plots", "data")
        assert _scope.is_below("analysis/plots/hist.py", paths)


class TestNames:
    @pytest.mark.parametrize(
        "name",
        ["12:30-x.png", "CON.a-x.txt", "lpt1.a-x", "COM².a-x", "nul .a-x", "conin$.a-x", "what?-x.csv", "x-y.", "x-y "],
    )
    def test_refused_where_they_would_change(self, name, tmp_path, monkeypatch):
        """On Windows, a name that would become another one is refused before anything runs; elsewhere it is fine."""
        _destination.check_names([(Folder(str(tmp_path)), name)])
        monkeypatch.setattr(_destination.os, "name", "nt")

        with pytest.raises(ArtifactNameError, match="Windows"):
            _destination.check_names([(Folder(str(tmp_path)), name)])

    def test_tagged_device(self, tmp_path, monkeypatch):
        """The tag makes a plain name of a device's."""
        monkeypatch.setattr(_destination.os, "name", "nt")

        _destination.check_names([(Folder(str(tmp_path)), "con-8c1f0e92d4-5b7ad3f0c1e2.txt")])

    def test_drive_in_a_record(self, project, monkeypatch):
        """A record cannot lead to another drive."""
        work = project.module('@Artifact("outpath")\ndef f(outpath):\n    outpath.write_text("1")\n')
        text = work.f(Path("out/a.txt")).record.to_json().replace(b'"patch": null', b'"patch": "C:thesis.txt"')
        monkeypatch.setattr(os.path, "splitdrive", ntpath.splitdrive)

        with pytest.raises(RecordError, match="no file name"):
            Record.from_json(text)


class TestFolder:
    def test_missing_drive(self, monkeypatch):
        """A drive that is not there is an error of the system, and not an endless search above it."""
        monkeypatch.setattr(os.path, "lexists", lambda _path: False)

        with pytest.raises(OSError, match=r"Permission denied|No such file"):
            Folder("/proc/none/out").make()


class TestReplacedDirectory:
    def test_refused_as_windows_does(self, project, monkeypatch):
        """A directory that the system will not replace, and says so as Windows does, steps aside."""
        work = project.module(
            'RUNS = []\n@Artifact("outpath", ignore=("RUNS",))\ndef f(outpath):\n    RUNS.append(1)\n'
            '    Path(outpath, "runs").write_text(str(len(RUNS)))\n'
        )
        model = work.f("out/model/")

        def refusing(source, target):
            if os.path.isdir(target):
                raise PermissionError(errno.EACCES, "Access is denied", target)
            move(source, target)

        monkeypatch.setattr(_publish, "move", refusing)
        work.f.recompute("out/model/")

        assert "2" == (model / "runs").read_text()


class TestOpenFiles:
    """Windows replaces no file that somebody has open."""

    def test_for_an_instant(self, tmp_path, monkeypatch):
        """A file that a scanner holds for an instant is waited for."""
        (tmp_path / "new").write_text("new")
        (tmp_path / "old").write_text("old")
        refusals, replace = [1, 2, 3], os.replace

        def refusing(source, target):
            if refusals:
                refusals.pop()
                raise PermissionError(errno.EACCES, "Access is denied", source)
            replace(source, target)

        monkeypatch.setattr(_disk, "_TRIES", 5)
        monkeypatch.setattr(_disk, "_SECONDS_BETWEEN", 0)
        monkeypatch.setattr(_disk.os, "replace", refusing)
        move(str(tmp_path / "new"), str(tmp_path / "old"))

        assert "new" == (tmp_path / "old").read_text()

    def test_by_a_program(self, project, monkeypatch):
        """What stays open is the system's error, which says what to do; the artifact and its record stay."""
        work = project.module('@Artifact("outpath")\ndef f(outpath):\n    outpath.write_text("1")\n')
        path = work.f(Path("out/a.txt"))
        replace, tries = os.replace, []

        def refusing(source, target):
            if os.path.basename(target) == path.name:
                tries.append(target)
                raise PermissionError(errno.EACCES, "Access is denied", source)
            replace(source, target)

        with monkeypatch.context() as patch:  # undone by itself: monkeypatch holds the working directory too
            patch.setattr(_disk, "_TRIES", 3)
            patch.setattr(_disk, "_SECONDS_BETWEEN", 0)
            patch.setattr(_disk.os, "replace", refusing)
            with pytest.raises(PermissionError, match="Access is denied") as caught:
                work.f.recompute(Path("out/a.txt"))

        assert 3 == len(tries)
        assert ["Windows replaces no file that a program has open: close it there, and call again"] == (
            caught.value.__notes__
        )
        assert path == work.f(Path("out/a.txt"))
        assert {"kept"} >= {each.what for each in taggedartifacts.verify("out")}


class TestWithoutLinks:
    """Without locks an artifact is linked to its name; Windows has file systems without links, and says EINVAL."""

    @pytest.fixture
    def places(self, tmp_path, monkeypatch):
        def refusing(source, target):
            raise OSError(errno.EINVAL, "Incorrect function", source)

        monkeypatch.setattr(_publish.os, "link", refusing)
        (tmp_path / "new").write_text("new")
        return str(tmp_path / "new"), str(tmp_path / "final")

    def test_renamed(self, places):
        """What cannot be linked is renamed."""
        assert _publish._link(*places)
        assert "new" == Path(places[1]).read_text()

    def test_somebody_was_first(self, places, monkeypatch):
        """Where a rename replaces nothing, as on Windows, the first one's stays, at the last instant too."""

        def refusing(source, target):
            raise FileExistsError(errno.EEXIST, "Cannot create a file when that file already exists", target)

        monkeypatch.setattr(_publish.os, "rename", refusing)

        assert not _publish._link(*places)


class TestLoadedCode:
    def test_time_of_creation(self, tmp_path, monkeypatch):
        """An edit is seen where the time of change is that of creation, as on Windows."""
        source, cached = tmp_path / "work.py", tmp_path / "work.pyc"
        source.write_text("def f():\n    return 1\n")
        py_compile.compile(str(source), str(cached))
        namespace = {"__file__": str(source), "__cached__": str(cached)}
        exec(compile(source.read_text(), str(source), "exec"), namespace)
        written = os.stat(cached).st_mtime_ns
        source.write_text("def f():\n    return 2\n")
        # Later than the bytecode, and within the second that is stamped into it: it looks current.
        os.utime(source, ns=(written + 1000, written + 1000))
        stamp = int(os.stat(source).st_mtime) & 0xFFFFFFFF
        content = cached.read_bytes()
        cached.write_bytes(content[:8] + stamp.to_bytes(4, "little") + content[12:])
        os.utime(cached, ns=(written, written))
        real = os.stat

        def without_changes(path, **options):
            found = real(path, **options)
            return SimpleNamespace(st_ctime=1.0, st_mtime=found.st_mtime, st_size=found.st_size)

        monkeypatch.setattr(_loadedcode.os, "stat", without_changes)

        monkeypatch.setattr(_loadedcode, "_STARTED", 0.0)

        assert not _loadedcode.holds_loaded_code(str(source), namespace, None)


class TestInputs:
    def test_no_inode_numbers(self, tmp_path, monkeypatch):
        """Where files have no numbers, none is taken for another, and no directory for the one above."""
        for name in ("a", "b"):
            (tmp_path / "above" / "below").mkdir(parents=True, exist_ok=True)
            (tmp_path / "above" / "below" / name).write_text(name)
            os.utime(tmp_path / "above" / "below" / name, (1, 1))
        real = os.stat

        def numberless(path, **options):
            found = list(real(path, **options))
            found[1] = found[2] = found[9] = 0  # number, device, and the time that no program can set
            return os.stat_result(found)

        monkeypatch.setattr(_inputs.os, "stat", numberless)
        found = _inputs.input_contents({"table": tmp_path / "above"})["table"]["below"]

        assert found["a"] != found["b"]
        assert found == _inputs.input_contents({"table": tmp_path / "above"})["table"]["below"]
