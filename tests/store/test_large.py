"""Large arguments and large directories: their records stay small, so that they are always read back."""

import errno
import json
import os
import shutil
from dataclasses import replace

import pytest
from cases import WRITE
from hypothesis import given, settings
from hypothesis import strategies as st
from records import put

from taggedartifacts import (
    ArtifactModifiedError,
    ArtifactNotWrittenError,
    RecordError,
    canonical,
    compare,
    prune,
    record,
    verify,
)
from taggedartifacts._store.condition import MOST_IN_RECORD, manifest_name, manifests_of
from taggedartifacts._store.folder import Folder, Target
from taggedartifacts._store.key import is_hashed, shortened
from taggedartifacts._store.record import read_record

MANY = f"""
runs = []
@Artifact("out", ignore=("other",))
def f(x, out, other=""):
    runs.append(x)
    for number in range({MOST_IN_RECORD + 1}):
        Path(out, str(number)).write_text(f"{{x}} {{other if number == 7 else ''}}")
"""


def stored(path):
    """The file that holds the record of an artifact."""
    return path.parent / ".taggedartifacts" / "records" / f"{path.name}.json"


def manifests(project):
    """List the manifests that have a file of their own."""
    return os.listdir(project.out / ".taggedartifacts" / "manifests")


def stopping(store, place):
    """A way to store that ends before what is to lie in that place."""

    def stopped(staging, path, *arguments, **options):
        if place in path:
            raise OSError(errno.EIO, "no more")
        store(staging, path, *arguments, **options)

    return stopped


class TestArguments:
    def test_by_digest(self, project):
        """A large argument is kept by its digest, and records tell by that whether it is the same."""
        work = project.module(WRITE)
        a, b = work.f("a" * 1_000_000, "out/f.txt"), work.f("b" * 1_000_000, "out/f.txt")
        other = work.f({"small": 1, "large": ["a"] * 50_000}, "out/f.txt")

        assert max(stored(path).stat().st_size for path in (a, b, other)) < 10_000
        assert [] == verify(project.out)
        (difference,) = compare(a, b).differences[:1]
        assert "arguments.x" == difference.place
        assert difference.a != difference.b
        assert "…, 1000002)" in difference.a
        assert a == work.f("a" * 1_000_000, "out/f.txt")
        assert 3 == len(work.runs)

    def test_explain(self, project):
        """The nearest artifact differs in the small argument alone, though its large one is kept by digest."""
        work = project.module(WRITE.replace("(x, outpath)", "(x, outpath, y=1)"))
        work.f("a" * 1_000_000, "out/f.txt")

        (difference,) = work.f.explain("a" * 1_000_000, "out/f.txt", y=2).differences
        assert ("arguments.y", "1", "2") == (difference.place, difference.a, difference.b)

    def test_many_small_ones(self):
        """Very many small values are replaced together."""
        form = canonical({f"key{number}": "v" * 1000 for number in range(2000)}).decode()
        text = f'{{"arguments":{{}},"config":{form}}}'

        assert '{"arguments":{},"config":{"$digest":["' in shortened(text)
        assert len(shortened(text)) < 200

    @settings(max_examples=20, deadline=None)
    @given(
        values=st.dictionaries(
            st.text(max_size=5).filter(lambda key: not key.startswith("$")),
            st.lists(st.text(max_size=5) | st.integers(), max_size=5),
            max_size=5,
        ),
        large=st.text(min_size=1, max_size=2).map(lambda text: text * 20_000),
    )
    def test_whatever_stands_beside(self, values, large):
        """Only the large value is replaced, whatever text and brackets are in it and beside it."""
        small = f'{{"arguments":{canonical(values).decode()},"config":{{}}}}'
        assert small == shortened(small) or len(small) > 16_000
        assert not is_hashed(small, "another hash")
        form = f'{{"arguments":{canonical(values | {"large": large}).decode()},"config":{{}}}}'
        short = json.loads(shortened(form))

        assert ["$digest"] == list(short["arguments"]["large"])
        whole = json.loads(form)
        del whole["arguments"]["large"], short["arguments"]["large"]
        assert whole == short


