"""A small project under git whose decorated functions tests run in fresh processes, to get real artifacts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gitrepo import GitRepo

PLOTS = '''\
"""Functions that write files."""

from pathlib import Path

import fakepackage
import helper
from taggedartifacts import Artifact

settings = {"bins": 40, "model": {"depth": 3, "name": "tree"}}


@Artifact(keyword="outpath", config=settings, allow_dirty=True, inputs=("table",), ignore=("content",))
def histogram(table, scale=1, content="same", *, outpath):
    Path(outpath).write_text(f"{content}\\n")


@Artifact(keyword=("fit", "residuals"), config=settings, allow_dirty=True)
def model(scale=1, *, fit, residuals):
    Path(fit).write_text("fit\\n")
    Path(residuals).write_text("residuals\\n")


@Artifact(keyword="outpath", config=settings, allow_dirty=True)
def shapes(*, outpath):
    path = Path(outpath)
    path.write_text("shapes\\n")
    path.with_suffix(".shx").write_text("index\\n")
    path.with_name(path.name + ".xml").write_text("metadata\\n")


@Artifact(keyword="outpath", config=settings, allow_dirty=True)
def weights(scale=1, content="same", *, outpath):
    path = Path(outpath)
    (path / "layers").mkdir()
    (path / "layers" / "first.bin").write_text(f"{content}\\n")
    (path / "index.txt").write_text("one layer\\n")


@Artifact(keyword="outpath", config=settings)
def strict(scale=1, *, outpath):
    Path(outpath).write_text("strict\\n")


@Artifact(keyword="outpath", config=settings, mode="r", allow_dirty=True)
def reader(outpath):
    return Path(outpath).read_text()
'''

# Carries out calls that come as JSON: the function's name, its arguments, the settings, and what to do with it.
_RUN = '''\
import json, platform, sys

jobs = json.load(sys.stdin)
if jobs["python"]:
    platform.python_version = lambda: jobs["python"]
import plots

initial = json.dumps(plots.settings)
for job in jobs["calls"]:
    plots.settings.clear()
    plots.settings.update(json.loads(initial) | job["settings"])
    f = getattr(plots, job["function"])
    result = (f if job["does"] == "call" else getattr(f, job["does"]))(**job["arguments"])
    paths = result if isinstance(result, tuple) else (result,)
    print(json.dumps([str(path) for path in paths]))
'''


def call(function: str, *, does: str = "call", settings: dict[str, Any] | None = None, **arguments: Any) -> dict[str, Any]:
    """Describe a call for `Project.run`."""
    return {"function": function, "does": does, "settings": settings or {}, "arguments": arguments}


class Project:
    """A repository with ``plots.py``, ``helper.py``, and beside it a package that is no part of it.

    Args:
        path: A directory for the repository, the package and the artifacts.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.repo = GitRepo(path / "repository")
        self.out = path / "out"
        self.repo.write("plots.py", PLOTS)
        self.repo.write("helper.py", "VALUE = 1\n")
        self.repo.write("table.csv", "a,b\n1,2\n")
        self.repo.write("other.csv", "a,b\n3,4\n")
        self.commit = self.repo.commit("Draw histograms")
        self.set_package("1.0")

    def set_package(self, version: str) -> None:
        """Install another version of the package."""
        package = self.path / "packages" / "fakepackage.py"
        package.parent.mkdir(exist_ok=True)
        package.write_text(f"__version__ = {version!r}\n")

    def run(self, *calls: dict[str, Any], python: str | None = None) -> list[list[str]]:
        """Carry out calls in one fresh process; returns the paths of each, or the lines of other results."""
        jobs = self.path / "jobs.json"
        jobs.write_text(json.dumps({"calls": calls, "python": python}))
        script = self.path / "run.py"
        script.write_text(_RUN.replace("json.load(sys.stdin)", f"json.load(open({str(jobs)!r}))"))
        where = f"{self.path / 'packages'}:{self.repo.path}"
        lines = self.repo.python("-W", "ignore::ResourceWarning", str(script), PYTHONPATH=where).splitlines()
        return [json.loads(line) for line in lines]

    def make(self, function: str = "histogram", out: Path | None = None, **options: Any) -> Path:
        """Make one artifact with a plain name, and return its path."""
        python = options.pop("python", None)
        (paths,) = self.run(self.making(function, out, **options), python=python)
        return Path(paths[0])

    def making(self, function: str = "histogram", out: Path | None = None, **options: Any) -> dict[str, Any]:
        """Describe the call that makes one artifact with a plain name."""
        out = out or self.out
        paths = {"model": {"fit": f"{out}/fit.txt", "residuals": f"{out}/residuals.txt"}}
        names = {"histogram": "hist.png", "shapes": "map.shp", "weights": "weights/", "strict": "strict.txt"}
        arguments = paths.get(function) or {"outpath": f"{out}/{names.get(function, 'hist.png')}"}
        if function == "histogram":
            arguments = {"table": str(self.repo.path / "table.csv"), **arguments}
        return call(function, **(arguments | options))
