"""The examples in docstrings: each runs in a fresh repository, with a decorated function at hand."""

import doctest
import inspect
from pathlib import Path

import pytest

import taggedartifacts

WORK = """
@Artifact(keyword="outpath")
def save(text, outpath):
    Path(outpath).write_text(text)
"""


def documented():
    """Find what is public and has a docstring of its own, members of classes too."""
    found = {}
    for name in taggedartifacts.__all__:
        thing = getattr(taggedartifacts, name)
        holder = thing if isinstance(thing, type) else type(thing) if name == "canonical" else None
        found[name] = inspect.getdoc(holder.__call__ if name == "canonical" else thing) or ""
        for member, value in vars(holder).items() if holder else ():
            if not member.startswith("_") and (callable(value) or isinstance(value, (property, classmethod))):
                found[f"{name}.{member}"] = inspect.getdoc(value) or ""
    return found


DOCUMENTED = documented()
# What they take over from pathlib, so that derived paths are plain ones, is documented there.
OF_PATHLIB = {f"ArtifactPath.{name}" for name in ("with_segments", "cwd", "rename", "replace", "samefile")}
EXAMPLES = sorted(name for name, text in DOCUMENTED.items() if ">>>" in text and name not in OF_PATHLIB)


class TestDocstrings:
    @pytest.mark.parametrize("name", sorted(DOCUMENTED.keys() - OF_PATHLIB))
    def test_present(self, name):
        """Everything public is documented, in one line and then more."""

        assert DOCUMENTED[name].partition("\n")[0].endswith((".", "?"))

    @pytest.mark.parametrize("name", ["path", "is_cached", "recompute", "explain"])
    def test_attributes(self, name, project):
        """What a decorated function carries is documented where people ask for it, by help() or a question mark."""
        work = project.module(WORK)

        assert (inspect.getdoc(getattr(work.save, name)) or "").endswith(".")

    @pytest.mark.parametrize(
        "name", ["Artifact", "ArtifactPath", "Tag", "canonical", "compare", "config_hash", "prune", "record", "verify"]
    )
    def test_shown(self, name):
        """What people type has an example."""

        assert name in EXAMPLES

    @pytest.mark.parametrize("name", EXAMPLES)
    def test_example(self, name, project):
        """An example does what it shows."""
        work = project.module(WORK)
        names = {each: getattr(taggedartifacts, each) for each in taggedartifacts.__all__}
        names |= {"Path": Path, "save": work.save}
        test = doctest.DocTestParser().get_doctest(DOCUMENTED[name], names, name, None, 0)
        said = []
        results = doctest.DocTestRunner(verbose=False).run(test, out=said.append)

        assert "" == "".join(said)
        assert results.attempted
