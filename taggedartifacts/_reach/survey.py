"""What stands in one file: what it imports and hides, what names are bound to in it and where they are used. Pure.

It depends on the text alone, not on where the file lies, so what a file imports is remembered by its digest: all that
imports can reach follows from that.
"""

from __future__ import annotations

import ast
import builtins
import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST_ORIGINS = 12
_Mention: TypeAlias = tuple[ast.Name | ast.Attribute, ast.AST]


FORM = f"2-{sys.version_info.major}.{sys.version_info.minor}"
"""Names what :meth:`Imports.to_text` writes: it changes with what is read, and with the syntax that Python knows."""


class Import(NamedTuple):
    """One import.

    Attributes:
        level: Number of leading dots; 0 for an absolute name.
        module: Dotted name of the module; empty for ``from . import x``.
        names: What is taken out of it, each perhaps a submodule; ``*`` for all.
    """

    level: int
    module: str
    names: tuple[str, ...]


class Hidden(NamedTuple):
    """A place where a file hides what it uses.

    Attributes:
        line: Number of the line.
        reason: What stands there: ``imports subprocess``, ``uses eval``.
    """

    line: int
    reason: str


class Imports(NamedTuple):
    """What one file imports, names and hides.

    Attributes:
        imports: All imports, in the order of their lines, wherever they stand; also those by a literal name
            (``import_module("x")``).
        uses: Attributes of imported modules that are named, as imports: ``pkg.sub.f`` may lead to a module ``pkg.sub``
            that another file imported.
        exports: What ``__all__`` lists: a star may import modules of these names; ``*`` if more is computed.
        folders: What the file adds to ``sys.path``, as :func:`~.literals.place` gives it.
        hides: Where the file hides what it uses; then what it reaches cannot be told.
        strings: String literals that could name a file.
        reads_source: Whether it reads the text of source files (``inspect.getsource``), so that comments count.
    """

    imports: tuple[Import, ...] = ()
    uses: tuple[Import, ...] = ()
    exports: tuple[str, ...] = ()
    folders: tuple[tuple[str, str], ...] = ()
    hides: tuple[Hidden, ...] = ()
    strings: tuple[str, ...] = ()
    reads_source: bool = False

    def to_text(self) -> str:
        """Write it as JSON in ASCII, to be read by :meth:`from_text` where :data:`FORM` is the same."""
        return json.dumps(self, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Imports:
        """Read what :meth:`to_text` wrote."""
        imports, uses, exports, folders, hides, strings, reads_source = json.loads(text)
        return cls(
            tuple([Import(level, module, tuple(names)) for level, module, names in imports]),
            tuple([Import(level, module, tuple(names)) for level, module, names in uses]),
            tuple(exports),
            tuple([(base, path) for base, path in folders]),
            tuple([Hidden(*each) for each in hides]),
            tuple(strings),
            reads_source,
        )


class Bound(NamedTuple):
    """One binding of a name.

    Attributes:
        value: The expression that gives the value, or None if no expression does (a parameter, a definition).
        each: Whether the name is bound to each item of that expression, as in a loop.
        is_parameter: Whether a caller gives the value.
    """

    value: ast.expr | None
    each: bool = False
    is_parameter: bool = False


@dataclass(slots=True)
class Survey:
    """What stands in one file.

    Attributes:
        statements: All import statements.
        origins: For each name that an import or an alias binds, the dotted names of what it may be; those of relative
            imports begin with a dot for each level.
        stars: Modules from which everything is imported.
        bound: For each name, what it is bound to, in whatever scope but that of a class.
        mentions: Each name and attribute with the node that holds it.
        calls: All calls.
        strings: All string constants but pieces of f-strings and docstrings.
        exports: Strings in what ``__all__`` is bound to, and ``*`` if that is computed.
        items_set: Items and slices that are assigned to, with what is assigned where one expression says so.
        members: The statements that stand directly in the body of a class: what they bind is no name elsewhere.
    """

    statements: list[ast.Import | ast.ImportFrom] = field(default_factory=list)
    origins: dict[str, list[str]] = field(default_factory=dict)
    stars: set[str] = field(default_factory=set)
    bound: dict[str, list[Bound]] = field(default_factory=dict)
    mentions: list[_Mention] = field(default_factory=list)
    calls: list[ast.Call] = field(default_factory=list)
    strings: set[str] = field(default_factory=set)
    exports: set[str] = field(default_factory=set)
    items_set: list[tuple[ast.Subscript, ast.expr | None]] = field(default_factory=list)
    members: set[ast.AST] = field(default_factory=set)

    def origins_of(self, node: ast.expr) -> list[str]:
        """Name what an expression may be, as dotted names: ``o.system`` is ``os.system`` after ``import os as o``."""
        attributes = []
        while isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return []
        heads = self.origins.get(node.id)
        if heads is None:
            # A parameter hides a name in its own function only.
            if not all(bound.is_parameter for bound in self.bound.get(node.id, ())):
                return []
            heads = [joined(module, node.id) for module in self.stars if node.id not in self.bound]
            heads.append(f"builtins.{node.id}")
        if not attributes:
            return heads
        tail = ".".join(reversed(attributes))
        return [joined(head, tail) for head in heads]

    def is_imported(self, node: ast.expr) -> bool:
        """Say whether an attribute is one of something that an import binds, or may."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and (node.id in self.origins or bool(self.stars))

    def bind(self, name: str, value: ast.expr | None = None, *, each: bool = False, is_parameter: bool = False) -> None:
        """Note a binding of a name."""
        self.bound.setdefault(name, []).append(Bound(value, each, is_parameter))


def surveyed(tree: ast.Module) -> Survey:
    """Walk a tree."""
    survey = Survey()
    stack: list[ast.AST] = [tree]
    mentions, calls, strings = survey.mentions, survey.calls, survey.strings
    while stack:  # not ast.walk, which takes twice as long
        node = stack.pop()
        kind = type(node)
        note = _NOTES.get(kind)
        if note is not None:
            note(survey, node)
        for name in _FIELDS[kind]:
            child = getattr(node, name, None)
            items: list[Any] = child if type(child) is list else [child]
            for item in items:
                of = type(item)
                if of is ast.Name or of is ast.Attribute:
                    mentions.append((item, node))
                    if of is ast.Attribute:
                        stack.append(item)
                elif of is ast.Constant:
                    if type(item.value) is str and kind is not ast.JoinedStr and kind is not ast.Expr:
                        strings.add(item.value)
                elif of is ast.Call:
                    calls.append(item)
                    stack.append(item)
                elif item is not None and of is not str and of is not bool:  # names, a missing key, `case True`
                    stack.append(item)
    _follow_aliases(survey)
    return survey


def joined(module: str, name: str) -> str:
    """Write the dotted name of a name in a module, which may be all dots."""
    return f"{module}{name}" if not module or module.endswith(".") else f"{module}.{name}"


def _follow_aliases(survey: Survey) -> None:
    """Find names that stand for an imported one: ``run = os.system``."""
    has_more = True
    while has_more:
        has_more = False
        for name, bindings in survey.bound.items():
            for binding in bindings:
                if isinstance(binding.value, ast.Name | ast.Attribute) and not binding.each:
                    known = survey.origins.get(name, [])
                    found = [each for each in survey.origins_of(binding.value) if _is_known(each) and each not in known]
                    if found and len(known) + len(found) <= _MOST_ORIGINS:
                        survey.origins[name] = known + found
                        has_more = True


def _is_known(origin: str) -> bool:
    module, _, name = origin.partition(".")
    return module != "builtins" or hasattr(builtins, name)


def _import(survey: Survey, node: ast.Import) -> None:
    survey.statements.append(node)
    for alias in node.names:
        name, origin = (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
        _name_origin(survey, name, origin)


def _import_from(survey: Survey, node: ast.ImportFrom) -> None:
    survey.statements.append(node)
    module = "." * node.level + (node.module or "")
    for alias in node.names:
        if alias.name == "*":
            survey.stars.add(module)
        else:
            _name_origin(survey, alias.asname or alias.name, joined(module, alias.name))


def _name_origin(survey: Survey, name: str, origin: str) -> None:
    known = survey.origins.setdefault(name, [])
    if origin not in known:
        known.append(origin)
    survey.bind(name)


def _assign(survey: Survey, node: ast.Assign) -> None:
    for target in node.targets:
        if isinstance(target, ast.Subscript):
            survey.items_set.append((target, node.value))
        elif isinstance(target, ast.Tuple | ast.List):
            survey.items_set.extend((each, None) for each in target.elts if isinstance(each, ast.Subscript))
    for target in node.targets if node not in survey.members else ():
        _bind_target(survey, target, node.value)


def _assign_one(survey: Survey, node: ast.AnnAssign | ast.NamedExpr) -> None:
    if node.value is not None and node not in survey.members:
        _bind_target(survey, node.target, node.value)


def _augment(survey: Survey, node: ast.AugAssign) -> None:
    if isinstance(node.target, ast.Subscript):
        survey.items_set.append((node.target, node.value))
    if isinstance(node.target, ast.Name):
        survey.bind(node.target.id)
        _note_exports(survey, node.target.id, node.value)


def _loop(survey: Survey, node: ast.For | ast.AsyncFor | ast.comprehension) -> None:
    _bind_target(survey, node.target, node.iter, each=True)


def _with(survey: Survey, node: ast.withitem) -> None:
    if node.optional_vars is not None:
        _bind_target(survey, node.optional_vars, None)


def _bind_target(survey: Survey, target: ast.expr, value: ast.expr | None, *, each: bool = False) -> None:
    if isinstance(target, ast.Name):
        survey.bind(target.id, value, each=each)
        if value is not None:
            _note_exports(survey, target.id, value)
        return
    for name in _names_in(target):
        survey.bind(name)


def _names_in(target: ast.expr) -> Iterator[str]:
    stack = [target]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Tuple | ast.List):
            stack.extend(node.elts)
        elif isinstance(node, ast.Starred):
            stack.append(node.value)


def _note_exports(survey: Survey, name: str, value: ast.expr) -> None:
    if name == "__all__":
        # What the list of another module names is bound there, so a star finds it without an import.
        stack = [value]
        while stack:
            match stack.pop():
                case ast.Constant(value=str() as text):
                    survey.exports.add(text)
                case ast.List(elts=parts) | ast.Tuple(elts=parts):
                    stack.extend(parts)
                case ast.Starred(value=part):
                    stack.append(part)
                case ast.BinOp(op=ast.Add(), left=left, right=right):
                    stack += [left, right]
                case ast.Attribute(attr="__all__"):
                    pass
                case _:
                    survey.exports.add("*")


def _note_all(survey: Survey, node: ast.Call) -> None:
    match node.func:
        case ast.Attribute(value=ast.Name(id="__all__")):  # append or extend
            for value in node.args:
                _note_exports(survey, "__all__", value)


def _define(survey: Survey, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    if node not in survey.members:
        survey.bind(node.name)


def _note_class(survey: Survey, node: ast.ClassDef) -> None:
    survey.bind(node.name)
    survey.members.update(node.body)


def _argument(survey: Survey, node: ast.arg) -> None:
    survey.bind(node.arg, is_parameter=True)


def _note_named(survey: Survey, node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar) -> None:
    if node.name is not None:
        survey.bind(node.name)


# The fields that hold nodes with anything to note below them.
_PLAIN = frozenset(
    {
        *("ctx", "op", "ops", "id", "attr", "arg", "name", "names", "level", "module", "kind", "type_comment"),
        *("type_ignores", "asname", "conversion", "is_async", "simple", "tag", "rest", "kwd_attrs"),
    }
)
_FIELDS = {
    kind: tuple(name for name in kind._fields if name not in _PLAIN)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
_NOTES: dict[type[ast.AST], Callable[[Survey, Any], None]] = {
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Assign: _assign,
    ast.AnnAssign: _assign_one,
    ast.NamedExpr: _assign_one,
    ast.AugAssign: _augment,
    ast.For: _loop,
    ast.AsyncFor: _loop,
    ast.comprehension: _loop,
    ast.withitem: _with,
    ast.Call: _note_all,
    ast.FunctionDef: _define,
    ast.AsyncFunctionDef: _define,
    ast.ClassDef: _note_class,
    ast.arg: _argument,
    ast.ExceptHandler: _note_named,
    ast.MatchAs: _note_named,
    ast.MatchStar: _note_named,
}
