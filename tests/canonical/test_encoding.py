"""The canonical form: what is equal, what differs, what is refused, and where."""

from __future__ import annotations

import gc
import io
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import threading
import types
import weakref
from pathlib import Path

import golden_values
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import NESTED, SCALARS

from taggedartifacts._canonical.encoding import canonical, config_hash, encode, encode_call, join
from taggedartifacts._canonical.refused import Part
from taggedartifacts._errors import UnhashableError

HERE = Path(golden_values.__file__).parent
GOLDEN = json.loads((HERE / "golden.json").read_text(encoding="utf-8"))
VALUES = golden_values.everything()
RERUN = """
from taggedartifacts import canonical

class Grid:
    def __init__(self, cells):
        self.cells = cells

class Fine(Grid):
    pass

@canonical.register(Grid)
def describe(grid):
    return grid.cells
"""


def forms_elsewhere(python=sys.executable, **environment):
    """Encode the golden values in a process of their own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent), **environment}
    done = subprocess.run(
        [python, HERE / "golden_values.py"], env=environment, capture_output=True, check=True, encoding="utf-8"
    )
    return json.loads(done.stdout)


def known_to(forms):
    """Leave out what an environment without some library could not encode."""
    return {name: GOLDEN[name] for name in forms}


class TestGoldenValues:
    @pytest.mark.parametrize("name", sorted(VALUES))
    def test_forms_never_change(self, name):
        """The text and the hash of each pinned value are what every earlier release wrote."""
        value = VALUES[name]

        assert GOLDEN[name] == [canonical(value).decode(), config_hash(value)]

    def test_every_standard_value_is_pinned(self):
        """No value that needs no library is missing from the pinned ones."""
        named = golden_values.json_shaped() | golden_values.standard() | golden_values.own()

        assert set() == set(named) - set(GOLDEN)

    def test_circumstances_do_not_count(self):
        """Another process, hash seed, locale and time zone, and running as a script, give the same forms."""
        forms = forms_elsewhere(PYTHONHASHSEED="12345", LC_ALL="C", TZ="Asia/Kolkata", PYTHONINTMAXSTRDIGITS="640")

        assert known_to(forms) == forms
        assert set(VALUES) == set(forms)

    @pytest.mark.parametrize("python", ["python3.11", "python3.12", "python3.13"])
    def test_versions_do_not_count(self, python):
        """Every supported Python gives the same forms."""
        found = shutil.which(python)
        if found is None or subprocess.run([found, "-c", "import xxhash"], capture_output=True, check=False).returncode:
            pytest.skip(f"no {python} with xxhash")
        forms = forms_elsewhere(found)

        assert known_to(forms) == forms


class TestDifferences:
    def test_kinds_differ(self):
        """Values that look alike or compare equal but are of different kinds differ."""
        alike = [1, 1.0, True, "1", None, {}, [], "", b"", b"1", 0.0, -0.0, False, 0, set(), 1 + 0j, {1: 2}, {"1": 2}]

        assert len(alike) == len({canonical(value) for value in alike})

    def test_dicts_never_pass_for_tags(self):
        """A dict that looks like what the encoding writes for another type differs from that type."""
        tagged = [{1, 2}, b"ab", 1j, float("nan"), range(3), {1: 2}, int, Path("x")]
        lookalikes = [json.loads(canonical(value)) for value in tagged]

        assert [] == [
            value for value, fake in zip(tagged, lookalikes, strict=True) if canonical(value) == canonical(fake)
        ]

    def test_nesting_counts(self):
        """Where one value ends and the next begins is part of the form."""
        values = [
            [1, [2]],
            [[1], 2],
            [[1, 2]],
            [1, 2],
            ["1,2"],
            ["1", "2"],
            [["1"], "2"],
            {"a": {"b": 1}},
            {"a": ["b", 1]},
        ]

        assert len(values) == len({canonical(value) for value in values})


class TestEquality:
    def test_list_and_tuple(self):
        """A list equals the tuple of the same elements, however deep."""
        assert canonical([1, [2, [3]]]) == canonical((1, (2, (3,))))

    def test_insertion_order(self):
        """The order in which a dict or a set was filled does not count."""
        names = [f"k{number}" for number in range(100)]

        assert canonical({name: {name} for name in names}) == canonical({name: {name} for name in reversed(names)})
        assert canonical(set(names)) == canonical(set(sorted(names, key=hash, reverse=True)))  # noqa: C414  # filled in another order

    def test_identity(self):
        """Whether equal parts are one object or several does not count."""
        shared = [1.5, "x"]

        assert canonical([[1.5, "x"], [1.5, "x"]]) == canonical([shared, shared])

    def test_keys_with_equal_forms(self):
        """Keys that Python tells apart but that are written alike are ordered by their values."""
        nans = [float("nan"), float("nan")]

        assert canonical({nans[0]: 1, nans[1]: 2}) == canonical({nans[1]: 2, nans[0]: 1})

    def test_join(self):
        """Encoding the members of a dict one by one gives the form of the whole dict."""
        value = {"é": [1, "\ud800"], "b": {"$a": None}, "": 1.0}

        assert canonical(value) == join({key: canonical(member) for key, member in value.items()})


def same(left, right):
    """Compare two values as the contract does: by kind too, lists as tuples, nan as equal to itself."""
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        ordered = [sorted(value.items(), key=lambda item: (type(item[0]).__name__, item[0])) for value in (left, right)]
        return same(*ordered)
    if isinstance(left, frozenset):
        return sorted(map(repr, left)) == sorted(map(repr, right))
    return repr(left) == repr(right)


FUZZ = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class TestProperties:
    @FUZZ
    @given(NESTED, NESTED)
    def test_injective(self, left, right):
        """Two values have one form exactly if they are the same value."""
        assert same(left, right) == (canonical(left) == canonical(right))

    @FUZZ
    @given(st.lists(st.lists(SCALARS, max_size=2) | SCALARS, min_size=2, max_size=2), st.randoms())
    def test_near_values(self, pair, random):
        """Of a value and one that differs in a single place, both forms differ unless the values are the same."""
        changed = [random.choice(pair), pair[1]]

        assert same(pair, changed) == (canonical(pair) == canonical(changed))

    @FUZZ
    @given(NESTED)
    def test_forms_are_json(self, value):
        """Every form is a JSON text in UTF-8."""
        json.loads(canonical(value).decode())

    @FUZZ
    @given(NESTED, st.dictionaries(st.sampled_from(["table", "n", "größe", "Ω", "_"]), NESTED))
    def test_call(self, config, arguments):
        """What a call is hashed by is the dict of its configuration and arguments, however it is put together."""

        assert canonical({"config": config, "arguments": arguments}) == join(encode_call(config, arguments))

    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_floats_keep_their_value(self, value):
        """A float is written so that reading it gives it back, and never like an integer."""
        text = canonical(value).decode()

        assert repr(value) == repr(float(text))
        assert re.search(r"[.e]", text)


class TestRefusal:
    def test_place_and_remedies(self):
        """The message names the way down to the leaf and every remedy, with the parameter's own name."""
        value = {"layers": [1, 2, 3, {"activation": object()}]}
        with pytest.raises(UnhashableError) as caught:
            encode(value, "argument 'model'")

        message = str(caught.value)
        assert message.startswith("argument 'model' → .layers[3].activation: an object of type builtins.object")
        assert all(remedy in message for remedy in ('ignore=("model",)', "canonical.register", "inputs="))

    @pytest.mark.parametrize(
        ("place", "remedies"),
        [
            ("argument 'model'", ('ignore=("model.cfg.lock",)', "make it inside of the function")),
            ("argument 'self'", ('ignore=("self.cfg.lock",)',)),
            ("config", ("make it inside of the function",)),
        ],
    )
    def test_remedies_for_parts(self, place, remedies):
        """Where names lead to the part, leaving out that part is a remedy, behind what helps with its kind."""
        with pytest.raises(UnhashableError) as caught:
            encode({"cfg": {"lock": threading.Lock()}}, place)

        assert all(remedy in str(caught.value) for remedy in remedies)
        assert "canonical.register" not in str(caught.value)

    def test_remedies_for_self(self):
        """An object whose method is called is not to be left out whole."""
        with pytest.raises(UnhashableError) as caught:
            encode(object(), "argument 'self'")

        assert "ignore=" not in str(caught.value)
        assert "register its type with canonical.register, or make its class a dataclass" in str(caught.value)

    def test_errors_survive_pickling(self):
        """A refusal comes back whole from another process."""
        with pytest.raises(UnhashableError) as caught:
            canonical(object())

        assert str(caught.value) == str(pickle.loads(pickle.dumps(caught.value)))

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            (compile("1", "", "eval"), "belongs to the running program"),
            ((x for x in ()), "a generator"),
            (iter([1]), "an iterator"),
            (threading.Lock(), "synchronises threads"),
            (sys, "a module"),
            (object(), "builtins.object"),
            (os.stat("."), "what the system says of a file"),
        ],
        ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
    )
    def test_no_guessing(self, value, reason):
        """What has no value of its own is refused with the reason, wherever it is nested."""
        with pytest.raises(UnhashableError, match=reason):
            canonical({"a": [{1, 2}, (value,)]})

    def test_open_files(self, tmp_path):
        """An open file is refused."""
        with open(tmp_path / "x", "w") as file, pytest.raises(UnhashableError, match="an open file"):
            canonical([file])

    def test_random_generators(self):
        """A random generator is refused, with the hint to pass its seed."""
        import random

        with pytest.raises(UnhashableError, match="pass its seed"):
            canonical(random.Random(1))

    @pytest.mark.parametrize(
        "place",
        [
            ("key", {(1, object()): 2}, " key 0"),
            ("set", {(object(),)}, "an element"),
            ("dict", {1: object()}, "[1]"),
        ],
    )
    def test_places_in_other_containers(self, place):
        """Keys, elements of sets and values under odd keys have places as well."""
        _, value, expected = place
        with pytest.raises(UnhashableError) as caught:
            encode(value, "config")

        assert expected.strip() in str(caught.value)

    @pytest.mark.parametrize("make", [list, dict])
    def test_cycles(self, make):
        """A value that contains itself is refused at the place where it comes round."""
        value = make()
        if make is list:
            value.append([value])
        else:
            value["a"] = [value]

        with pytest.raises(UnhashableError, match=r"\[0\]: it contains itself"):
            canonical(value)


