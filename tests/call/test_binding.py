"""Options and arguments: everything wrong is said before anything runs."""

import functools
from pathlib import Path

import pytest
from heavy import every

from taggedartifacts import Artifact, ArtifactNameError
from taggedartifacts._call.binding import Parameters

BODY = """
runs = []
@Artifact("outpath")
def f(x, outpath="out/f.txt", verbose=False):
    runs.append(x)
    Path(outpath).write_text(str(x))
"""


PARTS = """
class Config:
    def __init__(self, *, bins=1, n_jobs=1, inner=None, items=(1, 2)):
        self.bins, self.n_jobs = bins, n_jobs
        self.inner, self.items = inner or {"n_jobs": 1}, list(items)

@Artifact("outpath", ignore=("OPTION",))
def f(cfg, outpath):
    Path(outpath).touch()
"""


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "error", "says"),
        [
            ({"keyword": ()}, ValueError, "keyword must name one parameter"),
            ({"keyword": ""}, ValueError, "keyword must name one parameter"),
            ({"keyword": ("a", "a")}, ValueError, "several different ones"),
            ({"keyword": 3}, TypeError, "keyword must be a sequence of names"),
            ({"keyword": "o", "allow_dirty": "yes"}, TypeError, "allow_dirty must be True or False"),
            ({"keyword": "o", "ignore": "verbose"}, TypeError, r"write ignore=\('verbose',\)"),
            ({"keyword": "o", "inputs": [1]}, TypeError, "inputs must hold names only"),
            ({"keyword": "o", "scope": "src"}, TypeError, "scope must be a sequence of names"),
            ({"keyword": "o", "load": "x"}, TypeError, "load must be a function"),
            ({"keyword": "o", "mode": "a"}, ValueError, "mode must be 'w' or 'r'"),
            ({"keyword": "o", "mode": "r", "load": len}, ValueError, "no meaning in mode 'r'"),
            ({"keyword": "o", "mode": "r", "link": True}, ValueError, "no meaning in mode 'r'"),
            ({"keyword": "o", "link": 1}, TypeError, "link must be True or False"),
            ({"keyword": "o", "repo": 3}, TypeError, "repo must be a path"),
            ({"keyword": "o", "timeout": "1"}, TypeError, "timeout must be a number of seconds"),
            ({"keyword": "o", "timeout": -1}, ValueError, "at least 0 seconds"),
            ({"keyword": "o", "timeout": float("nan")}, ValueError, "at least 0 seconds"),
            ({"keyword": "o", "ignore": ("o",)}, ValueError, "must not name the keyword 'o'"),
            ({"keyword": "o", "ignore": ("x",), "inputs": ("x",)}, ValueError, "only one of them"),
            ({"keyword": "o", "ignore": ("cfg..x",)}, ValueError, "ignore names 'cfg..x', which is no name"),
            ({"keyword": "o", "ignore": (".x",)}, ValueError, "ignore names '.x', which is no name"),
            ({"keyword": "o", "ignore": ("",)}, ValueError, "ignore names '', which is no name"),
            ({"keyword": "o", "inputs": ("cfg.path",)}, ValueError, "'cfg.path', and takes whole parameters only"),
            ({"keyword": "o", "scope": ("",)}, ValueError, r"an empty path; the whole repository is '\.'"),
        ],
    )
    def test_wrong(self, options, error, says):
        """A wrong option is named where it is written."""
        with pytest.raises(error, match=says):
            Artifact(**options)

    def test_unknown_parameter(self):
        """A name in ignore or inputs that is no parameter is refused at decoration."""

        def f(x, outpath): ...

        with pytest.raises(ValueError, match=r"ignore names 'verbos', but .* has only the parameters x, outpath"):
            Artifact("outpath", ignore=("verbos",))(f)

    def test_generator(self):
        """A generator function is refused: its body has not run when its call returns."""

        def f(outpath):
            yield

        async def g(outpath):
            yield

        for each in (f, g):
            with pytest.raises(TypeError, match="is a generator function"):
                Artifact("outpath")(each)

    @pytest.mark.parametrize("what", [3, "f", len, staticmethod(lambda outpath: None), functools.partial(print)])
    def test_no_function(self, what):
        """What is no function is refused with the remedy."""
        with pytest.raises(TypeError, match="Artifact decorates functions"):
            Artifact("outpath")(what)

    def test_twice(self, project):
        """A decorated function is not decorated again; several outputs go into one decorator."""
        work = project.module(BODY)

        with pytest.raises(TypeError, match="is decorated already"):
            Artifact("x")(work.f)


