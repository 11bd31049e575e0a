"""Asynchronous calls: cancelled wherever they can be, they leave nothing half, and the loop never waits for them."""

import asyncio
import gc
import os
import shutil
import threading
import types
from concurrent.futures import ThreadPoolExecutor

import pytest
from cases import hold, is_free

WORK = """
import asyncio
runs, gate = [], []

def text(x):
    return f"{x} {len(runs)} done"

@Artifact("out", ignore=("runs",))
async def f(x, out):
    runs.append(x)
    Path(out).write_text("half")
    await asyncio.sleep(0)
    await asyncio.sleep(0.001)
    async with asyncio.timeout(60):
        await asyncio.to_thread(Path(out).write_text, text(x))

@Artifact(("out", "two"), ignore=("runs",))
async def several(x, out, two="out/two.txt"):
    runs.append(x)
    Path(out).write_text("half")
    await asyncio.sleep(0)
    Path(out).write_text(text(x))
    Path(two).write_text(text(x))

@Artifact("out", timeout=20, ignore=("runs", "gate"))
async def slow(x, out):
    runs.append(x)
    gate.append(asyncio.Event())
    if len(runs) == 1:
        await gate[0].wait()
    Path(out).write_text(text(x))
"""


class Closed(Exception):
    """A coroutine was closed, as one is whose loop has gone."""


def cancel(_coroutine):
    """Cancel this task, as its maker, a timeout or a task group does."""
    asyncio.current_task().cancel()


def cancel_all(_coroutine):
    """Cancel every task of the loop, as `asyncio.run` does in the end."""
    for task in asyncio.all_tasks():
        task.cancel()


def close(coroutine):
    """Close the coroutine."""
    coroutine.close()
    raise Closed


@types.coroutine
def acting(coroutine, act):
    """Carry a coroutine out, and act at each of its suspensions, of which it is told the number."""
    step, value, number = coroutine.send, None, 0
    while True:
        try:
            waited = step(value)
        except StopIteration as stop:
            return stop.value
        number += 1
        act(number, coroutine)
        try:
            value = yield waited
            step = coroutine.send
        except BaseException as error:
            step, value = coroutine.throw, error


def stopped(coroutine, how, numbers, suspended):
    """Carry a coroutine out in a loop of its own, and stop it at suspensions; tell whether it came to the first."""
    reached = []

    def act(number, coroutine):
        suspended(number)
        if number in numbers:
            reached.append(number)
            how(coroutine)

    async def main():
        await acting(coroutine, act)

    try:
        asyncio.run(main())
    except (asyncio.CancelledError, Closed):
        assert reached
    return bool(reached)


class TestStopped:
    """A call is stopped at each of its suspensions in turn, until it comes to its end before that."""

    @pytest.mark.parametrize(
        ("how", "again"), [(cancel, False), (cancel, True), (cancel_all, False), (cancel_all, True), (close, False)]
    )
    @pytest.mark.parametrize("recompute", [False, True], ids=["make", "replace"])
    @pytest.mark.parametrize("shape", ["f", "several"])
    def test_making(self, project, shape, recompute, how, again):
        """Nothing half is visible, nothing is left in staging, the lock is free, and the next call works."""
        function = getattr(project.module(WORK), shape)
        call = function.recompute if recompute else function
        number, reached = 0, True
        asyncio.run(function(1, "out/f.txt"))
        while reached:
            number += 1
            if not recompute:
                remove(project)
            numbers = (number, number + 1) if again else (number,)
            reached = stopped(call(1, "out/f.txt"), how, numbers, lambda _: None)
            check(project, function, how)

        assert number > 3

    @pytest.mark.parametrize("how", [cancel, cancel_all, close])
    def test_waiting(self, project, how):
        """Likewise while it waits for another process, whose lock it leaves alone."""
        work = project.module(WORK)
        path = work.f.path(1, "out/f.txt")
        number, reached = 0, True
        while reached:
            number += 1
            remove(project)
            lock = hold(project, path)
            reached = stopped(
                work.f(1, "out/f.txt"), how, (number,), lambda now, lock=lock: lock.release() if now == 7 else None
            )
            assert number > 4 or not is_free(project, path)  # 5 and 6 come to the release as they end
            lock.release()
            check(project, work.f, how)

        assert number > 9

    @pytest.mark.parametrize("how", [cancel, cancel_all, close])
    def test_reusing(self, project, how):
        """Likewise while it finds what is there."""
        work = project.module(WORK)
        number, reached = 0, True
        asyncio.run(work.f(1, "out/f.txt"))
        while reached:
            number += 1
            reached = stopped(work.f(1, "out/f.txt"), how, (number,), lambda _: None)
            check(project, work.f, how)

        assert number > 1
        assert [1] == work.runs


