"""Canonical forms of arrays and tensors, beside the cases that joblib publishes for joblib.hash."""

from __future__ import annotations

import gc
import sys
import tracemalloc

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from taggedartifacts._canonical import arrays as _arrays
from taggedartifacts._canonical.encoding import canonical, config_hash, encode
from taggedartifacts._canonical.text import elements_digest
from taggedartifacts._errors import UnhashableError
from taggedartifacts._hashing import hexdigest

SMALL = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
DTYPES = st.sampled_from(["<i4", ">i4", "<f8", ">f8", "?", "<c16", ">M8[us]", "<U3", ">U3", "S2", "u1", "<f2"])


class TestLayout:
    @settings(deadline=None)
    @given(st.data())
    def test_memory_layout_does_not_count(self, data):
        """Order, strides, direction, byte order and owner of the memory do not count."""
        array = data.draw(hnp.arrays(data.draw(DTYPES), data.draw(SMALL)))
        expected = canonical(np.ascontiguousarray(array).reshape(array.shape))
        padded = np.zeros([side * 2 for side in array.shape], array.dtype)
        strided = padded[(..., *(slice(None, None, 2) for _ in array.shape))]
        strided[...] = array
        swapped = array.astype(array.dtype.newbyteorder())
        reverse = (..., *(slice(None, None, -1) for _ in array.shape))

        for same in (array.copy(order="F"), array.T.copy().T, strided, swapped, array[reverse].copy()[reverse]):
            assert expected == canonical(same)

    @settings(deadline=None)
    @given(hnp.arrays("<i2", SMALL), hnp.arrays("<i2", SMALL))
    def test_different_arrays_differ(self, left, right):
        """Arrays have one form exactly if shape and elements agree."""
        same = left.shape == right.shape and bool((left == right).all())

        assert same == (canonical(left) == canonical(right))

    def test_more_than_one_chunk(self, monkeypatch):
        """A strided array larger than the copies that are made of it hashes as the contiguous one."""
        monkeypatch.setattr(_arrays, "_CHUNK_BYTES", 64)
        array = np.arange(1000.0).reshape(10, 10, 10)

        assert canonical(array.transpose(2, 0, 1).copy()) == canonical(array.transpose(2, 0, 1))

    def test_memory_maps(self, tmp_path):
        """A memory map equals the array that it holds."""
        array = np.arange(100.0)
        np.save(tmp_path / "x.npy", array)
        mapped = np.load(tmp_path / "x.npy", mmap_mode="r")

        assert canonical(array) == canonical(mapped)
        del mapped
        gc.collect()

    def test_kinds_differ(self):
        """dtype, shape and being an array at all count."""
        zeros = [np.zeros(2), np.zeros(2, "f4"), np.zeros(2, "i8"), np.zeros((2, 1)), np.zeros((1, 2)), [0.0, 0.0]]
        times = [
            np.zeros(2, "M8[s]"),
            np.zeros(2, "M8[ms]"),
            np.zeros(2, "m8[s]"),
            np.zeros(2, "U2"),
            np.zeros(2, "S8"),
        ]
        single = [np.array(0.0), np.zeros(1), 0.0]

        assert len(zeros + times + single) == len({canonical(value) for value in zeros + times + single})


class TestMemory:
    def test_no_copy_of_a_contiguous_array(self):
        """Hashing a contiguous array takes no memory worth the name; a strided one, bounded copies."""
        array = np.zeros((2000, 2000))
        config_hash(array)
        config_hash(array.T)
        tracemalloc.start()
        try:
            config_hash(array)
            contiguous = tracemalloc.get_traced_memory()[1]
            tracemalloc.reset_peak()
            config_hash(array[:, ::2])
            config_hash(array.T)
            strided = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

        assert contiguous < 100_000
        assert strided < 8 << 20 < array.nbytes


class TestElements:
    @pytest.mark.parametrize("count", [0, 1, 4096, 4097, 9000])
    def test_as_if_written_out(self, count):
        """Elements that are digested in batches have the digest of the list that they are."""
        texts = [str(number) for number in range(count)]

        assert hexdigest(f"[{','.join(texts)}]".encode()) == elements_digest(texts)


class Measured(np.ma.MaskedArray):
    pass


class Slotted(np.ndarray):
    __slots__ = ("unit",)


class Quantity(np.ndarray):
    unit = None


