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
STEPS = ("penguins", "model", "figure")


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
    return said, {path.name for path in (clone.path / FOLDER / "output").iterdir() if path.name[0] != "."}


class TestQuickstart:
    @pytest.mark.heavy
    def test_newcomer(self, clone):
        """It makes three results, reuses them, makes what another setting changes, and calls an edit an edit.

        One test, since each run imports pandas and matplotlib anew, which takes longer than all the rest.
        """
        output = clone.path / FOLDER / "output"
        said, made = run(clone, "--resamples=20")
        assert [("made", step) for step in STEPS] == said
        assert [None] * 3 == [Tag.parse(name).dirty for name in made]
        figure, model, table = (output / name for name in sorted(made))
        assert 1 + 333 == len(table.read_text().splitlines())
        assert {"coefficients.csv", "metrics.json"} == {path.name for path in model.iterdir()}
        assert b"\x89PNG" == figure.read_bytes()[:4]

        assert ([("reused", step) for step in STEPS], made) == run(clone, "--resamples=20")

        said, others = run(clone, "--resamples=10")
        assert [("reused", "penguins"), ("made", "model"), ("made", "figure")] == said
        assert 1 + 2 + 2 == len(others)

        script = clone.path / FOLDER / "quickstart.py"
        script.write_text(script.read_text().replace('penguins")', 'birds")'))
        said, edited = run(clone, "--resamples=10")
        assert [("made", step) for step in STEPS] == said
        assert [True] * 3 == [bool(Tag.parse(name).dirty) for name in edited - others]
