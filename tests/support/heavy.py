"""Marks what the default suite leaves out of a table of rows, so that it takes minutes and not a quarter of an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable


def every(number: int, rows: Iterable[Any]) -> list[Any]:
    """Mark all rows as heavy but the first of each so many; a row is a tuple of arguments, or one argument."""
    return [
        row
        if index % number == 0
        else pytest.param(*(row if isinstance(row, tuple) else (row,)), marks=pytest.mark.heavy)
        for index, row in enumerate(rows)
    ]


def but(names: Iterable[Any], *light: Any) -> list[Any]:
    """Mark all single arguments as heavy but those that are named."""
    return [name if name in light else pytest.param(name, marks=pytest.mark.heavy) for name in names]
