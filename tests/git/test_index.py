"""How the comparison of an index with the work tree is divided among threads."""

from __future__ import annotations

import os
import threading

import pytest
from gitrepo import GitRepo
from hypothesis import given, settings
from hypothesis import strategies as st

from taggedartifacts._git import index as _index
from taggedartifacts._git import repository as _repository
from taggedartifacts._git.command import Candidates
from taggedartifacts._git.index import shares
from taggedartifacts._git.repository import find_repository

NAMES = st.lists(st.sampled_from([b"a", b"b", b"a-b", b"a.py", b"\xff"]), min_size=1, max_size=4).map(b"/".join)


def holders(path, divided):
    return [share for share in divided if any(path == name or path.startswith(name + b"/") for name in share)]


class TestShares:
    @settings(deadline=None)
    @given(paths=st.lists(NAMES, min_size=2, unique=True), most=st.integers(2, 5))
    def test_every_path_has_one(self, paths, most):
        """Each path lies in a share, be it as itself or in a folder; in git's order, in no second one."""
        kept = [path for path in paths if not any(other.startswith(path + b"/") for other in paths)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_index, "_WORTH", 1)
            divided, ordered = shares(kept, most), shares(sorted(kept), most)

        assert [[]] == divided or all(holders(path, divided) for path in kept)
        assert [[]] == ordered or [1] * len(kept) == [len(holders(path, ordered)) for path in kept]

    @pytest.mark.parametrize("folder", ["", "src/", "src/package/"])
    def test_even(self, folder):
        """Shares have about as many entries each, also where all code lies in one folder."""
        paths = [f"{folder}d{number % 17}/f{number}.py".encode() for number in range(10_000)]
        weights = [sum(bool(holders(path, [share])) for path in paths[::10]) for share in shares(sorted(paths), 2)]

        assert 1000 == sum(weights)
        assert max(weights) < 600

    def test_flat(self):
        """Files of one folder are divided too."""
        assert [5000, 5000] == [len(share) for share in shares([b"f%05d" % number for number in range(10_000)], 2)]

    @pytest.mark.parametrize(("count", "most"), [(100, 8), (1999, 8), (10_000, 1)])
    def test_not_worth_it(self, count, most):
        """A small index, or a single processor, is compared in one go."""
        assert [[]] == shares([b"f%05d" % number for number in range(count)], most)


class TestThreads:
    @pytest.fixture
    def repo(self, tmp_path, monkeypatch):
        """A repository whose four files are compared in two threads, with a change in each one's share."""
        monkeypatch.setattr(_index, "_WORTH", 1)
        monkeypatch.setattr(_repository, "processors", lambda: 2)
        made = GitRepo(tmp_path / "repo")
        for name in ("a/one.py", "b/two.py", "c/three.py", "d/four.py"):
            made.write(name, "x = 1\n")
        made.commit()
        find_repository(str(made.path)).candidates()
        for name in self.changed(made):
            made.write(name, "x = 2 # changed\n")
        return made

    @staticmethod
    def changed(repo):
        """The first file of each share."""
        found = find_repository(str(repo.path))
        return {name.decode() for name, *_ in found._shares(found._tell())}

    def test_all_shares_count(self, repo):
        """What differs is found, whichever thread finds it."""
        assert 2 == len(self.changed(repo))
        assert self.changed(repo) == find_repository(str(repo.path)).candidates().paths

    def test_git_directory_elsewhere(self, repo, tmp_path):
        """All threads compare the same work tree, though the git directory lies beside other files."""
        repo.git("init", "-q", "--separate-git-dir", tmp_path / "x.git")

        assert self.changed(repo) == find_repository(str(repo.path)).candidates().paths

    def test_no_thread_to_be_had(self, repo, monkeypatch):
        """Where the system gives no more threads, one does it all."""

        def refusing(_thread):
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", refusing)

        assert self.changed(repo) == find_repository(str(repo.path)).candidates().paths

    def test_index_replaced_meanwhile(self, repo, monkeypatch):
        """What is staged while the threads read is found: they do not mix what two indexes tell."""
        compare, staged = _repository._compare, []

        def meanwhile(opened, below):
            if threading.current_thread() is not threading.main_thread() and not staged:
                staged.append(repo.git("add", "."))
                opened.index.read(True)
            return compare(opened, below)

        monkeypatch.setattr(_repository, "_compare", meanwhile)

        assert self.changed(repo) == find_repository(str(repo.path)).candidates().paths
        assert [""] == staged

    @pytest.mark.parametrize("within", [None, ["a"]], ids=["everything", "a folder"])
    def test_case_does_not_count(self, repo, monkeypatch, within):
        """Where case does not count, git orders paths in another way: all of them are compared at once."""
        repo.git("config", "core.ignorecase", "true")
        compare, compared = _repository._compare, []
        monkeypatch.setattr(
            _repository, "_compare", lambda opened, below: compared.append(below) or compare(opened, below)
        )

        assert self.changed(repo) == find_repository(str(repo.path)).candidates(within).paths
        assert [[]] == compared


