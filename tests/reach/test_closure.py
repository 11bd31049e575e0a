"""What the imports of files reach in a work tree."""

import json
import os
import random
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from heavy import every

from taggedartifacts._reach.closure import closure
from taggedartifacts._reach.hiding import read
from taggedartifacts._reach.places import COMPILED, is_probed, probed


class Tree:
    """A work tree in memory: the text of each file by its path, and links."""

    def __init__(self, files, links=None):
        self.files = {path: textwrap.dedent(text) for path, text in files.items()}
        self.links = links or {}
        self.asked = []

    def _real(self, path):
        for link, target in self.links.items():
            if path == link or path.startswith(f"{link}/"):
                return self._real(target + path[len(link) :])
        return path

    def isfile(self, path):
        return self._real(path) in self.files

    def isdir(self, path):
        path = self._real(path)
        return path == "" or any(each.startswith(f"{path}/") for each in self.files)

    def follow(self, path):
        links = [link for link in self.links if path == link or path.startswith(f"{link}/")]
        return [*links, self._real(path)] if links else []

    def inside(self, absolute):
        return os.path.relpath(absolute, "/tree") if absolute.startswith("/tree") else None

    def imports_of(self, path):
        self.asked.append(path)
        return read(self.files[self._real(path)].encode())


class Disk:
    """A work tree on the disk."""

    def __init__(self, root):
        self.root = os.path.realpath(root)

    def isfile(self, path):
        return os.path.isfile(os.path.join(self.root, path))

    def isdir(self, path):
        return os.path.isdir(os.path.join(self.root, path))

    def follow(self, path):
        return ()

    def inside(self, absolute):
        return None

    def imports_of(self, path):
        return read(Path(self.root, path).read_bytes())


def reached(files, start="main.py", roots=(), links=None):
    return set(closure(Tree(files, links), [start], roots).files)


def covers(found, path):
    """Whether the closure would be another if a file at this path appeared, changed or went."""
    return path in found.files or is_probed(path, found.probes)


