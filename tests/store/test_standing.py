"""The records of a directory, and what a process remembers of them."""

import gc
import os
from dataclasses import replace
from pathlib import Path

import pytest
from records import change_record, put

from taggedartifacts import _memory
from taggedartifacts._store import condition
from taggedartifacts._store.condition import Memo, stored_record
from taggedartifacts._store.folder import Folder, Target
from taggedartifacts._store.record import Record


@pytest.fixture
def targets(tmp_path):
    """Fifty artifacts with records, and nothing remembered yet."""
    _memory.forget()
    return [Target(Folder(str(tmp_path)), put(tmp_path, config=number).name) for number in range(50)]


@pytest.fixture
def memo():
    """What is remembered of one of them."""
    return Memo(_memory.Memory(), (b"asked", "out"))


def remembered():
    gc.collect()
    return sum(isinstance(each, Record) for each in gc.get_objects())


class TestMemory:
    def test_same_again(self, targets, memo):
        """A record is parsed once, as long as its file stays as it is."""
        first = stored_record(targets[0], memo)

        assert stored_record(targets[0], memo) is first

    def test_another(self, targets, memo):
        """What is remembered is of one artifact: older code's goes when that of newer code is read."""
        for target in targets:
            assert target.name == stored_record(target, memo).artifact

        assert stored_record(targets[0], memo) is not stored_record(targets[0])
        assert _memory.held_bytes() < 2 * len(stored_record(targets[0]).to_json()) * condition._PARSED

    def test_changed(self, targets, memo, tmp_path):
        """A record whose file was replaced is read again."""
        stored_record(targets[0], memo)
        change_record(tmp_path / targets[0].name, seconds=7.0)

        assert 7.0 == stored_record(targets[0], memo).seconds

    def test_changed_in_place(self, targets, memo):
        """So is one that was written over with as many bytes."""
        stored_record(targets[0], memo)
        path = Path(targets[0].record_path)
        path.write_bytes(path.read_bytes().replace(b"plots.py::histogram", b"plots.py::histogrif"))
        os.utime(path, (1, 1))

        assert "plots.py::histogrif" == stored_record(targets[0], memo).function

    def test_touched(self, targets, memo, tmp_path):
        """Times that could not be written are remembered with that record, and not with the one that took its place."""
        touched = replace(stored_record(targets[0], memo), mtime_ns=7)
        memo.renew(touched)
        assert 7 == stored_record(targets[0], memo).mtime_ns
        change_record(tmp_path / targets[0].name, run="1" * 16)
        stored_record(targets[0], memo)
        memo.renew(touched)

        assert "1" * 16 == stored_record(targets[0], memo).run

    def test_another_name(self, targets):
        """A record that contradicts the tag in the name of its artifact is none."""
        path = Path(targets[0].record_path)
        path.write_bytes(path.read_bytes().replace(b'"commit": "1a2b3c4d5e', b'"commit": "0a2b3c4d5e'))

        assert stored_record(targets[0]) is None

    def test_bound(self, targets, monkeypatch):
        """However many records are read, and how often, only so many bytes of them are kept."""
        size = len(stored_record(targets[0]).to_json())
        monkeypatch.setattr(_memory, "MOST_BYTES", 10 * size * condition._PARSED)
        before = remembered()
        memory = _memory.Memory()
        for target in targets * 2:
            stored_record(target, Memo(memory, (b"asked", target.path)))

        assert remembered() - before <= 10
