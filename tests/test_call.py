"""A call: reuse what is there, or make it once and publish it whole."""

import asyncio
import json
import logging
import os
import pickle
import stat
import threading
from pathlib import Path

import pytest

from taggedartifacts import (
    ArtifactConflictError,
    ArtifactModifiedError,
    ArtifactNameError,
    ArtifactNotFoundError,
    ArtifactNotWrittenError,
    ArtifactPath,
    DirtyRepositoryError,
    InputError,
    LockTimeoutError,
    RecursiveCallError,
)

WRITE = """
runs = []
@Artifact("outpath", allow_dirty=True)
def f(x, outpath):
    runs.append(type(outpath))
    with open(outpath, "w") as file:
        file.write(f"{x}\\n")
"""
TWO = """
runs = []
@Artifact(("a", "b"))
def two(x, a, b, fail=False):
    runs.append(x)
    Path(a).write_text(f"a {len(runs)}")
    if not fail:
        Path(b).write_text(f"b {len(runs)}")
"""
MODEL = """
runs = []
@Artifact("out")
def model(x, out="out/model/"):
    runs.append(out)
    Path(out, "weights").mkdir()
    Path(out, "weights", "0.bin").write_text(f"{x} {len(runs)}")
    Path(out, "logs").mkdir()
"""
COMPANIONS = """
runs = []
@Artifact("shp", ignore=("siblings",))
def shape(x, shp, siblings=(".shx", ".dbf")):
    runs.append(x)
    Path(shp).write_text(f"shp {len(runs)}")
    for sibling in siblings:
        Path(shp).with_suffix(sibling).write_text(f"{sibling} {len(runs)}")
"""


