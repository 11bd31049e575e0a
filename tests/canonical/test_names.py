"""Functions, classes and modules by the names that give them."""

from __future__ import annotations

import dataclasses
import functools
import gc
import subprocess
import sys
import threading
import types
import weakref
from pathlib import Path, PurePosixPath

import pytest

from taggedartifacts._canonical.encoding import canonical
from taggedartifacts._errors import UnhashableError
from taggedartifacts._reach import met as _scripts


def function():
    """Be importable."""


@functools.wraps(function)
def _wrapper():
    return function()


def decorate(inner):
    @functools.wraps(inner)
    def outer():
        return inner()

    return outer


@decorate
def decorated():
    """Be importable, decorated."""


@dataclasses.dataclass
class Model:
    depth: int


class Machine:
    def run(self):
        """Be a method."""

    @classmethod
    def build(cls):
        """Be a class method."""

    @staticmethod
    def stop():
        """Be a static method."""


def closure(value):
    def inner():
        return value

    return inner


class TestNames:
    def test_functions_and_classes(self):
        """Functions, classes and methods differ by module and qualified name."""
        values = [function, Machine, Machine.run, Machine.build, Machine.stop, len, dict.fromkeys, str.upper, "x".upper]

        assert len(values) == len({canonical(value) for value in values})

    def test_decorated_functions(self):
        """What decorators have wrapped is told from what they made of it."""
        assert b'{"$function":"test_names:decorated"}' == canonical(decorated)
        assert b'{"$function":"test_names:decorated.__wrapped__"}' == canonical(decorated.__wrapped__)

    @pytest.mark.parametrize(
        ("value", "name"),
        [
            (Path, "pathlib:Path"),
            (PurePosixPath, "pathlib:PurePosixPath"),
            (Path.exists, "pathlib:Path.exists"),
            (Path.open, "pathlib:Path.open"),
            (PurePosixPath.with_suffix, "pathlib:PurePath.with_suffix"),
        ],
    )
    def test_names_of_pathlib(self, value, name):
        """The classes of paths and their methods have one name, wherever a version of Python keeps them."""
        assert canonical(value).endswith(f':"{name}"}}'.encode())

    def test_partial(self):
        """A partial function counts by the function and the arguments."""
        partials = [functools.partial(function), functools.partial(function, 1), functools.partial(function, a=1)]
        named = functools.update_wrapper(functools.partial(function, 1), function)
        noted = functools.partial(function, 1)
        noted.note = 2

        assert 4 == len({canonical(value) for value in [*partials, noted]})
        assert canonical(partials[1]) == canonical(named)

    def test_methods_count_with_their_object(self):
        """A bound method counts by its object, which must have a form itself."""
        machine = Machine()
        assert canonical(Model(1).__eq__) != canonical(Model(2).__eq__)
        assert canonical(machine.run) == canonical(Machine().run)
        machine.lock = threading.Lock()
        with pytest.raises(UnhashableError, match=r"\.__self__\.lock: what synchronises"):
            canonical(machine.run)

    def test_functions_of_pybind11(self):
        """pybind11 binds the functions of a module to a record of its own, and the module's name gives them."""
        contourpy = pytest.importorskip("contourpy")

        assert b'{"$function":"contourpy._contourpy:max_threads"}' == canonical(contourpy.max_threads)

    def test_functions_that_no_name_gives(self):
        """A lambda, a closure, and what stands behind another's name count by their definitions."""
        values = [lambda: 1, lambda: 2, closure(1), closure(2), _wrapper, function]

        assert len(values) == len({canonical(value) for value in values})
        assert canonical(closure(1)) == canonical(closure(1))

    def test_script_and_module(self, tmp_path):
        """A class and a function have one form, as a script, by -m, in a spawned child, and imported."""
        package = tmp_path / "package"
        package.mkdir()
        (package / "__init__.py").touch()
        source = (
            "import dataclasses, multiprocessing, sys\n"
            "from taggedartifacts._canonical.encoding import config_hash\n"
            "@dataclasses.dataclass\nclass C:\n    x: int = 1\n"
            "def f(): pass\n"
            "def show(): sys.stdout.write(config_hash([C(), f, C]) + '\\n'); sys.stdout.flush()\n"
            "if __name__ == '__main__':\n"
            "    show()\n"
            "    p = multiprocessing.get_context('spawn').Process(target=show)\n"
            "    p.start(); p.join()\n"
        )
        (package / "work.py").write_text(source)
        calls = (["package/work.py"], ["-m", "package.work"], ["-c", "import package.work as w; w.show()"])
        hashes = [
            line
            for call in calls
            for line in subprocess.run(
                [sys.executable, *call], cwd=tmp_path, check=True, capture_output=True, text=True
            ).stdout.split()
        ]

        assert 5 == len(hashes)
        assert 1 == len(set(hashes))

    def test_interactive_definitions(self):
        """A function from a prompt counts by its definition too, and is refused where that is unknown."""
        source = (
            "from taggedartifacts._canonical import names\n"
            "from taggedartifacts._canonical.encoding import canonical\n"
            "from taggedartifacts._errors import UnhashableError\n"
            "def f(): pass\n"
            "names.use_fingerprint(None)\n"
            "try: canonical(f)\n"
            "except UnhashableError as error: print('interactively' in str(error))\n"
            "names.use_fingerprint(lambda value: 'abc')\n"
            "print(canonical(f).decode())\n"
        )
        done = subprocess.run([sys.executable, "-c", source], check=True, capture_output=True, text=True)

        assert ["True", '{"$function":["__main__:f","abc"]}'] == done.stdout.split()

    def test_main_of_a_kernel(self):
        """A notebook's name on __main__ makes no module of it."""
        main = types.ModuleType("__main__")
        main.__file__ = "analysis.ipynb"
        main.__spec__ = None

        assert _scripts.name_of(vars(main)) is None


