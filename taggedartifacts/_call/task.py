"""A task: one call with all that decides its result computed, and nothing run yet."""

from __future__ import annotations

import inspect
import logging
import os
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from .._canonical.encoding import encode, join
from .._canonical.met import collecting
from .._code.scope import in_scope
from .._code.tracked import is_tracked
from .._hashing import hexdigest
from .._reach.bindings import bindings_of
from .._reach.modules import places
from .._reach.prompt import is_interactive
from .._store.record import Identity
from .._store.reuse import check_owner, find
from .._tag import DIGEST_DIGITS
from .binding import Output, check_names
from .reading import Reader, meeting
from .undeclared import check_unchanged, named_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._code.codestate import CodeState
    from .._path import ArtifactPath
    from .._reach.found import Reads
    from .._session.moment import Moment, View
    from .._store.folder import Folder
    from .._store.standing import Found
    from .binding import Options, Parameters
    from .undeclared import Named

_log = logging.getLogger("taggedartifacts")

_MEMO_ENTRIES = 1024  # per decorated function
_warned_states: set[tuple[str | None, str]] = set()
_warned_unknown: set[tuple[str, tuple[str, ...]]] = set()


class Destination(NamedTuple):
    """Where the artifacts of a call stand.

    Attributes:
        canonical: Canonical form that the config hash is of.
        identity: What a hit compares.
        outputs: The output paths as the user gave them.
        places: Output directory and tagged file name of each output.
        paths: The paths of the artifacts, as the call returns them.
    """

    canonical: bytes
    identity: Identity
    outputs: tuple[Output, ...]
    places: tuple[tuple[Folder, str], ...]
    paths: tuple[ArtifactPath, ...]

    @classmethod
    def of(
        cls, function: str, state: CodeState, parts: dict[str, bytes], given: tuple[object, ...], cwd: str
    ) -> Destination:
        """Compute the tag, and where it leads with these output paths.

        Raises:
            ArtifactNameError: If an output path cannot become that of an artifact.
        """
        canonical = join(parts)
        identity = Identity(function, state.commit, state.dirty, hexdigest(canonical))
        outputs = tuple(Output.of(path) for path in given)
        paths = tuple(output.tagged(identity.tag) for output in outputs)
        places = tuple((output.folder(cwd), path.name) for output, path in zip(outputs, paths, strict=True))
        check_names(places)
        return cls(canonical, identity, outputs, places, paths)


class Decoration:
    """What a decorator knows of its function. Holds no function, so that it can be pickled and reloaded beside it.

    Attributes:
        options: The decorator's options, checked.
        parameters: The function's parameters.
        moment: Decides which look at the repository a call uses: that of when the code was loaded, except in sessions.
        reader: Finds what the function reads.
    """

    def __init__(self, options: Options, parameters: Parameters, moment: Moment) -> None:
        self.options = options
        self.parameters = parameters
        self.moment = moment
        self.reader = Reader(parameters.ignored_globals, is_strict=not parameters.takes_any)
        self._names: dict[str | None, str] = {}
        # A repeated call finds here what would come out of the same computation again.
        self._destinations: dict[object, Destination] = {}

    def __reduce__(self) -> tuple[type[Decoration], tuple[Options, Parameters, Moment]]:
        return Decoration, (self.options, self.parameters, self.moment)

    def function_name(self, f: Callable[..., Any], root: str | None) -> str:
        """Name a function for records: its file, relative to the repository, and its qualified name."""
        if root not in self._names:
            self._names[root] = f"{_source_name(f, root)}::{_own_name(f)}"
        return self._names[root]

    def destination(
        self, function: str, state: CodeState, parts: dict[str, bytes], given: tuple[object, ...], cwd: str
    ) -> Destination:
        """Find the places of the artifacts of a call that was made in the working directory *cwd*."""
        # What is no path is refused by `Output.of`.
        paths = [os.fspath(each) if isinstance(each, os.PathLike) else str(each) for each in given]
        kinds = map(type, given)  # of another type, a path goes to the function as another
        key = (function, state.commit, state.dirty, *parts, *parts.values(), cwd, *paths, *kinds)
        known = self._destinations.get(key)
        if known is None:
            known = Destination.of(function, state, parts, given, cwd)
            if len(self._destinations) >= _MEMO_ENTRIES:
                self._destinations.clear()
            self._destinations[key] = known
        return known


