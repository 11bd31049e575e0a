"""Draw what `run` measured: ``python benchmarks/plot.py results.json results.svg``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "taggedartifacts"

import matplotlib.pyplot as plt  # noqa: E402  # after the choice of the backend

PANELS = (
    ("a repeated hit in one process", 1e6, "a repeated hit, µs"),
    ("a script of twenty calls, all cached, start to end", 1e3, "a script, all cached, ms"),
    ("crowd", 1, "runs, of 16 processes at once"),
)
NAMES = ("taggedartifacts", "diskcache", "joblib", "cachier")
COLOURS = {"taggedartifacts": "#2a6f97"}


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw medians as bars, with the quartiles."""
    figure, axes = plt.subplots(1, len(PANELS), figsize=(10, 2.6), layout="constrained")
    for axis, (section, factor, label) in zip(axes, PANELS, strict=True):
        rows = {row["name"]: row for row in results["rows"] if row["section"] == section}
        names = [name for name in reversed(NAMES) if name in rows]
        medians = [rows[name]["median"] * factor for name in names]
        sides = [[abs(rows[name][side] - rows[name]["median"]) * factor for name in names] for side in ("low", "high")]
        bars = axis.barh(names, medians, xerr=sides, color=[COLOURS.get(name, "#b0b7bf") for name in names])
        axis.bar_label(bars, [f"{median:.3g}" for median in medians], padding=4)
        axis.set_title(label, fontsize=10)
        axis.set_xlim(right=max(medians, default=1) * 1.3)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
