"""Hashing beside joblib.hash and xxhash alone: ``python hashing.py <rounds>``; prints what it measured as JSON."""

from __future__ import annotations

import argparse
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
ENTRIES = 8_300_000
SMALL = {
    "bins": 40,
    "range": [0.0, 1.5],
    "name": "histogram",
    "log": True,
    "model": {"alpha": 0.05, "layers": [64, 32, 16], "activation": "relu", "seed": None},
}


class Settings:
    """Five fields, as an instance holds them."""

    def __init__(self) -> None:
        self.bins = 40
        self.name = "histogram"
        self.rate = 0.5
        self.log = True
        self.seed = None


class Slotted(Settings):
    """The same with slots."""

    __slots__ = ("bins", "log", "name", "rate", "seed")


class Stated(Settings):
    """The same, and it says itself what its state is."""

    def __getstate__(self) -> dict[str, object]:
        return vars(self).copy()


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


def science(random: np.random.Generator) -> dict[str, object]:
    """Make a pipeline and a sparse matrix of 100 MB, where scikit-learn is installed."""
    try:
        from scipy import sparse
        from sklearn import linear_model, pipeline, preprocessing
    except ImportError:
        return {}
    points, labels = random.random((1000, 20)), random.integers(0, 2, 1000)
    fitted = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression())
    values, columns = random.random(ENTRIES), random.integers(0, 20_000, ENTRIES).astype("i4")
    starts = np.linspace(0, ENTRIES, 200_001).astype("i4")
    return {
        "pipeline": fitted.fit(points, labels),
        "sparse matrix": sparse.csr_array((values, columns, starts), shape=(200_000, 20_000)),
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
        "1,000 instances of five fields": [Settings() for _ in range(1000)],
        "1,000 namespaces of five fields": [argparse.Namespace(**vars(Settings())) for _ in range(1000)],
        "1,000 instances with slots": [Slotted() for _ in range(1000)],
        "1,000 instances with a state": [Stated() for _ in range(1000)],
        "1,000 dicts of these fields": [dict(vars(Settings())) for _ in range(1000)],
        **science(random),
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
