"""A task: one call with all that decides its result computed, and nothing run yet."""

from __future__ import annotations

import inspect
import logging
import os
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from .._canonical.encoding import encode, join
from .._code.allowed import allows_dirty
from .._hashing import hexdigest
from .._reach.modules import places
from .._reach.prompt import is_interactive
from .._store.record import Identity
from .._store.reuse import check_owner, find
from .binding import Output, check_names
from .memo import Memo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .._code.codestate import CodeState
    from .._path import ArtifactPath
    from .._session.moment import Moment, View
    from .._store.folder import Folder
    from .._store.standing import Found
    from .binding import Options, Parameters

_T = TypeVar("_T")

_log = logging.getLogger("taggedartifacts")

# A repeated call finds here what would come out of the same computation again.
_destinations: Memo[tuple[object, ...], Destination] = Memo(16 << 20)
_warned_states: set[tuple[str | None, str]] = set()


class Destination(NamedTuple):
    """Where the artifacts of a call stand.

    Attributes:
        canonical: Canonical form that the config hash is of.
        identity: What a hit compares.
        outputs: The output paths that are asked for, as the user gave them.
        slots: Which of the keywords each of them belongs to.
        places: Output directory and tagged file name of each output.
        paths: The paths of the artifacts, as the call returns them.
        keywords: How many keywords there are.
    """

    canonical: bytes
    identity: Identity
    outputs: tuple[Output, ...]
    slots: tuple[int, ...]
    places: tuple[tuple[Folder, str], ...]
    paths: tuple[ArtifactPath, ...]
    keywords: int

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
        slots = tuple(slot for slot, path in enumerate(given) if path is not None)
        outputs = tuple(Output.of(given[slot]) for slot in slots)
        paths = tuple(output.tagged(identity.tag) for output in outputs)
        places = tuple((output.folder(cwd), path.name) for output, path in zip(outputs, paths, strict=True))
        check_names(places)
        return cls(canonical, identity, outputs, slots, places, paths, len(given))

    def spread(self, values: Sequence[_T]) -> tuple[_T | None, ...]:
        """Put what there is for each output in the place of its keyword, and None where none is asked for."""
        if len(values) == self.keywords:
            return tuple(values)
        row: list[_T | None] = [None] * self.keywords
        for slot, value in zip(self.slots, values, strict=True):
            row[slot] = value
        return tuple(row)


