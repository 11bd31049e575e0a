"""Remembers what a walk found, and tells cheaply whether the next walk would find the same."""

from __future__ import annotations

import sys
from functools import partial
from operator import is_
from types import BuiltinFunctionType, FunctionType, MemberDescriptorType, ModuleType
from typing import TYPE_CHECKING, Any

from .prompt import SCRIPT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import CellType, CodeType

MISSING = object()
_CODE = (FunctionType, ModuleType, type)
_MOST = 1 << 15  # things that one watch keeps an eye on; beyond, values are encoded at each call
# By name, since to import what defines them would cost every script time.
_UNCHANGING = frozenset(
    {
        *("builtins.str", "builtins.int", "builtins.float", "builtins.bool", "builtins.NoneType", "builtins.bytes"),
        *("builtins.complex", "builtins.range", "builtins.ellipsis", "builtins.builtin_function_or_method"),
        *("pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.PurePosixPath", "pathlib.PureWindowsPath"),
        *("pathlib._local.PosixPath", "pathlib._local.WindowsPath", "taggedartifacts.ArtifactPath"),
        *("datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta", "datetime.timezone"),
        *("decimal.Decimal", "fractions.Fraction", "uuid.UUID", "re.Pattern"),
        *("builtins.function", "builtins.type", "builtins.module"),  # whose parts the walk visits itself
    }
)
_FILLED = frozenset({"argparse.Namespace", "types.SimpleNamespace"})
_ORDERED = frozenset({"builtins.list", "builtins.set", "builtins.frozenset", "builtins.tuple", "collections.deque"})


_Part = tuple["Callable[[], Iterable[object]]", tuple[object, ...]]