class Task(NamedTuple):
    """One call, prepared.

    Attributes:
        f: The undecorated function.
        decoration: What the decorator knows.
        bound: The arguments of the call.
        view: What the call sees of the repository, before its run and after it.
        state: The code state.
        encoded: Canonical form of configuration, arguments and inputs, by name.
        cwd: The working directory of the call: the function may change it, and relative paths go by this one.
        destination: Where the artifacts stand.
        reads: What the function reads beyond its arguments; None for a function of a session, or that reads artifacts.
    """

    f: Callable[..., Any]
    decoration: Decoration
    bound: inspect.BoundArguments
    view: View
    state: CodeState
    encoded: dict[str, bytes]
    cwd: str
    destination: Destination
    reads: Reads | None

    @property
    def canonical(self) -> bytes:
        """Canonical form that the config hash is of."""
        return self.destination.canonical

    @property
    def identity(self) -> Identity:
        """What a hit compares."""
        return self.destination.identity

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The output paths as the user gave them."""
        return self.destination.outputs

    @property
    def places(self) -> tuple[tuple[Folder, str], ...]:
        """Output directory and tagged file name of each output."""
        return self.destination.places

    @property
    def paths(self) -> tuple[ArtifactPath, ...]:
        """The paths of the artifacts, as the call returns them."""
        return self.destination.paths

    @property
    def result(self) -> ArtifactPath | tuple[ArtifactPath, ...]:
        """What the call returns, unless there is `load`: one path, or a tuple for several keywords."""
        return self.paths if self.decoration.options.several else self.paths[0]

    def find(self) -> tuple[Found, ...] | None:
        """Find the artifacts if all are there, from one run.

        Raises:
            ArtifactConflictError: If one was made by something else.
            ArtifactModifiedError: If one was changed since it was made.
            InputChangedError: If a file that an argument names holds something else than then, and does not count.
        """
        if not self.view.reusable:
            return None
        found = []
        destination = self.destination
        for position, (output, (folder, name)) in enumerate(zip(destination.outputs, destination.places, strict=True)):
            found.append(find(folder, name, destination.identity, directory=output.directory, position=position))
        complete = tuple([each for each in found if each is not None])
        for each in complete:
            if each.record is not None and each.record.undeclared:
                check_unchanged(each.record, self.cwd)
        runs = {each.record.run for each in complete if each.record is not None}
        return complete if len(complete) == len(found) and len(runs) <= 1 else None

    def named_files(self) -> tuple[Named, ...]:
        """Find the files that arguments name and that are no inputs, artifacts or code."""
        root, scope = self.state.root, self.state.scope

        def counts(file: str) -> bool:
            found = places(os.path.realpath(file), root) if root is not None else []
            return bool(found) and in_scope(found[0][0], scope) and is_tracked(os.path.realpath(file))

        return named_files(self.decoration.parameters.path_arguments(self.bound), self.cwd, counts)

    def check_owner(self) -> None:
        """Check that what stands where the artifacts will stand may be replaced.

        Raises:
            ArtifactConflictError: If something else made one of them.
        """
        for position, (folder, name) in enumerate(self.places):
            check_owner(folder, name, self.identity, position)

    def in_state(self, state: CodeState) -> Task:
        """Return the same call with the tag of another code state.

        Raises:
            DirtyRepositoryError: If that is not allowed.
        """
        given = tuple(output.as_given() for output in self.outputs)
        function = _checked_name(self.f, self.decoration, state)
        return _task(
            self.f, self.decoration, self.bound, given, self.view, state, function, self.encoded, self.cwd, self.reads
        )

    def warn_if_dirty(self) -> None:
        """Log, once for each state, that the code is not committed."""
        if self.state.dirty is not None and (seen := (self.state.root, self.state.dirty)) not in _warned_states:
            _warned_states.add(seen)
            shown = ", ".join(self.state.listed("{path} ({what})"))
            _log.warning("code is not committed, artifacts are marked dirty: %s", shown)

    def warn_of_unknown(self) -> None:
        """Log, once for each function, what it reads that does not count."""
        if self.reads is not None and self.reads.unknown:
            names = tuple(self.reads.unknown)
            if (seen := (self.identity.function, names)) not in _warned_unknown:
                _warned_unknown.add(seen)
                _log.warning(
                    "%s reads what has no canonical form, so that it does not count: %s",
                    self.identity.function,
                    "; ".join(self.reads.unknown.values()),
                )


def prepare(f: Callable[..., Any], decoration: Decoration, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Task:
    """Compute all that decides the result of a call.

    Raises:
        KeyError: If an output path is missing.
        RepositoryError: If the commit cannot be known.
        DirtyRepositoryError: If the code is not committed, and has to be.
        UnhashableError: If configuration or arguments have no canonical form.
        InputError: If an input cannot be read.
        ArtifactNameError: If an output path cannot become that of an artifact.
    """
    bound = decoration.parameters.bind(args, kwargs)
    view = decoration.moment.view(f)
    state = view.state()
    function = _checked_name(f, decoration, state)  # before inputs are read
    given = decoration.parameters.outputs(bound)
    with collecting(meeting(state.root)) as met:
        encoded = decoration.parameters.encoded(bound)
    reads = None
    if view.interactive is not None:
        encoded["interactive"] = view.interactive
    elif decoration.options.mode == "w":
        walks = decoration.reader.walks
        reads, values = decoration.reader.read(f, state.root, met.code.values())
        if values is not None:
            encoded["globals"] = values
        if decoration.reader.walks != walks:  # it may have met modules that sys.modules does not hold
            state = view.state()
            function = _checked_name(f, decoration, state)
    return _task(f, decoration, bound, given, view, state, function, encoded, os.getcwd(), reads)


def _task(
    f: Callable[..., Any],
    decoration: Decoration,
    bound: inspect.BoundArguments,
    given: tuple[object, ...],
    view: View,
    state: CodeState,
    function: str,
    encoded: dict[str, bytes],
    cwd: str,
    reads: Reads | None,
) -> Task:
    parts = {**encoded, "modules": encode(dict(state.modules), "modules")} if state.modules else encoded
    destination = decoration.destination(function, state, parts, given, cwd)
    return Task(f, decoration, bound, view, state, encoded, cwd, destination, reads)


def _checked_name(f: Callable[..., Any], decoration: Decoration, state: CodeState) -> str:
    """Name the function, unless its code may not be used in that state."""
    function = decoration.function_name(f, state.root)
    if state.dirty is not None and not decoration.options.allow_dirty:
        raise state.refusal(function)
    return function


def _own_name(f: Callable[..., Any]) -> str:
    """Name a function within its file; one whose name others share, by its definition or line."""
    if is_interactive(f):
        return f.__qualname__
    if f.__qualname__.rpartition(".")[2] not in ("<lambda>", "_"):
        plain = inspect.unwrap(f)
        if not isinstance(plain, FunctionType) or bindings_of(plain.__globals__).times(f.__qualname__) < 2:
            return f.__qualname__
        from .._reach.definition import source_of  # what reads source code is not for scripts to wait for

        return f"{f.__qualname__} as {source_of(plain).code[:DIGEST_DIGITS]}"
    return f"{f.__qualname__} in line {inspect.unwrap(f).__code__.co_firstlineno}"


def _source_name(f: Callable[..., Any], root: str | None) -> str:
    # Of what decorators wrap: one that both wear must not give functions of two modules the same name.
    file = inspect.unwrap(f).__globals__.get("__file__")
    if not isinstance(file, str) or is_interactive(f):  # an editor may set __file__ in a session
        return f.__module__
    if root is not None and (found := places(os.path.abspath(file), root)):
        return found[-1][0]  # where a link leads, if that is in the repository too
    return os.path.basename(file) if f.__module__ == "__main__" else f.__module__
