"""Canonical form of what known libraries make, where the object protocol tells too much or too little.

Nothing here imports a library: whoever holds one of its objects has loaded it.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
from typing import TYPE_CHECKING, Any

from .held import find_by_base, held_attributes
from .names import named_function, type_name
from .text import Form, RefusalError, quoted, several, tagged_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .text import Reducer

_NOT_LOADED = "load it with load(), or pass the path of its file with inputs="
# The names that param numbers instances by, where nobody named them.
_NUMBERED = re.compile(r"\D\d{5,}")


def recognise(kind: type) -> Reducer | None:
    """Find the form of instances of a known library's class, and of its subclasses."""
    return find_by_base(kind, _BY_NAME)


def _object_told_by(tell: Callable[[Any], Mapping[str, object]]) -> Reducer:
    # As an instance with these attributes.
    return lambda value: several("object", (type_name(type(value)), dict(tell(value))))


# xarray ---------------------------------------------------------------------------------------------------------------


def _variable(value: Any) -> dict[str, object]:
    plain = value._in_memory or type(value._data).__name__.startswith("Pandas")
    if not plain and (hasattr(value._data, "__dask_graph__") or not hasattr(value._data, "__array_function__")):
        raise RefusalError("an object of xarray that is not loaded has no canonical form", _NOT_LOADED)
    data = value.data if hasattr(value.data, "__array_function__") else value.values
    return {"dims": list(value.dims), "data": data, "attrs": dict(value.attrs), **_layout_of_file(value)}


def _layout_of_file(value: Any) -> dict[str, object]:
    # What a file said of its own layout is no part of the value, unless it is written again: all but its place counts.
    encoding = {name: item for name, item in value.encoding.items() if name != "source"}
    return {"encoding": encoding} if encoding else {}


def _dataset(value: Any) -> dict[str, object]:
    # The order of variables is that of rows in many an output.
    return {
        "variables": [[name, _variable(variable)] for name, variable in value.variables.items()],
        "coords": list(value.coords),
        "attrs": dict(value.attrs),
        "indexes": {name: type(index) for name, index in value.xindexes.items()},
        **_layout_of_file(value),
    }


def _data_array(value: Any) -> dict[str, object]:
    return {
        "name": value.name,
        "variable": _variable(value.variable),
        "coords": [[name, _variable(each.variable)] for name, each in value.coords.items()],
        "indexes": {name: type(index) for name, index in value.xindexes.items()},
    }


def _tree(value: Any) -> dict[str, object]:
    # Without the way up: a node counts with what it inherits from the nodes above.
    nodes = [[node.relative_to(value), node.to_dataset(inherit=node is value)] for node in value.subtree]
    return {"name": value.name, "nodes": nodes}


# astropy, sympy, units ------------------------------------------------------------------------------------------------


def _header(value: Any) -> dict[str, object]:
    return {"cards": [[card.keyword, card.value, card.comment] for card in value.cards]}


def _astropy_table(value: Any) -> dict[str, object]:
    columns = [[name, value.columns[name]] for name in value.colnames]
    return {"meta": dict(value.meta), "columns": columns, "key": list(value.primary_key or ())}


def _quantity(value: Any) -> Form:
    return several("pint", ("quantity", value.magnitude, _pint_units(value._REGISTRY, value._units)))


def _unit(value: Any) -> Form:
    return several("pint", ("unit", _pint_units(value._REGISTRY, value._units)))


def _pint_units(registry: Any, units: Any) -> dict[str, object]:
    # With what each is in base units, as a registry may define any unit anew.
    found: dict[str, object] = {}
    for name, power in units.items():
        factor, base = registry.get_root_units(name, check_nonmult=False)
        found[name] = [power, factor, dict(getattr(base, "_units", base).items())]
    return found


def _unyt_unit(value: Any) -> dict[str, object]:
    names = ("expr", "base_value", "base_offset", "dimensions")
    return {name: getattr(value, name) for name in names}


def _cosmology(value: Any) -> dict[str, object]:
    return {"name": value.name, "parameters": dict(value.parameters), "meta": dict(value.meta)}


def _applied(value: Any) -> Form:
    return several("applied", (str(value.func.name), dict(value.func._kwargs), list(value.args)))


def _boosted(value: Any) -> dict[str, object]:
    # Its trees hold its own random generator.
    held = held_attributes(value, ())
    fitted: Any = held.get("estimators_", ())
    trees = [[dict(vars(tree)) for tree in row] for row in fitted]
    for tree in (each for row in trees for each in row):
        del tree["random_state"]
    return held | ({"estimators_": trees} if trees else {})


def _distribution(value: Any) -> dict[str, object]:
    held = held_attributes(value, ())
    if type(held.get("_tol")) is object:  # which stands for none
        del held["_tol"]
    return held


def _search_tree(value: Any) -> dict[str, object]:
    state = list(value.__getstate__())
    del state[_COUNTERS]
    return {"state": state}


_COUNTERS = slice(7, 11)  # how often it was searched


# graphs, tables of cells ----------------------------------------------------------------------------------------------


def _graph(value: Any) -> dict[str, object]:
    # In their order, in which algorithms go through them and matrices list them.
    held = held_attributes(value, ())
    rest = {name: item for name, item in held.items() if name not in _PARTS_OF_GRAPHS}
    adjacency = [[node, [[other, edge] for other, edge in near.items()]] for node, near in value._adj.items()]
    nodes = [[node, data] for node, data in value._node.items()]
    return {"graph": value.graph, "nodes": nodes, "adjacency": adjacency, **rest}


