"""What tests of sessions share: the cells and modules of a small project, and what its calls have left."""

import json

IMPORTS = "from taggedartifacts import Artifact\n"
DEFINITION = """@Artifact("out")
def count(x, out):
    with open("runs", "a") as runs:
        runs.write("run\\n")
    with open(out, "w") as file:
        file.write(str(helper(x) + N))
"""
HELPER = "def helper(x):\n    return 2 * x\n"
CALL = 'count(3, out="out.txt")'
CELLS = (IMPORTS + "N = 1", HELPER, DEFINITION, CALL)
MODULE = """from taggedartifacts import Artifact
import helper

@Artifact("out", allow_dirty={dirty})
def make(out):
    with open(out, "w") as file:
        file.write("{text}" + helper.text())
"""


def notebook(*cells):
    """The bytes of a notebook as Jupyter would save it."""
    code = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "source": cell.splitlines(keepends=True),
            "outputs": [],
            "execution_count": None,
            "metadata": {},
        }
        for number, cell in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"cells": code, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}).encode()


def write_module(repo, text="one", *, dirty=False):
    repo.write("mod.py", MODULE.format(text=text, dirty=dirty))


def artifacts(repo, stem="out"):
    """The contents of the artifacts, by name."""
    return {path.name: path.read_text() for path in repo.path.glob(f"{stem}-*")}


def runs(repo):
    path = repo.path / "runs"
    return len(path.read_text().splitlines()) if path.exists() else 0
