"""What a function in a file reads counts: globals, closures, modules and classes of the work tree."""

import logging
import sys
import textwrap

import pytest
from heavy import but, every

from taggedartifacts import ArtifactConflictError, UnhashableError, compare, record

SETTINGS = """
N = 3
DEBUG = False
PAIR = (1, 2)
class Deep:
    k = 1
    name = "deep"
    def total(self):
        return self.k
"""
HELPERS = """
import settings
from settings import N as COUNT
LIMIT = 7
STATE = {"a": 1}
def scale(x):
    return x * settings.N + LIMIT
def other(x):
    return x
def count(x):
    return len(STATE) + COUNT
def attribute():
    return attribute.threshold
attribute.threshold = 1
"""


@pytest.fixture
def reading(project):
    """Run a script of the project, with modules beside it, and tell the tag of each call that it prints."""
    project.write("settings.py", SETTINGS)
    project.write("helpers.py", HELPERS)

    def run(body, *arguments, reads="args.bins", name="plots.py", **env):
        source = f"""
import argparse, sys
from dataclasses import dataclass
from pathlib import Path
import helpers, settings
from helpers import scale
from taggedartifacts import Artifact

parser = argparse.ArgumentParser()
parser.add_argument("--bins", type=int, default=1)
parser.add_argument("--verbose", action="store_true")
LIMIT = 7
VALUE = int("1")
class Config:
    bins = 4
    other = 5
@dataclass
class Model:
    width: int
    depth = 3
    def fit(self):
        return self.depth * LIMIT
model = Model(2)
def make(n, m=1):
    def inner(x):
        return x + n
    return inner
def decorate(n):
    @Artifact("out")
    def fig(out, x=1):
        Path(out).write_text(str({reads}))
    return fig
def tell(fig):
    path = fig.path("out/fig.txt")
    fig("out/fig.txt")
    print(path.name, Path(path).read_text(), sep="|")
if __name__ == "__main__":
    args = parser.parse_args(sys.argv[2:])
    number = 1
{textwrap.indent(textwrap.dedent("exec(sys.argv[1])"), "    ")}
    fig = decorate(number)
    tell(fig)
"""
        project.write(name, source)
        if project.git("status", "--porcelain"):
            project.commit()
        return tuple(project.python(name, body, *arguments, **env).split("|"))

    return run


CHANGES = [
    # What the function reads; what a script does before the call; the same with another value.
    ("args.bins", "pass", "args.bins = 2"),
    ("vars(args)", "pass", "args.bins = 2"),
    ("n", "pass", "number = 2"),
    ("n", "number = [1]", "number = [2]"),
    ("settings.N", "pass", "settings.N = 4"),
    ("settings.N", "settings.N = 1", "settings.N = 1.0"),
    ("settings.NEW", "settings.NEW = 1", "settings.NEW = 2"),
    ("settings.Deep.k", "pass", "settings.Deep.k = 4"),
    ("settings.Deep().total()", "pass", "settings.Deep.k = 4"),
    ("settings.Deep().total()", "pass", "settings.Deep.total = helpers.other"),
    ("scale(2)", "pass", "settings.N = 4"),
    ("scale(2)", "pass", "helpers.LIMIT = 8"),
    ("helpers.scale(2)", "pass", "helpers.LIMIT = 8"),
    ("helpers.count(2)", "pass", "helpers.COUNT = 4"),
    ("helpers.count(2)", "pass", "helpers.STATE['b'] = 4"),
    ("helpers.attribute()", "pass", "helpers.attribute.threshold = 4"),
    ("Config.bins", "pass", "Config.bins = args.bins + 8"),
    ("Config().bins", "pass", "Config.bins = 9"),
    ("VALUE", "pass", "VALUE = 2"),
    ("model.fit()", "pass", "model.width = 3"),
    ("model.fit()", "pass", "Model.depth = 4"),
    ("model.fit()", "pass", "LIMIT = 8"),
    ("LIMIT", "pass", "LIMIT = True"),
    ("sorted(globals()['Config'].__dict__)", "pass", "Config.bins = 9"),
    ("helpers.scale(3)", "pass", "helpers.scale = helpers.other"),
    ("scale(3)", "pass", "scale = helpers.other"),
]


