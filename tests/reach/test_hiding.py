"""What is read of one file: its imports, what it hides, what it adds to ``sys.path``."""

import json
import sys
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taggedartifacts._reach.hiding import read
from taggedartifacts._reach.survey import Imports


def lines(*statements):
    return "\n".join(statements).encode()


def imported(source):
    """Write imports as in the language: ``..pkg.mod:name``."""
    found = read(source.encode()).imports
    return {"." * each.level + each.module + "".join(f":{name}" for name in each.names) for each in found}


def reasons(source):
    return [each.reason for each in read(source.encode()).hides]


class TestStatements:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("import a", {"a"}),
            ("import a.b.c as d, e", {"a.b.c", "e"}),
            ("from a.b import c, d as e", {"a.b:c:d"}),
            ("from a import *", {"a:*"}),
            ("from . import a", {".:a"}),
            ("from ..a.b import c", {"..a.b:c"}),
            ("def f():\n    def g():\n        import a", {"a"}),
            ("try:\n    import a\nexcept ImportError:\n    import b as a", {"a", "b"}),
            ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a", {"typing:TYPE_CHECKING", "a"}),
            ("class C:\n    from a import b", {"a:b"}),
            ("match x:\n    case 1:\n        import a", {"a"}),
            ("match x:\n    case True | False | None:\n        import a", {"a"}),
            ("# coding: latin-1\nimport a", {"a"}),
        ],
    )
    def test_found_anywhere(self, source, expected):
        """An import statement counts wherever in the file it stands, with its level and what it takes."""
        assert expected == imported(source)

    def test_encoding(self):
        """A file is read in the encoding that it declares."""
        source = "# -*- coding: latin-1 -*-\nimport m\nx = 'Gr\xf6\xdfe.md'".encode("latin-1")

        assert ("Gr\xf6\xdfe.md",) == read(source).strings

    def test_byte_order_mark(self):
        """A file may begin with a byte order mark."""
        assert "a" == read(b"\xef\xbb\xbfimport a").imports[0].module

    def test_order(self):
        """Imports are listed in the order of their lines, each once."""
        assert ["b", "a"] == [each.module for each in read(b"import b\n\nimport a\nimport b").imports]


class TestLiteralNames:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("import importlib\nimportlib.import_module('x.y')", "x.y"),
            ("from importlib import import_module as im\nim('x')", "x"),
            ("from importlib import import_module\nload = import_module\nload('x')", "x"),
            ("import importlib\nimportlib.import_module(name='x')", "x"),
            ("import importlib\nimportlib.import_module('.x', __package__)", ".x"),
            ("import importlib\nimportlib.import_module('..x', package=__package__)", "..x"),
            ("import importlib\nimportlib.import_module('.x', 'a.b')", "a.b.x"),
            ("import importlib\nimportlib.import_module('..x', 'a.b')", "a.x"),
            ("import importlib\nimportlib.import_module(f'{__name__}.x')", ".x"),
            ("import importlib\nimportlib.import_module(__package__ + '.x.y')", ".x.y"),
            ("import importlib\nNAME = 'x'\nimportlib.import_module(NAME)", "x"),
            ("import importlib\nfor n in ('x', 'y'):\n    importlib.import_module(n)", "y"),
            ("import importlib\nNS = ['x', 'y']\nfor n in NS:\n    importlib.import_module(f'p.{n}')", "p.y"),
            ("import importlib\nT = {'k': '.x', 'l': '.y'}\nimportlib.import_module(T[name], __name__)", ".y"),
            ("import importlib\nimportlib.import_module(['x', 'y'][0])", "x"),
            ("__import__('x')", "x"),
            ("__import__('x', fromlist=['y'])", "x.y"),
            ("__import__('x', None, None, (), 2)", "..x"),
            ("import builtins\nbuiltins.__import__('x')", "x"),
            ("import pkgutil\npkgutil.resolve_name('x.y:z')", "x.y.z"),
            ("import importlib.util as u\nu.find_spec('x')", "x"),
        ],
    )
    def test_count_as_imports(self, source, expected):
        """A module that is imported by a name that literals give counts like one of an import statement."""
        assert expected in imported(source)
        assert [] == reasons(source)


