"""One look at the repository, and how the modules that are loaded after it are judged against it."""

from __future__ import annotations

import os
import sys
import warnings
from typing import TYPE_CHECKING, Any, TypeVar

from .._errors import RepositoryError
from .._git.repository import reading
from .._git.trees import Delta
from .._hashing import file_hexdigest, hexdigest
from .._reach.forks import looking
from .._reach.modules import LoadedFile, LoadedModules, loaded_modules
from .._reach.places import is_installed, places
from .._reach.syntax import module_digest
from .dirt import STALE, Change, CodeState, Facts, Status, digest_of, in_order, open_again, patch_of, same_syntax
from .facts import widen
from .meanwhile import changed_meanwhile, uncounted
from .settings import FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from .._reach.opened import Opened

    _K = TypeVar("_K")


class Look:
    """One look at the repository, taken when a module was loaded; the same for the whole life of that load.

    Args:
        found: What was found, or what was wrong.
        warning: What to warn of at the first call.
    """

    def __init__(self, found: Facts | CodeState | RepositoryError, warning: str | None = None) -> None:
        self._found = found
        self._warning = warning
        self._judged: dict[tuple[str, str], Change | str | None] = {}
        self._start()

    def _start(self) -> None:
        # By the further files to start from, None for the whole repository; and by the files that are no dirt.
        self._wider: dict[frozenset[str] | None, Look] = {}
        self._leaving: dict[frozenset[str], Look] = {}
        self._tracked: dict[str, bool] = {}
        self._modules: LoadedModules | None = None
        self._seen: Mapping[tuple[str, str], LoadedFile] = {}  # those that were judged
        self._files: Mapping[tuple[str, str], LoadedFile] | None = None  # those that the state tells of
        self._state = self._found if isinstance(self._found, CodeState) else None
        if isinstance(self._found, Facts):
            self._modules = loaded_modules(self._found.root)

    def __getstate__(self) -> dict[str, object]:
        return {"found": self._found, "warning": self._warning, "judged": self._judged}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._found, self._warning, self._judged = state["found"], state["warning"], state["judged"]
        self._start()

    def reaching(self, starts: frozenset[str]) -> Look:
        """Return the look with further files of the work tree to start from, such as those of classes in arguments.

        Args:
            starts: Their absolute paths; those that lie elsewhere change nothing.
        """
        facts = self._found
        if not starts or not isinstance(facts, Facts):
            return self
        known = self._wider.get(starts)
        if known is None:
            inside = {path for start in starts for path, _ in places(start, facts.root)}
            known = self._wide(starts) if not inside <= facts.scope.files else _keep(self._wider, starts, self)
        return known

    def leaving(self, within: Callable[[str, Collection[str]], frozenset[str]]) -> Look:
        """Return the look for which data files that are inputs are no dirt: their content counts already.

        Args:
            within: Finds which paths, relative to the root, are inputs.
        """
        facts = self._found
        if not isinstance(facts, Facts) or not facts.changes:
            return self
        reached = facts.scope.causes.keys() if facts.scope.is_whole else facts.scope.files
        modules = {path for _, path in self.loaded()}
        data = [path for path in facts.changes.keys() - reached - modules - {FILE} if not path.startswith("../")]
        left = within(facts.root, data)
        if not left:
            return self
        changes = {path: each for path, each in facts.changes.items() if path not in left}
        return self._leaving.get(left) or _keep(self._leaving, left, self._with(facts._replace(changes=changes)))

    def whole(self) -> Look:
        """Return the look at the whole repository."""
        facts = self._found
        return self if not isinstance(facts, Facts) or facts.scope.is_whole else self._wide(None)

    def _wide(self, starts: frozenset[str] | None) -> Look:
        known = self._wider.get(starts)
        if known is None:
            assert isinstance(self._found, Facts)  # noqa: S101 - for mypy; both callers have looked
            with reading(self._found.root):
                facts = widen(self._found, starts)
            known = _keep(self._wider, starts, self if facts is self._found else self._with(facts))
        return known

    def _with(self, facts: Facts) -> Look:
        """Return a look that finds something else, and for which modules that were judged stay what they were found."""
        look = Look(facts)
        look._judged, look._seen = dict(self._judged), self._seen
        return look

    def is_tracked(self, file: str) -> bool:
        """Say whether git tracks a file of the work tree or of a submodule in it; asked once for each.

        Args:
            file: Its absolute path.
        """
        known = self._tracked.get(file)
        if known is None:
            known = self._tracked[file] = self._ask_git(file)
        return known

    def _ask_git(self, file: str) -> bool:
        facts = self._found
        if not isinstance(facts, Facts) or not (found := places(file, facts.root)):
            return False
        path = found[-1][0]
        if path in facts.scope.files and path not in facts.untracked and not facts.scope.is_whole:
            return True  # without asking: another user may not read the repository
        with reading(facts.root):
            prefix, status = _Inspector(facts).status(path)
            return status.is_tracked(path[len(prefix) :])

    @property
    def root(self) -> str | None:
        """The root of the repository; None where there is none, or none that can be read."""
        return self._found.root if isinstance(self._found, Facts) else None

    def state(self) -> CodeState:
        """Return the code state, with the modules that were loaded up to now.

        While no module is loaded, reloaded or replaced, this is the same object, and costs about a microsecond.

        Raises:
            RepositoryError: What was found wrong when the look was taken.
        """
        modules = self._modules
        if modules is None or modules.files() is not self._files or self._warning:
            return self._renew()
        return self._state  # type: ignore[return-value]  # set together with _files

    def late(self, before: Mapping[tuple[str, str], LoadedFile]) -> dict[str, str]:
        """Find the modules of the work tree that were loaded since and that the scope does not hold.

        Args:
            before: What `loaded` gave.

        Returns:
            A digest of each as it was loaded, by path.
        """
        facts = self._found
        if not isinstance(facts, Facts):
            return {}
        return {
            loaded.path: loaded.digest or loaded.token
            for key, loaded in self.loaded().items()
            if before.get(key) is not loaded
            and not loaded.is_script
            and not facts.scope.holds_module(loaded.path, is_script=False)
            and not is_installed(loaded.path, facts.root)
        }

    def changed(self, opened: Opened) -> list[str]:
        """List the files of the scope that changed since, and that a run opened or may have opened unseen."""
        facts = self._found
        if not isinstance(facts, Facts):
            return []
        return changed_meanwhile(facts, opened, {loaded.path for loaded in self.loaded().values()})

    def uncounted(self, opened: Opened) -> dict[str, os.stat_result]:
        """Find the files of the work tree that a run opened and that do not count: by path, what each was."""
        facts = self._found
        if not isinstance(facts, Facts):
            return {}
        return uncounted(facts, opened, {loaded.path for loaded in self.loaded().values()})

    @property
    def judged(self) -> Mapping[tuple[str, str], LoadedFile]:
        """The modules of the work tree that were loaded when the code state was last told."""
        return self._files or {}

    def loaded(self) -> Mapping[tuple[str, str], LoadedFile]:
        """The modules of the work tree that are loaded now."""
        return self._modules.files() if self._modules is not None else {}

    def _renew(self) -> CodeState:
        with looking:
            if self._warning:
                warning, self._warning = self._warning, None
                warnings.warn(warning, stacklevel=_level_of_caller())
            if isinstance(self._found, RepositoryError):
                # A new one each time: raising one object again and again would pile up its traceback.
                raise type(self._found)(*self._found.args) from self._found.__cause__
            if isinstance(self._found, Facts) and self._modules is not None:
                with reading(self._found.root):
                    self.add_modules(self._found, self._modules.files())
            assert self._state is not None  # noqa: S101 - for mypy; either branch above has set it
            return self._state

    def add_modules(
        self,
        facts: Facts,
        files: Mapping[tuple[str, str], LoadedFile],
        compared: Mapping[tuple[str, str], LoadedFile] | None = None,
    ) -> None:
        """Judge the modules that were loaded since this was last done.

        Args:
            facts: What this look found.
            files: All that are loaded now.
            compared: Those that were loaded when the status was taken: of them, that tells.
        """
        inspector = _Inspector(facts)
        for key, loaded in files.items():
            before = self._seen.get(key)
            if not (key in self._judged and before is loaded) and inspector.counts(loaded):
                is_compared = compared is not None and compared.get(key) is loaded
                found = inspector.judge(loaded, is_compared=is_compared)
                if before is not None and loaded.path in facts.own and not _is_same(found, self._judged.get(key)):
                    # The function is of an older load than this: nobody else may be given what it makes.
                    found = Change(loaded.path, STALE, 0o100644, os.urandom(20).hex())
                self._judged[key] = found
        extra = {key[1]: found for key, found in self._judged.items()}
        for path in facts.untracked:
            if path not in extra and _may_be_loaded(path, facts.root):
                extra[path] = inspector.judge_untracked(path)
        changes = {**facts.changes, **{path: found for path, found in extra.items() if isinstance(found, Change)}}
        state = CodeState(
            commit=facts.commit,
            dirty=digest_of(changes.values()),
            root=facts.root,
            scope=facts.scope,
            digest=facts.digest,
            changes=tuple(in_order(changes.values())),
            patch=patch_of(changes.values()),
            modules={
                **{path: found for path, found in sorted(extra.items()) if isinstance(found, str)},
                **facts.foreign,
            },
            remote=facts.remote,
        )
        if state != self._state:
            self._state = state
        self._seen = files
        # Not yet current while there is something to say at the call.
        self._files = None if self._warning else files


