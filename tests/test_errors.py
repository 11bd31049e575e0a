"""Errors of the functions that one asks about artifacts: a traceback is the user's line and one of the library."""

import subprocess
import sys
import traceback

import pytest

import taggedartifacts
from taggedartifacts import ArtifactNotFoundError, Tag, UnhashableError


class TestTracebacks:
    @pytest.mark.parametrize("ask", ["record", "verify", "prune"])
    def test_of_a_path(self, ask, tmp_path):
        """A question about what is not there is answered in one line of the library."""
        with pytest.raises(ArtifactNotFoundError, match="is not there") as caught:
            getattr(taggedartifacts, ask)(tmp_path / "gone-1a2b3c4d5e-0f9e8d7c6b5a.png")

        assert 2 == len(traceback.extract_tb(caught.tb))

    def test_of_two_paths(self, tmp_path):
        """So is one about two."""
        with pytest.raises(ArtifactNotFoundError) as caught:
            taggedartifacts.compare(tmp_path / "a.png", tmp_path / "b.png")

        assert 2 == len(traceback.extract_tb(caught.tb))

    @pytest.mark.parametrize("function", [taggedartifacts.canonical, taggedartifacts.config_hash])
    def test_of_a_value(self, function):
        """So is one about a value that has no canonical form."""
        with pytest.raises(UnhashableError) as caught:
            function([{"deep": object()}])

        assert 2 == len(traceback.extract_tb(caught.tb))

    def test_of_a_name(self):
        """So is one about a name that holds no tag."""
        with pytest.raises(ValueError, match="no tag in the name") as caught:
            Tag.parse("plot.png")

        assert 2 == len(traceback.extract_tb(caught.tb))

    def test_in_a_terminal(self, tmp_path):
        """Python shows both lines, and the message by its public name."""
        said = subprocess.run(
            [sys.executable, "-c", "import taggedartifacts\ntaggedartifacts.record('gone.png')"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        ).stderr

        assert 2 == said.count('  File "')
        assert "\ntaggedartifacts.ArtifactNotFoundError: " in said