class TestValues:
    @pytest.mark.parametrize(("reads", "before", "after"), every(4, CHANGES))
    def test_counts(self, reading, reads, before, after):
        """Another value of what the function reads gives another tag, and the same value the same."""
        first = reading(before, reads=reads)

        assert first == reading(before, reads=reads)
        assert first[0] != reading(after, reads=reads)[0]

    @pytest.mark.parametrize(
        ("reads", "change"),
        [
            ("LIMIT", "Config.bins = 9"),
            ("Config.bins", "Config.other = 9"),
            ("settings.N", "settings.DEBUG = True"),
            ("settings.N", "settings.NEW = 1"),
            ("scale(2)", "helpers.STATE['b'] = 4"),
            ("1", "args.bins = 4; number = 3"),
        ],
    )
    def test_unread(self, reading, reads, change):
        """What the function does not read changes nothing."""

        assert reading("pass", reads=reads) == reading(change, reads=reads)

    def test_fixed_by_the_commit(self, reading, project):
        """What files bind once to immutable literals is left out: the commit fixes it."""
        name, _ = reading("pass", reads="(LIMIT, settings.N, settings.PAIR, scale(1), Config.bins, model is None)[:5]")

        assert {"model"} == set(record(project.out / name).readers)

    def test_generated_methods(self, reading, project):
        """What dataclasses puts into a class follows from the class, whichever Python put it there."""
        body = "@dataclass(frozen=True, slots=True)\nclass Size:\n    width: float = 1.0"
        name, _ = reading(body, reads="Size().width")

        # Slots do not hold the default, and no text of a file says which fields and members there are.
        told = {"Size", "Size.__init__.width", "plots.Size.fields", "plots.Size.members"}
        assert told == set(record(project.out / name).readers)

    def test_pydantic(self, project):
        """A model of pydantic counts by its fields and methods, not by what pydantic builds from them each time."""
        pytest.importorskip("pydantic")
        source = """
import pydantic
class Config(pydantic.BaseModel):
    bins: int = int("1")
    _kept: int = int("1")
    @pydantic.field_validator("bins")
    @classmethod
    def check(cls, value):
        return value + STEP
    @pydantic.computed_field
    @property
    def wide(self) -> int:
        return self.bins
STEP = int("1")
config = Config(bins=2)
@Artifact("out")
def fig(out):
    Path(out).write_text(str((Config().wide, config.bins)))
"""
        work = project.module(source)
        paths = [work.fig("out/a.txt")]
        for change in ("config.bins = 7", "STEP = 2", "Config.__private_attributes__['_kept'].default = 2"):
            exec(change, vars(work))
            paths.append(work.fig.path("out/a.txt"))

        assert 4 == len(set(paths))
        assert str(id(work.Config)) not in paths[0].record.canonical
        assert {} == paths[0].record.unknown

    def test_argparse(self, reading, project):
        """What main parses decides, and explain and compare name it and its reader."""
        first, second = reading("pass", "--bins", "40")[0], reading("pass", "--bins", "60")[0]

        assert first != second
        (difference,) = compare(project.out / first, project.out / second).differences[:1]
        assert "globals.args.bins: 40 → 60, read by plots.decorate.fig" == str(difference)

    def test_explain(self, project):
        """Explain names the global, its place and its reader."""
        work = project.module(
            'BINS = int("40")\n@Artifact("out")\ndef fig(out):\n    Path(out).write_text(str(BINS))\n'
        )
        work.fig("out/a.txt")
        work.BINS = 60

        assert ["globals.BINS: 40 → 60, read by work.fig"] == [
            str(each) for each in work.fig.explain("out/a.txt").differences
        ]

    def test_counter(self, project):
        """What a function only adds to is not read; a counter that it reads is named where it causes a miss."""
        source = """
runs, seen, total = [], {}, 0
@Artifact("out")
def adds(out):
    global total
    total += 1
    runs.append(out)
    seen[out] = 1
    Path(out).write_text("")
calls = 0
@Artifact("out")
def reads(out):
    global calls
    calls += 1
    Path(out).write_text(str(calls))
"""
        work = project.module(source)
        work.adds("out/a.txt")
        work.reads("out/b.txt")

        assert work.adds.is_cached("out/a.txt")
        assert ["globals.calls: 0 → 1, read by work.reads"] == [
            str(each) for each in work.reads.explain("out/b.txt").differences
        ]

    def test_made_by_a_factory(self, project):
        """A function that a factory made counts by its text and what it holds, and so do properties."""
        source = """
from typing import NamedTuple
def make(n):
    def inner():
        return n
    return inner
inner = make(int("1"))
class Pair(NamedTuple):
    one: int = 1
class Model:
    @property
    def depth(self):
        return 1
    @depth.setter
    def depth(self, value):
        pass
    made = staticmethod(make(1))
    def fit(self, x=1, *, y="z"):
        return Pair(inner() + self.made() + self.depth)
@Artifact("out")
def fig(out):
    Path(out).write_text(str(Model().fit()))
"""
        work = project.module(source)
        path = work.fig("out/a.txt")
        work.inner = work.make(2)

        assert {} == path.record.unknown
        assert path != work.fig.path("out/a.txt")

    def test_defaults(self, project):
        """Defaults of helpers count where they were computed, and not where the text says them."""
        work = project.module(
            'N = int("3")\ndef one(x, y=1, z="z"):\n    return x\ndef two(x, y=N):\n    return x\n'
            '@Artifact("out")\ndef fig(out):\n    Path(out).write_text(str((one(1), two(2))))\n'
        )

        assert ["two.y"] == [name.partition(".")[2] for name in work.fig("out/a.txt").record.readers]


