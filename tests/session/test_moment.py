"""What a call sees of the code: a state of its own, where the session knows more than git."""

import importlib

import pytest
from looks import importable

from taggedartifacts._code.codestate import take_look
from taggedartifacts._code.dirt import Change
from taggedartifacts._session.moment import View

CHANGES = ((Change("f", "defined interactively"), "1"),)


@pytest.fixture
def repo(tmp_path, monkeypatch):
    yield from importable(tmp_path, monkeypatch)


class TestState:
    def test_is_told_once(self, repo):
        """While nothing is loaded, each call is told the same object."""
        view = View(take_look(None, repo=str(repo.path)), changes=CHANGES)

        assert view.state() is view.state()
        assert ["f"] == [change.path for change in view.state().changes]

    def test_follows_the_look(self, repo):
        """A module that is loaded later and not committed belongs to it."""
        repo.write("late.py", "X = 1\n")
        repo.commit()
        view = View(take_look(str(repo.path / "late.py"), repo=str(repo.path), scope=["."]), changes=CHANGES)
        before = view.state()
        repo.write("loaded.py", "X = 1\n")
        importlib.import_module("loaded")

        assert {"f", "loaded.py"} == {change.path for change in view.state().changes}
        assert before.dirty != view.state().dirty

    def test_equal_views(self, repo):
        """What a view has told makes it no other one."""
        look = take_look(None, repo=str(repo.path))
        asked, other = View(look, changes=CHANGES), View(look, changes=CHANGES)
        asked.state()

        assert asked == other
