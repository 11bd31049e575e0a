"""Values that science passes, by library: equal ones, different ones, refused ones; as a script, prints hashes.

Each function makes the rows of one library, and needs it. A row says how to make a value, other values that differ from
it, what is done to look at or use it, which must not change its hash, and, for what is refused, what the error says.
"""

from __future__ import annotations

import argparse
import collections
import functools
import importlib
import importlib.metadata
import io
import json
import sys
import warnings
from typing import Any, NamedTuple

LIBRARIES = {}


class Row(NamedTuple):
    """A value: ``others`` differ from it, ``use`` does not change it; or it is ``refused`` with these words."""

    what: str
    make: Any
    others: tuple[Any, ...] = ()
    use: Any = None
    refused: str | None = None


def library(name, *modules):
    def add(rows):
        LIBRARIES[name] = (modules or (name,), functools.cache(lambda: list(rows())))  # classes are defined once
        return rows

    return add


class Plain:
    """A plain class with whatever attributes."""

    def __init__(self, **attributes):
        vars(self).update(attributes)


class Slots:
    __slots__ = ("a", "b")

    def __init__(self, **attributes):
        for name, value in attributes.items():
            setattr(self, name, value)


class OwnState(Plain):
    def __getstate__(self):
        return {"kept": self.kept}

    def __setstate__(self, state):
        vars(self).update(state)


def adder(n):
    return lambda x: x + n


@library("Python", "sys")
def python():
    import array
    import configparser
    import ipaddress
    import operator
    import queue
    import random
    import sqlite3
    import threading

    def parser(text):
        made = configparser.ConfigParser()
        made.read_string(text)
        return made

    yield Row("a plain class", lambda: Plain(a=1), (lambda: Plain(a=2), lambda: Plain(b=1), lambda: {"a": 1}))
    yield Row("a class with slots", lambda: Slots(a=1), (lambda: Slots(a=2), lambda: Slots(b=1), lambda: Plain(a=1)))
    yield Row("a class with __getstate__", lambda: OwnState(kept=1, x=1), (lambda: OwnState(kept=2, x=1),))
    yield Row("a closure", lambda: adder(1), (lambda: adder(2),))
    yield Row("a lambda", lambda: lambda x: x + 1, (lambda: lambda x: x + 2,))
    yield Row(
        "functools.partial of a lambda",
        lambda: functools.partial(lambda x: x, 1),
        (lambda: functools.partial(lambda x: x, 2),),
    )
    yield Row(
        "array.array",
        lambda: array.array("d", [1, 2]),
        (lambda: array.array("d", [1]), lambda: array.array("f", [1, 2])),
    )
    yield Row("memoryview", lambda: memoryview(b"ab"), (lambda: memoryview(b"ba"),))
    yield Row(
        "ipaddress",
        lambda: ipaddress.ip_address("10.0.0.1"),
        (lambda: ipaddress.ip_address("10.0.0.2"), lambda: ipaddress.ip_interface("10.0.0.1")),
        hash,
    )
    yield Row(
        "typing aliases and unions",
        lambda: [list[int], int | None],
        (lambda: [list[str], int | None], lambda: [list[int], str | None]),
    )
    yield Row("UserDict", lambda: collections.UserDict(a=1), (lambda: collections.UserDict(a=2),))
    yield Row("defaultdict", lambda: collections.defaultdict(list), (lambda: collections.defaultdict(set),))
    yield Row("views of a dict", lambda: {"a": 1}.items(), (lambda: {"a": 2}.items(), lambda: {"a": 1}.keys()))
    yield Row(
        "itemgetter", lambda: operator.itemgetter(1), (lambda: operator.itemgetter(2), lambda: operator.attrgetter("a"))
    )
    yield Row("ConfigParser", lambda: parser("[a]\nx=1"), (lambda: parser("[a]\nx=2"), lambda: parser("[b]\nx=1")))
    yield Row("an exception", lambda: ValueError(1), (lambda: ValueError(2), lambda: TypeError(1)))
    yield Row("a generator", lambda: (x for x in ()), refused="pass a list of its values")
    yield Row("a lock", threading.Lock, refused="make it inside of the function")
    yield Row("a queue", queue.Queue, refused="make it inside of the function")
    yield Row("random.Random", lambda: random.Random(1), refused="pass its seed")
    yield Row("a database connection", lambda: sqlite3.connect(":memory:"), refused="a connection")
    yield Row("an open file", lambda: io.BytesIO(), refused="name it in inputs=")
    yield Row("object()", object, refused="builtins.object")


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


