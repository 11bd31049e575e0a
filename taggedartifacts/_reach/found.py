"""What a walk finds: the values that count, each once, by its name, and what the text of a module fixes already.

How values are encoded, the walk is told: it knows no canonical form.
"""

from __future__ import annotations

import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .bindings import Computed, Defined, Literal, Taken, bindings_of
from .members import MADE, defaults, is_generated
from .objects import functions_of, home_of, is_code, leads_to, module_of, namespace, plain
from .prompt import has_arrived
from .reads import OF_ARGUMENT, OF_CELL
from .watch import MISSING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from types import CodeType

    from .bindings import Binding
    from .location import Location, Locator
    from .watch import Watch

_HAS_DOCSTRING = 0x4000000
_MOST_STEPS = 8  # modules that hand a name on


class Text:
    """The text of the modules of a work tree, and which of these one walk reaches.

    Attributes:
        spaces: The globals of each module that is reached, by its path relative to the root.

    Args:
        tree: The work tree.
    """

    def __init__(self, tree: Locator) -> None:
        self.spaces: dict[str, dict[str, Any]] = {}
        self._tree = tree

    def enter(self, space: dict[str, Any]) -> Location | None:
        """Note that a module is reached; None if it is not of the work tree."""
        location = self._tree.location(space)
        if location is not None:
            self.spaces.setdefault(location.path, space)
        return location

    def key(self, space: dict[str, Any], name: str) -> str:
        """Tell how a name of a module is called in the record."""
        location = self._tree.location(space)
        return name if location is None or self._tree.is_own(location) else f"{location.name}.{name}"

    def places(self) -> dict[str, str]:
        """Tell the paths of the modules that are not imported from where the function's own module is, by name."""
        reached = filter(None, map(self._tree.location, self.spaces.values()))
        return {each.name: each.path for each in reached if not self._tree.is_beside(each)}

    def is_literal(self, space: dict[str, Any], name: str, value: object) -> bool:
        """Say whether a name holds the immutable literal to which its file, or one that it imports, binds it once."""
        if name == "__doc__" and (value is None or self.is_unknown(space)):
            return True
        _, binding = self._origin(space, name)
        return isinstance(binding, Literal) and binding.is_held_by(value)

    def is_as_written(self, space: dict[str, Any], name: str, value: object) -> bool:
        """Say whether a name gives the function or class that the text of its module binds it to."""
        for _ in range(_MOST_STEPS):
            binding = self._binding(space, name)
            if isinstance(binding, Defined):
                return leads_to(value, binding.code, name)
            if isinstance(binding, Computed):
                return False
            if isinstance(binding, Taken):
                sources = [(binding.source, binding.name)]
            else:
                sources = [(star, name) for star in bindings_of(space).stars] if self.enter(space) else []
                if len(sources) > 1:
                    return False  # in branches perhaps
            found = [(namespace(module_of(source, space)), taken) for source, taken in sources if taken is not None]
            held = [(there, taken) for there, taken in found if there.get(taken, MISSING) is value]
            if not held:
                return False
            space, name = held[0]
            if self.enter(space) is None:
                return not self._tree.defines(value, space)
        return False

    def is_chosen(self, space: dict[str, Any], name: str) -> bool:
        """Say whether the text of a module, or of one that it imports from, binds a name to one of several things."""
        space, binding = self._origin(space, name)
        return isinstance(binding, Computed) or (binding is None and len(bindings_of(space).stars) > 1)

    def bound(self, space: dict[str, Any]) -> frozenset[str]:
        """List the names that the text of a module binds, perhaps in branches that were not taken."""
        return frozenset(bindings_of(space).names) if self.enter(space) is not None else frozenset()

    def is_one_of_several(self, value: object) -> bool:
        """Say whether the text of its module defines more than one function of that qualified name."""
        if not isinstance(value, FunctionType) or self.enter(value.__globals__) is None:
            return False
        return bindings_of(value.__globals__).times(value.__code__.co_qualname) > 1

    def describes(self, value: Any, name: str, found: object) -> bool:
        """Say whether a function or class describes itself, by an attribute, as the text of its module has it."""
        if isinstance(value, FunctionType):
            code = value.__code__
            written = {"__doc__": _docstring(code), "__name__": code.co_name, "__qualname__": code.co_qualname}
            return bool(written.get(name, {}) == found)
        qualname, texts = value.__qualname__, bindings_of(home_of(value))
        if name == "__qualname__":
            return texts.times(qualname) > 0
        if name == "__name__":
            return bool(found == qualname.rpartition(".")[2])
        if isinstance(binding := texts.of_class(qualname).get(name), Literal):
            return binding.is_held_by(found)
        # What dataclasses and named tuples write begins with the name; it may show the addresses of defaults.
        return not found or (isinstance(found, str) and found.startswith(f"{value.__name__}("))

    def is_unknown(self, space: dict[str, Any]) -> bool:
        """Say whether nothing is known of the text of a module."""
        return not bindings_of(space).names

    def is_defined(self, space: dict[str, Any], name: str) -> bool:
        """Say whether the text of a module, or of one that it imports from, binds a name by ``def`` or ``class``."""
        return isinstance(self._origin(space, name)[1], Defined)

    def is_plain(self, space: dict[str, Any], name: str) -> bool:
        """Say whether a name is bound by a ``def`` that nothing decorates, so that it can give nothing but code."""
        binding = self._origin(space, name)[1]
        return isinstance(binding, Defined) and binding.is_plain

    def set_defaults(self, kind: type, function: FunctionType) -> dict[str, Any]:
        """Collect the defaults of a function that was written into a class which the class itself does not tell."""
        found = {name: value for name, value in defaults(function).items() if type(value).__name__ not in MADE}
        for base in kind.__mro__ if found else ():
            bound = bindings_of(home_of(base)).of_class(base.__qualname__)
            for name, value in list(found.items()):
                binding = bound.get(name)
                is_written = isinstance(binding, Literal) and binding.is_held_by(value)
                if is_written or vars(base).get(name, MISSING) is value:
                    del found[name]
        return found

    def named(self, value: Any) -> list[tuple[FunctionType, str]]:
        """Name the functions of which code consists by their text; empty if no text defines one of them."""
        found = []
        for function in [value] if isinstance(value, FunctionType) else functions_of(value):
            code, bindings = function.__code__, bindings_of(function.__globals__)
            location = self.enter(function.__globals__)
            if location is None or not bindings.defines(code):
                return []
            name = f"{location.name}:{code.co_qualname}"
            found.append((function, f"{name} as {_told(function)}" if bindings.times(code.co_qualname) > 1 else name))
        return found

    def other_code(self, function: FunctionType) -> str | None:
        """Tell the code that was put into a function; None if it has that which its text gives it."""
        code, texts = function.__code__, bindings_of(function.__globals__)
        if not texts.names or has_arrived(function) or is_generated(function.__name__, function):
            return None
        if code.co_filename in (OF_CELL, OF_ARGUMENT):
            return None  # made here, of no text
        head, inner = code.co_qualname, plain(function)
        names = {function.__qualname__}
        if inner is not function:  # what a decorator made, whose name the statement says
            head = head.partition(".<locals>")[0].rpartition(".")[2]
            names = {chain[-1] for chain in bindings_of(inner.__globals__).read_by(inner.__qualname__)}
        return None if head in names and texts.defines(code) else _told(function)

    def _origin(self, space: dict[str, Any], name: str) -> tuple[dict[str, Any], Binding | None]:
        """Find what binds a name, in its module or in the one of the work tree from which that imports it."""
        for _ in range(_MOST_STEPS):
            binding = self._binding(space, name)
            if not isinstance(binding, Taken) or binding.name is None:
                return space, binding
            space, name = namespace(module_of(binding.source, space)), binding.name
        return space, None

    def _binding(self, space: dict[str, Any], name: str) -> Binding | None:
        return bindings_of(space).names.get(name) if self.enter(space) is not None else None

    def is_wrapped_definition(self, value: Any) -> bool:
        """Tell whether code of an enclosing function is what its own module defines by name, which text fixes."""
        module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
        space = namespace(sys.modules.get(str(module)))
        if self.enter(space) is None:
            return False
        binding = bindings_of(space).names.get(name)
        return isinstance(binding, Defined) and not binding.is_plain and leads_to(value, binding.code, name)


