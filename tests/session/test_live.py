"""The moment in a session: what of a cell's code is committed."""

import importlib
import json
import sys

import pytest
from cells import Cells

from taggedartifacts import DirtyRepositoryError


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


LAYERS = """import functools
def twice(g):
    @functools.wraps(g)
    def wrapped(*args): return g(*args) * {number}
    return wrapped
def bare(g):
    def wrapped(*args): return g(*args) * {number}
    return wrapped
class Thrice:
    def __init__(self, g): functools.update_wrapper(self, g)
    def __call__(self, *args): return self.__wrapped__(*args) * {number}
class Meta(type):
    def tell(cls, x): return x * {number}
class Base:
    def go(self, x): return x * {number}
def plain(x): return x * {number}
"""
CELL = "import functools, helper\n"
MODULE = CELL + "import other\n"
# By name: a module of the work tree, a cell, and how `f` comes to code of the module helper.
BROUGHT = {
    "wrapper": ("", "@helper.twice\ndef g(x): return x", "g(x)"),
    "object": ("", "@helper.Thrice\ndef h(x): return x", "h(x)"),
    "below another": ("", "@functools.lru_cache\n@helper.twice\ndef g(x): return x", "g(x)"),
    "method": ("", "class Model:\n    @helper.twice\n    def g(self, x): return x", "Model().g(x)"),
    "metaclass": ("", "class Model(metaclass=helper.Meta): pass", "Model.tell(x)"),
    "instance": ("", "model = helper.Base()", "model.go(x)"),
    "in a list": ("", "steps = [helper.twice(lambda x: x)]", "steps[0](x)"),
    "argument": ("", "@helper.twice\ndef g(x): return x", "y(x)"),
    "base of argument": ("", "class Model(helper.Base):\n    __call__ = helper.Base.go\ng = Model()", "y(x)"),
    "module: wrapper": ("@helper.twice\ndef g(x): return x", "", "mod.g(x)"),
    "module: below another": ("@other.bare\n@helper.bare\ndef g(x): return x", "", "mod.g(x)"),
    "module: property": (
        "class Model:\n    @property\n    @helper.twice\n    def g(self): return 1",
        "",
        "mod.Model().g * x",
    ),
    "module: base": ("class Model(helper.Base): pass", "", "mod.Model().go(x)"),
    "module: instance": ("model = helper.Base()", "", "mod.model.go(x)"),
    "module: in a list": ("steps = [helper.plain]", "", "mod.steps[0](x)"),
    "module: default": ("def g(x, by=helper.plain): return by(x)", "", "mod.g(x)"),
}


class TestOutdated:
    @pytest.mark.parametrize("name", BROUGHT)
    def test_layers(self, cells, project, monkeypatch, name):
        """All code that a value brings is that on disk, until what holds older code is loaded or run again."""
        module, cell, expression = BROUGHT[name]
        call = f"{IMPORTS}\n@Artifact('out')\ndef f(x, y, out): Path(out).write_text(str({expression}))"
        monkeypatch.syspath_prepend(project.path)
        for each in ("helper", "other", "mod"):
            monkeypatch.delitem(sys.modules, each, raising=False)
        project.write("helper.py", LAYERS.format(number=2))
        project.write("other.py", LAYERS.format(number=1))
        project.write("mod.py", MODULE + module)
        project.write("work.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": f"{cell}\n{call}"}]}))
        project.commit()
        for source in (f"{CELL}import mod", cell, call):
            cells.run(source)

        def text():
            return cells["f"](1, cells.namespace.get("g"), "out/a.txt").read_text()

        first = text()
        for number, comment in ((2, "# more"), (30, "")):
            project.write("helper.py", LAYERS.format(number=number) + comment)
            project.commit()
            importlib.reload(sys.modules["helper"])
            if number == 2:
                assert text() == first  # nothing that it defines is another
        with pytest.raises(DirtyRepositoryError, match=r"helper\.py: loaded again"):
            text()
        importlib.reload(sys.modules["mod"])
        cells.run(cell)
        cells.run(call)
        assert text() == "30" != first