class TestNames:
    """A folder is compared with all below it, whatever else begins with its name."""

    FILES = ("data-old.csv", "data.csv", "data/a.csv", "data/.py", "data/deep/b.csv", "data0", "e.py", "f.py")

    @pytest.fixture
    def repo(self, tmp_path):
        """A repository in which each file was edited."""
        made = GitRepo(tmp_path / "repo")
        for name in self.FILES:
            made.write(name, "1\n")
        made.commit()
        for name in self.FILES:
            made.write(name, "22\n")
        return made

    @pytest.mark.parametrize("others", [(), ("data-old.csv",), ("data.csv", "data0"), ("data/a.csv", "data-old.csv")])
    def test_within(self, repo, others):
        """It is where the comparison is restricted to some names."""
        found = find_repository(str(repo.path)).candidates(["data", *others]).paths

        assert {*others, *(name for name in self.FILES if name.startswith("data/"))} == found

    def test_shares(self, tmp_path, monkeypatch):
        """It is in a share of the index, too."""
        monkeypatch.setattr(_index, "_WORTH", 1)
        monkeypatch.setattr(_repository, "processors", lambda: 2)
        repo = GitRepo(tmp_path / "repo")
        names = {"a+", "a.c", "a.e", "a/x", "c", "d", "f", "g"}
        for name in names:
            repo.write(name, "1\n")
        repo.commit()
        for name in names:
            repo.write(name, "22\n")

        assert names == find_repository(str(repo.path)).candidates().paths

    def test_others(self, repo):
        """A file that has no name but the suffix of Python's is one of the others: nothing imports it."""
        assert {"data/.py", "data.csv"} < {*find_repository(str(repo.path)).others}


class Note(_index.Kept):
    """Keeps a text, as the cache folder does."""

    text = None

    def read(self):
        return self.text

    def write(self, text):
        self.text = text


