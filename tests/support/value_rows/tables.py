"""Rows of arrays and tables."""

from __future__ import annotations

from . import Row, adder, library


@library("NumPy", "numpy")
def numpy():
    import numpy as np

    yield Row("poly1d", lambda: np.poly1d([1, 2]), (lambda: np.poly1d([1, 3]),))
    yield Row(
        "Polynomial",
        lambda: np.polynomial.Polynomial([1, 2]),
        (lambda: np.polynomial.Polynomial([1, 2], domain=[0, 1]), lambda: np.polynomial.Chebyshev([1, 2])),
    )
    yield Row("matrix", lambda: np.matrix([[1]]), (lambda: np.matrix([[2]]), lambda: np.array([[1]])))
    yield Row("vectorize", lambda: np.vectorize(adder(1)), (lambda: np.vectorize(adder(2)),), lambda it: it([1]))
    yield Row("Generator", lambda: np.random.default_rng(1), refused="pass its seed")
    yield Row("RandomState", lambda: np.random.RandomState(1), refused="pass its seed")


@library("pandas")
def pandas():
    import pandas as pd
    from pandas.tseries import holiday

    def frame(attrs):
        made = pd.DataFrame({"a": [1]})
        made.attrs.update(attrs)
        return made

    def categories(order):
        return pd.Series(pd.Categorical(["a", "b"], categories=order))

    yield Row("attrs", lambda: frame({"unit": "K"}), (lambda: frame({"unit": "C"}), lambda: frame({})))
    yield Row("the order of categories", lambda: categories(["a", "b"]), (lambda: categories(["b", "a"]),))
    yield Row(
        "CategoricalDtype",
        lambda: pd.CategoricalDtype(["b", "a"]),
        (lambda: pd.CategoricalDtype(["a", "b"]), lambda: pd.CategoricalDtype(["b", "a"], ordered=True)),
        hash,
    )
    yield Row(
        "other dtypes",
        lambda: pd.DatetimeTZDtype("ns", "UTC"),
        (lambda: pd.DatetimeTZDtype("s", "UTC"), lambda: pd.Int64Dtype()),
        hash,
    )
    yield Row("offsets", lambda: pd.offsets.BDay(2), (lambda: pd.offsets.BDay(3), lambda: pd.offsets.MonthEnd(2)), hash)
    yield Row(
        "SparseArray",
        lambda: pd.arrays.SparseArray([0, 0, 1]),
        (lambda: pd.arrays.SparseArray([0, 0, 2]), lambda: pd.arrays.SparseArray([0, 0, 1], fill_value=1)),
    )
    yield Row(
        "calendars",
        holiday.USFederalHolidayCalendar,
        (lambda: holiday.USFederalHolidayCalendar(rules=[holiday.USLaborDay]),),
        lambda it: it.holidays("2020", "2021"),
    )
    yield Row("Grouper", lambda: pd.Grouper(freq="D"), (lambda: pd.Grouper(freq="h"),))


@library("polars")
def polars():
    import polars as pl

    yield Row("expressions", lambda: pl.col("a") + 1, (lambda: pl.col("a") + 2, lambda: pl.col("b") + 1))
    yield Row("dtypes", lambda: pl.Datetime("ms"), (lambda: pl.Datetime("us"), lambda: pl.List(pl.Int8)))
    yield Row(
        "Schema",
        lambda: pl.Schema({"a": pl.Int64()}),
        (lambda: pl.Schema({"a": pl.Int8()}), lambda: pl.Schema({"b": pl.Int64()})),
    )
    yield Row("LazyFrame", lambda: pl.LazyFrame({"a": [1]}), refused="call collect")


@library("pyarrow")
def pyarrow():
    import pyarrow as pa
    import pyarrow.dataset

    def table(metadata, field=None):
        schema = pa.schema([pa.field("a", pa.int64(), metadata=field)], metadata=metadata)
        return pa.table({"a": [1]}, schema=schema)

    yield Row(
        "metadata of a table",
        lambda: table({"unit": "K"}),
        (lambda: table({"unit": "C"}), lambda: table(None), lambda: table({"unit": "K"}, {"x": "1"})),
    )
    yield Row("types", lambda: pa.list_(pa.int8()), (lambda: pa.list_(pa.int16()), lambda: pa.int8()), hash)
    yield Row(
        "Schema",
        lambda: pa.schema([("a", pa.int8())]),
        (lambda: pa.schema([("b", pa.int8())]), lambda: pa.schema([("a", pa.int8())], metadata={"k": "v"})),
    )
    yield Row("scalars", lambda: pa.scalar(3), (lambda: pa.scalar(4), lambda: pa.scalar(3, pa.int8())))
    yield Row("Dataset", lambda: pa.dataset.dataset(pa.table({"a": [1]})), refused="read it into a table")


