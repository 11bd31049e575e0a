"""A project to measure in: a git repository with the same function cached by each library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

# Each is a module with `call(table)`: a call whose result is, or will be, there.
MODULES = {
    "taggedartifacts": """
from taggedartifacts import Artifact
@Artifact(keyword="outpath", config={"bins": 40})
def histogram(table, outpath):
    with open(outpath, "w") as file:
        file.write("x" * 1000)
def call(table):
    return histogram(table, outpath="figures/hist.png")
""",
    "joblib": """
import joblib
memory = joblib.Memory("joblib-cache", verbose=0)
@memory.cache
def histogram(table, bins):
    return "x" * 1000
def call(table):
    return histogram(table, 40)
""",
    "diskcache": """
import diskcache
cache = diskcache.Cache("diskcache-cache")
@cache.memoize()
def histogram(table, bins):
    return "x" * 1000
def call(table):
    return histogram(table, 40)
""",
    "cachier": """
from cachier import cachier
@cachier(cache_dir="cachier-cache")
def histogram(table, bins):
    return "x" * 1000
def call(table):
    return histogram(table, 40)
""",
}
TOOLS = tuple(MODULES)
_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


def make(folder: Path, *, imports: int = 0) -> Path:
    """Make the project: one module for each library, a script for each that makes twenty calls, all committed.

    Args:
        folder: Where to make it.
        imports: How many modules ours imports.
    """
    folder.mkdir(parents=True)
    names = [f"part{number}" for number in range(imports)]
    for name in names:
        (folder / f"{name}.py").write_text(f"def {name}(table):\n    return table\n")
    for tool, source in MODULES.items():
        lines = [f"import {name}" for name in names] if tool == "taggedartifacts" else []
        (folder / f"work_{tool}.py").write_text("\n".join(lines) + source)
        (folder / f"script_{tool}.py").write_text(
            f'from work_{tool} import call\n\nfor number in range(20):\n    call(f"penguins-{{number}}.csv")\n'
        )
    (folder / ".gitignore").write_text("*-cache\nfigures\n__pycache__\n")
    git(folder, "init", "-q")
    commit(folder)
    return folder


def git(root: Path, *arguments: str, **options: Any) -> Any:
    """Run git in a repository, as somebody whose settings are git's own."""
    command, environment = ["git", *arguments], os.environ | _ENVIRONMENT
    return subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True, **options)


def commit(root: Path) -> None:
    """Commit all that there is."""
    git(root, "add", "--all")
    git(root, "commit", "-q", "-m", "measured")


def worker(project: Path, section: str, *args: object, python: str = sys.executable) -> Any:
    """Run a section in a process of its own, in the project; it prints what it measured as JSON."""
    command = [python, str(HERE / f"{section}.py"), *map(str, args)]
    environment = os.environ | {"PYTHONPATH": f"{project}{os.pathsep}{HERE}"}
    done = subprocess.run(command, cwd=project, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)
