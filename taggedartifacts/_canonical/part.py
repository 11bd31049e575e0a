"""Leaves out a part of a value: what ``ignore`` names by a path such as ``"cfg.n_jobs"``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .names import type_name
from .text import Form, Written, several, tagged_text

if TYPE_CHECKING:
    from collections.abc import Callable

IGNORED = Written(tagged_text("ignored", "null"))
"""What stands where something was left out: that there is something still counts."""


class Part:
    """A value without some of its parts.

    Args:
        value: The value.
        paths: The ways to what is left out: names of attributes, items and fields, and indices, as text.
        found: Takes in those of *paths* that led to something.
        done: The steps that led here.
    """

    __slots__ = ("done", "found", "paths", "value")

    def __init__(
        self,
        value: object,
        paths: tuple[tuple[str, ...], ...],
        found: set[tuple[str, ...]],
        done: tuple[str, ...] = (),
    ) -> None:
        self.value = value
        self.paths = paths
        self.found = found
        self.done = done


class Stateless:
    """An object of which the class alone counts, as of a ``self`` that is ignored."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


def stateless(given: Stateless) -> Form:
    """Describe an object by its class."""
    return several("object", (type_name(type(given.value)), IGNORED))


def parted(part: Part, form_of: Callable[[object], str | Form]) -> str | Form:
    """Describe a value as it is described otherwise, with a mark in the place of each part that is left out."""
    form = form_of(part.value)
    if isinstance(form, str):
        return form
    children = [_child(part, form.label(index), child) for index, child in enumerate(form.children)]
    return Form(children, form.label, form.finish)


def _child(part: Part, label: str, child: object) -> object:
    if not label:  # an inner part of the form, which users do not see
        return Part(child, part.paths, part.found, part.done)
    paths = [path for path in part.paths if label in (f".{path[0]}", f"[{path[0]!r}]", f"[{path[0]}]")]
    if not paths:
        return child
    done = (*part.done, paths[0][0])
    if any(len(path) == 1 for path in paths):
        part.found.add(done)
        return IGNORED
    return Part(child, tuple(path[1:] for path in paths), part.found, done)
