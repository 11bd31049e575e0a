"""From any path that belongs to an artifact to its record, and what a process remembers of records."""

import gc
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from records import change_record, put, record_path

from taggedartifacts import ArtifactNotFoundError, RecordError, _memory, record
from taggedartifacts._store import origin
from taggedartifacts._store.folder import Folder, Target
from taggedartifacts._store.origin import Memo, stored_record
from taggedartifacts._store.record import Record

MAP = """
@Artifact("outpath")
def shapes(outpath="out/map.shp"):
    path = Path(outpath)
    path.write_text("shapes")
    path.with_suffix(".shx").write_text("index")
    path.with_name(path.name + ".aux.xml").write_text("metadata")

@Artifact("outpath")
def model(outpath="out/model/"):
    Path(outpath, "layers").mkdir()
    Path(outpath, "layers", "first.bin").write_text("weights")
"""


class TestRecord:
    def test_of_an_artifact(self, project):
        """The record of what a call made says which function made it, from which commit."""
        path = project.module(MAP).shapes()

        assert record(path) == record(str(path)) == record(path.absolute())
        assert (record(path).function, record(path).commit) == ("work.py::shapes", project.head)

    def test_of_a_companion(self, project):
        """A file written beside an artifact leads to the record of that artifact."""
        path = project.module(MAP).shapes()

        assert record(path.with_suffix(".shx")) == record(path)
        assert record(f"{path}.aux.xml") == record(path)

    def test_of_a_file_in_a_directory_artifact(self, project):
        """A file anywhere in a directory artifact leads to the record of the directory."""
        path = project.module(MAP).model()

        assert record(path / "layers" / "first.bin") == record(f"{path}/") == record(path)

    def test_of_a_file_in_a_companion(self, project):
        """A file in a directory that was written beside an artifact leads to the artifact, too."""
        path = project.module(
            '@Artifact("outpath")\n'
            'def page(outpath="out/page.html"):\n'
            '    Path(outpath).write_text("page")\n'
            '    figures = Path(outpath).with_name(Path(outpath).stem + "_files")\n'
            "    figures.mkdir()\n"
            '    (figures / "1.svg").write_text("figure")\n'
        ).page()

        assert record(path.with_name(f"{path.stem}_files") / "1.svg") == record(path)

    def test_through_a_link(self, project):
        """A link of the user's own making (``latest.shp``) leads to what it points at."""
        path = project.module(MAP).shapes()
        link = project.path / "latest.shp"
        link.symlink_to(path.absolute())

        assert record(link) == record(path)

    def test_of_a_removed_artifact(self, tmp_path):
        """What was known of an artifact is known after it was removed."""
        path = put(tmp_path)
        path.unlink()

        assert record(path).artifact == path.name

    def test_moves_with_its_folder(self, tmp_path):
        """A folder that was moved or copied whole keeps its records."""
        path = put(tmp_path / "before")
        expected = record(path)
        (tmp_path / "before").rename(tmp_path / "after")

        assert record(tmp_path / "after" / path.name) == expected

    def test_of_a_copy_without_its_record_tells_what_the_name_says(self, tmp_path):
        """An artifact that was copied alone is an error that says commit and config hash, and what to copy."""
        path = put(tmp_path / "there")
        copy = tmp_path / "here" / path.name
        copy.parent.mkdir()
        copy.write_bytes(path.read_bytes())

        with pytest.raises(
            ArtifactNotFoundError, match=f"commit 1a2b3c4d5e, nothing.*copy its record along, to {copy.parent}.*json"
        ):
            record(copy)

    def test_of_a_dirty_copy_tells_the_changes(self, tmp_path):
        """The name tells the uncommitted changes too."""
        path = put(tmp_path, dirty="3c" * 16, record=False)

        with pytest.raises(ArtifactNotFoundError, match="uncommitted changes 3c3c3c3c3c"):
            record(path)

    def test_of_what_is_not_there(self, tmp_path):
        """A name that was never made is not called an artifact without record."""
        with pytest.raises(ArtifactNotFoundError, match="is not there"):
            record(tmp_path / "hist-1a2b3c4d5e-0f9e8d7c6b5a.png")

    @pytest.mark.parametrize("name", ["hist.png", ".", "a/b/c"])
    def test_of_no_artifact(self, tmp_path, name):
        """A path without a tag is an error that says so."""
        with pytest.raises(ArtifactNotFoundError, match="no artifact"):
            record(tmp_path / name)

    def test_of_a_misspelt_path(self, tmp_path):
        """A path at which there is nothing, tagged or not, is said to be none."""
        with pytest.raises(ArtifactNotFoundError, match=r"hizt.png is not there, and no artifact has that name"):
            record(tmp_path / "hizt.png")

    def test_of_an_untagged_name_points_to_its_versions(self, project):
        """Somebody who gives the name that the function was given is told how to list its artifacts."""
        work = project.module(MAP)
        work.shapes()

        with pytest.raises(ArtifactNotFoundError, match=r"versions\('out/map.shp'\) lists .* that name, 1 of them"):
            record("out/map.shp")

    def test_of_an_untagged_name_alone_points_to_the_search(self, tmp_path):
        """Where there is no artifact of that name, it may be a copy."""
        (tmp_path / "hist.png").touch()
        with pytest.raises(ArtifactNotFoundError, match=r"record\(path, search=folder\) finds"):
            record(tmp_path / "hist.png")

    def test_of_another_artifact_is_refused(self, tmp_path):
        """A record under a name that is not the one in it is not believed."""
        path, other = put(tmp_path), put(tmp_path, config=2)
        os.replace(record_path(other), record_path(path))

        with pytest.raises(RecordError, match=other.name):
            record(path)

    def test_that_is_damaged_names_the_file(self, tmp_path):
        """A damaged record is an error, never something else's record."""
        path = put(tmp_path)
        record_path(path).write_text("{}")

        with pytest.raises(RecordError, match=f"{record_path(path)} is no record .*; recompute writes another"):
            record(path)

    def test_of_an_interrupted_recompute_is_that_of_what_stands_there(self, project):
        """A crash between the new record and the new artifact leaves the old one, with the old one's record."""
        module = project.module(MAP)
        path = module.shapes()
        old = record(path)
        before = json.loads(record_path(path).read_text())
        change_record(path, replaced=before, digest="0" * 32, size=7, run="new")

        assert record(path).run == old.run

    def test_takes_no_bytes(self):
        """A path is a text or a path."""
        with pytest.raises(TypeError, match="must be a str"):
            record(b"hist.png")


