"""Further repositories that count: a commit of theirs that decides, and what is not committed there."""

from __future__ import annotations

import pytest
from looks import AUTOMATIC, LookedAt

from taggedartifacts._errors import ScopeError


@pytest.fixture
def repo(tmp_path):
    """A repository that names another one beside it."""
    made = LookedAt(tmp_path / "repo")
    made.write(".gitignore", "__pycache__/\n")
    made.write("work.py", AUTOMATIC)
    made.write("pyproject.toml", "[tool.taggedartifacts]\nalso = ['../toolbox']\n")
    made.commit("First")
    return made


@pytest.fixture
def toolbox(repo, tmp_path):
    made = LookedAt(tmp_path / "toolbox")
    made.write("tools.py", "N = 1\n")
    made.write("params.yml", "1\n")
    made.commit("First")
    return made


class TestCommit:
    def test_goes_into_the_configuration(self, repo, toolbox):
        """The other one's last commit is configuration; the own commit stays."""
        before = repo.glance()
        toolbox.write("tools.py", "N = 2\n")
        commit = toolbox.commit()

        assert before["modules"] != repo.glance()["modules"] == {"../toolbox": commit}
        assert (before["commit"], None) == (repo.glance()["commit"], repo.glance()["dirty"])

    @pytest.mark.parametrize("name", ["README.md", "notes.ipynb", "docs/page.rst", "LICENSE"])
    def test_documents_and_notebooks(self, repo, toolbox, name):
        """A commit of documents and notebooks alone is passed over, and they are no dirt."""
        before = repo.glance()
        toolbox.write(name, "1\n")
        toolbox.commit()
        toolbox.write(name, "2\n")

        assert before == repo.glance()

    def test_shallow(self, repo, toolbox, tmp_path):
        """What is found in a shallow clone of it is not remembered beyond its deepening."""
        toolbox.write("README.md", "1\n")
        toolbox.commit()
        full = repo.glance()["modules"]
        toolbox.path.rename(tmp_path / "origin")
        repo.git("clone", "-q", "--no-local", "--depth=1", (tmp_path / "origin").as_uri(), str(tmp_path / "toolbox"))
        repo.glance()
        LookedAt(tmp_path / "toolbox", init=None).git("fetch", "-q", "--unshallow")

        assert full == repo.glance()["modules"]


class TestDirt:
    @pytest.mark.parametrize("name", ["tools.py", "params.yml"])
    def test_uncommitted(self, repo, toolbox, name):
        """What is not committed there makes the tag dirty, and is named by its path from here."""
        toolbox.write(name, "N = 2\n")

        assert {f"../toolbox/{name}": "modified"} == repo.glance()["changes"]

    def test_two_states(self, repo, toolbox):
        """Two edits there are two states, and undoing one finds the first again."""
        states = []
        for text in ("N = 2\n", "N = 3\n", "N = 2\n", "N = 1\n"):
            toolbox.write("tools.py", text)
            states.append(repo.glance()["dirty"])

        assert states[0] == states[2] != states[1]
        assert None is states[3]

    def test_untracked_module(self, repo, toolbox):
        """A module of it that was loaded and is untracked there is dirt; one that nobody loads is none."""
        toolbox.write("new.py", "N = 1\n")
        code = "say(lambda: importlib.import_module('work').look().state())"
        path = [str(repo.path), str(toolbox.path)]

        assert {} == repo.look(path=path)["changes"]
        assert ["../toolbox/new.py"] == list(repo.look(code=f"import new\n{code}", path=path)["changes"])

    def test_changed_after_it_was_loaded(self, repo, toolbox):
        """A module of it that was edited and committed since it was loaded is not that of the commit."""
        code = "import tools; open(tools.__file__, 'w').write('N = 2')\nimport subprocess\n"
        code += "subprocess.run(['git', 'commit', '-qam', 'x'], cwd=sys.path[1], check=True)\n"
        code += "say(lambda: importlib.import_module('work').look().state())"
        said = repo.look(code=code, path=[str(repo.path), str(toolbox.path)])

        assert {"../toolbox/tools.py": "changed after it was loaded: reload it, or start again"} == said["changes"]


class TestWrong:
    @pytest.mark.parametrize("path", ["../nowhere", "work.py", "../outside"])
    def test_no_repository(self, repo, tmp_path, path):
        """A path that lies in no repository is refused by name."""
        (tmp_path / "outside").mkdir()
        repo.write("pyproject.toml", f"[tool.taggedartifacts]\nalso = ['{path}']\n")
        repo.commit()

        with pytest.raises(ScopeError, match=path.strip(".")):
            repo.glance()
