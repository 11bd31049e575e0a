"""The order in which a call writes: files before their names, the record before the artifact, and names to the end."""

import contextlib
import errno
import os
import sys
import threading
from pathlib import Path

import pytest
from cases import COMPANIONS, MODEL, WRITE
from storms import OUTPUTS, WORK

from taggedartifacts import ArtifactConflictError, ArtifactModifiedError, prune, verify
from taggedartifacts._store.folder import Folder
from taggedartifacts._store.lock import ArtifactLock

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells the path of a descriptor")
SHAPES = sorted(OUTPUTS)
MANY = '\n@Artifact("out")\ndef many(out):\n    for n in range(1001):\n        Path(out, str(n)).touch()\n'
HIDDEN = ".taggedartifacts"


class Recorder:
    """Notes what is flushed, named and released; can let the n-th flush fail.

    Attributes:
        events: What happened, in order: what it was, and the paths.
        failed: The path of the flush that failed.
    """

    def __init__(self, monkeypatch, fail=None):
        self.events, self.failed, self.left = [], None, fail
        self._lock = threading.Lock()
        monkeypatch.setenv("XDG_CACHE_HOME", "none")  # what is remembered of code may be lost, and is not flushed
        for name in ("replace", "rename", "link", "mkdir"):
            monkeypatch.setattr(os, name, self._noting(name, getattr(os, name)))
        monkeypatch.setattr(os, "fsync", self._flushing(os.fsync))
        monkeypatch.setattr(ArtifactLock, "release", self._noting("release", ArtifactLock.release))

    def _noting(self, name, real):
        def note(*arguments, **options):
            result = real(*arguments, **options)
            kind = "rename" if name in ("replace", "link") else name
            paths = (os.fspath(each) for each in arguments if isinstance(each, (str, os.PathLike)))
            self.events.append((kind, *paths))
            return result

        return note

    def _flushing(self, real):
        def flush(descriptor):
            path = os.readlink(f"/proc/self/fd/{descriptor}")
            with self._lock:
                if self.left is not None:
                    self.left -= 1
                    if self.left == 0:
                        self.failed = path
                        raise OSError(errno.EIO, "Input/output error", path)
            real(descriptor)
            self.events.append(("fsync", path))

        return flush

    def check(self, out):
        """Check all that the order promises."""
        flushed, names, released = set(), [], False
        for kind, *paths in self.events:
            if kind == "fsync":
                flushed.add(paths[0])
            elif kind == "mkdir" and "/staging/" not in paths[0]:
                flushed.discard(os.path.dirname(paths[0]))
                names.append((paths[0], os.path.dirname(paths[0])))
            elif kind == "rename":
                source, target = map(os.path.abspath, paths)
                if f"/{HIDDEN}/staging" in target:
                    continue
                assert source in flushed or Path(target).is_dir(), f"{target} got its name before it was flushed"
                for below in Path(target).rglob("*"):
                    inner = os.path.join(source, below.relative_to(target))
                    assert inner in flushed, f"{inner} was not flushed"
                if os.path.dirname(target) == out:
                    record = os.path.join(out, HIDDEN, "records")
                    assert record in flushed, f"{target} got its name before its record was on the disk"
                flushed.discard(os.path.dirname(target))
                names.append((target, os.path.dirname(target)))
            elif kind == "release" and names:
                released = True
                for name, directory in names:
                    assert directory in flushed, f"the lock was released before the name {name} was on the disk"
        assert released
        return [name for name, directory in names if directory == out]


@pytest.fixture
def work(project):
    """The functions of all shapes, committed."""
    return project.module(WORK.split("import Artifact\n", 1)[1].join(["import secrets\n", MANY]))


def call(work, shape, *, recompute=False):
    function = getattr(work, shape)
    return (function.recompute if recompute else function)(*OUTPUTS.get(shape, ("out/many/",)))


class TestOrder:
    @pytest.mark.parametrize("recompute", [False, True])
    @pytest.mark.parametrize("shape", [*SHAPES, "many"])
    def test_shapes(self, project, work, monkeypatch, shape, recompute):
        """Of every shape: content, record, companions, artifact, directories, and then the lock."""
        if recompute:
            call(work, shape)
        with monkeypatch.context() as patched:
            recorder = Recorder(patched)
            made = call(work, shape, recompute=recompute)
        named = recorder.check(str(project.out))

        last = made[-1] if isinstance(made, tuple) else made
        assert str(last.resolve()) == named[-1], "something got its name after the artifact"

    def test_new_folders(self, project, work, monkeypatch):
        """The directories above an artifact that were made for it are on the disk before it is."""
        with monkeypatch.context() as patched:
            recorder = Recorder(patched)
            work.file("new/deeper/file.txt")
            recorder.check(str(project.path / "new" / "deeper"))

        flushed = {event[1] for event in recorder.events if event[0] == "fsync"}
        assert {str(project.path), str(project.path / "new"), str(project.path / "new" / "deeper")} <= flushed

    def test_patch(self, project, monkeypatch):
        """The patch of dirty code is on the disk before the record that names it."""
        project.module(WRITE)
        (project.path / "work.py").write_text((project.path / "work.py").read_text() + "x = 1\n")
        work = project.load(project.path / "work.py")
        with monkeypatch.context() as patched:
            recorder = Recorder(patched)
            work.f(1, "out/f.txt")
        recorder.check(str(project.out))

        places = [Path(event[-1]) for event in recorder.events if event[0] in ("fsync", "rename")]
        patches = project.out / HIDDEN / "patches"
        record = next(i for i, path in enumerate(places) if path.parent.name == "records")
        assert patches in places[:record]