class Decoration:
    """What a decorator knows of its function. Holds no function, so that it can be pickled and reloaded beside it.

    Attributes:
        options: The decorator's options, checked.
        parameters: The function's parameters.
        moment: Decides which look at the repository a call uses: that of when the code was loaded, except in sessions.
    """

    def __init__(self, options: Options, parameters: Parameters, moment: Moment) -> None:
        self.options = options
        self.parameters = parameters
        self.moment = moment
        self._names: dict[str | None, str] = {}

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
        known = _destinations.get(key)
        if known is None:
            known = Destination.of(function, state, parts, given, cwd)
            # Its parts and, as its canonical form, all of them together.
            _destinations.put(key, known, 2 * len(known.canonical) + 1000 * len(known.outputs))
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
    """

    f: Callable[..., Any]
    decoration: Decoration
    bound: inspect.BoundArguments
    view: View
    state: CodeState
    encoded: dict[str, bytes]
    cwd: str
    destination: Destination

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
    def result(self) -> ArtifactPath | tuple[ArtifactPath | None, ...]:
        """What the call returns, unless there is `load`: one path, or a tuple for several keywords."""
        destination = self.destination
        return destination.spread(destination.paths) if self.decoration.options.several else destination.paths[0]

    def find(self) -> tuple[Found, ...] | None:
        """Find the artifacts if all are there, from one run.

        Raises:
            ArtifactConflictError: If one was made by something else.
            ArtifactModifiedError: If one was changed since it was made.
        """
        if not self.view.reusable:
            return None
        found = []
        destination = self.destination
        for slot, output, (folder, name) in zip(
            destination.slots, destination.outputs, destination.places, strict=True
        ):
            found.append(find(folder, name, destination.identity, directory=output.directory, position=slot))
        complete = tuple([each for each in found if each is not None])
        runs = {each.record.run for each in complete if each.record is not None}
        return complete if len(complete) == len(found) and len(runs) <= 1 else None

    def check_owner(self) -> None:
        """Check that what stands where the artifacts will stand may be replaced.

        Raises:
            ArtifactConflictError: If something else made one of them.
        """
        for slot, (folder, name) in zip(self.destination.slots, self.places, strict=True):
            check_owner(folder, name, self.identity, slot)

    def redirect(self, paths: Sequence[str]) -> None:
        """Let the function write to, or read from, these paths."""
        staged = [output.staged(path) for output, path in zip(self.outputs, paths, strict=True)]
        self.decoration.parameters.redirect(self.bound, self.destination.spread(staged))

    def check_links(self) -> None:
        """Check that the ordinary names can be links to the artifacts, if that is wanted.

        Raises:
            ArtifactConflictError: If something else stands at one of them.
            ArtifactNameError: If one would be taken for an artifact.
        """
        if self.decoration.options.link:
            from .._store.link import check_link  # with the next, for those who want links

            for output, (folder, _) in zip(self.outputs, self.places, strict=True):
                check_link(folder, os.path.basename(output.given))

    def set_links(self) -> None:
        """Let the ordinary names lead to the artifacts, if that is wanted."""
        if self.decoration.options.link:
            from .._store.link import set_link

            for output, (folder, name) in zip(self.outputs, self.places, strict=True):
                set_link(folder, os.path.basename(output.given), name)

    def in_state(self, state: CodeState) -> Task:
        """Return the same call with the tag of another code state.

        Raises:
            DirtyRepositoryError: If that is not allowed.
        """
        given = self.destination.spread([output.as_given() for output in self.outputs])
        function = _checked_name(self.f, self.decoration, state)
        return _task(self.f, self.decoration, self.bound, given, self.view, state, function, self.encoded, self.cwd)

    def warn_if_dirty(self) -> None:
        """Log, once for each state, that the code is not committed."""
        if self.state.dirty is not None and (seen := (self.state.root, self.state.dirty)) not in _warned_states:
            _warned_states.add(seen)
            shown = ", ".join(self.state.listed("{path} ({what})"))
            _log.warning("code is not committed, artifacts are marked dirty: %s", shown)


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
    encoded = decoration.parameters.encoded(bound)
    if view.interactive is not None:
        encoded["interactive"] = view.interactive
    return _task(f, decoration, bound, given, view, state, function, encoded, os.getcwd())


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
) -> Task:
    parts = {**encoded, "modules": encode(dict(state.modules), "modules")} if state.modules else encoded
    destination = decoration.destination(function, state, parts, given, cwd)
    return Task(f, decoration, bound, view, state, encoded, cwd, destination)


def _checked_name(f: Callable[..., Any], decoration: Decoration, state: CodeState) -> str:
    """Name the function, unless its code may not be used in that state."""
    function = decoration.function_name(f, state.root)
    if is_refused(decoration.options, state):
        raise state.refusal(function)
    return function


def is_refused(options: Options, state: CodeState) -> bool:
    """Tell whether code may not be used as it stands: not committed, and allowed by nobody."""
    return state.dirty is not None and not options.allow_dirty and not allows_dirty(state.root)


def _own_name(f: Callable[..., Any]) -> str:
    """Name a function within its file; one whose name others share, by its line, which the tag's commit fixes."""
    if f.__qualname__.rpartition(".")[2] not in ("<lambda>", "_") or is_interactive(f):
        return f.__qualname__
    return f"{f.__qualname__} in line {inspect.unwrap(f).__code__.co_firstlineno}"


def _source_name(f: Callable[..., Any], root: str | None) -> str:
    # Of what decorators wrap: one that both wear must not give functions of two modules the same name.
    file = inspect.unwrap(f).__globals__.get("__file__")
    if not isinstance(file, str) or is_interactive(f):  # an editor may set __file__ in a session
        return f.__module__
    if root is not None and (found := places(os.path.abspath(file), root)):
        return found[-1][0]  # where a link leads, if that is in the repository too
    return os.path.basename(file) if f.__module__ == "__main__" else f.__module__