class TestDepth:
    @pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: {"a": v}, lambda v: {1: v}, lambda v: frozenset([v])])
    def test_deep_values(self, wrap):
        """Values nested far beyond Python's recursion limit hash, and differ by their depth and their leaf."""

        def nested(leaf, depth):
            for _ in range(depth):
                leaf = wrap(leaf)
            return leaf

        forms = {config_hash(nested(leaf, depth)) for leaf in (1, 2) for depth in (999, 1000)}

        assert len(forms) == 4

    def test_deeper_than_any_stack(self):
        """Lists nested 100,000 deep hash."""
        value = []
        for _ in range(100_000):
            value = [value]

        assert b"[" * 100_001 + b"]" * 100_001 == canonical(value)


class TestParts:
    def test_one_inside_another(self):
        """What is left out whole is left out whole, though a part of it is named too."""
        one, other = (
            encode(Part({"a": {"b": 1, "c": number}}, (("a", "b"), ("a",)), set()), "value") for number in (1, 2)
        )

        assert one == other


class Sensor:
    """A type of one's own."""

    def __init__(self, port):
        self.port = port


class Camera(Sensor):
    """A subclass of it."""


class TestRegister:
    def test_own_types(self):
        """A registered type counts by what its function returns, and by its name."""
        canonical.register(Sensor)(lambda sensor: {"port": sensor.port})

        function = "test_encoding:TestRegister.test_own_types.<locals>.<lambda>"
        expected = f'{{"$registered":["{function}","test_encoding:Sensor",{{"port":1}}]}}'

        assert expected.encode() == canonical(Sensor(1))
        assert canonical(Sensor(1)) != canonical(Sensor(2))
        assert canonical(Sensor(1)) != canonical(Camera(1))

    def test_local_classes(self):
        """A local class counts by what its function returns, and so does a subclass, under its own name."""

        class Local:
            pass

        class Other(Local):
            pass

        canonical.register(Local, lambda local: 1)

        assert canonical(Local()).endswith(b'<locals>.Local",1]}')
        assert canonical(Other()).endswith(b'<locals>.Other",1]}')

    def test_dynamic_classes(self):
        """A class that is made anew for each registry, as in pint, is described like the one that it derives from."""
        canonical.register(Sensor)(lambda sensor: sensor.port)
        first, second = (type("Sensor", (Sensor,), {"registry": number}) for number in (1, 2))

        assert canonical(first(1)) == canonical(second(1)) != canonical(second(2))

    def test_other_registrations(self):
        """A type that is registered otherwise gives another hash, even where what is returned is the same."""

        def one(sensor):
            return sensor.port

        def other(sensor):
            return sensor.port

        forms = []
        for describe in (one, other):
            canonical.register(Sensor, describe)
            forms.append(canonical(Sensor(1)))

        assert forms[0] != forms[1]

    def test_before_anything_generic(self):
        """A registered dataclass, dict, array or handle counts by what was registered."""

        class Handle(io.StringIO):
            pass

        canonical.register(Handle, lambda handle: handle.getvalue())

        assert canonical(Handle("a")).endswith(b'"a"]}')

    def test_decorator_gives_the_function_back(self):
        """The registered function stays what it was."""

        class Local:
            pass

        def describe(value):
            return 1

        assert describe is canonical.register(Local)(describe)

    def test_place_inside(self):
        """What a registered function returns is refused where it has no form itself."""

        class Bad:
            pass

        canonical.register(Bad, lambda value: [value])

        with pytest.raises(UnhashableError, match="contains itself"):
            canonical(Bad())

    def test_lets_go_of_a_replaced_module(self, monkeypatch):
        """What a module held that registered a class goes when another load of it registers the class."""
        modules = []
        for _ in range(3):
            module = types.ModuleType("rerun")
            monkeypatch.setitem(sys.modules, "rerun", module)
            exec(RERUN, vars(module))
            assert b'"rerun:Grid",3]' in canonical(module.Grid(3))
            modules.append(weakref.ref(module.Grid))
            del module
        monkeypatch.undo()
        gc.collect()

        assert [False, False, True] == [each() is not None for each in modules]

    def test_instance_of_a_replaced_module(self, monkeypatch):
        """An instance that outlives its module is described as the class is that was registered since."""
        forms, old = [], None
        for _ in range(3):
            module = types.ModuleType("rerun")
            monkeypatch.setitem(sys.modules, "rerun", module)
            exec(RERUN, vars(module))
            old = old or [module.Grid(3), module.Fine(3)]
            forms.append([canonical(old), canonical([module.Grid(3), module.Fine(3)])])

        assert forms[0] == forms[1] == forms[2]

    def test_namesakes(self):
        """Classes of one name that one load of a module makes are registered beside each other."""
        kinds = []
        for number in range(2):
            kind = type("Namesake", (), {})
            canonical.register(kind, lambda value, number=number: number)
            kinds.append(kind)

        assert [b"0", b"1"] == [canonical(kind())[-3:-2] for kind in kinds]

    def test_wants_a_function(self):
        """What cannot describe a value is refused when it is registered."""
        with pytest.raises(TypeError, match="takes a function that describes a Camera, not 3"):
            canonical.register(Camera, 3)

    def test_errors_of_functions(self):
        """An error of a registered function comes through as it is, with a note of the place."""

        class Bad:
            pass

        canonical.register(Bad, lambda bad: bad.missing)
        with pytest.raises(AttributeError, match="no attribute 'missing'") as caught:
            encode({"layers": [1, Bad()]}, "argument 'model'")

        assert ["argument 'model' → .layers[1]: this was raised while its canonical form was made"] == getattr(
            caught.value, "__notes__", []
        )

    @pytest.mark.parametrize("kind", [int, dict, str, object])
    def test_fixed_types(self, kind):
        """The form of built-in types cannot be changed."""
        with pytest.raises(TypeError, match="is fixed"):
            canonical.register(kind)(str)

    def test_wants_a_class(self):
        """Using it without naming the type is refused with the spelling that works."""
        with pytest.raises(TypeError, match=r"canonical\.register\(MyType\)"):
            canonical.register(lambda value: value)