class TestPlaces:
    def test_below_the_root(self, tmp_path, project):
        """Paths below the work tree count relative to its root, so that copies of it share tags."""
        source = """
import os, sys
from pathlib import Path
from taggedartifacts import Artifact
HERE = Path(__file__).resolve().parent
CONFIG = {"table": os.path.join(HERE, "data", "a.csv"), "root": HERE, "far": "/data/b.csv", "hereabouts": f"{HERE}x"}
PLACES = [HERE.as_uri(), (HERE / "a b.csv").as_uri(), f"sqlite:///{HERE}/runs.db"]
@Artifact("out")
def fig(out):
    Path(out).write_text(ascii((HERE, CONFIG, PLACES)))
if __name__ == "__main__":
    print(fig.path("a.txt"), fig.path("a.txt") == fig("a.txt"))
"""
        project.write("plots.py", source.replace(', "hereabouts": f"{HERE}x"', ""))
        project.commit()
        copies = [str(tmp_path / "copy"), str(tmp_path / "c\udcff")]  # the other is no UTF-8
        for each in copies:
            project.run("git", "clone", "-q", ".", each)
        first = project.python("plots.py")
        others = [
            project.run("sh", "-c", f"cd {copy} && exec $PYTHON plots.py", PYTHON=sys.executable) for copy in copies
        ]

        assert [first] * len(copies) == others
        assert first.endswith("True")

    @pytest.mark.parametrize(
        ("imports", "reads", "path", "text"),
        every(
            3,
            [
                ("import settings", "settings.N", "settings.py", "N = {}\n"),
                ("from settings import go", "go()", "settings.py", "def go():\n    return {}\n"),
                ("from pack.inner import N", "N", "pack/inner.py", "N = {}\n"),
            ],
        ),
    )
    def test_one_name_in_two_folders(self, project, imports, reads, path, text):
        """A module that two folders have by one name counts with its path."""
        project.write(
            "common/plots.py",
            f"""
            {imports}
            from pathlib import Path
            from taggedartifacts import Artifact
            @Artifact("out")
            def fig(out):
                Path(out).write_text(str({reads}))
        """,
        )
        for number in (1, 2):
            project.write(f"exp{number}/{path}", text.format(number))
            project.write(f"exp{number}/run.py", "from plots import fig\nprint(fig('out/a.txt').read_text())\n")
        project.commit()
        root = project.path
        runs = [project.python(f"exp{n}/run.py", PYTHONPATH=str(root / "common")) for n in (1, 2)]

        assert ["1", "2"] == runs