@library("scikit-learn", "sklearn")
def sklearn():
    import numpy as np
    from sklearn import cluster, datasets, ensemble, linear_model, neighbors, pipeline, preprocessing, svm
    from sklearn.gaussian_process import kernels

    points, labels = np.arange(20.0).reshape(10, 2), np.arange(10) % 2

    def pipe(alpha):
        return pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.Ridge(alpha))

    yield Row(
        "an estimator",
        lambda: linear_model.Ridge(1.0),
        (lambda: linear_model.Ridge(2.0), lambda: linear_model.Lasso(1.0)),
        lambda it: it.get_params(),
    )
    yield Row(
        "a fitted estimator",
        lambda: linear_model.LogisticRegression().fit(points, labels),
        (lambda: linear_model.LogisticRegression().fit(points, 1 - labels),),
        lambda it: it.predict(points),
    )
    yield Row("a pipeline", lambda: pipe(1.0), (lambda: pipe(2.0),), repr)
    yield Row(
        "a forest",
        lambda: ensemble.RandomForestClassifier(3, random_state=0).fit(points, labels),
        (lambda: ensemble.RandomForestClassifier(3, random_state=1).fit(points, labels),),
        lambda it: it.predict(points),
    )
    yield Row(
        "boosted trees",
        lambda: ensemble.HistGradientBoostingClassifier(max_iter=2, random_state=0).fit(points, labels),
        (lambda: ensemble.HistGradientBoostingClassifier(max_iter=3, random_state=0).fit(points, labels),),
        lambda it: it.predict(points),
    )
    yield Row(
        "neighbours",
        lambda: neighbors.KNeighborsClassifier(2).fit(points, labels),
        (lambda: neighbors.KNeighborsClassifier(3).fit(points, labels),),
        lambda it: it.predict(points),
    )
    yield Row(
        "clusters",
        lambda: cluster.KMeans(2, random_state=0, n_init=1).fit(points),
        (lambda: cluster.KMeans(3, random_state=0, n_init=1).fit(points),),
        lambda it: it.predict(points),
    )
    yield Row(
        "a support vector machine",
        lambda: svm.SVC().fit(points, labels),
        (lambda: svm.SVC(C=2).fit(points, labels),),
        lambda it: it.predict(points),
    )
    yield Row(
        "kernels",
        lambda: kernels.RBF(1.0) + kernels.WhiteKernel(),
        (lambda: kernels.RBF(2.0) + kernels.WhiteKernel(),),
        lambda it: it.theta,
    )
    yield Row(
        "FunctionTransformer",
        lambda: preprocessing.FunctionTransformer(np.log1p),
        (lambda: preprocessing.FunctionTransformer(np.log),),
    )
    yield Row("Bunch", datasets.load_iris, (datasets.load_wine,), lambda it: it.data)
    yield Row(
        "an estimator with a RandomState",
        lambda: linear_model.Ridge(random_state=np.random.RandomState(1)),
        refused="pass its seed",
    )