class TestSearch:
    """``record(copy, search=folder)``."""

    def test_finds_a_renamed_copy(self, project, tmp_path):
        """A copy under any name, anywhere, leads to the artifact whose content it has."""
        path = project.module(MAP).shapes()
        copy = tmp_path / "figure 3 (final).shp"
        copy.write_bytes(path.read_bytes())

        assert record(path) == record(copy, search=project.path) == record(str(copy), search="out")

    def test_finds_a_directory(self, project, tmp_path):
        """A directory artifact is found by all that it holds, and by each file in it."""
        path = project.module(MAP).model()
        copy = tmp_path / "model"
        shutil.copytree(path, copy)

        assert record(path) == record(copy, search="out") == record(copy / "layers" / "first.bin", search="out")

    def test_prefers_the_whole_to_a_part_and_the_last_that_was_made(self, project, tmp_path):
        """Of several artifacts of one content it is the last one."""
        work = project.module(
            '@Artifact("out", ignore=())\ndef same(x, out="out/same.txt"):\n    Path(out).write_text("same")\n'
        )
        work.same(1)
        last = work.same(2)
        copy = tmp_path / "copy.txt"
        copy.write_text("same")

        assert record(last) == record(copy, search="out")

    def test_of_a_removed_artifact(self, project, tmp_path):
        """The record is found even if the artifact was removed meanwhile."""
        path = project.module(MAP).shapes()
        expected = record(path)
        copy = path.replace(tmp_path / "copy.shp")

        assert expected == record(copy, search="out")

    def test_none(self, project, tmp_path):
        """An edited copy is no copy; the error says what was looked for and where."""
        project.module(MAP).shapes()
        copy = tmp_path / "copy.shp"
        copy.write_text("edited")

        with pytest.raises(ArtifactNotFoundError, match=r"recorded in out or below .*copy.shp \(6 bytes\)"):
            record(copy, search="out")
        with pytest.raises(ArtifactNotFoundError, match="is no folder"):
            record(copy, search=tmp_path / "nowhere")
        with pytest.raises(ArtifactNotFoundError, match="is not there"):
            record(tmp_path / "nothing", search="out")


