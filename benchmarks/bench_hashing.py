"""Hashing beside joblib.hash and xxhash alone: ``python benchmarks/bench_hashing.py [rounds]``.

Each round measures all of a case in turn; shown are medians, their spread, and the ratio of medians.
"""

from __future__ import annotations

import copy
import platform
import statistics
import sys
import time
import tracemalloc
from importlib.metadata import version

import joblib
import numpy as np
import pandas as pd
import xxhash

from taggedartifacts import config_hash

ROWS = 1_000_000
SMALL = {
    "bins": 40,
    "range": [0.0, 1.5],
    "name": "histogram",
    "log": True,
    "model": {"alpha": 0.05, "layers": [64, 32, 16], "activation": "relu", "seed": None},
}


def tables(random):
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


def cases():
    """Give the values by name, and of arrays how many bytes they have."""
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


def seconds(call, repeats):
    """Time one call, averaged over repeats."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def shown(times):
    """Write median and spread with a unit that fits."""
    middle = statistics.median(times)
    factor, unit = (1e6, "µs") if middle < 1e-3 else (1e3, "ms")
    return f"{middle * factor:9.1f} {unit} ({min(times) * factor:.1f} to {max(times) * factor:.1f})"


def peak(call):
    """Measure the memory that a call takes beyond what was there, in bytes."""
    call()
    tracemalloc.start()
    call()
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return taken


def main(rounds):
    """Print the table."""
    libraries = [f"{name} {version(name)}" for name in ("xxhash", "joblib", "numpy", "pandas")]
    sys.stdout.write(f"Python {platform.python_version()}, {platform.machine()}, {', '.join(libraries)}\n")
    for name, value in cases().items():
        measured = {
            "config_hash": lambda value=value: config_hash(value),
            "joblib.hash": lambda value=value: joblib.hash(value),
        }
        if isinstance(value, np.ndarray):
            plain = np.ascontiguousarray(value).view("u1")
            measured["xxh3_128"] = lambda plain=plain: xxhash.xxh3_128_hexdigest(plain)
        repeats = 2000 if name.startswith("small") else 1
        times = {label: [] for label in measured}
        for _ in range(rounds):
            for label, call in measured.items():
                times[label].append(seconds(call, repeats))
        sys.stdout.write(f"{name}: peak of config_hash {peak(measured['config_hash']) / 1e6:.2f} MB\n")
        own = statistics.median(times["config_hash"])
        for label in measured:
            ratio = statistics.median(times[label]) / own
            sys.stdout.write(f"    {label:12} {shown(times[label]):40} {ratio:8.2f} x\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
