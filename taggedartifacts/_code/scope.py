"""The scope: which paths of the repository are the code that decides a result."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING, Any

from .._errors import ScopeError
from .._git.trees import NOTEBOOK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_KEYS = ("scope", "allow_dirty")


def choose_scope(root: str, scope: Sequence[str], exists: Callable[[str], bool]) -> tuple[str, ...]:
    """Settle the scope: the decorator's own, else the project's default, else the whole repository, which is ``()``.

    Args:
        root: The root of the work tree.
        scope: What the decorator was given.
        exists: Says whether a path relative to the root is there at HEAD.

    Raises:
        ScopeError: If a path lies outside the repository or is not there at HEAD, or the project's setting is wrong.
    """
    if isinstance(scope, str):
        raise ScopeError(f"scope={scope!r} must be a sequence of paths, as in scope=[{scope!r}]")
    place, paths = ("scope=", scope) if scope else (setting_file(root), project_settings(root).get("scope", ()))
    chosen = []
    for path in paths:
        relative = os.path.normpath(os.fspath(path))
        if os.path.isabs(relative) or relative.split(os.sep)[0] == os.pardir:
            raise ScopeError(f"{place}: {path!r} lies outside the repository {root}; give paths relative to its root")
        relative = relative.replace(os.sep, "/")  # as git writes paths, on Windows too
        if relative != os.curdir and not exists(relative):
            raise ScopeError(f"{place}: {path!r} is not in the repository {root} at HEAD; correct it, or commit it")
        chosen.append(relative)
    return () if os.curdir in chosen else tuple(sorted(set(chosen)))


def in_scope(path: str, scope: Sequence[str]) -> bool:
    """Say whether a path relative to the root is code in scope; a notebook only is if the scope names it."""
    if path in scope:
        return True
    return not path.endswith(NOTEBOOK) and (not scope or any(path.startswith(f"{part}/") for part in scope))


def setting_file(root: str) -> str:
    """Name the file in which a project's settings stand."""
    return os.path.join(root, "pyproject.toml")


def project_settings(root: str) -> dict[str, Any]:
    """Read what ``[tool.taggedartifacts]`` says in the ``pyproject.toml`` of a work tree, checked.

    Raises:
        ScopeError: If it cannot be read, or says what it cannot.
    """
    file = setting_file(root)
    try:
        with open(file, "rb") as opened:
            project = tomllib.load(opened)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ScopeError(f"{file} cannot be read: {error}; mend it, the scope may stand there") from error
    tools = project.get("tool", {})
    settings = tools.get("taggedartifacts", {}) if isinstance(tools, dict) else {}
    if not isinstance(settings, dict):
        raise ScopeError(f"{file}: 'tool.taggedartifacts' must be a table, not {settings!r}")
    for key in settings:
        if key not in _KEYS:
            raise ScopeError(f"{file}: unknown key {key!r} in [tool.taggedartifacts]; known: {', '.join(_KEYS)}")
    scope = settings.get("scope", [])
    if not isinstance(scope, list) or not all(isinstance(path, str) for path in scope):
        raise ScopeError(f"{file}: 'scope' in [tool.taggedartifacts] must be a list of strings, not {scope!r}")
    if not isinstance(allowed := settings.get("allow_dirty", False), bool):
        raise ScopeError(f"{file}: 'allow_dirty' in [tool.taggedartifacts] must be true or false, not {allowed!r}")
    return settings
