"""Wrong use is answered with what to write, and errors with tracebacks that fit on a screen."""

import asyncio
import functools
import sys
import traceback

import pytest

from taggedartifacts import Artifact, ArtifactNameError, DirtyRepositoryError, InputError, UnhashableError

FUNCTIONS = """
@Artifact("out", inputs=("table",))
def f(x, out="out/f.txt", table=None):
    Path(out).write_text(f"{1 / x}")

@Artifact("out")
async def g(x, out="out/g.txt"):
    Path(out).write_text(f"{1 / x}")

@Artifact("out")
def outer(x, out="out/outer.txt"):
    f(x, table="nowhere")

class Model:
    def __init__(self, rate=1):
        self.rate = rate
    @Artifact("out", ignore=("self",))
    def fit(self, depth, out="out/m.txt"):
        Path(out).write_text("")
    @classmethod
    @Artifact("out", ignore=("cls",))
    def make(cls, depth, out="out/c.txt"):
        Path(out).write_text("")
    @staticmethod
    @Artifact("out")
    def plain(depth, out="out/p.txt"):
        Path(out).write_text("")

class Child(Model): ...

class Duck:
    fit = Model.fit
"""


def raised(error, call, *args, **kwargs):
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    return [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)][1:]  # below this one


class TestWhatToWrite:
    def test_without_parentheses(self):
        """``@Artifact`` alone is answered with the line to write, with the names of that very function."""
        with pytest.raises(
            TypeError, match=r'(?s)write\n    @Artifact\(keyword="outpath"\)\n    def f\(x, outpath, n=3\):'
        ):

            @Artifact
            def f(x, outpath, n=3): ...

        for what, says in [
            (type("Model", (), {}), "not the class Model; put @Artifact"),
            (functools.partial(print), "take the partial of what comes out"),
            (classmethod(print), "below staticmethod"),
        ]:
            with pytest.raises(TypeError, match=says):
                Artifact(what)

    @pytest.mark.parametrize(
        ("what", "says"),
        [
            (functools.partial(print, 3), r"take the partial of what comes out: .*\(print\), …\)"),
            (type("Model", (), {}), r"not the class Model; put @Artifact\(…\) above the method"),
            (staticmethod(print), r"put @Artifact\(…\) below staticmethod"),
            (property(print), r"put @Artifact\(…\) below staticmethod"),
            (len, "write a function that calls it"),
        ],
    )
    def test_no_function(self, what, says):
        """What is no function is answered with where the decorator belongs."""
        with pytest.raises(TypeError, match=says):
            Artifact("outpath")(what)

    def test_click(self):
        """A click command is told the order of the decorators."""

        class Command:
            """As click.Command is; for tests it need not be installed."""

            __module__ = "click.core"
            name = "main"

            def __call__(self): ...

        with pytest.raises(TypeError, match=r"the click command 'main'; put @Artifact\(…\) below @click.command\(\)"):
            Artifact("outpath")(Command())

    def test_misspelt(self, project):
        """A misspelt name is answered with the one that is meant."""
        project.commit()

        def f(verbose, table, outpath): ...

        with pytest.raises(ValueError, match=r"did you mean 'verbose'\?"):
            Artifact("outpath", ignore=("verbos",))(f)
        with pytest.raises(ValueError, match=r"did you mean 'table'\?"):
            Artifact("outpath", inputs=("tabel",))(f)
        work = project.module("limits = [3]\ndef f(out): Path(out).write_text(str(limits))\n")
        for name, says in (("limit", r"did you mean 'limits'\?"), ("elsewhere", "correct the name, or take it out")):
            with pytest.raises(ValueError, match=f"nothing that it reads; {says}"):
                Artifact("out", ignore=(name,))(work.f)("out/x.txt")
        with pytest.raises(KeyError, match=r"did you mean 'outpath'\?"):
            Artifact("outpaht", allow_dirty=True, repo=project.path)(f)(1, 2, outpath="x")
        with pytest.raises(KeyError, match=r"'outpath' is missing or empty; pass a path \('outpaht' is no parameter\)"):
            Artifact("outpath", allow_dirty=True, repo=project.path)(f)(1, 2, outpaht="x")

    def test_missing_path_is_one_traceback(self, project):
        """A call without its output path shows the line to mend, and no error of the library's own before it."""
        work = project.module("def f(table, outpath): ...\n")

        with pytest.raises(KeyError, match="'outpath' is missing") as caught:
            Artifact("outpath")(work.f)("table.csv")
        assert caught.value.__suppress_context__

    @pytest.mark.parametrize("attribute", ["path", "is_cached", "recompute", "explain"])
    def test_attribute_without_the_object(self, project, attribute):
        """An attribute of a bound method that is called without the object says so, whatever the arguments are."""
        work = project.module(FUNCTIONS)
        model = work.Model()

        for args, kwargs in (((3, "out/m.txt"), {}), ((3,), {}), ((), {"depth": 3}), (("fit", "out/x"), {})):
            with pytest.raises(TypeError, match=rf"write Model\.fit\.{attribute}\(model, …\)"):
                getattr(model.fit, attribute)(*args, **kwargs)
        with pytest.raises(TypeError, match=rf"write Model\.make\.{attribute}\(Model, …\)"):
            getattr(work.Model.make, attribute)(3)

    def test_attribute_with_the_object(self, project):
        """With the object it works, for subclasses and for what borrows the method too."""
        work = project.module(FUNCTIONS)
        model = work.Model()

        assert model.fit(3) == model.fit.path(model, 3) == work.Model.fit.path(self=model, depth=3)
        # Of an object that is ignored its class counts.
        others = {work.Model.fit.path(work.Child(), 3), model.fit.path(work.Duck(), 3)}
        assert 3 == len({model.fit(3), *others})
        assert work.Child.make(3) == work.Model.make.path(work.Child, 3)
        assert work.Model.plain(3) == model.plain.path(3)


