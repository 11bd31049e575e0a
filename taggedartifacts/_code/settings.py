"""The settings of the project, as its pyproject.toml has them, and whether they allow code that is not committed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from .._errors import RepositoryError, ScopeError
from .._memory import once_read

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = "pyproject.toml"
_LISTS = ("also", "scope")
_KEYS = (*_LISTS, "allow_dirty")
# Where tools that take the version from git are told which file to write it to: setuptools_scm, hatch-vcs,
# versioningit, PDM.
_VERSION_FILES = (
    ("setuptools_scm", "write_to"),
    ("setuptools_scm", "version_file"),
    ("hatch", "build", "hooks", "vcs", "version-file"),
    ("versioningit", "write", "file"),
    ("pdm", "version", "write_to"),
)


class Settings(NamedTuple):
    """What the project says.

    Attributes:
        scope: Paths relative to the root that decide results beside what imports reach.
        also: Paths of further repositories that count.
        generated: Version files that the build writes from git, relative to the root.
        allow_dirty: Whether code that is not committed is allowed to all functions.
    """

    scope: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    generated: frozenset[str] = frozenset()
    allow_dirty: bool = False


def read_settings(root: str) -> Settings:
    """Read the settings of the work tree at *root*.

    Raises:
        ScopeError: If the file cannot be read, or says something that has no meaning.
    """
    file = os.path.join(root, FILE)
    try:
        with open(file, "rb") as opened:
            text = opened.read()
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except OSError as error:
        raise ScopeError(f"{file} cannot be read: {error}; mend it: it may say what counts as the code") from error
    return parse_settings(text, file)


def parse_settings(text: bytes, file: str) -> Settings:
    """Read the settings in the text of a ``pyproject.toml``; *file* names it in errors.

    Raises:
        ScopeError: If the text cannot be read, or says something that has no meaning.
    """
    import tomllib  # 4 ms: only where there is such a file

    try:
        project = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScopeError(f"{file} cannot be read: {error}; mend it: it may say what counts as the code") from error
    tools = project.get("tool", {})
    tools = tools if isinstance(tools, dict) else {}
    settings = tools.get("taggedartifacts", {})
    if not isinstance(settings, dict):
        raise ScopeError(f"{file}: 'tool.taggedartifacts' must be a table, not {settings!r}")
    for key in settings:
        if key not in _KEYS:
            raise ScopeError(f"{file}: unknown key {key!r} in [tool.taggedartifacts]; known: {', '.join(_KEYS)}")
    lists = {}
    for key in _LISTS:
        lists[key] = settings.get(key, [])
        if not isinstance(lists[key], list) or not all(isinstance(path, str) and path for path in lists[key]):
            raise ScopeError(f"{file}: {key!r} in [tool.taggedartifacts] must be a list of paths, not {lists[key]!r}")
    allowed = settings.get("allow_dirty", False)
    if not isinstance(allowed, bool):
        raise ScopeError(f"{file}: 'allow_dirty' in [tool.taggedartifacts] must be true or false, not {allowed!r}")
    return Settings(tuple(lists["scope"]), tuple(lists["also"]), frozenset(_generated(tools)), allowed)


def _generated(tools: dict[str, Any]) -> Iterator[str]:
    for keys in _VERSION_FILES:
        value: Any = tools
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str):
            yield os.path.normpath(value).replace(os.sep, "/")


_VARIABLE = "TAGGEDARTIFACTS_ALLOW_DIRTY"


def allows_dirty(root: str | None) -> bool:
    """Tell whether this process, or the project, allows dirty code to all functions; the process has precedence.

    Args:
        root: The root of the work tree; None where there is none.

    Raises:
        RepositoryError: If the variable says something else than yes or no.
        ScopeError: If the project's settings are wrong.
    """
    value = os.environ.get(_VARIABLE, "")
    if value not in ("", "0", "1"):
        raise RepositoryError(f"{_VARIABLE}={value!r}: set it to 1 to allow code that is not committed, or to 0")
    if value:
        return value == "1"
    if root is None:
        return False
    return once_read(os.path.join(root, FILE), _is_allowed_in)


def _is_allowed_in(file: str) -> bool:
    return read_settings(os.path.dirname(file)).allow_dirty
