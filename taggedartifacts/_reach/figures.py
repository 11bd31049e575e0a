"""matplotlib's parameters that a script or a session has set: they decide every figure, and no argument shows them."""

from __future__ import annotations

import sys
from typing import Any

# What no figure shows: windows, keys, the web, and what is warned of.
_NOT_SHOWN = (
    "backend",
    "keymap.",
    "interactive",
    "toolbar",
    "webagg.",
    "tk.",
    "macosx.",
    "figure.max_open_warning",
    "docstring.",
)


def parameters() -> dict[str, Any] | None:
    """Find matplotlib's parameters, if it is loaded."""
    found = getattr(sys.modules.get("matplotlib"), "rcParams", None)
    return found if isinstance(found, dict) else None


def changed_parameters() -> dict[str, object]:
    """Collect those that are not matplotlib's defaults."""
    matplotlib: Any = sys.modules.get("matplotlib")
    now, defaults = parameters(), getattr(matplotlib, "rcParamsDefault", None)
    if now is None or not isinstance(defaults, dict):
        return {}
    found = {}
    for name, value in dict.items(now):
        if not name.startswith(_NOT_SHOWN) and not _same(dict.get(defaults, name), value):
            found[name] = _plain(value)
    return found


def _same(one: object, other: object) -> bool:
    return one is other or (type(one) is type(other) and repr(one) == repr(other))


def _plain(value: Any) -> object:
    # A cycle of colours and styles says its content by key.
    return {"cycle": value.by_key()} if type(value).__module__.partition(".")[0] == "cycler" else value
