"""Facts: the last commit of a scope, in any history, and what differs from it."""

from __future__ import annotations

import ast
import os
import shutil
import sys
from pathlib import Path

import histories
import pytest
from looks import AUTOMATIC, LookedAt

import taggedartifacts
from taggedartifacts._code.codestate import take_look
from taggedartifacts._code.facts import _last_commit
from taggedartifacts._git.command import CommandRepository

PACKAGE = Path(taggedartifacts.__file__).parent
STORM = [pytest.param(seed, marks=[] if seed < 6 else pytest.mark.storm) for seed in range(300)]


def seen(repo):
    """The state that a look finds for ``work.py``."""
    return take_look(str(repo.path / "work.py"), fresh=True).state()


class TestHistories:
    @pytest.fixture(params=STORM)
    def made(self, request, tmp_path):
        """A random history, and the same with all modules in one layout and without comments."""
        commits = histories.history(request.param)
        repo, bare = LookedAt(tmp_path / "repo"), LookedAt(tmp_path / "plain")
        return repo, histories.build(repo, commits), bare, histories.build(bare, commits, is_plain=True), commits

    def test_as_git_log(self, made, tmp_path):
        """The commit is that of ``git log -1 -- S``, but for those that change comments and layout alone.

        By either backend, in clones and worktrees; what it holds is what HEAD holds. A shallow clone may name a later
        one, and the same as the others once the rest of the history is there.
        """
        repo, names, *plain, commits = made
        state = seen(repo)
        scope = state.scope
        bare, plain_names = plain if not scope.by_bytes else (repo, names)  # a module that does not parse
        ever = {path for commit in commits for path in commit.tree}
        held = {path for path in ever if scope.holds(path)}
        expected = names[plain_names.index(histories.log(bare, "HEAD", sorted(held)))]
        by_command = _last_commit(CommandRepository(str(repo.path), ""), repo.head, scope)

        assert [expected, expected] == [state.commit, by_command]
        assert None is state.dirty
        assert self.plain_map(made, state.commit, held) == self.plain_map(made, repo.head, held)

        repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "tree"), "HEAD")
        repo.git("clone", "-q", "--no-local", str(repo.path), str(tmp_path / "clone"))
        repo.git("clone", "-q", "--no-local", "--depth=3", repo.path.as_uri(), str(tmp_path / "shallow"))
        others = [LookedAt(tmp_path / name, init=None) for name in ("tree", "clone", "shallow")]
        tags = [(found.commit, found.dirty, found.digest) for found in map(seen, others)]
        assert [(state.commit, None, state.digest)] * 2 == tags[:2]
        assert None is tags[2][1]
        assert self.plain_map(made, tags[2][0], held) == self.plain_map(made, repo.head, held)
        others[2].git("fetch", "-q", "--unshallow")
        assert state.commit == seen(others[2]).commit

    def plain_map(self, made, commit, held):
        _, names, bare, plain_names, _ = made
        return histories.map_of(bare, plain_names[names.index(commit)], held)


@pytest.fixture
def repo(tmp_path):
    """A repository with a module that looks."""
    made = LookedAt(tmp_path / "repo")
    made.write(".gitignore", "__pycache__/\nlocal_*\n")
    made.write("work.py", AUTOMATIC)
    made.commit("First")
    return made


def work(repo, head):
    repo.write("work.py", head + AUTOMATIC)
    return repo.commit()


