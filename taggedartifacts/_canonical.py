"""Canonical form: the one encoding of a value from which config hashes are computed (docs/config-hash.rst)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ._errors import UnhashableError
from ._hashing import hexdigest

if TYPE_CHECKING:
    from collections.abc import Mapping


def canonical(value: object) -> bytes:
    """Encode a value canonically."""
    return encode(value, "value")


def encode(value: object, place: str) -> bytes:
    """Encode a value that stands at *place* (as in ``argument 'model'``), which errors name."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()
    except TypeError as error:
        raise UnhashableError(f"{place}: {error}") from error


def join(parts: Mapping[str, bytes]) -> bytes:
    """Join values that are encoded already into the encoding of a dict of them."""
    members = (json.dumps(key).encode() + b":" + parts[key] for key in sorted(parts))
    return b"{" + b",".join(members) + b"}"


def config_hash(value: object) -> str:
    """Hash a value: xxh3_128 of its canonical form, 32 hex digits."""
    return hexdigest(canonical(value))
