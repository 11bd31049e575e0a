"""Peculiarities of git: places, submodules, filters, line ends, and what libgit2 refuses."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import zipfile

import pytest
from gitrepo import IS_ROOT, GitRepo
from heavy import but
from looks import WORK, LookedAt, varied

from taggedartifacts._code.dirt import Status
from taggedartifacts._git.command import CommandRepository

CLEAN: dict[str, str] = {}
UNTRACKED = "loaded, but not tracked by git"


@pytest.fixture
def repo(tmp_path):
    return varied(tmp_path)


class TestPlaces:
    def test_worktree(self, repo):
        """A linked worktree has its own HEAD and its own dirt."""
        other = LookedAt(repo.path.parent / "tree", home=repo.path.parent / "repo-home", init=None)
        repo.git("worktree", "add", "-q", "-b", "side", other.path, check=True)
        other.write("helper.py", "x = 5\n")

        found = other.look()

        assert [str(other.path), {"helper.py": "modified"}] == [found["root"], found["changes"]]
        assert repo.look()["dirty"] is None

    @pytest.mark.parametrize(
        "how", but(["copied", "copied into itself", "moved", "moved, another in its place"], "moved")
    )
    def test_worktree_elsewhere(self, repo, how):
        """A linked worktree that was copied or moved is the folder where it lies, whatever its git directory says."""
        home = repo.path.parent / "repo-home"
        made = LookedAt(repo.path.parent / "made", home=home, init=None)
        repo.git("worktree", "add", "-q", "-b", "side", made.path)
        folder = made.path / "__pycache__" if "itself" in how else repo.path.parent / "tree"
        if "copied" in how:
            shutil.copytree(made.path, folder, symlinks=True)
        else:
            made.path.rename(folder)
        if how != "moved":
            made.write("helper.py", "x = 2\n")
        tree = LookedAt(folder, home=home, init=None)
        clean = tree.look()
        tree.write("helper.py", "x = 3\n")
        edited = tree.look()

        assert [str(folder), CLEAN] == [clean.get("root"), clean.get("changes", clean)]
        assert {"helper.py": "modified"} == edited["changes"]
        assert "+x = 3" in edited["patch"]

    @pytest.mark.parametrize("how", but(["git file", "link"], "link"))
    def test_git_directory_elsewhere(self, repo, how):
        """Where ``.git`` leads elsewhere, the code is what lies beside it, not what lies beside the git directory."""
        store = repo.path.parent / "store"
        store.mkdir()
        if how == "link":
            (repo.path / ".git").rename(store / "x.git")
            os.symlink(store / "x.git", repo.path / ".git")
        else:
            repo.git("init", "-q", "--separate-git-dir", store / "x.git")
        for name in ("helper.py", "work.py"):
            shutil.copy(repo.path / name, store)
        clean = repo.look()
        found = []
        for source in ("x = 2\n", "x = 3\n"):
            repo.write("helper.py", source)
            found.append(repo.look())

        assert [str(repo.path), CLEAN] == [clean["root"], clean["changes"]]
        assert [{"helper.py": "modified"}] * 2 == [each["changes"] for each in found]
        assert found[0]["dirty"] != found[1]["dirty"]

    def test_work_tree_named_by_setting(self, repo, tmp_path):
        """A work tree that ``core.worktree`` names is the one, not the folder that holds ``.git``."""
        (repo.path / ".git").rename(tmp_path / ".git")
        repo.git("config", "core.worktree", repo.path)
        clean = repo.look()
        repo.write("helper.py", "x = 2\n")

        assert [str(repo.path), CLEAN] == [clean["root"], clean["changes"]]
        assert {"helper.py": "modified"} == repo.look()["changes"]

    def test_inside_git_directory(self, repo):
        """The git directories of a repository and of its worktrees lead to the work trees that they are of."""
        tree = repo.path.parent / "tree"
        repo.git("worktree", "add", "-q", "-b", "side", tree)
        found = [repo.look(repo=str(repo.path / ".git" / part)) for part in ("", "hooks", "worktrees/tree")]

        assert [str(repo.path), str(repo.path), str(tree)] == [each["root"] for each in found]

    def test_shallow_clone(self, repo):
        """A shallow clone knows its last commit."""
        repo.write("helper.py", "x = 2\n")
        head = repo.commit()
        clone = LookedAt(repo.path.parent / "clone", init=None)
        clone.git("clone", "-q", "--depth", "1", f"file://{repo.path}", clone.path)

        assert [head, None] == [clone.look()[key] for key in ("commit", "dirty")]

    def test_path_with_spaces_and_unicode(self, tmp_path):
        """The name of the repository's folder does not matter."""
        repo = LookedAt(tmp_path / "ein schöner Ordner ✓")
        repo.write("work.py", WORK)
        repo.commit()
        repo.write("work.py", WORK + "#")

        assert {"work.py": "modified"} == repo.look()["changes"]

    def test_folder_reached_through_link(self, repo, tmp_path):
        """A repository reached through a symbolic link is the same one."""
        os.symlink(repo.path, tmp_path / "link")
        repo.write("new.py", "")

        found = repo.look("other", path=[str(tmp_path / "link")], cwd=tmp_path, env={"NEW": "1"})

        assert [str(repo.path), {"new.py": UNTRACKED}] == [found["root"], found["changes"]]

    def test_hook(self, repo):
        """What git sets in the environment of a hook does not lead astray."""
        other = GitRepo(repo.path.parent / "other")
        other.commit()
        env = {"GIT_DIR": str(other.path / ".git"), "GIT_INDEX_FILE": "index.tmp", "GIT_WORK_TREE": str(other.path)}

        assert repo.head == repo.look(env=env)["commit"]

    def test_current_directory(self, repo, tmp_path):
        """A function from outside of any repository belongs to that of the current directory."""
        (tmp_path / "lib").mkdir()
        (tmp_path / "lib" / "free.py").write_text(WORK)

        assert str(repo.path) == repo.look("free", path=[str(tmp_path / "lib")])["root"]

    def test_own_file_from_elsewhere(self, repo, tmp_path):
        """The content of a function's own file counts though no commit holds it; where it lies does not."""
        found = []
        for folder, source in (("a", WORK), ("b", WORK), ("b", WORK + "a = 1\n")):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / "free.py").write_text(source)
            found.append(repo.look("free", path=[str(tmp_path / folder)])["modules"])

        assert ["../free.py"] == list(found[0])
        assert found[0] == found[1]
        assert found[1] != found[2]

    def test_own_file_in_an_archive_from_elsewhere(self, repo, tmp_path):
        """An archive outside of the repository counts by its content."""
        with zipfile.ZipFile(tmp_path / "free.zip", "w") as archive:
            archive.writestr("free.py", WORK)

        assert ["../free.py"] == list(repo.look("free", path=[str(tmp_path / "free.zip")])["modules"])

    def test_installed_own_file(self, repo, tmp_path):
        """The own file of a function that is installed counts by its content: no commit names it."""
        folder = tmp_path / "site-packages"
        folder.mkdir()
        (folder / "free.py").write_text(WORK)

        assert ["../free.py"] == list(repo.look("free", path=[str(folder)])["modules"])

    def test_repo_option(self, repo, tmp_path):
        """``repo=`` names the repository."""
        (tmp_path / "free.py").write_text(WORK)
        inside = str(repo.path / "conf")

        assert str(repo.path) == repo.look("free", path=[str(tmp_path)], cwd=tmp_path, repo=inside)["root"]
        assert "repo=" in repo.look("free", path=[str(tmp_path)], cwd=tmp_path, repo=str(tmp_path))["message"]