class TestUnknown:
    SOURCE = """
import threading
LOCK = threading.Lock()
@Artifact("out")
def fig(out):
    with LOCK:
        Path(out).write_text("")
"""

    def test_named(self, project, caplog):
        """What has no canonical form is left out, named in record and explain, and warned of once."""
        work = project.module(self.SOURCE)
        with caplog.at_level(logging.WARNING):
            path = work.fig("out/a.txt")
            work.fig("out/a.txt")

        assert ["LOCK"] == list(path.record.unknown)
        assert "LOCK" in str(work.fig.explain("out/a.txt"))
        assert "LOCK" in str(path.record)
        (message,) = [each.getMessage() for each in caplog.records]
        assert "work.py::fig reads what has no canonical form, so that it does not count: global 'LOCK'" in message

    @pytest.mark.parametrize("way", ["model.table = 2", "vars(model)['table'] = 2", "setattr(model, 'table', 2)"])
    def test_cached_property(self, project, way):
        """What is assigned to a cached property cannot be told from what it computed: it does not count, as is said."""
        work = project.module(
            "import functools\nclass Model:\n    @functools.cached_property\n    def table(self):\n        return 1\n"
            'model = Model()\n@Artifact("out")\ndef fig(out):\n    Path(out).write_text(str(model.table))\n'
        )
        first = work.fig("out/a.txt")  # which has looked at it
        exec(way, vars(work))

        assert first == work.fig.path("out/a.txt")

    def test_replaced_code(self, project):
        """Another function than the file defines counts by its name, or is refused where no name gives it."""
        work = project.module(
            "def one():\n    return 1\ndef two():\n    return 2\n"
            '@Artifact("out")\ndef fig(out):\n    Path(out).write_text(str(one()))\n'
        )
        first = work.fig.path("out/a.txt")
        kept, work.one = work.one, work.two
        second = work.fig.path("out/a.txt")
        work.one = eval("lambda: 3", {})

        assert first != second
        with pytest.raises(UnhashableError, match="global 'one' holds other code than its file defines there"):
            work.fig.path("out/a.txt")
        work.one = kept
        assert first == work.fig.path("out/a.txt")


class TestIgnore:
    @pytest.mark.parametrize(
        ("ignore", "change"),
        [
            ("args", "work.args.bins = 2"),
            ("args.verbose", "work.args.verbose = True"),
            ("settings.LEVEL", "work.settings.LEVEL = 2"),
            ("VALUE", "work.VALUE = 3"),
            ("Config.size", "work.Config.size = 3"),
        ],
    )
    def test_left_out(self, project, monkeypatch, ignore, change):
        """A global, a part of one, and one of a module or class can be left out by name."""
        monkeypatch.syspath_prepend(project.path)
        project.write("settings.py", "LEVEL = int('1')\n")
        work = project.module(f"""
import argparse, settings
args = argparse.Namespace(bins=1, verbose=False)
VALUE = [1]
class Config:
    size = int("1")
@Artifact("out", ignore=({ignore!r},))
def fig(out):
    Path(out).write_text(str((args, settings.LEVEL, VALUE, Config.size)))
""")
        first = work.fig.path("out/a.txt")
        exec(change, {"work": work})
        sys.modules.pop("settings")

        assert first == work.fig.path("out/a.txt")
        work.args.other = 3
        assert (ignore == "args") == (first == work.fig.path("out/a.txt"))

    def test_parameter_alone(self, project):
        """A name that is a parameter means that parameter alone, never a global of that name."""
        work = project.module("""
level = int("1")
def helper():
    return level
@Artifact("out", ignore=("level",))
def fig(out, level=1):
    Path(out).write_text(str(helper()))
""")
        first = work.fig.path("out/a.txt")

        assert first == work.fig.path("out/a.txt", level=2)
        work.level = 2
        assert first != work.fig.path("out/a.txt")

    def test_nothing(self, project):
        """A name that means nothing is refused: at decoration where that can be known, else at the call."""
        with pytest.raises(ValueError, match="ignore names 'typo'"):
            project.module('@Artifact("out", ignore=("typo",))\ndef fig(out): ...\n')
        work = project.module('A = 1\n@Artifact("out", ignore=("typo",))\ndef fig(out):\n    return A\n')

        with pytest.raises(ValueError, match="ignore names 'typo', which is no parameter of fig, and nothing that it"):
            work.fig("out/a.txt")