@library("SciPy", "scipy")
def scipy():
    import numpy as np
    from scipy import interpolate, sparse, spatial, stats

    def look(matrix):
        return getattr(matrix, "has_canonical_format", 0), getattr(matrix, "has_sorted_indices", 0), matrix @ np.ones(3)

    for name in ("csr", "csc", "coo", "lil", "dok", "dia", "bsr"):
        make = getattr(sparse, f"{name}_array")
        yield Row(
            f"{name}_array",
            lambda make=make: make(np.eye(3)),
            (lambda make=make: make(2 * np.eye(3)), lambda make=make: make(np.eye(3)[:, :2])),
            look,
        )
    yield Row(
        "csr_matrix",
        lambda: sparse.csr_matrix(np.eye(3)),
        (lambda: sparse.csr_array(np.eye(3)), lambda: sparse.csc_matrix(np.eye(3))),
        look,
    )
    yield Row(
        "frozen distributions",
        lambda: stats.norm(1, 2),
        (lambda: stats.norm(1, 3), lambda: stats.cauchy(1, 2)),
        lambda it: it.rvs(3),
    )
    yield Row(
        "discrete ones", lambda: stats.poisson(3), (lambda: stats.poisson(4),), lambda it: (it.rvs(2), it.entropy())
    )
    yield Row(
        "multivariate ones",
        lambda: stats.multivariate_normal([0, 0]),
        (lambda: stats.multivariate_normal([0, 1]),),
        lambda it: it.rvs(2),
    )
    yield Row(
        "rv_histogram",
        lambda: stats.rv_histogram(np.histogram([1, 2, 3.0], 4)),
        (lambda: stats.rv_histogram(np.histogram([1, 2, 2.0], 4)),),
        lambda it: it.mean(),
    )
    yield Row(
        "gaussian_kde",
        lambda: stats.gaussian_kde(np.arange(5.0)),
        (lambda: stats.gaussian_kde(np.arange(6.0)),),
        lambda it: it(1),
    )
    yield Row(
        "splines",
        lambda: interpolate.CubicSpline(range(5), range(5)),
        (lambda: interpolate.CubicSpline(range(5), [0, 1, 2, 3, 5]),),
        lambda it: it(1),
    )
    yield Row(
        "rotations",
        lambda: spatial.transform.Rotation.from_euler("z", 1),
        (lambda: spatial.transform.Rotation.from_euler("z", 2),),
        lambda it: it.as_matrix(),
    )
    yield Row(
        "cKDTree",
        lambda: spatial.cKDTree(np.eye(2)),
        (lambda: spatial.cKDTree(2 * np.eye(2)),),
        lambda it: it.query([0, 0]),
    )


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


@library("astropy")
def astropy():
    import numpy as np
    from astropy import coordinates, cosmology, table, time
    from astropy import units as u
    from astropy.io import fits
    from astropy.modeling import models

    def header(*history):
        made = fits.Header()
        made["GAIN"] = (1, "gain")
        for line in history:
            made["HISTORY"] = line
        return made

    def made(meta=1, order=("b", "a")):
        return table.Table({name: [1.0, 2.0] for name in order}, meta={"k": meta})

    yield Row(
        "units",
        lambda: u.km / u.s,
        (lambda: u.km / u.h, lambda: u.km),
        lambda it: (hash(it), str(it), it.decompose(), it.to(u.m / u.s)),
    )
    yield Row("magnitudes", lambda: u.mag(u.Jy), (lambda: u.mag(u.ct),), str)
    yield Row(
        "Quantity",
        lambda: np.arange(3) * u.kpc,
        (lambda: np.arange(3) * u.pc, lambda: np.arange(4) * u.kpc, lambda: np.arange(3.0)),
        lambda it: (it.info, it.to(u.m)),
    )
    yield Row(
        "Column",
        lambda: table.Column([1, 2], name="a", unit="m"),
        (lambda: table.Column([1, 2], name="b", unit="m"), lambda: table.Column([1, 2], name="a", unit="s")),
        lambda it: (it.info, it.info.name, repr(it)),
    )
    yield Row(
        "Table",
        made,
        (lambda: made(2), lambda: made(order=("a", "b")), lambda: table.QTable(made())),
        lambda it: (it["a"].info, it.info, repr(it)),
    )
    yield Row(
        "FITS header",
        lambda: header("x", "y"),
        (lambda: header("x", "z"), lambda: header("y", "x"), lambda: header("x")),
        lambda it: (str(it), it.tostring()),
    )
    yield Row(
        "Time",
        lambda: time.Time("2024-01-01"),
        (lambda: time.Time("2024-01-02"), lambda: time.Time("2024-01-01", scale="tai")),
        lambda it: (it.jd, it.tai, it.info),
    )
    yield Row(
        "SkyCoord",
        lambda: coordinates.SkyCoord(1 * u.deg, 2 * u.deg),
        (
            lambda: coordinates.SkyCoord(1 * u.deg, 3 * u.deg),
            lambda: coordinates.SkyCoord(1 * u.deg, 2 * u.deg, frame="fk5"),
        ),
        lambda it: (it.ra, it.galactic, it.info, repr(it)),
    )
    yield Row(
        "cosmologies",
        lambda: cosmology.FlatLambdaCDM(70, 0.3),
        (lambda: cosmology.FlatLambdaCDM(70, 0.4), lambda: cosmology.Planck18),
        lambda it: it.age(0),
    )
    yield Row("models", lambda: models.Gaussian1D(1, 2, 3), (lambda: models.Gaussian1D(1, 2, 4),), lambda it: it(1))
    yield Row("HDU", lambda: fits.ImageHDU(np.eye(2)), refused="pass its header and its data")