_PARTS_OF_GRAPHS = frozenset(("graph", "_node", "_adj", "_pred", "_succ", "nodes", "edges", "adj", "degree"))


def _anndata(value: Any) -> dict[str, object]:
    if value.isbacked:
        raise RefusalError("an AnnData that is backed by a file has no canonical form", "load it with to_memory()")
    mappings = {name: dict(getattr(value, name).items()) for name in ("obsm", "varm", "obsp", "varp", "layers")}
    raw = value.raw
    further = {} if raw is None else {"raw": {"X": raw.X, "var": raw.var, "varm": dict(raw.varm.items())}}
    return {"X": value.X, "obs": value.obs, "var": value.var, "uns": dict(value.uns), **mappings, **further}


def _geometries(value: Any) -> Form:
    shapely = sys.modules["shapely"]
    return several("geometries", (value.crs, list(shapely.to_wkb(value._data, include_srid=True, byte_order=1))))


def _image(value: Any) -> dict[str, object]:
    if getattr(value, "n_frames", 1) > 1:
        raise RefusalError(
            "a picture of several frames, of which it shows one, has no canonical form",
            "pass its path and name it in inputs=, or a list of copies of its frames",
        )
    data = value.tobytes()  # loads it first, which may change the rest
    colors = value.getpalette(value.palette.mode) if value.palette is not None else None
    palette = (value.palette.mode, colors) if colors else None  # an empty one does not outlive pickle
    return {"mode": value.mode, "size": list(value.size), "palette": palette, "info": dict(value.info), "data": data}


def _persistent_set(value: Any) -> Form:
    # Its reduction lists the elements in the order of their hashes.
    return several("object", (type_name(type(value)), frozenset(value)))


# configuration --------------------------------------------------------------------------------------------------------


def _traits(value: Any) -> dict[str, object]:
    own = {name: item for name, item in vars(value).items() if name not in _STATE_OF_TRAITS}
    return own | {name: getattr(value, name) for name in value.trait_names()}


_STATE_OF_TRAITS = frozenset(("_trait_values", "_trait_notifiers", "_trait_validators", "_cross_validation_lock"))


def _parameterized(value: Any) -> dict[str, object]:
    own = {name: item for name, item in vars(value).items() if not name.startswith("_param__")}
    values = {name: getattr(value, name) for name in value.param}
    if _NUMBERED.search(str(values.get("name"))):
        del values["name"]
    return own | values


# code -----------------------------------------------------------------------------------------------------------------


def _jitted(value: Any) -> str | Form:
    with contextlib.suppress(RefusalError):
        return named_function(value)
    if getattr(value, "overloads", None) or not hasattr(value, "py_func"):
        raise RefusalError(
            "a compiled function that no name gives has no canonical form: it holds what it read when it was compiled",
            "pass the function that it was made from, and compile it inside of the function",
        )
    return several("jitted", (type_name(type(value)), value.py_func, dict(value.targetoptions)), ("", ".py_func"))


def _logger(value: logging.Logger) -> str:
    if logging.getLogger(value.name) is not value and value is not logging.root:
        raise RefusalError("a logger that its name does not give has no canonical form", "use logging.getLogger")
    return tagged_text("logger", quoted(value.name))


_BY_NAME: dict[str, Reducer] = {
    "PIL.Image.Image": _object_told_by(_image),
    "anndata._core.anndata.AnnData": _object_told_by(_anndata),
    "astropy.cosmology._src.core.Cosmology": _object_told_by(_cosmology),
    "astropy.cosmology.core.Cosmology": _object_told_by(_cosmology),
    "astropy.io.fits.header.Header": _object_told_by(_header),
    "astropy.table.table.Table": _object_told_by(_astropy_table),
    "geopandas.array.GeometryArray": _geometries,
    "jaxlib._jax.PjitFunction": _jitted,
    "jaxlib.xla_extension.PjitFunction": _jitted,
    "logging.Logger": _logger,
    "networkx.classes.graph.Graph": _object_told_by(_graph),
    "numba.core.dispatcher.Dispatcher": _jitted,
    "numba.np.ufunc.dufunc.DUFunc": _jitted,
    "param.parameterized.Parameterized": _object_told_by(_parameterized),
    "pint.facets.plain.quantity.PlainQuantity": _quantity,
    "pint.facets.plain.unit.PlainUnit": _unit,
    **{
        f"sklearn.neighbors.{module}.{base}": _object_told_by(_search_tree)
        for module, base in (
            ("_kd_tree", "KDTree32"),
            ("_kd_tree", "KDTree64"),
            ("_ball_tree", "BallTree32"),
            ("_ball_tree", "BallTree64"),
        )
    },
    "pyrsistent._pset.PSet": _persistent_set,
    "scipy.stats._distribution_infrastructure.UnivariateDistribution": _object_told_by(_distribution),
    "sklearn.ensemble._gb.BaseGradientBoosting": _object_told_by(_boosted),
    "sympy.core.function.AppliedUndef": _applied,
    "traitlets.traitlets.HasTraits": _object_told_by(_traits),
    "unyt.unit_object.Unit": _object_told_by(_unyt_unit),
    "xarray.core.dataarray.DataArray": _object_told_by(_data_array),
    "xarray.core.dataset.Dataset": _object_told_by(_dataset),
    "xarray.core.datatree.DataTree": _object_told_by(_tree),
    "xarray.core.variable.Variable": _object_told_by(_variable),
}
