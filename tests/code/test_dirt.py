"""What git says of a repository and what we say: one row each, with a real repository and a fresh process."""

from __future__ import annotations

import os
import shutil

import pytest
from gitrepo import GitRepo
from heavy import every
from looks import WORK, LookedAt, varied

from taggedartifacts._code.dirt import Status
from taggedartifacts._git.command import CommandRepository

CLEAN: dict[str, str] = {}
UNTRACKED = "loaded, but not tracked by git"


@pytest.fixture
def repo(tmp_path):
    return varied(tmp_path)


def staged(repo):
    repo.write("helper.py", "x = 2\n")
    repo.git("add", "helper.py")


def staged_then_undone(repo):
    staged(repo)
    repo.write("helper.py", "x = 1\n")


def added(repo):
    repo.write("new.py", "y = 1\n")
    repo.git("add", "new.py")


def added_then_deleted(repo):
    added(repo)
    (repo.path / "new.py").unlink()


def intended(repo):
    repo.write("new.py", "y = 1\n")
    repo.git("add", "-N", "new.py")


def removed_from_index(repo):
    repo.git("rm", "-q", "--cached", "run.sh")


def hidden(option):
    def do(repo):
        repo.git("update-index", option, "conf/settings.yaml")
        repo.write("conf/settings.yaml", "bins: 60\n")

    return do


def hidden_then_deleted(option):
    def do(repo):
        repo.git("update-index", option, "conf/settings.yaml")
        (repo.path / "conf/settings.yaml").unlink()

    return do


def sparse(repo):
    repo.git("sparse-checkout", "set", "--no-cone", "/*", "!/conf/")


def sparse_index(repo):
    repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "nothing")


def to_symlink(repo):
    (repo.path / "run.sh").unlink()
    os.symlink("helper.py", repo.path / "run.sh")


def other_target(repo):
    (repo.path / "conf/link.yaml").unlink()
    os.symlink("nowhere.yaml", repo.path / "conf/link.yaml")


def renamed(repo):
    repo.git("mv", "run.sh", "start.sh")


def file_to_folder(repo):
    (repo.path / "run.sh").unlink()
    repo.write("run.sh/inner", "x")


def crlf(repo):
    repo.git("config", "core.autocrlf", "true")
    repo.write("helper.py", b"x = 1\r\n")


def conflict(repo):
    repo.git("checkout", "-q", "-b", "side")
    repo.write("helper.py", "x = 2\n")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("helper.py", "x = 3\n")
    repo.commit()
    repo.git("merge", "-q", "side", check=False)
    repo.write("helper.py", "x = 4\n")


def touched(repo):
    for name in ("helper.py", "work.py", "run.sh"):
        os.utime(repo.path / name, (1, 1))


def notebook(repo):
    repo.write("a.ipynb", "{}")
    repo.commit()
    repo.write("a.ipynb", '{"outputs": 1}')


def same_time_and_size(repo):
    info = (repo.path / "helper.py").stat()
    repo.write("helper.py", "x = 7\n")
    os.utime(repo.path / "helper.py", ns=(info.st_atime_ns, info.st_mtime_ns))


def copied(repo):
    shutil.copytree(repo.path, repo.path.parent / "copy", symlinks=True)
    shutil.rmtree(repo.path)
    (repo.path.parent / "copy").rename(repo.path)


def packed(repo):
    repo.git("pack-refs", "--all")
    repo.git("repack", "-q", "-a", "-d")


def detached(repo):
    repo.git("checkout", "-q", "--detach")


def oddname_of_rows(repo):
    for name in ("a b.txt", 'q"uote.txt', "tab\there.txt", "ünï.txt", "new\nline.txt", os.fsdecode(b"\xff\xfe.txt")):
        repo.write(name, "one\n")
    repo.commit()
    for name in ("a b.txt", 'q"uote.txt', "tab\there.txt", "ünï.txt", "new\nline.txt", os.fsdecode(b"\xff\xfe.txt")):
        repo.write(name, "two\n")