@pytest.fixture
def targets(tmp_path):
    """Fifty artifacts with records, and nothing remembered yet."""
    _memory.forget()
    return [Target(Folder(str(tmp_path)), put(tmp_path, config=number).name) for number in range(50)]


@pytest.fixture
def memo():
    """What is remembered of one of them."""
    return Memo(_memory.Memory(), (b"asked", "out"))


def remembered():
    gc.collect()
    return sum(isinstance(each, Record) for each in gc.get_objects())


class TestMemory:
    def test_same_again(self, targets, memo):
        """A record is parsed once, as long as its file stays as it is."""
        first = stored_record(targets[0], memo)

        assert stored_record(targets[0], memo) is first

    def test_another(self, targets, memo):
        """What is remembered is of one artifact: older code's goes when that of newer code is read."""
        for target in targets:
            assert target.name == stored_record(target, memo).artifact

        assert stored_record(targets[0], memo) is not stored_record(targets[0])
        assert _memory.held_bytes() < 2 * len(stored_record(targets[0]).to_json()) * origin._PARSED

    def test_changed(self, targets, memo, tmp_path):
        """A record whose file was replaced is read again."""
        stored_record(targets[0], memo)
        change_record(tmp_path / targets[0].name, seconds=7.0)

        assert 7.0 == stored_record(targets[0], memo).seconds

    def test_changed_in_place(self, targets, memo):
        """So is one that was written over with as many bytes."""
        stored_record(targets[0], memo)
        path = Path(targets[0].record_path)
        path.write_bytes(path.read_bytes().replace(b"plots.py::histogram", b"plots.py::histogrif"))
        os.utime(path, (1, 1))

        assert "plots.py::histogrif" == stored_record(targets[0], memo).function

    def test_touched(self, targets, memo, tmp_path):
        """Times that could not be written are remembered with that record, and not with the one that took its place."""
        touched = replace(stored_record(targets[0], memo), mtime_ns=7)
        memo.renew(touched)
        assert 7 == stored_record(targets[0], memo).mtime_ns
        change_record(tmp_path / targets[0].name, run="1" * 16)
        stored_record(targets[0], memo)
        memo.renew(touched)

        assert "1" * 16 == stored_record(targets[0], memo).run

    def test_another_name(self, targets):
        """A record that contradicts the tag in the name of its artifact is none."""
        path = Path(targets[0].record_path)
        path.write_bytes(path.read_bytes().replace(b'"commit": "1a2b3c4d5e', b'"commit": "0a2b3c4d5e'))

        assert stored_record(targets[0]) is None

    def test_bound(self, targets, monkeypatch):
        """However many records are read, and how often, only so many bytes of them are kept."""
        size = len(stored_record(targets[0]).to_json())
        monkeypatch.setattr(_memory, "MOST_BYTES", 10 * size * origin._PARSED)
        before = remembered()
        memory = _memory.Memory()
        for target in targets * 2:
            stored_record(target, Memo(memory, (b"asked", target.path)))

        assert remembered() - before <= 10
