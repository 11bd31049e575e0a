"""A call with all that decides its result computed, and nothing run yet."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from .._canonical.encoding import encode, join
from .._code.settings import allows_dirty
from .._hashing import hexdigest
from .._memory import Memory
from .._reach.places import places
from .._store.key import Key, scope_text
from .._store.reuse import check_owner, find
from .inputs import check_unchanged, named_files, opened_files
from .reading import Reader

if TYPE_CHECKING:
    import inspect
    from collections.abc import Iterable, Mapping, Sequence

    from .._code.dirt import CodeState
    from .._path import ArtifactPath
    from .._reach.location import Home
    from .._reach.modules import LoadedFile
    from .._reach.opened import Opened
    from .._session.moment import Moment, View
    from .._store.folder import Target
    from .._store.reuse import Found
    from .binding import Options, Parameters
    from .destination import Destination, Finds, Output
    from .inputs import Named
    from .reading import Reading


class Decoration:
    """What a decorator knows of its function. Holds no function, so that it can be pickled and reloaded beside it.

    Attributes:
        options: The decorator's options, checked.
        parameters: The function's parameters.
        moment: Decides which look at the repository a call uses: that of when the code was loaded, except in sessions.
        home: Where the function comes from.
        names: The function's name for records, by the root of the repository, as far as it is settled.
        reader: Finds what the function reads.
        prepared: What decides calls of it beside their data, their canonical form and where their artifacts stand, by
            plain arguments, configuration, output paths and working directory.
        found: The artifacts that calls asked for last. Both go with it: kept elsewhere, each edit would leave its own
            behind.
        context: What decided its last call beside that call's data.
    """

    def __init__(
        self,
        options: Options,
        parameters: Parameters,
        moment: Moment,
        home: Home,
        names: Mapping[str | None, str] = MappingProxyType({}),
    ) -> None:
        self.options = options
        self.parameters = parameters
        self.moment = moment
        self.home = home
        self._names = dict(names)
        self._state: CodeState | None = None
        self._start: tuple[str, str] = ("", "")
        self.prepared: Memory[bytes, tuple[Context, dict[str, bytes], Destination]] = Memory()
        self.context: Context | None = None
        self.found: Finds = Memory()
        self.reader = Reader(
            parameters.ignored_globals,
            is_strict=not (parameters.takes_any or home.interactive),
            of_session=home.interactive,
        )

    def __reduce__(self) -> tuple[type[Decoration], tuple[Any, ...]]:
        self.function_name(self.moment.root())  # a worker may not have the file that it is named by
        return Decoration, (self.options, self.parameters, self.moment, self.home._replace(arrived=True), self._names)

    def with_options(self, options: Options) -> Decoration:
        """Return the same with other options."""
        return Decoration(options, self.parameters, self.moment, self.home, self._names)

    def function_name(self, root: str | None) -> str:
        """Name the function for records: its file, relative to the repository, and its qualified name."""
        if root not in self._names:
            self._names[root] = self.home.function_name(root)
        return self._names[root]

    def key(self, encoded: dict[str, bytes], state: CodeState) -> Key:
        """Build the key of a call from its canonical form, in a code state."""
        config_hash = hexdigest(join(_parts(encoded, state)))
        if self._state is not state:  # what many calls share
            scope = state.scope
            said = scope_text(scope.kind.value, scope.listed(), scope.reasons)
            self._state, self._start = state, (self.function_name(state.root), said)
        function, said = self._start
        return Key(function, state.commit, state.dirty, config_hash, state.digest, said)


class Context(NamedTuple):
    """What decides a call beside its own data: the code, and what the function reads.

    Attributes:
        seen: What the function's moment gave.
        reading: What the function read; None for one that reads artifacts.
        view: What the call sees of the repository, before its run and after it.
        state: The code state.
        encoded: Canonical form of what counts of it beside the code state, by name.
    """

    seen: View
    reading: Reading | None
    view: View
    state: CodeState
    encoded: dict[str, bytes]


class Call(NamedTuple):
    """One call, prepared.

    Attributes:
        decoration: What the decorator knows.
        bound: The arguments of the call.
        context: What decides it beside its own data.
        encoded: Canonical form of configuration, arguments, inputs and what counts of the context, by name.
        cwd: The working directory of the call: the function may change it, and relative paths go by this one.
        destination: Where the artifacts stand.
        loaded: The modules of the work tree that were loaded when the call began.
    """

    decoration: Decoration
    bound: inspect.BoundArguments
    context: Context
    encoded: dict[str, bytes]
    cwd: str
    destination: Destination
    loaded: Mapping[tuple[str, str], LoadedFile]

    @property
    def view(self) -> View:
        """What the call sees of the repository, before its run and after it."""
        return self.context.view

    @property
    def state(self) -> CodeState:
        """The code state."""
        return self.context.state

    @property
    def readers(self) -> Mapping[str, str]:
        """Who reads each of the values that count beyond the arguments, by name."""
        reading = self.context.reading
        return {} if reading is None else reading.reads.readers

    @property
    def unknown(self) -> Mapping[str, str]:
        """What the function reads beyond its arguments that does not count: why, by name."""
        reading = self.context.reading
        return {} if reading is None else reading.reads.unknown

    @property
    def canonical(self) -> bytes:
        """Canonical form that the config hash is of."""
        return join(_parts(self.encoded, self.state))

    @property
    def key(self) -> Key:
        """What a hit compares."""
        return self.destination.key

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The output paths as the user gave them."""
        return self.destination.outputs

    @property
    def targets(self) -> tuple[Target, ...]:
        """The artifact of each output."""
        return self.destination.targets

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
            InputChangedError: If a file that an argument names holds something else than then, and does not count.
        """
        if not self.view.reusable:
            return None
        key, outputs, slots, targets, _, _, memos = self.destination
        found = []
        for slot, output, target, memo in zip(slots, outputs, targets, memos, strict=True):
            each = find(target, key, directory=output.directory, position=slot, memo=memo)
            if each is not None:
                found.append(each)
                if each.record is not None and each.record.undeclared:
                    check_unchanged(each.record, self.cwd, self.state.root)
        if len(found) < len(targets):
            return None
        runs = {each.record.run for each in found if each.record is not None} if len(found) > 1 else ()
        return tuple(found) if len(runs) <= 1 else None

    def named_files(self) -> tuple[Named, ...]:
        """Find the files that arguments name and that are no inputs, artifacts or code."""
        root, scope = self.state.root, self.state.scope

        def counts(file: str) -> bool:
            found = places(file, root) if root is not None else []
            return bool(found) and scope.holds(found[-1][0]) and self.view.look.is_tracked(found[-1][1])

        return named_files(self.decoration.parameters.path_arguments(self.bound), self.cwd, counts)

    def opened_files(self, opened: Opened, named: Iterable[Named]) -> tuple[Named, ...]:
        """Find the files that the run has opened by itself and that do not count."""
        files = self.view.look.uncounted(opened)
        if not files:
            return ()
        declared = [*self.decoration.parameters.left_out(self.bound), *(each.path for each in named)]
        return opened_files(files, self.view.look.root or "", declared, self.cwd)

    def check_owner(self) -> None:
        """Check that what stands where the artifacts will stand may be replaced.

        Raises:
            ArtifactConflictError: If something else made one of them.
        """
        for slot, target in zip(self.destination.slots, self.targets, strict=True):
            check_owner(target, self.key, slot)

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
            self.destination.check_links()

    def set_links(self) -> None:
        """Let the ordinary names lead to the artifacts, if that is wanted."""
        if self.decoration.options.link:
            self.destination.set_links()


def _parts(encoded: dict[str, bytes], state: CodeState) -> dict[str, bytes]:
    """Join what a call knows of itself with what the code state counts as configuration."""
    return {**encoded, "modules": encode(dict(state.modules), "modules")} if state.modules else encoded


def check_allowed(decoration: Decoration, state: CodeState) -> None:
    """Refuse a function whose code may not be used in that state.

    Raises:
        DirtyRepositoryError: If it is not committed, and has to be.
    """
    if is_refused(decoration.options, state):
        raise state.refusal(decoration.function_name(state.root))


def is_refused(options: Options, state: CodeState) -> bool:
    """Tell whether code may not be used as it stands: not committed, and allowed by nobody."""
    return state.dirty is not None and not options.allow_dirty and not allows_dirty(state.root)
