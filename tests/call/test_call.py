"""A repeated call is compared with what it came to before, and computed again as soon as anything decides otherwise."""

import os
from pathlib import Path

import pytest

from taggedartifacts import DirtyRepositoryError

SOURCE = """
CONFIG = {"bins": 4}
BINS = [4]
types = []
@Artifact("out", config=CONFIG, allow_dirty=False)
def f(x, out, extra=[]):
    types.append(type(out).__name__)
    Path(out).write_text(f"{x} {BINS} {extra}")
"""


@pytest.fixture
def work(project):
    return project.module(SOURCE)


class TestRepeated:
    def test_is_not_computed_again(self, work, monkeypatch):
        """Arguments and paths that are plain are compared, and no more; the tag is not computed again."""
        paths = [work.f(1, "out/f.txt"), work.f(Path("a"), Path("out/f.txt"))]
        monkeypatch.setattr("taggedartifacts._call.call.hexdigest", None)

        assert paths == [work.f(1, "out/f.txt"), work.f(Path("a"), Path("out/f.txt"))]

    @pytest.mark.parametrize(
        "change",
        [
            lambda work: work.CONFIG.update(bins=5),
            lambda work: work.BINS.append(5),
            lambda work: setattr(work, "BINS", [5]),
            lambda work: work.f.__wrapped__.__defaults__[0].append(1),
        ],
        ids=["configuration", "in place", "another", "default"],
    )
    def test_what_decides_has_changed(self, work, change):
        """Configuration, what the function reads, and defaults count as they are now."""
        before = work.f(1, "out/f.txt")
        assert before == work.f(1, "out/f.txt")
        change(work)

        assert work.f(1, "out/f.txt").name != before.name
        assert 2 == len(work.types)

    @pytest.mark.parametrize("other", [True, 1.0, "1", Path("1"), (1,)], ids=repr)
    def test_another_argument(self, work, other):
        """An argument of another type is another one, also where Python calls the two equal."""
        assert 2 == len({work.f(1, "out/f.txt").name, work.f(other, "out/f.txt").name})

    def test_elsewhere(self, work, project):
        """A relative path leads to another artifact from another working directory."""
        work.f(1, "out/f.txt")
        (project.path / "below").mkdir()
        os.chdir(project.path / "below")
        path = work.f(1, "out/f.txt")

        assert 2 == len(work.types)
        assert (project.path / "below" / path).exists()

    def test_another_kind_of_path(self, work):
        """The function gets a path of the type that this call was given."""
        work.f(1, "out/f.txt")
        work.f.recompute(1, Path("out/f.txt"))
        work.f.recompute(1, "out/f.txt")

        assert ["str", type(Path()).__name__, "str"] == work.types

    def test_not_allowed_any_more(self, work, project, monkeypatch):
        """Dirty code is refused as soon as it is not allowed any more."""
        monkeypatch.setenv("TAGGEDARTIFACTS_ALLOW_DIRTY", "1")
        dirty = project.load(project.write("work.py", (project.path / "work.py").read_text() + "# and\nN = 1\n"))
        paths = {dirty.f(1, "out/f.txt") for _ in range(2)}
        monkeypatch.delenv("TAGGEDARTIFACTS_ALLOW_DIRTY")

        assert 1 == len(paths)
        with pytest.raises(DirtyRepositoryError):
            dirty.f(1, "out/f.txt")

    def test_input_that_changed(self, project, tmp_path):
        """An input is read again, though the call is the same."""
        work = project.module("@Artifact('out', inputs=('source',))\ndef f(source, out): ...\n")
        source = tmp_path / "source"
        source.write_text("1")
        before = work.f.path(source, "out/f.txt")
        source.write_text("23")

        assert before != work.f.path(source, "out/f.txt")

    def test_module_that_was_loaded_since(self, project):
        """A module that was edited, and loaded only after the first call, is seen by the next one."""
        helper = project.write("helper.py", "N = 1\n")
        work = project.module("@Artifact('out', allow_dirty=True)\ndef f(out):\n    import helper\n    return helper\n")
        before = work.f.path("out/f.txt")
        assert before == work.f.path("out/f.txt")
        helper.write_text("N = 2\n")
        project.load(helper)

        assert before != work.f.path("out/f.txt")


class TestOtherArguments:
    """A call with other plain arguments takes from the call before what does not depend on them."""

    def test_names(self, work, project):
        """Each has the name that a process gives it that made no other call."""
        names = [work.f(x, f"out/{x}.txt").name for x in range(3)]
        alone = [project.python("-c", f"import work; print(work.f.path({x}, 'out/{x}.txt').name)") for x in range(3)]

        assert names == [name.strip() for name in alone]

    def test_takes_over(self, work, monkeypatch):
        """What decides beside the arguments is not found out again."""
        work.f(0, "out/f.txt")
        monkeypatch.setattr("taggedartifacts._call.call.further", None)

        assert 2 == len({work.f(x, "out/f.txt").name for x in (1, 2)})

    @pytest.mark.parametrize(
        "change",
        [lambda work: work.BINS.append(5), lambda work: setattr(work, "BINS", [5])],
        ids=["in place", "another"],
    )
    def test_what_is_read_has_changed(self, work, change):
        """What the function reads counts as it is now, for arguments that are new and for those that are known."""
        before = {x: work.f(x, "out/f.txt").name for x in (1, 2)}
        change(work)
        after = {x: work.f(x, "out/f.txt").name for x in (3, 1, 2)}

        assert 5 == len({*before.values(), *after.values()})

    def test_text_that_names_a_global(self, project):
        """A global that a text names counts with that text alone, and as it is now."""
        source = "LIMIT = 1\n@Artifact('out')\ndef f(query, out):\n    Path(out).write_text(query)\n"
        work = project.module(source)
        plain = work.f("x > 1", "out/f.txt")
        before = work.f("x > @LIMIT", "out/f.txt")
        work.LIMIT = 2

        assert before != work.f("x > @LIMIT", "out/f.txt")
        assert plain == work.f("x > 1", "out/f.txt")

    def test_text_that_names_what_is_to_come(self, project):
        """A global that a text names counts as soon as it is there."""
        work = project.module("@Artifact('out')\ndef f(query, out):\n    Path(out).write_text(query)\n")
        before = work.f("x > @LIMIT", "out/f.txt")
        work.LIMIT = 2

        assert before != work.f("x > @LIMIT", "out/f.txt")
