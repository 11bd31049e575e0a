import ast
import functools
import inspect
import json
import os.path
import subprocess
import sys
import types

import pytest
from cells import Cells

from taggedartifacts import Artifact
from taggedartifacts._errors import UnhashableError
from taggedartifacts._reach.members import HOLDS
from taggedartifacts._session.entries import entries
from taggedartifacts._session.fingerprint import Definition, value_digest


@pytest.fixture
def cells(monkeypatch):
    return Cells.begin(monkeypatch)


def fingerprint(function, ignore=()):
    return json.loads(Definition(function, ignore).fingerprint().encoded)


def run_all(cells, *sources):
    for source in sources:
        cells.run(source)
    return Definition(cells["f"]).fingerprint().encoded


BEFORE = """
N = 2
DATA = [1, 2]
def helper(x, k=N):
    return x + k
def make(n):
    def added(x):
        return x + n
    return added
add = make(3)
area = lambda r: r * N
class Model:
    width: int = N
    def predict(self, x):
        return x * self.width
model = Model
def f(x, out):
    return [helper(i) + add(i) + area(i) for i in DATA], model().predict(x)
"""


# What data classes are given: the name, and whether it is there to say that there is none.
GENERATED = [[name, False] for name in ("__init__", "__repr__", "__eq__", "__hash__", "__setattr__")]


class TestSame:
    @pytest.mark.parametrize(
        "changed",
        [
            BEFORE.replace("    return x + k", "    # why\n    return (x\n        + k)  # because"),
            BEFORE.replace("    return x + k", '    """Adds."""\n    return x + k'),
            BEFORE.replace("    def predict", '    "The width."\n    def predict').replace(
                "class Model:", "class Model :"
            ),
            BEFORE.replace("lambda r: r * N", "lambda r: (\n    r * N\n)"),
            BEFORE.replace("N = 2", "N = 1 + 1"),
            "UNRELATED = 5\ndef unrelated(): pass\n" + BEFORE,
        ],
    )
    def test_writing(self, cells, changed):
        """Comments, docstrings, formatting and what the function does not reach do not count."""

        assert run_all(cells, BEFORE) == run_all(cells, changed)

    def test_order_of_cells(self, cells):
        """The order of cells does not count, nor does the cell that a definition stands in."""
        constants, rest = BEFORE.split("def helper", 1)
        parts = ("def helper" + rest).split("\ndef f(", 1)
        one = run_all(cells, constants, parts[0], "def f(" + parts[1])

        assert one == run_all(cells, constants, "def f(" + parts[1], parts[0])

    def test_undone(self, cells):
        """A change that is undone gives the fingerprint of before."""
        before = run_all(cells, BEFORE)
        changed = run_all(cells, "def helper(x): return x\n")

        assert before != changed
        assert before == run_all(cells, BEFORE)

    def test_pinned(self, cells):
        """The same cells have this fingerprint on every version of Python; it changes with the schema only."""
        source = '''
import math
from dataclasses import dataclass
N = 2
@dataclass(frozen=True)
class Config(dict):
    """Doc."""
    bins: int = N
    def total(self): return self.bins
def helper(x, /, *rest, k=-1, **more):
    match x:
        case {"a": [1, *_], **others} if others: return f"{x!r:>{N}} {{}} {k=}" "and" f"{x:}"
        case _: pass
    try:
        with open(x) as file, file: return [i for i in x if (j := i)] if N else {**more, "b": b"\\xff", 1: 1e300j}
    except* ValueError as error: raise KeyError(0x1F, None, ..., "ä\\ud800") from error
def f(x: int, out: str = "a") -> None:
    nonlocals = 1
    def inner():
        nonlocal nonlocals
        global N
        nonlocals += math.pi + N
        class Local(Config): value = N
        return lambda *a, b=1: (yield)
    return helper(inner), Config
'''

        assert {
            "function": "f",
            "definitions": {
                "f": {"code": "d08b11099a7f98d425ec51854c24697b", "defaults": {"out": "a"}},
                "helper": {"code": "cad1f098bfcc90033ce5366fffe0a814", "defaults": {"k": -1}},
                "Config": {
                    "code": "c11a16994d4fb7436ca2b939688566b2",
                    "attributes": {"bins": 2, "bins: default": 2, "generated members": GENERATED},
                },
            },
            "globals": {"N": 2},
            "names": {"Config": "definition Config", "helper": "definition helper", "math": "module math"},
        } == json.loads(run_all(cells, source))

    def test_pinned_wrapper(self, cells):
        """What wraps copies to an object, more with each version of Python, stands in the definition already."""
        cells.run(
            "import functools\n"
            "class Deco:\n"
            "    def __init__(self, g): functools.wraps(g)(self)\n"
            "    def __call__(self): return self.__wrapped__()\n"
            "@Deco\n"
            "def h(x: int): pass\n"
            "def f(): return h\n"
        )

        assert {
            "attributes": {"__doc__": None, "__module__": "__main__", "__name__": "h", "__qualname__": "h"},
            "made": "__main__:Deco",
        } == fingerprint(cells["f"])["definitions"]["h"]

    def test_pinned_bytes(self, cells):
        """It is encoded canonically."""
        cells.run("def f(): return N\nN = 1.0")

        assert (
            b'{"definitions":{"f":{"code":"2ed585b8fbe886d589225e7bea228c69"}},"function":"f","globals":{"N":1.0}}'
            == Definition(cells["f"]).fingerprint().encoded
        )

    def test_long_sum(self, cells):
        """An expression of a thousand terms does not overflow the stack."""
        cells.run(f"def f(): return {' + '.join(['x'] * 900)}\nx = 1")

        assert {"x": 1} == fingerprint(cells["f"])["globals"]


