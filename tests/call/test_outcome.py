"""Outcomes: what a function wrote becomes an artifact, whole, or nothing does, and nothing of others is lost."""

import logging
import os
from pathlib import Path

import pytest
from cases import COMPANIONS, MODEL, TWO, WRITE

from taggedartifacts import (
    ArtifactConflictError,
    ArtifactModifiedError,
    ArtifactNotWrittenError,
    InputError,
)


class TestWhatTheFunctionWrote:
    def test_nothing(self, project):
        """A function that wrote nothing is told so, and nothing appears."""
        work = project.module('@Artifact("outpath")\ndef f(outpath): ...\n')

        with pytest.raises(ArtifactNotWrittenError, match=r"wrote nothing where 'x-.*\.dat' was promised"):
            work.f("out/x.dat")
        assert [] == project.files()

    def test_another_name(self, project):
        """A function that wrote under another name is told under which."""
        work = project.module('@Artifact("outpath")\ndef f(outpath):\n    Path(outpath + ".npy").write_text("")\n')

        with pytest.raises(ArtifactNotWrittenError, match=r"wrote 'x-.*\.dat\.npy' where 'x-.*\.dat' was promised"):
            work.f("out/x.dat")
        assert [] == project.files() == project.staged()

    @pytest.mark.parametrize(
        ("endings", "says"),
        [
            ([".npy"], r"end the output's name in '\.npy'"),
            ([".index", ".data-00000-of-00001"], "give the output a slash at its end"),
        ],
    )
    def test_longer_names(self, project, endings, says):
        """A suffix that was put behind the name, and a prefix of several names, have each their own remedy."""
        work = project.module(
            '@Artifact("out")\ndef f(endings, out):\n    [Path(out + each).write_text("") for each in endings]\n'
        )

        with pytest.raises(ArtifactNotWrittenError, match=says):
            work.f(endings, "out/checkpoint")

    @pytest.mark.parametrize(
        ("make", "says"), [("os.symlink('/etc/passwd', out)", "symbolic link"), ("os.mkfifo(out)", "neither")]
    )
    def test_no_file(self, project, make, says):
        """What is no file or directory of its own is not published."""
        work = project.module(f'@Artifact("out")\ndef f(out):\n    {make}\n')

        with pytest.raises(ArtifactNotWrittenError, match=says):
            work.f("out/x")
        assert [] == project.files()

    def test_strangers_are_kept(self, project, caplog):
        """A file written beside the output without its stem is kept under its own name, with a warning."""
        work = project.module(WRITE + '    Path(outpath).with_name("log.txt").write_text(str(x))\n')
        first = work.f(1, "out/f.txt")
        second = work.f(2, "out/f.txt")

        assert sorted([first.name, second.name, "log.txt"]) == project.files()
        assert "log.txt was written beside" in caplog.text
        assert "2" == (project.out / "log.txt").read_text()

    def test_stranger_never_replaces_an_artifact(self, project):
        """A file written beside the output under the name of another artifact is refused."""
        work = project.module(WRITE + "    Path(outpath).with_name(x).write_text('lost')\n")
        work.f("other.txt", "out/f.txt")
        victim = next(path for path in project.out.glob("f-*"))

        with pytest.raises(ArtifactConflictError, match="is there already"):
            work.f(victim.name, "out/g.txt")
        assert "other.txt\n" == victim.read_text()

    def test_stranger_replaces(self, project, caplog):
        """The warning says so when it takes the place of what stood there."""
        work = project.module(WRITE + '    Path(outpath).with_name("log.txt").write_text(str(x))\n')
        work.f(1, "out/f.txt")
        assert "in place of" not in caplog.text
        work.f(2, "out/f.txt")

        assert "without a tag or a record, in place of what stood there" in caplog.text

    def test_links_stay_valid(self, project):
        """A link to the absolute path of what the function wrote beside it leads there after both have moved."""
        work = project.module("""
@Artifact("out")
def f(x, out):
    for base, name in ((Path(out), "latest"), (Path(out).resolve(), "real"), (Path(out), "outer")):
        Path(out, "sub").mkdir(exist_ok=True)
        Path(out, "sub", name).symlink_to(base / ".." / Path(out).name / "data" if name == "outer" else base / "data")
    Path(out, "elsewhere").symlink_to("/")
    Path(out, "relative").symlink_to("data")
    Path(out, "data").write_text("content")
""")
        path = work.f(1, "out/f/")

        for name in ("sub/latest", "sub/real", "sub/outer", "relative"):
            assert "content" == (path / name).read_text()
            assert not (path / name).readlink().is_absolute()
        assert Path("/") == (path / "elsewhere").readlink()
        assert path == work.f(1, "out/f/")

    def test_raises(self, project):
        """A function that raises leaves nothing, its error comes through, and the next call works."""
        work = project.module(WRITE + "    if x == 1 and len(runs) == 1:\n        raise ZeroDivisionError('mine')\n")

        with pytest.raises(ZeroDivisionError, match="mine"):
            work.f(1, "out/f.txt")
        assert [] == project.files() == project.staged()
        assert "1\n" == work.f(1, "out/f.txt").read_text()

    def test_interrupted(self, project):
        """Ctrl-C in the function leaves nothing, and the next call works."""
        work = project.module(WRITE + "    if len(runs) == 1:\n        raise KeyboardInterrupt\n")

        with pytest.raises(KeyboardInterrupt):
            work.f(1, "out/f.txt")
        assert [] == project.files() == project.staged()
        assert "1\n" == work.f(1, "out/f.txt").read_text()


