"""Functions that tests decorate, and what other processes would do with their artifacts."""

import os

from taggedartifacts._store.folder import Folder
from taggedartifacts._store.lock import ArtifactLock
from taggedartifacts._store.staging import make_staging

WRITE = """
runs = []
@Artifact("outpath", allow_dirty=True, ignore=("runs",))
def f(x, outpath):
    runs.append(type(outpath))
    with open(outpath, "w") as file:
        file.write(f"{x}\\n")
"""
TWO = """
runs = []
@Artifact(("a", "b"), ignore=("runs",))
def two(x, a, b, fail=False):
    runs.append(x)
    Path(a).write_text(f"a {len(runs)}")
    if not fail:
        Path(b).write_text(f"b {len(runs)}")
"""
MODEL = """
runs = []
@Artifact("out", ignore=("runs",))
def model(x, out="out/model/"):
    runs.append(out)
    Path(out, "weights").mkdir()
    Path(out, "weights", "0.bin").write_text(f"{x} {len(runs)}")
    Path(out, "logs").mkdir()
"""
COMPANIONS = """
runs = []
@Artifact("shp", ignore=("siblings", "runs"))
def shape(x, shp, siblings=(".shx", ".dbf")):
    runs.append(x)
    Path(shp).write_text(f"shp {len(runs)}")
    for sibling in siblings:
        Path(shp).with_suffix(sibling).write_text(f"{sibling} {len(runs)}")
"""


def hold(project, path):
    """Hold the lock of an artifact, as a process that makes it would."""
    folder = Folder(str(project.path / path.parent))
    folder.make()
    lock = ArtifactLock(folder.lock(path.name))
    assert lock.try_acquire()
    return lock


def is_free(project, staged):
    """Tell whether nobody holds the lock of what is being made at a staging path."""

    lock = ArtifactLock(Folder(str(project.out)).lock(os.path.basename(staged)))
    free = lock.try_acquire()
    lock.release()
    return free


def leave(project, path, *, host=None, age=0.0, suffix=""):
    """Leave staging of an artifact behind, as a process that died would have."""

    staging = make_staging(Folder(str(project.out)), path.name)
    if host is not None:
        key, _, token = os.path.basename(staging).split("@")
        moved = os.path.join(os.path.dirname(staging), f"{key}@{host}@{token}")
        os.rename(staging, moved)
        staging = moved
    if suffix:
        os.rename(staging, staging + suffix)
        staging += suffix
    with open(os.path.join(staging, path.name), "w") as file:
        file.write("left behind")
    for each in (os.path.join(staging, path.name), staging):
        moment = os.stat(each).st_mtime - age
        os.utime(each, (moment, moment))
    return os.path.basename(staging)
