"""Rows of what Python itself and packages of classes, mappings and configurations have."""

from __future__ import annotations

import collections
import functools
import io
import typing

from . import Row, adder, library

T = typing.TypeVar("T")


class Plain:
    """A plain class with whatever attributes."""

    def __init__(self, **attributes):
        vars(self).update(attributes)


class Slots:
    __slots__ = ("a", "b")

    def __init__(self, **attributes):
        for name, value in attributes.items():
            setattr(self, name, value)


class OwnState(Plain):
    def __getstate__(self):
        return {"kept": self.kept}

    def __setstate__(self, state):
        vars(self).update(state)


@library("Python", "sys")
def python():
    import array
    import configparser
    import ipaddress
    import operator
    import queue
    import random
    import sqlite3
    import threading

    def parser(text):
        made = configparser.ConfigParser()
        made.read_string(text)
        return made

    yield Row("a plain class", lambda: Plain(a=1), (lambda: Plain(a=2), lambda: Plain(b=1), lambda: {"a": 1}))
    yield Row("a class with slots", lambda: Slots(a=1), (lambda: Slots(a=2), lambda: Slots(b=1), lambda: Plain(a=1)))
    yield Row("a class with __getstate__", lambda: OwnState(kept=1, x=1), (lambda: OwnState(kept=2, x=1),))
    yield Row("a closure", lambda: adder(1), (lambda: adder(2),))
    yield Row("a lambda", lambda: lambda x: x + 1, (lambda: lambda x: x + 2,))
    yield Row(
        "functools.partial of a lambda",
        lambda: functools.partial(lambda x: x, 1),
        (lambda: functools.partial(lambda x: x, 2),),
    )
    yield Row(
        "array.array",
        lambda: array.array("d", [1, 2]),
        (lambda: array.array("d", [1]), lambda: array.array("f", [1, 2])),
    )
    yield Row("memoryview", lambda: memoryview(b"ab"), (lambda: memoryview(b"ba"),))
    yield Row(
        "ipaddress",
        lambda: ipaddress.ip_address("10.0.0.1"),
        (lambda: ipaddress.ip_address("10.0.0.2"), lambda: ipaddress.ip_interface("10.0.0.1")),
        hash,
    )
    yield Row(
        "typing aliases and unions",
        lambda: [list[int], int | None],
        (lambda: [list[str], int | None], lambda: [list[int], str | None]),
    )
    yield Row("UserDict", lambda: collections.UserDict(a=1), (lambda: collections.UserDict(a=2),))
    yield Row("defaultdict", lambda: collections.defaultdict(list), (lambda: collections.defaultdict(set),))
    yield Row("views of a dict", lambda: {"a": 1}.items(), (lambda: {"a": 2}.items(), lambda: {"a": 1}.keys()))
    yield Row(
        "itemgetter", lambda: operator.itemgetter(1), (lambda: operator.itemgetter(2), lambda: operator.attrgetter("a"))
    )
    yield Row("ConfigParser", lambda: parser("[a]\nx=1"), (lambda: parser("[a]\nx=2"), lambda: parser("[b]\nx=1")))
    yield Row("an exception", lambda: ValueError(1), (lambda: ValueError(2), lambda: TypeError(1)))
    yield Row("a generator", lambda: (x for x in ()), refused="pass a list of its values")
    yield Row("a lock", threading.Lock, refused="make it inside of the function")
    yield Row("a queue", queue.Queue, refused="make it inside of the function")
    yield Row("random.Random", lambda: random.Random(1), refused="pass its seed")
    yield Row("a database connection", lambda: sqlite3.connect(":memory:"), refused="a connection")
    yield Row("an open file", lambda: io.BytesIO(), refused="name it in inputs=")
    yield Row("object()", object, refused="builtins.object")


@library("attrs", "attr")
def attrs():
    import attr

    global Attributes

    @attr.define(frozen=True, cache_hash=True)
    class Attributes:
        a: int

    Attributes.__qualname__ = "Attributes"
    yield Row("define", lambda: Attributes(1), (lambda: Attributes(2),), hash)