class TestFiles:
    @pytest.mark.parametrize(
        ("files", "expected"),
        [
            pytest.param({"main.py": "import a", "a.py": "", "b.py": ""}, {"a.py"}, id="module beside the file"),
            pytest.param({"main.py": "import a", "a.py": "import b", "b.py": ""}, {"a.py", "b.py"}, id="transitive"),
            pytest.param({"main.py": "import a", "a.py": "import main"}, {"a.py"}, id="cycle"),
            pytest.param(
                {"main.py": "def f():\n try:\n  import a\n except ImportError:\n  a = None", "a.py": ""},
                {"a.py"},
                id="inside a function, in a try",
            ),
            pytest.param(
                {"main.py": "import p.q.r", "p/__init__.py": "", "p/q/__init__.py": "", "p/q/r.py": "", "p/s.py": ""},
                {"p/__init__.py", "p/q/__init__.py", "p/q/r.py"},
                id="packages on the way",
            ),
            pytest.param({"main.py": "import p.q", "p/q.py": ""}, {"p/q.py"}, id="folder without __init__"),
            pytest.param(
                {
                    "main.py": "from p import a, b, f",
                    "p/__init__.py": "def f(): 0",
                    "p/a.py": "",
                    "p/b/__init__.py": "",
                },
                {"p/__init__.py", "p/a.py", "p/b/__init__.py"},
                id="names that are submodules",
            ),
            pytest.param({"main.py": "from p import q", "p/q.py": ""}, {"p/q.py"}, id="name in a folder"),
            pytest.param(
                {"main.py": "from p import *", "p/__init__.py": "__all__ = ['a']", "p/a.py": "", "p/b.py": ""},
                {"p/__init__.py", "p/a.py"},
                id="star",
            ),
            pytest.param(
                {"main.py": "import p\nimport o\np.q.f()", "o.py": "", "p/__init__.py": "", "p/q.py": ""},
                {"o.py", "p/__init__.py", "p/q.py"},
                id="submodule that is used, whoever imported it",
            ),
            pytest.param(
                {
                    "main.py": "import p",
                    "p/__init__.py": "from . import a\nfrom .b import c",
                    "p/a.py": "",
                    "p/b.py": "",
                },
                {"p/__init__.py", "p/a.py", "p/b.py"},
                id="relative in a package",
            ),
            pytest.param(
                {
                    "main.py": "import p.q.r",
                    "p/__init__.py": "",
                    "p/q/__init__.py": "",
                    "p/q/r.py": "from ... import x\nfrom .. import s\nfrom ..t import u",
                    "p/s.py": "",
                    "p/t/__init__.py": "",
                    "p/t/u.py": "",
                },
                {"p/__init__.py", "p/q/__init__.py", "p/q/r.py", "p/s.py", "p/t/__init__.py", "p/t/u.py"},
                id="relative, levels up",
            ),
            pytest.param(
                {"main.py": "import a", "a.py": "", "a/__init__.py": ""}, {"a.py", "a/__init__.py"}, id="both forms"
            ),
            pytest.param(
                {"main.py": "from a import b", "a.py": "", "a/b.py": ""}, {"a.py"}, id="module before a folder"
            ),
            pytest.param({"main.py": "import json", "json.py": ""}, {"json.py"}, id="shadowed standard library"),
            pytest.param({"main.py": "import os, sys", "os.py": "", "sys.py": ""}, set(), id="cannot be shadowed"),
            pytest.param({"main.py": "import A", "a.py": ""}, set(), id="case counts"),
            pytest.param({"main.py": "import a.b", "a.py": ""}, {"a.py"}, id="a module that is no package"),
            pytest.param({"main.py": "from .... import a", "a.py": ""}, set(), id="above the work tree"),
        ],
    )
    def test_reached(self, files, expected):
        """What an import statement may load is reached, and nothing else."""
        assert {"main.py", *expected} == reached(files)

    def test_ancestors(self):
        """Every folder above the importing file can be an import root: all that is found there counts."""
        files = {"s/t/main.py": "import m, n.o", "s/t/m.py": "", "s/m.py": "", "n/o.py": "", "u/m.py": ""}

        assert {"s/t/main.py", "s/t/m.py", "s/m.py", "n/o.py"} == reached(files, "s/t/main.py")

    def test_packages_above_the_start(self):
        """A package above a folder that is none is run too, when the file is imported through it."""
        files = {"scripts/__init__.py": "import lib", "scripts/sub/main.py": "", "lib.py": ""}

        assert {*files} == reached(files, "scripts/sub/main.py")

    def test_path_roots(self):
        """Entries of the running ``sys.path`` that lie in the work tree are import roots for all files."""
        files = {"run/main.py": "import p", "src/p/__init__.py": "import q", "src/q.py": "", "old/p.py": ""}

        assert {"run/main.py", "src/p/__init__.py", "src/q.py"} == reached(files, "run/main.py", ["src"])

    def test_two_files_of_one_name(self):
        """Where two roots hold a module of one name, both count."""
        assert {"m/main.py", "a/x.py", "b/x.py"} == reached(
            {"m/main.py": "import x", "a/x.py": "", "b/x.py": ""}, "m/main.py", ["a", "b"]
        )

    @pytest.mark.parametrize(
        "change",
        [
            "sys.path.append(os.path.join(os.path.dirname(__file__), '..', 'lib'))",
            "sys.path.append('/tree/lib')",
            "sys.path.append('../lib')",
            "sys.path.append('lib')",
        ],
    )
    def test_changed_search_path(self, change):
        """A folder that a file adds to ``sys.path`` is a root, also for files that were looked at before."""
        files = {
            "s/main.py": "import early\nimport setup_path",
            "s/early.py": "def f():\n    import x",
            "s/setup_path.py": f"import sys, os\n{change}",
            "lib/x.py": "",
        }

        assert {*files} == reached(files, "s/main.py")

    @pytest.mark.parametrize("name", ["m.so", "m.abi3.so", "m.pyc", f"m.{sys.implementation.cache_tag}-x.so"])
    def test_compiled(self, name):
        """A module that is built in place counts by its file, in the forms that this Python loads."""
        expected = {"main.py", name} if "-x" not in name else {"main.py"}

        found = closure(Tree({"main.py": "import m", name: "\0"}), ["main.py"])

        assert expected == found.files

    def test_namespace_in_two_roots(self):
        """A relative import in a package without ``__init__`` looks in all of its parts."""
        files = {"a/n/x.py": "from . import y", "b/n/y.py": ""}

        assert {*files} == reached(files, "a/n/x.py", ["a", "b"])

    def test_archive(self):
        """An archive on ``sys.path`` counts as a whole."""
        files = {"main.py": "import sys\nsys.path.append('/tree/x.zip')", "x.zip": "\0"}

        assert {*files} == reached(files)

    def test_script_without_suffix(self):
        """The file to start from is read whatever its name."""
        assert {"bin/run", "bin/m.py"} == reached({"bin/run": "import m", "bin/m.py": ""}, "bin/run")

    def test_read_once(self):
        """Each file is read once."""
        tree = Tree({"main.py": "import a, b", "a.py": "import b, main", "b.py": "import a"})
        closure(tree, ["main.py"], ["", "."])

        assert ["a.py", "b.py", "main.py"] == sorted(tree.asked)


