"""A fingerprint is remembered for as long as nothing has changed that it was taken from, and no longer."""

import json
import pickle
import sys

import pytest
from cells import Cells

from taggedartifacts import UnhashableError
from taggedartifacts._canonical import encoding
from taggedartifacts._reach.reads import assigned
from taggedartifacts._session import interactive
from taggedartifacts._session.fingerprint import Definition, moved

SESSION = """
import json
DATA = [1, 2]
OPTIONS = {"a": 1, "b": [2]}
NUMBER = 1
PAIR = (1, 2)
CONDITIONS = ["x > @LIMIT"]
SHAPES = {"f": json.dumps}
def helper(x, k=NUMBER):
    return x + k
def make(n):
    def added(x):
        return x + n
    return added
add = make([3])
def unused():
    return 1
def f(x, out):
    return helper(x), add(x), DATA, OPTIONS, NUMBER, PAIR, query("x > @LIMIT"), CONDITIONS, SHAPES, json.loads
"""
CHANGES = [
    "def helper(x, k=NUMBER):\n    return x - k",
    "helper.__defaults__ = (2,)",
    "helper.__code__ = (lambda x, k: x * k).__code__",
    "helper.k = 3",
    "add = make([4])",
    "add.__closure__[0].cell_contents = [4]",
    "add.__closure__[0].cell_contents.append(4)",
    "DATA.append(3)",
    "DATA[0] = True",
    "DATA = (1, 2)",
    "OPTIONS['b'].append(3)",
    "OPTIONS['a'] = OPTIONS.pop('a')",
    "NUMBER = 1.0",
    "PAIR = [1, 2]",
    "LIMIT = 3",
    "query = len",
    "CONDITIONS[0] = 'x > @NUMBER'",
    "SHAPES['f'] = json.loads",
    "json = 3",
]


@pytest.fixture
def cells(monkeypatch):
    made = Cells.begin(monkeypatch)
    made.run(SESSION)
    return made


def outcome(definition):
    try:
        return definition.fingerprint().encoded
    except UnhashableError as error:
        return str(error)


