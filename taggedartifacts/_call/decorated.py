"""Decorated functions as type checkers and editors see them; at run time they are plain functions with attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

    from .explain import Explanation

P = ParamSpec("P")
Q = ParamSpec("Q")
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
