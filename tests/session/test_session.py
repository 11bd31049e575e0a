"""Real sessions: kernels, terminals and prompts in real repositories."""

import json
from pathlib import Path

import pytest
from gitrepo import GitRepo
from heavy import but, every

pytest.importorskip("ipykernel")
pytest.importorskip("nbclient")

from kernel import CellError
from run_page import code_blocks
from sessions import CALL, CELLS, DEFINITION, HELPER, IMPORTS, artifacts, notebook, runs

PAGE = Path(__file__).parent.parent.parent / "docs/notebooks.rst"
EXAMPLES = Path(__file__).parent.parent.parent / "docs/examples"


def execute(repo, path="work.ipynb"):
    """Run a notebook from top to bottom in its directory and save it, as `jupyter execute --inplace` does."""
    script = (
        "import os, sys, nbformat, nbclient; folder, name = os.path.split(sys.argv[1]); os.chdir(folder or '.'); "
        "book = nbformat.read(name, 4); nbclient.NotebookClient(book, timeout=60, record_timing=False).execute(); "
        "nbformat.write(book, name)"
    )
    repo.python("-W", "ignore", "-c", script, path)


class TestNotebook:
    @pytest.mark.heavy
    def test_executed_twice(self, repo):
        """A committed notebook that is run twice runs its function once and has one clean artifact."""
        execute(repo)
        made = artifacts(repo)
        execute(repo)

        assert 1 == runs(repo)
        assert [f"out-{repo.head[:10]}"] == [name[:14] for name in made]
        assert made == artifacts(repo)

    @pytest.mark.heavy
    def test_outputs_committed(self, repo):
        """Committing the outputs of a notebook changes no tag."""
        execute(repo)
        repo.commit("Outputs", "work.ipynb")
        execute(repo)

        assert 1 == runs(repo)

    @pytest.mark.heavy
    def test_module_ignores_notebooks(self, repo):
        """A function of a module is clean and reused whatever happens to notebooks."""
        repo.write("work.ipynb", notebook("from mod import make\nmake('out.txt')"))
        repo.write("other.ipynb", b"damaged")
        execute(repo)
        repo.commit("Notebooks only", "work.ipynb")
        execute(repo)
        first = repo.git("rev-list", "--max-parents=0", "HEAD")

        assert [f"out-{first[:10]}"] == [name[:14] for name in artifacts(repo)]

    def test_papermill(self, repo):
        """Papermill runs the same cells: the artifact is there already; parameters are constants like others."""
        pytest.importorskip("papermill")
        execute(repo)
        command = [
            "-W",
            "ignore",
            "-m",
            "papermill",
            "work.ipynb",
            "done.ipynb",
            "--no-progress-bar",
            "--log-level",
            "ERROR",
        ]
        repo.python(*command)
        repeated = runs(repo)
        repo.python(*command, "-p", "N", "5")

        assert (1, 1) == (repeated, runs(repo))


