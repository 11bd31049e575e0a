"""Engines: a thousand tasks for a hundred artifacts run a hundred functions, whoever spreads them over processes."""

import json

import pytest
from gitrepo import GitRepo
from heavy import but

MODULE = """
from pathlib import Path
from taggedartifacts import Artifact

@Artifact("out", {"scale": 3})
def make(number, out="out/part.txt"):
    with open("runs", "a") as runs:
        runs.write(f"{number}\\n")
    Path(out).write_text(str(number))

def name(number):
    return make(number).name
"""
SCRIPT = """
import json
%(imports)s
NUMBERS = [task %% 100 for task in range(1000)]

if __name__ == "__main__":
%(engine)s
    names = [getattr(each, "name", each) for each in names]
    expected = [make.path(number).name for number in NUMBERS]
    print(json.dumps([names == expected, len(set(names)), len(open("runs").readlines())]))
"""
ENGINES = {
    "threads": """
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(16) as pool:
        names = list(pool.map(make, NUMBERS))
""",
    "fork": """
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(4, multiprocessing.get_context("fork")) as pool:
        names = list(pool.map(make, NUMBERS))
""",
    "spawn": """
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        names = list(pool.map(make, NUMBERS))
""",
    "forkserver": """
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(2, multiprocessing.get_context("forkserver")) as pool:
        names = list(pool.map(make, NUMBERS, chunksize=10))
""",
    "multiprocessing": """
    import multiprocessing
    with multiprocessing.get_context("fork").Pool(4) as pool:
        names = pool.map(make, NUMBERS)
""",
    "joblib": """
    from joblib import Parallel, delayed
    names = Parallel(2)(delayed(make)(number) for number in NUMBERS)
""",
    "joblib-threading": """
    from joblib import Parallel, delayed
    names = Parallel(8, backend="threading")(delayed(make)(number) for number in NUMBERS)
""",
    "dask": """
    from dask.distributed import Client, LocalCluster
    with LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=":0") as cluster, Client(cluster) as client:
        # Pure tasks with equal arguments would be one task to dask, and the library would have nothing to do.
        names = client.gather(client.map(make, NUMBERS, pure=False))
""",
    "ray": """
    import ray
    ray.init(num_cpus=2, include_dashboard=False, logging_level="error", runtime_env={"working_dir": None})
    remote = ray.remote(make)
    names = ray.get([remote.remote(number) for number in NUMBERS])
    ray.shutdown()
""",
}
OF_OTHERS = ("dask", "ray")
DEFINED_HERE = ("threads", "fork", "spawn", "joblib", "dask", "ray")


@pytest.fixture
def repo(tmp_path):
    """A repository whose module or script makes the artifacts."""
    made = GitRepo(tmp_path / "repo")
    made.write(".gitignore", "out/\nruns\n")
    return made


def run(repo, engine, imports):
    if engine in OF_OTHERS:
        pytest.importorskip(engine if engine == "ray" else "distributed")
    repo.write("script.py", SCRIPT % {"imports": imports, "engine": ENGINES[engine].strip("\n")})
    repo.commit()
    return json.loads(repo.python("script.py").splitlines()[-1])


class TestThousandTasks:
    @pytest.mark.parametrize("engine", but(ENGINES, "threads", "joblib"))
    def test_function_of_a_module(self, repo, engine):
        """The function lives in a module, which the workers import."""
        repo.write("work.py", MODULE)

        assert [True, 100, 100] == run(repo, engine, "from work import make")

    @pytest.mark.parametrize("engine", but(DEFINED_HERE, "spawn"))
    def test_function_of_the_script(self, repo, engine):
        """The function lives in the script itself, which the engine sends over or imports under another name."""

        assert [True, 100, 100] == run(repo, engine, MODULE)


# What cloudpickle writes as the file of code: until 3.1.2 the true one, then another, and who knows what next.
RENAMED = """
def rename(name):
    import sys
    from types import CodeType
    import joblib.externals.loky.backend.reduction  # which imports the cloudpickle that joblib uses
    for module in [module for module in sys.modules.values() if hasattr(module, "_code_reduce")]:
        def renamed(code, reduce=module._code_reduce):
            make, arguments = reduce(code)
            known = (code.co_filename, "<dynamic-code>")
            return make, tuple([(name or code.co_filename) if each in known else each for each in arguments])
        module.Pickler._dispatch_table[CodeType] = renamed
"""
TWO_SCRIPTS = """
    rename(%r)
    from joblib import Parallel, delayed
    names = Parallel(2)(delayed(make)(number) for number in NUMBERS[:2])
    assert all(make.is_cached(number) for number in NUMBERS[:2])
    NUMBERS = NUMBERS[:2]
"""