class TestDirectories:
    def test_made_beforehand(self, project):
        """A trailing slash promises a directory, which the function finds made; it keeps its slash."""
        work = project.module(MODEL)
        path = work.model(1)

        assert "1 1" == (path / "weights" / "0.bin").read_text()
        assert (path / "logs").is_dir()
        assert work.runs[0].endswith(f"{path.name}/")
        assert path == work.model(1)
        assert 1 == len(work.runs)

    def test_made_by_the_function(self, project):
        """A function may make a directory at its path itself."""
        work = project.module(
            'runs = []\n@Artifact("out")\ndef f(out):\n    runs.append(1)\n    out.mkdir()\n    (out / "a").touch()\n'
        )
        path = work.f(Path("out/m"))

        assert path == work.f(Path("out/m"))
        assert [1] == work.runs
        assert [f"{path.name}/a"] == project.files()

    def test_copied_without_times(self, project):
        """A directory whose times were lost in a copy is recognised by its content."""
        work = project.module(MODEL)
        path = work.model(1)
        for each in (path / "weights" / "0.bin", path):
            os.utime(each, ns=(5, 5))

        assert path == work.model(1)
        assert 1 == len(work.runs)

    def test_recompute(self, project):
        """A directory is replaced as a whole."""
        work = project.module(MODEL)
        path = work.model(1)
        (path / "mine.txt").write_text("")
        work.model.recompute(1)

        assert [f"{path.name}/weights/0.bin"] == project.files()
        assert "1 2" == (path / "weights" / "0.bin").read_text()
        assert [] == project.staged()

    def test_read_only_inside(self, project):
        """A directory that the function made read-only is published, and one that failed is removed."""
        work = project.module(MODEL + "    os.chmod(out, 0o555)\n    if x == 2:\n        raise ZeroDivisionError\n")
        work.model(1)
        with pytest.raises(ZeroDivisionError):
            work.model(2)

        assert [] == project.staged()


class TestSeveralOutputs:
    def test_all(self, project):
        """Several outputs come from one run and are returned as a tuple."""
        work = project.module(TWO)
        made = work.two(1, "out/a.txt", "other/b.txt")

        assert made == work.two(1, "out/a.txt", "other/b.txt") == work.two.path(1, "out/a.txt", "other/b.txt")
        assert ["a 1", "b 1"] == [path.read_text() for path in made]
        assert [1] == work.runs

    def test_none(self, project):
        """If one output is not written, none appears."""
        work = project.module(TWO)

        with pytest.raises(ArtifactNotWrittenError, match="'b-"):
            work.two(1, "out/a.txt", "out/b.txt", fail=True)
        assert [] == project.files() == project.staged()

    def test_one_is_gone(self, project):
        """If one is gone, all are made again, so that they are of one run."""
        work = project.module(TWO)
        work.two(1, "out/a.txt", "out/b.txt")[1].unlink()

        assert not work.two.is_cached(1, "out/a.txt", "out/b.txt")
        assert ["a 2", "b 2"] == [path.read_text() for path in work.two(1, "out/a.txt", "out/b.txt")]

    def test_one_is_edited(self, project):
        """If one is gone and the other edited, the edit is not overwritten."""
        work = project.module(TWO)
        a, b = work.two(1, "out/a.txt", "out/b.txt")
        a.write_text("edited")
        b.unlink()

        with pytest.raises(ArtifactModifiedError):
            work.two(1, "out/a.txt", "out/b.txt")
        assert "edited" == a.read_text()


