"""Canonical forms of tables: pandas, polars and pyarrow."""

from __future__ import annotations

import enum

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taggedartifacts._canonical.encoding import canonical, encode
from taggedartifacts._errors import UnhashableError
from taggedartifacts._hashing import hexdigest

TEXTS = st.lists(st.none() | st.text(max_size=4), max_size=12)


class Letter(enum.StrEnum):
    A = "a"


class Text(str):
    __slots__ = ()


class Frame(pl.DataFrame):
    pass


class Map(pd.DataFrame):
    _metadata = ("crs",)
    crs = None


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

    @pytest.mark.parametrize(
        ("make", "others"),
        [
            (
                lambda n: pd.period_range("2024-01", periods=n, freq="M"),
                [
                    pd.period_range("2024-01", periods=1000, freq="D"),
                    pd.period_range("2024-02", periods=1000, freq="M"),
                    pd.period_range("2024-01", periods=1000, freq="M").insert(0, None)[:1000],
                    pd.period_range("2024-01", periods=1000, freq="M").to_timestamp(),
                ],
            ),
            (
                lambda n: pd.interval_range(0, n),
                [
                    pd.interval_range(0, 1000, closed="left"),
                    pd.interval_range(1, 1001),
                    pd.interval_range(0.0, 1000.0),
                    pd.IntervalIndex([None, *pd.interval_range(1, 1000)]),
                ],
            ),
            (
                lambda n: pd.arrays.SparseArray([0, 1] * (n // 2)),
                [
                    pd.arrays.SparseArray([0, 2] * 500),
                    pd.arrays.SparseArray([1, 0] * 500),
                    pd.arrays.SparseArray([0, 1] * 500, fill_value=1),
                    pd.array([0, 1] * 500),
                ],
            ),
        ],
        ids=["periods", "intervals", "sparse"],
    )
    def test_columns_of_pandas_types(self, make, others):
        """All of them counts, and it is digested and not written one by one."""
        values = [make(1000), make(998), *others]

        assert len(values) == len({canonical(pd.Series(value)) for value in values})
        assert canonical(pd.Series(make(1000))) == canonical(pd.Series([*make(1000)], dtype=make(1000).dtype))
        assert len(canonical(pd.Series(make(1000)))) == len(canonical(pd.Series(make(9000))))

    def test_layout_does_not_count(self):
        """Neither do blocks, copies, slices and a range index."""
        frame = pd.DataFrame(np.arange(12.0).reshape(3, 4), columns=list("abcd"))
        apart = pd.concat([frame[[name]] for name in frame], axis=1)
        doubled = pd.concat([frame, frame])[:3]

        assert canonical(frame) == canonical(apart)
        assert canonical(frame) == canonical(doubled)
        assert canonical(frame) == canonical(frame.set_index(pd.Index([0, 1, 2])))

    @settings(deadline=None)
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

    def test_members_of_an_enum_of_strings(self):
        """A column of objects that are strings by their class only counts by that class."""
        columns = [pd.Series(values, dtype=object) for values in ([Letter.A, None], ["a", None], [Text("a"), None])]

        assert 3 == len({canonical(column) for column in columns})
        assert canonical(columns[1]) == canonical(pd.Series([np.str_("a"), np.nan], dtype=object))

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
        """The order of categories counts, whether they are ordered, and which there are."""
        left, right = (pd.Categorical(["b", "a", None], categories=order) for order in (["a", "b"], ["b", "a"]))

        assert canonical(left) != canonical(right)
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

    def test_subclasses(self):
        """A subclass of a polars frame differs by its class and what was set on it, not by what was looked at."""
        frames = [Frame({"a": [1]}) for _ in range(3)]
        frames[1].unit = "m"
        forms = [canonical(value) for value in [*frames, pl.DataFrame({"a": [1]})]]
        pl.api.register_dataframe_namespace("looked_at")(type("Namespace", (), {"__init__": lambda *_: None}))
        assert frames[2].looked_at is not None

        assert 3 == len(set(forms))
        assert forms[0] == forms[2] == canonical(frames[2])


POLARS_TIMES = [pl.Datetime("ns"), pl.Datetime("ns", "UTC"), pl.Duration("ns"), pl.Time]
ARROW_TIMES = [pa.timestamp("ns"), pa.timestamp("ns", "UTC"), pa.duration("ns"), pa.time64("ns")]


class Storage(pa.ExtensionType):
    def __init__(self):
        super().__init__(pa.time64("ns"), "tests.storage")

    def __arrow_ext_serialize__(self):
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, _storage, _serialized):
        return cls()


def array(values, kind):
    """Put integers into a column of pyarrow of that type."""
    return pa.array(values, pa.int64()).cast(kind)


class TestNested:
    """Columns whose elements have elements."""

    @pytest.mark.parametrize("kind", POLARS_TIMES, ids=str)
    def test_nanoseconds_in_polars(self, kind):
        """Not one nanosecond is lost in lists, arrays and structs, nor in those of those."""
        columns = [pl.Series("a", [1_000_001 + extra]).cast(kind) for extra in (0, 1)]
        structs = [column.to_frame().to_struct("a") for column in columns]
        nested = [make(column) for column in columns for make in (pl.Series.implode, lambda c: c.reshape((1, 1)))]

        values = [*columns, *structs, *nested, *(struct.implode() for struct in structs)]
        assert len(values) == len({canonical(value) for value in values})

    @pytest.mark.parametrize("kind", ARROW_TIMES, ids=str)
    def test_nanoseconds_in_pyarrow(self, kind):
        """Nor in any of pyarrow's nested types."""
        columns = [array([1_000_001 + extra], kind) for extra in (0, 1)]
        values = [
            nest(column)
            for column in columns
            for nest in (
                lambda c: pa.ListArray.from_arrays([0, 1], c),
                lambda c: pa.LargeListArray.from_arrays([0, 1], c),
                lambda c: pa.FixedSizeListArray.from_arrays(c, 1),
                lambda c: pa.MapArray.from_arrays([0, 1], pa.array(["k"]), c),
                lambda c: pa.StructArray.from_arrays([c], ["x"]),
                lambda c: pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [c]),
                lambda c: pa.UnionArray.from_dense(pa.array([0], pa.int8()), pa.array([0], pa.int32()), [c]),
                lambda c: pa.RunEndEncodedArray.from_arrays(pa.array([1], pa.int32()), c),
                lambda c: pa.ListArray.from_arrays([0, 1], c.dictionary_encode()),
            )
        ]

        assert len(values) == len({canonical(value) for value in values})

    def test_nanoseconds_in_extensions(self):
        """Nor in those that an extension stores."""
        forms = {
            canonical(
                pa.ListArray.from_arrays([0, 1], pa.ExtensionArray.from_storage(Storage(), array([ns], "time64[ns]")))
            )
            for ns in (1, 2)
        }

        assert 2 == len(forms)

    @pytest.mark.parametrize("library", ["polars", "pyarrow"])
    def test_where_lists_end(self, library):
        """Elements count by the list in which they are; an empty list, a missing one and one of missing differ."""
        lists = [[[1], [2]], [[1, 2], []], [[], [1, 2]], [[1, 2], None], [None, [1, 2]], [[1, None], []], [None, None]]
        if library == "polars":
            values = [pl.Series("a", value, pl.List(pl.Int64)) for value in lists]
        else:
            values = [pa.array(value, pa.list_(pa.int64())) for value in lists]

        assert len(lists) == len({canonical(value) for value in values})

    @pytest.mark.parametrize("library", ["polars", "pyarrow"])
    def test_missing_structs(self, library):
        """A missing struct differs from one of missing values and from one of zeros."""
        structs = [[{"a": None}], [None], [{"a": 0}]]
        if library == "polars":
            values = [pl.Series("a", value, pl.Struct({"a": pl.Int64})) for value in structs]
        else:
            values = [pa.array(value, pa.struct({"a": pa.int64()})) for value in structs]

        assert len(structs) == len({canonical(value) for value in values})

    @pytest.mark.parametrize(
        ("values", "kind"),
        [
            ([[1], None, [], [2, 3]], pa.large_list(pa.timestamp("ns"))),
            ([[1, 2], None, [3, 4], [5, 6]], pa.list_(pa.int64(), 2)),
            ([[("a", 1)], None, [], [("b", 2), ("c", None)]], pa.map_(pa.string(), pa.int64())),
            ([{"a": [1]}, None, {"a": None}, {"a": []}], pa.struct({"a": pa.list_(pa.int8())})),
        ],
        ids=str,
    )
    def test_chunks_do_not_count(self, values, kind):
        """Slices and chunks of nested columns do not count."""
        whole = pa.array(values, kind)
        chunked = [pa.chunked_array([whole[1:2], whole[2:]]), pa.chunked_array([whole, whole])[1:4]]

        assert [canonical(whole[1:])] * 2 == [canonical(value) for value in chunked]
        assert canonical(whole) != canonical(whole[1:])

    @pytest.mark.parametrize("dense", [False, True])
    def test_slices_of_unions(self, dense):
        """Nor do those of unions."""
        codes, texts = pa.array([0, 1, 1], pa.int8()), pa.array(["a", "b", "c"])
        if dense:
            whole = pa.UnionArray.from_dense(codes, pa.array([0, 0, 2], pa.int32()), [pa.array([1]), texts])
        else:
            whole = pa.UnionArray.from_sparse(codes, [pa.array([1, 2, 3]), texts])

        assert canonical(whole[1:]) == canonical(pa.chunked_array([whole[1:2], whole[2:]]))
        assert canonical(whole[1:]) != canonical(whole[:2])

    def test_runs_do_not_count(self):
        """How runs are cut does not count."""
        few, many = (
            pa.RunEndEncodedArray.from_arrays(pa.array(ends, pa.int32()), pa.array(values, pa.int8()))
            for ends, values in (([2, 5], [10, None]), ([1, 2, 5], [10, 10, None]))
        )

        assert canonical(few) == canonical(many)
        assert canonical(few[1:]) == canonical(many[1:])
        assert canonical(few) != canonical(few[1:])

    def test_numbers_behind_nested_categories(self):
        """Neither do the numbers behind categories in lists."""
        column = pl.Series("a", [["b", "a"]], pl.List(pl.Categorical))
        longer = pl.Series("a", [["z"], ["b", "a"]], pl.List(pl.Categorical))

        assert canonical(column) == canonical(longer[1:])

    def test_what_python_cannot_hold(self):
        """Times beyond Python's, and structs with two fields of one name, have a form."""
        far = pa.ListArray.from_arrays([0, 1], pa.array([10**7], pa.int32()).cast(pa.date32()))
        twice = [pa.StructArray.from_arrays([pa.array([a]), pa.array([b])], ["x", "x"]) for a, b in ((1, 2), (2, 1))]
        values = [far, pl.Series("a", [[10**9]], pl.List(pl.Int32)).cast(pl.List(pl.Date)), *twice]

        assert 4 == len({canonical(value) for value in values})

    @pytest.mark.parametrize("library", ["polars", "pyarrow"])
    def test_as_specified(self, library):
        """The form is the one that is documented: lengths, and the column of the elements of all lists in a row."""
        values = [[{"n": 7}, None], None, []]
        if library == "polars":
            value = pl.Series("a", values, pl.List(pl.Struct({"n": pl.Int64})))
            start, kinds = '"polars","a"', ("List(Struct({'n': Int64}))", "Struct({'n': Int64})", "Int64")
        else:
            value = pa.array(values, pa.list_(pa.struct({"n": pa.int64()})))
            start, kinds = '"pyarrow",null', ("list<item: struct<n: int64>>", "struct<n: int64>", "int64")
        lengths = f'{{"$array":["<i8",[3],"{hexdigest(np.array([2, -1, 0], "<i8").tobytes())}"]}}'
        numbers = f'{{"$array":["<i8",[1],"{hexdigest(np.array([7], "<i8").tobytes())}"]}}'
        missing = f'{{"$array":["|b1",[2],"{hexdigest(bytes([0, 1]))}"]}}'
        fields = f'[["n",{{"$column":["{kinds[2]}",{numbers}]}}]]'
        elements = f'{{"$column":["{kinds[1]}",{fields},{missing}]}}'
        column = f'{{"$column":["{kinds[0]}",{lengths},{elements}]}}'

        assert f'{{"$columnar":[{start},{column}]}}' == canonical(value).decode()


