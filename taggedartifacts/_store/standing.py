"""What most calls find: a file that stands as its call made it, the only output of its run, with nothing beside it.

That is told at once. Whoever asks knows what the record of such a file says, up to its size and times, and what decides
comes first in a record; so the bytes are compared, and nothing is parsed or used of what is read. Whatever is otherwise
is left to those who read the record whole: `reuse` and `condition`.
"""

from __future__ import annotations

import os
import stat
from json.encoder import encode_basestring_ascii as quoted
from typing import TYPE_CHECKING

from .._errors import RecordError
from .._memory import Memory
from .condition import signature
from .record import END, MAX_RECORD_BYTES, SCHEMA, read_whole

if TYPE_CHECKING:
    from .folder import Target
    from .key import Key

# By path, what was found to stand there: what made it, its size and time, and the stat of the record that says so.
_known: Memory[str, tuple[Key, int, int, tuple[int, ...]]] = Memory()
_KNOWN_BYTES = 1000


def stands(target: Target, key: Key) -> bool:
    """Tell at once whether such a file is there as *key* made it; False says nothing."""
    path, record_path = target.path, target.record_path
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            return False
        size, mtime_ns = status.st_size, status.st_mtime_ns
        known = _known.get(path)
        if known is not None and known == (key, size, mtime_ns, signature(os.lstat(record_path))):
            return True
        found = read_whole(record_path, MAX_RECORD_BYTES)
    except (OSError, RecordError):
        return False
    if found is None:
        return False
    text, stamp = found
    if not text.startswith(_head(target.name, key, size, mtime_ns)) or not text.endswith(END):  # nor cut short
        return False
    _known.put(path, (key, size, mtime_ns, signature(stamp)), _KNOWN_BYTES)
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
