"""The records of a directory, and what a process remembers of them."""

import gc

import pytest
from records import change_record, put

from taggedartifacts import _memory
from taggedartifacts._store import standing
from taggedartifacts._store.folder import Folder
from taggedartifacts._store.record import Record
from taggedartifacts._store.standing import stored_record
from taggedartifacts._store.target import Target


@pytest.fixture
def targets(tmp_path, monkeypatch):
    """Fifty artifacts with records, and nothing remembered yet."""
    _memory.forget()
    monkeypatch.setattr(standing, "_memo", _memory.Memory())
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

    def test_bound(self, targets, monkeypatch):
        """However many records are read, and how often, only so many bytes of them are kept."""
        size = len(stored_record(targets[0]).to_json())
        monkeypatch.setattr(_memory, "MOST_BYTES", 10 * size * standing._PARSED)
        before = remembered()
        for target in targets * 2:
            stored_record(target)

        assert remembered() - before <= 10