class TestKinds:
    def test_objects_by_element(self):
        """Arrays of objects count by their elements, and name the one that is refused."""
        array = np.array([[1, "a"], [None, {"b": np.float32(1)}]], dtype=object)
        bad = array.copy()
        bad[1, 0] = object()

        assert canonical(array) == canonical(array.copy(order="F"))
        assert canonical(array) != canonical(array.T)
        with pytest.raises(UnhashableError, match=r"^config → \[1, 0\]: "):
            encode(bad, "config")

    def test_an_array_that_holds_itself(self):
        """A cycle through an array of objects is refused."""
        array = np.empty(1, object)
        array[0] = array

        with pytest.raises(UnhashableError, match="contains itself"):
            canonical(array)

    def test_records_without_what_lies_between(self):
        """The padding of records does not count; names and fields do."""
        kind = np.dtype([("a", "i1"), ("b", "f8")], align=True)
        clean = np.zeros(3, kind)
        dirty = np.frombuffer(bytearray(b"\xff" * clean.nbytes), kind).copy()
        for name in kind.names:
            dirty[name] = clean[name]
        renamed = clean.astype([("a", "i1"), ("c", "f8")])

        assert canonical(clean) == canonical(dirty)
        assert canonical(clean) != canonical(renamed)

    def test_masked_values_do_not_count(self):
        """What lies under a mask does not count, the mask does."""
        left, right = (np.ma.masked_array([1.0, hidden], [False, True]) for hidden in (2.0, 3.0))

        assert canonical(left) == canonical(right)
        assert canonical(left) != canonical(np.ma.masked_array([1.0, 2.0], [False, False]))

    def test_masked_records(self):
        """Records are masked field by field, nested ones and single ones too; what lies under a mask does not count."""
        kind = [("n", ">i4"), ("v", "f8", (2,)), ("in", [("s", "U1")])]
        mask = [(False, [True, False], (True,)), (True, [False, False], (False,))]
        left = np.ma.masked_array([(1, [2, 3], ("x",)), (4, [5, 6], ("y",))], mask, kind)
        right = np.ma.masked_array([(1, [0, 3], ("z",)), (0, [5, 6], ("y",))], mask, kind)

        assert canonical(left) == canonical(right)
        assert canonical(left[0]) == canonical(right[0])
        values = [left, left[0], left[1], left[::-1], np.ma.masked_array(left.data), left.data]
        assert len(values) == len({canonical(value) for value in values})

    def test_masked_elements(self):
        """What stands for any masked element has a form of its own."""
        masked = np.ma.masked_array([1, 2], [True, False])

        assert b'[{"$masked":null},2]' == canonical(list(masked))

    def test_hard_masks(self):
        """Whether a mask may be taken away by writing to the array counts."""
        soft = np.ma.masked_array([1.0, 2.0], [False, True])
        hard = np.ma.masked_array([1.0, 2.0], [False, True], hard_mask=True)

        assert b'{"$masked":["hard",' + canonical(soft) + b"]}" == canonical(hard)
        assert canonical(hard) == canonical(hard[:])

    def test_classes_that_give_themselves(self):
        """A subclass whose view as a plain array is of its own class again counts, and its attributes with it."""
        masked = pytest.importorskip("astropy.utils.masked").Masked
        values = [masked(np.arange(2.0), mask=mask) for mask in ([True, False], [False, True])]

        assert canonical(values[0]) == canonical(values[0].copy()) != canonical(values[1])

    def test_attributes_of_masked_arrays(self):
        """A subclass of masked array differs from the plain one; what is set on either counts."""
        values = [np.ma.masked_array([1.0]).view(kind) for kind in (Measured, Measured, Measured, np.ma.MaskedArray)]
        values[0].unit, values[1].unit, values[3].unit = "m", "ft", "m"

        assert 5 == len({canonical(value) for value in [*values, np.ma.masked_array([1.0])]})

    def test_slots_of_subclasses(self):
        """Slots of a subclass of array are attributes like others."""
        metres, feet = np.ones(2).view(Slotted), np.ones(2).view(Slotted)
        metres.unit, feet.unit = "m", "ft"

        assert canonical(metres) != canonical(feet)

    def test_subclasses_keep_their_name(self):
        """A subclass of array differs from the plain array, and its attributes count."""
        metres, feet = np.ones(2).view(Quantity), np.ones(2).view(Quantity)
        metres.unit, feet.unit = "m", "ft"

        assert 3 == len({canonical(value) for value in (metres, feet, np.ones(2))})

    def test_scalars_are_numbers(self):
        """A NumPy scalar equals the Python number that it is."""
        pairs = [
            (np.float64(0.5), 0.5),
            (np.int8(-3), -3),
            (np.bool_(True), True),
            (np.complex64(1j), 1j),
            (np.str_("x"), "x"),
        ]

        assert [canonical(plain) for _, plain in pairs] == [canonical(scalar) for scalar, _ in pairs]

    def test_long_doubles(self):
        """What other platforms cannot hold is refused."""
        with pytest.raises(UnhashableError, match="float64"):
            canonical(np.longdouble(1) / 3)
        with pytest.raises(UnhashableError, match="differs between platforms"):
            canonical(np.zeros(2, np.longdouble))
        assert canonical(0.5) == canonical(np.longdouble(0.5))

    @pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState, np.random.PCG64])
    def test_random_generators(self, make):
        """NumPy's random generators are refused."""
        with pytest.raises(UnhashableError, match="pass its seed"):
            canonical(make(1))

    def test_matches_the_digest_of_the_memory(self):
        """The digest in the form is that of the little-endian elements in C order."""
        array = np.array([[1, 2], [3, 4]], ">u2")

        assert hexdigest(bytes([1, 0, 2, 0, 3, 0, 4, 0])) in canonical(array).decode()

    def test_fill_value_counts(self):
        """What a masked array writes in the place of what is masked is part of it."""
        one, other = (np.ma.array([1, 2], mask=[True, False], fill_value=fill) for fill in (7, 8))

        assert canonical(one) != canonical(other)


