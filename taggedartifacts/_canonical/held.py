"""What instances hold: attributes and slots, without caches and without the bookkeeping of known libraries."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T")

_CACHE_OF_ATTRS = "_attrs_cached_hash"
# What instances of these classes, and of their subclasses, hold beside their value: what was computed from it, how it
# was looked at, which version wrote it.
_BOOKKEEPING = {
    "astropy.coordinates.baseframe.BaseCoordinateFrame": {"cache"},
    "astropy.coordinates.sky_coordinate.SkyCoord": {"info"},
    "astropy.modeling.core.CompoundModel": {"_leaflist", "_tdict"},
    "astropy.modeling.core.Model": {"_constraints_cache", "_parameters"},
    "astropy.modeling.parameters.Parameter": {"_model"},
    "astropy.table.column.BaseColumn": {"_parent_table", "indices", "info"},
    "astropy.time.core.TimeBase": {"cache", "info"},
    "astropy.units.core.UnitBase": {"__doc__", "_decomposed_cache", "_format", "_hash", "_type_id"},
    "astropy.units.quantity.Quantity": {"info"},
    "astropy.wcs.wcsapi.fitswcs.FITSWCSAPIMixin": {"_components_and_classes_cache"},
    "frozendict.frozendict": {"_hash"},
    "matplotlib.colorizer.Colorizer": {"_id_norm", "callbacks"},
    "matplotlib.colorizer._ScalarMappable": {"_id_colorizer", "callbacks"},
    "matplotlib.colors.Colormap": {"_isinit", "_lut"},
    "matplotlib.colors.Normalize": {"_trf", "callbacks"},
    "matplotlib.markers.MarkerStyle": {"_marker_function"},
    "matplotlib.transforms.TransformNode": {"_inverted", "_invalid", "_parents", "_shorthand_name"},
    "msgspec.Struct": {"__msgspec_cached_hash__"},
    "networkx.classes.graph.Graph": {"__networkx_cache__"},
    "pandas.tseries.holiday.AbstractHolidayCalendar": {"_cache"},
    "pendulum.duration.Duration": {"_h", "_i", "_s"},
    "pyrsistent._pmap.PMap": {"_buckets", "_cached_hash", "_size"},
    "scipy.sparse._base._spbase": {"_has_canonical_format", "_has_sorted_indices", "has_canonical_format", "maxprint"},
    "scipy.stats._distribution_infrastructure.UnivariateDistribution": {
        "_constant_cache",
        "_method_cache",
        "_moment_central_cache",
        "_moment_methods",
        "_moment_raw_cache",
        "_moment_standardized_cache",
        "_not_implemented",
        "_support_cache",
    },
    "scipy.stats._distn_infrastructure.rv_generic": {
        "_cdfvec",
        "_ppfvec",
        "_random_state",
        "generic_moment",
        "vecentropy",
    },
    "scipy.stats._multivariate.multi_rv_frozen": {"_random_state"},
    "scipy.stats._multivariate.multi_rv_generic": {"_random_state"},
    "scipy.stats._multivariate.multinomial_gen": {"_process_parameters"},
    "scipy.stats._stats_py.TtestResult": {"_xp"},
    "sklearn.base.BaseEstimator": {"_feature_subsample_rng", "_sklearn_version"},
    **{
        f"sklearn.{name}": {attribute}
        for attribute, names in {
            "_random_state": (
                *("cluster._bisect_k_means.BisectingKMeans", "cluster._kmeans.MiniBatchKMeans"),
                *("decomposition._dict_learning.MiniBatchDictionaryLearning",),
                "neural_network._multilayer_perceptron.BaseMultilayerPerceptron",
            ),
            "_rng": ("ensemble._gb.BaseGradientBoosting", "gaussian_process._gpr.GaussianProcessRegressor"),
            "rng": ("gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",),
            "random_state_": (
                *("decomposition._lda.LatentDirichletAllocation", "impute._iterative.IterativeImputer"),
                *("neighbors._nca.NeighborhoodComponentsAnalysis", "neural_network._rbm.BernoulliRBM"),
            ),
        }.items()
        for name in names
    },
    "sklearn.feature_extraction.text._VectorizerMixin": {"_stop_words_id"},
    "sklearn.utils._bunch.Bunch": {"_deprecated_key_to_warnings"},
    "statsmodels.base.data.ModelData": {"_cache"},
    "statsmodels.base.model.Results": {"_cache", "_nobs_int", "diagn", "_summary_cache", "_summary_statistics_cache"},
    "statsmodels.genmod.generalized_linear_model.GLM": {"_tmp_like_exog"},
    "sympy.core.basic.Basic": {"_assumptions", "_mhash"},
    "sympy.matrices.matrixbase.MatrixBase": {"_mhash"},
}
_WRITTEN_INFO = ("description", "format", "meta", "name")
_ABSENT = object()
_NOTHING: dict[str, object] = {}
# The caches of each class and what its library keeps beside the value, for as long as the class lives.
_left_out: WeakKeyDictionary[type, tuple[frozenset[str], frozenset[str]]] = WeakKeyDictionary()


def held_attributes(value: object, fields: Iterable[str]) -> dict[str, object]:
    """Collect what an instance holds: the fields of its class and whatever else was set on it, but no caches."""
    held = dict(getattr(value, "__dict__", _NOTHING))
    for name in fields:
        if (item := getattr(value, name, _ABSENT)) is not _ABSENT:
            held[name] = item
    return kept(type(value), held)


def full_name(kind: type) -> str:
    """Name a class with its module, as it says."""
    return f"{kind.__module__}.{kind.__qualname__}"


def find_by_base(kind: type, table: Mapping[str, T]) -> T | None:
    """Find what a table by full names has for a class, else for the first of its bases that is in the table."""
    for base in kind.__mro__:
        if (found := table.get(full_name(base))) is not None:
            return found
    return None


def package(kind: type) -> str:
    """Name the outermost package that a class says it comes from."""
    return str(kind.__module__).partition(".")[0]


def kept(kind: type, held: dict[Any, object]) -> dict[Any, object]:
    """Leave out of what an instance holds what is no part of its value: caches, and bookkeeping of a known library."""
    if (known := _left_out.get(kind)) is None:
        known = _left_out[kind] = _cached_names(kind), _bookkeeping(kind)
    cached, books = known
    if cached.isdisjoint(held) and books.isdisjoint(held):
        return held
    found = {name: item for name, item in held.items() if name not in cached and name not in books}
    # astropy makes one for whoever looks; what was written into it counts.
    written = {name: item for name, item in getattr(held.get("info"), "_attrs", {}).items() if item is not None}
    if "info" in books and (told := {name: written[name] for name in _WRITTEN_INFO if name in written}):
        found["info"] = told
    return found


def _bookkeeping(kind: type) -> frozenset[str]:
    return frozenset(name for base in kind.__mro__ for name in _BOOKKEEPING.get(full_name(base), ()))


def _cached_names(kind: type) -> frozenset[str]:
    # A cached property is computed from the rest; it must not change the hash when somebody looks at it.
    members = {name: member for base in reversed(kind.__mro__) for name, member in base.__dict__.items()}
    names = {name for name, member in members.items() if isinstance(member, functools.cached_property)}
    return frozenset(names | ({_CACHE_OF_ATTRS} if "__attrs_attrs__" in members else set()))


def slots(kind: type) -> list[str]:
    """List the names that a class and its bases declare as slots, without those that attrs adds for caches."""
    names: list[str] = []
    for base in kind.__mro__:
        if "__attrs_attrs__" in base.__dict__ and getattr(base.__dict__.get("__attrs_props__"), "is_slotted", True):
            continue  # its fields are listed; what else attrs puts there are caches, computed when asked for
        declared = base.__dict__.get("__slots__", ())
        for name in (declared,) if isinstance(declared, str) else declared:
            mangled = (
                f"_{base.__name__.lstrip('_')}{name}" if name.startswith("__") and not name.endswith("__") else name
            )
            if name not in ("__dict__", "__weakref__"):
                names.append(mangled)
    return names
