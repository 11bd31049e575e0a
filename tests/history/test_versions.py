"""All artifacts of one name."""

import os

from records import DIRTY, OTHER_COMMIT, change_record, put, record_path

from taggedartifacts import ArtifactPath, prune, versions

TWO_KINDS = """
@Artifact("outpath")
def f(x, outpath):
    Path(outpath).write_text(str(x)) if x else Path(outpath).mkdir()
"""


def stamp(path, day):
    change_record(path, started=f"2026-01-{day:02}T00:00:00+00:00")


class TestVersions:
    def test_lists_the_newest_first(self, tmp_path):
        """The order is that of the runs, not of the names or of the times of the files."""
        paths = [put(tmp_path, config=config) for config in range(5)]
        for day, path in zip([3, 1, 5, 4, 2], paths, strict=True):
            stamp(path, day)
            os.utime(path, (day * 1e6, (10 - day) * 1e6))
        expected = [paths[index] for index in (2, 3, 0, 4, 1)]

        assert versions(tmp_path / "hist.png") == expected

    def test_covers_clean_and_dirty_files_and_directories(self, project):
        """Whatever made them, and of whatever kind they are."""
        module = project.module(TWO_KINDS)
        first, second = module.f(1, "out/result"), module.f(0, "out/result")
        dirty = put(project.out, "result", dirty=DIRTY)
        other = put(project.out, "result", commit=OTHER_COMMIT)

        assert sorted(versions("out/result")) == sorted(
            [first, second, *(p.relative_to(project.path) for p in (dirty, other))]
        )
        assert versions("out/result/") == versions("out/result")

    def test_are_artifact_paths_in_the_directory_as_it_is_written(self, tmp_path, monkeypatch):
        """What is returned can be opened, compared and chained."""
        name = put(tmp_path / "figures").name
        monkeypatch.chdir(tmp_path)

        assert [str(path) for path in versions("figures/hist.png")] == [f"figures/{name}"]
        assert [str(path) for path in versions(tmp_path / "figures" / "hist.png")] == [f"{tmp_path}/figures/{name}"]
        assert type(versions("figures/hist.png")[0]) is ArtifactPath
        monkeypatch.chdir("figures")
        assert [str(path) for path in versions("hist.png")] == [name]

    def test_of_an_artifact_are_its_siblings(self, tmp_path):
        """Any artifact of the name leads to all of them."""
        path, other = put(tmp_path), put(tmp_path, config=2)

        assert sorted(versions(path)) == sorted([path, other])

    def test_of_a_name_that_holds_a_tag(self, tmp_path):
        """Outputs that are named after their input, tag included, are found by the name that was given."""
        given = f"{put(tmp_path / 'input', 'data.csv').stem}.png"
        paths = [put(tmp_path, given, config=config) for config in range(2)]

        assert sorted(paths) == sorted(versions(tmp_path / given)) == sorted(versions(paths[0]))
        assert sorted(paths) == sorted(prune(tmp_path / given, keep=0))

    def test_passes_over_other_names(self, tmp_path):
        """A name that only begins or ends alike is another one."""
        expected = [put(tmp_path)]
        for name in ("hist-2.png", "a-hist.png", "hist.pdf", "hist.png.gz", "hist", "his.png"):
            put(tmp_path, name)
        (tmp_path / "hist.png").touch()

        assert versions(tmp_path / "hist.png") == expected

    def test_passes_over_companions(self, project):
        """A file that was written beside an artifact is none itself."""
        path = project.module(
            '@Artifact("outpath")\n'
            'def f(outpath="out/map.shp"):\n'
            "    Path(outpath).touch()\n"
            '    Path(outpath).with_suffix(".shx").touch()\n'
        ).f()

        assert versions("out/map.shx") == []
        assert versions("out/map.shp") == [path]

    def test_are_not_disturbed_by_a_record_under_a_wrong_name(self, tmp_path):
        """A record that somebody renamed says nothing of what stands beside it."""
        path, other = put(tmp_path, record=False), put(tmp_path, config=2)
        os.replace(record_path(other), record_path(path.with_suffix(".svg")))

        assert sorted(versions(tmp_path / "hist.png")) == sorted([path, other])

    def test_counts_bare_and_damaged_ones_by_the_time_of_the_file(self, tmp_path):
        """Without a record that can be read, the time of the file stands in."""
        bare, damaged, known = put(tmp_path, record=False), put(tmp_path, config=1), put(tmp_path, config=2)
        record_path(damaged).write_text("damaged")
        stamp(known, 2)
        for path, seconds in ((bare, 1_767_225_600), (damaged, 1_767_484_800)):  # the 1st and the 4th
            os.utime(path, (seconds, seconds))

        assert versions(tmp_path / "hist.png") == [damaged, known, bare]

    def test_passes_over_links_to_nothing(self, tmp_path):
        """What cannot be opened is not listed."""
        path = put(tmp_path)
        path.unlink()
        path.symlink_to(tmp_path / "gone")

        assert versions(path) == []

    def test_of_nothing_are_none(self, tmp_path):
        """A name that was never made has no versions; nor has one in a directory that does not exist."""
        assert versions(tmp_path / "hist.png") == versions(tmp_path / "nowhere" / "hist.png") == []

    def test_prints_a_line_for_each(self, tmp_path):
        """The terminal shows what each name says; a notebook the same, escaped."""
        put(tmp_path, "<b>.png")
        found = versions(tmp_path / "<b>.png")

        assert "1 artifact, newest first" in str(found)
        assert "commit 1a2b3c4d5e, nothing uncommitted" in repr(found)
        assert "&lt;b&gt;-1a2b" in found._repr_html_()
        assert "<b>-1a2b" not in found._repr_html_()

    def test_reads_nothing_of_other_artifacts(self, tmp_path, monkeypatch):
        """The cost does not grow with what else lies in the folder, but for the listing of names."""
        path = put(tmp_path)
        for config in range(20):
            put(tmp_path, "other.png", config=config)
        opened = []
        true_open = os.open
        monkeypatch.setattr(
            os, "open", lambda name, *rest, **more: opened.append(name) or true_open(name, *rest, **more)
        )

        assert versions(path) == [path]
        assert opened == [str(record_path(path))]
