"""Draw what `run` measured: ``python benchmarks/plot.py results.json results.svg``."""

from __future__ import annotations

import io
import json
import re
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
ALT = "A repeated hit, a script in which all is cached, and how often a function runs when 16 processes call at once."
NAMES = ("taggedartifacts", "diskcache", "joblib", "cachier")
COLOURS = {"taggedartifacts": "#2a6f97"}


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw medians as bars, with the quartiles, to stand in a page."""
    figure, axes = plt.subplots(1, len(PANELS), figsize=(10, 2.6), layout="constrained")
    for axis, (section, factor, label) in zip(axes, PANELS, strict=True):
        rows = {row["name"]: row for row in results["rows"] if row["section"] == section}
        names = [name for name in reversed(NAMES) if name in rows]
        medians = [rows[name]["median"] * factor for name in names]
        sides = [[abs(rows[name][side] - rows[name]["median"]) * factor for name in names] for side in ("low", "high")]
        bars = axis.barh(names, medians, xerr=sides, color=[COLOURS.get(name, "#7d8790") for name in names])
        axis.bar_label(bars, [f"{median:.3g}" for median in medians], padding=4)
        axis.set_title(label, fontsize=10)
        axis.set_xlim(right=max(medians, default=1) * 1.3)
        axis.spines[["top", "right"]].set_visible(False)
    drawn = io.StringIO()
    figure.savefig(drawn, metadata={"Date": None}, transparent=True)
    plt.close(figure)
    path.write_text(for_page(drawn.getvalue()), encoding="utf-8")


def for_page(drawn: str) -> str:
    """Make a drawing part of a page: no background, and all that is black as its text is."""
    picture = drawn[drawn.index("<svg") :]
    picture = re.sub(r"<metadata>.*?</metadata>\s*", "", picture, flags=re.DOTALL)
    picture = re.sub(r"#000000|(?<=fill: )black", "currentColor", picture)
    # A style counts for all of a page that the picture stands in.
    picture = picture.replace("*{", ".figures * {", 1)
    box = re.search(r'viewBox="[^"]*"', picture)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {box and box[0]}'
    return re.sub(
        "<svg[^>]*>", f'{head} fill="currentColor" role="img" class="figures" aria-label="{ALT}">', picture, count=1
    )


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
