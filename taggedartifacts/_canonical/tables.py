"""Canonical form of what pandas makes: scalars, arrays, Index, Series and DataFrame.

Nothing here imports pandas or NumPy: whoever holds a table has loaded them. How a version of pandas stores a column is
left out as far as the values do not show it: the unit of times, and which of its types holds strings.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .arrays import array_digest, array_text, arrow_strings_text, dtype_text, strings_text
from .held import package
from .names import type_name
from .standard import duration, moment, zone_name
from .text import (
    Form,
    Written,
    elements_digest,
    index_label,
    listed,
    quoted,
    several,
    tagged_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .text import Reducer

_UNITS = {"ns": 10**9, "us": 10**6, "ms": 10**3, "s": 1}  # per second; the finest first
_OUTERMOST_TIME = (1 << 63) - 1


def recognise(kind: type) -> Reducer | None:
    """Find the form of what pandas makes, and of its subclasses with what they declare beyond it."""
    for base in kind.__mro__:
        if package(base) != "pandas":
            continue
        if (reducer := _SCALARS.get(base.__qualname__)) is not None:
            return reducer
        if (describe := _TABLES.get(base.__qualname__)) is not None:
            own = package(kind) == "pandas"
            if base.__qualname__ == "ExtensionArray" and not own:
                return None  # of another library: its state counts, and not its elements alone
            return describe if own else lambda value: _pandas_subclass(value, describe)
    return None


def _pandas_subclass(value: Any, describe: Callable[[Any], Form]) -> Form:
    held = {name: getattr(value, name, None) for name in type(value)._metadata if name != "_name"}
    return several("object", (type_name(type(value)), held, describe(value)))


def _dataframe(value: Any) -> Form:
    names = value.columns.tolist()
    columns = Form(
        # By `iloc` it would take three times as long.
        [_column(series.array) for _, series in sys.modules["pandas"].DataFrame.items(value)],
        lambda index: f"[{names[index]!r}]",
        listed,
    )
    return _with_attrs("dataframe", value, (value.columns, value.index, columns), (".columns", ".index"))


def _series(value: Any) -> Form:
    return _with_attrs("series", value, (value.name, value.index, _column(value.array)), (".name", ".index"))


def _with_attrs(tag: str, value: Any, parts: tuple[object, ...], labels: tuple[str, ...]) -> Form:
    further: tuple[object, ...] = (dict(value.attrs),) if value.attrs else ()
    if not value.flags.allows_duplicate_labels:  # with which many an operation fails
        further = (dict(value.attrs), {"allows_duplicate_labels": False})
    return several(tag, (*parts, *further), (*labels, "", ".attrs"))


def _index(value: Any) -> Form:
    levels = [value.get_level_values(level) for level in range(value.nlevels)] if value.nlevels > 1 else [value]
    return several("index", ([level.name for level in levels], [_column(level.array) for level in levels]))


def _column(array: Any) -> Form | Written:
    dtype = array.dtype
    if type(dtype).__name__ in ("NumpyEADtype", "PandasDtype"):
        dtype = dtype.numpy_dtype  # what wraps a plain NumPy array
    kind = type(dtype).__name__
    if kind == "StringDtype":
        if hasattr(array, "__arrow_array__") and getattr(dtype, "storage", "") == "pyarrow":
            return _strings_column(arrow_strings_text(array.__arrow_array__()))
        return _strings_column(strings_text(array.to_numpy(dtype=object, na_value=None).tolist()))
    if kind == "CategoricalDtype":
        return _category(array)
    if kind == "DatetimeTZDtype":
        return _times_column(array.tz_convert(None).to_numpy(), zone_name(dtype.tz))
    if kind == "ArrowDtype":
        return several("column", (str(dtype), array.__arrow_array__()))
    if kind == "PeriodDtype":
        return several("period", (array.freqstr, array.asi8))
    if kind == "IntervalDtype":
        return _interval(array)
    if hasattr(array, "_mask"):
        missing = array.isna()
        values = array.to_numpy(dtype=dtype.numpy_dtype, na_value=False if dtype.kind == "b" else 0)
        return several("column", (dtype.name, values, missing))
    if not isinstance(dtype, sys.modules["numpy"].dtype):
        elements = sys.modules["numpy"].asarray(array) if package(type(array)) == "pandas" else array
        return several("column", (str(dtype), elements), ("",))
    values = array.to_numpy()
    if dtype.kind in "mM":
        return _times_column(values, None)
    return _objects(values) if dtype.kind == "O" else several("column", (values,))


def _objects(values: Any) -> Form | Written:
    numpy, pandas = sys.modules["numpy"], sys.modules["pandas"]
    # Strings are strings, whichever of its types the version of pandas, or how they were made, put them in.
    if len(values) == 0 or pandas.api.types.infer_dtype(values, skipna=True) == "string":
        missing = pandas.isna(values)
        texts = numpy.where(missing, None, values).tolist()
        if set(map(type, texts)) <= {str, numpy.str_, type(None)}:  # and not members of an Enum of strings
            return _strings_column(strings_text(texts))
    elements = values.tolist()
    return Form(
        elements,
        index_label,
        lambda texts: tagged_text("column", f'["object",{len(elements)},"{elements_digest(texts)}"]'),
    )


def _strings_column(text: str) -> Written:
    return Written(tagged_text("column", f'["string",{text}]'))


def _times_column(values: Any, zone: str | None) -> Written:
    # In the finest unit in which all of them fit: pandas 2 and 3 store the same times in different ones.
    numpy = sys.modules["numpy"]
    kind = values.dtype.kind
    stored = numpy.datetime_data(values.dtype)[0]
    counts = values.view("i8")[~numpy.isnat(values)]
    outermost = max(abs(int(counts.min())), abs(int(counts.max()))) if len(counts) else 0
    unit = next(
        unit
        for unit, per_second in _UNITS.items()
        if unit == stored or outermost * (per_second // _UNITS[stored]) <= _OUTERMOST_TIME
    )
    array = values.astype(f"{kind}8[{unit}]", copy=False)
    text = array_text(dtype_text(array.dtype), array.shape, array_digest(array))
    return Written(tagged_text("column", f"[{'null' if zone is None else quoted(zone)},{text}]"))


def _category(array: Any) -> Form:
    # The order of categories counts: plots and tables show them in it.
    codes = array.codes.astype("<i4")
    categories = array.categories

    def finish(texts: list[str]) -> str:
        parts = (
            texts[0],
            str(bool(array.ordered)).lower(),
            str(len(texts) - 1),
            f'"{elements_digest(texts[1:])}"',
            array_text('"<i4"', codes.shape, array_digest(codes)),
        )
        return tagged_text("category", f"[{','.join(parts)}]")

    # An empty slice of the categories tells their type.
    return Form(
        [_column(categories[:0].array), *categories.tolist()], lambda index: f".categories[{index - 1}]", finish
    )


def _extension_array(value: Any) -> Form:
    return several("extensionarray", (_column(value),))


def _interval(value: Any) -> Form:
    return several("interval", (value.left, value.right, value.closed), (".left", ".right"))


_SCALARS: dict[str, Reducer] = {
    "Timestamp": lambda value: moment(value, value.nanosecond),
    "Timedelta": lambda value: duration(value, value.nanoseconds),
    "NaTType": lambda _value: tagged_text("nat", "null"),
    "NAType": lambda _value: tagged_text("na", "null"),
    "Interval": _interval,
    "Period": lambda value: several("period", (value.freqstr, value.ordinal)),
}
_TABLES: dict[str, Callable[[Any], Form]] = {
    "DataFrame": _dataframe,
    "Series": _series,
    "Index": _index,
    "ExtensionArray": _extension_array,
}