def visible(project):
    """List the artifacts that can be seen."""
    return list(project.out.glob("*.txt")) if project.out.exists() else []


def remove(project):
    """Remove what was made, as a user would."""
    for path in visible(project):
        path.unlink()


def check(project, function, how=cancel):
    """Check all that must hold after a call was stopped, and that the next one works."""
    result = function.path(1, "out/f.txt")
    paths = result if isinstance(result, tuple) else (result,)

    def is_over():
        hidden = project.out / ".taggedartifacts" / "staging"
        return not hidden.exists() or (project.staged() == [] and all(is_free(project, path) for path in paths))

    async def again():
        if how is close:  # nobody waits for the thread that is in the steps
            await until(is_over)
        else:
            assert is_over()
        await asyncio.wait_for(function(1, "out/f.txt"), 20)
        await until(is_over)

    assert all(path.read_text().endswith("done") for path in visible(project))
    asyncio.run(again())
    assert all(path.read_text().endswith("done") for path in paths)
    assert function.is_cached(1, "out/f.txt")


class TestTogether:
    def test_maker_is_cancelled(self, project):
        """If the task that makes it is cancelled, one that waits makes it, and the rest get that."""
        work = project.module(WORK)

        async def main():
            maker = asyncio.create_task(work.slow(1, "out/f.txt"))
            await until(lambda: work.gate)
            others = [asyncio.create_task(work.slow(1, "out/f.txt")) for _ in range(5)]
            await asyncio.sleep(0.05)
            maker.cancel()
            with pytest.raises(asyncio.CancelledError):
                await maker
            return await asyncio.gather(*others)

        assert {"1 2 done"} == {path.read_text() for path in asyncio.run(main())}
        assert [1, 1] == work.runs
        assert [] == project.staged()

    def test_waiter_is_cancelled(self, project):
        """If one that waits is cancelled, the one that makes it does not notice."""
        work = project.module(WORK)

        async def main():
            maker = asyncio.create_task(work.slow(1, "out/f.txt"))
            await until(lambda: work.gate)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(work.slow(1, "out/f.txt"), 0.05)
            work.gate[0].set()
            return await maker

        assert "1 1 done" == asyncio.run(main()).read_text()
        assert [] == project.staged()

    def test_timeout(self, project):
        """A call that runs out of the caller's time raises TimeoutError, and leaves nothing."""
        work = project.module(WORK)

        async def main():
            async with asyncio.timeout(None) as limit, asyncio.TaskGroup() as group:
                group.create_task(expire(limit))
                await work.slow(1, "out/f.txt")

        async def expire(limit):
            await until(lambda: work.gate)
            limit.reschedule(asyncio.get_running_loop().time())

        with pytest.raises(TimeoutError):
            asyncio.run(main())
        check(project, work.slow)

    def test_sibling_fails(self, project):
        """In a task group, the error of a sibling comes through alone, and the call leaves nothing."""
        work = project.module(WORK)

        async def fail():
            await until(lambda: work.gate)
            raise ZeroDivisionError

        async def main():
            async with asyncio.TaskGroup() as group:
                group.create_task(work.slow(1, "out/f.txt"))
                group.create_task(fail())

        with pytest.raises(ExceptionGroup) as caught:
            asyncio.run(main())
        assert [ZeroDivisionError] == [type(error) for error in caught.value.exceptions]
        check(project, work.slow)

    def test_function_that_goes_on(self, project):
        """A function that takes being cancelled as a reason to finish is published."""
        work = project.module(
            "import asyncio\nstarted = []\n@Artifact('out')\nasync def f(out):\n    started.append(1)\n    try:\n"
            "        await asyncio.sleep(3600)\n    except asyncio.CancelledError:\n        pass\n"
            "    Path(out).write_text('cut')\n"
        )

        async def main():
            task = asyncio.create_task(work.f("out/f.txt"))
            await until(lambda: work.started)
            task.cancel()
            return await task

        assert "cut" == asyncio.run(main()).read_text()
        assert work.f.is_cached("out/f.txt")

    def test_loop_ends(self, project, capfd):
        """A task that nobody awaits is cancelled with its loop, leaves nothing, and says nothing."""
        work = project.module(WORK)

        async def main():
            tasks.append(asyncio.create_task(work.slow(1, "out/f.txt")))
            await until(lambda: work.gate)

        tasks = []
        asyncio.run(main())

        assert tasks[0].cancelled()
        assert "" == capfd.readouterr().err
        check(project, work.slow)

    def test_loop_is_gone(self, project, caplog):
        """A task whose loop was closed under it frees its lock and its staging when it goes."""
        work = project.module(WORK)
        loop = asyncio.new_event_loop()
        task = loop.create_task(work.slow(1, "out/f.txt"))
        loop.run_until_complete(until(lambda: work.gate))
        loop.close()
        work.gate.clear()
        del task
        gc.collect()

        assert "Task was destroyed but it is pending" in caplog.text
        check(project, work.slow)

    def test_threads_end(self, project):
        """The threads of a loop end with it."""
        work = project.module(WORK)
        before = set(threading.enumerate())
        for _ in range(20):
            asyncio.run(work.f(1, "out/f.txt"))
        asyncio.run(until(lambda: before.issuperset(threading.enumerate())))

    def test_sync_code_in_threads(self, project):
        """Threads of the loop that wait for what a task of it makes do not keep it from being made."""
        work = project.module(WORK)

        async def main():
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
            maker = asyncio.create_task(work.slow(1, "out/f.txt"))
            await until(lambda: work.gate)
            others = [asyncio.create_task(asyncio.to_thread(ask)) for _ in range(8)]
            await until(lambda: len(asked) == 2)
            work.gate[0].set()
            return await asyncio.gather(maker, *others)

        def ask():
            asked.append(1)
            return asyncio.run(work.slow(1, "out/f.txt"))

        asked = []

        assert 1 == len(set(asyncio.run(main())))
        assert [1] == work.runs