class TestSubmodules:
    @pytest.fixture
    def outer(self, repo, tmp_path):
        inner = GitRepo(tmp_path / "inner")
        inner.write("lib.py", "a = 1\n")
        inner.commit()
        repo.git("submodule", "--quiet", "add", inner.path, "vendor/lib")
        repo.commit()
        return repo

    @pytest.mark.parametrize("ignore", ["none", "all"])
    def test_dirt(self, outer, ignore):
        """A submodule that was edited or moved is dirt, even if git is told to ignore that."""
        outer.git("config", "submodule.vendor/lib.ignore", ignore)
        clean = outer.look()
        outer.write("vendor/lib/lib.py", "a = 2\n")
        edited = outer.look()
        outer.git("-C", "vendor/lib", "commit", "-q", "-a", "-m", "x")
        moved = outer.look()

        assert clean["changes"] == {}
        assert edited["changes"] == {"vendor/lib/lib.py": "modified"}
        assert moved["changes"] == {"vendor/lib": "a submodule at another commit"}

    def test_loaded_from_it(self, outer):
        """A module loaded from a submodule is judged there; its own untracked files count only if they are loaded."""
        outer.write("vendor/lib/extra.py", "")
        path = [str(outer.path), str(outer.path / "vendor/lib")]

        loaded = outer.look(code="import lib, extra, work; say(lambda: work.look().state())", path=path)

        assert [{}, {"vendor/lib/extra.py": UNTRACKED}] == [outer.look()["changes"], loaded["changes"]]

    def test_not_checked_out(self, outer):
        """A submodule that was never checked out is no dirt."""
        outer.git("submodule", "--quiet", "deinit", "-f", "vendor/lib")

        assert outer.look()["changes"] == {}

    @pytest.mark.parametrize("kind", but(["sha1", "sha256"], "sha1"))
    def test_gone_or_replaced(self, tmp_path, kind):
        """A submodule that is not there, or has become something else, is dirt; an empty folder is none, as in git."""
        lib = GitRepo(tmp_path / "lib", init=(f"--object-format={kind}",))
        lib.commit()
        outer = LookedAt(tmp_path / "outer", init=(f"--object-format={kind}",))
        outer.write("work.py", WORK)
        outer.git("submodule", "--quiet", "add", lib.path, "lib")
        outer.commit()
        place = outer.path / "lib"
        place.rename(tmp_path / "away")
        found = [(outer.status("-uno"), outer.look()["changes"])]
        for make in (
            place.mkdir,
            lambda: (place.rmdir(), place.write_text("a = 1")),
        ):
            make()
            found.append((outer.status("-uno"), outer.look()["changes"]))
        place.unlink()
        place.symlink_to(lib.path)  # git status refuses that

        gone, replaced = (" D lib", {"lib": "deleted"}), (" T lib", {"lib": "of another type"})
        assert [gone, ("", CLEAN), replaced] == found
        assert replaced[1] == outer.look()["changes"]

    def test_git_folder_that_is_none(self, outer):
        """A folder with a ``.git`` that is no repository is not taken for a checkout of the one around it."""
        shutil.rmtree(outer.path / "vendor/lib")
        (outer.path / "vendor/lib/.git").mkdir(parents=True)

        assert CLEAN == outer.look()["changes"]

    def test_added_then_gone(self, outer):
        """One that no commit holds, and that is not there, is nothing."""
        outer.git("submodule", "--quiet", "add", outer.path.parent / "inner", "again")
        shutil.rmtree(outer.path / "again")
        outer.git("restore", "--staged", ".gitmodules")
        outer.git("restore", ".gitmodules")

        assert [CLEAN, "AD again"] == [outer.look()["changes"], outer.status("-uno")]

    def test_left_out_of_sparse_checkout(self, outer):
        """One that a sparse checkout leaves out is missed by nobody."""
        outer.git("sparse-checkout", "set", "--no-cone", "/*", "!/vendor/")
        outer.git("update-index", "--skip-worktree", "vendor/lib")
        shutil.rmtree(outer.path / "vendor")
        by_command, _ = Status(CommandRepository(str(outer.path), "")).collect(lambda path: True)

        assert ["", CLEAN, CLEAN] == [outer.status("-uno"), outer.look()["changes"], by_command]

    def test_own_functions(self, outer):
        """A function in a submodule belongs to the submodule."""
        outer.write("vendor/lib/deep.py", WORK)

        found = outer.look("deep", path=[str(outer.path / "vendor/lib")])

        assert [str(outer.path / "vendor/lib"), {"deep.py": UNTRACKED}] == [found["root"], found["changes"]]


