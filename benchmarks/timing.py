"""Timing side by side: on a machine that others use too, only what was measured in the same rounds can be compared."""

from __future__ import annotations

import os
import random
import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Samples = dict[str, list[float]]


def interleaved(calls: Mapping[str, Callable[[], object]], *, rounds: int, seconds: float) -> Samples:
    """Time calls in rounds, each for about as long in each round, in a new order each time.

    Args:
        calls: What to call, by name; called a few times before, so that what is computed once is computed.
        rounds: How often each is timed.
        seconds: How long, each time.

    Returns:
        Seconds for one call, by name, one for each round.
    """
    numbers = {name: max(1, int(seconds / _seconds(call, 3))) for name, call in calls.items()}
    samples: Samples = {name: [] for name in calls}
    order = list(calls)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            samples[name].append(_seconds(calls[name], numbers[name]))
    return samples


def _seconds(call: Callable[[], object], number: int) -> float:
    start = time.perf_counter()
    for _ in range(number):
        call()
    return (time.perf_counter() - start) / number


def summary(samples: Sequence[float]) -> dict[str, float]:
    """Say how samples lie: median, quartiles and the best one."""
    if len(samples) < 2:
        return {"median": samples[0], "low": samples[0], "high": samples[0], "best": samples[0], "rounds": 1}
    low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    return {"median": median, "low": low, "high": high, "best": min(samples), "rounds": len(samples)}


def resident(pid: int) -> int:
    """Tell the resident memory of a process, in bytes."""
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def ratio(samples: Samples, above: str, below: str) -> float:
    """Divide one by the other within each round, and take the median: what disturbs a round disturbs both."""
    return statistics.median(a / b for a, b in zip(samples[above], samples[below], strict=True))