OPTIONAL = """
runs = []
@Artifact(("png", "csv"), ignore=("runs",))
def plot(x, png=None, csv=None):
    runs.append((png is not None, csv is not None))
    for path in filter(None, (png, csv)):
        Path(path).write_text(f"{x} {len(runs)}")

@Artifact(("png", "csv"), mode="r")
def look(png=None, csv=None):
    return png, csv

@Artifact(("png", "csv"), load=lambda paths: [path and path.read_text() for path in paths])
def load(x, png=None, csv=None):
    for path in filter(None, (png, csv)):
        Path(path).write_text(str(x))

@Artifact(("png", "csv"))
def through(x, **paths):
    Path(paths["png"]).write_text(str(x))
"""


class TestOptionalOutputs:
    def test_none_is_not_asked_for(self, project):
        """An output whose argument is None is neither made nor expected, and None in its place is returned."""
        work = project.module(OPTIONAL)
        made = work.plot(1, png="out/a.png")

        assert (work.plot.path(1, png="out/a.png")[0], None) == made == work.plot(1, png="out/a.png")
        assert [made[0].name] == project.files()
        assert (made[0].name, None) == made[0].record.outputs
        assert [(True, False)] == work.runs

    def test_each_alone_and_both(self, project):
        """Each has the same tag whichever are asked for; both together are of one run."""
        work = project.module(OPTIONAL)
        png, _ = work.plot(1, png="out/a.png")
        _, csv = work.plot(1, csv="out/a.csv")

        assert (None, csv) == work.plot(1, csv="out/a.csv")
        assert (png, csv) == work.plot(1, "out/a.png", "out/a.csv")
        assert "1 3" == png.read_text() == csv.read_text()
        assert [(png, None), (None, csv)] == [work.plot(1, png="out/a.png"), work.plot(1, csv="out/a.csv")]
        assert [(True, False), (False, True), (True, True)] == work.runs

    def test_another_output_of_that_name(self, project):
        """What was made as one output is never served as the other."""
        work = project.module(OPTIONAL)
        work.plot(1, png="out/a.txt")

        with pytest.raises(ArtifactConflictError, match="as another of its outputs"):
            work.plot(1, csv="out/a.txt")

    def test_none_at_all(self, project):
        """At least one has to be asked for."""
        work = project.module(OPTIONAL)

        with pytest.raises(KeyError, match="all of 'png', 'csv' are None"):
            work.plot(1)
        with pytest.raises(KeyError, match="'csv' is missing or empty"):
            work.through(1, png="out/a.png")
        assert (work.through.path(1, png="out/a.png", csv=None)) == work.through(1, png="out/a.png", csv=None)

    def test_load_and_read(self, project):
        """`load` and a function that reads see None in its place, too."""
        work = project.module(OPTIONAL)

        assert ["1", None] == work.load(1, png="out/l.png")
        png, _ = work.look.path("out/x.png")
        png.parent.mkdir(exist_ok=True)
        png.write_text("x")
        assert (str(png), None) == work.look("out/x.png")
        assert "hit" == work.load.explain(1, png="out/l.png").outcome

    def test_recompute(self, project):
        """Recomputing one leaves the other alone, which is of another run then."""
        work = project.module(OPTIONAL)
        png, csv = work.plot(1, "out/a.png", "out/a.csv")
        work.plot.recompute(1, csv="out/a.csv")

        assert ("1 1", "1 2") == (png.read_text(), csv.read_text())
        assert not work.plot.is_cached(1, "out/a.png", "out/a.csv")


