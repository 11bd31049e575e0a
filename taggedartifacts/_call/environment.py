"""The environment of a run, as the record keeps it: not part of the tag, shown when two artifacts are compared."""

from __future__ import annotations

import functools
import platform
import socket
import sys
from typing import TypedDict


class Environment(TypedDict):
    """The fields of a `Record` that describe the environment."""

    python: str
    platform: str
    host: str
    packages: dict[str, str]


def environment() -> Environment:
    """Describe where this process runs, with the versions of the packages that it has imported."""
    names = {name.partition(".")[0] for name in list(sys.modules)} - sys.stdlib_module_names
    versions = ((name, _version(name)) for name in sorted(names) if not name.startswith("_"))
    return {
        "python": platform.python_version(),
        "platform": _platform(),
        "host": socket.gethostname(),
        "packages": {name: version for name, version in versions if version is not None},
    }


@functools.cache
def _platform() -> str:
    return f"{platform.system()} {platform.release()} {platform.machine()}"


@functools.cache
def _version(package: str) -> str | None:
    # Not by getattr: a module that computes its version when asked may warn that this is deprecated.
    version = getattr(sys.modules.get(package), "__dict__", {}).get("__version__")
    if isinstance(version, str):
        return version
    from importlib import metadata  # 30 ms: only for packages that do not say their version themselves

    try:
        return metadata.version(package)
    except (metadata.PackageNotFoundError, ValueError):
        return None
