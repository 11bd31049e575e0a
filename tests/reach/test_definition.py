"""The sources of definitions that were sent to this process, and how many of them are remembered."""

import pytest

from taggedartifacts._reach import definition
from taggedartifacts._reach.definition import Source, unpack


@pytest.fixture
def sent(monkeypatch):
    """What was sent to this process: nothing so far; of more than four definitions, the first go."""
    known = {}
    monkeypatch.setattr(definition, "sent", known)
    monkeypatch.setattr(definition, "MOST_SENT", 4)
    return known


def sources(names):
    """Make sources of definitions by the names of these."""
    return {name: Source(name, name, None, frozenset(), ()) for name in names}


class TestUnpack:
    def test_edited(self, sent):
        """However often a session edits and sends a function, no more than the last definitions are remembered."""
        for edit in range(20):
            unpack(sources([f"f{edit}", "g"]))

        assert 4 == len(sent)
        assert {"f19", "g"} < set(sent)

    def test_large(self, sent):
        """What comes with one function is remembered whole, however much it is."""
        unpack(sources("abcdefgh"))

        assert set("abcdefgh") == set(sent)
