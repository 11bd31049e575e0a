"""Errors: what can go wrong, when it does, and what to do about it.

Every error is raised with one message that names the place and the remedy, so all of them survive pickling. Each also
derives from the built-in exception that fits, so that code which catches ``OSError`` or ``TypeError`` keeps working.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

P = ParamSpec("P")
R = TypeVar("R")

_OURS = os.path.dirname(__file__) + os.sep
# What these raise says what is wrong with what the user wrote; where in the library it was found out says nothing more.
_CHECKS = tuple(
    os.path.join(_OURS, *name) for name in (("_call", "binding.py"), ("_call", "messages.py"), ("_tag.py",))
)
# A call of an ``async`` function goes through these on its way from one part of the library to another.
_BETWEEN = tuple(os.path.join(os.path.dirname(os.__file__), name) + os.sep for name in ("asyncio", "concurrent"))


def printable(text: str) -> str:
    """Escape what could move the cursor or hide: names and records may come from anywhere."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _printable(message: str) -> str:
    return message if message.isprintable() else "\n".join(map(printable, message.split("\n")))


class TaggedArtifactsError(Exception):
    """Base of all errors that this library raises on purpose; catch it to catch every one of them.

    Control characters in names are escaped, so that no message moves a terminal's cursor.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(_printable(arg) if isinstance(arg, str) else arg for arg in args))


class RepositoryError(TaggedArtifactsError, OSError):
    """The commit of the code cannot be known.

    Comes at the first call when there is no repository, no commit, a bare repository, a repository that belongs to
    somebody else, or one in a format that cannot be read. The message says which, and names the remedy: ``git init``
    and a first commit, ``repo=``, the ``safe.directory`` command, or ``TAGGEDARTIFACTS_COMMIT``.
    """


class ScopeError(RepositoryError, ValueError):
    """A ``scope`` names a path that is not in the repository at HEAD, or its setting in ``pyproject.toml`` is wrong.

    Comes at the first call. Correct the path in the decorator or in ``[tool.taggedartifacts]``.
    """


class DirtyRepositoryError(TaggedArtifactsError, OSError):
    """The code that would run is not committed, and ``allow_dirty`` is not set.

    Comes at the call, before the function runs, and lists the paths with what is wrong with each. Commit them, or pass
    ``allow_dirty=True``. Where data that decides nothing is among them, ``scope=`` names what does decide, beside the
    imported modules. In tests, ``TAGGEDARTIFACTS_ALLOW_DIRTY=1`` allows it to all functions of a process.
    """


class UnhashableError(TaggedArtifactsError, TypeError):
    """A value in the configuration or the arguments has no canonical form.

    Comes before the function runs, and names the exact place and what helps there: leave the part out with ``ignore``,
    teach the library the type with ``canonical.register``, pass a path and name it in ``inputs``, or pass what the
    value is made from.
    """


class InputError(TaggedArtifactsError, OSError):
    """A path named by ``inputs`` is missing, cannot be read, or changed while the function ran.

    Comes before the function runs, or, for a change, after it, and then nothing is published; what the function wrote
    is kept where the message says. Mend the file and call again.
    """


class InputChangedError(InputError):
    """A file that an argument names, and ``inputs`` does not, holds something else than when the artifact was made.

    Comes at a call that would be a hit, since the artifact's tag does not tell the two contents apart. Name the
    parameter in ``inputs`` to let the content count, or call ``recompute`` to make the artifact again.
    """


class ArtifactNameError(TaggedArtifactsError, ValueError):
    """An output path cannot become the path of an artifact.

    Comes before the function runs: the path is a URL, has no file name, or lies inside ``.taggedartifacts`` or inside
    another artifact; the tagged name is longer than the file system allows; two outputs share one file name; or the
    stem ends so that the tag could be misread.
    """


class ArtifactNotFoundError(TaggedArtifactsError, FileNotFoundError):
    """There is no artifact for this code and this configuration, or no record of it.

    Comes from functions in mode ``"r"`` and from functions that read records; lists the tags that there are. Make the
    artifact first, or check with which commit and configuration it was made.
    """


class ArtifactNotWrittenError(TaggedArtifactsError, OSError):
    """The function returned without writing what it promised.

    Comes after the function ran; nothing is published. The message names what was written instead, as when
    ``numpy.save`` appends ``.npy``, and where it is kept: give the output that suffix, or write to the path that the
    function receives.
    """


class ArtifactConflictError(TaggedArtifactsError, OSError):
    """The tagged path belongs to something else.

    Comes before the function runs when the artifact of that name was made by another function, as another output or as
    another kind (file or directory): give one of the outputs another name; ``recompute`` is refused likewise. Also when
    a link stands there that leads nowhere: bring back what it led to, or remove it. Also when ``link=True`` and
    something other than a link of the library has the ordinary name: move it away. Comes after the run when something
    took the place meanwhile, or that of a companion: that stays, and what the function wrote is kept.
    """


class ArtifactModifiedError(TaggedArtifactsError, OSError):
    """An artifact was changed after it was made; it is neither served nor overwritten.

    Comes at a call that would be a hit. To keep the changed file, give it another name; to have the artifact back,
    call the function's ``recompute`` or delete the file.
    """


class RecordError(TaggedArtifactsError, ValueError):
    """A record is damaged, was written by a newer version of the library, or would be too large to be read back.

    One that would be too large is refused at a call, before the function runs. The others are errors of functions that
    read records; calls treat such a record as absent and say so in the log.
    """


class LockTimeoutError(TaggedArtifactsError, TimeoutError):
    """Another process was still making the same artifact when ``timeout`` seconds had passed.

    The message names its process, host and starting time. Wait longer, or stop that process: its lock goes with it.
    """


class RecursiveCallError(TaggedArtifactsError, RuntimeError):
    """A function asked, while it ran, for the very artifact that it is making.

    Waiting would never end. Give the inner call other arguments or another output.
    """


class Shortening:
    """A block from which errors come with a short traceback."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, Exception):
            shorten(error)


