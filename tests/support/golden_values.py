"""Values whose canonical forms golden.json pins; run as a script, prints how this interpreter encodes them."""

from __future__ import annotations

import argparse
import array
import collections
import configparser
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import ipaddress
import json
import operator
import pathlib
import re
import struct
import sys
import time
import types
import typing
import uuid
import zoneinfo

from taggedartifacts._canonical.encoding import canonical, config_hash
from taggedartifacts._path import ArtifactPath


class Color(enum.Enum):
    RED = "red"


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Level(enum.IntEnum):
    HIGH = 3


class Name(str):
    __slots__ = ()


class Size(int):
    pass


@dataclasses.dataclass
class Model:
    depth: int
    rate: float = 0.5


Point = collections.namedtuple("Point", "x y")  # the untyped spelling counts as well


class Plain:
    def __init__(self, bins, name="x"):
        self.bins = bins
        self.name = name


class Slotted:
    __slots__ = ("__hidden", "bins")

    def __init__(self, bins):
        self.bins = bins
        self.__hidden = None


class WithState:
    def __init__(self, bins):
        self.bins = bins

    def __getstate__(self):
        return [self.bins]


class Reduced:
    def __init__(self, bins):
        self.bins = bins

    def __reduce__(self):
        return Reduced, (self.bins,)


class Stack(list):
    pass


class Settings(dict):
    pass


class Solver:
    def __init__(self, step):
        self.step = step
        self.cache = object()


@canonical.register(Solver)
def describe(solver):
    return {"step": solver.step}


LIMIT = 3


def function(x):
    return x


def closure(n):
    def recursive(k):
        return recursive(k - 1) + n if k else LIMIT

    return recursive


def local_class(n):
    @dataclasses.dataclass(order=True)
    class Local(Plain):
        depth: int = n

        @property
        def deeper(self):
            return Local(super().bins + n)

    return Local


def json_shaped():
    """Give the values that the JSON-shaped part of the specification covers."""
    return {
        "null": None,
        "true": True,
        "false": False,
        "zero": 0,
        "integer": -42,
        "big integer": 2**200,
        "huge integer": -(10**5000) - 7,
        "integral float": 1.0,
        "negative zero": -0.0,
        "float": 0.1,
        "float below the exponent": 1e20,
        "float with many digits": 123456789012345680000.0,
        "float from the exponent": 1e21,
        "large float": 1.7976931348623157e308,
        "small float without exponent": 0.000001,
        "small float": 1.5e-7,
        "subnormal": 5e-324,
        "nan": float("nan"),
        "infinity": float("inf"),
        "negative infinity": float("-inf"),
        "empty string": "",
        "string": 'a "quote", a \\, a /, é, €, 😀, \u2028, \x7f',
        "controls": "\x00\x01\b\t\n\x0b\f\r\x1f",
        "lone surrogate": "a\ud800b\udfff",
        "spelled surrogates": "\ud83d\ude00",
        "spelled escape": "\\ud800",
        "empty list": [],
        "empty dict": {},
        "list": [1, [2.5, "x"], None],
        "tuple": (1, (2.5, "x"), None),
        "dict": {"b": 1, "a": {"z": [], "y": 2}},
        "key order": {"\ufb33": 1, "\U0001f600": 2, "é": 3, "1": 4, "\r": 5, "A": 6, "a": 7},
        "surrogate keys": {"\ud83d\ude00": 1, "\U0001f600": 2},
        "tag-like key": {"$set": [1]},
        "integer keys": {2: "b", 10: "a"},
        "mixed keys": {1: "a", "1": "b", None: "c", (1, 2): "d", 1.5: "e"},
        "set": {3, 10, 2},
        "frozenset of strings": frozenset({"b", "a", "é"}),
        "bytes": b"\x00\xff",
        "empty bytes": b"",
        "literal bytes": bytes(range(64)),
        "digested bytes": bytes(range(65)),
        "nested": {"model": {"layers": [64, 32], "drop": {0.1, 0.2}, "seed": b"\x01"}},
    }


