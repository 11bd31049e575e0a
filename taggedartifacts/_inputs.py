"""Input files: their content as it enters the config hash."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ._errors import InputError
from ._hashing import file_hexdigest

if TYPE_CHECKING:
    from collections.abc import Mapping


def input_contents(paths: Mapping[str, object]) -> dict[str, object]:
    """Describe the content of input files and directories by parameter; what it returns has a canonical form.

    Raises:
        InputError: If one is missing or cannot be read; names the parameter and the path.
    """
    contents: dict[str, object] = {}
    for name, path in paths.items():
        try:
            contents[name] = file_hexdigest(os.fspath(path))  # type: ignore[call-overload]
        except OSError as error:
            raise InputError(f"input {name!r}: {path}: {error.strerror}") from error
    return contents