class TestMissAndHit:
    def test_made_once(self, project):
        """The first call makes the artifact, the second returns it without running the function."""
        work = project.module(WRITE)
        made = work.f(1, outpath="out/f.txt")
        reused = work.f(1, outpath="out/f.txt")

        assert [str] == work.runs
        assert made == reused == work.f.path(1, outpath="out/f.txt")
        assert isinstance(made, ArtifactPath)
        assert isinstance(reused, ArtifactPath)
        assert "1\n" == made.read_text()
        assert [made.name] == project.files()
        assert [] == project.staged()

    def test_knows_where_it_comes_from(self, project):
        """The path that a call returns knows its tag and its record."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")

        assert ("work.py::f", project.head) == (path.record.function, path.record.commit)
        assert path.record.commit.startswith(path.tag.commit)

    def test_looking_touches_nothing(self, project):
        """Asking for the path, or whether it is cached, makes nothing at all."""
        work = project.module(WRITE)

        assert not work.f.is_cached(1, "out/f.txt")
        assert work.f.path(1, "out/f.txt").parent == Path("out")
        assert not project.out.exists()
        work.f(1, "out/f.txt")
        assert work.f.is_cached(1, "out/f.txt")
        assert [str] == work.runs

    def test_type_is_kept(self, project):
        """The function receives a path of the type that the user passed, and one user's type is another's hit."""
        work = project.module(WRITE)
        work.f(1, outpath=Path("out/f.txt"))
        work.f(2, outpath="out/f.txt")

        assert [type(Path()), str] == work.runs
        assert work.f(1, outpath="out/f.txt") == work.f(1, outpath=project.out / "f.txt").relative_to(project.path)
        assert 2 == len(work.runs)

    @pytest.mark.parametrize(
        "name",
        ["a.tar.gz", "results_0.5.csv", "Makefile", ".bashrc", "with space.png", "été-数据.png", "-rf", "a'b\"c.txt"],
    )
    def test_names(self, project, name):
        """Any name works, and its suffix stays a suffix."""
        work = project.module(WRITE)
        path = work.f(1, os.path.join("out", name))

        assert path == work.f(1, os.path.join("out", name))
        assert [path.name] == project.files()
        assert [str] == work.runs

    def test_undecodable_name(self, project):
        """A name that is no UTF-8 works too."""
        work = project.module(WRITE)
        name = os.fsdecode(b"out/\xff.txt")

        assert work.f(1, name) == work.f(1, name)
        assert [str] == work.runs

    def test_symlinked_folder(self, project):
        """A folder reached through a link is the same folder."""
        work = project.module(WRITE)
        project.out.mkdir()
        Path("link").symlink_to("out")
        path = work.f(1, "link/f.txt")

        assert path.name == work.f(1, "out/f.txt").name
        assert [str] == work.runs

    def test_working_directory_may_change(self, project):
        """A function that changes the working directory makes its artifact where it was asked for."""
        work = project.module(WRITE.replace("    with open", "    os.chdir('/')\n    with open"))
        work.f(1, "out/f.txt")

        assert 1 == len(project.files())

    def test_path_objects_count_by_their_path(self, project):
        """Objects that only have ``__fspath__`` are told apart by what that says, however they print."""
        work = project.module(WRITE)

        class Place:
            def __init__(self, path):
                self.path = path

            def __fspath__(self):
                return self.path

            def __str__(self):
                return "a place"

        names = [work.f(1, Place(f"out/{name}.txt")).name[0] for name in "ab"]

        assert ["a", "b"] == names

    def test_modes_follow_the_umask(self, project):
        """Artifact, record and folders have the modes that the umask says."""
        work = project.module(WRITE)
        before = os.umask(0o027)
        try:
            path = work.f(1, "out/f.txt")
        finally:
            os.umask(before)
        hidden = project.out / ".taggedartifacts"
        modes = {
            stat.S_IMODE(each.stat().st_mode) for each in (path, *hidden.glob("records/*"), *hidden.glob("locks/*"))
        }

        assert {0o640} == modes
        assert {0o750} == {stat.S_IMODE(each.stat().st_mode) for each in (project.out, hidden, *hidden.glob("*/"))}

    def test_git_sees_only_artifacts(self, project):
        """The hidden directory is not offered to git."""
        work = project.module(WRITE)
        path = work.f(1, "figures/f.txt")

        assert f"?? {path}" == project.status("-uall")

    def test_load(self, project):
        """What ``load`` makes of the path is returned, on a miss and on a hit."""
        work = project.module(WRITE.replace("allow_dirty=True", "load=lambda path: path.read_text()"))

        assert ["7\n", "7\n"] == [work.f(7, "out/f.txt"), work.f(7, "out/f.txt")]
        assert [str] == work.runs

    def test_bare_file_counts(self, project, caplog):
        """An artifact without a record counts as it is, and the log says so."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        (project.out / ".taggedartifacts" / "records" / f"{path.name}.json").unlink()
        with caplog.at_level(logging.INFO, "taggedartifacts"):
            assert path == work.f(1, "out/f.txt")

        assert "has no record; it counts as it is" in caplog.text
        assert [str] == work.runs

    def test_damaged_record_is_absent(self, project, caplog):
        """A record that cannot be read is reported and treated as absent."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        (project.out / ".taggedartifacts" / "records" / f"{path.name}.json").write_text("{")

        assert path == work.f(1, "out/f.txt")
        assert "treated as absent" in caplog.text

    @pytest.mark.parametrize("field", ["commit", "config_hash", "dirty"])
    def test_record_that_contradicts_the_name(self, project, caplog, field):
        """So is a record with another tag than that of the artifact's name."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        record = project.out / ".taggedartifacts" / "records" / f"{path.name}.json"
        record.write_text(json.dumps({**json.loads(record.read_text()), field: "0" * 32}))

        assert path == work.f(1, "out/f.txt")
        assert "treated as absent" in caplog.text
        assert "contradicts the name of its artifact" in caplog.text
        assert [str] == work.runs

    def test_log(self, project, caplog):
        """The log says what was made in how many seconds, and what was reused with the seconds saved."""
        work = project.module(WRITE)
        with caplog.at_level(logging.INFO, "taggedartifacts"):
            path = work.f(1, "out/f.txt").absolute()
            work.f(1, "out/f.txt")
        made, reused = (record.getMessage() for record in caplog.records)

        assert made.startswith(f"made {path} in ")
        assert reused.startswith(f"reused {path}, ")
        assert reused.endswith(" s saved")


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


