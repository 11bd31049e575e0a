"""The scope: what is code is told by imports, by kinds and by the user, and a change of it is never passed over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from looks import AUTOMATIC, LookedAt

from taggedartifacts import record
from taggedartifacts._code.codestate import take_look
from taggedartifacts._code.scope import Kind, Scope, united

HERE = "import os\nHERE = os.path.dirname(os.path.abspath(__file__))\n"


@pytest.fixture
def repo(tmp_path):
    """A repository with a module that looks, and a helper that it imports."""
    made = LookedAt(tmp_path / "repo")
    made.write(".gitignore", "__pycache__/\nlocal_*\n")
    made.write("helper.py", "N = 1\n")
    made.write("work.py", "import helper\n" + AUTOMATIC)
    made.commit("First")
    return made


def work(repo, head, **files):
    """Commit a module that looks, below a head of its own."""
    repo.write("work.py", head + AUTOMATIC)
    for name, content in files.items():
        repo.write(name.replace("__", "/").replace("_dot_", "."), content)
    return repo.commit()


def tag(said):
    """What the name of an artifact says, or that there is none."""
    return said.get("error") or (said["commit"], said["dirty"])


class TestKey:
    def test_all_that_decides(self):
        """What is remembered of a scope is of no other: each part that decides what it holds is in its key."""
        one = Scope(Kind.AUTOMATIC, frozenset({"a.py"}), frozenset({"b"}), frozenset({"c.md"}), ("d",), by_bytes=False)
        others = {
            "kind": Kind.PATHS,
            "files": frozenset(),
            "probes": frozenset(),
            "names": frozenset(),
            "paths": (),
            "by_bytes": True,
        }

        assert len({one.key(), *(replace(one, **{name: value}).key() for name, value in others.items())}) == 7

    def test_united(self):
        """Where one of two counts by bytes, both together do."""
        one, two = (Scope(Kind.AUTOMATIC, by_bytes=by_bytes) for by_bytes in (False, True))

        assert [False, True, True] == [united(*each).by_bytes for each in ((one, one), (one, two), (two, one))]

    def test_digest(self):
        """What a commit holds in a scope is told by mode, content and place, and by what makes other files count."""
        one = Scope(Kind.AUTOMATIC, frozenset({"a.py"}), by_bytes=False)
        held = (0o100644, "1" * 40), (0o100755, "1" * 40), (0o100644, "2" * 40), None

        others = {"kind": Kind.PATHS, "names": frozenset({"c.md"}), "by_bytes": True}
        digests = {replace(one, **{name: value}).digest(lambda _: held[0]) for name, value in others.items()}

        assert len({one.digest(lambda _, each=each: each) for each in held} | digests) == 7


class TestWhatImportsMiss:
    """The ways in which the files that imports reach are not all that decides; each changes the tag."""

    def changed(self, repo, name, content):
        """Edit a file, look, commit it, look again: three tags, of which the last is clean."""
        before = repo.glance()
        repo.write(name, content)
        edited = repo.glance()
        commit = repo.commit()
        after = repo.glance()

        assert (before["dirty"], after["dirty"]) == (None, None)
        assert edited["dirty"] is not None
        assert (before["commit"], commit) == (edited["commit"], after["commit"])
        return after

    def test_opened_file(self, repo):
        """A tracked data file, however its path is computed."""
        repo.write("data/a.csv", "1\n")
        work(repo, HERE + "TEXT = open(os.path.join(HERE, 'data', chr(97) + '.csv')).read()\n")

        assert "automatic" == self.changed(repo, "data/a.csv", "2\n")["kind"]

    @pytest.mark.parametrize(
        ("head", "reason"),
        [
            ("import importlib\nX = importlib.import_module('oth' + os.environ.get('E', 'er'))\n", "import_module"),
            (
                "import subprocess, sys\nsubprocess.run([sys.executable, HERE + '/other.py'], check=True)\n",
                "imports su",
            ),
            ("import runpy\nrunpy.run_path(HERE + '/other.py')\n", "imports runpy"),
            ("exec(open(HERE + '/other.py').read())\n", "exec"),
            ("X = eval(open(HERE + '/other.py').read().partition('=')[2])\n", "eval"),
            ("os.system('true ' + HERE)\n", "os.system"),
            ("import ctypes\n", "imports ctypes"),
            ("import sys\nsys.path.insert(0, os.environ.get('LIB', HERE))\nimport other\n", "sys.path"),
            ("import timeit\ntimeit.timeit('import other', number=1)\n", "timeit.timeit"),
            ("import code\ncode.InteractiveInterpreter().runsource('import other')\n", "code.Interactive"),
            (
                "import pkgutil as q\nfor m, n, p in q.iter_modules():\n    m.find_spec(n).loader.load_module()\n",
                "load_m",
            ),
            ("import pkgutil\nX = pkgutil.resolve_name(''.join(['oth', 'er']))\n", "resolve_name"),
        ],
    )
    def test_hidden(self, repo, head, reason):
        """A file that hides what it uses makes the whole repository count, and it is said where it does."""
        repo.write("other.py", "M = 1\n")
        work(repo, HERE + head)
        said = self.changed(repo, "other.py", "M = 2\n")

        assert "whole repository" == said["kind"]
        assert said["reasons"][0].startswith("work.py:")
        assert reason in said["reasons"][0]

    def test_hidden_in_a_helper(self, repo):
        """It need not be the function's own file that hides something."""
        repo.write("helper.py", "import deeper\n")
        repo.write("deeper.py", "\nimport subprocess\n")
        repo.commit()

        assert ["deeper.py:2 imports subprocess"] == repo.glance()["reasons"]

    def test_literal_name(self, repo):
        """A literal name is an import like any other."""
        repo.write("other.py", "M = 1\n")
        work(repo, "import importlib\nX = importlib.import_module('other')\n")

        assert ["other.py", "work.py"] == self.changed(repo, "other.py", "M = 2\n")["files"]

    def test_deleted_module_that_shadowed(self, repo):
        """A module that shadowed an installed one is deleted: the code is that of no commit before."""
        repo.write("this.py", "M = 1\n")
        first = work(repo, "import this\n")
        before = repo.glance()
        (repo.path / "this.py").unlink()
        edited = repo.glance()
        second = repo.commit()

        assert [(first, None), second, None] == [tag(before), repo.glance()["commit"], repo.glance()["dirty"]]
        assert {"this.py": "deleted"} == edited["changes"]

    @pytest.mark.parametrize("name", ["this.py", "this/__init__.py"])
    def test_new_module_that_shadows(self, repo, name):
        """A new module takes the place of an installed one: another commit, and dirty as long as it is in none."""
        work(repo, "import this\n")
        before = repo.glance()
        repo.write(name, "M = 1\n")
        untracked = repo.glance()
        commit = repo.commit()

        assert {name: "loaded, but not tracked by git"} == untracked["changes"]
        assert (commit, None) == tag(repo.glance())
        assert tag(before) != tag(untracked)

    def test_new_part_of_a_namespace(self, repo):
        """A module comes to be where an import, allowed to fail, looked for it."""
        work(repo, "try:\n    from extra.deep import part\nexcept ImportError:\n    part = None\n")
        repo.write("extra/deep/part.py", "M = 1\n")
        commit = repo.commit()

        assert commit == repo.glance()["commit"]

    def test_deleted_data(self, repo):
        """A data file that is deleted counts, though no commit from then on holds it."""
        repo.write("data/a.csv", "1\n")
        repo.commit()
        (repo.path / "data/a.csv").unlink()

        assert {"data/a.csv": "deleted"} == repo.glance()["changes"]
        assert repo.commit() == repo.glance()["commit"]

    def test_renamed_module(self, repo):
        """A module that moves within the search path is another file."""
        repo.git("mv", "helper.py", "helper2.py")
        repo.write("helper/__init__.py", "from helper2 import *\n")
        commit = repo.commit()

        assert (commit, None) == tag(repo.glance())

    def test_guarded_import(self, repo):
        """An import in a function, in ``try``, or for type checkers alone counts."""
        for name in ("one", "two", "three"):
            repo.write(f"{name}.py", "M = 1\n")
        head = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import one\n"
        head += "def g():\n    try:\n        import two\n    except ImportError:\n        from three import M\n"
        work(repo, head)

        assert ["one.py", "three.py", "two.py", "work.py"] == repo.glance()["files"]

    def test_ambiguous(self, repo):
        """Where two files could be meant, both count."""
        repo.write("lib/helper.py", "N = 2\n")
        repo.write("lib/inner/work.py", "import helper\n" + AUTOMATIC)
        repo.commit()
        said = repo.glance("lib/inner/work.py")

        assert ["helper.py", "lib/helper.py", "lib/inner/work.py"] == said["files"]

    def test_no_parse(self, repo):
        """A module that cannot be parsed could use anything."""
        work(repo, "try:\n    import broken\nexcept SyntaxError:\n    pass\n", broken_dot_py="def f(:\n")

        assert repo.glance()["reasons"][0].startswith("broken.py:1 does not parse")