class TestDirectories:
    @pytest.fixture(autouse=True)
    def fewer(self, request, monkeypatch):
        """Twenty files are many, but for one test."""
        if request.function.__name__ != "test_manifest":
            monkeypatch.setattr("taggedartifacts._call.outcome.MOST_IN_RECORD", 20)
            monkeypatch.setitem(globals(), "MANY", MANY.replace(str(MOST_IN_RECORD + 1), "21"))

    def test_manifest(self, project):
        """A large manifest has a file of its own, which a hit does not need and `record` puts in its place."""
        work = project.module(MANY)
        path = work.f(1, "out/f/")

        assert stored(path).stat().st_size < 10_000
        assert MOST_IN_RECORD + 1 == len(record(path).files)
        assert () == read_record(str(stored(path))).files
        (name,) = manifests(project)
        (project.out / ".taggedartifacts" / "manifests" / name).rename(project.path / "away")
        assert path == work.f(1, "out/f/")
        listing = read_record(str(stored(path))).listing
        os.utime(path / "3", ns=(5, 5))
        assert path == work.f(1, "out/f/")
        assert listing != read_record(str(stored(path))).listing  # so that the next hit need not read the files again
        assert [1] == work.runs
        with pytest.raises(RecordError, match="is gone, which lists the files of f-"):
            record(path)
        assert ["damaged record"] == [problem.what for problem in verify(path)]

    @pytest.mark.parametrize("content", ["1 ", "longer", "2 "])
    def test_edited(self, project, content):
        """An edit in one of many files is seen by size, time or content, and verify names the file."""
        work = project.module(MANY)
        path = work.f(1, "out/f/")
        (path / "5").write_text(content)

        if content == "1 ":
            assert path == work.f(1, "out/f/")
            assert [] == verify(path)
        else:
            with pytest.raises(ArtifactModifiedError):
                work.f(1, "out/f/")
            assert [str(path / "5")] == [os.path.relpath(problem.path) for problem in verify(path)]

    def test_goes_with_its_artifact(self, project):
        """A manifest goes when its artifact is made anew or pruned."""
        work = project.module(MANY)
        path = work.f(1, "out/f/")
        before = manifests(project)
        work.f.recompute(1, "out/f/", "other")
        after = manifests(project)

        assert 1 == len(before) == len(after)
        assert before != after
        assert [] == verify(path)
        assert [path] == prune(path, keep=0, dry_run=False)
        assert [] == manifests(project)

    def test_again_and_again(self, project, caplog):
        """However often an artifact is made anew, one manifest is there and nothing is wrong."""
        work = project.module(MANY)
        path = work.f(1, "out/f/")
        for _ in range(3):
            assert path == work.f.recompute(1, "out/f/")
            assert 1 == len(manifests(project))
        assert [] == caplog.messages

    def test_cut_short(self, project, monkeypatch):
        """A call that ends before its record is there, or right behind it, leaves no manifest that nobody knows of."""
        from taggedartifacts._store import publish

        work = project.module(MANY)
        path = work.f(1, "out/f/")
        for stop in ("/manifests/", "/records/"):
            shutil.rmtree(path)  # so that what the record names that is replaced then describes nothing
            with monkeypatch.context() as patch:
                patch.setattr(publish, "store", stopping(publish.store, stop))
                with pytest.raises(OSError, match="no more"):
                    work.f(1, "out/f/")
            assert [] == manifests(project)
            assert path == work.f(1, "out/f/")
            assert {"kept"} == {problem.what for problem in verify(path)}

    def test_compare(self, project):
        """What differs between two large directories is named."""
        work = project.module(MANY)
        a, b = work.f(1, "out/a/"), work.f(1, "out/b/", "other")

        assert ["content/7"] == [each.place for each in compare(a, b).differences]

    def test_compare_without_manifest(self, project):
        """Where a manifest is lost, what stands there is compared, and that it is lost is said."""
        work = project.module(MANY)
        a, b, c = work.f(1, "out/a/"), work.f(1, "out/b/", "other"), work.f(1, "out/c/")
        for name in manifests(project):
            (project.out / ".taggedartifacts" / "manifests" / name).unlink()

        answer = compare(a, b)
        assert ["content/7"] == [each.place for each in answer.differences]
        assert 2 == len(answer.unknown)
        assert compare(a, c).same_content
        (a / "5").write_text("2 ")
        assert ["content/5"] == [each.place for each in compare(a, c).differences]
        assert any("was changed after it was made" in each for each in compare(a, c).unknown)
        (a / "6").unlink()
        a.rename("out/away")
        answer = compare(a, c)
        assert answer.same_content is None
        assert any("neither is the list of its files" in each for each in answer.unknown)

    def test_copy(self, project):
        """A copy of one of many files leads to its artifact, whose record names them all."""
        work = project.module(MANY)
        path = work.f(1, "out/f/", "other")
        (project.path / "mailed.txt").write_bytes((path / "7").read_bytes())

        found = record(project.path / "mailed.txt", search=project.out)
        assert path.name == found.artifact
        assert 21 == len(found.files)

    def test_small_ones(self, project):
        """A small manifest stays in the record."""
        work = project.module(MANY.replace("range(21)", "range(3)"))
        path = work.f(1, "out/f/")

        assert 3 == len(read_record(str(stored(path))).files)
        assert [] == manifests(project)

    def test_damaged_manifest(self, project):
        """A manifest that is none is reported."""
        work = project.module(MANY)
        path = work.f(1, "out/f/")
        (name,) = manifests(project)
        for damage in ("", "{", "[1]", '[["a"]]', '[["a", "1", 1, "d"]]', "[" * 100_000):
            (project.out / ".taggedartifacts" / "manifests" / name).write_text(damage)

            with pytest.raises(RecordError, match="is no manifest"):
                record(path)
            assert path == work.f(1, "out/f/")


