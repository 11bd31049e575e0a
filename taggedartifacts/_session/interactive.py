"""The walk over all that an interactive function reaches: definitions, values that they read, and names."""

from __future__ import annotations

import functools
import sys
from contextvars import ContextVar
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from .._canonical import encoding
from .._canonical.refused import Part
from .._errors import UnhashableError
from .._reach.definition import Source, is_our_decorator, replaced, source_of
from .._reach.found import Ignored
from .._reach.hiding import read
from .._reach.members import attributes, closure_of, defaults, methods
from .._reach.objects import is_written_only, module_of
from .._reach.prompt import is_from_session, is_interactive, is_interactive_class, is_typed, own_function
from .._reach.reads import assigned, names_read
from .._reach.survey import Hidden, Imports
from .._reach.watch import MISSING, Watch
from .entries import (
    asked,
    enclosed,
    entries,
    function_attributes,
    lacking,
    maker,
    order,
    said,
    state,
    statement,
    told_of_itself,
)
from .mentions import Mentions, readers

if TYPE_CHECKING:
    from collections.abc import Mapping


class Walk:
    """One walk over all that a function reaches. Not recursive, so that functions may call each other in circles."""

    def __init__(
        self, ignore: frozenset[str], *, values: bool, own: tuple[object, frozenset[str]] = (None, frozenset())
    ) -> None:
        self.sources: dict[str, Source] = {}
        self.reached: list[Any] = []
        self.strings: bytes | None = None
        self.read: dict[int, FunctionType | type] = {}
        self.held: list[object] = []
        self.files: set[str] = set()
        self._statements: set[str] = set()
        self._asked: set[str] = set()
        self.assigned: set[str] = set()
        self._ignore = ignore
        self._ignored = Ignored(ignore)
        self._ignored_heads = frozenset(name.partition(".")[0] for name in ignore)
        self._own, self._own_ignored = own
        self._values = values
        self.watch = Watch(visits_code=False)
        self._mentions = Mentions(self.watch)
        self._space: Mapping[str, Any] = {}
        self._first = ""
        self._visited = 0
        self._keys: dict[int, str] = {}
        self._definitions: dict[str, dict[str, bytes]] = {}
        self._globals: dict[str, bytes] = {}
        self._names: dict[str, bytes] = {}
        self._orders: dict[str, bytes] = {}
        self._marks: dict[int, int] = {}

    def follow(self, root: object) -> None:
        """Visit a function and all that it reaches."""
        token = active.set(self)
        try:
            self._first = self._key(root)
            self._visit_all()
        finally:
            active.reset(token)

    def take_mentioned(self) -> None:
        """Take in what the globals are that strings name, and all that these reach: apart, so that it can be sent."""
        further = Walk(self._ignore, values=self._values)
        further._mentions, further._marks, further.watch = self._mentions, self._marks, self.watch
        if not self._mentions or not further._follow_mentions(self._first):
            return
        self.strings = further.encoded()
        for name, source in further.sources.items():
            self.sources[name if self.sources.get(name, source) is source else f"{name} by a string"] = source
        self.read |= further.read
        self.held += further.held
        self.files |= further.files
        self.assigned |= further.assigned
        self._ignored.found |= further._ignored.found
        self._statements |= further._statements

    def _follow_mentions(self, owner: str) -> bool:
        token = active.set(self)
        done: set[tuple[str, int]] = set()
        try:
            while pending := [each for each in self._mentions.items() if (each[0], id(each[1])) not in done]:
                for name, space, is_key in pending:
                    done.add((name, id(space)))
                    self._space = space
                    self._take_mention(name, space[name], owner, is_key=is_key)
                self._visit_all()
        finally:
            active.reset(token)
        return bool(self._names or self._globals)

    def _take_mention(self, name: str, value: Any, owner: str, *, is_key: bool) -> None:
        if _is_of_shell(value) or (is_key and (callable(value) or isinstance(value, ModuleType))):
            return
        before = len(self.reached)
        try:
            self._put(owner, "globals", {name: value})
        except UnhashableError as error:
            self.watch.lose()
            if not is_key:
                raise UnhashableError(
                    f"a string names the global {name!r}, or code may read all: {error}"
                ) from error.__cause__
            for each in self.reached[before:]:
                del self._keys[id(each)]
            del self.reached[before:]

    def _visit_all(self) -> None:
        while self._visited < len(self.reached):  # which grows meanwhile
            value = self.reached[self._visited]
            self._visited += 1
            self._visit(value, self._keys[id(value)])
            if self._asked and self._visited == len(self.reached):
                self.watch.lose()
                for each in list(self.reached):
                    self._put(self._keys[id(each)], "described", told_of_itself(each, self._asked))

    def imports(self) -> Imports:
        """Tell what the definitions import, as a file would that held them and imported what they read."""
        texts = [source.text for source in self.sources.values()]
        text = "\n".join([*sorted(self._statements), *(each for each in texts if each is not None)])
        found = _imports(text)
        if None in texts:
            return found._replace(hides=(*found.hides, Hidden(1, "has no source that is known")))
        return found

    def meant(self) -> frozenset[str] | None:
        """Tell which of the ignored names meant something; None if code may read any name without saying it."""
        if self._mentions.reach_all:
            return None
        named = {name for name in self._ignore if name.partition(".")[0] in self._mentions.names}
        return frozenset(self._ignored.found | named | self._own_ignored)

    def encoded(self) -> bytes:
        """Encode what was found."""
        definitions = encoding.join({key: encoding.join(parts) for key, parts in self._definitions.items()})
        parts = {"function": _name_text(self._first), "definitions": definitions}
        if self._globals:
            parts["globals"] = encoding.join(self._globals)
        if self._names:
            parts["names"] = encoding.join(self._names)
        if self.strings is not None:
            parts["strings"] = self.strings
        if self._orders:
            parts["orders"] = encoding.join(self._orders)
        return encoding.join(parts)

    def reference(self, value: Any) -> str | None:
        """Tell what counts by its name, and follow it if it is interactive; None for a value that counts as such."""
        if isinstance(value, ModuleType):
            return f"module {value.__name__}"
        if type(value) is object:  # a mark, told by who else holds the same
            return f"mark {self._marks.setdefault(id(value), len(self._marks))}"
        if isinstance(value, type):
            return f"definition {self._key(value)}" if is_interactive_class(value) else None
        if type(value).__module__ == "logging" and isinstance(getattr(value, "name", None), str):
            return f"logger {value.name}"
        if isinstance(value, FunctionType):
            made = "<locals>" in value.__code__.co_qualname and "<lambda>" not in value.__code__.co_qualname
            importable = value.__module__ != "__main__" and "<locals>" not in value.__qualname__
            if is_interactive(value) or (made and not importable):
                return f"definition {self._key(value)}"
            return f"function {value.__module__}:{value.__qualname__} as {old}" if (old := replaced(value)) else None
        return f"definition {self._key(value)}" if said(value, "__wrapped__") and is_interactive(value) else None

    def _key(self, value: Any) -> str:
        if id(value) not in self._keys:
            name = key = said(value, "__qualname__") or type(value).__qualname__
            count = 1
            while key in self._keys.values():
                count += 1
                key = f"{name} ({count})"
            self._keys[id(value)] = key
            self.reached.append(value)
        return self._keys[id(value)]

    def _visit(self, value: Any, key: str) -> None:
        self._definitions[key] = {}
        own = own_function(value) if isinstance(value, type) else value
        self._space = own.__globals__ if isinstance(own, FunctionType) else vars(sys.modules["__main__"])
        if isinstance(value, type):
            self.watch.lose()
            self._visit_class(value, key)
        elif isinstance(value, FunctionType) and is_from_session(value):
            self._visit_code(value, key)
        elif is_our_decorator(value) or (isinstance(value, FunctionType) and _is_our_wrapper(value)):
            self.watch.mapping(vars(value))
            self._put(key, "wrapped", {"__wrapped__": value.__wrapped__})
            options = vars(value)["_taggedartifacts"].options if "_taggedartifacts" in vars(value) else None
            config = None if options is None else options.config
            if callable(config):
                self.watch.lose()
            self._put(key, "decorator", {"config": config() if callable(config) else config})
            if options is not None and options.load is not None and key != self._first:
                self._put(key, "loaded", {"load": options.load})
            self._put(key, "attributes", function_attributes(value))
        else:
            self.watch.lose()
            self.held.append(value)
            made = maker(value)
            self._definitions[key]["made"] = _name_text(made)
            if file := getattr(sys.modules.get(made.partition(":")[0]), "__file__", None):
                self.files.add(file)
            self._put(key, "attributes", state(value))
            if hasattr(value, "__wrapped__"):
                self._put(key, "wrapped", {"__wrapped__": value.__wrapped__})
            if isinstance(value, FunctionType):
                self._put(key, "defaults", defaults(value))
                self._put(key, "closure", enclosed(value))

    def _visit_code(self, function: FunctionType, key: str) -> None:
        source = self.sources[key] = source_of(function)
        self.watch.function(function)
        self.watch.mapping(vars(function))
        for cell in function.__closure__ or ():
            self.watch.cell(cell)
        self._definitions[key]["code"] = _name_text(source.code)
        ignored = self._own_ignored if function is self._own else ()
        self._put(key, "defaults", {name: each for name, each in defaults(function).items() if name not in ignored})
        self._put(key, "closure", closure_of(function))
        self._put(key, "attributes", function_attributes(function))
        self._read(function, key, source)

    def _visit_class(self, kind: type, key: str) -> None:
        source = source_of(kind)
        if not source.is_data:
            self.sources[key] = source
        self._definitions[key]["code"] = _name_text(source.code)
        bases = {f"base {number}": base for number, base in enumerate(kind.__mro__[1:]) if is_interactive_class(base)}
        self._put(key, "bases", bases)
        # Of those in files, the walk over what files define takes what they hold.
        above = (*kind.__mro__[1:], type(kind))
        self.read |= {id(base): base for base in above if not is_interactive_class(base)}
        self._put(key, "attributes", dict(attributes(kind)))
        self._put(key, "entries", dict(entries(kind)))
        if names := lacking(kind, source.text):
            self._definitions[key]["lacking"] = encoding.encode(names, "name")
        for name, method in methods(kind).items():
            if _is_one_of_several(method, source):
                self._definitions[key][f"code of {name}"] = _name_text(source_of(method).code)
            self._put(key, f"defaults of {name}", defaults(method))
            self._put(key, f"closure of {name}", closure_of(method))
            self._read(method, key, source_of(method))

    def _read(self, function: FunctionType, owner: str, source: Source) -> None:
        self._mentions.of_code(function, source)
        self._asked |= asked(function.__code__)
        self.assigned |= assigned(function.__code__)
        self.read |= {id(reader): reader for reader in readers(function, self.watch)}
        chains = names_read(function.__code__).globals
        if self._ignore:
            self._note_named(function)
        for name in source.reads:
            value = function.__globals__.get(name, MISSING)
            self.watch.name(function.__globals__, name, value)
            is_ignored = name in self._ignore and self._ignored.has((name,))
            if is_ignored or value is MISSING or _is_of_shell(value):
                continue
            if not all(is_written_only(chain, value) for chain in chains.get(name, ((),))):
                self._put(owner, "globals", {name: value})

    def _note_named(self, function: FunctionType) -> None:
        """Note the ignored names that code spells, and all parts of what is not there yet."""
        names, space = names_read(function.__code__), function.__globals__
        found = [(name, chains, name in space) for name, chains in names.globals.items()]
        held = closure_of(function)
        found += [(name, chains, name in held) for name, chains in names.cells.items()]
        for imported, chains in names.imports.items():
            found.append((imported.module, chains, module_of(imported, space) is not None))
        for name, chains, is_there in found:
            if name.partition(".")[0] not in self._ignored_heads:
                continue
            spelled = {chain[:count] for chain in chains for count in range(1, len(chain) + 1)}
            self._ignored.note((name,), spelled if is_there else self._ignored.parts((name,)))
        for name in names.cells:
            self._ignored.has((name,))

    def _put(self, owner: str, part: str, values: Mapping[str, Any]) -> None:
        kept: dict[str, bytes] = {}
        for name, value in values.items():
            if self._ignore and self._ignored.has(_spellings(name, owner, part)):
                continue
            self._statements.add(statement(name, value))
            if isinstance(value, FunctionType | type):
                if not is_typed(value):
                    self.read[id(value)] = value
                if isinstance(value, FunctionType) and not self.watch.named(value):
                    self.watch.result(functools.partial(replaced, value), replaced(value))
            if (reference := self.reference(value)) is not None:
                self._add(
                    self._names, name if part == "globals" else f"{owner}: {part} {name}", owner, _name_text(reference)
                )
                continue
            if is_interactive_class(type(value)):
                self._key(type(value))
            if self._values:
                encoded, ordered = told = self._told(value, name, owner, part)
                self.watch.value(value, told, functools.partial(self._told_again, value, name, owner, part))
                self._mentions.of_value(value, self._space, is_code=part == "described")
                if ordered:
                    where = name if part == "globals" else f"{owner}: {part} {name}"
                    self._add(self._orders, where, owner, encoding.encode(ordered, name))
                if part == "globals":
                    self._add(self._globals, name, owner, encoded)
                else:
                    kept[name] = encoded
        if kept:
            self._definitions[owner][part] = encoding.join(kept)

    def _add(self, found: dict[str, bytes], name: str, owner: str, encoded: bytes) -> None:
        # Functions of other namespaces may mean another object by the same name.
        found[name if found.get(name, encoded) == encoded else f"{owner}: {name}"] = encoded

    def _told(self, value: object, name: str, owner: str, part: str) -> tuple[bytes, object]:
        return self._encode(value, name, owner, part), order(value)

    def _told_again(self, value: object, name: str, owner: str, part: str) -> object:
        token = active.set(self)
        try:
            return self._told(value, name, owner, part)
        except UnhashableError:
            return None
        finally:
            active.reset(token)

    def _encode(self, value: object, name: str, owner: str, part: str) -> bytes:
        place = f"global {name!r}" if part == "globals" else f"{name!r} in the {part} of {owner}"
        spellings, found = _spellings(name, owner, part), set[tuple[str, ...]]()
        without = self._ignored.parts(spellings) if self._ignore else ()
        try:
            if not without:
                return encoding.encode(value, place)
            encoded = encoding.encode(Part(value, without, found), place)
            self._ignored.note(spellings, found)
            return encoded
        except UnhashableError as error:
            raise UnhashableError(
                f"{owner} is defined interactively, so what it reads decides its results: {error}; "
                f"if it does not decide them, ignore=({name!r},), else pass it as an argument"
            ) from error.__cause__  # its text says all of the error itself


