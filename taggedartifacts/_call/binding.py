"""Binding: from the options of a decorator and the arguments of a call to outputs, inputs and a config hash."""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .._canonical.encoding import encode, encode_call
from .._canonical.refused import Part, Stateless
from .._reach.outside import is_built_in
from .._reach.reads import names_read
from .inputs import input_contents, leaves
from .messages import is_descriptor, meant, refuse_bare, refuse_missing, refuse_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator


class _Source:
    """A default value as it is spelled in source code."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def binder(name: str, signature: inspect.Signature) -> Callable[..., dict[str, Any]]:
    """Make a function with the parameters of *signature* that returns its arguments by name, defaults applied.

    What it is called with is bound by the interpreter, as in a call of the function that has the signature: thirty
    times faster than `inspect.Signature.bind`, which imitates that.

    Args:
        name: The name that a TypeError for arguments that do not fit says.
        signature: The parameters.
    """
    parameters = signature.parameters
    bare = [
        parameter.replace(
            annotation=inspect.Parameter.empty,
            default=parameter.default
            if parameter.default is inspect.Parameter.empty
            else _Source(f"parameters[{each!r}].default"),
        )
        for each, parameter in parameters.items()
    ]
    head = str(inspect.Signature(bare))[1:-1]
    members = ", ".join(f"{each!r}: {each}" for each in parameters)
    source = f"lambda {head}: {{{members}}}"
    bind: Callable[..., dict[str, Any]] = eval(source, {"parameters": parameters})  # noqa: S307 - of checked names only
    bind.__qualname__ = name
    return bind


# Here and in other modules that every script needs, plain data is a NamedTuple: a data class takes ten times as long to
# define, half a millisecond each.
class Options(NamedTuple):
    """The options of a decorator, checked; see `Artifact` for what they mean."""

    keywords: tuple[str, ...]
    several: bool
    config: object
    allow_dirty: bool
    ignore: tuple[str, ...]
    inputs: tuple[str, ...]
    scope: tuple[str, ...] | None
    load: Callable[[Any], Any] | None
    mode: str
    repo: str | None
    timeout: float | None
    link: bool

    @classmethod
    def check(cls, keyword: Any, **options: Any) -> Options:
        """Check what a user passed to `Artifact`.

        Raises:
            TypeError: If an option is of a wrong type.
            ValueError: If an option has a wrong value, or makes no sense with another.
        """
        if callable(keyword) or is_descriptor(keyword):
            refuse_bare(keyword)
        several = not isinstance(keyword, str)
        keywords = _names("keyword", keyword if several else (keyword,))
        if not keywords or "" in keywords or len(set(keywords)) != len(keywords):
            raise ValueError(f"keyword must name one parameter, or several different ones, not {keyword!r}")
        given = cls(keywords=keywords, several=several, **options)
        given._check_values()
        checked = given._replace(
            ignore=_names("ignore", given.ignore),
            inputs=_names("inputs", given.inputs),
            scope=_names("scope", given.scope) or None,
            repo=None if given.repo is None else os.fsdecode(given.repo),
        )
        checked._check_names()
        return checked

    def _check_values(self) -> None:
        timeout = self.timeout
        if not isinstance(self.allow_dirty, bool):
            raise TypeError(f"allow_dirty must be True or False, not {self.allow_dirty!r}")
        if not isinstance(self.link, bool):
            raise TypeError(f"link must be True or False, not {self.link!r}")
        if self.load is not None and not callable(self.load):
            raise TypeError(f"load must be a function of the artifact's path, not {self.load!r}")
        if self.mode not in ("w", "r"):
            raise ValueError(f"mode must be 'w' or 'r', not {self.mode!r}")
        if self.repo is not None and not isinstance(self.repo, (str, os.PathLike)):
            raise TypeError(f"repo must be a path, not {self.repo!r}")
        if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, (int, float))):
            raise TypeError(f"timeout must be a number of seconds or None, not {timeout!r}")
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"timeout must be at least 0 seconds, not {timeout!r}")

    def _check_names(self) -> None:
        for name in (name for name in self.ignore if "" in name.split(".")):
            raise ValueError(f"ignore names {name!r}, which is no name; write 'verbose', or for a part 'cfg.n_jobs'")
        for name in (name for name in self.inputs if "." in name):
            raise ValueError(f"inputs names {name!r}, and takes whole parameters only; make that path one of them")
        if "" in (self.scope or ()):
            raise ValueError("scope holds an empty path; the whole repository is '.'")
        heads = tuple(name.partition(".")[0] for name in self.ignore)
        for name, others in (("ignore", heads), ("inputs", self.inputs)):
            if both := set(self.keywords) & set(others):
                raise ValueError(f"{name} must not name the keyword {min(both)!r}: an output path is never hashed")
        if both := set(heads) & set(self.inputs):
            raise ValueError(f"{min(both)!r} is in ignore and in inputs; it can be only one of them")
        if self.mode == "r" and (self.load or self.ignore or self.inputs or self.link):
            raise ValueError(
                "load, ignore, inputs and link have no meaning in mode 'r', where config alone makes the tag and the "
                "artifact is there already"
            )


def _names(option: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, (Sequence, set, frozenset)):
        refuse_names(option, value)
    names = tuple(os.fspath(name) if isinstance(name, os.PathLike) else name for name in value)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"{option} must hold names only, not {value!r}")
    return names if isinstance(value, Sequence) else tuple(sorted(names))


class Parameters:
    """The parameters of a decorated function, and how a call's arguments are sorted into what they are for."""

    def __init__(self, f: Callable[..., object], options: Options, *, free_names: bool = False) -> None:
        self._signature = inspect.signature(f)
        self._options = options
        self._bind = binder(f.__qualname__, self._signature)
        kinds = {name: parameter.kind for name, parameter in self._signature.parameters.items()}
        self._extra = next((name for name, kind in kinds.items() if kind is inspect.Parameter.VAR_KEYWORD), None)
        whole = {name for name in options.ignore if "." not in name}
        self._left_out = frozenset((*options.keywords, *whole, *options.inputs))
        # The class of an object decides what its methods do, whatever its state.
        self._without_state = "self" if "self" in whole and next(iter(kinds), None) == "self" else None
        self.takes_any = self._extra is not None  # then keywords may have any name
        self.ignored_globals = tuple(name for name in options.ignore if name.partition(".")[0] not in kinds)
        """What is ignored and is no parameter nor a part of one: what the function reads."""
        self._parts: dict[str, list[tuple[str, ...]]] = {}
        for name in options.ignore:
            head, *steps = name.split(".")
            if steps and head not in whole:
                owner = head if head in kinds else self._extra or head
                self._parts.setdefault(owner, []).append(tuple(steps) if head in kinds else (head, *steps))
        # By a name that only a position can fill, further keywords may hold something else.
        self._extra_left_out = self._left_out.difference(kinds)
        hashed = [name for name in kinds if name not in self._left_out or name == self._without_state]
        self._hashed = hashed if options.mode == "w" else []
        for option, names in (("ignore", options.ignore), ("inputs", options.inputs)):
            unknown = [name for name in names if name.partition(".")[0] not in kinds]
            if option == "ignore" and (free_names or (unknown and _reads(f))):
                unknown = []  # the call tells whether it reads these
            if unknown and self._extra is None:
                raise ValueError(
                    f"{option} names {unknown[0]!r}, but {f.__qualname__} has only the parameters {', '.join(kinds)}"
                    f"{meant(unknown[0], kinds)}"
                )

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> inspect.BoundArguments:
        """Bind a call's arguments, defaults applied.

        Raises:
            KeyError: If an output path is missing.
            TypeError: If the arguments do not fit otherwise.
        """
        try:
            arguments = self._bind(*args, **kwargs)
        except TypeError:
            unknown = [] if self.takes_any else [name for name in kwargs if name not in self._signature.parameters]
            partial = self._signature.bind_partial(*args, **{k: v for k, v in kwargs.items() if k not in unknown})
            partial.apply_defaults()
            self.outputs(partial, unknown)
            raise
        return inspect.BoundArguments(self._signature, arguments)

    def outputs(self, bound: inspect.BoundArguments, unknown: Collection[str] = ()) -> tuple[object, ...]:
        """Return the output paths as the user gave them; None for one of several that is not asked for.

        Raises:
            KeyError: If one is missing, or none is asked for.
        """
        options = self._options
        paths = []
        for keyword in options.keywords:
            path = self._value(bound, keyword, "")
            if path == "" or (path is None and not options.several):
                refuse_missing(keyword, self._signature.parameters, unknown, takes_any=self.takes_any)
            paths.append(path)
        if options.several and all(path is None for path in paths):
            raise KeyError(f"no output path was given: all of {', '.join(map(repr, options.keywords))} are None")
        return tuple(paths)

    def redirect(self, bound: inspect.BoundArguments, paths: Sequence[object]) -> None:
        """Replace the output paths, so that the function writes somewhere else; None is for what is not asked for."""
        for keyword, path in zip(self._options.keywords, paths, strict=True):
            (bound.arguments if keyword in bound.arguments else bound.arguments[self._extra or ""])[keyword] = path

    def counted(self, bound: inspect.BoundArguments) -> tuple[object, dict[str, object]]:
        """Sort out what of a call counts as it is: configuration and arguments, without what is ignored."""
        config = self._options.config
        arguments = {name: bound.arguments[name] for name in self._hashed}
        if self._extra in arguments:
            extra = arguments[self._extra].items()
            arguments[self._extra] = {name: value for name, value in extra if name not in self._extra_left_out}
        if self._without_state in arguments:
            arguments[self._without_state] = Stateless(arguments[self._without_state])
        for name, parts in self._parts.items():
            if name in arguments:
                arguments[name] = Part(arguments[name], tuple(parts), set())
        return config() if callable(config) else config, arguments

    def encoded(self, config: object, arguments: dict[str, object]) -> dict[str, bytes]:
        """Encode what `counted` gives canonically; `encoded_inputs` does so with the content of inputs.

        Raises:
            UnhashableError: If one of them has no canonical form; names it.
            ValueError: If ``ignore`` names a part of an argument that is not there.
        """
        encoded = encode_call(config, arguments)
        for name in self._parts:
            if name != self._extra and isinstance(value := arguments.get(name), Part):
                _check_found(name, value)
        return encoded

    def path_arguments(self, bound: inspect.BoundArguments) -> Iterator[tuple[str, object]]:
        """Iterate over the arguments that count as they are written, further keywords one by one."""
        for name in self._hashed:
            if name != self._extra:
                yield name, bound.arguments[name]
        if self._extra in self._hashed:
            extra = bound.arguments[self._extra or ""].items()
            yield from ((name, value) for name, value in extra if name not in self._extra_left_out)

    def left_out(self, bound: inspect.BoundArguments) -> Iterator[object]:
        """Iterate over the arguments that are inputs or to be ignored, and the outputs."""
        for name, value in bound.arguments.items():
            given = value.items() if name == self._extra else [(name, value)]
            yield from (each for key, each in given if key in self._left_out)

    def encoded_inputs(self, bound: inspect.BoundArguments, cwd: str = "") -> bytes:
        """Encode the content of the inputs of a call, as it is now; relative paths go by *cwd*, if that is given.

        Raises:
            InputError: If an input is missing or unreadable.
        """
        paths = {name: self._value(bound, name) for name in self._options.inputs}
        return encode(input_contents(paths, cwd), "inputs")

    def within_inputs(self, bound: inspect.BoundArguments, cwd: str, root: str, paths: Iterable[str]) -> frozenset[str]:
        """Find which paths, relative to the *root* of a work tree, the inputs of a call hold."""
        return within_inputs([self._value(bound, name) for name in self._options.inputs], cwd, root, paths)

    def _value(self, bound: inspect.BoundArguments, name: str, default: object = None) -> object:
        if name in bound.arguments:
            return bound.arguments[name]
        return bound.arguments[self._extra].get(name, default) if self._extra else default