class TestFailingFlush:
    @pytest.mark.parametrize("recompute", [False, True])
    @pytest.mark.parametrize("shape", SHAPES)
    def test_each(self, project, work, monkeypatch, caplog, shape, recompute):
        """A flush that fails, whichever it is, fails the call, or is a warning once the artifact has its name."""
        warned = 0
        for number in range(1, 40):
            with contextlib.suppress(FileNotFoundError):
                prune(project.out, keep=0, dry_run=False)
            if recompute:
                call(work, shape)
            caplog.clear()
            with monkeypatch.context() as patched:
                recorder = Recorder(patched, number)
                try:
                    call(work, shape, recompute=recompute)
                except OSError:
                    assert recorder.failed is not None
                else:
                    if recorder.failed is None:
                        break
                    assert str(project.out) == recorder.failed
                    assert "may not survive a power failure" in caplog.text
                    warned += 1
            call(work, shape)
            assert {"kept"} >= {problem.what for problem in verify(project.out)}

        assert number > 4
        assert len(OUTPUTS[shape]) == warned
        assert [] == project.staged()

    def test_large(self, project, monkeypatch):
        """A large file is flushed while it is read, and a flush that fails there fails the call too."""
        work = project.module(WRITE + "    Path(outpath).write_bytes(bytes(2 << 20))\n")
        work.f(1, "out/f.txt")
        with monkeypatch.context() as patched:
            Recorder(patched, 1)
            with pytest.raises(OSError, match="Input/output error"):
                work.f(2, "out/f.txt")
        with monkeypatch.context() as patched:
            recorder = Recorder(patched)
            work.f(2, "out/f.txt")

        recorder.check(str(project.out))


class TestReplacement:
    def test_directory_is_moved_back(self, project, monkeypatch):
        """A directory that stepped aside for one that cannot take its place is back when the call ends."""
        work = project.module(MODEL)
        path = work.model(1)
        from taggedartifacts._store import publish

        move = publish.move

        def fail(source, target):
            if target == str(path.resolve()) and ".aside" not in source:
                raise OSError(
                    errno.EIO if ".aside" in str(os.listdir(project.out / HIDDEN / "staging")) else errno.ENOTEMPTY,
                    "no",
                )
            move(source, target)

        monkeypatch.setattr(publish, "move", fail)
        with pytest.raises(OSError, match="no"):
            work.model.recompute(1)
        assert "1 1" == (path / "weights" / "0.bin").read_text()

    def test_two_of_a_run_published_one_after_the_other(self, project):
        """A companion that was replaced stands with its artifact, never alone before the record tells of it."""
        work = project.module(COMPANIONS)
        path = work.shape(1, "out/s.shp")
        work.shape.recompute(1, "out/s.shp")

        assert [] == verify(path)


class TestHit:
    def test_size_counts_where_the_time_agrees(self, project):
        """An edit of another size is seen although somebody has put the time back."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        before = path.stat()
        path.write_text("longer than it was")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

        with pytest.raises(ArtifactModifiedError):
            work.f(1, "out/f.txt")

    def test_working_directory(self, project, monkeypatch):
        """A relative path goes by the working directory of each call."""
        work = project.module(WRITE)
        here = work.f(1, "out/f.txt").resolve()
        (project.path / "below").mkdir()
        monkeypatch.chdir(project.path / "below")
        there = work.f(1, "out/f.txt").resolve()

        assert (project.path / "below" / "out" / here.name) == there
        assert here.exists()
        assert [str, str] == work.runs

    def test_type_of_the_path(self, project):
        """A function receives a path of the type of this call, whatever a call before it passed."""
        work = project.module(WRITE.replace("@Artifact", "import pathlib\n@Artifact"))
        work.f.path(1, "out/f.txt")
        work.f(1, Path("out/f.txt"))
        work.f.recompute(1, "out/f.txt")

        assert [False, True] == [kind is str for kind in work.runs]

    def test_name_in_the_record(self, project):
        """A record that was made for another name is not this artifact's."""
        work = project.module(WRITE)
        path, other = work.f(1, "out/f.txt"), work.f(1, "out/g.txt")
        records = project.out / HIDDEN / "records"
        (records / f"{path.name}.json").write_bytes((records / f"{other.name}.json").read_bytes())

        with pytest.raises(ArtifactConflictError, match="is the record of g-"):
            work.f(1, "out/f.txt")

    def test_looks_closely_under_the_lock(self, project, monkeypatch):
        """What a network file system showed before the lock was held is asked again when it is held."""
        work = project.module(
            WRITE.replace("    runs.append", "    events.append('run')\n    runs.append") + "events = []\n"
        )
        real, acquire = Folder.look_closely, ArtifactLock.try_acquire
        monkeypatch.setattr(Folder, "look_closely", lambda self: work.events.append("look") or real(self))
        monkeypatch.setattr(ArtifactLock, "try_acquire", lambda self: work.events.append("lock") or acquire(self))
        work.f(1, "out/f.txt")

        assert ["lock", "look", "run"] == work.events[:3]