HIDING = [
    "import subprocess",
    "from subprocess import run as r",
    "def f():\n    import subprocess.x",
    "import os\nos.system('x')",
    "import os as o\no.popen('x')",
    "from os import system as s",
    "import os\nrun = os.system",
    "import os\nx = os\nx.system('a')",
    "import os\nos.execv('a', [])",
    "import os\nos.spawnlp(0, 'a')",
    "import os\nos.posix_spawn('a', [], {})",
    "from os import *\nsystem('x')",
    "import os\ngetattr(os, 'system')('x')",
    "import os\ngetattr(os, name)('x')",
    "import asyncio\nasyncio.create_subprocess_exec('x')",
    "from asyncio import create_subprocess_shell",
    "from asyncio import subprocess",
    "loop.subprocess_exec(p)",
    "exec('x')",
    "eval(x)",
    "compile('x', 'y', 'exec')",
    "import builtins\nbuiltins.exec('x')",
    "run = eval\nrun('x')",
    "list(map(eval, texts))",
    "def f(eval=1):\n    pass\neval('x')",
    "class A:\n    def eval(self):\n        pass\neval('x')",
    "class A:\n    compile = None\ncompile('x')",
    "__builtins__['exec']('x')",
    "import runpy",
    "import importlib\nimportlib.import_module(name)",
    "import importlib\nfor n in names:\n    importlib.import_module(n)",
    "import importlib\nimportlib.import_module('.x', package)",
    "import importlib\nf(importlib.import_module)",
    "import importlib\nimportlib.import_module(*args)",
    "def f(name='x'):\n    __import__(name)",
    "import pkgutil\npkgutil.resolve_name(x)",
    "from pkgutil import extend_path\n__path__ = extend_path(__path__, __name__)",
    "__path__.append('x')",
    "__path__ += ['x']",
    "import pkg\npkg.__path__.append('x')",
    "import importlib.util\nimportlib.util.spec_from_file_location('a', 'b')",
    "from importlib.machinery import SourceFileLoader",
    "import ctypes",
    "import ctypes.util",
    "from cffi import FFI",
    "import rpy2.robjects as ro",
    "import pty",
    "import sys\nsys.meta_path.insert(0, x)",
    "def f(:",
    "\0",
    "# coding: nonsense",
]


class TestHides:
    @pytest.mark.parametrize("source", HIDING)
    def test_hidden(self, source):
        """A file hides what it uses when it runs programs, text or names that only running it gives."""
        assert reasons(source)

    @pytest.mark.parametrize(
        "source",
        [
            "import re\nre.compile('x')",
            "from re import compile\ncompile('x')",
            "df.eval('x')",
            "model.compile(loss='x')",
            "def f(compile=True):\n    if compile:\n        pass",
            "def compile(x):\n    pass\ncompile(1)",
            "import multiprocessing\nmultiprocessing.Process(target=f).start()",
            "import os\nos.path.join('a', 'b')\nos.makedirs('x')\nos.environ['x']",
            "import sys\nprint(sys.path)\nif x in sys.path:\n    sys.path.remove(x)\nsys.exit(sys.argv)",
            "import asyncio\nasyncio.run(f())",
            "import importlib\nimportlib.reload(m)",
            "from importlib.metadata import version\nversion('x')",
            "import importlib.resources\nimportlib.resources.files('x')",
            "getattr(x, name)",
            "class A:\n    def exec(self):\n        pass\nA().exec()",
            "import pkgutil\npkgutil.iter_modules(__path__)",
        ],
    )
    def test_not_hidden(self, source):
        """What only looks like it, a method of that name or a function of the file's own, hides nothing."""
        assert [] == reasons(source)

    def test_line(self):
        """The line and the reason say where to look."""
        assert [(3, "uses os.system")] == list(read(b"import os\n\nos.system('x')").hides)

    def test_no_parse(self):
        """A file that does not parse says so, and where."""
        ((line, reason),) = read(b"import a\ndef f(:").hides

        assert 2 == line
        assert reason.startswith("does not parse")

    def test_nested_too_deep(self):
        """Neither a deep nor a long expression is too much."""
        assert read(b"(" * 5000 + b")" * 5000).hides
        assert [] == list(read(b"x = " + b" + ".join([b"'a'"] * 900)).hides)


