"""Instances by class and state, and code in values by name or by definition."""

from __future__ import annotations

import copyreg
import functools
import importlib
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import types
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path

import cloudpickle
import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taggedartifacts import UnhashableError, canonical
from taggedartifacts._reach.met import Met


class Plain:
    def __init__(self, **attributes):
        vars(self).update(attributes)

    @functools.cached_property
    def size(self):
        return len(vars(self))


class Other(Plain):
    pass


class Sized(Plain):
    size = None


class Slots:
    __slots__ = ("a", "b")


class Both(Slots):
    pass


class State(Plain):
    def __getstate__(self):
        return dict(vars(self))


class Reduced(Plain):
    def __reduce__(self):
        return Reduced._made, (sorted(vars(self).items()),)

    @staticmethod
    def _made(items):
        return Reduced(**dict(items))


class Rebuilt(Plain):
    """Its reduction tells one attribute and drops the others."""

    def __reduce__(self):
        return Rebuilt._made, (self.a,)

    @staticmethod
    def _made(a):
        return Rebuilt(a=a)


class Items(list):
    def __reduce__(self):
        return Items, (), vars(self) or None, iter(self)


class Broken:
    def __reduce__(self):
        raise RuntimeError("not today")


class Odd:
    def __reduce__(self):
        return 3


def set_all(kind, attributes):
    made = kind()
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


class TestState:
    def test_attributes_count(self):
        """Class, names and values of attributes count; their order does not."""
        values = [Plain(a=1), Plain(a=2), Plain(b=1), Other(a=1), Plain(a=1, b=2), {"a": 1}, Plain()]

        assert len(values) == len({canonical(value) for value in values})
        assert canonical(Plain(a=1, b=2)) == canonical(Plain(b=2, a=1))

    def test_cached_properties(self):
        """What a cached property remembers is computed from the rest."""
        looked_at = Plain(a=1)
        assert looked_at.size

        assert canonical(Plain(a=1)) == canonical(looked_at)

    def test_names_of_cached_properties(self):
        """An attribute counts where a subclass has another member by the name of a cached property of its base."""
        values = [set_all(Sized, {"size": size}) for size in (1, 2)]

        assert canonical(values[0]) != canonical(values[1])

    @pytest.mark.parametrize("kind", [Slots, Both])
    def test_slots(self, kind):
        """Slots count as far as they are set."""
        values = [set_all(kind, attributes) for attributes in ({}, {"a": 1}, {"b": 1}, {"a": 1, "b": None})]

        assert len(values) == len({canonical(value) for value in values})

    def test_own_state(self):
        """What a class says is its state counts, and nothing else of it."""
        assert canonical(State(a=1)) != canonical(State(a=2))
        assert canonical(State(a=1)) == b'{"$instance":["test_instances:State",{"state":{"a":1}}]}'

    def test_reductions(self):
        """A class's own reduction counts, together with what the object holds beyond it."""
        values = [Rebuilt(a=1), Rebuilt(a=2), Rebuilt(a=1, b=1), Rebuilt(a=1, b=2), Items(), Items([1]), Items([2])]

        assert len(values) == len({canonical(value) for value in values})

    def test_subclasses_of_arrays(self):
        """What a subclass of an array holds counts, which its own reduction drops."""

        def made(unit):
            value = numpy.arange(3).view(Array)
            value.unit = unit
            return value

        assert canonical(made("K")) == canonical(made("K")) != canonical(made("C"))

    def test_reductions_of_others(self, monkeypatch):
        """How another package teaches pickle a type does not count: it would depend on who is imported."""
        expected = canonical(ValueError(1))
        monkeypatch.setitem(copyreg.dispatch_table, ValueError, lambda error: (print, error.args))
        importlib.import_module("taggedartifacts._canonical.encoding")._forms.known.clear()

        assert expected == canonical(ValueError(1))

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            (Broken(), r"does not tell its state \(not today\)"),
            (Odd(), "its state is 3"),
            (object(), "builtins.object"),
            (Plain(a=[Plain(lock=threading.Lock())]), r"\.a\[0\]\.lock: what synchronises"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_refused(self, value, reason):
        """What cannot tell its state, or whose state has no form, is refused with the place."""
        with pytest.raises(UnhashableError, match=reason):
            canonical(value)

    def test_cycles(self):
        """An object that contains itself is refused where it comes round."""
        value = Plain(child=Plain())
        value.child.parent = value

        with pytest.raises(UnhashableError, match=r"\.child\.parent: it contains itself"):
            canonical(value)

    def test_depth(self):
        """Objects nested far beyond the recursion limit have a form."""
        value = Plain()
        for _ in range(3_000):
            value = Plain(inner=value)

        assert canonical(value).count(b"$object") == 3_001


class Array(numpy.ndarray):
    pass


LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab$", max_size=2) | st.sampled_from([0.0, 1.5])
KINDS = st.sampled_from([Plain, Other, Slots, Both, State, Reduced])
DESCRIBED = st.recursive(
    LEAVES,
    lambda inner: (
        st.tuples(KINDS, st.dictionaries(st.sampled_from("ab"), inner, max_size=2))
        | st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "$object"]), inner, max_size=2)
    ),
    max_leaves=8,
)