class TestBounds:
    def test_replaced_does_not_repeat(self, project):
        """What a record says of the artifact that it replaces is what differs, however often that is made anew."""
        work = project.module(WRITE)
        path = work.f("a" * 10_000, "out/f.txt")
        once = stored(path).stat().st_size
        for _ in range(3):
            work.f.recompute("a" * 10_000, "out/f.txt")

        assert stored(path).stat().st_size < once + 1_500
        found = read_record(str(stored(path)))
        assert found.canonical == found.replaced.canonical
        assert found.run != found.replaced.run

    def test_before_the_function_runs(self, project, monkeypatch):
        """A record that could not be read back is refused before the function runs."""
        work = project.module(WRITE)
        monkeypatch.setattr("taggedartifacts._call.outcome.MAX_RECORD_BYTES", 100)
        monkeypatch.setattr("taggedartifacts._call.outcome._FEW_CHANGES", -1)

        with pytest.raises(RecordError, match="more than is read back"):
            work.f(1, "out/f.txt")
        assert [] == work.runs

    def test_companions(self, project, monkeypatch):
        """More companions than a record can name are refused, with what to do, and kept."""
        work = project.module(WRITE + "    for n in range(30):\n        Path(outpath).with_suffix(f'.{n}').touch()\n")
        monkeypatch.setattr("taggedartifacts._call.outcome._FEW_COMPANIONS", 20)
        monkeypatch.setattr("taggedartifacts._call.outcome.MAX_RECORD_BYTES", 3000)

        with pytest.raises(ArtifactNotWrittenError, match=r"30 files were written beside .* is kept in"):
            work.f(1, "out/f.txt")
        assert [] == project.files()


class TestManifests:
    def test_of_another(self, tmp_path):
        """A record that names the manifest of another artifact does not make it its own, to be removed with it."""
        target = Target(Folder(str(tmp_path)), put(tmp_path).name)
        made = read_record(target.record_path)
        own, other = (manifest_name(name, made.run) for name in (target.name, "other.txt"))

        for manifest, expected in ((own, [f"{target.folder.manifests}/{own}"]), (other, [])):
            assert expected == manifests_of(target.folder, target.name, replace(made, manifest=manifest))