class TestMemory:
    @pytest.mark.parametrize("name", ["gone", "__main__"])
    def test_lets_go_of_a_module(self, name, monkeypatch):
        """A module goes with what it holds when it is loaded anew, although instances of its classes were encoded."""
        kinds = []
        for number in range(3):
            module = types.ModuleType(name)
            module.__file__ = str(Path(__file__).with_name("script.py"))
            monkeypatch.setitem(sys.modules, name, module)
            exec("class Model:\n    def __init__(self, x):\n        self.x = x", vars(module))
            assert canonical(module.Model(number)) == canonical(module.Model(number))
            kinds.append(weakref.ref(module.Model))
            del module
        monkeypatch.undo()
        gc.collect()

        assert [None] * 3 == [each() for each in kinds]

    def test_another_module_at_the_same_address(self, monkeypatch):
        """A module that is made where one was that is gone is another one, and so are its classes."""
        monkeypatch.setitem(sys.modules, "made", None)  # and taken out at the end
        for _ in range(20):
            del sys.modules["made"]
            sys.modules["made"] = types.ModuleType("made")
            exec("class Model:\n    pass", vars(sys.modules["made"]))

            assert b'"made:Model"' in canonical(sys.modules["made"].Model)

    def test_made_names(self, monkeypatch):
        """What names gave is not remembered of all that a program has made in a module and taken away again."""
        module = types.ModuleType("making")
        monkeypatch.setitem(sys.modules, "making", module)
        before = len(_scripts.named_before)
        for number in range(20_000):
            name = f"made_{number}"
            exec(f"def {name}(): pass", vars(module))
            canonical(getattr(module, name))
            delattr(module, name)

        assert len(_scripts.named_before) - before < 10_000

    def test_names_that_are_there(self, monkeypatch):
        """What names gave that are still bound is remembered, however many there are."""
        module = types.ModuleType("bound")
        monkeypatch.setitem(sys.modules, "bound", module)
        for number in range(5_000):
            exec(f"def made_{number}(): pass", vars(module))
            canonical(getattr(module, f"made_{number}"))
        module.made_0 = types.FunctionType(module.made_0.__code__, vars(module), "made_0")

        with pytest.raises(UnhashableError, match="gave another object before"):
            canonical(module.made_0)