class TestFilters:
    def test_clean_filter(self, repo):
        """A file that differs only by what its filter takes out is clean, as git says; another is not."""
        repo.git("config", "filter.strip.clean", "grep -v SECRET || true")
        repo.write(".gitattributes", "conf/*.yaml filter=strip\n")
        repo.write("conf/settings.yaml", "bins: 40\nSECRET\n")
        repo.commit()
        repo.write("conf/settings.yaml", "bins: 40\nSECRET 2\n")
        same = repo.look()
        repo.write("conf/settings.yaml", "bins: 50\nSECRET 2\n")

        assert same["changes"] == {}
        assert repo.look()["changes"] == {"conf/settings.yaml": "modified"}

    def test_filter_without_git(self, repo, tmp_path):
        """Without the command, a file in doubt is dirty, and the reason is said."""
        repo.git("config", "filter.strip.clean", "grep -v SECRET || true")
        repo.write(".gitattributes", "conf/*.yaml filter=strip\n")
        repo.write("conf/settings.yaml", "bins: 40\nSECRET\n")
        repo.commit()
        repo.write("conf/settings.yaml", "bins: 40\nSECRET 2\n")

        found = repo.look(env={"PATH": str(tmp_path)})

        assert "by 'strip', needs the 'git' command" in found["changes"]["conf/settings.yaml"]

    def test_unknown_filter(self, repo):
        """A filter that no setting explains is passed over, as git does."""
        repo.write(".gitattributes", "*.yaml filter=strange\n")
        repo.commit()

        assert repo.look()["dirty"] is None
        repo.write("conf/settings.yaml", "bins: 1\n")
        assert repo.look()["changes"] == {"conf/settings.yaml": "modified"}

    def test_ident(self, repo):
        """What git writes into a file for its ``ident`` attribute is no change, and not in the patch of one."""
        repo.write(".gitattributes", "helper.py ident\n")
        repo.write("helper.py", "# $Id$\n")
        repo.commit()
        repo.write("helper.py", "# $Id: 1234 $\n")
        same = repo.look()
        repo.write("helper.py", "# $Id: 1234 $\nx = 2\n")

        assert same["changes"] == {}
        assert " # $Id$\n+x = 2\n" in repo.look()["patch"]

    def test_lfs_pointer(self, repo, tmp_path):
        """A large file that git stores as a pointer is compared by the pointer, with no git-lfs installed."""
        big = os.urandom(3000)
        pointer = subprocess.run(["sha256sum"], input=big, capture_output=True, check=True).stdout.split()[0].decode()
        repo.write("big.bin", f"version https://git-lfs.github.com/spec/v1\noid sha256:{pointer}\nsize {len(big)}\n")
        repo.commit()
        repo.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
        repo.commit()
        repo.write("big.bin", big)
        same = repo.look(env={"PATH": str(tmp_path)})
        repo.write("big.bin", big + b"!")

        assert same["changes"] == {}
        assert repo.look()["changes"] == {"big.bin": "modified"}


