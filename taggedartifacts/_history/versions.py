"""History: all artifacts of one name, across commits and configurations."""

from __future__ import annotations

import os

from .._path import ArtifactPath
from .._store.folder import Folder
from .._store.origin import said_by
from .._store.table import ShownList, Table
from .._tag import is_tagged, untagged_name
from .stretch import newest_first, present


class Versions(ShownList[ArtifactPath]):
    """Artifacts of one name, newest first; prints as a table."""

    __slots__ = ()

    def _table(self) -> Table:
        rows = tuple((path.name, said_by(path.tag)) for path in self)
        return Table(f"{len(self)} artifact{'s' * (len(self) != 1)}, newest first", rows)


def versions(path: str | os.PathLike[str]) -> list[ArtifactPath]:
    """List all artifacts of one name, newest first.

    Files and directories, made by clean and by dirty code; newest by when the function was started, which copying does
    not change, or by the time of the last modification where there is no record. Costs a listing of the directory and
    reads one small file for each artifact that it returns, however many others there are.

    Args:
        path: The name as given to the function (``figures/hist.png``), or any artifact of that name.

    Returns:
        The artifacts, in the directory as *path* writes it; empty if there are none. Prints as a table.

    Raises:
        OSError: If the directory cannot be listed.

    Example:
        >>> first, second = save("Ada", "output/name.txt"), save("Grace", "output/name.txt")
        >>> versions("output/name.txt") == [second, first]
        True
    """
    given, name = os.path.split(os.fspath(path).rstrip("/" + os.sep))
    folder = Folder(os.path.abspath(given))
    names = present(folder, untagged_name(name)) if is_tagged(name) else []
    # A name that was given to the function may itself hold a tag, that of its input perhaps.
    known = newest_first(folder, names or present(folder, name))
    return Versions(ArtifactPath(os.path.join(given, version.target.name)) for version in known)