class TestConflicts:
    def test_another_function(self, project):
        """The artifact of another function is not served; both are named."""
        work = project.module(WRITE + '\n@Artifact("outpath")\ndef g(x, outpath):\n    runs.append("g")\n')
        work.f(1, "out/f.txt")

        with pytest.raises(ArtifactConflictError, match=r"made by work\.py::f and is asked for by work\.py::g"):
            work.g(1, "out/f.txt")
        assert [str] == work.runs

    def test_same_digits_other_hash(self, project):
        """A tag that agrees only in its digits is not served."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        record = project.out / ".taggedartifacts" / "records" / f"{path.name}.json"
        whole = record.read_text()
        head = project.head
        record.write_text(whole.replace(head, head[:10] + "0" * 30))

        with pytest.raises(ArtifactConflictError, match="shortened hashes are the same"):
            work.f(1, "out/f.txt")

    def test_deleted(self, project):
        """The name of an artifact that was deleted is free for another function, or for another kind."""
        work = project.module(
            WRITE + "def g(x, outpath):\n    Path(outpath, 'g').write_text('g')\ng = Artifact('outpath')(g)\n"
        )
        for number, ask in enumerate((work.g, work.g.recompute)):
            work.f(number, "out/f").unlink()

            assert "g" == (ask(number, "out/f/") / "g").read_text()
            assert ask(number, "out/f/") == work.g(number, "out/f/")

    def test_swapped_outputs(self, project):
        """What was made as one output of a call is not served, and not replaced, as another."""
        work = project.module(TWO)
        a, b = work.two(1, "out/p.txt", "out/q.txt")

        for ask in (work.two, work.two.recompute):
            with pytest.raises(ArtifactConflictError, match="two as another of its outputs"):
                ask(1, "out/q.txt", "out/p.txt")
        assert (a, b) == work.two(1, "out/p.txt", "out/q.txt")
        assert ["a 1", "b 1"] == [a.read_text(), b.read_text()]
        assert [1] == work.runs

    def test_recompute_over_another_function(self, project):
        """Recompute replaces what the function made itself, and neither an artifact nor a companion of another."""
        work = project.module(
            WRITE + COMPANIONS.replace("runs = []", "") + "g = Artifact('outpath')(lambda x, outpath: 0)\n"
        )
        path = work.f(1, "out/s.txt")
        beside = work.shape(1, "out/s.shp").with_suffix(".dbf")

        for name in ("out/s.txt", "out/s.dbf"):
            with pytest.raises(ArtifactConflictError, match="give one of the two outputs another name"):
                work.g.recompute(1, name)
        assert "1\n" == path.read_text()
        assert beside.read_text().startswith(".dbf")

    def test_neither_file_nor_directory(self, project):
        """A pipe in the place of an artifact is refused rather than read."""
        work = project.module(WRITE)
        project.out.mkdir()
        os.mkfifo(work.f.path(1, "out/f.txt"))

        with pytest.raises(ArtifactConflictError, match="is neither a file nor a directory"):
            work.f(1, "out/f.txt")

    def test_inside_an_artifact(self, project):
        """Nothing is put into an artifact that is a directory: it would count as changed from then on."""
        work = project.module(WRITE + MODEL.replace("runs = []", ""))
        model = work.model(1)
        (project.out / "linked").symlink_to(model.resolve())

        for place in (model, model / "new", model / "logs", project.out / "linked"):
            with pytest.raises(ArtifactNameError, match=r"lies inside the artifact .*write beside it"):
                work.f(1, place / "f.txt")
        assert model == work.model(1)
        (project.out / model.stem).with_suffix(".d").mkdir()  # tagged like one, and none
        assert work.f(1, (project.out / model.stem).with_suffix(".d") / "f.txt").exists()

    def test_file_where_a_directory_is_promised(self, project):
        """One output cannot be a file in one call and a directory in another."""
        work = project.module(WRITE)
        work.f(1, "out/f")

        with pytest.raises(ArtifactConflictError, match="is a file, and a directory is to be made"):
            work.f(1, "out/f/")

    def test_directory_where_a_file_is_promised(self, project):
        """The other way round neither."""
        work = project.module(MODEL)
        work.model(1)

        with pytest.raises(ArtifactConflictError, match="is a directory, and a file is to be made"):
            work.model(1, "out/model")

    def test_companion_is_no_artifact(self, project):
        """A companion of one artifact is not served as another, even when it has its name."""
        work = project.module(COMPANIONS + '@Artifact("dbf")\ndef table(x, dbf):\n    Path(dbf).write_text("")\n')
        work.shape(1, "out/s.shp")

        with pytest.raises(ArtifactConflictError, match=r"was written beside s-.*\.shp by work\.py::shape"):
            work.table(1, "out/s.dbf")

    @pytest.mark.parametrize("recorded", [True, False])
    def test_artifact_is_a_link_to_nowhere(self, project, recorded):
        """A link whose target is away, on a disk that is not mounted perhaps, is kept, and nothing runs."""
        work = project.module(WRITE)
        path = work.f.path(1, "out/f.txt")
        if recorded:
            work.f(1, "out/f.txt").unlink()
        project.out.mkdir(exist_ok=True)
        path.symlink_to("/mnt/archive/f.txt")
        runs = len(work.runs)

        with pytest.raises(ArtifactConflictError, match=r"is a link to /mnt/archive/f\.txt, which is not there"):
            work.f(1, "out/f.txt")
        assert ["/mnt/archive/f.txt", runs] == [os.readlink(path), len(work.runs)]

    def test_hidden_directory_is_a_link(self, project, tmp_path):
        """A link where the hidden directory should be is not followed."""
        work = project.module(WRITE)
        project.out.mkdir()
        (tmp_path / "elsewhere").mkdir()
        (project.out / ".taggedartifacts").symlink_to(tmp_path / "elsewhere")

        with pytest.raises(ArtifactConflictError, match="is not a directory of this library's making"):
            work.f(1, "out/f.txt")
        assert [] == work.runs == os.listdir(tmp_path / "elsewhere")


class TestModified:
    def test_not_served_not_overwritten(self, project):
        """A user's edit of an artifact is neither served nor lost; the message says what to do."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        path.write_text("edited")

        with pytest.raises(ArtifactModifiedError, match=r"give it another name.*recompute"):
            work.f(1, "out/f.txt")
        assert "edited" == path.read_text()
        assert not work.f.is_cached(1, "out/f.txt")
        assert "1\n" == work.f.recompute(1, "out/f.txt").read_text()
        assert [str, str] == work.runs
        assert work.f.is_cached(1, "out/f.txt")

    def test_same_size(self, project):
        """An edit that keeps the size is seen by its time."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        path.write_text("2\n")

        with pytest.raises(ArtifactModifiedError):
            work.f(1, "out/f.txt")

    def test_touched(self, project):
        """When only the time differs the content decides, and the record is refreshed."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        record = project.out / ".taggedartifacts" / "records" / f"{path.name}.json"
        os.utime(path, ns=(1, 1))

        assert path == work.f(1, "out/f.txt")
        assert [str] == work.runs
        assert '"mtime_ns": 1,' in record.read_text()
        assert [] == project.staged()

    def test_deleted(self, project):
        """A deleted artifact is made again."""
        work = project.module(WRITE)
        work.f(1, "out/f.txt").unlink()
        work.f(1, "out/f.txt")

        assert [str, str] == work.runs

    def test_inside_a_directory(self, project):
        """An edit inside a directory artifact is seen."""
        work = project.module(MODEL)
        path = work.model(1)
        (path / "weights" / "1.bin").write_text("")

        with pytest.raises(ArtifactModifiedError):
            work.model(1)


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


