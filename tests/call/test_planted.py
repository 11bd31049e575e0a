"""What a script puts where installed code is looked up counts for the functions that name it."""

import builtins
import keyword
import sys
import types

import pytest

from taggedartifacts._reach.outside import is_built_in

SOURCE = """
import builtins, importlib, json, os, sys
import json as library
import settings
from dataclasses import dataclass, field
from enum import Enum
from importlib import import_module
from sys import modules
from typing import NamedTuple
STEP = int("1")
def mine(*_):
    return STEP
class Kind:
    def __call__(self, *_):
        return STEP
@dataclass
class Size:
    width: int = 1
    heights: list = field(default_factory=list)
@dataclass(kw_only=True, slots=True)
class Narrow(Size):
    depth: int = 2
class Pair(NamedTuple):
    one: int = 1
class Mode(Enum):
    FAST = 1
def reads_builtin():
    return BINS
def later():
    found = sys.modules["settings"]
    return found.n
def lazily():
    import sys
    return sys.modules["settings"].n
def by_function():
    found = importlib.import_module("settings")
    return found.n
def within():
    from json import dumps
    return dumps([1])
@Artifact("out")
def fig(out):
    Path(out).write_text(str({reads}))
"""
PLANTED = [
    # What the function reads; what is set; to what.
    ("BINS", "builtins.BINS", "2"),
    ("reads_builtin()", "builtins.BINS", "2"),
    ("builtins.BINS", "builtins.BINS", "[2]"),
    ("round(1.5)", "builtins.round", "work.mine"),
    ("round(1.5)", "builtins.round", "work.json.dumps"),
    ("json.dumps([1])", "work.json.dumps", "work.mine"),
    ("library.dumps([1])", "work.json.dumps", "work.Kind()"),
    ("within()", "work.json.dumps", "work.Kind"),
    ("json.decoder.scanstring('a')", "work.json.decoder.scanstring", "work.Kind"),
    ("os.path.commonpath(['a'])", "os.path.commonpath", "work.mine"),
]
LOOKED_UP = [
    'sys.modules["settings"].n',
    'sys.modules.get("settings").n',
    'modules["settings"].n',
    'getattr(sys.modules["settings"], "n")',
    'importlib.import_module("settings").n',
    'import_module("settings").n',
    '__import__("settings").n',
    'settings.__dict__["n"]',
    "later()",
    "lazily()",
    "by_function()",
]
WRITTEN = [
    ("Size().width", "work.Size.__init__.__defaults__", "(4, *work.Size.__init__.__defaults__[1:])"),
    ("Narrow().depth", "work.Narrow.__init__.__kwdefaults__", "{**work.Narrow.__init__.__kwdefaults__, 'depth': 4}"),
    ("Narrow().width", "work.Narrow.__init__.__kwdefaults__", "{**work.Narrow.__init__.__kwdefaults__, 'width': 4}"),
    ("Pair().one", "work.Pair.__new__.__defaults__", "(4,)"),
    ("Size() == Size()", "work.Size.__eq__.__code__", "work.mine.__code__"),
]


@pytest.fixture
def work(project, monkeypatch):
    """Make a module whose function reads something, beside settings."""
    monkeypatch.syspath_prepend(project.path)
    monkeypatch.setattr(builtins, "BINS", 1, raising=False)
    project.write("settings.py", "n = 1\nother = 1\n")
    yield lambda reads: project.module(SOURCE.format(reads=reads))
    sys.modules.pop("settings", None)