class TestLinks:
    def test_file(self):
        """A link counts, what it leads to counts, and the imports are looked for beside both."""
        files = {"main.py": "import m", "lib/m.py": "import n", "lib/n.py": "", "n.py": ""}

        assert {*files, "m.py"} == reached(files, links={"m.py": "lib/m.py"})

    def test_folder(self):
        """A link to a folder counts together with the files that are reached through it."""
        files = {"main.py": "import p.m", "lib/p/__init__.py": "", "lib/p/m.py": ""}

        assert {*files, "p", "p/__init__.py", "p/m.py"} == reached(files, links={"p": "lib/p"})


class TestProbes:
    @pytest.mark.parametrize(
        ("source", "path"),
        [
            ("import json", "json.py"),
            ("import json", "json/__init__.py"),
            ("import json", "s/json.py"),
            ("import numpy", "src/numpy.so"),
            ("import a", "s/a/__init__.py"),
            ("import a", "a.py"),
            ("from p import q", "s/p/q.py"),
            ("from p import q", "s/p/__init__.py"),
            ("import x.y", "x/y.py"),
            ("from x import y", "src/x/y.py"),
            ("from .x import y", "s/x/y.py"),
            ("import p.x.y", "s/p/x/y.py"),
            ("import x\nfrom x import y", "x/y.py"),
            ("from . import z", "s/z.py"),
            ("import m", "s/__init__.py"),
        ],
    )
    def test_covered(self, source, path):
        """A file that an import would find first, or instead of an installed one, matters before it is there."""
        files = {"s/main.py": source, "s/a.py": "", "s/p/o.py": ""}
        before = closure(Tree(files), ["s/main.py"], ["src"])
        after = closure(Tree({**files, path: ""}), ["s/main.py"], ["src"])

        assert path not in before.files
        assert covers(before, path)
        assert any(path == each or (each.endswith("/") and path.startswith(each)) for each in probed(before.probes))
        assert path in after.files

    @pytest.mark.parametrize("path", ["b.py", "s/json.txt", "other/json.py", "json/x.py", "s/os.py", "s/p/o.py"])
    def test_not_covered(self, path):
        """A file that no import looks for does not matter."""
        found = closure(Tree({"s/main.py": "import json, os", "s/p/o.py": ""}), ["s/main.py"])

        assert not covers(found, path)

    def test_any_new_file(self):
        """Whatever file appears or goes, the closure stays the same or the one of before covers the path."""
        chance = random.Random(7)
        for _ in range(80):
            files = random_tree(chance)
            start = chance.choice(sorted(files))
            folder = chance.choice(["", *FOLDERS, "a/", "json/"])
            path = folder + chance.choice(["a", "b", "x", "p", "__init__", "json"]) + chance.choice([".py", ".so"])
            with_it, without = {**files, path: files.get(path, "")}, {**files}
            without.pop(path, None)
            if start != path:
                one, other = (closure(Tree(each), [start], ["src"]) for each in (with_it, without))

                assert one.files == other.files or (covers(one, path) and covers(other, path))

    def test_stems(self):
        """A file of a package is found by the package's name and by its own."""
        assert is_probed("a/__init__.py", {"a/__init__"})
        assert is_probed("a/__init__.py", {"a"})
        assert is_probed("a/b.py", {"a/b"})
        assert not is_probed("a/b.txt", {"a/b"})


class TestChains:
    def test_shortest(self):
        """Each file says by which file it came in, by the shortest way."""
        files = {
            "main.py": "import a\n\nimport b",
            "a.py": "import c",
            "b.py": "import c, d",
            "c.py": "import d",
            "d.py": "",
        }
        found = closure(Tree(files), ["main.py"])

        assert {
            "main.py": None,
            "a.py": "main.py",
            "b.py": "main.py",
            "c.py": "a.py",
            "d.py": "b.py",
        } == found.causes


class TestReports:
    def test_hides(self):
        """Where a file of the closure hides what it uses, file, line and reason are told."""
        files = {
            "main.py": "import a",
            "a.py": "import b\nimport subprocess",
            "c.py": "import subprocess",
            "b.py": "f(",
        }
        found = closure(Tree(files), ["main.py"])

        assert {("a.py", 2), ("b.py", 1)} == {(path, each.line) for path, each in found.hides}

    def test_computed_list(self):
        """A star from a package that computes ``__all__`` hides what it imports; any other import of it does not."""
        files = {"main.py": "from p import *", "plain.py": "import p", "p/__init__.py": "__all__ = [f() for x in y]"}

        assert ["p/__init__.py"] == [path for path, _ in closure(Tree(files), ["main.py"]).hides]
        assert () == closure(Tree(files), ["plain.py"]).hides

    def test_strings_and_source(self):
        """The strings of all files are gathered, and whether one of them reads source files is told."""
        files = {"main.py": "import a\nx = 'a.md'", "a.py": "import inspect\ninspect.getsource(f)\ny = 'b.tex'"}
        found = closure(Tree(files), ["main.py"])

        assert {"a.md", "b.tex"} == found.strings
        assert found.reads_source
        assert not closure(Tree({"main.py": "import inspect"}), ["main.py"]).reads_source


