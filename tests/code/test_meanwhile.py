"""Files of the scope that are no modules are looked at again: two states of one are not mixed in a result."""

import os
import sqlite3

import pytest
from heavy import but

from taggedartifacts import InputError
from taggedartifacts._reach import opened


def database(number):
    """Make the content of a database that holds a number."""
    with sqlite3.connect(":memory:") as connection:
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("CREATE TABLE t (a)")
        return connection.serialize()


def text(number):
    """Make the content of a file of settings."""
    return f'{{"n": {number}}}\n'.encode()


# How a run reads a file; the file; what makes its content.
READ = {
    "settings": ("json.loads(Path('params.json').read_text())['n']", "params.json", text),
    "bytes": ("Path('conf/run.yaml').read_bytes()", "conf/run.yaml", text),
    "table": ("rows('data/a.csv')", "data/a.csv", text),
    "descriptor": ("read('data/blob')", "data/blob", text),
    "database": ("sqlite3.connect('data/a.db').execute('PRAGMA user_version').fetchone()", "data/a.db", database),
    "library in C": ("pygit2.hashfile('data/a.h5')", "data/a.h5", text),
    "another program": ("subprocess.check_output(['git', 'hash-object', 'data/a.csv'])", "data/a.csv", text),
    "shell": ("os.system('git hash-object data/a.csv > /dev/null')", "data/a.csv", text),
    "script": ("subprocess.check_output([sys.executable, '-IS', 'step.py'])", "step.py", b"N = %d\n".__mod__),
}
SOURCE = """
import csv, json, sqlite3, subprocess, sys
import pygit2
def rows(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))
def read(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 100)
    finally:
        os.close(descriptor)
@Artifact("out")
def sweep(number, out):
    Path(out).write_text(str({}))
"""


@pytest.fixture
def work(project):
    """Make a project with a function that sweeps, and with the file that it reads."""

    def make(reads, name, content):
        project.write(name, content(1))
        project.write("data/other.csv", "1\n")
        return project.module(SOURCE.format(reads))

    return make


class TestRead:
    @pytest.mark.parametrize("way", but(READ, "settings", "library in C", "another program"))
    def test_edited(self, project, work, way):
        """A sweep whose settings or data are edited between two of its calls is refused from then on."""
        reads, name, content = READ[way]
        module = work(reads, name, content)
        first = module.sweep(1, "out/a.txt")
        project.write(name, content(2))

        assert first == module.sweep(1, "out/a.txt")
        with pytest.raises(InputError, match=f"{name} changed while work.py::sweep ran, and may have been read"):
            module.sweep(2, "out/a.txt")
        project.write(name, content(1))
        assert module.sweep(2, "out/a.txt").tag == module.sweep.path(2, "out/a.txt").tag

    def test_committed(self, project, work):
        """Nor can what was committed since be that of the commit which the tag names."""
        module = work(*READ["settings"])
        module.sweep(1, "out/a.txt")
        project.write("params.json", text(2))
        project.commit()

        with pytest.raises(InputError, match=r"params\.json changed while"):
            module.sweep(2, "out/a.txt")

    def test_link(self, project, work):
        """A file that is opened through a link that git does not track is that file."""
        module = work("rows('out/link.csv')", *READ["table"][1:])
        (project.path / "out").mkdir()
        (project.path / "out" / "link.csv").symlink_to(project.path / "data" / "a.csv")
        project.write("data/a.csv", text(2))

        with pytest.raises(InputError, match=r"data/a\.csv changed while"):
            module.sweep(1, "out/a.txt")

    def test_deleted(self, project, work):
        """A file that is gone may have been missed by another program."""
        module = work(*READ["shell"])
        (project.path / "data" / "a.csv").unlink()

        with pytest.raises(InputError, match=r"data/a\.csv changed while"):
            module.sweep(1, "out/a.txt")

    def test_more_than_is_remembered(self, project, work, monkeypatch):
        """Where more is opened than is remembered, any file may have been read."""
        monkeypatch.setattr(opened, "_MOST_FILES", 0)
        module = work(*READ["settings"])
        project.write("data/other.csv", "2\n")

        with pytest.raises(InputError, match=r"data/other\.csv changed while"):
            module.sweep(1, "out/a.txt")

    def test_dirty_before(self, project):
        """Of a file that was not committed, any change counts: the tag names it by its bytes."""
        project.write("helper.py", "N = 1\n")
        project.module(
            "import numpy\ndef later():\n    import helper\n@Artifact('out', allow_dirty=True)\n"
            "def f(out):\n    numpy.fromfile(chr(104) + 'elper.py', 'u1')\n    Path(out).touch()\n"
        )
        project.write("helper.py", "N = 2\n")
        module = project.load(project.path / "work.py")
        assert module.f.path("out/a.txt").tag.dirty is not None
        project.write("helper.py", "N = 2  # as before\n")

        with pytest.raises(InputError, match=r"helper\.py changed while"):
            module.f("out/a.txt")

    def test_time_put_back(self, project, work):
        """A file that was edited is seen although somebody has put its time back."""
        module = work(*READ["settings"])
        os.utime(project.write("params.json", text(2)), (1, 1))

        with pytest.raises(InputError, match=r"params\.json changed while"):
            module.sweep(1, "out/a.txt")

    def test_others(self, project, work):
        """A file that was touched, and one that the run does not read, change nothing."""
        module = work(*READ["settings"])
        module.sweep(1, "out/a.txt")
        os.utime(project.path / "params.json")
        project.write("data/other.csv", "2\n")

        assert module.sweep(2, "out/a.txt").exists()