def short_traceback(function: Callable[P, R]) -> Callable[P, R]:
    """Have the errors of a public function come with a short traceback."""

    @functools.wraps(function)
    def entered(*args: P.args, **kwargs: P.kwargs) -> R:
        __tracebackhide__ = True  # pytest and IPython go by it
        with Shortening():
            return function(*args, **kwargs)

    return entered


def shorten(error: BaseException) -> None:
    """Take the library's frames out of the traceback of an error, all but the first, and of the errors behind it.

    An error that was not raised on purpose keeps the last one too, which tells where to look for the mistake.
    """
    entry = error.__traceback__
    if entry is None:
        return
    spoken = isinstance(error, TaggedArtifactsError)
    _join_entries(entry, _shown(entry.tb_next, spoken=spoken))
    seen: set[int] = {id(error)}
    behind = error.__cause__ or error.__context__
    while behind is not None and id(behind) not in seen:
        seen.add(id(behind))
        shown = _shown(behind.__traceback__, spoken=False)
        if shown:
            _join_entries(shown[0], shown[1:])
            behind.__traceback__ = shown[0]
        behind = behind.__cause__ or behind.__context__


def _shown(traceback: TracebackType | None, *, spoken: bool) -> list[TracebackType]:
    """List what is to be seen of a traceback."""
    chain = []
    while traceback is not None:
        chain.append(traceback)
        traceback = traceback.tb_next
    shown = [each for each in chain if not _file(each).startswith((_OURS, *_BETWEEN))]
    is_ours = bool(chain) and _file(chain[-1]).startswith(_OURS)
    if is_ours and not spoken and _file(chain[-1]) not in _CHECKS:
        shown.append(chain[-1])
    return shown


def _file(traceback: TracebackType) -> str:
    return traceback.tb_frame.f_code.co_filename


def _join_entries(first: TracebackType, rest: list[TracebackType]) -> None:
    for each, following in zip([first, *rest], [*rest, None], strict=True):
        each.tb_next = following
