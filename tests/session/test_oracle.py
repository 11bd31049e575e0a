"""Sessions against an oracle: what the undecorated function would write now, in real kernels and terminals."""

import importlib.util
import json
import os
import re
from pathlib import Path

import pytest
from gitrepo import GitRepo

pytest.importorskip("ipykernel")
pytest.importorskip("nbclient")

from kernel import CellError, Kernel
from scenarios import CODE, KNOWN, NOTHING, OPEN, REFUSED, TABLE, Scenario

SUPPORT = Path(__file__).parent.parent / "support"
IMPORTS = "from taggedartifacts import Artifact"
HELPER = """BINS = 1
def bins():
    return BINS
class Config:
    bins = 1
    def get(self):
        return 1
"""
SCRIPT = "SCRIPTED = 1\ndef scripted():\n    return SCRIPTED\n"
# A slice of all kinds, for every run of the tests.
DAILY = {
    "helpers": ["by name", "comment"],
    "containers": ["registry, run again"],
    "methods": ["put on the class"],
    "inheritance": ["metaclass in place"],
    "closures": ["nonlocal", "sentinel"],
    "functools": ["singledispatch after a call", "lru_cache that froze a global"],
    "generated": ["attrs, run again", "dataclass, option by a name"],
    "strings": ["command"],
    "reflection": ["globals() by a computed key", "subclasses"],
    "modules": ["import json", "function of a module replaced", "attribute that a function of the module reads"],
    "values": ["order of a dict"],
}


class Session:
    """A kernel in a repository in which the cells of scenarios stand at HEAD."""

    def __init__(self, repo, kernel):
        self._repo, self._kernel = repo, kernel
        self._committed = []

    def commit(self, cells, *, more=False):
        """Commit cells, in the place of those that are committed already or beside them."""
        self._committed = [*self._committed, *cells] if more else cells
        code = [{"cell_type": "code", "source": cell, "outputs": [], "metadata": {}} for cell in self._committed]
        self._repo.write("work.ipynb", json.dumps({"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
        self._repo.commit()

    def begin(self, scenario):
        """Run the cells before the change."""
        self._kernel.run("__import__('oracle').begin()", IMPORTS, *scenario.cells)

    def call(self, scenario, stem):
        """Call the function; tell what came of it."""
        args = f", {scenario.args}" if scenario.args else ""
        said = self._kernel.run(f"__import__('oracle').check({stem!r}{args}, restore={scenario.restore!r})")
        return json.loads(next(line for line in said.splitlines() if line.startswith('{"error"')))

    def run(self, cell):
        """Run a cell."""
        if cell:
            self._kernel.run(cell)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    repo = GitRepo(tmp_path_factory.mktemp("oracle") / "repo")
    repo.write(".gitignore", "/out/\n__pycache__/\n")
    repo.write("helper.py", HELPER)
    repo.write("script.py", SCRIPT)
    repo.write("data.csv", "1,2\n")
    repo.commit()
    path = os.pathsep.join(filter(None, [str(SUPPORT), repo.env.get("PYTHONPATH") or os.environ.get("PYTHONPATH")]))
    with Kernel(repo, PYTHONPATH=path, MPLCONFIGDIR=os.environ["MPLCONFIGDIR"]) as kernel:
        yield Session(repo, kernel)


def lies(session, scenario: Scenario, stem, *, committed):
    """Go through a scenario; list what is wrong: lies, needless refusals, false dirt and false misses."""
    found = []

    def look(step, *, clean=True):
        seen = session.call(scenario, stem)
        if seen["error"] is not None:
            if scenario.kind != REFUSED:
                found.append(f"{step}: refused: {seen['error']}")
            return seen
        if seen["content"] != seen["now"] and not (scenario.kind == OPEN and step == "changed"):
            found.append(f"{step}: {seen['content']!r} instead of {seen['now']!r}, named {seen['name']}")
        if ("-dirty-" in seen["name"]) is clean:
            found.append(f"{step}: {seen['name']} is {'not ' * clean}clean")
        return seen

    session.begin(scenario)
    first = look("before")
    again = look("again")
    if first["error"] is None and again["error"] is None and not again["hit"]:
        found.append("again: made again")
    session.run(scenario.change)
    after = look("changed", clean=committed or scenario.kind != CODE)
    if scenario.kind in (NOTHING, OPEN) and after["error"] is None and not after["hit"]:
        found.append("changed: made again")
    if (
        scenario.kind == REFUSED
        and (first["error"] is None and after["error"] is None)
        and first["now"] == after["now"]
    ):
        found.append("not refused")
    session.run(scenario.undo)
    return found


def go_through(session, scenarios):
    """Go through scenarios before and after their changes are committed; tell what is wrong, by name."""
    wrong = {}
    for committed in (False, True):
        for name, scenario in scenarios.items():
            stem = re.sub(r"\W+", "-", name)
            try:
                found = lies(session, scenario, stem, committed=committed)
            except CellError as error:
                found = [str(error)]
            if found:
                wrong[f"{name}{', committed' if committed else ''}"] = found
        session.commit([scenario.change for scenario in scenarios.values()], more=True)
    return wrong


def chosen(kinds):
    """The scenarios of some kinds, by kind and name, as far as what they need is there."""
    return {
        f"{kind}: {each.name}": each
        for kind, names in kinds.items()
        for each in TABLE[kind]
        if each.name in names and (not each.needs or importlib.util.find_spec(each.needs))
    }


def test_daily(session):
    """One scenario or two of each kind."""
    scenarios = chosen(DAILY)
    session.commit([cell for each in scenarios.values() for cell in each.cells])

    wrong = go_through(session, scenarios)

    assert not wrong, json.dumps(wrong, indent=1)


@pytest.mark.heavy
@pytest.mark.parametrize("kind", TABLE)
def test_all(session, kind):
    """An artifact holds what its function would write now, or the call is refused; it is clean if all is committed."""
    scenarios = chosen({kind: {each.name for each in TABLE[kind]}})
    session.commit([cell for each in scenarios.values() for cell in each.cells])

    wrong = go_through(session, scenarios)
    known = {f"{kind}: {name}" for name in KNOWN.get(kind, ())}
    unknown = {name: found for name, found in wrong.items() if name.removesuffix(", committed") not in known}

    assert not unknown, json.dumps(unknown, indent=1)