@library("networkx")
def networkx():
    import networkx as nx

    def look(it):
        return it.nodes, it.edges, it.adj, it.degree, nx.to_numpy_array(it)

    yield Row(
        "Graph",
        lambda: nx.path_graph(4),
        (lambda: nx.path_graph(5), lambda: nx.cycle_graph(4), lambda: nx.DiGraph(nx.path_graph(4))),
        look,
    )
    yield Row("the order of nodes", lambda: nx.Graph([(1, 2)]), (lambda: nx.Graph([(2, 1)]),), look)
    yield Row(
        "DiGraph",
        lambda: nx.DiGraph([(1, 2)]),
        (lambda: nx.DiGraph([(2, 1)]), lambda: nx.DiGraph([(1, 2)], name="x")),
        look,
    )
    yield Row("MultiGraph", lambda: nx.MultiGraph([(1, 2), (1, 2)]), (lambda: nx.MultiGraph([(1, 2)]),), look)


@library("shapely")
def shapely():
    import shapely as module

    yield Row(
        "geometries",
        lambda: module.Point(1, 2),
        (lambda: module.Point(1, 3), lambda: module.Point(1, 2, 0), lambda: module.MultiPoint([(1, 2)])),
        module.prepare,
    )
    yield Row(
        "polygons",
        lambda: module.Polygon([(0, 0), (1, 0), (1, 1)]),
        (lambda: module.Polygon([(0, 0), (1, 0), (2, 1)]),),
        lambda it: it.area,
    )
    yield Row(
        "the reference system of one", lambda: module.set_srid(module.Point(1, 2), 4326), (lambda: module.Point(1, 2),)
    )


@library("geopandas", "geopandas", "shapely")
def geopandas():
    import geopandas as gpd
    import shapely as module

    def frame(x=1, crs=4326):
        return gpd.GeoDataFrame({"a": [1, 2]}, geometry=[module.Point(x, 2), None], crs=crs)

    def look(it):
        return it.sindex, it.crs.to_wkt(), it.total_bounds

    yield Row(
        "GeoDataFrame",
        frame,
        (lambda: frame(2), lambda: frame(crs=3857), lambda: frame(crs=None), lambda: frame().rename_geometry("g")),
        look,
    )
    yield Row(
        "GeoSeries", lambda: frame().geometry, (lambda: frame(crs=3857).geometry, lambda: frame(2).geometry), look
    )
    yield Row(
        "GeometryArray",
        lambda: frame().geometry.array,
        (lambda: frame(crs=3857).geometry.array, lambda: frame(2).geometry.array),
    )


@library("pyproj")
def pyproj():
    import pyproj as module

    yield Row(
        "CRS", lambda: module.CRS(4326), (lambda: module.CRS(3857),), lambda it: (it.to_wkt(), it.axis_info, hash(it))
    )
    yield Row("Geod", lambda: module.Geod(ellps="WGS84"), (lambda: module.Geod(ellps="GRS80"),))


@library("rasterio")
def rasterio():
    import rasterio.crs
    import rasterio.transform

    yield Row(
        "CRS",
        lambda: rasterio.crs.CRS.from_epsg(4326),
        (lambda: rasterio.crs.CRS.from_epsg(3857),),
        lambda it: it.to_wkt(),
    )
    yield Row(
        "transforms",
        lambda: rasterio.transform.from_origin(0, 0, 1, 1),
        (lambda: rasterio.transform.from_origin(0, 0, 1, 2),),
    )


@library("pint")
def pint():
    import numpy as np
    import pint as module

    one, other = module.UnitRegistry(), module.UnitRegistry()
    one.define("block = 3 * m")
    other.define("block = 4 * m")

    yield Row(
        "Quantity",
        lambda: 3 * one.m,
        (lambda: 4 * one.m, lambda: 3 * one.km, lambda: 3 * one.m**2),
        lambda it: (hash(it), it.to("km"), it.dimensionality),
    )
    yield Row("of an array", lambda: np.arange(3) * one.m / one.s, (lambda: np.arange(4) * one.m / one.s,))
    yield Row(
        "Unit",
        lambda: one.Unit("m"),
        (lambda: one.Unit("s"), lambda: 1 * one.m),
        lambda it: (hash(it), it.dimensionality),
    )
    yield Row("a unit of one's own", lambda: 3 * one.block, (lambda: 3 * other.block,))
    yield Row("UnitRegistry", lambda: one, refused="pass the file of its definitions")


