"""Modules that were edited, reloaded or not, in real kernels."""

import os

import pytest
from heavy import but

pytest.importorskip("ipykernel")

from kernel import CellError
from sessions import IMPORTS, artifacts, notebook, write_module

CONSTANT = """
@Artifact("out")
def make(out):
    with open(out, "w") as file:
        file.write(str(N))
"""


class TestStaleModules:
    def test_refused(self, repo, kernel):
        """A module that was edited and not loaded again is refused by name, though the edit is committed."""
        kernel.run("from mod import make\nmake('out.txt')")
        repo.write("helper.py", "def text():\n    return ' b'\n")
        repo.commit()
        with pytest.raises(CellError, match=r"(?s)DirtyRepositoryError.*helper\.py\W+changed after it was loaded"):
            kernel.run("make('out.txt')")
        kernel.run("import importlib, helper\nimportlib.reload(helper)\nmake('out.txt')")

        assert {"one a", "one b"} == set(artifacts(repo).values())

    @pytest.mark.heavy
    def test_undone(self, repo, kernel):
        """Undoing the edit, or only touching the file, mends it."""
        kernel.run("from mod import make\nmake('out.txt')")
        content = (repo.path / "helper.py").read_text()
        repo.write("helper.py", "def text():\n    return ' b'\n")
        with pytest.raises(CellError, match="DirtyRepositoryError"):
            kernel.run("make('out.txt')")
        repo.write("helper.py", content)
        os.utime(repo.path / "helper.py", (1, 1))
        kernel.run("make('out.txt')")

        assert 1 == len(artifacts(repo))

    @pytest.mark.heavy
    def test_allowed(self, repo, kernel):
        """Under `allow_dirty` it runs, each time, and the tag is dirty."""
        write_module(repo, dirty=True)
        repo.commit()
        kernel.run("from mod import make\nmake('out.txt')")
        repo.write("helper.py", "def text():\n    return ' b'\n")
        repo.commit()
        cached = kernel.run("make('out.txt')", "make('out.txt')", "make.is_cached('out.txt')").splitlines()[-1]

        assert "False" == cached
        assert 1 == len([name for name in artifacts(repo) if "-dirty-" in name])

    @pytest.mark.heavy
    def test_edited_before_decoration(self, repo, kernel):
        """A module that was edited before the library was imported does not pass for the new one."""
        kernel.run("import helper")
        repo.write("helper.py", "def text():\n    return ' b'\n")
        repo.commit()
        kernel.run("from mod import make")

        with pytest.raises(CellError, match=r"(?s)DirtyRepositoryError.*helper\.py"):
            kernel.run("make('out.txt')")

    def test_old_function_after_reload(self, repo, kernel):
        """A function that was imported by name is the old one after a plain reload, and is refused."""
        kernel.run("from mod import make\nimport mod, importlib\nmake('out.txt')")
        write_module(repo, "two")
        repo.commit()
        with pytest.raises(CellError, match=r"(?s)DirtyRepositoryError.*mod\.py"):
            kernel.run("importlib.reload(mod)\nmake('out.txt')")
        kernel.run("mod.make('out.txt')")

        assert {"one a", "two a"} == set(artifacts(repo).values())

    @pytest.mark.heavy
    def test_old_helper_after_reload(self, repo, kernel):
        """So is a helper that an interactive function, or another module, imported by name."""
        use = "@Artifact('out')\ndef use(out): open(out, 'w').write(text())"
        repo.write("work.ipynb", notebook(use))
        repo.write("helper.py", "def text():\n    return 'a'\n")
        repo.commit()
        kernel.run("import helper, importlib\nfrom helper import text", IMPORTS + use, "use('out.txt')")
        repo.write("helper.py", "def text():\n    return 'b'\n")
        repo.commit()
        with pytest.raises(CellError, match=r"(?s)DirtyRepositoryError.*helper\.py"):
            kernel.run("importlib.reload(helper)\nuse('out.txt')")
        kernel.run("from helper import text\nuse('out.txt')")

        assert {"a", "b"} == set(artifacts(repo).values())

    def test_old_base_after_reload(self, repo, kernel):
        """So is a class that one of a cell inherits from, until the cell is run again."""
        model = "class Model(helper.Base):\n    pass"
        use = "@Artifact('out')\ndef use(out): open(out, 'w').write(Model().text())"
        repo.write("work.ipynb", notebook(model, use))
        base = "class Base:\n    def text(self):\n        return {!r}\n"
        repo.write("helper.py", base.format("a"))
        repo.commit()
        kernel.run(IMPORTS + "import helper, importlib", model, use, "use('out.txt')")
        repo.write("helper.py", base.format("b!"))
        repo.commit()
        with pytest.raises(CellError, match=r"(?s)DirtyRepositoryError.*helper\.py"):
            kernel.run("importlib.reload(helper)\nuse('out.txt')")
        kernel.run(model, "use('out.txt')")

        assert {"a", "b!"} == set(artifacts(repo).values())

    @pytest.mark.parametrize("place", but(["work.ipynb", "mod.py"], "work.ipynb"))
    def test_old_wrapper_after_reload(self, repo, kernel, place):
        """So is what a decorator has put around a function of a cell or of another module, until that runs again."""
        helper = (
            "import functools\n\n\ndef deco(g):\n    @functools.wraps(g)\n"
            "    def wrapped():\n        return g() + {}\n    return wrapped\n"
        )
        use = "@Artifact('out')\ndef use(out): open(out, 'w').write(str(g()))"
        decorated = "import helper\n@helper.deco\ndef g(): return 1"
        cell = decorated if place == "work.ipynb" else "from mod import g"
        repo.write("mod.py", decorated)
        repo.write("work.ipynb", notebook(cell, use))
        repo.write("helper.py", helper.format(1))
        repo.commit()
        kernel.run(IMPORTS + "import helper, mod, importlib", cell, use, "use('out.txt')")
        repo.write("helper.py", helper.format(1000))
        repo.commit()
        with pytest.raises(CellError, match=r"(?s)DirtyRepositoryError.*helper\.py"):
            kernel.run("importlib.reload(helper)\nuse('out.txt')")
        kernel.run("importlib.reload(mod)", cell, "use('out.txt')")

        assert {"2", "1001"} == set(artifacts(repo).values())

    def test_edit_and_reload_in_one_cell(self, repo, kernel):
        """What is edited and loaded again inside one cell is seen at once."""
        kernel.run("from mod import make\nimport helper, importlib, pathlib\nmake('out.txt')")
        edit = "pathlib.Path('helper.py').write_text('def text(): return 2')"
        with pytest.raises(CellError, match=r"(?s)DirtyRepositoryError.*helper\.py"):
            kernel.run(f"make('out.txt')\n{edit}\nimportlib.reload(helper)\nmake('out.txt')")

        assert {"one a"} == set(artifacts(repo).values())

    @pytest.mark.heavy
    def test_run_script(self, repo, kernel):
        """What `%run` takes from a script is its code until the script is edited, and again after running it again."""
        kernel.run("%run mod.py", "make('out.txt')")
        write_module(repo, "two")
        repo.commit()
        with pytest.raises(CellError, match=r"(?s)DirtyRepositoryError.*mod\.py"):
            kernel.run("make('out.txt')")
        kernel.run("%run mod.py", "make('out.txt')")

        assert {"one a", "two a"} == set(artifacts(repo).values())

    def test_run_script_again(self, repo, kernel):
        """What the text of a script fixes is its code when `%run` runs it again, too, and no value that is read."""
        for number in range(2):
            repo.write("run.py", f"from taggedartifacts import Artifact\n\nN = {number}\n\n{CONSTANT}")
            repo.commit()
            kernel.run("%run run.py", "path = make('out.txt')")

        assert '{"arguments":{},"config":{}}' == kernel.run("print(path.record.canonical)").strip()

    @pytest.mark.heavy
    def test_outside_scope(self, repo, kernel):
        """A module outside the scope may be what it likes."""
        write_module(repo)
        text = (repo.path / "mod.py").read_text().replace('"out",', '"out", scope=["mod.py"],')
        repo.write("mod.py", text)
        repo.write("other.py", "x = 1\n")
        repo.commit()
        kernel.run("import other\nfrom mod import make\nmake('out.txt')")
        repo.write("other.py", "x = 2\n")
        kernel.run("make('out.txt')")

        assert 1 == len(artifacts(repo))


