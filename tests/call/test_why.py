"""Why an artifact had to be made: the clause in the log."""

import logging
import re
from pathlib import Path

import pytest

from taggedartifacts._call import explain


class TestWhy:
    """The log says in one clause why something was made although there is another of its name."""

    @pytest.fixture
    def said(self, project, caplog):
        caplog.set_level(logging.INFO, "taggedartifacts")
        project.write("table.csv", "a")
        project.write("helper.py", "")

        def call(work=None, function="f", **arguments):
            """Call a function of a project; return what the log says behind the seconds."""
            work = work or project.load(project.path / "work.py")
            caplog.clear()
            getattr(work, function)(**arguments)
            (message,) = [each.getMessage() for each in caplog.records if each.getMessage().startswith("made ")]
            return re.fullmatch(r"made \S+ in [\d.e-]+ s(.*)", message)[1]

        return call

    WORK = """
settings = {"bins": 40, "model": {"depth": 3}}
@Artifact("out", config=settings, inputs=("table",), allow_dirty=True)
def f(x=1, table="table.csv", out="out/f.txt", y=1, z=1, w=1):
    Path(out).write_text("")
@Artifact("out")
def one(out="out/one"):
    Path(out).write_text("")
    Path(out + ".hdr").write_text("")
"""

    def test_clauses(self, project, said):
        """Values are told by their places, no more than three of them."""
        work = project.module(self.WORK)

        assert "" == said(work)
        work.settings["bins"] = 60
        assert ": bins 40 → 60" == said(work)
        work.settings["model"]["depth"] = 4
        assert ": model.depth 3 → 4" == said(work)
        assert ": x 1 → 'two'" == said(work, x="two")
        assert ": w 1 → 2; x 'two' → 3; y 1 → 2; and 1 more" == said(work, x=3, y=2, z=2, w=2)

    def test_input(self, project, said):
        """An input that changed is named."""
        work = project.module(self.WORK.replace(', inputs=("table",)', ', inputs=("table",), scope=["work.py"]'))
        said(work)
        project.write("table.csv", "b")

        assert ": the content of table changed" == said(work)

    def test_inputs_of_one_alone(self, project, said):
        """Where one of the two has no inputs at all, there is no name to tell."""
        said(project.module(self.WORK.replace(', inputs=("table",)', "")))

        assert "; other inputs count" in said(project.module(self.WORK))

    def test_of_another_function(self, project, said):
        """What another function made under the name differs in all; that it was another function tells it."""
        project.write("table.csv", "a")
        said(project.module(self.WORK))

        assert ": function work.py::f → work.py::one" == said(function="one", out="out/f.txt")

    def test_code(self, project, said):
        """So is a file that is not committed, and one that another commit changed, with what imports it."""
        project.write("helper.py", "x = 1\n")
        source = "import sys\nif False:\n    import helper\n" + self.WORK
        said(project.module(source))
        project.write("helper.py", "x = 2\n")
        assert ": helper.py changed" == said()
        project.commit()
        assert ": helper.py changed, imported by work.py" == said()
        project.write("other.csv", "b")
        project.commit()
        assert ": other.csv changed, which counts as data" == said()

    def test_whole_repository(self, project, said):
        """Where all of the repository counts, the clause says why a file does that no import reaches."""
        said(project.module("import subprocess\n" + self.WORK))
        project.write("notes.md", "b")
        project.commit()

        assert ": notes.md changed, which counts since work.py:4 imports subprocess" == said()

    def test_names_the_newest_of_equally_near_ones(self, project, said):
        """In a sweep, what is told is the step from the one before."""
        work = project.module(self.WORK)

        assert ["", ": x 1 → 2", ": x 2 → 3"] == [said(work, x=x) for x in (1, 2, 3)]

    def test_of_the_same(self, project, said):
        """What was there and is made again for another reason says which."""
        work = project.module(self.WORK)
        work.one()
        Path(f"{work.one.path()}.hdr").unlink()
        assert ": not all that belongs to it was there" == said(work, "one")
        work.one.path().unlink()
        Path(f"{work.one.path()}.hdr").unlink()
        assert ": it had been removed" == said(work, "one")
        work.recompute = work.one.recompute
        assert ": recompute was called" == said(work, "recompute")

    def test_is_bounded(self, project, said, monkeypatch):
        """Among many artifacts only some are looked at, and large configurations are not compared."""
        work = project.module(self.WORK)
        for x in range(5):
            work.f(x=x)
        read = []
        with monkeypatch.context() as patch:
            patch.setattr(explain, "_MOST_RECORDS", 2)
            patch.setattr(explain, "_differences_from", lambda version, *_, **__: read.append(version) or ())
            said(work, x=9)

        assert 3 == len(read)
        assert re.fullmatch(r": x 9 → digest\([0-9a-f]{10}…, 100002\)", said(work, x="x" * 100_000))
        several = dict.fromkeys("xyzw", "x" * 15_000)  # each of which a record keeps
        assert re.fullmatch(r": config hash [0-9a-f]+ → [0-9a-f]+", said(work, **several))

    def test_costs_nothing_where_nobody_reads_it(self, project, said, caplog, monkeypatch):
        """A call whose log is not shown reads no other record."""
        work = project.module(self.WORK)
        caplog.set_level(logging.WARNING, "taggedartifacts")
        monkeypatch.setattr(explain, "why", None)

        assert work.f(x=1) != work.f(x=2)