@library("unyt")
def unyt():
    import unyt as module

    yield Row(
        "quantities",
        lambda: 3 * module.km,
        (lambda: 3 * module.m, lambda: 4 * module.km),
        lambda it: (it.to("m"), str(it.units), hash(it.units)),
    )
    yield Row(
        "arrays",
        lambda: module.unyt_array([1, 2], "km"),
        (lambda: module.unyt_array([1, 3], "km"), lambda: module.unyt_array([1, 2], "m")),
    )
    yield Row("units", lambda: module.km, (lambda: module.m,), hash)


@library("sympy")
def sympy():
    import sympy as module

    def symbol(**assumptions):
        return module.Symbol("x", **assumptions)

    x = symbol()
    yield Row(
        "expressions",
        lambda: module.sin(symbol()) ** 2 + 1,
        (lambda: module.cos(symbol()) ** 2 + 1, lambda: module.sin(module.Symbol("y")) ** 2 + 1),
        lambda it: (hash(it), it.is_real, it.diff()),
    )
    yield Row(
        "assumptions",
        lambda: symbol(positive=True),
        (symbol, lambda: symbol(real=True)),
        lambda it: (hash(it), it.is_positive, it.is_prime),
    )
    yield Row(
        "numbers", lambda: module.Rational(1, 3), (lambda: module.Rational(2, 3), lambda: module.Float("0.3")), hash
    )
    yield Row(
        "matrices",
        lambda: module.Matrix([[1, x]]),
        (lambda: module.Matrix([[2, x]]), lambda: module.ImmutableMatrix([[1, x]])),
        lambda it: it.T,
    )
    yield Row(
        "functions",
        lambda: module.Function("f")(x),
        (lambda: module.Function("g")(x), lambda: module.Function("f")(x + 1)),
        hash,
    )
    yield Row("polynomials", lambda: module.Poly(x**2 + 1, x), (lambda: module.Poly(x**2 + 2, x),), hash)
    yield Row("Dummy", lambda: module.Dummy("d"), refused="use a Symbol")


@library("msgspec")
def msgspec():
    import msgspec as module

    global Struct

    class Struct(module.Struct):
        a: int
        b: str = "x"

    Struct.__qualname__ = "Struct"
    yield Row("Struct", lambda: Struct(1), (lambda: Struct(2), lambda: Struct(1, "y")))


@library("ml_collections")
def ml_collections():
    from ml_collections import ConfigDict, FrozenConfigDict

    yield Row(
        "ConfigDict",
        lambda: ConfigDict({"a": 1, "b": {"c": 2}}),
        (lambda: ConfigDict({"a": 1, "b": {"c": 3}}),),
        lambda it: (it.a, str(it)),
    )
    yield Row("FrozenConfigDict", lambda: FrozenConfigDict({"a": 1}), (lambda: FrozenConfigDict({"a": 2}),), hash)


@library("OmegaConf", "omegaconf")
def omegaconf():
    from omegaconf import OmegaConf

    yield Row(
        "DictConfig",
        lambda: OmegaConf.create({"a": 1, "b": "${a}"}),
        (lambda: OmegaConf.create({"a": 2, "b": "${a}"}),),
        lambda it: (it.b, repr(it)),
    )


@library("traitlets")
def traitlets():
    import traitlets as module

    global Traits

    class Traits(module.HasTraits):
        a = module.Int(1)
        b = module.List([1, 2])

    Traits.__qualname__ = "Traits"
    yield Row(
        "HasTraits", lambda: Traits(a=2), (lambda: Traits(a=3), lambda: Traits(a=2, b=[1])), lambda it: (it.a, it.b)
    )


@library("param")
def param():
    import param as module

    global Parameters

    class Parameters(module.Parameterized):
        a = module.Integer(1)
        b = module.Number(2.0)

    Parameters.__qualname__ = "Parameters"
    yield Row(
        "Parameterized",
        lambda: Parameters(a=2),
        (lambda: Parameters(a=3), lambda: Parameters(a=2, b=1)),
        lambda it: (it.a, it.param.values()),
    )


