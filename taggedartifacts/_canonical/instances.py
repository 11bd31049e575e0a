"""Canonical form of instances: what their class declares as fields, and what is refused for good reason."""

from __future__ import annotations

import enum
import functools
from collections import Counter, OrderedDict, defaultdict
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .names import type_name
from .text import Form, RefusalError, quoted, same_as, several, shape_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .text import Reducer

_NAMESPACES = ("argparse.Namespace", "types.SimpleNamespace")
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
_ABSENT = object()
_NOTHING: dict[str, object] = {}
_left_out: WeakKeyDictionary[type, tuple[frozenset[str], frozenset[str]]] = WeakKeyDictionary()
_BUILT_INS = (str, int, float, complex, bytes, bytearray, list, tuple, set, frozenset)
_CONTAINERS = (dict, *_BUILT_INS)
# Packages with dicts whose attributes are items, or that note there how a file was written: nothing beside the items.
_BOOKKEEPERS = frozenset(
    {"addict", "attrdict", "benedict", "box", "configobj", "dotmap", "munch", "pyhocon", "ruamel", "tomlkit", "yacs"}
)


def recognise(kind: type) -> Reducer | None:
    """Find the form of instances whose class says which fields they have."""
    if issubclass(kind, enum.Enum):
        return _flag if issubclass(kind, enum.Flag) else _enum
    if isinstance(getattr(kind, "__dataclass_fields__", None), dict) and not issubclass(kind, type):
        return functools.partial(_by_fields, (*_dataclass_fields(kind), *slots(kind)))
    if isinstance(getattr(kind, "__attrs_attrs__", None), tuple) and not issubclass(kind, type):
        return functools.partial(_by_fields, (*_attrs_fields(kind), *slots(kind)))
    if any(base.__qualname__ == "BaseModel" and package(base) == "pydantic" for base in kind.__mro__):
        return _pydantic
    if issubclass(kind, tuple) and isinstance(getattr(kind, "_fields", None), tuple):
        return _namedtuple
    if any(f"{base.__module__}.{base.__qualname__}" in _NAMESPACES for base in kind.__mro__):
        return functools.partial(_by_fields, tuple(slots(kind)))
    return None


def recognise_dict(kind: type) -> Reducer | None:
    """Find the form of a subclass of dict: its class, its attributes and its items.

    Those of the standard library count by their items alone; so do those of packages that only write keys otherwise.
    """
    if not issubclass(kind, dict):
        return None
    if kind in (OrderedDict, Counter):
        return lambda value: same_as(dict(value.items()))
    if any(package(base) in _BOOKKEEPERS for base in kind.__mro__):
        return lambda value: same_as(dict(value.items()))
    return functools.partial(_dict, slots(kind))


def recognise_subclass(kind: type) -> Reducer | None:
    """Find the form of a subclass of a built-in type: its own name beside the built-in value."""
    if getattr(kind, "n_fields", 0) > getattr(kind, "n_sequence_fields", 0):
        return None  # as os.stat_result: the tuple does not hold all that there is
    for base in _BUILT_INS:
        if issubclass(kind, base) and kind is not base:
            return functools.partial(_subclass, base)
    return None


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


_WRITTEN_INFO = ("description", "format", "meta", "name")


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


def object_form(kind: type, held: Mapping[Any, object]) -> Form:
    """Describe an instance by its type and a dict of what it holds."""
    name, shape = type_name(kind), shape_of(held)
    if shape is None or type(name) is not str:
        return several("object", (name, dict(held)))
    head = f'{{"$object":[{quoted(name)},'
    return Form([held[each] for each in shape.names], shape.label, lambda texts: f"{head}{shape.finish(texts)}]}}")


def _by_fields(fields: Sequence[str], value: object) -> Form:
    held = held_attributes(value, fields)
    # A dict or list that is a dataclass too (as model outputs of some libraries are) holds more than its fields.
    return _described_subclass(value, held) if isinstance(value, _CONTAINERS) else object_form(type(value), held)


def _described_subclass(value: object, held: object) -> Form:
    if isinstance(value, dict):
        return several("object", (type_name(type(value)), held, dict(value.items())))
    base = next(base for base in _BUILT_INS if isinstance(value, base))
    return several("object", (type_name(type(value)), held, _plain_number(base, value)))


def _dict(fields: Sequence[str], value: dict[object, object]) -> Form:
    # Some keep each item as an attribute, too.
    beside = getattr(value, "__dict__", None)
    held = {} if beside is value else held_attributes(value, fields)
    held = {name: item for name, item in held.items() if dict.get(value, name, _ABSENT) is not item}
    if isinstance(value, defaultdict):
        held["default_factory"] = value.default_factory
    return _described_subclass(value, held)


def _dataclass_fields(kind: type) -> list[str]:
    import dataclasses  # 6 ms, and loaded already by whoever made a dataclass

    return [field.name for field in dataclasses.fields(kind)]


def _attrs_fields(kind: type) -> list[str]:
    return [field.name for field in kind.__attrs_attrs__]  # type: ignore[attr-defined]  # attrs is recognised by it


def _pydantic(value: Any) -> Form:
    held = held_attributes(value, ())
    for extra in ("__pydantic_extra__", "__pydantic_private__"):
        held.update(getattr(value, extra, None) or {})
    return object_form(type(value), held)


def _namedtuple(value: Any) -> Form:
    kind = type(value)
    if len(kind._fields) != tuple.__len__(value):
        raise RefusalError(f"{kind.__qualname__} does not name all of its fields")
    held = dict(zip(kind._fields, tuple.__iter__(value), strict=True))
    return object_form(kind, held_attributes(value, ()) | held)


def _enum(value: enum.Enum) -> Form:
    return several("enum", (type_name(type(value)), value._name_, value._value_), ("", "", ".value"))


def _flag(value: enum.Flag) -> Form:
    # By value alone: how Python spells a combination of flags is its own affair.
    return several("enum", (type_name(type(value)), None, value._value_))


def _subclass(base: type, value: object) -> Form:
    held = held_attributes(value, slots(type(value)))
    parts = (
        (type_name(type(value)), held, _plain_number(base, value))
        if held
        else (type_name(type(value)), _plain_number(base, value))
    )
    return several("subclass", parts)


def _plain_number(base: type, value: Any) -> object:
    # The unbound methods of the built-in type: a subclass may override its own.
    if base in (list, tuple):
        return list(base.__iter__(value))
    if base in (set, frozenset):
        return frozenset(base.__iter__(value))
    if base is str:
        return str.__str__(value)
    if base is bytes or base is bytearray:
        return bytes(memoryview(value))
    if base is complex:
        return complex(value.real, value.imag)
    return int.__index__(value) if base is int else float.__float__(value)
