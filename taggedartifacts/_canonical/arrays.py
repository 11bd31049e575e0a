"""Canonical form of arrays: NumPy's scalars, dtypes and arrays, tensors of torch and JAX, and columns of strings.

Nothing here imports NumPy: whoever holds an array has loaded it. Columns have the same form from Python's strings as
from Arrow's memory, which is read in place.
"""

from __future__ import annotations

import sys
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from .._hashing import hexdigest, hexdigest_parts
from .held import find_by_base, full_name, held_attributes, package, slots
from .names import type_name
from .text import (
    Form,
    RefusalError,
    Written,
    elements_digest,
    index_label,
    integer,
    named,
    one,
    quoted,
    same_as,
    several,
    tagged_text,
)

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from .text import Reducer

_CHUNK_BYTES = 1 << 20
_NOT_A_TIME = -(1 << 63)
# What every masked array keeps in its __dict__ for NumPy's own use.
_STATE_OF_MASKED = frozenset(
    ("_mask", "_fill_value", "_hardmask", "_sharedmask", "_isfield", "_baseclass", "_optinfo", "_basedict")
)


def recognise(kind: type) -> Reducer | None:
    """Find the form of what NumPy, torch and JAX make."""
    if (reducer := find_by_base(kind, _BY_NAME)) is not None:
        return reducer
    if package(kind) in ("jax", "jaxlib") and hasattr(kind, "__array__") and hasattr(kind, "sharding"):
        return _jax
    return None


def array_digest(array: Any) -> str:
    """Digest the elements of an array in C order and little-endian, without a copy where they lie so in memory."""
    plain = array.view(_numpy().ndarray)
    wanted = plain.dtype.newbyteorder("<")
    if plain.flags.c_contiguous and plain.dtype == wanted:
        return hexdigest(plain.reshape(-1).view("u1") if plain.nbytes else b"")
    return hexdigest_parts(_chunks(plain, wanted))


def array_text(dtype: str, shape: tuple[int, ...], content: str) -> str:
    """Write an array: its dtype, its shape and the digest of its elements."""
    return tagged_text("array", f'[{dtype},[{",".join(map(str, shape))}],"{content}"]')


