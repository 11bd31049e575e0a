"""Reuse: what stands at the tagged path is served, refused or made again, and never what somebody else made."""

import os
from pathlib import Path

import pytest
from cases import COMPANIONS, MODEL, TWO, WRITE
from records import change_record, put

from taggedartifacts import (
    ArtifactConflictError,
    ArtifactModifiedError,
    ArtifactNameError,
)
from taggedartifacts._store.folder import Folder, Target
from taggedartifacts._store.origin import stored_record
from taggedartifacts._store.reuse import find


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

    def test_copied_record(self, project):
        """The record of another artifact is named as that, with what to do about it."""
        work = project.module(WRITE)
        path, other = work.f(1, "out/f.txt"), work.f(2, "out/f.txt")
        record, copied = (project.out / ".taggedartifacts" / "records" / f"{each.name}.json" for each in (path, other))
        record.write_bytes(copied.read_bytes())

        with pytest.raises(ArtifactConflictError, match=rf"{path.name}.json is the record of {other.name}, not of"):
            work.f(1, "out/f.txt")
        record.unlink()
        assert path == work.f(1, "out/f.txt")

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

    def test_edited_to_what_was_replaced(self, project):
        """An edit with the content of a bare file that was replaced is neither served nor overwritten."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        (project.out / ".taggedartifacts" / "records" / f"{path.name}.json").unlink()
        path.write_text("mine")
        os.utime(path, (1, 1))
        work.f.recompute(1, "out/f.txt")
        path.write_text("mine")

        with pytest.raises(ArtifactModifiedError):
            work.f(1, "out/f.txt")
        assert "mine" == path.read_text()


class TestFound:
    """What was found to agree once is not taken for something else."""

    @pytest.fixture
    def target(self, tmp_path):
        target = Target(Folder(str(tmp_path)), put(tmp_path, scope_digest="a" * 32).name)
        assert find(target, stored_record(target).key, directory=False, position=0)
        return target

    @pytest.mark.parametrize(
        ("other", "position"),
        [({"function": "g.py::g"}, 0), ({"scope_digest": "f" * 32}, 0), ({}, 1)],
    )
    def test_another_question(self, target, other, position):
        """Asked for by another key, or as another output, the same record is a conflict."""
        key = stored_record(target).key

        with pytest.raises(ArtifactConflictError):
            find(target, key._replace(**other), directory=False, position=position)
        assert find(target, key, directory=False, position=0)

    def test_another_record(self, target):
        """A record of another function that came in the place of the one that agreed is a conflict."""
        key = stored_record(target).key
        change_record(Path(target.path), function="g.py::g")

        with pytest.raises(ArtifactConflictError):
            find(target, key, directory=False, position=0)

    def test_shown_late(self, target, monkeypatch):
        """What a network file system shows as changed at the first look, and as it was made at the next, is no edit."""
        path = Path(target.path)
        made, times = path.read_bytes(), path.stat().st_mtime_ns
        path.write_bytes(b"of another size")
        monkeypatch.setattr(
            Folder, "look_closely", lambda _: path.write_bytes(made) and os.utime(path, ns=(times, times))
        )

        assert find(target, stored_record(target).key, directory=False, position=0)
