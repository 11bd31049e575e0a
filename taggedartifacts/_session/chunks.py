"""The code cells of documents: Quarto, R Markdown, MyST and Jupytext's Markdown. Pure."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = (".qmd", ".Rmd", ".rmd", ".md")
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,}|:{3,})[ \t]*(.*?)[ \t]*$")
_PYTHON = r"(?:python3?|ipython3?)"
# {python}, {python label}, {python, echo=FALSE}: run by Quarto and knitr. {{python}} and {.python} are only shown.
_CHUNK = re.compile(rf"\{{[ \t]*{_PYTHON}(?:[ \t,][^}}]*)?\}}", re.IGNORECASE)
_CODE_CELL = re.compile(rf"\{{code-cell\}}(?:[ \t]+{_PYTHON}\b.*)?", re.IGNORECASE)
_SHOWN = re.compile(rf"{_PYTHON}\b.*", re.IGNORECASE)
_OPTIONS = re.compile(r"\A(?:[ \t]*:[\w-]+:.*\n?)+|\A[ \t]*---[ \t]*\n(?:.*\n)*?[ \t]*---[ \t]*(?:\n|\Z)")
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)


def chunks(text: str) -> Iterator[str]:
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