class TestDtypes:
    def test_all_that_says_how_to_read_counts(self):
        """As a value, a dtype counts with byte order, offsets, size, titles and metadata."""
        fields = {"names": ["a", "b"], "formats": ["i1", "<i4"]}
        kinds = [
            *(np.dtype(kind) for kind in ("<i4", ">i4", "<U3", ">U3", "<M8[s]", ">M8[s]", "i1", "S2", "O")),
            *(np.dtype((kind, (2,))) for kind in ("<i4", ">i4")),
            np.dtype(fields),
            np.dtype(fields, align=True),
            np.dtype(fields | {"offsets": [4, 0]}),
            np.dtype(fields | {"itemsize": 9}),
            np.dtype(fields | {"titles": ["first", None]}),
            np.dtype(fields | {"formats": ["i1", ">i4"]}),
            np.dtype([("record", np.dtype(fields))]),
            np.dtype([("record", np.dtype(fields, align=True))]),
            np.dtype([("low", "<i2"), ("high", "<i2")]),
            np.dtype(("<i4", [("low", "<i2"), ("high", "<i2")])),
            *(np.dtype("O", metadata={"vlen": kind}) for kind in (str, bytes)),
            np.dtype([]),
        ]

        assert len(kinds) == len({canonical(kind) for kind in kinds})

    def test_spelling_does_not_count(self):
        """However it was made, a dtype of the same layout has the same form."""
        aligned = np.dtype([("a", "i4"), ("b", "i1"), ("c", "i1", (3,))], align=True)

        assert canonical(aligned) == canonical(np.dtype([("a", "i4"), ("b", "i1"), ("c", "i1", (3,))]))
        assert (
            b'{"$dtype":[[["a","<i4"],["b","|i1"],["c",["|i1",[3]]]],{"itemsize":12,"offsets":[0,4,5]}]}'
            == canonical(np.dtype({"names": ["a", "b", "c"], "formats": ["i4", "i1", "(3,)i1"], "itemsize": 12}))
        )

    @pytest.mark.skipif(not hasattr(np, "dtypes") or not hasattr(np.dtypes, "StringDType"), reason="since NumPy 2.0")
    def test_strings_of_variable_width(self):
        """What stands for a missing string, and whether others become strings, count."""
        kind = np.dtypes.StringDType
        kinds = [kind(), kind(na_object=None), kind(na_object=np.nan), kind(coerce=False)]

        assert len(kinds) == len({canonical(kind) for kind in kinds})

    def test_long_doubles(self):
        """A dtype that other platforms lack is refused, also within records."""
        with pytest.raises(UnhashableError, match="differs between platforms"):
            canonical(np.dtype([("a", "g")]))