class TestOutside:
    """What lies outside of the scope neither refuses nor renames."""

    @pytest.mark.parametrize(
        "name",
        [
            *("unrelated.py", "scripts/run.py", "tests/test_work.py", "README.md", "paper/paper.tex", "Makefile"),
            *("fig.png", "requirements.txt", "docs/page.rst", "analysis.ipynb", "run.sh", ".github/workflows/ci.yml"),
        ],
    )
    def test_committed_or_not(self, repo, name):
        """A module that no import reaches, a document, packaging, a workflow, a picture, a notebook."""
        before = tag(repo.glance())
        repo.write(name, "1\n")
        untracked = tag(repo.glance())
        repo.commit()
        committed = tag(repo.glance())
        repo.write(name, "2\n")

        assert [before] * 3 == [untracked, committed, tag(repo.glance())]

    @pytest.mark.parametrize("state", ["untracked", "edited"])
    def test_script_that_calls(self, repo, state):
        """The script that calls may be edited, or unknown to git."""
        before = tag(repo.look())
        if state == "edited":
            repo.write("run.py", "pass\n")
            repo.commit()
        repo.write(
            "run.py", "import work\nwork.BINS = 3\nprint(work.look().state().dirty, work.look().state().commit)\n"
        )

        assert f"None {before[0]}" == repo.python("run.py")

    def test_other_module_that_is_loaded(self, repo):
        """So may another module be that the process has loaded."""
        repo.write("other.py", "M = 1\n")
        code = "import other\nsay(lambda: importlib.import_module('work').look().state())"

        assert tag(repo.look()) == tag(repo.look(code=code))

    def test_two_callers_agree(self, repo):
        """Two scripts that call one function with other modules loaded get one tag and one digest."""
        repo.write("other.py", "import subprocess\n")
        repo.commit()
        one, two = (
            repo.look(code=f"{load}say(lambda: importlib.import_module('work').look().state())")
            for load in ("import other\n", "")
        )

        assert one == two


