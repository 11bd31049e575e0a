"""Scope, moment, modules that are loaded later, and what a code state says."""

from __future__ import annotations

import importlib
import os
import pickle
import subprocess
import threading
import time
import timeit

import pytest
from gitrepo import IS_ROOT, GitRepo
from looks import WORK, LookedAt, importable

from taggedartifacts._code.codestate import stamp, take_look
from taggedartifacts._code.dirt import Change, CodeState, digest_of
from taggedartifacts._code.scope import Kind, Scope
from taggedartifacts._errors import DirtyRepositoryError, RepositoryError, ScopeError

CHANGED = "changed after it was loaded: reload it, or start again"
MODULE = """\
from taggedartifacts._code.codestate import take_look
LOOK = take_look(__file__, namespace=globals(), scope=['.'])
"""


@pytest.fixture
def repo(tmp_path, monkeypatch):
    yield from importable(tmp_path, monkeypatch)


def look(repo, *, scope=(".",), **options):
    return take_look(None, repo=str(repo.path), scope=scope, **options).state()


def load(repo, name, source):
    """Import a new module of the repository."""
    repo.write(f"{name}.py", source)
    importlib.invalidate_caches()
    return importlib.import_module(name)


class TestScope:
    def test_last_commit_that_changed_it(self, repo):
        """The commit is the last one that changed the code in scope; others do not matter."""
        first = repo.head
        repo.write("docs/page.rst", "more\n")
        second = repo.commit()

        assert [second, first, second] == [look(repo, scope=s).commit for s in (["."], ["src"], ["src", "docs"])]

    def test_as_git_log(self, repo):
        """Merges in and out of scope, reverts and renames give what ``git log -1 -- <scope>`` gives."""
        scopes = (["src"], ["docs"], ["work.py"], ["src/code.py", "docs"])
        repo.git("checkout", "-q", "-b", "side")
        repo.write("src/code.py", "x = 2\n")
        repo.commit()
        repo.git("checkout", "-q", "main")
        repo.write("docs/page.rst", "main\n")
        repo.commit()

        def check():
            for scope in scopes:
                assert repo.git("log", "-1", "--format=%H", "--", *scope) == look(repo, scope=scope).commit

        repo.git("merge", "-q", "--no-ff", "-m", "merge", "side")
        check()
        repo.git("checkout", "-q", "-b", "dropped")
        repo.write("src/code.py", "x = 3\n")
        repo.commit()
        repo.git("checkout", "-q", "main")
        repo.git("merge", "-q", "-s", "ours", "--no-ff", "-m", "ours", "dropped")
        check()
        repo.git("mv", "src/code.py", "src/renamed.py")
        repo.write("src/code.py", "y = 0\n")
        repo.commit()
        check()

    def test_notebooks_are_passed_over(self, repo):
        """A commit that touches only notebooks is not named, unless the scope names the notebook."""
        first = repo.head
        repo.write("notes/a.ipynb", "{}")
        second = repo.commit()

        assert [first, first, second] == [look(repo, scope=s).commit for s in (None, ["notes"], ["notes/a.ipynb"])]

    def test_named_notebook_is_dirt(self, repo):
        """A notebook that the scope names is code like any other."""
        repo.write("a.ipynb", "{}")
        repo.commit()
        repo.write("a.ipynb", "{ }")

        assert [None, ("a.ipynb",)] == [
            look(repo).dirty,
            tuple(change.path for change in look(repo, scope=["a.ipynb"]).changes),
        ]

    def test_dirt_outside(self, repo):
        """What is dirty outside of the scope does not count."""
        repo.write("docs/page.rst", "edited\n")

        assert [None, False] == [look(repo, scope=["src"]).dirty, look(repo).dirty is None]

    def test_own_file_is_in_scope(self, repo):
        """The function's own file counts, whatever the scope says."""
        repo.write("work.py", WORK + "edited = 1\n")
        dirty = repo.look(scope=["src"])
        commit = repo.commit()

        assert [{"work.py": "modified"}, commit] == [dirty["changes"], repo.look(scope=["src"])["commit"]]

    @pytest.mark.parametrize("path", ["nowhere", "../elsewhere", "/etc", "src/nowhere.py"])
    def test_wrong_path(self, repo, path):
        """A path that is not there at HEAD, or lies outside, is refused by name, also beside the whole repository."""
        for scope in ([path], [".", path], [path, "."]):
            with pytest.raises(ScopeError, match=path):
                look(repo, scope=scope)

    def test_string(self, repo):
        """A bare string is refused, because it would be taken letter by letter."""
        with pytest.raises(ScopeError, match="sequence"):
            look(repo, scope="src")

    def test_whole_repository(self, repo):
        """A dot is the whole repository."""
        repo.write("docs/page.rst", "edited\n")
        repo.commit()

        assert repo.head == look(repo, scope=["."]).commit
        assert look(repo, scope=["."]).scope.is_whole

    def test_project_default(self, repo):
        """The project's default is read as it stands, and the decorator's own replaces it."""
        repo.write("pyproject.toml", '[tool.taggedartifacts]\nscope = ["src", "docs/"]\n')
        repo.write("work.py", WORK + "#")

        repo.commit()

        found = [look(repo, scope=scope).scope for scope in (None, ["work.py"])]

        assert [("docs", "src"), ("work.py",)] == [scope.paths for scope in found]

    @pytest.mark.parametrize(
        "setting",
        ['scpoe = ["src"]', 'scope = "src"', "scope = [1]", "scope = ['']", "scope = ", 'scope = ["nowhere"]'],
    )
    def test_wrong_setting(self, repo, setting):
        """A wrong setting is refused with the name of the file."""
        repo.write("pyproject.toml", f"[tool.taggedartifacts]\n{setting}\n")

        with pytest.raises(ScopeError, match=r"pyproject\.toml"):
            look(repo, scope=None)

    @pytest.mark.heavy
    def test_long_history(self, repo):
        """20,000 commits are walked in half a second; the margin here is for slow machines."""
        stream = ["reset refs/heads/main\n"]
        for number in range(20_000):
            parent = f"from :{number}\n" if number else f"from {repo.head}\n"
            stream.append(
                f"commit refs/heads/main\nmark :{number + 1}\ncommitter A <a@b> {1_600_000_000 + number} +0000\n"
                f"data 1\nx\n{parent}M 644 inline docs/page.rst\ndata 6\n{number:06d}\n"
            )
        first = repo.head
        subprocess.run(
            ["git", "fast-import", "--quiet", "--force"],
            cwd=repo.path,
            env=repo.env,
            input="".join(stream),
            text=True,
            check=True,
        )
        repo.git("reset", "-q", "--hard")
        found = []

        seconds = timeit.timeit(lambda: found.append(look(repo, scope=["src"]).commit), number=1)

        assert found == [first]
        assert seconds < 3