class TestTensors:
    def test_jax(self):
        """A JAX array counts by its elements, dtype and shape, and differs from NumPy's; a random key is refused."""
        jax = pytest.importorskip("jax")
        tensor = jax.numpy.arange(6.0).reshape(2, 3)

        assert canonical(tensor) == canonical(jax.numpy.asarray(np.asarray(tensor)))
        assert 4 == len({canonical(v) for v in (tensor, tensor.T, tensor.astype("bfloat16"), np.asarray(tensor))})
        with pytest.raises(UnhashableError, match="PRNGKey"):
            canonical(jax.random.key(0))

    def test_torch(self):
        """So does a tensor of torch, whatever its strides."""
        torch = pytest.importorskip("torch")
        tensor = torch.arange(6.0).reshape(2, 3)

        assert canonical(tensor.T) == canonical(tensor.T.contiguous())
        assert 4 == len({canonical(v) for v in (tensor, tensor.T, tensor.bfloat16(), tensor.numpy())})
        small = [tensor.to(kind) for kind in (torch.float8_e4m3fn, torch.float8_e5m2)]
        assert 3 == len({canonical(v) for v in (*small, small[0].T)})

    @pytest.mark.filterwarnings("ignore")  # of torch: that these are young, or old
    @pytest.mark.parametrize("kind", ["to_sparse", "to_sparse_csr", "quantised", "meta"])
    def test_torch_without_array(self, kind):
        """A tensor that is no array of NumPy is refused at its place."""
        torch = pytest.importorskip("torch")
        tensor = torch.arange(6.0).reshape(2, 3)
        if kind == "quantised":
            tensor = torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8)
        else:
            tensor = tensor.to("meta") if kind == "meta" else getattr(tensor, kind)()
        with pytest.raises(UnhashableError, match=r"\.weights.*no canonical form.*to_dense"):
            canonical({"weights": tensor})


class Owner:
    def __init__(self, number):
        self.number = number

    def method(self):
        """Be bound."""


def both(left, right):
    """Compare by joblib and by this library."""
    return joblib.hash(left) == joblib.hash(right), canonical(left) == canonical(right)


AGREE, DIFFER = (True, True), (False, False)
ROWS = np.arange(60.0).reshape(3, 4, 5)


