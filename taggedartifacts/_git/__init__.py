"""One repository, and two ways to read it: libgit2 and the ``git`` command."""
