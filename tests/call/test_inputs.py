"""Input files: what of them counts, what is remembered, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from taggedartifacts._call import inputs as _inputs
from taggedartifacts._call.binding import within_inputs
from taggedartifacts._canonical.encoding import canonical
from taggedartifacts._errors import DirtyRepositoryError, InputError
from taggedartifacts._hashing import hexdigest
from taggedartifacts._memory import Memory


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(_inputs, "_remembered", Memory())


@pytest.fixture
def reads(monkeypatch):
    """Count the files that are really read."""
    seen = []
    original = _inputs.file_hexdigest

    def counting(path, progress):
        seen.append(path)
        return original(path, progress)

    monkeypatch.setattr(_inputs, "file_hexdigest", counting)
    return seen


def form(path):
    """Encode the content of one input."""
    return canonical(_inputs.input_contents({"table": path}))


def settle(path):
    """Let the times of a file lie far enough back, as if it had been there for a while."""
    return os.stat(path).st_ctime_ns + 10 * _inputs.SETTLED


class TestContent:
    def test_files_count_by_content(self, tmp_path):
        """A file counts by its bytes, not by its name or place."""
        for name, content in [("a", b"1"), ("b", b"1"), ("c", b"2"), ("d", b"")]:
            (tmp_path / name).write_bytes(content)

        assert form(tmp_path / "a") == form(str(tmp_path / "b")) == form(os.fsencode(tmp_path / "b"))
        assert 3 == len({form(tmp_path / name) for name in "abcd"})
        assert {"table": hexdigest(b"1")} == _inputs.input_contents({"table": tmp_path / "a"})

    def test_directories_count_by_names_and_content(self, tmp_path):
        """A directory counts by what is in it: names, content, nesting, empty directories."""

        def make(name, *files):
            for file, content in files:
                path = tmp_path / name / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
            (tmp_path / name).mkdir(exist_ok=True)
            return form(tmp_path / name)

        forms = [
            make("empty"),
            make("one", ("a", "1")),
            make("renamed", ("b", "1")),
            make("changed", ("a", "2")),
            make("nested", ("a/a", "1")),
            make("more", ("a", "1"), ("b", "1")),
            make("hidden", ("a", "1"), (".b", "1")),
        ]
        (tmp_path / "one" / "sub").mkdir()

        assert len(forms) + 1 == len({*forms, form(tmp_path / "one")})
        assert make("copy", ("b", "1"), ("a", "1")) == make("more")

    def test_a_file_is_no_directory(self, tmp_path):
        """A file never passes for a directory, whatever their content."""
        (tmp_path / "file").write_bytes(b"")
        (tmp_path / "directory").mkdir()

        assert form(tmp_path / "file") != form(tmp_path / "directory")

    def test_own_directory(self, tmp_path):
        """The library's own records beside the inputs do not count."""
        (tmp_path / "a").write_text("1")
        before = form(tmp_path)
        (tmp_path / ".taggedartifacts").mkdir()
        (tmp_path / ".taggedartifacts" / "record.json").write_text("{}")

        assert before == form(tmp_path)

    def test_links_count_as_what_they_lead_to(self, tmp_path):
        """A symbolic link, to a file or a directory, counts as its target."""
        real, linked = tmp_path / "real", tmp_path / "linked"
        (real / "sub").mkdir(parents=True)
        (real / "sub" / "a").write_text("1")
        linked.mkdir()
        (linked / "sub").symlink_to(real / "sub")

        assert form(real) == form(linked)

    def test_lists_and_none(self, tmp_path):
        """A list of paths counts in its order; None stays None."""
        (tmp_path / "a").write_text("1")
        (tmp_path / "b").write_text("2")
        paths = [tmp_path / "a", tmp_path / "b"]

        assert form(paths) == form(tuple(map(str, paths)))
        assert form(paths) != form(paths[::-1])
        assert {"table": None} == _inputs.input_contents({"table": None})

    def test_in_parallel(self, tmp_path, monkeypatch):
        """Reading in parallel gives what reading one by one gives."""
        for number in range(20):
            (tmp_path / str(number)).write_bytes(bytes([number]) * 1000)
        alone = form(tmp_path)
        monkeypatch.setattr(_inputs, "_PARALLEL_BYTES", 0)
        _inputs._remembered.clear()

        assert alone == form(tmp_path)