PATHS = [
    ("sys.path.append('/opt/x')", ("", "/opt/x")),
    ("sys.path.append('lib')", ("current", "lib")),
    ("sys.path.append('..')", ("current", "..")),
    ("sys.path.insert(0, os.getcwd())", ("current", ".")),
    ("sys.path.append(os.path.abspath('../x'))", ("current", "../x")),
    ("sys.path.append(os.path.dirname(__file__))", ("file", ".")),
    ("sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))", ("file", "..")),
    ("sys.path.append(os.path.join(os.path.dirname(__file__), os.pardir, 'lib'))", ("file", "../lib")),
    ("sys.path.append(os.path.dirname(__file__) + '/../lib')", ("file", "../lib")),
    ("sys.path.append(f'{os.path.dirname(__file__)}/lib')", ("file", "lib")),
    ("sys.path.insert(0, str(Path(__file__).parent / 'x'))", ("file", "x")),
    ("sys.path.insert(0, str(Path(__file__).resolve().parents[1]))", ("file", "..")),
    ("sys.path.insert(0, Path(__file__).absolute().parent.joinpath('a', 'b').as_posix())", ("file", "a/b")),
    ("sys.path.insert(0, str(pathlib.Path.cwd() / 'x'))", ("current", "x")),
    ("HERE = Path(__file__).parent\nSRC = HERE.parent / 'src'\nsys.path.insert(0, str(SRC))", ("file", "../src")),
    ("sys.path.extend(['/a', os.path.dirname(__file__)])", ("file", ".")),
    ("sys.path += ['/a']", ("", "/a")),
    ("sys.path = ['/a'] + sys.path", ("", "/a")),
    ("sys.path = ['/a', *sys.path[1:]]", ("", "/a")),
    ("sys.path[:] = ['/a']", ("", "/a")),
    ("sys.path[0:0] = ['/a']", ("", "/a")),
    ("sys.path[0] = '/a'", ("", "/a")),
    ("p = sys.path\np.append('/a')", ("", "/a")),
    ("from sys import path\npath += ['/a']", ("", "/a")),
    ("from sys import path\npath.append('/a')", ("", "/a")),
    ("for p in ('/a', '/b'):\n    sys.path.append(p)", ("", "/b")),
    ("p = '/a' if x else '/b'\nif p not in sys.path:\n    sys.path.append(p)", ("", "/b")),
    ("import site\nsite.addsitedir('/a')", ("", "/a")),
    ("sys.path.append(os.path.dirname(inspect.getfile(inspect.currentframe())))", ("file", ".")),
]
HEAD = "import sys, os, pathlib, inspect\nfrom pathlib import Path\n"


class TestSearchPath:
    @pytest.mark.parametrize(("source", "expected"), PATHS)
    def test_evaluated(self, source, expected):
        """A change of ``sys.path`` by literals and ``__file__`` is evaluated, relative to where the file lies."""
        found = read((HEAD + source).encode())

        assert expected in found.folders
        assert () == found.hides

    @pytest.mark.parametrize(
        "source",
        [
            "sys.path.append(x)",
            "sys.path.append(os.environ['X'])",
            "sys.path.append(os.path.expanduser('~/x'))",
            "def f(p):\n    sys.path.append(p)",
            "p = '/a'\np += x\nsys.path.append(p)",
            "p = os.path.dirname(__file__)\np = os.path.dirname(p)\nsys.path.append(p)",
            "sys.path.append(sys.argv[1])",
            "sys.path.insert(*args)",
            "sys.path.extend(x)",
            "ps = ['/a']\nps.append(x)\nsys.path.extend(ps)",
            "ps = ['/a']\nps[0] = x\nsys.path.append(ps[0])",
            "ps = {'k': '/a'}\nps.update(x)\nsys.path.append(ps['k'])",
            "sys.path = x",
            "sys.path[0] = x",
            "sys.path += x",
            "sys.path[0], y = x",
            "f = sys.path.append\nf('/a')",
            "change(sys.path)",
            "change(paths=sys.path)",
            "return_ = [sys.path]",
            "def f():\n    return sys.path",
            "setattr(sys, 'path', x)",
            "getattr(sys, 'path').append('/a')",
            "from unittest import mock\nmock.patch.object(sys, 'path', x)",
            "mock.patch('sys.path', x)",
            "monkeypatch.syspath_prepend(x)",
            "import site\nsite.addsitedir(x)",
        ],
    )
    def test_not_evaluated(self, source):
        """Any other change of ``sys.path``, and whatever could change it, hides what is imported."""
        assert reasons(HEAD + source)

    @pytest.mark.parametrize(
        "source",
        ["sys.path.pop(0)", "old = sys.path[:]\nsys.path = old", "sys.path = list(sys.path)", "del sys.path[0]"],
    )
    def test_shorter(self, source):
        """Taking entries away, or putting the old ones back, leads nowhere new."""
        assert ((), ()) == read((HEAD + source).encode())[3:5]


