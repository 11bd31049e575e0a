"""Every code block of the README and of the docs does what its page says.

Rules for those who write pages. A page is run from top to bottom, in one process, in a directory of its own:

``python`` blocks
    are pieces of one script, ``page.py``, and share its namespace. Output is not compared: assert, or use ``pycon``.
Blocks that begin with a comment which is a file name
    (``# analysis.py``, in any language) are that file. A later block of the same name is its next version.
``pycon`` blocks
    are typed at the prompt of the same process, and answer as they say.
``console`` blocks
    are typed in a shell: lines that begin with ``$`` are commands, and the others are what they print, errors
    included. List a folder with ``ls -tr`` (oldest first): by name, the order of tagged files would be chance.
Blocks with the option ``:class: needs-ray``
    are run where ``ray`` can be imported. Where it cannot, the page is run without them and counts as skipped.
Others, and ``text``
    are not run.

The digits of tags may be any as long as equal ones are shown as equal and different ones as different; numbers of
seconds (``0.4 s``) may be any; ``...`` stands for any text, several lines of it too.

The directory is a git repository in which everything that the page shows is committed already (of files, the first
version), so that artifacts are clean. A page whose console says ``git init`` starts in an empty directory and does
all of git itself, as its reader would. Keep a page below five seconds, or name it in ``HEAVY``: then ``.ci/run`` runs
it, and the suite by itself does not. Try it: ``cd $(mktemp -d)`` and
``python .../tests/run_page.py .../docs/page.rst``; the process stops at the first thing that is not so.
"""

import ast
import os
import re
import sys
from pathlib import Path

import pytest
from gitrepo import GitRepo
from run_page import Same, code_blocks

import taggedartifacts

ROOT = Path(__file__).parent.parent
RUNNER = ROOT / "tests" / "support" / "run_page.py"
PAGES = [ROOT / "README.rst", *sorted((ROOT / "docs").rglob("*.rst"))]
# They start Python a dozen times, with matplotlib or a pool in it.
HEAVY = ("cluster", "cookbook", "settings", "tutorial", "what-counts")


def run_page(page, directory):
    """Run a page in a directory; raises an AssertionError with what it says if it is wrong."""
    settings = {
        "HOME": os.path.expanduser("~"),  # where matplotlib has its list of fonts, which takes seconds to make
        "GIT_CONFIG_GLOBAL": str(directory.parent / "directory-home" / ".gitconfig"),
        "MPLBACKEND": "Agg",
        "PATH": os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"],
        # Pages write the next version of a file within the second that bytecode is stamped with.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return GitRepo(directory, init=None).run(sys.executable, RUNNER, page, **settings)


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "directory").mkdir()
    return tmp_path / "directory"


class TestPages:
    @pytest.mark.parametrize(
        "page",
        [pytest.param(page, marks=[pytest.mark.heavy] if page.stem in HEAVY else []) for page in PAGES],
        ids=lambda page: str(page.relative_to(ROOT)),
    )
    def test_runs(self, page, directory):
        """What the page shows is what happens."""
        if left_out := re.findall(r".*: not run, .*", run_page(page, directory)):
            pytest.skip("; ".join(left_out))


class TestPictures:
    def test_comparison(self, tmp_path):
        """The comparison that the docs show as a notebook does is what the library says today."""
        actual = GitRepo(tmp_path / "place", init=None).run(sys.executable, ROOT / "docs" / "compared.py")

        assert Same()((ROOT / "docs" / "compared.html").read_text(encoding="utf-8"), actual)


class TestReadme:
    def test_two_commands(self):
        """The README has two set-up commands, each a line of its own, where people and machines find them."""
        lines = (line.strip() for line in (ROOT / "README.rst").read_text(encoding="utf-8").splitlines())

        assert [
            'python -m pip install ".[examples]" && python docs/examples/quickstart.py',
            'python -m pip install ".[test]" && python -m pytest',
        ] == [line for line in lines if line.startswith("python -m pip install")]


