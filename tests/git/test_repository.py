"""What a repository says, asked through libgit2 and through the git command: the same."""

from __future__ import annotations

import sys

import pytest
from gitrepo import GitRepo

from taggedartifacts._code.codestate import files_at_head
from taggedartifacts._git.command import CommandRepository, lfs_pointer
from taggedartifacts._git.repository import Repository, find_repository


@pytest.fixture
def repo(tmp_path):
    made = GitRepo(tmp_path / "repo")
    made.write("a.py", "a = 1\n")
    made.write("notes/b.ipynb", "{}")
    made.write("notes/deep/c.py", "c = 1\n")
    made.write(".gitignore", "*.log\n")
    made.commit("First\n\nwith a body")
    return made


@pytest.fixture(params=["libgit2", "git"])
def opened(request, repo):
    return find_repository(str(repo.path)) if request.param == "libgit2" else CommandRepository(str(repo.path), "")


class TestEitherBackend:
    def test_is_what_it_says(self, repo, opened):
        """Both see the same HEAD and the same root."""
        assert (repo.head, str(repo.path)) == (opened.head, opened.root)

    def test_entry(self, repo, opened):
        """An entry is mode and object id; of a folder too; None for what is not there."""
        expected = repo.git("rev-parse", "HEAD:a.py")

        assert (0o100644, expected) == opened.entry(opened.head, "a.py")
        assert 0o040000 == opened.entry(opened.head, "notes")[0]
        assert [None, None] == [opened.entry(opened.head, path) for path in ("nowhere", "notes/nowhere")]

    def test_stored(self, repo, opened):
        """What git would store is what git hash-object says; None for no file."""
        repo.write("a.py", "a = 2\n")
        found = opened.stored("a.py")

        assert (0o100644, repo.git("hash-object", "a.py"), b"a = 2\n") == found[:3]
        assert [None, None] == [opened.stored(path) for path in ("nowhere", "notes")]

    @pytest.mark.parametrize(("trusted", "mode"), [("true", 0o100755), ("false", 0o100644)])
    def test_mode(self, repo, opened, trusted, mode):
        """The mode is that of the file, or, where the setting says so, the one that git knows."""
        repo.git("config", "core.fileMode", trusted)
        (repo.path / "a.py").chmod(0o755)
        found = find_repository(str(repo.path)) if isinstance(opened, Repository) else opened

        assert mode == found.stored("a.py", 0o100644).mode

    def test_ignored(self, opened):
        """Ignore rules are git's."""
        assert [True, False] == [opened.is_ignored(path) for path in ("x.log", "x.py")]

    def test_index(self, repo, opened):
        """A path is in the index once it is added."""
        repo.write("new.py")
        repo.git("add", "new.py")
        found = find_repository(str(repo.path)) if isinstance(opened, Repository) else opened

        assert [True, True, False] == [found.in_index(path) for path in ("a.py", "new.py", "x.py")]

    def test_files(self, opened):
        """The files of a commit, by suffix, with what reads them."""
        found = {path: read() for path, _, read in opened.files(opened.head, ".py")}

        assert {"a.py": b"a = 1\n", "notes/deep/c.py": b"c = 1\n"} == found

    def test_last_commit(self, repo, opened):
        """The last commit that changed something that matters."""
        first = repo.head
        repo.write("notes/b.ipynb", "{ }")
        second = repo.commit()
        found = [
            opened.last_commit(second, lambda delta, end=end: delta.path.endswith(end))
            for end in ("", "b.ipynb", ".py")
        ]

        assert [second, second, first] == found

    def test_replaced(self, repo, opened):
        """What ``git replace`` puts in the place of a commit or a file is not there: other clones do not have it."""
        repo.write("a.py", "a = 2\n")
        second = repo.commit()
        third = repo.commit("Nothing")
        repo.git("replace", "--graft", third)
        repo.git("replace", f"{second}:a.py", f"{second}:notes/deep/c.py")

        assert second == opened.last_commit(third, lambda delta: delta.path == "a.py")
        assert b"a = 2\n" == opened.blob(opened.entry(third, "a.py")[1])

    def test_remotes(self, repo, opened):
        """Remotes by name."""
        repo.git("remote", "add", "a.b", "/srv/x y")
        found = find_repository(str(repo.path)) if isinstance(opened, Repository) else opened

        assert {"a.b": "/srv/x y"} == found.remotes()


class TestNone:
    def test_counts_right(self, tmp_path):
        """To find no repository takes no reference to None away; Python 3.11 dies of it when none is left."""
        find_repository(str(tmp_path))
        before = sys.getrefcount(None)
        for _ in range(200):
            assert find_repository(str(tmp_path)) is None

        assert sys.getrefcount(None) > before - 100


class TestHistory:
    def test_subjects_between(self, repo):
        """The commits between two, newest first, with the first line of their message."""
        first = repo.head
        second = repo.commit("Second\n\nbody")
        third = repo.commit("Third")

        found = find_repository(str(repo.path)).subjects_between(first, third)

        assert [(third, "Third"), (second, "Second")] == found

    def test_reachable(self, repo):
        """A commit is reachable from a branch, a tag or HEAD; one that was amended away is not."""
        lost = repo.commit("Lost")
        repo.git("commit", "-q", "--amend", "--allow-empty", "-m", "Kept")
        kept = repo.head
        repo.git("tag", "-a", "-m", "x", "v1")
        repo.git("reset", "-q", "--hard", "HEAD~1")
        opened = find_repository(str(repo.path))

        assert [False, True, False] == [opened.is_reachable(oid) for oid in (lost, kept, "0" * 40)]

    def test_exists(self, repo):
        """An object is found by its full or abbreviated id."""
        opened = find_repository(str(repo.path))

        assert [True, True, False] == [opened.exists(oid) for oid in (repo.head, repo.head[:12], "0" * 40)]


class TestFilesAtHead:
    def test_content(self, repo):
        """What a file held at HEAD is read, whatever the work tree holds."""
        repo.write("a.py", "edited\n")
        found = {path: (oid, read()) for path, oid, read in files_at_head(str(repo.path), ".py")}

        assert (repo.git("rev-parse", "HEAD:a.py"), b"a = 1\n") == found["a.py"]


class TestLfsPointer:
    def test_pointer_and_empty_pass_through(self, tmp_path):
        """A file that is a pointer already, or empty, is stored as it is."""
        pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 3\n"
        for content in (b"", pointer):
            (tmp_path / "file").write_bytes(content)

            assert content == lfs_pointer(str(tmp_path / "file"))


class TestIndexThatMoves:
    def test_between_opening_and_asking(self, repo):
        """What was read from an index that git replaced meanwhile is not remembered as what the new one tells."""
        repo.write("a.py", "a = 2\n")
        early = find_repository(str(repo.path))
        repo.git("add", "a.py")
        early.candidates()

        assert "a.py" in find_repository(str(repo.path)).candidates().paths

    @pytest.mark.parametrize("backend", ["libgit2", "git"])
    def test_not_there(self, repo, backend):
        """Without an index nothing is tracked: all that HEAD holds differs from it, as git status says too."""
        (repo.path / ".git/index").unlink()
        found = CommandRepository(str(repo.path), "") if backend == "git" else find_repository(str(repo.path))

        assert {".gitignore", "a.py", "notes/b.ipynb", "notes/deep/c.py"} == found.candidates().paths