@library("pydantic")
def pydantic():
    import pydantic as module

    global Model

    class Model(module.BaseModel):
        a: int

    Model.__qualname__ = "Model"
    yield Row("BaseModel", lambda: Model(a=1), (lambda: Model(a=2),), repr)


@library("attrs", "attr")
def attrs():
    import attr

    global Attributes

    @attr.define(frozen=True, cache_hash=True)
    class Attributes:
        a: int

    Attributes.__qualname__ = "Attributes"
    yield Row("define", lambda: Attributes(1), (lambda: Attributes(2),), hash)


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


@library("Pillow", "PIL")
def pillow():
    from PIL import Image

    def saved(color):
        file = io.BytesIO()
        Image.new("RGB", (3, 3), color).save(file, "png")
        file.seek(0)
        return Image.open(file)

    yield Row(
        "pictures",
        lambda: Image.new("RGB", (3, 3), (1, 2, 3)),
        (lambda: Image.new("RGB", (3, 3), (1, 2, 4)), lambda: Image.new("RGBA", (3, 3), (1, 2, 3))),
        lambda it: it.load(),
    )
    yield Row("opened pictures", lambda: saved((1, 2, 3)), (lambda: saved((1, 2, 4)),), lambda it: it.load())


@library("matplotlib")
def matplotlib():
    import matplotlib as mpl
    from matplotlib import colors, figure, path, transforms

    yield Row("colormaps", lambda: mpl.colormaps["viridis"], (lambda: mpl.colormaps["plasma"],), lambda it: it(0.5))
    yield Row(
        "colormaps of one's own",
        lambda: colors.LinearSegmentedColormap.from_list("a", ["r", "b"]),
        (lambda: colors.LinearSegmentedColormap.from_list("a", ["r", "g"]),),
        lambda it: it(0.5),
    )
    yield Row(
        "norms",
        lambda: colors.LogNorm(1, 2),
        (lambda: colors.LogNorm(1, 3), lambda: colors.Normalize(1, 2)),
        lambda it: it(1.5),
    )
    yield Row(
        "paths",
        lambda: path.Path([[0, 0], [1, 1]]),
        (lambda: path.Path([[0, 0], [1, 2]]),),
        lambda it: it.get_extents(),
    )
    yield Row(
        "transforms",
        lambda: transforms.Affine2D().scale(2),
        (lambda: transforms.Affine2D().scale(3),),
        lambda it: it.inverted(),
    )
    yield Row("figures", figure.Figure, refused="make it inside of the function")


@library("statsmodels")
def statsmodels():
    import numpy as np
    import statsmodels.api as sm

    x, y = np.arange(20.0).reshape(10, 2), np.arange(10) ** 2.0

    yield Row("a model", lambda: sm.OLS(y, x), (lambda: sm.OLS(y + 1, x),))
    yield Row(
        "a result", lambda: sm.OLS(y, x).fit(), (lambda: sm.OLS(2 * y, x).fit(),), lambda it: (it.params, it.rsquared)
    )


@library("h5py")
def h5py():
    import h5py as module

    def file():
        return module.File("f", "w", driver="core", backing_store=False)

    yield Row("File", file, refused="name it in inputs=")
    yield Row("Group", lambda: file().create_group("g"), refused="name it in inputs=")
    yield Row("attributes", lambda: file().attrs, refused="name it in inputs=")


@library("zarr")
def zarr():
    import zarr as module

    yield Row("Array", lambda: module.zeros((3,)), refused="name it in inputs=")
    yield Row("Group", lambda: module.group(), refused="name it in inputs=")


@library("netCDF4")
def netcdf():
    import netCDF4

    yield Row("Dataset", lambda: netCDF4.Dataset("x.nc", "w", diskless=True), refused="name it in inputs=")


@library("SQLAlchemy", "sqlalchemy")
def sqlalchemy():
    import sqlalchemy as module

    yield Row("URL", lambda: module.make_url("sqlite://"), (lambda: module.make_url("sqlite:///x"),))
    yield Row("Engine", lambda: module.create_engine("sqlite://"), refused="a connection")


@library("duckdb")
def duckdb():
    import duckdb as module

    yield Row("connections", module.connect, refused="a connection")
    yield Row("relations", lambda: module.sql("select 1"), refused="a connection")


