"""How a call is prepared: found again by a key of its plain data, taken from the call before, or computed anew."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .._canonical.encoding import encode
from .._hashing import hexdigest_parts
from .._reach.met import Met, calling
from .call import Call, Context, check_allowed
from .destination import Destination, working_directory
from .plain import plain_key
from .reading import further, may_name_globals, meeting

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable

    from .._session.moment import View
    from .call import Decoration

_CALL_BYTES = 4096  # of a prepared call, beside its key and its canonical form


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
