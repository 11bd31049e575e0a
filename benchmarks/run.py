"""Measure it all, side by side with other libraries: ``python benchmarks/run.py [--quick] [--only hits,misses]``.

Needs the libraries that it compares with: ``pip install -e ".[test]" diskcache cachier``.
Prints a table; writes ``results.json``, with the environment, and ``results.svg``. Absolute times say something about
the machine only; the ratios are what counts, each within one run in which everything takes turns.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import crowd
import starts
from misses import SIZES
from project import TOOLS, commit, make, worker
from timing import ratio, summary

SECTIONS = (
    "hits",
    "sweep",
    "first",
    "imports",
    "scripts",
    "misses",
    "growth",
    "crowd",
    "release",
    "hashing",
    "codestate",
    "notebook",
    "history",
)
UNITS = ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (float("inf"), 1.0, "s"))


class Report:
    """What was measured: rows of times, and goals with what was reached."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.goals: list[dict[str, Any]] = []
        self.notes: list[str] = []

    def times(self, section: str, samples: dict[str, list[float]]) -> None:
        print(f"\n{section}")
        for name, values in samples.items():
            found = summary(values)
            self.rows.append({"section": section, "name": name, "unit": "s", **found, "samples": values})
            spread = f"{duration(found['low'])} to {duration(found['high'])}"
            print(f"  {name:28} {duration(found['median']):>10}   ({spread}, {found['rounds']} rounds)")

    def goal(self, what: str, value: float, goal: str, *, met: bool) -> None:
        self.goals.append({"what": what, "value": value, "goal": goal, "met": met})
        print(f"  {'met   ' if met else 'MISSED'} {what}: {value:.3g} (goal: {goal})")

    def note(self, text: str) -> None:
        self.notes.append(text)
        print(f"  {text}")


def duration(seconds: float) -> str:
    """Write a time in the unit that suits it."""
    factor, unit = next((factor, unit) for most, factor, unit in UNITS if abs(seconds) < most)
    return f"{seconds * factor:.3g} {unit}"


def hits(report: Report, project: Path, *, quick: bool) -> None:
    samples = worker(project, "hits", 30 if quick else 200)
    report.times("a repeated hit in one process", samples)
    of_joblib = ratio(samples, "taggedartifacts", "joblib")
    report.goal("a repeated hit, of joblib's", of_joblib, "at most 1/4", met=of_joblib <= 1 / 4)
    of_diskcache = ratio(samples, "taggedartifacts", "diskcache")
    report.goal("a repeated hit, of diskcache's", of_diskcache, "at most 1.1", met=of_diskcache <= 1.1)


def sweep(report: Report, project: Path, *, quick: bool) -> None:
    samples = starts.sweeps(project, 5 if quick else 30)
    report.times(f"each of {starts.SWEEP} different hits, in a fresh process", samples)
    of_joblib = ratio(samples, "taggedartifacts", "joblib")
    report.goal("a sweep of hits, of joblib's", of_joblib, "at most 1/2", met=of_joblib <= 1 / 2)
    of_diskcache = ratio(samples, "taggedartifacts", "diskcache")
    report.goal("a sweep of hits, of diskcache's", of_diskcache, "at most 1.5", met=of_diskcache <= 1.5)


def first(report: Report, project: Path, *, quick: bool) -> None:
    project = make(project.with_name("fifty"), imports=50)
    subprocess.run([sys.executable, "script_taggedartifacts.py"], cwd=project, check=True)
    samples = starts.first_hits(project, 5 if quick else 30)
    allowed = "2 x floor + binding + hashing + 5 ms"
    samples[allowed] = [
        2 * floor + binding + hashing + 0.005
        for floor, binding, hashing in zip(samples["floor"], samples["binding"], samples["hashing"], strict=True)
    ]
    report.times("the first hit of a process, 50 modules in its scope", samples)
    share = ratio(samples, "first hit", allowed)
    report.goal(f"the first hit, of {allowed}", share, "at most 1", met=share <= 1)


def imports(report: Report, project: Path, *, quick: bool) -> None:
    report.times("an interpreter that only imports", starts.imports(project, 5 if quick else 25))


def scripts(report: Report, project: Path, *, quick: bool) -> None:
    samples = starts.scripts(project, 5 if quick else 25)
    report.times("a script of twenty calls, all cached, start to end", samples)
    share = ratio(samples, "taggedartifacts", "joblib")
    report.goal("a script in which all is cached, of joblib's", share, "below 1", met=share < 1)


