"""The specification of the config hash is enough: an encoder written from it alone gives the same forms.

It is written from docs/config-hash.rst for the JSON-shaped values with sets, bytes and odd floats, and shares nothing
with the library.
"""

from __future__ import annotations

import json
import struct
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


class TestSpecification:
    @pytest.mark.parametrize("name", sorted(VALUES))
    def test_golden_values(self, name):
        """The encoder written from the document reproduces the pinned forms and hashes."""
        text = write(VALUES[name])

        assert GOLDEN[name] == [text, digest(text.encode())]

    @settings(max_examples=300, deadline=None)
    @given(NESTED)
    @example(2.0**-24)
    def test_any_value(self, value):
        """It agrees with the library on any nested value."""
        assert write(value).encode() == canonical(value)
