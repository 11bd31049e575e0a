"""Random histories of a project: edits, comments, other layouts, deletions, renames, shadowing modules, merges."""

from __future__ import annotations

import ast
import random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gitrepo import GitRepo

FILE, PROGRAM, LINK = "100644", "100755", "120000"
WORK = "import helper\nimport pkg.a\nimport this\ntry:\n    import extra.deep\nexcept ImportError:\n    pass\n"
FIRST = {
    "work.py": (FILE, WORK),
    "helper.py": (FILE, "N = 0\n"),
    "pkg/__init__.py": (FILE, ""),
    "pkg/a.py": (FILE, "from . import b\nN = 0\n"),
    "pkg/b.py": (FILE, "def f(x):\n    return {'x': x}\n"),
    "unrelated.py": (FILE, "N = 0\n"),
    "data/a.csv": (FILE, "0\n"),
    "data/current": (LINK, "a.csv"),
    "README.md": (FILE, "0\n"),
    "notes.ipynb": (FILE, "{}\n"),
    "run.sh": (PROGRAM, "true\n"),
}
# What may come to be: modules that shadow an installed one or a missing one, or lie where a submodule was looked for.
NEW = ("this.py", "this/__init__.py", "extra/deep.py", "extra/__init__.py", "pkg/this.py", "data/b.csv", "helper/x.py")
Tree = dict[str, tuple[str, str]]


class Commit(NamedTuple):
    """One commit: its parents by their numbers, and its tree."""

    parents: tuple[int, ...]
    tree: Tree


def history(seed: int, length: int = 20) -> list[Commit]:
    """Make up a history; the last commit is its only head, if merged often enough."""
    dice = random.Random(seed)
    commits = [Commit((), dict(FIRST))]
    heads = [0]
    for number in range(1, length + 1):
        if len(heads) > 1 and (dice.random() < 0.4 or number > length - len(heads)):
            one, other = dice.sample(heads, 2)
            commits.append(Commit((one, other), _merged(dice, commits[one].tree, commits[other].tree, number)))
            heads = [head for head in heads if head not in (one, other)] + [number]
            continue
        parent = dice.choice(heads)
        commits.append(Commit((parent,), _changed(dice, commits[parent].tree, number)))
        if dice.random() > 0.3:
            heads.remove(parent)
        heads.append(number)
    return commits


def _merged(dice: random.Random, one: Tree, other: Tree, number: int) -> Tree:
    way = dice.choice(["ours", "theirs", "each", "each", "evil"])
    if way in ("ours", "theirs"):
        return dict(one if way == "ours" else other)
    found = {}
    for path in sorted({*one, *other}):
        side = dice.choice([one, other])
        if path in side or path == "work.py":
            found[path] = side.get(path, (FILE, WORK))
    found = _without_clashes(found)
    return _changed(dice, found, number) if way == "evil" else found


def _changed(dice: random.Random, before: Tree, number: int) -> Tree:
    tree = dict(before)
    for _ in range(dice.choice([1, 1, 2])):
        path = dice.choice(sorted(tree))
        mode, text = tree[path]
        match dice.choice(["edit", "comment", "comment", "layout", "delete", "rename", "mode", "new", "new", "back"]):
            case "edit" if mode != LINK:
                tree[path] = mode, f"{text}N = {number}\n"
            case "edit":
                tree[path] = mode, dice.choice(["a.csv", "b.csv"])
            case "comment" if path.endswith(".py"):
                tree[path] = mode, f"# remark {number}\n{text}"
            case "layout" if path.endswith(".py"):
                tree[path] = mode, text.replace("'", '"').replace("    ", "  ").replace(" = ", "  =  ")
            case "delete" if path != "work.py":
                del tree[path]
            case "rename" if path != "work.py":
                tree[dice.choice([*NEW, *FIRST])] = tree.pop(path)
            case "mode" if mode != LINK:
                tree[path] = (PROGRAM if mode == FILE else FILE), text
            case "new":
                tree[dice.choice(NEW)] = FILE, dice.choice(["N = 1\n", f"N = {number}\n", "def broken(:\n"])
            case "back":
                name = dice.choice(sorted(FIRST))
                tree[name] = FIRST[name]
    tree["work.py"] = tree["work.py"] if tree["work.py"][0] != LINK else (FILE, WORK)
    return _without_clashes(tree)


def _without_clashes(tree: Tree) -> Tree:
    """Leave out files where there are folders of that name."""
    return {path: each for path, each in tree.items() if not any(other.startswith(f"{path}/") for other in tree)}


def plain(path: str, text: str) -> str:
    """Write a module without comments, in the layout of `ast.unparse`; other files as they are."""
    if not path.endswith(".py"):
        return text
    try:
        return ast.unparse(ast.parse(text)) + "\n"
    except SyntaxError:
        return text


def build(repo: GitRepo, commits: list[Commit], *, is_plain: bool = False) -> list[str]:
    """Write a history into a repository and check out its last commit; return the commits' full hex."""
    stream = []
    for number, (parents, tree) in enumerate(commits):
        stream.append(
            f"commit refs/heads/main\nmark :{number + 1}\ncommitter t <t@example.org> {1_600_000_000 + number} +0000"
        )
        stream.append("data 1\nx")
        stream += [f"{'merge' if position else 'from'} :{each + 1}" for position, each in enumerate(parents)]
        stream.append("deleteall")
        for path, (mode, text) in tree.items():
            content = plain(path, text) if is_plain and mode != LINK else text
            stream.append(f"M {mode} inline {path}\ndata {len(content.encode())}\n{content}")
        stream.append("")
    stream.append("")
    marks = repo.path.parent / f"{repo.path.name}-marks"
    source = repo.path.parent / f"{repo.path.name}-stream"
    source.write_text("\n".join(stream))
    with source.open("rb") as opened:
        repo.feed(opened, "fast-import", "--quiet", "--force", f"--export-marks={marks}")
    repo.git("checkout", "-q", "-f", "main")
    by_mark = dict(line.split() for line in marks.read_text().splitlines())
    return [by_mark[f":{number + 1}"] for number in range(len(commits))]


def log(repo: GitRepo, commit: str, paths: list[str]) -> str:
    """Name the commit that ``git log -1 -- <paths>`` names."""
    return repo.git("--literal-pathspecs", "log", "-1", "--format=%H", commit, "--", *paths)


def map_of(repo: GitRepo, commit: str, paths: set[str]) -> dict[str, str]:
    """List mode and content of some paths at a commit."""
    lines = repo.git("ls-tree", "-r", "-z", "--full-tree", commit).split("\0")
    found = dict(reversed(line.split("\t", 1)) for line in lines if line)
    return {path: found[path] for path in sorted(paths & found.keys())}
