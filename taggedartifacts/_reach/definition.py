"""Definitions of interactive functions and classes: their source, verified against the code that runs."""

from __future__ import annotations
import __future__

import ast
import contextlib
import functools
import inspect
import itertools
import linecache
import operator
import sys
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .._errors import UnhashableError
from .._hashing import hexdigest
from .members import methods, nested, reads, same
from .prompt import (
    INTERACTIVE_FILE,
    MOST_SENT,
    by_name,
    code_digest,
    definition_key,
    has_arrived,
    is_from_session,
    is_interactive_class,
    sent,
    shell,
)
from .syntax import (
    DefinitionNode,
    Outline,
    callee,
    decorators_of,
    definitions,
    first_line,
    node_digest,
    outline,
    tree_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_FUTURE_FLAGS = functools.reduce(
    operator.or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
)


@dataclass(frozen=True, slots=True)
class Source:
    """What an interactive definition says, taken while its source is at hand.

    Attributes:
        name: Its qualified name.
        code: Digest of the definition without the decorators that are ours; of the byte code where no source was found.
        outline: The definition and all its decorators; None where no source was found.
        ours: Digests of the decorators' names that resolve to ours.
        reads: The global names that its code reads, sorted.
        text: The definition as Python code, without comments; None where no source was found.
        strings: The strings that stand in its code, without docstrings where a source was found; sorted.
        is_data: Whether it is a class without code, made by a call as of ``namedtuple``: what it holds are values.
    """

    name: str
    code: str
    outline: Outline | None
    ours: frozenset[str]
    reads: tuple[str, ...]
    text: str | None = None
    strings: tuple[str, ...] = ()
    is_data: bool = False


# As long as the definition itself.
_taken: WeakKeyDictionary[FunctionType | type, tuple[CodeType | None, Source]] = WeakKeyDictionary()


def source_of(value: FunctionType | type) -> Source:
    """Take the source of an interactive function or class, or recall it as it was taken."""
    code = value.__code__ if isinstance(value, FunctionType) else None
    known = _taken.get(value)
    if known is None or known[0] is not code:
        source = _function_source(value) if isinstance(value, FunctionType) else _class_source(value)
        known = _taken[value] = (code, source)
    return known[1]


def carried(values: Iterable[FunctionType | type]) -> dict[str, Source]:
    """Pack the sources of definitions for a worker, which gets their code only, by the digest of that code."""
    return {definition_key(value): source_of(value) for value in values if isinstance(value, FunctionType | type)}


def of_session(space: Mapping[str, Any]) -> Iterator[FunctionType | type]:
    """Iterate over what a session has defined so far; what wraps a definition of it stands for that."""
    for value in list(space.values()):
        plain = inspect.unwrap(value) if isinstance(value, FunctionType) else value
        if isinstance(plain, FunctionType) and is_from_session(plain):
            yield plain
        elif isinstance(plain, type) and is_interactive_class(plain):
            yield plain
            yield from methods(plain).values()


def unpack(sources: Mapping[str, Source]) -> None:
    """Make known, in a worker, the sources of the functions that were sent to it."""
    sent.update(sources)
    if (excess := len(sent) - MOST_SENT) > 0:
        for key in [each for each in list(sent) if each not in sources][:excess]:
            sent.pop(key, None)  # another thread may have done it


def _unknown(value: FunctionType | type) -> UnhashableError:
    return UnhashableError(
        f"{value.__qualname__} was defined interactively, and came to this process without what tells its definition; "
        "define it in a module, or send it as an argument of a decorated function of the same session"
    )


def is_our_decorator(value: object) -> bool:
    """Tell whether an object is this library's, or a partial application of what is."""
    while isinstance(value, functools.partial):
        value = value.func
    kind = value if isinstance(value, type | FunctionType) else type(value)
    return (kind.__module__ or "").partition(".")[0] == __name__.partition(".")[0]


def replaced(function: FunctionType) -> str | None:
    """Digest the code of a module's function that the module has replaced, by loading it again; None for others."""
    module = sys.modules.get(function.__module__ or "")
    standing = None if module is None else by_name(vars(module), function.__qualname__)
    if not isinstance(standing, FunctionType) or standing.__code__.co_filename != function.__code__.co_filename:
        return None
    return None if standing is function else code_digest(function.__code__)


def _function_source(function: FunctionType) -> Source:
    code = function.__code__
    arrived = has_arrived(function)
    if arrived and isinstance(source := sent.get(code_digest(code)), Source):
        return source
    names = tuple(sorted(set(reads(code))))
    # What was sent here as a value is of a module's file, which holds this very code, or of nothing that is known here.
    texts = () if arrived else _code_texts(code, function.__name__)
    for text in itertools.chain(texts, _file_texts(function)):
        if (node := _located(text, code)) is not None:
            return _source(function.__qualname__, node, function.__globals__, names)
    if arrived:
        raise _unknown(function)
    constants = {each for part in nested(code) for each in part.co_consts if isinstance(each, str)}
    return Source(function.__qualname__, code_digest(code), None, frozenset(), names, None, tuple(sorted(constants)))


def _source(name: str, node: DefinitionNode, space: Mapping[str, Any], reads: tuple[str, ...]) -> Source:
    named = [callee(decorator) for decorator in decorators_of(node)]
    ours = frozenset(node_digest(expression) for expression in named if is_our_decorator(_resolved(expression, space)))
    found = outline(node)
    code = hexdigest("\n".join(found.without(ours)).encode())
    try:
        text = ast.unparse(node)
    except RecursionError:  # a sum of a thousand terms
        text = None
    return Source(name, code, found, ours, reads, text, tuple(sorted(set(_strings_in(node)))))


def _strings_in(node: DefinitionNode) -> Iterator[str]:
    pending: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else [*node.body]
    while pending:
        match item := pending.pop():
            case ast.Expr(value=ast.Constant(value=str())):
                continue  # a docstring
            case ast.Constant(value=str() as text):
                yield text
            case _:
                pending += ast.iter_child_nodes(item)


def _class_source(kind: type) -> Source:
    if isinstance(source := sent.get(definition_key(kind)), Source):
        return source
    functions = list(methods(kind).values())
    if any(has_arrived(each) for each in vars(kind).values() if isinstance(each, FunctionType)):
        raise _unknown(kind)
    codes = [function.__code__ for function in functions]
    space = functions[0].__globals__ if functions else vars(sys.modules[kind.__module__])
    texts = _code_texts(codes[0], kind.__name__) if codes else _session_texts(kind.__name__)
    is_data = False
    for text in texts:
        tree, bodies = _codes(text, codes[0].co_flags if codes else 0)
        for body in bodies:
            if body.co_name == kind.__name__ and body.co_qualname == kind.__qualname__:
                inner = list(nested(body))
                if all(any(same(code, other) for other in inner) for code in codes):
                    node = _node_at(text, body)
                    if isinstance(node, ast.ClassDef) and _annotated(node) == list(
                        vars(kind).get("__annotations__", ())
                    ):
                        return _source(kind.__qualname__, node, space, ())
        if is_data := not codes and tree is not None and _makes(tree, kind.__name__):
            break
    by_code = hexdigest("\n".join(code_digest(code) for code in codes).encode())
    return Source(kind.__qualname__, by_code, None, frozenset(), (), is_data=is_data)


def _makes(tree: ast.Module, name: str) -> bool:
    """Tell whether a text makes a class of a name by a call, which all take the name first."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)
    return any(isinstance(call.args[0], ast.Constant) and call.args[0].value == name for call in calls)


def _annotated(node: ast.ClassDef) -> list[str]:
    names = [
        item.target.id for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    ]
    return list(dict.fromkeys(names))


def _code_texts(code: CodeType, name: str) -> Iterator[str]:
    # The source that Python or IPython keeps for this code. It may be another's (`exec` under `python -c` gives the
    # text of the command), so whoever takes it verifies it.
    with contextlib.suppress(OSError):
        yield "".join(inspect.findsource(code)[0])
    # No source is kept for what the body of a cell under %%time and the like defines.
    for cell in _cells_with("lambda" if name == "<lambda>" else name):
        yield from _magic_bodies(cell)


def _file_texts(function: FunctionType) -> Iterator[str]:
    # A function that was sent to a worker by value says no more which file its code comes from, but its module's.
    file = function.__globals__.get("__file__")
    if isinstance(file, str) and (file != function.__code__.co_filename or has_arrived(function)):
        yield "".join(linecache.getlines(file))


def _session_texts(name: str) -> Iterator[str]:
    # A cell that is run again keeps its old place among the sources: newest in the history comes first.
    for cell in _cells_with(name):
        yield cell
        yield from _magic_bodies(cell)
    for file, entry in reversed(list(linecache.cache.items())):
        if len(entry) > 1 and INTERACTIVE_FILE.search(file):
            text = "".join(entry[2])
            if name in text:
                yield text


def _cells_with(name: str) -> Iterator[str]:
    """Iterate over the cells of IPython in which a name stands, newest first."""
    session = shell()
    for cell in reversed(session.history_manager.input_hist_parsed) if session is not None else ():
        if name in cell:
            yield cell


def _magic_bodies(cell: str) -> Iterator[str]:
    for node in ast.walk(tree_of(cell)) if "run_cell_magic" in cell else ():
        match node:
            case ast.Call(func=ast.Attribute(attr="run_cell_magic"), args=[_, _, ast.Constant(value=str() as body)]):
                yield shell().transform_cell(body)


def _located(text: str, code: CodeType) -> DefinitionNode | None:
    # Positions are ignored, since the body of a %%time cell is numbered on its own; they decide among equals.
    candidates = [other for other in _codes(text, code.co_flags)[1] if same(code, other)]
    exact = [other for other in candidates if other.co_firstlineno == code.co_firstlineno]
    nodes = [_node_at(text, other) for other in exact or candidates]
    digests = {None if node is None else node_digest(node) for node in nodes}
    return nodes[0] if len(digests) == 1 else None


def _node_at(text: str, code: CodeType) -> DefinitionNode | None:
    tree = _codes(text, code.co_flags)[0]
    found = [node for node in definitions(tree) if _stands_for(node, code)] if tree is not None else []
    if len(found) > 1 and len({node_digest(node) for node in found}) > 1:
        return None
    return found[0] if found else None


def _stands_for(node: DefinitionNode, code: CodeType) -> bool:
    if first_line(node) != code.co_firstlineno:
        return False
    if not isinstance(node, ast.Lambda):
        return node.name == code.co_name
    if code.co_name != "<lambda>":
        return False
    body = (node.body.lineno, node.body.end_lineno, node.body.col_offset, node.body.end_col_offset)
    positions = list(code.co_positions())
    return body in positions or (_lie_in(node.body, positions) and same(_alone(node, code), _not_nested(code)))


def _lie_in(node: ast.expr, positions: Iterable[tuple[int | None, ...]]) -> bool:
    # Python 3.12 gives a constant that is returned no columns; every version begins with an instruction without them.
    begin, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
    known = [each for each in positions if None not in each and each[2:] != (0, 0)]
    return all(begin <= (first, left) and (last, right) <= end for first, last, left, right in known)


def _alone(node: ast.Lambda, code: CodeType) -> CodeType:
    # Of what compilers fold to a constant, no position is that of the body. It has no names that enclosing code binds.
    args = ast.arguments(**{**dict(ast.iter_fields(node.args)), "defaults": [], "kw_defaults": []})
    args.kw_defaults = [None] * len(args.kwonlyargs)
    expression = ast.fix_missing_locations(ast.Expression(ast.copy_location(ast.Lambda(args, node.body), node)))
    compiled = compile(expression, "<definition>", "eval", code.co_flags & _FUTURE_FLAGS, dont_inherit=True)
    return next(each for each in compiled.co_consts if isinstance(each, CodeType))


def _not_nested(code: CodeType) -> CodeType:
    return code.replace(co_flags=code.co_flags & ~inspect.CO_NESTED)


def _codes(text: str, flags: int) -> tuple[ast.Module | None, tuple[CodeType, ...]]:
    return _compiled(text, flags & _FUTURE_FLAGS)


@functools.lru_cache(maxsize=16)  # the cells of which definitions were looked for last
def _compiled(text: str, flags: int) -> tuple[ast.Module | None, tuple[CodeType, ...]]:
    # Cells may await at their top level; only the __future__ flags of earlier cells change what a definition means.
    flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        tree = tree_of(text)
        code = compile(text, "<definition>", "exec", flags=flags, dont_inherit=True)
        # IPython compiles each statement alone, and what an import in the same text binds is called by other code.
        alone = [ast.Module([each], []) for each in tree.body] if len(tree.body) > 1 else []
        codes = [code, *(compile(each, "<definition>", "exec", flags=flags, dont_inherit=True) for each in alone)]
    except (SyntaxError, ValueError):
        return None, ()
    return tree, tuple(part for each in codes for part in nested(each))


def _resolved(expression: ast.expr, space: Mapping[str, Any]) -> object:
    # Looks up names and the attributes of modules and classes only: nothing that could run code.
    if isinstance(expression, ast.Name):
        return space.get(expression.id)
    if isinstance(expression, ast.Attribute):
        owner = _resolved(expression.value, space)
        return vars(owner).get(expression.attr) if isinstance(owner, ModuleType | type) else None
    return None
