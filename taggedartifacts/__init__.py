"""Put the git commit and a hash of the configuration into the names of the files that your functions write."""

from ._artifact import Artifact
from ._canonical import canonical, config_hash
from ._compare import compare
from ._errors import (
    ArtifactConflictError,
    ArtifactModifiedError,
    ArtifactNameError,
    ArtifactNotFoundError,
    ArtifactNotWrittenError,
    DirtyRepositoryError,
    InputError,
    LockTimeoutError,
    RecordError,
    RecursiveCallError,
    RepositoryError,
    ScopeError,
    TaggedArtifactsError,
    UnhashableError,
)
from ._history import versions
from ._origin import record
from ._path import ArtifactPath
from ._prune import prune
from ._record import Record
from ._tag import Tag
from ._verify import verify

__all__ = [
    "Artifact",
    "ArtifactConflictError",
    "ArtifactModifiedError",
    "ArtifactNameError",
    "ArtifactNotFoundError",
    "ArtifactNotWrittenError",
    "ArtifactPath",
    "DirtyRepositoryError",
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
    "verify",
    "versions",
]
__version__ = "0.2.0"
