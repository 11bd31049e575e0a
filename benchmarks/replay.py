"""Live through the history of a made-up analysis, commit by commit: ``python replay.py [commits] [seed]``.

For three functions it prints how many commits make them again, and how many uncommitted edits refuse them, with the
automatic scope and with the whole repository. Each time that a function is made again has to be justified by a file of
its scope that changed, and no such file may change without; that is checked by comparing all files and their syntax.
"""

from __future__ import annotations

import ast
import random
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from project import commit, git

from taggedartifacts._code.codestate import take_look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taggedartifacts._code.dirt import CodeState

COMMITS, SEED = 80, 1
FUNCTIONS = ("analysis/simulate.py", "analysis/fit.py", "analysis/plots.py")
SCOPES = {"automatic": (), 'scope=["."]': (".",)}
PROJECT = {
    "analysis/__init__.py": '"""An analysis."""\n',
    "analysis/simulate.py": "from helpers.config import load\n\ndef simulate(out):\n    load('params.yaml')\n",
    "analysis/fit.py": "from helpers import stats\nfrom .simulate import simulate\n\ndef fit(out):\n    pass\n",
    "analysis/plots.py": "from helpers import stats, style\n\ndef plot(out):\n    style.use()\n",
    "helpers/__init__.py": "",
    "helpers/stats.py": "def mean(values):\n    return sum(values) / len(values)\n",
    "helpers/style.py": "COLOURS = ['blue', 'red']\n\ndef use():\n    return COLOURS\n",
    "helpers/config.py": "import json\n\ndef load(path):\n    return open(path).read()\n",
    "helpers/cli.py": "import argparse\n\ndef parser():\n    return argparse.ArgumentParser()\n",
    "helpers/upload.py": "import subprocess\n\ndef upload(path):\n    subprocess.run(['rsync', path])\n",
    "scripts/run_all.py": "from analysis import fit, plots, simulate\nfrom helpers import cli\n",
    "tests/test_stats.py": "from helpers import stats\n\ndef test_mean():\n    assert stats.mean([1]) == 1\n",
    "tests/test_fit.py": "from analysis import fit\n",
    "params.yaml": "bins: 40\n",
    "data/stations.csv": "name,height\na,1\n",
    "data/raw.csv": "1,2\n",
    "paper/main.tex": "\\documentclass{article}\n",
    "paper/refs.bib": "@article{a}\n",
    "paper/fig1.png": "picture\n",
    "docs/index.rst": "Docs\n",
    "notebooks/explore.ipynb": "{}\n",
    "workflow/Snakefile": "rule all:\n",
    "run.sh": "python scripts/run_all.py\n",
    "requirements.txt": "numpy\n",
    "README.md": "# Analysis\n",
    ".gitignore": "figures/\n",
}
# How often what is committed, of a hundred: in a project that is being written up.
HABITS = {
    ("paper/main.tex",): 18,
    ("paper/refs.bib", "paper/main.tex"): 5,
    ("paper/fig1.png",): 4,
    ("README.md",): 5,
    ("docs/index.rst",): 3,
    ("notebooks/explore.ipynb",): 6,
    ("workflow/Snakefile", "run.sh"): 5,
    ("requirements.txt",): 2,
    ("tests/test_stats.py",): 5,
    ("tests/test_fit.py", "analysis/fit.py"): 4,
    ("scripts/run_all.py",): 5,
    ("helpers/cli.py", "scripts/run_all.py"): 3,
    ("helpers/upload.py",): 3,
    ("analysis/plots.py",): 9,
    ("helpers/style.py",): 4,
    ("analysis/simulate.py",): 3,
    ("helpers/stats.py",): 2,
    ("params.yaml",): 2,
    ("data/stations.csv",): 1,
    ("remark",): 8,
    ("layout",): 3,
}


class Step(NamedTuple):
    """What the functions were at one commit: their states, and the files of that commit."""

    states: dict[tuple[str, str], CodeState]
    files: dict[str, bytes]


