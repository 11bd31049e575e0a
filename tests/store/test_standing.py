"""The records of a directory, and what a process remembers of them."""

import gc
import os
from dataclasses import replace
from pathlib import Path

import pytest
from records import change_record, put

from taggedartifacts import _memory
from taggedartifacts._store import condition
from taggedartifacts._store.condition import remember, stored_record
from taggedartifacts._store.folder import Folder, Target
from taggedartifacts._store.record import Record


@pytest.fixture
def targets(tmp_path, monkeypatch):
    """Fifty artifacts with records, and nothing remembered yet."""
    _memory.forget()
    monkeypatch.setattr(condition, "_memo", _memory.Memory())
    return [Target(Folder(str(tmp_path)), put(tmp_path, config=number).name) for number in range(50)]


def remembered():
    gc.collect()
    return sum(isinstance(each, Record) for each in gc.get_objects())


class TestMemory:
    def test_same_again(self, targets):
        """A record is parsed once, as long as its file stays as it is."""
        first = stored_record(targets[0])

        assert stored_record(targets[0]) is first

    def test_changed(self, targets, tmp_path):
        """A record whose file was replaced is read again."""
        stored_record(targets[0])
        change_record(tmp_path / targets[0].name, seconds=7.0)

        assert 7.0 == stored_record(targets[0]).seconds

    def test_changed_in_place(self, targets):
        """So is one that was written over with as many bytes."""
        stored_record(targets[0])
        path = Path(targets[0].record_path)
        path.write_bytes(path.read_bytes().replace(b"plots.py::histogram", b"plots.py::histogrif"))
        os.utime(path, (1, 1))

        assert "plots.py::histogrif" == stored_record(targets[0]).function

    def test_touched(self, targets, tmp_path):
        """Times that could not be written are remembered with that record, and not with the one that took its place."""
        touched = replace(stored_record(targets[0]), mtime_ns=7)
        remember(targets[0], touched)
        assert 7 == stored_record(targets[0]).mtime_ns
        change_record(tmp_path / targets[0].name, run="1" * 16)
        stored_record(targets[0])
        remember(targets[0], touched)

        assert "1" * 16 == stored_record(targets[0]).run

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
        for target in targets * 2:
            stored_record(target)

        assert remembered() - before <= 10
