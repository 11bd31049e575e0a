"""The specification of the config hash is enough: an encoder written from it alone gives the same forms.

It is written from docs/config-hash.rst for the JSON-shaped values with sets, bytes and odd floats, and for instances,
mappings, views, buffers, and functions and classes by name. It shares nothing with the library.
"""

from __future__ import annotations

import array
import collections
import json
import struct
import types
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path

import golden_values
import pytest
import xxhash
from hypothesis import example, given, settings
from strategies import NESTED

from taggedartifacts._canonical.encoding import canonical

GOLDEN = json.loads(Path(golden_values.__file__).with_name("golden.json").read_text(encoding="utf-8"))
VALUES = golden_values.json_shaped()


def digest(data):
    """Give the 128 bits as two halves, the most significant first."""
    return xxhash.xxh3_128(data).intdigest().to_bytes(16, "big").hex()


def write_integer(number):
    """Write all decimal digits, thirty at a time."""
    groups = []
    rest = abs(number)
    while rest >= 10**30:
        rest, low = divmod(rest, 10**30)
        groups.append(f"{low:030d}")
    return "-" * (number < 0) + "".join([str(rest), *reversed(groups)])


def write_float(number):
    """Write the shortest digits that give the double back, laid out as ECMAScript's Number::toString does."""
    bits = struct.unpack(">Q", struct.pack(">d", number))[0]
    sign, magnitude = "-" * (bits >> 63), bits & ~(1 << 63)
    if magnitude == 0:
        return sign + "0.0"
    if magnitude >> 52 == 0x7FF:
        kind = "nan" if magnitude & ((1 << 52) - 1) else sign + "inf"
        return '{"$float":"' + kind + '"}'
    exact = Decimal(abs(number))
    # The nearest of that many digits may not give the double back where one beside it does: just above a power of two.
    tries = (Context(digits, way).plus(exact) for digits in range(1, 18) for way in (ROUND_HALF_EVEN, ROUND_CEILING))
    shortest = next(decimal for decimal in tries if float(decimal) == abs(number))
    digits, n = "".join(map(str, shortest.as_tuple().digits)).rstrip("0"), shortest.adjusted() + 1
    k = len(digits)
    if k <= n <= 21:
        return sign + digits + "0" * (n - k) + ".0"
    if 0 < n <= 21:
        return sign + digits[:n] + "." + digits[n:]
    if -6 < n <= 0:
        return sign + "0." + "0" * -n + digits
    point = "." if k > 1 else ""
    return sign + digits[0] + point + digits[1:] + "e" + ("+" if n > 0 else "-") + str(abs(n - 1))


def write_string(text):
    """Write a string character by character."""
    short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
    parts = []
    for character in text:
        point = ord(character)
        escaped = point < 0x20 or 0xD800 <= point <= 0xDFFF
        parts.append(short.get(character) or (f"\\u{point:04x}" if escaped else character))
    return '"' + "".join(parts) + '"'


def utf16(text):
    """List the code units of a string."""
    units = []
    for point in map(ord, text):
        units += [point] if point < 0x10000 else [0xD800 + (point - 0x10000 >> 10), 0xDC00 + (point - 0x10000 & 0x3FF)]
    return units


def write(value):
    """Write the canonical form of a JSON-shaped value as the document says."""
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return write_integer(value)
    if isinstance(value, float):
        return write_float(value)
    if isinstance(value, str):
        return write_string(value)
    if isinstance(value, bytes):
        content = f'"{value.hex()}"' if len(value) <= 64 else f'[{len(value)},"{digest(value)}"]'
        return '{"$bytes":' + content + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(write, value)) + "]"
    if isinstance(value, (set, frozenset)):
        return '{"$set":[' + ",".join(sorted(map(write, value), key=str.encode)) + "]}"
    if all(isinstance(key, str) and not key.startswith("$") for key in value):
        keys = sorted(value, key=lambda key: (utf16(key), [ord(character) for character in key]))
        return "{" + ",".join(write_string(key) + ":" + write(value[key]) for key in keys) + "}"
    pairs = sorted((write(key).encode(), write(item).encode()) for key, item in value.items())
    return '{"$dict":[' + ",".join(f"[{key.decode()},{item.decode()}]" for key, item in pairs) + "]}"


def tagged(tag, *children):
    """Write a tagged object around a list."""
    return '{"$' + tag + '":[' + ",".join(children) + "]}"


def write_name(value):
    """Write the name of a function or class."""
    return write_string(f"{value.__module__}:{value.__qualname__}")