CALLBACK = """
import sys
sys.path.insert(0, {root!r})
from plots import fig
def callback(x):
    return x + {number}
class Kind:
    step = {number}
print(fig({value}, "out/a.txt").name)
"""


class TestCodeInValues:
    @pytest.fixture
    def toolbox(self, project):
        project.write(
            "plots.py",
            """
            from pathlib import Path
            from taggedartifacts import Artifact
            @Artifact("out")
            def fig(call, out):
                Path(out).write_text("")
            """,
        )
        project.commit()
        return project

    @pytest.mark.parametrize("value", ["callback", "Kind", "[callback]"])
    @pytest.mark.parametrize("where", but(["untracked", "outside", "ignored"], "untracked"))
    def test_file_counts(self, toolbox, tmp_path, value, where):
        """A function or class of a file that git does not track here counts with the content of that file."""
        toolbox.write(".gitignore", "out/\n__pycache__/\nlocal.py\n")
        toolbox.commit()
        places = {"untracked": "driver.py", "outside": str(tmp_path / "driver.py"), "ignored": "local.py"}
        names = []
        for number in (1, 2, 1):
            toolbox.write(places[where], CALLBACK.format(root=str(toolbox.path), number=number, value=value))
            names.append(toolbox.python(places[where]))

        assert names[0] == names[2] != names[1]

    def test_tracked_counts_by_name(self, toolbox):
        """That of a tracked file counts by its name: the commit fixes its text."""
        toolbox.write("driver.py", CALLBACK.format(root=str(toolbox.path), number=1, value="callback"))
        toolbox.commit()
        name = toolbox.python("driver.py")

        assert '{"call":{"$function":"driver:callback"}}' in record(toolbox.out / name).canonical

    @pytest.mark.heavy
    def test_reads(self, toolbox):
        """What a callback and the class of an object read counts, too."""
        source = """
import sys, plots
from dataclasses import dataclass
level = int(sys.argv[1])
@dataclass
class Model:
    depth: int
    def fit(self):
        return level
def callback():
    return level
print(plots.fig(eval(sys.argv[2]), "out/a.txt").name)
"""
        toolbox.write("driver.py", source)
        toolbox.commit()
        for value in ("callback", "Model(1)", "{'a': [Model(1)]}"):
            names = [toolbox.python("driver.py", level, value) for level in ("1", "2", "1")]

            assert names[0] == names[2] != names[1]


class TestNames:
    @pytest.mark.parametrize(
        "part",
        [
            '@Artifact("out")\ndef fig(out):\n    Path(out).write_text("{}")\n',
            'fig = Artifact("out")(lambda out: Path(out).write_text("{}"))\n',
            'class Figures:\n    @Artifact("out")\n    def fig(out):\n        Path(out).write_text("{}")\n'
            "fig = Figures.fig\n",
            'def make():\n    @Artifact("out")\n    def fig(out):\n        Path(out).write_text("{}")\n'
            "    return fig\nfig = make()\n",
        ],
        ids=["function", "lambda", "method", "local"],
    )
    def test_defined_twice(self, project, part):
        """Two functions of one name in a file conflict, and never serve each other."""
        work = project.module(part.format(1) + "first = fig\n" + part.format(2))
        work.first("out/a.txt")

        with pytest.raises(ArtifactConflictError, match=r"work\.py::.* as "):
            work.fig("out/a.txt")
        assert work.first.is_cached("out/a.txt")

    def test_module_of_no_name(self, project):
        """A module that sys.modules does not hold is code all the same."""
        project.write("hidden.py", "def helper():\n    return 1\n")
        source = """
import importlib.util
def load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(name + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
hidden = load("hidden")
@Artifact("out", allow_dirty=True)
def fig(out):
    Path(out).write_text(str(hidden.helper()))
"""
        clean = project.module(source).fig.path("out/a.txt")
        project.write("unknown.py", "def helper():\n    return 1\n")
        (project.path / "work.py").write_text((project.path / "work.py").read_text().replace('"hidden"', '"unknown"'))
        project.commit("Load another", "work.py")
        dirty = project.load(project.path / "work.py").fig("out/a.txt")

        assert clean.tag.dirty is None
        assert [("unknown.py", "loaded, but not tracked by git")] == list(dirty.record.changes)
