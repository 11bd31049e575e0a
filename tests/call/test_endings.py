"""Calls where threads and processes end or begin: while the interpreter ends, and in children that are forked."""

import contextlib
import os
import signal
import sys
import threading
import warnings

import pytest
from cases import WRITE

from taggedartifacts import verify
from taggedartifacts._code.codestate import take_look
from taggedartifacts._reach.forks import _cached_properties, looking

SCRIPT = """
import atexit, sys, threading
sys.path.insert(0, ".")
from work import f

class Late(threading.Thread):
    def run(self):
        threading.main_thread().join()
        f(["source.bin", "more.bin"], "out/f.txt")

{how}
"""
READS = """
@Artifact("outpath", inputs=("source",))
def f(source, outpath):
    Path(outpath).write_bytes(bytes(2 << 20))  # so large that a thread flushes it where there is any
"""


class TestInterpreterEnds:
    @pytest.mark.parametrize("how", ["atexit.register(f, 'source.bin', 'out/f.txt')", "Late().start()"])
    def test_call(self, project, how):
        """A call at the very end makes its artifact: where no thread can be started any more, it does without."""
        project.write("source.bin", bytes(33 << 20))  # so large that it is read by threads where there are any
        project.write("more.bin", bytes(1))
        project.module(READS)
        project.write("script.py", SCRIPT.format(how=how.replace("'source.bin'", "['source.bin', 'more.bin']")))
        project.run(sys.executable, "-B", "script.py")

        assert 1 == len(project.files())
        assert [] == verify(project.out)

    def test_async_call(self, project):
        """An ``async`` function's, too: its steps block the loop then."""
        source = "@Artifact('outpath')\nasync def f(outpath):\n    Path(outpath).write_text('done')\n"
        project.module(source)
        project.write(
            "script.py",
            """
            import asyncio, atexit, sys
            sys.path.insert(0, ".")
            from work import f
            atexit.register(lambda: asyncio.run(f("out/f.txt")))
            """,
        )
        project.run(sys.executable, "-B", "script.py")

        assert 1 == len(project.files())
        assert [] == verify(project.out)


def forked(work):
    """Do something in a forked process, which a signal ends when it hangs; how it ended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks in the presence of other threads
        pid = os.fork()
    if not pid:
        status = 1
        try:
            signal.alarm(60)
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class TestForks:
    def test_while_another_thread_looks(self, project):
        """A child that is forked while a thread looks at the code can look, too."""
        work = project.module(WRITE)
        done = threading.Event()

        def look():
            while not done.is_set():
                with looking:
                    take_look(work.__file__, fresh=True)

        thread = threading.Thread(target=look)
        thread.start()
        try:
            ends = [forked(lambda number=number: work.f(number, "out/f.txt")) for number in range(3)]
        finally:
            done.set()
            thread.join()

        assert [0, 0, 0] == ends
        assert 3 == len(project.files())

    def test_waits_for_the_look_of_another_thread(self):
        """A child finds nothing that another thread has half done under the lock."""
        began, done = threading.Event(), []

        def look():
            with looking:
                began.set()
                threading.Event().wait(0.2)  # in which a fork that does not wait would happen
                done.append("all of it")

        def check():
            assert done

        thread = threading.Thread(target=look)
        thread.start()
        began.wait(60)
        end = forked(check)
        thread.join()

        assert 0 == end

    def test_in_the_middle_of_a_look(self, project):
        """A thread that forks while it looks itself goes on looking, in both processes."""

        def end():
            with looking:
                pass

        def another_waits():
            got = []
            thread = threading.Thread(target=lambda: got.append(looking.acquire(blocking=False)))
            thread.start()
            thread.join()
            assert [False] == got

        with looking:
            assert [0, 0] == [forked(end), forked(another_waits)]
        assert 0 == forked(end)

    def test_while_another_thread_computes_what_is_cached(self, project):
        """A child has locks of its own for cached properties, where Python gives them any."""
        project.module(WRITE).f(0, "out/f.txt")
        held, done = threading.Event(), threading.Event()
        locks = [getattr(each, "lock", contextlib.nullcontext()) for each in _cached_properties(len(sys.modules))]

        def hold(wait=lambda: None):
            with contextlib.ExitStack() as stack:
                for lock in locks:
                    stack.enter_context(lock)
                wait()

        def wait():
            held.set()
            done.wait(60)

        thread = threading.Thread(target=hold, args=(wait,))
        thread.start()
        held.wait(60)
        try:
            end = forked(hold)
        finally:
            done.set()
            thread.join()

        assert 0 == end
        assert 5 < len(locks)

    def test_while_another_thread_imports(self, project):
        """A child is forked when no thread is in the middle of importing what is imported late."""
        project.write(
            "script.py",
            """
            import os, signal, sys, threading
            import taggedartifacts._reach.forks
            main = threading.main_thread()
            main.began, main.go = threading.Event(), threading.Event()
            sys.path.insert(0, "late")
            def load():
                import pygit2
            thread = threading.Thread(target=load)
            thread.start()
            main.began.wait(60)
            os.register_at_fork(before=main.go.set)  # before the hooks that were there
            pid = os.fork()
            if not pid:
                signal.alarm(30)
                import pygit2
                os._exit(0 if pygit2.done else 1)
            assert os.waitpid(pid, 0)[1] == 0
            thread.join()
        """,
        )
        project.write(
            "late/pygit2.py",
            "import threading\nmain = threading.main_thread()\nmain.began.set()\nmain.go.wait(60)\ndone = True\n",
        )

        project.run(sys.executable, "-B", "-W", "ignore", "script.py")

    @pytest.mark.parametrize("module", ["taggedartifacts._store.staging", "filelock._core._lock"])
    def test_while_another_thread_makes_its_first_artifact(self, project, module):
        """A fork does not begin while a thread imports what it takes to make artifacts, so that the child can, too.

        Once it had begun, filelock would keep its own import waiting. Not every version of it has that module.
        """
        project.module(WRITE)
        project.write(
            "script.py",
            """
            import os, signal, sys, threading
            signal.alarm(60)
            os.dup2(1, 2)
            began, forks = threading.Event(), threading.Event()
            sys.addaudithook(lambda event, _: forks.set() if event == "os.fork" else None)  # before all hooks
            sys.path.insert(0, ".")
            from work import f
            class Slow:
                def find_spec(self, name, path, target=None):
                    if name == sys.argv[1]:
                        began.set()
                        forks.wait(20)
            sys.meta_path.insert(0, Slow())
            def make():
                f(1, "out/f.txt")
                began.set()
            thread = threading.Thread(target=make)
            thread.start()
            began.wait(60)
            pid = os.fork()
            if not pid:
                signal.alarm(30)
                f(2, "out/f.txt")
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
            thread.join()
        """,
        )
        said = project.run(sys.executable, "-B", "-W", "ignore", "script.py", module)

        assert 2 == len(project.files())
        assert "Exception ignored" not in said
