"""What is refused by name, as it stands for something outside of itself or changes by being used; and what is left out.

The table is closed by the object protocol behind it: what cannot be copied has no form either. The table says why and,
above all, what to do instead. Left out is what ``ignore`` names by a path such as ``"cfg.n_jobs"``.
"""

from __future__ import annotations

import enum
import io
import types
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Generator, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from .held import full_name
from .names import type_name
from .text import Form, RefusalError, Written, several, tagged_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from .text import Reducer

_PATH = "pass its path and name it in inputs="
_OPEN_INSIDE = "pass what opens it, such as a URL, and open it inside of the function"
_SEED = "pass its seed"
_VALUES = "pass a list of its values"


class Refused(NamedTuple):
    """Types that have no canonical form.

    Attributes:
        library: Whose they are.
        names: Their names, with modules; a name that ends in ``*`` stands for all that begin so.
        reason: What they are, for the error: "… has no canonical form".
        remedy: What to do instead.
    """

    library: str
    names: tuple[str, ...]
    reason: str
    remedy: str


REFUSED = (
    Refused("Python", ("random.Random",), "a random generator has a state that every use changes, so it", _SEED),
    Refused(
        "Python",
        ("_thread.*", "threading.*", "multiprocessing.synchronize.*", "asyncio.locks.*", "queue.*", "_queue.*"),
        "what synchronises threads or processes",
        "make it inside of the function",
    ),
    Refused(
        "Python",
        ("concurrent.futures.*", "multiprocessing.*", "asyncio.*", "_asyncio.*", "subprocess.Popen", "sched.scheduler"),
        "what runs tasks or stands for their results",
        "make it inside of the function, or pass the results",
    ),
    Refused(
        "Python",
        ("_socket.socket", "ssl.*", "_ssl.*", "sqlite3.*", "ftplib.*", "http.client.*", "smtplib.*", "imaplib.*"),
        "a connection",
        _OPEN_INSIDE,
    ),
    Refused("Python", ("os.stat_result", "os.statvfs_result"), "what the system says of a file", _PATH),
    Refused("Python", ("mmap.mmap", "zipfile.ZipFile", "tarfile.TarFile", "tempfile.*"), "an open file", _PATH),
    Refused(
        "Python",
        ("_contextvars.*", "weakref.*", "types.FrameType", "builtins.frame", "builtins.traceback", "builtins.code"),
        "what belongs to the running program",
        "pass the value that it stands for",
    ),
    Refused(
        "NumPy",
        ("numpy.random.*",),
        "a random generator has a state that every use changes, so it",
        _SEED,
    ),
    Refused("NumPy", ("numpy.lib._npyio_impl.NpzFile", "numpy.lib.npyio.NpzFile"), "an open file", _PATH),
    Refused("pandas", ("pandas.io.*",), "what reads or writes a file", _PATH),
    Refused(
        "polars",
        ("polars.lazyframe.*",),
        "a lazy table, which is not computed,",
        "call collect() on it, or pass the path of its file with inputs=",
    ),
    Refused(
        "pyarrow",
        (
            "pyarrow._dataset.*",
            "pyarrow.parquet.core.*",
            "pyarrow._parquet.*",
            "pyarrow._fs.*",
            "pyarrow.lib.NativeFile",
            "pyarrow.lib.RecordBatchReader",
            "pyarrow.lib.MemoryPool",
            "pyarrow._flight.*",
        ),
        "what stands for files",
        "read it into a table, or pass its path with inputs=",
    ),
    Refused(
        "dask",
        ("dask.*", "distributed.*"),
        "a dask collection or client, which is not computed,",
        "call compute() on it, or pass the path of its file with inputs=",
    ),
    Refused("h5py", ("h5py.*",), "an open file", f"read what counts, or {_PATH}"),
    Refused("netCDF4", ("netCDF4.*",), "an open file", f"read what counts, or {_PATH}"),
    Refused("zarr", ("zarr.*",), "an array or group in a store", f"read what counts, or {_PATH}"),
    Refused("tables", ("tables.*",), "an open file", f"read what counts, or {_PATH}"),
    Refused(
        "rasterio", ("rasterio.io.*", "rasterio._io.*", "rasterio._base.*", "rasterio.vrt.*"), "an open file", _PATH
    ),
    Refused("fiona", ("fiona.collection.*",), "an open file", _PATH),
    Refused("pysam", ("pysam.*",), "an open file", _PATH),
    Refused("uproot", ("uproot.*",), "an open file", f"read what counts, or {_PATH}"),
    Refused(
        "shapely",
        ("shapely.strtree.*", "shapely.prepared.*"),
        "what is computed from geometries",
        "pass the geometries, and make it inside of the function",
    ),
    Refused("fsspec", ("fsspec.*", "s3fs.*", "gcsfs.*"), "a file system", _OPEN_INSIDE),
    Refused(
        "astropy", ("astropy.io.fits.hdu.*",), "a part of a FITS file", f"pass its header and its data, or {_PATH}"
    ),
    Refused(
        "SQLAlchemy",
        (
            "sqlalchemy.engine.base.*",
            "sqlalchemy.engine.cursor.*",
            "sqlalchemy.engine.result.*",
            "sqlalchemy.orm.session.*",
            "sqlalchemy.pool.*",
        ),
        "a connection",
        _OPEN_INSIDE,
    ),
    Refused("duckdb", ("duckdb.*", "_duckdb.*"), "a connection or what it has not fetched", _OPEN_INSIDE),
    Refused(
        "psycopg, pymongo, redis, boto3, requests",
        ("psycopg.*", "psycopg2.*", "pymongo.*", "redis.*", "boto3.*", "botocore.*", "requests.sessions.*", "httpx.*"),
        "a connection",
        _OPEN_INSIDE,
    ),
    Refused(
        "pyspark",
        ("pyspark.*",),
        "what stands for data in a cluster",
        "collect it, or pass the path of its file with inputs=",
    ),
    Refused("ray", ("ray.*",), "what stands for data in a cluster", "get it first"),
    Refused(
        "torch",
        ("torch._C.Generator", "torch.Generator"),
        "a random generator has a state that every use changes, so it",
        _SEED,
    ),
    Refused(
        "torch",
        ("torch.utils.data.dataloader.*", "torch._C.Stream*", "torch.cuda.*"),
        "what gives data as it is used",
        "pass what it is made from",
    ),
    Refused(
        "matplotlib",
        ("matplotlib.artist.*", "matplotlib.figure.*", "matplotlib.axes.*", "matplotlib.backend_bases.*"),
        "a drawing, which changes by being drawn,",
        "make it inside of the function",
    ),
    Refused(
        "uncertainties",
        ("uncertainties.core.*",),
        "a number with an uncertainty, which is correlated with others by its identity,",
        "pass nominal value and standard deviation",
    ),
    Refused(
        "pint",
        (
            "pint.registry.UnitRegistry",
            "pint.registry.LazyRegistry",
            "pint.registry.ApplicationRegistry",
            "pint.facets.plain.registry.*",
        ),
        "a registry of units",
        "pass the file of its definitions with inputs=",
    ),
    Refused(
        "sympy", ("sympy.core.symbol.Dummy",), "a dummy symbol, which is told apart by its identity,", "use a Symbol"
    ),
    Refused("tqdm", ("tqdm.*",), "a progress bar", "leave it out with ignore="),
)