ODD = ("a b.txt", 'q"uote.txt', "tab\there.txt", "ünï.txt", "new\nline.txt", os.fsdecode(b"\xff\xfe.txt"))

SCENARIOS = [
    # what happens, what git status says of tracked files, what we say
    ("nothing", lambda repo: None, "", CLEAN),
    ("edit", lambda repo: repo.write("helper.py", "x = 2\n"), " M helper.py", {"helper.py": "modified"}),
    ("edit of a file that is no module", lambda repo: repo.write("run.sh", ""), " M run.sh", {"run.sh": "modified"}),
    ("edit, staged", staged, "M  helper.py", {"helper.py": "modified"}),
    # What runs is the work tree, which is that of the commit.
    ("edit staged, then undone in the work tree", staged_then_undone, "MM helper.py", CLEAN),
    ("same time and size", same_time_and_size, " M helper.py", {"helper.py": "modified"}),
    ("deleted", lambda repo: (repo.path / "run.sh").unlink(), " D run.sh", {"run.sh": "deleted"}),
    ("deleted, staged", lambda repo: repo.git("rm", "-q", "run.sh"), "D  run.sh", {"run.sh": "deleted"}),
    (
        "removed from the index only",
        removed_from_index,
        "D  run.sh",
        {"run.sh": "in a merge conflict, or removed from the index"},
    ),
    ("added", added, "A  new.py", {"new.py": "added, not committed"}),
    ("added, then deleted", added_then_deleted, "AD new.py", CLEAN),
    ("intent to add", intended, " A new.py", {"new.py": "added, not committed"}),
    ("untracked, not loaded", lambda repo: repo.write("new.py", "y = 1\n"), "", CLEAN),
    ("renamed", renamed, "R  run.sh -> start.sh", {"run.sh": "deleted", "start.sh": "added, not committed"}),
    ("mode", lambda repo: (repo.path / "run.sh").chmod(0o755), " M run.sh", {"run.sh": "of another mode"}),
    (
        "mode, where it is not trusted",
        lambda repo: (repo.git("config", "core.fileMode", "false"), (repo.path / "run.sh").chmod(0o755)),
        "",
        CLEAN,
    ),
    ("file to symlink", to_symlink, " T run.sh", {"run.sh": "of another type"}),
    ("file to folder", file_to_folder, " D run.sh", {"run.sh": "deleted"}),
    ("symlink to elsewhere", other_target, " M conf/link.yaml", {"conf/link.yaml": "modified"}),
    # git says so by the size alone, until it is asked to add the file; git diff shows nothing.
    ("line ends that git converts", crlf, " M helper.py", CLEAN),
    (
        "line ends that git keeps",
        lambda repo: repo.write("helper.py", b"x = 1\r\n"),
        " M helper.py",
        {"helper.py": "modified"},
    ),
    ("conflict", conflict, "UU helper.py", {"helper.py": "in a merge conflict, or removed from the index"}),
    ("assume unchanged", hidden("--assume-unchanged"), "", {"conf/settings.yaml": "modified"}),
    ("skip worktree", hidden("--skip-worktree"), "", {"conf/settings.yaml": "modified"}),
    ("assume unchanged, deleted", hidden_then_deleted("--assume-unchanged"), "", {"conf/settings.yaml": "deleted"}),
    ("skip worktree, deleted", hidden_then_deleted("--skip-worktree"), "", {"conf/settings.yaml": "deleted"}),
    ("sparse checkout", sparse, "", CLEAN),
    ("sparse index", sparse_index, "", CLEAN),
    (
        "split index",
        lambda repo: (repo.git("update-index", "--split-index"), repo.write("helper.py", "x = 2\n")),
        " M helper.py",
        {"helper.py": "modified"},
    ),
    (
        "index version 4",
        lambda repo: (repo.git("update-index", "--index-version", "4"), hidden("--assume-unchanged")(repo)),
        "",
        {"conf/settings.yaml": "modified"},
    ),
    ("touched", touched, "", CLEAN),
    ("copied", copied, "", CLEAN),
    ("packed", packed, "", CLEAN),
    ("detached HEAD", detached, "", CLEAN),
    ("a notebook run again", notebook, " M a.ipynb", CLEAN),
    ("odd names", oddname_of_rows, None, dict.fromkeys(ODD, "modified")),
]


