"""What most calls find: a file that stands as its call made it, the only output of its run, with nothing beside it.

That is told at once. Whoever asks knows what the record of such a file says, up to its size and times, and what decides
comes first in a record; so the bytes are compared, and that the record is as it was written is told by its checksum.
Nothing is parsed or used of what is read. Whatever is otherwise is left to those who read the record whole: `reuse` and
`condition`.
"""

from __future__ import annotations

import os
import stat
from json.encoder import encode_basestring_ascii as quoted
from typing import TYPE_CHECKING

from .._errors import RecordError
from .condition import signature
from .record import MAX_RECORD_BYTES, SCHEMA, read_whole, sealed

if TYPE_CHECKING:
    from .condition import Memo
    from .folder import Target
    from .key import Key

_SEAL = len(sealed(b""))


def stands(target: Target, key: Key, memo: Memo) -> bool:
    """Tell at once whether such a file is there as *key* made it; False says nothing."""
    path, record_path = target.path, target.record_path
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            return False
        size, mtime_ns = status.st_size, status.st_mtime_ns
        if memo.stood is not None or memo.known is not None:
            now = signature(os.lstat(record_path))
            if memo.stood == (key, size, mtime_ns, now):
                return True
            if memo.known is not None and memo.known[:2] == (record_path, now):
                return False  # it had to be read whole before, and that is remembered
        found = read_whole(record_path, MAX_RECORD_BYTES)
    except (OSError, RecordError):
        return False
    if found is None:
        return False
    text, stamp = found
    if not text.startswith(_head(target.name, key, size, mtime_ns)) or text != sealed(text[:-_SEAL]):  # damaged
        return False
    memo.stood = key, size, mtime_ns, signature(stamp)
    memo.keep()
    return True


def _head(name: str, key: Key, size: int, mtime_ns: int) -> bytes:
    """Write how the record of such a file begins."""
    function, commit, dirty, config_hash, scope_digest, _ = key
    artifact = quoted(name)
    changes = "null" if dirty is None else f'"{dirty}"'
    scope = "null" if scope_digest is None else f'"{scope_digest}"'
    return (
        f'{{\n"schema": {SCHEMA},\n"artifact": {artifact},\n"kind": "file",\n"function": {quoted(function)},\n'
        f'"commit": "{commit}",\n"dirty": {changes},\n"config_hash": "{config_hash}",\n"scope_digest": {scope},\n'
        f'"outputs": [{artifact}],\n"companions": [],\n"undeclared": [],\n"size": {size},\n"mtime_ns": {mtime_ns},\n'
    ).encode()
