"""Reading: what a decorated function reads at a call, encoded; found again only when something of it has changed."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import sys
import sysconfig
from keyword import iskeyword
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from .._canonical.encoding import encode, join
from .._canonical.refused import Part
from .._errors import UnhashableError
from .._hashing import file_hexdigest, file_stamp
from .._memory import Memory
from .._reach.found import Encoded, Reads
from .._reach.loaded import holds_loaded_code
from .._reach.location import Locator, file_of
from .._reach.met import Met
from .._reach.modules import loaded_modules
from .._reach.places import is_installed
from .._reach.prompt import SCRIPT
from .._reach.reads import OF_ARGUMENT, mentioned, reader
from .._reach.walk import walk
from .messages import meant

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from .._code.dirt import CodeState
    from .._code.look import Look
    from .._reach.watch import Watch

_PACKAGE = __name__.partition(".")[0]
_STANDARD = tuple({os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib")})
_MOST_PLACES = 1 << 14
_READER_BYTES = 1000
_MOST_KNOWN = 64  # combinations of code in the values of a call, per decorated function
# Of files of loaded modules: until the file or the module is another, or all is forgotten.
_digests: Memory[tuple[str, str], tuple[tuple[int, ...], object, str]] = Memory()
_ENTRY_BYTES = 500


class Reading(NamedTuple):
    """What a call reads.

    Attributes:
        reads: What was found.
        encoded: Its canonical form; None if nothing counts.
        files: The files of the modules that it reaches and that join the scope.
        digests: Of what it reaches and no commit fixes: path, import name and digest of each file.
    """

    reads: Reads
    encoded: bytes | None
    files: frozenset[str]
    digests: tuple[tuple[str, str, str], ...]


class _Known(NamedTuple):
    roots: tuple[object, ...]
    tree: Locator
    reading: Reading
    watch: Watch


class Reader:
    """Finds what one decorated function reads.

    Args:
        ignore: Names of globals, of variables of enclosing functions and of parts of them, that do not decide results.
        is_strict: Whether each of them has to be there.
        of_session: Whether the function is of a session, which tells itself what its own code reads.
    """

    def __init__(self, ignore: Collection[str], *, is_strict: bool, of_session: bool = False) -> None:
        self._ignore = tuple(ignore)
        self._is_strict = is_strict
        self._of_session = of_session
        self._known: dict[tuple[object, ...], _Known] = {}
        self._named: Memory[tuple[str, ...], FunctionType] = Memory()

    def read(self, f: Callable[..., object], look: Look, code: Collection[object]) -> Reading:
        """Find what a function reads now.

        Args:
            f: The undecorated function.
            look: The look at the repository.
            code: The functions and classes that occur in the values of the call, and by which a session's reads.

        Raises:
            UnhashableError: If a name of the work tree gives other code than its file defines, and that cannot be told.
        """
        root = look.root
        key = (root, *map(id, code))
        known = self._known.get(key)
        first = None if self._of_session else f
        if known is not None and known.roots[0] is first and known.watch.holds():
            return known.reading
        roots = (first, *code)
        space = {} if self._of_session else _space(f)  # to which editors and magics may give a file
        tree = Locator(root, space) if known is None or known.roots[0] is not first else known.tree
        reads, watch = walk(roots, tree, self._ignore, _Encoder(look))
        if root is not None:
            _note(root, reads)
        values = {**reads.values, **{f"import {name}": encode(path, name) for name, path in reads.places.items()}}
        encoded = join(dict(sorted(values.items()))) if values else None
        reading = Reading(reads, encoded, *_files(reads, look))
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[key] = _Known(roots, tree, reading, watch)
        return reading

    def check(
        self,
        f: Callable[..., object],
        reading: Reading,
        *,
        meant_in_session: frozenset[str] | None,
        interactive: bytes | None,
    ) -> None:
        """Check that all that is to be ignored is there, as far as that can be told.

        Args:
            f: The undecorated function.
            reading: What it reads.
            meant_in_session: The ignored names that meant something to an interactive function; None if that cannot be
                told.
            interactive: The encoded fingerprint of an interactive function; None for functions of modules.

        Raises:
            ValueError: If something is not.
        """
        if not self._is_strict or (self._of_session and meant_in_session is None):
            return
        found = reading.reads.ignored | (meant_in_session or frozenset())
        missing = [name for name in self._ignore if name not in found]
        if not missing:
            return
        known = list(reading.reads.values)
        if interactive is not None:
            from .._session.fingerprint import names_in  # what reads source code is not for scripts to wait for

            known += [*inspect.signature(f).parameters, *names_in(interactive)]
        raise ValueError(
            f"ignore names {missing[0]!r}, which is no parameter of {f.__qualname__}, and nothing that it reads"
            f"{meant(missing[0], known) or '; correct the name, or take it out'}"
        )

    def named(self, f: Callable[..., object], encoded: bytes) -> list[FunctionType]:
        """List functions that read the globals which texts among arguments name, ``"x > @LIMIT"``: as readers do."""
        if not may_name_globals(encoded):  # as nearly always
            return []
        plain, found = inspect.unwrap(f), []
        if isinstance(plain, FunctionType):
            code, space = plain.__code__, plain.__globals__
            known = (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
            for chain in sorted({(name, *further) for name, further in mentioned(encoded.decode())}):
                if chain[0] in space and chain[0] not in known and not any(map(iskeyword, chain)):
                    made = self._named.get(chain)
                    if made is None or made.__globals__ is not space:
                        made = reader(chain, space, OF_ARGUMENT, plain.__qualname__)
                        self._named.put(chain, made, _READER_BYTES)
                    found.append(made)
        return found

    def watch_loaded(self, look: Look) -> None:
        """Watch what a run has loaded, as it stands now: what a call read before counts until any of that changes."""
        for key, known in list(self._known.items()):
            if known.watch.take_loaded():
                self._known.pop(key, None)  # what the run has changed, or cannot be told, the next call reads again
                if known.watch.holds():
                    with contextlib.suppress(UnhashableError):
                        _, watch = walk(known.roots, known.tree, self._ignore, _Encoder(look))
                        self._known[key] = known._replace(watch=watch)


class _Encoder:
    """Encodes what the walk finds, with the code that occurs in it."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def __call__(self, value: object, place: str, without: tuple[tuple[str, ...], ...]) -> Encoded:
        found: set[tuple[str, ...]] = set()
        try:
            with meeting(self._look) as met:
                text = encode(Part(value, without, found) if without else value, place)
        except UnhashableError as error:
            return Encoded(None, str(error).partition("; ")[0])
        return Encoded(text, "", tuple(met.code.values()), frozenset(found))

    def named(self, code: Collection[tuple[Any, str]], place: str) -> Encoded:
        met = meeting(self._look)
        digests = [met.add(function, function.__module__ or "") for function, _ in code]
        names = [name if digest is None else [name, digest] for (_, name), digest in zip(code, digests, strict=True)]
        return Encoded(encode(names[0] if len(names) == 1 else names, place))

    def refuse(self, place: str, reason: str) -> Exception:
        return UnhashableError(
            f"{place} holds other code than its file defines there, and {reason}; define what it holds in a module"
        )


