"""Draw the rooms of the package and the arrows between them: ``python docs/rooms.py > docs/rooms.svg``.

What is drawn is the table ``ARROWS`` of ``tests/test_layers.py``, which the modules' own imports are held to. A room
stands as low as its arrows let it. An arrow that follows from two others is left out. One that passes a floor has a
place of its own there, so that it runs between the rooms and not behind them.
"""

import runpy
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

Arrows = Mapping[str, Sequence[str]]

_BOX, _ROW, _HEIGHT, _MARGIN, _GAP = 112, 66, 30, 8, 16
_PASSING = 20  # width of the place of an arrow that passes a floor
_SWEEPS = 8

_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" class="rooms"
     aria-label="The rooms of the package, and which others each imports" style="max-width: 40rem; width: 100%">
  <style>
    .rooms rect {{ fill: none; stroke: currentColor; stroke-width: 1.2 }}
    .rooms rect.module {{ stroke-dasharray: 4 3 }}
    .rooms path {{ fill: none; stroke: currentColor; stroke-width: 1; opacity: 0.7 }}
    .rooms marker path {{ fill: currentColor; stroke: none }}
    .rooms text {{ fill: currentColor; font: 13px monospace; text-anchor: middle }}
  </style>
  <marker id="rooms-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
    <path d="M0 0L8 4L0 8z"/>
  </marker>
"""


def _reachable(arrows: Arrows, room: str) -> set[str]:
    return set(arrows[room]).union(*(_reachable(arrows, to) for to in arrows[room]))


def _floor(arrows: Arrows, room: str) -> int:
    return 1 + max((_floor(arrows, to) for to in arrows[room]), default=-1)


def _needed(arrows: Arrows) -> list[tuple[str, str]]:
    """List the arrows that do not follow from others."""
    return [
        (room, to)
        for room in arrows
        for to in arrows[room]
        if not any(to in _reachable(arrows, other) for other in arrows[room])
    ]


def _place(floors: list[list[str]], links: list[tuple[str, str]], width: float) -> dict[str, float]:
    """Give each item of each floor its middle from the left, near what it is linked to."""
    near: dict[str, list[str]] = {item: [] for floor in floors for item in floor}
    for above, below in links:
        near[above].append(below)
        near[below].append(above)
    middles: dict[str, float] = {}
    for _ in range(_SWEEPS):
        for floor in (*floors, *reversed(floors)):
            wanted = {}
            for index, item in enumerate(floor):
                known = [middles[other] for other in near[item] if other in middles]
                wanted[item] = sum(known) / len(known) if known else width * (index + 1) / (len(floor) + 1)
            floor.sort(key=lambda item: (wanted[item], item))
            sizes = [_PASSING if " " in item else _BOX for item in floor]
            left = _MARGIN
            for index, item in enumerate(floor):
                rest = sum(sizes[index:]) + _GAP * (len(sizes) - index - 1)
                start = min(max(left, wanted[item] - sizes[index] / 2), width - _MARGIN - rest)
                middles[item] = start + sizes[index] / 2
                left = start + sizes[index] + _GAP
    return middles


def draw(arrows: Arrows, packages: set[str]) -> str:
    """Draw the rooms as an SVG that takes the colour of the text around it.

    Args:
        arrows: The rooms, from the ground up, and from which others each imports.
        packages: Which of them are packages; the others are single modules, in dashed boxes.
    """
    floor_of = {room: _floor(arrows, room) for room in arrows}
    floors: list[list[str]] = [[] for _ in range(max(floor_of.values()) + 1)]
    for room, floor in floor_of.items():
        floors[floor].append(room)
    ways = []
    for room, to in _needed(arrows):
        passed = [f"{room} {to} {floor}" for floor in range(floor_of[room] - 1, floor_of[to], -1)]
        for item in passed:
            floors[int(item.split()[2])].append(item)
        ways.append([room, *passed, to])
    sizes = [sum(_GAP + (_PASSING if " " in item else _BOX) for item in floor) for floor in floors]
    width, height = max(sizes) + 2 * _MARGIN, len(floors) * _ROW - _ROW + _HEIGHT + 2 * _MARGIN
    links = [(above, below) for way in ways for above, below in pairwise(way)]
    middles = _place(floors, links, width)
    tops = {item: _MARGIN + (len(floors) - 1 - number) * _ROW for number, floor in enumerate(floors) for item in floor}
    lines = [_HEAD.format(width=width, height=height)]
    for room in arrows:
        kind = "" if room in packages else ' class="module"'
        x, y = middles[room], tops[room]
        lines.append(f'  <rect x="{x - _BOX / 2:.0f}" y="{y}" width="{_BOX}" height="{_HEIGHT}" rx="4"{kind}/>\n')
        lines.append(f'  <text x="{x:.0f}" y="{y + 20}">{room}</text>\n')
    for way in ways:
        path = f"M{middles[way[0]]:.0f} {tops[way[0]] + _HEIGHT}"
        for before, item in pairwise(way):
            x, y, bend = middles[item], tops[item], (_ROW - _HEIGHT) / 2
            path += f"C{middles[before]:.0f} {y - bend:.0f} {x:.0f} {y - bend:.0f} {x:.0f} {y}"
            path += f"V{y + _HEIGHT}" if " " in item else ""
        lines.append(f'  <path d="{path}" marker-end="url(#rooms-arrow)"/>\n')
    return "".join([*lines, "</svg>\n"])


if __name__ == "__main__":
    root = Path(__file__).parent.parent
    table = runpy.run_path(str(root / "tests" / "test_layers.py"))["ARROWS"]
    print(draw(table, {room for room in table if (root / "taggedartifacts" / room).is_dir()}), end="")