_BY_KIND: tuple[tuple[tuple[type, ...], str, str], ...] = (
    ((Generator, AsyncGenerator), "a generator gives its values only once, so it has no canonical form", _VALUES),
    ((io.IOBase,), "an open file has no canonical form", _PATH),
    ((Awaitable,), "an awaitable has no canonical form", "await it first"),
    ((types.ModuleType,), "a module has no canonical form", "pass what is read from it"),
    ((Iterator, AsyncIterator), "an iterator gives its values only once, so it has no canonical form", _VALUES),
    ((weakref.ref,), "a weak reference has no canonical form", "pass what it refers to"),
)


def recognise(kind: type) -> Reducer | None:
    """Find out whether a type is refused by name."""
    if issubclass(kind, (type, enum.Enum)):
        return None
    for base in kind.__mro__[:-1]:
        for refused in REFUSED:
            if _is_one_of(base, refused.names):
                return _refusing(f"{refused.reason} has no canonical form ({full_name(kind)})", refused.remedy)
    return None


def recognise_kind(kind: type) -> Reducer | None:
    """Find out whether a type is refused for what can be done with it."""
    for classes, reason, remedy in _BY_KIND:
        if issubclass(kind, classes):
            return _refusing(reason, remedy)
    return None


def refuse(value: Any) -> NoReturn:
    """Refuse a value that nothing recognises."""
    raise RefusalError(f"an object of type {full_name(type(value))} has no canonical form")


def _is_one_of(kind: type, names: tuple[str, ...]) -> bool:
    name = full_name(kind)
    return any(name.startswith(each[:-1]) if each.endswith("*") else name == each for each in names)


def _refusing(reason: str, remedy: str) -> Callable[[Any], NoReturn]:
    def refusing(_value: object) -> NoReturn:
        raise RefusalError(reason, remedy)

    return refusing


IGNORED = Written(tagged_text("ignored", "null"))
"""What stands where something was left out: that there is something still counts."""


class Part:
    """A value without some of its parts.

    Args:
        value: The value.
        paths: The ways to what is left out: names of attributes, items and fields, and indices, as text.
        found: Takes in those of *paths* that led to something.
        done: The steps that led here.
    """

    __slots__ = ("done", "found", "paths", "value")

    def __init__(
        self,
        value: object,
        paths: tuple[tuple[str, ...], ...],
        found: set[tuple[str, ...]],
        done: tuple[str, ...] = (),
    ) -> None:
        self.value = value
        self.paths = paths
        self.found = found
        self.done = done


class Stateless:
    """An object of which the class alone counts, as of a ``self`` that is ignored."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


def stateless(given: Stateless) -> Form:
    """Describe an object by its class."""
    return several("object", (type_name(type(given.value)), IGNORED))


def parted(part: Part, form_of: Callable[[object], str | Form]) -> str | Form:
    """Describe a value as it is described otherwise, with a mark in the place of each part that is left out."""
    form = form_of(part.value)
    if isinstance(form, str):
        return form
    children = [_child(part, form.label(index), child) for index, child in enumerate(form.children)]
    return Form(children, form.label, form.finish)


def _child(part: Part, label: str, child: object) -> object:
    if not label:  # an inner part of the form, which users do not see
        return Part(child, part.paths, part.found, part.done)
    paths = [path for path in part.paths if label in (f".{path[0]}", f"[{path[0]!r}]", f"[{path[0]}]")]
    if not paths:
        return child
    done = (*part.done, paths[0][0])
    if any(len(path) == 1 for path in paths):
        part.found.add(done)
        return IGNORED
    return Part(child, tuple(path[1:] for path in paths), part.found, done)