class TestDifferent:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("    return x + k", "    return x - k"),
            ("k=N", "k=N + 1"),
            ("add = make(3)", "add = make(4)"),
            ("N = 2", "N = 3"),
            ("N = 2", "N = 2.0"),
            ("N = 2", "N = True"),
            ("DATA = [1, 2]", "DATA = [1, 3]"),
            ("DATA = [1, 2]", "DATA = (1, 2)"),
            ("lambda r: r * N", "lambda r: r + N"),
            ("return x * self.width", "return x + self.width"),
            ("width: int = N", "width: int = 5"),
            ("class Model:", "class Model(dict):"),
            ("model().predict(x)", "model().predict(-x)"),
            ("def f(x, out):", "def f(x, out=None):"),
            ("return x + n", "return n + x"),
        ],
    )
    def test_change(self, cells, old, new):
        """Another helper, closure, default, class, constant or value gives another fingerprint."""
        assert old in BEFORE
        before = run_all(cells, BEFORE)

        assert before != run_all(cells, BEFORE.replace(old, new))

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("LIMIT = 1\ndef f(): return [LIMIT for _ in ()]", "LIMIT = 2"),
            ("LIMIT = 1\ndef f(): return lambda: LIMIT", "LIMIT = 2"),
            ("LIMIT = 1\ndef f():\n class C:\n  x = LIMIT\n return C", "LIMIT = 2"),
            ("LIMIT = 1\ndef f():\n def g():\n  return LIMIT\n return g()", "LIMIT = 2"),
            ("def f(): return LIMIT", "LIMIT = 2"),
            ("from taggedartifacts import Artifact\nLIMIT = 1\n@Artifact('out', load=lambda path: LIMIT)\n"
             "def step(out): pass\ndef f(): return step('out/a.txt')", "LIMIT = 2"),
            ("from math import sin as g\ndef f(): return g", "from math import cos as g"),
            ("import math as m\ndef f(): return m.pi", "import cmath as m"),
            ("import functools\n@functools.lru_cache\ndef g(): return 1\ndef f(): return g()",
             "@functools.lru_cache\ndef g(): return 2"),
            ("import functools\n@functools.lru_cache\ndef g(): return 1\ndef f(): return g()",
             "@functools.cache\ndef g(): return 1"),
            ("def f(): return len('')", "def len(x): return 1"),
            ("def g(): return h()\ndef h(): return 1\ndef f(): return g()", "def h(): return 2"),
            ("class B:\n x = 1\nclass C(B): pass\ndef f(): return C.x", "class B:\n x = 2\nclass C(B): pass"),
            ("LIMIT = 1\nclass C:\n @property\n def p(self): return LIMIT\ndef f(): return C().p", "LIMIT = 2"),
            ("LIMIT = 1\nclass C:\n @classmethod\n def p(cls): return LIMIT\ndef f(): return C.p()", "LIMIT = 2"),
            ("import enum\nclass E(enum.Enum): A = 1\ndef f(): return E.A", "class E(enum.Enum): A = 2"),
            ("def g(): return 1\ndef h(): return 2\nG, H = g, h\ndef f(): return G() - H()", "G, H = h, g"),
            ("def f(x={'a': 1}): return x", "def f(x={'a': 2}): return x"),
            ("X = {'function': 'g'}\ndef g(): pass\ndef f(): return X, g", "X = g"),
            ("def m(self): return 1\nclass A: pass\nA.m = m\ndef f(): return A().m()",
             "def m(self): return 2\nA.m = m"),
            ("def call(self): return 1\nclass A:\n __call__ = call\ndef f(): return A()()",
             "def call(self): return 2\nclass A:\n __call__ = call"),
            ("def get(self): return 1\nclass A:\n p = property(get)\ndef f(): return A().p",
             "def get(self): return 2\nclass A:\n p = property(get)"),
            ("import functools\ndef m(self, n): return n\nK = 1\nclass A:\n p = functools.partialmethod(m, K)\n"
             "def f(): return A().p()", "K = 2\nclass A:\n p = functools.partialmethod(m, K)"),
            ("import functools\ndef m(self): return 1\nclass A:\n p = functools.partialmethod(m)\n"
             "def f(): return A().p()", "def m(self): return 2\nclass A:\n p = functools.partialmethod(m)"),
            ("import functools\ndef m(self): return 1\nclass A:\n p = functools.cached_property(m)\n"
             "def f(): return A().p", "def m(self): return 2\nclass A:\n p = functools.cached_property(m)"),
            ("def deco(g):\n def w(self): return g(self) + 1\n return w\nclass A:\n @deco\n def m(self): return 1\n"
             "def f(): return A().m()",
             "def deco(g):\n def w(self): return g(self) + 2\n return w\nclass A:\n @deco\n def m(self): return 1"),
            ("K = 1\ndef deco(g):\n import functools\n @functools.wraps(g)\n def w(self): return g(self) + K\n"
             " return w\nclass A:\n @deco\n def m(self): return 1\ndef f(): return A().m()", "K = 2"),
            ("class Meta(type):\n def __call__(cls): return 1\nclass A(metaclass=Meta): pass\ndef f(): return A()",
             "class Meta(type):\n def __call__(cls): return 2\nclass A(metaclass=Meta): pass"),
            ("class D:\n def __init__(self, n): self.n = n\n def __get__(self, *a): return self.n\n"
             "class A:\n d = D(1)\ndef f(): return A().d", "class A:\n d = D(2)"),
            ("import functools\nclass A:\n @functools.singledispatchmethod\n def m(self, x): return 1\n"
             "def g(self, x): return 1\nA.m.register(int, g) if 0 else vars(A)['m'].register(int, g)\n"
             "def f(): return A().m(1)", "def g(self, x): return 2\nvars(A)['m'].register(int, g)"),
            ("import functools\n@functools.singledispatch\ndef g(x): return 1\n@g.register\ndef _(x: int): return 1\n"
             "def f(): return g(1)", "@g.register\ndef _(x: int): return 2"),
            ("def g(): return g.scale\ng.scale = 1\ndef f(): return g()", "g.scale = 2"),
            ("class A:\n def m(self): return A.m.scale\nA.m.scale = 1\ndef f(): return A().m()", "A.m.scale = 2"),
            ("class Deco:\n def __init__(self, g, n):\n  self.__wrapped__, self.n = g, n\n"
             " def __call__(self): return self.n\ndef g(): return 1\nh = Deco(g, 1)\ndef f(): return h()",
             "h = Deco(g, 2)"),
            ("from dataclasses import *\nN = 1\n@dataclass\nclass C:\n a: int = field(default_factory=lambda: N)"
             "\ndef f(): return C()", "N = 2"),
        ],
    )  # fmt: skip
    def test_read(self, cells, first, second):
        """A change of anything that is read counts, wherever in the function it is read."""
        before = run_all(cells, first)

        assert before != run_all(cells, second)

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("LIMIT = 1\ndef f(df): return df.query('x > @LIMIT')", "LIMIT = 2"),
            ("LIMIT = 1\ndef f(df): return df.query(f'x > {df} + @LIMIT')", "LIMIT = 2"),
            ("LIMIT = 1\nQUERY = ['x > @LIMIT']\ndef f(df): return df.query(QUERY[0])", "LIMIT = 2"),
            ("LIMIT = 1\ndef f(df, query='x > @LIMIT'): return df.query(query)", "LIMIT = 2"),
            ("LIMIT = 1\nclass A:\n query = 'x > @LIMIT'\ndef f(df): return df.query(A.query)", "LIMIT = 2"),
            ("LIMIT = 1\ndef g(x): return x > LIMIT\ndef f(df): return df.query('@g(x)')", "LIMIT = 2"),
            ("LIMIT = 1\ndef g(df): return df.query('x > @LIMIT')\ndef f(df): return df.eval('@g(0)')", "LIMIT = 2"),
            ("frame = [1]\ndef f(sql): return sql('SELECT * FROM frame')", "frame = [2]"),
            ("frame = [1]\ndef f(table): return table('frame')", "frame = [2]"),
            ("N = 1\ndef f(): get_ipython().system('echo {N}')", "N = 2"),
            ("N = 1\ndef f(): return globals()['N' + '']", "N = 2"),
            ("N = 1\ndef f(x): return eval(x)", "N = 2"),
            ("def g(): return 1\ndef f(x): exec(x)", "def g(): return 2"),
            ("N = 1\ndef f():\n from __main__ import N\n return N", "N = 2"),
            ("N = 1\ndef f(name):\n import __main__\n return getattr(__main__, name)", "N = 2"),
        ],
    )
    def test_strings(self, cells, first, second):
        """A global that only a string names counts, and so do all globals where code may read any of them."""
        before = run_all(cells, first)
        changed = run_all(cells, second)

        assert before != changed
        assert before == run_all(cells, first)

    @pytest.mark.parametrize(
        "source",
        [
            "def f(df):\n 'Uses other.'\n return df.query('x > @LIMIT')",
            "def f(df, other): return df.query('other > @LIMIT')",
            "def f(df):\n other = 1\n return df.query('x > @other')",
            "def f(df): return df['thing'], 'thing'",
            "def f(df): return df['g'], df['os']",
            "def f(): return vars(x), locals()",
        ],
    )
    def test_strings_that_name_nothing(self, cells, source):
        """Docstrings, names of the function's own variables, and keys of what has no canonical form do not count."""
        first = f"import os\nother, LIMIT, thing = 1, 1, object()\ndef g(): return thing\n{source}"
        before = run_all(cells, first)

        assert before == run_all(cells, "other = 2\ndef g(): return other")

    def test_shell(self, cells):
        """What a shell puts among the globals does not count where code may read any of them."""
        first = "def f(x): return eval(x)"
        before = run_all(cells, first)
        cells.namespace |= {"In": ["1"], "Out": {1: 2}, "_": 1, "_5": object(), "_i5": "x", "_ih": [], "exit": object()}

        assert before == run_all(cells, first)

    def test_strings_refused(self, cells):
        """What a string names and has no canonical form is refused, with what it is that names it."""
        cells.run("thing = iter([])\ndef f(df): return df.query('x > @thing')")

        with pytest.raises(UnhashableError, match=r"a string names the global 'thing'.*ignore=\('thing',\)") as caught:
            fingerprint(cells["f"])
        assert caught.value.__cause__ is None
        assert "strings" not in fingerprint(cells["f"], ("thing",))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("[0, 1]", "(0, 1)"),
            ("{'a': [0, [1]]}", "{'a': [0, (1,)]}"),
            ("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}"),
            ("{2: 0, 1: 0}", "{1: 0, 2: 0}"),
            ("[{'b': 2, 'a': 1}]", "[{'a': 1, 'b': 2}]"),
            ("types.MappingProxyType({'b': 2, 'a': 1})", "types.MappingProxyType({'a': 1, 'b': 2})"),
            ("collections.OrderedDict(a=1, b=2)", "collections.OrderedDict(b=2, a=1)"),
            ("types.SimpleNamespace(a=(1, 2))", "types.SimpleNamespace(a=[1, 2])"),
            ("Pair((1,), 2)", "Pair([1], 2)"),
            ("C((1,))", "C([1])"),
        ],
    )
    def test_order(self, cells, one, other):
        """List and tuple differ in a value that is read, and so does the order of a dict: code may show it."""
        first = (
            "import collections, types, typing\nclass Pair(typing.NamedTuple):\n x: object\n y: int\n def m(self): 0\n"
            "class C:\n def __init__(self, x): self.x = x\ndef f(): return DATA\n"
        )
        found = [run_all(cells, first, f"DATA = {each}") for each in (one, other, one)]

        assert found[0] == found[2] != found[1]

    def test_order_of_attributes(self, cells):
        """The order in which attributes were set does not count, nor whether two places hold one object."""
        first = "import types\ndef f(): return DATA\n"
        made = [run_all(cells, first, f"DATA = types.SimpleNamespace({each})") for each in ("a=1, b=2", "b=2, a=1")]
        shared = [run_all(cells, first, each) for each in ("T = tuple([1])\nDATA = [T, T]", "DATA = [(1,), (1,)]")]

        assert made[0] == made[1]
        assert shared[0] == shared[1]

    def test_helpers_of_each_other(self, cells):
        """Functions that call each other in circles are told, and a change in the circle counts."""
        before = run_all(cells, "def f(n): return g(n)\ndef g(n): return f(n - 1) if n else 0")

        assert before != run_all(cells, "def g(n): return f(n - 1) if n else 1")

    def test_equal_code_of_two_cells(self, cells):
        """Two functions with the same byte code and other decorators are two."""
        cells.run("import functools\ndef twice(g): return functools.wraps(g)(lambda: 2 * g())")
        first = run_all(cells, "@functools.lru_cache\ndef g(): return 1\ndef f(): return g()")
        second = run_all(cells, "@functools.cache\ndef g(): return 1\ndef f(): return g()")

        assert first != second


