"""Steps: what a call yields because it cannot do it itself, and the drivers that do it, in a thread or on a loop."""

from __future__ import annotations

import contextlib
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    import inspect
    from collections.abc import Awaitable, Callable, Generator, Iterator

_T = TypeVar("_T")

_making: ContextVar[frozenset[str]] = ContextVar("_making", default=frozenset())


class Wait(NamedTuple):
    """Ask the driver to wait.

    Attributes:
        seconds: How long.
    """

    seconds: float


class Run(NamedTuple):
    """Ask the driver to run the function, and to send what it returns.

    Attributes:
        bound: The arguments.
        making: The artifacts that are made meanwhile.
    """

    bound: inspect.BoundArguments
    making: frozenset[str]


if TYPE_CHECKING:
    Steps = Generator[Wait | Run, object, object]


@contextlib.contextmanager
def _mark(artifacts: frozenset[str]) -> Iterator[None]:
    """Mark artifacts as being made in this context."""
    token = _making.set(_making.get() | artifacts)
    try:
        yield
    finally:
        _making.reset(token)


def being_made() -> frozenset[str]:
    """Return the artifacts that this context is making: asking for one of them again would wait for itself."""
    return _making.get()


def drive(steps: Steps, f: Callable[..., object]) -> object:
    """Carry out the steps of a call of a plain function."""
    value: object = None
    try:
        while True:
            try:
                step = steps.send(value)
            except StopIteration as stop:
                return stop.value
            if isinstance(step, Wait):
                time.sleep(step.seconds)
                value = None
            else:
                with _mark(step.making):
                    value = f(*step.bound.args, **step.bound.kwargs)
    finally:
        steps.close()


async def drive_async(steps: Steps, f: Callable[..., Awaitable[object]]) -> object:
    """Carry out the steps of a call of an ``async`` function: whatever may block, in a thread; the function, here."""
    import asyncio  # 35 ms: only where there is a loop, which has imported it

    value: object = None
    try:
        while True:
            step = await _in_thread(_advance, steps, value)
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
                value = None
            elif isinstance(step, Run):
                with _mark(step.making):
                    value = await f(*step.bound.args, **step.bound.kwargs)
            else:
                return step[0]
    finally:
        await _in_thread(steps.close)


def _advance(steps: Steps, value: object) -> Wait | Run | tuple[object]:
    try:
        return steps.send(value)
    except StopIteration as stop:  # which no future can carry
        return (stop.value,)


async def _in_thread(work: Callable[..., _T], *args: object) -> _T:
    """Do blocking work in a thread; when cancelled, not before that work is over, which would leave it half done."""
    import asyncio  # 35 ms: only where there is a loop, which has imported it

    future = asyncio.ensure_future(asyncio.to_thread(work, *args))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([future])
        raise
