"""The rooms of the package and the arrows between them, read off the modules' own import statements."""

import ast
import pickle
import re
import runpy
import subprocess
import sys
import tomllib
import traceback
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import taggedartifacts

ROOT = Path(__file__).parent.parent
PACKAGE = Path(taggedartifacts.__file__).parent

# The rooms, from the ground up, and the rooms that each may import from. A module at the root is a room of its own.
ARROWS = {
    "_errors": [],
    "_hashing": [],
    "_memory": ["_hashing"],
    "_tag": ["_errors"],
    "_git": ["_errors", "_hashing"],
    "_reach": ["_errors", "_hashing"],
    "_store": ["_errors", "_hashing", "_memory", "_tag"],
    "_path": ["_store", "_tag"],
    "_canonical": ["_errors", "_hashing", "_reach"],
    "_code": ["_errors", "_git", "_hashing", "_memory", "_reach"],
    "_session": ["_canonical", "_code", "_errors", "_hashing", "_memory", "_reach"],
    "_history": ["_code", "_errors", "_git", "_path", "_store", "_tag"],
    "_call": [
        *("_canonical", "_code", "_errors", "_hashing", "_history", "_memory", "_path", "_reach", "_session", "_store"),
        "_tag",
    ],
    "_artifact": ["_call", "_errors", "_path", "_reach", "_session"],
}
MOST_LINES = 400


def name_of(path):
    """The dotted name of a module within the package; that of the package itself is empty."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
MODULES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}


def room_of(name):
    """The room of a module: the package below the root in which it lies, or the module itself."""
    return name.partition(".")[0]


def own_imports(name):
    """Name the modules of the package that a module imports, wherever in it the statement stands."""
    home = name if FILES[name].stem == "__init__" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(MODULES[name]):
        if isinstance(node, ast.ImportFrom) and node.level:
            levels = home.split(".") if home else []
            base = ".".join(levels[: len(levels) - node.level + 1])
            module = ".".join(filter(None, (base, node.module)))
            inner = {f"{module}.{alias.name}".lstrip(".") for alias in node.names}
            found |= {each if each in MODULES else module for each in inner}
    return found - {""}


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


class TestRooms:
    def test_every_room_is_listed(self):
        """The table names every room of the package once, and nothing else."""

        assert set(ARROWS) == {room_of(name) for name in MODULES if name}

    def test_arrows_point_down(self):
        """A room imports from rooms that stand before it in the table, so that there is no cycle of rooms."""
        rooms = list(ARROWS)

        assert [] == [(room, to) for room in rooms for to in ARROWS[room] if rooms.index(to) >= rooms.index(room)]

    @pytest.mark.parametrize("room", ARROWS)
    def test_arrows(self, room):
        """A room imports from the rooms that the table gives it, and from all of them."""
        imported = {to for name in MODULES if name and room_of(name) == room for to in map(room_of, own_imports(name))}

        assert set(ARROWS[room]) == imported - {room}

    def test_picture(self):
        """The docs show the table as it is; ``python docs/rooms.py > docs/rooms.svg`` draws it anew."""
        draw = runpy.run_path(str(ROOT / "docs" / "rooms.py"))["draw"]
        packages = {room for room in ARROWS if (PACKAGE / room).is_dir()}

        assert (ROOT / "docs" / "rooms.svg").read_text(encoding="utf-8") == draw(ARROWS, packages)

    def test_map(self):
        """The docs tell of every room, and every file that they name is there."""
        page = (ROOT / "docs" / "contributing.rst").read_text(encoding="utf-8")
        named = set(re.findall(r"``(_\w+|_\w+/\w+\.py)``", page))

        assert set() == set(ARROWS) - named
        assert [] == [name for name in sorted(named) if not (PACKAGE / name).exists() and name not in ARROWS]

    def test_no_cycle_of_modules(self):
        """No module imports itself through others."""

        assert tuple(TopologicalSorter({name: own_imports(name) for name in MODULES if name}).static_order())

    @pytest.mark.parametrize("name", MODULES)
    def test_underscores(self, name):
        """Only the package itself is public: rooms wear an underscore at the door, and none inside."""
        room, *inside = name.split(".") if name else ["_"]

        assert room.startswith("_")
        assert [] == [part for part in inside if part.startswith("_")]


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

    @pytest.mark.parametrize("heavy", ["asyncio", "filelock", "pygit2", "secrets", "subprocess", "tomllib"])
    def test_import_stays_light(self, heavy):
        """Importing the package loads nothing that costs time before something needs it."""
        script = f"import sys, taggedartifacts; print({heavy!r} in sys.modules)"
        result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

        assert "False" == result.stdout.strip()


class TestPublicNames:
    @pytest.mark.parametrize("name", taggedartifacts.__all__)
    def test_module(self, name):
        """A public name says that it belongs to the package: in tracebacks, in pickles, in help."""
        thing = getattr(taggedartifacts, name)

        assert "taggedartifacts" == thing.__module__
        assert thing is pickle.loads(pickle.dumps(thing))
        assert b"taggedartifacts._" not in pickle.dumps(thing)
        assert "taggedartifacts._" not in repr(thing)

    @pytest.mark.parametrize("name", [name for name in taggedartifacts.__all__ if name.endswith("Error")])
    def test_errors(self, name):
        """An error is shown in a traceback, and sent to another process, by its public name and with its message."""
        error = getattr(taggedartifacts, name)("what to do")
        copy = pickle.loads(pickle.dumps(error))

        assert (type(error), error.args) == (type(copy), copy.args)
        assert [f"taggedartifacts.{name}: what to do\n"] == traceback.format_exception_only(copy)

    def test_listed(self):
        """What is completed after the package's name is what it offers, and nothing that it imports for itself."""

        assert sorted(taggedartifacts.__all__) == [name for name in dir(taggedartifacts) if not name.startswith("_")]

    def test_version(self):
        """The package says the version that the project is released as."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

        assert taggedartifacts.__version__ == project["version"]


class TestModules:
    @pytest.mark.parametrize("name", MODULES)
    def test_size(self, name):
        """A module is read in one sitting."""

        assert len(FILES[name].read_text(encoding="utf-8").splitlines()) <= MOST_LINES

    @pytest.mark.parametrize("name", MODULES)
    def test_no_print(self, name):
        """A library speaks through its log, its errors and its return values."""
        calls = [
            node.lineno
            for node in ast.walk(MODULES[name])
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        ]

        assert [] == calls