class TestMeanwhile:
    """What comes to stand in the place of an artifact while the function runs is not overwritten."""

    def test_output_is_edited(self, project):
        """One output was gone; the other is edited while both are made again."""
        work = project.module(TWO.replace('"runs"', '"runs", "meanwhile"') + "    meanwhile()\nmeanwhile = list\n")
        a, b = work.two(1, "out/a.txt", "out/b.txt")
        b.unlink()
        work.meanwhile = lambda: a.write_text("edited")

        with pytest.raises(ArtifactModifiedError):
            work.two(1, "out/a.txt", "out/b.txt")
        assert "edited" == a.read_text()
        assert not b.exists()
        assert [] == project.staged()

    def test_companion_is_edited(self, project):
        """The artifact was gone; its companion is edited while it is made again."""
        work = project.module(
            COMPANIONS.replace('"runs"', '"runs", "meanwhile"') + "    meanwhile()\nmeanwhile = list\n"
        )
        path = work.shape(1, "out/s.shp")
        path.unlink()
        work.meanwhile = lambda: path.with_suffix(".dbf").write_text("edited")

        with pytest.raises(ArtifactModifiedError):
            work.shape(1, "out/s.shp")
        assert "edited" == path.with_suffix(".dbf").read_text()

    def test_size_beside_a_companion(self, project):
        """An artifact that has companions and another size than it was made with was edited, whatever its time says."""
        work = project.module(COMPANIONS)
        path = work.shape(1, "out/s.shp")
        before = path.stat().st_mtime_ns
        path.write_text("edited, and longer")
        os.utime(path, ns=(before, before))

        with pytest.raises(ArtifactModifiedError):
            work.shape(1, "out/s.shp")

    def test_whole_artifact_comes(self, project, caplog):
        """A file that comes to be there counts as it is, as one without a record does before the run."""
        caplog.set_level(logging.INFO, "taggedartifacts")
        work = project.module(WRITE.replace('"runs"', '"runs", "meanwhile"') + "    meanwhile()\nmeanwhile = list\n")
        path = work.f.path(1, "out/f.txt")
        work.meanwhile = lambda: path.write_text("copied")

        assert "copied" == work.f(1, "out/f.txt").read_text()
        assert f"{path} was made by somebody else meanwhile" in caplog.text.replace(str(project.path) + "/", "")

    def test_part_comes(self, project):
        """A file that comes to be there alone, where a call has several outputs, is kept."""
        work = project.module(TWO.replace('"runs"', '"runs", "meanwhile"') + "    meanwhile()\nmeanwhile = list\n")
        a, b = work.two.path(1, "out/a.txt", "out/b.txt")
        work.meanwhile = lambda: a.write_text("mine")

        with pytest.raises(ArtifactConflictError, match=r"came to be there while .*two ran"):
            work.two(1, "out/a.txt", "out/b.txt")
        assert "mine" == a.read_text()
        assert not b.exists()
        work.meanwhile = list
        assert "a 2" == work.two.recompute(1, "out/a.txt", "out/b.txt")[0].read_text()

    def test_directory_comes(self, project):
        """Nor does a directory of the user's vanish."""
        work = project.module(WRITE.replace('"runs"', '"runs", "meanwhile"') + "    meanwhile()\nmeanwhile = list\n")
        path = work.f.path(1, "out/f.txt")

        def meanwhile():
            path.mkdir()
            (path / "thesis.tex").write_text("mine")

        work.meanwhile = meanwhile
        work.f(1, "out/f.txt")

        assert "mine" == (path / "thesis.tex").read_text()


