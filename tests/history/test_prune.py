"""Removing artifacts with all that belongs to them, and nothing else."""

import logging
import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from cases import WRITE
from records import COMMIT, DIRTY, change_record, put, record_path

from taggedartifacts import (
    ArtifactConflictError,
    ArtifactNotFoundError,
    ArtifactPath,
    RepositoryError,
    prune,
    verify,
    versions,
)
from taggedartifacts._hashing import hexdigest
from taggedartifacts._store.folder import Folder, lock_key
from taggedartifacts._store.lock import ArtifactLock
from taggedartifacts._store.record import FileEntry

WORK = """
@Artifact("outpath", ignore=("siblings",))
def shapes(x=1, outpath="out/map.shp", siblings=(".shx", ".dbf")):
    Path(outpath).write_text("shapes")
    for sibling in siblings:
        Path(outpath).with_suffix(sibling).write_text("more")

@Artifact("outpath")
def model(x=1, outpath="out/model/"):
    Path(outpath, "layers").mkdir()
    Path(outpath, "layers", "first.bin").write_text("weights")
    Path(outpath, "link").symlink_to("/etc")
"""


def on_day(path, day):
    change_record(path, started=f"2026-01-{day:02}T00:00:00+00:00")
    return path


def everything(folder):
    """List all files and directories below a folder but the locks, which stay."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix != ".lock")


@pytest.fixture
def five(tmp_path):
    """Five artifacts of one name, made on five days; the newest last."""
    return [on_day(put(tmp_path, config=day), day) for day in range(1, 6)]


class TestPrune:
    def test_removes_nothing_unless_told_so(self, five, tmp_path):
        """By default it only says what it would remove."""
        before = everything(tmp_path)
        pruned = prune(tmp_path, keep=2)

        assert sorted(pruned) == sorted(five[:3])
        assert everything(tmp_path) == before
        assert str(pruned).startswith("would remove 3 artifacts")

    def test_keeps_the_newest(self, five, tmp_path):
        """Of each name as many as are to be kept, the newest; alone, *keep* names all others."""
        other = put(tmp_path, "other.png")
        pruned = prune(tmp_path, keep=2, dry_run=False)

        assert sorted(pruned) == sorted(five[:3])
        assert versions(five[4]) == [five[4], five[3]]
        assert other.exists()
        assert verify(tmp_path) == []

    def test_goes_by_age(self, five, tmp_path):
        """Made before a moment, or longer ago than a time."""
        moment = datetime(2026, 1, 2, 12, tzinfo=UTC)

        assert sorted(prune(tmp_path, older_than=moment)) == sorted(five[:2])
        assert sorted(prune(tmp_path, older_than=datetime.now(UTC) - moment)) == sorted(five[:2])
        assert prune(tmp_path, older_than=timedelta(days=365_00)) == []

    def test_goes_by_the_time_of_the_file_without_a_record(self, tmp_path):
        """A bare artifact is as old as its file."""
        path = put(tmp_path, record=False)
        os.utime(path, (0, 0))

        assert prune(tmp_path, older_than=timedelta(days=1)) == [path]

    def test_removes_the_dirty(self, five, tmp_path):
        """Those made by code that was not committed."""
        dirty = put(tmp_path, dirty=DIRTY)

        assert prune(tmp_path, dirty=True, dry_run=False) == [dirty]
        assert all(path.exists() for path in five)

    def test_removes_what_any_criterion_names_and_nothing_that_is_kept(self, five, tmp_path):
        """Criteria add up; *keep* protects from all of them."""
        dirty = on_day(put(tmp_path, dirty=DIRTY), 6)
        old_dirty = on_day(put(tmp_path, config=9, dirty=DIRTY), 4)
        moment = datetime(2026, 1, 2, tzinfo=UTC)

        assert sorted(prune(tmp_path, dirty=True, older_than=moment)) == sorted([five[0], dirty, old_dirty])
        assert sorted(prune(tmp_path, dirty=True, older_than=moment, keep=1)) == sorted([five[0], old_dirty])
        assert prune(tmp_path, dirty=True, older_than=moment, keep=9) == []

    def test_without_a_criterion_names_nothing(self, five, tmp_path):
        """Who names nothing removes nothing, and is told what to pass."""
        pruned = prune(tmp_path, dry_run=False)

        assert pruned == []
        assert str(pruned) == (
            "removed nothing: pass keep=, older_than=, dirty=True or unreachable=True to say what can go"
        )
        assert all(path.exists() for path in five)

    def test_takes_companions_and_records_along(self, project):
        """Nothing of a pruned artifact stays; nothing of another goes."""
        module = project.module(WORK)
        old, kept = module.shapes(), module.shapes(x=2)
        pruned = prune("out", keep=1, dry_run=False)

        assert pruned == [old]
        assert project.files() == sorted(kept.with_suffix(suffix).name for suffix in (".shp", ".shx", ".dbf"))
        assert os.listdir("out/.taggedartifacts/records") == [f"{kept.name}.json"]
        assert verify("out") == []
        assert project.staged() == []

    def test_removes_directories_whole(self, project):
        """A directory artifact goes in one step; what its links lead to stays."""
        path = project.module(WORK).model()

        assert prune(path, keep=0, dry_run=False) == [path]
        assert project.files() == []
        assert os.path.exists("/etc/passwd")

    def test_never_touches_what_was_changed(self, project, caplog):
        """An artifact that somebody edited stays, with what was written beside it; the log says so."""
        work = project.module(WORK)
        made = [work.shapes(x) for x in (1, 2, 3)]
        made[0].write_text("edited")
        made[1].with_suffix(".dbf").write_text("edited")
        (work.model() / "mine").touch()
        pruned = prune("out", keep=0, dry_run=False)

        assert [made[2]] == pruned
        assert "edited" == made[0].read_text()
        assert [] == prune("out", keep=0)
        assert 6 == caplog.text.count("is kept: it was changed")

    def test_is_made_again_by_a_call(self, project):
        """Afterwards a call makes the artifact anew, companions too."""
        module = project.module(WORK)
        path = module.shapes()
        prune("out", keep=0, dry_run=False)

        assert module.shapes() == path
        assert verify("out") == []

    def test_takes_patches_that_nobody_needs(self, tmp_path):
        """A patch goes with the last artifact of its state."""
        name = f"{DIRTY}.patch"
        first, second = (on_day(put(tmp_path, config=day, dirty=DIRTY, patch=name), day) for day in (1, 2))
        patch = tmp_path / ".taggedartifacts" / "patches" / name
        patch.write_bytes(b"+" * 4000)
        assert prune(tmp_path, keep=0).size > 4000
        assert prune(tmp_path, keep=1).size < 4000

        assert prune(tmp_path, keep=1, dry_run=False) == [first]
        assert patch.exists()
        assert prune(tmp_path, keep=0, dry_run=False) == [second]
        assert not patch.exists()

    def test_leaves_patches_while_somebody_works(self, tmp_path):
        """Whoever is publishing may need a patch for a record that is not there yet."""
        put(tmp_path, dirty=DIRTY, patch=f"{DIRTY}.patch")
        patch = tmp_path / ".taggedartifacts" / "patches" / f"{DIRTY}.patch"
        patch.touch()
        (tmp_path / ".taggedartifacts" / "staging" / f"{lock_key('other')}@host@1").mkdir()
        prune(tmp_path, dirty=True, dry_run=False)

        assert patch.exists()

    def test_never_touches_what_is_being_made(self, five, tmp_path, caplog):
        """An artifact whose lock somebody holds stays, and the log says so."""
        lock = ArtifactLock(Folder(str(tmp_path)).lock(five[0].name))
        assert lock.try_acquire()
        pruned = prune(tmp_path, keep=3, dry_run=False)
        lock.release()

        assert pruned == [five[1]]
        assert five[0].exists()
        assert "is making it" in caplog.text

    def test_never_touches_what_another_host_may_be_making(self, five, tmp_path, caplog):
        """Locks may not reach from host to host: what another one stages lately counts as being made."""
        staging = tmp_path / ".taggedartifacts" / "staging"
        (staging / f"{lock_key(five[0].name)}@elsewhere@1").mkdir()
        (staging / f"{lock_key(five[1].name)}@elsewhere@1").mkdir()
        os.utime(staging / f"{lock_key(five[1].name)}@elsewhere@1", (0, 0))

        assert prune(tmp_path, keep=3, dry_run=False) == [five[1]]
        assert five[0].exists()
        assert "another host" in caplog.text

    def test_never_touches_a_file_without_a_tag(self, tmp_path):
        """Neither files of the user's nor, on a record's word, companions without the artifact's stem."""
        path = put(tmp_path, companions=(FileEntry("precious.txt", 0, 1, hexdigest(b"")),))
        for name in ("precious.txt", "hist.png", f"{path.stem[:-1]}.txt"):
            (tmp_path / name).touch()
        (tmp_path / ".taggedartifacts" / "records" / "hist.png.json").touch()
        prune(tmp_path, keep=0, dry_run=False)

        assert sorted(each.name for each in tmp_path.iterdir() if each.is_file()) == sorted(
            ["precious.txt", "hist.png", f"{path.stem[:-1]}.txt"]
        )
        assert (tmp_path / ".taggedartifacts" / "records" / "hist.png.json").exists()

    def test_never_follows_a_link_out_of_the_folder(self, tmp_path):
        """Of a linked folder nothing goes; of a linked artifact only the link."""
        outside = put(tmp_path / "outside")
        inside = put(tmp_path / "inside", config=2)
        inside.unlink()
        inside.symlink_to(outside)
        (tmp_path / "inside" / "folder").symlink_to(tmp_path / "outside")

        assert prune(tmp_path / "inside", keep=0, dry_run=False) == [inside]
        assert outside.exists()
        assert not inside.is_symlink()

    def test_refuses_a_hidden_directory_that_leads_elsewhere(self, tmp_path):
        """A hidden directory that is a link is none of the library's making."""
        path = put(tmp_path / "here")
        (tmp_path / "here" / ".taggedartifacts").rename(tmp_path / "elsewhere")
        (tmp_path / "here" / ".taggedartifacts").symlink_to(tmp_path / "elsewhere")

        with pytest.raises(ArtifactConflictError, match="not a directory of this library"):
            prune(path, keep=0, dry_run=False)
        assert path.exists()

    def test_takes_an_artifact_a_name_or_a_folder(self, five, tmp_path):
        """One artifact, all of one name, or all in a folder and below it."""
        put(tmp_path, "other.png")
        deep = put(tmp_path / "a" / "b")

        assert prune(five[0], keep=0) == [five[0]]
        assert sorted(prune(tmp_path / "hist.png", keep=0)) == sorted(five)
        assert len(prune(tmp_path, keep=0)) == 7
        assert prune(tmp_path / "a", keep=0) == [deep]

    def test_protects_by_name_and_by_folder(self, tmp_path):
        """The newest of each name in each folder is kept, not the newest of all."""
        for folder in ("a", "b"):
            for name in ("x.png", "y.png"):
                for day in (1, 2):
                    on_day(put(tmp_path / folder, name, config=day), day)

        assert len(prune(tmp_path, keep=1)) == 4

    def test_says_how_many_bytes(self, project, caplog):
        """Bytes of content, companions and record, in the result and in the log; the same before and after."""
        path = project.module(WORK).shapes()
        parts = [path, path.with_suffix(".shx"), path.with_suffix(".dbf"), record_path(path)]
        expected = sum(part.stat().st_size for part in parts)
        with caplog.at_level(logging.INFO, "taggedartifacts"):
            would, did = prune("out", keep=0), prune("out", keep=0, dry_run=False)

        assert would.size == did.size == expected
        assert (would.dry_run, did.dry_run) == (True, False)
        assert "would remove 1 artifact, " in caplog.text
        assert "\nremoved 1 artifact, " in "\n" + "\n".join(caplog.messages)

    def test_returns_artifact_paths_as_the_path_is_written(self, tmp_path, monkeypatch):
        """They can be opened, compared and chained; they print as a table, escaped in a notebook."""
        path = put(tmp_path / "out", "<b>.png")
        monkeypatch.chdir(tmp_path)
        pruned = prune("out", keep=0)

        assert [str(each) for each in pruned] == [f"out/{path.name}"]
        assert type(pruned[0]) is ArtifactPath
        assert f"commit {COMMIT[:10]}" in repr(pruned)
        assert "<b>" not in pruned._repr_html_()

    @pytest.mark.parametrize(
        ("options", "error"),
        [
            ({"keep": -1}, ValueError),
            ({"keep": "3"}, TypeError),
            ({"keep": True}, TypeError),
            ({"older_than": 30}, TypeError),
            ({"older_than": "30d"}, TypeError),
            ({"older_than": timedelta(days=-30)}, ValueError),
        ],
    )
    def test_refuses_what_could_be_misunderstood(self, five, tmp_path, options, error):
        """A number without a unit, or something that is no number, removes nothing."""
        with pytest.raises(error, match="must be"):
            prune(tmp_path, **options, dry_run=False)
        assert all(path.exists() for path in five)

    def test_of_nothing_is_refused(self, tmp_path):
        """A name of which there is nothing is an error."""
        with pytest.raises(ArtifactNotFoundError):
            prune(tmp_path / "hist.png", keep=0)

    def test_takes_damaged_records_along(self, tmp_path):
        """An artifact whose record cannot be read is pruned by its file's age, with that record."""
        path = put(tmp_path)
        record_path(path).write_text("damaged")
        prune(tmp_path, keep=0, dry_run=False)

        assert not path.exists()
        assert not record_path(path).exists()

    @pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
    def test_a_crash_leaves_each_artifact_whole_or_gone(self, tmp_path):
        """Killed at each of its renames and unlinks: never half a directory, never an artifact without its record."""
        code = "import sys; from taggedartifacts import prune; prune(sys.argv[1], keep=0, dry_run=False)"
        for number in range(1, 4):
            folder = tmp_path / str(number)
            path = put(folder, companions=())
            inject = f"inject=rename:signal=KILL:when={number}"
            done = subprocess.run(
                ["strace", "-f", "-qq", "-e", "trace=rename", "-e", inject, sys.executable, "-c", code, folder],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode == 0:
                break
            assert done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), done.stderr

            assert path.exists() <= record_path(path).exists()
            assert {problem.what for problem in verify(folder)} <= {"missing", "leftover"}
        assert number > 1