async def until(condition):
    """Wait until something is so, twenty seconds at most."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


BUSY = """
def pause():
    pass

@Artifact("out", lambda: pause() if stage == "config" else None, load=lambda path: load(path))
async def f(out):
    if stage == "clean up":
        raise ZeroDivisionError
    Path(out).write_text("mine")

def load(path):
    if stage == "load":
        pause()
    return path
"""


class TestLoopGoesOn:
    @pytest.mark.parametrize("stage", ["config", "sync", "load", "clean up"])
    def test_beats(self, project, monkeypatch, stage):
        """Whatever takes long in a call, which here ends only after the loop has gone round a hundred times."""
        work = project.module(BUSY)
        work.stage, enough, paused = stage, threading.Event(), []

        def pause():
            if not paused:
                paused.append(enough.wait(20))

        work.pause = pause
        fsync, rmtree = os.fsync, shutil.rmtree
        if stage == "sync":
            monkeypatch.setattr(os, "fsync", lambda descriptor: (pause(), fsync(descriptor)))
        if stage == "clean up":
            monkeypatch.setattr(shutil, "rmtree", lambda path, **options: (pause(), rmtree(path, **options)))

        async def beat():
            for _ in range(100):
                await asyncio.sleep(0)
            enough.set()

        async def main():
            await asyncio.gather(work.f("out/f.txt"), beat(), return_exceptions=True)

        asyncio.run(main())

        assert [True] == paused
