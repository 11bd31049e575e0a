"""Read what a Python file imports, names and hides: other programs, text that is run as code, names that are computed.

Pure: what is read depends on the text alone.
"""

from __future__ import annotations

import ast
import re
import sys
import warnings
from typing import TYPE_CHECKING

from .forks import looking
from .literals import PACKAGE, PATH_METHODS, Evaluator, SearchPath, is_alias
from .survey import Hidden, Import, Imports, Survey, surveyed
from .syntax import tree_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Modules that do nothing else: to import one is enough.
_MODULES = frozenset(
    {
        *("subprocess", "_posixsubprocess", "asyncio.subprocess", "pty", "pexpect", "sh", "plumbum"),
        *("runpy", "imp", "zipimport", "lazy_loader", "pyximport"),
        *("ctypes", "_ctypes", "cffi", "_cffi_backend", "rpy2", "juliacall", "julia", "oct2py", "matlab", "jpype"),
    }
)
_NAMES = frozenset(
    {
        *("os.system", "os.popen", "os.startfile", "posix.system", "nt.system"),
        *("builtins.exec", "builtins.eval", "builtins.compile", "builtins.__builtins__"),
        *("pkgutil.extend_path", "pkgutil.get_importer", "pkgutil.get_loader", "pkgutil.find_loader"),
        *("importlib.util.spec_from_file_location", "importlib.util.spec_from_loader"),
        *("importlib.find_loader", "site.addpackage", "site.main", "sys.meta_path", "sys.path_hooks"),
        *("anyio.run_process", "anyio.open_process", "trio.run_process", "trio.lowlevel.open_process"),
        *("code.InteractiveInterpreter", "code.InteractiveConsole", "code.interact"),
        *("timeit.timeit", "timeit.repeat", "timeit.Timer", "cProfile.run", "cProfile.runctx", "profile.run"),
        *("pydoc.importfile", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"),
    }
)
_FAMILIES = (
    *("os.spawn", "os.exec", "os.posix_spawn", "posix.exec", "posix.posix_spawn", "posix.spawn"),
    *("importlib.machinery.Source", "importlib.machinery.Extension", "importlib.machinery.Sourceless"),
    *("importlib.machinery.PathFinder", "importlib.machinery.FileFinder", "importlib.machinery.NamespaceLoader"),
)
# Methods that can be called on an object that no name leads to.
_METHODS = frozenset(
    {
        *("create_subprocess_exec", "create_subprocess_shell", "subprocess_exec", "subprocess_shell"),
        *("exec_module", "load_module"),
    }
)
# What gives any attribute by its name, and from which modules that matters.
_BY_NAME = frozenset({"builtins.getattr", "operator.attrgetter", "builtins.setattr", "builtins.vars"})
_WATCHED = frozenset({"os", "posix", "builtins", "sys", "importlib", "importlib.util", "pkgutil", "asyncio", "site"})
_IMPORTERS = frozenset(
    {
        *("importlib.import_module", "importlib.__import__", "builtins.__import__", "importlib.util.find_spec"),
        *("pkgutil.resolve_name", "pydoc.locate", "pytest.importorskip"),
    }
)
# Who uses what begins like this reads the text of source files.
_SOURCE = (
    "inspect.getsource",
    "inspect.findsource",
    "inspect.getcomments",
    "inspect.getblock",
    "linecache",
    "tokenize",
)
_READERS = frozenset(
    {"builtins.open", "io.open", "codecs.open", "os.open", "shutil.copy", "shutil.copy2", "shutil.copyfile"}
)
_READ_METHODS = frozenset({"read_text", "read_bytes", "open"})

_LONGEST_STRING = 300
_BARE_NAME = re.compile(
    r"(?i)[a-z]*file|(readme|licen[cs]e|copying|changelog|contributing|citation|authors|notice)[\w-]*"
)
_ALPHANUMERIC = re.compile(r"\w")


def _is_hiding(name: str) -> bool:
    """Say whether who uses this dotted name hides what it uses."""
    return name in _NAMES or name.startswith(_FAMILIES) or any(each in _MODULES for each in _name_and_packages(name))


def _name_and_packages(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]


class _Look:
    """Looks at all names and calls of a file."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._evaluator = Evaluator(survey)
        self._path = SearchPath(survey, self._evaluator)
        self._hides: set[Hidden] = set()
        self._imports: set[tuple[int, Import]] = set()  # each with its line
        self._uses: set[str] = set()  # dotted names of attributes of what is imported
        self._reads_source = False
        self._plain: set[str] = set()  # names met before of which there is nothing to say

    def imports(self) -> Imports:
        for statement in self._survey.statements:
            self._statement(statement)
        for node, holder in self._survey.mentions:
            if isinstance(node, ast.Name):
                self._name(node, holder)
            else:
                self._attribute(node, holder)
        for target, value in self._survey.items_set:
            self._path.set_item(target, value)
        for call in self._survey.calls:
            self._call(call)
        return Imports(
            imports=tuple(dict.fromkeys(each for _, each in sorted(self._imports))),
            uses=tuple(_gathered(self._uses)),
            exports=tuple(sorted(self._survey.exports)),
            folders=tuple(sorted(self._path.folders)),
            hides=tuple(sorted(self._hides | self._path.hides)),
            strings=tuple(sorted(filter(_may_name_file, self._survey.strings))),
            reads_source=self._reads_source,
        )

    def _hide(self, node: ast.AST, reason: str) -> None:
        self._hides.add(Hidden(getattr(node, "lineno", 0), reason))

    def _statement(self, node: ast.Import | ast.ImportFrom) -> None:
        self._imports.update((node.lineno, each) for each in _stated(node))
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif not node.level:
            module = node.module or ""
            names = [module] if _is_hiding(module) else [f"{module}.{alias.name}" for alias in node.names]
        else:
            return
        for name in names:
            if _is_hiding(name):
                self._hide(node, f"imports {name}")
            self._reads_source |= name.startswith(_SOURCE)

    def _name(self, node: ast.Name, holder: ast.AST) -> None:
        if node.id == "__path__":
            changes = isinstance(holder, ast.Attribute) or not isinstance(node.ctx, ast.Load)
            if changes or isinstance(holder, ast.AugAssign | ast.Subscript):
                self._hide(node, "changes __path__")
        elif not isinstance(node.ctx, ast.Load) and not isinstance(holder, ast.AugAssign):
            return
        elif node.id in self._survey.origins or node.id in _BUILTINS or self._survey.stars:
            is_called = isinstance(holder, ast.Call) and holder.func is node
            if is_called or node.id in self._survey.origins or node.id not in self._survey.bound:
                for origin in self._survey.origins_of(node):
                    self._origin(origin, node, holder)

    def _attribute(self, node: ast.Attribute, holder: ast.AST) -> None:
        if node.attr in _METHODS:
            self._hide(node, f"uses {node.attr}")
        elif node.attr == "__path__" and (isinstance(holder, ast.Attribute) or not isinstance(node.ctx, ast.Load)):
            self._hide(node, "changes __path__")
        elif node.attr == "syspath_prepend" and isinstance(holder, ast.Call):
            self._path.mention(node.attr, node, holder)
        elif self._survey.is_imported(node):
            for origin in self._survey.origins_of(node):
                self._origin(origin, node, holder)
                if origin in self._plain:
                    self._uses.add(origin)

    def _origin(self, origin: str, node: ast.Name | ast.Attribute, holder: ast.AST) -> None:
        if origin in self._plain:
            return
        if origin == "sys.path" or origin in PATH_METHODS:
            self._path.mention(origin, node, holder)
        elif origin in _IMPORTERS:
            if isinstance(holder, ast.Call) and holder.func is node:
                self._import(origin, holder)
            elif not isinstance(holder, ast.Attribute) and not is_alias(self._survey, node, holder):
                self._hide(node, f"passes {origin.removeprefix('builtins.')} on")
        elif origin.partition(".")[0] in _MODULES:
            return  # its import says so
        elif _is_hiding(origin):
            self._hide(node, f"uses {origin.removeprefix('builtins.')}")
        else:
            self._reads_source |= origin.startswith(_SOURCE)
            self._plain.add(origin)

    def _call(self, node: ast.Call) -> None:
        origins = self._survey.origins_of(node.func)
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Name | ast.Attribute):
            if not _BY_NAME.isdisjoint(origins):
                self._attribute_by_name(node, first)
            elif isinstance(first, ast.Name) and first.id == "__file__" and not _READERS.isdisjoint(origins):
                self._reads_source = True
            elif "sys" in self._survey.origins_of(first) and any(_is_text(each, "path") for each in node.args):
                self._hide(node, "changes sys.path")  # patch.object(sys, "path", …)
        elif _is_text(first, "sys.path"):
            self._hide(node, "changes sys.path")  # patch("sys.path", …), monkeypatch.setattr("sys.path", …)
        if isinstance(node.func, ast.Attribute) and node.func.attr in _READ_METHODS and _is_own_file(node.func.value):
            self._reads_source = True

    def _attribute_by_name(self, node: ast.Call, first: ast.expr) -> None:
        watched = _WATCHED.intersection(self._survey.origins_of(first))
        if not watched:
            return
        names = self._evaluator.texts(node.args[1]) if len(node.args) > 1 else None
        if names is None:
            self._hide(node, f"looks up a computed name in {min(watched)}")
            return
        for module in watched:
            for name in names:
                origin = f"{module}.{name}"
                if origin == "sys.path" or origin in _IMPORTERS or _is_hiding(origin):
                    self._hide(node, f"looks up {origin}")

    def _import(self, importer: str, call: ast.Call) -> None:
        """Note the modules that a call imports, if literals say which."""
        short = importer.removeprefix("builtins.")
        by_keyword = {each.arg: each.value for each in call.keywords}
        name = call.args[0] if call.args else by_keyword.get("name")
        texts = self._evaluator.texts(name) if name is not None else None
        package = call.args[1] if len(call.args) > 1 else by_keyword.get("package")
        if importer.endswith("__import__"):
            found = self._by_dunder_import(texts, call, by_keyword)
        else:
            found = self._absolute_names(texts, package)
        if found is None:
            self._hide(call, f"calls {short} with a computed name")
        else:
            self._imports.update((call.lineno, _import_of(each.replace(":", "."))) for each in found)

    def _absolute_names(self, texts: set[str] | None, package: ast.expr | None) -> set[str] | None:
        if texts is None:
            return None
        found = set()
        for text in texts:
            if text.startswith("."):
                packages = self._evaluator.texts(package) if package is not None else None
                if packages is None:
                    return None
                found |= {_relative(text, each) for each in packages}
            else:
                found.add(_relative(text.removeprefix(PACKAGE), PACKAGE) if text.startswith(PACKAGE) else text)
        return found if not any("\0" in each for each in found) else None

    def _by_dunder_import(
        self, texts: set[str] | None, call: ast.Call, by_keyword: dict[str | None, ast.expr]
    ) -> set[str] | None:
        arguments = dict(zip(("name", "globals", "locals", "fromlist", "level"), call.args, strict=False))
        parts, level = (arguments.get(name, by_keyword.get(name)) for name in ("fromlist", "level"))
        taken = self._evaluator.items(parts) if parts is not None else set()
        levels = level.value if isinstance(level, ast.Constant) else 0 if level is None else None
        if texts is None or taken is None or not isinstance(levels, int) or not 0 <= levels < 100:
            return None
        names = {"." * levels + text for text in texts if "\0" not in text}
        return (
            names | {f"{name}.{each}" for name in names for each in taken if each} if len(names) == len(texts) else None
        )


_BUILTINS = frozenset({"exec", "eval", "compile", "__import__", "__builtins__"})


def _relative(name: str, package: str) -> str:
    """Write a name as it is relative to a package, which may be the file's own."""
    rest = name.lstrip(".")
    level = len(name) - len(rest)
    if package.startswith(PACKAGE):
        inner = package.removeprefix(PACKAGE).strip(".").split(".") if package != PACKAGE else []
        kept, above = inner[: max(len(inner) - level + 1, 0)], max(level - len(inner), 1)
        return "." * above + ".".join([*kept, rest])
    return ".".join([*package.split(".")[: len(package.split(".")) - level + 1], rest])


def _is_text(node: ast.expr | None, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


def _is_own_file(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="resolve" | "absolute", value=value)):
            return _is_own_file(value)
        case ast.Call(func=ast.Name() | ast.Attribute(), args=[ast.Name(id="__file__")]):
            return True
    return False


def read(source: bytes) -> Imports:
    """Read one file. This never fails: a file that cannot be parsed hides what it uses.

    Args:
        source: Its content, in the encoding that it declares.
    """
    try:
        # Warnings about a file's own text are not this reader's to give, and must not become errors. The filters are
        # those of the process, so one thread at a time.
        with looking, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = tree_of(source)
    except SyntaxError as error:
        return Imports(hides=(Hidden(error.lineno or 1, f"does not parse: {error.msg}"),))
    except (ValueError, LookupError, OverflowError):  # null bytes, an encoding that does not fit
        return Imports(hides=(Hidden(1, "does not parse"),))
    except (RecursionError, MemoryError):
        return Imports(hides=(Hidden(1, "does not parse: it is nested too deep"),))
    return _Look(surveyed(tree)).imports()


def _stated(node: ast.Import | ast.ImportFrom) -> list[Import]:
    if isinstance(node, ast.Import):
        return [Import(0, alias.name, ()) for alias in node.names]
    return [Import(node.level, node.module or "", tuple(alias.name for alias in node.names))]


def _import_of(name: str, names: tuple[str, ...] = ()) -> Import:
    module = name.lstrip(".")
    return Import(len(name) - len(module), module, names)


def _gathered(uses: Iterable[str]) -> list[Import]:
    """Gather the attributes that are used of each module; the standard library's lead nowhere else."""
    by_module: dict[str, list[str]] = {}
    for use in sorted(uses):
        head, _, attribute = use.rpartition(".")
        module = f"{head}." if head.strip(".") == "" else head
        if module != "." * len(module) or use.startswith("."):
            top = module.partition(".")[0]
            if top != "builtins" and top not in sys.stdlib_module_names:
                by_module.setdefault(module, []).append(attribute)
    return [_import_of(module, tuple(names)) for module, names in by_module.items()]


def _may_name_file(text: str) -> bool:
    if not 0 < len(text) <= _LONGEST_STRING or "\n" in text or "\0" in text:
        return False
    if "." in text or "/" in text:
        return text[-1] not in ". " and _ALPHANUMERIC.search(text) is not None
    return _BARE_NAME.fullmatch(text) is not None
