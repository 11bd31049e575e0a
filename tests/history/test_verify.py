"""Whether artifacts are still what they were when they were made."""

import logging
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from gitrepo import BECOME_NOBODY, IS_ROOT
from records import DIRTY, change_record, put, record_path

from taggedartifacts import ArtifactNotFoundError, verify
from taggedartifacts._history import verify as _verify
from taggedartifacts._store.folder import lock_key
from taggedartifacts._store.lock import ArtifactLock

WORK = """
@Artifact("outpath")
def table(outpath="out/table.csv"):
    Path(outpath).write_text("a,b,c")

@Artifact("outpath")
def shapes(outpath="out/map.shp"):
    Path(outpath).write_text("shapes")
    Path(outpath).with_suffix(".shx").write_text("index")

@Artifact("outpath")
def model(outpath="out/deep/model/"):
    Path(outpath, "layers").mkdir()
    Path(outpath, "empty").mkdir()
    Path(outpath, "layers", "first.bin").write_text("weights")
    Path(outpath, "link").symlink_to("layers")
"""


@pytest.fixture
def made(project):
    """A file, one with a companion, and a directory, below one folder."""
    module = project.module(WORK)
    return module.table(), module.shapes(), module.model()


def found(problems):
    return [(problem.what, problem.path) for problem in problems]