class TestLineEnds:
    """Where git converts them, which is the default of Git for Windows."""

    @pytest.fixture(params=["core.autocrlf", "text=auto"])
    def converting(self, request, repo):
        repo.write("logo.png", b"\x89PNG\r\n\0one\r\n")
        if request.param == "text=auto":
            repo.write(".gitattributes", "* text=auto\n")
        repo.commit()
        repo.git("config", "core.autocrlf", str(request.param == "core.autocrlf").lower())
        return repo

    def test_behind_a_zero_byte(self, converting):
        """A file counts to its end, zero bytes or not: each content has its own digest and patch."""
        found = []
        for end in (b"two", b"two\r\n", b"three"):
            converting.write("logo.png", b"\x89PNG\r\n\0" + end)
            found.append(converting.look())

        assert [{"logo.png": "modified"}] * 3 == [each["changes"] for each in found]
        assert [3, 3] == [len({each[key] for each in found}) for key in ("dirty", "patch")]

    def test_behind_the_end_of_the_commit(self, converting):
        """What was added behind a zero byte is not taken for the text in front of it."""
        converting.write("run.sh", b"#!/bin/sh\n\0more")

        assert {"run.sh": "modified"} == converting.look()["changes"]

    def test_binary_as_it_was(self, converting):
        """A binary file that nobody changed is clean, also where it is compared by its content."""
        converting.git("update-index", "--assume-unchanged", "logo.png")

        assert CLEAN == converting.look()["changes"]

    def test_text(self, converting):
        """A text is the same with either line ends, and what else changed is in the patch as git stores it."""
        converting.write("helper.py", b"x = 1\r\n")
        same = converting.look()
        converting.write("helper.py", b"x = 2\r\n")

        assert CLEAN == same["changes"]
        assert "+x = 2\n" in converting.look()["patch"]

    @pytest.mark.parametrize("strict", but(["true", "warn"], "true"))
    @pytest.mark.parametrize("size", but([1, 300_000], 1))
    def test_strict(self, converting, strict, size):
        """What ``core.safecrlf`` keeps out of a commit is not kept from being looked at."""
        converting.git("config", "core.safecrlf", strict)
        found = []
        for content in (b"#!/bin/sh\n", b"#!/bin/sh\r\n", b"a\r\nb\n" * size, b"b\na\r\n" * size):
            converting.write("run.sh", content)
            found.append(converting.look())

        assert [CLEAN] * 2 + [{"run.sh": "modified"}] * 2 == [each.get("changes", each) for each in found]
        assert 3 == len({each["dirty"] for each in found})

    def test_strict_without_git(self, converting, tmp_path):
        """Without the command, a file in doubt is dirty there, and the reason is said."""
        converting.git("config", "core.safecrlf", "true")
        converting.write("run.sh", b"a\r\nb\n")

        assert "'core.safecrlf'" in converting.look(env={"PATH": str(tmp_path)})["changes"]["run.sh"]


