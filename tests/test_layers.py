"""The layers of the package, read off the modules' own import statements."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import taggedartifacts

ROOT = Path(__file__).parent.parent
PACKAGE = Path(taggedartifacts.__file__).parent

# From the ground up, row by row: a module imports only from modules before it. A new module takes its place here.
LAYERS = [
    *("_errors", "_hashing", "_disk", "_environment", "_lock", "_signature", "_steps", "_text"),
    *("_bytecode", "_syntax", "_members", "_prompt", "_preview"),
    *("_tag", "_record", "_content", "_folder", "_standing", "_reuse", "_origin", "_written"),
    "_path",
    *("_canonical_text", "_canonical_names", "_canonical_types", "_canonical_objects"),
    *("_arrays", "_columns", "_tables", "_tables_arrow"),
    *("_canonical", "_inputs"),
    *("_trees", "_git_command", "_settings", "_blobs", "_index", "_patch", "_refusal", "_repository"),
    *("_scope", "_state", "_loadedcode", "_modules", "_dirt", "_look", "_codestate"),
    *("_reloads", "_definition", "_notebooks", "_interactive", "_moment", "_live", "_session"),
    *("_binding", "_staging", "_publish"),
    *("_stretch", "_differences", "_recipe", "_lineage"),
    *("_task", "_outcome", "_call", "_explain", "_decorated", "_artifact"),
    *("_seen", "_history", "_compare", "_verify", "_prune"),
    "__init__",
]

MODULES = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.glob("*.py"))}


def own_imports(tree):
    """Name the modules of the package that a module imports, wherever in it the statement stands."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            names |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
    return names


def foreign_imports(tree):
    """Name the top-level modules from elsewhere that a module imports, wherever in it the statement stands."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.split(".")[0])
    return names


KNOWN_TO_TYPE_CHECKERS = {"_typeshed"}
THIRD_PARTY = {
    name: foreign_imports(tree) - sys.stdlib_module_names - KNOWN_TO_TYPE_CHECKERS for name, tree in MODULES.items()
}


class TestLayers:
    def test_every_module_has_its_place(self):
        """The list of layers names every module of the package once, and nothing else."""

        assert sorted(MODULES) == sorted(LAYERS)

    def test_no_subpackages(self):
        """All modules lie side by side, where this test looks for them."""

        assert sorted(PACKAGE.glob("*.py")) == sorted(PACKAGE.rglob("*.py"))

    @pytest.mark.parametrize("name", MODULES)
    def test_imports_point_down(self, name):
        """A module imports only from the layers below it, so that there can be no cycle."""
        below = set(LAYERS[: LAYERS.index(name)])

        assert set() == own_imports(MODULES[name]) - below


class TestThirdParty:
    def test_only_what_is_declared(self):
        """The package imports the run-time dependencies that it declares, and nothing else from elsewhere."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        declared = {re.match(r"[\w-]+", requirement)[0] for requirement in project["dependencies"]}

        assert declared == set().union(*THIRD_PARTY.values())

    def test_one_home_each(self):
        """A third-party package is imported by one module, the one that hides it from the others."""
        imports = sorted(package for packages in THIRD_PARTY.values() for package in packages)

        assert sorted(set(imports)) == imports

    @pytest.mark.parametrize("heavy", ["asyncio", "filelock", "pygit2"])
    def test_import_stays_light(self, heavy):
        """Importing the package loads nothing that costs time before something needs it."""
        script = f"import sys, taggedartifacts; print({heavy!r} in sys.modules)"
        result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

        assert "False" == result.stdout.strip()


class TestVersion:
    def test_stands_in_two_places(self):
        """The package says the version that the project is released as."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

        assert taggedartifacts.__version__ == project["version"]


class TestModules:
    @pytest.mark.parametrize("name", MODULES)
    def test_size(self, name):
        """A module is read in one sitting: it has fewer than 300 lines."""

        assert len((PACKAGE / f"{name}.py").read_text(encoding="utf-8").splitlines()) < 300

    @pytest.mark.parametrize("name", MODULES)
    def test_no_print(self, name):
        """A library speaks through its log, its errors and its return values."""
        calls = [
            node.lineno
            for node in ast.walk(MODULES[name])
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        ]

        assert [] == calls

    @pytest.mark.parametrize("name", MODULES)
    def test_private_names(self, name):
        """Only the package itself is public: its modules wear an underscore."""

        assert name.startswith("_")