class TestAutoreload:
    @pytest.mark.parametrize("mode", but("123", "2"))
    def test_function(self, repo, kernel, mode):
        """A decorated function imported by name runs the new code after an edit, under the new commit."""
        kernel.run(f"%load_ext autoreload\n%autoreload {mode}", "%aimport mod" if mode == "1" else "")
        kernel.run("from mod import make", "make('out.txt')")
        write_module(repo, "two")
        repo.commit()
        kernel.run("make('out.txt')")
        write_module(repo, "three")
        repo.commit()
        kernel.run("make('out.txt')")

        assert {"one a", "two a", "three a"} == set(artifacts(repo).values())
        assert "-dirty-" not in "".join(artifacts(repo))

    @pytest.mark.parametrize("mode", but("123", "3"))
    def test_helper(self, repo, kernel, mode):
        """A helper module that autoreload loads again is accepted; one with an error is not, until it is mended."""
        kernel.run(f"%load_ext autoreload\n%autoreload {mode}", "%aimport helper" if mode == "1" else "")
        kernel.run("from mod import make", "make('out.txt')")
        repo.write("helper.py", "def text():\n    return ' b'\n")
        repo.commit()
        kernel.run("make('out.txt')")
        repo.write("helper.py", "def text(:\n    return ' c'\n")
        repo.commit()
        with pytest.raises(CellError, match=r"(?s)DirtyRepositoryError.*helper\.py"):
            kernel.run("make('out.txt')")
        repo.write("helper.py", "def text():\n    return ' d'\n")
        repo.commit()
        kernel.run("make('out.txt')")

        assert {"one a", "one b", "one d"} == set(artifacts(repo).values())

    @pytest.mark.heavy
    def test_loaded_too_late(self, repo, kernel):
        """Loading the extension after an edit reloads nothing, and does not pass for it; the next edit is loaded."""
        helper = "TEXT = {!r}\ndef text():\n    return TEXT\n"  # in which no function changes
        repo.write("helper.py", helper.format(" a"))
        repo.commit()
        kernel.run("from mod import make", "make('out.txt')")
        repo.write("helper.py", helper.format(" b"))
        repo.commit()

        with pytest.raises(CellError, match=r"(?s)DirtyRepositoryError.*helper\.py"):
            kernel.run("%load_ext autoreload\n%autoreload 2", "make('out.txt')")
        repo.write("helper.py", helper.format(" c"))
        repo.commit()
        kernel.run("make('out.txt')")

        assert {"one a", "one c"} == set(artifacts(repo).values())

    @pytest.mark.heavy
    def test_switched_off(self, repo, kernel):
        """Neither does an extension that is switched off."""
        kernel.run("%load_ext autoreload\n%autoreload 2", "from mod import make", "make('out.txt')", "%autoreload 0")
        repo.write("helper.py", "def text():\n    return ' b'\n")
        repo.commit()

        with pytest.raises(CellError, match=r"(?s)DirtyRepositoryError.*helper\.py"):
            kernel.run("make('out.txt')")