class TestTracebacks:
    def test_refusal(self, project):
        """A refusal shows the user's line and one of ours, also when it is about what lies deep in an argument."""
        work = project.module(FUNCTIONS)

        assert ["decorated"] == raised(UnhashableError, work.f, [[object()]])
        assert ["path"] == raised(UnhashableError, work.f.path, object())
        assert ["recompute"] == raised(InputError, work.f.recompute, 1, table="nowhere")
        dirty = project.module(FUNCTIONS, "dirty.py", commit=False)
        assert ["decorated"] == raised(DirtyRepositoryError, dirty.f, 1)

    def test_wrong_call(self, project):
        """So does a call whose arguments do not fit, and a decorator that does not."""
        work = project.module(FUNCTIONS)

        assert ["decorated"] == raised(TypeError, work.f, y=3)
        assert ["decorated"] == raised(KeyError, work.f, 1, None)
        assert ["__init__"] == raised(TypeError, Artifact, 3)
        assert ["__call__"] == raised(TypeError, Artifact("out"), len)
        assert ["path"] == raised(TypeError, work.Model().fit.path, 3)

    def test_of_an_async_function(self, project):
        """A refusal of an ``async`` function shows no thread and no loop between."""
        work = project.module(FUNCTIONS)

        assert "decorated" == raised(UnhashableError, lambda: asyncio.run(work.g(object())))[-1]

    def test_of_the_function_itself(self, project):
        """An error in the function shows its own line, right below the call."""
        work = project.module(FUNCTIONS)

        assert ["decorated", "f"] == raised(ZeroDivisionError, work.f, 0)
        assert ["decorated", "g"] == raised(ZeroDivisionError, lambda: asyncio.run(work.g(0)))[-2:]

    def test_of_a_call_within(self, project):
        """A refusal of a call within a function shows the line of that function."""
        work = project.module(FUNCTIONS)

        assert ["decorated", "outer"] == raised(InputError, work.outer, 1)

    def test_cause(self, project):
        """The error behind a refusal shows where it came from, and no more."""
        work = project.module(FUNCTIONS)
        with pytest.raises(InputError) as caught:
            work.f(1, table="nowhere")

        assert isinstance(caught.value.__cause__, FileNotFoundError)
        assert 1 == len(traceback.extract_tb(caught.value.__cause__.__traceback__))

    def test_mistake_of_ours(self, project, monkeypatch):
        """An error that nobody raised on purpose keeps the line where it happened."""
        work = project.module(FUNCTIONS)
        monkeypatch.setattr("taggedartifacts._call.call.hexdigest", None)

        assert ["decorated", "key"] == raised(TypeError, work.f, 1)

    def test_hidden(self, project):
        """Our one line is marked for pytest and IPython, which leave it out."""
        work = project.module(FUNCTIONS)
        with pytest.raises(UnhashableError) as caught:
            work.f(object())

        assert caught.traceback[-1].frame.f_locals["__tracebackhide__"]

    def test_in_a_script(self, project):
        """In a terminal, a refusal is the user's line, one of ours, and the message."""
        project.module("@Artifact('out')\ndef f(x, out): ...\nif __name__ == '__main__':\n    f(object(), 'o')\n")
        said = project.run("sh", "-c", f"'{sys.executable}' work.py 2>&1; true")

        assert 2 == said.count('  File "')
        assert len(said.splitlines()) <= 10


@pytest.mark.skipif(sys.platform == "win32", reason="Windows deletes no directory in which a process stands")
def test_deleted_directory(project, monkeypatch, tmp_path_factory):
    """Where the current directory was deleted, absolute outputs work, and relative ones are refused."""
    work = project.module(FUNCTIONS)
    gone = tmp_path_factory.mktemp("gone")
    monkeypatch.chdir(gone)
    gone.rmdir()
    made = work.f(1, str(project.out / "f.txt"))

    assert "1.0" == made.read_text()
    assert work.f.is_cached(1, str(project.out / "f.txt"))
    with pytest.raises(ArtifactNameError, match="is relative, and the current directory was deleted"):
        work.f(1, "out/f.txt")