class TestRefusedByLibgit2:
    @pytest.mark.parametrize("kind", but(["sha256", "partial clone", "reftable"], "sha256"))
    def test_git_command(self, repo, kind, tmp_path):
        """What libgit2 cannot read, the git command reads; without it the error says so."""
        other = LookedAt(tmp_path / "other", init=("--object-format=sha256",) if kind == "sha256" else ())
        other.write("work.py", WORK)
        other.commit()
        other.write("helper.py", "x = 1\n")
        head = other.commit()
        if kind != "sha256":
            other.git("config", "core.repositoryFormatVersion", "1")
            extension = "extensions.partialClone" if kind == "partial clone" else "extensions.refStorage"
            other.git("config", extension, "origin" if kind == "partial clone" else "reftable")
        if kind != "reftable":  # this git does not know it either
            clean = other.look()
            last = other.look(scope=["work.py"])
            other.write("helper.py", "x = 2\n")
            dirty = other.look()

            assert [head, None, {"helper.py": "modified"}] == [clean["commit"], clean["dirty"], dirty["changes"]]
            assert last["commit"] != head
        else:
            assert "RepositoryError" == other.look()["error"]
        assert "install the 'git' command" in other.look(env={"PATH": str(tmp_path)})["message"]

    @pytest.mark.parametrize("kept", but(["blob:none", "tree:0"], "tree:0"))
    def test_partial_clone(self, repo, kept, tmp_path):
        """A partial clone is looked at through the git command, which fetches what the last commit is found by."""
        repo.git("config", "uploadpack.allowFilter", "true")
        first = repo.head
        for source in ("x = 2\n", "x = 3\n"):
            repo.write("helper.py", source)
            repo.commit()
        clone = LookedAt(tmp_path / "clone", init=None)
        clone.git("clone", "-q", f"--filter={kept}", f"file://{repo.path}", clone.path)
        clean = clone.look()
        scoped = clone.look("other", scope=["conf"])
        without = clone.look(env={"PATH": str(tmp_path)})
        clone.write("helper.py", "x = 4\n")

        assert [repo.head, first, CLEAN] == [clean.get("commit"), scoped.get("commit"), clean.get("changes", clean)]
        assert "partial clone" in without["message"]
        assert {"helper.py": "modified"} == clone.look()["changes"]

    def test_partial_and_sparse(self, repo, tmp_path):
        """A file where a sparse checkout has none is compared with what has to be fetched for it."""
        repo.git("config", "uploadpack.allowFilter", "true")
        clone = LookedAt(tmp_path / "clone", init=None)
        clone.git("clone", "-q", "--sparse", "--filter=blob:none", f"file://{repo.path}", clone.path)
        clone.write("conf/settings.yaml", "bins: 50\n")

        found = clone.look()

        assert {"conf/settings.yaml": "modified"} == found.get("changes", found)
        assert "conf/settings.yaml" in found["patch"]