class Watch:
    """What a walk met, each thing with what it held then: compared by identity, which is cheap and never wrong.

    Args:
        visits_code: Whether the walk visits itself the functions and classes that values hold.
    """

    def __init__(self, *, visits_code: bool = True) -> None:
        self._visits_code = visits_code
        # Each name of a namespace once, with the method that gives its value: to bind that anew would double the time.
        self._names: dict[tuple[int, str], tuple[Callable[[str, object], object], str, object]] = {}
        self._cells: list[tuple[CellType, object]] = []
        self._functions: list[tuple[FunctionType, CodeType, object, object]] = []
        self._filled: list[_Part] = []
        self._empty: list[dict[str, Any]] = []
        self._encoded: list[tuple[Callable[[], object], object]] = []
        self._count = 0
        self._sees_all = True

    def lose(self) -> None:
        """Note that something was met which cannot be watched: it never holds."""
        self._sees_all = False

    def name(self, space: Mapping[str, Any], name: str, value: object) -> None:
        """Note what a name gave, or `MISSING`."""
        self._names.setdefault((id(space), name), (space.get, name, value))

    def cell(self, cell: CellType) -> None:
        """Note what a variable of an enclosing function holds."""
        self._cells.append((cell, _content(cell)))

    def attribute(self, value: object, name: str) -> None:
        """Note an attribute that gives the same object each time."""
        get = partial(getattr, value)
        self._names.setdefault((id(value), name), (get, name, get(name, MISSING)))

    def function(self, function: FunctionType) -> None:
        """Note what a function consists of."""
        self._functions.append((function, function.__code__, function.__defaults__, function.__kwdefaults__))
        for held in (vars(function), function.__kwdefaults__):
            if held is not None:
                self.mapping(held)

    def mapping(self, mapping: Mapping[str, Any]) -> None:
        """Note the names and values of a namespace as a whole."""
        if type(mapping) is dict and not mapping:
            self._empty.append(mapping)
            return
        # Not by the methods of a subclass, such as matplotlib's, which sorts and checks.
        plain: Any = dict if isinstance(mapping, dict) else type(mapping)
        for part in (plain.keys, plain.values):
            look = part.__get__(mapping)
            self._filled.append((look, tuple(look())))
            self._count += len(mapping)

    def value(self, value: object, text: object, encode: Callable[[], object]) -> None:
        """Note a value that counts: by what it consists of where that can be seen, else by what *encode* gives."""
        parts = self._parts(value)
        if parts is None:
            self._encoded.append((encode, text))
        else:
            self._filled += parts

    def result(self, look: Callable[[], object], found: object) -> None:
        """Note what a call gave."""
        self._encoded.append((look, found))

    def named(self, code: Any) -> bool:
        """Note the name by which its module gives a function or class; say whether it does."""
        home, qualname = code.__module__, code.__qualname__
        module = sys.modules.get(home)
        if not isinstance(module, ModuleType) or vars(module).get(qualname) is not code:
            return False
        self.name(sys.modules, home, module)
        self.name(vars(module), qualname, code)
        return True

    def _sees(self, value: Any) -> bool:
        """Say whether a value is no code, or code that the walk visits or that counts by its name alone."""
        if isinstance(value, BuiltinFunctionType):  # perhaps the method of an object that changes
            return value.__self__ is None or isinstance(value.__self__, ModuleType)
        if self._visits_code or not isinstance(value, _CODE):
            return True
        return not isinstance(value, ModuleType) and value.__module__ not in SCRIPT and self.named(value)

    def _parts(self, value: object) -> list[_Part] | None:
        """List what a value consists of; nothing where the name that gives it tells, None where that cannot be seen."""
        found: list[_Part] = []
        seen: dict[int, object] = {}
        filled: dict[type, bool] = {}
        pending = [value]
        while pending:
            each: Any = pending.pop()
            kind = type(each)
            name = f"{kind.__module__}.{kind.__qualname__}"
            if not self._sees(each):
                return None
            if name in _UNCHANGING or id(each) in seen:
                continue
            seen[id(each)] = each
            if name in _ORDERED:
                parts = tuple(each)
                if kind not in (tuple, frozenset):
                    found.append((each.__iter__, parts))
            else:
                if kind not in filled:
                    filled[kind] = kind is dict or name in _FILLED or _is_plain(kind)
                if not filled[kind]:
                    return None
                held = each if kind is dict else vars(each)
                keys, values = tuple(held), tuple(held.values())
                found += [(held.keys, keys), (held.values, values)]
                parts = (*keys, *values)
                if each is not held:
                    self.attribute(each, "__class__")
            self._count += len(parts)
            if self._count > _MOST:
                return None
            pending += parts
        return found

    def take_loaded(self) -> bool:
        """Note what those modules give that were not loaded; tell whether there are any."""
        modules = id(sys.modules)
        missing = [key for key, (_, _, value) in self._names.items() if key[0] == modules and value is MISSING]
        for key in missing:
            get, name, _ = self._names[key]
            self._names[key] = get, name, get(name, MISSING)
        return any(self._names[key][2] is not MISSING for key in missing)

    def holds(self) -> bool:
        """Say whether all of it is still the same."""
        if not self._sees_all or any(self._empty):
            return False
        for get, name, value in self._names.values():
            if get(name, MISSING) is not value:
                return False
        for cell, value in self._cells:
            if _content(cell) is not value:
                return False
        for function, code, defaults, keywords in self._functions:
            if (
                function.__code__ is not code
                or function.__defaults__ is not defaults
                or function.__kwdefaults__ is not keywords
            ):
                return False
        try:
            for look, parts in self._filled:
                now = tuple(look())
                if len(now) != len(parts) or not all(map(is_, now, parts)):
                    return False
        except RuntimeError:  # changed by another thread meanwhile
            return False
        return not self._encoded or all(encode() == text for encode, text in self._encoded)


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING


def _is_plain(kind: type) -> bool:
    """Tell whether all that the instances of a class hold stands in their ``__dict__``."""
    methods = ("__reduce_ex__", "__reduce__", "__getstate__", "__getattribute__")
    ways = all(getattr(kind, name) is getattr(object, name) for name in methods)
    return (
        ways
        and kind.__flags__ & (1 << 9) != 0  # made by a class statement
        and kind.__dictoffset__ != 0
        and kind.__basicsize__ <= _PLAIN_SIZE
        and not any(isinstance(each, MemberDescriptorType) for base in kind.__mro__ for each in vars(base).values())
        and not issubclass(kind, (dict, list, set, tuple, int, str, float, bytes, type))
    )


_PLAIN_SIZE = Watch.__basicsize__  # of what holds nothing beside its `__dict__`
