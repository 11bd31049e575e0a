"""Keys: what a hit compares."""

import json
import shutil
import subprocess
import sys

import pytest
from gitrepo import GitRepo

from taggedartifacts._store.key import Key, scope_text
from taggedartifacts._tag import tagged_name

COMMIT = "0123456789" * 4
ASK = """
import json, sys
from taggedartifacts import TaggedArtifactsError
import analysis.plots as plots
print(json.dumps([plots.f.is_cached(1, sys.argv[1]), str(plots.f(1, sys.argv[1]))]))
"""
PLOTS = """
from pathlib import Path
from taggedartifacts import Artifact

@Artifact(keyword="outpath")
def f(x, outpath):
    Path(outpath).write_text(str(x))
"""


class TestAgrees:
    @pytest.mark.parametrize(
        ("other", "expected"),
        [
            ({}, True),
            ({"scope_text": "other words"}, True),
            ({"scope_digest": "b" * 32}, False),
            ({"scope_digest": None}, True),
            ({"scope_digest": None, "function": "plots.py::f"}, True),
            ({"scope_digest": None, "function": "lots.py::f"}, False),
            ({"function": "plots.py::f"}, False),
            ({"scope_digest": None, "commit": COMMIT[:10]}, True),
            ({"commit": COMMIT[:10]}, False),
            ({"scope_digest": None, "commit": "f" * 40}, False),
            ({"scope_digest": None, "config_hash": "1" * 32}, False),
            ({"scope_digest": None, "dirty": "1" * 32}, False),
        ],
    )
    def test_as_far_as_both_know(self, other, expected):
        """Keys with scopes agree whole; without a repository there is no scope, and less of the path and the commit."""
        key = Key("analysis/plots.py::f", COMMIT, None, "0" * 32, "a" * 32, "words")

        assert expected == key.agrees(key._replace(**other)) == key._replace(**other).agrees(key)

    def test_stand_in(self, tmp_path):
        """What was made in a repository is reused by a copy of the code where the variable stands in for that."""
        repo = GitRepo(tmp_path / "repo")
        repo.write("analysis/plots.py", PLOTS)
        repo.commit()
        output = str(tmp_path / "out" / "a.txt")
        made = json.loads(repo.python("-c", ASK, output))
        copy = tmp_path / "copy"
        shutil.copytree(repo.path / "analysis", copy / "analysis")
        environment = {**repo.env, "TAGGEDARTIFACTS_COMMIT": repo.head, "GIT_CEILING_DIRECTORIES": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", ASK, output], cwd=copy, env=environment, capture_output=True, check=True, text=True
        )

        assert [False, True] == [made[0], json.loads(done.stdout)[0]]
        assert made[1] == json.loads(done.stdout)[1]


class TestIsIn:
    @pytest.mark.parametrize("other", [{"commit": "f" * 40}, {"dirty": "1" * 32}, {"config_hash": "1" * 32}])
    def test_each_part(self, other):
        """A name holds a key by all three parts of its tag."""
        key = Key("plots.py::f", COMMIT, None, "0" * 32)
        name = tagged_name("a.txt", key.digits)

        assert key.is_in(name)
        assert not key._replace(**other).is_in(name)


class TestText:
    def test_kinds(self):
        """A scope is told by its kind: how many files there are, and why the whole repository counts."""
        many = [f"m{number:02}.py" for number in range(14)]

        assert "a.py, and data files" == scope_text("automatic", ["a.py"], [])
        assert scope_text("paths", many, []).endswith("m11.py and 2 more")
        assert "the whole repository, since a.py:3 uses eval" == scope_text(
            "whole repository", [], ["a.py:3 uses eval"]
        )
