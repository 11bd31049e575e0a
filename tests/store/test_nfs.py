"""NFS: hosts that share a folder make each artifact once, show each other no half ones, and survive each other."""

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import hosts
import pytest
from gitrepo import GitRepo
from kernels import LEASE, SHARED, Network, missing
from storms import WORK

HOSTS = Path(hosts.__file__)
IMPATIENT = """
@Artifact("out", timeout=30)
def impatient_file(out):
    fill(out, "never")
"""

MEMORY = 60  # seconds for which a client by default believes what it was told of a file, at most (acregmax)
WARM = 100  # seconds after which it believes for so long

pytestmark = [pytest.mark.storm, pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture
def root():
    """A directory with a short name, as the switch's socket needs."""
    made = Path(tempfile.mkdtemp(prefix="taggedartifacts-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def hosts(root):
    """A server and two clients, and a repository that they all see."""
    repo = GitRepo(root / "repo")
    repo.write("work.py", WORK + IMPATIENT)
    repo.commit()
    network = Network(root)
    network.project = repo.path
    yield network
    network.end()


def ask(host, hosts, *does):
    """Let a host do something in the shared folder."""
    host.ask("env", "-C", SHARED, sys.executable, "-B", HOSTS, *map(str, does), PROJECT=str(hosts.project))


def answer(host):
    """Wait for what came of it."""
    return json.loads(host.answer().splitlines()[-1])


def soon():
    """A moment at which all hosts have imported what they need."""
    return time.time() + 6


class TestAtOnce:
    @pytest.mark.parametrize("version", ["v4.2", "v3"])
    def test_made_once(self, hosts, version):
        """Each of many artifacts that two hosts call for at once is made once, and both have it at once, whole."""
        hosts.mount(version)
        moment = soon()
        for host in hosts.clients:
            ask(host, hosts, "many", 100, moment)
        one, other = map(answer, hosts.clients)

        assert 100 == one["made"] + other["made"]
        assert min(one["made"], other["made"]) > 0, "they were not there at once"
        assert 100 == one["made"] + one["reused"] == other["made"] + other["reused"]
        assert one["tokens"] == other["tokens"]
        assert [0, 0] == [said["without record"] + said["mismatched"] for said in (one, other)]
        assert [] == one["warnings"] + other["warnings"]

    def test_locks_of_ones_own(self, hosts):
        """Where hosts do not see each other's locks, artifacts may be made twice; the first one's is kept and stays."""
        hosts.mount("v3-nolock")
        moment = soon()
        for host in hosts.clients:
            ask(host, hosts, "many", 100, moment)
        one, other = map(answer, hosts.clients)

        assert 100 < one["made"] + other["made"] <= 200, "they were not there at once"
        assert one["tokens"] == other["tokens"]
        assert [0, 0] == [said["mismatched"] for said in (one, other)]
        for said in (one, other):
            [warning] = said["warnings"]
            assert "other hosts do not see the locks of this one (local_lock=all)" in warning
        for host in hosts.clients:
            ask(host, hosts, "many", 100, 0)
            again = answer(host)
            assert [0, 100, 0, 0] == [again[key] for key in ("made", "reused", "without record", "mismatched")]


class TestReplaced:
    @pytest.mark.parametrize("shape", ["file", "directory", "beside", "several"])
    @pytest.mark.parametrize("version", ["v4.2", "v3"])
    def test_reading_meanwhile(self, hosts, version, shape):
        """A host that reuses and reads while another replaces always gets a whole one, and never an error."""
        hosts.mount(version)
        moment = soon()
        replacing, reading = hosts.clients
        ask(replacing, hosts, "replace", shape, moment, 15)
        ask(reading, hosts, "read", shape, moment, 15)
        replaced, said = answer(replacing), answer(reading)
        print(version, shape, replaced, said)

        assert [] == said["wrong"]
        assert 0 == said["runs"]
        assert said["seen"] > 5
        assert replaced["count"] > 5
        assert [] == replaced["warnings"] + said["warnings"]


class TestOpen:
    @pytest.mark.parametrize("version", ["v4.2", "v3"])
    def test_replaced_while_open(self, hosts, version):
        """What a process of the same host has open is replaced all the same; what is left over goes the next time."""
        hosts.mount(version)
        host, _ = hosts.clients
        ask(host, hosts, "hold_open", "directory")
        said = answer(host)

        assert said["left"] == 1
        assert said["left later"] == 0
        assert said["reads"] == said["old"] != said["new"]


class TestDies:
    @pytest.mark.parametrize(
        ("shape", "recompute", "at"),
        [("file", 0, 0), ("file", 0, 1), ("file", 0, 2), ("file", 1, 2), ("directory", 1, 4), ("several", 0, 3)],
    )
    def test_lease_ends(self, hosts, shape, recompute, at):
        """With v4 the others go on when the lease of a host that died is over; what stood there still stands."""
        hosts.mount("v4.2")
        dying, living = hosts.clients
        ask(dying, hosts, "hang", shape, recompute, at)
        hosts.server.run("sh", "-c", "until [ -e /srv/hangs ]; do sleep 0.1; done")
        dying.kill()
        ask(living, hosts, "follow", shape)
        said = answer(living)
        print(shape, recompute, at, said)

        assert said["seconds"] < 5 * LEASE
        assert (said["made"] == 0) == bool(recompute)
        assert 1 == len(set(said["tokens"]))
        assert None not in said["tokens"]

    def test_without_leases(self, hosts):
        """With v3 the lock of a host that died stays; whoever waits is told whose it is, and nobody else waits."""
        hosts.mount("v3")
        dying, living = hosts.clients
        ask(living, hosts, "follow", "directory")
        answer(living)
        ask(dying, hosts, "hang", "file", 0, 0)
        hosts.server.run("sh", "-c", "until [ -e /srv/hangs ]; do sleep 0.1; done")
        dying.kill()
        ask(living, hosts, "impatient", "impatient_file")
        said = answer(living)
        ask(living, hosts, "follow", "directory")
        directory = answer(living)
        ask(living, hosts, "follow", "several")
        several = answer(living)

        assert "on host2 since" in said
        assert 0 == directory["made"]
        assert 2 == several["made"]


class TestEdited:
    @pytest.mark.parametrize("version", ["v4.2", "v3"])
    def test_seen_elsewhere(self, hosts, version):
        """What a user edits on one host is refused on another as soon as that one's memory of the old state is over."""
        hosts.mount(version)
        editing, looking = hosts.clients
        ask(looking, hosts, "follow", "file")
        answer(looking)
        ask(editing, hosts, "edit", "file", time.time() + WARM)
        ask(looking, hosts, "look", "file", WARM + MEMORY + 30)
        seconds = -answer(editing)["at"] + answer(looking)["at"]
        print(version, "seen after", seconds)

        assert seconds < MEMORY + 5
