"""File systems: full ones, read-only ones, such that have no locks or no case, and such that fail now and then."""

import errno
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import storms
from cases import COMPANIONS, MODEL, TWO, WRITE, hold
from gitrepo import IS_ROOT, GitRepo

from taggedartifacts import (
    ArtifactConflictError,
    ArtifactModifiedError,
    ArtifactNotWrittenError,
    LockTimeoutError,
    record,
)
from taggedartifacts._store import condition as _condition
from taggedartifacts._store import lock as _lock

STORMS = Path(storms.__file__)


CASE = """
@Artifact("outpath")
def f(x, outpath):
    Path(outpath).write_text("1")
"""


@pytest.fixture
def mounted(project):
    """Mount file systems below the project, as root, and unmount them afterwards."""
    places = []

    def mount(name, *arguments):
        if not IS_ROOT:
            pytest.skip("only root can mount")
        place = project.path / name
        place.mkdir()
        done = subprocess.run(["mount", *arguments, place], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"cannot mount here: {done.stderr.strip()}")
        places.append(place)
        return place

    yield mount
    for place in reversed(places):
        subprocess.run(["umount", place], check=True)


@pytest.fixture(params=[errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP], ids=errno.errorcode.get)
def without_locks(request, monkeypatch):
    """A file system that refuses locks."""

    def refuse(descriptor, operation):
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(pytest.importorskip("fcntl"), "flock", refuse)


class TestWithoutLocks:
    def test_goes_on(self, project, without_locks, caplog):
        """Where there are no locks, artifacts are made and reused all the same; one warning says what that means."""
        work = project.module(WRITE)
        for number in (1, 2, 1):
            work.f(number, "out/f.txt")

        assert 2 == len(work.runs) == len(project.files())
        assert 1 == caplog.text.count("has no locks")
        assert [] == project.staged()

    def test_first_one_stays(self, project, without_locks, caplog):
        """Of two that make the same artifact at the same time, the first one's stays, and both return it."""
        work = project.module(
            WRITE.replace("{x}", "{len(runs)}") + "    if len(runs) == 1:\n        f(x, other)\nother = 'out/f.txt'\n"
        )
        work.other = "link/f.txt"  # another name of the same folder, lest the inner call be seen as recursive
        project.out.mkdir()
        (project.path / "link").mkdir()
        subprocess.run(["mount", "--bind", "out", "link"], check=False, capture_output=True)
        if not os.path.samefile("out", "link"):
            pytest.skip("only root can mount")
        try:
            with caplog.at_level("INFO", "taggedartifacts"):
                path = work.f(1, "out/f.txt")
        finally:
            subprocess.run(["umount", "link"], check=True)

        assert "2\n" == path.read_text()
        assert 2 == len(work.runs)
        assert "made by somebody else meanwhile; theirs is kept" in caplog.text
        assert work.f.is_cached(1, "out/f.txt")

    def test_several_of_which_one_is_gone(self, project, without_locks):
        """Several outputs of which one is gone are made again."""
        work = project.module(TWO)
        work.two(1, "out/a.txt", "out/b.txt")[1].unlink()

        assert ["a 2", "b 2"] == [path.read_text() for path in work.two(1, "out/a.txt", "out/b.txt")]
        assert work.two.is_cached(1, "out/a.txt", "out/b.txt")

    def test_companion_is_gone(self, project, without_locks):
        """An artifact of which a companion is gone is made again."""
        work = project.module(COMPANIONS)
        work.shape(1, "out/s.shp").with_suffix(".dbf").unlink()

        assert "shp 2" == work.shape(1, "out/s.shp").read_text()
        assert 3 == len(project.files())

    def test_no_record(self, project, without_locks, monkeypatch):
        """If the record cannot be written, the artifact goes again, though its name comes first here; then it works."""
        work = project.module(COMPANIONS + MODEL)
        replace = os.replace

        def full(source, target):
            if "/records/" in target:
                raise OSError(errno.ENOSPC, "No space left on device", target)
            replace(source, target)

        monkeypatch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="No space left"):
            work.shape(1, "out/s.shp")
        assert [] == project.files() == project.staged()
        with pytest.raises(OSError, match="No space left"):
            work.model(1)
        assert [] == project.files() == project.staged()
        assert 1 == len([*project.out.glob(f".taggedartifacts/kept/*/{work.model.path(1).name}/weights/0.bin")])
        monkeypatch.setattr(os, "replace", replace)
        assert "shp 3" == work.shape(1, "out/s.shp").read_text()
        assert 3 == len(project.files())

    def test_recompute(self, project, without_locks):
        """A directory can be replaced."""
        work = project.module(MODEL)
        work.model(1)

        assert "1 2" == (work.model.recompute(1) / "weights" / "0.bin").read_text()

    def test_young_staging_is_left_alone(self, project, without_locks):
        """What may be alive is not swept: without locks nobody can know."""
        from cases import leave

        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        young, old = leave(project, path, age=6 * 86400), leave(project, path, age=8 * 86400)
        work.f.recompute(1, "out/f.txt")

        assert [young] == project.staged()
        assert young != old