class TestVerify:
    def test_finds_nothing_where_all_is_well(self, made):
        """No problem is an empty list, which is false; for a folder, a name and an artifact."""
        for path in ("out", "out/table.csv", *made):
            assert not verify(path)
            assert verify(path) == []
        assert str(verify("out")) == "no problems"

    def test_cares_for_content_not_for_times(self, made):
        """A copy with other times is well."""
        os.utime(made[0], (1, 1))
        os.utime(made[2] / "layers" / "first.bin", (1, 1))

        assert verify("out") == []

    def test_finds_what_the_times_hide(self, made):
        """Every byte is read: a change that keeps size and time is found."""
        status = made[0].stat()
        made[0].write_text("a,b,d")
        os.utime(made[0], ns=(status.st_atime_ns, status.st_mtime_ns))

        assert found(verify("out")) == [("changed", str(made[0].absolute()))]

    def test_finds_what_is_missing(self, made, project):
        """An artifact, a companion and a file in a directory that were removed."""
        made[0].unlink()
        made[1].with_suffix(".shx").unlink()
        (made[2] / "layers" / "first.bin").unlink()
        expected = [made[0], made[1].with_suffix(".shx"), made[2] / "layers" / "first.bin"]

        assert {("missing", str(path.absolute())) for path in expected} <= {*found(verify("out"))}
        assert found(verify(made[0])) == [("missing", str(made[0].absolute()))]

    def test_finds_what_is_truncated(self, made):
        """A file that is shorter than it was made, alone or in a directory, says how much is left."""
        for path in (made[0], made[1].with_suffix(".shx"), made[2] / "layers" / "first.bin"):
            os.truncate(path, 2)
        problems = verify("out")

        assert [problem.what for problem in problems] == ["truncated"] * 3
        assert {problem.detail for problem in problems} == {f"2 of {size} bytes are left" for size in (5, 5, 7)}

    def test_finds_what_does_not_belong_in_a_directory(self, made):
        """A file that was added to a directory artifact, and a link that leads elsewhere."""
        (made[2] / "added").touch()
        (made[2] / "link").unlink()
        (made[2] / "link").symlink_to("/etc")
        base = made[2].absolute()

        assert found(verify(made[2])) == [("unexpected", f"{base}/added"), ("truncated", f"{base}/link")]

    def test_finds_another_kind(self, made):
        """A directory where a file was made, and a pipe, which it does not open."""
        made[0].unlink()
        made[0].mkdir()
        made[1].unlink()
        os.mkfifo(made[1])
        problems = {problem.path: problem.what for problem in verify("out")}

        assert problems == {str(made[0].absolute()): "changed", str(made[1].absolute()): "unreadable"}

    def test_finds_artifacts_without_a_record(self, tmp_path):
        """What cannot be verified is not called well."""
        path = put(tmp_path, record=False)

        assert found(verify(tmp_path)) == [("no record", str(path))]

    @pytest.mark.parametrize("text", ["", "{}", "[" * 100_000])
    def test_finds_damaged_records(self, tmp_path, text):
        """A record that cannot be read is a problem, not a crash."""
        path = put(tmp_path)
        record_path(path).write_text(text)

        assert found(verify(tmp_path)) == [("damaged record", str(record_path(path)))]

    def test_finds_records_that_are_none(self, tmp_path):
        """A link, a pipe or a directory in the place of a record."""
        paths = [put(tmp_path, config=config) for config in range(3)]
        for path in paths:
            record_path(path).unlink()
        record_path(paths[0]).symlink_to("/etc/passwd")
        os.mkfifo(record_path(paths[1]))
        record_path(paths[2]).mkdir()

        assert sorted(found(verify(tmp_path))) == sorted(("damaged record", str(record_path(path))) for path in paths)

    @pytest.mark.parametrize("fields", [{"canonical": "{}"}, {"commit": "f" * 40}, {"config_hash": "0" * 32}])
    def test_finds_records_that_contradict_the_name(self, tmp_path, fields):
        """A record whose code or configuration is not that of the name is damaged."""
        path = put(tmp_path)
        change_record(path, **fields)

        assert found(verify(tmp_path)) == [("damaged record", str(record_path(path)))]

    def test_finds_missing_patches(self, tmp_path):
        """A dirty artifact whose patch is gone cannot be made again."""
        put(tmp_path, dirty=DIRTY, patch=f"{DIRTY}.patch")
        expected = str(tmp_path / ".taggedartifacts" / "patches" / f"{DIRTY}.patch")

        assert found(verify(tmp_path)) == [("missing", expected)]

    def test_finds_what_dead_processes_left(self, tmp_path):
        """A staging directory whose lock nobody holds; one in which somebody works is none of its business."""
        path = put(tmp_path)
        hidden = tmp_path / ".taggedartifacts"
        host = socket.gethostname()
        dead = hidden / "staging" / f"{lock_key('dead')}@{host}@1"
        alive = hidden / "staging" / f"{lock_key(path.name)}@{host}@2"
        dead.mkdir()
        alive.mkdir()
        lock = ArtifactLock(str(hidden / "locks" / f"{lock_key(path.name)}.lock"))
        assert lock.try_acquire()

        assert found(verify(tmp_path)) == [("leftover", str(dead))]
        assert verify(path) == []
        lock.release()
        assert {*found(verify(tmp_path))} == {("leftover", str(dead)), ("leftover", str(alive))}
        assert found(verify(path)) == [("leftover", str(alive))]

    def test_leaves_what_another_host_left_lately(self, tmp_path):
        """Locks may not reach from host to host, so only age tells whether another one still works."""
        put(tmp_path)
        other = tmp_path / ".taggedartifacts" / "staging" / f"{lock_key('x')}@elsewhere@1"
        other.mkdir()
        assert verify(tmp_path) == []
        os.utime(other, (0, 0))

        assert found(verify(tmp_path)) == [("leftover", str(other))]

    def test_follows_no_link_out_of_the_folder(self, tmp_path):
        """A linked folder is not entered."""
        put(tmp_path / "elsewhere", record=False)
        (tmp_path / "here").mkdir()
        (tmp_path / "here" / "link").symlink_to(tmp_path / "elsewhere")

        assert verify(tmp_path / "here") == []

    def test_reads_linked_artifacts(self, made, project):
        """An artifact whose content lies elsewhere, as git-annex has it, is read there."""
        made[0].rename(project.path / "annexed")
        made[0].symlink_to(project.path / "annexed")
        assert verify(made[0]) == []
        (project.path / "annexed").write_text("a,b,d")

        assert [problem.what for problem in verify(made[0])] == ["changed"]

    def test_of_nothing_is_refused(self, tmp_path):
        """A name of which there is nothing is an error, not a list without problems."""
        for name in ("hist.png", "hist-1a2b3c4d5e-0f9e8d7c6b5a.png", "nowhere/"):
            with pytest.raises(ArtifactNotFoundError):
                verify(tmp_path / name)

    @pytest.mark.skipif(not IS_ROOT, reason="only root can become another user")
    def test_reports_what_it_may_not_read(self):
        """A folder and a file that are closed to this user are problems, and the rest is verified."""
        code = f"import sys; from taggedartifacts import verify\n{BECOME_NOBODY}print(verify(sys.argv[1]))"
        with tempfile.TemporaryDirectory() as folder:  # pytest's own directory is closed to others
            Path(folder).chmod(0o755)
            put(Path(folder)).chmod(0)
            put(Path(folder) / "closed")
            (Path(folder) / "closed").chmod(0)
            done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)

            assert "2 problems" in done.stdout
            assert done.stdout.count("Permission denied") == 2

    def test_says_how_far_it_is(self, made, monkeypatch, caplog):
        """Long work is heard of in the log."""
        monkeypatch.setattr(_verify, "_SAY_EVERY", 0.0)
        with caplog.at_level(logging.INFO, "taggedartifacts"):
            verify("out")

        assert "verified 1 of 2 artifacts in out" in caplog.text

    def test_prints_a_line_for_each_and_is_escaped(self, tmp_path):
        """The terminal shows what, where and why; a notebook the same, escaped."""
        path = put(tmp_path, "<b>.png")
        path.unlink()
        problems = verify(tmp_path)

        assert f"1 problem\n  missing  {path}  made by" in str(problems)
        assert str(problems[0]).startswith(f"missing: {path}: made by")
        assert "<b>" not in problems._repr_html_() + problems[0]._repr_html_()