class TestErrors:
    def test_no_repository(self, tmp_path):
        """Without a repository the remedies are named."""
        free = LookedAt(tmp_path / "free", init=None)
        free.write("work.py", WORK)

        found = free.look()

        assert "RepositoryError" == found["error"]
        assert all(word in found["message"] for word in ("git init", "repo=", "TAGGEDARTIFACTS_COMMIT"))

    def test_no_commit(self, tmp_path):
        """A repository without a commit is an error that says so."""
        fresh = LookedAt(tmp_path / "fresh")
        fresh.write("work.py", WORK)

        assert "has no commit yet" in fresh.look()["message"]

    def test_bare(self, tmp_path):
        """A bare repository has no code to run."""
        bare = LookedAt(tmp_path / "bare.git", init=("--bare",))
        (tmp_path / "work.py").write_text(WORK)

        assert "bare" in bare.look(path=[str(tmp_path)])["message"]

    @pytest.mark.skipif(not IS_ROOT, reason="only root can give a folder to another user")
    @pytest.mark.parametrize(
        "place", but(["repo", "a b'$c;", "worktree", "submodule", "git directory elsewhere"], "a b'$c;", "submodule")
    )
    def test_other_owner(self, repo, tmp_path, place):
        """A repository of another user is refused with the command that mends it, which does."""
        folder = tmp_path / place
        match place:
            case "worktree":
                repo.git("worktree", "add", "-q", folder)
            case "submodule":
                folder = tmp_path / "outer" / "lib"
                GitRepo(folder.parent).git("submodule", "--quiet", "add", repo.path, "lib")
            case "git directory elsewhere":
                (tmp_path / "store").mkdir()
                repo.git("clone", "-q", "--separate-git-dir", tmp_path / "store" / "x.git", repo.path, folder)
            case _:
                repo.path.rename(folder)
        for top in (repo.path, folder, tmp_path / "outer", tmp_path / "store"):
            for path in [top, *top.rglob("*")] if top.exists() else ():
                os.lchown(path, 1234, 1234)
        seen = LookedAt(folder, home=tmp_path / "repo-home", init=None)
        command = seen.look()["message"].partition("run: ")[2]
        seen.run("sh", "-c", command)

        assert ["git", "config", "--global", "--add", "safe.directory", str(folder)] == shlex.split(command)
        assert seen.head == seen.look()["commit"]

    def test_damaged(self, repo):
        """A damaged repository is an error of ours that names it."""
        for file in (repo.path / ".git" / "objects").rglob("*"):
            if file.is_file():
                file.unlink()
        found = repo.look()

        assert "RepositoryError" == found["error"]
        assert str(repo.path) in found["message"]

    def test_submodule_damaged(self, repo):
        """A file where an index should be is an error of ours too."""
        (repo.path / ".git" / "index").write_bytes(b"nonsense")

        assert "RepositoryError" == repo.look()["error"]
