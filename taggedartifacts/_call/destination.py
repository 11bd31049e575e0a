"""Destination: where the artifacts of a call stand, by its output paths and its tag."""

from __future__ import annotations

import errno
import functools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from .._errors import ArtifactNameError
from .._memory import Memory
from .._path import ArtifactPath
from .._store.folder import HIDDEN, RECORD_SUFFIX, Folder, Target
from .._store.origin import Memo
from .._tag import tagged_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._store.key import Key

Finds = Memory[tuple[bytes, str], Memo]
_T = TypeVar("_T")
_PATH = type(Path())

_NAME_MAX = 255  # bytes; where the file system does not tell
_FITS = 120  # bytes; no file system in use is narrower (eCryptfs has 143), and asking it takes as long as a stat
# Windows opens a device or a stream in their place, or drops their end: what is written would have another name.
_CHANGED_BY_WINDOWS = re.compile(
    r'(?is)(con|prn|aux|nul|con(in|out)\$|(com|lpt)[\d¹²³]) *(\..*)?|.*[<>:"|?*\x00-\x1f].*|.*[. ]'
)
# A `Path` of a URL has one slash where the URL has two; a drive has one letter.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")


class Output(NamedTuple):
    """One output path as the user gave it.

    Attributes:
        given: The path, without a trailing slash.
        is_text: Whether it was a `str`; the function receives a path of the same type.
        directory: Whether it ended in a slash, which promises a directory.
        parent: The directory in it; that of the paths that the call returns.
        name: The file name in it.
        folder: The output directory, by an absolute path so that the function may change the working directory. Not
            normalised: ``..`` behind a symbolic link means what it means to the operating system.
    """

    given: str
    is_text: bool
    directory: bool
    parent: Path
    name: str
    folder: Folder

    @classmethod
    def of(cls, path: object, cwd: str) -> Output:
        """Check an output path, which goes by the working directory *cwd* if it is relative.

        Raises:
            TypeError: If it is no path.
            ArtifactNameError: If no artifact can have it.
        """
        text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else path
        if url := _URL.match(str(path)):
            raise ArtifactNameError(
                f"the output {str(path)!r} looks like a URL, and artifacts are files on a disk: give a local path, "
                f"{'which is what stands behind file://' if url[1] == 'file' else 'and upload what the call returns'}"
            )
        if not isinstance(text, str):
            raise TypeError(f"an output path must be a str or a path, such as 'figures/hist.png', not {path!r}")
        given = text.rstrip("/" + os.sep)
        name = os.path.basename(given)
        if "\0" in text:
            raise ArtifactNameError(f"{text!r} has a null character in it, which no path can have; leave it out")
        if name in ("", os.curdir, os.pardir):
            raise ArtifactNameError(f"{text!r} does not end in a file name; give a path such as 'figures/hist.png'")
        if HIDDEN in given and HIDDEN in Path(given).parts:
            raise ArtifactNameError(
                f"{text!r} lies inside {HIDDEN}, where work is in progress; give the output a path of its own"
            )
        parent = os.path.dirname(given)
        if not cwd and not os.path.isabs(given):
            raise ArtifactNameError(
                f"the output {given!r} is relative, and the current directory was deleted: give an absolute path, or "
                "go to another directory first"
            )
        folder = Folder(os.path.join(cwd, parent) if parent else cwd)
        return cls(given, isinstance(path, str), given != text, Path(parent), name, folder)

    def staged(self, path: str) -> str | Path:
        """The staging path as the function receives it: of the type and with the trailing slash that the user gave."""
        return (path + "/" if self.directory else path) if self.is_text else Path(path)