def misses(report: Report, project: Path, *, quick: bool) -> None:
    for what in SIZES:
        if quick and what in ("100 MB", "1 GB"):
            continue
        rounds = 5 if quick or what == "1 GB" else 15
        samples = worker(project, "misses", what, rounds)
        pairs = zip(samples["taggedartifacts"], samples["bare function"], strict=True)
        samples["what a miss adds"] = [ours - bare for ours, bare in pairs]
        report.times(f"a miss, {what}", samples)
        if what == "1 KB":
            added = summary(samples["what a miss adds"])["median"]
            report.goal("milliseconds that a miss adds at 1 KB", added * 1e3, "below 5", met=added < 0.005)
        if what == "1 GB":
            pairs = zip(samples["taggedartifacts"], samples["bare function, fsync"], strict=True)
            samples["beyond write and fsync"] = [ours - bare for ours, bare in pairs]
            share = ratio(samples, "beyond write and fsync", "bare function, fsync")
            report.goal("what a miss adds at 1 GB, of write and fsync", share, "below 0.25", met=share < 0.25)


def growth(report: Report, project: Path, *, quick: bool) -> None:
    most = 10_000 if quick else 1_000_000
    found = worker(project, "growth", 20 if quick else 100, most)
    for count, samples in found["growth"].items():
        report.times(f"{int(count):,} artifacts in the directory", samples)
    grown = ratio(found["growth"][str(most)], "hit", "hit among 10")
    report.goal(f"a hit among {most:,} artifacts, of one among 10", grown, "at most 1.1", met=grown <= 1.1)
    for name, sizes in found["memory"].items():
        grown = (sizes[-1] - sizes[1]) / 1e6
        report.goal(f"MB that memory grew over the last 80,000 of 100,000 {name}", grown, "below 1", met=grown < 1)


def gathered(report: Report, project: Path, *, quick: bool) -> None:
    for name, source in crowd.modules().items():
        (project / f"{name}.py").write_text(source)
    commit(project)
    rounds = 1 if quick else 5
    print(f"\n{crowd.PROCESSES} processes at once")
    found = {tool: [crowd.gather(project, tool, f"t{number}") for number in range(rounds)] for tool in TOOLS}
    for tool, each in found.items():
        runs = [one["runs"] for one in each]
        report.rows.append({"section": "crowd", "name": tool, "unit": "runs", **summary(runs), "samples": each})
        print(f"  {tool:28} ran {', '.join(map(str, runs))} times")
        if missing := sum(one["missing"] for one in each):
            report.note(f"{tool}: {missing} calls had not returned after {crowd.PATIENCE:.0f} s")
    ours = found["taggedartifacts"]
    many = [crowd.gather(project, "taggedartifacts", f"m{number}", crowd.MANY) for number in range(rounds)]
    most = max(one["runs"] for one in ours + many)
    report.goal("runs of 16 or 64 processes at once", most, "1", met=most == 1)
    for which, key in (("last", "last waiter"), ("middle", "median waiter")):
        waits = {tool: [one[key] for one in each] for tool, each in found.items()}
        report.times(f"from the first of the crowd to the {which}", waits)
    for processes, each in {crowd.PROCESSES: ours, crowd.MANY: many}.items():
        keys = ("median woken", "last woken", "processor")
        report.times(
            f"{processes} processes, from the artifact's name", {key: [one[key] for one in each] for key in keys}
        )
        woken = summary([one["last woken"] for one in each])["median"]
        report.goal(f"seconds until the last of {processes} woke", woken, "at most 0.05", met=woken <= 0.05)


def release(report: Report, project: Path, *, quick: bool) -> None:
    if quick:
        return
    print("\nthe first release, 0.1.1, which runs the function at each call")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = f"{folder}/bin/python"
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        pinned = subprocess.run([*install, "taggedartifacts==0.1.1"], capture_output=True, text=True, check=False)
        if pinned.returncode:
            reason = next((line.strip() for line in pinned.stderr.splitlines() if "error:" in line.lower()), "")
            report.note(f"cannot be installed with the pygit2 that it asks for ({reason}); measured with today's")
            for packages in (["--no-deps", "taggedartifacts==0.1.1"], ["pygit2"]):
                subprocess.run([*install, *packages], check=True, capture_output=True)
        found = worker(project, "first_release", 50, python=python)
    report.times("the first release", found["samples"])