@library("multidict")
def multidict():
    from multidict import CIMultiDict, MultiDict

    yield Row(
        "MultiDict",
        lambda: MultiDict([("a", 1), ("a", 2)]),
        (
            lambda: MultiDict([("a", 1)]),
            lambda: MultiDict([("a", 2), ("a", 1)]),
            lambda: CIMultiDict([("a", 1), ("a", 2)]),
        ),
    )


@library("frozendict")
def frozendict():
    from frozendict import frozendict as kind

    yield Row("frozendict", lambda: kind(a=1), (lambda: kind(a=2), lambda: {"a": 1}), hash)


@library("pyrsistent")
def pyrsistent():
    import pyrsistent as module

    yield Row("pmap", lambda: module.pmap({"a": 1, "b": 2}), (lambda: module.pmap({"a": 1, "b": 3}),), hash)
    yield Row("pvector", lambda: module.pvector([1]), (lambda: module.pvector([2]),), hash)
    yield Row("pset", lambda: module.pset(["a", "b"]), (lambda: module.pset(["a", "c"]),), hash)


@library("immutables")
def immutables():
    from immutables import Map

    yield Row("Map", lambda: Map(a=1, b=2), (lambda: Map(a=1, b=3),), hash)


@library("cftime")
def cftime():
    import cftime as module

    yield Row(
        "dates",
        lambda: module.DatetimeNoLeap(2000, 1, 1),
        (lambda: module.DatetimeNoLeap(2000, 1, 2), lambda: module.Datetime360Day(2000, 1, 1)),
    )


@library("pendulum")
def pendulum():
    import pendulum as module

    yield Row(
        "DateTime",
        lambda: module.datetime(2024, 1, 1, tz="Europe/Berlin"),
        (lambda: module.datetime(2024, 1, 2, tz="Europe/Berlin"), lambda: module.datetime(2024, 1, 1, tz="UTC")),
        str,
    )
    yield Row("Duration", lambda: module.duration(days=1), (lambda: module.duration(days=2),), str)


@library("uncertainties")
def uncertainties():
    from uncertainties import ufloat

    yield Row("ufloat", lambda: ufloat(1, 0.1), refused="pass nominal value and standard deviation")


@library("joblib")
def joblib():
    import joblib as module

    yield Row("delayed calls", lambda: module.delayed(len)([1]), (lambda: module.delayed(len)([2]),))


def available(name):
    """Tell whether all that a library's rows need can be imported."""
    try:
        for module in LIBRARIES[name][0]:
            importlib.import_module(module)
    except ImportError:
        return False
    return True


def version(name):
    """Tell the version of a library."""
    module = importlib.import_module(LIBRARIES[name][0][0])
    if name == "Python":
        return ".".join(map(str, sys.version_info[:2]))
    found = importlib.metadata.packages_distributions().get(module.__name__, [name])
    return importlib.metadata.version(found[0])


def hashes(names):
    """Hash all values of the rows of some libraries."""
    from taggedartifacts import UnhashableError, config_hash

    found = {}
    for name in names:
        for row in LIBRARIES[name][1]():
            if row.refused is not None:
                try:
                    found[f"{name}: {row.what}"] = [config_hash(row.make())]
                except UnhashableError as error:
                    found[f"{name}: {row.what}"] = str(error)
                continue
            found[f"{name}: {row.what}"] = [config_hash(make()) for make in (row.make, *row.others)]
    return found


def page(names):
    """Write the table for the documentation."""
    yield from (".. list-table::", "   :header-rows: 1", "   :widths: 20 60 20", "")
    yield from ("   * - Library", "     - Values", "     - Tried with")
    for name in names:
        rows = LIBRARIES[name][1]()
        counted = ", ".join(row.what for row in rows if row.refused is None)
        refused = ", ".join(row.what for row in rows if row.refused is not None)
        text = "; ".join(filter(None, (counted, refused and f"*refused:* {refused}")))
        yield from (f"   * - {name}", f"     - {text}", f"     - {version(name)}")


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--page", action="store_true")
    options.add_argument("names", nargs="*")
    given = options.parse_args()
    warnings.simplefilter("ignore")
    chosen = given.names or [name for name in LIBRARIES if available(name)]
    if given.page:
        print("\n".join(page(chosen)))
    else:
        json.dump(hashes(chosen), sys.stdout)
