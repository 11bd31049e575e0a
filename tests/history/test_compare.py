"""Two artifacts: the same code, the same configuration, the same content? And if not, exactly what differs."""

import itertools
import os
import platform
import shutil
import sys
from types import ModuleType

import pytest
from records import DIRTY, OTHER_COMMIT, change_record, put, record_path

from taggedartifacts import ArtifactNotFoundError, compare, prune
from taggedartifacts._call import outcome as _environment

WORK = """
settings = {"bins": 40, "model": {"depth": 3, "kind": "tree"}}

@Artifact("outpath", config=settings, allow_dirty=True, inputs=("table",), ignore=("content",))
def histogram(table, outpath, scale=1, content="same"):
    Path(outpath).write_text(content)
"""
SHAPES = """
@Artifact("outpath", ignore=("index",))
def shapes(outpath="out/map.shp", index="index"):
    Path(outpath).write_text("shapes")
    Path(outpath).with_suffix(".shx").write_text(index)

@Artifact("outpath", ignore=("files",))
def model(outpath="out/model/", files=()):
    for name in files:
        Path(outpath, name).write_text(files[name])

@Artifact(("a", "b"))
def two(a="out/a.txt", b="out/b.txt"):
    Path(a).write_text("a")
    Path(b).write_text("b")

@Artifact("outpath", ignore=("x",))
def other(outpath, x=0):
    Path(outpath).write_text(str(x))
"""

PLACES = {
    "config": "config.model.depth: 3 → 4",
    "argument": "arguments.scale: 1 → 2",
    "input": "inputs.table: ",
    "commit": "commit: ",
    "dirty": "uncommitted helper.txt: as committed → modified",
    "package": "packages.fakepackage: 1.0 → 2.0",
    "python": "Python: 3.11.1 → 3.12.2",
    "content": "content: 4 bytes (",
}


def make(project, monkeypatch, out, changed):
    """Make an artifact in a folder of its own, with all the named things changed."""
    project.git("reset", "-q", "--hard", "base")
    package = ModuleType("fakepackage")
    package.__version__ = "2.0" if "package" in changed else "1.0"
    monkeypatch.setitem(sys.modules, "fakepackage", package)
    _environment._version.cache_clear()
    _environment._packages.cache_clear()
    monkeypatch.setattr(platform, "python_version", lambda: "3.12.2" if "python" in changed else "3.11.1")
    if "commit" in changed:
        project.write("helper.txt", "committed")
        project.commit("Help better")
    if "dirty" in changed:
        project.write("helper.txt", "not committed")
    module = project.load(project.path / "work.py")
    if "config" in changed:
        module.settings["model"]["depth"] = 4
    return module.histogram(
        "other.csv" if "input" in changed else "table.csv",
        project.out / out / "hist.png",
        scale=2 if "argument" in changed else 1,
        content="else" if "content" in changed else "same",
    )


@pytest.fixture
def matrix(project):
    """A project to make artifacts in that differ in whatever is wanted."""
    project.write("table.csv", "a,b")
    project.write("other.csv", "c,d")
    project.write("helper.txt", "as committed")
    project.module(WORK)
    project.git("tag", "base")
    return project


