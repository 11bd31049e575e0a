"""Rows of quantities with units, places and times."""

from __future__ import annotations

from . import Row, library


@library("astropy")
def astropy():
    import numpy as np
    from astropy import coordinates, cosmology, table, time, wcs
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

    def world(pixel):
        made = wcs.WCS(naxis=2)
        made.wcs.crpix, made.wcs.crval, made.wcs.ctype = [pixel, 1], [1, 2], ["RA---TAN", "DEC--TAN"]
        return made

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
    yield Row(
        "models that are put together",
        lambda: models.Gaussian1D(1, 2, 3) + models.Const1D(1),
        (
            lambda: models.Gaussian1D(1, 2, 3) + models.Const1D(2),
            lambda: models.Gaussian1D(1, 2, 3) * models.Const1D(1),
        ),
        lambda it: it(1),
    )
    yield Row("WCS", lambda: world(1), (lambda: world(2),), lambda it: it.pixel_to_world(1, 1))
    yield Row("HDU", lambda: fits.ImageHDU(np.eye(2)), refused="pass its header and its data")


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
    yield Row("LazyRegistry", module.LazyRegistry, refused="pass the file of its definitions")
    yield Row("ApplicationRegistry", module.get_application_registry, refused="pass the file of its definitions")


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
    yield Row("search trees", lambda: module.STRtree([module.Point(1, 2)]), refused="pass the geometries")


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