def build(described):
    """Make the value that a description tells."""
    if isinstance(described, tuple):
        kind, attributes = described
        return set_all(kind, {name: build(item) for name, item in attributes.items()})
    if isinstance(described, list):
        return [build(item) for item in described]
    if isinstance(described, dict):
        return {name: build(item) for name, item in described.items()}
    return described


def same(left, right):
    """Compare two descriptions, by type too."""
    if type(left) is not type(right):
        return False
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    return left is right or left == right


FUZZ = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
EVERYTHING = st.from_type(type).flatmap(st.from_type)


class TestProperties:
    @FUZZ
    @given(DESCRIBED, DESCRIBED)
    def test_injective(self, left, right):
        """Nested instances have one form exactly if they have the same classes and states."""
        assert same(left, right) == (canonical(build(left)) == canonical(build(right)))

    @FUZZ
    @given(DESCRIBED)
    def test_equal_again(self, described):
        """Made again, copied by pickle, and copied back and forth, a value keeps its form."""
        form = canonical(build(described))

        assert form == canonical(build(described)) == canonical(pickle.loads(pickle.dumps(build(described))))

    @FUZZ
    @given(DESCRIBED, st.randoms())
    def test_cycles(self, described, random):
        """A value that was made to contain itself is refused, wherever it does."""
        root = Plain(inner=build(described))
        holders = [root]
        for holder in holders:
            holders += [item for item in vars(holder).values() if isinstance(item, Plain)]
        random.choice(holders).back = root

        with pytest.raises(UnhashableError, match="contains itself"):
            canonical(root)

    @pytest.mark.filterwarnings("ignore")
    @settings(deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def test_only_documented_errors(self, data):
        """Whatever type a value has, it has a form or is refused."""
        kind = data.draw(st.sampled_from(sorted(FUZZED, key=lambda kind: kind.__qualname__)))
        try:
            value = data.draw(st.from_type(kind)) if kind in DRAWN else kind()
        except Exception:
            return
        try:
            first = canonical(value)
        except UnhashableError:
            return
        assert first == canonical(value)


DRAWN = {int, str, bytes, float, complex, list, dict, set, frozenset, tuple, bool}
FUZZED = DRAWN | {
    value
    for name in ("collections", "datetime", "decimal", "email.message", "io", "logging", "pathlib", "string", "types",
                 "uuid", "xml.dom.minidom", "zipfile", "numpy")
    for value in vars(importlib.import_module(name)).values()
    if isinstance(value, type) and not issubclass(value, BaseException)
}  # fmt: skip


def adder(n, *, default=0):
    def add(x, extra=default):
        return x + n + extra

    return add


def counter(n):
    def count(k):
        return n + count(k - 1) if k else 0

    return count


def even_and_odd():
    def even(n):
        return n == 0 or odd(n - 1)

    def odd(n):
        return n != 0 and even(n - 1)

    return even, odd


BINS = 3


def reader():
    return lambda: BINS


class TestDefinitions:
    def test_closures(self):
        """What a local function holds of the functions around it, and its defaults, count."""
        values = [adder(1), adder(2), adder(1, default=1), counter(1), counter(2), *even_and_odd()]

        assert len(values) == len({canonical(value) for value in values})
        assert canonical(adder(1)) == canonical(adder(1))
        assert canonical(even_and_odd()[0]) == canonical(even_and_odd()[0])

    def test_methods(self):
        """A bound method that its object does not give under its name counts with its function."""
        methods = [types.MethodType(function, Plain(a=1)) for function in (adder(1), adder(2), Plain.__init__)]

        assert len(methods) == len({canonical(method) for method in methods})

    def test_attributes(self):
        """Attributes that were set on a function count."""
        plain, changed = adder(1), adder(1)
        changed.unit = "K"

        assert canonical(plain) != canonical(changed)

    def test_what_it_reads(self, monkeypatch):
        """The values of the globals that a local function reads count."""
        before = canonical(reader())
        monkeypatch.setattr(sys.modules[__name__], "BINS", 4)

        assert before != canonical(reader())

    def test_comments_do_not_count(self, tmp_path, monkeypatch):
        """A comment, another layout or another place in the file gives the same form; another body another one."""
        monkeypatch.syspath_prepend(tmp_path)
        forms = []
        for number, text in enumerate(("x + 1", "x+1  # more", "(x +\n  1)", "x + 2")):
            (tmp_path / "callbacks.py").write_text("\n" * number + f"def make():\n    return lambda x: {text}\n")
            sys.modules.pop("callbacks", None)
            importlib.invalidate_caches()
            module = importlib.import_module("callbacks")
            os.utime(tmp_path / "callbacks.py", (number, number))
            forms.append(canonical(module.make()))
            (tmp_path / "__pycache__" / f"callbacks.{sys.implementation.cache_tag}.pyc").unlink(missing_ok=True)
        sys.modules.pop("callbacks")

        assert forms[0] == forms[1] == forms[2] != forms[3]

    def test_text_that_changed(self, tmp_path, monkeypatch):
        """A function whose file says something else by now is refused."""
        monkeypatch.syspath_prepend(tmp_path)
        file = tmp_path / "edited_callbacks.py"
        file.write_text("def make():\n    return lambda x: x + 1\n")
        function = importlib.import_module("edited_callbacks").make()
        file.write_text("def make():\n    return lambda x: x + 10\n")
        sys.modules.pop("edited_callbacks")

        with pytest.raises(UnhashableError, match=r"line 2 of edited_callbacks\.py is not, or no longer"):
            canonical(function)

    def test_no_text(self):
        """A function that was made from a string has no definition to be known by."""
        space = {"__name__": "nowhere"}
        exec("f = lambda x: x", space)

        with pytest.raises(UnhashableError, match="the lambda has no canonical form"):
            canonical(space["f"])

    def test_values_in_closures(self):
        """What a closure holds is refused with the place, as anywhere."""
        with pytest.raises(UnhashableError, match=r"^value → \.key\.__closure__\.n: what synchronises"):
            canonical({"key": adder(threading.Lock())})

    def test_sent_by_value(self):
        """In a process that it was sent to by value, a local function has the form that it has here."""
        sent = cloudpickle.loads(cloudpickle.dumps(adder(1)))
        assert canonical(adder(1)) == canonical(sent)


class TestClasses:
    def test_made_at_run_time(self):
        """A class that was made at run time, and that no name gives, is refused, and so are its instances."""
        kinds = (make_dataclass("Solver", ["step"]), type("Solver", (Plain,), {}), types.new_class("Solver", (Other,)))
        for kind in kinds:
            for value in (kind, kind.__new__(kind)):
                with pytest.raises(UnhashableError, match=r"has no canonical form|gives something else"):
                    canonical(value)

    def test_made_in_a_loop(self, tmp_path):
        """A name that is bound to one class after the other does not tell which of them is meant."""
        script = tmp_path / "loop.py"
        script.write_text(
            textwrap.dedent(
                """
                from taggedartifacts import UnhashableError, canonical
                kept = []
                for rate in (1, 2):
                    Solver = type("Solver", (), {"rate": rate})
                    kept.append(Solver)
                    try:
                        print(canonical(Solver()).decode())
                    except UnhashableError as error:
                        print("gave another object before" in str(error))
                """
            )
        )
        done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)

        assert ['{"$object":["loop:Solver",{}]}', "True"] == done.stdout.splitlines()

    def test_functions_defined_twice(self, tmp_path):
        """A function that is defined again under its name counts by its definition from then on."""
        script = tmp_path / "twice.py"
        script.write_text(
            "from taggedartifacts import canonical\n"
            "def step(x): return x + 1\nprint(canonical(step).decode())\n"
            "def step(x): return x + 2\nprint(canonical(step).decode())\n"
        )
        done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
        one, two = done.stdout.splitlines()

        assert one == '{"$function":"twice:step"}'
        assert two.startswith('{"$function":{"code":')

    def test_names_of_another_kind(self):
        """A class that a name of its module gives counts by that name, whatever it calls itself."""
        assert b'{"$class":"test_instances:Named"}' == canonical(Named)
        assert canonical(Named()).startswith(b'{"$object":["test_instances:Named",')


