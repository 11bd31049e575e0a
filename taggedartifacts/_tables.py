"""Canonical form of tables: pandas, polars and pyarrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._canonical_text import Reducer


def recognise(_kind: type) -> Reducer | None:
    """Find the form of tables and their columns."""
    return None