FORMS = """
import dataclasses, enum

@dataclasses.dataclass(frozen=True)
class Options:
    bins: int
    def width(self):
        return 1 / self.bins

@dataclasses.dataclass
class Plain:
    bins: int

class Method:
    def solve(self):
        return 1

def callback(value):
    return value

CONFIG = {"plain": Plain(1), "callback": callback, "kind": Options}
FORMS = [Options(4), Plain(5), Method, callback, Options, {"nested": [Plain(6)]}]
"""
WITHOUT_CODE = """
class Colour(enum.Enum):
    RED = 1
    BLUE = 2

FORMS += [Colour.RED, Colour]
"""
MIXED = MODULE.replace('{"scale": 3}', "lambda: CONFIG").replace("number, out", "number, form, out")
MAPPED = {
    "pool.map(make, NUMBERS": "pool.map(make, NUMBERS, GIVEN",
    "names = pool.map(make, NUMBERS, GIVEN)": "names = pool.starmap(make, zip(NUMBERS, GIVEN))",
    "client.map(make, NUMBERS": "client.map(make, NUMBERS, GIVEN",
    "(number) for number in NUMBERS": "(*each) for each in zip(NUMBERS, GIVEN)",
}


def mixed(repo, monkeypatch, engine, imports):
    """Run the tasks with arguments that the script defines."""
    text = ENGINES[engine]
    for before, after in MAPPED.items():
        text = text.replace(before, after)
    given = "    GIVEN = [FORMS[number % len(FORMS)] for number in NUMBERS]\n"
    hits = "\n    assert all(make.is_cached(*each) for each in zip(NUMBERS, GIVEN))\n"
    monkeypatch.setitem(ENGINES, engine, given + text.strip("\n") + hits)
    monkeypatch.setattr(
        f"{__name__}.SCRIPT",
        SCRIPT.replace(
            "make.path(number).name for number in NUMBERS", ("make.path(*each).name for each in zip(NUMBERS, GIVEN)")
        ),
    )
    return run(repo, engine, imports)


class TestForms:
    """What a script defines, as arguments and configuration, has in a worker the hash that it has in the script."""

    @pytest.mark.heavy
    @pytest.mark.parametrize("engine", DEFINED_HERE)
    def test_function_of_the_script(self, repo, monkeypatch, engine):
        """The function lives in the script too."""

        assert [True, 100, 100] == mixed(repo, monkeypatch, engine, FORMS + WITHOUT_CODE + MIXED)

    @pytest.mark.parametrize("engine", but(ENGINES, "fork"))
    def test_function_of_a_module(self, repo, monkeypatch, engine):
        """The function lives in a module, which knows nothing of the script."""
        repo.write("work.py", MIXED.replace("lambda: CONFIG", "{}"))

        assert [True, 100, 100] == mixed(repo, monkeypatch, engine, FORMS + "from work import make\n")

    @pytest.mark.heavy
    @pytest.mark.parametrize("options", [["-m", "cProfile", "-o", "profile"], ["-X", "importtime"], ["-m", "script"]])
    def test_under_a_profiler(self, repo, monkeypatch, options):
        """Profilers and -m run the script in other ways, and the workers agree all the same."""
        pytest.importorskip("joblib")
        assert [True, 100, 100] == mixed(repo, monkeypatch, "joblib", FORMS + MIXED)
        (repo.path / "runs").write_text("")
        script = [] if options == ["-m", "script"] else ["script.py"]
        [same, count, runs] = json.loads(repo.python(*options, *script).splitlines()[-1])

        assert (True, 100) == (same, count)
        assert 0 == runs or options[1] == "cProfile"  # Python 3.11's runs a script beside __main__


class TestTwoScripts:
    @pytest.mark.parametrize("file", but(["", "<dynamic-code>", "/no/such/file.py"], "<dynamic-code>"))
    def test_one_name_and_one_path(self, repo, monkeypatch, file):
        """Functions of two scripts are two, and their drivers' own, whatever file name their code arrives with."""
        pytest.importorskip("joblib")
        monkeypatch.setitem(ENGINES, "two", TWO_SCRIPTS % file)
        other = MODULE.replace("str(number)", "'another'") + RENAMED
        repo.write("other.py", SCRIPT % {"imports": other, "engine": ENGINES["two"].strip("\n")})

        assert [True, 2, 2] == run(repo, "two", MODULE + RENAMED)
        with pytest.raises(AssertionError, match=r"made by script\.py::make and is asked for by other\.py::make"):
            repo.python("other.py")