class TestRemembered:
    @pytest.mark.parametrize("unrelated", ["", "OTHER = 3", "def unused():\n    return 2", "import sys"])
    def test_same(self, cells, unrelated):
        """What the function does not reach does not matter: it is the very same fingerprint."""
        definition = Definition(cells["f"])
        before = definition.fingerprint()
        cells.run(unrelated)

        assert before is definition.fingerprint()

    @pytest.mark.parametrize("change", CHANGES)
    def test_change(self, cells, change):
        """Each change of what it reaches shows, as it does to who looks for the first time."""
        definition = Definition(cells["f"])
        before = definition.fingerprint().encoded
        assert before == definition.fingerprint().encoded
        cells.run(change)

        assert before != definition.fingerprint().encoded
        assert Definition(cells["f"]).fingerprint().encoded == definition.fingerprint().encoded

    @pytest.mark.parametrize(
        ("further", "change"),
        [
            ("def helper(x): return f.__doc__", "f.__doc__ = 'other'"),
            ("def helper(x): return globals()", "OTHER = 4"),
            (
                "class Model:\n    width = [1]\n    def fit(self): return self.width\nhelper = Model().fit",
                "Model.width = 2",
            ),
            ("class Model:\n    width = [1]\ndef helper(x): return Model.width", "Model.width.append(2)"),
            ("import functools\nhelper = functools.partial(max, [1])", "helper.args[0].append(2)"),
            ("class Box:\n    __slots__ = ('x',)\nhelper = Box()\nhelper.x = 1", "helper.x = 2"),
            ("import numpy\nDATA = numpy.zeros(3)", "DATA[0] = 1"),
            ("def helper(x):\n    import colorsys\n    return colorsys.ONE_THIRD", "import colorsys"),
            ("import email.mime.text\ndef helper(x): return email.mime.text.MIMEText", "del email.mime"),
        ],
    )
    def test_further(self, cells, monkeypatch, further, change):
        """What cannot be watched is looked at each time."""
        monkeypatch.delitem(sys.modules, "colorsys", raising=False)
        cells.run(further)
        definition = Definition(cells["f"])
        before = definition.fingerprint()
        cells.run(change)

        assert Definition(cells["f"]).fingerprint().encoded == definition.fingerprint().encoded
        assert Definition(cells["f"]).fingerprint().read == definition.fingerprint().read
        if not change.startswith(("del", "import")):
            assert before.encoded != definition.fingerprint().encoded

    def test_function_of_a_module(self, cells, tmp_path, monkeypatch):
        """A function in a container counts by the name that gives it, and that is asked again."""
        (tmp_path / "made_up.py").write_text("def g():\n    return 1\n")
        monkeypatch.syspath_prepend(tmp_path)
        cells.run("import made_up\nSHAPES['f'] = made_up.g")
        definition = Definition(cells["f"])
        before = definition.fingerprint().encoded
        cells.run("made_up.g = made_up.other = None")

        assert before not in (found := [outcome(definition), outcome(Definition(cells["f"]))])
        assert found[0] == found[1]

    @pytest.mark.parametrize(
        ("reads", "change"),
        [
            ("Box", "made_up.Box = None"),
            ("Box", "made_up.Box = type('Box', (), {'__module__': 'made_up'})"),
            ("Box", "sys.modules['made_up'] = None"),
            ("g", "made_up.g = made_up.h"),
            ("g", "made_up.g = None"),
            ("made_up", "made_up.Box.g = None"),
        ],
    )
    def test_name_of_a_module(self, cells, tmp_path, monkeypatch, reads, change):
        """A class or function of a module is asked for by its name, and by that alone."""
        (tmp_path / "made_up.py").write_text("class Box:\n    pass\ndef g():\n    return 1\ndef h():\n    return 2\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "made_up", raising=False)
        cells.run(f"import made_up, sys\nfrom made_up import Box, g\ndef helper(x): return {reads}")
        definition = Definition(cells["f"])
        before = definition.fingerprint()
        with monkeypatch.context() as broken:
            broken.setattr(encoding, "encode", None)
            broken.setattr(interactive, "replaced", None)
            assert before is definition.fingerprint()
        cells.run(change)

        assert outcome(definition) == outcome(Definition(cells["f"]))

    def test_replaced_function(self, cells, tmp_path, monkeypatch):
        """An old function of a module that was loaded again may become that of its name again."""
        (tmp_path / "made_up.py").write_text("def g():\n    return 1\ndef h():\n    return 2\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "made_up", raising=False)
        cells.run("import made_up\nfrom made_up import g\nmade_up.g = made_up.h\ndef helper(x): return g")
        definition = Definition(cells["f"])
        before = definition.fingerprint().encoded
        cells.run("made_up.g = g")

        assert before != definition.fingerprint().encoded == Definition(cells["f"]).fingerprint().encoded

    def test_another_ignore(self, cells):
        """What is to be ignored belongs to it."""
        definition = Definition(cells["f"], ("DATA",))
        encoded = definition.fingerprint().encoded
        cells.run("DATA.append(3)")

        assert encoded == definition.fingerprint().encoded
        assert encoded == pickle.loads(pickle.dumps(definition)).fingerprint().encoded
        assert encoded != Definition(cells["f"]).fingerprint().encoded

    def test_is_not_sent(self, cells):
        """A worker takes its own."""
        definition = Definition(cells["f"])
        definition.fingerprint()

        assert "_known" not in pickle.dumps(definition.__getstate__()[1:]).decode("latin-1")


def told(definitions=None, **parts):
    return json.dumps({"definitions": definitions or {"f": {"code": "1"}}, "function": "f", **parts}).encode()


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (told(globals={"k": 1}), told(globals={"k": 2})),
        (told(globals={"k": 1}), told()),
        (told(globals={"f: k": 1}), told(globals={"f: k": "1"})),
        (told(names={"k": "definition g"}), told(names={"k": "definition g (2)"})),
        (told({"f": {"defaults": {"k": 1}}}), told({"f": {"defaults": {"k": 2}}})),
        (told({"k": {"code": "1"}}), told({"k": {"code": "2"}})),
        (told(strings=json.loads(told(globals={"k": 1}))), told(strings=json.loads(told(globals={"k": 2})))),
    ],
)
@pytest.mark.parametrize("executed", [False, True])
def test_moved(before, now, executed):
    """What is bound to something else has moved, whether or not the session tells that it ran something meanwhile."""
    assert ["k"] == moved(before, now, (), executed=executed)
    assert [] == moved(before, before, (), executed=executed)


@pytest.mark.parametrize("executed", [False, True])
def test_in_place(executed):
    """What changes in place has moved if another cell ran; else the function itself has changed it."""
    before, now = told(globals={"k": [1]}), told(globals={"k": [1, 2]})

    assert ["k"] * executed == moved(before, now, (), executed=executed)


@pytest.mark.parametrize("text", ["global k; k += 1", "k.n = 1", "del k.n", "k['n'] = 1", "del k['n']"])
def test_assigned(text):
    """What the code itself assigns, it may."""
    space = {}
    exec(f"def f():\n    {text}", space)
    names = assigned(space["f"].__code__)
    place = "n" if ".n" in text else "k"

    assert [] == moved(told(globals={place: {"a": 1}}), told(globals={place: {}}), names, executed=True)
