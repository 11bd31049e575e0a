"""The moment in a session: what of a cell's code is committed."""

import json

import pytest
from cells import Cells


@pytest.fixture
def cells(monkeypatch):
    return Cells.begin(monkeypatch)


IMPORTS = "from pathlib import Path\nfrom taggedartifacts import Artifact"
CALL = "@Artifact('out', allow_dirty=True)\ndef f(x, out): Path(out).write_text(str([old(x), g(x)]))"


class TestUncommitted:
    def test_two_of_one_name(self, cells, project):
        """Of two functions that have one name, each is committed where it stands in a file of its own."""
        first, second = (f"def g(x): return x + {number}" for number in (1, 2))
        cell = {"cell_type": "code", "source": f"{CALL}\n{first}"}
        project.write("work.ipynb", json.dumps({"cells": [cell]}))
        project.write("more.py", f"# %%\n{second}\n")
        project.commit()
        for source in (IMPORTS, first, "old = g", second, CALL):
            cells.run(source)

        assert "-dirty-" not in cells["f"].path(1, "out/a.txt").name
        cells.run("def g(x): return x + 3")
        assert "-dirty-" in cells["f"].path(1, "out/a.txt").name
