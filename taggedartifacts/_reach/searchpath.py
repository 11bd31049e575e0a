"""Find what a file adds to ``sys.path``, and whether literals and ``__file__`` say it all."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .literals import Evaluator, place

if TYPE_CHECKING:
    from .survey import Survey

# Which argument is the folder; none if each item of the first one is.
PATH_METHODS = {
    "sys.path.append": 0,
    "sys.path.insert": 1,
    "sys.path.extend": -1,
    "sys.path.__iadd__": -1,
    "site.addsitedir": 0,
    "syspath_prepend": 0,
}
_ONLY_READ = frozenset(
    {
        *(
            "print",
            "len",
            "list",
            "tuple",
            "set",
            "frozenset",
            "sorted",
            "str",
            "repr",
            "enumerate",
            "iter",
            "reversed",
        ),
        *(
            "any",
            "all",
            "map",
            "filter",
            "join",
            "format",
            "debug",
            "info",
            "warning",
            "error",
            "pprint",
            "dumps",
            "zip",
        ),
    }
)


class SearchPath:
    """The changes that a file makes to ``sys.path``.

    Every mention counts as a change that cannot be told unless it is one of those that are known to be none.

    Attributes:
        folders: What is added; see :func:`~.literals.place`.
        hides: Lines and reasons where that cannot be told.
    """

    def __init__(self, survey: Survey, evaluator: Evaluator) -> None:
        self._survey = survey
        self._evaluator = evaluator
        self.folders: set[tuple[str, str]] = set()
        self.hides: set[tuple[int, str]] = set()

    def mention(self, origin: str, node: ast.expr, holder: ast.AST) -> None:
        """Look at one mention of ``sys.path``, or of what adds to it.

        Args:
            origin: ``sys.path``, or one of the names in :data:`PATH_METHODS`.
            node: The mention.
            holder: The node that holds it.
        """
        if origin in PATH_METHODS:
            self._method(PATH_METHODS[origin], node, holder)
        else:
            self._whole(node, holder)

    def set_item(self, target: ast.Subscript, value: ast.expr | None) -> None:
        """Look at an assignment to an item or a slice, perhaps of ``sys.path``."""
        if "sys.path" in self._survey.origins_of(target.value):
            evaluate = self._evaluator.items if isinstance(target.slice, ast.Slice) else self._evaluator.texts
            self._add(target, evaluate(value) if value is not None else None)

    def _hide(self, node: ast.expr, reason: str) -> None:
        self.hides.add((node.lineno, reason))

    def _whole(self, node: ast.expr, holder: ast.AST) -> None:
        """Look at a mention of ``sys.path`` itself."""
        match holder:
            case ast.Attribute(attr="append" | "insert" | "extend" | "__iadd__"):
                return  # that mention is looked at by `_method`
            case ast.Attribute(attr="remove" | "pop" | "clear" | "sort" | "reverse" | "index" | "count" | "copy"):
                return
            case ast.Attribute(attr="__contains__" | "__len__" | "__iter__"):
                return
            case ast.Assign(targets=targets, value=value) if node in targets:
                self._add(node, self._evaluator.items(value))
            case _ if is_alias(self._survey, node, holder):
                return
            case ast.AugAssign(target=target, value=value) if target is node:
                self._add(node, self._evaluator.items(value))
            case ast.Subscript():
                return  # what is assigned to one is looked at by `set_item`
            case ast.Call(func=function) if function is not node and self._is_harmless(function):
                return
            case ast.Attribute() | ast.Call() | ast.Assign() | ast.AnnAssign() | ast.keyword():
                self._hide(node, "changes sys.path")
            case ast.Return() | ast.Yield() | ast.Tuple() | ast.List() | ast.Dict() | ast.NamedExpr() | ast.withitem():
                self._hide(node, "hands on sys.path")

    def _method(self, position: int, node: ast.expr, holder: ast.AST) -> None:
        texts = None
        if isinstance(holder, ast.Call) and holder.func is node and len(holder.args) == max(position, 0) + 1:
            texts = (
                self._evaluator.items(holder.args[0]) if position < 0 else self._evaluator.texts(holder.args[position])
            )
        self._add(node, texts)

    def _is_harmless(self, function: ast.expr) -> bool:
        origins = self._survey.origins_of(function)
        return (isinstance(function, ast.Attribute) and function.attr in _ONLY_READ) or any(
            origin.removeprefix("builtins.") in _ONLY_READ for origin in origins
        )

    def _add(self, node: ast.expr, texts: set[str] | None) -> None:
        places = [place(text) for text in texts] if texts is not None else [None]
        for each in places:
            if each is None:
                self._hide(node, "changes sys.path to what cannot be told before it runs")
            else:
                self.folders.add(each)


def is_alias(survey: Survey, node: ast.expr, holder: ast.AST) -> bool:
    """Say whether a statement only gives another name, which is followed."""
    if not isinstance(holder, ast.Assign) or holder in survey.members or holder.value is not node:
        return False
    return all(isinstance(target, ast.Name) for target in holder.targets)