class TestMeanwhile:
    """What comes to stand in the place of an artifact while the function runs is not overwritten."""

    def test_output_is_edited(self, project):
        """One output was gone; the other is edited while both are made again."""
        work = project.module(TWO + "    meanwhile()\nmeanwhile = list\n")
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
        work = project.module(COMPANIONS + "    meanwhile()\nmeanwhile = list\n")
        path = work.shape(1, "out/s.shp")
        path.unlink()
        work.meanwhile = lambda: path.with_suffix(".dbf").write_text("edited")

        with pytest.raises(ArtifactModifiedError):
            work.shape(1, "out/s.shp")
        assert "edited" == path.with_suffix(".dbf").read_text()

    def test_whole_artifact_comes(self, project, caplog):
        """A file that comes to be there counts as it is, as one without a record does before the run."""
        caplog.set_level(logging.INFO, "taggedartifacts")
        work = project.module(WRITE + "    meanwhile()\nmeanwhile = list\n")
        path = work.f.path(1, "out/f.txt")
        work.meanwhile = lambda: path.write_text("copied")

        assert "copied" == work.f(1, "out/f.txt").read_text()
        assert f"{path} was made by somebody else meanwhile" in caplog.text.replace(str(project.path) + "/", "")

    def test_part_comes(self, project):
        """A file that comes to be there alone, where a call has several outputs, is kept."""
        work = project.module(TWO + "    meanwhile()\nmeanwhile = list\n")
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
        work = project.module(WRITE + "    meanwhile()\nmeanwhile = list\n")
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


