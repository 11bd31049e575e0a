"""At once: what most calls find is told by comparing bytes, and nothing else is taken for it."""

import os
from pathlib import Path

import pytest
from cases import WRITE
from records import DIRTY, put, record_path

from taggedartifacts._memory import Memory
from taggedartifacts._store import reuse
from taggedartifacts._store.folder import Folder, Target
from taggedartifacts._store.origin import Memo, stored_record
from taggedartifacts._store.record import FileEntry, read_record
from taggedartifacts._store.reuse import stands

_ENTRY = FileEntry("hist.xml", 1, 2, "cd" * 16)


def _target(path: Path) -> Target:
    return Target(Folder(str(path.parent)), path.name)


def _key(path: Path):
    return read_record(str(record_path(path))).key


@pytest.fixture
def made(tmp_path):
    return put(tmp_path, scope_digest="a" * 32)


@pytest.fixture
def memo():
    return Memo(Memory(), (b"asked", "out/hist.png"))


class TestStands:
    @pytest.mark.parametrize("name", ["hist.png", 'Häufigkeit "a\\b".csv.gz', "\udcff.dat", "x" * 200])
    @pytest.mark.parametrize("fields", [{}, {"dirty": DIRTY}, {"function": 'ä".py::f.<locals>.g'}])
    def test_as_made(self, tmp_path, name, fields, memo):
        """A file as its call made it is found, whatever its name, and again."""
        path = put(tmp_path, name, **fields)

        assert stands(_target(path), _key(path), memo)
        assert stands(_target(path), _key(path), memo)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("function", "g.py::g"),
            ("commit", "f" * 40),
            ("dirty", DIRTY),
            ("config_hash", "f" * 32),
            ("scope_digest", None),
            ("scope_digest", "f" * 32),
        ],
    )
    def test_another_key(self, made, field, value, memo):
        """What another key asks for is not found, before or after it was found by its own."""
        other = _key(made)._replace(**{field: value})

        assert not stands(_target(made), other, memo)
        assert stands(_target(made), _key(made), memo)
        assert not stands(_target(made), other, memo)

    @pytest.mark.parametrize(
        "fields",
        [
            {"companions": (_ENTRY,)},
            {"undeclared": (_ENTRY,)},
            {"outputs": ("a.png", "b.png")},
            {"outputs": (None,)},
            {"kind": "directory"},
            {"size": 9},
            {"mtime_ns": 7},
            {"schema": 2},
        ],
    )
    def test_more_to_look_at(self, made, fields, memo):
        """What has more to it than a file and its key is left to those who read the record."""
        key = _key(made)
        made = put(made.parent, scope_digest="a" * 32, **fields)

        assert not stands(_target(made), key, memo)

    def test_read_whole_before(self, made, memo, monkeypatch):
        """A record that had to be read whole is not read at each call: those who did remember it."""
        key = _key(made)
        made = put(made.parent, scope_digest="a" * 32, companions=(_ENTRY,))
        assert not stands(_target(made), key, memo)
        assert stored_record(_target(made), memo)
        with monkeypatch.context() as patch:
            patch.setattr(reuse, "read_whole", None)
            assert not stands(_target(made), key, memo)
        made = put(made.parent, scope_digest="a" * 32)  # another record

        assert stands(_target(made), key, memo)

    def test_changed_since(self, made, memo):
        """Found once, it is looked at again: the artifact by its size and time, its record by the file's own."""
        target, key = _target(made), _key(made)
        record, status = record_path(made), made.stat()
        whole = record.read_bytes()
        assert stands(target, key, memo)

        os.utime(made, ns=(1, 1))
        assert not stands(target, key, memo)
        os.utime(made, ns=(status.st_mtime_ns, status.st_mtime_ns))
        assert stands(target, key, memo)
        record.write_bytes(whole.replace(b"histogram", b"histogrif"))
        assert not stands(target, key, memo)
        record.write_bytes(whole)
        assert stands(target, key, memo)
        record.unlink()
        assert not stands(target, key, memo)

    def test_damaged(self, made, memo):
        """A record of which one byte is another is damaged, wherever that is."""
        key, record = _key(made), record_path(made)
        whole = record.read_bytes()
        for place in range(0, len(whole), 97):
            record.write_bytes(whole[:place] + b"#" + whole[place + 1 :])
            assert not stands(_target(made), key, memo)

    @pytest.mark.parametrize("kept", [0, 10, 500, -1, -3])
    def test_cut_short(self, made, kept, memo):
        """A record that is cut short is damaged, wherever it is cut."""
        key = _key(made)
        record_path(made).write_bytes(record_path(made).read_bytes()[:kept])

        assert not stands(_target(made), key, memo)

    def test_a_link_is_no_record(self, made, memo):
        """A link in the place of a record is not followed."""
        key, record = _key(made), record_path(made)
        record.symlink_to(record.rename(record.with_suffix(".moved")))

        assert not stands(_target(made), key, memo)


class TestCalls:
    def test_damaged(self, project, caplog):
        """A record that is damaged anywhere is reported, although what decides is as it was; nothing of it is used."""
        work = project.module(WRITE)
        path = work.f(1, "out/f.txt")
        record = record_path(path)
        head, _, _ = record.read_bytes().partition(b'"canonical"')
        record.write_bytes(head + b'"canonical": \xff\x1b[2J' + b"[" * 100_000 + b"\n}\n")

        assert path == work.f(1, "out/f.txt")
        assert "treated as absent" in caplog.text
        assert 1 == len(work.runs)
