"""Interactive functions: the fingerprint that stands for code which is no file of a commit.

A function from a cell is told by its definition, those of the interactive functions and classes that it reaches, and
the values that it reads. All of it enters the config hash at each call, so a redefined helper or constant never gives a
stale hit, and undoing the change finds the old artifact.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any

from .._hashing import hexdigest
from .._reach import definition
from .._reach.met import Met
from .._reach.prompt import has_arrived, is_typed
from .._reach.reads import ITEM
from .interactive import Walk, active

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from types import CodeType

    from .._reach.definition import Source
    from .._reach.survey import Imports
    from .._reach.watch import Watch


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What an interactive function is at one call.

    Attributes:
        encoded: The canonical encoding of a dict: which ``function``; for each of the ``definitions`` the digest of its
            ``code``, its ``defaults``, ``closure``, ``attributes`` and ``entries``; the values of the ``globals`` that
            they read; the ``names`` by which they reach modules and other definitions; the ``orders`` of tuples and
            dicts in the values; and, in the same form, the ``strings``: what the globals are that strings of it name.
        sources: The interactive definitions among them, by name.
        imports: What the definitions import, with the modules of what they read.
        read: Functions and classes of modules by which they read what these hold.
        held: What else brings code of modules: what wraps functions, and the code that occurs in the values.
        files: The files of the code that occurs in the values, and of what wraps functions among them.
        assigned: The names that the code assigns.
        meant: The ignored names that meant something; None if that cannot be told.
    """

    encoded: bytes
    sources: Mapping[str, Source]
    imports: Imports
    read: tuple[FunctionType | type, ...]
    held: tuple[object, ...]
    files: frozenset[str]
    assigned: frozenset[str]
    meant: frozenset[str] | None


class Definition:
    """The definition of a decorated interactive function, taken at decoration, before the session moves on.

    It can be sent to a worker with its function: it carries the sources of the helpers, which cloudpickle drops.

    Args:
        function: What was decorated: a function, perhaps below decorators of others.
        ignore: Names of parameters of the function, and of globals, closure variables and defaults of what it reaches,
            that do not decide the result. The name of a parameter leaves out nothing else.
    """

    def __init__(self, function: Any, ignore: Collection[str] = ()) -> None:
        self.function = function
        self._ignore = frozenset(ignore)
        self._strings: bytes | None = None
        self._known: tuple[Watch, Fingerprint] | None = None
        self._walk(values=False)

    def fingerprint(self) -> Fingerprint:
        """Take the fingerprint as of now; the same object as before if nothing has changed that it was taken from.

        The same definitions and values give the same one on every machine and version of Python. The order of cells,
        comments, formatting and docstrings do not count; neither do the names of globals that do not exist (yet).

        Raises:
            UnhashableError: If a value has no canonical form; names it and the remedies.
        """
        if self._known is not None and self._known[0].holds():
            return self._known[1]
        with Met() as met:
            walk = self._walk(values=True)
            plain = inspect.unwrap(self.function)
            arrived = isinstance(plain, FunctionType) and has_arrived(plain)
            if arrived:
                walk.strings = self._strings  # what strings name was not sent along
                walk.watch.lose()
            else:
                walk.take_mentioned()
                self._strings = walk.strings
        fingerprint = Fingerprint(
            walk.encoded(),
            walk.sources,
            walk.imports(),
            tuple(walk.read.values()),
            (*walk.held, *met.code.values()),
            frozenset(met.files | walk.files),
            frozenset(walk.assigned),
            None if arrived else walk.meant(),
        )
        self._known = walk.watch, fingerprint
        return fingerprint

    def _walk(self, *, values: bool) -> Walk:
        ignore = self._ignore if values else frozenset[str]()  # a worker may ask for the source of what is ignored
        plain = inspect.unwrap(self.function)
        parameters = _parameters(plain.__code__) if isinstance(plain, FunctionType) else ()
        own = frozenset(name for name in ignore if name.partition(".")[0] in parameters)
        walk = Walk(ignore - own, values=values, own=(plain, own))
        walk.follow(self.function)
        return walk

    def __getstate__(self) -> tuple[Any, frozenset[str], dict[str, Source], bytes | None]:
        walk = self._walk(values=False)
        # What is not reached may come as an argument.
        others = definition.of_session(inspect.unwrap(self.function).__globals__)
        return self.function, self._ignore, definition.carried([*walk.reached, *others]), self._strings

    def __setstate__(self, state: tuple[Any, frozenset[str], dict[str, Source], bytes | None]) -> None:
        self.function, self._ignore, sources, self._strings = state
        self._known = None
        definition.unpack(sources)


def value_digest(value: object) -> str | None:
    """Tell the definition of an interactive function or class that is part of a value, for its canonical form."""
    if (walk := active.get()) is not None:
        return walk.reference(value)
    walk = Walk(frozenset(), values=True)
    walk.follow(value)
    walk.take_mentioned()
    return hexdigest(walk.encoded())


def definitions_in(
    values: Iterable[object],
) -> tuple[list[Source], tuple[FunctionType | type, ...], tuple[object, ...]]:
    """List the definitions of the session that functions and classes consist of or reach; what these read, and hold."""
    walk = Walk(frozenset(), values=True)
    for value in values:
        if is_typed(value):
            walk.follow(value)
    walk.take_mentioned()
    return list(walk.sources.values()), tuple(walk.read.values()), tuple(walk.held)


def _parameters(code: CodeType) -> tuple[str, ...]:
    further = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + further]


def moved(before: bytes, now: bytes, assigned: Collection[str], *, executed: bool) -> list[str]:
    """List the names of what two fingerprints tell otherwise, without what the code itself changes.

    Args:
        before: The fingerprint with which a call began.
        now: That of the same function now.
        assigned: The names that the code assigns: globals, variables of enclosing functions, attributes; `ITEM`.
        executed: Whether the session ran something else meanwhile. If not, what changed in place the code changed.
    """
    old, new = dict(_places(_values_in(before))), dict(_places(_values_in(now)))
    found = []
    for place in sorted(old.keys() | new.keys()):
        first, then = old.get(place), new.get(place)
        name = place[-1].rpartition(" ")[2]
        if first == then or name in assigned:
            continue
        is_in_place = isinstance(first, dict | list) and isinstance(then, dict | list)
        if not (is_in_place and not executed) and not (ITEM in assigned and (is_in_place or not executed)):
            found.append(name if place[-1] != "code" else place[-2])
    return list(dict.fromkeys(found))


def names_in(encoded: bytes) -> list[str]:
    """List the names of what a fingerprint tells."""
    return [place[-1].rpartition(" ")[2] for place, _ in _places(_values_in(encoded))]


def _values_in(encoded: bytes) -> Any:
    # As they are written: `1`, `1.0` and `"1"` differ.
    return json.loads(encoded, parse_int=_number, parse_float=_number)


def _number(text: str) -> tuple[str]:
    return (text,)


def _places(told: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, parts in told["definitions"].items():
        for part, values in parts.items():
            if isinstance(values, dict):
                yield from (((key, part, name), value) for name, value in values.items())
            else:
                yield (key, part), values
    for part in ("globals", "names"):
        yield from (((part, name), value) for name, value in told.get(part, {}).items())
    if "strings" in told:
        yield from ((("strings", *place), value) for place, value in _places(told["strings"]))