READ = """
@Artifact("source", {"a": 1}, mode="r")
def read(source, n=1):
    return Path(source).read_text()
"""


class TestReading:
    def test_reads_what_was_made(self, project):
        """A reading function receives the tagged path, always runs and returns its own value."""
        work = project.module(
            '@Artifact("outpath", {"a": 1})\ndef f(outpath):\n    Path(outpath).write_text("made")\n' + READ
        )
        work.f("out/f.txt")

        assert ["made", "made"] == [work.read("out/f.txt"), work.read("out/f.txt", n=2)]
        assert work.f.path("out/f.txt") == work.read.path("out/f.txt")

    def test_not_there(self, project):
        """What was not made is not there; the tags that are there are listed."""
        work = project.module(WRITE + READ)
        tag = work.f(1, "out/f.txt").tag

        with pytest.raises(ArtifactNotFoundError, match=f"tags of f.txt that are there: {tag}$"):
            work.read("out/f.txt")
        with pytest.raises(ArtifactNotFoundError, match=r"there is no g\.txt with any tag"):
            work.read("out/g.txt")
        with pytest.raises(ArtifactNotFoundError, match="does not exist"):
            work.read("nowhere/g.txt")

    def test_edited(self, project):
        """An edited artifact is not read as if it were the one that was made."""
        work = project.module(
            '@Artifact("outpath", {"a": 1})\ndef f(outpath):\n    Path(outpath).write_text("made")\n' + READ
        )
        work.f("out/f.txt").write_text("edited")

        with pytest.raises(ArtifactModifiedError):
            work.read("out/f.txt")


class TestRecompute:
    def test_runs_always(self, project):
        """Recompute runs whether or not the artifact is there, and replaces it."""
        work = project.module(WRITE.replace("{x}", "{len(runs)}"))
        path = work.f.recompute(1, "out/f.txt")

        assert "1\n" == path.read_text()
        assert "2\n" == work.f.recompute(1, "out/f.txt").read_text()
        assert "2\n" == work.f(1, "out/f.txt").read_text()
        assert 2 == len(work.runs)

    def test_failure_keeps_the_old_one(self, project):
        """A recomputation that fails leaves the artifact as it was."""
        work = project.module(WRITE + "    if len(runs) == 2:\n        raise ZeroDivisionError\n")
        work.f(1, "out/f.txt")
        with pytest.raises(ZeroDivisionError):
            work.f.recompute(1, "out/f.txt")

        assert "1\n" == work.f(1, "out/f.txt").read_text()
        assert 2 == len(work.runs)

    def test_crash_between_record_and_artifact(self, project, monkeypatch):
        """If a replacement dies between the two renames, the old artifact is still a hit."""
        work = project.module(WRITE.replace("{x}", "{len(runs) * 11}"))
        path = work.f(1, "out/f.txt")

        def die(staged, name):
            raise OSError(5, "Input/output error")

        monkeypatch.setattr("taggedartifacts._publish._replace", die)
        with pytest.raises(OSError, match="Input/output error"):
            work.f.recompute(1, "out/f.txt")

        assert path == work.f(1, "out/f.txt")
        assert "11\n" == path.read_text()
        assert 2 == len(work.runs)