_PACKAGE = __name__.partition(".")[0]
_MOST_WIDER = 64


def _keep(looks: dict[_K, Look], key: _K, look: Look) -> Look:
    if len(looks) >= _MOST_WIDER:
        looks.clear()
    looks[key] = look
    return look


def _is_same(one: Change | str | None, other: Change | str | None) -> bool:
    """Say whether two judgements of a module are of the same content."""
    if isinstance(one, Change) and isinstance(other, Change):
        return (one.mode, one.oid) == (other.mode, other.oid)
    return one == other


def _level_of_caller() -> int:
    """Count the frames up to the first one outside the library: its line is where a warning belongs."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(f"{_PACKAGE}."):
        level, frame = level + 1, frame.f_back
    return level


def _may_be_loaded(path: str, root: str) -> bool:
    """Say whether a file that no loaded module has may have been loaded: not if its name gives another file's module.

    What was loaded by its path, or has left ``sys.modules`` since, stands there under no name.
    """
    parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
    for start in range(len(parts)):
        module = sys.modules.get(".".join(parts[start:]))
        if module is not None and getattr(module, "__file__", None) != os.path.join(root, path):
            return False
    return True


class _Inspector:
    """Judges loaded modules against what a look found."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._statuses: dict[str, Status] = {}

    def counts(self, loaded: LoadedFile) -> bool:
        """Say whether the file is code: in scope, and not merely the script that calls."""
        return loaded.path in self._facts.own or self._facts.scope.holds_module(loaded.path, is_script=loaded.is_script)

    def judge(self, loaded: LoadedFile, *, is_compared: bool) -> Change | str | None:
        """What makes the code dirty, or the digest of a file that git ignores, or None if all is well."""
        path = loaded.path
        prefix, status = self.status(path)
        entry = status.repository.entry(self._facts.heads[prefix], path[len(prefix) :])
        change = self._facts.changes.get(path)
        is_tracked = entry is not None or change is not None
        if not is_tracked and path not in self._facts.own and is_installed(path, self._facts.root):
            return None
        is_stale = not loaded.is_as_loaded() or (loaded.is_doubtful and change is not None)
        if is_stale and not self._differs_in_layout(loaded, status, entry):
            return Change(path, STALE, 0o100644, loaded.token)
        if is_tracked:
            if is_compared:
                return change
            return self._judge_later(path, prefix, status, entry)
        return self.judge_untracked(path)

    def judge_untracked(self, path: str) -> Change | str | None:
        """Judge a module that no commit holds."""
        prefix, status = self.status(path)
        if path in self._facts.generated or is_installed(path, self._facts.root):
            return None
        if status.repository.is_ignored(path[len(prefix) :]):
            try:
                return file_hexdigest(os.path.join(self._facts.root, path))
            except FileNotFoundError:
                return None
        found = status.new_file(path[len(prefix) :], "loaded, but not tracked by git")
        return found.below(prefix) if found and prefix else found

    def _judge_later(self, path: str, prefix: str, status: Status, entry: tuple[int, str] | None) -> Change | None:
        """Judge a tracked module that was loaded after the look: what it found then must still stand there."""
        change = self._facts.changes.get(path)
        now = status.repository.stored(path[len(prefix) :], entry[0] if entry else None)
        expected = (change.mode, change.oid) if change else entry
        if now is not None and (now.mode, now.oid) == expected:
            return change
        if now is not None and entry is not None and not self._facts.scope.by_bytes:
            delta = Delta(path, entry, (now.mode, now.oid))
            if same_syntax(status.repository, delta, now.content):
                return change
        found = status.new_file(path[len(prefix) :], "changed after the repository was looked at: start again")
        return found and found.below(prefix)

    def _differs_in_layout(self, loaded: LoadedFile, status: Status, entry: tuple[int, str] | None) -> bool:
        """Say whether what was loaded is what the commit holds, and the file differs from that in comments alone."""
        if entry is None or self._facts.scope.by_bytes or loaded.digest is None or not loaded.file.endswith(".py"):
            return False
        committed = status.repository.blob(entry[1])
        if hexdigest(committed) != loaded.digest:
            return False
        try:
            with open(loaded.file, "rb") as file:
                now = module_digest(file.read())
        except OSError:
            return False
        return now is not None and now == module_digest(committed)

    def status(self, path: str) -> tuple[str, Status]:
        """The repository that holds a path, with the prefix of what it holds."""
        prefix = max((prefix for prefix in self._facts.heads if path.startswith(prefix)), key=len)
        if prefix not in self._statuses:
            self._statuses[prefix] = Status(open_again(self._facts.root, prefix))
        return prefix, self._statuses[prefix]
