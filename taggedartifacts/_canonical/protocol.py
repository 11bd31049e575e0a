"""Canonical form of any other instance: its class, and the state that the object protocol gives.

The protocol is what ``copy`` and ``pickle`` use, so a type that can be copied has a form. Only its values count, never
the bytes of a pickle.
"""

from __future__ import annotations

import copyreg
import functools
import sys
from typing import TYPE_CHECKING, Any

from .instances import full_name, held_attributes, kept, object_form, package, slots
from .names import type_name
from .text import Form, RefusalError, object_shape, quoted, several, shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .text import Reducer

_PROTOCOL = 2  # the first that tells class, arguments and state apart; later ones differ in how pickles are written


def recognise(kind: type) -> Reducer | None:
    """Find the form of instances by the object protocol; a plain object stands for nothing but itself."""
    if kind is object:
        return None
    # What others register for a type would make the hash depend on who is imported.
    reduce = copyreg.dispatch_table.get(kind)
    if reduce is not None and str(reduce.__module__).partition(".")[0] not in (package(kind), "copyreg"):
        reduce = None
    if reduce is None and not _is_own(kind, "__reduce_ex__", "__reduce__"):
        return _standard if _is_own(kind, *_ARGUMENTS) else _ByState(kind)
    return functools.partial(_reduced, reduce)


_NEW = tuple(getattr(copyreg, name) for name in ("__newobj__", "__newobj_ex__"))  # what the default gives to call
_ABSENT = object()
_ARGUMENTS = ("__getnewargs__", "__getnewargs_ex__")


def _is_own(kind: type, *names: str) -> bool:
    return any(getattr(kind, name, None) is not getattr(object, name, None) for name in names)


class _ByState:
    """Describe instances by what the default of the protocol would gather, without the detour through it.

    These are attributes and slots, or what ``__getstate__`` gives.
    """

    def __init__(self, kind: type) -> None:
        self._slots = slots(kind)
        self._has_state = _is_own(kind, "__getstate__")
        self._is_checked = False

    def __call__(self, value: Any) -> Form:
        if not self._is_checked:
            _reduction(value, None)  # refuses what a class written in C hides
            self._is_checked = True
        if self._has_state:
            return _instance(type(value), arguments=[], state=_asked(value, value.__getstate__))
        return object_form(type(value), held_attributes(value, self._slots))


def _standard(value: Any) -> Form:
    _, (_, *arguments), state, items, pairs = (*_reduction(value, None), None, None, None)[:5]
    return _instance(type(value), arguments=arguments, state=state, items=items, pairs=pairs)


def _reduced(reduce: Callable[[Any], Any] | None, value: Any) -> Form:
    kind = type(value)
    reduction = _reduction(value, reduce)
    if isinstance(reduction, str):
        return _global(value, reduction)
    call, arguments, state, items, pairs, setter = (*reduction, None, None, None, None)[:6]
    arguments = list(arguments or ())
    if call in _NEW and arguments and arguments[0] is kind:
        call, arguments = None, arguments[1:]
    held = _beside(value, [*arguments, state])
    return _instance(
        kind,
        call=None if call is kind else call,
        arguments=arguments,
        state=state,
        items=items,
        pairs=pairs,
        setter=setter,
        beside=held or None,
    )


def _reduction(value: Any, reduce: Callable[[Any], Any] | None) -> Any:
    found = _asked(value, value.__reduce_ex__, _PROTOCOL) if reduce is None else _asked(value, reduce, value)
    if isinstance(found, str) or (isinstance(found, tuple) and len(found) >= 2):
        return found
    raise RefusalError(f"an object of type {type(value).__qualname__} has no canonical form: its state is {found!r}")


def _asked(value: Any, method: Callable[..., Any], *arguments: object) -> Any:
    try:
        return method(*arguments)
    except Exception as error:  # of whatever a class does there
        raise RefusalError(
            f"an object of type {full_name(type(value))} has no canonical form: "
            f"it does not tell its state ({error or type(error).__name__})"
        ) from error


def _global(value: Any, path: str) -> Form:
    module = getattr(value, "__module__", None) or type(value).__module__
    found: Any = sys.modules.get(module)
    for step in path.split("."):
        found = getattr(found, step, None)
    if found is not value:
        raise RefusalError(
            f"an object of type {type(value).__qualname__} says that it is {module}.{path}, which is another object"
        )
    held = _beside(value, [None]) if module == "__main__" else None  # where a name may give another one tomorrow
    return several("global", (f"{module}:{path}", held) if held else (f"{module}:{path}",))


def _instance(
    kind: type,
    *,
    items: Iterable[object] | None = None,
    pairs: Iterable[tuple[object, object]] | None = None,
    arguments: list[object],
    state: object,
    **others: object,
) -> Form:
    if type(state) is dict and not state:
        state = None
    elif type(state) is dict:
        state = kept(kind, state)
    elif isinstance(state, tuple):
        state = [kept(kind, each) if type(each) is dict else each for each in state]
    parts = {
        "arguments": arguments or None,
        "items": None if items is None else list(items) or None,
        "pairs": None if pairs is None else dict(pairs) or None,
        "state": state,
        **others,
    }
    name, told = type_name(kind), {name: it for name, it in parts.items() if it is not None}
    if type(state) is dict and len(told) == 1 and type(name) is str and (shape := shape_of(state)) is not None:
        head = f'{{"$instance":[{quoted(name)},{{"state":'
        return Form(
            [state[each] for each in shape.names], shape.label, lambda texts: f"{head}{shape.finish(texts)}}}]}}"
        )
    return several("instance", (name, Reduction(told)))


class Reduction(dict[str, object]):
    """The parts of a reduction by name: arguments, state, items …, with places that read like the way to them."""


def reduction_form(value: Reduction) -> Form:
    """Describe the parts of a reduction."""
    shape = object_shape(tuple(value))
    label = {"state": "", "beside": "", "call": ".__reduce__()[0]"}
    return Form([value[name] for name in shape.names], lambda index: label.get(shape.names[index], ""), shape.finish)


def _beside(value: Any, told: list[object]) -> dict[str, object]:
    """Collect what an object holds in its ``__dict__`` and slots beyond what its reduction tells."""
    parts = [*told, *(told[-1] if isinstance(told[-1], tuple) else ())]
    dicts = [part for part in parts if isinstance(part, dict)]
    held = dict(getattr(value, "__dict__", {}))
    for name in slots(type(value)):
        try:
            held[name] = getattr(value, name)
        except AttributeError:
            continue
    beyond = {name: item for name, item in held.items() if not _is_told(name, item, dicts)}
    return kept(type(value), beyond)


def _is_told(name: str, item: object, dicts: list[dict[Any, object]]) -> bool:
    return any(dict.get(told, name, _ABSENT) is item for told in dicts)