class TestCompare:
    @pytest.mark.parametrize(
        "changed",
        [
            *itertools.combinations(PLACES, 0),
            *itertools.combinations(PLACES, 1),
            *itertools.combinations(PLACES, 2),
            tuple(PLACES),
        ],
        ids="+".join,
    )
    def test_names_exactly_what_differs(self, matrix, monkeypatch, changed):
        """Each of eight things, alone, with each other one and with all, is named, and nothing else is."""
        first, second = (make(matrix, monkeypatch, out, what) for out, what in (("a", ()), ("b", changed)))
        result = compare(first, second)
        files = [each for each in result.differences if each.path]
        actual = [str(each) for each in result.differences if each not in files]

        assert bool(files) == ("commit" in changed)
        assert len(actual) == len(changed)
        for name in changed:
            assert any(line.startswith(PLACES[name]) for line in actual), (name, actual)
        assert result.same_code == (not {"commit", "dirty"} & {*changed})
        assert result.same_config == (not {"config", "argument", "input"} & {*changed})
        assert result.same_content == ("content" not in changed)
        assert result.unknown == ()
        agree = result.same_code and result.same_config
        assert result.reproducible == (result.same_content if agree else None)
        assert ("not reproducible" in str(result)) == (agree and not result.same_content)
        reverse = compare(second, first)
        assert {each.place for each in reverse.differences} == {each.place for each in result.differences}

    def test_two_dirty_states_differ_in_the_files_that_differ(self, matrix, monkeypatch):
        """Of two files changed in both, only the one that was changed in another way is named."""
        matrix.write("helper.txt", "one")
        matrix.write("table.csv", "a,b\nchanged alike")
        first = matrix.load(matrix.path / "work.py").histogram("other.csv", "out/hist.png")
        matrix.write("helper.txt", "two")
        second = matrix.load(matrix.path / "work.py").histogram("other.csv", "out/hist.png")
        result = compare(first, second)

        assert [str(each) for each in result.differences] == [
            "uncommitted helper.txt: modified → modified in another way"
        ]
        assert result.same_code is False
        assert result.unknown == ()

    def test_without_the_patches_says_what_it_could_not_know(self, matrix):
        """Without a patch two changes of one file cannot be told apart, and it is not claimed that they can."""
        for content in ("one", "two"):
            matrix.write("helper.txt", content)
            matrix.load(matrix.path / "work.py").histogram("other.csv", "out/hist.png")
        for patch in (matrix.out / ".taggedartifacts" / "patches").iterdir():
            patch.unlink()
        result = compare(*matrix.out.glob("hist-*.png"))

        assert [each.place for each in result.differences] == ["uncommitted changes"]
        assert "helper.txt" in str(result.unknown)

    def test_of_files_in_a_directory_names_the_files(self, project):
        """A directory differs in the files that were added, removed or changed."""
        module = project.module(SHAPES)
        first = module.model("out/a/model/", files={"same": "1", "gone": "1", "changed": "1"})
        second = module.model("out/b/model/", files={"same": "1", "new": "22", "changed": "2"})
        result = compare(first, second)

        assert [each.place for each in result.differences] == ["content/changed", "content/gone", "content/new"]
        assert str(result.differences[1]).endswith("→ absent")
        assert result.same_content is False

    def test_of_companions_names_them(self, project):
        """What was written beside an artifact is part of what it holds."""
        module = project.module(SHAPES)
        result = compare(module.shapes("out/a/map.shp"), module.shapes("out/b/map.shp", index="other"))

        assert [each.place for each in result.differences] == ["companion .shx"]
        assert result.same_content is False

    def test_two_outputs_of_one_run_are_not_called_irreproducible(self, project):
        """The outputs of a function differ from each other; so do those of different functions."""
        module = project.module(SHAPES)
        first, second = module.two()
        third = module.other("out/c.txt")

        assert compare(first, second).reproducible is None
        assert compare(first, third).reproducible is None
        assert [each.place for each in compare(second, third).differences] == ["function", "content"]

    def test_a_reproducible_function_is_said_to_be_one(self, project):
        """The same content from the same code and configuration."""
        module = project.module(SHAPES)
        result = compare(module.other("out/a/x.txt"), module.other("out/b/x.txt"))

        assert (result.same_code, result.same_config, result.same_content) == (True, True, True)
        assert result.reproducible is True
        assert result.differences == ()

    def test_a_changed_artifact_says_nothing_of_its_function(self, project):
        """An edit afterwards shows as different content, not as a function that is not reproducible."""
        module = project.module(SHAPES)
        first, second = module.other("out/a/x.txt"), module.other("out/b/x.txt")
        second.write_text("edited by hand")
        result = compare(first, second)

        assert (result.same_content, result.reproducible) == (False, True)
        assert "changed after it was made" in str(result)

    def test_a_copy_with_other_times_is_the_same(self, project):
        """Where only the times of the files differ, the content decides."""
        path = project.module(SHAPES).model(files={"a": "1"})
        shutil.copytree("out", "copy", copy_function=shutil.copy)
        result = compare(path, f"copy/{path.name}")

        assert result.same_content is True
        assert result.unknown == ()

    def test_goes_by_names_where_records_are_missing(self, tmp_path):
        """Without records the names tell code and configuration, the files the content, and the rest is said."""
        one = put(tmp_path / "a", record=False)
        two = put(tmp_path / "b", commit=OTHER_COMMIT, dirty=DIRTY, config=3, content=b"other", record=False)
        result = compare(one, two)

        assert (result.same_code, result.same_config, result.same_content) == (False, False, False)
        assert [each.place for each in result.differences] == [
            "commit",
            "uncommitted changes",
            "config hash",
            "content",
        ]
        assert "it has no record; its name alone says: commit 1a2b3c4d5e" in str(result)

    def test_equal_names_are_the_same_code_and_configuration(self, tmp_path):
        """That is what a tag promises, also to whom has only the names."""
        one, two = put(tmp_path / "a", record=False), put(tmp_path / "b", content=b"other", record=False)
        result = compare(one, two)

        assert (result.same_code, result.same_config, result.same_content) == (True, True, False)
        assert "not reproducible" in str(result)

    def test_of_files_that_are_gone_leaves_the_content_open(self, tmp_path):
        """Names alone, without the files, tell nothing about the content."""
        one, two = tmp_path / "hist-1a2b3c4d5e-0f9e8d7c6b5a.png", tmp_path / "hist-1a2b3c4d5e-0f9e8d7c6b5b.png"
        result = compare(one, two)

        assert (result.same_code, result.same_config, result.same_content) == (True, False, None)
        assert "not known" in str(result)

    def test_equal_beginnings_of_hashes_are_not_equal_hashes(self, tmp_path):
        """Where the records know more than the names, they decide."""
        one = put(tmp_path / "a")
        two = put(tmp_path / "b", commit="1a2b3c4d5e" + "f" * 30)
        assert one.name == two.name

        assert compare(one, two).same_code is False

    def test_a_commit_that_stood_in_for_a_repository_may_be_short(self, tmp_path):
        """Where only the first digits of a commit were given, they are what counts."""
        one, two = put(tmp_path / "a"), put(tmp_path / "b", commit="1a2b3c4d5e0000")
        result = compare(one, two)

        assert (result.same_code, result.differences, result.unknown) == (True, (), ())

    def test_a_damaged_record_is_as_none_and_reported(self, tmp_path):
        """A record that cannot be read is treated as absent, and named."""
        one, two = put(tmp_path / "a"), put(tmp_path / "b")
        record_path(two).write_text("[" * 100_000)
        result = compare(one, two)

        assert (result.same_code, result.same_config, result.same_content) == (True, True, True)
        assert "its record is damaged" in str(result)

    def test_a_configuration_that_was_tampered_with_is_not_believed(self, tmp_path):
        """A recorded configuration that does not hash to the recorded hash names no differences."""
        one, two = put(tmp_path, config={"bins": 40}), put(tmp_path, config={"bins": 60})
        change_record(two, canonical='{"arguments":{},"config":{"bins":40,"evil":1}}')
        result = compare(one, two)

        assert [each.place for each in result.differences] == ["config hash"]
        assert "damaged" in str(result.unknown)

    def test_reads_nothing_that_is_no_file(self, tmp_path):
        """A pipe under a tagged name leaves the content open, and blocks nobody."""
        one, two = put(tmp_path / "a"), put(tmp_path / "b", record=False)
        two.unlink()
        os.mkfifo(two)
        result = compare(one, two)

        assert result.same_content is None
        assert "cannot be read" in str(result)

    def test_takes_paths_that_belong_to_artifacts(self, project):
        """A companion or a file inside leads to its artifact; texts and paths are the same."""
        path = project.module(SHAPES).shapes()

        assert compare(str(path), path.with_suffix(".shx")).same_content is True

    def test_of_no_artifact_is_refused(self, tmp_path):
        """A path without a tag is an error that names it."""
        with pytest.raises(ArtifactNotFoundError, match=r"hist\.png"):
            compare(tmp_path / "hist.png", put(tmp_path))

    def test_is_escaped_in_a_notebook(self, tmp_path):
        """Configurations come from anywhere."""
        one, two = put(tmp_path, config="<script>1</script>"), put(tmp_path, config="\x1b[2J")
        result = compare(one, two)

        assert "&lt;script&gt;" in result._repr_html_()
        assert "<script>" not in result._repr_html_()
        assert "\x1b" not in str(result)

    def test_a_hundred_differences_fit_on_a_screen(self, tmp_path):
        """The text stays short; the attribute has all."""
        one, two = (put(tmp_path, config=[value] * 100) for value in (1, 2))
        result = compare(one, two)

        assert len(result.differences) == 100
        assert len(str(result).splitlines()) < 50
        assert "more" in str(result)


