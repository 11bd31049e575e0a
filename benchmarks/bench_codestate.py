"""Time of a look at repositories of several sizes, beside ``git status`` and the naive diff, all in one run.

Run it with ``python benchmarks/bench_codestate.py [files ...]``. Medians, in milliseconds unless said otherwise.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pygit2

from taggedartifacts._codestate import take_look

SIZES = (100, 1_000, 10_000, 100_000)
IGNORED_FILES = 60_000
COMMITS = 20_000
IDENTITY = {"GIT_AUTHOR_NAME": "b", "GIT_AUTHOR_EMAIL": "b@b", "GIT_COMMITTER_NAME": "b", "GIT_COMMITTER_EMAIL": "b@b"}


def git(root, *arguments, **options):
    environment = {**os.environ, **IDENTITY}
    return subprocess.run(["git", *arguments], cwd=root, env=environment, check=True, capture_output=True, **options)


def make(root, count):
    root.mkdir()
    for number in range(count):
        folder = root / f"d{number // 1000}" / f"s{number // 50 % 20}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"f{number}.py").write_text(f"x = {number}\n" * 20)
    git(root, "init", "-q")
    git(root, "config", "gc.auto", "0")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "x")


def add_history(root):
    stream = [f"reset refs/heads/long\nfrom {git(root, 'rev-parse', 'HEAD', text=True).stdout}\n"]
    stream += [
        f"commit refs/heads/long\ncommitter b <b@b> {1_600_000_000 + number} +0000\ndata 1\nx\n"
        f"M 644 inline other/page\ndata 6\n{number:06d}\n"
        for number in range(COMMITS)
    ]
    git(root, "fast-import", "--quiet", input="".join(stream), text=True)
    git(root, "checkout", "-q", "long")


def median(action, repeat=7):
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def touch(root):
    for path in root.rglob("*.py"):
        os.utime(path)


def main():
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    titles = ("files", "look", "git status", "ratio", "diff(HEAD)", "touched", "git touched")
    print("".join(f"{title:>12}" for title in titles))
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            root = Path(folder) / f"r{size}"
            make(root, size)

            def look(root=root):
                return take_look(None, repo=str(root)).state()

            def status(root=root):
                git(root, "status", "--porcelain", "-uno")

            def naive(root=root):
                repository = pygit2.Repository(str(root))
                return len(repository.diff("HEAD"))

            time.sleep(1.1)  # else the index is as young as its files, and git too has to read them
            status()
            look()
            ours, theirs = median(look), median(status)
            naively = median(naive, 1)
            touch(root)
            touched = median(look, 1)
            touch(root)
            git_touched = median(status, 1)
            figures = (ours, theirs, ours / theirs, naively, touched, git_touched)
            print(f"{size:12}" + "".join(f"{figure:12.2f}" for figure in figures), flush=True)
        root = Path(folder) / f"r{sizes[0]}"
        before = median(lambda: take_look(None, repo=str(root)))
        (root / ".gitignore").write_text("ignored/\n")
        git(root, "add", ".gitignore")
        git(root, "commit", "-q", "-m", "x")
        (root / "ignored").mkdir()
        for number in range(IGNORED_FILES):
            (root / "ignored" / str(number)).touch()
        print(f"{IGNORED_FILES} ignored files: {before:.2f} -> {median(lambda: take_look(None, repo=str(root))):.2f}")
        add_history(root)
        found = median(lambda: take_look(None, repo=str(root), scope=["d0"]), 3)
        print(f"{COMMITS} commits walked for a scope: {found:.0f}")
        asked = take_look(None, repo=str(root))
        asked.state()
        print(f"asking a look again: {median(lambda: [asked.state() for _ in range(10_000)]) / 10:.2f} µs")


if __name__ == "__main__":
    main()
