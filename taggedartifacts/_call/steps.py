"""Steps: what a call yields because it cannot do it itself, and the drivers that do it, in a thread or on a loop."""

from __future__ import annotations

import contextlib
import os
import time
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import inspect
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable, Callable, Generator, Iterator
    from concurrent.futures import ThreadPoolExecutor

    from .._store.lock import ArtifactLock
    from .._store.staging import Claim

_T = TypeVar("_T")


class Making:
    """What a call holds while it makes its artifacts, for itself alone; its function runs in a context marked with it.

    Its caller gives it back, not a ``with`` or ``try`` around the work: CPython's jump back of a loop stands in no
    exception table (3.11 to 3.13), so that an interrupt there leaves a function by none of its own. The mark ends with
    it: one that only the context held would stay for good if an interrupt came between setting it and the ``try`` that
    resets it. In a fork that leaves the call the mark stays: the parent goes on.

    Attributes:
        artifacts: The whole paths of those that are being made.
        returned: Whether the function has returned: from then on, what it wrote is finished work.
        stack: What is to be done when it is over, and is made good by the next call where it is not.
        claims: Those on its staging directories.
        locks: Those of its artifacts.
    """

    def __init__(self) -> None:
        self.artifacts: frozenset[str] = frozenset()
        self.returned = False
        self.stack = contextlib.ExitStack()
        self.claims: list[Claim] = []
        self.locks: list[ArtifactLock] = []
        self._process = os.getpid()

    def give_back(self) -> None:
        """Give all of it back; again and again does no harm."""
        self.stack.close()
        for claim in self.claims:
            claim.release()
        for lock in self.locks:
            lock.release()
        if os.getpid() == self._process:
            self.artifacts = frozenset()


# The threads for the steps of each loop, as long as that lives; and what is being made, of each context.
_loops: WeakKeyDictionary[AbstractEventLoop, ThreadPoolExecutor] = WeakKeyDictionary()
_makings: ContextVar[tuple[Making, ...]] = ContextVar("_makings", default=())


class Run(NamedTuple):
    """Ask the driver to run the function, and to send what it returns.

    Attributes:
        bound: The arguments.
        making: What is made meanwhile.
    """

    bound: inspect.BoundArguments
    making: Making


if TYPE_CHECKING:
    Steps = Generator[float | Run, object, object]  # seconds to wait, or the function to run


@contextlib.contextmanager
def _mark(making: Making) -> Iterator[None]:
    """Mark artifacts as being made in this context."""
    token = _makings.set((*_makings.get(), making))
    process = os.getpid()
    try:
        yield
    finally:
        if os.getpid() == process:  # a fork that leaves would wait for its parent, and that perhaps for it
            with contextlib.suppress(ValueError):  # a coroutine without a loop is closed in whichever context comes
                _makings.reset(token)


def being_made() -> frozenset[str]:
    """Return the artifacts that this context is making: asking for one of them again would wait for itself."""
    return frozenset().union(*(making.artifacts for making in _makings.get()))


def drive(steps: Steps, f: Callable[..., object]) -> object:
    """Carry out the steps of a call of a plain function."""
    try:
        # In a function of its own: the jump back of a loop stands in no exception table (CPython 3.11), so that an
        # interrupt there would leave the steps open, and their locks to whoever keeps the traceback.
        return _drive(steps, f)
    finally:
        steps.close()


def _drive(steps: Steps, f: Callable[..., object]) -> object:
    value: object = None
    while True:
        try:
            step = steps.send(value)
        except StopIteration as stop:
            return stop.value
        if isinstance(step, float):
            time.sleep(step)
            value = None
        else:
            with _mark(step.making):
                value = f(*step.bound.args, **step.bound.kwargs)
                step.making.returned = True


async def drive_async(steps: Steps, f: Callable[..., Awaitable[object]]) -> object:
    """Carry out the steps of a call of an ``async`` function: whatever may block, in a thread; the function, here."""
    try:
        return await _drive_async(steps, f)
    except GeneratorExit:
        raise  # the loop has gone; the steps go with this coroutine, once no thread is in them any more
    except BaseException:
        await _in_thread(steps.close)
        raise


async def _drive_async(steps: Steps, f: Callable[..., Awaitable[object]]) -> object:
    import asyncio  # 35 ms: only where there is a loop, which has imported it

    value: object = None
    while True:
        step = await _in_thread(_advance, steps, value)
        if isinstance(step, float):
            await asyncio.sleep(step)
            value = None
        elif isinstance(step, Run):
            with _mark(step.making):
                value = await f(*step.bound.args, **step.bound.kwargs)
                step.making.returned = True
        else:
            return step[0]


def _advance(steps: Steps, value: object) -> float | Run | tuple[object]:
    try:
        return steps.send(value)
    except StopIteration as stop:  # which no future can carry
        return (stop.value,)


async def _in_thread(work: Callable[..., _T], *args: object) -> _T:
    """Do blocking work in a thread; when cancelled, not before that work is over, which would leave it half done."""
    import asyncio  # 35 ms: only where there is a loop, which has imported it

    loop = asyncio.get_running_loop()
    try:
        # A future, no task: when a loop ends, all its tasks are cancelled, and the thread would work on alone.
        future = loop.run_in_executor(_threads(loop), copy_context().run, work, *args)
    except RuntimeError as error:
        if "shutdown" not in str(error):
            raise
        return work(*args)  # no thread is to be had, as the interpreter ends, and nobody else is on the loop for long
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([future])
        raise


def _threads(loop: AbstractEventLoop) -> ThreadPoolExecutor:
    """Return the threads for the steps of one loop, which end with it.

    Not those of the loop itself: all of these may be busy with code that waits for what a call on this loop is making.
    Steps wait for nothing.
    """
    from concurrent.futures import ThreadPoolExecutor  # which asyncio has imported

    if loop not in _loops:
        _loops[loop] = ThreadPoolExecutor(thread_name_prefix="taggedartifacts")
    return _loops[loop]
