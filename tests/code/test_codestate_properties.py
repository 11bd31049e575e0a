"""Whatever is done to a repository: dirty or clean as git says, and equal tags for equal code."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from gitrepo import GitRepo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taggedartifacts._code.codestate import take_look
from taggedartifacts._code.dirt import Status, digest_of
from taggedartifacts._code.scope import Kind, Scope
from taggedartifacts._git import index as _index
from taggedartifacts._git import repository as _repository
from taggedartifacts._git.command import CommandRepository
from taggedartifacts._git.repository import find_repository

NAMES = ("a.py", "b.py", "src/c.py", "src/d e.txt")
CONTENTS = ("one\n", "two\n", "three and more\n")
OPERATIONS = st.one_of(
    st.tuples(st.just("edit"), st.sampled_from(NAMES), st.sampled_from(CONTENTS)),
    st.tuples(
        st.sampled_from(["stage", "unstage", "revert", "touch", "chmod", "delete", "git rm"]), st.sampled_from(NAMES)
    ),
    st.tuples(st.just("rename"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("commit")),
)


def do(repo, operation, *arguments):
    path = repo.path / arguments[0] if arguments else repo.path
    match operation:
        case "edit" if not path.is_dir():
            repo.write(*arguments)
        case "stage":
            repo.git("add", "--all", "--", *arguments, check=False)
        case "unstage":
            repo.git("reset", "-q", "--", *arguments, check=False)
        case "revert":
            repo.git("checkout", "-q", "HEAD", "--", *arguments, check=False)
        case "touch" if path.exists():
            os.utime(path)
        case "chmod" if path.is_file():
            path.chmod(path.stat().st_mode ^ 0o111)
        case "delete" if path.is_file() or path.is_symlink():
            path.unlink()
        case "git rm":
            repo.git("rm", "-q", "-f", "--", *arguments, check=False)
        case "rename":
            repo.git("mv", "-f", *arguments, check=False)
        case "commit":
            repo.git("commit", "-q", "-m", "x", check=False)
        case "folder" if not path.is_dir():
            path.unlink(missing_ok=True)
            repo.write(f"{arguments[0]}/inner.py", CONTENTS[1])
        case "link" if (
            path.parent != repo.path and path.parent.is_dir() and not os.path.lexists(repo.path / "elsewhere")
        ):
            path.parent.rename(repo.path / "elsewhere")
            path.parent.symlink_to(repo.path / "elsewhere")
        case "hide":
            repo.git("update-index", "--assume-unchanged", *arguments, check=False)


def tracked_code(repo):
    """What lies in the work tree at the paths that git tracks, as git itself would store it."""
    names = set(repo.git("ls-files", "-z").split("\0")) | set(
        repo.git("ls-tree", "-rz", "--name-only", "HEAD").split("\0")
    )
    code = {}
    for name in sorted(names - {""}):
        path = repo.path / name
        if path.is_file():
            code[name] = path.read_bytes(), bool(path.stat().st_mode & 0o100)
    return str(code)


def git_says_dirty(repo):
    """Whether git sees a difference between HEAD and the work tree, at paths that the index holds or has lost.

    An edit that is staged, and undone in the work tree, is one between HEAD and the index alone: nothing of it runs.
    """
    lines = repo.git("status", "--porcelain", "-uno", "-z", "--no-renames").split("\0")
    changed = {line[3:] for line in lines if line}
    return bool(changed) and bool(repo.git("diff", "--name-only", "HEAD"))


@pytest.fixture(scope="module")
def home():
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


class TestAnySequence:
    @settings(
        max_examples=settings.default.max_examples // 10,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    @given(operations=st.lists(OPERATIONS, min_size=1, max_size=12), worth=st.sampled_from([1, 1000]))
    def test_agrees_with_git(self, home, operations, worth):
        """After each step, dirty as git says, by either backend; equal code has an equal tag, other code another."""
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            patch.setattr(_index, "_WORTH", worth)  # compared in several threads, or in one
            patch.setattr(_repository, "processors", lambda: 3)
            repo = GitRepo(Path(folder) / "repo", home=home / "home")
            for name in NAMES:
                repo.write(name, CONTENTS[0])
            repo.commit()
            tags: dict[tuple[str, str], str | None] = {}
            for operation in operations:
                do(repo, *operation)
                state = take_look(None, repo=str(repo.path), scope=["."]).state()
                status = Status(CommandRepository(str(repo.path), ""))

                assert git_says_dirty(repo) == (state.dirty is not None)
                assert digest_of(status.collect(lambda path: True)[0].values()) == state.dirty
                assert status.repository.last_commit(repo.head, lambda delta: True) == state.commit
                code = tracked_code(repo)
                if "D " in repo.git("status", "--porcelain", "-uno", "--no-renames"):
                    continue  # gone from the index, there or not in the work tree: dirty either way
                known = tags.setdefault((state.commit, code), state.dirty)
                assert known == state.dirty
                tag = state.commit, state.dirty
                assert not [
                    other for (commit, other), dirty in tags.items() if (commit, dirty) == tag and other != code
                ]


MORE_NAMES = (*NAMES, "data/e.csv", "data/f.md", "data/deep/g.py", "data-old.csv", "src.py", "data/.py")
MORE = st.one_of(
    OPERATIONS,
    st.tuples(st.just("edit"), st.sampled_from(MORE_NAMES), st.sampled_from(CONTENTS)),
    st.tuples(st.sampled_from(["delete", "stage", "folder", "link", "hide"]), st.sampled_from(MORE_NAMES)),
)
SCOPES = st.builds(
    Scope,
    kind=st.sampled_from([Kind.AUTOMATIC, Kind.AUTOMATIC, Kind.PATHS, Kind.WHOLE]),
    files=st.frozensets(st.sampled_from([*MORE_NAMES, "data", "elsewhere/c.py", "new.py"])),
    probes=st.frozensets(st.sampled_from(["a", "src", "src/c", "src/", "data/", "data/deep/g", "b.py/inner"])),
    names=st.frozensets(st.sampled_from(["f.md", "*.md", "c*", "g.py", "*.p?", "[a-z].py", "d*y"])),
    paths=st.sampled_from([(), ("src", "src.py"), ("b.py", "data/deep"), ("data", "data-old.csv"), (".",)]),
)


class TestWithin:
    @settings(
        max_examples=settings.default.max_examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    @given(operations=st.lists(MORE, min_size=1, max_size=8), scopes=st.lists(SCOPES, min_size=1, max_size=5))
    def test_finds_what_a_look_everywhere_finds(self, home, operations, scopes):
        """To look only where the scope may lie finds the same of it as to look everywhere."""
        with tempfile.TemporaryDirectory() as folder:
            repo = GitRepo(Path(folder) / "repo", home=home / "home")
            for name in MORE_NAMES:
                repo.write(name, CONTENTS[0])
            repo.commit()
            for operation in operations:
                do(repo, *operation)
                for scope in scopes:
                    found = find_repository(str(repo.path))
                    within = scope.within(found.others)
                    wanted = scope.holds, scope.holds_submodule

                    assert Status(found).collect(*wanted) == Status(found).collect(*wanted, within)

    @pytest.mark.parametrize("scope", [(), ("src",)], ids=["automatic", "named"])
    def test_looks_nowhere_else(self, home, tmp_path, monkeypatch, scope):
        """A look for a small scope does not compare all files, and one for everything does."""
        repo = GitRepo(tmp_path / "repo", home=home / "home")
        for name in MORE_NAMES:
            repo.write(name, "x = 1\n")
        repo.commit()
        compared = []
        compare = _repository._compare
        monkeypatch.setattr(
            _repository, "_compare", lambda opened, below: compared.append(below) or compare(opened, below)
        )
        take_look(str(repo.path / "a.py"), scope=scope).state()
        take_look(str(repo.path / "a.py"), scope=["."]).state()
        small, whole = compared

        assert [] == whole
        assert b"a.py" in small
        assert not {b"b.py", b"data/deep/g.py"} & {*small}
        assert (b"data/e.csv" in small) == (not scope)