class TestPlanted:
    @pytest.mark.parametrize(("reads", "place", "value"), PLANTED + WRITTEN)
    def test_counts(self, work, monkeypatch, reads, place, value):
        """What is put in the place of another thing gives another tag, and undoing it the one before."""
        module = work(reads)
        holder, _, name = place.rpartition(".")
        names = {"work": module, "builtins": builtins, "os": module.os}
        tags = [module.fig.path("out/a.txt").name]
        with monkeypatch.context() as patch:
            patch.setattr(eval(holder, names), name, eval(value, names))
            tags.append(module.fig.path("out/a.txt").name)
        tags.append(module.fig.path("out/a.txt").name)

        assert tags[0] == tags[2] != tags[1]

    @pytest.mark.parametrize("reads", LOOKED_UP)
    def test_looked_up(self, work, reads):
        """A module that is looked up by its name counts as one that is imported: by what is read of it."""
        module = work(reads)
        first = module.fig.path("out/a.txt")
        module.settings.other = 2
        whole = "getattr" in reads or "__dict__" in reads

        assert whole == (first != module.fig.path("out/a.txt"))
        module.settings.other = 1
        module.settings.n = 2
        assert first != module.fig.path("out/a.txt")

    @pytest.mark.parametrize(
        ("body", "place"),
        [("self.__dict__['hidden']", "settings.hidden"), ("self.other", "settings.other"), ("STEP", "STEP")],
    )
    def test_class_of_a_module(self, work, body, place):
        """Where a module was given a class with properties, what these read counts."""
        module = work("settings.size")
        exec(f"class Lazy(type(os)):\n    size = property(lambda self: {body})\n", vars(module))
        module.settings.hidden = 1
        module.settings.__class__ = module.Lazy
        first = module.fig.path("out/a.txt")
        exec(f"{place} = 2", vars(module))

        assert first != module.fig.path("out/a.txt")

    def test_members(self, work):
        """What is set on a member of an enumeration counts."""
        module = work("Mode.FAST.weight")
        tags = []
        for weight in (1, 2, 1):
            module.Mode.FAST.weight = weight
            tags.append(module.fig.path("out/a.txt").name)

        assert tags[0] == tags[2] != tags[1]

    def test_constant(self, work, monkeypatch, tmp_path_factory):
        """A constant that is set on an installed module counts, as long as it is not the one that its text has."""
        folder = tmp_path_factory.mktemp("installed")
        (folder / "toolbox_of_ours.py").write_text("BINS = 1\nMADE = int('1')\n")
        monkeypatch.syspath_prepend(folder)
        module = work("(toolbox_of_ours.BINS, toolbox_of_ours.MADE)")
        exec("import toolbox_of_ours", vars(module))
        tags = []
        for value in (1, 2, 1):
            module.toolbox_of_ours.BINS = value
            tags.append(module.fig("out/a.txt"))

        assert tags[0] == tags[2] != tags[1]
        assert {} == tags[0].record.readers
        del sys.modules["toolbox_of_ours"]

    def test_figures(self, work, monkeypatch):
        """Parameters of figures count that are set after a first call, which had loaded nothing that draws."""
        monkeypatch.delitem(sys.modules, "matplotlib", raising=False)
        module = work("drawn()")
        exec("def drawn():\n    import matplotlib\n    return matplotlib.rcParams['x']\n", vars(module))
        first = module.fig.path("out/a.txt")
        library = types.ModuleType("matplotlib")
        library.rcParams, library.rcParamsDefault = {"x": 2}, {"x": 1}
        monkeypatch.setitem(sys.modules, "matplotlib", library)

        assert first != module.fig.path("out/a.txt")

    def test_nothing(self, work):
        """What Python and libraries define themselves is environment, and what classes write is in their text."""
        path = work("(round(1.5), json.dumps([1]), within(), Size(), Narrow(), Pair(), Mode.FAST)").fig("out/a.txt")

        assert {"work.Size.heights"} == set(path.record.readers)  # whose factory leaves no attribute
        assert {} == path.record.unknown

    def test_own(self):
        """All that Python itself puts into `builtins` is known as its own."""
        own = vars(builtins).keys() - {"BINS", "globals", "eval", "exec"}

        assert [] == [name for name in own if not (is_built_in(name) or keyword.iskeyword(name) or name[0] == "@")]