class TestMoment:
    def test_state_of_the_load(self, repo):
        """Edits and commits after the load change nothing for the functions of that load."""
        repo.write("early.py", MODULE)
        commit = repo.commit()
        module = load(repo, "early", MODULE)
        repo.write("src/code.py", "x = 2\n")
        edited = module.LOOK.state()
        repo.commit()

        assert [(commit, None)] * 2 == [(state.commit, state.dirty) for state in (edited, module.LOOK.state())]

    def test_one_load_shares(self, repo):
        """All looks of one load see one state, of whatever scope."""
        module = load(repo, "early", MODULE)
        repo.commit()
        space = vars(module)
        repo.write("src/code.py", "x = 2\n")
        again = take_look(module.__file__, namespace=space, scope=["."])

        assert module.LOOK.state() == again.state()
        assert take_look(module.__file__, namespace=space, scope=["."], fresh=True).state() != again.state()

    def test_later_module(self, repo):
        """A module that is loaded later gets a look of its own, and so does one that is reloaded."""
        module = load(repo, "early", MODULE)
        repo.commit()
        clean = importlib.reload(module).LOOK.state()
        repo.write("src/code.py", "x = 2\n")
        dirty = importlib.reload(module).LOOK.state()

        assert [None, ("src/code.py",)] == [clean.dirty, tuple(change.path for change in dirty.changes)]

    def test_errors_come_at_the_call(self, repo):
        """Taking a look never raises; every call does, with an error of its own."""
        taken = take_look(None, repo=str(repo.path), scope=["nowhere"])
        found = []
        for _ in range(2):
            with pytest.raises(ScopeError) as caught:
                taken.state()
            found.append(caught.value)

        assert found[0] is not found[1]

    def test_threads(self, repo):
        """Looks taken and asked at once by many threads agree."""
        repo.write("new.py", "")
        taken, states = take_look(None, repo=str(repo.path), scope=["."]), []
        threads = [threading.Thread(target=lambda: states.append(taken.state())) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(states) == 16
        assert len({id(state) for state in states}) == 1

    def test_fork(self, repo):
        """A forked worker has the state of its parent."""
        told = repo.look(
            code="import os, work\nlook = work.look()\nread, write = os.pipe()\n"
            "if not os.fork():\n    os.write(write, (look.state().dirty or 'clean').encode()); os._exit(0)\n"
            "os.wait()\nprint(json.dumps(os.read(read, 100).decode()))"
        )

        assert told == "clean"

    def test_pickled(self, repo):
        """A look that was sent to a worker says what it said before, whatever became of the files."""
        taken = take_look(None, repo=str(repo.path), scope=["."])
        before = taken.state()
        sent = pickle.dumps(taken)
        repo.write("src/code.py", "x = 2\n")

        assert before == pickle.loads(sent).state()

    def test_pickled_error(self, repo):
        """A look that found something wrong can be sent as well."""
        taken = pickle.loads(pickle.dumps(take_look(None, repo=str(repo.path), scope=["nowhere"])))

        with pytest.raises(ScopeError):
            taken.state()


class TestCost:
    def test_unchanged(self, repo):
        """While nothing is loaded, the same object is returned, in about a microsecond (the margin: slow machines)."""
        load(repo, "costly", "y = 1\n")
        taken = take_look(None, repo=str(repo.path), scope=["."])
        state = taken.state()

        seconds = min(timeit.repeat(taken.state, number=1000, repeat=5)) / 1000

        assert taken.state() is state
        assert seconds < 20e-6

    def test_touched_checkout_pays_once(self, repo):
        """After one look at a touched checkout, git itself finds its index up to date."""
        for number in range(100):
            repo.write(f"many/{number}.txt", f"{number}\n")
        repo.commit()
        for path in repo.path.glob("many/*"):
            os.utime(path, (1_700_000_000, 1_700_000_000))
        before = (repo.path / ".git" / "index").read_bytes()
        look(repo)
        refreshed = (repo.path / ".git" / "index").read_bytes()
        look(repo)

        assert before != refreshed
        assert refreshed == (repo.path / ".git" / "index").read_bytes()
        assert repo.git("diff-files", "--name-only") == ""

    @pytest.mark.parametrize("with_git", [True, False])
    def test_held_lock(self, repo, with_git, monkeypatch):
        """A lock on the index is neither waited for nor broken."""
        for name in ("work.py", "src/code.py", "docs/page.rst"):
            os.utime(repo.path / name, (1, 1))
        (repo.path / ".git" / "index.lock").write_text("held")
        if not with_git:
            monkeypatch.setenv("PATH", str(repo.path))

        assert look(repo).dirty is None
        assert (repo.path / ".git" / "index.lock").read_text() == "held"

    @pytest.mark.skipif(not IS_ROOT, reason="only root can mount")
    def test_read_only(self, repo):
        """A repository that cannot be written is looked at all the same."""
        for name in ("work.py", "src/code.py", "docs/page.rst"):
            os.utime(repo.path / name, (1, 1))
        mounted = subprocess.run(["mount", "--bind", repo.path, repo.path], check=False).returncode == 0
        if not mounted:
            pytest.skip("mounting is not allowed here")
        try:
            subprocess.run(["mount", "-o", "remount,ro,bind", repo.path], check=True)

            assert look(repo).dirty is None
        finally:
            subprocess.run(["umount", repo.path], check=True)


class TestVariable:
    def test_stands_in(self, tmp_path):
        """Where there is no repository, the variable names the commit."""
        free = LookedAt(tmp_path / "free", init=None)
        free.write("work.py", WORK)
        found = free.look(env={"TAGGEDARTIFACTS_COMMIT": "ABCDEF012345"})

        assert ["abcdef012345", None, None] == [found["commit"], found["dirty"], found["root"]]

    @pytest.mark.parametrize("value", ["abc", "main", "", "g" * 40])
    def test_invalid(self, tmp_path, value):
        """A value that is no commit is refused by name."""
        free = LookedAt(tmp_path / "free", init=None)
        free.write("work.py", WORK)

        assert "TAGGEDARTIFACTS_COMMIT" in free.look(env={"TAGGEDARTIFACTS_COMMIT": value})["message"]

    def test_disagrees(self, repo, monkeypatch):
        """A repository is right against the variable; a warning says so, once, of the line that calls."""
        monkeypatch.setenv("TAGGEDARTIFACTS_COMMIT", "0" * 40)
        taken = take_look(None, repo=str(repo.path), scope=["."])
        with pytest.warns(UserWarning, match="TAGGEDARTIFACTS_COMMIT") as warned:
            state = taken.state()

        assert [repo.head, state] == [state.commit, taken.state()]
        assert [__file__] == [each.filename for each in warned]

    @pytest.mark.parametrize("digits", [0, 10, 12, 40])
    def test_agrees(self, repo, monkeypatch, digits):
        """There is no warning when both name the same commit, or the variable is empty."""
        monkeypatch.setenv("TAGGEDARTIFACTS_COMMIT", repo.head[:digits])

        assert repo.head == look(repo).commit


class TestCodeState:
    def test_refusal(self):
        """The error lists ten paths and counts the rest, and names the remedies."""
        changes = tuple(Change(f"file{number:02}.py", "modified") for number in range(13))
        error = CodeState("0" * 40, "1" * 32, "/repo", changes=changes).refusal("work.py::f")
        message = str(error)

        assert isinstance(error, DirtyRepositoryError)
        assert ["work.py::f", "file09.py: modified", "3 more"] == [
            part for part in ("work.py::f", "file09.py: modified", "file10.py", "3 more") if part in message
        ]
        assert all(remedy in message for remedy in ("Commit", "stash", "allow_dirty=True"))

    @pytest.mark.parametrize(
        ("path", "scope", "named"),
        [
            ("data.csv", Scope(Kind.AUTOMATIC, frozenset({"work.py"})), True),
            ("work.py", Scope(Kind.AUTOMATIC, frozenset({"work.py"})), False),
            ("loaded.py", Scope(Kind.AUTOMATIC, frozenset({"work.py"})), False),
            ("other.py", Scope(Kind.WHOLE, frozenset({"work.py"})), True),
            ("work.py", Scope(Kind.WHOLE, frozenset({"work.py"})), False),
        ],
    )
    def test_refusal_names_what_scope_can_leave_out(self, path, scope, named):
        """The error points to ``scope=`` for what that can leave out, and never for what imports reach."""
        message = str(CodeState("0" * 40, "1" * 32, "/repo", scope, changes=(Change(path, "modified"),)).refusal("f"))

        assert named == (f"If {path} does not decide the result, scope= can name" in message)

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("https://user:secret@example.org/a.git", "https://example.org/a.git"),
            ("gcrypt::https://user:secret@example.org/a.git", "gcrypt::https://example.org/a.git"),
            ("user:secret@example.org:a.git", "example.org:a.git"),
            ("https://token@example.org/a.git?private_token=secret#x", "https://example.org/a.git"),
            ("git@example.org:a/b.git", "git@example.org:a/b.git"),
            ("ssh://git@example.org:22/a.git", "ssh://example.org:22/a.git"),
            ("/srv/a b.git", "/srv/a b.git"),
            ("/srv/a:b@c.git", "/srv/a:b@c.git"),
            (" https://user:secret@example.org/a.git", "https://example.org/a.git"),
            ("https://user:sec/ret@example.org/a.git", None),
            ("https://user:sec@ret@example.org/a.git", "https://example.org/a.git"),
            ("https:user:secret@example.org/a.git", "example.org/a.git"),
            ("user:sec/ret@example.org:a.git", None),
            ("ext::ssh user:secret@example.org %S a.git", "ext::"),
            ("helper::user:secret@example.org/a.git", "helper::"),
            ("a::b::HTTPS://u:secret@example.org/a.git", "a::b::HTTPS://example.org/a.git"),
            ("//user:secret@example.org/a.git", "//example.org/a.git"),
            ("ext:////user:secret@example.org/a.git", None),
            ("https:///user:secret@example.org/a.git", None),
            ("https://user:sec?ret@example.org/a.git", None),
            ("https://sec/ret@example.org/a.git", None),
            ("https://user%3Asecret%40example.org/a.git", None),
            ("https://user:secret@[::1]:80/a.git", "https://[::1]:80/a.git"),
            ("user:secret@[::1]:a.git", "[::1]:a.git"),
            ("user:sec@ret@example.org:a.git", None),
            ("secret@example.org:a.git?token=secret", "example.org:a.git"),
            ("ext::https://example.org -H secret %S", None),
            ("http::https://user:secret@example.org/a.git#secret", "http::https://example.org/a.git"),
            ("https://example.org/a.git%3Ftoken%3Dsecret", None),
        ],
    )
    def test_remote(self, repo, url, expected):
        """The remote is named without credentials."""
        repo.git("remote", "add", "upstream", url)

        assert expected == look(repo).remote

    def test_remote_of_several(self, repo):
        """Of several remotes, origin is named; without it none."""
        repo.git("remote", "add", "a", "https://a.org")
        repo.git("remote", "add", "b", "https://b.org")
        before = look(repo).remote
        repo.git("remote", "add", "origin", "https://o.org")

        assert [None, "https://o.org"] == [before, look(repo).remote]

    def test_digest(self, repo):
        """The digest tells apart path, content and mode, and is the same when they are."""
        digests = []
        for name, content, mode in [
            ("src/code.py", "x = 2\n", 0o644),
            ("src/code.py", "x = 3\n", 0o644),
            ("src/code.py", "x = 2\n", 0o755),
            ("docs/page.rst", "x = 2\n", 0o644),
            ("src/code.py", "x = 2\n", 0o644),
        ]:
            repo.git("reset", "-q", "--hard")
            repo.write(name, content).chmod(mode)
            digests.append(look(repo).dirty)

        assert 4 == len(set(digests))
        assert digests[0] == digests[-1]

    def test_digest_in_any_order(self):
        """The order in which paths were found does not count."""
        changes = [Change(path, "modified", 0o100644, 40 * oid) for path, oid in (("a", "1"), ("b", "2"))]

        assert digest_of(changes) == digest_of(reversed(changes))

    def test_large_patch(self, repo):
        """A patch over the limit is left out, the digest is not."""
        repo.write("src/code.py", os.urandom(3 << 20))

        assert [None, True] == [look(repo).patch, look(repo).dirty is not None]

    def test_binary_patch(self, repo):
        """A binary change is in the patch as git applies it."""
        repo.write("src/code.py", b"\0" + os.urandom(1000))
        state = look(repo)
        clone = GitRepo(repo.path.parent / "clone", init=None)
        clone.git("clone", "-q", repo.path, clone.path)
        clone.write("patch", state.patch)
        clone.git("apply", "patch")

        assert state.dirty == look(clone).dirty

    def test_pickle_of_a_state(self, repo):
        """What a state holds is data that goes to other processes."""
        state = look(repo, scope=["src"])

        assert state == pickle.loads(pickle.dumps(state))