@pytest.mark.parametrize(
    ("name_of_row", "happens", "git_says", "we_say"), every(2, SCENARIOS), ids=[row[0] for row in SCENARIOS]
)
class TestTrackedFiles:
    def test_either_backend(self, repo, name_of_row, happens, git_says, we_say):
        """The git command finds the same paths, for the same reasons."""
        happens(repo)
        status = Status(CommandRepository(str(repo.path), ""))
        found, _ = status.collect(lambda path: not path.endswith(".ipynb"))

        assert we_say == {path: dirt.what for path, dirt in found.items()}

    def test_row(self, repo, name_of_row, happens, git_says, we_say):
        """The table holds; the patch applied to a clone of the commit gives the same digest; a commit ends it."""
        happens(repo)

        found = repo.look()

        assert (we_say, bool(we_say)) == (found.get("changes", found), found.get("dirty") is not None)
        if git_says is not None:
            assert git_says == repo.status("-uno")
        if we_say and name_of_row not in {"removed from the index only", "sparse index"}:
            clone = LookedAt(repo.path.parent / "clone", init=None)
            clone.git("clone", "-q", repo.path, clone.path)
            (repo.path.parent / "patch").write_bytes(found["patch"].encode("latin-1"))
            clone.git("apply", "--index", repo.path.parent / "patch")
            assert found["dirty"] == clone.look()["dirty"]


