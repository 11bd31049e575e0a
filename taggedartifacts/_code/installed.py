"""Installed copies: a decorated function that runs from among the installed packages, which no commit names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .._errors import RepositoryError
from .._hashing import file_hexdigest, hexdigest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .._git.command import CommandRepository
    from .._git.repository import Repository


def installed_code(file: str, repository: Repository | CommandRepository) -> dict[str, str]:
    """Digest the package that an installed function belongs to, by a path that no file of the repository has.

    Args:
        file: The file of the function, absolute.
        repository: The repository that the commit is of.

    Raises:
        RepositoryError: If the repository tracks that package with another content: its commit is not what runs.
    """
    above = os.path.dirname(file)
    while os.path.isfile(os.path.join(above, "__init__.py")):
        above = os.path.dirname(above)
    name = os.path.relpath(file, above).split(os.sep)[0]
    copies = dict(_sources(above, name))
    _check(name, os.path.relpath(file, above), above, copies, repository)
    lines = [f"{path}\0{digest}" for path, digest in sorted(copies.items())]
    return {f"../{name}": hexdigest("\n".join(lines).encode(errors="surrogateescape"))}


def _check(
    name: str, own: str, above: str, copies: Mapping[str, str], repository: Repository | CommandRepository
) -> None:
    own = own.replace(os.sep, "/")
    for path, _, _ in repository.files(repository.head, own):
        folder = path[: len(path) - len(own)]
        if folder and not folder.endswith("/"):
            continue
        tracked = dict(_sources(os.path.join(repository.root, folder), name))
        if differing := sorted(each for each in {*tracked, *copies} if tracked.get(each) != copies.get(each)):
            raise RepositoryError(
                f"{os.path.join(above, name)} is an installed copy, and not what {repository.root} holds: "
                f"{differing[0]} differs, so that no commit there names the code that runs; "
                "install the project with 'pip install -e .', or install it again"
            )


def _sources(above: str, name: str) -> Iterator[tuple[str, str]]:
    """Iterate over the Python files of a package, or of a module alone: path from its parent, digest."""
    whole = os.path.join(above, name)
    if os.path.isfile(whole):
        yield name, file_hexdigest(whole)
    for folder, folders, files in os.walk(whole):
        folders.sort()
        for each in sorted(files):
            if each.endswith(".py"):
                path = os.path.join(folder, each)
                yield os.path.relpath(path, above).replace(os.sep, "/"), file_hexdigest(path)