def may_name_globals(encoded: bytes) -> bool:
    """Tell whether texts among encoded arguments may name globals, as ``"x > @LIMIT"`` does."""
    return b"@" in encoded


def meeting(look: Look) -> Met:
    """Collect the code in values: what no commit and no installation fixes counts with the digest of its file."""
    return Met(lambda module, file: _digest_of_code(look, module, file))


def further(digests: tuple[tuple[str, str, str], ...], met: Met, state: CodeState) -> dict[str, str]:
    """Pick the digests of those files that count neither as dirt or foreign modules nor with what they define."""
    return {
        path: digest
        for path, module, digest in digests
        if module not in met.digests
        and not state.scope.holds_module(path, is_script=module in SCRIPT)
        and not {path, f"../{path}"} & set(state.modules)
    }


def _files(reads: Reads, look: Look) -> tuple[frozenset[str], tuple[tuple[str, str, str], ...]]:
    """Part the files that a walk reached into those that join the scope, and those that count by their digests."""
    files, digests = set(), []
    for path, space in reads.spaces.items():
        name, file = str(space.get("__name__")), file_of(space) or ""
        digest = _digest_of_code(look, name, file)
        if digest is None:
            files.add(file)
        else:
            digests.append((path, name, digest))
    return frozenset(files), tuple(digests)


def _note(root: str, reads: Reads) -> None:
    """Make known to the code state the modules that ``sys.modules`` does not hold."""
    for space in reads.spaces.values():
        if getattr(sys.modules.get(str(space.get("__name__"))), "__dict__", None) is not space:
            loaded_modules(root).add(file_of(space) or "", space)


def _space(f: Any) -> dict[str, Any]:
    plain = inspect.unwrap(f)
    return plain.__globals__ if isinstance(plain, FunctionType) else {}


def _digest_of_code(look: Look, module: str, file: str | None) -> str | None:
    """Digest the file of a module that neither a commit nor an installation fixes; None for what one of them fixes.

    Args:
        look: The look at the repository; where there is none, nothing has a digest.
        module: The import name of the module.
        file: The absolute path of its file, or None.
    """
    if file is None or look.root is None or module.partition(".")[0] == _PACKAGE:
        return None
    real, is_fixed = _real_place(file)
    return None if is_fixed or look.is_tracked(real) else _loaded_digest(file, real, module)


@functools.lru_cache(maxsize=_MOST_PLACES)  # as long as the process lives: a file that was loaded stays where it was
def _real_place(file: str) -> tuple[str, bool]:
    """Find where a file really is, and whether it is of the standard library or of an installed package."""
    real = os.path.realpath(file)
    is_standard = real.startswith(_STANDARD) or not os.path.isabs(file)  # "<frozen …>"
    return real, is_standard or is_installed(real.lstrip(os.sep).replace(os.sep, "/"), "")


def _loaded_digest(file: str, real: str, module: str) -> str:
    space: dict[str, Any] = getattr(sys.modules.get(module), "__dict__", {})
    if space.get("__file__") != file:  # of a script that runs, or was run, in another process
        space = {"__file__": file}
    load = space.get("__spec__") or sys.modules.get(module)
    try:
        stamp = file_stamp(real)
    except OSError:
        stamp = ()
    known = _digests.get((real, module))
    if known is None or known[0] != stamp or known[1] is not load:
        try:
            digest = file_hexdigest(real) if holds_loaded_code(real, space, None) else os.urandom(16).hex()
        except OSError:  # it is gone: what was loaded is not known any more, and equals nothing
            digest = os.urandom(16).hex()
        known = stamp, load, digest
        _digests.put((real, module), known, _ENTRY_BYTES)
    return known[2]
