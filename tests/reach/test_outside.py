"""What a function reads without naming it: parameters of matplotlib."""

import pytest


class TestFigures:
    SOURCE = """
import matplotlib
@Artifact("out")
def fig(out):
    matplotlib.get_backend()
    Path(out).write_text("")
@Artifact("out")
def other(out):
    Path(out).write_text("")
"""

    def test_parameters(self, project):
        """Parameters of matplotlib that are not its defaults count for functions that reach it, but for windows."""
        matplotlib = pytest.importorskip("matplotlib")
        work = project.module(self.SOURCE)
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            plain = [work.fig.path("out/a.txt"), work.other.path("out/a.txt")]
            matplotlib.rcParams["toolbar"] = "None"
            same = [work.fig.path("out/a.txt"), work.other.path("out/a.txt")]
            matplotlib.rcParams["lines.linewidth"] = 7
            wide = [work.fig.path("out/a.txt"), work.other.path("out/a.txt")]
            work.fig("out/a.txt")
            matplotlib.rcParams["lines.linewidth"] = 8
            (difference,) = work.fig.explain("out/a.txt").differences

        assert plain == same
        assert plain[0] != wide[0]
        assert plain[1] == wide[1]
        assert "globals.matplotlib.rcParams.lines.linewidth: 7.0 → 8.0, read by matplotlib" == str(difference)

    def test_left_out(self, project):
        """A parameter of matplotlib can be left out by the name that `explain` gives it."""
        matplotlib = pytest.importorskip("matplotlib")
        work = project.module(self.SOURCE.replace('"out"', '"out", ignore=("matplotlib.rcParams.lines.linewidth",)', 1))
        with matplotlib.rc_context({"lines.linewidth": 7}):
            wide = work.fig.path("out/a.txt")
            matplotlib.rcParams["lines.linewidth"] = 8

            assert wide == work.fig.path("out/a.txt")
