"""Errors: what can go wrong, when it does, and what to do about it.

Every error is raised with one message that names the place and the remedy, so all of them survive pickling. Each also
derives from the built-in exception that fits, so that code which catches ``OSError`` or ``TypeError`` keeps working.
"""

from __future__ import annotations


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
