"""Fixtures of real sessions: a kernel in a repository."""

import pytest
from gitrepo import GitRepo
from sessions import CELLS, notebook, write_module


@pytest.fixture
def repo(tmp_path):
    """A repository with a notebook and two modules, all committed."""
    repo = GitRepo(tmp_path / "repo")
    repo.write("work.ipynb", notebook(*CELLS))
    repo.write(".gitignore", "/runs\n/out*\n")
    repo.write("helper.py", "def text():\n    return ' a'\n")
    write_module(repo)
    repo.commit()
    return repo


@pytest.fixture
def kernel(repo):
    from kernel import Kernel

    with Kernel(repo, PYTHONDONTWRITEBYTECODE="1") as kernel:
        yield kernel
