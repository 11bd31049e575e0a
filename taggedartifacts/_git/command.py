"""The ``git`` command: for the repositories and the filters that libgit2 cannot deal with, and for nothing else."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import stat
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple

from .._errors import RepositoryError
from .trees import LINK_MODE, SUBMODULE_MODE, Delta, Stored, last_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

PATCH_BYTES = 1 << 20
_SECONDS = 600
_COMMITS_AT_FIRST, _COMMITS_AT_ONCE = 8, 200
# Set by hooks, these would make the command look at the repository that runs the hook instead of the one asked about.
_HOOK_VARIABLES = frozenset({
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_IMPLICIT_WORK_TREE", "GIT_QUARANTINE_PATH",
    "GIT_INTERNAL_SUPER_PREFIX", "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS", "GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_DEFAULT_HASH",
})  # fmt: skip


class Candidates(NamedTuple):
    """Paths that may differ from HEAD, submodules, and paths whose absence is no deletion (a sparse checkout)."""

    paths: set[str]
    submodules: set[str]
    sparse: set[str]


def git(root: str, *arguments: str, stdin: bytes | None = None, fetch: bool = False) -> bytes | None:
    """Run a git command in *root*; return its output, or None if it failed or there is no git.

    Args:
        root: Where to run it.
        arguments: The command.
        stdin: What it reads.
        fetch: Whether it may fetch what a partial clone has left at its remote.

    Raises:
        OSError: If it cannot be run, or takes too long.
    """
    import subprocess  # 5 ms: only where libgit2 does not do

    command = shutil.which("git")
    if command is None:
        return None
    kept = {name: value for name, value in os.environ.items() if name not in _HOOK_VARIABLES}
    # Replacements are of one clone, and libgit2 does not know them.
    ours = {"GIT_NO_LAZY_FETCH": str(int(not fetch)), "GIT_NO_REPLACE_OBJECTS": "1", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(  # noqa: S603 - the program is git, found on the path; the arguments are ours
            [command, *arguments],
            cwd=root,
            env={**kept, **ours, "LC_ALL": "C"},
            input=stdin,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(str(error)) from error
    return done.stdout if done.returncode == 0 else None


def folders_with_git(start: str) -> Iterator[str]:
    """Iterate over the folders that hold a ``.git``, from the directory *start* upwards."""
    folder, below = os.path.realpath(start), ""
    while folder != below:
        if os.path.lexists(os.path.join(folder, ".git")):
            yield folder
        folder, below = os.path.dirname(folder), folder


def status_of(path: str) -> os.stat_result | None:
    """The lstat of a path in a work tree; None where nothing stands."""
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def file_mode(info: os.stat_result, known: int | None, *, trust_mode: bool, trust_links: bool) -> int:
    """Say which mode git would store; where the file system cannot be trusted (``core.fileMode``), the *known* one."""
    if stat.S_ISLNK(info.st_mode):
        return LINK_MODE
    if known == LINK_MODE and not trust_links:
        return LINK_MODE
    if not trust_mode:
        return known if known in (0o100644, 0o100755) else 0o100644
    return 0o100755 if info.st_mode & 0o100 else 0o100644


class CommandRepository:
    """A repository seen through the ``git`` command; the same questions as `Repository` answers through libgit2.

    Args:
        root: The root of the work tree.
        why: What libgit2 said when it refused, for the error if git refuses too.
    """

    def __init__(self, root: str, why: str) -> None:
        self.root = root
        self._why = why

    def _git(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        # In a clone with --filter=tree:0, only what is fetched can tell the last commit that changed a folder.
        answer = git(self.root, *arguments, stdin=stdin, fetch=True)
        if answer is None:
            raise RepositoryError(
                f"{self.root} cannot be read: {self._why}; the 'git' command, which could, "
                f"{'failed too' if shutil.which('git') else 'is not installed: install it'}"
            )
        return answer

    @cached_property
    def head(self) -> str:
        """Full hex of the commit at HEAD."""
        found = git(self.root, "rev-parse", "--verify", "-q", "HEAD^{commit}")
        if found is None and git(self.root, "rev-parse", "--git-dir") is not None:
            raise RepositoryError(f"{self.root} has no commit yet; commit the code: git add, git commit")
        return (found or self._git("rev-parse", "--verify", "HEAD")).decode().strip()

    @cached_property
    def _index(self) -> dict[str, tuple[str, int]]:
        entries = {}
        for line in self._git("ls-files", "-z", "-s", "-v").split(b"\0")[:-1]:
            facts, path = line.split(b"\t", 1)
            flag, mode, _oid, stage = facts.decode().split()
            entries[os.fsdecode(path)] = ("conflict" if stage != "0" else flag, int(mode, 8))
        return entries

    def candidates(self, within: Collection[str] | None = None) -> Candidates:
        """Find the paths that may differ from HEAD, staged or not, hidden from status or not; see `Repository`."""
        paths: set[str] = set()
        sparse: set[str] = set()
        submodules: set[str] = set()
        told = self._git("diff", "--raw", "-z", "--no-renames", "--no-ext-diff", "--ignore-submodules=all", "HEAD")
        staged = self._git("diff", "--raw", "-z", "--no-renames", "--no-ext-diff", "--cached", "HEAD")
        for answer in (told, staged):
            paths.update(os.fsdecode(path) for path in answer.split(b"\0")[1::2])
        is_sparse = git(self.root, "config", "--type=bool", "core.sparseCheckout") == b"true\n"
        for path, (flag, mode) in self._index.items():
            if mode == SUBMODULE_MODE:
                submodules.add(path)
            if is_sparse and flag in ("S", "s"):
                sparse.add(path)
            if flag != "H" and mode != SUBMODULE_MODE:
                paths.add(path)
        return Candidates(paths, submodules, sparse)

    def in_index(self, path: str) -> bool:
        """Say whether the path is tracked, and not in a conflict."""
        return self._index.get(path, ("conflict", 0))[0] != "conflict"

    @property
    def index(self) -> tuple[str, tuple[int, ...]]:
        """The file of the index, which is not known here, and its stamp."""
        return "", ()

    @property
    def others(self) -> tuple[str, ...] | None:
        """Not asked for, since *within* restricts nothing here."""
        return None

    def tracked(self) -> list[str]:
        """List the paths in the index."""
        return list(self._index)

    def entry(self, commit: str, path: str) -> tuple[int, str] | None:
        """Mode and object id of a path at a commit, or None."""
        answer = self._git("--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", path)
        if not answer:
            return None
        mode, _kind, oid = answer.split(b"\0")[0].split(b"\t", 1)[0].decode().split()
        return int(mode, 8), oid

    def stored(self, path: str, known: int | None = None) -> Stored | None:
        """Say how git would store what stands at the path in the work tree; None for no file."""
        full = os.path.join(self.root, path)
        info = status_of(full)
        if info is None:
            return None
        trust = [
            git(self.root, "config", "--type=bool", name) != b"false\n" for name in ("core.fileMode", "core.symlinks")
        ]
        mode = file_mode(info, known, trust_mode=trust[0], trust_links=trust[1])
        if stat.S_ISLNK(info.st_mode):
            target = os.readlink(os.fsencode(full))
            return Stored(mode, self._git("hash-object", "--stdin", stdin=target).decode().strip(), target)
        if not stat.S_ISREG(info.st_mode):
            return None
        oid = self._git("hash-object", "--", path).decode().strip()
        if info.st_size > PATCH_BYTES:
            return Stored(mode, oid)
        with open(full, "rb") as file:
            content = file.read()
        # The content as it lies there serves for a patch if no filter changes it on its way into git.
        plain = self._git("hash-object", "--no-filters", "--stdin", stdin=content).decode().strip()
        return Stored(mode, oid, content if plain == oid else None)

    def is_ignored(self, path: str) -> bool:
        """Say whether git is told to ignore the path."""
        return git(self.root, "check-ignore", "-q", "--no-index", "--", path) is not None

    def last_commit(self, commit: str, matters: Callable[[Delta], bool], enters: Callable[[str], bool] = bool) -> str:
        """Find the last commit, from *commit* on, that changed something that matters; see `Repository`."""
        history: dict[str, dict[str, list[Delta]]] = {}

        def parents(child: str) -> list[str]:
            if child not in history:
                most = _COMMITS_AT_ONCE if history else _COMMITS_AT_FIRST
                history.clear()
                history.update(self._history(child, most))
            return list(history[child])

        return last_commit(commit, parents, lambda parent, child: history[child][parent], matters)

    def deltas(self, old: str, new: str) -> Iterator[Delta]:
        """Iterate over the paths at which two commits differ."""
        yield from _deltas(self._git("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new))

    def _history(self, commit: str, most: int) -> dict[str, dict[str, list[Delta]]]:
        """List the next commits from one on, each with its parents and where it differs from them."""
        told = self._git("rev-list", "--parents", f"--max-count={most}", commit).decode().split("\n")
        found: dict[str, dict[str, list[Delta]]] = {}
        pairs = []
        for child, *parents in (line.split() for line in told if line):
            found[child] = {}
            pairs += [(child, parent) for parent in parents]
        trees = "".join(f"{parent}^{{tree}} {child}^{{tree}}\n" for child, parent in pairs)
        oids = self._git("cat-file", "--batch-check=%(objectname)", stdin=trees.replace(" ", "\n").encode()).split()
        asked = b"".join(b"%s %s\n" % pair for pair in zip(oids[::2], oids[1::2], strict=True))
        answer = self._git("diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", stdin=asked)
        for (child, parent), part in zip(pairs, _answers(answer, asked), strict=True):
            found[child][parent] = list(_deltas(part))
        return found

    def blob(self, oid: str) -> bytes:
        """Content of a blob."""
        return self._git("cat-file", "blob", oid)

    def links(self, tree: str) -> list[str]:
        """List the symbolic links in a tree and below, by their paths from there."""
        items = self._git("ls-tree", "-r", "-z", "--full-tree", tree).split(b"\0")[:-1]
        return [os.fsdecode(item.split(b"\t", 1)[1]) for item in items if int(item.split()[0], 8) == LINK_MODE]

    def remotes(self) -> dict[str, str]:
        """URLs of the remotes, by name."""
        answer = git(self.root, "config", "-z", "--get-regexp", r"^remote\..*\.url$") or b""
        pairs = (item.split(b"\n", 1) for item in answer.split(b"\0")[:-1])
        return {os.fsdecode(key)[len("remote.") : -len(".url")]: os.fsdecode(url) for key, url in pairs}

    def files(self, commit: str, suffix: str) -> Iterator[tuple[str, str, Callable[[], bytes]]]:
        """Iterate over the files at a commit whose names end so: path, object id, and what reads the content."""
        for item in self._git("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0")[:-1]:
            facts, path = item.split(b"\t", 1)
            oid = facts.split()[2].decode()
            if os.fsdecode(path).endswith(suffix) and facts.split()[1] == b"blob":
                yield os.fsdecode(path), oid, partial(self.blob, oid)

    def subjects_between(self, old: str, new: str) -> list[tuple[str, str]]:
        """Commits reachable from *new* and not from *old*, newest first: full hex and first line of the message."""
        lines = self._git("log", "--format=%H %s", f"{old}..{new}").decode(errors="replace").splitlines()
        return [(oid, subject) for oid, _, subject in (line.partition(" ") for line in lines)]

    def is_reachable(self, commit: str) -> bool:
        """Say whether the commit is in the history of any branch, remote branch or tag, or of HEAD."""
        if not self.exists(commit):
            return False
        if self._git("for-each-ref", "--count=1", f"--contains={commit}"):
            return True
        return git(self.root, "merge-base", "--is-ancestor", commit, "HEAD") is not None

    def exists(self, oid: str) -> bool:
        """Say whether the repository holds the object; *oid* may be abbreviated."""
        return git(self.root, "cat-file", "-e", oid) is not None

    @cached_property
    def is_shallow(self) -> bool:
        """Whether the older part of the history is not there, as after ``git clone --depth``."""
        return self._git("rev-parse", "--is-shallow-repository").strip() != b"false"


def stand_in(start: str, found: str, why: str, error: Exception | None = None) -> CommandRepository:
    """Give the repository of a directory through the ``git`` command, if that can read it.

    Args:
        start: The directory.
        found: The git directory that libgit2 found.
        why: What it has against it.
        error: How it said so, if it did.

    Raises:
        RepositoryError: If the command refuses too, or there is none.
    """
    if top := git(start, "rev-parse", "--show-toplevel"):
        return CommandRepository(os.fsdecode(top.rstrip(b"\n")), why)
    if "not owned" in why:
        root = next(folders_with_git(start), found)  # what git calls the repository in worktrees and submodules too
        raise RepositoryError(
            f"{root} belongs to another user, so git does not trust it; if you do, run: "
            f"git config --global --add safe.directory {shlex.quote(root)}"
        ) from error
    remedy = "git refuses it too" if shutil.which("git") else "install the 'git' command, which can"
    raise RepositoryError(f"{found} cannot be read by libgit2 ({why}); {remedy}") from error


def lfs_pointer(full: str) -> bytes:
    """Give what git-lfs would store for a file: its pointer, or the file itself if that is empty or a pointer already.

    Source: the git-lfs pointer specification, version 1.
    """
    head = b"version https://git-lfs.github.com/spec/v1\n"
    with open(full, "rb") as file:
        start = file.read(1024)
        if not start or (start.startswith(head) and len(start) < 1024):
            return start
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    return head + f"oid sha256:{digest}\nsize {size}\n".encode()


def _answers(answer: bytes, asked: bytes) -> Iterator[bytes]:
    """Cut what ``git diff-tree --stdin`` says into the answers to each line that it was asked."""
    position = 0
    lines = asked.splitlines()
    for number, line in enumerate(lines):
        position += len(line) + 1
        following = lines[number + 1 : number + 2]
        end = answer.find(following[0] + b"\n", position) if following else len(answer)
        yield answer[position:end]
        position = end


def _deltas(raw: bytes) -> Iterator[Delta]:
    """Read the raw format: ``:mode mode id id status``, NUL, path, NUL."""
    fields = raw.split(b"\0")
    for facts, path in zip(fields[::2], fields[1::2], strict=False):
        old_mode, new_mode, old, new, _ = facts.lstrip(b":").decode().split()
        yield Delta(
            os.fsdecode(path),
            (int(old_mode, 8), old) if int(old_mode, 8) else None,
            (int(new_mode, 8), new) if int(new_mode, 8) else None,
        )
