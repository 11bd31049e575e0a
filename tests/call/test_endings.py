"""Calls where threads and processes end or begin: while the interpreter ends, and in children that are forked."""

import os
import signal
import sys
import threading
import warnings

import pytest
from cases import WRITE

from taggedartifacts import verify
from taggedartifacts._code.codestate import take_look
from taggedartifacts._reach.forks import looking

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
    Path(outpath).write_text("done")
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

    def test_in_the_middle_of_a_look(self, project):
        """A thread that forks while it looks itself goes on looking, in both processes."""

        def end():
            with looking:
                pass

        with looking:
            assert 0 == forked(end)
        assert 0 == forked(end)

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
                import filelock
            thread = threading.Thread(target=load)
            thread.start()
            main.began.wait(60)
            os.register_at_fork(before=main.go.set)  # before the hooks that were there
            pid = os.fork()
            if not pid:
                signal.alarm(30)
                import filelock
                os._exit(0 if filelock.done else 1)
            assert os.waitpid(pid, 0)[1] == 0
            thread.join()
        """,
        )
        project.write(
            "late/filelock.py",
            "import threading\nmain = threading.main_thread()\nmain.began.set()\nmain.go.wait(60)\ndone = True\n",
        )

        project.run(sys.executable, "-B", "-W", "ignore", "script.py")
