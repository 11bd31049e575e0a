"""Patches: a change of one path, as bytes that ``git apply`` takes. Pure: touches no disk.

What stands between the contents is written by libgit2, the head by hand. ``pygit2.Patch`` (1.21) takes no name that is
not UTF-8 and no mode, so it can write no new mode, no executable file and no link; and it leaves out the tab behind a
name with spaces, without which ``patch`` cuts such a name short.

Source of the format: "Generating patch text with -p" in git-diff(1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_QUOTED = re.compile(rb'[\x00-\x1f"\\\x7f]')
_TYPE = 0o170000


class Side(NamedTuple):
    """One side of a change: mode, object id and content, as git stores them."""

    mode: int
    oid: str
    content: bytes


def file_patch(path: bytes, old: Side | None, new: Side | None, difference: Callable[[bytes, bytes], bytes]) -> bytes:
    """Write the patch that takes a path from *old* to *new*, where None is its absence.

    Args:
        path: The path relative to the root.
        old: What the commit holds.
        new: What the work tree holds.
        difference: Gives what a patch says between two contents: hunks, or what stands for binary content.
    """
    if old and new and old.mode & _TYPE != new.mode & _TYPE:
        return file_patch(path, old, None, difference) + file_patch(path, None, new, difference)
    lines = [b"diff --git %s %s\n" % (_name(b"a/", path), _name(b"b/", path))]
    if old is None and new is not None:
        lines.append(b"new file mode %o\n" % new.mode)
    elif new is None and old is not None:
        lines.append(b"deleted file mode %o\n" % old.mode)
    elif old and new and old.mode != new.mode:
        lines.append(b"old mode %o\nnew mode %o\n" % (old.mode, new.mode))
    before, after = (old.content if old else b""), (new.content if new else b"")
    known = old or new
    none = "0" * len(known.oid) if known else ""
    oids = (old.oid if old else none).encode(), (new.oid if new else none).encode()
    if oids[0] != oids[1]:
        same_mode = b" %o" % old.mode if old and new and old.mode == new.mode else b""
        lines.append(b"index %s..%s%s\n" % (*oids, same_mode))
    if before != after:
        body = difference(before, after)
        if body.startswith(b"@@ "):
            names = _name(b"a/", path) if old else b"/dev/null", _name(b"b/", path) if new else b"/dev/null"
            # A tab behind a name with spaces, as git writes it, or the name would end at the first of them.
            tab = b"\t" if b" " in path else b""
            lines.append(b"--- %s%s\n+++ %s%s\n" % (names[0], tab, names[1], tab))
        lines.append(body)
    return b"".join(lines)


def _name(prefix: bytes, path: bytes) -> bytes:
    if not _QUOTED.search(path):
        return prefix + path
    return b'"%s%s"' % (prefix, _QUOTED.sub(lambda found: b"\\%03o" % found[0][0], path))
