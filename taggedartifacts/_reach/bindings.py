"""What the text of a module, or of a class in it, binds each name to: literals, definitions, imports.

Read off the module's code object. What the text fixes is fixed by the commit; every other value counts as a value.
"""

from __future__ import annotations

import functools
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .loaded import loaded_code
from .members import instructions, nested
from .prompt import SCRIPT
from .reads import Imported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BINDS = frozenset({"STORE_NAME", "STORE_GLOBAL"})
_UNBINDS = frozenset({"DELETE_NAME", "DELETE_GLOBAL"})
_MAKES = frozenset({"MAKE_FUNCTION", "SET_FUNCTION_ATTRIBUTE"})
_MOST_KNOWN = 4096  # modules


class Literal(NamedTuple):
    """A name that is bound once, and to an immutable constant.

    Attributes:
        value: The constant.
    """

    value: object

    def is_held_by(self, value: object) -> bool:
        """Say whether a value is still that of the text; ``1``, ``1.0`` and ``True`` differ."""
        return value is self.value or (type(value) is type(self.value) and repr(value) == repr(self.value))


class Defined(NamedTuple):
    """A name that is bound once, by ``def`` or ``class``.

    Attributes:
        code: The code object of the function, or that of the body of the class.
        is_plain: Whether nothing decorates it.
        reads: What the statement reads, unless it is a plain ``def``: names, each with the attributes that follow it.
    """

    code: CodeType
    is_plain: bool
    reads: tuple[tuple[str, ...], ...] = ()


class Taken(NamedTuple):
    """A name that is bound once, by an import.

    Attributes:
        source: The module.
        name: What of it; None for the module itself.
    """

    source: Imported
    name: str | None


class Computed(NamedTuple):
    """A name that is bound to something else, or more than once."""


Binding: TypeAlias = Literal | Defined | Taken | Computed


class Bindings:
    """What the text of a module binds.

    Args:
        code: The module's code object; without it, nothing is known, and everything counts as a value.
    """

    def __init__(self, code: CodeType | None) -> None:
        self._code = compile("", "", "exec") if code is None else code
        self._bodies: dict[str, Mapping[str, Binding]] = {}

    @functools.cached_property
    def _parts(self) -> Mapping[str, list[CodeType]]:
        found: dict[str, list[CodeType]] = {}
        for part in nested(self._code):
            found.setdefault(part.co_qualname, []).append(part)
        return found

    @functools.cached_property
    def _bound(self) -> tuple[Mapping[str, Binding], tuple[Imported, ...]]:
        return _bound(self._code, _global_stores(self._code))

    @property
    def names(self) -> Mapping[str, Binding]:
        """The names of the module."""
        return self._bound[0]

    @property
    def stars(self) -> tuple[Imported, ...]:
        """The modules of which it imports all names."""
        return self._bound[1]

    def of_class(self, qualname: str) -> Mapping[str, Binding]:
        """Tell what the body of a class binds; nothing is known of one that is defined more than once."""
        if qualname not in self._bodies:
            parts = self._parts.get(qualname, [])
            self._bodies[qualname] = _bound(parts[0], ())[0] if len(parts) == 1 else {}
        return self._bodies[qualname]

    def read_by(self, qualname: str) -> tuple[tuple[str, ...], ...]:
        """List what the statement reads that defines a function or class: its decorators, and the bases of a class."""
        outer, _, name = qualname.rpartition(".")
        binding = (self.of_class(outer) if outer else self.names).get(name)
        return binding.reads if isinstance(binding, Defined) else ()

    def defines(self, code: CodeType) -> bool:
        """Say whether the text defines a function of this very code."""
        return code in self._parts.get(code.co_qualname, ())

    def fixes_defaults(self, code: CodeType, defaults: tuple[object, ...]) -> bool:
        """Say whether these defaults of a function are the constants that its definition writes."""
        written = self._defaults.get((code.co_qualname, code.co_firstlineno))
        return written is not None and Literal(written).is_held_by(defaults)

    @functools.cached_property
    def _defaults(self) -> dict[tuple[str, int], tuple[object, ...]]:
        return dict(_constant_defaults(self._code))

    def is_of(self, code: CodeType) -> bool:
        """Say whether this is the module's very code object."""
        return self._code is code

    def times(self, qualname: str) -> int:
        """Tell how often the text defines a function or class of that qualified name."""
        return len(self._parts.get(qualname, ()))


