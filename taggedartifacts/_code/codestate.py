"""The code state: which commit, and which uncommitted changes, the code that runs is."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from .._errors import RepositoryError
from .._git.index import stamp_of
from .._git.repository import find_repository, reading
from .._memory import once_read
from .._reach.forks import looking
from .._reach.loaded import running_code
from .._reach.modules import loaded_modules
from .._reach.places import places
from .dirt import CodeState, Facts, Status
from .facts import find_facts, is_environment
from .look import Look
from .scope import checked_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .._reach.survey import Imports

_VARIABLE = "TAGGEDARTIFACTS_COMMIT"
_LOADS = 64

# By the file of a load, of which there may be another after it. Loads nest, so few are open at a time.
_statuses: OrderedDict[tuple[str, str], tuple[object, Status | None]] = OrderedDict()


def take_look(
    file: str | None,
    *,
    repo: str | None = None,
    scope: Sequence[str] | None = None,
    namespace: dict[str, Any] | None = None,
    digest: str | None = None,
    typed: Imports | None = None,
    fresh: bool = False,
) -> Look:
    """Look at the repository of a module's file; never raises, errors come from `Look.state`.

    All looks of one load share the work: a load is one execution of a module, so importing it again or reloading it
    makes another.

    Args:
        file: The file of the function's own module, or None for an interactive function.
        repo: A path inside the repository, when it cannot be found from the file.
        scope: Paths relative to the root; None or empty for the project's default.
        namespace: The globals of the function, whose ``__spec__`` identifies the load; without them, or for an
            interactive function, nothing is shared.
        digest: Digest of the file as it was loaded; None where it is being loaded just now.
        typed: What code imports that is no file: that of an interactive function.
        fresh: Look at the disk as it stands now, whatever was found before in this load.
    """
    load = None if fresh or file is None or namespace is None else namespace.get("__spec__") or namespace
    code = None if namespace is None else running_code(namespace)
    stand_in = os.environ.get(_VARIABLE) or None  # set to nothing is how a job script unsets it
    with looking:
        try:
            with reading(repo or file or os.curdir):
                status = _find_status(file, repo, load)
                if status is None:
                    return Look(_stand_in(stand_in, repo or file))
                facts = find_facts(status, file, scope=checked_paths(scope), digest=digest, typed=typed)
                warning = _disagreement(stand_in, facts)
                if file is not None and namespace is not None:
                    loaded_modules(facts.root).add(file, namespace, code)
                    loaded_modules(facts.root).add_held(namespace)
                look = Look(facts, warning)
                files = loaded_modules(facts.root).files()
                if status.loaded is None:
                    status.loaded = files
                look.add_modules(facts, files, status.loaded)
                return look
        except RepositoryError as error:
            return Look(error)


def _find_status(file: str | None, repo: str | None, load: object) -> Status | None:
    """Find the repository: of *repo*, else of the file unless it is ignored there, else of the current directory."""
    if repo is not None:
        found = _status_of(os.path.abspath(repo), load)
        if found is None:
            raise RepositoryError(f"repo={repo!r} lies in no git repository; give a path inside one")
        return found
    if file is not None:
        found = _status_of(os.path.dirname(os.path.realpath(file)), load)
        if found is not None and _belongs(file, found):
            return found
    return _status_of(os.getcwd(), load)


def _belongs(file: str, status: Status) -> bool:
    found = [path for path, _ in places(file, status.repository.root)]
    return not any(
        is_environment(path, status) or (not status.is_tracked(path) and status.repository.is_ignored(path))
        for path in found
    )


def _status_of(folder: str, load: object) -> Status | None:
    while not os.path.isdir(folder):  # a module in a zip file
        folder = os.path.dirname(folder)
    if load is None:
        found = find_repository(folder)
        return Status(found) if found else None
    key = str(load.get("__file__") if isinstance(load, dict) else getattr(load, "origin", None)), folder
    known = _statuses.get(key)
    if known is None or known[0] is not load:
        found = find_repository(folder)
        known = _statuses[key] = load, Status(found) if found else None
        if len(_statuses) > _LOADS:
            _statuses.popitem(last=False)
    return known[1]


def _stand_in(value: str | None, start: str | None) -> CodeState | RepositoryError:
    if value is None:
        return RepositoryError(
            f"{start or os.getcwd()} is in no git repository, and neither is the current directory; run 'git init' "
            f"there and commit the code, pass repo= with a path in a repository, or set {_VARIABLE}"
        )
    if not re.fullmatch(r"[0-9a-fA-F]{10,64}", value):
        return RepositoryError(f"{_VARIABLE}={value!r} is no commit: give 10 or more of its hex digits")
    return CodeState(commit=value.lower())


def _disagreement(value: str | None, facts: Facts) -> str | None:
    head = facts.heads[""]
    if value is None or (len(value) >= 10 and any(full.startswith(value.lower()) for full in (head, facts.commit))):
        return None
    return f"{_VARIABLE}={value} is passed over: the repository {facts.root} is at {head}, and it is right"


def files_at_head(root: str, suffix: str) -> Iterator[tuple[str, str, Callable[[], bytes]]]:
    """Iterate over the files at HEAD whose names end so: path, object id, and what reads the content.

    Raises:
        RepositoryError: If the repository cannot be read.
    """
    with reading(root):
        repository = find_repository(root)
        if repository is not None:
            yield from repository.files(repository.head, suffix)


def stamp(root: str) -> tuple[object, ...]:
    """Tell cheaply whether HEAD, what it points to, or the index may have moved: equal while none has.

    Args:
        root: The root of a work tree.
    """
    git_folder, common = once_read(f"{root}/.git", _git_folders)
    head = once_read(f"{git_folder}/HEAD", _bytes_of)
    index = stamp_of(f"{git_folder}/index")
    if not head.startswith(b"ref:"):
        return head, index
    ref = os.fsdecode(head.removeprefix(b"ref:").strip())
    if ref == _IN_REFTABLE:
        return head, index, stamp_of(f"{common}/reftable/tables.list")
    return head, index, stamp_of(f"{common}/{ref}") or ("packed", *stamp_of(f"{common}/packed-refs"))


_IN_REFTABLE = "refs/heads/.invalid"  # what git writes where a table of references tells the branch


def _git_folders(entry: str) -> tuple[str, str]:
    """Find the git directory to which the ``.git`` of a work tree leads, and the one that it shares with others."""
    git_folder = _pointed_to(entry, b"gitdir:")
    common = _pointed_to(os.path.join(git_folder, "commondir"), b"")
    return git_folder, common if os.path.isdir(common) else git_folder


def _pointed_to(path: str, label: bytes) -> str:
    """Follow a file that names a folder, as ``.git`` is one in worktrees and submodules."""
    target = _bytes_of(path)
    if not target.startswith(label) or not target:
        return path
    return os.path.normpath(os.path.join(os.path.dirname(path), os.fsdecode(target.removeprefix(label).strip())))


def _bytes_of(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