Named = type("Anything", (Plain,), {"__module__": __name__})


@dataclass
class Config:
    callback: object = None
    points: list = field(default_factory=list)


class TestMet:
    def test_what_is_met(self):
        """All functions and classes that a value names or is made of are met, in closures and reads too."""
        local = adder(Config)
        with Met() as met:
            canonical({"a": [Config(local)], "b": Path, "c": os.path.join, "d": reader()})

        assert {Config, local, Path, os.path.join} <= set(met.code.values())
        assert {__name__, Path.__module__, "posixpath"} <= met.modules

    def test_nothing_else_is_met(self):
        """Plain values meet nothing, and nothing is collected elsewhere."""
        with Met() as met:
            canonical({"a": [1, {"b": 2.5}], "c": {1, 2}, "d": Path("x")})
        canonical(Config())

        assert set() == met.modules
        assert {} == met.code

    def test_digests(self):
        """The digest of a file that is not tracked is joined to the form of all that its module defines."""
        asked = []

        def digest_of(module, file):
            asked.append((module, file))
            return "abc" if module == __name__ else None

        with Met(digest_of) as met:
            forms = [canonical(value).decode() for value in (Config, adder, Plain(), os.path.join, Config)]

        name = __name__
        assert f'{{"$class":["{name}:Config","abc"]}}' == forms[0] == forms[4]
        assert f'{{"$function":["{name}:adder","abc"]}}' == forms[1]
        assert f'{{"$object":[["{name}:Plain","abc"],{{}}]}}' == forms[2]
        assert '{"$function":"posixpath:join"}' == forms[3]
        assert [(name, __file__), ("posixpath", os.path.__file__)] == asked
        assert {name: "abc"} == met.digests