# What counts of a function; of what else Python keeps, the text tells, or it names the function.
COUNTED = {"__closure__", "__code__", "__defaults__", "__dict__", "__globals__", "__kwdefaults__"}
TOLD = {
    *("__annotations__", "__annotate__", "__builtins__", "__call__", "__doc__", "__get__", "__module__", "__name__"),
    *("__qualname__", "__type_params__"),
}


class TestClosed:
    def test_functions(self):
        """All that this Python keeps of a function is either counted, or told by its text."""
        kept = set(dir(types.FunctionType)) - set(dir(object))

        assert kept <= COUNTED | TOLD

    def test_descriptors(self):
        """All descriptors that this Python makes of functions are looked into."""
        wrapping = {property, classmethod, staticmethod}
        for each in vars(functools).values():
            if isinstance(each, type) and hasattr(each, "__get__") and each.__module__ == "functools":
                wrapping.add(each)
        plain = {functools.partial, functools._lru_cache_wrapper}  # values, which have a form of their own

        assert wrapping - plain == set(HOLDS)

    def test_generated(self, cells):
        """What libraries write into a class follows from its definition, on every version of Python."""
        cells.run(
            "import abc, dataclasses, enum, functools, typing\n"
            "@dataclasses.dataclass(order=True, slots=True)\nclass A:\n x: int\n"
            "@dataclasses.dataclass(frozen=True)\nclass B:\n x: int\n def m(self): 0\n"
            "class C(typing.NamedTuple):\n x: int\n def m(self): 0\n"
            "class D(enum.Enum):\n a = 1\n def m(self): 0\n"
            "@functools.total_ordering\nclass E(abc.ABC):\n @abc.abstractmethod\n def __lt__(self, o): 0\n"
            " def __eq__(self, o): 0\n @property\n def p(self): 0\n @staticmethod\n def s(): 0\n"
            "class H(enum.IntFlag):\n a = 1\n def m(self): 0\n @classmethod\n def _missing_(cls, v): 0\n"
            "import ctypes\nclass I(ctypes.Structure):\n _fields_ = [('x', ctypes.c_int)]\n def m(self): 0\n"
            "class F(typing.Protocol):\n def m(self): 0\n"
            "class G(typing.Generic[typing.TypeVar('T')]):\n def __init_subclass__(cls): 0\n __hash__ = None\n"
        )

        assert {name: [] for name in "ABCDEFGHI"} == {name: list(entries(cells[name])) for name in "ABCDEFGHI"}

    def test_refused(self, cells):
        """An entry of a class that has no canonical form is refused by name, and so is an attribute of a function."""
        cells.run("class D:\n def __get__(self, *a): 0\n__slots__ = ()\nclass A:\n d = property(open)\n")
        cells.run("def f(): return A\nf.mark = iter([])\nA.d = (lambda it: property(it.__next__))(iter([]))")

        with pytest.raises(UnhashableError, match=r"'d.fget' in the entries of A"):
            fingerprint(cells["f"], ("mark",))
        with pytest.raises(UnhashableError, match=r"'mark' in the attributes of f"):
            fingerprint(cells["f"], ("d.fget",))


