"""What moved while a function of a session ran, by its fingerprints before and after."""

import json

import pytest

from taggedartifacts._reach.reads import assigned
from taggedartifacts._session.moved import moved


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