class TestUntracked:
    BY_PATH = """\
import importlib.util, os
spec = importlib.util.spec_from_file_location("by_path", os.path.join(os.path.dirname(__file__), "hand.py"))
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
"""

    @pytest.mark.parametrize("scope", [[], ["."], [".gitignore"]])
    @pytest.mark.parametrize(
        "head",
        [
            "import hand\n",
            "from hand import f\n",
            "import sys, hand\ndel sys.modules['hand']\n",
            "import sys\nfrom hand import f\ndel sys.modules['hand']\n",
            "import sys\nfrom hand import C\ndel sys.modules['hand']\ninstance = C()\ndel C\n",
            "import middle\n",
        ],
    )
    def test_loaded(self, repo, head, scope):
        """A module that was loaded and is untracked makes dirty, whether anything lists it or not."""
        repo.write("middle.py", "import sys, hand\ndel sys.modules['hand']\n")
        work(repo, head)
        repo.write("hand.py", "def f(): return 1\nclass C:\n    def g(self): pass\n")

        assert {"hand.py": "loaded, but not tracked by git"} == repo.look(scope=scope)["changes"]

    @pytest.mark.parametrize("rest", ["", "f = module.f\ndel module\n", "from functools import partial, wraps\n"])
    def test_loaded_by_path(self, repo, rest):
        """So does one that was loaded by its path, and never listed."""
        work(repo, self.BY_PATH + rest)
        repo.write("hand.py", "def f(): return 1\n")

        assert {"hand.py": "loaded, but not tracked by git"} == repo.look()["changes"]

    def test_loaded_by_path_and_tracked(self, repo):
        """One that is tracked counts with all of the repository, by its content."""
        repo.write("hand.py", "def f(): return 1\n")
        commit = work(repo, self.BY_PATH)

        assert (commit, None) == (repo.look()["commit"], repo.look()["dirty"])

    def test_not_loaded(self, repo):
        """Untracked files that nobody loads do not count, be they modules or results."""
        before = repo.look()
        repo.write("hand.py", "def f(): return 1\n")
        repo.write("figures/hist.csv", "1\n")

        assert before == repo.look()

    def test_ignored(self, repo):
        """A module that git ignores is configuration: path and content, and clean."""
        work(repo, "import local_settings\n")
        repo.write("local_settings.py", "N = 1\n")
        one = repo.look()
        repo.write("local_settings.py", "N = 2\n")
        two = repo.look()

        assert [None, None] == [one["dirty"], two["dirty"]]
        assert ["local_settings.py"] == list(one["modules"]) == list(two["modules"])
        assert one["modules"] != two["modules"]

    def test_ignored_and_not_reached(self, repo):
        """One that imports do not reach is nothing to the function."""
        repo.write("local_settings.py", "N = 1\n")
        code = "import local_settings\nsay(lambda: importlib.import_module('work').look().state())"

        assert {} == repo.look(code=code)["modules"]


class TestNotebooks:
    def test_never(self, repo):
        """A notebook is never dirt, nor is a commit that changes one named, though the code names it."""
        commit = work(repo, "NAME = 'notes.ipynb'\n")
        repo.write("notes.ipynb", "{}")
        repo.commit()
        repo.write("notes.ipynb", "{ }")

        assert (commit, None) == (repo.glance()["commit"], repo.glance()["dirty"])


class TestWidened:
    def test_further_starts(self, repo):
        """The scope grows by what further files reach, and by what is dirty there."""
        repo.write("callbacks.py", "import deep\ndef f(): pass\n")
        repo.write("deep.py", "N = 1\n")
        commit = repo.commit()
        look = take_look(str(repo.path / "work.py"), fresh=True)
        wide = look.reaching(frozenset({str(repo.path / "callbacks.py")}))

        assert ("callbacks.py", "deep.py", "work.py") == wide.state().scope.listed()
        assert commit == wide.state().commit

    def test_further_starts_that_hide(self, repo):
        """If one of them hides what it uses, all of the repository counts."""
        repo.write("callbacks.py", "import subprocess\n")
        repo.write("other.py", "N = 1\n")
        repo.commit()
        repo.write("other.py", "N = 2\n")
        look = take_look(str(repo.path / "work.py"), fresh=True)
        wide = look.reaching(frozenset({str(repo.path / "callbacks.py")}))

        assert [(), ("other.py",)] == [tuple(c.path for c in each.state().changes) for each in (look, wide)]

    def test_further_starts_beside_named_paths(self, repo):
        """Beside paths of the user's they do not make all of it count."""
        repo.write("callbacks.py", "import subprocess\n")
        repo.commit()
        look = take_look(str(repo.path / "work.py"), fresh=True, scope=[".gitignore"])
        wide = look.reaching(frozenset({str(repo.path / "callbacks.py")})).state()

        assert ((".gitignore", "callbacks.py", "work.py"), "paths") == (wide.scope.listed(), wide.scope.kind.value)


class TestFormatter:
    @pytest.mark.heavy
    @pytest.mark.parametrize("formatter", ["ruff", "ast.unparse"])
    def test_whole_package(self, repo, formatter):
        """A package that is run through a formatter is what it was, before the commit and after."""
        shutil.copytree(PACKAGE, repo.path / "pkg", ignore=shutil.ignore_patterns("__pycache__"))
        repo.write("pkg/__init__.py")
        work(repo, "import pkg._store.record\n")
        scopes = ([], ["pkg"])
        before = [repo.glance(scope=scope) for scope in scopes]
        if formatter == "ruff":
            if (ruff := shutil.which("ruff", path=os.path.dirname(sys.executable))) is None:
                pytest.skip("ruff is not installed")
            settings = ("--line-length=60", "--config=format.quote-style='single'")
            repo.run(ruff, "format", "--isolated", *settings, "pkg")
        else:
            for path in (repo.path / "pkg").rglob("*.py"):
                path.write_text(ast.unparse(ast.parse(path.read_text())))
        changed = repo.status().count("\n")
        uncommitted = [repo.glance(scope=scope) for scope in scopes]
        repo.commit()

        assert changed > 50
        assert before == uncommitted
        assert before == [repo.glance(scope=scope) for scope in scopes]
