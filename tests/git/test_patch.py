"""The patch: what ``git apply`` makes of it, for each kind of change and through either backend."""

import os
import sys

import pytest
from gitrepo import GitRepo

from taggedartifacts._code.dirt import Status, patch_of
from taggedartifacts._git.command import CommandRepository
from taggedartifacts._git.repository import find_repository

# What stands before and after: content and mode; a link's target; nothing.
KINDS = {
    "text": (b"a\nb\n", b"a\nc\n"),
    "text without an end": (b"a", b"b"),
    "text that gets an end": (b"a", b"a\n"),
    "emptied": (b"a\n", b""),
    "filled": (b"", b"a\n"),
    "new": (None, b"a\n"),
    "new and empty": (None, b""),
    "new and binary": (None, b"\0a"),
    "deleted": (b"a\n", None),
    "deleted binary": (b"\0a", None),
    "binary": (b"\0" + bytes(range(256)) * 9, b"\0" + bytes(range(255)) * 9),
    "binary that becomes text": (b"\0", b"a\n"),
    "executable": (b"a\n", (b"a\n", 0o755)),
    "new and executable": (None, (b"a\n", 0o755)),
    "changed and no more executable": ((b"a\n", 0o755), b"b\n"),
    "link": ("one", "two"),
    "new link": (None, "one"),
    "link that becomes a file": ("one", b"a\n"),
}
NAMES = [b"x.py", b"a name.py", b'"quoted"\t\n.py', "naïve.py".encode()]
if sys.platform == "linux":  # elsewhere, names have to be text
    NAMES.append(b"latin-\xe9.py")


def put(root, name, what):
    path = os.path.join(os.fsencode(root), name)
    if os.path.lexists(path):
        os.unlink(path)
    if isinstance(what, str):
        os.symlink(what, path)
    elif what is not None:
        content, mode = what if isinstance(what, tuple) else (what, 0o644)
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, mode)


@pytest.fixture(params=["libgit2", "git"])
def backend(request):
    return find_repository if request.param == "libgit2" else lambda root: CommandRepository(root, "")


@pytest.mark.parametrize("kind", KINDS)
def test_applies(tmp_path, backend, kind):
    """Applied to the commit, the patch gives the tree that git itself makes of the changes."""
    repo = GitRepo(tmp_path / "repo")
    repo.write(".gitignore", "")
    before, after = KINDS[kind]
    for name in NAMES:
        put(repo.path, name, before)
    repo.commit()
    clone = GitRepo(tmp_path / "clone", init=None)
    clone.git("clone", "-q", repo.path, clone.path)
    for name in NAMES:
        put(repo.path, name, after)
    repo.git("add", "-A")

    patch = patch_of(Status(backend(str(repo.path))).collect(lambda _: True)[0].values())
    (tmp_path / "patch").write_bytes(patch)
    clone.git("apply", "--index", tmp_path / "patch")

    assert repo.git("write-tree") == clone.git("write-tree")


def test_text_either_way(tmp_path, backend):
    """What is text is shown as text, whichever way the repository is read."""
    repo = GitRepo(tmp_path / "repo")
    repo.write("x.py", "a\n")
    repo.commit()
    repo.write("x.py", "b\n")

    patch = patch_of(Status(backend(str(repo.path))).collect(lambda _: True)[0].values())

    assert patch.endswith(b"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n")
