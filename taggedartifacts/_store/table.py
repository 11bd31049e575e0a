"""How results print: one table, as plain text in a terminal and as escaped HTML in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from .._errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_ROWS = 40
_MOST_CELL = 200
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True, slots=True)
class Table:
    """What a result shows.

    Attributes:
        heading: One sentence that says what this is.
        rows: Cells from left to right; rows may have different lengths.
        notes: Sentences that stand below.
    """

    heading: str
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """Write it for a terminal, with aligned columns."""
        rows = [tuple(map(clipped, row)) for row in self.rows[:_MOST_ROWS]]
        widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
        lines = [printable(self.heading)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
            lines.append(f"  {'  '.join(cells).rstrip()}")
        lines += [f"  … and {more} more"] if (more := len(self.rows) - _MOST_ROWS) > 0 else []
        return "\n".join([*lines, *map(printable, self.notes)])

    def html(self) -> str:
        """Write it for a notebook; whatever a record holds is escaped."""
        from html import escape  # only a notebook needs it

        def cells(row: tuple[str, ...]) -> str:
            return "".join(f'<td style="text-align:left">{escape(clipped(cell))}</td>' for cell in row)

        rows = "".join(f"<tr>{cells(row)}</tr>" for row in self.rows[:_MOST_ROWS])
        more = len(self.rows) - _MOST_ROWS
        notes = [f"… and {more} more"] * (more > 0) + [printable(note) for note in self.notes]
        below = "".join(f"<div>{escape(note)}</div>" for note in notes)
        return f"<div>{escape(printable(self.heading))}</div><table>{rows}</table>{below}"


class Shown:
    """A result that prints as a table; what it derives says which."""

    __slots__ = ()

    def _table(self) -> Table:
        raise NotImplementedError

    def __str__(self) -> str:
        return self._table().text()

    def __repr__(self) -> str:
        return self._table().text()

    def _repr_html_(self) -> str:
        return self._table().html()


def labelled(label: str, texts: Iterable[str]) -> list[tuple[str, str]]:
    """Make rows of a list: its label stands before the first entry."""
    return [(label if number == 0 else "", text) for number, text in enumerate(texts)]


def clipped(text: str, most: int = _MOST_CELL) -> str:
    """Cut a text to a length that fits on a line, and make it printable."""
    return printable(text if len(text) <= most else text[: most - 1] + "…")


def minute(started: str) -> str:
    """Write a record's time to the minute, for people: ``2026-11-23 05:46 UTC``."""
    return f"{started[:10]} {started[11:16]} UTC"


def byte_count(size: float) -> str:
    """Write a number of bytes as people do."""
    if size < 1000:
        return f"{size:.0f} byte{'s' * (size != 1)}"
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {_UNITS[unit]}"