def working_directory() -> str:
    """Tell the current directory; an empty text if it was deleted, which absolute paths need not know."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""


@functools.lru_cache(256)  # of calls with the same output and other arguments, as long as the process lives
def _known_output(kind: type[str | Path], text: str, cwd: str) -> Output:
    return Output.of(kind(text), cwd)


def _output(path: object, cwd: str) -> Output:
    kind = type(path)
    return _known_output(kind, str(path), cwd) if kind is str or kind is _PATH else Output.of(path, cwd)


def check_names(folders: Sequence[Target]) -> None:
    """Check that the tagged names can exist.

    Raises:
        ArtifactNameError: If the system would not keep a name or it is too long, or two outputs are one.
    """
    for folder, name in folders:
        if os.name == "nt" and _CHANGED_BY_WINDOWS.fullmatch(name):
            raise ArtifactNameError(f"{name!r} would not keep that name on Windows; give the output another one")
        size = len(os.fsencode(name))
        if max(size, len(folder.path)) > _FITS and size > (limit := _name_limit(folder.path) - len(RECORD_SUFFIX)):
            raise ArtifactNameError(
                f"{name!r} has {size} bytes where {folder.path} allows {limit} (its record needs "
                f"{len(RECORD_SUFFIX)} more); give the output a shorter name"
            )
    if (count := len(folders)) == 1:
        return
    # Where a disk does not tell cases apart, one of the two would overwrite the other; and artifacts travel.
    names = [name for _, name in folders]
    if len(set(names)) < count:
        raise ArtifactNameError(
            f"two outputs have the same file name {max(names, key=names.count)!r}, and an artifact that is handed to "
            "another function counts by its file name; give each output its own"
        )
    if len({(os.path.realpath(folder.path), name.casefold()) for folder, name in folders}) < count:
        raise ArtifactNameError(
            "two outputs of one directory differ in case only, which not every disk keeps apart; rename one"
        )


def _name_limit(directory: str) -> int:
    while True:
        try:
            return os.pathconf(directory, "PC_NAME_MAX")
        except FileNotFoundError:
            directory, before = os.path.dirname(directory), directory
            if directory == before:
                return _NAME_MAX
        except (OSError, AttributeError, ValueError) as error:  # Windows has no pathconf
            if getattr(error, "errno", None) == errno.ENAMETOOLONG:
                raise ArtifactNameError(
                    f"{directory} is too long a path for the system, or has too long a name in it"
                ) from error
            return _NAME_MAX


class Destination(NamedTuple):
    """Where the artifacts of a call stand.

    Attributes:
        key: What a hit compares.
        outputs: The output paths that are asked for, as the user gave them.
        slots: Which of the keywords each of them belongs to.
        targets: The artifact of each output.
        paths: The paths of the artifacts, as the call returns them.
        keywords: How many keywords there are.
        memos: What is remembered of each artifact.
    """

    key: Key
    outputs: tuple[Output, ...]
    slots: tuple[int, ...]
    targets: tuple[Target, ...]
    paths: tuple[ArtifactPath, ...]
    keywords: int
    memos: tuple[Memo, ...]

    @classmethod
    def of(cls, key: Key, given: tuple[object, ...], cwd: str, *, found: Finds, asked: bytes) -> Destination:
        """Find where a key's tag leads with these output paths, and what is remembered of what was asked.

        Args:
            key: What a hit compares.
            given: The output paths; None for one that is not asked for.
            cwd: What relative ones go by.
            found: What is remembered of artifacts, by what was asked and the output path.
            asked: Stands for the arguments, the configuration and the inputs, in whatever state the code is.

        Raises:
            ArtifactNameError: If an output path cannot become that of an artifact.
        """
        digits = key.digits
        slots, outputs, targets, paths, memos = [], [], [], [], []
        for slot, path in enumerate(given):
            if path is not None:
                output = _output(path, cwd)
                place = asked, f"{cwd}/{output.given}"
                name = tagged_name(output.name, digits)
                slots.append(slot)
                outputs.append(output)
                targets.append(Target(output.folder, name))
                paths.append(ArtifactPath.known(output.parent, name))
                memos.append(found.get(place) or Memo(found, place))
        check_names(targets)
        return cls(key, tuple(outputs), tuple(slots), tuple(targets), tuple(paths), len(given), tuple(memos))

    def with_key(self, key: Key) -> Destination:
        """Find where the tag of another key leads with the same output paths; what is remembered counts on.

        Raises:
            ArtifactNameError: If a name gets too long.
        """
        digits = key.digits
        targets = tuple(Target(output.folder, tagged_name(output.name, digits)) for output in self.outputs)
        check_names(targets)
        parents = (output.parent for output in self.outputs)
        paths = tuple(ArtifactPath.known(parent, each.name) for parent, each in zip(parents, targets, strict=True))
        return self._replace(key=key, targets=targets, paths=paths)

    def check_links(self) -> None:
        """Check that the ordinary names can be links to the artifacts.

        Raises:
            ArtifactConflictError: If something else stands at one of them.
            ArtifactNameError: If one would be taken for an artifact.
        """
        from .._store.link import check_link  # with the next, for those who want links

        for output, target in zip(self.outputs, self.targets, strict=True):
            check_link(target.folder, os.path.basename(output.given))

    def set_links(self) -> None:
        """Let the ordinary names lead to the artifacts."""
        from .._store.link import set_link

        for output, target in zip(self.outputs, self.targets, strict=True):
            set_link(target.folder, os.path.basename(output.given), target.name)

    def spread(self, values: Sequence[_T]) -> tuple[_T | None, ...]:
        """Put what there is for each output in the place of its keyword, and None where none is asked for."""
        if len(values) == self.keywords:
            return tuple(values)
        row: list[_T | None] = [None] * self.keywords
        for slot, value in zip(self.slots, values, strict=True):
            row[slot] = value
        return tuple(row)
