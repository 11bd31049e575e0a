"""The project's settings, and that those which change the scope have to be committed."""

from __future__ import annotations

import pytest
from looks import AUTOMATIC, LookedAt

from taggedartifacts._code.settings import Settings, parse_settings, read_settings
from taggedartifacts._errors import ScopeError

HEAD = "[tool.taggedartifacts]\n"
GENERATORS = [
    "[tool.setuptools_scm]\nwrite_to = 'version.py'\n",
    "[tool.setuptools_scm]\nversion_file = './version.py'\n",
    "[tool.hatch.build.hooks.vcs]\nversion-file = 'version.py'\n",
    "[tool.versioningit.write]\nfile = 'version.py'\n",
    "[tool.pdm.version]\nwrite_to = 'version.py'\n",
]


@pytest.fixture
def repo(tmp_path):
    """A repository with a module that looks, and two tables."""
    made = LookedAt(tmp_path / "repo")
    made.write(".gitignore", "__pycache__/\n")
    made.write("work.py", "import version\n" + AUTOMATIC)
    made.write("version.py", "N = 1\n")
    for name in ("one.txt", "two.txt"):
        made.write(name, "1\n")
    made.commit("First")
    return made


class TestParse:
    def test_nothing(self, tmp_path):
        """Where there is no file, nothing is set."""
        assert Settings() == read_settings(str(tmp_path))

    def test_all(self):
        """Each key is read."""
        text = HEAD + "scope = ['a']\nalso = ['../b']\nallow_dirty = true\n[tool.setuptools_scm]\nwrite_to = 'src/v.py'"

        assert Settings(("a",), ("../b",), frozenset({"src/v.py"}), True) == parse_settings(text.encode(), "f")

    @pytest.mark.parametrize("text", ["a b", "\xff", HEAD + "scop = []", HEAD + "scope = 'a'", HEAD + "also = [1]"])
    def test_wrong(self, text):
        """What has no meaning is refused, by the name of the file."""
        with pytest.raises(ScopeError, match=r"the\.toml"):
            parse_settings(text.encode("latin-1"), "the.toml")

    @pytest.mark.parametrize(
        "text", ["tool = 1", "[tool]\nhatch = 1", "[tool.hatch]\nbuild = []", "[tool.pdm]\nversion=1"]
    )
    def test_odd_tables_of_others(self, text):
        """What other tools wrote in another shape is not ours to refuse."""
        assert Settings() == parse_settings(text.encode(), "f")


class TestUncommitted:
    def test_scope(self, repo):
        """A scope that is not committed makes dirty; committed, it renames nothing by itself."""
        before = repo.glance()["commit"]
        repo.write("pyproject.toml", HEAD + "scope = ['one.txt']\n")
        dirty = repo.glance()["changes"]
        repo.commit()
        repo.write("two.txt", "2\n")

        assert ["pyproject.toml"] == list(dirty)
        assert (before, None) == (repo.glance()["commit"], repo.glance()["dirty"])

    def test_taken_away(self, repo):
        """So does one that is taken away, or a file of settings that is deleted."""
        repo.write("pyproject.toml", HEAD + "scope = ['one.txt']\n")
        repo.commit()
        repo.write("pyproject.toml", HEAD)
        taken = repo.glance()["changes"]
        (repo.path / "pyproject.toml").unlink()

        assert [{"pyproject.toml": "modified"}, {"pyproject.toml": "deleted"}] == [taken, repo.glance()["changes"]]

    @pytest.mark.parametrize("text", GENERATORS)
    def test_generated(self, repo, text):
        """So does the name of a generated file, which is left out."""
        repo.write("pyproject.toml", text)

        assert ["pyproject.toml"] == list(repo.glance()["changes"])

    @pytest.mark.parametrize("text", ["[project]\nname = 'x'\n", HEAD + "allow_dirty = true\n", HEAD + "scope = []\n"])
    def test_of_no_account(self, repo, text):
        """What does not change the scope does not."""
        repo.write("pyproject.toml", text)

        assert None is repo.glance()["dirty"]

    def test_undone(self, repo):
        """Undoing the edit gives the state of before."""
        before = repo.glance()
        repo.write("pyproject.toml", HEAD + "scope = ['one.txt']\n")
        repo.glance()
        (repo.path / "pyproject.toml").unlink()

        assert before == repo.glance()

    def test_hidden(self, repo):
        """An edit of the settings that git is told not to look at is seen."""
        repo.write("pyproject.toml", HEAD + "scope = ['one.txt']\n")
        repo.commit()
        repo.git("update-index", "--assume-unchanged", "pyproject.toml")
        repo.write("pyproject.toml", HEAD + "scope = ['two.txt']\n")

        assert ["pyproject.toml"] == list(repo.glance()["changes"])


class TestGenerated:
    @pytest.mark.parametrize("text", GENERATORS)
    def test_left_out(self, repo, text):
        """A version file that the build writes counts neither as dirt nor as configuration."""
        repo.git("rm", "-q", "version.py")
        repo.write("pyproject.toml", text)
        repo.write(".gitignore", "__pycache__/\nversion.py\n")
        repo.commit()
        repo.write("version.py", "N = 1\n")
        one = repo.glance()
        repo.write("version.py", "N = 2\n")

        assert one == repo.glance()
        assert (None, {}) == (one["dirty"], one["modules"])
