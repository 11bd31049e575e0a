"""Which files of a work tree are inputs of a call, so that their content counts already."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def within_inputs(values: Iterable[object], cwd: str, root: str, paths: Iterable[str]) -> frozenset[str]:
    """Find which paths of a work tree are inputs, or lie in a folder that is one: their content counts already.

    Args:
        values: What was passed for the parameters named by ``inputs``.
        cwd: What relative paths among them go by.
        root: The root of the work tree.
        paths: Paths relative to that.
    """
    inputs = {_itself(os.path.join(cwd, path)) for value in values for path in _flat(value)} - {None}
    found = set()
    for path in paths:
        above = os.path.join(root, path)
        while len(above) >= len(root) and _itself(above) not in inputs:
            above = os.path.dirname(above)
        if len(above) >= len(root):
            found.add(path)
    return frozenset(found)


def _flat(value: object) -> Iterator[str]:
    if isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _flat(item)
    elif isinstance(value, (str, bytes, os.PathLike)):
        yield os.fsdecode(value)


def _itself(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if found.st_ino else None
