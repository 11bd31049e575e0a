"""From any path that belongs to an artifact to its record."""

import json
import os

import pytest
from records import change_record, put, record_path

from taggedartifacts import ArtifactNotFoundError, RecordError, record

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

        with pytest.raises(ArtifactNotFoundError, match=f"commit 1a2b3c4d5e, nothing.*{copy.parent}.*json along"):
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

        with pytest.raises(RecordError, match=str(record_path(path))):
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