class TestLayout:
    COMMENTED = "# A remark.\nN = (\n    1\n)\n"

    def test_uncommitted(self, repo):
        """A comment, or another layout, is no dirt."""
        before = repo.glance()
        repo.write("helper.py", self.COMMENTED)

        assert before == repo.glance()

    def test_committed(self, repo):
        """Nor does it make another commit."""
        before = repo.glance()
        repo.write("helper.py", self.COMMENTED)
        repo.commit()

        assert before == repo.glance()

    def test_docstring(self, repo):
        """A docstring counts."""
        repo.write("helper.py", '"""A helper."""\nN = 1\n')

        assert {"helper.py": "modified"} == repo.glance()["changes"]

    def test_mode(self, repo):
        """So does the mode of a file."""
        (repo.path / "helper.py").chmod(0o755)

        assert {"helper.py": "of another mode"} == repo.glance()["changes"]
        assert repo.commit() == repo.glance()["commit"]

    @pytest.mark.parametrize("use", ["inspect.getsource(f)", "inspect.getsourcelines(f)", "inspect.getcomments(f)"])
    def test_source_that_is_read(self, repo, use):
        """Where the text of functions is read, bytes count."""
        work(repo, f"import helper, inspect\ndef f(): pass\nTEXT = {use}\n")
        repo.write("helper.py", self.COMMENTED)

        assert {"helper.py": "modified"} == repo.glance()["changes"]
        assert repo.commit() == repo.glance()["commit"]

    def test_version_that_does_not_parse(self, repo):
        """A version in history that does not parse counts by its bytes, and ends no search."""
        repo.write("helper.py", "N = = 1\n")
        repo.commit()
        repo.write("helper.py", "N = 1\n")
        mended = repo.commit()
        repo.write("helper.py", self.COMMENTED)
        repo.commit()

        assert (mended, None) == tag(repo.glance())

    def test_two_versions_that_do_not_parse(self, repo):
        """Two versions that do not parse are not the same."""
        repo.write("old.py", "print 1\n")
        repo.commit()
        repo.write("old.py", "print 2\n")

        assert ["old.py"] == list(repo.glance(scope=["old.py"])["changes"])

    def test_data_of_python(self, repo):
        """A table is compared by its bytes, whatever its lines look like."""
        repo.write("data.txt", "N = 1\n")
        repo.commit()
        repo.write("data.txt", "N = 1  # a remark\n")

        assert {"data.txt": "modified"} == repo.glance()["changes"]


