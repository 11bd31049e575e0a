"""Which kinds of files count although no import leads to them, and that the docs list all of them."""

import re
from pathlib import Path

import pytest

from taggedartifacts._code.kinds import FOLDERS, KINDS, NAMES, counts, kind_of, named

PAGE = Path(__file__).parent.parent.parent / "docs" / "what-counts.rst"


class TestKindOf:
    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("plots.py", "Python"),
            ("README", "document"),
            ("docs/Report.TEX", "document"),
            ("logo.png", "image"),
            ("requirements-dev.txt", "environment or packaging file"),
            ("sub/Snakefile", "workflow"),
            (".github/settings.yml", "workflow"),
            (".gitignore", "git's own"),
            ("explore.ipynb", "notebook"),
            ("docs/table.csv", None),
            ("notes.txt", None),
            ("page.html", None),
            ("config/run.yaml", None),
            ("data", None),
        ],
    )
    def test_kind(self, path, kind):
        """A file has a kind by its suffix, its name or its folder; data and settings have none."""
        assert kind == kind_of(path)


class TestCounts:
    def test_data(self):
        """Data count wherever they lie, and documents do not."""
        assert counts("docs/table.csv", ())
        assert not counts("docs/table.md", ())

    def test_named(self):
        """What the code names counts whatever its kind, by its name or a pattern; a notebook never."""
        assert counts("docs/logo.png", named(["static/logo.png"]))
        assert counts("docs/logo.png", named(["docs/*.png"]))
        assert not counts("docs/logo.png", named(["*"]))
        assert not counts("explore.ipynb", named(["explore.ipynb"]))


class TestPage:
    def test_every_kind_is_listed(self):
        """The table in the docs holds these kinds and patterns, and no others."""
        _, _, rest = PAGE.read_text(encoding="utf-8").partition("   :name: kinds\n")
        table = rest.lstrip("\n").partition("\n\n")[0]
        rows = {row.splitlines()[0]: set(re.findall("``(.+?)``", row)) for row in table.split("   * - ")[1:]}

        assert rows == {
            kind: {*KINDS.get(kind, ()), *NAMES.get(kind, ()), *FOLDERS.get(kind, ())}
            for kind in {*KINDS, *NAMES, *FOLDERS}
        }
