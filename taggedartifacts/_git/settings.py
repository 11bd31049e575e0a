"""Settings of git, read from the repositories of pygit2 without importing it."""

from __future__ import annotations

from typing import Any


def is_on(opened: Any, name: str, *, unset: bool = False) -> bool:
    """Say whether a setting is on in the repository; *unset* where nothing sets it."""
    return bool(opened.config.get_bool(name)) if name in opened.config else unset


def is_partial(opened: Any) -> bool:
    """Say whether the repository leaves objects at a remote until they are asked for, as a partial clone does."""
    return any(is_on(opened, f"remote.{name}.promisor") for name in opened.remotes.names())
