"""What a look finds in the repository: the scope of some code, its last commit, and what differs from that.

Beside it, what counts without lying there: further repositories that the project names with ``also``, and installed
copies, from which a decorated function runs although no commit names them.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from .._errors import RepositoryError, ScopeError
from .._git.repository import Repository, find_repository
from .._git.trees import SUBMODULE_MODE, TREE_MODE
from .._hashing import file_hexdigest, hexdigest
from .._reach.modules import loaded_modules
from .._reach.places import import_roots, is_installed, places, relative
from .._reach.survey import Hidden, Imports
from .dirt import STALE, Change, Facts, Status, open_again, remote_url, same_syntax
from .kinds import kind_of
from .memory import memory
from .scope import TYPED, Kind, Scope, find_scope, named_paths, united, with_linked
from .settings import FILE, Settings, parse_settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .._git.command import CommandRepository
    from .._git.trees import Delta


def further_repositories(root: str, also: Sequence[str]) -> tuple[dict[str, str], dict[str, Change]]:
    """Look at further repositories.

    Args:
        root: The root of the work tree that names them.
        also: Their paths, relative to it.

    Returns:
        The last commit of each that touched more than documents and notebooks, and what is not committed there, by
        path.

    Raises:
        ScopeError: If a path lies in no repository.
    """
    commits: dict[str, str] = {}
    changes: dict[str, Change] = {}
    for path in also:
        found = find_repository(os.path.join(root, path)) if os.path.isdir(os.path.join(root, path)) else None
        if found is None:
            text = f"{os.path.join(root, FILE)}: 'also' names {path!r}, which lies in no git repository; correct it"
            raise ScopeError(text)
        status = Status(found)
        commits[path] = status.last_commit("also", partial(found.last_commit, status.head, _matters))
        changed, _ = status.collect(_counts)
        changes |= {f"{path}/{name}": each.below(f"{path}/") for name, each in changed.items()}
        for (_, name), loaded in loaded_modules(found.root).files().items():
            if not status.is_tracked(name):
                new = None if found.is_ignored(name) else status.new_file(name, "loaded, but not tracked by git")
                if new is not None:
                    changes[f"{path}/{name}"] = new.below(f"{path}/")
            elif loaded.is_doubtful or not loaded.is_as_loaded():
                changes[f"{path}/{name}"] = Change(f"{path}/{name}", STALE, 0o100644, loaded.token)
    return commits, changes


def _matters(delta: Delta) -> bool:
    return _counts(delta.path)


def _counts(path: str) -> bool:
    return kind_of(path) not in ("document", "notebook")


def installed_code(file: str, repository: Repository | CommandRepository) -> dict[str, str]:
    """Digest the package that an installed function belongs to, by a path that no file of the repository has.

    Args:
        file: The file of the function, absolute.
        repository: The repository that the commit is of.

    Raises:
        RepositoryError: If the repository tracks that package with another content: its commit is not what runs.
    """
    above = os.path.dirname(file)
    while os.path.isfile(os.path.join(above, "__init__.py")):
        above = os.path.dirname(above)
    name = os.path.relpath(file, above).split(os.sep)[0]
    copies = dict(_sources(above, name))
    _check_copies(name, os.path.relpath(file, above), above, copies, repository)
    lines = [f"{path}\0{digest}" for path, digest in sorted(copies.items())]
    return {f"../{name}": hexdigest("\n".join(lines).encode(errors="surrogateescape"))}


def _check_copies(
    name: str, own: str, above: str, copies: Mapping[str, str], repository: Repository | CommandRepository
) -> None:
    own = own.replace(os.sep, "/")
    for path, _, _ in repository.files(repository.head, own):
        folder = path[: len(path) - len(own)]
        if folder and not folder.endswith("/"):
            continue
        tracked = dict(_sources(os.path.join(repository.root, folder), name))
        if differing := sorted(each for each in {*tracked, *copies} if tracked.get(each) != copies.get(each)):
            raise RepositoryError(
                f"{os.path.join(above, name)} is an installed copy, and not what {repository.root} holds: "
                f"{differing[0]} differs, so that no commit there names the code that runs; "
                "install the project with 'pip install -e .', or install it again"
            )


def _sources(above: str, name: str) -> Iterator[tuple[str, str]]:
    """Iterate over the Python files of a package, or of a module alone: path from its parent, digest."""
    whole = os.path.join(above, name)
    if os.path.isfile(whole):
        yield name, file_hexdigest(whole)
    for folder, folders, files in os.walk(whole):
        folders.sort()
        for each in sorted(files):
            if each.endswith(".py"):
                path = os.path.join(folder, each)
                yield os.path.relpath(path, above).replace(os.sep, "/"), file_hexdigest(path)


def find_facts(
    status: Status, file: str | None, *, scope: tuple[str, ...], digest: str | None, typed: Imports | None
) -> Facts:
    """Find what counts for a function; functions of one module, with the same options, share the work.

    Args:
        status: What differs from HEAD.
        file: The file of the function's own module, or None.
        scope: Paths that the decorator was given.
        digest: Digest of the file as it was loaded; None where it is being loaded just now.
        typed: What code imports that is no file.

    Raises:
        ScopeError: If the scope, or another setting of the project, has no meaning.
    """
    repository, root = status.repository, status.repository.root
    own = tuple(path for path, _ in places(file, root) if not is_environment(path, status)) if file else ()
    if file is not None and not own:
        typed = _imports_of(file, root)
    roots = import_roots(root)
    key = (file, scope, digest, typed, own, roots)
    known: Facts | None = status.facts.get(key)
    if known is None:
        settings = read_settings(root)
        paths = named_paths(root, scope, settings, lambda path: repository.entry(status.head, path) is not None)
        starts = [*own, *([TYPED] if typed is not None else [])]
        tree = WorkTree(root, typed)
        if paths is not None and os.curdir not in paths:
            paths = with_linked(paths, tree, lambda path: _links_below(status, path))
        found = _facts_of(status, find_scope(paths, tree, starts, roots), own, settings.generated)
        commits, changes = further_repositories(root, settings.also)
        known = status.facts[key] = found._replace(
            foreign={**_foreign(status, file, digest), **commits},
            changes={**found.changes, **_unsettled(status, settings), **changes},
        )
    return known


def _facts_of(status: Status, scope: Scope, own: tuple[str, ...], generated: frozenset[str]) -> Facts:
    """Find the commit of a scope, and what in it differs from that."""
    repository, root, head = status.repository, status.repository.root, status.head
    changes, heads = status.collect(scope.holds, scope.holds_submodule, scope.within(repository.others))
    if not scope.by_bytes:
        changes = {path: each for path, each in changes.items() if not each.is_layout}
    reached = scope.files if not scope.is_whole else scope.causes.keys() - {TYPED}
    untracked = tuple(path for path in sorted(reached) if not _is_held(status, heads, path))
    commit = status.last_commit(scope.key(), lambda: _last_commit(repository, head, scope))
    return Facts(
        root=root,
        heads=heads,
        commit=commit,
        scope=scope,
        digest=scope.digest(lambda path: repository.entry(commit, path)),
        own=own,
        untracked=untracked,
        changes=changes,
        remote=remote_url(repository),
        foreign={},
        generated=generated,
        taken=status.taken,
    )


def _is_held(status: Status, heads: Mapping[str, str], path: str) -> bool:
    """Say whether a commit, or the index, knows a path; that of a submodule for what lies there."""
    if any(prefix and path.startswith(prefix) for prefix in heads) or status.is_tracked(path):
        return True
    # Behind a link to a folder it has another name, by which it counts.
    folder = os.path.join(status.repository.root, os.path.dirname(path))
    return os.path.realpath(folder) != os.path.normpath(folder)


def _links_below(status: Status, path: str) -> list[str]:
    """List the tracked links below a path, which may be a file."""
    repository, entry = status.repository, status.repository.entry(status.head, path)
    if entry is None or entry[0] != TREE_MODE:
        return []
    below = memory(repository.root).links(entry[1], lambda: repository.links(entry[1]))
    return [f"{path}/{link}" for link in below]


def _last_commit(repository: Repository | CommandRepository, head: str, scope: Scope) -> str:
    def matters(delta: Delta) -> bool:
        if not (scope.holds_submodule(delta.path) if _is_submodule(delta) else scope.holds(delta.path)):
            return False
        return scope.by_bytes or not same_syntax(repository, delta)

    return repository.last_commit(head, matters, scope.enters())


def _is_submodule(delta: Delta) -> bool:
    return any(side is not None and side[0] == SUBMODULE_MODE for side in (delta.old, delta.new))


def _unsettled(status: Status, settings: Settings) -> dict[str, Change]:
    """The file of the settings, if what it says of the scope is not committed."""
    entry = status.repository.entry(status.head, FILE)
    if entry is not None and not status.may_differ(FILE):
        return {}
    try:
        committed = parse_settings(status.repository.blob(entry[1]), FILE) if entry else Settings()
    except ScopeError:
        committed = None
    if committed is not None and committed._replace(allow_dirty=settings.allow_dirty) == settings:
        return {}
    found = status.judge(FILE) or status.new_file(FILE, "changes the scope, and is not committed")
    return {FILE: found} if found else {}


def widen(facts: Facts, starts: frozenset[str] | None) -> Facts:
    """Find the facts for further files to start from, against the commit that was looked at.

    What counts already keeps what was found of it then.

    Args:
        facts: What was found.
        starts: Absolute paths; None for the whole repository.

    Raises:
        RepositoryError: If the repository cannot be read any more.
    """
    status = Status(open_again(facts.root), facts.heads[""])
    if starts is None:
        return _facts_of(status, Scope(files=frozenset(facts.own)), facts.own, facts.generated)._replace(
            foreign=facts.foreign, remote=facts.remote, taken=facts.taken
        )
    more = {path for start in starts for path, _ in places(start, facts.root) if not is_environment(path, status)}
    if more <= facts.scope.files or facts.scope.is_whole:
        return facts
    paths = facts.scope.paths if facts.scope.kind is Kind.PATHS else None
    tree = WorkTree(facts.root)
    scope = find_scope(paths, tree, [*facts.own, *sorted(more)], import_roots(facts.root))
    if scope.is_whole:
        return widen(facts, None)._replace(scope=scope)
    scope = united(facts.scope, scope)
    described = _facts_of(status, scope, facts.own, facts.generated)
    changes = {path: each for path, each in described.changes.items() if not facts.scope.holds(path)}
    return described._replace(
        changes={**changes, **facts.changes}, foreign=facts.foreign, remote=facts.remote, taken=facts.taken
    )


def _imports_of(file: str, root: str) -> Imports:
    try:
        with open(file, "rb") as opened:
            return memory(root).imports(opened.read())
    except OSError:  # a module in a zip file
        return Imports(hides=(Hidden(1, "is no file that can be read"),))


def _foreign(status: Status, file: str | None, digest: str | None) -> dict[str, str]:
    """Digest a function's own file where no commit holds it, which would otherwise be another's word for its code."""
    if file is None or places(file, status.repository.root):
        return {}
    real = os.path.realpath(file)
    if is_installed(real.lstrip("/"), ""):
        return installed_code(real, status.repository) if os.path.isfile(real) else {}
    while not os.path.exists(real):  # a module in a zip file
        real = os.path.dirname(real)
    # By no path of this machine, and by none that a file of the repository can have.
    return {f"../{os.path.basename(file)}": digest or file_hexdigest(real)}


def is_environment(path: str, status: Status) -> bool:
    return is_installed(path, status.repository.root) and not status.is_tracked(path)


class WorkTree:
    """The files of a work tree at one moment; asked twice, it answers the same.

    Args:
        root: Its root, absolute and real.
        typed: What is imported by code that is no file of the work tree.
    """

    def __init__(self, root: str, typed: Imports | None = None) -> None:
        self._root = root
        self._prefix = root.rstrip(os.sep) + os.sep
        self._memory = memory(root)
        self._typed = typed
        self._files: dict[str, bool] = {}
        self._links: dict[str, bool] = {}
        self._imports: dict[str, Imports] = {}

    def isfile(self, path: str) -> bool:
        """Say whether a path is a file, or a link that leads to one."""
        known = self._files.get(path)
        if known is None:
            known = path == TYPED or os.path.isfile(self._absolute(path))
            self._files[path] = known
        return known

    def isdir(self, path: str) -> bool:
        """Say whether a path is a folder, or a link that leads to one."""
        return os.path.isdir(self._absolute(path))

    def follow(self, path: str) -> Sequence[str]:
        """List the links on the way of a path and the file that they lead to, of those in the work tree."""
        links = [start for start in _starts(path) if self._is_link(start)]
        if not links:
            return ()
        target = self.inside(os.path.realpath(self._absolute(path)))
        return links if target is None else [*links, target]

    def inside(self, absolute: str) -> str | None:
        """Write an absolute path relative to the root; None if it lies elsewhere."""
        return relative(os.path.realpath(absolute), self._root)

    def imports_of(self, path: str) -> Imports:
        """Read a Python file."""
        if path == TYPED:
            return self._typed or Imports()
        if path not in self._imports:
            try:
                with open(self._absolute(path), "rb") as file:
                    self._imports[path] = self._memory.imports(file.read())
            except OSError:  # it was there a moment ago
                self._imports[path] = Imports()
        return self._imports[path]

    def _absolute(self, path: str) -> str:
        return self._prefix + path if path else self._root  # os.path.join takes four times as long, 500 times a look

    def _is_link(self, path: str) -> bool:
        known = self._links.get(path)
        if known is None:
            known = self._links[path] = os.path.islink(self._absolute(path))
        return known


def _starts(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]
