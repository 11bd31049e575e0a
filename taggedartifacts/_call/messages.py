"""Messages: what to write instead of what is wrong, and the log on stderr."""

from __future__ import annotations

import functools
import inspect
import logging
import os
import re
import sys
from copy import copy
from types import FunctionType
from typing import TYPE_CHECKING, Any, NoReturn

from .._reach.prompt import shell

if TYPE_CHECKING:
    from collections.abc import Iterable

_OUTPUT = re.compile("out|path|file|target|dest")


def is_descriptor(f: object) -> bool:
    """Tell whether something is what a method becomes by one of Python's own decorators."""
    return isinstance(f, (staticmethod, classmethod, property))


def refuse_bare(f: Any) -> NoReturn:
    """Refuse ``@Artifact`` without parentheses.

    Raises:
        TypeError: Always.
    """
    check_function(f)
    if not isinstance(f, FunctionType):
        raise TypeError(f'Artifact needs a keyword; write Artifact(keyword="outpath")({getattr(f, "__name__", "f")})')
    names = list(inspect.signature(f).parameters)
    keyword = next((name for name in reversed(names) if _OUTPUT.search(name)), names[-1] if names else "outpath")
    raise TypeError(
        "Artifact has to be told which parameter takes the output path; write\n"
        f'    @Artifact(keyword="{keyword}")\n    def {f.__name__}{inspect.signature(f)}:'
    )


def refuse_names(option: str, value: object) -> NoReturn:
    """Refuse what is no sequence of names, as one name alone.

    Raises:
        TypeError: Always.
    """
    instead = f"({value!r},)" if isinstance(value, str) else "('one', 'other')"
    raise TypeError(f"{option} must be a sequence of names, not {value!r}; write {option}={instead}")


def refuse_missing(keyword: str, names: Iterable[str], unknown: Iterable[str], *, takes_any: bool) -> NoReturn:
    """Refuse a call that gives no output path, with the names that it gave and the function does not take.

    Raises:
        KeyError: Always.
    """
    names = tuple(names)
    if keyword in names or takes_any:
        wrong = "is missing or empty; pass a path" + "".join(f" ({each!r} is no parameter)" for each in unknown)
    else:
        wrong = f"is no parameter; there are {', '.join(names) or 'none'}{meant(keyword, names)}"
    raise KeyError(f"no output path was given: the keyword {keyword!r} {wrong}") from None  # one traceback says it


def check_function(f: Any) -> None:
    """Check that what is decorated is a function that has run when its call returns.

    Raises:
        TypeError: If it is not.
    """
    if is_descriptor(f) or not callable(f):
        raise TypeError(
            f"Artifact decorates functions, not {f!r}; put @Artifact(…) below staticmethod, classmethod and property"
        )
    if not isinstance(inspect.unwrap(f), FunctionType):
        raise TypeError(f"Artifact decorates functions, not {_instead(f)}")
    if inspect.isgeneratorfunction(f) or inspect.isasyncgenfunction(f):
        raise TypeError(
            f"{f.__qualname__} is a generator function, which has not run when its call returns; write the file in a "
            "plain function that goes through the generator, and decorate that"
        )


def _instead(f: Any) -> str:
    if isinstance(f, type):
        return f"the class {f.__qualname__}; put @Artifact(…) above the method that writes the file"
    if isinstance(f, functools.partial):
        name = getattr(f.func, "__name__", "f")
        return (
            f"{f!r}; decorate the function, and take the partial of what comes out: "
            f'functools.partial(Artifact(keyword="outpath")({name}), …)'
        )
    if any(each.__module__.partition(".")[0] == "click" for each in type(f).__mro__):
        return f"the click command {f.name!r}; put @Artifact(…) below @click.command(), directly above the function"
    return f"{f!r}; write a function that calls it, and decorate that"


def check_object(decorated: Any, attribute: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Check that an attribute of a method was given the object, which only the call of a bound method passes.

    Raises:
        TypeError: If it was not.
    """
    f = decorated.__wrapped__
    owner, _, name = f.__qualname__.rpartition(".")
    code = inspect.unwrap(f).__code__
    first = code.co_varnames[0] if code.co_argcount else ""
    if not owner or owner.endswith("<locals>") or first not in ("self", "cls"):
        return
    if (not args and first in kwargs) or (args and _has(args[0], owner, name, decorated)):
        return
    raise TypeError(
        f"{f.__qualname__}.{attribute} was called without the object: write {f.__qualname__}.{attribute}"
        f"({'model' if first == 'self' else owner}, …). Of a bound method only the call passes it"
    )


def _has(value: Any, owner: str, name: str, decorated: object) -> bool:
    """Tell whether a value is of the class that has the method, or has the method from elsewhere."""
    classes = (*type(value).__mro__, *(value.__mro__ if isinstance(value, type) else ()))
    if any(each.__qualname__ == owner for each in (*classes, value.__class__)):
        return True
    found = getattr(value, name, None)
    return getattr(found, "__func__", found) is decorated


def meant(name: str, known: Iterable[str]) -> str:
    """Add to a message which of the names that there are somebody may have meant."""
    from difflib import get_close_matches  # 3 ms: only for who has misspelt something

    close = get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


class _Stderr(logging.StreamHandler):  # type: ignore[type-arg]  # generic in stubs only
    """Writes to what stderr is at that moment, which tests and notebooks replace.

    What stands below a cell is kept in the notebook's file. So there a path below the current directory is written from
    there on, and reusing takes no figure: the same cells write the same, in another clone too.
    """

    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record.args, tuple) and getattr(shell(), "kernel", None) is not None:
            here = os.path.join(os.getcwd(), "")
            short = tuple(each.removeprefix(here) if isinstance(each, str) else each for each in record.args)
            record, brief = copy(record), getattr(record, "brief", None)
            record.msg, record.args = (record.msg, short) if brief is None else (brief, short[: brief.count("%s")])
        return super().format(record)

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def show_log(level: int = logging.INFO) -> None:
    """Show on stderr what the library says in its log: what it made and why, and what it reused.

    Does nothing where the program has set up logging of its own, for the library or for everything
    (``logging.basicConfig``). Called again, it changes the level. In a notebook, paths below the current directory are
    short, and no seconds are given for what was reused, so that its file changes less.

    Args:
        level: The least important messages to show: by default all but those for the curious, which are
            ``logging.DEBUG``.
    """
    logger = logging.getLogger("taggedartifacts")
    if not any(isinstance(handler, _Stderr) for handler in logger.handlers):
        if logger.hasHandlers():
            return
        logger.addHandler(_Stderr())
    logger.setLevel(level)