def _told(function: FunctionType) -> str:
    from .definition import source_of  # what reads source code is not for scripts to wait for

    return source_of(function).code


def _docstring(code: CodeType) -> str | None:
    """Tell the docstring that the text of a function gives it; from 3.14 on, a flag says whether there is one."""
    has_one = code.co_flags & _HAS_DOCSTRING if sys.version_info >= (3, 14) else code.co_name != "<lambda>"
    first = code.co_consts[0] if has_one and code.co_consts else None
    return first if isinstance(first, str) else None


# What stands for the value of a name that has none.
UNBOUND = {"unbound": True}


class Values:
    """The values that one walk counts.

    Attributes:
        texts: Canonical form of each, by name.
        readers: Who reads each.
        unknown: What has no canonical form, and why.
        code: The functions and classes that occur in them.

    Args:
        tree: The work tree: paths below its root count relative to it.
        text: What the text of its modules fixes.
        watch: Told of each value, so that it is encoded again only when it has changed.
        ignored: What is left out.
        encode: Encodes values.
    """

    def __init__(self, tree: Locator, text: Text, watch: Watch, ignored: Ignored, encode: Encode) -> None:
        self.texts: dict[str, bytes] = {}
        self.readers: dict[str, str] = {}
        self.unknown: dict[str, str] = {}
        self.code: list[object] = []
        self._kept: dict[str, int] = {}
        self._ids: set[int] = set()
        self._tree = tree
        self._text = text
        self._watch = watch
        self._ignored = ignored
        self._encode = encode

    def hold(self, value: object) -> bool:
        """Say whether a value counts, by whatever name."""
        return id(value) in self._ids

    def count(self, key: str, spelled: str, value: Any, label: str, *, is_defined: bool) -> list[object]:
        """Count a value, unless it is left out.

        Args:
            key: Its name in the record.
            spelled: Its name as the code that reads it spells it.
            value: The value.
            label: Who reads it.
            is_defined: Whether the text defines code of that name.

        Returns:
            The functions and classes that occur in it, which count too.
        """
        if self._ignored.has((key, spelled)):
            return []
        if (before := self._kept.get(key)) is not None:
            if before == id(value):
                return []
            key = f"{label}: {key}"
        self._kept[key] = id(value)
        self._ids.add(id(value))
        without = self._ignored.parts((key, spelled))
        met: list[object] = []

        def encode() -> Encoded:
            return self._encode(value, f"global {key!r}", without)

        encoded = encode()
        if (encoded.text is None or self._text.is_one_of_several(value)) and (code := self._text.named(value)):
            encoded = self._encode.named(code, f"global {key!r}")
            met += [function for function, _ in code]
        if not is_code(value):
            self._watch.value(value, encoded, encode)
        self._ignored.note((key, spelled), encoded.found)
        met += encoded.code
        if encoded.text is not None:
            self.texts[key] = self._tree.relative(encoded.text)
            self.readers[key] = label
        elif is_defined:
            raise self._encode.refuse(f"global {key!r}", encoded.reason)
        else:
            self.unknown[key] = encoded.reason
            met.append(type(value))
        self.code += met
        return met


