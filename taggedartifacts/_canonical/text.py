"""Canonical text: how plain values are written, and the forms from which the encoder builds everything else.

The text is JSON in the manner of RFC 8785 with the differences that docs/config-hash.rst specifies.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from itertools import islice
from json.encoder import encode_basestring
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple

from .._hashing import hexdigest, hexdigest_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    Reducer = Callable[[Any], "str | Form"]

_STRINGS = frozenset((str,))
# Keys of a dict whose shape is remembered; the shapes of larger ones would take memory.
_SHORT = 64
# Longer contents enter as their digest, so that the text, and a record that holds it, stay small.
_LITERAL_BYTES = 64
# Elements that are joined before they are digested: so many that joining costs nothing, so few that they fit the cache.
_BATCH = 4096
# ECMAScript, and RFC 8785 with it, writes an exponent from 1e21 upwards and below 1e-6.
_MOST_INTEGRAL_DIGITS = 21
_MOST_LEADING_ZEROS = 6


class RefusalError(Exception):
    """A value has no canonical form; the encoder adds where it stands. Never leaves the library.

    Args:
        reason: Why.
        remedy: What to do about it, where the remedies that help everywhere else do not: ``"pass its seed"``.
    """

    def __init__(self, reason: str, remedy: str | None = None) -> None:
        super().__init__(reason)
        self.remedy = remedy


class Written:
    """A value that is encoded already."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Form(NamedTuple):
    """How a composite value is encoded: from the texts of its children.

    Attributes:
        children: The values inside it, in the order in which *finish* takes their texts.
        label: The step in a place that leads to the child of that index, as in ``[3]`` or ``.bins``.
        finish: Makes the text of the whole from the texts of the children.
    """

    children: Iterable[object]
    label: Callable[[int], str]
    finish: Callable[[list[str]], str]


class Shape(NamedTuple):
    """How the objects with certain keys are written.

    Attributes:
        names: The keys, in the order in which they are written.
        label: As in `Form`, for the values in that order.
        finish: As in `Form`, likewise.
        mistakable: Whether one of the keys looks like that of a tagged object; then a dict is written as pairs instead.
    """

    names: list[str]
    label: Callable[[int], str]
    finish: Callable[[list[str]], str]
    mistakable: bool


def integer(value: int) -> str:
    """Write an integer, with all its digits."""
    try:
        return int.__repr__(value)
    except ValueError:
        # Decimal prints digits beyond the limit that Python puts on int (sys.set_int_max_str_digits).
        from decimal import Decimal  # only for such integers: it takes time to import

        return format(Decimal(value), "f")


def number(value: float) -> str:
    """Write a float as ECMAScript does, with the point of an integral one and the sign of zero kept."""
    text = float.__repr__(value)
    if "e" not in text:
        return text if "n" not in text else tagged_text("float", quoted(text))
    mantissa, _, exponent = text.partition("e")
    sign = "-" if mantissa[0] == "-" else ""
    head, _, tail = mantissa.lstrip("-").partition(".")
    digits = (head + tail).rstrip("0")
    point = int(exponent) + 1
    if len(digits) <= point <= _MOST_INTEGRAL_DIGITS:
        return f"{sign}{digits.ljust(point, '0')}.0"
    if -_MOST_LEADING_ZEROS < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"


def quoted(value: str) -> str:
    """Write a string; its lone surrogates are escaped only when the whole text becomes bytes."""
    return encode_basestring(value)


def content(value: bytes | bytearray) -> str:
    """Write bytes: short ones as hex digits, longer ones as their length and digest."""
    if len(value) <= _LITERAL_BYTES:
        return tagged_text("bytes", quoted(value.hex()))
    return tagged_text("bytes", f'[{len(value)},"{hexdigest(value)}"]')


def elements_digest(texts: Iterable[str]) -> str:
    """Digest the list of elements whose texts are known, as if it were written out."""
    return hexdigest_parts(_list_parts(iter(texts)))


def tagged_text(tag: str, text: str) -> str:
    """Write a tagged object: the one shape that no user's dict is written in."""
    return f'{{"${tag}":{text}}}'


def utf8(text: str) -> bytes:
    r"""Turn canonical text into bytes; backslashreplace writes a lone surrogate as ``\udxxx``, the escape of JSON."""
    return text.encode("utf-8", "backslashreplace")


def listed(texts: Iterable[str]) -> str:
    """Write a list of values whose texts are known."""
    return f"[{','.join(texts)}]"