class TestBind:
    def test_given_in_any_way(self, project):
        """The output path may be given by keyword, by position or by default."""
        f = project.module(BODY).f

        assert f(1, outpath="out/f.txt") == f(1, "out/f.txt") == f(1)

    @pytest.mark.parametrize("given", [{}, {"outpath": None}, {"outpath": ""}])
    def test_missing_is_a_key_error(self, project, given):
        """A missing output path is a KeyError that names the keyword."""
        f = project.module(BODY.replace('outpath="out/f.txt"', "outpath")).f

        with pytest.raises(KeyError, match="outpath"):
            f(1, **given)

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ("s3://bucket/x.csv", "upload what the call returns"),
            (Path("s3://bucket/x.csv"), "looks like a URL"),
            ("https://example.org/x.csv", "give a local path"),
            ("file:///tmp/x.csv", "behind file://"),
        ],
    )
    def test_url(self, project, given, says):
        """An output that looks like a URL is refused with what to do instead, and makes no folder ``s3:``."""
        f = project.module(BODY).f

        with pytest.raises(ArtifactNameError, match=says):
            f(1, given)
        assert not (project.path / "s3:").exists()

    def test_no_such_parameter_is_a_key_error(self, project):
        """A keyword that is no parameter is found out at the call, not at import."""
        work = project.module(BODY.replace('Artifact("outpath")', 'Artifact("lol")'))

        with pytest.raises(KeyError, match="'lol' is no parameter; there are x, outpath"):
            work.f(1, outpath="out/x.txt")
        assert [] == work.runs

    def test_other_wrong_arguments_stay_type_errors(self, project):
        """Arguments that do not fit are what they are without the decorator."""
        f = project.module(BODY).f

        with pytest.raises(TypeError, match="unexpected keyword argument 'y'"):
            f(1, y=2)

    def test_through_kwargs(self, project):
        """The output path may pass through ``**kwargs``."""
        work = project.module(
            'seen = []\n@Artifact("outpath")\ndef f(x, **options):\n'
            "    seen.append(sorted(options))\n    Path(options['outpath']).write_text('')\n"
        )
        path = work.f(1, outpath="out/k.txt", depth=2)

        assert [["depth", "outpath"]] == work.seen
        assert path != work.f.path(1, outpath="out/k.txt", depth=3)

    @pytest.mark.parametrize(
        ("outpath", "error", "says"),
        [
            ("..", ArtifactNameError, "does not end in a file name"),
            ("out/..", ArtifactNameError, "does not end in a file name"),
            ("/", ArtifactNameError, "does not end in a file name"),
            ("out/.taggedartifacts/x.txt", ArtifactNameError, "lies inside .taggedartifacts"),
            ("out/.taggedartifacts", ArtifactNameError, "lies inside .taggedartifacts"),
            ("out/" + "x" * 240, ArtifactNameError, "264 bytes where .* allows 250"),
            ("out/" + "é" * 126, ArtifactNameError, "give the output a shorter name"),
            ("x" * 300 + "/y", ArtifactNameError, "has too long a name in it"),
            ("/".join(["x" * 200] * 25) + "/y", ArtifactNameError, "is too long a path for the system"),
            ("a\0b", ArtifactNameError, "null character"),
            (b"out/x", TypeError, "must be a str or a path"),
            (3, TypeError, "must be a str or a path"),
        ],
    )
    def test_impossible_paths(self, project, outpath, error, says):
        """An output path that no artifact can have is refused before the function runs."""
        work = project.module(BODY)

        with pytest.raises(error, match=says):
            work.f(1, outpath=outpath)
        assert [] == work.runs
        assert not project.out.exists()

    def test_longest_name(self, project):
        """A name that just fits is made."""
        work = project.module(BODY)

        assert 250 == len(work.f(1, outpath="out/" + "x" * 226).name)
        assert [1] == work.runs

    def test_one_path_twice(self, project):
        """Two outputs with one path are refused, or one file name, by which they would count when handed on."""
        work = project.module('@Artifact(["a", "b"])\ndef f(a, b): ...\n')

        for other in ("out/../out/x.txt", "test/x.txt"):
            with pytest.raises(ArtifactNameError, match="two outputs have the same file name"):
                work.f("out/x.txt", other)
        with pytest.raises(ArtifactNameError, match="two outputs of one directory differ in case only"):
            work.f("out/x.txt", "out/X.txt")
        assert work.f.path("out/x.txt", "test/X.txt")


BASE = """
def mine(self):
    return 2
class Base:
    step = 1
    def __init__(self, state): self.state = state
    def total(self): return self.step
    @Artifact("outpath", ignore=("self",))
    def m(self, outpath): Path(outpath).write_text(str(self.total()))
"""
OTHER_CLASSES = {
    "overrides a method": "class Other(Base):\n    def total(self): return 2\n",
    "overrides an attribute": "class Other(Base):\n    step = 2\n",
    "takes a method from elsewhere": "class Mixin:\n    total = mine\nclass Other(Mixin, Base): pass\n",
    "is a data class": "import dataclasses\n@dataclasses.dataclass\nclass Other(Base):\n    state: int\n"
    "    step: int = 2\n",
    "does nothing": "class Other(Base): pass\n",
}