FOLDERS = ("p/", "p/q/", "src/", "src/r/", "lib/")
STATEMENTS = (
    *("import a", "import b", "import p", "import p.a", "import p.q.b", "import r", "import r.a", "import json"),
    *("from p import a", "from p.q import a, b", "from r import *", "from . import a", "from .a import x"),
    *("from .. import b", "from ..a import x", "from r import b as c", "import p.q as d"),
    *("import importlib; importlib.import_module('p.b')", "__import__('r.b')"),
    *(
        "import importlib; importlib.import_module('.b', __package__)",
        "from pkgutil import resolve_name as n; n('p.q:a')",
    ),
    "import sys, os; sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))",
    "import sys, pathlib; sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'src'))",
)


def random_tree(chance):
    """Make a tree of modules that import each other in all ways, each import in a try."""
    files = {}
    for folder in ("", *FOLDERS):
        for name in ("a", "b", "__init__"):
            if chance.random() < 0.6 and (folder or name != "__init__"):
                lines = ["x = 1", "__all__ = ['a', 'b', 'x']"] if name == "__init__" else ["x = 1"]
                for statement in chance.sample(STATEMENTS, chance.randrange(5)):
                    lines += ["try:", f"    {statement}", "except Exception: pass"]
                files[f"{folder}{name}.py"] = "\n".join(lines)
    files["main.py"] = "\n".join(f"try: {each}\nexcept Exception: pass" for each in chance.sample(STATEMENTS, 6))
    return files


LOADED = """
import json, os, runpy, sys
root, start = sys.argv[1:]
sys.path.insert(0, os.path.dirname(start))
runpy.run_path(start, run_name="__main__")
files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
print(json.dumps([f[len(root) + 1:] for f in files if isinstance(f, str) and f.startswith(root + "/")]))
"""


def loaded(root, start):
    """Run a script with real Python, and list the files of the tree that it loaded."""
    command = [sys.executable, "-I", "-S", "-B", "-c", LOADED, str(root), f"{root}/{start}"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout.splitlines()[-1]))


def loaded_by_import(package, *modules):
    """Import installed modules with real Python, and list the files of one package that were loaded."""
    code = (
        "import importlib, json, os, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
        "root = os.path.dirname(os.path.dirname(os.path.realpath(sys.modules[sys.argv[1]].__file__)))\n"
        "files = [getattr(m, '__file__', None) for n, m in sys.modules.items() if n.partition('.')[0] == sys.argv[1]]\n"
        "print(json.dumps([root, [os.path.relpath(os.path.realpath(f), root) for f in files if f]]))"
    )
    command = [sys.executable, "-c", code, package, *modules]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    root, files = json.loads(result.stdout.splitlines()[-1])
    return root, set(files)


class TestAgainstPython:
    @pytest.mark.parametrize("seed", range(12))
    def test_random_trees(self, tmp_path, seed):
        """Every file of the work tree that real Python loads is reached, whatever imports what."""
        root = tmp_path.resolve()
        chance = random.Random(seed)
        for path, text in random_tree(chance).items():
            Path(root, path).parent.mkdir(parents=True, exist_ok=True)
            Path(root, path).write_text(text, encoding="utf-8")
        start = "main.py"

        assert loaded(root, start) <= closure(Disk(root), [start]).files

    @pytest.mark.parametrize(
        ("package", "modules"),
        every(3, [("taggedartifacts", []), ("pandas", []), ("matplotlib", ["matplotlib.pyplot"])]),
    )
    def test_packages(self, package, modules):
        """Whatever the import of a real package loads from its folder is reached, compiled modules too."""
        pytest.importorskip(package)
        root, files = loaded_by_import(package, *modules)
        starts = [f"{package}/__init__.py", *(f"{module.replace('.', '/')}.py" for module in modules)]
        found = closure(OnlyBelow(root, package), starts)
        missing = files - found.files

        assert files
        assert set() == {each for each in missing if each.endswith(".py")}
        # A module may be missing that another compiled module imports, which cannot be read.
        assert not missing or any(each.endswith(COMPILED) for each in found.files)


class OnlyBelow(Disk):
    """A folder of installed packages of which one is the work tree."""

    def __init__(self, root, package):
        super().__init__(root)
        self.package = package

    def isfile(self, path):
        return path.partition("/")[0] == self.package and super().isfile(path)

    def isdir(self, path):
        return path.partition("/")[0] == self.package and super().isdir(path)
