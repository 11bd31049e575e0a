"""Power loss: whatever of the unflushed writes reached the disk, what a call returned is there, and nothing is half."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import power
import pytest
from gitrepo import IS_ROOT, GitRepo
from storms import WORK

POWER = Path(power.__file__)
FILE_SYSTEMS = {
    "ext4": ("mkfs.ext4 -q -F -b 4096 -J size=4 -E nodiscard,lazy_itable_init=0,lazy_journal_init=0", "32M", "noatime"),
    "ext4-writeback": (
        "mkfs.ext4 -q -F -b 4096 -J size=4 -E nodiscard,lazy_itable_init=0,lazy_journal_init=0",
        "32M",
        "noatime,data=writeback",
    ),
    "xfs": ("mkfs.xfs -q -f -K", "300M", "noatime"),
    "btrfs": ("mkfs.btrfs -q -f -K", "128M", "noatime,nodiscard"),
}
SHAPES = ["file", "directory", "beside", "several"]

pytestmark = [
    pytest.mark.storm,
    pytest.mark.skipif(not IS_ROOT, reason="only root can mount"),
    pytest.mark.skipif(not os.path.exists("/dev/fuse"), reason="the disk is served by FUSE: there is no /dev/fuse"),
    pytest.mark.skipif(not os.path.exists("/dev/loop-control"), reason="there are no loop devices"),
    pytest.mark.skipif(importlib.util.find_spec("fuse") is None, reason="fusepy is not installed"),
    pytest.mark.skipif(shutil.which("fusermount") is None, reason="fuse is not installed"),
]


class Disk:
    """A project, and an empty file system on a disk that takes notes."""

    def __init__(self, root, kind):
        make, size, self.options = FILE_SYSTEMS[kind]
        if shutil.which(make.split()[0]) is None:
            pytest.skip(f"{make.split()[0]} is not installed")
        self.repo = GitRepo(root / "repo")
        self.repo.write(".gitignore", "warm/\n")
        self.repo.write("work.py", WORK)
        self.repo.commit()
        self.repo.env["PROJECT"] = str(self.repo.path)
        self.image, self.served, self.log = root / "image", root / "served", root / "log"
        self.device, self.place = root / "device", root / "place"
        self.device.mkdir()
        self.place.mkdir()
        subprocess.run(["truncate", "-s", size, self.image], check=True)
        subprocess.run([*make.split(), self.image], check=True, capture_output=True)

    def power(self, *arguments, cwd=None):
        """Run a part of power.py in a process of its own; what it says."""
        command = [sys.executable, "-B", POWER, *map(str, arguments)]
        done = subprocess.run(
            command, cwd=cwd or self.repo.path, env=self.repo.env, capture_output=True, text=True, timeout=3000
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def record(self, shape, base, *, restless, unsafe):
        """Note all that is written while artifacts are made."""
        shutil.copyfile(self.image, self.served)
        command = [sys.executable, "-B", POWER, "device", self.device, self.served, self.log]
        daemon = subprocess.Popen(command, cwd=self.repo.path, env=self.repo.env, stdout=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 60
            while not (self.device / "disk").exists():
                assert daemon.poll() is None
                assert time.monotonic() < end
                time.sleep(0.01)
            subprocess.run(["mount", "-o", f"loop,{self.options}", self.device / "disk", self.place], check=True)
            try:
                mark = self.device / "mark"
                self.power("record", shape, base, mark, int(restless), int(unsafe), cwd=self.place)
            finally:
                subprocess.run(["umount", self.place], check=True)
        finally:
            subprocess.run(["fusermount", "-u", self.device], check=False)
            daemon.wait(60)

    def replay(self, shape, base, count, seed):
        """Check what power failures leave behind."""
        arguments = (self.log, self.image, self.place, self.options, count, seed)
        return self.power("replay", shape, base, *arguments)


@pytest.fixture
def root():
    """A directory in memory where there is such a file system."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    made = Path(tempfile.mkdtemp(prefix="taggedartifacts-", dir=memory))
    yield made
    shutil.rmtree(made)


def lose_power(root, kind, shape, base=".", *, restless=False, unsafe=False, count=150):
    """Make artifacts and let the power fail; what was counted."""
    disk = Disk(root, kind)
    disk.record(shape, base, restless=restless, unsafe=unsafe)
    counts = disk.replay(shape, base, count, 1)
    print(kind, shape, base, "restless" if restless else "calm", json.dumps(counts))
    return counts


@pytest.mark.parametrize("kind", FILE_SYSTEMS)
class TestPowerLoss:
    @pytest.mark.parametrize("restless", [False, True], ids=["calm", "restless"])
    @pytest.mark.parametrize("shape", SHAPES)
    def test_shapes(self, root, kind, shape, restless):
        """Made in a new folder, reused and recomputed, with others flushing meanwhile or not: the two laws hold."""
        counts = lose_power(root, kind, shape, restless=restless)

        assert counts["states"] > 100
        assert counts["promised"] > 20
        assert [] == counts["wrong"]

    def test_new_folders(self, root, kind):
        """The directories that were made above an artifact are as safe as it is."""
        counts = lose_power(root, kind, "file", "new/deeper")

        assert counts["promised"] > 20
        assert [] == counts["wrong"]

    def test_without_flushes(self, root, kind):
        """A library that flushes nothing is found out."""
        counts = lose_power(root, kind, "file", unsafe=True)

        assert counts["violations"] > 0
