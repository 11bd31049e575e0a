"""The example that the README runs first, as a newcomer would run it: in a clone, twice, and after an edit."""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from gitrepo import GitRepo

from taggedartifacts import Tag

FOLDER = "docs/examples"
EXAMPLES = Path(__file__).parent.parent / FOLDER


@pytest.fixture
def clone(tmp_path):
    """A repository that holds the example where this one has it."""
    repo = GitRepo(tmp_path / "clone")
    shutil.copytree(EXAMPLES, repo.path / FOLDER, ignore=shutil.ignore_patterns("output"))
    repo.write(".gitignore", f"{FOLDER}/output/\n")
    repo.commit()
    return repo


def run(clone, *options):
    """Run the example, and return what its log says was made and reused, and the files that there are then."""
    # Home is where matplotlib has its list of fonts, which takes seconds to make.
    command = shlex.join([sys.executable, f"{FOLDER}/quickstart.py", *options])
    log = clone.run("bash", "-c", f"{command} 2>&1", HOME=os.path.expanduser("~"))
    said = re.findall(r"(?m)^(made|reused) .*?([\w.]+)-[0-9a-f]{10}", log)
    return said, sorted(path.name for path in (clone.path / FOLDER / "output").iterdir() if path.name[0] != ".")


class TestQuickstart:
    def test_twice(self, clone):
        """The first run makes the table, the model and the figure; the second reuses all three and makes nothing."""
        first, made = run(clone)
        second, there = run(clone)

        assert [("made", "penguins"), ("made", "model"), ("made", "figure")] == first
        assert [("reused", "penguins"), ("reused", "model"), ("reused", "figure")] == second
        assert 3 == len(made)
        assert made == there

    def test_results(self, clone):
        """The table is complete, the model is a directory, and the figure is a picture; all are clean."""
        _, (figure, model, table) = run(clone, "--resamples=20")
        output = clone.path / FOLDER / "output"

        assert 1 + 333 == len((output / table).read_text().splitlines())
        assert {"coefficients.csv", "metrics.json"} == {path.name for path in (output / model).iterdir()}
        assert b"\x89PNG" == (output / figure).read_bytes()[:4]
        assert [None] * 3 == [Tag.parse(name).dirty for name in (figure, model, table)]

    def test_other_configuration(self, clone):
        """Another configuration makes the model anew, and the figure of it, but not the table."""
        run(clone, "--resamples=20")

        said, names = run(clone, "--resamples=10")

        assert [("reused", "penguins"), ("made", "model"), ("made", "figure")] == said
        assert 1 + 2 + 2 == len(names)

    def test_edited(self, clone):
        """An edit is no obstacle: everything is made by the new code, and its name says that it is not committed."""
        script = clone.path / FOLDER / "quickstart.py"
        script.write_text(script.read_text().replace('penguins")', 'birds")'))

        said, names = run(clone, "--resamples=10")

        assert [("made", "penguins"), ("made", "model"), ("made", "figure")] == said
        assert all(Tag.parse(name).dirty for name in names)
