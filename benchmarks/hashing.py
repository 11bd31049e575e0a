"""Hashing beside joblib.hash and xxhash alone: ``python hashing.py <rounds>``; prints what it measured as JSON."""

from __future__ import annotations

import copy
import json
import sys
import tracemalloc
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd
import xxhash
from timing import interleaved

from taggedartifacts import config_hash

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 1_000_000
SMALL = {
    "bins": 40,
    "range": [0.0, 1.5],
    "name": "histogram",
    "log": True,
    "model": {"alpha": 0.05, "layers": [64, 32, 16], "activation": "relu", "seed": None},
}


def tables(random: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Make frames of seven columns of floats and three of strings, as pandas holds strings now and as it used to."""
    floats = {f"f{index}": random.random(ROWS) for index in range(7)}
    texts = {f"s{index}": random.integers(0, 1_000_000, ROWS).astype(str).astype(object) for index in range(3)}
    as_objects = pd.DataFrame(floats).assign(
        **{name: pd.Series(column, dtype=object) for name, column in texts.items()}
    )
    return {
        "frame, 3 of 10 columns str": as_objects.astype(dict.fromkeys(texts, "string[pyarrow]")),
        "frame, 3 of 10 columns object": as_objects,
    }


def cases() -> dict[str, object]:
    """Give the values by name."""
    random = np.random.default_rng(0)
    contiguous = random.random((4000, 4000))
    return {
        "array, contiguous": contiguous,
        "array, transposed": contiguous.T,
        "array, every other column": contiguous[:, ::2],
        "array, big-endian": contiguous.astype(">f8"),
        **tables(random),
        "small config": SMALL,
        "nested config": {f"experiment {index}": copy.deepcopy(SMALL) for index in range(100)},
        "10,000 parameters": {f"parameter {index}": index / 7 for index in range(10_000)},
    }


def peak(call: Callable[[], object]) -> int:
    """Measure the memory that a call takes beyond what was there, in bytes."""
    call()
    tracemalloc.start()
    call()
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return taken


def main(rounds: int) -> None:
    found = {}
    for name, value in cases().items():
        calls = {
            "taggedartifacts": lambda value=value: config_hash(value),
            "joblib": lambda value=value: joblib.hash(value),
        }
        if isinstance(value, np.ndarray):
            plain = np.ascontiguousarray(value).view("u1")
            calls["xxh3_128 of the bytes"] = lambda plain=plain: xxhash.xxh3_128_hexdigest(plain)
        samples = interleaved(calls, rounds=rounds, seconds=0.02)
        found[name] = {"samples": samples, "peak": peak(calls["taggedartifacts"])}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
