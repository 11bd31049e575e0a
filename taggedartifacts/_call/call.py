"""A call with all that decides its result computed, and nothing run yet.

It is found again by a key of its plain data, takes what decides it from the call before, or is computed anew.
"""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from .._canonical.encoding import encode, join
from .._code.settings import allows_dirty
from .._hashing import hexdigest, hexdigest_parts
from .._memory import Memory
from .._reach.met import Met, calling
from .._store.key import Key, scope_text
from .._store.reuse import check_owner, find, stands
from .destination import Destination, working_directory
from .inputs import check_unchanged
from .plain import plain_key
from .reading import Reader, further, may_name_globals, meeting

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable, Mapping, Sequence

    from .._code.dirt import CodeState
    from .._path import ArtifactPath
    from .._reach.location import Home
    from .._reach.modules import LoadedFile
    from .._session.moment import Moment, View
    from .._store.folder import Target
    from .._store.reuse import Found
    from .binding import Options, Parameters
    from .destination import Finds, Output
    from .reading import Reading

_CALL_BYTES = 4096  # of a prepared call, beside its key and its canonical form


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
            is_strict=not parameters.takes_any,
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

    def stands(self) -> bool:
        """Tell at once whether the one artifact is there as the key made it; False says nothing."""
        key, outputs, _, targets, _, keywords, memos = self.destination
        return keywords == 1 and not outputs[0].directory and stands(targets[0], key, memos[0])

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
    view = decoration.moment.view(f)
    given = parameters.outputs(bound)
    counted, cwd = parameters.counted(bound), working_directory()
    token = calling.set(home.script if home.arrived else None)
    try:
        key = None if decoration.options.inputs else plain_key((counted, given, cwd))
        context = None if key is None else _context(f, decoration, view)
        if key is not None and context is not None:
            known = decoration.prepared.get(key)
            if known is not None and known[0] is context:
                _, encoded, destination = known
                return Call(decoration, bound, context, encoded, cwd, destination, context.view.look.judged)
            encoded = parameters.encoded(*counted) | context.encoded
        if context is None or may_name_globals(encoded["arguments"]):  # which may be there, or come
            context, encoded = _anew(f, decoration, bound, counted, view=view, cwd=cwd, is_plain=key is not None)
    finally:
        calling.reset(token)
    asked = key
    if asked is None:
        parts = [encoded.get(name, b"") for name in ("config", "arguments", "inputs")]
        asked = hexdigest_parts(parts).encode()
    compared = decoration.key(encoded, context.state)
    destination = Destination.of(compared, given, cwd, found=decoration.found, asked=asked)
    if key is not None and not may_name_globals(encoded["arguments"]):
        decoration.context = context
        size = sum(map(len, (key, *encoded.values())), _CALL_BYTES)
        decoration.prepared.put(key, (context, encoded, destination), size)
    return Call(decoration, bound, context, encoded, cwd, destination, context.view.look.judged)


def _context(f: Callable[..., Any], decoration: Decoration, view: View) -> Context | None:
    """Return what decides a call of plain data beside that data, if it is as it was at the call before.

    Raises:
        DirtyRepositoryError: If the code was allowed to be dirty, and is not now.
    """
    context = decoration.context
    if context is None:
        return None
    seen, reading, before, state, _ = context
    if view is not seen and view != seen:
        return None
    if reading is not None and decoration.reader.read(f, view.look, view.read) is not reading:
        return None
    now = before.state()
    if now is not state and now != state:
        return None
    check_allowed(decoration, now)
    return context


def _anew(
    f: Callable[..., Any],
    decoration: Decoration,
    bound: inspect.BoundArguments,
    counted: tuple[object, dict[str, object]],
    *,
    view: View,
    cwd: str,
    is_plain: bool,
) -> tuple[Context, dict[str, bytes]]:
    """Find out what decides a call in a context that is not known, and the canonical form of all of it."""
    parameters, seen = decoration.parameters, view
    within = partial(parameters.within_inputs, bound, cwd)
    # At once: to encode arguments may take time, and nobody would see why.
    if view.state().dirty is not None:
        check_allowed(decoration, view.with_look(view.look.leaving(within)).state())
    if is_plain:
        met, encoded = Met(), parameters.encoded(*counted)
    else:
        with meeting(view.look) as met:
            encoded = parameters.encoded(*counted)
    view = decoration.moment.defining(view, met.code.values())  # before the walk: it says what they read
    files = view.files.union(met.files)
    beside: dict[str, bytes] = {}
    if view.interactive is not None:
        beside["interactive"] = view.interactive
    code = [*met.code.values(), *view.read, *decoration.reader.named(f, encoded["arguments"])]
    reading = decoration.reader.read(f, view.look, code) if decoration.options.mode == "w" else None
    if reading is not None:
        decoration.reader.check(f, reading, meant_in_session=view.meant, interactive=view.interactive)
        view = decoration.moment.defining(view, reading.reads.code)
        files |= reading.files
        if reading.encoded is not None:
            beside["globals"] = reading.encoded
    view = view.with_look(view.look.reaching(files).leaving(within))
    state = view.state()  # of modules too that only the walk has met
    check_allowed(decoration, state)
    if reading is not None and (untracked := further(reading.digests, met, state)):
        beside["untracked"] = encode(untracked, "untracked")
    if decoration.options.inputs:
        encoded["inputs"] = parameters.encoded_inputs(bound)
    return Context(seen, reading, view, state, beside), encoded | beside