@library("xarray")
def xarray():
    import numpy as np
    import pandas as pd
    import xarray as xr

    def dataset(*, data=(1.0, 2.0), x=(10, 20), attrs=(("unit", "K"),), name="a"):
        return xr.Dataset({name: ("x", list(data))}, coords={"x": list(x)}, attrs=dict(attrs))

    def array(**changes):
        return dataset(**changes)["a"]

    def look(it):
        return it.x, it.indexes, it.mean(), repr(it), it.sel(x=10)

    yield Row(
        "Dataset",
        dataset,
        (
            lambda: dataset(data=(1, 3)),
            lambda: dataset(x=(10, 30)),
            lambda: dataset(attrs=()),
            lambda: dataset(name="b"),
        ),
        look,
    )

    def tree(attrs=(), name="a"):
        return xr.DataTree.from_dict({"/": dataset(), "/run/last": dataset(attrs=attrs)}, name=name)

    yield Row(
        "DataTree",
        tree,
        (
            lambda: tree(attrs=(("unit", "C"),)),
            lambda: tree(name="b"),
            lambda: tree()["run"],
            lambda: xr.DataTree.from_dict({"/": dataset(), "/run": dataset(attrs=())}, name="a"),
        ),
        lambda it: (it["run/last"], it.to_dict()),
    )
    yield Row(
        "DataArray",
        array,
        (
            lambda: array(data=(1, 3)),
            lambda: array(x=(10, 30)),
            lambda: array().rename("b"),
            lambda: array().drop_vars("x"),
        ),
        look,
    )
    yield Row("Variable", lambda: xr.Variable("x", [1]), (lambda: xr.Variable("y", [1]), lambda: xr.Variable("x", [2])))
    yield Row(
        "levels of an index",
        lambda: array().expand_dims(t=[1]).stack(z=("x", "t")),
        (lambda: array().expand_dims(t=[2]).stack(z=("x", "t")),),
    )
    yield Row(
        "times",
        lambda: xr.DataArray([1], dims="t", coords={"t": pd.to_datetime(["2024-01-01"])}),
        (lambda: xr.DataArray([1], dims="t", coords={"t": pd.to_datetime(["2024-01-02"])}),),
    )
    yield Row(
        "objects",
        lambda: xr.DataArray(np.array(["a", None], object)),
        (lambda: xr.DataArray(np.array(["b", None], object)),),
    )


@library("dask", "dask", "xarray")
def dask():
    import dask as module
    import dask.array as da
    import xarray as xr

    yield Row("arrays", lambda: da.ones(3), refused=r"call compute\(\)")
    yield Row("delayed", lambda: module.delayed(1), refused=r"call compute\(\)")
    yield Row("an xarray.Dataset in chunks", lambda: xr.Dataset({"a": ("x", da.ones(3))}), refused=r"load\(\)")


@library("anndata")
def anndata():
    import numpy as np
    import pandas as pd
    from anndata import AnnData

    def made(k=1, a=1):
        return AnnData(np.eye(2), obs=pd.DataFrame({"a": [1, a]}, index=["x", "y"]), uns={"k": k})

    yield Row(
        "AnnData", made, (lambda: made(2), lambda: made(a=2)), lambda it: (it.obsm, it.layers, it.raw, it.X, repr(it))
    )


@library("numba")
def numba():
    import numba as module

    global jitted
    jitted = module.njit(increment)

    def compiled():
        made = module.njit(adder(1))
        made(1)
        return made

    yield Row("a jitted function", lambda: jitted, (lambda: increment,), lambda it: it(1))
    yield Row(
        "a local one",
        lambda: module.njit(adder(1)),
        (lambda: module.njit(adder(2)), lambda: module.njit(adder(1), fastmath=True)),
    )
    yield Row("a local one that is compiled", compiled, refused="compile it inside of the function")


def increment(x):
    return x + 1


@library("JAX", "jax")
def jax():
    import jax as module

    yield Row("arrays", lambda: module.numpy.arange(3), (lambda: module.numpy.arange(4),))
    yield Row("a local jitted function", lambda: module.jit(lambda x: x), refused="compile it inside of the function")
    yield Row("keys", lambda: module.random.key(0), refused="PRNGKey")


@library("torch")
def torch():
    import torch as module

    def layer(seed):
        module.manual_seed(seed)
        return module.nn.Sequential(module.nn.Linear(2, 3), module.nn.ReLU())

    yield Row("tensors", lambda: module.arange(3), (lambda: module.arange(4),))
    yield Row("modules", lambda: layer(0), (lambda: layer(1), lambda: layer(0).eval()), lambda it: it(module.zeros(2)))
    yield Row("Generator", lambda: module.Generator(), refused="pass its seed")
