"""One look at the repository, and how the modules that are loaded after it are judged against it."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from .._errors import RepositoryError
from .._git.repository import find_repository, reading
from .._hashing import file_hexdigest
from .._reach.modules import LoadedFile, LoadedModules, is_installed, loaded_modules
from .dirt import Dirt, Survey, digest_of, patch_of
from .scope import in_scope
from .state import STALE, Change, CodeState

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGE = __name__.partition(".")[0]


class Facts(NamedTuple):
    """What a look found in the repository, as plain data.

    Attributes:
        root: Root of the work tree.
        heads: The commits checked out, by the prefix of the paths that they hold; "" is the repository itself.
        own: Paths of the function's own file, which is always in scope.
        dirt: What differs from the commit, by path.
        foreign: Digest of the function's own file if that is neither in the repository nor installed.
    """

    root: str
    heads: Mapping[str, str]
    commit: str
    scope: tuple[str, ...]
    own: tuple[str, ...]
    dirt: Mapping[str, Dirt]
    remote: str | None
    foreign: Mapping[str, str]


class Look:
    """One look at the repository, taken when a module was loaded; the same for the whole life of that load.

    Args:
        found: What was found, or what was wrong.
        warning: What to warn of at the first call.
    """

    def __init__(self, found: Facts | CodeState | RepositoryError, warning: str | None = None) -> None:
        self._found = found
        self._warning = warning
        self._judged: dict[tuple[str, str], Dirt | str | None] = {}
        self._start()

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._modules: LoadedModules | None = None
        self._files: Mapping[tuple[str, str], LoadedFile] | None = None
        self._state = self._found if isinstance(self._found, CodeState) else None
        if isinstance(self._found, Facts):
            self._modules = loaded_modules(self._found.root)

    def __getstate__(self) -> dict[str, object]:
        return {"found": self._found, "warning": self._warning, "judged": self._judged}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._found, self._warning, self._judged = state["found"], state["warning"], state["judged"]
        self._start()

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

    def _renew(self) -> CodeState:
        with self._lock:
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
        surveyed: Mapping[tuple[str, str], LoadedFile] | None = None,
    ) -> None:
        """Judge the modules that were loaded since this was last done.

        Args:
            facts: What this look found.
            files: All that are loaded now.
            surveyed: Those that were loaded when the repository was surveyed: of them, that survey tells.
        """
        known = self._files or {}
        inspector = _Inspector(facts)
        for key, loaded in files.items():
            if known.get(key) is not loaded and inspector.counts(loaded):
                is_surveyed = surveyed is not None and surveyed.get(key) is loaded
                self._judged[key] = inspector.judge(loaded, is_surveyed=is_surveyed)
        extra = {key[1]: found for key, found in self._judged.items()}
        dirt = {**facts.dirt, **{path: found for path, found in extra.items() if isinstance(found, Dirt)}}
        state = CodeState(
            commit=facts.commit,
            dirty=digest_of(dirt),
            root=facts.root,
            scope=facts.scope,
            changes=tuple(Change(path, dirt[path].what) for path in sorted(dirt)),
            patch=patch_of(dirt),
            modules={
                **{path: found for path, found in sorted(extra.items()) if isinstance(found, str)},
                **facts.foreign,
            },
            remote=facts.remote,
        )
        if state != self._state:
            self._state = state
        # Not yet current while there is something to say at the call.
        self._files = None if self._warning else files


def _level_of_caller() -> int:
    """Count the frames up to the first one outside the library: its line is where a warning belongs."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(f"{_PACKAGE}."):
        level, frame = level + 1, frame.f_back
    return level


class _Inspector:
    """Judges loaded modules against what a look found."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._surveys: dict[str, Survey] = {}

    def counts(self, loaded: LoadedFile) -> bool:
        """Say whether the file is code: in scope, and not merely the script that calls."""
        if loaded.path in self._facts.own:
            return True
        return not loaded.is_script and in_scope(loaded.path, self._facts.scope)

    def judge(self, loaded: LoadedFile, *, is_surveyed: bool) -> Dirt | str | None:
        """What makes the code dirty, or the digest of a file that git ignores, or None if all is well."""
        path = loaded.path
        prefix = max((prefix for prefix in self._facts.heads if path.startswith(prefix)), key=len)
        survey = self._survey(prefix)
        entry = survey.repository.entry(self._facts.heads[prefix], path[len(prefix) :])
        dirt = self._facts.dirt.get(path)
        is_tracked = entry is not None or dirt is not None
        if not is_tracked and path not in self._facts.own and is_installed(path, self._facts.root):
            return None
        if not loaded.is_as_loaded() or (loaded.is_doubtful and dirt is not None):
            return Dirt(STALE, 0o100644, loaded.token, None)
        if is_tracked:
            if is_surveyed:
                return dirt
            now = survey.repository.stored(path[len(prefix) :], entry[0] if entry else None)
            expected = (dirt.mode, dirt.oid) if dirt else entry
            if now is not None and (now.mode, now.oid) == expected:
                return dirt
            found = survey.new_file(path[len(prefix) :], "changed before it was loaded, after the first look")
            return found and found._replace(patch=None)
        if survey.repository.is_ignored(path[len(prefix) :]):
            return file_hexdigest(loaded.file)
        found = survey.new_file(path[len(prefix) :], "loaded, but not tracked by git")
        return found._replace(patch=None) if found and prefix else found

    def _survey(self, prefix: str) -> Survey:
        if prefix not in self._surveys:
            repository = find_repository(os.path.join(self._facts.root, prefix))
            if repository is None:
                raise RepositoryError(f"{self._facts.root} is no git repository any more; what it held is not known")
            self._surveys[prefix] = Survey(repository)
        return self._surveys[prefix]
