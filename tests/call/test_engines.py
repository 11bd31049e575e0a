"""Engines: a thousand tasks for a hundred artifacts run a hundred functions, whoever spreads them over processes."""

import json

import pytest
from gitrepo import GitRepo

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
HEAVY = ("dask", "ray")
DEFINED_HERE = ("threads", "fork", "spawn", "joblib", "dask", "ray")


@pytest.fixture
def repo(tmp_path):
    """A repository whose module or script makes the artifacts."""
    made = GitRepo(tmp_path / "repo")
    made.write(".gitignore", "out/\nruns\n")
    return made


def run(repo, engine, imports):
    if engine in HEAVY:
        pytest.importorskip(engine if engine == "ray" else "distributed")
    repo.write("script.py", SCRIPT % {"imports": imports, "engine": ENGINES[engine].strip("\n")})
    repo.commit()
    return json.loads(repo.python("script.py").splitlines()[-1])


class TestThousandTasks:
    @pytest.mark.parametrize("engine", ENGINES)
    def test_function_of_a_module(self, repo, engine):
        """The function lives in a module, which the workers import."""
        repo.write("work.py", MODULE)

        assert [True, 100, 100] == run(repo, engine, "from work import make")

    @pytest.mark.parametrize("engine", DEFINED_HERE)
    def test_function_of_the_script(self, repo, engine):
        """The function lives in the script itself, which the engine sends over or imports under another name."""

        assert [True, 100, 100] == run(repo, engine, MODULE)


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

        with pytest.raises(AssertionError, match=r"helper\.py: changed before it was loaded"):
            worker.python("-c", code + receive)