class Project:
    """The project, in a git repository of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        git(root, "init", "-q", "-b", "main")
        for name, text in PROJECT.items():
            path = root / name
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(text)
        commit(root)

    def edit(self, names: Sequence[str], number: int, dice: random.Random) -> None:
        """Change what a habit says."""
        modules = [path for path in sorted(self.root.rglob("*.py")) if path.stat().st_size]
        if names == ("remark",):
            path = dice.choice(modules)
            path.write_text(f"# Remark {number}.\n{path.read_text()}")
        elif names == ("layout",):
            for path in modules:
                lines = ast.unparse(ast.parse(path.read_text())).splitlines()
                path.write_text(f"# Layout {number}.\n" + "\n\n".join(lines) + "\n")
        else:
            for name in names:
                path = self.root / name
                line = f"EDITED = {number}\n" if name.endswith(".py") else f"edited {number}\n"
                path.write_text(path.read_text() + line)

    def look(self) -> Step:
        states = {
            (function, name): take_look(str(self.root / function), scope=scope, fresh=True).state()
            for function in FUNCTIONS
            for name, scope in SCOPES.items()
        }
        paths = (path for path in self.root.rglob("*") if path.is_file() and ".git" not in path.parts)
        return Step(states, {path.relative_to(self.root).as_posix(): path.read_bytes() for path in paths})


def changed(before: Step, after: Step, key: tuple[str, str]) -> list[str]:
    """List the files of a function's scope, before or after, that changed: modules in the sense of their syntax."""
    scopes = before.states[key].scope, after.states[key].scope

    def content(step: Step, path: str) -> object:
        text = step.files.get(path)
        by_syntax = path.endswith(".py") and text is not None and not any(scope.by_bytes for scope in scopes)
        return ast.dump(ast.parse(text)) if by_syntax and text is not None else text

    return [
        path
        for path in sorted({*before.files, *after.files})
        if any(scope.holds(path) for scope in scopes) and content(before, path) != content(after, path)
    ]


def live(root: Path, commits: int, seed: int) -> None:
    dice = random.Random(seed)
    project = Project(root)
    before = project.look()
    made = dict.fromkeys(before.states, 0)
    refused = dict.fromkeys(before.states, 0)
    for number in range(commits):
        if number % 20 == 19:  # a branch for a change of its own, merged behind the next commit of the other
            git(root, "checkout", "-q", "-b", f"side{number}")
            project.edit(("helpers/style.py",), number, dice)
            commit(root)
            git(root, "checkout", "-q", "main")
            project.edit(("paper/main.tex",), number, dice)
            commit(root)
            before = project.look()
            git(root, "merge", "-q", "--no-ff", "-m", "x", f"side{number}")
        else:
            project.edit(dice.choices(list(HABITS), list(HABITS.values()))[0], number, dice)
            uncommitted = project.look()
            for key, state in uncommitted.states.items():
                refused[key] += state.dirty is not None
                assert bool(changed(before, uncommitted, key)) == (state.dirty is not None), key
            commit(root)
        after = project.look()
        for key, state in after.states.items():
            again = state.commit != before.states[key].commit
            made[key] += again
            why = changed(before, after, key)
            assert again == bool(why), (number, key, why)
            assert state.dirty is None
        before = after
    print(f"{commits} commits; each that made a function again changed a file of its scope, and no other did so")
    print(f"{'':24}{'commits that make it again':>30}{'uncommitted edits refused':>30}")
    for function, name in made:
        shares = (f"{100 * count[function, name] / commits:.0f} %" for count in (made, refused))
        print(
            f"{function:24}{name:12}"
            + "".join(f"{share:>{width}}" for share, width in zip(shares, (18, 30), strict=True))
        )


if __name__ == "__main__":
    given = dict(enumerate(map(int, sys.argv[1:])))
    with tempfile.TemporaryDirectory() as folder:
        live(Path(folder).resolve(), given.get(0, COMMITS), given.get(1, SEED))