class TestRefusal:
    def test_missing(self, tmp_path):
        """A missing input is refused with its parameter and path."""
        with pytest.raises(InputError, match=r"input 'table': .*gone\.csv: No such file") as caught:
            form(tmp_path / "gone.csv")

        assert isinstance(caught.value.__cause__, FileNotFoundError)

    def test_dangling_link_inside(self, tmp_path):
        """So is a link inside a directory that leads nowhere."""
        (tmp_path / "link").symlink_to(tmp_path / "gone")

        with pytest.raises(InputError, match="link: No such file"):
            form(tmp_path)

    @pytest.mark.parametrize("value", [3, {"a": "b"}, object(), b"a\0b".decode()])
    def test_no_path(self, value):
        """A value that is no path is refused."""
        with pytest.raises(InputError, match="input 'table'"):
            form(value)

    def test_special_files(self, tmp_path):
        """A pipe is refused instead of waiting for it."""
        os.mkfifo(tmp_path / "pipe")

        with pytest.raises(InputError, match="neither a file nor a directory"):
            form(tmp_path / "pipe")

    def test_loops(self, tmp_path):
        """A link back to a directory above is refused."""
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "up").symlink_to(tmp_path)

        with pytest.raises(InputError, match="leads back"):
            form(tmp_path)

    def test_changed_while_read(self, tmp_path, monkeypatch):
        """A file that changes while it is read is refused."""
        path = tmp_path / "a"
        path.write_text("1")
        original = _inputs.file_hexdigest

        def changing(name, progress):
            digest = original(name, progress)
            path.write_text("22")
            return digest

        monkeypatch.setattr(_inputs, "file_hexdigest", changing)

        with pytest.raises(InputError, match="changed while it was read"):
            form(path)


class TestMemory:
    def test_read_once(self, tmp_path, monkeypatch, reads):
        """A file that has not been touched for a while is read once in the process."""
        path = tmp_path / "a"
        path.write_text("1")
        now = settle(path)
        monkeypatch.setattr(_inputs.time, "time_ns", lambda: now)

        assert form(path) == form(path)
        assert [str(path)] == reads

    def test_fresh_files_are_not_trusted(self, tmp_path, monkeypatch, reads):
        """A file touched just now is read again, since it could change without its times showing it."""
        path = tmp_path / "a"
        path.write_text("1")
        now = os.stat(path).st_ctime_ns + 1
        monkeypatch.setattr(_inputs.time, "time_ns", lambda: now)
        form(path)
        form(path)

        assert 2 == len(reads)

    def test_changes_are_seen(self, tmp_path, monkeypatch):
        """A change is seen even if size and modification time are put back."""
        path = tmp_path / "a"
        path.write_text("1")
        stat = os.stat(path)
        now = settle(path)
        monkeypatch.setattr(_inputs.time, "time_ns", lambda: now)
        before = form(path)
        while os.stat(path).st_ctime_ns == stat.st_ctime_ns:
            path.write_text("2")
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

        assert os.stat(path).st_mtime_ns == stat.st_mtime_ns
        assert before != form(path)


class TestDicts:
    def test_count_by_key_and_content(self, tmp_path):
        """A dict of paths counts by its keys and what the files hold; it is no directory."""
        for name, content in [("a", b"1"), ("b", b"1"), ("c", b"2")]:
            (tmp_path / name).write_bytes(content)
        a, b, c = (tmp_path / name for name in "abc")
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "x").write_bytes(b"1")

        assert form({"x": a}) == form({"x": b})
        assert 4 == len({form({"x": a}), form({"y": a}), form({"x": c}), form(tmp_path / "folder")})
        assert form({"x": [a, c]}) == form({"x": (b, c)})


