"""A call with all that decides its result computed, and nothing run yet."""

from __future__ import annotations

import logging
import os
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from .._canonical.encoding import encode, join
from .._code.settings import allows_dirty
from .._hashing import hexdigest
from .._memory import Memory, is_news
from .._reach.met import NO_CODE, calling, collecting
from .._reach.places import places
from .._store.key import Key, scope_text
from .._store.reuse import check_owner, find
from .destination import Asked, Destination, working_directory
from .inputs import check_unchanged, named_files, opened_files
from .plain import plain_key
from .reading import Reader, further, meeting

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .._code.dirt import CodeState
    from .._path import ArtifactPath
    from .._reach.found import Reads
    from .._reach.location import Home
    from .._reach.modules import LoadedFile
    from .._reach.opened import Opened
    from .._session.moment import Moment, View
    from .._store.folder import Target
    from .._store.reuse import Found
    from .binding import Options, Parameters
    from .destination import Finds, Output
    from .inputs import Named
    from .reading import Reading

_log = logging.getLogger("taggedartifacts")


class Decoration:
    """What a decorator knows of its function. Holds no function, so that it can be pickled and reloaded beside it.

    Attributes:
        options: The decorator's options, checked.
        parameters: The function's parameters.
        moment: Decides which look at the repository a call uses: that of when the code was loaded, except in sessions.
        home: Where the function comes from.
        names: The function's name for records, by the root of the repository, as far as it is settled.
        reader: Finds what the function reads.
        prepared, found: Calls of it, by plain arguments, configuration, output paths and working directory; and the
            artifacts that calls asked for last. They go with it: kept elsewhere, each edit would leave its own behind.
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
        self.prepared: Memory[bytes, _Prepared] = Memory()
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

    def key(self, state: CodeState, config_hash: str) -> Key:
        """Build the key of a call in a code state."""
        if self._state is not state:  # what many calls share
            scope = state.scope
            said = scope_text(scope.kind.value, scope.listed(), scope.reasons)
            self._state, self._start = state, (self.function_name(state.root), said)
        function, said = self._start
        return Key(function, state.commit, state.dirty, config_hash, state.digest, said)


class Call(NamedTuple):
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
        loaded: The modules of the work tree that were loaded when the call began.
        reads: What the function, or what is reached from it in files, reads beyond its arguments; None for a function
            that reads artifacts.
    """

    f: Callable[..., Any]
    decoration: Decoration
    bound: inspect.BoundArguments
    view: View
    state: CodeState
    encoded: dict[str, bytes]
    cwd: str
    destination: Destination
    loaded: Mapping[tuple[str, str], LoadedFile]
    reads: Reads | None

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
            from .._store.link import check_link  # with the next, for those who want links

            for output, target in zip(self.outputs, self.targets, strict=True):
                check_link(target.folder, os.path.basename(output.given))

    def set_links(self) -> None:
        """Let the ordinary names lead to the artifacts, if that is wanted."""
        if self.decoration.options.link:
            from .._store.link import set_link

            for output, target in zip(self.outputs, self.targets, strict=True):
                set_link(target.folder, os.path.basename(output.given), target.name)

    def late_modules(self) -> dict[str, str]:
        """Find the modules of the work tree that were loaded since the call began and are not in the scope."""
        return self.view.look.late(self.loaded)

    def with_modules(self, modules: Mapping[str, str]) -> Call:
        """Return the same call with modules that count beside its scope, by path and content."""
        return self._replace(encoded={**self.encoded, "late": encode(dict(modules), "modules")}) if modules else self

    def in_state(self, view: View, state: CodeState) -> Call:
        """Return the same call with the tag of another code state, seen by another view perhaps.

        Raises:
            DirtyRepositoryError: If that is not allowed.
        """
        given = self.destination.spread([output.as_given() for output in self.outputs])
        _check_allowed(self.decoration, state)
        return _call(self.f, self.decoration, self.bound, given, view, state, self.encoded, self.cwd, self.reads, None)

    def warn_if_dirty(self) -> None:
        """Log, once for each state, that the code is not committed."""
        if self.state.dirty is not None and is_news("dirty", self.state.root, self.state.dirty):
            shown = ", ".join(self.state.listed("{path} ({what})"))
            _log.warning("code is not committed, artifacts are marked dirty: %s", shown)

    def warn_of_unknown(self) -> None:
        """Log, once for each function, what it reads that does not count."""
        unknown = self.reads.unknown if self.reads is not None else {}
        if unknown and is_news("unknown", self.key.function, *unknown):
            _log.warning(
                "%s reads what has no canonical form, so that it does not count: %s",
                self.key.function,
                "; ".join(unknown.values()),
            )


