"""Folders and the artifacts in them: where locks, staging, records and patches lie, and how that is made."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from .._errors import ArtifactConflictError, ArtifactNameError
from .._hashing import hexdigest
from .._tag import Tag, is_tagged
from .disk import CAREFULLY, refresh, sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

HIDDEN = ".taggedartifacts"
RECORD_SUFFIX = ".json"
_REFUSALS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST})


class Folder(NamedTuple):
    """An output directory and its hidden directory.

    Paths in them are put together here: `os.path.join` would take as long as the stat that follows.

    Attributes:
        path: Absolute path of the output directory.
    """

    path: str

    @property
    def hidden(self) -> str:
        """The hidden directory."""
        return f"{self.path}/{HIDDEN}"

    @property
    def locks(self) -> str:
        """Where the locks lie."""
        return f"{self.path}/{HIDDEN}/locks"

    @property
    def staging(self) -> str:
        """Where the functions write before their output is published."""
        return f"{self.path}/{HIDDEN}/staging"

    @property
    def records(self) -> str:
        """Where the records lie, one for each artifact."""
        return f"{self.path}/{HIDDEN}/records"

    @property
    def manifests(self) -> str:
        """Where the manifests of large directories lie."""
        return f"{self.path}/{HIDDEN}/manifests"

    @property
    def kept(self) -> str:
        """Where finished work lies that could not be published."""
        return f"{self.path}/{HIDDEN}/kept"

    @property
    def patches(self) -> str:
        """Where the patches of dirty states lie, one for each digest."""
        return f"{self.path}/{HIDDEN}/patches"

    def artifact(self, name: str) -> str:
        """Where the artifact, or the companion, of that name stands."""
        return f"{self.path}/{name}"

    def record(self, name: str) -> str:
        """Where the record of the artifact of that name lies."""
        return f"{self.path}/{HIDDEN}/records/{name}{RECORD_SUFFIX}"

    def lock(self, name: str) -> str:
        """Where the lock of the artifact of that name lies; a hash, because a name may be as long as names can be."""
        return self.lock_of(lock_key(name))

    def lock_of(self, key: str) -> str:
        """Where the lock of the artifact lies whose name has that hash."""
        return f"{self.locks}/{key}.lock"

    def make(self) -> None:
        """Make the output directory and the hidden one with all that is in it.

        What is new is on the disk, name and all, when this returns: an artifact is no safer than the directories above.

        Raises:
            ArtifactConflictError: If something else stands where a hidden directory should be; a symbolic link too,
                because whoever can write here could make us write anywhere.
            OSError: If a directory cannot be made.
        """
        new = _make_missing(self.path)
        inside = (self.locks, self.staging, self.records, self.manifests, self.patches, self.kept)
        new += [directory for directory in (self.hidden, *inside) if self._make_ours(directory)]
        self._ignore()
        for above in {os.path.dirname(directory) for directory in new}:
            sync_directory(above)

    def make_kept(self) -> None:
        """Make the place for finished work anew if somebody removed it.

        Raises:
            ArtifactConflictError: If something else stands there.
            OSError: If it cannot be made.
        """
        self._make_ours(self.kept)

    @contextlib.contextmanager
    def naming_itself(self) -> Iterator[None]:
        """Say of what may not be written here what that means, and what to do."""
        try:
            yield
        except OSError as error:
            if error.errno not in _REFUSALS:
                raise
            if error.errno in (errno.ENOTDIR, errno.EEXIST) and (file := _file_above(self.path)):
                raise OSError(
                    error.errno, f"{file} is no folder, so nothing can be made below it; give the output another path"
                ) from error
            raise OSError(
                error.errno,
                f"{error.strerror}: nothing can be made in {self.path}, only what is there reused; make it elsewhere, "
                "or have it made writable",
                error.filename,
            ) from error

    def look_closely(self) -> None:
        """Make a network file system show what other hosts have published here."""
        refresh(self.path)
        refresh(self.records)

    def check_place(self, name: str) -> None:
        """Check that a record can be written for the artifact of that name, before hours are spent on it.

        Raises:
            ArtifactConflictError: If a directory stands in its place, which nothing could replace.
        """
        if os.path.isdir(path := self.record(name)) and not os.path.islink(path):
            raise ArtifactConflictError(f"{path} is no file; remove it")

    def check_outside(self, real: str) -> None:
        """Check that nothing is put into an artifact, which would change it for good.

        Args:
            real: Where the path of the directory leads.

        Raises:
            ArtifactNameError: If the directory lies in an artifact, by its path or where that leads.
        """
        for path in {self.path, real}:
            below = path
            while (above := os.path.dirname(below)) != below:
                name = os.path.basename(below)
                if "-" in name and is_tagged(name) and os.path.lexists(Folder(above).record(name)):
                    raise ArtifactNameError(f"{self.path} lies inside the artifact {below}; write beside it instead")
                below = above

    def _make_ours(self, directory: str) -> bool:
        """Make a hidden directory unless it is there, as it nearly always is; tell whether it was made."""
        with contextlib.suppress(FileNotFoundError):
            self._check_ours(directory)
            return False
        try:
            os.mkdir(directory)
        except FileExistsError:  # made by another process meanwhile
            self._check_ours(directory)
            return False
        return True

    def _check_ours(self, directory: str) -> None:
        status = os.lstat(directory)
        if not stat.S_ISDIR(status.st_mode):
            raise ArtifactConflictError(
                f"{directory} is not a directory of this library's making; remove it, or write elsewhere"
            )
        if directory == self.hidden:
            above = os.stat(self.path)
            # As in /tmp: what a stranger put there he can also exchange for a link while we write through it. The
            # kernel follows no links of strangers in such directories either (fs.protected_symlinks).
            # Windows has neither such directories nor geteuid, which is asked last.
            everybodys = above.st_mode & stat.S_ISVTX and above.st_mode & stat.S_IWOTH
            if everybodys and status.st_uid not in (0, above.st_uid) and status.st_uid != os.geteuid():
                raise ArtifactConflictError(
                    f"{directory} belongs to another user, in a directory where everybody may write and nobody may "
                    "remove what others wrote; write to a directory of your own below it"
                )

    def _ignore(self) -> None:
        """Tell git not to offer locks and staging to whoever adds the folder."""
        path = os.path.join(self.hidden, ".gitignore")
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            pass
        else:
            if status.st_size or not stat.S_ISREG(status.st_mode):  # an empty one was cut short by a crash
                return
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | CAREFULLY, 0o666)
        with open(descriptor, "wb") as file:
            file.write(b"*\n")


class Target(NamedTuple):
    """An artifact, present or not.

    Attributes:
        folder: The output directory.
        name: Its tagged file name.
    """

    folder: Folder
    name: str

    @property
    def path(self) -> str:
        """Where the artifact stands, absolute."""
        return self.folder.artifact(self.name)

    @property
    def record_path(self) -> str:
        """Where its record lies."""
        return self.folder.record(self.name)

    @property
    def lock_path(self) -> str:
        """Where its lock lies."""
        return self.folder.lock(self.name)

    @property
    def tag(self) -> Tag:
        """The tag in its name."""
        return Tag.parse(self.name)


def _make_missing(path: str) -> list[str]:
    """Make a directory with all that is missing above it; returns what was missing."""
    if os.path.isdir(path):
        return []
    missing = []
    above = path
    while not os.path.lexists(above) and above != os.path.dirname(above):  # not even the drive may be there
        missing.append(above)
        above = os.path.dirname(above)
    os.makedirs(path, exist_ok=True)
    return missing


def _file_above(path: str) -> str | None:
    """Find what stands where a path has a folder, and is none."""
    while not os.path.lexists(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    return None if os.path.isdir(path) else path


def lock_key(name: str) -> str:
    """Hash a name for use in the names of its lock and its staging directories."""
    return hexdigest(os.fsencode(name))
