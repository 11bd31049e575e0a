"""What the text of a module binds: what is kept of it, and how long."""

import gc
import runpy
import sys
import types
import weakref

import pytest

SCRIPT = """
from taggedartifacts import Artifact
class Table:
    pass
TABLE = Table()
LIMIT = [3]
@Artifact("out", config={"n": 1})
def f(out):
    with open(out, "w") as file:
        file.write(str(LIMIT))
f("out/f.txt")
"""


class TestScripts:
    @pytest.mark.parametrize("in_session", [False, True])
    def test_lets_go_of_what_ran(self, project, monkeypatch, in_session):
        """A script that runs again and again in one process, in globals of its own, leaves nothing behind but once."""
        monkeypatch.setattr("taggedartifacts._session.in_session", lambda: in_session)
        project.write("script.py", SCRIPT)
        project.commit()
        monkeypatch.chdir(project.path)
        file = str(project.path / "script.py")
        held = []
        for _ in range(6):
            module = types.ModuleType("__main__")  # as Streamlit makes one for each run
            module.__file__ = file
            monkeypatch.setitem(sys.modules, "__main__", module)
            exec(compile(SCRIPT, file, "exec"), vars(module))
            held.append(weakref.ref(module.TABLE))
            del module
            held.append(weakref.ref(runpy.run_path(file, run_name="__main__")["TABLE"]))
        monkeypatch.undo()
        gc.collect()

        assert sum(each() is not None for each in held) <= 2