class TestLinks:
    def test_module(self, repo):
        """A module that is a link counts by the link and by what it leads to."""
        repo.write("lib/real.py", "N = 2\n")
        (repo.path / "linked.py").symlink_to("lib/real.py")
        work(repo, "import linked\n")
        assert None is repo.glance()["dirty"]
        repo.write("lib/real.py", "N = 3\n")

        assert {"lib/real.py": "modified"} == repo.glance()["changes"]
        assert repo.commit() == repo.glance()["commit"]

    def test_package(self, repo):
        """A package that is a link is clean, and counts by the files that it leads to."""
        repo.write("src/pkg/__init__.py")
        repo.write("src/pkg/a.py", "N = 2\n")
        (repo.path / "pkg").symlink_to("src/pkg")
        work(repo, "import pkg.a\n")
        assert {} == repo.glance()["changes"]
        repo.write("src/pkg/a.py", "N = 3\n")

        assert {"src/pkg/a.py": "modified"} == repo.glance()["changes"]

    def test_bent(self, repo):
        """A link that leads elsewhere from now on is a change."""
        repo.write("one.py", "N = 1\n")
        repo.write("two.py", "N = 2\n")
        (repo.path / "linked.py").symlink_to("one.py")
        work(repo, "import linked\n")
        (repo.path / "linked.py").unlink()
        (repo.path / "linked.py").symlink_to("two.py")

        assert {"linked.py": "modified"} == repo.glance()["changes"]

    @pytest.mark.parametrize("named", ["data", "here", "data/x.csv", "data/below"])
    def test_in_named_paths(self, repo, named):
        """A path that the user names counts with what the links on its way and below it lead to."""
        repo.write("shared/x.csv", "1\n")
        repo.write("store/deep/y.csv", "1\n")
        repo.write("data/z.csv", "1\n")
        (repo.path / "here").symlink_to("data")
        (repo.path / "data/x.csv").symlink_to("../shared/x.csv")
        (repo.path / "data/below").symlink_to("../store/deep")
        repo.commit()
        assert None is repo.glance(scope=[named])["dirty"]
        expected = {"shared/x.csv", "store/deep/y.csv"}
        if named not in ("data", "here"):
            expected = {"shared/x.csv"} if named == "data/x.csv" else {"store/deep/y.csv"}
        for name in ("shared/x.csv", "store/deep/y.csv"):
            repo.write(name, "2\n")

        assert expected == set(repo.glance(scope=[named])["changes"])

    def test_circle(self, repo):
        """Links that lead in a circle end."""
        repo.write("data/z.csv", "1\n")
        (repo.path / "data/again").symlink_to(".")
        (repo.path / "data/none").symlink_to("nowhere")
        repo.commit()

        assert None is repo.glance(scope=["data"])["dirty"]

    def test_out_of_the_work_tree(self, repo, tmp_path):
        """A link that leads out of the work tree counts by itself."""
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside" / "far.py").write_text("N = 1\n")
        (repo.path / "far.py").symlink_to(tmp_path / "outside" / "far.py")
        work(repo, "import far\n")

        assert (["far.py", "helper.py", "work.py"][::2], None) == (repo.glance()["files"], repo.glance()["dirty"])


