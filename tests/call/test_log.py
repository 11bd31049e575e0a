"""`show_log`: the library's log on stderr, for who has set up none."""

import sys

import pytest
from kernel import Kernel

SCRIPT = """
import logging, sys
from taggedartifacts import Artifact, show_log

@Artifact("out")
def f(x, out="out/f.txt"):
    open(out, "w").close()

exec(sys.argv[1])
f(1)
f(1)
"""


@pytest.fixture
def say(project):
    """Run a script that sets up the log as it is told; return what it says on stderr."""
    project.write("work.py", SCRIPT)
    project.commit()

    def run(setup):
        return project.run("sh", "-c", f'"{sys.executable}" work.py "{setup}" 2>&1 >/dev/null').splitlines()

    return run


class TestShowLog:
    def test_shows(self, say):
        """What was made and what was reused stands on stderr, once, however often it is called."""
        made, reused = say("show_log(); show_log()")

        assert made.startswith("made ")
        assert reused.startswith("reused ")

    def test_silent_without(self, say):
        """Without it, the library says only what deserves attention."""
        assert [] == say("pass")

    def test_level(self, say):
        """The level says what is shown; a later call changes it."""
        assert [] == say("show_log(logging.WARNING)")
        assert 2 == len(say("show_log(level=logging.WARNING); show_log()"))

    @pytest.mark.parametrize("name", ["", "'taggedartifacts'"])
    def test_where_a_handler_is(self, say, name):
        """Where somebody has set up a handler, nothing changes."""
        assert [] == say(f"logging.getLogger({name}).addHandler(logging.StreamHandler()); show_log()")

    def test_notebook(self, project):
        """Below a cell stand the same words in every clone: paths from the folder on, and no seconds of another run."""
        project.write("work.py", SCRIPT.partition("exec")[0])
        project.commit()
        with Kernel(project) as kernel:
            kernel.run("from work import f, show_log; show_log(); path = f(1)")
            reused, name = kernel.run("_ = f(1)"), kernel.run("print(path.name)")
            made = kernel.run("_ = f(2)")

        assert f"reused out/{name}" == reused
        assert made.startswith("made out/f-")