def write_sorted(tag, texts):
    """Write a tagged object around elements in the order of their bytes."""
    return tagged(tag, *sorted(texts, key=str.encode))


def write_type_alias(value):
    """Write what annotations are made of."""
    if isinstance(value, types.UnionType):
        return write_sorted("union", [write_type_alias(each) for each in value.__args__])
    if isinstance(value, types.GenericAlias) or hasattr(value, "__origin__"):
        arguments = ",".join(map(write_type_alias, value.__args__))
        if value.__origin__ is collections.abc.Callable:
            *parameters, result = map(write_type_alias, value.__args__)
            arguments = "[" + ",".join(parameters) + "]," + result
        name = "*" if getattr(value, "__unpacked__", False) else getattr(value, "_name", None)
        return tagged("alias", write_type_alias(value.__origin__), "[" + arguments + "]", write(name))
    if value is type(None):
        return '{"$class":"types:NoneType"}'
    if value is ...:
        return '{"$ellipsis":null}'
    return '{"$class":' + write_name(value) + "}"


def write_other(value):
    """Write the canonical form of what is not JSON-shaped."""
    kind = type(value)
    if isinstance(value, collections.defaultdict):
        factory = value.default_factory
        code = "class" if isinstance(factory, type) else "function"
        return tagged("defaultdict", '{"$' + code + '":' + write_name(factory) + "}", write(dict(value)))
    if kind in (type({}.keys()), type({}.values()), type({}.items())):
        if kind is type({}.keys()):
            return write_sorted("keys", map(write, value))
        if kind is type({}.values()):
            return tagged("values", *map(write, value))
        return '{"$items":' + write(dict(value)) + "}"
    if isinstance(value, (array.array, memoryview)):
        name = f"array {value.typecode}{value.itemsize}" if isinstance(value, array.array) else value.format
        return tagged("buffer", write_string(name), write([len(value)]), write(value.tobytes()))
    if isinstance(value, struct.Struct):
        return tagged("struct", write_string(value.format))
    if kind.__module__ == "ipaddress":
        return tagged("ipaddress", write_string(kind.__name__), write_string(str(value)))
    if isinstance(value, dict):
        return tagged("object", write_name(kind), write(vars(value)), write(dict(value.items())))
    if isinstance(value, (collections.UserDict, collections.UserList)):
        return tagged("object", write_name(kind), write({"data": value.data}))
    if isinstance(value, golden_values.Solver):
        return tagged("registered", write_name(golden_values.describe), write_name(kind), write({"step": value.step}))
    if kind.__reduce__ is object.__reduce__:
        state = value.__reduce_ex__(2)[2]
        if kind.__getstate__ is not object.__getstate__:
            return tagged("instance", write_name(kind), '{"state":' + write(state) + "}")
        attributes, slots = state if isinstance(state, tuple) else (state, None)
        return tagged("object", write_name(kind), write({**(attributes or {}), **(slots or {})}))
    _, arguments, *_ = value.__reduce__()
    parts = {"arguments": arguments, **({"beside": vars(value)} if getattr(value, "__dict__", None) else {})}
    return tagged("instance", write_name(kind), write(parts))


ALIASES = ("alias of typing", "callable type", "generic alias", "union", "unpacked alias")
OTHERS = (
    *("defaultdict", "defaultdict with a function", "dict of a class of its own", "exception", "instance"),
    *("instance with a reduction of its own", "instance with a state of its own", "instance with slots", "ip address"),
    *(
        "ip network",
        "item getter",
        "items",
        "keys",
        "layout of bytes",
        "registered",
        "struct time",
        "typed array",
        "user dict",
    ),
    *("user list", "values", "view of memory"),
)


class TestSpecification:
    @pytest.mark.parametrize("name", sorted(VALUES))
    def test_golden_values(self, name):
        """The encoder written from the document reproduces the pinned forms and hashes."""
        text = write(VALUES[name])

        assert GOLDEN[name] == [text, digest(text.encode())]

    @pytest.mark.parametrize("name", [*ALIASES, *OTHERS])
    def test_other_golden_values(self, name):
        """It reproduces the pinned forms of instances, mappings and the like, too."""
        value = golden_values.everything()[name]
        text = write_type_alias(value) if name in ALIASES else write_other(value)

        assert GOLDEN[name] == [text, digest(text.encode())]

    @settings(deadline=None)
    @given(NESTED)
    @example(2.0**-24)
    def test_any_value(self, value):
        """It agrees with the library on any nested value."""
        assert write(value).encode() == canonical(value)
