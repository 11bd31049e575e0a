"""From a figure alone back to the code, and from one machine to another."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from gitrepo import IS_ROOT, GitRepo
from project import Project

from taggedartifacts import compare, record, verify

WORK = """
import helper
settings = {"bins": 40, "model": {"depth": 3}}

@Artifact("outpath", config=settings, allow_dirty=True, inputs=("table",), ignore=("token",))
def histogram(table, outpath, scale=1, token=None):
    Path(outpath).write_text(f"{Path(table).read_text()} {scale} {settings} {helper.VALUE}")
    Path(outpath).with_suffix(".txt").write_text("companion")
"""

# What a reader of a record would write: the recorded configuration and arguments, and the input as it is in the commit.
AGAIN = """
import json, sys
import work
recipe = json.load(open(sys.argv[1]))
work.settings.clear()
work.settings.update(recipe["config"])
print(work.histogram("table.csv", sys.argv[2], **recipe["arguments"]))
"""

# A colleague who may read everything and write nothing. What is needed from the interpreter's own directory is loaded
# before, because that may be closed to others.
COLLEAGUE = """
import json, os, sys
from taggedartifacts import compare, record, verify
import work
first, second = sys.argv[1:]
look = lambda: [
    record(first).function, [str(each) for each in compare(first, second).differences], verify(first),
    str(work.histogram("table.csv", os.path.dirname(first) + "/hist.png", scale=1)), work.histogram.explain(
        "table.csv", os.path.dirname(first) + "/hist.png", scale=1).outcome, len(compare(first, second).commits),
]
look()
for folder, names, files in os.walk("."):
    for name in (folder, *(os.path.join(folder, each) for each in files)):
        os.chown(name, 65534, 65534, follow_symlinks=False)
os.setgid(65534)
os.setuid(65534)
assert not os.access(os.path.dirname(first), os.W_OK)
print(json.dumps(look()))
"""


@pytest.fixture
def work(project):
    """A project with a helper and a table."""
    project.write("table.csv", "a,b")
    project.write("helper.py", "VALUE = 1\n")
    project.write("gone.csv", "")
    project.write("work.py", "import os\nfrom pathlib import Path\nfrom taggedartifacts import Artifact\n" + WORK)
    project.commit("Draw a histogram")
    project.write("later.txt", "not there yet when the figure is made")
    return project


def draw(repo, code="", **arguments):
    """Make a figure in a fresh process."""
    script = f"import json, work\n{code}\nprint(work.histogram('table.csv', 'out/hist.png', **{arguments!r}))"
    return repo.path / repo.python("-c", script)


def draw_again(figure, repo, folder):
    """Make the figure again from its record alone, in a linked worktree; returns its new path."""
    known = record(figure)
    repo.git("worktree", "add", "-q", "--detach", folder / "worktree", known.commit)
    worktree = GitRepo(folder / "worktree", init=None)
    if known.patch is not None:
        worktree.git("apply", figure.parent / ".taggedartifacts" / "patches" / known.patch)
    recipe = folder / "recipe.json"
    recipe.write_text(known.canonical)
    script = folder / "again.py"
    script.write_text(AGAIN)
    return worktree.path / worktree.python(script, recipe, "again/hist.png", PYTHONPATH=str(worktree.path))


class TestReproduction:
    def test_of_a_figure_from_committed_code(self, work, tmp_path):
        """From the figure alone: its commit, its configuration, and the same figure again."""
        figure = draw(work, "work.settings['model']['depth'] = 7", scale=2)
        work.write("helper.py", "VALUE = 2\n")
        work.commit("Change what would be drawn")
        again = draw_again(figure, work, tmp_path)
        result = compare(figure, again)

        assert again.name == figure.name
        assert again.read_bytes() == figure.read_bytes()
        assert (result.same_code, result.same_config, result.same_content) == (True, True, True)
        assert result.reproducible is True

    def test_of_a_figure_from_code_that_was_not_committed(self, work, tmp_path):
        """With the patch, the uncommitted code is there again: the same digest, so the same tag."""
        work.write("helper.py", "import extra\nVALUE = extra.VALUE\n")
        work.write("extra.py", "VALUE = 3")
        (work.path / "gone.csv").unlink()
        figure = draw(work)
        work.git("checkout", "-q", "--", ".")
        (work.path / "extra.py").unlink()
        again = draw_again(figure, work, tmp_path)

        assert record(figure).dirty is not None
        assert [path for path, _ in record(figure).changes] == ["extra.py", "gone.csv", "helper.py"]
        assert again.name == figure.name
        assert again.read_bytes() == figure.read_bytes()
        assert compare(figure, again).reproducible is True

    def test_stores_one_patch_for_one_state(self, work):
        """All artifacts of a dirty state share its patch."""
        work.write("helper.py", "VALUE = 2\n")
        for scale in (1, 2):
            draw(work, scale=scale)

        assert len(os.listdir(work.out / ".taggedartifacts" / "patches")) == 1


class TestColleague:
    @pytest.fixture
    def copied(self, work, tmp_path):
        """A clone at another place, and a copy of the artifacts with other times."""
        first = draw(work)
        work.commit("Later")
        second = draw(work, scale=2)
        clone, artifacts = Project(tmp_path / "clone"), tmp_path / "artifacts"
        shutil.rmtree(clone.path)
        work.git("clone", "-q", work.path, clone.path)
        shutil.copytree(work.out, artifacts, copy_function=shutil.copy)
        return clone, artifacts / first.name, artifacts / second.name

    def test_knows_what_the_maker_knows(self, copied):
        """In another clone, at another path: the record, the differences, the content, and a hit."""
        clone, first, second = copied
        assert verify(first.parent) == []
        assert record(first).function == "work.py::histogram"
        assert [each.place for each in compare(first, second).differences] == [
            "commit",
            "arguments.scale",
            "later.txt, which counts as data",
            "content",
        ]

        cached = (
            f"import work\nprint(work.histogram.is_cached('table.csv', {str(first.parent / 'hist.png')!r}, scale=2))"
        )
        assert clone.python("-c", cached) == "True"

    @pytest.mark.skipif(not IS_ROOT, reason="only root can become another user")
    def test_needs_no_permission_to_write(self, copied):
        """All of it works for who may only read."""
        clone, first, second = copied
        clone.git("checkout", "-q", record(first).commit)
        for folder in (first.parent.parent, *first.parent.parent.parents):
            folder.chmod(folder.stat().st_mode | 0o055)
        done = subprocess.run(
            [sys.executable, "-c", COLLEAGUE, first, second],
            cwd=clone.path,
            env={**clone.env, "PYTHONPATH": str(clone.path), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        function, differences, problems, hit, outcome, commits = json.loads(done.stdout)

        assert function == "work.py::histogram"
        assert differences[1] == "arguments.scale: 1 → 2"
        assert problems == []
        assert hit == str(first)
        assert outcome == "hit"
        assert commits == 1


class TestSecrets:
    def test_stand_nowhere_on_the_disk(self, work):
        """Neither a token in an ignored argument nor the password in a remote's URL is in any file that was written."""
        work.git("remote", "add", "origin", "https://someone:s3cret-password@example.org/plots.git?token=s3cret-query")
        work.write("helper.py", "VALUE = 2\n")
        figure = draw(work, token="s3cret-token")
        written = [path for path in work.out.rglob("*") if path.is_file()]

        assert record(figure).remote == "https://example.org/plots.git"
        assert len(written) > 4
        for path in written:
            assert b"s3cret" not in path.read_bytes(), path
