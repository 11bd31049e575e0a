"""Hosts: Linux kernels that run as processes of this one (user-mode Linux), one an NFS server, the others its clients.

Each sees the files of this machine, read-only, and does what it is told through a serial line: run as a script in such
a kernel, as its first process, this file is the one that is told. A kernel is killed like any other process, and then
it is a host that lost its power.
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
import tempfile
import time
from pathlib import Path

MODULES = Path("/usr/lib/uml/modules")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NEEDED = ("linux.uml", "uml_switch", "rpc.nfsd", "rpc.mountd", "rpc.statd", "rpcbind", "exportfs", "mount.nfs", "ip")
FINIT_MODULE = 313  # the number of the system call on x86-64, for which the kernel is built
LANE = "/dev/ttyS0"
NETWORK = "10.0.9"
SERVER = 1  # its number in the network
SHARED = "/mnt"  # where clients mount
LEASE = 10  # seconds; the shortest that the server takes
VERSIONS = {  # options of mount, and what is mounted
    "v4.2": ("vers=4.2", "/"),
    "v3": ("vers=3", "/srv"),
    "v3-nolock": ("vers=3,nolock", "/srv"),
}
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


def missing():
    """Say what these kernels need and is not here; empty if they can run."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "only root can start kernels that serve NFS"
    absent = [name for name in NEEDED if shutil.which(name, path=PATH) is None]
    return f"user-mode-linux and NFS are not installed here: no {', '.join(absent)}" if absent else ""


class Kernel:
    """A kernel, as a host that can be told what to do.

    Args:
        root: Where the switch of its network and its log lie on this machine.
        number: Its number in the network.
        disk: A file that is its disk, if it has one.
    """

    def __init__(self, root, number, disk=None):
        self.name = f"host{number}"
        self._log = root / f"{self.name}.log"
        told, self._to = os.pipe()
        answers, tells = os.pipe()
        command = ["linux.uml", "mem=384M", f"uml_dir={root}", f"umid={self.name}", "con=null", "con0=null,fd:1"]
        command += ["root=/dev/root", "rootfstype=hostfs", "ro", "quiet", "selinux=0", f"init={sys.executable}"]
        command += [f"eth0=daemon,fe:fd:00:00:00:{number:02x},unix,{root / 'switch'}", f"ssl0=fd:{told},fd:{tells}"]
        command += [f"ubd0={disk}"] if disk else []
        command += ["--", "-B", str(Path(__file__).resolve()), self.name, str(number)]
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(told, tells),
                start_new_session=True,  # it has several processes, which die together
            )
        os.close(told)
        os.close(tells)
        self._answers = os.fdopen(answers, "rb")

    def ask(self, *command, **env):
        """Begin a command; `answer` waits for its end."""
        os.write(self._to, json.dumps({"command": [str(part) for part in command], "env": env}).encode() + b"\n")

    def answer(self):
        """Wait for the end of the command that was begun; what it said."""
        line = self._answers.readline()
        assert line, f"{self.name} is gone: {self._log.read_bytes()[-2000:].decode(errors='replace')}"
        said = json.loads(line)
        assert said["code"] == 0, f"{self.name}: {said['out']}"
        return said["out"]

    def run(self, *command, **env):
        """Run a command; what it said."""
        self.ask(*command, **env)
        return self.answer()

    def load(self, *modules):
        """Load kernel modules."""
        self.run(sys.executable, "-B", __file__, "load", *modules)

    def kill(self):
        """End it at once, as if its power failed."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(60)
        self._answers.close()
        with contextlib.suppress(OSError):
            os.close(self._to)


class Network:
    """A server with a disk, and clients that mount it."""

    def __init__(self, root, clients=2):
        self.root = root
        descriptor, self._disk = tempfile.mkstemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else root)
        os.ftruncate(descriptor, 200 << 20)
        os.close(descriptor)
        self._kernels, self._switch = {}, None
        try:
            subprocess.run(["mkfs.ext4", "-q", "-F", self._disk], check=True, env={**os.environ, "PATH": PATH})
            self._switch = subprocess.Popen(
                ["uml_switch", "-unix", root / "switch"],
                stdin=subprocess.PIPE,  # it ends when this is closed
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            end = time.monotonic() + 60
            while not (root / "switch").exists():
                assert time.monotonic() < end
                time.sleep(0.01)
            for number in range(SERVER, SERVER + 1 + clients):
                self._kernels[number] = Kernel(root, number, self._disk if number == SERVER else None)
            for kernel in self._kernels.values():
                kernel.answer()
            self.server.load("nfsd", "lockd")
            self.server.run("sh", "-ec", SERVE)
            for client in self.clients:
                client.load("nfsv4", "nfsv3")
        except BaseException:
            self.end()
            raise

    @property
    def server(self):
        return self._kernels[SERVER]

    @property
    def clients(self):
        """The clients, by their numbers."""
        return [self._kernels[number] for number in sorted(self._kernels) if number != SERVER]

    def mount(self, version):
        """Mount what the server serves on all clients, by a version of NFS, and empty it."""
        options, path = VERSIONS[version]
        self.server.run("sh", "-ec", "rm -rf /srv/*")
        for client in self.clients:
            client.run("mount", "-t", "nfs", "-o", options, f"{NETWORK}.{SERVER}:{path}", SHARED)

    def unmount(self):
        for client in self.clients:
            client.run("umount", SHARED)

    def end(self):
        """End all of it."""
        for kernel in self._kernels.values():
            kernel.kill()
        if self._switch is not None:
            self._switch.kill()
            self._switch.wait(60)
            self._switch.stdin.close()
        os.unlink(self._disk)


def serve(name, number):
    """Be the first process of a kernel: do what the lane says."""
    os.environ.update(PATH=PATH, TMPDIR="/run")
    for place in ("/run", "/var/lib/nfs", SHARED, "/srv"):
        subprocess.run(["mount", "-n", "-t", "tmpfs", "tmpfs", place], check=True)
    for kind, place in (("proc", "/proc"), ("sysfs", "/sys")):
        subprocess.run(["mount", "-n", "-t", kind, kind, place], check=True)
    for directory in ("/run/rpcbind", "/var/lib/nfs/sm", "/var/lib/nfs/sm.bak"):
        os.mkdir(directory)
    Path("/proc/sys/kernel/hostname").write_text(name)
    for link, address in (("lo", "127.0.0.1/8"), ("eth0", f"{NETWORK}.{number}/24")):
        subprocess.run(["ip", "address", "add", address, "dev", link], check=True)
        subprocess.run(["ip", "link", "set", link, "up"], check=True)
    for daemon in ("rpcbind", "rpc.statd"):  # for the locks of NFS v3
        subprocess.run([daemon], check=True)
    lane = os.open(LANE, os.O_RDWR | os.O_NOCTTY)
    import tty  # which Windows has not, where these tests are collected, and skipped

    tty.setraw(lane)
    tell(lane, 0, "up")
    with open(lane, "rb", closefd=False) as told:
        for line in told:
            asked = json.loads(line)
            done = subprocess.run(
                asked["command"],
                env={**os.environ, **asked["env"]},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
            tell(lane, done.returncode, done.stdout)


def tell(lane, code, out):
    """Say how a command ended."""
    said = json.dumps({"code": code, "out": out}).encode() + b"\n"
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