class TestCells:
    @pytest.mark.parametrize(
        ("change", "undo"),
        every(
            2,
            [
                ("def helper(x):\n    return 3 * x", HELPER),
                ("import numpy\nN = numpy.ones(3)", "N = 1"),
                (DEFINITION.replace("+ N", "- N"), DEFINITION),
                ("N = 2", "N = 1"),
            ],
        ),
    )
    def test_change_and_undo(self, repo, kernel, change, undo):
        """Redefining the function, a helper or a constant is no hit; undoing it is one."""
        allowing = DEFINITION.replace('"out")', '"out", allow_dirty=True)')
        kernel.run(IMPORTS, "N = 1", HELPER, allowing, CALL)
        kernel.run(change.replace('"out")', '"out", allow_dirty=True)'), CALL)
        changed = runs(repo)
        kernel.run(undo.replace('"out")', '"out", allow_dirty=True)'), CALL)

        assert (2, 2) == (changed, runs(repo))

    @pytest.mark.heavy
    def test_change_in_place(self, repo, kernel):
        """An array or a list that is changed in place counts as it is now."""
        kernel.run(*CELLS[:3], "N = 1", CALL, "def helper(x): return sum(LIST)".replace("\n", "\n"), "LIST = [1]")
        repo.write("work.ipynb", notebook(*CELLS, "def helper(x): return sum(LIST)"))
        repo.commit()
        kernel.run(CALL, "LIST.append(2)", CALL, "LIST.pop()", CALL)

        assert 3 == runs(repo)

    @pytest.mark.heavy
    def test_same(self, repo, kernel):
        """Comments, docstrings, formatting, the order of cells and %%time change nothing."""
        kernel.run(*CELLS)
        kernel.run(
            "%%time\n# comment\ndef helper( x ):\n    '''Doc.'''\n    return (2\n        * x)",
            "%%time\n" + DEFINITION,
            "unrelated = 1",
            "%%time\n" + CALL,
        )

        assert 1 == runs(repo)
        assert "-dirty-" not in "".join(artifacts(repo))

    def test_uncommitted(self, repo, kernel):
        """A function that stands in no notebook at HEAD is refused by name, and so is its helper."""
        kernel.run(*CELLS[:3], "def helper(x): return x")
        with pytest.raises(CellError, match=r"(?s)DirtyRepositoryError.*helper") as refused:
            kernel.run(CALL)

        assert "count (" not in str(refused.value)

    def test_commit_and_run_again(self, repo, kernel):
        """After committing the notebook, running the cell of the call again gives a clean artifact."""
        kernel.run(*CELLS[:3], "def helper(x): return x")
        with pytest.raises(CellError, match="DirtyRepositoryError"):
            kernel.run(CALL)
        repo.write("work.ipynb", notebook(*CELLS, "def helper(x): return x"))
        repo.commit()
        kernel.run(CALL)

        assert {"out": "4"} == {name[:3]: text for name, text in artifacts(repo).items()}
        assert "-dirty-" not in "".join(artifacts(repo))

    @pytest.mark.heavy
    def test_commit_inside_a_cell(self, repo, kernel):
        """A commit inside the cell counts for the calls that follow in it."""
        kernel.run(*CELLS[:3])
        before = repo.head
        kernel.run(f"{CALL}\n!echo 1 >> data.csv && git add data.csv && git commit -qm Change\n{CALL}")

        assert {before[:10], repo.head[:10]} == {name[4:14] for name in artifacts(repo)}

    @pytest.mark.heavy
    @pytest.mark.parametrize("options", [{"store_history": False}, {"silent": True}])
    def test_quiet_executions(self, repo, kernel, options):
        """Executions that leave no trace in the history see commits too."""
        kernel.run(*CELLS)
        repo.write("data.csv", "1")
        repo.commit()
        kernel.run(CALL, **options)

        assert 2 == len(artifacts(repo))

    def test_display(self, repo, kernel):
        """The path as the last expression shows the artifact below its name; `show` does so in the middle."""
        name = kernel.run(*CELLS).splitlines()[0]
        shown = kernel.run(f"path = {CALL}\npath.show()\n1")

        assert f"{name}\n7\n1" == shown

        picture = "a-0123456789-0123456789ab.svg"
        repo.write(picture, "<svg/>")
        made = f"from taggedartifacts import ArtifactPath\nArtifactPath({picture!r})"

        assert [{"text/plain"}, {"text/plain", "image/svg+xml"}] == [set(data) for data in kernel.displays(made)]
        assert f"{picture}\n{picture}\n1" == kernel.run(f"{made}.show()\n1")

    @pytest.mark.heavy
    def test_committed_under_magic(self, repo, kernel):
        """Definitions under %%time are committed like others, with magics and shell commands around them."""
        repo.write("work.ipynb", notebook(CELLS[0], "%%time\n" + HELPER, f"!true\n{DEFINITION}%time x = 1\n"))
        repo.commit()
        kernel.run(CELLS[0], "%%time\n" + HELPER, f"!true\n{DEFINITION}%time x = 1\n", CALL)

        assert "-dirty-" not in "".join(artifacts(repo))
        assert 1 == runs(repo)

    @pytest.mark.heavy
    def test_run_notebook(self, repo, kernel):
        """What `%run` takes from a notebook is interactive and committed."""
        kernel.run("%run work.ipynb", CALL)

        assert 1 == runs(repo)

    def test_function_as_argument(self, repo, kernel):
        """An interactive function that is an argument counts by its definition, which has to be committed."""
        definitions = [f"def g(): return {result}" for result in (1, 2)]
        kernel.run(*CELLS[:3], DEFINITION.replace("helper(x)", "x()"))
        repo.write("work.ipynb", notebook(DEFINITION.replace("helper(x)", "x()"), *definitions))
        repo.commit()
        for each in (*definitions, definitions[0]):
            kernel.run(each, CALL.replace("3", "g"))

        assert {"2", "3"} == set(artifacts(repo).values())

    @pytest.mark.parametrize(
        ("setup", "argument"),
        every(
            5,
            [
                ("", "lambda: 3"),
                ("def g(): return 3", "g"),
                ("import functools\ndef g(x): return x", "functools.partial(g, 3)"),
                ("class Three:\n  def __call__(self): return 3", "Three()"),
                ("def three(): return 3\ndef make():\n  def inner(): return three()\n  return inner", "make()"),
            ],
        ),
    )
    def test_uncommitted_argument(self, repo, kernel, setup, argument):
        """Functions and callable objects that are arguments are refused if their definitions stand in no notebook."""
        definition = DEFINITION.replace("helper(x)", "x()")
        repo.write("work.ipynb", notebook(definition))
        repo.commit()
        kernel.run(CELLS[0], definition, setup)

        with pytest.raises(CellError, match="DirtyRepositoryError"):
            kernel.run(CALL.replace("3", argument))
        repo.write("work.ipynb", notebook(definition, setup, CALL.replace("3", argument)))
        repo.commit()
        kernel.run(CALL.replace("3", argument))

        assert ["4"] == list(artifacts(repo).values())
        assert "-dirty-" not in "".join(artifacts(repo))

    def test_changed_while_it_ran(self, repo, kernel):
        """What another thread binds anew while the function runs refuses the result, and keeps it."""
        wait = "    while not os.path.exists({!r}):\n        time.sleep(0.01)\n"
        other = f"def other():\n{wait.format('out-began')}    globals()['N'] = 2\n    open('out-ended', 'w').close()"
        definition = DEFINITION.replace(
            "    with open(out", f"    open('out-began', 'w').close()\n{wait.format('out-ended')}    with open(out"
        )
        repo.write("work.ipynb", notebook(HELPER, definition))
        repo.commit()
        kernel.run(IMPORTS + "import os, threading, time\nN = 1", HELPER, other, definition)
        with pytest.raises(CellError, match=r"(?s)InputError.*N changed while .*count ran.*kept"):
            kernel.run(f"threading.Thread(target=other).start()\n{CALL}")

        assert 1 == runs(repo)
        assert not [name for name in artifacts(repo) if name.endswith(".txt")]

    def test_module_that_the_function_imports(self, repo, kernel):
        """A module that the first run loads is the same for the second call."""
        repo.write("helper.py", "BINS = 10\n")
        definition = DEFINITION.replace("helper(x)", "helper.BINS").replace("):\n", "):\n    import helper\n", 1)
        repo.write("work.ipynb", notebook(definition))
        repo.commit()
        kernel.run(IMPORTS + "N = 1", definition, CALL, CALL)

        assert 1 == runs(repo)

    @pytest.mark.parametrize("called", but([False, True], True))
    def test_attribute_of_module(self, repo, kernel, called):
        """What a cell sets on a module counts, whether the module's functions read it or those of the cell."""
        repo.write("helper.py", "BINS = 10\ndef bins():\n    return BINS\n")
        definition = DEFINITION.replace("helper(x)", "helper.bins()" if called else "helper.BINS")
        repo.write("work.ipynb", notebook(definition))
        repo.commit()
        kernel.run(IMPORTS + "import helper\nN = 1", definition, CALL)
        for value in (20, 10, 20):
            kernel.run(f"helper.BINS = {value}\n{CALL}")

        assert {"11", "21"} == set(artifacts(repo).values())
        assert 2 == runs(repo)

    @pytest.mark.parametrize(
        ("reads", "change"),
        every(
            4,
            [
                ("statistics.mean(x) + K + sys.modules['helper'].BINS", "builtins.K = {}"),
                ("statistics.mean(x)", "statistics.mean = lambda x: {}"),
                ("bin(x)", "builtins.bin = lambda x: {}"),
                ("sys.modules['helper'].BINS", "helper.BINS = {}"),
            ],
        ),
    )
    def test_planted(self, repo, kernel, reads, change):
        """What a cell puts into `builtins` or a library counts, and a module that is looked up by its name."""
        repo.write("helper.py", "BINS = 10\n")
        definition = DEFINITION.replace("helper(x)", reads).replace('"out")', '"out", allow_dirty=True)', 1)
        kernel.run(IMPORTS + "import builtins, helper, statistics, sys\nN = 1\nstatistics.mean = int", definition)
        for value in (20, 10, 20):
            kernel.run(f"{change.format(value)}\n{CALL}")

        assert 2 == len(set(artifacts(repo).values()))
        assert 2 == runs(repo)

    @pytest.mark.heavy
    def test_attribute_by_argument(self, repo, kernel):
        """What a function in the arguments reads of a module counts likewise."""
        repo.write("helper.py", "BINS = 10\n")
        definition, given = DEFINITION.replace("helper(x)", "x()"), "def bins(): return helper.BINS"
        repo.write("work.ipynb", notebook(definition, given))
        repo.commit()
        kernel.run(IMPORTS + "import helper\nN = 1", definition, given)
        for value in (10, 20, 10):
            kernel.run(f"helper.BINS = {value}\n{CALL.replace('3', 'bins')}")

        assert {"11", "21"} == set(artifacts(repo).values())
        assert 2 == runs(repo)

    @pytest.mark.heavy
    def test_parameters_of_figures(self, repo, kernel):
        """matplotlib's parameters count for a function that draws, where they are not the defaults."""
        pytest.importorskip("matplotlib")
        definition = DEFINITION.replace("helper(x)", "plt.figure().dpi")
        repo.write("work.ipynb", notebook(definition))
        repo.commit()
        kernel.run(IMPORTS + "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt\nN = 1")
        kernel.run(definition, CALL)
        for value in (70, 100, 70):
            kernel.run(f"plt.rcParams['figure.dpi'] = {value}\n{CALL}")

        assert {"71.0", "101.0"} == {str(float(text)) for text in artifacts(repo).values()}
        assert 2 == runs(repo)

    @pytest.mark.heavy
    def test_decorated_helper(self, repo, kernel):
        """A decorated function that is called by another counts with its configuration."""
        first = "@Artifact('out', CONFIG)\ndef first(out): open(out, 'w').write('x')"
        second = "@Artifact('out')\ndef second(out):\n    open(out, 'w').write(first('first.txt').name)"
        repo.write(".gitignore", "/out*\n/first*\n")
        repo.write("work.ipynb", notebook(first, second))
        repo.commit()
        kernel.run(IMPORTS, "CONFIG = {'a': 1}", first, second, "second('out.txt')")
        kernel.run("CONFIG = {'a': 2}", first, "second('out.txt')")

        assert {path.name for path in repo.path.glob("first-*")} == set(artifacts(repo).values())
        assert 2 == len(artifacts(repo))

    def test_reader(self, repo, kernel):
        """An interactive function that only reads an artifact needs no commit."""
        reader = "@Artifact('path', mode='r')\ndef read(path): return open(path).read()"
        kernel.run("from mod import make\nmake('out.txt')", IMPORTS + reader)

        assert "'one a'" == kernel.run("read('out.txt')")