class TestNames:
    def test_modules_and_loggers(self, cells):
        """Modules and loggers count by name: they do not decide what the code does, or are code of the environment."""
        cells.run("import logging, os.path as p\nlog = logging.getLogger('here')\ndef f(): log.info(p.sep, print)")

        assert {"log": "logger here", "p": f"module {os.path.__name__}"} == fingerprint(cells["f"])["names"]

    def test_undefined(self, cells):
        """A global that does not exist does not count, nor does one that is only written."""
        cells.run("def f():\n    global written\n    written = 1\n    return later")

        assert {"code"} == set(fingerprint(cells["f"])["definitions"]["f"])
        assert "globals" not in fingerprint(cells["f"])

    def test_ignored(self, cells):
        """What is ignored is neither hashed nor looked into: globals, closures, defaults."""
        cells.run("def f(x=object()): return model, helper\nmodel = iter([])\ndef helper(): return model")

        assert {"f": {"code": fingerprint(cells["f"], ("model", "x"))["definitions"]["f"]["code"]}} == fingerprint(
            cells["f"], ("model", "helper", "x")
        )["definitions"]

    def test_ignored_parameter(self, cells):
        """A parameter that is ignored hides nothing else of its name: no global, attribute or default of a helper."""
        first = "N, rest = 1, 1\nclass A:\n N = N\ndef helper(N=N): return N\ndef g(): return N, rest"
        last = "\ndef f(x, N=3, *rest): return A, helper, g"
        changed = [first.replace("N, rest = 1", "N, rest = 2"), first.replace("1\n", "2\n"), first]
        found = []
        for each in (first, *changed):
            cells.run(each + last)
            found.append(Definition(cells["f"], ("N", "rest")).fingerprint().encoded)

        assert found[0] == found[3]
        assert 3 == len(set(found))
        assert "defaults" not in json.loads(found[0])["definitions"]["f"]

    def test_refused(self, cells):
        """A value that cannot be hashed is refused by name, with both remedies."""
        cells.run("model = iter([])\ndef helper(): return model\ndef f(): return helper()")

        with pytest.raises(UnhashableError, match=r"global 'model'.*ignore=\('model',\).*as an argument") as caught:
            fingerprint(cells["f"])
        assert caught.value.__cause__ is None  # all that a second traceback would say stands in the message

    def test_our_decorator(self, cells):
        """Our own decorator is not part of the definition, however it is named; other decorators are."""
        cells.namespace |= {"Artifact": Artifact, "tagged": Artifact("out"), "lib": types.ModuleType("lib")}
        cells["lib"].Artifact = Artifact
        codes = []
        for decorator in ("", '@Artifact("out", {"a": 1})', "@tagged", '@lib.Artifact("out")', "@print"):
            cells.namespace["print"] = lambda f: f
            cells.run(f"{decorator}\ndef f(out): pass")
            codes.append(fingerprint(inspect.unwrap(cells["f"]))["definitions"]["f"]["code"])

        assert 1 == len(set(codes[:4]))
        assert codes[4] not in codes[:4]


