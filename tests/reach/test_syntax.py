"""Texts become syntax trees."""

import ast
import gc
from pathlib import Path

import pytest

import taggedartifacts
from taggedartifacts._reach import hiding, syntax

LONG = "\n".join(f"a{line} = [1, 2, (3, 4)]" for line in range(300))


class Parsing:
    """A circle of one object, whose finalizer parses when the collector finds it."""

    def __init__(self):
        self.myself = self

    def __del__(self):
        ast.parse("x = 1")


class TestTreeOf:
    @pytest.mark.parametrize("times", [1, 3])
    def test_disturbed_from_outside(self, monkeypatch, times):
        """An internal error of the parser is no property of the text, which is parsed again."""
        told = [SystemError("AST constructor recursion depth mismatch (before=6, after=9)")] * times
        parse = ast.parse

        def disturbed(source):
            if told:
                raise told.pop()
            return parse(source)

        monkeypatch.setattr(ast, "parse", disturbed)

        assert ast.dump(parse(LONG)) == ast.dump(syntax.tree_of(LONG))

    def test_finalizer_that_parses(self):
        """What the collector runs meanwhile disturbs nothing: up to Python 3.11.7 it raised SystemError."""
        thresholds = gc.get_threshold()
        expected = syntax.module_digest(LONG.encode())
        gc.set_threshold(10)
        try:
            Parsing()
            found = syntax.module_digest(LONG.encode())
            Parsing()
            hides = hiding.read(LONG.encode()).hides
        finally:
            gc.set_threshold(*thresholds)

        assert (expected, ()) == (found, hides)

    def test_lasting_error(self, monkeypatch):
        """An internal error that stays is raised."""

        def broken(source):
            raise SystemError(source)

        monkeypatch.setattr(ast, "parse", broken)

        with pytest.raises(SystemError, match="x = 1"):
            syntax.tree_of("x = 1")

    def test_one_place(self):
        """No other module of the library parses."""
        package = Path(taggedartifacts.__file__).parent
        callers = [path.name for path in package.rglob("*.py") if "ast.parse(" in path.read_text(encoding="utf-8")]

        assert ["syntax.py"] == callers
