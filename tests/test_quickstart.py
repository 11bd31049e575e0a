"""The example that the README runs first, as a newcomer would run it: in a clone, twice, and after an edit."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from taggedartifacts import Tag

EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"


@pytest.fixture
def clone(tmp_path):
    """A repository that holds the example where this one has it."""
    folder = tmp_path / "clone" / "docs" / "examples"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("output"))
    (tmp_path / "clone" / ".gitignore").write_text("docs/examples/output/\n")
    for arguments in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=T", "-c", "user.email=t@t", "commit", "-qm", "Start"],
    ):
        subprocess.run(["git", *arguments], cwd=tmp_path / "clone", check=True)
    return tmp_path / "clone"


def run(clone, *options):
    """Run the example, and return what its log says was made and reused, and the files that there are then."""
    command = [sys.executable, "docs/examples/quickstart.py", *options]
    result = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=True)
    said = re.findall(r"(?m)^(made|reused) .*?([\w.]+)-[0-9a-f]{10}", result.stderr)
    return said, sorted(path.name for path in (clone / "docs/examples/output").iterdir() if path.name[0] != ".")


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
        output = clone / "docs/examples/output"

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
        script = clone / "docs/examples/quickstart.py"
        script.write_text(script.read_text().replace('penguins")', 'birds")'))

        said, names = run(clone, "--resamples=10")

        assert [("made", "penguins"), ("made", "model"), ("made", "figure")] == said
        assert all(Tag.parse(name).dirty for name in names)