class TestInputs:
    SOURCE = """
runs = []
@Artifact("outpath", inputs=("table",))
def f(table, outpath):
    runs.append(1)
    Path(outpath).write_text(Path(table).read_text())
    if len(runs) == 3:
        Path(table).write_text("changed meanwhile")
"""

    def test_content_counts(self, project):
        """The content of an input counts, its path does not."""
        work = project.module(self.SOURCE)
        one, other = project.write("out/1.csv", "a"), project.write("out/2.csv", "a")
        path = work.f(one, "out/f.txt")

        assert path == work.f(other, "out/f.txt")
        other.write_text("b")
        assert path != work.f(other, "out/f.txt")
        assert [1, 1] == work.runs

    def test_changed_meanwhile(self, project):
        """An input that changed while the function ran means that nothing is published."""
        work = project.module(self.SOURCE)
        table = project.write("out/1.csv", "a")
        work.runs += [1, 1]

        with pytest.raises(InputError, match="changed while"):
            work.f(table, "out/f.txt")
        assert ["1.csv"] == project.files()

    def test_working_directory_may_change(self, project):
        """An input with a relative path is found again when the function has changed the working directory."""
        work = project.module(self.SOURCE.replace("    if len", "    os.chdir('/')\n    if len"))
        project.write("out/1.csv", "a")
        work.f("out/1.csv", "out/f.txt")

        assert 2 == len(project.files())

    def test_missing(self, project):
        """A missing input is named before the function runs."""
        work = project.module(self.SOURCE)

        with pytest.raises(InputError, match="nowhere"):
            work.f("nowhere.csv", "out/f.txt")
        assert [] == work.runs


