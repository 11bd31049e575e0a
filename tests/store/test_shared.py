"""Shared folders: what others left there is swept with care, and nothing foreign is followed or written through."""

import json
import os
import shutil
import stat
import traceback
import warnings

import pytest
from cases import leave
from gitrepo import IS_ROOT

from taggedartifacts import ArtifactConflictError
from taggedartifacts._store.staging import Claim

WRITE = """
runs = []
@Artifact("outpath", allow_dirty=True, ignore=("runs",))
def f(x, outpath):
    runs.append(x)
    Path(outpath).write_text(f"{x} {len(runs)}")

@Artifact("out")
def model(out):
    Path(out).mkdir()
    Path(out, "a").touch()
    os.chmod(out, 0o555)
"""


def hidden(project):
    return project.out / ".taggedartifacts"


class TestLeftovers:
    def test_own(self, project):
        """The next call removes what a dead process left behind for the same artifact."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        leave(project, path)
        work.f.recompute(1, "out/f.txt")

        assert [] == project.staged()

    def test_what_cannot_be_removed(self, project, monkeypatch, caplog):
        """What cannot be removed is named in the log, and neither the call nor the mode of shared folders suffers."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        left = leave(project, path)
        os.mkdir(hidden(project) / "staging" / left / "inside")
        before = stat.S_IMODE((hidden(project) / "staging").stat().st_mode)
        rmdir = os.rmdir

        def busy(path, **options):
            if os.path.basename(path) == "inside":  # as a file that another host holds open does on NFS
                raise OSError(39, "Directory not empty", path)
            rmdir(path, **options)

        monkeypatch.setattr(os, "rmdir", busy)
        work.f.recompute(1, "out/f.txt")

        assert [left] == project.staged()
        assert before == stat.S_IMODE((hidden(project) / "staging").stat().st_mode)
        assert f"{left} is left over" in caplog.text

    def test_links_in_it_are_not_followed(self, project, tmp_path, monkeypatch):
        """Removing staging follows no link that a function made in it."""
        work = project.module(
            '@Artifact("out")\ndef f(out, target):\n    os.mkdir(out)\n    os.symlink(target, Path(out, "link"))\n'
            "    os.chmod(out, 0o500)\n    raise ZeroDivisionError\n"
        )
        target = tmp_path / "target"
        target.mkdir(mode=0o750)
        (target / "kept").touch()
        tries, rmtree = iter([lambda *_, **__: None]), shutil.rmtree  # root could remove it at once
        monkeypatch.setattr(shutil, "rmtree", lambda path, **how: next(tries, rmtree)(path, **how))

        with pytest.raises(ZeroDivisionError):
            work.f("out/x", str(target))
        assert [] == project.staged()
        assert 0o750 == stat.S_IMODE(target.stat().st_mode)
        assert ["kept"] == os.listdir(target)

    @pytest.mark.parametrize(("days", "stays"), [(6, True), (8, False)])
    def test_another_host(self, project, days, stays):
        """What another host wrote lately is left alone: its locks may not reach here, and its process may live."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        left = leave(project, path, host="elsewhere", age=days * 86400)
        work.f.recompute(1, "out/f.txt")

        assert ([left] if stays else []) == project.staged()

    def test_written_lately(self, project):
        """Staging is as old as the last write in it, not as its making."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        left = leave(project, path, host="elsewhere", age=8 * 86400)
        os.utime(hidden(project) / "staging" / left / path.name)
        work.f.recompute(1, "out/f.txt")

        assert [left] == project.staged()

    def test_another_artifact(self, project):
        """The leftover of another artifact goes when it is an hour old and nobody works in it or holds its lock."""
        work = project.module(WRITE)
        other = work.f(2, "out/f.txt")
        young, claimed, old = (leave(project, other, age=age) for age in (0, 3700, 3700))
        claim = Claim()
        claim.take(str(hidden(project) / "staging" / claimed))
        work.f(1, "out/f.txt")
        claim.release()

        assert {young, claimed} == set(project.staged())
        assert old not in (young, claimed)

    def test_stepped_aside(self, project, caplog):
        """A directory that stepped aside for a successor that never came is brought back, from whichever host."""
        work = project.module(WRITE.replace("Path(outpath)", "Path(outpath).mkdir()\n    Path(outpath, 'a')"))
        path = work.f(1, "out/model")
        left = leave(project, path, host="elsewhere", suffix=".aside")
        os.unlink(hidden(project) / "staging" / left / path.name)
        os.rename(path, hidden(project) / "staging" / left / path.name)

        assert path == work.f(1, "out/model")
        assert "it is back" in caplog.text
        assert [1] == work.runs
        assert "1 1" == (path / "a").read_text()
        assert [] == project.staged()

    def test_stepped_aside_for_one_that_came(self, project):
        """What stepped aside does not come back where its successor stands."""
        work = project.module(WRITE.replace("append(x)", "append(x)\n    assert not runs[1:]"))
        path = work.f(1, "out/f.txt")
        leave(project, path, suffix=".aside")

        with pytest.raises(AssertionError):
            work.f.recompute(1, "out/f.txt")
        assert "1 1" == path.read_text()
        assert [] == project.staged()


