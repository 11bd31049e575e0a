from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taggedartifacts import canonical
from taggedartifacts._history.differences import canonical_differences


@dataclasses.dataclass
class Model:
    depth: int


class Color(enum.Enum):
    RED = 1
    BLUE = 2


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def _lines(a: str, b: str) -> list[str]:
    return [str(each) for each in canonical_differences(a, b)]


def _of(a: Any, b: Any) -> list[str]:
    return _lines(canonical(a).decode(), canonical(b).decode())


class TestCanonicalDifferences:
    @pytest.mark.parametrize(
        ("a", "b", "expected"),
        [
            ({"config": {"bins": 40}}, {"config": {"bins": 60}}, ["config.bins: 40 → 60"]),
            ({"config": {"m": {"d": 3, "x": 1}}}, {"config": {"m": {"d": 4, "x": 1}}}, ["config.m.d: 3 → 4"]),
            ({"config": {"name": "a"}}, {"config": {"name": "b"}}, ["config.name: 'a' → 'b'"]),
            ({"config": {}}, {"config": {"drop": 0.1}}, ["config.drop: absent → 0.1"]),
            ({"config": {"drop": "absent"}}, {"config": {}}, ["config.drop: 'absent' → absent"]),
            ({"config": {"a b": 1}}, {"config": {"a b": 2}}, ["config['a b']: 1 → 2"]),
            ({"x": [1, 2]}, {"x": [1, 3]}, ["x[1]: 2 → 3"]),
            ({"x": [1, 2]}, {"x": [1, 2, 3]}, ["x: [1, 2] → [1, 2, 3]"]),
            ({"x": True}, {"x": 1}, ["x: True → 1"]),
            ({"x": 1}, {"x": 1.0}, ["x: 1 → 1.0"]),
            ({"x": 1}, {"x": "1"}, ["x: 1 → '1'"]),
            ({"x": None}, {"x": {}}, ["x: None → {}"]),
            ({"x": 10**1000}, {"x": 10**1000 + 1}, [f"x: …{'0' * 15}0 → …{'0' * 15}1"]),
            ({"a": 1, "b": {"c": 2}}, {"a": 2, "b": {"c": 3}}, ["a: 1 → 2", "b.c: 2 → 3"]),
        ],
    )
    def test_names_exactly_what_differs(self, a: Any, b: Any, expected: list[str]) -> None:
        """Each value that differs is named by its place, and nothing that is the same."""
        assert _of(a, b) == expected

    @pytest.mark.parametrize(
        ("a", "b", "expected"),
        [
            ('{"$set":[1,2]}', '{"$set":[1,3]}', ["x: {1, 2} → {1, 3}"]),
            ('{"$float":"nan"}', "1.0", ["x: nan → 1.0"]),
            ('{"$bytes":"00"}', '{"$bytes":"01"}', ["x: bytes('00') → bytes('01')"]),
            ('{"$dict":[[1,2]]}', '{"$dict":[[1,3]]}', ["x[1]: 2 → 3"]),
            ('{"$dict":[["$a",2]]}', '{"$dict":[["$a",3]]}', ["x['$a']: 2 → 3"]),
            ('{"$dict":[[1,2]]}', '{"$dict":[["1",2]]}', ["x[1]: 2 → absent", "x['1']: absent → 2"]),
            ('{"$dict":[[1,2]]}', '{"1":2}', ["x[1]: 2 → absent", "x['1']: absent → 2"]),
            ('{"$dict":[[true,2]]}', '{"True":2}', ["x[True]: 2 → absent", "x.True: absent → 2"]),
            ('{"$object":["m:C",{"k":1}]}', '{"$object":["m:C",{"k":2}]}', ["x.k: 1 → 2"]),
            (
                '{"$object":["m:C",{"k":1}]}',
                '{"$object":["m:D",{"k":1}]}',
                ["x: object('m:C', {'k': 1}) → object('m:D', {'k': 1})"],
            ),
            ('{"$enum":["m:Color","RED",1]}', '{"$enum":["m:Color","BLUE",2]}', ["x: Color.RED → Color.BLUE"]),
            ('{"$unheard":[1]}', '{"$unheard":[2]}', ["x: unheard(1) → unheard(2)"]),
            ('"' + "ab" * 16 + '"', '"' + "cd" * 16 + '"', ["x: ababababab… → cdcdcdcdcd…"]),
        ],
    )
    def test_writes_what_json_cannot_hold_readably(self, a: str, b: str, expected: list[str]) -> None:
        """Sets, bytes, objects and the like print as a person would write them."""
        assert _lines(f'{{"x":{a}}}', f'{{"x":{b}}}') == expected

    @pytest.mark.parametrize(
        ("a", "b", "expected"),
        [
            (Model(3), Model(4), ["x.depth: 3 → 4"]),
            (Color.RED, Color.BLUE, ["x: Color.RED → Color.BLUE"]),
            ({1, 2}, {1, 3}, ["x: {1, 2} → {1, 3}"]),
            (datetime.date(2026, 1, 2), datetime.date(2026, 1, 3), ["x: 2026-01-02 → 2026-01-03"]),
            (Path("a/b"), Path("a/c"), ["x: path('a/b') → path('a/c')"]),
            (decimal.Decimal("1.50"), decimal.Decimal("2.5"), ["x: 150e-2 → 25e-1"]),
            ({1: "a"}, {2: "a"}, ["x[1]: 'a' → absent", "x[2]: absent → 'a'"]),
            (float("nan"), float("inf"), ["x: nan → inf"]),
        ],
    )
    def test_writes_python_values_readably(self, a: Any, b: Any, expected: list[str]) -> None:
        """What users pass is told apart in words that they know."""
        assert _of({"x": a}, {"x": b}) == expected

    def test_shows_long_values_where_they_begin_to_differ(self) -> None:
        """Two long texts that differ late do not print alike."""
        (line,) = _of({"x": "a" * 500 + "b" + "c" * 500}, {"x": "a" * 500 + "d" + "c" * 500})
        before, after = line.split(" → ")

        assert "ab" in before
        assert "ad" in after
        assert len(line) < 200

    @given(value=_VALUES, other=_VALUES)
    def test_are_none_exactly_if_the_forms_are_equal(self, value: Any, other: Any) -> None:
        """A value does not differ from itself, and differs from every other one."""
        assert _of(value, value) == []
        assert bool(_of(value, other)) == (canonical(value) != canonical(other))

    def test_reads_values_of_any_depth(self) -> None:
        """Nesting deeper than Python's stack is no obstacle."""
        deep = "[" * 50_000 + "1" + "]" * 50_000
        (difference,) = canonical_differences(deep, deep.replace("1", "2"))

        assert (difference.a, difference.b) == ("1", "2")

    @pytest.mark.parametrize("text", ["", "[", "]", "{1:2}", "[1]]", '{"a"}', '"\\x"', "1 2"])
    def test_refuses_what_is_no_canonical_form(self, text: str) -> None:
        """A damaged text is an error, not a wrong answer."""
        with pytest.raises(ValueError, match=r"well formed|Invalid|zip"):
            list(canonical_differences(text, "1"))
