"""What a module chooses while it is loaded counts: one of two definitions, modules, bases, decorators."""

import importlib
import sys

import pytest
from project import HEAD as IMPORTS

from taggedartifacts import UnhashableError

HEAD = """
import importlib, functools
def chosen(): return bool(os.environ.get("CHOOSE"))
FAST = chosen()
def double(f):
    @functools.wraps(f)
    def g():
        return 2 * f()
    return g
class One:
    def k(self):
        return 1
class Two:
    def k(self):
        return 2
"""
FIG = """
@Artifact("out")
def fig(out):
    Path(out).write_text(str({}))
"""
# As pandas does.
QUERY = """
import sys
def query(text): return sys._getframe(1).f_globals[text.partition("@")[2]]
"""
CHOICES = {
    "function": ("if FAST:\n    def k(): return 1\nelse:\n    def k(): return 2\n", "k()"),
    "function in a value": (
        "if FAST:\n    def k(): return 1\nelse:\n    def k(): return 2\nD = {'k': k}\n",
        "D['k']()",
    ),
    "class": (
        "if FAST:\n    class K:\n        def k(self): return 1\nelse:\n    class K:\n        def k(self): return 2\n",
        "K().k()",
    ),
    "method": (
        "class K:\n    if FAST:\n        def k(self): return 1\n    else:\n        def k(self): return 2\n",
        "K().k()",
    ),
    "method that overrides": ("class K(One):\n    if FAST:\n        def k(self): return 3\n", "K().k()"),
    "attribute of a class": ("class K:\n    if FAST:\n        k = 1\n", "hasattr(K, 'k')"),
    "base": ("Base = One if FAST else Two\nclass K(Base): pass\n", "K().k()"),
    "metaclass": (
        "class M(type):\n    k = 1\nclass N(type):\n    k = 2\n"
        "Meta = M if FAST else N\nclass K(metaclass=Meta): pass\n",
        "K.k",
    ),
    "base by type()": ("K = type('K', (One if FAST else Two,), {})\n", "K().k()"),
    "base by type(), of an instance": ("K = type('K', (One if FAST else Two,), {})\nk = K()\n", "k.k()"),
    "base that is set": ("class K(One): pass\nif not FAST:\n    K.__bases__ = (Two,)\n", "K().k()"),
    "metaclass by its call": (
        "class M(type):\n    k = 1\nclass N(type):\n    k = 2\nK = (M if FAST else N)('K', (), {})\n",
        "K.k",
    ),
    "decorator": ("deco = double if FAST else (lambda f: f)\n@deco\ndef k(): return 1\n", "k()"),
    "decorated class": (
        "def put(v):\n    def d(c):\n        c.k = v\n        return c\n    return d\n@put(FAST)\nclass K: pass\n",
        "K.k",
    ),
    "module": ("if FAST:\n    import choice_fast as m\nelse:\n    import choice_slow as m\n", "m.k()"),
    "module by value": ("import choice_fast, choice_slow\nm = choice_fast if FAST else choice_slow\n", "m.k()"),
    "module in a closure": (
        "import choice_fast, choice_slow\ndef make(m):\n    return lambda: m.k()\n"
        "k = make(choice_fast if FAST else choice_slow)\n",
        "k()",
    ),
    "module as a default": (
        "import choice_fast, choice_slow\ndef k(m=choice_fast if FAST else choice_slow):\n    return m.k()\n",
        "k()",
    ),
    "module in a class": (
        "import choice_fast, choice_slow\nclass K:\n    m = choice_fast if FAST else choice_slow\n",
        "K.m.k()",
    ),
    "all names": ("if FAST:\n    from choice_fast import *\nelse:\n    from choice_slow import *\n", "k()"),
    "fields of a named tuple": (
        "import collections\nK = collections.namedtuple('K', 'a b' if FAST else 'b a')\n",
        "K(1, 2)._asdict()",
    ),
    "members of an enumeration": (
        "import enum\nK = enum.Enum('K', {'A': 1, 'B': 2} if FAST else {'B': 2, 'A': 1})\n",
        "list(K)",
    ),
    "options of a dataclass": (
        "import dataclasses\n@dataclasses.dataclass(eq=chosen())\nclass K:\n    a: int = 1\n",
        "K() == K()",
    ),
    "fields for keywords only": (
        "import dataclasses\n@dataclasses.dataclass(kw_only=chosen())\nclass K:\n    a: int = 1\n",
        "K.__match_args__",
    ),
    "metadata of a field": (
        "import dataclasses\n@dataclasses.dataclass\nclass K:\n"
        "    a: int = dataclasses.field(default=1, metadata={'unit': 'm' if FAST else 'km'})\n",
        "dataclasses.fields(K)[0].metadata['unit']",
    ),
    "factory of a field": (
        "import dataclasses\n@dataclasses.dataclass\nclass K:\n"
        "    a: list = dataclasses.field(default_factory=functools.partial(list, 'a' if FAST else 'b'))\n",
        "K()",
    ),
    "slots": ("class K:\n    __slots__ = ['a'] if FAST else ['b']\n", "K.__slots__"),
    "class below a protocol": (
        "import typing\nclass P(typing.Protocol):\n    k = FAST\nclass K(P):\n    def f(self): return self.k\n",
        "K().f()",
    ),
    "values of a literal type": ("import typing\nK = typing.Literal[FAST]\n", "typing.get_args(K)"),
    "decorator out of a table": (
        "def triple(f):\n    @functools.wraps(f)\n    def g():\n        return 3 * f()\n    return g\n"
        "TABLE = {True: double, False: triple}\n@TABLE[chosen()]\ndef k(): return 1\n",
        "k()",
    ),
    "function for a decorator": (
        "def one(): return 1\ndef two(): return 2\ndef calls(f):\n    def decorate(g):\n"
        "        @functools.wraps(g)\n        def h(): return f()\n        return h\n    return decorate\n"
        "@calls(one if chosen() else two)\ndef k(): pass\n",
        "k()",
    ),
    "text that is run": ("exec(f'def k(): return {FAST}')\n", "k()"),
    "partial in a class": ("class K:\n    k = staticmethod(functools.partial(int, FAST))\n", "K.k()"),
    "artifact of a step": (
        "@Artifact('out')\ndef step(n, out): Path(out).write_text(str(n))\nk = step(FAST, 'out/step.txt')\n",
        "k.read_text()",
    ),
    "what a step loads": (
        "@Artifact('out', load=lambda path: FAST)\ndef step(out): Path(out).write_text('1')\n",
        "step('out/step.txt')",
    ),
    "global that a text names": (f"{QUERY}\n", "query('x > @FAST')"),
    "global that a constant names": (f"{QUERY}CUTS = ['x > @FAST']\n", "query(CUTS[0])"),
    "constant in a branch": (
        "if FAST:\n    N = 1\ndef k():\n    try:\n        return N\n    except NameError:\n        return 0\n",
        "k()",
    ),
}
SET = {
    "what a module makes when asked": ("import choice_asked", "choice_asked.k", "choice_asked.TABLE['k'] = 2"),
    "an attribute that is gone": ("import choice_slow", "getattr(choice_slow, 'N', 0)", "del choice_slow.N"),
    "one of two modules under one name": (
        "def h(x):\n    if x:\n        import choice_slow as m\n"
        "    else:\n        import choice_fast as m\n    return m.N",
        "h(True)",
        "choice_slow.N = 5",
    ),
    "subclasses": ("class Base: pass", "[k.__name__ for k in Base.__subclasses__()]", "class More(work.Base): pass"),
    "arguments of the command": ("import sys", "sys.argv[1:]", "sys.argv.append('-x')"),
    "arguments that are parsed": (
        "import argparse\ndef parsed():\n    p = argparse.ArgumentParser()\n    p.add_argument('-x', nargs='*')\n"
        "    return p.parse_known_args()",
        "parsed()",
        "sys.argv.append('-x')",
    ),
}


