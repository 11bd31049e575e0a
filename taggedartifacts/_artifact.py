"""The decorator: what a user writes above a function, and what the function can do afterwards."""

from __future__ import annotations

import functools
import inspect
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypedDict,
    TypeVar,
    Unpack,
    overload,
)

from ._call.binding import Options, Parameters
from ._call.call import Decoration, prepare
from ._call.messages import check_function, check_object
from ._call.run import carry_out, carry_out_async
from ._errors import ArtifactConflictError, ArtifactModifiedError, InputChangedError, Shortening, shorten
from ._reach.location import Home
from ._session import moment_of

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Coroutine, Sequence

    from ._call.explain import Explanation
    from ._path import ArtifactPath

P = ParamSpec("P")
T = TypeVar("T")
Q = ParamSpec("Q")
R = TypeVar("R")
W = TypeVar("W")


if TYPE_CHECKING:  # what a decorated function is to type checkers and editors; it is a plain function with attributes
    S = TypeVar("S")
    S_contra = TypeVar("S_contra", contravariant=True)
    R_co = TypeVar("R_co", covariant=True)
    W_co = TypeVar("W_co", covariant=True)

    class ArtifactMethod(Protocol[S_contra, Q, R_co, W_co]):
        """A decorated function, as type checkers see it when it was looked up on an object.

        The call passes the object; the attributes are those of the plain function, and take the object first:
        ``model.fit(3, "out")``, but ``model.fit.path(model, 3, "out")``.
        """

        def __call__(self, *args: Q.args, **kwargs: Q.kwargs) -> R_co:
            """Return the artifact, made if need be."""

        def path(self, instance: S_contra, /, *args: Q.args, **kwargs: Q.kwargs) -> W_co:
            """Return where the artifact is or would be; runs and touches nothing."""

        def is_cached(self, instance: S_contra, /, *args: Q.args, **kwargs: Q.kwargs) -> bool:
            """Tell whether a call would reuse the artifact."""

        def recompute(self, instance: S_contra, /, *args: Q.args, **kwargs: Q.kwargs) -> R_co:
            """Run the function whether or not the artifact is there, and replace it atomically."""

        def explain(self, instance: S_contra, /, *args: Q.args, **kwargs: Q.kwargs) -> Explanation:
            """Explain why a call would reuse an artifact or not: the nearest one there is, and exactly what differs."""

    class ArtifactFunction(Protocol[P, R_co, W_co]):
        """A decorated function, as type checkers see it; at run time it is a plain function with these attributes."""

        __name__: str
        __qualname__: str

        @property
        def __wrapped__(self) -> Callable[P, object]:
            """The function without the decorator."""

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
            """Return the artifact, made if need be."""

        @overload
        def __get__(self, instance: None, owner: type, /) -> ArtifactFunction[P, R_co, W_co]: ...
        @overload
        def __get__(
            self: ArtifactFunction[Concatenate[S, Q], R_co, W_co], instance: S, owner: type | None = None, /
        ) -> ArtifactMethod[S, Q, R_co, W_co]: ...

        def path(self, *args: P.args, **kwargs: P.kwargs) -> W_co:
            """Return where the artifact is or would be; runs and touches nothing."""

        def is_cached(self, *args: P.args, **kwargs: P.kwargs) -> bool:
            """Tell whether a call would reuse the artifact."""

        def recompute(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
            """Run the function whether or not the artifact is there, and replace it atomically."""

        def explain(self, *args: P.args, **kwargs: P.kwargs) -> Explanation:
            """Explain why a call would reuse an artifact or not: the nearest one there is, and exactly what differs."""

    _Names: TypeAlias = list[str] | tuple[str, ...]
    _One: TypeAlias = ArtifactPath
    # An output that is not asked for is None; Any, so that those who ask for all need not tell the type checker so.
    _Several: TypeAlias = tuple[ArtifactPath | Any, ...]


class OwnValue:
    """In types only: marks a decorator in mode ``"r"``, whose functions return their own value."""


class _Making(TypedDict, total=False):
    """What a decorator in mode ``"w"`` takes beside `load`."""

    mode: Literal["w"]
    ignore: Sequence[str]
    inputs: Sequence[str]
    scope: Sequence[str | os.PathLike[str]]
    repo: str | os.PathLike[str] | None
    timeout: float | None
    link: bool


class Artifact(Generic[R, W]):
    """Decorate a function that writes a file, so that the file's name says which code and configuration made it.

    The decorated function takes the same arguments. A call puts the tag into the output path; returns the artifact that
    is there without running the function; or else runs it on a staging path and publishes what it wrote, atomically and
    once, however many processes call at the same time.

    Args:
        keyword: The parameter that takes the output path (`str`); a list or tuple of names for several outputs. Of
            several, one that is None at a call is not made, and None stands in its place in what the call returns.
        config: What else decides the result: any value with a canonical form, or a function without arguments that
            returns one. Read at each call.
        allow_dirty: Work with code that is not committed, and mark the tag dirty. Otherwise such code is refused,
            unless ``TAGGEDARTIFACTS_ALLOW_DIRTY=1`` or the project's ``pyproject.toml`` allows it to all functions.
        ignore: What does not decide the result; neither hashed nor recorded. Parameters, such as ``verbose``, parts of
            parameters, such as ``cfg.n_jobs``, and by name what the function reads: ``"args"``, ``"args.verbose"``,
            ``"settings.DEBUG"``. Of ``self`` the class still counts.
        inputs: Parameters that hold paths of input files or directories, or lists, tuples and dicts of them: their
            content is hashed, not the path.
        scope: Paths relative to the repository's root that decide the result beside the modules that imports reach,
            which always count; they stand in the place of all tracked data. ``["."]`` is the whole repository. By
            default what ``[tool.taggedartifacts]`` in the repository's ``pyproject.toml`` says, else the modules with
            tracked data and settings.
        load: Called with what the call would return, on a hit and a miss alike; its result is returned instead.
        mode: ``"w"`` makes artifacts. ``"r"`` is for a function that reads one: the path is tagged from `config` alone,
            must exist, and the function always runs and returns its own value.
        repo: A path inside the repository, when it cannot be found from the function.
        timeout: Seconds to wait for another process that is making the same artifact; None waits without end.
        link: Keep the ordinary name (``figures/hist.png``) as a relative symbolic link to the artifact of the last
            call, for LaTeX, Markdown and make. Nothing else that stands there is ever replaced.

    Raises:
        TypeError: If an option has a wrong type, or what is decorated is no function, a generator function, or
            decorated already.
        ValueError: If an option has a wrong value.

    Example:
        >>> @Artifact(keyword="outpath", ignore=("verbose",), allow_dirty=True)  # no commit
        ... def squares(count, outpath, verbose=False):
        ...     outpath.write_text(" ".join(str(number**2) for number in range(count)))
        >>> path = squares(4, Path("output/squares.txt"))
        >>> path.read_text()
        '0 1 4 9'
        >>> squares(4, Path("output/squares.txt"), verbose=True) == path  # a hit
        True
    """

    @overload
    def __init__(
        self: Artifact[_One, _One],
        keyword: str,
        config: object = ...,
        allow_dirty: bool = ...,
        *,
        load: None = ...,
        **options: Unpack[_Making],
    ) -> None: ...
    @overload
    def __init__(
        self: Artifact[_Several, _Several],
        keyword: _Names,
        config: object = ...,
        allow_dirty: bool = ...,
        *,
        load: None = ...,
        **options: Unpack[_Making],
    ) -> None: ...
    @overload
    def __init__(
        self: Artifact[T, _One],
        keyword: str,
        config: object = ...,
        allow_dirty: bool = ...,
        *,
        load: Callable[[_One], T],
        **options: Unpack[_Making],
    ) -> None: ...
    @overload
    def __init__(
        self: Artifact[T, _Several],
        keyword: _Names,
        config: object = ...,
        allow_dirty: bool = ...,
        *,
        load: Callable[[_Several], T],
        **options: Unpack[_Making],
    ) -> None: ...
    @overload
    def __init__(
        self: Artifact[OwnValue, _One],
        keyword: str,
        config: object = ...,
        allow_dirty: bool = ...,
        *,
        mode: Literal["r"],
        scope: Sequence[str | os.PathLike[str]] = ...,
        repo: str | os.PathLike[str] | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Artifact[OwnValue, _Several],
        keyword: _Names,
        config: object = ...,
        allow_dirty: bool = ...,
        *,
        mode: Literal["r"],
        scope: Sequence[str | os.PathLike[str]] = ...,
        repo: str | os.PathLike[str] | None = ...,
    ) -> None: ...
    def __init__(
        self,
        keyword: str | list[str] | tuple[str, ...],
        config: object = {},
        allow_dirty: bool = False,
        *,
        ignore: Sequence[str] = (),
        inputs: Sequence[str] = (),
        scope: Sequence[str | os.PathLike[str]] = (),
        load: Callable[[Any], object] | None = None,
        mode: Literal["w", "r"] = "w",
        repo: str | os.PathLike[str] | None = None,
        timeout: float | None = None,
        link: bool = False,
    ) -> None:
        with Shortening():
            self._options = Options.check(
                keyword,
                config=config,
                allow_dirty=allow_dirty,
                ignore=ignore,
                inputs=inputs,
                scope=scope,
                load=load,
                mode=mode,
                repo=repo,
                timeout=timeout,
                link=link,
            )

    @overload
    def __call__(  # type: ignore[overload-overlap]  # the own value is whatever the function returns, coroutines too
        self: Artifact[OwnValue, W], f: Callable[P, T], /
    ) -> ArtifactFunction[P, T, W]: ...
    @overload
    def __call__(
        self, f: Callable[P, Coroutine[Any, Any, object]], /
    ) -> ArtifactFunction[P, Coroutine[Any, Any, R], W]: ...
    @overload
    def __call__(self, f: Callable[P, object], /) -> ArtifactFunction[P, R, W]: ...
    def __call__(self, f: Callable[..., Any], /) -> Any:
        """Decorate a function."""
        with Shortening():
            check_function(f)
            if _DECORATION in vars(f):
                raise TypeError(
                    f"{f.__qualname__} is decorated already; for several outputs, pass keyword=('one', 'other')"
                )
        is_async = inspect.iscoroutinefunction(f)
        carry: Callable[..., Any] = carry_out_async if is_async else carry_out

        # All of these read what they need off the decorated function when they are called, and it stays the same plain
        # function for its whole life: that is what autoreload patches in place when the source changes.

        if is_async:

            @functools.wraps(f)
            async def decorated(*args: Any, **kwargs: Any) -> Any:
                __tracebackhide__ = True  # pytest and IPython go by it
                with Shortening():
                    return await carry(decorated.__wrapped__, _decoration(decorated), args, kwargs)

        else:

            @functools.wraps(f)
            def decorated(*args: Any, **kwargs: Any) -> Any:
                __tracebackhide__ = True  # pytest and IPython go by it
                try:  # a hit waits for it: as `Shortening`, in a microsecond less
                    return carry(decorated.__wrapped__, vars(decorated)[_DECORATION], args, kwargs)
                except Exception as error:
                    shorten(error)
                    raise

        options, home = self._options, Home.of(f)
        with Shortening():
            parameters = Parameters(f, options, free_names=home.interactive)
        moment = moment_of(f, repo=options.repo, scope=options.scope, ignore=options.ignore, reads=options.mode == "r")
        vars(decorated)[_DECORATION] = Decoration(options=options, parameters=parameters, moment=moment, home=home)
        for question in _questions(decorated, carry):
            _attach(question, decorated)
        return decorated


_DECORATION = "_taggedartifacts"


def _questions(decorated: Any, carry: Callable[..., Any]) -> tuple[Callable[..., Any], ...]:
    """Make what a decorated function can be asked beside being called; *carry* carries out a call of it."""

    def recompute(*args: Any, **kwargs: Any) -> Any:
        """Run the function whether or not the artifact is there, and replace it atomically."""
        __tracebackhide__ = True
        with Shortening():
            check_object(decorated, "recompute", args, kwargs)
            return carry(decorated.__wrapped__, _decoration(decorated), args, kwargs, recompute=True)

    def path(*args: Any, **kwargs: Any) -> Any:
        """Return where the artifact of that call is or would be; runs and touches nothing."""
        __tracebackhide__ = True
        with Shortening():
            check_object(decorated, "path", args, kwargs)
            return prepare(decorated.__wrapped__, _decoration(decorated), args, kwargs).result

    def is_cached(*args: Any, **kwargs: Any) -> bool:
        """Tell whether that call would reuse the artifact; runs and touches nothing."""
        __tracebackhide__ = True
        with Shortening():
            check_object(decorated, "is_cached", args, kwargs)
            call = prepare(decorated.__wrapped__, _decoration(decorated), args, kwargs)
            try:
                call.check_links()
                return call.find() is not None
            except (ArtifactConflictError, ArtifactModifiedError, InputChangedError):
                return False

    def explain(*args: Any, **kwargs: Any) -> Explanation:
        """Explain why that call would reuse an artifact or not: the nearest there is, and exactly what differs."""
        from ._call import explain as _explain  # only where somebody asks: scripts wait for what is imported above

        __tracebackhide__ = True
        with Shortening():
            check_object(decorated, "explain", args, kwargs)
            return _explain.explain(decorated.__wrapped__, _decoration(decorated), args, kwargs)

    return recompute, path, is_cached, explain


def _attach(question: Callable[..., Any], decorated: Callable[..., Any]) -> None:
    """Make a function an attribute of the decorated one, and let it be found and pickled by that name."""
    name = question.__name__
    functools.update_wrapper(question, decorated.__wrapped__, assigned=("__module__",), updated=())  # type: ignore[attr-defined]  # which functools.wraps has set
    question.__qualname__ = f"{decorated.__qualname__}.{name}"
    vars(decorated)[name] = question


def _decoration(decorated: Callable[..., Any]) -> Decoration:
    found: Decoration = vars(decorated)[_DECORATION]
    return found