class TestStamp:
    def test_moves(self, repo):
        """The stamp stands still while nothing happens, and moves with a commit, a branch, or the index."""
        root = str(repo.path)
        stamps = [stamp(root), stamp(root)]
        repo.commit()
        stamps.append(stamp(root))
        repo.git("checkout", "-q", "-b", "side")
        stamps.append(stamp(root))
        repo.write("docs/page.rst", "staged\n")
        repo.git("add", "--all")
        stamps.append(stamp(root))
        repo.git("pack-refs", "--all")
        stamps.append(stamp(root))

        assert [1, 5] == [len(set(stamps[:2])), len(set(stamps))]

    def test_worktree(self, repo, tmp_path):
        """In a linked worktree, the stamp follows that worktree's own branch."""
        repo.git("worktree", "add", "-q", "-b", "side", tmp_path / "tree")
        tree = GitRepo(tmp_path / "tree", home=tmp_path / "repo-home", init=None)
        before = stamp(str(tree.path))
        tree.git("commit", "-q", "--allow-empty", "-m", "x")

        assert before != stamp(str(tree.path))

    def test_head_of_the_same_size(self, repo):
        """Another branch shows, though its name is as long, and HEAD was read long after it was written."""
        head = repo.path / ".git" / "HEAD"
        stamps = []
        for hours, name in enumerate(("one", "two")):
            repo.git("branch", name)
            repo.git("symbolic-ref", "HEAD", f"refs/heads/{name}")
            os.utime(head, (hours * 3600, hours * 3600))
            stamps += [stamp(str(repo.path)), stamp(str(repo.path))]

        assert stamps[0] == stamps[1] != stamps[2] == stamps[3]

    def test_head_of_the_same_time(self, repo):
        """HEAD that was written just now may be written again without another time."""
        head = repo.path / ".git" / "HEAD"
        times = head.stat().st_atime_ns, time.time_ns()
        stamps = []
        for name in ("one", "two"):
            head.write_text(f"ref: refs/heads/{name}\n")
            os.utime(head, ns=times)
            stamps.append(stamp(str(repo.path)))

        assert stamps[0] != stamps[1]

    def test_branch_in_the_pack(self, repo):
        """A branch that has no file of its own is told by the file of all; one that has is not."""
        packed = repo.path / ".git" / "packed-refs"
        repo.git("pack-refs", "--all")
        stamps = [stamp(str(repo.path))]
        os.utime(packed, (0, 0))
        stamps.append(stamp(str(repo.path)))
        repo.commit()
        stamps.append(stamp(str(repo.path)))
        os.utime(packed, (1, 1))
        stamps.append(stamp(str(repo.path)))

        assert stamps[0] != stamps[1] != stamps[2] == stamps[3]

    def test_branch_in_a_table(self, repo):
        """Where git keeps its references in tables, the list of these tells."""
        (repo.path / ".git" / "HEAD").write_text("ref: refs/heads/.invalid\n")
        tables = repo.path / ".git" / "reftable" / "tables.list"
        tables.parent.mkdir()
        tables.write_text("0x000000000001-0x000000000002-00000001.ref\n")
        before = stamp(str(repo.path))
        tables.write_text("0x000000000001-0x000000000003-00000002.ref\n")
        os.utime(tables, (0, 0))

        assert before != stamp(str(repo.path))

    def test_no_repository(self, tmp_path):
        """Where there is none, the stamp stands still."""
        assert stamp(str(tmp_path)) == stamp(str(tmp_path))


class TestErrors:
    def test_repository_gone(self, repo, tmp_path):
        """A module that cannot be judged any more is an error, not a guess."""
        taken = take_look(None, repo=str(repo.path), scope=["."])
        taken.state()
        (repo.path / ".git").rename(tmp_path / "gone")
        load(repo, "unjudged", "")

        with pytest.raises(RepositoryError, match=str(repo.path)):
            taken.state()
