"""What expressions of literals can be told to be before they run, and what a file adds to sys.path by them. Pure.

A value is text. That of ``__file__`` is a file in a folder that stands for the file's own, many levels deep, so that
the functions of :mod:`posixpath` work on it as they are; the current directory and the own package likewise.
"""

from __future__ import annotations

import ast
import posixpath
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from .survey import Hidden

if TYPE_CHECKING:
    from collections.abc import Callable

    from .survey import Survey

_DEEP = 40
_OWN_FOLDER = "/\0f" * _DEEP
_CURRENT_FOLDER = "/\0c" * _DEEP
_OWN_FILE = f"{_OWN_FOLDER}/\0"
PACKAGE = "\0p"
"""What ``__package__`` and ``__name__`` evaluate to, also at the beginning of a longer name."""

_MOST = 32  # alternatives for one value; more are as good as unknown
_DEEPEST = 40

_AS_THEY_ARE: dict[str, Callable[[list[str]], str]] = {
    "os.path.dirname": lambda texts: posixpath.dirname(*texts),
    "os.path.basename": lambda texts: posixpath.basename(*texts),
    "os.path.normpath": lambda texts: posixpath.normpath(*texts),
    "os.path.join": lambda texts: posixpath.join(*texts),
}
_ABSOLUTE = frozenset({"os.path.abspath", "os.path.realpath"})
_SAME = frozenset({"builtins.str", "os.fspath", "os.path.normcase"})
_PATHS = frozenset({"pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath"})
_FILE_OF_FRAME = frozenset({"inspect.getfile", "inspect.getsourcefile", "inspect.getabsfile"})
_COPIES = frozenset({"builtins.list", "builtins.tuple", "builtins.sorted", "builtins.set", "builtins.reversed"})
_CHANGES = frozenset(
    {"append", "extend", "insert", "add", "update", "setdefault", "__setitem__", "__iadd__", "__ior__"}
)
_NAMES = {"__file__": _OWN_FILE, "__package__": PACKAGE, "__name__": PACKAGE}
_CONSTANTS = {"os.pardir": "..", "os.curdir": ".", "os.sep": "/", "os.path.pardir": "..", "os.path.sep": "/"}


class Evaluator:
    """Evaluates expressions of one file.

    A name has every value that the file binds it to, whatever the scope; so what is evaluated holds the true value.
    """

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._in_progress: set[str] = set()
        self._depth = 0

    @cached_property
    def _changed_in_place(self) -> frozenset[str]:
        changed = {
            node.id
            for node, holder in self._survey.mentions
            if isinstance(node, ast.Name) and isinstance(holder, ast.Attribute) and holder.attr in _CHANGES
        }
        items = (target.value for target, _ in self._survey.items_set)
        return frozenset(changed | {item.id for item in items if isinstance(item, ast.Name)})

    def texts(self, node: ast.expr) -> set[str] | None:
        """List the values that an expression may have; None if one of them cannot be told."""
        return self._bounded(self._texts, node)

    def items(self, node: ast.expr) -> set[str] | None:
        """List what the items of a list may be, but for those of ``sys.path`` itself; None if that cannot be told."""
        return self._bounded(self._items, node)

    def _bounded(self, evaluate: Callable[[ast.expr], set[str] | None], node: ast.expr) -> set[str] | None:
        if self._depth >= _DEEPEST:
            return None
        self._depth += 1
        try:
            values = evaluate(node)
        finally:
            self._depth -= 1
        return values if values is not None and len(values) <= _MOST else None

    def _texts(self, node: ast.expr) -> set[str] | None:
        match node:
            case ast.Constant(value=str() as text):
                return {text} if "\0" not in text else None
            case ast.Name():
                return self._named(node, self.texts)
            case ast.IfExp():
                return _either(self.texts(node.body), self.texts(node.orelse))
            case ast.NamedExpr():
                return self.texts(node.value)
            case ast.BinOp(op=ast.Add()):
                return self._combined([node.left, node.right], "".join)
            case ast.BinOp(op=ast.Div()):
                return self._combined([node.left, node.right], _join)
            case ast.JoinedStr():
                return self._combined(node.values, "".join)
            case ast.FormattedValue(format_spec=None, conversion=-1 | 115):
                return self.texts(node.value)
            case ast.Attribute():
                return self._attribute(node)
            case ast.Subscript(value=ast.Attribute(attr="parents", value=path), slice=ast.Constant(value=int() as up)):
                return self._changed(path, lambda text: _parent(text, up + 1)) if 0 <= up < _DEEP else None
            case ast.Subscript(value=ast.Name() as table):
                return self._named(table, self._entries)
            case ast.Subscript(value=ast.Dict() | ast.List() | ast.Tuple() as table):
                return self._entries(table)
            case ast.Call(keywords=[]):
                return self._call(node)
        return None

    def _entries(self, node: ast.expr) -> set[str] | None:
        """List what the values of a dict or the items of a list may be."""
        if not isinstance(node, ast.Dict):
            return self.items(node) if isinstance(node, ast.List | ast.Tuple) else None
        found: set[str] | None = set()
        for value in node.values:
            found = _either(found, self.texts(value))
        return found

    def _items(self, node: ast.expr) -> set[str] | None:
        if "sys.path" in self._survey.origins_of(node):
            return set()
        match node:
            case ast.List() | ast.Tuple() | ast.Set():
                found: set[str] | None = set()
                for item in node.elts:
                    values = self.items(item.value) if isinstance(item, ast.Starred) else self.texts(item)
                    found = _either(found, values)
                return found
            case ast.Name():
                return self._named(node, self.items)
            case ast.BinOp(op=ast.Add()):
                return _either(self.items(node.left), self.items(node.right))
            case ast.Subscript(slice=ast.Slice()):
                return self.items(node.value)
            case ast.Call(func=ast.Attribute(attr="copy", value=copied), args=[]):
                return self.items(copied)
            case ast.Call(func=function, args=[copied]) if not _COPIES.isdisjoint(self._survey.origins_of(function)):
                return self.items(copied)
            case ast.ListComp(elt=ast.Name() as item, generators=[only]) if _is_filter(item, only):
                return self.items(only.iter)
        return None

    def _named(self, node: ast.Name, evaluate: Callable[[ast.expr], set[str] | None]) -> set[str] | None:
        name = node.id
        bindings = self._survey.bound.get(name)
        if not bindings:
            value = _NAMES.get(name) or next(filter(None, map(_CONSTANTS.get, self._survey.origins_of(node))), None)
            return {value} if value is not None and evaluate == self.texts else None
        if name in self._in_progress or (evaluate != self.texts and name in self._changed_in_place):
            return None
        self._in_progress.add(name)
        try:
            found: set[str] | None = set()
            for binding in bindings:
                if binding.value is None or (binding.each and evaluate != self.texts):
                    return None
                found = _either(found, (self.items if binding.each else evaluate)(binding.value))
            return found
        finally:
            self._in_progress.discard(name)

    def _attribute(self, node: ast.Attribute) -> set[str] | None:
        for origin in self._survey.origins_of(node):
            if origin in _CONSTANTS:
                return {_CONSTANTS[origin]}
        if node.attr == "parent":
            return self._changed(node.value, lambda text: _parent(text, 1))
        return None

    def _call(self, node: ast.Call) -> set[str] | None:
        for origin in self._survey.origins_of(node.func):
            origin = origin.replace("posixpath.", "os.path.", 1)
            if origin in _AS_THEY_ARE:
                return self._combined(node.args, _AS_THEY_ARE[origin])
            if origin in _ABSOLUTE and len(node.args) == 1:
                return self._changed(node.args[0], _absolute)
            if origin in _SAME and len(node.args) == 1:
                return self.texts(node.args[0])
            if origin in _PATHS:
                return self._combined(node.args, _join)
            if origin in ("os.getcwd", "pathlib.Path.cwd"):
                return {_CURRENT_FOLDER}
            if origin in _FILE_OF_FRAME and len(node.args) == 1 and isinstance(node.args[0], ast.Call):
                return {_OWN_FILE} if "inspect.currentframe" in self._survey.origins_of(node.args[0].func) else None
        match node:
            case ast.Call(func=ast.Attribute(attr="resolve" | "absolute", value=path), args=[]):
                return self._changed(path, _absolute)
            case ast.Call(func=ast.Attribute(attr="as_posix" | "__str__", value=path), args=[]):
                return self.texts(path)
            case ast.Call(func=ast.Attribute(attr="joinpath", value=path)):
                return self._combined([path, *node.args], _join)
        return None

    def _changed(self, node: ast.expr, change: Callable[[str], str]) -> set[str] | None:
        return self._combined([node], lambda texts: change(texts[0]))

    def _combined(self, nodes: list[ast.expr], combine: Callable[[list[str]], str]) -> set[str] | None:
        """Combine each value of each expression with each of the others."""
        rows: list[list[str]] = [[]]
        for node in nodes:
            values = self.texts(node)
            if values is None or len(rows) * len(values) > _MOST:
                return None
            rows = [[*row, value] for row in rows for value in sorted(values)]
        try:
            return {combine(row) for row in rows}
        except TypeError:  # os.path.join() without arguments, or dirname with two
            return None