def _chunks(array: Any, dtype: Any) -> Iterator[Any]:
    # Bounded copies; NumPy's own iterator also swaps bytes on the way.
    size = max(1, _CHUNK_BYTES // max(1, dtype.itemsize))
    chunks = _numpy().nditer(
        array, ["external_loop", "buffered", "zerosize_ok"], [["readonly"]], [dtype], "C", "equiv", buffersize=size
    )
    with chunks:
        for chunk in chunks:
            yield _numpy().ascontiguousarray(chunk).view("u1")


def _array(value: Any) -> str | Form:
    kind = type(value)
    numpy = _numpy()
    if kind is numpy.ndarray or full_name(kind) in ("numpy.memmap", "numpy.recarray", "numpy.rec.recarray"):
        return _plain_array(value.view(numpy.ndarray))
    if isinstance(value, numpy.ma.MaskedArray):
        return _masked_array(value)
    return declared(value, numpy.ndarray.view(value, numpy.ndarray))  # a class may give itself again instead


def declared(value: Any, plain: object, internals: Container[str] = ()) -> Form:
    """Describe an instance of a subclass: its type, what it holds beside *internals*, and the *plain* value it is."""
    kind = type(value)
    held = held_attributes(value, slots(kind))
    own = {name: item for name, item in held.items() if name not in internals}
    return several("object", (type_name(kind), own, plain))


def _plain_array(value: Any) -> str | Form:
    dtype = value.dtype
    if dtype.names is not None:
        # What lies between the fields is left over from whoever used the memory before.
        return _records(value, [value[name] for name in dtype.names])
    if dtype.kind in "OT":
        shape = value.shape
        return Form(
            value.ravel().tolist(),
            index_label
            if value.ndim == 1
            else lambda index: str([int(axis) for axis in _numpy().unravel_index(index, shape)]),
            lambda texts: array_text(dtype_text(dtype), shape, elements_digest(texts)),
        )
    return array_text(dtype_text(dtype), value.shape, array_digest(value))


def _records(value: Any, fields: list[Any]) -> Form:
    return several("records", (list(value.shape), named(value.dtype.names, fields)))


def _masked_array(value: Any) -> str | Form:
    numpy = _numpy()
    if value is numpy.ma.masked:
        return tagged_text("masked", "null")
    plain = _masked(value.view(numpy.ndarray), numpy.asarray(numpy.ma.getmaskarray(value)), value.fill_value)
    if getattr(value, "hardmask", False):  # which assignments leave as it is
        plain = several("masked", ("hard", plain))
    # Attributes may be set on NumPy's own class too, which also takes over those of an array that it masks.
    is_own = package(type(value)) == "numpy"
    return plain if is_own and vars(value).keys() <= _STATE_OF_MASKED else declared(value, plain, _STATE_OF_MASKED)


def _masked(values: Any, mask: Any, fill: Any) -> Form:
    # What lies under the mask is no part of the value.
    if values.dtype.names is not None:
        return _records(values, [_masked(values[name], mask[name], fill[name]) for name in values.dtype.names])
    numpy = _numpy()
    return several("masked", (numpy.where(mask, numpy.zeros((), values.dtype), values), mask, fill))


def _dtype(dtype: Any) -> object:
    # As a value, a dtype may say how to read a file: byte order and layout count here, unlike those of an array.
    further: dict[str, object] = {"metadata": dict(dtype.metadata)} if dtype.metadata else {}
    form: object
    if dtype.names is not None:
        fields = [dtype.fields[name] for name in dtype.names]
        form = [[name, _dtype(field[0])] for name, field in zip(dtype.names, fields, strict=True)]
        further |= _layout(dtype, fields)
    elif dtype.subdtype is not None:
        form = [_dtype(dtype.subdtype[0]), list(dtype.subdtype[1])]
    else:
        form = _type_string(dtype)
        further |= _strings_options(dtype) if dtype.kind == "T" else {}
    return [form, further] if further else form


def _layout(dtype: Any, fields: list[Any]) -> dict[str, object]:
    # Nothing where the fields follow one another without gaps and have no titles.
    found: dict[str, object] = {}
    offsets = [field[1] for field in fields]
    if [*offsets, dtype.itemsize] != [0, *accumulate(field[0].itemsize for field in fields)]:
        found |= {"offsets": offsets, "itemsize": dtype.itemsize}
    titles = [(*field, None)[2] for field in fields]
    if titles.count(None) < len(titles):
        found["titles"] = titles
    if dtype.kind != "V":
        found["base"] = dtype.str  # as of an integer whose bytes the fields name
    return found


def _strings_options(dtype: Any) -> dict[str, object]:
    found: dict[str, object] = {} if dtype.coerce else {"coerce": False}
    return found | ({"na_object": dtype.na_object} if hasattr(dtype, "na_object") else {})


def _type_string(dtype: Any) -> str:
    if dtype.kind in "fc" and dtype.char in "gG":
        raise RefusalError(f"{dtype.name} differs between platforms; convert it to a type of fixed width")
    if dtype.kind == "V" and dtype.name != f"void{8 * dtype.itemsize}":
        return str(dtype.name)  # a type that an extension adds, as bfloat16, which NumPy itself spells as raw bytes
    return "|T" if dtype.kind == "T" else str(dtype.str)


def dtype_text(dtype: Any) -> str:
    """Write the dtype of elements, without their byte order, in which they are not digested either."""
    return quoted(_type_string(dtype).replace(">", "<"))


def _scalar(value: Any) -> str | Form:
    kind = value.dtype.kind
    if kind in "mM":
        return _time_scalar(value)
    if kind == "V":
        return same_as(_numpy().asarray(value))
    plain = value.item()
    if value.dtype.char in "gG" or type(plain).__module__ == "numpy":
        plain = complex(value) if kind == "c" else float(value)
        if plain != value and value == value:  # false only for nan
            raise RefusalError(f"this {value.dtype.name} is not exact on other platforms; convert it to float64")
    return same_as(plain)


def _time_scalar(value: Any) -> str:
    # Not by the Python type that it may convert to: which one depends on the unit.
    count = int(value.view("i8"))
    name = "datetime64" if value.dtype.kind == "M" else "timedelta64"
    unit = value.dtype.str.partition("[")[2].rstrip("]")
    return tagged_text(name, f"[{'null' if count == _NOT_A_TIME else integer(count)},{quoted(unit)}]")


def _torch(value: Any) -> Form:
    try:
        plain = value.detach().cpu().resolve_conj().resolve_neg()
        name = str(plain.dtype).partition(".")[2]
        if not name.startswith(("bfloat16", "float8")):
            return several("tensor", ("torch", plain.numpy()))
        # Unknown to NumPy: by its bits.
        bits = plain.contiguous().view(getattr(sys.modules["torch"], f"int{8 * plain.itemsize}")).numpy()
    except (TypeError, RuntimeError) as error:  # sparse, quantised, nested, without data
        reason = f"this tensor has no canonical form, as it has no array of NumPy ({error})"
        raise RefusalError(f"{reason}; convert it, as with to_dense() or dequantize()") from error
    text = array_text(quoted(name), bits.shape, array_digest(bits))
    return several("tensor", ("torch", Written(text)))


def _jax(value: Any) -> Form:
    try:
        return several("tensor", ("jax", _numpy().asarray(value)))
    except TypeError as error:  # as for the keys of random generators
        raise RefusalError(str(error)) from error


def _numpy() -> Any:
    return sys.modules["numpy"]


_BY_NAME: dict[str, Reducer] = {
    "numpy.ndarray": _array,
    "numpy.dtype": lambda value: one("dtype", _dtype(value)),
    "numpy.generic": _scalar,
    "torch.Tensor": _torch,
}


_MISSING = -1
_BATCH = 1 << 14  # strings encoded at a time, so that the copies are bounded


def strings_text(values: Sequence[str | None]) -> str:
    """Write a column of Python strings and None: how many, the digest of their lengths, the digest of their bytes."""
    lengths = _numpy().empty(len(values), "<i8")

    def contents() -> Iterator[bytes]:
        for start in range(0, len(values), _BATCH):
            batch = values[start : start + _BATCH]
            encoded = [None if value is None else value.encode("utf-8", "surrogatepass") for value in batch]
            lengths[start : start + _BATCH] = [_MISSING if value is None else len(value) for value in encoded]
            yield b"".join(filter(None, encoded))

    return lengths_and_bytes(lengths, contents())


def arrow_strings_text(column: Any) -> str:
    """Write a column of Arrow's strings, which pandas and polars hold too, as if they were Python strings."""
    numpy = _numpy()
    lengths = numpy.empty(len(column), "<i8")
    contents = []
    start = 0
    for chunk in getattr(column, "chunks", [column]):
        missing = chunk.is_null().to_numpy(zero_copy_only=False) if chunk.null_count else None
        # Wide offsets share the bytes; below a null there may lie anything.
        strings = (chunk if missing is None else chunk.fill_null("")).cast("large_string")
        offsets = numpy.frombuffer(strings.buffers()[1] or bytes(8), "<i8")[strings.offset :][: len(strings) + 1]
        stop = start + len(strings)
        numpy.subtract(offsets[1:], offsets[:-1], out=lengths[start:stop])
        if missing is not None:
            lengths[start:stop][missing] = _MISSING
        contents.append(memoryview(strings.buffers()[2] or b"")[offsets[0] : offsets[-1]])
        start = stop
    return lengths_and_bytes(lengths, contents)


def lengths_and_bytes(lengths: Any, contents: Iterable[Any]) -> str:
    """Write a column of strings: the lengths of their UTF-8 (-1 for a missing one), and all of it in a row."""
    content = hexdigest_parts(contents)  # first: it may be what finds out the lengths
    return f'[{len(lengths)},"{array_digest(lengths)}","{content}"]'
