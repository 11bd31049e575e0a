"""Notebooks and documents as text: their code cells, and the definitions that stand in them. Pure.

The documents are those of Quarto, R Markdown, MyST and Jupytext's Markdown.

A definition that was typed into a cell is committed if it stands in some code cell at HEAD: definition by definition,
as no session knows reliably which file its cells come from, and a cell need not be saved as it ran.
"""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING, Any

from .._reach.syntax import Outline, definitions, outline, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .._reach.definition import Source

DOCUMENTS = (".qmd", ".Rmd", ".rmd", ".md")
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,}|:{3,})[ \t]*(.*?)[ \t]*$")
_PYTHON = r"(?:python3?|ipython3?)"
# {python}, {python label}, {python, echo=FALSE}: run by Quarto and knitr. {{python}} and {.python} are only shown.
_CHUNK = re.compile(rf"\{{[ \t]*{_PYTHON}(?:[ \t,][^}}]*)?\}}", re.IGNORECASE)
_CODE_CELL = re.compile(rf"\{{code-cell\}}(?:[ \t]+{_PYTHON}\b.*)?", re.IGNORECASE)
_SHOWN = re.compile(rf"{_PYTHON}\b.*", re.IGNORECASE)
_OPTIONS = re.compile(r"\A(?:[ \t]*:[\w-]+:.*\n?)+|\A[ \t]*---[ \t]*\n(?:.*\n)*?[ \t]*---[ \t]*(?:\n|\Z)")
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)


def cells_of_document(text: str) -> Iterator[str]:
    """Iterate over the sources of a document's code cells that are Python.

    What a fence encloses is text to another inside it: a chunk that is quoted in a longer fence is no cell. Plain
    ``python`` fences are cells only where the head of the document says that Jupytext reads it.
    """
    text = text.replace("\r\n", "\n")
    front = _FRONT.match(text)
    is_jupytext = front is not None and re.search(r"^\s*jupytext:", front[1], re.MULTILINE) is not None
    opened, found, lines = "", False, list[str]()
    for line in (text[front.end() :] if front else text).split("\n"):
        fence = _FENCE.match(line)
        if opened:
            if fence and not fence[2] and fence[1].startswith(opened):
                if found:
                    yield _OPTIONS.sub("", textwrap.dedent("\n".join(lines)) + "\n")
                opened = ""
            else:
                lines.append(line)
        elif fence:
            found = _is_cell(fence[2], is_jupytext=is_jupytext)
            # A block between colons holds text in which there are cells, unless it is one.
            if found or not fence[1].startswith(":"):
                opened, lines = fence[1], []


def _is_cell(info: str, *, is_jupytext: bool) -> bool:
    if _CHUNK.fullmatch(info) or _CODE_CELL.fullmatch(info):
        return True
    return is_jupytext and _SHOWN.fullmatch(info) is not None


# Where definitions of a session are looked for, in this order.
SUFFIXES = (".ipynb", ".py", *DOCUMENTS)

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


def outlines(path: str, content: bytes, transform: Callable[[str], str] | None = None) -> frozenset[Outline]:
    """Outline all definitions in the code cells of a file; none where they cannot be parsed.

    Args:
        path: Tells the format by its suffix.
        content: The file's bytes.
        transform: Makes Python of cells with magics, as IPython does; without it, a line that is a magic counts as
            ``pass``.
    """
    found: set[Outline] = set()
    for cell in cells(path, content):
        # %%time and the like; of what is another language, nothing parses.
        tree = parsed(cell) or parsed(_CELL_MAGICS.sub("", cell), transform or plain_python)
        if tree is not None:
            found.update(outline(node) for node in definitions(tree))
    return frozenset(found)


def cells(path: str, content: bytes) -> Iterator[str]:
    """Iterate over the sources of the code cells of a notebook, a document, or a script in one of three formats.

    There are none in a file that is damaged or unresolved, nor in other scripts.
    """
    if path.endswith(".ipynb"):
        yield from _notebook_cells(content)
        return
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return
    if path.endswith(DOCUMENTS):
        yield from cells_of_document(text)
    elif content.startswith(_DATABRICKS):
        for piece in _COMMAND_MARK.split(text.replace("\r\n", "\n")):
            yield _MAGIC_MARK.sub("", _MAGIC_CELL.sub("", piece)) if _MAGIC_CELL.match(piece) else piece
    elif b"marimo" in content and _MARIMO.search(content):
        yield text
    elif b"# %%" in content or b"#%%" in content:
        # Pieces: what stands before the first mark, then in turn the rest of a mark's line and what follows it.
        before, *pieces = _CELL_MARK.split(text)
        yield before
        yield from (piece for title, piece in zip(pieces[::2], pieces[1::2], strict=True) if not _NO_CODE.search(title))


def by_bare(committed: Iterable[Outline]) -> dict[str, list[Outline]]:
    """Sort outlines by that of the definition alone, without its decorators."""
    found: dict[str, list[Outline]] = {}
    for each in committed:
        found.setdefault(each.bare, []).append(each)
    return found


def missing(sources: Iterable[Source], committed: Mapping[str, list[Outline]]) -> list[Source]:
    """List the definitions that stand in no code cell; one whose source is unknown never does.

    Args:
        sources: The definitions.
        committed: Those that stand in code cells, as `by_bare` sorts them.
    """
    return [source for source in sources if not _is_in(source, committed)]


def plain_python(cell: str) -> str:
    """Make Python of a cell with magic lines, as far as that goes without IPython."""
    return _MAGIC_LINE.sub(r"\1pass", cell)


def _is_in(source: Source, committed: Mapping[str, list[Outline]]) -> bool:
    if source.outline is None:
        return False
    # Our own decorator may be written differently: its configuration is in the hash anyway.
    wanted = source.outline.without(source.ours)
    return any(found.without(source.ours) == wanted for found in committed.get(source.outline.bare, ()))


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