# By the globals of a module, and by its load: until it is loaded anew, or too many are known. Of a script in a session,
# its file besides: until the script runs again in other globals, or too many scripts are known.
_known: dict[int, tuple[dict[str, Any], object, Bindings, object]] = {}


def note(space: dict[str, Any], code: CodeType) -> None:
    """Keep the code object of a module that is being loaded: it is what its text says, whatever becomes of the file."""
    if code.co_filename != space.get("__file__"):
        return  # of an exec
    known = _known_of(space)
    if known is None or not known.is_of(code):  # `%run` runs a script again in the globals that it had before
        _keep(space, Bindings(code))


def bindings_of(space: dict[str, Any]) -> Bindings:
    """Tell what the text binds of the module that has these globals, as it was loaded."""
    return _known_of(space) or _keep(space, Bindings(loaded_code(space)))


def _known_of(space: dict[str, Any]) -> Bindings | None:
    known = _known.get(id(space))
    return known[2] if known is not None and known[1] is _load_of(space) else None


def _keep(space: dict[str, Any], bindings: Bindings) -> Bindings:
    if len(_known) >= _MOST_KNOWN:
        for key, (_, _, _, kept) in list(_known.items()):
            if kept is None:
                _known.pop(key, None)
        if len(_known) >= _MOST_KNOWN // 2:
            _known.clear()
    if (name := space.get("__name__")) in SCRIPT:
        # A script that runs again in globals of its own, as in Streamlit, must not keep all that it ever held.
        script = name, space.get("__file__")
        for key, (other, _, _, kept) in list(_known.items()):
            is_told = "__file__" in other or kept is None  # else nothing but this tells the file
            if other is not space and is_told and (other.get("__name__"), other.get("__file__")) == script:
                _known.pop(key, None)
    _known[id(space)] = space, _load_of(space), bindings, kept_file(space)
    return bindings


def keep_file(space: dict[str, Any]) -> None:
    """Keep the file and the text of a script that runs in a session: ``python -i`` and IPython forget the name then."""
    if space.get("__name__") in SCRIPT:
        _known[id(space)] = space, _load_of(space), bindings_of(space), space.get("__file__")


def kept_file(space: dict[str, Any]) -> object:
    """Tell the file of a script, by its globals, that was kept; None if there is none."""
    known = _known.get(id(space))
    return None if known is None else known[3]


def holds_literals(space: dict[str, Any]) -> bool:
    """Say whether the names that the text of a module binds once, and to a literal, still hold it."""
    names = bindings_of(space).names.items()
    return all(
        binding.is_held_by(space[name]) for name, binding in names if isinstance(binding, Literal) and name in space
    )


def _load_of(space: dict[str, Any]) -> object:
    return space.get("__spec__") or space


def _constant_defaults(code: CodeType) -> Iterator[tuple[tuple[str, int], tuple[object, ...]]]:
    """Iterate over the functions whose defaults for positional parameters are one constant, a tuple."""
    for part in nested(code):
        loaded: list[object] = []
        for operation, value, argument in instructions(part):
            if operation == "LOAD_CONST":
                loaded.append(value)
            elif operation in _MAKES:
                made = [each for each in loaded if isinstance(each, CodeType)]
                # The flag says whether there are defaults. They come first, before annotations and the code.
                if made and argument & 1 and isinstance(loaded[0], tuple):
                    yield (made[-1].co_qualname, made[-1].co_firstlineno), loaded[0]
                if operation != "MAKE_FUNCTION" or argument or not made:
                    loaded = []
            elif operation not in ("BUILD_CONST_KEY_MAP", "BUILD_TUPLE", "LOAD_CLOSURE", "LOAD_BUILD_CLASS"):
                loaded = []