class TestForeignFiles:
    @pytest.mark.parametrize("place", ["", "locks", "staging", "records", "patches"])
    @pytest.mark.parametrize("kind", ["link", "file", "fifo"])
    def test_in_place_of_a_directory(self, project, tmp_path, place, kind):
        """A link, a file or a FIFO where a hidden directory should be is refused before the function runs."""
        work = project.module(WRITE)
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        path = hidden(project) / place
        path.parent.mkdir(parents=True)
        if kind == "link":
            path.symlink_to(elsewhere)
        elif kind == "fifo":
            os.mkfifo(path)
        else:
            path.touch()

        with pytest.raises(ArtifactConflictError, match="is not a directory of this library's making; remove it"):
            work.f(1, "out/f.txt")
        assert [] == work.runs == os.listdir(elsewhere)

    @pytest.mark.parametrize("kind", ["link", "fifo", "directory"])
    def test_in_place_of_a_lock(self, project, tmp_path, kind):
        """Nothing but a regular file is taken for a lock."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        path.unlink()
        (lock,) = (hidden(project) / "locks").iterdir()
        put(lock, kind, tmp_path)

        with pytest.raises(ArtifactConflictError, match=rf"{lock} is no lock of this library's making; remove it"):
            work.f(1, "out/f.txt")
        assert [1] == work.runs
        assert "kept" == (tmp_path / "target").read_text()

    @pytest.mark.parametrize("kind", ["link", "fifo"])
    def test_in_place_of_a_record(self, project, tmp_path, kind):
        """A link or FIFO where the record should be is replaced itself, neither followed nor waited for."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        record = hidden(project) / "records" / f"{path.name}.json"
        put(record, kind, tmp_path)

        assert path == work.f(1, "out/f.txt")  # a bare file, to all appearances
        work.f.recompute(1, "out/f.txt")
        assert stat.S_ISREG(record.lstat().st_mode)
        assert "kept" == (tmp_path / "target").read_text()

    def test_directory_in_place_of_a_record(self, project, tmp_path):
        """A directory where the record should be is refused before the function runs, not after hours."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        path.unlink()
        record = hidden(project) / "records" / f"{path.name}.json"
        put(record, "directory", tmp_path)

        with pytest.raises(ArtifactConflictError, match=rf"{record} is no file; remove it"):
            work.f(1, "out/f.txt")
        assert [1] == work.runs

    @pytest.mark.parametrize("kind", ["link", "fifo", "directory"])
    def test_in_staging(self, project, tmp_path, kind):
        """What somebody put among the staging directories is left alone or removed, never followed."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        left = hidden(project) / "staging" / leave(project, path)
        put(left, kind, tmp_path)
        work.f.recompute(1, "out/f.txt")

        assert [] == project.staged()
        assert "kept" == (tmp_path / "target").read_text()

    @pytest.mark.parametrize("kind", ["link", "fifo"])
    def test_in_place_of_a_patch(self, project, tmp_path, kind):
        """A link or FIFO where the patch of a dirty state should be is replaced itself."""
        project.write("settings.ini", "X = 1\n")
        project.commit()
        project.module(WRITE)
        project.write("settings.ini", "X = 2\n")
        work = project.load(project.path / "work.py")
        path = work.f(1, "out/f.txt")
        (patch,) = (hidden(project) / "patches").iterdir()
        text = patch.read_text()
        put(patch, kind, tmp_path)
        work.f.recompute(1, "out/f.txt")

        assert "+X = 2" in text
        assert stat.S_ISREG(patch.lstat().st_mode)
        assert text == patch.read_text()
        assert "kept" == (tmp_path / "target").read_text()
        assert path.tag.dirty is not None

    def test_ignore_file_is_a_link(self, project, tmp_path):
        """The hidden directory's .gitignore is not written through a link."""
        work = project.module(WRITE)
        hidden(project).mkdir(parents=True)
        put(hidden(project) / ".gitignore", "link", tmp_path)
        work.f(1, "out/f.txt")

        assert "kept" == (tmp_path / "target").read_text()


ANYBODY, SOMEBODY, GROUP = 65534, 65533, 64000