def _check_found(name: str, part: Part) -> None:
    """Check that all that is to be left out of an argument was found in it."""
    missing = [path for path in part.paths if path not in part.found]
    if missing:
        raise ValueError(
            f"ignore names {'.'.join((name, *missing[0]))!r}, but the argument {name!r} of this call holds nothing "
            "by that name: attributes, items and fields can be left out, and what is computed from them cannot"
        )


def _reads(f: Callable[..., object]) -> bool:
    """Tell whether a function reads anything by name beyond its arguments and what is built in."""
    code = getattr(inspect.unwrap(f), "__code__", None)
    if code is None:
        return True
    names = names_read(code)
    return bool(names.cells or names.imports or not all(map(is_built_in, names.globals)))


def within_inputs(values: Iterable[object], cwd: str, root: str, paths: Iterable[str]) -> frozenset[str]:
    """Find which paths of a work tree are inputs, or lie in a folder that is one: their content counts already.

    Args:
        values: What was passed for the parameters named by ``inputs``.
        cwd: What relative paths among them go by.
        root: The root of the work tree.
        paths: Paths relative to that.
    """
    given = (each for value in values for each in leaves(value) if isinstance(each, (str, bytes, os.PathLike)))
    inputs = {_itself(os.path.join(cwd, os.fsdecode(path))) for path in given} - {None}
    found = set()
    for path in paths:
        above = os.path.join(root, path)
        while len(above) >= len(root) and _itself(above) not in inputs:
            above = os.path.dirname(above)
        if len(above) >= len(root):
            found.add(path)
    return frozenset(found)


def _itself(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if found.st_ino else None