@library("pydantic")
def pydantic():
    import pydantic as module

    global Box, Model

    class Model(module.BaseModel):
        a: int

    class Box(module.BaseModel, typing.Generic[T]):
        a: T

    Model.__qualname__, Box.__qualname__ = "Model", "Box"
    yield Row("BaseModel", lambda: Model(a=1), (lambda: Model(a=2),), repr)
    yield Row(
        "generic models",
        lambda: Box[int](a=1),
        (lambda: Box[int](a=2), lambda: Box[float](a=1), lambda: Box(a=1), lambda: Box[int]),
        repr,
    )


@library("msgspec")
def msgspec():
    import msgspec as module

    global Hashed, Struct

    class Struct(module.Struct):
        a: int
        b: str = "x"

    class Hashed(module.Struct, frozen=True, cache_hash=True):
        a: int

    Struct.__qualname__, Hashed.__qualname__ = "Struct", "Hashed"
    yield Row("a Struct that keeps its hash", lambda: Hashed(1), (lambda: Hashed(2),), hash)
    yield Row("Struct", lambda: Struct(1), (lambda: Struct(2), lambda: Struct(1, "y")))


@library("multidict")
def multidict():
    from multidict import CIMultiDict, MultiDict

    yield Row(
        "MultiDict",
        lambda: MultiDict([("a", 1), ("a", 2)]),
        (
            lambda: MultiDict([("a", 1)]),
            lambda: MultiDict([("a", 2), ("a", 1)]),
            lambda: CIMultiDict([("a", 1), ("a", 2)]),
        ),
    )


@library("frozendict")
def frozendict():
    from frozendict import frozendict as kind

    yield Row("frozendict", lambda: kind(a=1), (lambda: kind(a=2), lambda: {"a": 1}), hash)


@library("pyrsistent")
def pyrsistent():
    import pyrsistent as module

    yield Row("pmap", lambda: module.pmap({"a": 1, "b": 2}), (lambda: module.pmap({"a": 1, "b": 3}),), hash)
    yield Row("pvector", lambda: module.pvector([1]), (lambda: module.pvector([2]),), hash)
    yield Row("pset", lambda: module.pset(["a", "b"]), (lambda: module.pset(["a", "c"]),), hash)


@library("immutables")
def immutables():
    from immutables import Map

    yield Row("Map", lambda: Map(a=1, b=2), (lambda: Map(a=1, b=3),), hash)


@library("OmegaConf", "omegaconf")
def omegaconf():
    from omegaconf import OmegaConf

    yield Row(
        "DictConfig",
        lambda: OmegaConf.create({"a": 1, "b": "${a}"}),
        (lambda: OmegaConf.create({"a": 2, "b": "${a}"}),),
        lambda it: (it.b, repr(it)),
    )


@library("ml_collections")
def ml_collections():
    from ml_collections import ConfigDict, FrozenConfigDict

    yield Row(
        "ConfigDict",
        lambda: ConfigDict({"a": 1, "b": {"c": 2}}),
        (lambda: ConfigDict({"a": 1, "b": {"c": 3}}),),
        lambda it: (it.a, str(it)),
    )
    yield Row("FrozenConfigDict", lambda: FrozenConfigDict({"a": 1}), (lambda: FrozenConfigDict({"a": 2}),), hash)


@library("traitlets")
def traitlets():
    import traitlets as module

    global Traits

    class Traits(module.HasTraits):
        a = module.Int(1)
        b = module.List([1, 2])

    Traits.__qualname__ = "Traits"
    yield Row(
        "HasTraits", lambda: Traits(a=2), (lambda: Traits(a=3), lambda: Traits(a=2, b=[1])), lambda it: (it.a, it.b)
    )


@library("param")
def param():
    import param as module

    global Parameters

    class Parameters(module.Parameterized):
        a = module.Integer(1)
        b = module.Number(2.0)

    Parameters.__qualname__ = "Parameters"
    yield Row(
        "Parameterized",
        lambda: Parameters(a=2),
        (lambda: Parameters(a=3), lambda: Parameters(a=2, b=1)),
        lambda it: (it.a, it.param.values()),
    )
