"""Rows of pictures, and what stands for files."""

from __future__ import annotations

import io

from . import Row, library


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
    yield Row("pictures with a palette", lambda: Image.new("P", (2, 2), 3), (lambda: Image.new("P", (2, 2), 4),))
    yield Row("opened pictures", lambda: saved((1, 2, 3)), (lambda: saved((1, 2, 4)),), lambda it: it.load())


@library("matplotlib")
def matplotlib():
    import matplotlib as mpl
    from matplotlib import colors, figure, markers, path, transforms

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
    yield Row("markers", lambda: markers.MarkerStyle("o"), (lambda: markers.MarkerStyle("x"),))
    yield Row("figures", figure.Figure, refused="make it inside of the function")


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