class TestScripts:
    def test_no_ipython(self, repo):
        """A script imports neither IPython nor anything of a notebook."""
        repo.write("script.py", f"{IMPORTS}import sys, mod\nmod.make('out.txt')\nprint('IPython' in sys.modules)\n")
        repo.commit()

        assert "False" == repo.python("script.py")

    def test_look_of_the_load(self, repo):
        """In a script, editing files while it runs changes nothing."""
        repo.write("script.py", "import mod\nopen('helper.py', 'a').write('# edited')\nprint(mod.make('out.txt'))\n")
        repo.commit()

        assert "-dirty-" not in repo.python("script.py")


class TestWorkers:
    def test_worker(self, repo, kernel):
        """A function that was sent to a worker makes the artifact that it makes in the session."""
        pytest.importorskip("cloudpickle")
        worker = "import cloudpickle, sys; print(cloudpickle.load(sys.stdin.buffer)(3, out='out.txt'))"
        send = (
            "import cloudpickle, subprocess, sys\nprint(subprocess.run([sys.executable, '-c', "
            f"{worker!r}], input=cloudpickle.dumps(count), capture_output=True, check=True).stdout.decode())"
        )
        name = kernel.run(*CELLS[:3], send)
        kernel.run(CALL)

        assert [name] == list(artifacts(repo))
        assert 1 == runs(repo)


