"""Functions of installed copies: their package counts, and a repository that holds another content is refused."""

import pytest

SOURCE = """
from pathlib import Path
from taggedartifacts import Artifact
from .helpers import number
@Artifact("out")
def fig(out):
    Path(out).write_text(str(number()))
"""
RUN = "from toolbox.plots import fig; print(fig('out/a.txt').name)"


@pytest.fixture
def install(project, tmp_path):
    """Write the package in the repository and, copied, among installed packages."""

    def write(number, installed):
        project.write("src/toolbox/__init__.py")
        project.write("src/toolbox/plots.py", SOURCE)
        project.write("src/toolbox/helpers.py", f"def number():\n    return {number}\n")
        project.commit()
        site = tmp_path / "venv" / "site-packages" / "toolbox"
        site.mkdir(parents=True, exist_ok=True)
        (site / "__init__.py").write_text("")
        (site / "plots.py").write_text(SOURCE)
        (site / "helpers.py").write_text(f"def number():\n    return {installed}\n")

    def run(check=True):
        return project.python("-c", RUN, check=check, PYTHONPATH=str(tmp_path / "venv" / "site-packages"))

    return write, run


class TestInstalled:
    def test_refused(self, install):
        """A copy that is not what the repository of the current directory holds is refused, with what to do."""
        write, run = install
        write(1, 1)
        same = run()
        write(2, 1)

        with pytest.raises(AssertionError, match=r"helpers.py differs.*\n?.*pip install -e"):
            run()
        write(2, 2)
        assert same != run()

    def test_counts(self, install, project):
        """The whole package counts where no repository holds it."""
        write, run = install
        write(1, 1)
        project.git("rm", "-q", "-r", "src")
        project.commit()
        first = run()
        for file in (project.path.parent / "venv").rglob("helpers.py"):
            file.write_text("def number():\n    return 3\n")

        assert first != run()

    @pytest.mark.parametrize(("uses", "counts"), [("import taggedartifacts", True), ("", False)])
    def test_values(self, project, tmp_path, uses, counts):
        """What is set in an installed package counts if the package uses this library; else it is environment."""
        folder = tmp_path / "venv" / "site-packages" / "boxes"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(f"{uses}\nfrom .writing import write\n")
        (folder / "writing.py").write_text(
            "from . import state\ndef write(path):\n    open(path, 'w').write(str(state.LEVEL))\n"
        )
        (folder / "state.py").write_text("LEVEL = int('1')\n")
        project.commit()
        source = """
import sys, boxes
from boxes import state
from taggedartifacts import Artifact
state.LEVEL = int(sys.argv[1])
print(Artifact("path")(boxes.write).path("out/a.txt").name)
"""
        names = [project.python("-c", source, level, PYTHONPATH=str(folder.parent)) for level in ("1", "2")]

        assert counts == (names[0] != names[1])
