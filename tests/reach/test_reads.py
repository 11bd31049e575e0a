"""What code objects read, and what the text of a module binds."""

import dis
import gc
import inspect
import json.decoder
import textwrap
import weakref

import pytest

from taggedartifacts._reach.bindings import Bindings, Computed, Defined, Literal, Taken
from taggedartifacts._reach.members import OncePerCode, instructions, nested
from taggedartifacts._reach.reads import ADDED_TO, IMPORTED_ONLY, WRITTEN, Imported, names_read


def names(body):
    """What a function with that body reads."""
    space = {}
    exec("def f(x):\n" + textwrap.indent(textwrap.dedent(body), "    "), space)
    return names_read(space["f"].__code__)


class TestNames:
    def test_chains(self):
        """Names come with the attributes that follow them, in nested functions too."""
        found = names("a.b.c(d)\nlambda: e.f\n[g.h for i in x]")

        assert {"a": (("b", "c"),), "d": ((),), "e": (("f",),), "g": (("h",),)} == found.globals

    def test_imports(self):
        """What a function imports itself is read off the module."""
        found = names("import a.b\nfrom c import d as e\nimport f.g as h\nfrom . import i\na.b.j, e.k, h.l, i")

        assert {
            Imported("a", 0): (IMPORTED_ONLY, ("b", "j")),
            Imported("c", 0): (("d", "k"),),
            Imported("f.g", 0): (IMPORTED_ONLY, ("l",)),
            Imported("", 1): (("i",),),
        } == found.imports

    def test_import_beside_a_variable(self):
        """A module that is loaded together with a variable is read as a whole."""

        assert {Imported("a", 0): (IMPORTED_ONLY, ())} == names("import a\ngetattr(a, x)").imports

    @pytest.mark.parametrize(
        ("body", "chain"),
        [
            ("a.append(x)", ADDED_TO),
            ("a.append(str(x) + f(1, y=2))", ADDED_TO),
            ("a[x] = 1", ADDED_TO),
            ("a[f(x)] = g(x)", ADDED_TO),
            ("a.k = x", WRITTEN),
            ("global a\na += 1", WRITTEN),
            ("y = a.append(x)", ("append",)),
            ("a.append(x)[0]", ("append",)),
            ("a[x][1] = 1", ()),
            ("a[x] += 1", ()),
            ("print(a)", ()),
            ("a.pop()", ("pop",)),
        ],
    )
    def test_written_only(self, body, chain):
        """What is only added to or set is told from what is read."""

        assert (chain,) == names(body).globals["a"]

    def test_instructions(self):
        """Names and constants are those that `dis` tells, on every version of Python."""
        for function in vars(json.decoder).values():
            for code in nested(function.__code__) if inspect.isfunction(function) else ():
                told = [
                    (each.opname, each.argval)
                    for each in dis.get_instructions(code)
                    if each.opcode in (*dis.hasname, *dis.hasconst, *dis.haslocal, *dis.hasfree)
                ]
                found = [(name, value) for name, value, _ in instructions(code) if name in {each for each, _ in told}]

                assert [each for each in told if each[0] not in ("COPY_FREE_VARS", "KW_NAMES")] == found


class TestBindings:
    def test_kinds(self):
        """Literals, definitions and imports are told from what is computed or bound more than once."""
        source = """
import a.b, c.d as e
from f import g as h
from s import *
A = 1
B = C = "t"
D, E = (1, 2)
F: float = -1.5
G = [1]
H = A
def i(): pass
@deco(lambda: 1)
def j(): pass
@deco
class K:
    l = 1
    m = A
    def n(self): pass
O = 1
O = 1
def p():
    global Q
    Q = 2
Q = 1
"""
        found = Bindings(compile(source, "work.py", "exec"))
        kinds = {name: type(each) for name, each in found.names.items()}

        assert kinds == {
            **dict.fromkeys("aeh", Taken),
            **dict.fromkeys("ABCDEF", Literal),
            **dict.fromkeys("GHOQ", Computed),
            **dict.fromkeys("ijKp", Defined),
        }
        assert [1, "t", "t", 1, 2, -1.5] == [found.names[name].value for name in "ABCDEF"]
        assert (Imported("s", 0),) == found.stars
        assert Taken(Imported("f", 0), "g") == found.names["h"]
        assert Taken(Imported("c.d", 0), None) == found.names["e"]
        body = found.of_class("K")
        assert (Literal(1), Computed, Defined) == (body["l"], type(body["m"]), type(body["n"]))


class TestOncePerCode:
    def test_asks_once(self):
        """It is asked once for each code object, though two of them may be equal."""
        asked = []
        once = OncePerCode(asked.append)
        codes = [compile("x", "<text>", "eval") for _ in range(2)]
        for code in codes * 2:
            once(code)

        assert codes[0] == codes[1]
        assert [id(code) for code in codes] == [id(code) for code in asked]

    def test_lets_go(self):
        """What is remembered of code goes with it."""
        once = OncePerCode(lambda code: code.co_name)
        code = compile("x", "<text>", "eval")
        gone = weakref.ref(code)
        once(code)
        del code
        gc.collect()

        assert gone() is None
        assert not once._known