active: ContextVar[Walk | None] = ContextVar("taggedartifacts.walk", default=None)


@functools.lru_cache(maxsize=64)  # of functions that reach classes, which are looked into at each call
def _imports(text: str) -> Imports:
    return read(text.encode(errors="surrogatepass"))


def _spellings(name: str, owner: str, part: str) -> tuple[str, ...]:
    return (name,) if part == "globals" else (name, f"{owner}.{name}")


def _is_one_of_several(method: FunctionType, source: Source) -> bool:
    """Tell whether the text of a class has more functions of a name, as in branches."""
    name = method.__code__.co_name
    text = "lambda" if name == "<lambda>" else f"def {name}("
    return source.text is not None and source.text.count(text) > 1


def _name_text(text: str) -> bytes:
    return encoding.encode(text, "name")


def _is_of_shell(value: Any) -> bool:
    # IPython puts functions of its own among the globals: get_ipython, exit, and an open that guards standard input.
    if not callable(value):
        return False
    homes = (said(value, "__module__"), (said(value, "__globals__") or {}).get("__name__"))
    return any(str(home).partition(".")[0] in ("IPython", "ipykernel") for home in homes)


def _is_our_wrapper(function: FunctionType) -> bool:
    return str(function.__globals__.get("__name__", "")).partition(".")[0] == __name__.partition(".")[0]
