"""Finished work is kept: whatever fails after a function returned, what it wrote is there, and somebody says where."""

import errno
import os
import pickle
import signal
import sys
import threading
import warnings
from pathlib import Path

import pytest
from cases import COMPANIONS, TWO, WRITE

from taggedartifacts import ArtifactNotWrittenError, InputError, LockTimeoutError, prune, verify
from taggedartifacts._store import staging

READS = """
@Artifact("out", inputs=("source",))
def f(source, out):
    Path(out).write_text("hours of work")
    Path(source).write_text("changed")
"""


def kept(project):
    """List the files that are kept, by the directory in which they are."""
    place = project.out / ".taggedartifacts" / "kept"
    return {path.name: sorted(each.name for each in path.rglob("*")) for path in place.glob("*")}


def in_child(work):
    """Do something in a forked process; how it ended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks in the presence of the test runner's threads
        pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os._exit(9)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def at(name, number, act):
    """Do something when a system call is about to touch something in an output directory for the n-th time."""
    left = [number]

    def count(event, arguments):
        if event == name and "out/" in str(arguments[0]):
            left[0] -= 1
            if left[0] == 0:
                act()

    sys.addaudithook(count)  # for the life of the process: only in children


class TestRefused:
    def test_input_changed(self, project):
        """An input that changed refuses the result; the error names the place where it is."""
        work = project.module(READS)
        source = project.write("source.txt", "before")

        with pytest.raises(InputError, match=r"when it is complete; what the function wrote is kept in ") as caught:
            work.f(source, "out/f.txt")
        (place,) = (project.out / ".taggedartifacts" / "kept").iterdir()
        assert str(caught.value).endswith(f" {place}")
        (file,) = place.iterdir()
        assert "hours of work" == file.read_text()
        assert place.name.startswith(f"{file.name}@")
        assert [] == project.files() == project.staged()

    def test_link_to_elsewhere(self, project):
        """What somebody has put in the place of kept work is not followed: the work stays in staging."""
        elsewhere = project.path / "elsewhere"
        elsewhere.mkdir()
        link = f"    kept = Path(out).parents[2] / 'kept'\n    kept.rmdir()\n    kept.symlink_to({str(elsewhere)!r})\n"
        work = project.module(READS + link)
        source = project.write("source.txt", "before")

        with pytest.raises(InputError, match="is kept in") as caught:
            work.f(source, "out/f.txt")
        assert [] == list(elsewhere.iterdir())
        place = Path(str(caught.value).rpartition(" ")[2])
        assert "staging" == place.parent.name
        assert ["hours of work"] == [each.read_text() for each in place.iterdir()]

    def test_another_name(self, project):
        """What was written under another name than the promised one is kept under it."""
        work = project.module('@Artifact("out")\ndef f(out):\n    Path(out + ".npy").write_text("")\n')

        with pytest.raises(ArtifactNotWrittenError, match=r"is kept in .*/kept/f-.*\.dat@"):
            work.f("out/f.dat")
        ((place, files),) = kept(project).items()
        assert [place.partition("@")[0] + ".npy"] == files

    def test_nothing_written(self, project):
        """Where a function wrote nothing, nothing is kept, and an empty directory that we made is nothing."""
        work = project.module('@Artifact("out")\ndef f(out):\n    if out[-1] == "/": os.rmdir(out)\n')

        for output in ("out/f", "out/f/"):
            with pytest.raises(ArtifactNotWrittenError) as caught:
                work.f(output)
            assert "kept" not in str(caught.value)
        assert {} == kept(project)
        assert [] == project.staged()

    def test_several(self, project):
        """All outputs of a run are kept, and the error names each place."""
        work = project.module(TWO)

        with pytest.raises(ArtifactNotWrittenError, match=r"kept/a-.*@"):
            work.two(1, "out/a.txt", "out/b.txt", fail=True)
        assert 1 == len(kept(project))

    def test_function_raised(self, project):
        """What a function wrote that raised is not finished, and removed."""
        work = project.module(WRITE + "    raise ZeroDivisionError\n")

        with pytest.raises(ZeroDivisionError):
            work.f(1, "out/f.txt")
        assert {} == kept(project)
        assert [] == project.staged()

    def test_made(self, project):
        """What is published needs not be kept."""
        work = project.module(WRITE)
        work.f(1, "out/f.txt")
        work.f.recompute(1, "out/f.txt")

        assert {} == kept(project)
        assert [] == project.staged()

    def test_fewer_beside_it(self, project):
        """What the new artifact no longer has beside it goes, and is not kept: it was not lost."""
        work = project.module(COMPANIONS)
        work.shape(1, "out/s.shp")
        path = work.shape.recompute(1, "out/s.shp", siblings=())

        assert [path.name] == project.files()
        assert {} == kept(project)
        assert [] == project.staged()

    def test_long_name(self, project):
        """A name as long as names can be is cut, so that the time fits behind it."""
        work = project.module(READS)
        source = project.write("source.txt", "before")

        with pytest.raises(InputError):
            work.f(source, f"out/{'n' * 222}.txt")
        ((place, files),) = kept(project).items()
        assert 255 == len(place)
        assert [250] == [len(name) for name in files]
        assert ["kept"] == [problem.what for problem in verify(project.out)]


class TestFailed:
    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
    def test_record(self, project, monkeypatch, code):
        """A disk that has no room for the record leaves the work, and the error says where; it survives pickling."""
        work = project.module(COMPANIONS)
        monkeypatch.setattr(
            "taggedartifacts._store.publish.store", lambda *_, **__: (_ for _ in ()).throw(OSError(code, "no"))
        )

        with pytest.raises(OSError, match="no; what the function wrote is kept in ") as caught:
            work.shape(1, "out/s.shp")
        assert code == caught.value.errno
        assert str(caught.value) == str(pickle.loads(pickle.dumps(caught.value)))
        ((place, files),) = kept(project).items()
        assert place in str(caught.value)
        assert [".dbf", ".shp", ".shx"] == [Path(name).suffix for name in files]
        assert [] == project.staged()

    def test_companions(self, project, monkeypatch):
        """What had gone before the artifact is brought back to it, so that all of it is kept together."""
        work = project.module(COMPANIONS)
        from taggedartifacts._store import publish

        replace = publish._replace

        def fail(staged, name):
            if name.endswith(".shp"):
                raise OSError(errno.EIO, "no")
            replace(staged, name)

        monkeypatch.setattr(publish, "_replace", fail)
        with pytest.raises(OSError, match="is kept in"):
            work.shape(1, "out/s.shp")
        (files,) = kept(project).values()
        assert [".dbf", ".shp", ".shx"] == [Path(name).suffix for name in files]
        assert [] == project.files()

    def test_interrupted(self, project, monkeypatch):
        """Ctrl-C while the result is published leaves it, and says so where tracebacks are read."""
        work = project.module(WRITE)

        def interrupt(*_, **_options):
            raise KeyboardInterrupt

        monkeypatch.setattr("taggedartifacts._store.publish.store", interrupt)
        with pytest.raises(KeyboardInterrupt) as caught:
            work.f(1, "out/f.txt")
        assert ["is kept in" in note for note in caught.value.__notes__] == [True]
        assert 1 == len(kept(project))

    def test_interrupted_at_once(self, project, monkeypatch):
        """Ctrl-C before a mark tells that the function returned leaves its work, even where nothing can be moved."""
        work = project.module(WRITE)

        def fail(error):
            raise error

        monkeypatch.setattr("taggedartifacts._call.outcome.mark", lambda *_: fail(KeyboardInterrupt()))
        monkeypatch.setattr("taggedartifacts._store.staging.move", lambda *_: fail(OSError(errno.EIO, "no")))
        with pytest.raises(KeyboardInterrupt) as caught:
            work.f(1, "out/f.txt")
        (note,) = caught.value.__notes__
        (file,) = Path(note.rpartition(" ")[2]).iterdir()
        assert "1\n" == file.read_text()

    def test_cannot_be_moved(self, project, monkeypatch, caplog):
        """What cannot be moved stays where it is, and the next call moves it."""
        work = project.module(READS)
        source = project.write("source.txt", "before")
        with monkeypatch.context() as patched:
            patched.setattr("taggedartifacts._store.staging.move", lambda *_: (_ for _ in ()).throw(OSError(5, "no")))
            with pytest.raises(InputError, match=r"is kept in .*/staging/"):
                work.f(source, "out/f.txt")
        assert 2 == len(project.staged())
        source.write_text("before")
        with pytest.raises(InputError):
            work.f(source, "out/f.txt")

        assert 2 == len(kept(project))
        assert [] == project.staged()


class TestKilled:
    @pytest.mark.parametrize("number", [1, 2])
    def test_after_it_returned(self, project, number, caplog):
        """The next call moves what a killed process had finished, says so, and makes its own."""
        work = project.module(WRITE)

        def call():
            at("os.rename", number, lambda: os.kill(os.getpid(), signal.SIGKILL))
            work.f(1, "out/f.txt")

        assert -signal.SIGKILL == in_child(call)
        assert "leftover" in {each.what for each in verify(project.out)}
        path = work.f(1, "out/f.txt")

        (files,) = kept(project).values()
        assert [path.name] == files
        assert f"what a function wrote for {path.resolve()} could not be published; it is kept in" in caplog.text
        assert [] == project.staged()

    def test_after_it_was_kept(self, project):
        """The mark of work that a killed process had moved goes with the next call."""
        work = project.module(READS)
        source = project.write("source.txt", "before")

        def call():
            at("os.remove", 1, lambda: os.kill(os.getpid(), signal.SIGKILL))
            work.f(source, "out/f.txt")

        assert -signal.SIGKILL == in_child(call)
        assert 1 == len(project.staged()) == len(kept(project))
        source.write_text("before")
        with pytest.raises(InputError):
            work.f(source, "out/f.txt")

        assert [] == project.staged()
        assert 2 == len(kept(project))

    def test_while_it_ran(self, project):
        """What was not finished is swept."""
        work = project.module(
            WRITE + "    os.kill(os.getpid(), 9) if os.getpid() != home else None\nhome = os.getpid()\n"
        )
        assert -signal.SIGKILL == in_child(lambda: work.f(1, "out/f.txt"))
        work.f(1, "out/f.txt")

        assert {} == kept(project)
        assert [] == project.staged()


class TestNobodyTouchesIt:
    def test_verify_and_prune(self, project):
        """What is kept is listed by verify, with its artifact and with its directory, and not pruned."""
        work = project.module(READS + WRITE.replace("def f", "def g"))
        source = project.write("source.txt", "before")
        path = work.f.path(source, "out/f.txt")
        with pytest.raises(InputError):
            work.f(source, "out/f.txt")
        other = work.g(1, "out/g.txt")

        assert ["kept"] == [each.what for each in verify(project.out)]
        assert [] == verify(other)
        source.write_text("before")
        assert path == work.f.path(source, "out/f.txt")
        prune(project.out, keep=0, dry_run=False)
        assert 1 == len(kept(project))

    def test_link_in_its_place(self, project, tmp_path):
        """Where somebody put a link, nothing is moved through it."""
        work = project.module(READS)
        source = project.write("source.txt", "before")
        (project.out / ".taggedartifacts").mkdir(parents=True)
        (project.out / ".taggedartifacts" / "kept").symlink_to(tmp_path)

        with pytest.raises(OSError, match="is not a directory of this library's making"):
            work.f(source, "out/f.txt")
        assert [] == sorted(tmp_path.glob("f-*"))


class TestLockRemoved:
    def test_neither_doubled_nor_lost(self, project):
        """A cleaner that takes the lock's file away lets no second call in, and nobody sweeps what is being written."""
        work = project.module(
            WRITE.replace("allow_dirty=True", "timeout=0").replace(
                "    runs", "    here.set()\n    go.wait(60)\n    runs"
            )
            + "import threading\nhere, go = threading.Event(), threading.Event()\n"
        )
        made = []
        call = threading.Thread(target=lambda: made.append(work.f(1, "out/f.txt")))
        call.start()
        assert work.here.wait(60)
        (lock,) = (project.out / ".taggedartifacts" / "locks").iterdir()
        lock.unlink()
        try:
            for ask in (work.f, work.f.recompute):
                with pytest.raises(LockTimeoutError):
                    ask(1, "out/f.txt")
        finally:
            work.go.set()
            call.join()

        assert made == [work.f(1, "out/f.txt")]
        assert [str] == work.runs
        assert "1\n" == made[0].read_text()

    def test_forked_child_holds_nothing(self, tmp_path):
        """A child that outlives the run does not keep its claim."""
        ours = staging.Claim()
        ours.take(str(tmp_path))
        assert staging.is_claimed(str(tmp_path))
        (come, came), (up, began) = os.pipe(), os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if not pid:
            os.close(came)
            os.write(began, b"1")
            os.read(come, 1)
            os._exit(0)
        assert b"1" == os.read(up, 1)
        ours.release()
        ours.release()

        assert not staging.is_claimed(str(tmp_path))
        os.close(came)
        os.waitpid(pid, 0)
        for each in (come, up, began):
            os.close(each)

    def test_records_removed(self, project):
        """Where the hidden folders vanish while the function runs, what it wrote is published all the same."""
        work = project.module("import shutil\n" + WRITE + '    shutil.rmtree("out/.taggedartifacts/records")\n')
        path = work.f(1, "out/f.txt")

        assert [] == verify(path)
        assert path == work.f(1, "out/f.txt")
        assert [str] == work.runs