class TestUnreachable:
    @pytest.fixture
    def two(self, project):
        """An artifact from the main branch, and one from a branch beside it."""
        main = project.module(WORK).model()
        project.git("checkout", "-q", "-b", "side")
        project.write("more.txt")
        project.commit()
        side = project.load(project.path / "work.py").model()
        project.git("checkout", "-q", "main")
        return project, main, side

    def test_names_nothing_that_a_branch_or_a_tag_has(self, two):
        """A branch, a tag, or a remote branch protects."""
        project, _, _ = two
        assert prune("out", unreachable=True) == []
        project.git("tag", "kept", "side")
        project.git("branch", "-q", "-D", "side")

        assert prune("out", unreachable=True) == []
        project.git("update-ref", "refs/remotes/origin/side", "kept")
        project.git("tag", "-d", "kept")
        assert prune("out", unreachable=True) == []

    def test_names_what_no_branch_has(self, two):
        """A commit of a branch that was deleted is unreachable; also after git forgot it altogether."""
        project, main, side = two
        project.git("branch", "-q", "-D", "side")
        assert prune("out", unreachable=True) == [side]
        project.git("reflog", "expire", "--expire=now", "--all")
        project.git("gc", "-q", "--prune=now")

        assert prune("out", unreachable=True, dry_run=False) == [side]
        assert main.exists()

    def test_keeps_what_head_stands_on(self, two):
        """A detached HEAD protects its own history."""
        project, _, _ = two
        project.git("checkout", "-q", "--detach", "side")
        project.git("branch", "-q", "-D", "side")

        assert prune("out", unreachable=True) == []

    def test_keeps_what_it_cannot_know(self, two, tmp_path, caplog):
        """From another repository, from a shallow clone, or without a record: nothing is named."""
        project, _, side = two
        project.git("branch", "-q", "-D", "side")
        change_record(side.absolute(), remote="https://example.org/other.git", commit="f" * 40)
        assert prune("out", unreachable=True) == []
        change_record(side.absolute(), remote=None)
        assert prune("out", unreachable=True) == [side]
        record_path(side.absolute()).unlink()

        assert prune("out", unreachable=True) == []
        assert "cannot be known" in caplog.text

    @pytest.mark.parametrize("names", [("a.png", "b.png"), ("b.png", "a.png")])
    def test_knows_each_repository_by_itself(self, project, monkeypatch, names):
        """What another repository may have stays, although one of this repository was made from that very commit."""
        monkeypatch.chdir(project.path)
        ours = put(project.out, names[0], commit="f" * 40, remote=None)
        put(project.out, names[1], commit="f" * 40, remote="https://example.org/other.git")

        assert prune("out", unreachable=True) == [ours.relative_to(project.path)]

    def test_keeps_all_in_a_shallow_clone(self, two, tmp_path, monkeypatch):
        """A clone without the older history does not tell what that has."""
        project, _, _ = two
        project.write("more.txt", "later")
        project.commit()
        project.git("clone", "-q", "--depth=1", f"file://{project.path}", tmp_path / "clone")
        project.git("-C", tmp_path / "clone", "remote", "remove", "origin")
        shutil.copytree("out", tmp_path / "clone" / "out", symlinks=True)
        monkeypatch.chdir(tmp_path / "clone")

        assert prune("out", unreachable=True) == []

    def test_needs_a_repository(self, tmp_path, monkeypatch):
        """Without one nothing can be known, and nothing is removed."""
        put(tmp_path)
        monkeypatch.chdir(tmp_path)

        with pytest.raises(RepositoryError, match="change to the repository"):
            prune(tmp_path, unreachable=True)