@pytest.mark.skipif(not IS_ROOT, reason="only root can be other users")
class TestUsers:
    """Other users in forked processes of their own, so that what was imported need not be readable to them."""

    @pytest.fixture
    def shared(self, project):
        """A folder for a group, reachable by all, and a module whose imports are done."""
        work = project.module(WRITE)
        work.f(0, "out/f.txt")
        work.f.recompute(0, "out/f.txt")
        for above in (project.path, *project.path.parents):
            if above.stat().st_uid == 0 and str(above).count(os.sep) > 1:
                above.chmod(0o755)
        folder = project.path / "shared"
        folder.mkdir()
        os.chown(folder, ANYBODY, GROUP)
        folder.chmod(0o2775)
        return work, folder

    def test_group(self, shared):
        """Two users with umask 002 make, reuse and recompute in one group folder; the files are the group's."""
        work, folder = shared
        as_user(ANYBODY, lambda: work.f(1, folder / "f.txt"))
        as_user(SOMEBODY, lambda: work.f(2, folder / "f.txt"))

        assert "1 3" == as_user(SOMEBODY, lambda: work.f.recompute(1, folder / "f.txt").read_text())
        assert as_user(ANYBODY, lambda: work.f.is_cached(1, folder / "f.txt"))
        as_user(ANYBODY, lambda: work.f.recompute(2, folder / "f.txt"))
        inside = [path for path in (folder / ".taggedartifacts").rglob("*") if path.name != ".gitignore"]
        assert {GROUP} == {path.stat().st_gid for path in inside}
        assert all(path.stat().st_mode & stat.S_IWGRP for path in inside)
        assert [] == os.listdir(folder / ".taggedartifacts" / "staging")

    def test_leftovers_of_another(self, shared):
        """What a crash of one user left behind, the other sweeps up."""
        work, folder = shared
        path = folder / as_user(ANYBODY, lambda: work.f(1, folder / "f.txt").name)
        as_user(ANYBODY, lambda: leave_at(folder, path.name))
        as_user(SOMEBODY, lambda: work.f.recompute(1, folder / "f.txt"))

        assert [] == os.listdir(folder / ".taggedartifacts" / "staging")

    def test_reader(self, shared):
        """A user who may only read reuses; making fails with the name of the folder, before the function runs."""
        work, folder = shared
        folder.chmod(0o755)
        as_user(ANYBODY, lambda: work.f(1, folder / "f.txt"))

        assert "1" == as_user(SOMEBODY, lambda: work.f(1, folder / "f.txt").read_text())[0]
        assert as_user(SOMEBODY, lambda: failing(work.f, 2, folder / "f.txt")).startswith(f"PermissionError {folder}")

    def test_reader_of_touched(self, shared):
        """A reader reuses an artifact whose times were lost, though he cannot refresh its record."""
        work, folder = shared
        folder.chmod(0o755)
        path = folder / as_user(ANYBODY, lambda: work.f(1, folder / "f.txt").name)
        os.utime(path, ns=(5, 5))

        assert "1" == as_user(SOMEBODY, lambda: work.f(1, folder / "f.txt").read_text())[0]

    def test_everybodys_folder(self, shared):
        """In a folder as /tmp is, another user's hidden directory is refused: he could exchange it for a link."""
        work, folder = shared
        os.chown(folder, 0, 0)
        folder.chmod(0o1777)
        as_user(ANYBODY, lambda: (folder / ".taggedartifacts").mkdir())

        assert as_user(SOMEBODY, lambda: failing(work.f, 2, folder / "f.txt")).startswith("ArtifactConflictError")
        as_user(ANYBODY, lambda: work.f(2, folder / "f.txt"))

    def test_own_folder_that_is_read_only(self, shared):
        """A function that makes its directory read-only is published and replaced, by a user whom modes bind."""
        work, folder = shared
        model = work.model
        as_user(ANYBODY, lambda: model(folder / "model"))
        as_user(ANYBODY, lambda: model.recompute(folder / "model"))

        assert [] == os.listdir(folder / ".taggedartifacts" / "staging")


def failing(f, *arguments):
    """Call something that is refused; the kind of error, the file it names, and its message."""
    try:
        f(*arguments)
    except OSError as error:
        return f"{type(error).__name__} {error.filename} {error}"
    raise AssertionError("it was not refused")


def leave_at(folder, name):
    from taggedartifacts._store.folder import Folder
    from taggedartifacts._store.staging import make_staging

    staging = make_staging(Folder(str(folder)), name)
    with open(os.path.join(staging, name), "w") as file:
        file.write("left behind")


def as_user(uid, work):
    """Do something as another user of the group, in a process of his; what it returned."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks in the presence of the test runner's threads
        pid = os.fork()
    if not pid:
        answer = {"error": "it did not end"}
        try:
            os.setgroups([GROUP])
            os.setgid(GROUP)
            os.setuid(uid)
            os.umask(0o002)
            answer = {"value": work()}
        except BaseException:
            answer = {"error": traceback.format_exc()}
        finally:
            os.write(write, json.dumps(answer, default=str).encode())
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as answers:
        answer = json.loads(answers.read())
    os.waitpid(pid, 0)
    assert "error" not in answer, answer["error"]
    return answer["value"]


def put(path, kind, tmp_path):
    """Put something that is not ours in place of what is there."""
    (tmp_path / "target").write_text("kept")
    if path.is_dir():
        for each in path.iterdir():
            each.unlink()
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    if kind == "link":
        path.symlink_to(tmp_path / "target")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
