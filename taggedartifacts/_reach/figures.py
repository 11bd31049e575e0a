"""matplotlib's parameters that a script or a session has set: they decide every figure, and no argument shows them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .watch import Watch

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

_DRAW = frozenset({"matplotlib", "mpl_toolkits", "pylab", "seaborn"})


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


class Figures:
    """The parameters, as a walk takes them: if it reaches what draws."""

    def __init__(self) -> None:
        self._are_drawn = False

    def note(self, module: str) -> None:
        """Note that a module is reached, by its import name."""
        self._are_drawn |= module.partition(".")[0] in _DRAW

    def take(self, watch: Watch, count: Callable[[str, str, object, str], None]) -> None:
        """Count the parameters that are not matplotlib's defaults, if something is drawn."""
        held = parameters()
        if self._are_drawn and held is not None:
            watch.mapping(held)
            for name, value in changed_parameters().items():
                count(f"matplotlib.rcParams.{name}", f"rcParams.{name}", value, "matplotlib")