CELL = """BINS = {number}
def helper(x):
    return x + {number}
@Artifact("out", allow_dirty=True)
def count(x, out):
    open(out, "w").write(str(helper(x) * BINS) + mod.helper.text())
for _ in range(2):
    count({table}, "out.txt"), mod.make("out.txt")
"""
HELD = """import gc
from taggedartifacts import _memory
from taggedartifacts._session.session import session
from taggedartifacts._store.record import Record
gc.collect()
print(_memory.held_bytes(), *[sum(type(each) is Record for each in gc.get_objects()), len(session.looks)])
"""


class TestMemory:
    @pytest.mark.heavy
    @pytest.mark.parametrize("table", ["1", "table"])
    def test_day(self, repo, kernel, table):
        """A day of edits, reloads and commits keeps nothing of what they have replaced."""
        write_module(repo, dirty=True)
        repo.commit()
        kernel.run(IMPORTS + "import mod, importlib, numpy\ntable = numpy.arange(9)")
        held = {}
        for number in range(1, 61):
            repo.write("helper.py", f"def text():\n    return ' {number}'\n")
            if number % 3 == 0:
                repo.write("work.ipynb", notebook(CELL.format(number=number, table=table)))
                repo.commit()
            reload = "importlib.invalidate_caches()\nimportlib.reload(mod.helper)\nimportlib.reload(mod)"
            kernel.run(reload, CELL.format(number=number, table=table))
            if number in (20, 60):
                held[number] = [int(each) for each in kernel.run(HELD).split()]

        (size, records, looks), (later, records_later, looks_later) = held[20], held[60]
        assert (records_later, looks_later) == (records, looks)
        # What was warned of, and what each content of a file imports, which other processes read, too.
        assert later - size < 40 * 500

    @pytest.mark.heavy
    def test_looks(self, repo, kernel):
        """A module that is loaded again takes along the look that was taken of its last load."""
        write_module(repo, dirty=True)
        repo.commit()
        kernel.run("import mod, importlib")
        looks = set()
        for number in range(6):
            write_module(repo, str(number), dirty=True)
            kernel.run("importlib.invalidate_caches()\nimportlib.reload(mod)\nmod.make('out.txt')")
            looks.add(kernel.run(HELD).split()[-1])

        assert 1 == len(looks)
