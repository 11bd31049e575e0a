"""The moment in a session: what of a cell's code is committed."""

import importlib
import json
import subprocess
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


GIVEN = """import functools
from argparse import Namespace
import settings
START = 1
N, other = 1, 2
args = Namespace(verbose=True, deep={"n_jobs": START})
def helper(x, level=START): return (x, level, N)
class Model:
    bins = START
    def go(self): return settings.DEBUG
def outer():
    hidden, log = START, Namespace(verbose=True)
    def inner(x): return (hidden, log, late)
    if not other: late = 1
    return inner
inner = outer()
"""
# What a function of a session reads, and what it may ignore then.
MEANT = {
    "x, N": ["N", "x"],
    "helper(x)": ["N", "helper", "level", "helper.level"],
    "args": ["args", "args.verbose", "args.deep.n_jobs"],
    "args.later": ["args.later", "args.verbose"],
    "later.steps": ["later", "later.steps", "later.other"],
    "lambda: later": ["later"],
    "inner(x)": ["hidden", "log", "log.verbose", "late", "late.part", "outer.<locals>.inner.hidden"],
    "Model().go()": ["bins", "Model.bins", "settings.DEBUG"],
    "settings.DEBUG": ["settings", "settings.DEBUG"],
    "settings.later": ["settings.later"],
    "x.query('y > @N and z < later')": ["N", "later", "later.part"],
    "x.query('y > other')": ["other"],
    "eval(x)": ["later", "N"],
    "globals()[x]": ["later", "other"],
}


class TestIgnored:
    @pytest.fixture
    def session(self, cells, project, monkeypatch):
        monkeypatch.syspath_prepend(project.path)
        monkeypatch.delitem(sys.modules, "settings", raising=False)
        project.write("settings.py", "DEBUG = 1\n")
        project.commit()
        cells.run(f"{IMPORTS}\n{GIVEN}")
        return cells

    def path(self, session, expression, name, more=""):
        session.run(f"@Artifact('out', allow_dirty=True, ignore=({name!r},))\ndef f(x, out{more}): return {expression}")
        return session["f"].path(1, "out/a.txt")

    @pytest.mark.parametrize(("expression", "name"), [(key, name) for key, names in MEANT.items() for name in names])
    def test_meant(self, session, expression, name):
        """What the function or what it reaches reads, or may read later, can be ignored."""
        assert self.path(session, expression, name) == session["f"].path(1, "out/a.txt")

    @pytest.mark.parametrize(
        ("expression", "name", "instead"),
        [
            ("x, N", "n_jobs", "correct the name"),
            ("x, N", "other", "correct the name"),
            ("helper(x)", "helpr", "did you mean 'helper'"),
            ("args", "args.verbos", "correct the name"),
            ("args", "arg", "did you mean 'args'"),
            ("inner(x)", "hiden", "did you mean 'hidden'"),
            ("settings.DEBUG", "settings.DEBUGG", ""),
            ("Model", "Model.bin", ""),
            ("x.query('y > @N')", "M", ""),
        ],
    )
    def test_refused(self, session, expression, name, instead):
        """A name that means nothing is refused at the call, with what may have been meant."""
        message = f"ignore names '{name}', which is no parameter of f, and nothing that it reads; {instead}"
        for _ in range(2):
            with pytest.raises(ValueError, match=message):
                self.path(session, expression, name)
        with pytest.raises(ValueError, match="did you mean 'verbose'"):
            self.path(session, expression, "verbos", ", verbose=1")

    def test_further_keywords(self, session):
        """Where keywords may have any name, names may be theirs."""
        assert self.path(session, "x", "later", ", **further") == session["f"].path(1, "out/a.txt", later=2)

    @pytest.mark.parametrize(
        ("expression", "name"),
        [("x, N", "N"), ("helper(x)", "level"), ("later", "later"), ("x.query('z < later')", "later"), ("x", "typo")],
    )
    def test_worker(self, session, expression, name):
        """In a worker, which cannot tell all names that the session knew, none is refused."""
        cloudpickle = pytest.importorskip("cloudpickle")
        session.run(f"@Artifact('out', allow_dirty=True, ignore=({name!r},))\ndef f(x, out): return {expression}")
        work = "import cloudpickle, sys\nprint(cloudpickle.load(sys.stdin.buffer).path(1, 'out/a.txt').name)"
        sent = cloudpickle.dumps(session["f"])
        done = subprocess.run([sys.executable, "-c", work], input=sent, capture_output=True, check=True)

        if name != "typo":
            assert done.stdout.decode().strip() == session["f"].path(1, "out/a.txt").name

    def test_read_by_what_is_given(self, session):
        """What another method of an object reads, or a function that is an argument, may be meant."""
        session.run(
            "class Fit:\n    @Artifact('out', allow_dirty=True, ignore=('N',))\n"
            "    def fit(self, x, out): return self.go()\n    def go(self): return N"
        )

        assert session["Fit"].fit.path(session["Fit"](), 1, "out/a.txt")

    def test_corrected(self, session):
        """A name that comes to mean something when a helper is defined again is taken from then on."""
        with pytest.raises(ValueError, match="ignore names 'other'"):
            self.path(session, "helper(x)", "other")
        session.run("def helper(x): return other")
        first = session["f"].path(1, "out/a.txt")
        session.run("other = 3")

        assert first == session["f"].path(1, "out/a.txt")

    @pytest.mark.parametrize(
        ("expression", "name"),
        [
            ("Model().go()", "Model.bins"),
            ("helper(x)", "helper.level"),
            ("inner(x)", "outer.<locals>.inner.hidden"),
            ("inner(x)", "hidden"),
            ("args", "args.deep.n_jobs"),
        ],
    )
    def test_left_out(self, session, expression, name):
        """What a class, a default, an enclosing function or a value holds is left out, by its whole name too."""
        found = []
        for ignored in (name, "x"):
            for start in ("START = 1", "START = 2"):
                session.run(GIVEN.replace("START = 1", start))
                found.append(self.path(session, expression, ignored))

        assert found[0] == found[1]
        assert found[2] != found[3]