class TestLocksThatFail:
    def test_other_error(self, project, monkeypatch):
        """An error that does not say that there are no locks comes through, before the function runs."""
        work = project.module(WRITE)
        refused = OSError(errno.EIO, os.strerror(errno.EIO))
        monkeypatch.setattr(pytest.importorskip("fcntl"), "flock", lambda *_: (_ for _ in ()).throw(refused))

        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            work.f(1, "out/f.txt")
        assert [] == work.runs


class TestStagingVanishes:
    def test_nobody_made_it(self, project):
        """If somebody removes the staging directory of a live run, the error says so."""
        work = project.module(WRITE + "    import shutil\n    shutil.rmtree(os.path.dirname(outpath))\n")

        with pytest.raises(ArtifactNotWrittenError, match=r"vanished before .* was published"):
            work.f(1, "out/f.txt")
        assert [] == project.files()

    def test_from_another_pid_namespace(self, project):
        """A sweep from another container, where process ids mean nothing, leaves a live run alone."""
        if not IS_ROOT or not shutil.which("unshare"):
            pytest.skip("only root can make namespaces")
        work = project.module(WRITE.replace('"outpath"', '"outpath", timeout=0.2'))
        path = work.f.path(1, "out/f.txt")
        lock = hold(project, path)
        from cases import leave

        try:
            live = leave(project, path, age=9000)
            code = (
                "import work\nwork.f(2, 'out/f.txt')\ntry:\n    work.f(1, 'out/f.txt')\nexcept OSError:\n    print(7)"
            )
            said = project.run("unshare", "-p", "-f", sys.executable, "-B", "-c", code)
        finally:
            lock.release()

        assert "7" == said
        assert [live] == project.staged()


@pytest.fixture
def locks_of_ones_own(tmp_path, monkeypatch):
    """A file system that is mounted so that other hosts do not see its locks."""
    device = os.stat(tmp_path).st_dev
    mounts = tmp_path / "mountinfo"
    options = "/ /data rw,noatime shared:1 - nfs server:/data rw,vers=3,nolock,local_lock=all,addr=10.0.9.1"
    mounts.write_text(f"30 1 {os.major(device)}:{os.minor(device) + 1} / / rw - ext4 /dev/vda rw\n")
    with mounts.open("a") as file:
        file.write(f"31 1 {os.major(device)}:{os.minor(device)} {options}\n")
    monkeypatch.setattr(_lock, "_MOUNTS", str(mounts))
    _lock._local_locks.cache_clear()
    yield
    _lock._local_locks.cache_clear()


class TestLocksOfOnesOwn:
    def test_first_one_stays(self, project, locks_of_ones_own, caplog):
        """Where other hosts do not see the lock, what one of them made meanwhile stays; a warning says so."""
        source = WRITE.replace('("runs",)', '("runs", "meanwhile")') + "    path, content = meanwhile\n"
        work = project.module("meanwhile = None\n" + source + "    path.write_text(content)\n")
        path = work.f.path(1, "out/f.txt")
        work.meanwhile = path, "theirs"
        with caplog.at_level("INFO", "taggedartifacts"):
            work.f(1, "out/f.txt")

        assert "theirs" == path.read_text()
        assert 1 == caplog.text.count("other hosts do not see the locks of this one (local_lock=all)")
        assert "made by somebody else meanwhile; theirs is kept" in caplog.text

    def test_one_host(self, project, locks_of_ones_own):
        """The processes of one host still make each artifact once."""
        work = project.module(WRITE.replace('"outpath"', '"outpath", timeout=0'))
        lock = hold(project, work.f.path(1, "out/f.txt"))
        try:
            with pytest.raises(LockTimeoutError):
                work.f(1, "out/f.txt")
        finally:
            lock.release()


