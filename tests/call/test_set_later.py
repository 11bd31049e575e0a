"""What is set at run time on functions, classes, modules and objects counts for who reads it."""

import sys
import threading

import pytest

from taggedartifacts import UnhashableError

HEAD = "from pathlib import Path\nfrom taggedartifacts import Artifact\n"
SOURCE = '''\
"""Old."""
import collections, dataclasses, enum, functools

class One:
    """Old."""
    note: int
    def size(self): return 1
class Two:
    def size(self): return 2
class Stepping:
    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.function, self.step = function, 1
    def __get__(self, instance, owner): return functools.partial(self, instance)
    def __call__(self, *arguments): return self.function(*arguments) + self.step
class Kind(One):
    k = 2
    @Stepping
    def stepped(self): return 1
    def __hash__(self): return SALT[0]
class Both(One, Two):
    pass
class Pair(collections.namedtuple("Pair", "one two")):
    pass
class Below(Kind):
    k = 3
class Slotted:
    __slots__ = ("a",)
@dataclasses.dataclass
class Data:
    a: int = 1
    b: int = 2
def other(): return 3
def matched(value):
    match value:
        case Data(first): return first
class Color(enum.Enum):
    RED = 1
class Sized:
    __slots__ = ("a", "__dict__")
    @functools.singledispatchmethod
    def size(self, x): return 1
    @size.register
    def _(self, x: str): return 2
def plain(*, x=1):
    """Old."""
    return x
@functools.singledispatch
def size(x): return 1
@size.register
def _(x: str): return 2
@Stepping
def stepped(): return 1
bound = functools.update_wrapper(functools.partial(plain, x=1), plain)
SALT = [1]
sized, thing = Sized(), One()
sized.a = sized.b = 1

@Artifact("out")
def fig(out): Path(out).write_text(str(READ))
'''
# What the function reads, and what is done after the first call.
CHANGES = [
    ("1", "work.fig.__wrapped__.__code__ = (lambda out: None).__code__"),
    ("plain()", "work.plain.__code__ = work.other.__code__"),
    ("Kind().size()", "work.One.size.__code__ = work.Two.size.__code__"),
    ("stepped()", "work.stepped.__wrapped__.__code__ = work.other.__code__"),
    ("Pair(1, 2)._asdict()", "work.Pair.__mro__[1]._fields = ('two', 'one')"),
    ("matched(Data())", "work.Data.__match_args__ = ('b', 'a')"),
    ("dataclasses.asdict(Data())", "del work.Data.__dataclass_fields__['b']"),
    ("Slotted.__slots__", "work.Slotted.__slots__ = ('b',)"),
    ("Kind().size()", "work.Kind.__bases__ = (work.Two,)"),
    ("Both().size()", "work.Both.__bases__ = (work.Two, work.One)"),
    ("Both().size()", "work.Both.__bases__ = (work.Two,)"),
    ("Below.k", "del work.Below.k"),
    ("Color.RED.value", "work.Color.RED._value_ = 2"),
    ("plain.__doc__", "work.plain.__doc__ = 'New.'"),
    ("plain.__name__", "work.plain.__name__ = 'new'"),
    ("plain.__qualname__", "work.plain.__qualname__ = 'new'"),
    ("plain.__annotations__", "work.plain.__annotations__['x'] = int"),
    ("vars(plain)", "work.plain.new = 1"),
    ("plain()", "work.plain.__kwdefaults__['x'] = 2"),
    ("One.__doc__", "work.One.__doc__ = 'New.'"),
    ("Two().__doc__", "work.Two.__doc__ = 'New.'"),
    ("type(thing).__name__", "work.One.__name__ = 'New'"),
    ("One.__qualname__", "work.One.__qualname__ = 'New'"),
    ("sorted(One.__annotations__)", "work.One.__annotations__['new'] = int"),
    ("__doc__", "work.__doc__ = 'New.'"),
    ("size(1)", "work.size.register(int, work.plain)"),
    ("size('')", "work.size.register(str, work.plain)"),
    ("sized.size(1)", "work.Sized.size.register(int, lambda self, x: 3)"),
    ("sized.a", "work.sized.a = 2"),
    ("sized.b", "work.sized.b = 2"),
    ("stepped()", "work.stepped.step = 2"),
    ("Kind().stepped()", "vars(work.Kind)['stepped'].step = 2"),
    ("bound()", "work.bound.keywords['x'] = 2"),
    ("bound.__doc__", "work.bound.__doc__ = 'New.'"),
    ("hash(Kind())", "work.SALT[0] = 2"),
    ("thing.size()", "work.thing.__class__ = work.Two"),
]
SETTINGS = """
import sys
class Settings:
    lines = 2
    def __init__(self): self.size = 1
    def total(self): return LIMIT + self.size
LIMIT = 1
sys.modules[__name__] = Settings()
"""
STANDING = [
    # What the function reads of the object that stands in for its module, and what is done after the first call.
    ("settings.size", "settings.size = 2"),
    ("settings.lines", "type(settings).lines = 3"),
    ("settings.total()", "settings.size = 2"),
    ("settings.total()", "type(settings).total.__globals__['LIMIT'] = 2"),
]
REPLACED = "settings.size", "from types import SimpleNamespace; sys.modules['settings'] = SimpleNamespace(size=3)"


