"""What code asks the interpreter for, not a module: the arguments of the command, and the subclasses of a class."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from .location import label_of
from .objects import namespace
from .reads import PARSES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from .found import Ignored
    from .location import Locator
    from .watch import Watch


class Asked:
    """What one walk takes of that.

    Args:
        tree: The work tree.
        watch: Told of each, so that the next call sees a change.
        ignored: What is left out.
        count: Counts a value: by its name in the record, as it is spelled, and with who reads it.
    """

    def __init__(
        self, tree: Locator, watch: Watch, ignored: Ignored, count: Callable[[str, str, object, str], None]
    ) -> None:
        self._tree = tree
        self._watch = watch
        self._ignored = ignored
        self._count = count
        self._has_arguments = False
        self._has_subclasses = False
        self._known: set[type] = set()

    def note(self, attributes: Collection[str], label: str) -> None:
        """Note the attributes that some code reads."""
        if not PARSES.isdisjoint(attributes):
            self.take_arguments(label)
        self._has_subclasses |= "__subclasses__" in attributes

    def take_arguments(self, label: str) -> None:
        """Take the arguments of the command, but for the path of the program."""
        if not self._ignored.has(("sys.argv",)) and not self._has_arguments:
            self._has_arguments = True
            self._watch.name(vars(sys), "argv", sys.argv)
            self._watch.result(sys.argv.copy, sys.argv.copy())
            self._count("sys.argv", "sys.argv", sys.argv[1:], label)

    def take_subclasses(self, classes: Iterable[type]) -> None:
        """Take the subclasses of classes of the work tree, if some code asks for those of one, as of plug-ins."""
        for kind in classes if self._has_subclasses else ():
            location = self._tree.location(namespace(sys.modules.get(kind.__module__)))
            if location is not None and kind not in self._known:
                self._known.add(kind)
                found: list[type] = type.__subclasses__(kind)
                self._watch.result(partial(type.__subclasses__, kind), found)
                self._count(f"{label_of(location, kind)}.__subclasses__", "", found, label_of(location, kind))
