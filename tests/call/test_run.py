"""A call: reuse what is there, or make it once and publish it whole."""

import asyncio
import json
import logging
import os
import pickle
import stat
import threading
from pathlib import Path

import pytest
from cases import TWO, WRITE, hold

from taggedartifacts import (
    ArtifactConflictError,
    ArtifactModifiedError,
    ArtifactNotFoundError,
    ArtifactPath,
    InputError,
    LockTimeoutError,
    RecursiveCallError,
)
from taggedartifacts._call import run as _run


class TestMissAndHit:
    def test_made_once(self, project):
        """The first call makes the artifact, the second returns it without running the function."""
        work = project.module(WRITE)
        made = work.f(1, outpath="out/f.txt")
        reused = work.f(1, outpath="out/f.txt")

        assert [str] == work.runs
        assert made == reused == work.f.path(1, outpath="out/f.txt")
        assert isinstance(made, ArtifactPath)
        assert isinstance(reused, ArtifactPath)
        assert "1\n" == made.read_text()
        assert [made.name] == project.files()
        assert [] == project.staged()

    def test_knows_where_it_comes_from(self, project):
        """The path that a call returns knows its tag and its record."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")

        assert ("work.py::f", project.head) == (path.record.function, path.record.commit)
        assert path.record.commit.startswith(path.tag.commit)

    def test_below_a_file(self, project):
        """A file where the output has a folder is named, before the function runs."""
        work = project.module(WRITE)

        with pytest.raises(OSError, match=r"work\.py is no folder, so nothing can be made below it; give the output"):
            work.f(1, outpath="work.py/a/x.txt")
        assert [] == work.runs

    def test_looking_touches_nothing(self, project):
        """Asking for the path, or whether it is cached, makes nothing at all."""
        work = project.module(WRITE)

        assert not work.f.is_cached(1, "out/f.txt")
        assert work.f.path(1, "out/f.txt").parent == Path("out")
        assert not project.out.exists()
        work.f(1, "out/f.txt")
        assert work.f.is_cached(1, "out/f.txt")
        assert [str] == work.runs

    def test_type_is_kept(self, project):
        """The function receives a path of the type that the user passed, and one user's type is another's hit."""
        work = project.module(WRITE)
        work.f(1, outpath=Path("out/f.txt"))
        work.f(2, outpath="out/f.txt")

        assert [type(Path()), str] == work.runs
        assert work.f(1, outpath="out/f.txt") == work.f(1, outpath=project.out / "f.txt").relative_to(project.path)
        assert 2 == len(work.runs)

    @pytest.mark.parametrize(
        "name",
        ["a.tar.gz", "results_0.5.csv", "Makefile", ".bashrc", "with space.png", "été-数据.png", "-rf", "a'b\"c.txt"],
    )
    def test_names(self, project, name):
        """Any name works, and its suffix stays a suffix."""
        work = project.module(WRITE)
        path = work.f(1, os.path.join("out", name))

        assert path == work.f(1, os.path.join("out", name))
        assert [path.name] == project.files()
        assert [str] == work.runs

    def test_undecodable_name(self, project):
        """A name that is no UTF-8 works too."""
        work = project.module(WRITE)
        name = os.fsdecode(b"out/\xff.txt")

        assert work.f(1, name) == work.f(1, name)
        assert [str] == work.runs

    def test_symlinked_folder(self, project):
        """A folder reached through a link is the same folder."""
        work = project.module(WRITE)
        project.out.mkdir()
        Path("link").symlink_to("out")
        path = work.f(1, "link/f.txt")

        assert path.name == work.f(1, "out/f.txt").name
        assert [str] == work.runs

    def test_working_directory_may_change(self, project):
        """A function that changes the working directory makes its artifact where it was asked for."""
        work = project.module(WRITE.replace("    with open", "    os.chdir('/')\n    with open"))
        work.f(1, "out/f.txt")

        assert 1 == len(project.files())

    def test_path_objects_count_by_their_path(self, project):
        """Objects that only have ``__fspath__`` are told apart by what that says, however they print."""
        work = project.module(WRITE)

        class Place:
            def __init__(self, path):
                self.path = path

            def __fspath__(self):
                return self.path

            def __str__(self):
                return "a place"

        names = [work.f(1, Place(f"out/{name}.txt")).name[0] for name in "ab"]

        assert ["a", "b"] == names

    def test_modes_follow_the_umask(self, project):
        """Artifact, record and folders have the modes that the umask says."""
        work = project.module(WRITE)
        before = os.umask(0o027)
        try:
            path = work.f(1, "out/f.txt")
        finally:
            os.umask(before)
        hidden = project.out / ".taggedartifacts"
        modes = {
            stat.S_IMODE(each.stat().st_mode) for each in (path, *hidden.glob("records/*"), *hidden.glob("locks/*"))
        }

        assert {0o640} == modes
        assert {0o750} == {stat.S_IMODE(each.stat().st_mode) for each in (project.out, hidden, *hidden.glob("*/"))}

    def test_git_sees_only_artifacts(self, project):
        """The hidden directory is not offered to git."""
        work = project.module(WRITE)
        path = work.f(1, "figures/f.txt")

        assert f"?? {path}" == project.status("-uall")

    def test_load(self, project):
        """What ``load`` makes of the path is returned, on a miss and on a hit."""
        work = project.module(WRITE.replace("allow_dirty=True", "load=lambda path: path.read_text()"))

        assert ["7\n", "7\n"] == [work.f(7, "out/f.txt"), work.f(7, "out/f.txt")]
        assert [str] == work.runs

    def test_bare_file_counts(self, project, caplog):
        """An artifact without a record counts as it is, and the log says so."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        (project.out / ".taggedartifacts" / "records" / f"{path.name}.json").unlink()
        with caplog.at_level(logging.INFO, "taggedartifacts"):
            assert path == work.f(1, "out/f.txt")

        assert "has no record; it counts as it is" in caplog.text
        assert [str] == work.runs

    def test_damaged_record_is_absent(self, project, caplog):
        """A record that cannot be read is reported and treated as absent."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        (project.out / ".taggedartifacts" / "records" / f"{path.name}.json").write_text("{")

        assert path == work.f(1, "out/f.txt")
        assert 1 == caplog.text.count("treated as absent")
        assert "recompute writes another" in caplog.text
        assert path == work.f.recompute(1, "out/f.txt")
        assert "work.py::f" == path.record.function

    @pytest.mark.parametrize("field", ["commit", "config_hash", "dirty"])
    def test_record_that_contradicts_the_name(self, project, caplog, field):
        """So is a record with another tag than that of the artifact's name."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        record = project.out / ".taggedartifacts" / "records" / f"{path.name}.json"
        record.write_text(json.dumps({**json.loads(record.read_text()), field: "0" * 32}))

        assert path == work.f(1, "out/f.txt")
        assert 1 == caplog.text.count("treated as absent")
        assert "contradicts the name of its artifact" in caplog.text
        assert [str] == work.runs

    def test_log(self, project, caplog):
        """The log says what was made in how many seconds, and what was reused with the seconds saved."""
        work = project.module(WRITE)
        with caplog.at_level(logging.INFO, "taggedartifacts"):
            path = work.f(1, "out/f.txt").absolute()
            work.f(1, "out/f.txt")
        made, reused = (record.getMessage() for record in caplog.records)

        assert made.startswith(f"made {path} in ")
        assert reused.startswith(f"reused {path}, ")
        assert reused.endswith(" s saved")


