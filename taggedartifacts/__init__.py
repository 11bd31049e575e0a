"""Put the git commit and a hash of the configuration into the names of the files that your functions write."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._artifact import Artifact
from ._canonical.encoding import canonical, config_hash
from ._errors import (
    ArtifactConflictError,
    ArtifactModifiedError,
    ArtifactNameError,
    ArtifactNotFoundError,
    ArtifactNotWrittenError,
    DirtyRepositoryError,
    InputChangedError,
    InputError,
    LockTimeoutError,
    RecordError,
    RecursiveCallError,
    RepositoryError,
    ScopeError,
    TaggedArtifactsError,
    UnhashableError,
)
from ._path import ArtifactPath
from ._store.record import Record
from ._tag import Tag

if TYPE_CHECKING:
    from ._call.messages import show_log
    from ._history.compare import compare
    from ._history.prune import prune
    from ._history.verify import verify
    from ._history.versions import versions
    from ._store.origin import record

# Imported when they are first used: few scripts need them, and every script waits for what is imported here.
_LATER = {
    "compare": "._history.compare",
    "prune": "._history.prune",
    "record": "._store.origin",
    "show_log": "._call.messages",
    "verify": "._history.verify",
    "versions": "._history.versions",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(_LATER[name], __name__), name)
    found.__module__ = __name__
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("_"))]


__all__ = [
    "Artifact",
    "ArtifactConflictError",
    "ArtifactModifiedError",
    "ArtifactNameError",
    "ArtifactNotFoundError",
    "ArtifactNotWrittenError",
    "ArtifactPath",
    "DirtyRepositoryError",
    "InputChangedError",
    "InputError",
    "LockTimeoutError",
    "Record",
    "RecordError",
    "RecursiveCallError",
    "RepositoryError",
    "ScopeError",
    "Tag",
    "TaggedArtifactsError",
    "UnhashableError",
    "canonical",
    "compare",
    "config_hash",
    "prune",
    "record",
    "show_log",
    "verify",
    "versions",
]
__version__ = "0.2.0"

# A public name says where users find it: in tracebacks, in pickles and in help it belongs to the package.
for _name in set(__all__).difference(_LATER):
    globals()[_name].__module__ = __name__