class TestHashed:
    @pytest.mark.parametrize(
        ("option", "changed", "other"),
        [
            ("cfg.n_jobs", "Config(n_jobs=2)", "Config(bins=2)"),
            ("cfg.inner.n_jobs", "Config(inner=dict(n_jobs=2))", "Config(inner=dict(n_jobs=1, more=1))"),
            ("cfg.items.1", "Config(items=[1, 3])", "Config(items=[2, 2])"),
        ],
    )
    def test_ignored_parts(self, project, option, changed, other):
        """A part of a parameter is left out by its path, through attributes, items and fields; the rest counts."""
        work = project.module(PARTS.replace("OPTION", option))
        same, different = (eval(text, {"Config": work.Config}) for text in (changed, other))

        assert work.f.path(work.Config(), "f.txt") == work.f.path(same, "f.txt") != work.f.path(different, "f.txt")

    @pytest.mark.parametrize("option", ["cfg.n_job", "cfg.inner.nothing", "cfg.bins.deeper"])
    def test_ignored_parts_that_are_not_there(self, project, option):
        """A part that an argument does not have is refused at the call: it may be a misspelling."""
        work = project.module(PARTS.replace("OPTION", option))

        with pytest.raises(ValueError, match=rf"ignore names '{option}', but the argument 'cfg'"):
            work.f.path(work.Config(), "f.txt")

    def test_ignored_parts_of_none(self):
        """A part of what is no parameter is refused at decoration."""

        def f(x, outpath):
            """Write nothing."""

        with pytest.raises(ValueError, match=r"ignore names 'cgf\.n_jobs', but .* has only the parameters x, outpath"):
            Artifact("outpath", ignore=("cgf.n_jobs",))(f)

    def test_ignored_parts_of_further_keywords(self, project):
        """Parts of what ``**`` takes in are left out likewise."""
        work = project.module(
            '@Artifact("outpath", ignore=("cfg.n_jobs",))\ndef f(outpath, **rest):\n    Path(outpath).touch()\n'
        )
        paths = [work.f.path("f.txt", cfg={"n_jobs": jobs, "bins": bins}) for jobs, bins in ((1, 1), (2, 1), (1, 2))]

        assert paths[0] == paths[1] != paths[2]

    def test_parameters_are_no_globals(self):
        """In a session, where globals can be ignored, a parameter's name means the parameter alone."""

        def f(x, outpath):
            """Write nothing."""

        options = Artifact("outpath", ignore=("x", "progress"))._options

        assert ("progress",) == Parameters(f, options, free_names=True).ignored_globals

    @pytest.mark.parametrize("kind", every(2, OTHER_CLASSES))
    def test_ignored_self(self, project, kind):
        """Ignoring ``self`` leaves out the object's state; its class still counts."""
        work = project.module(BASE + OTHER_CLASSES[kind])
        objects = work.Base(1), work.Base(object()), work.Other(1)
        paths = [type(each).m.path(each, "f.txt") for each in objects]

        assert paths[0] == paths[1] != paths[2]

    @pytest.mark.parametrize(
        "change", every(3, ["Base.total = mine", "Base.step = 2", "Step.k = 2", "Step.total = mine"])
    )
    def test_ignored_self_of_a_changed_class(self, project, change):
        """So does what is set on the class, or on one that it inherits from."""
        work = project.module(
            "class Step:\n    k = 1\n    def size(self): return self.k\n" + BASE.replace("Base:", "Base(Step):")
        )
        objects = work.Base(1), work.Base(2)
        before = [work.Base.m.path(each, "f.txt") for each in objects]
        exec(change, vars(work))

        assert 1 == len(set(before))
        assert before[0] != work.Base.m.path(objects[0], "f.txt")

    def test_ignored(self, project):
        """An ignored parameter changes nothing; any other does, its default too."""
        work = project.module(BODY.replace('"outpath")', '"outpath", ignore=("verbose",))'))

        assert work.f.path(1) == work.f.path(1, verbose=True)
        assert work.f.path(1) != work.f.path(2)

    @pytest.mark.parametrize("option", ["", ', ignore=("b",)', ', inputs=("b",)'])
    def test_further_keywords_with_the_name_of_a_position(self, project, option):
        """A keyword that only has the name of a parameter that takes a position counts as any further one."""
        f = project.module(
            f'@Artifact("outpath"{option})\ndef f(outpath="out/x.txt", b=__file__, /, **options): ...\n'
        ).f

        assert 5 == len({f.path(), f.path(outpath="x"), f.path(outpath="y"), f.path(b="x"), f.path(b="y")})

    def test_default_counts_as_given(self, project):
        """A default that is applied and the same value given are one configuration."""
        f = project.module(BODY).f

        assert f.path(1) == f.path(1, verbose=False) != f.path(1, verbose=True)

    def test_config_is_read_at_the_call(self, project):
        """A config that is filled in later, or computed by a function, counts as it stands at the call."""
        work = project.module(
            'config = {}\n@Artifact("outpath", config)\ndef f(outpath): ...\n'
            '@Artifact("outpath", lambda: config)\ndef g(outpath): ...\n'
        )
        before = work.f.path("out/x.txt")
        work.config["bins"] = 40

        assert before != work.f.path("out/x.txt") == work.g.path("out/x.txt")

    def test_refused_before_it_runs(self, project):
        """A value without canonical form is refused by its parameter's name, and nothing runs."""
        work = project.module(BODY)

        with pytest.raises(TypeError, match="argument 'x'"):
            work.f(object())
        assert [] == work.runs
