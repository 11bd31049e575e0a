"""Links: the ordinary name of an output, kept as a relative symbolic link to its artifact."""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING

from .._errors import ArtifactConflictError, ArtifactNameError
from .._memory import is_news
from .._tag import is_tagged, untagged_name
from .disk import STARTS, put

if TYPE_CHECKING:
    from .folder import Folder

_log = logging.getLogger("taggedartifacts")


def check_link(folder: Folder, name: str) -> None:
    """Check that the ordinary name *name* can be a link: that nothing stands there but a link of ours.

    Raises:
        ArtifactNameError: If a link of that name would be taken for an artifact.
        ArtifactConflictError: If something else stands there.
    """
    if is_tagged(name):
        raise ArtifactNameError(
            f"{name!r} holds a tag, so that a link of that name would be taken for an artifact; give the output "
            "another name, or leave out link=True"
        )
    _target(folder, name)


def set_link(folder: Folder, name: str, artifact: str) -> None:
    """Let the ordinary name *name* lead to *artifact*, in one step; writes nothing if it does already.

    Where that cannot be done, what stands there stays, and the log says so.
    """
    try:
        for _ in range(STARTS):
            # Another call may set it in the same moment, and the holder of a lock may sweep where we prepare ours.
            with contextlib.suppress(FileExistsError, FileNotFoundError):
                _set(folder, name, artifact)
                return
        reason = "others set it all the time"
    except OSError as error:
        reason = str(error) if error.strerror is None else error.strerror
    said = (folder.artifact(name), artifact)
    if is_news("link", *said):
        _log.warning("the link %s could not be set, and does not lead to %s: %s", *said, reason)


def _set(folder: Folder, name: str, artifact: str) -> None:
    target = _target(folder, name)
    if target == artifact:
        return
    path = folder.artifact(name)
    is_directory = os.path.isdir(folder.artifact(artifact))
    if target is None:
        os.symlink(artifact, path, target_is_directory=is_directory)  # refused where something stands
        return
    from .staging import clean_up, make_staging  # a call that changes no link does not wait for it

    folder.make()
    staging = make_staging(folder, artifact)
    try:
        temporary = os.path.join(staging, name)
        os.symlink(artifact, temporary, target_is_directory=is_directory)
        put(temporary, path)
    finally:
        clean_up(folder, staging)


def _target(folder: Folder, name: str) -> str | None:
    """Read where the link leads; None if nothing stands there.

    A link of ours is known by what it is: it leads to an artifact of its own name beside it, which may be gone.

    Raises:
        ArtifactConflictError: If it is no link of ours.
    """
    path = folder.artifact(name)
    try:
        target = os.readlink(path)
    except FileNotFoundError:
        return None
    except OSError:
        if not os.path.lexists(path):
            return None
        target = None
    if target is None:
        raise ArtifactConflictError(
            f"{path} is no link to an artifact, and link=True replaces nothing else; move it away, or leave out "
            "link=True"
        )
    if os.path.dirname(target) or not is_tagged(target) or untagged_name(target) != name:
        raise ArtifactConflictError(
            f"{path} is a link to {target}, which is no artifact of that name beside it, and link=True replaces "
            "nothing else; move it away, or leave out link=True"
        )
    return target