@pytest.fixture
def modules(project, monkeypatch):
    """A project with modules to choose from, in a process that has not chosen yet."""
    monkeypatch.syspath_prepend(project.path)
    monkeypatch.setattr(sys, "argv", ["run.py"])
    project.write("choice_fast.py", "N = 1\ndef k():\n    return 1\n")
    project.write("choice_slow.py", "N = 2\ndef k():\n    return 2\n")
    project.write("choice_asked.py", "TABLE = {'k': 1}\ndef __getattr__(name):\n    return TABLE[name]\n")
    yield project
    for name in ("work", "choice_fast", "choice_slow", "choice_asked"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("kind", CHOICES)
def test_chosen(modules, monkeypatch, kind):
    """Another choice gives another tag, and the same choice the same."""
    source, reads = CHOICES[kind]
    modules.write("work.py", IMPORTS + HEAD + source + FIG.format(reads))
    modules.commit()
    found = []
    for chosen in ("", "1", ""):
        monkeypatch.setenv("CHOOSE", chosen)
        sys.modules.pop("work", None)
        work = importlib.import_module("work")
        found.append((work.fig("out/a.txt"), work.fig.recompute("out/fresh.txt").read_text()))

    assert found[0][0] == found[2][0] != found[1][0]
    assert [each.read_text() for each, _ in found] == [fresh for _, fresh in found]


@pytest.mark.parametrize("kind", SET)
def test_set(modules, kind):
    """What code asks its modules or the interpreter for counts, and is found again when it has changed."""
    source, reads, change = SET[kind]
    import choice_asked
    import choice_slow

    work = modules.module(f"{source}\n" + FIG.format(reads))
    first = work.fig("out/a.txt").read_text()
    exec(change, {"work": work, "sys": sys, "choice_asked": choice_asked, "choice_slow": choice_slow})

    assert first != work.fig("out/a.txt").read_text()


def test_argument(modules):
    """A global that a text among the arguments names counts; one by the name of a variable of the function does not."""
    figure = "@Artifact('out')\ndef fig(text, out, LOCAL=1):\n    Path(out).write_text(str(query(text)))\n"
    work = modules.module(f"{QUERY}LIMIT, LOCAL, OTHER = int('1'), int('1'), int('1')\n{figure}")
    texts = ["x > @LIMIT.real", "x > @LOCAL"]
    found = [[work.fig.path(text, "out/a.txt") for text in texts]]
    for name in ("OTHER", "LOCAL", "LIMIT"):
        setattr(work, name, 2)
        found.append([work.fig.path(text, "out/a.txt") for text in texts])

    assert found[0] == found[1] == found[2]
    assert found[0][0] != found[3][0]
    assert found[0][1] == found[3][1]
    before = work.fig.path("x > @LATER", "out/a.txt")
    work.LATER = 1
    assert before != work.fig.path("x > @LATER", "out/a.txt")


def test_text_alone(project):
    """A global counts that is named by the text of a helper that holds nothing else."""
    work = project.module("LIMIT = int('1')\ndef cut():\n    return 'x > @LIMIT'\n" + FIG.format("cut()"))
    first = work.fig.path("out/a.txt")
    work.LIMIT = 2

    assert first != work.fig.path("out/a.txt")


def test_imported_twice(project):
    """A package that a file imports by two of its modules is no choice."""
    work = project.module("import os.path\nimport os\n" + FIG.format("os.sep"))

    assert {} == work.fig("out/a.txt").record.readers


@pytest.mark.parametrize("member", ["property(eval('lambda self: 2'))", "staticmethod(eval('lambda: 2'))"])
def test_replaced_member(project, member):
    """Code of a class that something else stands for, and that cannot be told, is refused."""
    kind = member.partition("(")[0]
    work = project.module(f"class K:\n    @{kind}\n    def k(*a): return 1\n" + FIG.format("K().k"))
    work.fig.path("out/a.txt")
    work.K.k = eval(member)

    with pytest.raises(UnhashableError, match=r"global 'K\.k' holds other code than its file defines there"):
        work.fig.path("out/a.txt")
