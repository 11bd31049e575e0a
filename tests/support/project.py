"""A real project, in a real git repository, whose modules are really imported."""

import importlib.util
import itertools
import os
import sys

from gitrepo import GitRepo

_numbers = itertools.count()

HEAD = """\
import os
from pathlib import Path
from taggedartifacts import Artifact
"""


class Project(GitRepo):
    """A git repository whose modules are imported into this process; figures go to ``out``, which git ignores."""

    def __init__(self, path):
        super().__init__(path)
        self.write(".gitignore", "out/\n__pycache__/\n")
        self.out = path / "out"
        self.loaded = []

    def module(self, source, name="work.py", *, commit=True):
        """Write a module below a head of imports, commit it, and import it as the fresh module that it is."""
        path = self.write(name, HEAD + source)
        if commit:
            self.commit()
        return self.load(path)

    def load(self, path):
        """Import a file as a module that no other test has."""
        spec = importlib.util.spec_from_file_location(f"project_{next(_numbers)}", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        self.loaded.append(spec.name)
        spec.loader.exec_module(module)
        return module

    def files(self, below="out"):
        """List the files below a directory, without the hidden ones that the library keeps."""
        root = self.path / below
        found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
        return sorted(str(path) for path in found if ".taggedartifacts" not in path.parts)

    def staged(self, below="out"):
        """List what is left in staging."""
        return os.listdir(self.path / below / ".taggedartifacts" / "staging")