class TestPublishedCasesOfJoblib:
    """The cases of joblib's own tests of joblib.hash, by its names for them.

    Elsewhere: test_hashes_stay_the_same and test_hashes_stay_the_same_with_numpy_objects are the golden values,
    test_hash_numpy_performance is a benchmark. Nowhere: test_wrong_hash_name, since there is one hash function.
    """

    def test_trivial_hash(self):
        """Holds: values of all kinds are equal exactly to themselves."""
        values = [1, 2, 1.0, 2.0, 1 + 1j, 2 + 1j, "a", "b", (1,), (1, 1), {}, {1: 1}, {1: 2}, {2: 1}, None]

        for i, left in enumerate(values):
            for j, right in enumerate(values):
                assert ((i == j), (i == j)) == both(left, right)

    def test_trivial_hash_of_lists(self):
        """Deliberately different: a list equals the tuple of its elements, since YAML and JSON know only one."""
        assert (False, True) == both([1, 2], (1, 2))

    def test_hash_methods(self):
        """Deliberately different: a method of an open file is refused, because the file is."""
        import io

        with pytest.raises(UnhashableError):
            canonical(io.StringIO("a").read)

    def test_hash_numpy_arrays(self):
        """Holds: equal arrays and their copies agree, a changed element differs."""
        changed = ROWS.copy()
        changed[0, 0, 0] = 9

        assert AGREE == both(ROWS, ROWS.copy())
        assert DIFFER == both(ROWS, changed)

    def test_hash_numpy_dict_of_arrays(self):
        """Holds: so do dicts of arrays."""
        assert AGREE == both({1: ROWS, 2: ROWS[0]}, {1: ROWS.copy(), 2: ROWS[0].copy()})
        assert DIFFER == both({1: ROWS, 2: ROWS[0]}, {1: ROWS[0], 2: ROWS})

    @pytest.mark.parametrize("dtype", ["datetime64[s]", "timedelta64[D]"])
    def test_numpy_datetime_array(self, dtype):
        """Holds: arrays of times hash, by unit and value."""
        assert AGREE == both(np.ones(10, dtype), np.ones(10, dtype))

    def test_hash_numpy_noncontiguous(self):
        """Holds, and goes further: a view with strides equals its copy, in joblib only if both are contiguous."""
        view = np.asarray(np.arange(6000).reshape(1000, 2, 3), order="F")[:, :1, :]

        assert (False, True) == both(view, np.ascontiguousarray(view))
        assert canonical(view) == canonical(np.asfortranarray(view))

    def test_hash_memmap(self, tmp_path):
        """Deliberately different: a memory map always equals the array, in joblib only with coerce_mmap."""
        mapped = np.memmap(tmp_path / "m", dtype="f8", mode="w+", shape=(10, 10))

        assert (False, True) == both(mapped, np.asarray(mapped).copy())
        del mapped
        gc.collect()

    def test_bound_methods_hash(self):
        """Holds: a bound method agrees by its object and its name."""
        assert AGREE == both(Owner(1).method, Owner(1).method)
        assert DIFFER == both(Owner(1).method, Owner(2).method)

    def test_bound_cached_methods_hash(self):
        """Holds: likewise, cached or not."""
        import functools

        one, same, other = (canonical(functools.lru_cache(Owner(number).method)) for number in (1, 1, 2))

        assert one == same != other

    def test_hash_object_dtype(self):
        """Holds: arrays of objects agree by their elements."""
        left, right = (np.array([np.arange(i) for i in range(6)], dtype=object) for _ in "ab")

        assert AGREE == both(left, right)

    def test_numpy_scalar(self):
        """Holds: scalars of different kinds differ, also when they are made in the same way; but see the next one."""
        assert DIFFER == both(np.float64(2.0), np.float64(3.0))

    def test_numpy_scalar_of_other_width(self):
        """Deliberately different: a scalar is the number that it is, whatever its width."""
        assert (False, True) == both(np.float64(2.0), np.float32(2.0))

    def test_dict_hash(self):
        """Holds: the order of insertion does not count, with keys of any kind."""
        items = {"#s12069__c_maps.nii.gz": [33], "#s12158__c_maps.nii.gz": [33], 4: [2], (1, 2): 5}

        assert AGREE == both(items, dict(reversed(items.items())))

    def test_set_hash(self):
        """Holds: neither does that of a set, nor whether its elements are shared."""
        items = {"#s12069__c_maps.nii.gz", "#s12158__c_maps.nii.gz", "#s12258__c_maps.nii.gz"}

        assert AGREE == both(items, set(sorted(items)))  # noqa: C414  # filled in another order

    def test_set_decimal_hash(self):
        """Holds: also with elements that have no order."""
        from decimal import Decimal

        assert AGREE == both({Decimal(0), Decimal("NaN")}, {Decimal("NaN"), Decimal(0)})

    def test_string(self):
        """Holds: interned, copied and shared strings are equal."""
        shared = "foo"
        pair = {shared: shared}, {"".join(["f", "oo"]): sys.intern("".join(["fo", "o"]))}

        assert AGREE == both(*pair)

    def test_numpy_dtype_pickling(self):
        """Holds: equal dtypes agree, however they were made."""
        kinds = [np.dtype([("a", float), ("b", "S20")]), np.dtype([("a", "f8"), ("b", "S20")])]

        assert AGREE == both(*kinds)
        assert AGREE == both(np.dtype("f4"), np.dtype("<f4"))
        assert DIFFER == both(np.dtype("f4"), np.dtype("f8"))

    def test_hashes_are_different_between_c_and_fortran_contiguous_arrays(self):
        """Deliberately different: the order of the memory does not count, only the elements do."""
        array = np.random.default_rng(0).random((10, 10))

        assert (False, True) == both(np.asfortranarray(array), array)

    def test_0d_array(self):
        """Holds: an array without dimensions hashes."""
        assert AGREE == both(np.array(0), np.array(0))

    def test_0d_and_1d_array_hashing_is_different(self):
        """Holds: it differs from that with one element."""
        assert DIFFER == both(np.array(0), np.array([0]))

    def test_hashing_pickling_error(self):
        """Holds: what cannot be hashed is an error, here with its place."""
        with pytest.raises(UnhashableError, match="a generator"):
            canonical(["a", (x for x in "a")])