READ = """
@Artifact("source", {"a": 1}, mode="r")
def read(source, n=1):
    return Path(source).read_text()
"""


class TestReading:
    def test_reads_what_was_made(self, project):
        """A reading function receives the tagged path, always runs and returns its own value."""
        work = project.module(
            '@Artifact("outpath", {"a": 1})\ndef f(outpath):\n    Path(outpath).write_text("made")\n' + READ
        )
        work.f("out/f.txt")

        assert ["made", "made"] == [work.read("out/f.txt"), work.read("out/f.txt", n=2)]
        assert work.f.path("out/f.txt") == work.read.path("out/f.txt")

    def test_not_there(self, project):
        """What was not made is not there; the tags that are there are listed."""
        work = project.module(WRITE + READ)
        tag = work.f(1, "out/f.txt").tag

        with pytest.raises(
            ArtifactNotFoundError, match=f"tags of f.txt that are there: {tag}. Make the artifact first, or"
        ):
            work.read("out/f.txt")
        with pytest.raises(ArtifactNotFoundError, match=r"there is no g\.txt with any tag"):
            work.read("out/g.txt")
        with pytest.raises(ArtifactNotFoundError, match="does not exist"):
            work.read("nowhere/g.txt")

    def test_edited(self, project):
        """An edited artifact is not read as if it were the one that was made."""
        work = project.module(
            '@Artifact("outpath", {"a": 1})\ndef f(outpath):\n    Path(outpath).write_text("made")\n' + READ
        )
        work.f("out/f.txt").write_text("edited")

        with pytest.raises(ArtifactModifiedError):
            work.read("out/f.txt")