class TestKindsOfFunctions:
    def test_method(self, project):
        """Methods work; the object is an argument like any other, hashed or ignored."""
        work = project.module(
            'class C:\n    n = 0\n    @Artifact("outpath", ignore=("self",))\n'
            "    def m(self, x, outpath):\n        self.n += 1\n        Path(outpath).write_text(str(x))\n"
        )
        it = work.C()

        assert it.m(1, "out/m.txt") == it.m(1, outpath="out/m.txt") == work.C().m(1, "out/m.txt")
        assert 1 == it.n
        assert work.C.m.path(it, 1, "out/m.txt").exists()
        assert it.m.is_cached(it, 1, "out/m.txt")

    def test_plain_function(self, project):
        """The decorated function is a plain function with the name, the doc and the signature of its own."""
        work = project.module('@Artifact("outpath")\ndef f(x: int, outpath):\n    """Doc."""\n')

        assert ("f", "Doc.") == (work.f.__name__, work.f.__doc__)
        assert isinstance(work.f, type(lambda: 0))
        assert work.f is pickle.loads(pickle.dumps(work.f))

    def test_below_a_decorator_of_another_module(self, project):
        """Functions of one name in two modules stay two, though the same decorator wraps both."""
        project.write(
            "timing.py",
            "import functools\ndef timed(f):\n    @functools.wraps(f)\n    def timing(*args, **kwargs):\n"
            "        return f(*args, **kwargs)\n    return timing\n",
        )
        for module in ("one", "other"):
            project.write(
                f"{module}.py",
                "from pathlib import Path\nfrom taggedartifacts import Artifact\nfrom timing import timed\n"
                f'@Artifact("outpath")\n@timed\ndef make(outpath):\n    Path(outpath).write_text("{module}")\n',
            )
        project.commit()
        told = project.python(
            "-c",
            "import one, other\nprint(one.make('out/x.txt').record.function)\n"
            "try: other.make('out/x.txt')\nexcept OSError as error: print(type(error).__name__)",
        )

        assert ["one.py::make", "ArtifactConflictError"] == told.splitlines()

    def test_without_a_name_of_its_own(self, project):
        """Two lambdas of a module, or two functions called ``_``, are never taken for one another."""
        work = project.module(
            "def made(text):\n    return lambda f: made.functions.append(f)\nmade.functions = []\n"
            "a = Artifact('outpath')(lambda outpath: Path(outpath).write_text('a'))\n"
            "b = Artifact('outpath')(lambda outpath: Path(outpath).write_text('b'))\n"
            "@made(1)\n@Artifact('outpath')\ndef _(outpath):\n    Path(outpath).write_text('c')\n"
            "@made(2)\n@Artifact('outpath')\ndef _(outpath):\n    Path(outpath).write_text('d')\n"
        )
        c, d = work.made.functions

        for first, second, name in ((work.a, work.b, "out/x.txt"), (c, d, "out/y.txt")):
            assert first(name) == first(name)
            with pytest.raises(ArtifactConflictError, match="in line"):
                second(name)

    def test_below_a_cache(self, project):
        """What the standard library wraps around a function, and is no function itself, can be decorated."""
        work = project.module(
            "import functools\n@Artifact('outpath')\n@functools.lru_cache\n"
            "def f(x, outpath):\n    Path(outpath).write_text(str(x))\n"
        )

        assert "1" == work.f(1, "out/f.txt").read_text()

    def test_recursive(self, project):
        """A function that asks for the artifact that it is making gets an error, not a deadlock."""
        work = project.module('@Artifact("outpath")\ndef f(x, outpath):\n    f(x, "out/f.txt")\n')

        with pytest.raises(RecursiveCallError, match="while it is making it"):
            work.f(1, "out/f.txt")

    def test_recursive_with_other_arguments(self, project):
        """A function may build on its own results for other arguments."""
        work = project.module(
            '@Artifact("outpath")\ndef f(n, outpath):\n'
            '    below = f(n - 1, "out/f.txt").read_text() if n else ""\n    Path(outpath).write_text(below + str(n))\n'
        )

        assert "0123" == work.f(3, "out/f.txt").read_text()

    def test_threads(self, project):
        """Sixteen threads at once: the function runs once."""
        work = project.module(WRITE)
        barrier, results = threading.Barrier(16), []

        def run():
            barrier.wait()
            results.append(work.f(1, "out/f.txt"))

        threads = [threading.Thread(target=run) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [str] == work.runs
        assert 16 == len(results)
        assert 1 == len(set(results))


ASYNC = """
import asyncio
runs = []
@Artifact("outpath", load=lambda path: path.read_text())
async def f(x, outpath):
    runs.append(x)
    await asyncio.sleep(0.01)
    if x == "wait":
        started.set()
        await asyncio.Event().wait()
    Path(outpath).write_text(str(x))
"""


class TestAsync:
    def test_once(self, project):
        """Forty tasks for two artifacts: the function runs twice."""
        work = project.module(ASYNC)

        async def crowd():
            return await asyncio.gather(*(work.f(n % 2, "out/f.txt") for n in range(40)))

        assert ["0", "1"] * 20 == asyncio.run(crowd())
        assert [0, 1] == sorted(work.runs)

    def test_coroutine_function(self, project):
        """An async function stays one, and so does its recompute."""
        work = project.module(ASYNC)

        assert asyncio.iscoroutinefunction(work.f)
        assert "1" == asyncio.run(work.f.recompute(1, "out/f.txt"))
        assert work.f.is_cached(1, "out/f.txt")

    def test_cancelled(self, project):
        """A cancelled call leaves nothing and frees its lock."""
        work = project.module(ASYNC)

        async def cancel():
            work.started = asyncio.Event()
            task = asyncio.create_task(work.f("wait", "out/f.txt"))
            await work.started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            work.started = None
            return await asyncio.wait_for(work.f("go", "out/f.txt"), 20)

        assert "go" == asyncio.run(cancel())
        assert [] == project.staged()

    def test_recursive(self, project):
        """An async function that awaits the artifact that it is making gets an error."""
        work = project.module('@Artifact("outpath")\nasync def f(outpath):\n    await f("out/f.txt")\n')

        with pytest.raises(RecursiveCallError):
            asyncio.run(work.f("out/f.txt"))

    def test_loop_is_not_blocked(self, project):
        """While one call waits for another's lock, the loop goes on."""
        work = project.module(ASYNC)
        path = work.f.path("late", "out/f.txt")
        lock = hold(project, path)

        async def wait():
            waiting = asyncio.create_task(work.f("late", "out/f.txt"))
            for _ in range(5):
                await asyncio.sleep(0)
            assert not waiting.done()
            lock.release()
            return await asyncio.wait_for(waiting, 20)

        assert "late" == asyncio.run(wait())


def hold(project, path):
    """Hold the lock of an artifact, as a process that makes it would."""
    from taggedartifacts._folder import Folder
    from taggedartifacts._lock import ArtifactLock

    folder = Folder(str(project.path / path.parent))
    folder.make()
    lock = ArtifactLock(folder.lock(path.name))
    assert lock.try_acquire()
    return lock


class TestWaiting:
    def test_timeout(self, project):
        """A call that waited its timeout gives up and says for whom."""
        work = project.module(WRITE.replace('"outpath"', '"outpath", timeout=0.05'))
        lock = hold(project, work.f.path(1, "out/f.txt"))
        try:
            with pytest.raises(
                LockTimeoutError, match=f"process {os.getpid()} on .* since 20.* is still making .*f-.*wait longer"
            ):
                work.f(1, "out/f.txt")
        finally:
            lock.release()
        assert [] == work.runs
        work.f(1, "out/f.txt")

    def test_log(self, project, caplog):
        """A call that waits longer than a second says for whom, once."""
        work = project.module(WRITE.replace('"outpath"', '"outpath", timeout=1.2'))
        lock = hold(project, work.f.path(1, "out/f.txt"))
        try:
            with pytest.raises(LockTimeoutError):
                work.f(1, "out/f.txt")
        finally:
            lock.release()

        assert 1 == caplog.text.count(f"waiting for process {os.getpid()}")

    def test_hit_needs_no_lock(self, project):
        """A call for an artifact that is there does not wait for who holds its lock."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        lock = hold(project, path)
        try:
            assert path == work.f(1, "out/f.txt")
        finally:
            lock.release()


class TestDirty:
    def test_refused(self, project):
        """Code that is not committed is refused at the call, before it runs."""
        work = project.module(WRITE.replace(", allow_dirty=True", ""))
        project.write("other.py", "x = 1\n")
        project.commit()
        project.write("other.py", "x = 2\n")
        work = project.load(project.path / "work.py")

        with pytest.raises(DirtyRepositoryError, match=r"other\.py"):
            work.f(1, "out/f.txt")
        assert [] == work.runs

    def test_allowed(self, project, caplog):
        """With ``allow_dirty`` it runs, the tag says dirty, and the log says so once."""
        project.write("other.py", "x = 1\n")
        project.module(WRITE)
        project.write("other.py", "x = 2\n")
        work = project.load(project.path / "work.py")
        path = work.f(1, "out/f.txt")
        work.f(2, "out/f.txt")

        assert path.tag.dirty is not None
        assert path == work.f(1, "out/f.txt")
        assert 1 == caplog.text.count("code is not committed")
        assert "other.py" in caplog.text
        project.write("other.py", "x = 1\n")
        assert project.load(project.path / "work.py").f.path(1, "out/f.txt").tag.dirty is None
