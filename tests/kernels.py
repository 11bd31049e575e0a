"""Hosts: Linux kernels that run as processes of this one (user-mode Linux), one an NFS server, others its clients.

Each sees the files of this machine, read-only, and does what it is told through a serial line: run as a script in such a
kernel, as its first process, this file is the one that is told. A kernel is killed like any other process, and then it
is a host that lost its power.
"""

import contextlib
import ctypes
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tty
from pathlib import Path

LINUX = shutil.which("linux.uml")
MODULES = Path("/usr/lib/uml/modules")
NEEDED = ("uml_switch", "rpc.nfsd", "rpc.mountd", "rpc.statd", "rpcbind", "exportfs", "mount.nfs", "mkfs.ext4")
LANE = "/dev/ttyS0"
FINIT_MODULE = 313  # the number of the system call on x86-64, for which the kernel is built
LEASE = 10  # seconds; the shortest that the server takes
SERVER = "10.0.9.1"
VERSIONS = {
    "v4.2": ("vers=4.2", "/"),
    "v3": ("vers=3", "/srv"),
    "v3-nolock": ("vers=3,nolock", "/srv"),
}


def missing():
    """Say what these kernels need and is not here; empty if they can run."""
    if os.geteuid() != 0:
        return "only root can start kernels that serve NFS"
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    absent = [name for name in NEEDED if shutil.which(name, path=path) is None]
    if LINUX is None or not MODULES.is_dir():
        absent.insert(0, "linux.uml with its modules (user-mode-linux)")
    return f"not installed: {', '.join(absent)}" if absent else ""
SHARED = "/mnt"
SERVE = f"""
touch /var/lib/nfs/etab /var/lib/nfs/rmtab
mkdir /var/lib/nfs/v4recovery
mount -t ext4 /dev/ubda /srv
mount -t nfsd nfsd /proc/fs/nfsd
exportfs -o rw,no_root_squash,no_subtree_check,sync,insecure,fsid=0 '*:/srv'
rpc.mountd
rpc.nfsd --lease-time {LEASE} --grace-time {LEASE} 4
echo Y > /proc/fs/nfsd/v4_end_grace
"""


class Kernel:
    """A kernel, as a host that can be told what to do.

    Args:
        root: Where its files lie on this machine.
        number: Number of the host in the network; 1 is the server.
        disk: A file that is its disk, if it has one.
    """

    def __init__(self, root, number, disk=None):
        self.name = f"host{number}"
        self.log = root / f"{self.name}.log"
        told, self._to = os.pipe()
        self._from, tells = os.pipe()
        command = [LINUX, "mem=384M", f"uml_dir={root}", f"umid={self.name}", "root=/dev/root", "rootfstype=hostfs"]
        command += ["ro", "quiet", f"init={sys.executable}", "selinux=0", f"ssl0=fd:{told},fd:{tells}", "con=null", "con0=null,fd:1"]
        command += [f"eth0=daemon,fe:fd:00:00:09:{number:02x},unix,{root / 'switch'}"]
        command += [f"ubd0={disk}"] if disk else []
        command += ["--", "-B", str(Path(__file__).resolve()), self.name, str(number)]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(told, tells),
                start_new_session=True,
                cwd=root,
            )
        os.close(told)
        os.close(tells)
        self._answers = open(self._from, "rb")  # noqa: SIM115 - closed by end()

    def ask(self, *command, **env):
        """Begin a command; `answer` waits for it."""
        os.write(self._to, json.dumps({"command": [str(part) for part in command], "env": env}).encode() + b"\n")

    def answer(self, *, check=True):
        """Wait for the end of the command that was begun; what it said."""
        line = self._answers.readline()
        assert line, f"{self.name} is gone; {self.log.read_bytes()[-2000:].decode(errors='replace')}"
        said = json.loads(line)
        assert not check or said["code"] == 0, f"{self.name}: {said}"
        return said["out"]

    def run(self, *command, check=True, **env):
        """Run a command; what it said."""
        self.ask(*command, **env)
        return self.answer(check=check)

    def load(self, *modules):
        """Load kernel modules."""
        self.run(sys.executable, "-B", __file__, "load", *modules)

    def export(self):
        """Serve the disk to everybody."""
        self.load("nfsd", "lockd")
        self.run("sh", "-ec", SERVE)

    def mount(self, version):
        """Mount what the server serves at `SHARED`, by a version of NFS."""
        self.load("nfsv4", "nfsv3")
        options, path = VERSIONS[version]
        self.run("mount", "-t", "nfs", "-o", options, f"{SERVER}:{path}", SHARED)

    def kill(self):
        """End it at once, as if its power failed."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(60)

    def end(self):
        """End it and close what leads to it."""
        self.kill()
        os.close(self._to)
        self._answers.close()


def serve(name, number):
    """Be the first process of a kernel: do what the lane says."""
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    os.environ["TMPDIR"] = "/run"
    for kind, place in (("proc", "/proc"), ("sysfs", "/sys"), *(("tmpfs", each) for each in ("/run", "/var/lib/nfs", "/mnt", "/srv"))):
        subprocess.run(["mount", "-n", "-t", kind, kind, place], check=True)
    for directory in ("/run/rpcbind", "/var/lib/nfs/sm", "/var/lib/nfs/sm.bak"):
        os.mkdir(directory)
    Path("/proc/sys/kernel/hostname").write_text(name)
    for link, address in (("lo", "127.0.0.1/8"), ("eth0", f"10.0.9.{number}/24")):
        subprocess.run(["ip", "address", "add", address, "dev", link], check=True)
        subprocess.run(["ip", "link", "set", link, "up"], check=True)
    for daemon in ("rpcbind", "rpc.statd"):  # both for the locks of NFS v3
        subprocess.run([daemon], check=True)
    lane = os.open(LANE, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(lane)
    with open(lane, "rb", closefd=False) as told:
        os.write(lane, b'{"code": 0, "out": "up"}\n')
        for line in told:
            asked = json.loads(line)
            done = subprocess.run(asked["command"], env={**os.environ, **asked["env"]}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
            said = json.dumps({"code": done.returncode, "out": done.stdout}).encode() + b"\n"
            while said:
                said = said[os.write(lane, said) :]


def load(*names):
    """Load modules into the kernel that this runs in, and before each what it needs."""
    directory = MODULES / os.uname().release
    lines = (line.partition(":") for line in (directory / "modules.dep").read_text().splitlines())
    needs = {path: needed.split() for path, _, needed in lines}
    libc = ctypes.CDLL(None, use_errno=True)
    for name in names:
        [path] = [path for path in needs if path.endswith(f"/{name}.ko")]
        for each in [*reversed(needs[path]), path]:
            with open(directory / each, "rb") as module:
                if libc.syscall(FINIT_MODULE, module.fileno(), b"", 0) and ctypes.get_errno() != errno.EEXIST:
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), each)


if __name__ == "__main__":
    if sys.argv[1] == "load":
        load(*sys.argv[2:])
    else:
        serve(*sys.argv[1:3])  # the kernel adds arguments of its own