class TestRecompute:
    def test_runs_always(self, project):
        """Recompute runs whether or not the artifact is there, and replaces it."""
        work = project.module(WRITE.replace("{x}", "{len(runs)}"))
        path = work.f.recompute(1, "out/f.txt")

        assert "1\n" == path.read_text()
        assert "2\n" == work.f.recompute(1, "out/f.txt").read_text()
        assert "2\n" == work.f(1, "out/f.txt").read_text()
        assert 2 == len(work.runs)

    def test_failure_keeps_the_old_one(self, project):
        """A recomputation that fails leaves the artifact as it was."""
        work = project.module(WRITE + "    if len(runs) == 2:\n        raise ZeroDivisionError\n")
        work.f(1, "out/f.txt")
        with pytest.raises(ZeroDivisionError):
            work.f.recompute(1, "out/f.txt")

        assert "1\n" == work.f(1, "out/f.txt").read_text()
        assert 2 == len(work.runs)

    def test_crash_between_record_and_artifact(self, project, monkeypatch):
        """If a replacement dies between the two renames, the old artifact is still a hit."""
        work = project.module(WRITE.replace("{x}", "{len(runs) * 11}"))
        path = work.f(1, "out/f.txt")

        def die(staged, name):
            raise OSError(5, "Input/output error")

        monkeypatch.setattr("taggedartifacts._store.publish._replace", die)
        with pytest.raises(OSError, match="Input/output error"):
            work.f.recompute(1, "out/f.txt")

        assert path == work.f(1, "out/f.txt")
        assert "11\n" == path.read_text()
        assert 2 == len(work.runs)


class TestInputs:
    SOURCE = """
runs = []
@Artifact("outpath", inputs=("table",), ignore=("runs",))
def f(table, outpath):
    runs.append(1)
    Path(outpath).write_text(Path(table).read_text())
    if len(runs) == 3:
        Path(table).write_text("changed meanwhile")
"""

    def test_content_counts(self, project):
        """The content of an input counts, its path does not."""
        work = project.module(self.SOURCE)
        one, other = project.write("out/1.csv", "a"), project.write("out/2.csv", "a")
        path = work.f(one, "out/f.txt")

        assert path == work.f(other, "out/f.txt")
        other.write_text("b")
        assert path != work.f(other, "out/f.txt")
        assert [1, 1] == work.runs

    def test_changed_meanwhile(self, project):
        """An input that changed while the function ran means that nothing is published."""
        work = project.module(self.SOURCE)
        table = project.write("out/1.csv", "a")
        work.runs += [1, 1]

        with pytest.raises(InputError, match="changed while"):
            work.f(table, "out/f.txt")
        assert ["1.csv"] == project.files()

    def test_working_directory_may_change(self, project):
        """An input with a relative path is found again when the function has changed the working directory."""
        work = project.module(self.SOURCE.replace("    if len", "    os.chdir('/')\n    if len"))
        project.write("out/1.csv", "a")
        work.f("out/1.csv", "out/f.txt")

        assert 2 == len(project.files())

    def test_missing(self, project):
        """A missing input is named before the function runs."""
        work = project.module(self.SOURCE)

        with pytest.raises(InputError, match="nowhere"):
            work.f("nowhere.csv", "out/f.txt")
        assert [] == work.runs


