"""Functions and classes that a call is given: their modules join the scope, or count with the digest of their file."""

import pytest

from taggedartifacts import DirtyRepositoryError
from taggedartifacts._code import look as _look

WORK = """
import sys
from pathlib import Path
from taggedartifacts import Artifact
@Artifact("out")
def fig(out, given):
    Path(out).write_text(str(given(1) if callable(given) else given.total()))
"""
CALLS = "def double(x):\n    return x * 2\n"
SHAPES = """
class Shape:
    def __init__(self, width=1):
        self.width = width
    def total(self):
        return self.width
"""
RUN = """
import sys
import {module}
from work import fig
try:
    path = fig("out/a.txt", {given})
    print(path.name, path.read_text(), sep="|")
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def given(project):
    """Run a script that calls the function of ``work.py`` with something from another module."""
    project.write("work.py", WORK)
    project.write("calls.py", CALLS)
    project.write("shapes.py", SHAPES)
    for name, module, value in [("run_f", "calls", "calls.double"), ("run_c", "shapes", "shapes.Shape(3)")]:
        project.write(f"{name}.py", RUN.format(module=module, given=value))
    project.write("elsewhere.py", "A = 1\n")
    project.commit()
    return lambda name: project.python(f"{name}.py")


MET = [("run_f", "calls.py", "x * 2", "x * 3"), ("run_c", "shapes.py", "self.width\n", "self.width + 1\n")]


class TestTracked:
    @pytest.mark.parametrize(("script", "name", "before", "after"), MET)
    def test_joins_the_scope(self, project, given, script, name, before, after):
        """A module that only an argument leads to is code: edited it is refused, and committed gives another tag."""
        first = given(script)
        text = (project.path / name).read_text()
        assert text.endswith(before) or before in text
        changed = text.rpartition(before)
        project.write(name, changed[0] + after + changed[2])
        refused = given(script)
        project.commit()
        second = given(script)

        assert refused.startswith("DirtyRepositoryError")
        assert f"  {name}: modified" in refused
        assert first.split("|")[0] != second.split("|")[0]
        assert first.split("|")[1] != second.split("|")[1]

    def test_others_do_not(self, project, given):
        """A module that no argument leads to changes nothing."""
        first = given("run_f")
        project.write("shapes.py", SHAPES + "A = 1\n")
        project.commit()

        assert first == given("run_f")

    def test_before_inputs(self, project):
        """A callback whose file is not committed is refused before inputs are read."""
        project.write("calls.py", CALLS)
        source = '@Artifact("out", inputs=("table",))\ndef fig(out, table, given):\n    Path(out).write_text("")\n'
        work = project.module(source)
        project.write("calls.py", CALLS + "A = 1\n")
        calls = project.load(project.path / "calls.py")

        with pytest.raises(DirtyRepositoryError, match=r"calls\.py: modified"):
            work.fig("out/a.txt", "no/such/table", calls.double)

    def test_asked_once(self, project, monkeypatch):
        """A repeated call neither looks at the repository nor asks anew what is tracked."""
        project.write("calls.py", CALLS)
        work = project.module('@Artifact("out")\ndef fig(out, given):\n    Path(out).write_text(str(given(1)))\n')
        calls = project.load(project.path / "calls.py")
        path = work.fig("out/a.txt", calls.double)
        for name in ("open_again", "widen"):
            monkeypatch.setattr(_look, name, None)

        assert path == work.fig("out/a.txt", calls.double)


class TestUntracked:
    DRIVER = """
from work import fig
from extra import add
def own(x):
    return add(x)
print(fig("out/a.txt", own).name)
"""

    def test_script(self, project, given):
        """A callback of a script that git does not track counts with the digest of the script, as do its helpers."""
        project.write("driver.py", self.DRIVER)
        project.write("extra.py", "def add(x):\n    return x + 1\n")
        first = given("driver")

        assert first.startswith("a-")
        assert first == given("driver")
        project.write("driver.py", self.DRIVER + "# more\n")
        second = given("driver")
        project.write("extra.py", "def add(x):\n    return x + 2\n")
        third = given("driver")

        assert 3 == len({first, second, third})
        assert all("dirty" not in name for name in (first, second, third))
