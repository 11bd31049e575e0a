"""``link=True``: the ordinary name is a link to the artifact of the last call."""

import os
import threading

import pytest
from gitrepo import IS_ROOT

from taggedartifacts import ArtifactConflictError, ArtifactNameError, record, versions

LINKED = """
runs = []
@Artifact("out", link=True)
def f(x, out="out/f.txt"):
    runs.append(x)
    Path(out).write_text(str(x))

@Artifact("out", link=True)
def model(x, out="out/model/"):
    Path(out, "weights").write_text(str(x))

@Artifact(("a", "b"), link=True)
def two(x, a="out/a.txt", b=None):
    Path(a).write_text("a")
    if b:
        Path(b).write_text("b")
"""


@pytest.fixture
def work(project):
    return project.module(LINKED)


class TestLink:
    def test_follows_each_call(self, work, project):
        """The ordinary name leads to the artifact of the last call, made or reused, by a relative link."""
        link = project.out / "f.txt"
        for x in (1, 2, 1):
            path = work.f(x)
            assert path.name == os.readlink(link)
            assert str(x) == link.read_text()
        work.f.recompute(2)

        assert "2" == link.read_text()
        assert [1, 2, 2] == work.runs
        assert [] == project.staged()

    def test_leads_to_a_directory(self, work, project):
        """A directory artifact has a link too, without the slash."""
        work.model(1)
        path = work.model(2)

        assert path.name == os.readlink(project.out / "model")
        assert "2" == (project.out / "model" / "weights").read_text()

    def test_of_each_output_that_is_asked_for(self, work, project):
        """Each output has its link; one that is not asked for has none."""
        a, _ = work.two(1)

        assert a.name == os.readlink(project.out / "a.txt")
        assert ["a.txt"] == [each.name for each in project.out.iterdir() if each.is_symlink()]

    def test_that_is_right_is_not_written(self, work, project):
        """A hit that needs no change writes nothing at all."""
        work.f(1)
        before = [os.lstat(each).st_mtime_ns for each in (project.out, project.out / "f.txt")]
        inode = os.lstat(project.out / "f.txt").st_ino
        work.f(1)

        assert before == [os.lstat(each).st_mtime_ns for each in (project.out, project.out / "f.txt")]
        assert inode == os.lstat(project.out / "f.txt").st_ino

    def test_to_what_is_gone_is_ours(self, work, project):
        """A link whose artifact was removed is replaced like any other of ours."""
        work.f(1).unlink()
        path = work.f(2)

        assert path.name == os.readlink(project.out / "f.txt")

    @pytest.mark.parametrize("other", ["file", "directory", "link", "link to another name", "absolute link"])
    def test_never_replaces_anything_else(self, work, project, other):
        """What is no link of ours is refused before the function runs, on a hit too, and stays as it is."""
        path = work.f(1)
        link = project.out / "f.txt"
        link.unlink()
        targets = {
            "link": "elsewhere.txt",
            "link to another name": path.name.replace("f-", "g-"),
            "absolute link": str(path.absolute()),
        }
        if other == "file":
            link.write_text("mine")
        elif other == "directory":
            link.mkdir()
        else:
            link.symlink_to(targets[other])
        status = os.lstat(link)
        for x in (1, 2):
            with pytest.raises(ArtifactConflictError, match=r"f\.txt is .*move it away") as caught:
                work.f(x)
            assert caught.value.__cause__ is caught.value.__context__ is None  # how that was found out helps nobody

        assert [1] == work.runs
        assert not work.f.is_cached(1)
        assert "refused" == work.f.explain(1).outcome
        assert (status.st_ino, status.st_mtime_ns) == (os.lstat(link).st_ino, os.lstat(link).st_mtime_ns)

    def test_what_came_while_the_function_ran_is_kept(self, project, caplog):
        """Something that takes the name during the run stays; the artifact is there, and the log says so."""
        work = project.module(
            '@Artifact("out", link=True)\ndef f(out="out/f.txt"):\n'
            '    Path(out).write_text("")\n    Path(__file__).with_name("out").joinpath("f.txt").write_text("mine")\n'
        )
        path = work.f()

        assert path.exists()
        assert "mine" == (project.out / "f.txt").read_text()
        assert f"f.txt could not be set, and does not lead to {path.name}: " in caplog.text

    @pytest.mark.skipif(IS_ROOT, reason="root may write anywhere")
    def test_in_a_folder_that_cannot_be_written(self, work, project, caplog):
        """A hit where nothing can be written is a hit; the link stays, and the log says so, once."""
        first, second = work.f(1), work.f(2)
        for folder in (project.out, project.out / ".taggedartifacts" / "staging"):
            folder.chmod(0o555)
        try:
            assert first == work.f(1) == work.f(1)
        finally:
            for folder in (project.out, project.out / ".taggedartifacts" / "staging"):
                folder.chmod(0o755)

        assert second.name == os.readlink(project.out / "f.txt")
        assert 1 == caplog.text.count("could not be set")

    def test_that_cannot_be_made_is_told_once(self, work, project, caplog, monkeypatch):
        """Where the system makes no links, the artifact is made and reused all the same, and the log says so once."""

        def refuse(*_args, **_options):
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "symlink", refuse)
        path = work.f(1)

        assert path == work.f(1)
        assert path.exists()
        assert 1 == caplog.text.count("f.txt could not be set, and does not lead to")

    def test_at_a_tagged_name_is_refused(self, work):
        """A link whose name has a tag would be taken for the artifact of that tag."""
        with pytest.raises(ArtifactNameError, match="would be taken for an artifact"):
            work.f(1, "out/f-1a2b3c4d5e-0f9e8d7c6b5a.txt")

    def test_is_no_artifact(self, work, project):
        """The link is no version, and leads `record` to the artifact."""
        path = work.f(1)

        assert [path] == versions("out/f.txt")
        assert record("out/f.txt") == record(path)

    def test_set_by_many_at_once(self, work, project):
        """Calls at the same time set it one after the other: it always leads to a whole artifact of one of them."""
        for x in range(4):
            work.f(x)
        start, wrong = threading.Barrier(4), []

        def call(x):
            start.wait()
            for _ in range(25):
                work.f(x)
                if (project.out / "f.txt").read_text() not in "0123":
                    wrong.append(x)

        threads = [threading.Thread(target=call, args=(x,)) for x in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [] == wrong
        assert [] == project.staged()
