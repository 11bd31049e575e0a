"""What programs written for the first release rely on."""

import pytest

from taggedartifacts import Artifact

SOURCE = """
@Artifact('outpath')
def thing(outpath):
    with open(outpath, 'w') as outf:
        outf.write('done')

@Artifact('other')
def wrong(outpath):
    with open(outpath, 'w') as outf:
        outf.write('done')
"""


class TestFirstRelease:
    def test_one_tagged_file(self, project):
        """One tagged file appears in the working directory, and nothing else that its pattern matches."""
        project.module(SOURCE).thing(outpath="foo.txt")
        files = list(project.path.glob("foo*.txt"))

        assert 1 == len(files)
        assert "foo.txt" != files[0].name
        assert "done" == files[0].read_text()

    def test_missing_keyword(self, project):
        """A keyword that the call does not give is a KeyError."""
        with pytest.raises(KeyError):
            project.module(SOURCE).wrong(outpath="foo.txt")

    def test_dirty_is_an_os_error(self, project):
        """A dirty repository is an OSError, at the call."""
        project.write("notes.txt", "a\n")
        project.module(SOURCE)
        project.write("notes.txt", "b\n")
        work = project.load(project.path / "work.py")

        with pytest.raises(OSError, match=r"notes\.txt"):
            work.thing(outpath="foo.txt")

    def test_three_positional_parameters(self):
        """Keyword, config and allow_dirty may be given by position."""
        Artifact("outpath", {"a": 1}, True)