def standard():
    """Give values of the standard library's types."""
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    parser = configparser.ConfigParser()
    parser.read_string("[DEFAULT]\nx = 1\n[run]\nbins = %(x)s0\n")
    east = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    return {
        "bytearray": bytearray(b"\x00\xff"),
        "complex": 1.5 - 2j,
        "decimal": decimal.Decimal("-1.50"),
        "decimal infinity": decimal.Decimal("-Infinity"),
        "decimal nan": decimal.Decimal("NaN12"),
        "fraction": fractions.Fraction(-2, 6),
        "uuid": uuid.UUID("12345678123456781234567812345678"),
        "datetime": datetime.datetime(2024, 2, 29, 1, 2, 3),
        "datetime with fraction": datetime.datetime(1, 1, 1, 0, 0, 0, 120000),
        "datetime utc": datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC),
        "datetime offset": datetime.datetime(2024, 2, 29, tzinfo=east),
        "datetime zone": datetime.datetime(2024, 10, 27, 2, 30, tzinfo=berlin, fold=1),
        "date": datetime.date(987, 1, 2),
        "named timezone": datetime.timezone(datetime.timedelta(hours=1), "CET"),
        "time": datetime.time(23, 59, 59, 999999),
        "timedelta": datetime.timedelta(days=-1, microseconds=1),
        "timezone": datetime.timezone(-datetime.timedelta(seconds=3723)),
        "zoneinfo": berlin,
        "path": pathlib.PurePosixPath("a/../b"),
        "artifact": ArtifactPath("out/hist-1a2b3c4d5e-0f9e8d7c6b5a.png"),
        "range": range(1, 10, 2),
        "slice": slice(None, 5),
        "ellipsis": ...,
        "pattern": re.compile("a+", re.IGNORECASE),
        "bytes pattern": re.compile(b"a+"),
        "deque": collections.deque([1, 2], maxlen=3),
        "ordered dict": collections.OrderedDict(b=1, a=2),
        "defaultdict": collections.defaultdict(list, a=1),
        "mapping proxy": types.MappingProxyType({"a": 1}),
        "chain map": collections.ChainMap({"a": 1}, {"b": 2}),
        "namespace": argparse.Namespace(bins=40, name="x"),
        "simple namespace": types.SimpleNamespace(bins=40),
        "class": collections.OrderedDict,
        "none type": type(None),
        "built-in function": len,
        "function": json.dumps,
        "partial": functools.partial(json.dumps, indent=2),
        "bound method": "a-b".split,
        "method of a type": str.upper,
        "class method": dict.fromkeys,
        "standard flag": re.IGNORECASE,
        "typed array": array.array("i", [1, -2]),
        "view of memory": memoryview(b"ab"),
        "ip address": ipaddress.ip_address("10.0.0.1"),
        "ip network": ipaddress.ip_network("10.0.0.0/8"),
        "generic alias": dict[str, list[int]],
        "alias of typing": typing.List[int],  # noqa: UP006  # the old spelling is another value
        "union": int | None,
        "unpacked alias": next(iter(tuple[int, ...])),
        "layout of bytes": struct.Struct("<id"),
        "callable type": collections.abc.Callable[[int], str],
        "keys": {"b": 1, "a": 2}.keys(),
        "values": {"b": 1, "a": 2}.values(),
        "items": {"b": 1, "a": 2}.items(),
        "user dict": collections.UserDict(a=1),
        "user list": collections.UserList([1]),
        "item getter": operator.itemgetter("a", 1),
        "struct time": time.struct_time(range(1, 10)),
        "exception": ValueError("wrong", 3),
        "configuration": parser,
    }


def own():
    """Give values of types and functions that are defined here, by this script as when it is imported."""
    return {
        "enum": Color.RED,
        "flag": Access.READ | Access.WRITE,
        "int enum": Level.HIGH,
        "string subclass": Name("x"),
        "integer subclass": Size(3),
        "dataclass": Model(3),
        "named tuple": Point(1, 2.0),
        "own class": Model,
        "own function": function,
        "instance": Plain(40),
        "instance with slots": Slotted(40),
        "instance with a state of its own": WithState(40),
        "instance with a reduction of its own": Reduced(40),
        "dict of a class of its own": Settings(bins=40),
        "defaultdict with a function": collections.defaultdict(function, a=1),
        "lambda": lambda x, y=2: x + y,
        "closure": closure(2),
        "bound method of an instance": Plain(40).__init__,
        "registered": Solver(0.5),
        "instance of a local class": local_class(2)(3),
    }