def prepare(f: Callable[..., Any], decoration: Decoration, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """Compute all that decides the result of a call.

    Raises:
        KeyError: If an output path is missing.
        RepositoryError: If the commit cannot be known.
        DirtyRepositoryError: If the code is not committed, and has to be.
        UnhashableError: If configuration or arguments have no canonical form.
        InputError: If an input cannot be read.
        ArtifactNameError: If an output path cannot become that of an artifact.
    """
    parameters, home = decoration.parameters, decoration.home
    bound = parameters.bind(args, kwargs)
    seen = view = decoration.moment.view(f)
    given = parameters.outputs(bound)
    counted, cwd = parameters.counted(bound), working_directory()
    reads_too = decoration.options.mode == "w"
    token = calling.set(home.script if home.arrived else None)
    try:
        key = None if decoration.options.inputs else plain_key((counted[:2], given, cwd))
        known = decoration.prepared.get(key) if key is not None else None
        if known is not None and (again := known.again(f, bound, view)) is not None:
            return again
        within = partial(parameters.within_inputs, bound, cwd)
        # At once: to encode arguments may take time, and nobody would see why.
        if view.state().dirty is not None:
            _check_allowed(decoration, view.leaving(within).state())
        if key is None:
            with collecting(meeting(view.look)) as met:
                encoded = parameters.encoded(counted)
        else:
            met, encoded = NO_CODE, parameters.encoded(counted)
        view = decoration.moment.defining(view, met.code.values())  # before the walk: it says what they read
        files = view.files.union(met.files)
        if view.interactive is not None:
            encoded["interactive"] = view.interactive
        code = [*met.code.values(), *view.read, *decoration.reader.named(f, encoded["arguments"])]
        reading = decoration.reader.read(f, view.look, code) if reads_too else None
    finally:
        calling.reset(token)
    if reading is not None:
        view = decoration.moment.defining(view, reading.reads.code)
        files |= reading.files
        if reading.encoded is not None:
            encoded["globals"] = reading.encoded
    view = view.reaching(files).leaving(within)
    state = view.state()  # of modules too that only the walk has met
    _check_allowed(decoration, state)
    if reading is not None and (untracked := further(reading.digests, met, state)):
        encoded["untracked"] = encode(untracked, "untracked")
    if decoration.options.inputs:
        encoded["inputs"] = parameters.encoded_inputs(bound)
    call = _call(f, decoration, bound, given, view, state, encoded, cwd, reading and reading.reads, key)
    if key is not None and b"@" not in encoded["arguments"]:  # a global by such a name may come
        size = sum(map(len, (key, *encoded.values())), _CALL_BYTES)
        decoration.prepared.put(key, _Prepared(seen, reading, call), size)
    return call


class _Prepared(NamedTuple):
    """A call as it was prepared, with what shows that it would be prepared the same way again.

    Attributes:
        seen: What the function's moment gave.
        reading: What the function read.
        call: The call.
    """

    seen: View
    reading: Reading | None
    call: Call

    def again(self, f: Callable[..., Any], bound: inspect.BoundArguments, view: View) -> Call | None:
        """Return the call, with the arguments of now, if all that decides it is as it was.

        Raises:
            DirtyRepositoryError: If its code was allowed to be dirty, and is not now.
        """
        if view is not self.seen and view != self.seen:
            return None
        call, decoration = self.call, self.call.decoration
        if self.reading is not None and decoration.reader.read(f, view.look, view.read) is not self.reading:
            return None
        state = call.view.state()
        if state is not call.state and state != call.state:
            return None
        _check_allowed(decoration, state)
        _, _, _, view, _, encoded, cwd, destination, _, reads = call
        return Call(f, decoration, bound, view, state, encoded, cwd, destination, view.look.judged, reads)


_CALL_BYTES = 4096  # of a prepared call, beside its key and its canonical form


def _call(
    f: Callable[..., Any],
    decoration: Decoration,
    bound: inspect.BoundArguments,
    given: tuple[object, ...],
    view: View,
    state: CodeState,
    encoded: dict[str, bytes],
    cwd: str,
    reads: Reads | None,
    plain: bytes | None,
) -> Call:
    asked = Asked.of(decoration.found, encoded, plain)
    destination = Destination.of(decoration.key(state, hexdigest(join(_parts(encoded, state)))), given, cwd, asked)
    return Call(f, decoration, bound, view, state, encoded, cwd, destination, view.look.judged, reads)


def _parts(encoded: dict[str, bytes], state: CodeState) -> dict[str, bytes]:
    """Join what a call knows of itself with what the code state counts as configuration."""
    return {**encoded, "modules": encode(dict(state.modules), "modules")} if state.modules else encoded


def _check_allowed(decoration: Decoration, state: CodeState) -> None:
    """Refuse a function whose code may not be used in that state."""
    if is_refused(decoration.options, state):
        raise state.refusal(decoration.function_name(state.root))


def is_refused(options: Options, state: CodeState) -> bool:
    """Tell whether code may not be used as it stands: not committed, and allowed by nobody."""
    return state.dirty is not None and not options.allow_dirty and not allows_dirty(state.root)