def hashing(report: Report, project: Path, *, quick: bool) -> None:
    found = worker(project, "hashing", 2 if quick else 7)
    for name, each in found.items():
        report.times(f"hashing: {name}", each["samples"])
        report.note(f"memory that it takes: {each['peak'] / 1e6:.2f} MB")
    rate = ratio(found["array, contiguous"]["samples"], "xxh3_128 of the bytes", "taggedartifacts")
    report.goal("hashing an array, of xxhash's own rate", rate, "at least 0.8", met=rate >= 0.8)
    for name in (each for each in found if each.startswith("frame")):
        share = ratio(found[name]["samples"], "taggedartifacts", "joblib")
        report.goal(f"hashing a {name}, of joblib's time", share, "at most 1", met=share <= 1)


def codestate(report: Report, project: Path, *, quick: bool) -> None:
    sizes = (100, 1_000, 10_000, 100_000)[: 2 if quick else 4]
    found = worker(project, "codestate", 5 if quick else 15, *sizes)
    for size in sizes:
        samples = found[str(size)]
        report.times(f"a look at {size:,} files", samples)
        share, most = ratio(samples, "taggedartifacts", "git status -uno"), 1 if size <= 1_000 else 2.5
        report.goal(f"a look at {size:,} files, of git status's time", share, f"at most {most}", met=share <= most)
    report.times("a look at 1,000 files", found["contents"])
    for size in sizes:
        if (samples := found.get(f"scope {size}")) is None:
            continue
        report.times(f"the first look of a process, for a scope of 50 modules of {size:,} files", samples)
        for name, most in (("automatic, remembered", 1.5), ('scope=["."]', 2.5)):
            share = ratio(samples, name, "git status -uno")
            met = share <= most
            report.goal(
                f"a first look at {size:,} files, {name}, of git status's time", share, f"at most {most}", met=met
            )
        medians = {name: summary(each)["median"] for name, each in samples.items()}
        more = 1e3 * (medians["automatic, remembered"] - medians['scope=["."]'])
        report.goal("milliseconds more than with the whole repository, if remembered", more, "at most 5", met=more <= 5)


def notebook(report: Report, project: Path, *, quick: bool) -> None:
    samples = worker(project, "notebook", 10 if quick else 50, 1000)
    report.times("a hit in a notebook of a repository of 1,000 files", samples)
    for what, most in (("first of its cell", 0.002), ("in a loop of 1,000", 0.001)):
        found = summary(samples[f"taggedartifacts, {what}"])["median"]
        report.goal(f"milliseconds of a hit, {what}", found * 1e3, f"below {most * 1e3:g}", met=found < most)


def history(report: Report, project: Path, *, quick: bool) -> None:
    for count, samples in worker(project, "history", 5 if quick else 20, 1_000 if quick else 100_000).items():
        report.times(f"{int(count):,} artifacts with their records", samples)


def environment() -> dict[str, Any]:
    """Describe the machine and what is compared."""
    packages = ("taggedartifacts", *TOOLS[1:], "pygit2", "xxhash", "filelock", "numpy", "pandas", "ipykernel")
    with open("/proc/cpuinfo") as file:
        model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "")
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "model": model,
        "load": os.getloadavg(),
        "packages": {name: importlib.metadata.version(name) for name in packages},
    }


_RUN = (hits, sweep, first, imports, scripts, misses, growth, gathered, release, hashing, codestate, notebook, history)
RUNNERS = dict(zip(SECTIONS, _RUN, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few rounds, nothing large: two minutes")
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"sections, of {', '.join(SECTIONS)}")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="where results.json goes")
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # as where users work: the first run of a script compiles, no other
    report, described = Report(), environment()
    with tempfile.TemporaryDirectory(prefix="benchmark-", ignore_cleanup_errors=True) as folder:
        for section in options.only.split(","):
            RUNNERS[section](report, make(Path(folder) / section), quick=options.quick)
    print("\ngoals")
    for goal in report.goals:
        print(f"  {'met   ' if goal['met'] else 'MISSED'} {goal['what']}: {goal['value']:.3g} (goal: {goal['goal']})")
    described["load at the end"] = os.getloadavg()
    options.out.mkdir(parents=True, exist_ok=True)
    results = {"environment": described, "rows": report.rows, "goals": report.goals, "notes": report.notes}
    (options.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    try:
        from plot import draw
    except ModuleNotFoundError as error:
        print(f"no plot: {error}")
        return
    draw(results, options.out / "results.svg")


if __name__ == "__main__":
    main()