SECOND_COPY = """
import os, subprocess
from pathlib import Path
from work import make as other  # whose decorator looks at the repository while this script has only begun
from taggedartifacts import Artifact

@Artifact("out")
def make(number, out="out/own.txt"):
    with open("runs", "a") as runs:
        runs.write(f"{number}\\n")
    Path(out).write_text(str(number))

LATER = 40

def after(number, commands=%r):
    for command in commands:
        subprocess.run(command, check=True)
    return make(number)
"""


class TestSecondCopy:
    """multiprocessing's spawned children load the script again, as ``__mp_main__``, and copy what they loaded."""

    @pytest.mark.parametrize("method", ["spawn", "forkserver"])
    @pytest.mark.parametrize(
        "commands",
        [
            (("touch", "script.py"),),
            (("rm", "script.py"), ("git", "checkout", "-q", "script.py")),
            (("git", "checkout", "-q", "before", "script.py"),),
        ],
        ids=["touched", "checked out", "another commit's"],
    )
    def test_clean(self, repo, monkeypatch, method, commands):
        """What is done to the script after it was loaded makes nothing dirty, in the second copy as in the first."""
        repo.write("work.py", MODULE)
        repo.write("script.py", "before")
        repo.commit()
        repo.git("tag", "before")
        engine = f"""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    NUMBERS = [1, 2]
    expected_before = [make.path(number).name for number in NUMBERS]
    with ProcessPoolExecutor(1, multiprocessing.get_context({method!r})) as pool:
        names = [each.name for each in pool.map(after, NUMBERS)]
    assert names == expected_before, (names, expected_before)
"""
        monkeypatch.setitem(ENGINES, "second", engine)

        assert [True, 2, 2] == run(repo, "second", SECOND_COPY % (commands,))

    @pytest.mark.parametrize("command", [["script.py"], ["-m", "script"]])
    def test_defined_below(self, repo, command):
        """A constant below the decorators is there in time, though an import above looks at the script before it is."""
        repo.write("work.py", MODULE)
        below = "\nLATER = 40\nprint(make(1).tag.dirty)\n"
        repo.write("script.py", "import os\nos.utime(__file__)\nfrom work import make as other\n" + MODULE + below)
        repo.commit()

        assert "None" == repo.python(*command)


class TestQuestions:
    """``f.recompute`` and the like are sent to workers as the function is."""

    SEND = """
    import %(pickle)s as pickle
    names, NUMBERS = [], []
    open("runs", "w").close()
    make(1)
    with open("sent", "wb") as file:
        pickle.dump([make.recompute, make.path, make.is_cached, make.explain], file)
"""
    RECEIVE = (
        "import pickle, json\nasked = pickle.load(open('sent', 'rb'))\nrecompute, path, is_cached, explain = asked\n"
        "assert recompute(1) == path(1)\nprint(json.dumps([is_cached(1), is_cached(2), explain(1).outcome]))"
    )

    def test_by_name(self, repo, monkeypatch):
        """Those of a module's function travel by name, through pickle itself."""
        repo.write("work.py", MODULE)
        monkeypatch.setitem(ENGINES, "send", self.SEND % {"pickle": "pickle"})
        run(repo, "send", "from work import make")

        assert [True, False, "hit"] == json.loads(repo.python("-c", self.RECEIVE))
        assert "1\n1\n" == (repo.path / "runs").read_text()

    def test_by_value(self, repo, monkeypatch):
        """Those of a script's function travel by value, through cloudpickle."""
        pytest.importorskip("cloudpickle")
        monkeypatch.setitem(ENGINES, "send", self.SEND % {"pickle": "cloudpickle"})
        run(repo, "send", MODULE)

        assert [True, False, "hit"] == json.loads(repo.python("-c", self.RECEIVE))
        assert "1\n1\n" == (repo.path / "runs").read_text()

    def test_of_a_method(self, repo):
        """Those of a method too."""
        repo.write(
            "work.py",
            """
            from taggedartifacts import Artifact
            class Maker:
                @Artifact("out")
                def make(self, out):
                    pass
                @staticmethod
                @Artifact("out")
                def made(out):
                    pass
        """,
        )
        repo.commit()
        code = (
            "import pickle, work\nfor each in (work.Maker.make, work.Maker.made, work.Maker().made):\n"
            "    assert pickle.loads(pickle.dumps(each.recompute)) is each.recompute"
        )

        assert "" == repo.python("-c", code)

    def test_in_a_pool(self, repo, monkeypatch):
        """A pool of processes recomputes."""
        monkeypatch.setitem(
            ENGINES,
            "pool",
            """
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    NUMBERS = NUMBERS[:2]
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        names = [pool.submit(make.recompute, number).result() for number in NUMBERS for _ in range(2)][::2]
""",
        )

        assert [True, 2, 4] == run(repo, "pool", MODULE)