def _global_stores(code: CodeType) -> Iterator[str]:
    for part in nested(code):
        if part is not code:
            for operation, value, _ in instructions(part):
                if operation in ("STORE_GLOBAL", "DELETE_GLOBAL"):
                    yield str(value)


def _bound(code: CodeType, elsewhere: Any) -> tuple[Mapping[str, Binding], tuple[Imported, ...]]:
    """Tell what a module or a class body binds, given what its functions bind by ``global``."""
    found: dict[str, Binding] = {}
    several = set(elsewhere)
    stars: list[Imported] = []
    for name, binding in _stores(code, stars):
        # `import a.b` and `import a.c` bind the same.
        if name in found and not (isinstance(binding, Taken) and found[name] == binding):
            several.add(name)
        found[name] = binding
    return {name: Computed() if name in several else binding for name, binding in found.items()}, tuple(stars)


def _stores(code: CodeType, stars: list[Imported]) -> Iterator[tuple[str, Binding]]:
    constants: list[object] = []  # what the next stores take, if all of it is constant
    made: list[CodeType] = []
    is_class, last, last_value = False, "", None
    module, names, before = Imported("", 0), None, None
    loaded: list[tuple[str, ...]] = []
    value: Any
    for operation, value, _ in instructions(code):
        if operation in _BINDS:
            if constants:
                yield value, Literal(constants.pop())
                last, made = operation, []
                continue
            binding = _binding(value, last, last_value, made, module, names, is_class=is_class)
            if isinstance(binding, Defined) and not binding.is_plain:
                binding = binding._replace(reads=tuple(loaded))
            yield value, binding
        elif operation in _UNBINDS:
            yield value, Computed()
        elif operation in ("LOAD_CONST", "LOAD_SMALL_INT"):
            if isinstance(value, CodeType):
                made.append(value)
            constants = [] if isinstance(value, CodeType) else [value]
        elif operation == "COPY" and constants:
            constants.append(constants[-1])
        elif operation == "UNPACK_SEQUENCE" and len(constants) == 1 and isinstance(constants[0], tuple):
            constants = list(reversed(constants[0]))
        elif operation == "LOAD_BUILD_CLASS":
            is_class, constants = True, []
        elif operation in ("LOAD_NAME", "LOAD_GLOBAL"):
            loaded, constants = [*loaded, (value,)], []
        elif operation in ("LOAD_ATTR", "LOAD_METHOD") and loaded:
            loaded, constants = [*loaded[:-1], (*loaded[-1], value)], []
        elif operation == "IMPORT_NAME":
            module = Imported(value, before if isinstance(before, int) else 0)
            names, constants = last_value, []
        elif operation != "SWAP" or len(constants) < 2:
            constants = []
            if operation == "IMPORT_STAR" or (operation == "CALL_INTRINSIC_1" and last == "IMPORT_NAME"):
                stars.append(module)
        if operation in _BINDS or operation in ("POP_TOP", "STORE_ATTR", "STORE_SUBSCR"):
            is_class, made, loaded = False, [], []
        if operation == "POP_TOP" and last == "IMPORT_FROM":
            continue  # the end of a from-import; SWAP and POP_TOP take a dotted name apart
        if operation not in ("SWAP", "POP_TOP"):
            last, before, last_value = operation, last_value, value


def _binding(
    name: str, last: str, value: Any, made: list[CodeType], module: Imported, names: object, *, is_class: bool
) -> Binding:
    if last == "IMPORT_NAME":
        return Taken(module._replace(module=module.module.partition(".")[0]), None)
    if last == "IMPORT_FROM":
        return Taken(module, None if not names else value)
    mine = [code for code in made if code.co_name == name]
    if len(mine) == 1 and (is_class or last in _MAKES or last.startswith("CALL")):
        return Defined(mine[0], is_plain=last in _MAKES)
    return Computed()