def place(text: str) -> tuple[str, str] | None:
    """Tell where an evaluated path lies.

    Returns:
        ``("file", path)`` relative to the folder of the file, ``("current", path)`` relative to the current
        directory, or ``("", path)`` with an absolute path; None if it cannot be told.
    """
    for base, folder in (("file", _OWN_FOLDER), ("current", _CURRENT_FOLDER)):
        absolute = posixpath.normpath(posixpath.join(folder, text) if base == "current" else text)
        if absolute.startswith(folder[:3]):
            relative = posixpath.relpath(absolute, folder)
            return (base, relative) if "\0" not in relative else None
    return ("", posixpath.normpath(text)) if "\0" not in text else None


def _either(one: set[str] | None, other: set[str] | None) -> set[str] | None:
    return None if one is None or other is None else one | other


def _is_filter(item: ast.Name, generator: ast.comprehension) -> bool:
    return isinstance(generator.target, ast.Name) and generator.target.id == item.id


def _join(texts: list[str]) -> str:
    return str(PurePosixPath(*texts))


def _parent(text: str, levels: int) -> str:
    path = PurePosixPath(text)
    for _ in range(levels):
        path = path.parent
    return str(path)


def _absolute(text: str) -> str:
    return posixpath.normpath(posixpath.join(_CURRENT_FOLDER, text))


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
        *("print", "len", "list", "tuple", "set", "frozenset", "sorted", "str", "repr", "enumerate", "iter"),
        *("reversed", "any", "all", "map", "filter", "join", "format", "debug", "info", "warning", "error"),
        *("pprint", "dumps", "zip"),
    }
)


class SearchPath:
    """The changes that a file makes to ``sys.path``.

    Every mention counts as a change that cannot be told unless it is one of those that are known to be none.

    Attributes:
        folders: What is added; see :func:`place`.
        hides: Where that cannot be told.
    """

    def __init__(self, survey: Survey, evaluator: Evaluator) -> None:
        self._survey = survey
        self._evaluator = evaluator
        self.folders: set[tuple[str, str]] = set()
        self.hides: set[Hidden] = set()

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
        self.hides.add(Hidden(node.lineno, reason))

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
                self._hide(node, "passes sys.path on")

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
