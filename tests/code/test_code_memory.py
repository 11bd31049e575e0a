"""What is remembered: it saves work, follows from content, and may be lost, damaged or full without harm."""

from __future__ import annotations

import os

import pytest
from looks import AUTOMATIC, LookedAt

from taggedartifacts._code import memory as module
from taggedartifacts._code.codestate import take_look
from taggedartifacts._code.memory import CodeMemory
from taggedartifacts._git import repository

MAKE = """\
from taggedartifacts import Artifact
import helper

@Artifact(keyword="out")
def f(out):
    with open(out, "w") as file:
        file.write("1")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The cache folder of a user who has none yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "taggedartifacts"


def never():
    raise AssertionError("was remembered")


def told(memory):
    """Fill a memory and say what it then holds."""
    memory.imports(b"import helper\n")
    return memory.commit("key", lambda: "c" * 40), memory.syntax("oid", lambda: "s"), memory.links("t", lambda: ["a"])


class TestBetweenProcesses:
    def test_remembered(self, folder):
        """What one process saved, another need not find again."""
        one = CodeMemory("/work")
        told(one)
        one.save()
        other = CodeMemory("/work")

        assert ("c" * 40, "s", ["a"]) == (
            other.commit("key", never),
            other.syntax("oid", never),
            other.links("t", never),
        )

    def test_imports_are_not_parsed_again(self, folder, monkeypatch):
        """Nor are files parsed again whose content was seen."""
        one = CodeMemory("/work")
        found = one.imports(b"import helper\n")
        one.save()
        monkeypatch.setattr(module.hiding, "read", never)

        assert found == CodeMemory("/work").imports(b"import helper\n")

    def test_index_is_not_gone_through_again(self, folder, tmp_path, monkeypatch):
        """Nor is the index, while neither it nor HEAD has moved."""
        repo = LookedAt(tmp_path / "repo")
        repo.write("work.py", "x = 1\n")
        repo.commit()
        monkeypatch.setattr(repository, "SETTLED", -(10**18))
        looks = []
        for _ in range(2):
            module.memory.cache_clear()
            looks.append(take_look(str(repo.path / "work.py")).state())
            module.memory(str(repo.path)).save()
            monkeypatch.setattr(repository, "hidden_entries", never)

        assert looks[0] == looks[1]

    def test_work_trees_apart(self, folder):
        """Each work tree has a file of its own."""
        for root in ("/one", "/two"):
            memory = CodeMemory(root)
            memory.commit("key", lambda root=root: root)
            memory.save()

        assert ["/one", "/two"] == [CodeMemory(root).commit("key", never) for root in ("/one", "/two")]
        assert 2 == len(list(folder.iterdir()))

    def test_kept_beside_news(self, folder):
        """What is new is kept beside what was there."""
        for key in ("one", "two"):
            memory = CodeMemory("/work")
            memory.commit(key, lambda key=key: key)
            memory.save()

        assert ["one", "two"] == [CodeMemory("/work").commit(key, never) for key in ("one", "two")]

    def test_nothing_new(self, folder):
        """Nothing is written where nothing is new."""
        CodeMemory("/work").save()

        assert not folder.exists()

    def test_private(self, folder):
        """The folder is for its user alone, and nothing else is left in it."""
        memory = CodeMemory("/work")
        told(memory)
        memory.save()

        assert 0o700 == folder.stat().st_mode & 0o777
        assert [".json"] == [path.suffix for path in folder.iterdir()]


class TestDamage:
    @pytest.mark.parametrize("position", [0, 1, 5, -1, -20, 0.3, 0.5, 0.7, 0.9])
    def test_one_wrong_bit(self, folder, position):
        """A file in which one bit is wrong, wherever, counts as lost."""
        one = CodeMemory("/work")
        told(one)
        one.save()
        (file,) = folder.iterdir()
        content = bytearray(file.read_bytes())
        content[int(position * len(content)) if isinstance(position, float) else position] ^= 1
        file.write_bytes(content)

        assert "new" == CodeMemory("/work").commit("key", lambda: "new")

    @pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"[" * 100_000, b"null\n"])
    def test_another_content(self, folder, content):
        """So does a file that is none of ours, or was cut off; the next save mends it."""
        one = CodeMemory("/work")
        told(one)
        one.save()
        (file,) = folder.iterdir()
        file.write_bytes(content)
        other = CodeMemory("/work")
        assert "new" == other.commit("key", lambda: "new")
        other.save()

        assert "new" == CodeMemory("/work").commit("key", never)

    def test_another_form(self, folder, monkeypatch):
        """What a library with other rules wrote is not read."""
        one = CodeMemory("/work")
        told(one)
        one.save()
        monkeypatch.setattr(module, "_FORM", "another")

        assert "new" == CodeMemory("/work").commit("key", lambda: "new")

    @pytest.mark.parametrize("what", ["a file", "read-only", "a relative path"])
    def test_folder_that_cannot_be_used(self, tmp_path, monkeypatch, what):
        """Where nothing can be kept, nothing is, and nobody is bothered."""
        base = tmp_path / "base"
        if what == "a file":
            base.write_text("")
        elif what == "read-only":
            base.mkdir(mode=0o500)
        monkeypatch.setenv("XDG_CACHE_HOME", "relative" if what == "a relative path" else str(base))
        monkeypatch.chdir(tmp_path)
        memory = CodeMemory("/work")
        told(memory)
        memory.save()

        assert not os.path.exists("relative")


class TestBounds:
    def test_in_memory_and_on_disk(self, folder, monkeypatch):
        """It is bounded in bytes, in memory and on the disk, and goes on working beyond that."""
        monkeypatch.setattr(module, "_MOST_BYTES", 20_000)
        for start in range(0, 3000, 500):
            memory = CodeMemory("/work")
            for number in range(start, start + 500):
                memory.commit(f"{number:040}", lambda number=number: f"{number:040}")
                held = sum(len(key) + len(text) for (_section, key), text in memory._used.items())
                assert held <= 20_000
            memory.save()
            (file,) = folder.iterdir()
            assert file.stat().st_size <= 40_000
        assert f"{2999:040}" == CodeMemory("/work").commit(f"{2999:040}", never)


class TestWhoWrites:
    @pytest.fixture
    def repo(self, tmp_path):
        made = LookedAt(tmp_path / "repo")
        made.env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
        made.write(".gitignore", "out/\n__pycache__/\n")
        made.write("helper.py", "N = 1\n")
        made.write("work.py", MAKE)
        made.write("glance.py", "import helper\n" + AUTOMATIC)
        made.commit()
        return made

    def test_a_call_that_makes(self, repo, tmp_path):
        """Only a call that makes an artifact writes, and into the user's cache, not into the work tree."""
        cache = tmp_path / "cache"
        repo.python("-c", "import work; work.f.path(out='out/x'); work.f.is_cached(out='out/x')")
        asked = cache.exists()
        repo.python("-c", "import work; work.f(out='out/x')")
        files = {path: path.stat().st_mtime_ns for path in (cache / "taggedartifacts").iterdir()}
        repo.python("-c", "import work; work.f(out='out/x')")

        assert not asked
        assert 1 == len(files)
        assert files == {path: path.stat().st_mtime_ns for path in (cache / "taggedartifacts").iterdir()}
        assert "" == repo.status("-uall")

    def test_home(self, repo, tmp_path):
        """Without the variable it lies in the home folder."""
        del repo.env["XDG_CACHE_HOME"]
        repo.python("-c", "import work; work.f(out='out/x')")
        home = repo.path.parent / "repo-home"

        assert 1 == len(list((home / ".cache" / "taggedartifacts").iterdir()))

    def test_loss(self, repo, tmp_path):
        """A call after a loss has the name of the call before."""
        first = repo.python("-c", "import work; print(work.f(out='out/x'))")
        for path in (tmp_path / "cache" / "taggedartifacts").iterdir():
            path.unlink()

        assert first == repo.python("-c", "import work; print(work.f(out='out/x'))")

    def test_deeper_history(self, repo, tmp_path):
        """In a shallow clone, the commit is searched again as soon as more of the history is there."""
        repo.write("README.md", "1\n")
        repo.commit()
        repo.git("clone", "-q", "--no-local", "--depth=1", repo.path.as_uri(), str(tmp_path / "clone"))
        clone = LookedAt(tmp_path / "clone", init=None)
        clone.env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
        one = clone.python("-c", "import work; print(work.f(out='out/x'))")
        clone.git("fetch", "-q", "--unshallow")

        assert one != clone.python("-c", "import work; print(work.f(out='out/x'))")
        assert repo.python("-c", "import work; print(work.f.path(out='out/x'))") == clone.python(
            "-c", "import work; print(work.f.path(out='out/x'))"
        )