class TestNamedPaths:
    def test_beside_imports(self, repo):
        """Paths that the user names count beside the modules that imports reach, and instead of data."""
        repo.write("params.txt", "1\n")
        repo.write("other.txt", "1\n")
        repo.commit()
        for name in ("params.txt", "other.txt"):
            repo.write(name, "2\n")
        repo.write("helper.py", "N = 2\n")

        assert {"params.txt", "helper.py"} == set(repo.glance(scope=["params.txt"])["changes"])

    def test_no_fallback(self, repo):
        """With them, a file that hides what it uses does not make all of the repository count."""
        repo.write("child.py", "M = 1\n")
        repo.write("other.py", "M = 1\n")
        work(repo, "import subprocess\n")
        for name in ("child.py", "other.py"):
            repo.write(name, "M = 2\n")
        said = repo.glance(scope=["child.py"])

        assert ("paths", ["child.py"]) == (said["kind"], list(said["changes"]))

    def test_new_module_that_shadows(self, repo):
        """With them, what comes to be where an import looked counts as ever."""
        repo.write("params.txt", "1\n")
        work(repo, "try:\n    import a.b.c\nexcept ImportError:\n    pass\n")
        repo.write("a/b/c.py", "M = 1\n")
        added = repo.commit()
        seen = repo.glance(scope=["params.txt"])["commit"]
        repo.git("rm", "-q", "a/b/c.py")
        removed = repo.commit()

        assert [added, removed] == [seen, repo.glance(scope=["params.txt"])["commit"]]

    def test_whole_repository(self, repo):
        """A dot is the whole repository, comments and documents included."""
        repo.write("README.md", "text\n")
        repo.commit()
        repo.write("README.md", "more\n")
        repo.write("helper.py", "N = 1  # a remark\n")

        assert {"README.md", "helper.py"} == set(repo.glance(scope=["."])["changes"])

    def test_names_of_all_letters(self, repo):
        """A path of any letters is found, whatever the locale says."""
        repo.write("häß.txt", "1\n")
        work(repo, "")
        repo.write("ask.py", "import work\nprint(ascii(work.look(scope=['häß.txt']).state().changes))\n")
        repo.write("häß.txt", "2\n")
        told = repo.python("ask.py", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")

        assert "modified" in told


class TestSubmodules:
    @pytest.fixture
    def outer(self, repo, tmp_path):
        library = LookedAt(tmp_path / "library")
        library.write("lib.py", "N = 1\n")
        library.commit()
        repo.git("submodule", "add", "-q", str(library.path), "vendor")
        repo.commit()
        return repo

    def test_is_data(self, outer):
        """A submodule counts as one entry, though nothing imports from it."""
        outer.write("vendor/lib.py", "N = 2\n")

        assert ["vendor/lib.py"] == list(outer.glance()["changes"])

    def test_imported(self, outer):
        """Imports are followed into it."""
        work(outer, HERE + "import sys\nsys.path.insert(0, os.path.join(HERE, 'vendor'))\nimport lib\n")

        assert (["vendor/lib.py", "work.py"], None) == (outer.glance()["files"], outer.glance()["dirty"])

    def test_imported_beside_named_paths(self, outer):
        """Beside paths of the user's, one counts as soon as an import leads into it."""
        outer.write("vendor/lib.py", "N = 2\n")
        unused = outer.glance(scope=["helper.py"])
        outer.git("-C", "vendor", "checkout", "-q", ".")
        work(outer, HERE + "import sys\nsys.path.insert(0, os.path.join(HERE, 'vendor'))\nimport lib\n")
        outer.write("vendor/lib.py", "N = 2\n")

        assert [None, ["vendor/lib.py"]] == [unused["dirty"], list(outer.glance(scope=["helper.py"])["changes"])]

    def test_stands_in_the_digest(self, outer):
        """Two scopes, one with a file of it and one without, have two digests."""

        def entry(path):
            return {"vendor": (0o160000, "1" * 40), "work.py": (0o100644, "2" * 40)}.get(path)

        one, two = (Scope(Kind.PATHS, frozenset(files)) for files in (["work.py"], ["work.py", "vendor/lib.py"]))

        assert one.digest(entry) != two.digest(entry)


class TestHiddenEdits:
    @pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
    @pytest.mark.parametrize("name", ["helper.py", "params.txt"])
    def test_are_dirt(self, repo, flag, name):
        """Edits that git is told not to look at are dirt, of modules and of data."""
        repo.write("params.txt", "1\n")
        repo.commit()
        repo.git("update-index", flag, name)
        repo.write(name, "N = 2\n")

        assert {name: "modified"} == repo.glance()["changes"]


class TestDigest:
    def test_differs(self, repo):
        """Scopes of one commit that hold other files, kinds or names have other digests."""
        found = take_look(None, repo=str(repo.path), scope=["helper.py"]).state()
        other = take_look(None, repo=str(repo.path), scope=["helper.py", "work.py"]).state()
        whole = take_look(None, repo=str(repo.path), scope=["."]).state()

        assert found.commit == other.commit == whole.commit
        assert 3 == len({state.digest for state in (found, other, whole)})

    def test_layout_does_not_count(self, repo):
        """It is of what the commit holds, so a comment committed since changes nothing."""
        before = repo.glance()["digest"]
        repo.write("helper.py", "N = 1  # a remark\n")
        repo.commit()

        assert before == repo.glance()["digest"]


class TestRecord:
    MAKE = """\
import helper
from taggedartifacts import Artifact

@Artifact(keyword="out"{scope})
def f(out):
    with open(out, "w") as file:
        file.write("1")
"""

    @pytest.fixture
    def made(self, repo):
        """A repository with a function that was called."""
        repo.write(".gitignore", "__pycache__/\nout/\n")
        repo.write("one.txt", "1\n")
        repo.write("two.txt", "1\n")
        repo.write("work.py", self.MAKE.format(scope=""))
        repo.commit()
        self.path = repo.python("-c", "import work; print(work.f(out='out/x'))")
        return repo

    def test_keeps_the_scope(self, made):
        """The record keeps what the scope was and the digest of what the commit held there."""
        kept = record(made.path / self.path)

        assert ("automatic", ("helper.py", "work.py")) == (kept.scope_kind, kept.scope)
        assert made.glance()["digest"] == kept.scope_digest

    def test_conflict(self, made):
        """One tag with two scopes is a conflict that names both."""
        made.write("pyproject.toml", "[tool.taggedartifacts]\nscope = ['one.txt']\n")
        made.commit()
        made.python("-c", "import work; assert str(work.f.path(out='out/x')) == " + repr(self.path))
        code = "import work\ntry:\n    work.f(out='out/x')\nexcept Exception as e:\n    print(type(e).__name__, e)"
        said = made.python("-c", code)

        assert said.startswith("ArtifactConflictError")
        assert "helper.py, work.py, and data files" in said
        assert "one.txt" in said

    def test_keeps_the_reason(self, made):
        """Where the whole repository counts, the record and the log say which file and line is the reason."""
        made.write("helper.py", "N = 1\nimport subprocess\n")
        made.commit()
        code = "import logging, sys\nlogging.basicConfig(level=logging.DEBUG, stream=sys.stdout)\nimport work\n"
        *log, path = made.python("-c", f"{code}print(work.f(out='out/x'))").splitlines()

        said = "the whole repository counts for work.py, since helper.py:2 imports subprocess"
        assert f"DEBUG:taggedartifacts:{said}" in log
        assert ("helper.py:2 imports subprocess",) == record(made.path / path).scope_reasons
