"""A preview of a file for notebooks: what it shows is told by its content alone, so running again changes no output."""

from __future__ import annotations

import base64
import bz2
import csv
import gzip
import html
import io
import itertools
import lzma
import os
import sys
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LARGEST_BYTES = 4 << 20  # of a file that is embedded whole: it is stored in the notebook
_HEAD_BYTES = 64 << 10
_ROWS = 10
_COLUMNS = 20
_CELL_CHARACTERS = 80
_LINES = 40
_LINE_CHARACTERS = 200
_ENTRIES = 50

_IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".pdf": "application/pdf",
    ".svg": "image/svg+xml",
}
_TABLES = {".csv": ",", ".tsv": "\t"}
_OPENERS: dict[str, Callable[[str], Any]] = {".gz": gzip.GzipFile, ".bz2": bz2.BZ2File, ".xz": lzma.LZMAFile}


def mimebundle(path: str) -> dict[str, str]:
    """Render a file or directory for display: by MIME type, ``text/plain`` always.

    Deterministic, escaped, and at most a few MB. What is missing, too large, damaged or unknown is only named.

    Args:
        path: The file, named in the output as it is written here.
    """
    # Images get no caption in text/html: nbconvert would prefer it and drop the image. So `caption`.
    try:
        return {"text/plain": path, **_rendered(path)}
    except (OSError, ValueError, EOFError, csv.Error, lzma.LZMAError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "cannot be shown"
        return {"text/plain": f"{path} ({reason[0].lower()}{reason[1:]})"}


def caption(path: str) -> None:
    """Display the name of a picture now, where the session shows pictures; of anything else nothing."""
    ipython: Any = sys.modules["IPython"]
    bundle = mimebundle(path)
    if set(bundle).intersection(_IMAGES.values(), ipython.get_ipython().display_formatter.active_types):
        ipython.display.display({"text/plain": bundle["text/plain"]}, raw=True)


def show(displayable: object, text: str) -> None:
    """Display an object now: in the session's own way, else its text on standard output."""
    ipython: Any = sys.modules.get("IPython")
    marimo: Any = sys.modules.get("marimo")
    if ipython is not None and ipython.get_ipython() is not None:
        ipython.display.display(displayable)
    elif marimo is not None and marimo.running_in_notebook():
        marimo.output.append(displayable)
    else:
        sys.stdout.write(f"{text}\n")


def _rendered(path: str) -> dict[str, str]:
    if os.path.isdir(path):
        return _folder_preview(path)
    if os.path.exists(path) and not os.path.isfile(path):  # to open a pipe would wait for who writes into it
        raise ValueError
    stem, suffix = os.path.splitext(path.lower())
    opener = _OPENERS.get(suffix)
    if opener is not None:
        suffix = os.path.splitext(stem)[1]
    elif suffix in _IMAGES:
        return _image_preview(path, _IMAGES[suffix])
    elif suffix == ".parquet":
        return _parquet(path)
    with opener(path) if opener is not None else open(path, "rb") as file:
        head = file.read(_HEAD_BYTES + 1)
    if suffix in _TABLES:
        return _table_preview(path, head, _TABLES[suffix])
    return _text_preview(path, head)


def _image_preview(path: str, kind: str) -> dict[str, str]:
    size = os.stat(path).st_size
    if size > _LARGEST_BYTES:
        return {"text/plain": f"{path} ({size:,} bytes, too large to be shown in a notebook)"}
    with open(path, "rb") as file:
        content = file.read()
    return {kind: content.decode() if kind == "image/svg+xml" else base64.b64encode(content).decode()}


def _table_preview(path: str, head: bytes, delimiter: str) -> dict[str, str]:
    lines = _decoded(head).splitlines(keepends=True)
    if len(head) > _HEAD_BYTES:
        del lines[-1:]  # cut in the middle
    reader = csv.reader(lines, delimiter=delimiter)
    rows = [
        [_cut(value, _CELL_CHARACTERS) for value in _some(row, _COLUMNS)] for row in itertools.islice(reader, _ROWS + 2)
    ]
    more = len(rows) > _ROWS + 1
    del rows[_ROWS + 1 :]
    if not rows:
        return {"text/plain": f"{path} (empty)"}
    return {"text/plain": _plain_table(path, rows, more=more), "text/html": _html_table(path, rows, more=more)}


def _plain_table(path: str, rows: list[list[str]], *, more: bool) -> str:
    columns = itertools.zip_longest(*rows, fillvalue="")
    widths = [max(map(len, column)) for column in columns]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join([path, *lines, *(["…"] if more else [])])


def _html_table(path: str, rows: list[list[str]], *, more: bool) -> str:
    def line(tag: str, row: Iterable[str]) -> str:
        return f"<tr>{''.join(f'<{tag}>{html.escape(value)}</{tag}>' for value in row)}</tr>"

    body = "".join(line("td", row) for row in rows[1:]) + ("<tr><td>…</td></tr>" if more else "")
    return (
        f"<table><caption><code>{html.escape(path)}</code></caption>"
        f"<thead>{line('th', rows[0])}</thead><tbody>{body}</tbody></table>"
    )


def _text_preview(path: str, head: bytes) -> dict[str, str]:
    if b"\0" in head:
        return {}
    text = _decoded(head)
    if not text:
        return {"text/plain": f"{path} (empty)"}
    lines = text.splitlines()
    shown = [_cut(line, _LINE_CHARACTERS) for line in _some(lines, _LINES)]
    if len(head) > _HEAD_BYTES and len(lines) <= _LINES:
        shown.append("…")
    return {"text/plain": "\n".join([path, *shown])}


def _folder_preview(path: str) -> dict[str, str]:
    lines: list[str] = []
    for directory, names, files in os.walk(path):
        names.sort()
        for name in sorted(files):
            full = os.path.join(directory, name)
            lines.append(f"  {os.path.relpath(full, path)}  {os.lstat(full).st_size:,} bytes")
        if len(lines) > _ENTRIES:
            break
    return {"text/plain": "\n".join([f"{path.rstrip(os.sep)}{os.sep}", *_some(lines, _ENTRIES)])}


def _parquet(path: str) -> dict[str, str]:
    # Through pandas when it is there anyway: importing it for a preview would cost a second.
    pandas: Any = sys.modules.get("pandas")
    if pandas is None or os.stat(path).st_size > _LARGEST_BYTES:
        return {}
    try:
        frame = pandas.read_parquet(path)
    except ImportError:  # pandas has no engine for it
        return {}
    head = io.StringIO()
    frame.iloc[:_ROWS, :_COLUMNS].to_csv(head, index=False)
    rows = list(csv.reader(head.getvalue().splitlines(keepends=True)))
    rows = [[_cut(value, _CELL_CHARACTERS) for value in row] for row in rows]
    more = len(frame) > _ROWS
    return {"text/plain": _plain_table(path, rows, more=more), "text/html": _html_table(path, rows, more=more)}


def _decoded(head: bytes) -> str:
    # The cut may go through a character; anything else that is no UTF-8 is no text.
    text = head.decode("utf-8-sig", errors="ignore" if len(head) > _HEAD_BYTES else "strict")
    return "".join(
        character if character.isprintable() or character in "\n\r\t" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def _some(items: list[str], count: int) -> list[str]:
    return items if len(items) <= count else [*items[:count], "…"]


def _cut(text: str, count: int) -> str:
    return text if len(text) <= count else f"{text[: count - 1]}…"