class TestOddOnes:
    def test_goes_on(self, project, caplog, monkeypatch):
        """One artifact that cannot be looked at, or not removed, stops it not; the log names it."""
        from taggedartifacts._history import prune as module

        work = project.module(WRITE)
        paths = [work.f(number, "out/f.txt") for number in range(4)]
        paths[1].unlink()
        os.mkfifo(paths[1])
        remove = module._remove

        def fail(version):
            if version.target.name == paths[2].name:
                raise OSError(5, "Input/output error")
            return remove(version)

        monkeypatch.setattr(module, "_remove", fail)
        removed = prune(project.out, keep=0, dry_run=False)

        assert sorted([paths[0], paths[3]]) == sorted(path.relative_to(project.path) for path in removed)
        assert f"{paths[1].name} is kept: it was changed since it was made" in caplog.text
        assert f"{paths[2].name} is kept, as far as it is there: " in caplog.text

    def test_made_again_meanwhile(self, project, caplog, monkeypatch):
        """An artifact that was made again after it had been chosen, and before its lock was to be had, is kept."""
        from taggedartifacts._history import prune as module

        work = project.module(WRITE.replace("{x}", "{x} {len(runs)}"))
        path = work.f(1, "out/f.txt")

        class Late(ArtifactLock):
            def try_acquire(self):
                work.f.recompute(1, "out/f.txt")
                return super().try_acquire()

        monkeypatch.setattr(module, "ArtifactLock", Late)

        assert [] == prune(project.out, keep=0, dry_run=False)
        assert "it was made again meanwhile" in caplog.text
        assert "1 2\n" == path.read_text()