class TestDocs:
    def test_page(self, repo, kernel):
        """The cells of the page on notebooks do what it says."""
        blocks = [block.text for block in code_blocks(PAGE.read_text()) if block.language == "ipython"]

        assert 4 == len(blocks)
        assert kernel.run(*blocks).count("histogram-") == 1

    @pytest.mark.heavy
    def test_example(self, tmp_path):
        """The example shows tables and a figure, and running it again leaves its file as it is, byte for byte."""
        pytest.importorskip("matplotlib")
        pytest.importorskip("pandas")
        repo = GitRepo(tmp_path / "copy")
        for name in ("penguins.ipynb", "penguins.csv"):
            repo.write(f"docs/examples/{name}", (EXAMPLES / name).read_bytes())
        repo.write(".gitignore", "output/\n")
        repo.commit()
        notebook = repo.path / "docs/examples/penguins.ipynb"
        saved = []
        for _ in range(2):
            execute(repo, notebook)
            saved.append(notebook.read_bytes())
        shown = [set(output["data"]) for cell in json.loads(saved[0])["cells"] for output in cell.get("outputs", ())]

        table = {"text/plain", "text/html"}

        assert saved[0] == saved[1]
        assert [table, table, {"text/plain"}, {"text/plain", "image/png"}] == shown
        assert 3 == len(list((notebook.parent / "output").glob("*-*.*")))

    def test_example_as_stored(self):
        """The example is committed with its outputs, of committed code."""
        cells = json.loads((EXAMPLES / "penguins.ipynb").read_text())["cells"]
        names = ["".join(output["data"]["text/plain"]) for cell in cells for output in cell.get("outputs", ())]

        assert 4 == len(names)
        assert names[2] == names[3]  # of the figure, above it
        assert "-dirty-" not in "".join(names)