class TestKept:
    """What HEAD and the index alone tell is kept for other processes, until one of them moves."""

    @pytest.fixture
    def repo(self, tmp_path, monkeypatch):
        """A repository with an edited file, a staged one and a hidden one, whose index counts as old enough."""
        monkeypatch.setattr(_repository, "SETTLED", -(10**18))
        made = GitRepo(tmp_path / "repo")
        for name in ("edited.py", "staged.py", "hidden.py", "data.csv"):
            made.write(name, "1\n")
        made.commit()
        made.git("update-index", "--assume-unchanged", "hidden.py")
        for name in ("edited.py", "staged.py", "hidden.py"):
            made.write(name, "22\n")
        made.git("add", "staged.py")
        return made

    @pytest.fixture
    def kept(self, repo):
        """What a process kept that has looked at it."""
        kept = Note()
        self.look(repo, kept)
        return kept

    @staticmethod
    def opened(repo, kept):
        """Open it as a process does that has not looked before."""
        found = find_repository(str(repo.path))
        if kept is not None:
            found.kept, kept.told = kept, None
        return found

    def look(self, repo, kept):
        found = self.opened(repo, kept)
        return found.candidates(["edited.py", "data.csv"]), found.others

    def test_is_used(self, repo, kept, monkeypatch):
        """Another process tells the same without going through the index."""
        before = self.look(repo, None)
        monkeypatch.setattr(_repository, "hidden_entries", None)

        assert before == self.look(repo, kept)
        assert {"edited.py", "staged.py", "hidden.py"} == before[0].paths

    @pytest.mark.parametrize(
        "command",
        [
            ["reset", "-q", "staged.py"],
            ["commit", "-q", "-m", "x"],
            ["update-index", "--no-assume-unchanged", "hidden.py"],
            ["rm", "-q", "--cached", "data.csv"],
            ["config", "core.sparseCheckout", "true"],
        ],
        ids=" ".join,
    )
    def test_moved(self, repo, kept, command):
        """Nothing of it is believed when HEAD or the index has moved."""
        before = kept.text
        repo.git(*command)

        assert self.look(repo, None) == self.look(repo, kept)
        assert before != kept.text

    def test_shares(self, repo, monkeypatch):
        """How the index is divided is kept too, and the index is not gone through where everything is compared."""
        kept, found = Note(), []
        for _ in range(2):
            found.append(self.opened(repo, kept).candidates())
            monkeypatch.setattr(_repository, "shares", None)
            monkeypatch.setattr(_repository, "hidden_entries", None)

        assert found[0] == found[1]

    @pytest.mark.parametrize("shares", [None, [[]], [[b"a", b"\xff"], [b"b/c"]]])
    @pytest.mark.parametrize("others", [None, (), ("a", "\udcff")])
    def test_text(self, shares, others):
        """What is kept is read as it was written."""
        told = _index.Told(("c" * 40, True, 1, 2), Candidates({"a", "\udcff"}, {"b"}, set()), others, shares)

        assert told == _index.Told.from_text(told.to_text())

    @pytest.mark.parametrize("text", ["", "[", "[1, 2]", '[[], [1], "x"]'])
    def test_damaged(self, repo, kept, text):
        """What cannot be read is as good as nothing."""
        kept.text = text

        assert self.look(repo, None) == self.look(repo, kept)

    def test_young_index(self, repo, monkeypatch):
        """An index that was written just now is not kept: it could be written again with the same times."""
        monkeypatch.undo()
        kept = Note()
        self.look(repo, kept)
        monkeypatch.setattr(_repository, "SETTLED", -(10**18))  # it has grown old since it was asked
        found = find_repository(str(repo.path))
        found.kept = kept
        found.candidates()

        assert kept.text is None

    def test_many_files_of_data(self, repo, monkeypatch):
        """Where there are many files of data, nothing is kept, and everything is compared."""
        monkeypatch.setattr(_index, "_MOST_OTHERS", 0)
        kept = Note()

        assert self.look(repo, kept)[1] is None
        assert kept.text is None

    def test_touched_files(self, repo, kept):
        """A process that compares everything brings stale times in the index up to date, whatever was kept."""
        for number in range(8):
            repo.write(f"more{number}.py", "1\n")
        repo.commit()
        self.look(repo, kept)
        stamp = _index.stamp_of(str(repo.path / ".git/index"))
        for number in range(8):
            os.utime(repo.path / f"more{number}.py", (1, 1))
        self.opened(repo, kept).candidates()

        assert stamp != _index.stamp_of(str(repo.path / ".git/index"))


class TestPrivateNames:
    """What the comparison of shares takes from pygit2 that pygit2 does not promise: its own method takes no paths."""

    @pytest.mark.parametrize("name", ["git_diff_index_to_workdir", "git_diff_options_init", "git_index_get_byindex"])
    def test_functions(self, name):
        """The functions of libgit2 can be called by these names."""
        from pygit2.ffi import C

        assert callable(getattr(C, name))

    @pytest.mark.parametrize(
        ("structure", "fields"),
        [
            ("git_diff_options", {"flags", "pathspec"}),
            ("git_strarray", {"strings", "count"}),
            ("git_index_entry", {"mtime", "ino", "mode", "file_size", "flags", "flags_extended", "path"}),
            ("git_index_time", {"seconds"}),
        ],
    )
    def test_structures(self, structure, fields):
        """The structures of libgit2 have these fields."""
        from pygit2.ffi import ffi

        assert fields <= dict(ffi.typeof(structure).fields).keys()

    def test_objects(self, tmp_path):
        """pygit2's objects give away those of libgit2, and make one of a difference."""
        import pygit2
        from pygit2.errors import check_error
        from pygit2.ffi import ffi

        opened = pygit2.init_repository(tmp_path)

        assert ffi.typeof("git_repository *") is ffi.typeof(opened._repo)
        assert ffi.typeof("git_index *") is ffi.typeof(opened.index._index)
        assert callable(pygit2.Diff.from_c)
        assert callable(check_error)