def optional():
    """Give values of the optional libraries that are there, by library."""
    found = {}
    try:
        import numpy as np
    except ImportError:
        return found
    grid = np.arange(6, dtype="<i4").reshape(2, 3)
    found |= {
        "numpy float": np.float64(0.1),
        "numpy float32": np.float32(0.1),
        "numpy integer": np.uint8(7),
        "numpy bool": np.bool_(True),
        "numpy string": np.str_("x"),
        "numpy bytes": np.bytes_(b"x"),
        "numpy complex": np.complex64(1j),
        "numpy datetime": np.datetime64("2024-02-29", "D"),
        "numpy not a time": np.timedelta64("NaT", "s"),
        "array": grid,
        "array transposed": grid.T,
        "array big-endian": grid.astype(">i4"),
        "array without dimensions": np.array(1.5),
        "array without elements": np.zeros((0, 3)),
        "array of booleans": np.array([True, False]),
        "array of strings": np.array(["a", "é"]),
        "array of bytes": np.array([b"a", b"bc"]),
        "array of times": np.array(["2024-02-29", "NaT"], "M8[us]"),
        "array of objects": np.array(["a", 1, None, {"b": 2}], object),
        "array of records": np.array([(1, "a"), (2, "b")], [("n", "i2"), ("s", "U1")]),
        "masked array": np.ma.masked_array([1.0, 2.0], [False, True], fill_value=0.0),
        "masked records": np.ma.masked_array([(1, "a")], [(False, True)], [("n", "i2"), ("s", "U1")]),
        "masked element": np.ma.masked,
        "dtype": np.dtype(">f8"),
        "structured dtype": np.dtype([("n", "i2"), ("v", "f4", (2,))]),
        "aligned dtype": np.dtype([("n", "i1"), ("v", ">f4")], align=True),
        "numpy class": np.float64,
        "numpy bool class": np.bool_,
        "ufunc": np.sin,
        "numpy function": np.mean,
    }
    try:
        import pandas as pd
    except ImportError:
        return found
    found |= {
        "timestamp": pd.Timestamp("2024-02-29 01:02:03.000000004", tz="Europe/Berlin"),
        "timedelta of pandas": pd.Timedelta("1s 5ns"),
        "not a time": pd.NaT,
        "not available": pd.NA,
        "interval": pd.Interval(0, 1),
        "period": pd.Period("2024-02", "M"),
        "range index": pd.RangeIndex(3),
        "index of integers": pd.Index([0, 1, 2], dtype="int64"),
        "multi index": pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", None]),
        "series of strings": pd.Series(["a", None, "é"]),
        "series of objects": pd.Series([1, "a", None], dtype=object),
        "series of integers": pd.Series([1, 2], name="n", dtype="int32"),
        "series of nullable integers": pd.Series([1, None], dtype="Int64"),
        "series of nullable booleans": pd.Series([True, None], dtype="boolean"),
        "series of times": pd.Series(pd.to_datetime(["2024-02-29", None])),
        "series of utc times": pd.Series(pd.to_datetime(["2024-02-29"], utc=True)),
        "series of zoned times": pd.Series(pd.to_datetime(["2024-02-29"])).dt.tz_localize("Europe/Berlin"),
        "series of spans": pd.Series(pd.to_timedelta([1, None], unit="s")),
        "categories": pd.Series(["b", "a", None], dtype="category"),
        "ordered categories": pd.Categorical([2, 1], categories=[2, 1], ordered=True),
        "series of periods": pd.Series(pd.period_range("2024-01", periods=2, freq="M")),
        "series of intervals": pd.Series(pd.interval_range(0, 2)),
        "frame": pd.DataFrame({"a": [1.5, 2.5], "b": ["x", "y"], "c": [True, False]}, index=["r", "s"]),
        "frame with integer columns": pd.DataFrame({0: [1], 1: [2]}),
        "frame without columns": pd.DataFrame(index=[1, 2]),
    }
    return found


def everything():
    """Give all of them."""
    return json_shaped() | standard() | own() | optional()


if __name__ == "__main__":
    forms = {name: [canonical(value).decode(), config_hash(value)] for name, value in everything().items()}
    json.dump(forms, sys.stdout, indent=0, ensure_ascii=True, sort_keys=True)