class TestRunner:
    """The runner itself notices what it should."""

    @pytest.mark.parametrize(
        ("page", "complaint"),
        [
            (".. code-block:: python\n\n   1 / 0\n", "ZeroDivisionError"),
            (".. code-block:: pycon\n\n   >>> 1 + 1\n   3\n", "+ 2"),
            (".. code-block:: console\n\n   $ echo one\n   two\n", "+ one"),
            (".. code-block:: console\n\n   $ false\n", "exit code 1"),
            (".. code-block:: console\n   :class: needs-pytest\n\n   $ echo one\n   two\n", "+ one"),
            (".. code-block:: console\n\n   echo one\n", "begins with"),
        ],
    )
    def test_wrong_page(self, page, complaint, directory):
        """A page that is wrong fails, and the message says where and how."""
        path = directory.parent / "page.rst"
        path.write_text(page)

        with pytest.raises(AssertionError, match=re.escape(complaint)):
            run_page(path, directory)

    def test_not_there(self, directory):
        """A block that needs what is not installed is left out, and said to be."""
        path = directory.parent / "page.rst"
        path.write_text(".. code-block:: console\n   :class: needs-no_such_module\n\n   $ echo one\n   two\n")

        assert "page.rst:4: not run, for there is no no_such_module" == run_page(path, directory).splitlines()[-1]

    def test_right_page(self, directory):
        """Files, script, prompt and shell share one directory, and script and prompt one namespace."""
        path = directory.parent / "page.rst"
        path.write_text(
            ".. code-block:: python\n\n   # one.py\n   VALUE = 1\n\n"
            ".. code-block:: python\n   :emphasize-lines: 1\n\n   import one\n\n   value = one.VALUE\n\n"
            "* .. code-block:: pycon\n\n     >>> value\n     1\n     >>> 1 / 0\n     Traceback (most ...\n"
            "     ZeroDivisionError: division by zero\n\n"
            ".. code-block:: python\n\n   # one.py\n   VALUE = 2\n\n"
            ".. code-block:: console\n\n   $ ls && git status --short\n   one.py\n   page.py\n    M one.py\n"
            "   $ python -c 'import one; print(one.VALUE)'\n   2\n"
        )

        run_page(path, directory)

    def test_lines(self):
        """A block knows its line in the page, so that tracebacks lead there."""
        page = "Title\n\n.. code-block:: python\n\n   first\n\n   second\nText\n"

        assert [("first\n\nsecond\n", 4)] == [(block.text, block.line) for block in code_blocks(page)]


class TestSame:
    ONE, TWO = "0123456789-0123456789ab", "abcdef0123-ba9876543210"

    @pytest.mark.parametrize(
        ("shown", "actual", "expected"),
        [
            (f"a-{ONE}.csv", f"a-{TWO}.csv", True),
            (f"a-{ONE}.csv", "a.csv", False),
            (f"a-{ONE}.csv", f"b-{ONE}.csv", False),
            (f"{ONE} {ONE}", f"{TWO} {TWO}", True),
            (f"{ONE} {ONE}", f"{ONE} {TWO}", False),
            (f"{ONE} {TWO}", f"{ONE} {ONE}", False),
            ("made in 0.4 s", "made in 12 s", True),
            ("made in 0.4 s", "made in 0.4 m", False),
            ("one ... four", "one two\nthree four", True),
        ],
    )
    def test_compares(self, shown, actual, expected):
        """Digits and seconds may differ from those shown, but not what they say."""

        assert expected == Same()(shown, actual)

    def test_remembers(self):
        """Digits stand for the same ones on the whole page."""
        same = Same()

        assert same(self.ONE, self.TWO)
        assert not same(self.ONE, self.ONE)


class TestLog:
    def test_every_message_is_explained(self):
        """Whoever looks up a message of the log finds it in the docs, as it stands in the code."""
        page = (ROOT / "docs" / "log.rst").read_text(encoding="utf-8")
        messages = {
            node.args[0].value
            for path in Path(taggedartifacts.__file__).parent.rglob("*.py")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and re.fullmatch(r"_log\.(debug|info|warning|error)", ast.unparse(node.func))
        }

        assert [] == sorted(message for message in messages if f"``{message}``" not in page)


class TestErrors:
    def test_every_error_is_listed(self):
        """The page of the API has all of them."""
        page = (ROOT / "docs" / "api.rst").read_text(encoding="utf-8")

        assert set(re.findall(r"autoexception:: (\w+)", page)) == {
            name for name in taggedartifacts.__all__ if name.endswith("Error")
        }


class TestMap:
    def test_every_file_is_there(self):
        """The page for contributors names files that there are, so that nobody is sent to one that has moved."""
        page = (ROOT / "docs" / "contributing.rst").read_text(encoding="utf-8")
        named = set(re.findall(r"``((?:_[a-z]+|tests)/[a-z_/]+\.py)``", page))

        assert named
        assert [] == [
            each
            for each in sorted(named)
            if not ((ROOT / each).is_file() or (Path(taggedartifacts.__file__).parent / each).is_file())
        ]


class TestReference:
    def test_everything_public_is_listed(self):
        """The page of the API has all that is public, but for the errors."""
        page = (ROOT / "docs" / "api.rst").read_text(encoding="utf-8")

        assert set(re.findall(r"(?m)^\.\. (?:auto)?(?:class|function):: (\w+)", page)) == {
            name for name in taggedartifacts.__all__ if not name.endswith("Error")
        }
