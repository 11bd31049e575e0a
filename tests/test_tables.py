"""Canonical forms of tables: pandas, polars and pyarrow."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taggedartifacts._canonical import canonical, encode
from taggedartifacts._errors import UnhashableError

TEXTS = st.lists(st.none() | st.text(max_size=4), max_size=12)


class TestPandas:
    def test_everything_about_a_frame_counts(self):
        """Values, dtypes, names and order of columns and rows, and the index, all count."""
        frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
        frames = [
            frame,
            frame.assign(a=[1, 3]),
            frame.assign(b=["x", None]),
            frame.astype({"a": "float64"}),
            frame.astype({"a": "int32"}),
            frame.astype({"a": "Int64"}),
            frame.astype({"b": "category"}),
            frame[["b", "a"]],
            frame[::-1],
            frame.rename(columns={"a": "c"}),
            frame.rename_axis("i"),
            frame.rename_axis("i", axis="columns"),
            frame.set_index("a"),
            frame.a,
            frame.a.rename("b"),
            frame.index,
            frame.to_numpy(),
        ]

        assert len(frames) == len({canonical(value) for value in frames})

    def test_layout_does_not_count(self):
        """Neither do blocks, copies, slices and a range index."""
        frame = pd.DataFrame(np.arange(12.0).reshape(3, 4), columns=list("abcd"))
        apart = pd.concat([frame[[name]] for name in frame], axis=1)
        doubled = pd.concat([frame, frame])[:3]

        assert canonical(frame) == canonical(apart)
        assert canonical(frame) == canonical(doubled)
        assert canonical(frame) == canonical(frame.set_index(pd.Index([0, 1, 2])))

    @settings(max_examples=100, deadline=None)
    @given(TEXTS)
    def test_strings_are_strings(self, texts):
        """Strings agree whichever type of pandas or pyarrow holds them."""
        plain = pd.Series(texts, dtype=object)
        forms = {canonical(plain.astype(kind)) for kind in (pd.StringDtype("python"), pd.StringDtype("pyarrow"))}

        assert 1 == len(forms)
        assert any(isinstance(text, str) for text in texts) is False or {canonical(plain)} == forms

    def test_objects_that_are_no_strings(self):
        """A column of other objects counts by its elements, and names one that is refused."""
        frame = pd.DataFrame({"a": [1, 2], "b": ["x", object()]})
        with pytest.raises(UnhashableError, match=r"^argument 'table' → \['b'\]\[1\]: an object"):
            encode(frame, "argument 'table'")

        assert canonical(pd.Series([1, "1"], dtype=object)) != canonical(pd.Series(["1", 1], dtype=object))

    def test_units_of_times(self):
        """The unit in which times are stored does not count, as long as they are the same times."""
        times = pd.Series(pd.to_datetime(["2024-02-29 01:02:03", None]))
        far = pd.Series(np.array(["4000-01-01", "NaT"], "M8[s]"))

        assert 1 == len({canonical(times.astype(f"datetime64[{unit}]")) for unit in ("s", "ms", "us", "ns")})
        assert canonical(far) == canonical(far.astype("datetime64[us]"))
        assert canonical(far) != canonical(times)

    def test_zones_count(self):
        """The same instants in different zones differ."""
        times = pd.Series(pd.to_datetime(["2024-02-29"]))
        zones = [times, times.dt.tz_localize("UTC"), times.dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")]

        assert 3 == len({canonical(value) for value in zones})

    def test_order_of_categories(self):
        """The order of categories counts exactly if they are ordered; which there are always counts."""
        left, right = (pd.Categorical(["b", "a", None], categories=order) for order in (["a", "b"], ["b", "a"]))

        assert canonical(left) == canonical(right)
        assert canonical(left.as_ordered()) != canonical(right.as_ordered())
        assert canonical(left) != canonical(left.as_ordered())
        assert canonical(left) != canonical(left.add_categories("c"))
        assert canonical(left) != canonical(pd.Categorical(["a", "b", None], categories=["a", "b"]))

    def test_missing_values_hide_nothing(self):
        """What lies under a missing value of a nullable column does not count, that it is missing does."""
        left, right = (pd.arrays.IntegerArray(np.array([1, hidden]), np.array([False, True])) for hidden in (2, 3))

        assert canonical(left) == canonical(right)
        assert canonical(left) != canonical(pd.array([1, 0], dtype="Int64"))

    def test_scalars(self):
        """A Timestamp equals the datetime that it is, nanoseconds count; kinds of missing values differ."""
        moment = pd.Timestamp("2024-02-29 01:02:03")

        assert canonical(moment) == canonical(moment.to_pydatetime())
        assert canonical(moment) != canonical(moment + pd.Timedelta(1, "ns"))
        assert 4 == len({canonical(value) for value in (pd.NaT, pd.NA, None, float("nan"))})

    @pytest.mark.parametrize(
        "kind", ["int64[pyarrow]", "Sparse[int64]", "float32", "boolean", "category", "string", "str"]
    )
    def test_other_types_of_columns(self, kind):
        """Columns of every type hash, and differ by their values."""
        left, right = (pd.Series(values).astype(kind) for values in ([1, 0], [0, 1]))

        assert canonical(left) == canonical(left.copy())
        assert canonical(left) != canonical(right)

    def test_subclasses(self):
        """A subclass of a frame differs by its name and what it declares."""

        class Map(pd.DataFrame):
            _metadata = ("crs",)
            crs = None

        plain = pd.DataFrame({"a": [1]})
        here, there = Map(plain), Map(plain)
        object.__setattr__(there, "crs", "WGS84")

        assert 3 == len({canonical(value) for value in (plain, here, there)})


COLUMNS = {
    "integers": [1, None, 3],
    "floats": [0.5, None, float("nan")],
    "booleans": [True, None, False],
    "strings": ["a", None, "é\U0001f600"],
    "lists": [[1], None, [2, None]],
    "bytes": [b"a", None, b""],
}


class TestPolarsAndArrow:
    @pytest.mark.parametrize("name", COLUMNS)
    @pytest.mark.parametrize("library", ["polars", "pyarrow"])
    def test_chunks_do_not_count(self, library, name):
        """However a column is chunked and sliced, its form is that of its type and values."""
        values = COLUMNS[name]
        if library == "polars":
            whole = pl.DataFrame({"a": values})
            chunked = pl.concat([whole[:1], whole, whole[1:]], rechunk=False)[1:4]
            other = pl.DataFrame({"a": values[::-1]})
        else:
            whole = pa.table({"a": values})
            chunked = pa.concat_tables([whole[:1], whole, whole[1:]])[1:4]
            other = pa.table({"a": values[::-1]})

        assert canonical(whole) == canonical(chunked)
        assert canonical(whole) != canonical(other)

    def test_names_types_and_kinds_count(self):
        """Names, types, null against nan, and the library whose table it is all count."""
        tables = [
            pl.DataFrame({"a": [1]}),
            pl.DataFrame({"b": [1]}),
            pl.DataFrame({"a": [1]}, schema={"a": pl.Int32}),
            pl.DataFrame({"a": [None]}, schema={"a": pl.Int64}),
            pl.DataFrame({"a": [0]}),
            pl.DataFrame({"a": [1], "b": [1]}),
            pl.Series("a", [1]),
            pa.table({"a": [1]}),
            pa.chunked_array([[1]]),
            pd.DataFrame({"a": [1]}),
            pl.DataFrame({"a": [None, 1.0]}),
            pl.DataFrame({"a": [float("nan"), 1.0]}),
        ]

        assert len(tables) == len({canonical(value) for value in tables})

    @settings(max_examples=60, deadline=None)
    @given(TEXTS, st.integers(0, 12))
    def test_strings_however_they_lie_in_memory(self, texts, cut):
        """Columns of strings agree across offsets, chunks and what lies under nulls."""
        array = pa.array(texts, pa.string())
        split = pa.chunked_array([array[:cut], array[cut:]], pa.string())

        assert canonical(array) == canonical(split)
        assert canonical(pl.Series("a", texts, pl.String)) == canonical(pl.Series("a", ["x", *texts], pl.String)[1:])

    def test_what_lies_below_nulls(self):
        """Bytes that Arrow's memory holds below a null do not count."""
        offsets = pa.py_buffer(np.array([0, 1, 4, 5], "<i4").tobytes())
        hiding = pa.StringArray.from_buffers(3, offsets, pa.py_buffer(b"axyzb"), pa.py_buffer(b"\x05"))

        assert ["a", None, "b"] == hiding.to_pylist()
        assert canonical(pa.array(["a", None, "b"])) == canonical(hiding)

    def test_how_categories_are_numbered(self):
        """The numbers behind categories do not count."""
        left, right = (pa.array(values).dictionary_encode() for values in (["a", "b"], ["b", "a", "b"]))
        polars = [pl.Series("a", values, pl.Categorical) for values in (["a", "b"], ["b", "a", "b"])]

        assert canonical(left) == canonical(right[1:])
        assert canonical(polars[0]) == canonical(polars[1][1:])

    def test_times(self):
        """Columns of times hash with their unit and zone."""
        times = pd.to_datetime(["2024-02-29", None])
        tables = [pa.array(times), pa.array(times.tz_localize("UTC")), pa.array(times).cast("date32")]
        columns = [pl.Series("a", tables[0]), pl.Series("a", tables[1]), pl.Series("a", tables[2])]

        assert 6 == len({canonical(value) for value in tables + columns})

    def test_batches(self):
        """A record batch equals the table of one chunk."""
        assert canonical(pa.table({"a": [1]})) == canonical(pa.record_batch({"a": [1]}))

    def test_lazy_frames(self):
        """What has not been computed is refused."""
        with pytest.raises(UnhashableError, match="LazyFrame"):
            canonical(pl.DataFrame({"a": [1]}).lazy())
