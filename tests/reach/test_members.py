"""What classes hold beside their text: methods that the user wrote, and not what is written for the class."""

import abc
import enum
import functools
from collections import namedtuple
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import attrs
import pytest

from taggedartifacts._reach.members import methods


class Named(NamedTuple):
    x: int = 1

    def plain(self): ...


class Pair(namedtuple("Pair", "a b")):
    def plain(self): ...


@dataclass(order=True, frozen=True, slots=True)
class Data:
    x: int = 1

    def plain(self): ...


@attrs.define(order=True)
class Attrs:
    x: int = 1

    def plain(self): ...


class Flags(enum.IntFlag):
    ONE = 1

    def plain(self): ...


@functools.total_ordering
class Ordered:
    def plain(self): ...

    def __lt__(self, other): ...


class Abstract(abc.ABC):
    @abc.abstractmethod
    def plain(self): ...


class Shape(Protocol):
    def plain(self): ...


class TestMethods:
    @pytest.mark.parametrize("kind", [Named, Pair, Data, Attrs, Flags, Ordered, Abstract, Shape])
    def test_written_by_the_user(self, kind):
        """What is written for a class counts as little on one Python as on another: its own methods are told alone."""

        assert {"plain"} | ({"__lt__"} if kind is Ordered else set()) == set(methods(kind))

    def test_of_a_text_that_is_run(self):
        """Methods of a class from ``exec`` are the user's, though their text has no file either."""
        space = {"__name__": "__main__"}
        exec("class Typed:\n    def plain(self): ...\n    def __call__(self): ...", space)

        assert {"plain", "__call__"} == set(methods(space["Typed"]))
