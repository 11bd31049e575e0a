"""Why a call would hit or miss, told before it runs."""

import json
import re

import pytest
from records import change_record, put, record_path

from taggedartifacts import RepositoryError
from taggedartifacts._hashing import hexdigest

WORK = """
runs = []
settings = {"bins": 40, "model": {"depth": 3}}
options = dict(allow_dirty=True, inputs=("table",), ignore=("verbose",))

@Artifact("outpath", config=settings, **options)
def histogram(table="table.csv", scale=1, verbose=False, outpath="out/hist.png"):
    runs.append(outpath)
    Path(outpath).write_text("drawn")

@Artifact("outpath", config=settings, **options)
def heatmap(table="table.csv", scale=1, verbose=False, outpath="out/hist.png"):
    Path(outpath).write_text("another")

@Artifact("outpath")
def strict(x=1, outpath="out/strict.txt"):
    Path(outpath).write_text("strict")

@Artifact(("fit", "rest"), ignore=("y",))
def two(x=1, y=1, fit="out/fit.txt", rest="out/rest.txt"):
    Path(fit).write_text("fit")
    Path(rest).write_text("rest")

@Artifact("outpath")
def shapes(outpath="out/map.shp"):
    Path(outpath).write_text("shapes")
    Path(outpath).with_suffix(".shx").write_text("index")

@Artifact("outpath", config=settings, mode="r")
def reader(outpath="out/fixed.txt"):
    return Path(outpath).read_text()

@Artifact("outpath", config=settings, mode="r")
def folder_reader(outpath="out/folder"):
    return sorted(os.listdir(outpath))

@Artifact("outpath", config=settings)
def folder(outpath="out/folder/"):
    Path(outpath, "part").write_text("part")

@Artifact("outpath", config=settings)
def fixed(outpath="out/fixed.txt"):
    Path(outpath).write_text("fixed")
"""


@pytest.fixture
def work(project):
    """A project in which ``histogram`` was called once."""
    project.write("table.csv", "a,b")
    project.write("helper.txt", "as committed")
    module = project.module(WORK)
    module.histogram()
    return project, module


def reloaded(project):
    return project.load(project.path / "work.py")


def change_setting(project, module):
    module.settings["model"]["depth"] = 4
    return module.histogram.explain()


def remove_setting(project, module):
    del module.settings["bins"]
    return module.histogram.explain()


def change_argument(project, module):
    return module.histogram.explain(scale=2)


def change_type(project, module):
    return module.histogram.explain(scale=1.0)


def change_input(project, module):
    project.write("table.csv", "c,d")
    return module.histogram.explain()


def commit(project, module):
    project.write("helper.txt", "better")
    project.commit()
    return reloaded(project).histogram.explain()


def edit(project, module):
    project.write("helper.txt", "edited")
    return reloaded(project).histogram.explain()


def edit_and_change(project, module):
    project.write("helper.txt", "edited")
    return reloaded(project).histogram.explain(scale=3)


def rename_function(project, module):
    project.write("work.py", project.path.joinpath("work.py").read_text().replace("def heatmap", "def chart"))
    project.commit()
    return reloaded(project).chart.explain()


def remove_artifact(project, module):
    module.histogram.path().unlink()
    return module.histogram.explain()


def lose_companion(project, module):
    module.shapes().with_suffix(".shx").unlink()
    return module.shapes.explain()


def lose_output(project, module):
    module.two()[1].unlink()
    return module.two.explain()


MISSES = {
    change_setting: ["config.model.depth: 3 → 4"],
    remove_setting: ["config.bins: 40 → absent"],
    change_argument: ["arguments.scale: 1 → 2"],
    change_type: ["arguments.scale: 1 → 1.0"],
    change_input: ["inputs.table: "],
    commit: ["commit: "],
    edit: ["uncommitted helper.txt: as committed → modified"],
    edit_and_change: ["uncommitted helper.txt: as committed → modified", "arguments.scale: 1 → 3"],
    rename_function: ["function: work.py::histogram → work.py::chart", "commit: "],
    remove_artifact: [],
    lose_companion: [],
    lose_output: [],
}


