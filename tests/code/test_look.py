"""Looks: modules that are loaded after a look are judged against it."""

from __future__ import annotations

import importlib
import os
import sys

import pytest
from looks import importable

from taggedartifacts._code.codestate import take_look
from taggedartifacts._code.dirt import Change

CHANGED = "changed after it was loaded: reload it, or start again"
MODULE = """\
from taggedartifacts._code.codestate import take_look
LOOK = take_look(__file__, namespace=globals(), scope=['.'])
"""


@pytest.fixture
def repo(tmp_path, monkeypatch):
    yield from importable(tmp_path, monkeypatch)


def look(repo, **options):
    return take_look(None, repo=str(repo.path), **{"scope": ["."], **options}).state()


def load(repo, name, source):
    """Import a new module of the repository."""
    repo.write(f"{name}.py", source)
    importlib.invalidate_caches()
    return importlib.import_module(name)


class TestModulesLoadedLater:
    def test_untracked(self, repo):
        """A module that comes later and is untracked makes the state dirty from then on."""
        taken = take_look(None, repo=str(repo.path), scope=["."])
        before = taken.state()
        load(repo, "late_untracked", "y = 1\n")

        assert [None, (Change("late_untracked.py", "loaded, but not tracked by git"),)] == [
            before.dirty,
            taken.state().changes,
        ]

    def test_committed_after_the_look(self, repo):
        """What was committed after the look is not in its commit."""
        taken = take_look(None, repo=str(repo.path), scope=["."])
        load(repo, "late_committed", "y = 1\n")
        repo.commit()

        assert ["late_committed.py"] == [change.path for change in taken.state().changes]

    def test_edited_before_it_was_loaded(self, repo):
        """A tracked module that was edited between the look and its load is not that of the commit."""
        repo.write("lazy.py", "y = 1\n")
        repo.commit()
        taken = take_look(None, repo=str(repo.path), scope=["."])
        assert taken.state().dirty is None
        load(repo, "lazy", "y = 2\n")

        assert ["lazy.py"] == [change.path for change in taken.state().changes]

    def test_edited_between_two_looks_of_one_load(self, repo):
        """Nor is it for a later look of the same load, which shares what the first one found on the disk."""
        repo.write("between.py", "y = 1\n")
        module = load(repo, "early", MODULE)
        repo.commit()
        importlib.reload(module)
        load(repo, "between", "y = 2\n")
        again = take_look(module.__file__, namespace=vars(module), scope=["."])

        assert ["between.py"] == [change.path for change in again.state().changes]

    def test_unchanged(self, repo):
        """A tracked module that is loaded late as it was at the look changes nothing."""
        repo.write("lazy_same.py", "y = 1\n")
        repo.commit()
        taken = take_look(None, repo=str(repo.path), scope=["."])
        before = taken.state()
        load(repo, "lazy_same", "y = 1\n")

        assert before == taken.state()

    def test_own_module_loaded_anew(self, repo):
        """A function of an older load is told from that of the new one: neither may be given what the other made."""
        repo.write("own_anew.py", MODULE)
        repo.commit()
        module = importlib.import_module("own_anew")
        older = module.LOOK
        repo.write("own_anew.py", MODULE + "N = 22\n")
        newer = importlib.reload(module).LOOK

        assert [(Change("own_anew.py", CHANGED),), (Change("own_anew.py", "modified"),)] == [
            older.state().changes,
            newer.state().changes,
        ]
        assert older.state().dirty != newer.state().dirty

    def test_reloaded(self, repo):
        """A tracked module that is edited and reloaded is not that of the commit any more."""
        module = load(repo, "again", "y = 1\n")
        repo.commit()
        taken = take_look(None, repo=str(repo.path), scope=["."])
        assert taken.state().dirty is None
        repo.write("again.py", "y = 2\n")
        importlib.reload(module)
        assert ["again.py"] == [change.path for change in taken.state().changes]
        repo.write("again.py", "y = 1\n")
        importlib.reload(module)

        assert taken.state().dirty is None

    def test_replaced(self, repo):
        """A module that is deleted and imported again with other content is noticed."""
        load(repo, "swapped", "y = 1\n")
        taken = take_look(None, repo=str(repo.path), scope=["."])
        before = taken.state()
        del sys.modules["swapped"]
        load(repo, "swapped", "y = 22\n")

        assert before.dirty != taken.state().dirty

    def test_same_number(self, repo, tmp_path, monkeypatch):
        """A module is noticed though another one, from elsewhere, was removed and their number is as before."""
        (tmp_path / "lib").mkdir()
        (tmp_path / "lib" / "outsider.py").write_text("")
        monkeypatch.syspath_prepend(tmp_path / "lib")
        importlib.import_module("outsider")
        taken = take_look(None, repo=str(repo.path), scope=["."])
        before = taken.state().dirty, len(sys.modules)
        del sys.modules["outsider"]
        load(repo, "insider", "y = 1\n")

        assert (None, len(sys.modules)) == before
        assert ["insider.py"] == [change.path for change in taken.state().changes]

    def test_edited_after_it_was_loaded(self, repo):
        """For a fresh look, a file that changed since its module was loaded does not say what runs."""
        load(repo, "stale", "y = 1\n")
        repo.commit()
        assert look(repo).dirty is None
        repo.write("stale.py", "y = 2\n")
        one, two = look(repo), look(repo)
        repo.commit()
        three = look(repo)

        assert {CHANGED} == {state.changes[0].what for state in (one, two, three)}
        assert one.patch is None

    def test_edited_after_the_look_was_taken(self, repo):
        """Where the look is widened later, what was loaded and judged stays what it was found."""
        repo.write("callbacks.py", "x = 1\n")
        module = load(repo, "early", MODULE.replace(", scope=['.']", ""))
        repo.commit()
        module = importlib.reload(module)
        repo.write("early.py", "y = 2\n")
        wide = module.LOOK.reaching(frozenset({str(repo.path / "callbacks.py")})).state()

        assert ["callbacks.py", "early.py"] == list(wide.scope.listed())
        assert wide.dirty is None

    def test_touched_after_it_was_loaded(self, repo):
        """Touching a file changes nothing."""
        load(repo, "touched", "y = 1\n")
        repo.commit()
        look(repo)
        os.utime(repo.path / "touched.py", (1, 1))

        assert look(repo).dirty is None

    def test_mended_by_reload(self, repo):
        """Reloading makes the module that of its file again."""
        module = load(repo, "mended", "y = 1\n")
        repo.commit()
        look(repo)
        repo.write("mended.py", "y = 2\n")
        importlib.reload(module)
        repo.commit()

        assert look(repo).dirty is None

    @pytest.mark.parametrize("bytecode", ["", "1"])
    @pytest.mark.parametrize("how", ["work.py", "-c"])
    def test_edited_between_load_and_look(self, repo, bytecode, how):
        """A module or script that is edited while it loads is not taken for the code of its file."""
        source = "def f(): return {}\nimport os\nnew = open(__file__).read().replace('return 1', 'return 2')\n"
        source += "if os.environ.get('EDIT'): open(__file__, 'w').write(new)\n" + MODULE
        source += "print([c.what for c in LOOK.state().changes])\n"
        repo.write("work.py", source.format(1))
        repo.commit()
        command = ["work.py"] if how == "work.py" else ["-c", "import work"]

        assert repo.python(*command, PYTHONDONTWRITEBYTECODE=bytecode) == "[]"
        told = repo.python(*command, PYTHONDONTWRITEBYTECODE=bytecode, EDIT="1")
        assert told == f"[{CHANGED!r}]"

    @pytest.mark.parametrize("bytecode", ["", "1"])
    @pytest.mark.parametrize("source", ["def f(): return {}\n", "bins = {}\n"])
    def test_helper_edited_between_load_and_look(self, repo, bytecode, source):
        """So is a helper that was loaded before, and edited before the first look."""
        repo.write("helper.py", source.format(1))
        repo.commit()
        code = f"import helper; open(helper.__file__, 'w').write({source.format(2)!r}); import work\n"
        code += "say(lambda: work.LOOK.state())"

        found = repo.look(code=code, env={"PYTHONDONTWRITEBYTECODE": bytecode})

        assert {"helper.py": CHANGED} == found["changes"]

    def test_helper_touched_between_load_and_look(self, repo):
        """One that was only touched is what it was, whatever became of its names while it was loaded."""
        source = "bins, edges = 50, []\nedges.append(1)\nname = 'a'\nfor name in 'bc': pass\nhigh = -1.5\nhigh += 1\n"
        repo.write("helper.py", source + "json = None\nimport json\nodd = lambda: {[]: 1}\n")
        repo.write("settings.py", "bins = 40\nfrom helper import *\n")
        repo.commit()
        code = "import helper, settings, os\nfor module in (helper, settings): os.utime(module.__file__)\nimport work\n"

        assert {} == repo.look(code=code + "say(lambda: work.LOOK.state())")["changes"]

    def test_helper_edited_between_load_and_fork(self, repo):
        """So is one that was edited before a fork that is the first to look: its own start says nothing of the load."""
        repo.write("helper.py", "def f(): return 1\n")
        repo.commit()
        code = "import os, helper; open(helper.__file__, 'w').write('def f(): return 2')\n"
        # As if the edit lay an hour before the fork.
        code += "if not os.fork():\n    from taggedartifacts._reach import loaded; loaded._MARGIN_SECONDS = -3600\n"
        code += "    import work; say(lambda: work.LOOK.state()); sys.stdout.flush(); os._exit(0)\nos.wait()"

        assert {"helper.py": CHANGED} == repo.look(code=code)["changes"]