class TestCommitsBetween:
    def test_are_named_with_their_subjects(self, matrix):
        """Two artifacts from two commits show the commits between, the newest first."""
        first = matrix.load(matrix.path / "work.py").histogram("table.csv", "out/hist.png")
        commits = []
        for number in (1, 2):
            matrix.write("helper.txt", str(number))
            commits.insert(0, (matrix.commit(f"Step {number}\n\nMore words."), f"Step {number}"))
        second = matrix.load(matrix.path / "work.py").histogram("table.csv", "out/hist.png")

        assert compare(first, second).commits == tuple(commits)
        assert compare(second, first).commits == tuple(commits)
        assert f"{commits[0][0][:10]} Step 2" in str(compare(first, second))

    def test_are_found_from_another_place(self, matrix, tmp_path, monkeypatch):
        """Artifacts outside of any repository are asked about in the repository where one stands."""
        first = matrix.load(matrix.path / "work.py").histogram("table.csv", tmp_path / "far" / "hist.png")
        matrix.write("helper.txt", "1")
        matrix.commit("A step")
        second = matrix.load(matrix.path / "work.py").histogram("table.csv", tmp_path / "far" / "hist.png")

        assert [subject for _, subject in compare(first, second).commits] == ["A step"]
        monkeypatch.chdir(tmp_path)
        result = compare(first, second)
        assert result.commits == ()
        assert "the commits between" in str(result.unknown)

    def test_are_asked_of_git_where_libgit2_cannot_read(self, project):
        """In a repository with SHA-256 hashes, too; so is what its branches contain."""
        shutil.rmtree(project.path / ".git")
        project.git("init", "-q", "--object-format=sha256")
        first = project.module(SHAPES).model()
        project.git("checkout", "-q", "-b", "side")
        project.write("more.txt")
        commit = project.commit("One side")
        second = project.load(project.path / "work.py").model()

        assert len(commit) == 64
        assert compare(first, second).commits == ((commit, "One side"),)
        assert prune("out", unreachable=True) == []
        project.git("checkout", "-q", "main")
        project.git("branch", "-q", "-D", "side")
        assert prune("out", unreachable=True) == [second]
        project.git("checkout", "-q", "--detach", commit)
        assert prune("out", unreachable=True) == []