@pytest.fixture
def remembering(monkeypatch):
    """A client of a network file system: what it is told to remember of a path holds until the directory is opened."""
    remembered = {}
    lstat, scandir = os.lstat, os.scandir

    def remember(path):
        try:
            remembered[os.path.abspath(path)] = lstat(path)
        except FileNotFoundError as error:
            remembered[os.path.abspath(path)] = error

    def look(path, **options):
        known = remembered.get(os.path.abspath(path))
        if isinstance(known, OSError):
            raise known
        return known or lstat(path, **options)

    def open_directory(path="."):
        for known in [known for known in remembered if os.path.dirname(known) == os.path.abspath(path)]:
            del remembered[known]
        return scandir(path)

    monkeypatch.setattr(os, "lstat", look)
    monkeypatch.setattr(os, "scandir", open_directory)
    return remember


def elsewhere(project, call):
    """Call in another process, as another host would."""
    project.python("-c", f"import work\nwork.{call}")


class TestNetwork:
    """What a client of a network file system shows of the past does not count."""

    def test_old_record(self, project, remembering):
        """An old record beside a new artifact is no sign of an edit."""
        work = project.module(WRITE.replace("{x}", "{x} {os.getpid()}"))
        path = work.f(1, "out/f.txt")
        assert path == work.f(1, "out/f.txt")  # reads the record
        before = path.read_text()
        remembering(record_of(path))
        elsewhere(project, "f.recompute(1, 'out/f.txt')")

        assert path == work.f(1, "out/f.txt")
        assert before != path.read_text()
        assert 1 == len(work.runs)

    def test_edited(self, project, remembering):
        """An artifact that was edited is refused all the same."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        remembering(record_of(path))
        path.write_text("edited")

        with pytest.raises(ArtifactModifiedError):
            work.f(1, "out/f.txt")

    def test_no_record(self, project, remembering, caplog):
        """An artifact counts by its record, though there was none a moment ago."""
        work = project.module(WRITE)
        path = work.f.path(1, "out/f.txt")
        remembering(record_of(path))
        elsewhere(project, "f(1, 'out/f.txt')")
        with caplog.at_level("INFO", "taggedartifacts"):
            work.f(1, "out/f.txt")

        assert "has no record" not in caplog.text
        assert "reused" in caplog.text

    def test_reading(self, project, remembering):
        """A function that reads an artifact finds it, though it was not there a moment ago."""
        work = project.module("@Artifact('path', mode='r')\ndef r(x, path):\n    return Path(path).read_text()\n")
        path = work.r.path(1, "out/f.txt")
        remembering(record_of(path))
        remembering(path)
        project.out.mkdir()
        path.write_text("there")

        assert "there" == work.r(1, "out/f.txt")

    @pytest.mark.parametrize("times", [1, 3])
    def test_stale_artifact(self, project, monkeypatch, times):
        """An artifact that is replaced while it is read is looked at again."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        os.utime(path)
        failing(monkeypatch, _condition, "file_hexdigest", errno.ESTALE, times)

        assert path == work.f(1, "out/f.txt")
        assert 1 == len(work.runs)

    def test_stale_for_good(self, project, monkeypatch):
        """If that never ends, the error of the system comes through."""
        work = project.module(WRITE)
        os.utime(work.f(1, "out/f.txt"))
        failing(monkeypatch, _condition, "file_hexdigest", errno.ESTALE, 1000)

        with pytest.raises(OSError, match=os.strerror(errno.ESTALE)):
            work.f(1, "out/f.txt")

    def test_stale_record(self, project, monkeypatch):
        """A record that is replaced while it is read is read again."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        failing(monkeypatch, os, "read", errno.ESTALE, 3)

        assert "work.py::f" == record(path).function

    def test_answer_is_lost(self, project, without_locks, monkeypatch):
        """A link that was made is known to be ours, though the client asks twice and is told that it was taken."""
        work = project.module(WRITE)
        link = os.link

        def twice(source, target):
            link(source, target)
            link(source, target)

        monkeypatch.setattr(os, "link", twice)

        assert "work.py::f" == record(work.f(1, "out/f.txt")).function


def record_of(path):
    return path.parent / ".taggedartifacts" / "records" / f"{path.name}.json"


def failing(monkeypatch, module, name, error, times):
    """Let a function fail so many times."""
    works, left = getattr(module, name), [times]

    def fail(*args, **kwargs):
        left[0] -= 1
        if left[0] >= 0:
            raise OSError(error, os.strerror(error))
        return works(*args, **kwargs)

    monkeypatch.setattr(module, name, fail)


class TestReadOnly:
    def test_hit_and_miss(self, project, mounted):
        """On a read-only file system artifacts are reused; making one fails at once and names the folder."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        os.utime(path)
        place = mounted("read-only", "--bind", "-o", "ro", project.out)

        assert place / path.name == work.f(1, place / "f.txt")
        with pytest.raises(OSError, match=re.escape(str(place))):
            work.f(2, place / "f.txt")
        assert 1 == len(work.runs)


