"""The two laws, after every step of every story: a tag never lies, and nothing is lost."""

import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from project import Project
from storms import Stop, die

from taggedartifacts import ArtifactModifiedError, prune

WORK = """
import secrets
VERSION = {version}
@Artifact("out")
def f(x, out):
    with open(out, "w") as file:
        file.write(f"{{x}} {{VERSION}} ")
        file.flush()
        file.write(secrets.token_hex(8) + "\\n")
"""
NUMBERS = st.integers(0, 1)


class Story(RuleBasedStateMachine):
    """Somebody makes, remakes, kills, edits, deletes, prunes and commits, in any order.

    Attributes:
        versions: The version of the code at each commit, by the digits in the tag.
        edits: What the user wrote into artifacts, by name.
        bare: Artifacts whose records are gone, so that an edit cannot be told any more.
    """

    def __init__(self):
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="taggedartifacts-", dir=tempfile.gettempdir()))
        self.before = os.getcwd(), sys.dont_write_bytecode
        sys.dont_write_bytecode = True  # two versions of a file within a second would share theirs
        self.project = Project(self.directory / "project")
        os.chdir(self.project.path)
        self.versions, self.edits, self.bare = {}, {}, set()
        self.commit()

    def teardown(self):
        os.chdir(self.before[0])
        sys.dont_write_bytecode = self.before[1]
        for name in self.project.loaded:
            sys.modules.pop(name, None)
        shutil.rmtree(self.directory)

    @rule()
    def commit(self):
        """The code changes and is committed."""
        version = len(self.versions)
        self.work = self.project.module(WORK.format(version=version))
        self.versions[self.project.head[:10]] = version

    @rule(x=NUMBERS)
    def call(self, x):
        """A call returns what it should, or says that it was edited."""
        name = self.work.f.path(x, "out/f.txt").name
        try:
            path = self.work.f(x, "out/f.txt")
        except ArtifactModifiedError:
            assert name in self.edits
            return
        assert name not in self.edits or name in self.bare
        self.check(path)
        assert name in self.edits or path.read_text().startswith(f"{x} {len(self.versions) - 1} ")

    @rule(x=NUMBERS)
    def recompute(self, x):
        """The user asks for a new one, whatever is there."""
        path = self.work.f.recompute(x, "out/f.txt")
        self.edits.pop(path.name, None)
        self.bare.discard(path.name)
        assert path.read_text().startswith(f"{x} {len(self.versions) - 1} ")
        assert self.work.f.is_cached(x, "out/f.txt")

    @rule(x=NUMBERS, anew=st.booleans(), line=st.integers(1, 3000))
    def kill(self, x, anew, line):
        """The process dies in the middle of a call."""
        edited = self.work.f.path(x, "out/f.txt").name in self.edits
        if edited and anew:  # asked for: whether the edit is gone depends on the moment
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forks in the presence of the test runner's threads
            pid = os.fork()
        if not pid:
            try:
                with Stop(line, die):
                    (self.work.f.recompute if anew else self.work.f)(x, "out/f.txt")
            finally:
                os._exit(0)
        os.waitpid(pid, 0)

    @rule(x=NUMBERS, text=st.sampled_from(["mine", "0 0 0123456789abcdef\n"]))
    def edit(self, x, text):
        """The user writes into an artifact."""
        path = self.work.f.path(x, "out/f.txt")
        if path.exists():
            path.write_text(text)
            self.edits[path.name] = text

    @rule(x=NUMBERS)
    def delete(self, x):
        """The user removes an artifact."""
        path = self.work.f.path(x, "out/f.txt")
        path.unlink(missing_ok=True)
        self.edits.pop(path.name, None)
        self.bare.discard(path.name)

    @rule(x=NUMBERS)
    def delete_record(self, x):
        """Somebody removes a record, as a copy without hidden files does."""
        name = self.work.f.path(x, "out/f.txt").name
        self.bare.add(name)
        (self.project.out / ".taggedartifacts" / "records" / f"{name}.json").unlink(missing_ok=True)

    @precondition(lambda self: self.project.out.exists() and self.project.files())
    @rule(keep=st.integers(0, 2))
    def prune(self, keep):
        """The user keeps only the newest ones."""
        before = set(self.project.files())
        removed = {path.name for path in prune("out", keep=keep, dry_run=False)}
        assert before - set(self.project.files()) == removed
        for name in removed:
            self.edits.pop(name, None)
            self.bare.discard(name)

    @invariant()
    def laws(self):
        """All that is visible is whole, is what its tag says, or is what the user made of it."""
        if self.project.out.exists():
            for name in self.project.files():
                self.check(self.project.out / name)

    def check(self, path):
        text = path.read_text()
        if path.name in self.edits:
            assert self.edits[path.name] == text
            return
        x, version, token = text.removesuffix("\n").split(" ")
        assert text.endswith("\n")
        assert 16 == len(token)
        assert self.versions[path.name.split("-")[1]] == int(version)
        assert x in ("0", "1")


def tell(examples, steps):
    """Tell stories."""
    run_state_machine_as_test(
        Story,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


class TestLaws:
    def test_stories(self):
        """Whatever happens in whichever order, no tag lies and nothing is lost."""
        tell(10, 20)

    @pytest.mark.heavy
    def test_more_stories(self):
        """Likewise in longer ones."""
        tell(30, 40)

    @pytest.mark.storm
    def test_many_stories(self):
        """Likewise in 500 long stories, 20,000 steps."""
        tell(500, 40)
