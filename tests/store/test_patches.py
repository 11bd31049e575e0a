"""Patches: what they quote is not shown to who could not read it."""

import os

import pytest
from cases import WRITE

from taggedartifacts import record


def mode_of_patch(project):
    """Make an artifact of dirty code, in a folder that all may read; the mode of its patch."""
    path = project.load(project.path / "work.py").f(1, "out/f.txt")
    patch = path.parent / ".taggedartifacts" / "patches" / record(path).patch
    assert "secret = 1" in patch.read_text()
    return patch.stat().st_mode & 0o777


@pytest.fixture
def dirty(project):
    """A project with a change that is not committed, below folders that everybody may enter."""
    project.module(WRITE)
    (project.path / "work.py").write_text((project.path / "work.py").read_text() + "secret = 1\n")
    before = os.umask(0o002)
    path = project.path
    while path != path.parent and path.stat().st_uid == os.geteuid() and path.name != "tmp":
        path.chmod(path.stat().st_mode | 0o055)
        path = path.parent
    yield project
    os.umask(before)


class TestMode:
    @pytest.mark.parametrize(
        ("mode", "expected"), [(0o644, 0o644), (0o600, 0o600), (0o640, 0o640), (0o664, 0o664), (0o604, 0o600)]
    )
    def test_file(self, dirty, mode, expected):
        """A patch is no wider than the file that it quotes."""
        (dirty.path / "work.py").chmod(mode)

        assert expected & 0o644 == mode_of_patch(dirty) & 0o644

    @pytest.mark.parametrize(("mode", "expected"), [(0o700, 0o600), (0o750, 0o640), (0o755, 0o644)])
    def test_folder_above(self, dirty, mode, expected):
        """Nor than a folder lets anybody through to it."""
        dirty.path.chmod(mode)

        assert expected == mode_of_patch(dirty) & 0o644

    def test_umask(self, dirty):
        """The umask holds as well."""
        os.umask(0o077)

        assert 0o600 == mode_of_patch(dirty)
