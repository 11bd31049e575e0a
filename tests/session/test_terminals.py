"""Sessions without a kernel: the plain prompt, IPython's terminal, marimo."""

import subprocess
import sys

import pytest
from gitrepo import GitRepo
from terminal import type_into

PROMPTS = {
    "python": [sys.executable, "-q"],
    "ipython": [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"],
}
DEFINITIONS = [
    "from taggedartifacts import Artifact; import subprocess",
    "N = 1",
    "def helper(x): return x + N",
    "",
    "def f(x, out): open('runs', 'a').write('r'); open(out, 'w').write(str(helper(x)))",
    "",
    "f = Artifact('out', allow_dirty=True)(f)",
]
CALL = "f(1, 'out.txt')"
BOOK = """import marimo

app = marimo.App()


@app.cell
def _():
    from taggedartifacts import Artifact
    from mod import make
    N = 1
    return Artifact, N, make


@app.cell
def _(Artifact, N, helper):
    @Artifact("out")
    def f(x, out):
        open("runs", "a").write("r")
        open(out, "w").write(str(helper(x) + N))
    return (f,)


@app.cell
def _():
    def helper(x):
        return 2 * x
    return (helper,)


@app.cell
def _(f):
    path = f(3, "out.txt")
    path
    return (path,)


@app.cell
def _(make, path):
    path.show()
    make("made.txt")
    return
"""


@pytest.fixture
def repo(tmp_path):
    repo = GitRepo(tmp_path / "repo")
    repo.write(".gitignore", "/runs\n/out*\n/made*\n__marimo__\n")
    repo.write(
        "mod.py", "from taggedartifacts import Artifact\n@Artifact('out')\ndef make(out): open(out, 'w').write('a')\n"
    )
    repo.commit()
    return repo


def contents(repo, stem="out"):
    return sorted(path.read_text() for path in repo.path.glob(f"{stem}-*"))


def runs(repo):
    return len((repo.path / "runs").read_text())


@pytest.mark.parametrize("prompt", PROMPTS)
class TestPrompt:
    def test_change_and_undo(self, repo, prompt):
        """At a prompt too, a helper or a constant that changes is no hit, and undoing it is one."""
        if prompt == "ipython":
            pytest.importorskip("IPython")
        changes = ["def helper(x): return x - N", "", CALL, *DEFINITIONS[2:4], CALL, "N = 5", CALL, "N = 1", CALL]
        shown = type_into(repo, PROMPTS[prompt], [*DEFINITIONS, CALL, CALL, *changes, "exit()"])

        assert ["0", "2", "6"] == contents(repo), shown
        assert 3 == runs(repo)

    def test_commit(self, repo, prompt):
        """A commit from the session itself is seen by the next call."""
        if prompt == "ipython":
            pytest.importorskip("IPython")
        first = repo.head
        commit = "_ = subprocess.run('echo 1 > data.csv; git add data.csv; git commit -q -m Change', shell=True)"
        shown = type_into(repo, PROMPTS[prompt], [*DEFINITIONS, CALL, commit, CALL, "exit()"])

        assert {first[:10], repo.head[:10]} == {path.name[4:14] for path in repo.path.glob("out-*")}, shown

    def test_stale_module(self, repo, prompt):
        """A module that was edited after it was loaded is refused by name."""
        if prompt == "ipython":
            pytest.importorskip("IPython")
        edit = "_ = subprocess.run('echo X = 1 >> mod.py; git commit -q --all -m Change', shell=True)"
        lines = ["import mod, subprocess", "mod.make('made.txt')", edit, "mod.helper = 1", "mod.make('made.txt')"]
        again = ["import importlib; _ = importlib.reload(mod)", "mod.make('made.txt')", "exit()"]
        shown = type_into(repo, PROMPTS[prompt], [*lines, *again])

        assert "mod.py: changed after it was loaded" in shown
        assert 2 == len(contents(repo, "made"))


class TestMarimo:
    def test_run_twice(self, repo):
        """A committed marimo notebook that is run twice in its kernel has one clean artifact, and shows it."""
        pytest.importorskip("marimo")
        repo.write("book.py", BOOK)
        repo.commit()
        for _ in range(2):
            repo.python("-W", "ignore", "-m", "marimo", "-y", "export", "html", "book.py", "-o", "out.html")

        assert (1, ["7"], ["a"]) == (runs(repo), contents(repo), contents(repo, "made"))
        assert "-dirty-" not in "".join(path.name for path in repo.path.glob("out-*"))
        assert f"{next(repo.path.glob('out-*')).name}\\n7" in (repo.path / "out.html").read_text()


def test_script_at_a_prompt(repo):
    """Where ``python -i`` has run a script and forgotten its file, what is set and defined at the prompt counts."""
    repo.write(
        "script.py",
        "from taggedartifacts import Artifact\nK = 1\ndef h(): return K\n"
        "@Artifact('out', allow_dirty=True)\ndef f(out):\n    with open(out, 'w') as file: file.write(str(h()))\n",
    )
    repo.commit()
    call = "print('made', f('out.txt').name, open(f('out.txt')).read())\n"
    typed = f"{call}K = 2\n{call}def h(): return 7\n\n{call}"
    done = subprocess.run(
        [sys.executable, "-i", "script.py"], cwd=repo.path, input=typed, capture_output=True, text=True, check=True
    )
    made = [line.split("made ")[1].split() for line in done.stdout.splitlines() if "made " in line]

    assert ["1", "2", "7"] == [text for _, text in made]
    assert [False, False, True] == ["-dirty-" in name for name, _ in made]