class TestSource:
    def test_wrong_source_is_not_believed(self, cells):
        """Where the text that Python keeps is another's, the byte code tells the function."""
        cells.run("def f(): return 1")
        cells.namespace["f"].__code__ = compile("def f(): return 2", cells["f"].__code__.co_filename, "exec").co_consts[
            0
        ]

        assert Definition(cells["f"]).fingerprint().sources["f"].outline is None

    def test_without_source(self, cells):
        """A function without source is told by its byte code: the same again, another for another."""
        digests = []
        for body in ("1", "1", "2"):
            cells.run(f"def f(): return {body}, {{'a', 'b', 'c'}}", known=False)
            digests.append(fingerprint(cells["f"]))

        assert digests[0] == digests[1] != digests[2]

    def test_lambdas_of_one_line(self, cells):
        """Lambdas on one line are told apart."""
        cells.run("one, two, three = lambda: 1, lambda: (lambda: 1), lambda: 1")
        codes = [fingerprint(cells[name])["definitions"]["<lambda>"]["code"] for name in ("one", "two", "three")]

        assert codes[0] == codes[2] != codes[1]

    @pytest.mark.parametrize(
        "text",
        [
            "lambda: 3",
            "lambda x, *, y=(lambda: 4): -1",
            "lambda: 1 if True else 2",
            "lambda *a: (1, 2)",
            "lambda: 1 + 2",
        ],
    )
    def test_constant_lambda(self, cells, text):
        """A lambda that gives a constant is found in its cell, wherever it stands there, also beside an equal one."""
        cells.run(f"one = {text}\nboth = [{text}, {text}]\ndef make():\n  return {text}")
        functions = [cells["one"], *cells["both"], cells["make"]()]
        sources = [Definition(each)._walk(values=False).sources["<lambda>"] for each in functions[:3]]
        sources.append(Definition(functions[3])._walk(values=False).sources["make.<locals>.<lambda>"])

        assert [ast.unparse(ast.parse(text))] * 4 == [source.text for source in sources]

    def test_worker(self, cells):
        """A function that was sent to a worker has the same fingerprint there, helpers included."""
        cloudpickle = pytest.importorskip("cloudpickle")
        cells.run("N = 1\ndef helper(x): return x + N\ndef f(df): return helper(1), df.query('x > @LIMIT')\nLIMIT = 1")
        definition = Definition(cells["f"])
        assert b"LIMIT" in definition.fingerprint().encoded
        receiver = (
            "import sys, pickle; definition = pickle.load(sys.stdin.buffer); "
            "sys.stdout.buffer.write(definition.fingerprint().encoded)"
        )
        result = subprocess.run(
            [sys.executable, "-c", receiver], input=cloudpickle.dumps(definition), capture_output=True, check=True
        )

        assert definition.fingerprint().encoded == result.stdout


