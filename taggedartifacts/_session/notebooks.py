"""Notebooks and documents as text: their code cells, and the definitions that stand in them. Pure.

The documents are those of Quarto, R Markdown, MyST and Jupytext's Markdown.

A definition that was typed into a cell is committed if it stands in some code cell at HEAD: definition by definition,
as no session knows reliably which file its cells come from, and a cell need not be saved as it ran.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from .._reach.syntax import Outline, definitions, outline, parsed
from . import chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .._reach.definition import Source

# Where definitions of a session are looked for, in this order.
SUFFIXES = (".ipynb", ".py", *chunks.SUFFIXES)

_CELL_MARK = re.compile(r"^# ?%%(.*)$", re.MULTILINE)
_NO_CODE = re.compile(r"\[(markdown|md|raw)\]")
_CELL_MAGICS = re.compile(r"\A(?:\s*%%.*\n)+")
# A line, or the right side of an assignment, that IPython understands and Python does not.
_MAGIC_LINE = re.compile(r"^([ \t]*)(?:[%!?].*|[^#\n]*\?|[\w.,\[\] \t]+=[ \t]*[%!].*)$", re.MULTILINE)
_MARIMO = re.compile(rb"^\s*@app\.(cell|function|class_definition)\b", re.MULTILINE)
_DATABRICKS = b"# Databricks notebook source"
_COMMAND_MARK = re.compile(r"^# COMMAND -+[ \t]*$", re.MULTILINE)
# A cell that names its language is written as a comment.
_MAGIC_CELL = re.compile(r"\A\s*# MAGIC %python[ \t]*\n")
_MAGIC_MARK = re.compile(r"^# MAGIC ?", re.MULTILINE)


def stands_in_code(path: str, content: bytes) -> bool:
    """Tell whether a file has code cells: a notebook, a document, or a script in one of three formats."""
    if path.endswith(".py"):
        return b"# %%" in content or b"#%%" in content or content.startswith(_DATABRICKS) or _is_marimo(content)
    return path.endswith(SUFFIXES)


def outlines(path: str, content: bytes, transform: Callable[[str], str] | None = None) -> frozenset[Outline]:
    """Outline all definitions in the code cells of a file; none where it cannot be parsed.

    Args:
        path: Tells the format by its suffix.
        content: The file's bytes.
        transform: Makes Python of cells with magics, as IPython does; without it, a line that is a magic counts as
            ``pass``.
    """
    found: set[Outline] = set()
    for cell in cells(path, content):
        # %%time and the like; of what is another language, nothing parses.
        tree = parsed(cell) or parsed(_CELL_MAGICS.sub("", cell), transform or plain)
        if tree is not None:
            found.update(outline(node) for node in definitions(tree))
    return frozenset(found)


def cells(path: str, content: bytes) -> Iterator[str]:
    """Iterate over the sources of a file's code cells; there are none in a file that is damaged or unresolved."""
    if path.endswith(".ipynb"):
        yield from _notebook_cells(content)
        return
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return
    if path.endswith(chunks.SUFFIXES):
        yield from chunks.chunks(text)
        return
    if content.startswith(_DATABRICKS):
        for piece in _COMMAND_MARK.split(text.replace("\r\n", "\n")):
            yield _MAGIC_MARK.sub("", _MAGIC_CELL.sub("", piece)) if _MAGIC_CELL.match(piece) else piece
        return
    if _is_marimo(content):
        yield text
        return
    # Pieces: what stands before the first mark, then in turn the rest of a mark's line and what follows it.
    before, *pieces = _CELL_MARK.split(text)
    yield before
    yield from (piece for title, piece in zip(pieces[::2], pieces[1::2], strict=True) if not _NO_CODE.search(title))


def missing(sources: Iterable[Source], committed: Iterable[Outline]) -> list[str]:
    """List the names of the definitions that stand in no code cell; one whose source is unknown never does."""
    by_bare: dict[str, list[Outline]] = {}
    for found in committed:
        by_bare.setdefault(found.bare, []).append(found)
    return sorted(source.name for source in sources if not _is_in(source, by_bare))


def plain(cell: str) -> str:
    """Make Python of a cell with magic lines, as far as that goes without IPython."""
    return _MAGIC_LINE.sub(r"\1pass", cell)


def _is_in(source: Source, by_bare: Mapping[str, list[Outline]]) -> bool:
    if source.outline is None:
        return False
    # Our own decorator may be written differently: its configuration is in the hash anyway.
    wanted = source.outline.without(source.ours)
    return any(found.without(source.ours) == wanted for found in by_bare.get(source.outline.bare, ()))


def _is_marimo(content: bytes) -> bool:
    return b"marimo" in content and _MARIMO.search(content) is not None


def _notebook_cells(content: bytes) -> Iterator[str]:
    try:
        notebook = json.loads(content)
    except ValueError:  # a merge conflict, a pointer of git-lfs, a truncated file
        return
    for cell in _cells_of(notebook):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source", cell.get("input"))  # "input" in notebooks of format 3
            if isinstance(source, list) and all(isinstance(line, str) for line in source):
                source = "".join(source)
            if isinstance(source, str):
                yield source.replace("\r\n", "\n")


def _cells_of(notebook: Any) -> list[Any]:
    if not isinstance(notebook, dict):
        return []
    sheets = notebook.get("worksheets")  # format 3
    holders = [notebook, *(sheets if isinstance(sheets, list) else [])]
    found = [holder.get("cells") for holder in holders if isinstance(holder, dict)]
    return [cell for cells in found if isinstance(cells, list) for cell in cells]