class TestStrings:
    def test_kept(self):
        """Strings are kept that could name a file, with a suffix, in a folder, or by a name that has none."""
        source = lines("open('a/b.md')", "x = {'k': ['t.tex', 'Makefile', 'README']}", "f(p='Snakefile')")

        assert ("Makefile", "README", "Snakefile", "a/b.md", "t.tex") == read(source).strings

    def test_dropped(self):
        """Docstrings, sentences, pieces of f-strings, long texts and words are no names of files."""
        source = lines(
            "'''a/b.md'''", "x = f'{a}.md'", "y = 'It ends.'", "z = 'word'", f"u = '{'x.' * 200}y'", r"v='a.b\nc'"
        )

        assert () == read(source).strings


class TestSource:
    @pytest.mark.parametrize(
        "source",
        [
            "import inspect\ninspect.getsource(f)",
            "from inspect import getsourcelines as g",
            "import linecache",
            "from tokenize import generate_tokens",
            "open(__file__)",
            "from pathlib import Path\nPath(__file__).read_text()",
            "import shutil\nshutil.copy(__file__, 'x')",
        ],
    )
    def test_read(self, source):
        """Who reads the text of source files sees comments, so that they count."""
        assert read(source.encode()).reads_source

    def test_not_read(self):
        """Other uses of inspect and of the own path see no comments."""
        assert not read(b"import inspect\ninspect.signature(f)\nimport os\nos.path.dirname(__file__)").reads_source


class TestExports:
    @pytest.mark.parametrize(
        "source",
        ["__all__ = ['a', 'b']", "__all__ = ('a',)\n__all__ += ['b']", "__all__ = ['a']\n__all__.extend(['b'])"],
    )
    def test_literal(self, source):
        """What ``__all__`` lists is known, as a star imports submodules of these names."""
        assert ("a", "b") == read(source.encode()).exports

    @pytest.mark.parametrize(
        "source",
        ["__all__ = [f.stem for f in files]", "__all__ = sorted(x)", "__all__ = []\n__all__.append(f.__name__)"],
    )
    def test_computed(self, source):
        """A list that is computed says so, as a star may then import any submodule."""
        assert "*" in read(source.encode()).exports

    def test_of_other_modules(self):
        """The lists of other modules are no computation, as what they list is bound already."""
        assert ("a",) == read(b"from . import m\n__all__ = m.__all__ + ['a', *m.sub.__all__]").exports


class TestUses:
    def test_attributes(self):
        """Attributes of imported modules are kept, for each may be a module that another file imported."""
        found = read(b"import pkg as p, os\nfrom . import q\np.sub.f(q.r, os.sep)").uses

        assert {(0, "pkg", ("sub",)), (0, "pkg.sub", ("f",)), (1, "q", ("r",))} == {*found}


class TestText:
    @pytest.mark.parametrize("source", [*HIDING, *(HEAD + source for source, _ in PATHS), "x = '\\ud800.md'"])
    def test_round_trip(self, source):
        """What is written is read back the same."""
        found = read(source.encode())

        assert found == Imports.from_text(found.to_text())
        assert found.to_text().isascii()


class TestTotal:
    @settings(deadline=None)
    @given(st.binary() | st.text().map(str.encode))
    def test_any_bytes(self, source):
        """Reading never fails, whatever the bytes."""
        json.loads(read(source).to_text())

    @settings(deadline=None)
    @given(st.lists(st.sampled_from([*HIDING[:-3], *(source for source, _ in PATHS)]), max_size=4))
    def test_any_combination(self, sources):
        """What hides by itself hides among others too."""
        found = read((HEAD + "\n".join(sources)).encode())

        assert bool(found.hides) >= any(
            "import" not in each and each.startswith(("exec", "__path__")) for each in sources
        )

    def test_warns_of_nothing(self):
        """A file's own faults give no warnings here, and a filter that makes errors of them changes nothing."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")

            assert () == read(b"x = '\\d'\nif x is 1: pass\ny = 1if x else 2").hides

    def test_standard_library(self):
        """Real files are read without failing, and the name of each import stands in their text."""
        for name in ("asyncio.base_events", "inspect", "unittest.mock", "pathlib"):
            __import__(name)
            with open(sys.modules[name].__file__, "rb") as file:
                source = file.read()

            assert read(source).imports
            assert all(each.module.encode() in source for each in read(source).imports)