class TestSetLater:
    def test_counts(self, project):
        """What is set counts, on what is there already, too; and before that the function hits."""
        for number, (read, _) in enumerate(CHANGES):
            project.write(
                f"work{number}.py", f"{SOURCE.replace('READ', read)}".replace("import coll", f"{HEAD}import coll", 1)
            )
        project.commit()
        made = {}
        for number, (read, change) in enumerate(CHANGES):
            work = project.load(project.path / f"work{number}.py")
            path = work.fig(f"out/{number}.txt")
            same = work.fig.path(f"out/{number}.txt") == path
            exec(change, {"work": work})
            made[read, change] = same, dict(path.record.unknown), work.fig.path(f"out/{number}.txt") == path

        assert {} == {each: found for each, found in made.items() if found != (True, {}, False)}

    @pytest.mark.parametrize(
        "read", ["Pair(1, 2)", "(plain.__doc__, One.__name__, Pair.__qualname__, __doc__)", "size(1)"]
    )
    def test_text(self, project, read):
        """What the text fixes is left out: it has a form, and no value of it counts beside the commit."""
        path = project.module(f"{SOURCE.replace('READ', read)}").fig("out/a.txt")

        assert {} == path.record.unknown
        assert set(path.record.readers) <= {"work.plain.x", "work.size.registry"}

    @pytest.mark.parametrize("place", ["top", "inside"])
    def test_stands_in(self, project, monkeypatch, place):
        """An object that a module puts into its own place counts by the parts that the function reads."""
        monkeypatch.syspath_prepend(project.path)
        project.write("settings.py", SETTINGS)
        top, inside = ("import settings", "pass") if place == "top" else ("", "import settings")
        wrong = []
        changes = STANDING if place == "top" else [*STANDING, REPLACED]
        for number, (read, _) in enumerate(changes):
            text = f"{HEAD}{top}\n@Artifact('out')\ndef fig(out):\n {inside}\n Path(out).write_text(str({read}))"
            project.write(f"work{number}.py", text)
        project.commit()
        for number, (read, change) in enumerate(changes):
            import settings

            work = project.load(project.path / f"work{number}.py")
            path = work.fig(f"out/{number}.txt")
            same = work.fig.path(f"out/{number}.txt") == path
            exec(change, {"work": work, "settings": settings, "sys": sys})
            if not same or path.record.unknown or work.fig.path(f"out/{number}.txt") == path:
                wrong.append((read, change))
            del sys.modules["settings"]

        assert [] == wrong

    def test_class_stands_in(self, project, monkeypatch):
        """A class that a module puts into its own place counts, wherever it is imported."""
        monkeypatch.syspath_prepend(project.path)
        project.write("settings.py", f"{SETTINGS.partition('sys.modules')[0]}sys.modules[__name__] = Settings")
        for name, top, inside in (("top", "import settings", "pass"), ("inside", "", "import settings")):
            source = f"{HEAD}{top}\n@Artifact('out')\ndef fig(out):\n {inside}\n Path(out).write_text(settings.lines)"
            project.write(f"{name}.py", source)
        project.commit()
        import settings

        figures = [project.load(project.path / f"{name}.py").fig for name in ("top", "inside")]
        before = [fig.path("out/a.txt") for fig in figures]
        same = [fig.path("out/a.txt") for fig in figures]
        settings.lines = 3
        after = [fig.path("out/a.txt") for fig in figures]
        del sys.modules["settings"]

        assert before == same
        assert set(before).isdisjoint(after)

    def test_code_of_several(self, project):
        """What was put into a function tells it: one code from another, and both from its own."""
        work = project.module("""
def helper(): return 1
def two(): return 2
def three(): return 3
@Artifact("out")
def fig(out): Path(out).write_text(str(helper()))
""")
        paths = [work.fig.path("out/a.txt")]
        for other in (work.two, work.three, eval("lambda: 4")):
            work.helper.__code__ = other.__code__
            paths.append(work.fig.path("out/a.txt"))

        assert len(set(paths)) == 4

    def test_mock(self, project):
        """What cannot be told, in the place of a function that nothing decorates, is refused."""
        work = project.module("""
def helper(): return 1
@Artifact("out")
def fig(out): Path(out).write_text(str(helper()))
""")
        work.fig("out/a.txt")
        work.helper = threading.Lock().acquire

        with pytest.raises(UnhashableError, match="global 'helper' holds other code than its file defines there"):
            work.fig("out/a.txt")


LAZY = """
import os, sys, time
from pathlib import Path
from taggedartifacts import Artifact
@Artifact("out")
def f(out):
    import helper
    Path(out).write_text(f"{helper.K} {helper.SINCE[1:]}")
if __name__ == "__main__":
    first = f("out/a.txt")
    assert f("out/a.txt") == first
    import helper
    if "seen" in sys.argv:
        assert f("out/a.txt").read_text() == "1 []"
    helper.K = 2
    assert f("out/a.txt").read_text() == "2 []"
    helper.K = 1
    helper.SINCE.append(3)
    assert f("out/a.txt").read_text() == "1 [3]"
"""


@pytest.mark.parametrize("argument", ["set", "seen"])
def test_module_that_a_run_loads(project, argument):
    """What is set on a module counts though nothing had loaded it before the first call; loading it changes nothing."""
    project.write("helper.py", "import time\nK = 1\nSINCE = [time.time()]\n")
    project.write("work.py", LAZY)
    project.commit()
    for _ in range(2):  # makes, then finds the first
        project.run(sys.executable, "-B", "work.py", argument)