class TestWhatFunctionsSee:
    def test_flags(self):
        """A frame that allows no duplicate labels differs from one that does."""
        frame = pytest.importorskip("pandas").DataFrame({"a": [1]})

        assert canonical(frame) != canonical(frame.set_flags(allows_duplicate_labels=False))

    def test_what_is_noted_beside(self):
        """Attributes and the flag stand behind the column, attributes first; without either there is nothing."""
        series = pytest.importorskip("pandas").Series([1], index=["r"])
        noted = series.copy()
        noted.attrs["unit"] = "K"
        strict = series.set_flags(allows_duplicate_labels=False)
        start = canonical(series).removesuffix(b"]}")

        assert start + b',{"unit":"K"}]}' == canonical(noted)
        assert start + b',{},{"allows_duplicate_labels":false}]}' == canonical(strict)
        assert canonical(noted) != canonical(noted.set_flags(allows_duplicate_labels=False)) != canonical(strict)

    def test_parameters_of_extensions(self):
        """The name and the parameters of an extension type count, beside what it stores."""
        pa = pytest.importorskip("pyarrow")

        class Unit(pa.ExtensionType):
            def __init__(self, name, unit):
                self.unit = unit
                super().__init__(pa.int64(), name)

            def __arrow_ext_serialize__(self):
                return self.unit.encode()

            @classmethod
            def __arrow_ext_deserialize__(cls, storage, serialized):
                raise NotImplementedError

        storage = pa.array([1])
        values = [pa.ExtensionArray.from_storage(Unit(*each), storage) for each in (("a", "K"), ("a", "C"), ("b", "K"))]

        assert len(values) + 1 == len({canonical(value) for value in (*values, storage)})
        assert canonical(values[0]).endswith(b',"extension","a",{"$bytes":"4b"}]}]}')

    def test_ordered_dictionaries(self):
        """Whether a dictionary of Arrow is ordered counts, and then the order of its values; chunks do not."""
        pa = pytest.importorskip("pyarrow")

        def made(codes, values, **options):
            return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(values), **options)

        plain, other = made([0, 1], ["a", "b"]), made([1, 0], ["b", "a"])
        ordered = [made([0, 1], ["a", "b"], ordered=True), made([1, 0], ["b", "a"], ordered=True)]
        column = f'{{"$column":["string",{canonical(plain).decode().split(",", 3)[3].removesuffix("]}]}")}]}}'

        assert canonical(plain) == canonical(other)
        assert 3 == len({canonical(value) for value in (plain, *ordered)})
        assert canonical(ordered[0]).decode().endswith(f',"ordered",{column}]}}]}}')
        assert canonical(ordered[0]) == canonical(pa.chunked_array([ordered[0][:1], ordered[0][1:]]))

    def test_required_columns(self):
        """A column of Arrow that may hold no null differs from one that may."""
        pa = pytest.importorskip("pyarrow")
        tables = [pa.table({"a": [1]}, pa.schema([pa.field("a", pa.int64(), nullable=may)])) for may in (True, False)]

        assert canonical(tables[0]) != canonical(tables[1])
        assert canonical(tables[1]) == canonical(tables[0]).removesuffix(b"]}") + b',{"required":["a"]}]}'
