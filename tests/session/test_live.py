"""The moment in a session: what of a cell's code is committed."""

import json
import sys

import pytest
from cells import Cells


@pytest.fixture
def cells(monkeypatch):
    return Cells.begin(monkeypatch)


IMPORTS = "from pathlib import Path\nfrom taggedartifacts import Artifact"
CALL = "@Artifact('out', allow_dirty=True)\ndef f(x, out): Path(out).write_text(str([old(x), g(x)]))"


class TestUncommitted:
    def test_two_of_one_name(self, cells, project):
        """Of two functions that have one name, each is committed where it stands in a file of its own."""
        first, second = (f"def g(x): return x + {number}" for number in (1, 2))
        cell = {"cell_type": "code", "source": f"{CALL}\n{first}"}
        project.write("work.ipynb", json.dumps({"cells": [cell]}))
        project.write("more.py", f"# %%\n{second}\n")
        project.commit()
        for source in (IMPORTS, first, "old = g", second, CALL):
            cells.run(source)

        assert "-dirty-" not in cells["f"].path(1, "out/a.txt").name
        cells.run("def g(x): return x + 3")
        assert "-dirty-" in cells["f"].path(1, "out/a.txt").name


WRAPPED = """
import functools
def twice(g):
    @functools.wraps(g)
    def wrapped(*args):
        return 2 * g(*args)
    return wrapped
class Thrice:
    def __init__(self, g):
        functools.update_wrapper(self, g)
    def __call__(self, *args):
        return 3 * self.__wrapped__(*args)
"""


class TestScope:
    @pytest.mark.parametrize("name", ["twice", "Thrice"])
    def test_decorator_of_a_module(self, cells, project, monkeypatch, name):
        """The file of what decorates a helper of a cell is in the scope: that it changed after it was loaded shows."""
        monkeypatch.syspath_prepend(project.path)
        monkeypatch.delitem(sys.modules, "wrapping", raising=False)
        project.write("wrapping.py", WRAPPED)
        helper = f"@wrapping.{name}\ndef g(x): return x"
        call = CALL.replace("old(x)", "x")
        project.write("work.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": f"{call}\n{helper}"}]}))
        project.commit()
        for source in (f"{IMPORTS}\nimport wrapping", helper, call):
            cells.run(source)
        found = [cells["f"].path(1, "out/a.txt").name]
        project.write("wrapping.py", WRAPPED + "more = 1\n")
        project.commit()
        found.append(cells["f"].path(1, "out/a.txt").name)

        assert [False, True] == ["-dirty-" in each for each in found]