class TestExplain:
    @pytest.mark.parametrize("change", MISSES, ids=lambda change: change.__name__)
    def test_names_what_changed_and_nothing_else(self, work, change):
        """After each of twelve changes the explanation of the miss names that change."""
        project, module = work
        explanation = change(project, module)
        actual = [str(each) for each in explanation.differences if not each.path]
        expected = MISSES[change]

        assert explanation.outcome == "miss"
        assert len(actual) == len(expected)
        assert all(line.startswith(start) for line, start in zip(actual, expected, strict=True)), actual
        assert (explanation.nearest is not None) == bool(expected)
        assert all(line in str(explanation) for line in actual)

    def test_of_a_hit_says_who_made_it(self, work):
        """A hit names the function, the time and the seconds that were spent then."""
        _, module = work
        explanation = module.histogram.explain(verbose=True)

        assert explanation.outcome == "hit"
        assert explanation.paths == (module.histogram.path(),)
        assert "without running" in str(explanation)
        assert re.search(r"made by work\.py::histogram on 20\d\d-\d\d-\d\d \d\d:\d\d UTC in ", str(explanation))

    def test_of_a_refusal_is_not_cut(self, work):
        """What an edited artifact asks of its reader is printed to the end, a clause on a line."""
        _, module = work
        module.histogram.path().write_text("edited")
        lines = [line.strip() for line in str(module.histogram.explain()).splitlines()]

        assert "to keep the changed file, give it another name" in lines
        assert "to have the artifact back, delete the file or call the function's recompute" in lines

    def test_runs_and_writes_nothing(self, work):
        """Explaining leaves the folder as it was, and a folder that is not there unmade."""
        project, module = work
        before = project.files()
        module.histogram.explain(scale=9)
        module.histogram.explain(outpath="out/nowhere/hist.png")

        assert len(module.runs) == 1
        assert project.files() == before
        assert not (project.out / "nowhere").exists()

    def test_agrees_with_the_call(self, work):
        """What is called a hit is one."""
        _, module = work
        for scale in (1, 2):
            explained = module.histogram.explain(scale=scale).outcome == "hit"

            assert explained == module.histogram.is_cached(scale=scale)

    def test_chooses_the_nearest(self, work):
        """Of several artifacts, the one that differs in the fewest things."""
        project, module = work
        near = module.histogram(scale=5)
        module.settings["bins"] = 50
        module.histogram(scale=7)
        module.settings["bins"] = 40
        project.write("helper.txt", "other")
        explanation = reloaded(project).histogram.explain(scale=5)

        assert explanation.nearest == near
        assert [each.place for each in explanation.differences] == ["uncommitted helper.txt"]

    def test_of_the_first_call_has_no_nearest(self, work):
        """Where nothing of that name is there, there is nothing to compare with."""
        explanation = work[1].histogram.explain(outpath="out/new.png")

        assert (explanation.outcome, explanation.nearest, explanation.differences) == ("miss", None, ())
        assert "is not there" in str(explanation)

    def test_of_bare_neighbours_goes_by_their_names(self, work):
        """The nearest without a record is compared by its tag."""
        _, module = work
        record_path(module.histogram.path().absolute()).unlink()
        explanation = module.histogram.explain(scale=2)

        assert [each.place for each in explanation.differences] == ["config hash"]

    def test_of_refused_code_says_what_is_not_committed(self, work):
        """Where a call raises because the code is not committed, the explanation lists the files."""
        project, module = work
        module.strict()
        project.write("helper.txt", "edited")
        explanation = reloaded(project).strict.explain()

        assert explanation.outcome == "refused"
        assert "allow_dirty" in explanation.reasons[0]
        assert [change.path for change in explanation.changes] == ["helper.txt"]
        assert "helper.txt (modified)" in str(explanation)
        assert [each.place for each in explanation.differences] == ["uncommitted helper.txt"]

    def test_of_a_changed_artifact_says_so(self, work):
        """An artifact that somebody edited is explained, not raised."""
        _, module = work
        module.histogram.path().write_text("edited by hand")
        explanation = module.histogram.explain()

        assert explanation.outcome == "refused"
        assert "was changed after" in str(explanation)

    def test_of_a_conflict_names_both_functions(self, work):
        """So is one that another function made."""
        explanation = work[1].heatmap.explain()

        assert explanation.outcome == "refused"
        assert "work.py::histogram" in str(explanation)
        assert "work.py::heatmap" in str(explanation)

    @pytest.mark.parametrize(("text", "expected"), [(None, "it has no record"), ("[", "its record is damaged")])
    def test_of_a_bare_file_says_why_it_counts(self, work, text, expected):
        """A file without a record that can be read is a hit, and the explanation says what is missing."""
        _, module = work
        path = record_path(module.histogram.path().absolute())
        path.unlink() if text is None else path.write_text(text)
        explanation = module.histogram.explain()

        assert explanation.outcome == "hit"
        assert expected in str(explanation)

    def test_of_lost_companions_and_outputs_names_them(self, work):
        """A miss because a part is gone names the part."""
        _, module = work
        shape, (_, rest) = module.shapes(), module.two()
        shape.with_suffix(".shx").unlink()
        rest.unlink()

        assert f"{shape.with_suffix('.shx').name}, which was written beside" in str(module.shapes.explain())
        assert f"{rest.name} is not there: work.py::two made it on 2" in str(module.two.explain())

    def test_of_outputs_from_two_runs_says_so(self, work):
        """Outputs that are all there, but not from one run, are made again."""
        _, module = work
        first, _ = module.two()
        change_record(first.absolute(), run="another")
        explanation = module.two.explain()

        assert explanation.outcome == "miss"
        assert "different runs" in str(explanation)

    def test_of_a_replacement_that_was_cut_short_says_so(self, work):
        """A crash between a companion and the artifact leaves each of another run; a call makes both again."""
        _, module = work
        path = module.shapes().absolute()
        before = json.loads(record_path(path).read_text())
        path.with_suffix(".shx").write_text("newer")
        newer = [{**entry, "digest": hexdigest(b"newer")} for entry in before["companions"]]
        change_record(path, replaced=before, companions=newer, digest="0" * 32, run="newer")
        explanation = module.shapes.explain()

        assert explanation.outcome == "miss"
        assert "was cut short" in str(explanation)

    def test_of_a_reader_says_whether_there_is_something_to_read(self, work):
        """A function in mode ``"r"`` is refused as long as its artifact was not made."""
        _, module = work
        assert module.reader.explain().outcome == "refused"
        path = module.fixed()
        explanation = module.reader.explain()

        assert (explanation.outcome, explanation.paths) == ("read", (path,))
        assert "which reads" in str(explanation)

    def test_of_a_reader_that_leaves_out_the_slash(self, work):
        """A directory is read by its name, with or without the slash that promised it, and explained likewise."""
        _, module = work
        path = module.folder()

        assert ["part"] == module.folder_reader()
        assert ("read", (path,)) == (module.folder_reader.explain().outcome, module.folder_reader.explain().paths)

    def test_without_a_repository_raises_as_the_call_does(self, project, tmp_path, monkeypatch):
        """Where no tag can be computed, there is nothing to explain."""
        (tmp_path / "bare").mkdir()
        monkeypatch.chdir(tmp_path / "bare")
        (tmp_path / "bare" / "work.py").write_text(
            "from pathlib import Path\nfrom taggedartifacts import Artifact\n" + WORK
        )
        module = project.load(tmp_path / "bare" / "work.py")

        with pytest.raises(RepositoryError):
            module.strict.explain()

    def test_among_many_looks_at_the_likeliest(self, work):
        """A thousand neighbours cost no more than a look at some, and the nearest is still found."""
        project, module = work
        for config in range(600):
            put(project.out, config=config)
        explanation = module.histogram.explain(scale=2)

        assert [str(each) for each in explanation.differences] == ["arguments.scale: 1 → 2"]

    def test_fits_on_a_screen_and_is_escaped(self, work):
        """Plain words, one screen, and nothing that a notebook would interpret."""
        _, module = work
        module.settings["model"] = {f"<b>{number}": number for number in range(200)}
        explanation = module.histogram.explain()

        assert len(str(explanation).splitlines()) < 50
        assert "&lt;b&gt;" in explanation._repr_html_()
        assert "<b>" not in explanation._repr_html_()