COPIES = """
if os.environ.get("NEVER"):
    import extra
@Artifact("outpath", inputs=("source",))
def f(source, outpath, again=None):
    if again:
        Path(again).write_text("4")
    Path(outpath).write_text(str(source))
"""


class TestTracked:
    """A tracked file that is an input is no dirt: its content counts already."""

    @pytest.fixture
    def data(self, project):
        project.write("data/a.csv", "1")
        project.write("data/b.csv", "1")
        project.write("other.csv", "1")
        project.write("extra.py", "N = 1")
        return project

    @pytest.mark.parametrize(
        "give", ["data/a.csv", ["data/a.csv"], {"a": Path("data/a.csv")}, "link/a.csv", "a.csv", "data"]
    )
    def test_no_dirt(self, data, give):
        """It may be edited before the function is decorated and after; undoing that finds the old artifact."""
        data.write(".git/info/exclude", "link\n/a.csv\n")
        os.symlink("data", "link")
        os.symlink("data/a.csv", "a.csv")
        work = data.module(COPIES)
        old = work.f(give, outpath="out/x")
        data.write("data/a.csv", "2")
        new = work.f(give, outpath="out/x")
        again = data.load(data.path / "work.py").f(give, outpath="out/x")

        assert [None, None] == [old.tag.dirty, new.tag.dirty]
        assert new == again
        assert new != old
        assert () == new.record.changes

        data.write("data/a.csv", "3")

        assert data.load(data.path / "work.py").f(give, outpath="out/x") not in (old, new)

        data.write("data/a.csv", "1")

        assert old == work.f(give, outpath="out/x")

    def test_nothing_there(self, data):
        """What is not there is not taken for an input that is not there either."""
        root = str(data.path)

        assert {"other.csv"} == within_inputs(["gone", "other.csv"], root, root, ["missing.csv", "other.csv"])

    def test_removed_from_a_folder(self, data):
        """What is removed from a folder that is an input is none either."""
        data.module(COPIES)
        os.unlink("data/b.csv")

        assert data.load(data.path / "work.py").f("data", outpath="out/x").tag.dirty is None

    @pytest.mark.parametrize(
        ("edited", "give"), [("other.csv", "data/a.csv"), ("data/b.csv", "data/a.csv"), ("extra.py", "extra.py")]
    )
    def test_what_stays_dirt(self, data, edited, give):
        """Another file is dirt as ever, and so is code, though it be an input."""
        data.module(COPIES)
        data.write("data/a.csv", "2")
        data.write(edited, "N = 2")
        work = data.load(data.path / "work.py")

        with pytest.raises(DirtyRepositoryError) as caught:
            work.f(give, outpath="out/x")

        assert f"{edited}: modified" in str(caught.value)
        assert f"{give}: modified" not in str(caught.value).replace(f"{edited}: modified", "")

    def test_code_edited_after_it_was_loaded(self, data):
        """What was loaded runs on, with the tag of its load, be an input edited or not."""
        data.module(COPIES)
        data.write("data/a.csv", "2")
        work = data.load(data.path / "work.py")
        data.write("work.py", COPIES.replace("again", "more"))

        assert work.f("data/a.csv", outpath="out/x").tag.dirty is None

    def test_another_data_file_that_changed(self, data):
        """A file that is none of the inputs, and changed since the look, is refused if the run opened it."""
        work = data.module(COPIES + "    Path('data/b.csv').read_text()\n")
        data.write("data/a.csv", "2")
        data.write("data/b.csv", "2")

        with pytest.raises(InputError, match=r"data/b\.csv changed"):
            work.f("data/a.csv", outpath="out/x")

    def test_written_by_the_run(self, data):
        """An input that changes while the function runs is refused."""
        work = data.module(COPIES)

        with pytest.raises(InputError, match="changed while"):
            work.f("data/a.csv", outpath="out/x", again="data/a.csv")