class TestCompanions:
    def test_move_along(self, project):
        """Files written beside the output with its stem come with it, and are checked with it."""
        work = project.module(COMPANIONS)
        path = work.shape(1, "out/s.shp")

        assert sorted(path.with_suffix(s).name for s in (".shp", ".shx", ".dbf")) == project.files()
        assert path == work.shape(1, "out/s.shp")
        path.with_suffix(".dbf").write_text("edited")
        with pytest.raises(ArtifactModifiedError):
            work.shape(1, "out/s.shp")

    def test_one_is_gone(self, project):
        """An artifact without one of its companions is not whole: it is made again."""
        work = project.module(COMPANIONS)
        work.shape(1, "out/s.shp").with_suffix(".dbf").unlink()
        work.shape(1, "out/s.shp")

        assert [1, 1] == work.runs
        assert 3 == len(project.files())

    @pytest.mark.parametrize(("gone", "edited"), [(".dbf", ".shp"), (".shp", ".dbf"), (".shx", ".dbf")])
    def test_one_is_gone_and_another_edited(self, project, gone, edited):
        """What is left of an artifact is not overwritten if somebody edited it."""
        work = project.module(COMPANIONS)
        path = work.shape(1, "out/s.shp")
        path.with_suffix(edited).write_text("edited")
        path.with_suffix(gone).unlink()
        with pytest.raises(ArtifactModifiedError, match=r"\.dbf beside it"):
            work.shape(1, "out/s.shp")

        assert [1] == work.runs
        assert "edited" == path.with_suffix(edited).read_text()
        assert path == work.shape.recompute(1, "out/s.shp")
        assert path == work.shape(1, "out/s.shp")

    def test_recompute_takes_old_ones_away(self, project):
        """Replacing an artifact removes companions that its new run did not write."""
        work = project.module(COMPANIONS)
        path = work.shape(1, "out/s.shp")
        work.shape.recompute(1, "out/s.shp", siblings=(".shx",))

        assert sorted(path.with_suffix(s).name for s in (".shp", ".shx")) == project.files()
        assert path == work.shape(1, "out/s.shp")

    def test_never_over_a_file_of_somebody_else(self, project):
        """A companion does not take the place of a file that is there."""
        work = project.module(COMPANIONS)
        mine = work.shape.path(1, "out/s.shp").with_suffix(".dbf")
        project.out.mkdir()
        mine.write_text("mine")

        with pytest.raises(ArtifactConflictError, match="is there already"):
            work.shape(1, "out/s.shp")
        assert [mine.name] == project.files()

    @pytest.mark.parametrize("damage", ["{", ""])
    def test_record_is_lost(self, project, damage):
        """Without a record the companions that stand there are known by their content, and replaced on demand."""
        work = project.module(COMPANIONS.replace(" {len(runs)}", ""))
        path = work.shape(1, "out/s.shp")
        record = project.out / ".taggedartifacts" / "records" / f"{path.name}.json"
        record.write_text(damage) if damage else record.unlink()
        path.unlink()

        assert path == work.shape(1, "out/s.shp")
        assert 3 == len(project.files())
        record.write_text(damage) if damage else record.unlink()
        path.unlink()
        path.with_suffix(".dbf").write_text("edited")
        with pytest.raises(ArtifactConflictError, match="no record tells of it: move it away, or call recompute"):
            work.shape(1, "out/s.shp")
        assert "edited" == path.with_suffix(".dbf").read_text()
        assert path == work.shape.recompute(1, "out/s.shp") == work.shape(1, "out/s.shp")
        assert ".dbf" == path.with_suffix(".dbf").read_text()

    def test_record_is_lost_and_the_companion_an_artifact(self, project):
        """On demand too, nothing takes the place of what another record tells of."""
        work = project.module(COMPANIONS + '@Artifact("out")\ndef f(x, out):\n    Path(out).write_text("f")\n')
        other = work.f(1, "out/s.dbf")

        with pytest.raises(ArtifactConflictError, match="is there already; write it under another name"):
            work.shape.recompute(1, "out/s.shp")
        assert "f" == other.read_text()


class TestScopeReadMeanwhile:
    """Tracked data that a run opened, or may have opened unseen, and that changed since the look, is no basis."""

    SOURCE = """
@Artifact("outpath", ignore=("meanwhile",))
def f(x, outpath):
    meanwhile()
    Path(outpath).write_text(str(x))
meanwhile = list
"""

    @pytest.fixture
    def work(self, project):
        for name in ("a.csv", "b.csv", "c.h5"):
            os.utime(project.write(name, "1\n"), (1e9, 1e9))
        return project.module(self.SOURCE)

    @pytest.mark.parametrize("misses", [0, 1])
    def test_opened(self, project, work, misses):
        """A file that the run edits and reads refuses the result, at the first miss and at the next."""
        for x in range(misses):
            work.f(x, "out/f.txt")
        work.meanwhile = lambda: project.write("a.csv", "2\n").read_text()

        with pytest.raises(InputError, match=r"a\.csv changed while"):
            work.f(5, "out/f.txt")

    def test_unseen(self, project, work):
        """A file of a kind that libraries open in C refuses it unopened, and so does one that git tracks only now."""
        work.f(1, "out/f.txt")
        work.meanwhile = lambda: os.truncate(project.path / "c.h5", 0)
        with pytest.raises(InputError, match=r"c\.h5 changed while"):
            work.f(2, "out/f.txt")
        project.write("c.h5", "1\n")
        project.write("d.h5", "1\n")
        work.meanwhile = list
        work.f(3, "out/f.txt")
        project.git("add", "d.h5")

        with pytest.raises(InputError, match=r"d\.h5 changed while"):
            work.f(4, "out/f.txt")

    def test_program(self, project, work):
        """Behind another program, any file may have been read."""
        work.f(1, "out/f.txt")
        work.meanwhile = lambda: (os.system("true"), os.truncate(project.path / "a.csv", 0))

        with pytest.raises(InputError, match=r"a\.csv changed while"):
            work.f(2, "out/f.txt")

    def test_elsewhere(self, project, work):
        """What the run did not open may change, and what it opened may stay."""
        work.f(1, "out/f.txt")
        work.meanwhile = lambda: (os.truncate(project.path / "a.csv", 0), (project.path / "b.csv").read_text())

        assert "2" == work.f(2, "out/f.txt").read_text()