class Encoded(NamedTuple):
    """How a value counts.

    Attributes:
        text: Its canonical form; None if it has none.
        reason: Why not.
        code: The functions and classes that occur in it.
        found: Which of the parts that were to be left out were there.
    """

    text: bytes | None
    reason: str = ""
    code: tuple[Any, ...] = ()
    found: frozenset[tuple[str, ...]] = frozenset()


class Encode(Protocol):
    """What encodes values; given to the walk by who knows how values are encoded."""

    def __call__(self, value: object, place: str, without: tuple[tuple[str, ...], ...]) -> Encoded:
        """Encode a value that stands at *place*, without the parts to which these paths lead."""

    def named(self, code: Collection[tuple[Any, str]], place: str) -> Encoded:
        """Encode functions by the names that their text gives them."""

    def refuse(self, place: str, reason: str) -> Exception:
        """Make the error that refuses code which decides the result and cannot be told."""


class Reads(NamedTuple):
    """What a function reads, as it is now.

    Attributes:
        values: Canonical form of each value that counts, by name.
        readers: Who reads each: ``plots.fig``.
        unknown: What does not count because it has no canonical form, and why.
        places: Paths of the modules that are not imported from where the function's own module is, by import name.
        spaces: The globals of the modules of the work tree that it reaches, by path relative to the root.
        ignored: Those of the names to be left out that meant something.
        code: The functions and classes that occur in the values.
    """

    values: Mapping[str, bytes]
    readers: Mapping[str, str]
    unknown: Mapping[str, str]
    places: Mapping[str, str]
    spaces: Mapping[str, dict[str, Any]]
    ignored: frozenset[str]
    code: Collection[object] = ()


class Ignored:
    """The names of what is left out, and which of them meant something.

    Attributes:
        found: Those that did.

    Args:
        names: Names of globals, of variables of enclosing functions, and of parts of them.
    """

    def __init__(self, names: Collection[str]) -> None:
        self.found: set[str] = set()
        self._names = tuple(names)

    def has(self, spellings: Iterable[str]) -> bool:
        """Say whether something is left out, by one of the names that it has."""
        found = {name for name in spellings if name in self._names}
        self.found |= found
        return bool(found)

    def parts(self, spellings: Iterable[str]) -> tuple[tuple[str, ...], ...]:
        """List the ways to the parts that are left out of something."""
        heads = {f"{name}." for name in spellings}
        return tuple(
            tuple(each[len(head) :].split(".")) for each in self._names for head in heads if each.startswith(head)
        )

    def note(self, spellings: Iterable[str], found: Iterable[tuple[str, ...]]) -> None:
        """Note which of the ways led to something."""
        self.found |= {".".join((name, *path)) for name in spellings for path in found} & set(self._names)
