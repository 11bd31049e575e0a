"""Canonical form of what polars and pyarrow make: tables and columns, by names, types and values, however chunked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ._canonical_text import Form, Written, quoted, several
from ._columns import arrow_strings_text, lengths_and_bytes

if TYPE_CHECKING:
    from ._canonical_text import Reducer

_POLARS_TIMES = ("Date", "Datetime", "Duration", "Time")
_POLARS_NUMBERS = (
    "Boolean",
    "Float32",
    "Float64",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
)
_ARROW_STRINGS = ("string", "large_string", "string_view")
_ARROW_NUMBERS = frozenset(
    ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float", "halffloat", "double")
)


def recognise(kind: type) -> Reducer | None:
    """Find the form of tables and columns of polars and pyarrow."""
    for base in kind.__mro__:
        if (reducer := _BY_NAME.get(f"{base.__module__}.{base.__qualname__}")) is not None:
            return reducer
    return None


def _polars_dataframe(value: Any) -> Form:
    return _table("polars", value.height, value.columns, [_polars_column(column) for column in value.get_columns()])


def _polars_series(value: Any) -> Form:
    return several("columnar", ("polars", value.name, _polars_column(value)))


def _polars_column(series: Any) -> Form:
    base = type(series.dtype).__name__
    # How a categorical maps its strings to numbers depends on what the process has seen before.
    name = "Categorical" if base == "Categorical" else str(series.dtype)
    if base in ("Categorical", "Enum", "String"):
        polars = sys.modules["polars"]
        series = series.cast(polars.String)
        lengths = series.str.len_bytes().cast(polars.Int64).fill_null(-1).to_numpy()
        return several("column", (name, Written(lengths_and_bytes(lengths, [series.str.join("")[0].encode()]))))
    if base in _POLARS_TIMES:
        series = series.to_physical()
    elif base not in _POLARS_NUMBERS:
        return several("column", (name, series.to_list()))
    if series.null_count() == 0:
        return several("column", (name, series.to_numpy()))
    filled = series.fill_null(False if base == "Boolean" else 0)
    return several("column", (name, filled.to_numpy(), series.is_null().to_numpy()))


def _arrow_table(value: Any) -> Form:
    return _table("pyarrow", value.num_rows, value.schema.names, [_arrow_column(column) for column in value.columns])


def _arrow_array(value: Any) -> Form:
    return several("columnar", ("pyarrow", None, _arrow_column(value)))


def _arrow_column(column: Any) -> Form:
    name = str(column.type)
    if name.startswith("dictionary<"):
        name = f"dictionary<{column.type.value_type}>"
        column = column.cast(column.type.value_type)
    kind = str(column.type)
    if kind in _ARROW_STRINGS:
        return several("column", (name, Written(arrow_strings_text(column))))
    if kind.startswith(("timestamp", "duration", "time64", "date64")):
        column = column.cast("int64")
    elif kind.startswith(("time32", "date32")):
        column = column.cast("int32")
    elif kind not in _ARROW_NUMBERS:
        return several("column", (name, column.to_pylist()))
    if column.null_count == 0:
        return several("column", (name, column.to_numpy(zero_copy_only=False)))
    filled = column.fill_null(False if kind == "bool" else 0)
    missing = column.is_null()
    return several("column", (name, filled.to_numpy(zero_copy_only=False), missing.to_numpy(zero_copy_only=False)))


def _table(library: str, rows: int, names: list[str], columns: list[Form]) -> Form:
    named = Form(
        columns,
        lambda index: f"[{names[index]!r}]",
        lambda texts: f"[{','.join(f'[{quoted(name)},{text}]' for name, text in zip(names, texts, strict=True))}]",
    )
    return several("table", (library, rows, named))


_BY_NAME: dict[str, Reducer] = {
    "polars.dataframe.frame.DataFrame": _polars_dataframe,
    "polars.series.series.Series": _polars_series,
    "pyarrow.lib.Table": _arrow_table,
    "pyarrow.lib.RecordBatch": _arrow_table,
    "pyarrow.lib.ChunkedArray": _arrow_array,
    "pyarrow.lib.Array": _arrow_array,
}
