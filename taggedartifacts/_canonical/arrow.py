"""Canonical form of what polars and pyarrow make: tables and columns, by names, types and values, however chunked."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from .arrays import arrow_strings_text, declared, lengths_and_bytes
from .held import find_by_base, full_name
from .text import Form, Written, named, several

if TYPE_CHECKING:
    from collections.abc import Callable

    from .text import Reducer

    _Values = tuple[object, ...]

_POLARS_STRINGS = frozenset(("Categorical", "Enum", "String"))
_POLARS_TIMES = frozenset(("Date", "Datetime", "Duration", "Time"))
_POLARS_NUMBERS = frozenset(
    (
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
)
_NO_WORD = re.compile(r"\W")
_ARROW_STRINGS = frozenset(("string", "large_string", "string_view"))
_ARROW_TIMES = {
    **dict.fromkeys(("timestamp", "duration", "time64", "date64"), "int64"),
    **dict.fromkeys(("time32", "date32"), "int32"),
}
_ARROW_NUMBERS = frozenset(
    ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float", "halffloat", "double")
)


def recognise(kind: type) -> Reducer | None:
    """Find the form of tables and columns of polars and pyarrow, and of their subclasses."""
    reducer = find_by_base(kind, _BY_NAME)
    if reducer is None or full_name(kind) in _BY_NAME or kind.__module__ == "pyarrow.lib":
        return reducer
    # polars keeps its own object there, and the namespaces that others add to it once they were looked at.
    return lambda value: declared(value, reducer(value), {"_df", "_s", *getattr(value, "_accessors", ())})


def _polars_dataframe(value: Any) -> Form:
    return _table("polars", value.height, value.columns, [_polars_column(column) for column in value.get_columns()])


def _polars_series(value: Any) -> Form:
    return several("columnar", ("polars", value.name, _polars_column(value)))


def _polars_column(series: Any) -> Form:
    # How a categorical maps its strings to numbers depends on what the process has seen before.
    name = "Categorical" if type(series.dtype).__name__ == "Categorical" else str(series.dtype)
    return several("column", (name, *_polars_values(series)))


def _polars_values(series: Any) -> _Values:
    polars = sys.modules["polars"]
    if isinstance(series.dtype, getattr(polars, "BaseExtension", ())):
        return _polars_values(series.ext.storage())
    kind = type(series.dtype).__name__
    if kind in _POLARS_STRINGS:
        series = series.cast(polars.String)
        lengths = series.str.len_bytes().cast(polars.Int64).fill_null(-1).to_numpy()
        return (Written(lengths_and_bytes(lengths, [series.str.join("")[0].encode()])),)
    if kind in _POLARS_TIMES:
        series = series.to_physical()
    elif kind in _POLARS_NESTED:
        return _POLARS_NESTED[kind](series)
    elif kind not in _POLARS_NUMBERS:
        return (series.to_list(),)
    if series.null_count() == 0:
        return (series.to_numpy(),)
    filled = series.fill_null(False if kind == "Boolean" else 0)
    return filled.to_numpy(), series.is_null().to_numpy()


def _polars_lists(series: Any) -> _Values:
    # Not as Python's objects, here and below: these have no nanoseconds, and no dates beyond the year 9999.
    # Which are missing is asked apart: polars 1.0 says that a missing list has the length 0.
    lengths = series.list.len().fill_null(0).to_numpy().astype("i8")
    lengths[series.is_null().to_numpy()] = -1
    elements = series.filter(sys.modules["polars"].Series(lengths > 0)).explode()
    return lengths, _polars_column(elements)


def _polars_struct(series: Any) -> _Values:
    present = series.filter(series.is_not_null())
    names = present.struct.fields
    fields = named(names, [_polars_column(present.struct.field(name)) for name in names])
    return (fields, series.is_null().to_numpy()) if series.null_count() else (fields,)


_POLARS_NESTED: dict[str, Callable[[Any], _Values]] = {
    "List": _polars_lists,
    "Array": lambda series: _polars_lists(series.arr.to_list()),
    "Map": lambda series: _polars_lists(series.map.entries()),
    "Struct": _polars_struct,
}


def _arrow_table(value: Any) -> Form:
    columns = [_arrow_column(column) for column in value.columns]
    return _table("pyarrow", value.num_rows, value.schema.names, columns, _arrow_metadata(value.schema))


def _arrow_metadata(schema: Any) -> dict[str, object]:
    """Collect the metadata of a schema and of its fields, as far as there are any."""
    found: dict[str, object] = {"schema": _metadata_that_counts(schema.metadata)} if schema.metadata else {}
    fields = [[field.name, _metadata_that_counts(field.metadata)] for field in schema if field.metadata]
    required = [field.name for field in schema if not field.nullable]
    return found | ({"fields": fields} if fields else {}) | ({"required": required} if required else {})


def _metadata_that_counts(metadata: dict[bytes, bytes]) -> dict[bytes, object]:
    # pandas notes which versions of pandas and pyarrow wrote it.
    if b"pandas" not in metadata:
        return dict(metadata)
    import json  # loaded by pyarrow's own pandas metadata, and only there needed

    try:
        noted = json.loads(metadata[b"pandas"])
    except ValueError:
        return dict(metadata)
    return {**metadata, b"pandas": {k: v for k, v in noted.items() if k not in ("creator", "pandas_version")}}


def _arrow_array(value: Any) -> Form:
    return several("columnar", ("pyarrow", None, _arrow_column(value)))


def _arrow_column(column: Any) -> Form:
    kind, name = column.type, str(column.type)
    further: _Values = ()
    if name.startswith("dictionary<"):
        name = f"dictionary<{kind.value_type}>"
        if kind.ordered:  # as the categories of pandas
            whole = column.unify_dictionaries().chunks[:1] if hasattr(column, "chunks") else [column]
            further = ("ordered", *[_arrow_column(chunk.dictionary) for chunk in whole])
    elif hasattr(kind, "__arrow_ext_serialize__"):  # the name of its class says nothing of its parameters
        further = ("extension", kind.extension_name, kind.__arrow_ext_serialize__())
    return several("column", (name, *_arrow_values(column), *further))


def _arrow_values(column: Any) -> _Values:
    if (storage := getattr(column.type, "storage_type", None)) is not None:  # of an extension
        return _arrow_values(column.cast(storage))
    kind = _NO_WORD.split(str(column.type), maxsplit=1)[0]
    if kind in _ARROW_STRINGS:
        return (Written(arrow_strings_text(column)),)
    if kind in _ARROW_TIMES:
        column = column.cast(_ARROW_TIMES[kind])
    elif kind in _ARROW_NESTED:
        return _ARROW_NESTED[kind](column)
    elif kind == "month_day_nano_interval":
        return ([each if each is None else list(each) for each in column.to_pylist()],)
    elif kind not in _ARROW_NUMBERS:
        return (column.to_pylist(),)
    if column.null_count == 0:
        return (column.to_numpy(zero_copy_only=False),)
    filled = column.fill_null(False if kind == "bool" else 0)
    return filled.to_numpy(zero_copy_only=False), column.is_null().to_numpy(zero_copy_only=False)


def _arrow_dictionary(column: Any) -> _Values:
    return _arrow_values(_by_chunk(column, lambda chunk: chunk.dictionary_decode(), column.type.value_type))


def _arrow_runs(column: Any) -> _Values:
    numpy = sys.modules["numpy"]

    def decode(chunk: Any) -> Any:
        rows = numpy.arange(chunk.offset, chunk.offset + len(chunk))
        return chunk.values.take(numpy.searchsorted(chunk.run_ends.to_numpy(), rows, side="right"))

    return _arrow_values(_by_chunk(column, decode, column.type.value_type))


def _arrow_lists(column: Any) -> _Values:
    numpy = sys.modules["numpy"]
    lengths = [chunk.value_lengths().cast("int64").fill_null(-1).to_numpy() for chunk in _chunks_of_column(column)]
    elements = _by_chunk(column, lambda chunk: chunk.flatten(), column.type.value_type)
    return numpy.concatenate([numpy.empty(0, "i8"), *lengths]), _arrow_column(elements)


def _arrow_map(column: Any) -> _Values:
    pyarrow = sys.modules["pyarrow"]
    entries = pyarrow.list_(pyarrow.struct([column.type.key_field, column.type.item_field]))
    return _arrow_lists(column.cast(entries))


def _arrow_struct(column: Any) -> _Values:
    names = [field.name for field in column.type]
    fields = named(names, [_arrow_column(field) for field in column.drop_null().flatten()])
    return (fields, column.is_null().to_numpy(zero_copy_only=False)) if column.null_count else (fields,)


def _arrow_union(column: Any) -> _Values:
    numpy = sys.modules["numpy"]
    whole = column.combine_chunks() if hasattr(column, "chunks") else column
    whole = whole.take(
        numpy.arange(len(whole))
    )  # codes and offsets of a slice are, up to pyarrow 26, those of its start
    codes = whole.type_codes.to_numpy()
    members = []
    for index, code in enumerate(whole.type.type_codes):
        rows = numpy.flatnonzero(codes == code)
        if whole.type.mode == "dense":
            rows = whole.offsets.to_numpy()[rows]
        members.append(_arrow_column(whole.field(index).take(rows)))
    return codes, named([field.name for field in whole.type], members)


_ARROW_NESTED: dict[str, Callable[[Any], _Values]] = {
    "dictionary": _arrow_dictionary,
    "run_end_encoded": _arrow_runs,
    "list": _arrow_lists,
    "large_list": _arrow_lists,
    "fixed_size_list": _arrow_lists,
    "list_view": _arrow_lists,
    "large_list_view": _arrow_lists,
    "map": _arrow_map,
    "struct": _arrow_struct,
    "sparse_union": _arrow_union,
    "dense_union": _arrow_union,
}


def _chunks_of_column(column: Any) -> list[Any]:
    return getattr(column, "chunks", [column])


def _by_chunk(column: Any, change: Callable[[Any], Any], kind: Any) -> Any:
    return sys.modules["pyarrow"].chunked_array([change(chunk) for chunk in _chunks_of_column(column)], kind)


def _table(
    library: str, rows: int, names: list[str], columns: list[Form], metadata: dict[str, object] | None = None
) -> Form:
    return several("table", (library, rows, named(names, columns), *([metadata] if metadata else ())))


_BY_NAME: dict[str, Reducer] = {
    "polars.dataframe.frame.DataFrame": _polars_dataframe,
    "polars.series.series.Series": _polars_series,
    "pyarrow.lib.Table": _arrow_table,
    "pyarrow.lib.RecordBatch": _arrow_table,
    "pyarrow.lib.ChunkedArray": _arrow_array,
    "pyarrow.lib.Array": _arrow_array,
}
