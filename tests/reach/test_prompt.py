"""Which functions are typed at a prompt or in a cell, and which belong to modules."""

import functools
import inspect
import os.path
import subprocess
import sys
import types

import pytest
from cells import Cells

from taggedartifacts._reach.prompt import is_interactive


@pytest.fixture
def session(monkeypatch):
    return Cells.begin(monkeypatch)


class TestIsInteractive:
    def test_cell(self, session):
        """A function from a cell is interactive, and so is one below the decorators of others."""
        session.run("import functools\ndef f(): pass\ng = functools.lru_cache(f)\nh = functools.wraps(f)(lambda: f())")

        assert [True, True, True] == [is_interactive(session[name]) for name in "fgh"]

    def test_prompt(self, session):
        """A function typed at a prompt that keeps no source is interactive."""
        session.run("def f(): pass", known=False)

        assert is_interactive(session["f"])

    @pytest.mark.parametrize(
        "function", [pytest.raises, os.path.join, functools.wraps, inspect.getsource, types.SimpleNamespace, 3]
    )
    def test_module(self, function):
        """Functions of modules are not, the frozen standard library and what libraries generate included."""

        assert not is_interactive(function)

    def test_deleted_file(self, tmp_path, monkeypatch):
        """A module's function stays one when the file goes away."""
        (tmp_path / "vanishing.py").write_text("def f(): pass\n")
        monkeypatch.syspath_prepend(tmp_path)
        module = __import__("vanishing")
        (tmp_path / "vanishing.py").unlink()

        assert not is_interactive(module.f)

    def test_script(self, tmp_path):
        """A script's function is none, whether it is run by its path, by a relative path, or as a module."""
        script = "from taggedartifacts._reach.prompt import is_interactive\ndef f(): pass\nprint(is_interactive(f))\n"
        (tmp_path / "script.py").write_text(script)
        commands = [[str(tmp_path / "script.py")], ["script.py"], ["-m", "script"]]
        results = [
            subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
            for command in commands
        ]

        assert ["False\n"] * 3 == results
