"""The hidden directory beside the artifacts: where locks, staging, records and patches lie, and how it is made."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from ._errors import ArtifactConflictError
from ._hashing import hexdigest

HIDDEN = ".taggedartifacts"
RECORD_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Folder:
    """An output directory and its hidden directory.

    Attributes:
        path: Absolute path of the output directory.
    """

    path: str

    @property
    def hidden(self) -> str:
        """The hidden directory."""
        return os.path.join(self.path, HIDDEN)

    @property
    def locks(self) -> str:
        """Where the locks lie."""
        return os.path.join(self.path, HIDDEN, "locks")

    @property
    def staging(self) -> str:
        """Where the functions write before their output is published."""
        return os.path.join(self.path, HIDDEN, "staging")

    @property
    def records(self) -> str:
        """Where the records lie, one for each artifact."""
        return os.path.join(self.path, HIDDEN, "records")

    @property
    def patches(self) -> str:
        """Where the patches of dirty states lie, one for each digest."""
        return os.path.join(self.path, HIDDEN, "patches")

    def record(self, name: str) -> str:
        """Where the record of the artifact of that name lies."""
        return os.path.join(self.path, HIDDEN, "records", name + RECORD_SUFFIX)

    def lock(self, name: str) -> str:
        """Where the lock of the artifact of that name lies; a hash, because a name may be as long as names can be."""
        return os.path.join(self.path, HIDDEN, "locks", lock_key(name) + ".lock")

    def make(self) -> None:
        """Make the output directory and the hidden one with all that is in it.

        Raises:
            ArtifactConflictError: If something else stands where a hidden directory should be; a symbolic link too,
                because whoever can write here could make us write anywhere.
            OSError: If a directory cannot be made.
        """
        os.makedirs(self.path, exist_ok=True)
        for directory in (self.hidden, self.locks, self.staging, self.records, self.patches):
            try:
                os.mkdir(directory)
            except FileExistsError:
                if not stat.S_ISDIR(os.lstat(directory).st_mode):
                    raise ArtifactConflictError(
                        f"{directory} is not a directory of this library's making; remove it, or write elsewhere"
                    ) from None
            else:
                if directory == self.hidden:
                    self._ignore()

    def _ignore(self) -> None:
        # Git must not offer locks and staging to whoever adds the folder.
        try:
            descriptor = os.open(os.path.join(self.hidden, ".gitignore"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            return
        with open(descriptor, "w") as file:
            file.write("*\n")


def lock_key(name: str) -> str:
    """Hash a name for use in the names of its lock and its staging directories."""
    return hexdigest(os.fsencode(name))
