"""Canonical form: the one encoding of a value from which config hashes are computed (docs/config-hash.rst).

The encoder knows the JSON-shaped values and walks everything else by the forms that other modules make of it, on a
stack of its own: depth is bounded by memory alone, and never by Python's recursion limit.
"""

from __future__ import annotations

import functools
import re
import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, overload
from weakref import WeakKeyDictionary, WeakSet

from .._errors import UnhashableError, short_traceback
from .._hashing import hexdigest
from .._reach.met import referred
from . import arrays, arrow, instances, libraries, names, refused, standard, tables
from .refused import Part, Stateless, parted, stateless
from .text import (
    Form,
    RefusalError,
    Written,
    content,
    integer,
    listed,
    mapping,
    number,
    object_shape,
    quoted,
    sequence,
    several,
    tagged_text,
    unordered,
    utf8,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .text import Reducer

    _Frame = tuple[object, Callable[[int], str], Callable[[list[str]], str], Iterator[object], list[str]]

_T = TypeVar("_T")

_ARGUMENT = re.compile(r"argument '(\w+)'")

_LEAVES: dict[type, Callable[[Any], str]] = {
    str: quoted,
    int: integer,
    float: number,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _value: "null",
    bytes: content,
    bytearray: content,
    Written: lambda value: value.text,
}
_CONTAINERS: dict[type, Reducer] = {
    dict: mapping,
    list: sequence,
    tuple: sequence,
    set: functools.partial(unordered, "set"),
    frozenset: functools.partial(unordered, "set"),
    Form: lambda form: form,
    Stateless: stateless,
    Part: lambda part: parted(part, _form),
}
# In this order: a type takes the first form that recognises it.
_RECOGNISERS = (
    standard.recognise,
    refused.recognise,
    libraries.recognise,
    instances.recognise,
    arrays.recognise,
    tables.recognise,
    arrow.recognise,
    names.recognise,
    standard.recognise_kind,
    refused.recognise_kind,
    instances.recognise_other,
)


class _Forms:
    """The forms of types.

    What was registered is known as long as the process lives, or until another load of its module, as of a script that
    runs again in one process, registers a type of that name: what describes a type holds the module that it is of. What
    is left of the old type is described as the new one.

    Attributes:
        known: The form of each type that was met, for as long as the type lives, or until one is registered.
        has_registered: Whether anything was registered.
    """

    def __init__(self) -> None:
        self.known: WeakKeyDictionary[type, Reducer] = WeakKeyDictionary()
        self.has_registered = False
        self._registered: dict[type, tuple[Callable[[Any], object], Callable[[], object]]] = {}
        self._former: WeakSet[type] | None = None  # only where there are any, which is told faster so
        self._find = _found_by(self._registered)

    def register(self, cls: type, function: Callable[[Any], object]) -> None:
        """Note what describes a type."""
        module = sys.modules.get(cls.__module__)
        self._registered[cls] = function, referred(module)
        self.has_registered = True
        self._find.register(cls, function)
        for other, (_, home) in list(self._registered.items()):
            if _is_namesake(other, cls) and home() is not module:
                self._former = WeakSet([other, *(self._former or ())])
                self._registered.pop(other, None)
                self._find = _found_by(self._registered)
        self.known.clear()

    def registered(self, cls: type) -> Callable[[Any], object] | None:
        """Find what describes a type, or one that it is derived from, if somebody has registered that."""
        if self._former is not None:
            for base in cls.__mro__:
                if base in self._registered:
                    break
                if base in self._former:
                    cls = next(each for each in reversed(self._registered) if _is_namesake(each, base))
                    break
        found = self._find.dispatch(cls)
        return None if found is _describe_nothing else found


def _describe_nothing(_value: object) -> object:
    raise AssertionError("the default is never called, only recognised")


def _found_by(
    registered: Mapping[type, tuple[Callable[[Any], object], object]],
) -> functools._SingleDispatchCallable[object]:
    find = functools.singledispatch(_describe_nothing)
    for each, (describe, _) in list(registered.items()):
        find.register(each, describe)
    return find


def _is_namesake(one: type, other: type) -> bool:
    return one.__qualname__ == other.__qualname__ and one.__module__ == other.__module__


_forms = _Forms()


class _Canonical:
    """Encode values canonically; teach the encoder types of your own with `register`."""

    def __repr__(self) -> str:
        return "<function taggedartifacts.canonical>"

    def __reduce__(self) -> str:
        return "canonical"  # of the package, by that name

    @short_traceback
    def __call__(self, value: object) -> bytes:
        """Encode a value canonically.

        Equal values give equal bytes on every machine, operating system, Python version and hash seed; different values
        give different bytes. Nothing is guessed: what has no canonical form is refused.

        Args:
            value: Any value that the specification of the config hash lists, nested as deep as you like.

        Returns:
            UTF-8 text shaped like JSON, as specified in the documentation.

        Raises:
            UnhashableError: If something in the value has no canonical form; names the place and the remedies.

        Example:
            >>> canonical({"bins": 40, "range": (0, 1.5)})
            b'{"bins":40,"range":[0,1.5]}'
        """
        return encode(value, "value")

    @overload
    def register(self, cls: type[_T]) -> Callable[[Callable[[_T], object]], Callable[[_T], object]]: ...
    @overload
    def register(self, cls: type[_T], function: Callable[[_T], object]) -> Callable[[_T], object]: ...
    def register(self, cls: type[Any], function: Callable[[Any], object] | None = None) -> Callable[..., Any]:
        """Teach the encoder a type: how to describe a value of it by one that has a canonical form.

        The names of the value's own class and of the function always count too, so that another registration gives
        another hash. Subclasses, also those that are made at run time, are described likewise unless they are
        registered themselves; a registered type comes before every rule except those for the exact built-in types.

        Args:
            cls: The type.
            function: Takes a value of the type, returns what decides results about it: all of it. Left out when used
                as a decorator, ``@canonical.register(MyType)``.

        Returns:
            The function, unchanged.

        Raises:
            TypeError: If the type is a built-in one whose form is fixed, or the function is none.

        Example:
            >>> class Grid:
            ...     def __init__(self, cells):
            ...         self.cells = cells
            >>> describe = canonical.register(Grid, lambda grid: {"cells": grid.cells})
            >>> config_hash(Grid(3)) == config_hash(Grid(3)) != config_hash(Grid(4))
            True
        """
        if not isinstance(cls, type):
            raise TypeError(f"canonical.register takes a class, as in @canonical.register(MyType), not {cls!r}")
        if function is None:
            return functools.partial(self.register, cls)
        if cls in _LEAVES or cls in _CONTAINERS or cls is object:
            raise TypeError(f"the canonical form of {cls.__name__} is fixed; register a class of your own instead")
        if not callable(function):
            raise TypeError(f"canonical.register takes a function that describes a {cls.__name__}, not {function!r}")
        _forms.register(cls, function)
        return function


def is_registered(cls: type) -> bool:
    """Tell whether somebody has taught the encoder a type, or one that it is derived from."""
    # The first is known without asking for the second, which takes half a microsecond of each hit.
    return _forms.has_registered and _forms.registered(cls) is not None


canonical = _Canonical()


def encode(value: object, place: str) -> bytes:
    """Encode a value that stands at *place* (as in ``inputs``), which errors name.

    Raises:
        UnhashableError: If the value, or something inside it, has no canonical form.
    """
    return utf8(_texts((value,), lambda _index: place)[0])


def encode_call(config: object, arguments: Mapping[str, object]) -> dict[str, bytes]:
    """Encode the configuration and the dict of the arguments of a call, both in one pass.

    Raises:
        UnhashableError: If one of them, or something inside it, has no canonical form; names the argument.
    """
    names, _, finish, _ = object_shape(tuple(arguments))
    values = (config, *[arguments[name] for name in names])
    texts = _texts(values, lambda index: f"argument {names[index - 1]!r}" if index else "config")
    return {"config": utf8(texts[0]), "arguments": utf8(finish(texts[1:]))}


def join(parts: Mapping[str, bytes]) -> bytes:
    """Join values that are encoded already into the encoding of a dict of them."""
    names, _, finish, _ = object_shape(tuple(parts))
    return utf8(finish([parts[name].decode() for name in names]))


@short_traceback
def config_hash(value: object) -> str:
    """Hash a value: xxh3_128 of its canonical form.

    Equal values have equal hashes on every machine, operating system, Python version and hash seed. What stands in a
    record is the hash of a dict of configuration, arguments and whatever else counts.

    Args:
        value: What `canonical` can encode.

    Returns:
        32 lower-case hex digits.

    Raises:
        UnhashableError: If the value, or something inside it, has no canonical form.

    Example:
        >>> config_hash({"a": 1, "b": 2}) == config_hash({"b": 2, "a": 1})
        True
    """
    return hexdigest(canonical(value))


def _texts(values: Sequence[object], place: Callable[[int], str]) -> list[str]:
    """Encode several values, each at its own place."""
    # The stack holds what is being encoded; each value is held there, so that its id stays its own.
    current: object = None
    label: Callable[[int], str] = place
    finish: Callable[[list[str]], str] = listed
    texts: list[str] = []
    remaining = iter(values)
    stack: list[_Frame] = []
    inside: set[int] = set()
    while True:
        for child in remaining:
            kind = type(child)
            if (leaf := _LEAVES.get(kind)) is not None:
                texts.append(leaf(child))
                continue
            try:
                if id(child) in inside:
                    if isinstance(child, (FunctionType, type)):
                        texts.append(_again(child, [each for each, *_ in stack[1:]] + [current]))
                        continue
                    raise RefusalError("it contains itself, and an endless value has no canonical form")
                found = (_CONTAINERS.get(kind) or _reducer(kind))(child)
            except RefusalError as refusal:
                steps = _steps([*stack, (current, label, finish, remaining, texts)])
                raise UnhashableError(f"{_where(steps)}: {refusal}; {_remedies(refusal, steps)}") from refusal.__cause__
            except Exception as error:  # of a function that was registered, or a property that a field has become
                where = _where(_steps([*stack, (current, label, finish, remaining, texts)]))
                error.add_note(f"{where}: this was raised while its canonical form was made")
                raise
            if isinstance(found, str):
                texts.append(found)
                continue
            inside.add(id(child))
            stack.append((current, label, finish, remaining, texts))
            current, (children, label, finish), texts = child, found, []
            remaining = iter(children)
            break
        else:
            if not stack:
                return texts
            text = finish(texts)
            inside.discard(id(current))
            current, label, finish, remaining, texts = stack.pop()
            texts.append(text)


def _again(value: FunctionType | type, holders: list[object]) -> str:
    # What its own definition reaches, as a recursive function is: by how many definitions lie between.
    start = next(index for index, each in enumerate(holders) if each is value)
    between = sum(isinstance(each, (FunctionType, type)) for each in holders[start + 1 :])
    return tagged_text("class" if isinstance(value, type) else "function", str(between))


def _form(value: object) -> str | Form:
    kind = type(value)
    if (leaf := _LEAVES.get(kind)) is not None:
        return leaf(value)
    return (_CONTAINERS.get(kind) or _reducer(kind))(value)


def _reducer(kind: type) -> Reducer:
    known = _forms.known.get(kind)
    if known is None:
        known = _forms.known[kind] = _recognise(kind)
    return known


def _recognise(kind: type) -> Reducer:
    if (describe := _forms.registered(kind)) is not None:
        return functools.partial(_as_registered, describe)
    for recognise in _RECOGNISERS:
        if (reducer := recognise(kind)) is not None:
            return reducer
    return refused.refuse


def _as_registered(describe: Callable[[Any], object], value: object) -> Form:
    kind = type(value)
    name = names.type_name(kind, described=True)
    return several("registered", (names.written_name(describe), name, describe(value)))


def _steps(frames: list[_Frame]) -> list[str]:
    """List the steps to where the encoder stands: the argument or the like, then each one inside of it."""
    return [label(len(texts)) for _, label, _, _, texts in frames]


def _where(steps: list[str]) -> str:
    path = "".join(steps[1:])
    return f"{steps[0]} → {path.strip()}" if path else steps[0]


def _remedies(refusal: RefusalError, steps: list[str]) -> str:
    found = [refusal.remedy] if refusal.remedy else []
    if (argument := _ARGUMENT.match(steps[0])) is None:
        found += [] if refusal.remedy else ["leave it out"]
    else:
        # A part of an argument by name, where names alone lead to it.
        are_names = all(step[:1] == "." and step[1:].isidentifier() for step in filter(None, steps[1:]))
        part = "".join([argument[1], *steps[1:]]) if are_names else argument[1]
        if part != "self":
            found.append(f'leave it out with ignore=("{part}",)')
    if not refusal.remedy:
        found.append("register its type with canonical.register")
        if argument is not None:
            is_self = argument[1] == "self"
            found.append("make its class a dataclass" if is_self else "pass a path and name it in inputs=")
    return ", or ".join(found)