class TestValueDigest:
    def test_function_as_value(self, cells):
        """An interactive function inside a value is told by its definition."""
        cells.run("def f(): return 1")
        first = value_digest(cells["f"])
        cells.run("def f(): return 2")

        assert first is not None
        assert first != value_digest(cells["f"])


QUERY = """
from pathlib import Path
from taggedartifacts import Artifact
LIMIT = 1
OTHER = 1
@Artifact("out", allow_dirty=True)
def f(conditions, out):
    Path(out).write_text(str(conditions))
"""


class TestArguments:
    def test_named(self, cells, project):
        """A global that a text among the arguments names counts, also if it is defined only later; another one not."""
        project.commit()
        cells.run(QUERY)
        f, given = cells["f"], [3, "x > @LIMIT"]
        found = [f.path(given, "out/a.txt"), f.path(given, "out/a.txt"), f.path("x", "out/a.txt")]
        cells.run("OTHER = 2")
        found.append(f.path(given, "out/a.txt"))
        cells.run("LIMIT = 2")
        found += [f.path(given, "out/a.txt"), f.path("x", "out/a.txt")]
        cells.run("del LIMIT")
        found.append(f.path(given, "out/a.txt"))

        assert found[0] == found[1] == found[3]
        assert found[2] == found[5]
        assert 4 == len(set(found))