class TestLoadedModules:
    def test_untracked(self, repo):
        """A module that was loaded, and that git does not know, is dirt, and part of the patch."""
        repo.write("new.py", "y = 1\n")

        found = repo.look("other", env={"NEW": "1"})

        assert {"new.py": UNTRACKED} == found["changes"]
        assert "b/new.py" in found["patch"]
        assert repo.look("other")["dirty"] is None

    def test_same_digest_untracked_or_added(self, repo):
        """Adding the file to the index does not change what runs."""
        repo.write("new.py", "y = 1\n")
        before = repo.look("other", env={"NEW": "1"})
        repo.git("add", "new.py")

        assert before["dirty"] == repo.look("other", env={"NEW": "1"})["dirty"]

    def test_own_file_untracked(self, repo):
        """The module that holds the function is dirt itself until it is committed."""
        repo.write("mine.py", WORK)

        assert {"mine.py": UNTRACKED} == repo.look("mine")["changes"]

    def test_ignored(self, repo):
        """A loaded module that git ignores is configuration: it is named with its content, and no dirt."""
        repo.write("local_settings.py", "a = 1\n")
        code = "import local_settings, work; say(lambda: work.look().state())"
        one = repo.look(code=code)
        repo.write("local_settings.py", "a = 2\n")
        two = repo.look(code=code)

        assert [None, None, ["local_settings.py"]] == [one["dirty"], two["dirty"], list(one["modules"])]
        assert one["modules"] != two["modules"]

    def test_scope_leaves_out(self, repo):
        """Modules outside of the scope are neither dirt nor configuration."""
        repo.write("local_settings.py", "a = 1\n")
        repo.write("new.py", "a = 1\n")
        found = repo.look(code="import local_settings, new, work; say(lambda: work.look(scope=['conf']).state())")

        assert [None, {}] == [found["dirty"], found["modules"]]

    def test_virtual_environment(self, repo):
        """What is installed in an environment inside the work tree is environment, ignored or not."""
        for folder in ("venv", "env"):
            repo.write(f"{folder}/pyvenv.cfg", "")
            repo.write(f"{folder}/lib/python3/site-packages/in_{folder}.py", "z = 1\n")
            repo.write(f"{folder}/src/beside_{folder}.py", "z = 1\n")
        places = [str(repo.path / f"{f}/{s}") for f in ("venv", "env") for s in ("lib/python3/site-packages", "src")]
        found = repo.look(
            code="import in_venv, in_env, beside_env, beside_venv, work; say(lambda: work.look().state())",
            path=[str(repo.path), *places],
        )

        assert [None, {}] == [found["dirty"], found["modules"]]

    def test_function_in_virtual_environment(self, repo):
        """A function that is installed in the work tree belongs to the repository of the current directory."""
        repo.write("venv/lib/site-packages/installed.py", WORK)

        found = repo.look("installed", path=[str(repo.path / "venv/lib/site-packages")])

        assert [str(repo.path), None, {}] == [found["root"], found["dirty"], found["modules"]]

    def test_editable_from_elsewhere(self, repo, tmp_path):
        """A module of another repository is environment."""
        elsewhere = GitRepo(tmp_path / "elsewhere")
        elsewhere.write("lib.py", "z = 1\n")
        found = repo.look(
            code="import lib, work; say(lambda: work.look().state())", path=[str(repo.path), str(elsewhere.path)]
        )

        assert [None, {}] == [found["dirty"], found["modules"]]

    def test_nested_repository(self, repo):
        """A repository that the outer one ignores is the repository of its own functions."""
        nested = GitRepo(repo.path / "nested", home=repo.path.parent / "repo-home")
        nested.write("deep.py", WORK)
        commit = nested.commit()

        found = repo.look("deep", path=[str(nested.path)])

        assert [commit, str(nested.path)] == [found["commit"], found["root"]]

    def test_zip(self, repo):
        """A module in an archive counts as the archive: tracked, untracked or ignored."""
        repo.write("lib/zipped.py", "a = 1\n")
        shutil.make_archive(str(repo.path / "bundle"), "zip", repo.path / "lib")
        shutil.rmtree(repo.path / "lib")
        code = "import zipped, work; say(lambda: work.look().state())"
        path = [str(repo.path), str(repo.path / "bundle.zip")]
        untracked = repo.look(code=code, path=path)
        repo.commit()

        assert {"bundle.zip": UNTRACKED} == untracked["changes"]
        assert repo.look(code=code, path=path)["dirty"] is None

    def testname_of_rowspace_package(self, repo):
        """A package without a file of its own is nothing; its modules are."""
        repo.write("space/inner.py", "a = 1\n")

        found = repo.look(code="import space, work; say(lambda: work.look().state())")
        with_module = repo.look(code="import space.inner, work; say(lambda: work.look().state())")

        assert [{}, {"space/inner.py": UNTRACKED}] == [found["changes"], with_module["changes"]]

    def test_untracked_link(self, repo, tmp_path):
        """A link in the work tree is untracked even if what it points to lies outside."""
        (tmp_path / "outside.py").write_text("a = 1\n")
        os.symlink(tmp_path / "outside.py", repo.path / "linked.py")

        found = repo.look(code="import linked, work; say(lambda: work.look().state())")

        assert {"linked.py": UNTRACKED} == found["changes"]

    def test_untracked_script(self, repo):
        """A script that git does not know is no dirt while it only calls; a function of its own makes it so."""
        repo.write("script.py", "import json, work\nprint(json.dumps(work.look().state().dirty))\n")
        repo.write("own.py", WORK + "print([change.path for change in LOOK.state().changes])\n")

        assert ["null", "['own.py']"] == [repo.python("script.py"), repo.python("own.py")]

    def test_script_and_module_agree(self, repo):
        """Run as a script, with -m, or imported, a file gives one code state."""
        repo.write("both.py", WORK + "s = LOOK.state()\nprint(s.commit, s.dirty, s.changes)\n")
        told = [repo.python(*arguments) for arguments in (["both.py"], ["-m", "both"], ["-c", "import both"])]
        repo.commit()
        told += [repo.python(*arguments) for arguments in (["both.py"], ["-m", "both"], ["-c", "import both"])]

        assert [1, 1] == [len(set(told[:3])), len(set(told[3:]))]
