"""The path of an artifact, as calls return it: a path like any other, which knows its tag and shows its content."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ._tag import Tag, tag_digits

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence
    from types import ModuleType

    from ._store.record import Record

    _Base = Path
else:
    _Base = type(Path())  # the concrete class of this platform: before 3.12, Path itself cannot be subclassed


class ArtifactPath(_Base):
    """The path of an artifact: a `pathlib.Path` whose name carries a tag.

    Compares and hashes as the plain path. Paths derived from it (``/``, ``.parent``, ``.with_suffix()`` …) are plain
    paths. As an argument of a decorated function it counts by its file name, tag included, not by its directory, which
    is what chains steps. Pickles as itself.

    Args:
        *segments: Any tagged path, in one piece or in segments.

    Raises:
        ValueError: If the name holds no tag.

    Example:
        >>> path = ArtifactPath("figures", "hist-8c1f0e92d4-5b7ad3f0c1e2.png")
        >>> path.tag.commit, path.suffix
        ('8c1f0e92d4', '.png')
    """

    if TYPE_CHECKING:
        # A plain path says so by the type of itself; these give plain ones at run time.

        @property
        def parent(self) -> Path: ...  # type: ignore[override]  # no ArtifactPath
        @property
        def parents(self) -> Sequence[Path]: ...  # type: ignore[override]  # no ArtifactPath
        def __truediv__(self, key: str | os.PathLike[str], /) -> Path: ...  # type: ignore[override]  # no ArtifactPath
        def __rtruediv__(self, key: str | os.PathLike[str], /) -> Path: ...  # type: ignore[override]  # no ArtifactPath
        def joinpath(self, *segments: str | os.PathLike[str]) -> Path: ...  # type: ignore[override]  # no ArtifactPath
        def with_name(self, name: str) -> Path: ...  # type: ignore[override]  # no ArtifactPath
        def with_stem(self, stem: str) -> Path: ...  # type: ignore[override]  # no ArtifactPath
        def with_suffix(self, suffix: str) -> Path: ...  # type: ignore[override]  # no ArtifactPath

    if sys.version_info >= (3, 12):

        def __init__(self, *segments: str | os.PathLike[str]) -> None:
            super().__init__(*segments)
            tag_digits(self)

        def with_segments(self, *segments: str | os.PathLike[str]) -> Path:  # type: ignore[override]  # no ArtifactPath
            return Path(*segments)

    else:
        # 3.11 derives paths through two private constructors, and some through the class of the path itself.

        def __new__(cls, *segments: str | os.PathLike[str]) -> Self:
            path: Self = super()._from_parts(segments)  # type: ignore[misc]  # private to 3.11
            tag_digits(path)
            return path

        @classmethod
        def _from_parts(cls, segments: Iterable[str | os.PathLike[str]]) -> Path:
            return Path(*segments)

        @classmethod
        def _from_parsed_parts(cls, drv: str, root: str, parts: list[str]) -> Path:
            plain: Path = type(Path())._from_parsed_parts(drv, root, parts)  # type: ignore[attr-defined]  # private to 3.11
            return plain

        @classmethod
        def cwd(cls) -> Path:  # type: ignore[override]  # no ArtifactPath
            return Path.cwd()

        def rename(self, target: str | os.PathLike[str]) -> Path:  # type: ignore[override]  # no ArtifactPath
            return Path(self).rename(target)

        def replace(self, target: str | os.PathLike[str]) -> Path:  # type: ignore[override]  # no ArtifactPath
            return Path(self).replace(target)

        def samefile(self, other_path: str | os.PathLike[str]) -> bool:
            return Path(self).samefile(other_path)

    @classmethod
    def known(cls, folder: Path, name: str) -> Self:
        """Make one of a name into which the tag was put just now, without parsing it; private to the library."""
        if sys.version_info >= (3, 12):
            known = cls.__new__(cls, folder, name)
            _Base.__init__(known, folder, name)
            return known
        drv, root, parts = folder._drv, folder._root, [*folder._parts, name]  # type: ignore[attr-defined]  # as below
        made: Self = _Base._from_parsed_parts.__func__(cls, drv, root, parts)  # type: ignore[attr-defined]  # private to 3.11
        return made

    @property
    def tag(self) -> Tag:
        """The `Tag` in the name."""
        return Tag.parse(self)

    @property
    def record(self) -> Record:
        """Where the artifact comes from, a `Record`; raises as `taggedartifacts.record` does."""
        from ._store.origin import record  # pulls in the store, which the canonical form of a path has no use for

        return record(self)

    def show(self) -> None:
        """Display the artifact here and now, for the middle of a cell; in a terminal, as text."""
        _preview().show(self, self._repr_mimebundle_()["text/plain"])

    def _ipython_display_(self) -> None:
        # Front ends show a picture instead of the text beside it, so its name is an output of its own, above it.
        _preview().caption(str(self))
        raise NotImplementedError  # so IPython goes on to the bundle

    def _repr_mimebundle_(self, **_options: object) -> dict[str, str]:
        # As the last expression of a cell.
        bundle: dict[str, str] = _preview().mimebundle(str(self))
        return bundle


def _preview() -> ModuleType:
    # Imported on display only: scripts never need its readers of compressed files.
    from ._store import preview as module

    return module