def index_label(index: int) -> str:
    """Name the element of a sequence."""
    return f"[{index}]"


def no_label(_index: int) -> str:
    """Name nothing: the child is an inner part of the encoding that users do not see."""
    return ""


def attribute_label(name: str) -> str:
    """Name a member of an object or a dict."""
    return f".{name}" if name.isidentifier() else f"[{name!r}]"


def sequence(value: Sequence[object]) -> Form:
    """Encode a list or a tuple."""
    return Form(value, index_label, listed)


def mapping(value: dict[Any, object]) -> Form:
    """Encode a dict: as a JSON object when all keys are strings that cannot be mistaken for a tag, else as pairs."""
    shape = shape_of(value)
    if shape is None:
        return _pairs(value)
    return Form([value[name] for name in shape.names], shape.label, shape.finish)


def shape_of(value: Mapping[Any, object]) -> Shape | None:
    """Find how a dict is written as a JSON object; None if it has to be written as pairs."""
    if not _STRINGS.issuperset(map(type, value)):
        return None
    names = tuple(value)
    shape = (object_shape if len(names) <= _SHORT else object_shape.__wrapped__)(names)
    return None if shape.mistakable else shape


# Dicts come in few shapes, one for each place in a program: to sort and quote the keys each time would be half of the
# time that a small dict takes. As long as the process lives, or until there are more.
@lru_cache(maxsize=1024)
def object_shape(names: tuple[str, ...]) -> Shape:
    """Find how a JSON object with these keys is written."""
    ordered = sorted(names) if "".join(names).isascii() else sorted(names, key=_utf16)
    first = bisect_left(ordered, "$")
    heads = [f"{encode_basestring(name)}:" for name in ordered]
    return Shape(
        ordered,
        lambda index: attribute_label(ordered[index]),
        lambda texts: f"{{{','.join(map(add, heads, texts))}}}",
        mistakable=first < len(ordered) and ordered[first][:1] == "$",
    )


def one(tag: str, child: object) -> Form:
    """Encode as a tagged object around one value."""
    return Form((child,), no_label, lambda texts: tagged_text(tag, texts[0]))


def several(tag: str, children: Sequence[object], labels: Sequence[str] = ()) -> Form:
    """Encode as a tagged object around a list of values."""
    return Form(
        children,
        lambda index: labels[index] if index < len(labels) else "",
        lambda texts: tagged_text(tag, listed(texts)),
    )


def unordered(tag: str, children: Iterable[object]) -> Form:
    """Encode as a tagged object around values whose order does not count."""
    return Form(children, lambda _index: " an element", lambda texts: tagged_text(tag, listed(sorted(texts, key=utf8))))


def named(names: Sequence[str], children: Sequence[object]) -> Form:
    """Encode as a list of pairs of a name and a value, as of columns, in which a name may occur twice."""
    return Form(
        children,
        lambda index: f"[{names[index]!r}]",
        lambda texts: listed(f"[{quoted(name)},{text}]" for name, text in zip(names, texts, strict=True)),
    )


def same_as(value: object) -> Form:
    """Encode as another value is encoded."""
    return Form((value,), no_label, _only)


def _pairs(value: dict[object, object]) -> Form:
    keys = list(value)

    def label(index: int) -> str:
        return f" key {index // 2}" if index % 2 == 0 else _key_label(keys[index // 2])

    def finish(texts: list[str]) -> str:
        pairs = sorted((utf8(key), utf8(item), key, item) for key, item in zip(texts[::2], texts[1::2], strict=True))
        return tagged_text("dict", listed(f"[{key},{item}]" for _, _, key, item in pairs))

    return Form([part for pair in value.items() for part in pair], label, finish)


def _key_label(key: object) -> str:
    return f"[{key!r}]" if type(key) in (str, int, float, bool) else "[…]"


def _utf16(key: str) -> tuple[bytes, str]:
    # RFC 8785 sorts by UTF-16 code units, which two lone surrogates share with the character that they would spell.
    return key.encode("utf-16-be", "surrogatepass"), key


def _list_parts(texts: Iterator[str]) -> Iterator[bytes]:
    separator = "["
    while batch := list(islice(texts, _BATCH)):
        yield utf8(separator + ",".join(batch))
        separator = ","
    yield b"[]" if separator == "[" else b"]"


def _only(texts: list[str]) -> str:
    return texts[0]