class TestFull:
    @pytest.mark.parametrize("options", ["size=256k", "nr_inodes=24"])
    def test_full(self, project, mounted, options):
        """On a full file system the error of the system comes through, nothing is visible, and later calls work."""
        place = mounted("full", "-t", "tmpfs", "-o", options, "tmpfs")
        work = project.module(WRITE + "    if len(runs) > 1:\n        Path(outpath).write_bytes(bytes(200_000))\n")
        kept = work.f(1, place / "f.txt")
        ballast = place / "ballast"
        ballast.mkdir()
        (ballast / "bytes").write_bytes(bytes(100_000))
        try:
            for number in range(100 if options.startswith("nr") else 0):
                (ballast / str(number)).touch()
        except OSError:
            pass
        with pytest.raises(OSError, match="No space left on device"):
            work.f(2, place / "f.txt")

        assert {"ballast", ".taggedartifacts", kept.name} == set(os.listdir(place))
        assert kept == work.f(1, place / "f.txt")
        shutil.rmtree(ballast)
        assert 200_000 == work.f(2, place / "f.txt").stat().st_size
        assert [] == os.listdir(place / ".taggedartifacts" / "staging")


@pytest.fixture
def caseless(mounted, tmp_path):
    """A directory in which case does not count."""
    if not shutil.which("mkntfs") or not shutil.which("mount.lowntfs-3g"):
        pytest.skip("ntfs-3g makes the file system for this test")
    image = tmp_path / "image"
    image.write_bytes(bytes(16 << 20))
    subprocess.run(["mkntfs", "-F", "-Q", image], check=True, capture_output=True)
    return mounted("caseless", "-t", "lowntfs-3g", "-o", "loop,ignore_case", image)


class TestCase:
    def test_another_name(self, project, caseless):
        """Where case does not count, an artifact is not served under another's name."""
        work = project.module(WRITE)
        path = work.f(1, caseless / "name.txt")
        assert (caseless / path.name.upper()).exists(), "case counts here"

        with pytest.raises(ArtifactConflictError, match=r"is name-.* to this file system"):
            work.f(1, caseless / "NAME.txt")
        assert path == work.f(1, caseless / "name.txt")
        assert 1 == len(work.runs)

    def test_work_tree_by_another_name(self, caseless):
        """A module that was imported by another spelling of the work tree is looked at as one in it."""
        repo = GitRepo(caseless / "tree")
        repo.write(".gitignore", "out/\n")
        repo.write("work.py", "from pathlib import Path\nfrom taggedartifacts import Artifact\nimport helper\n" + CASE)
        repo.commit()
        repo.write("lib/helper.py", "VALUE = 1\n")
        run = (
            "import sys; from taggedartifacts._reach import places; places._CASE_MAY_NOT_COUNT = True\n"
            "sys.path[:0] = ['.', {!r}]; import work; print(work.f.explain(1, 'out/f.txt'))"
        )

        assert "lib/helper.py (loaded, but not tracked" in repo.python("-c", run.format(str(caseless / "tree" / "lib")))
        assert "lib/helper.py (loaded, but not tracked" in repo.python("-c", run.format(str(caseless / "TREE" / "lib")))