class TestByValue:
    """A function that is sent as a value, as cloudpickle does with those of scripts and notebooks."""

    SEND = """
    import cloudpickle
    with open("sent", "wb") as file:
        cloudpickle.dump((make, [str(make.path(1)), make.path(1).tag.commit]), file)
    names, NUMBERS = [], []
    open("runs", "w").close()
"""
    RECEIVE = (
        "import pickle, json\nmake, (path, commit) = pickle.load(open({sent!r}, 'rb'))\n"
        "made = make(1)\nprint(json.dumps([str(made) == path, made.tag.commit == commit, made.read_text()]))"
    )

    @pytest.fixture
    def sent(self, repo, monkeypatch):
        """A function of a script, as it arrives at a worker."""
        pytest.importorskip("cloudpickle")
        monkeypatch.setitem(ENGINES, "send", self.SEND)
        run(repo, "send", MODULE)
        return repo.path / "sent"

    def test_without_a_repository(self, repo, sent, tmp_path):
        """Where there is no repository, a worker makes the artifact of the commit that the driver was at."""
        repo.path.rename(tmp_path / "elsewhere")
        worker = GitRepo(tmp_path / "worker", init=None)
        received = worker.python("-c", self.RECEIVE.format(sent=str(tmp_path / "elsewhere" / "sent")))

        assert [True, True, "1"] == json.loads(received)

    def test_repository_has_moved_on(self, repo, sent, tmp_path):
        """Where the repository has moved on, what is sent is still the code of the driver's commit, and says so."""
        repo.write("script.py", (repo.path / "script.py").read_text() + "\n# more\n")
        repo.commit()
        worker = GitRepo(tmp_path / "worker", init=None)
        received = worker.python("-c", self.RECEIVE.format(sent=str(sent)))

        assert [True, True, "1"] == json.loads(received)

    def test_helper_differs(self, repo, monkeypatch, tmp_path):
        """A helper module that is not, at the worker, what it was at the driver's commit is refused."""
        pytest.importorskip("cloudpickle")
        repo.write("helper.py", "VALUE = 1\n")
        monkeypatch.setitem(ENGINES, "send", self.SEND)
        run(repo, "send", MODULE.replace("    Path(out)", "    import helper\n    Path(out)"))
        repo.write("helper.py", "VALUE = 2\n")
        receive = self.RECEIVE.format(sent=str(repo.path / "sent")).replace("make(1)", "refused(make)")
        code = (
            f"import sys\nsys.path.insert(0, {str(repo.path)!r})\nfrom taggedartifacts import DirtyRepositoryError\n"
            "import helper\ndef refused(make):\n    try:\n        make(1)\n    except DirtyRepositoryError as error:\n"
            "        raise SystemExit(str(error))\n"
        )
        worker = GitRepo(tmp_path / "worker", init=None)

        with pytest.raises(AssertionError, match=r"helper\.py: changed after the repository was looked at"):
            worker.python("-c", code + receive)

    def test_decorated_by_the_worker(self, repo, monkeypatch, tmp_path):
        """A function that arrives by itself is refused by its name where it is decorated: nothing tells whose it is."""
        pytest.importorskip("cloudpickle")
        send = self.SEND.replace("make, [str(make.path(1)), make.path(1).tag.commit]", "make.__wrapped__, []")
        monkeypatch.setitem(ENGINES, "send", send)
        run(repo, "send", MODULE)
        code = "import pickle, taggedartifacts\ntaggedartifacts.Artifact('out')(pickle.load(open('sent', 'rb'))[0])"

        with pytest.raises(AssertionError, match=r"TypeError: make was sent to this process as a value"):
            repo.python("-c", code)

    def test_name_without_the_files(self, repo, monkeypatch, tmp_path):
        """Where the driver's files are not to be seen, a script in a folder is named as its driver names it."""
        pytest.importorskip("cloudpickle")
        repo.write("sub/script.py", SCRIPT % {"imports": MODULE, "engine": self.SEND.strip("\n")})
        repo.commit()
        repo.python("sub/script.py")
        repo.path.rename(tmp_path / "elsewhere")
        worker = GitRepo(tmp_path / "worker", init=None)
        worker.python("-c", self.RECEIVE.format(sent=str(tmp_path / "elsewhere" / "sent")))
        [record] = (worker.path / "out/.taggedartifacts").rglob("*.json")

        assert "sub/script.py::make" == json.loads(record.read_text())["function"]
