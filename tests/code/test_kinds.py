"""Kinds of files: data and settings count, documents, pictures, packaging and workflows only where they are named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from taggedartifacts._code.kinds import FOLDERS, KINDS, NAMES, counts, kind_of, named

PAGE = Path(__file__).parent.parent.parent / "docs" / "what-counts.rst"

DATA = [
    *("data/a.csv", "params.yaml", "params.json", "settings.toml", "config.ini", "query.sql", "model.pkl", "a.h5"),
    *("notes.txt", "docs/table.csv", "docs/page.html", "docs/values.txt", "no_suffix", "data/.hidden", "mask.npy"),
    *("template.j2", "main.c", "lib.f90", "script.R", "work.jl", "lib.so", "data/image.tif", "data/scan.dcm"),
    *("environment.csv", "dockerfiles.csv", "lock", "makefile.csv", "src/github/data.yml"),
]
DOCUMENTS = [
    *("a.md", "deep/down/a.rst", "paper/paper.tex", "refs.bib", "talk.pptx", "LICENSE", "LICENCE.txt", "LICENSE-MIT"),
    *("README", "data/README.txt", "Readme.html", "CHANGELOG", "CHANGELOG.txt", "CONTRIBUTING", "CITATION.cff"),
    *("COPYING", "README_FIRST.txt", "report.adoc", "letter.docx", "LICENSE.pdf"),
]
OTHERS = {
    "environment or packaging file": [
        *("requirements.txt", "requirements-dev.txt", "deep/requirements.in", "pyproject.toml", "setup.cfg"),
        *("poetry.lock", "uv.lock", "environment.yml", "environment-dev.yaml", "Dockerfile", "Dockerfile.gpu"),
        *("Singularity", "container/Singularity.def", "package-lock.json", "constraints.txt"),
    ],
    "workflow": ["Snakefile", "rules/fit.smk", "Makefile", ".github/workflows/ci.yml", ".gitlab-ci.yml", ".ci/x.yml"],
    "settings of an editor": [".vscode/settings.json", ".claude/settings.local.json", ".idea/misc.xml"],
    "shell script": ["run.sh", "scripts/submit.bash"],
    "image": ["fig.png", "docs/logo.SVG", "photo.jpeg"],
    "git's own": [".gitignore", "data/.gitattributes", ".gitmodules"],
    "Python": ["tests/test_a.py", "stub.pyi"],
    "notebook": ["a.ipynb", "deep/B.IPYNB"],
}


class TestKindOf:
    @pytest.mark.parametrize("path", DATA)
    def test_data(self, path):
        """Data and settings are of no kind, wherever they lie."""
        assert None is kind_of(path)

    @pytest.mark.parametrize("path", DOCUMENTS)
    def test_documents(self, path):
        """Documents are known by suffix or name."""
        assert "document" == kind_of(path)

    @pytest.mark.parametrize(("kind", "path"), [(kind, path) for kind, paths in OTHERS.items() for path in paths])
    def test_others(self, kind, path):
        """So are the other kinds."""
        assert kind == kind_of(path)

    @pytest.mark.parametrize(
        "path",
        [
            *("citations.csv", "readme.json", "license_plates.parquet", "contributing_areas.gpkg", "changelog.db"),
            *("singularity_spectrum.csv", "apptainer.npz", "constraints_of_the_fit.txt"),
        ],
    )
    def test_data_with_the_name_of_a_document(self, path):
        """What has the suffix of data is data, though its name begins as a document's or a container's does."""
        assert None is kind_of(path)


class TestCounts:
    @pytest.mark.parametrize("path", DATA)
    def test_data(self, path):
        """Data counts though nobody names it."""
        assert counts(path, ())

    @pytest.mark.parametrize("path", [*DOCUMENTS, *(path for paths in OTHERS.values() for path in paths)])
    def test_others(self, path):
        """The other kinds do not."""
        assert not counts(path, ())

    @pytest.mark.parametrize(
        "path", [*DOCUMENTS, *(path for kind in OTHERS for path in OTHERS[kind] if kind != "notebook")]
    )
    def test_named(self, path):
        """They do if a string of the code names them, by the whole path or the last part of it."""
        assert [True, True] == [counts(path, named([path, "else"])), counts(path, named([path.split("/")[-1], ".ci"]))]

    @pytest.mark.parametrize("path", ["a.ipynb", "deep/B.IPYNB"])
    def test_notebooks_never(self, path):
        """A notebook does not count, though the code names it."""
        assert not counts(path, named([path, "*.ipynb", "*"]))

    @pytest.mark.parametrize(
        ("pattern", "expected"), [("*.png", True), ("fig*.png", True), ("*", False), ("*.jpg", False)]
    )
    def test_pattern(self, pattern, expected):
        """A pattern names what it fits; a bare star names nothing."""
        assert expected is counts("plots/fig1.png", named([pattern]))


class TestNamed:
    def test_other_texts_are_left_out(self):
        """What names data, or nothing, is not kept: it would change the scope for nothing."""
        assert frozenset({"run.sh"}) == named(["data/a.csv", "hello", "a.b.c", "scripts/run.sh", "notes.ipynb"])

    def test_folder(self):
        """A file of any name counts in the folder of a workflow, where the code names both."""
        assert counts(".ci/params.yml", named([".ci", "params.yml"]))


class TestPage:
    def test_every_kind_is_listed(self):
        """The table in the docs holds these kinds and patterns, and no others."""
        _, _, rest = PAGE.read_text(encoding="utf-8").partition("   :name: kinds\n")
        table = rest.lstrip("\n").partition("\n\n")[0]
        rows = {row.splitlines()[0]: set(re.findall("``(.+?)``", row)) for row in table.split("   * - ")[2:]}

        assert rows == {
            kind: {*KINDS.get(kind, ()), *NAMES.get(kind, ()), *FOLDERS.get(kind, ())}
            for kind in {*KINDS, *NAMES, *FOLDERS}
        }