class TestKindsOfFunctions:
    def test_method(self, project):
        """Methods work; the object is an argument like any other, hashed or ignored."""
        work = project.module(
            'class C:\n    n = 0\n    @Artifact("outpath", ignore=("self",))\n'
            "    def m(self, x, outpath):\n        self.n += 1\n        Path(outpath).write_text(str(x))\n"
        )
        it = work.C()

        assert it.m(1, "out/m.txt") == it.m(1, outpath="out/m.txt") == work.C().m(1, "out/m.txt")
        assert 1 == it.n
        assert work.C.m.path(it, 1, "out/m.txt").exists()
        assert it.m.is_cached(it, 1, "out/m.txt")

    def test_plain_function(self, project):
        """The decorated function is a plain function with the name, the doc and the signature of its own."""
        work = project.module('@Artifact("outpath")\ndef f(x: int, outpath):\n    """Doc."""\n')

        assert ("f", "Doc.") == (work.f.__name__, work.f.__doc__)
        assert isinstance(work.f, type(lambda: 0))
        assert work.f is pickle.loads(pickle.dumps(work.f))

    def test_below_a_decorator_of_another_module(self, project):
        """Functions of one name in two modules stay two, though the same decorator wraps both."""
        project.write(
            "timing.py",
            "import functools\ndef timed(f):\n    @functools.wraps(f)\n    def timing(*args, **kwargs):\n"
            "        return f(*args, **kwargs)\n    return timing\n",
        )
        for module in ("one", "other"):
            project.write(
                f"{module}.py",
                "from pathlib import Path\nfrom taggedartifacts import Artifact\nfrom timing import timed\n"
                f'@Artifact("outpath")\n@timed\ndef make(outpath):\n    Path(outpath).write_text("{module}")\n',
            )
        project.commit()
        told = project.python(
            "-c",
            "import one, other\nprint(one.make('out/x.txt').record.function)\n"
            "try: other.make('out/x.txt')\nexcept OSError as error: print(type(error).__name__)",
        )

        assert ["one.py::make", "ArtifactConflictError"] == told.splitlines()

    def test_without_a_name_of_its_own(self, project):
        """Two lambdas of a module, or two functions called ``_``, are never taken for one another."""
        work = project.module(
            "def made(text):\n    return lambda f: made.functions.append(f)\nmade.functions = []\n"
            "a = Artifact('outpath')(lambda outpath: Path(outpath).write_text('a'))\n"
            "b = Artifact('outpath')(lambda outpath: Path(outpath).write_text('b'))\n"
            "@made(1)\n@Artifact('outpath')\ndef _(outpath):\n    Path(outpath).write_text('c')\n"
            "@made(2)\n@Artifact('outpath')\ndef _(outpath):\n    Path(outpath).write_text('d')\n"
        )
        c, d = work.made.functions

        for first, second, name in ((work.a, work.b, "out/x.txt"), (c, d, "out/y.txt")):
            assert first(name) == first(name)
            with pytest.raises(ArtifactConflictError, match=" as "):
                second(name)

    def test_below_a_cache(self, project):
        """What the standard library wraps around a function, and is no function itself, can be decorated."""
        work = project.module(
            "import functools\n@Artifact('outpath')\n@functools.lru_cache\n"
            "def f(x, outpath):\n    Path(outpath).write_text(str(x))\n"
        )

        assert "1" == work.f(1, "out/f.txt").read_text()

    def test_recursive(self, project):
        """A function that asks for the artifact that it is making gets an error, not a deadlock."""
        work = project.module('@Artifact("outpath", timeout=9)\ndef f(x, outpath):\n    f(x, "out/f.txt")\n')

        with pytest.raises(RecursiveCallError, match="while it is making it"):
            work.f(1, "out/f.txt")

    def test_recursive_with_other_arguments(self, project):
        """A function may build on its own results for other arguments."""
        work = project.module(
            '@Artifact("outpath")\ndef f(n, outpath):\n'
            '    below = f(n - 1, "out/f.txt").read_text() if n else ""\n    Path(outpath).write_text(below + str(n))\n'
        )

        assert "0123" == work.f(3, "out/f.txt").read_text()

    def test_threads(self, project):
        """Sixteen threads at once: the function runs once."""
        work = project.module(WRITE)
        barrier, results = threading.Barrier(16), []

        def run():
            barrier.wait()
            results.append(work.f(1, "out/f.txt"))

        threads = [threading.Thread(target=run) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [str] == work.runs
        assert 16 == len(results)
        assert 1 == len(set(results))


ASYNC = """
import asyncio
runs = []
@Artifact("outpath", load=lambda path: path.read_text())
async def f(x, outpath):
    runs.append(x)
    await asyncio.sleep(0.01)
    if x == "wait":
        started.set()
        await asyncio.Event().wait()
    Path(outpath).write_text(str(x))
"""


class TestAsync:
    def test_once(self, project):
        """Forty tasks for two artifacts: the function runs twice."""
        work = project.module(ASYNC)

        async def crowd():
            return await asyncio.gather(*(work.f(n % 2, "out/f.txt") for n in range(40)))

        assert ["0", "1"] * 20 == asyncio.run(crowd())
        assert [0, 1] == sorted(work.runs)

    def test_coroutine_function(self, project):
        """An async function stays one, and so does its recompute."""
        work = project.module(ASYNC)

        assert asyncio.iscoroutinefunction(work.f)
        assert "1" == asyncio.run(work.f.recompute(1, "out/f.txt"))
        assert work.f.is_cached(1, "out/f.txt")

    def test_cancelled(self, project):
        """A cancelled call leaves nothing and frees its lock."""
        work = project.module(ASYNC)

        async def cancel():
            work.started = asyncio.Event()
            task = asyncio.create_task(work.f("wait", "out/f.txt"))
            await work.started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            work.started = None
            return await asyncio.wait_for(work.f("go", "out/f.txt"), 20)

        assert "go" == asyncio.run(cancel())
        assert [] == project.staged()

    def test_recursive(self, project):
        """An async function that awaits the artifact that it is making gets an error."""
        work = project.module('@Artifact("outpath")\nasync def f(outpath):\n    await f("out/f.txt")\n')

        with pytest.raises(RecursiveCallError):
            asyncio.run(work.f("out/f.txt"))

    def test_loop_is_not_blocked(self, project):
        """While one call waits for another's lock, the loop goes on."""
        work = project.module(ASYNC)
        path = work.f.path("late", "out/f.txt")
        lock = hold(project, path)

        async def wait():
            waiting = asyncio.create_task(work.f("late", "out/f.txt"))
            for _ in range(5):
                await asyncio.sleep(0)
            assert not waiting.done()
            lock.release()
            return await asyncio.wait_for(waiting, 20)

        assert "late" == asyncio.run(wait())


class TestWaiting:
    def test_timeout(self, project):
        """A call that waited its timeout gives up and says for whom."""
        work = project.module(WRITE.replace('"outpath"', '"outpath", timeout=0.05'))
        lock = hold(project, work.f.path(1, "out/f.txt"))
        try:
            with pytest.raises(
                LockTimeoutError, match=f"process {os.getpid()} on .* since 20.* is still making .*f-.*wait longer"
            ):
                work.f(1, "out/f.txt")
        finally:
            lock.release()
        assert [] == work.runs
        work.f(1, "out/f.txt")

    def test_log(self, project, caplog):
        """A call that waits longer than a second says for whom, once."""
        work = project.module(WRITE.replace('"outpath"', '"outpath", timeout=1.2'))
        lock = hold(project, work.f.path(1, "out/f.txt"))
        try:
            with pytest.raises(LockTimeoutError):
                work.f(1, "out/f.txt")
        finally:
            lock.release()

        assert 1 == caplog.text.count(f"waiting for process {os.getpid()}")

    def test_made_meanwhile(self, project, monkeypatch):
        """What was made between the look and the lock is not made again."""
        work = project.module(WRITE)
        acquired = _run._acquired

        def later(lock, target):
            monkeypatch.setattr(_run, "_acquired", acquired)
            work.f(1, "out/f.txt")
            return acquired(lock, target)

        monkeypatch.setattr(_run, "_acquired", later)
        work.f(1, "out/f.txt")

        assert [str] == work.runs

    def test_one_order(self, project, monkeypatch):
        """The locks of several outputs are taken in one order, so that no two calls wait for each other."""
        work = project.module(TWO)
        taken, acquired = [], _run._acquired
        monkeypatch.setattr(_run, "_acquired", lambda lock, target: taken.append(target.name) or acquired(lock, target))
        work.two(1, "out/a.txt", "out/b.txt")
        work.two(2, "out/b.txt", "out/a.txt")

        assert ["a", "b", "a", "b"] == [name[0] for name in taken]

    def test_hit_needs_no_lock(self, project):
        """A call for an artifact that is there does not wait for who holds its lock."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        lock = hold(project, path)
        try:
            assert path == work.f(1, "out/f.txt")
        finally:
            lock.release()
