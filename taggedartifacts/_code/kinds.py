"""Kinds of files: which tracked files may decide a result although no import leads to them. Pure.

Data and settings count. Documents, pictures, packaging and workflows do not, unless the code names the file.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

NOTEBOOK = ".ipynb"
# What they stand for is described in docs/what-counts.rst; a test holds the two together.
KINDS = {
    "Python": (".py", ".pyi", ".pyw"),
    "document": (
        *(".md", ".rst", ".adoc", ".asciidoc", ".tex", ".bib", ".sty", ".cls", ".qmd", ".rmd"),
        *(".doc", ".docx", ".odt", ".rtf", ".ppt", ".pptx", ".odp"),
    ),
    "image": (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp", ".ico", ".eps"),
    "shell script": (".sh", ".bash", ".zsh", ".fish", ".csh", ".ksh", ".ps1", ".bat", ".cmd"),
    "environment or packaging file": (".lock",),
    "workflow": (".smk", ".mk"),
}
NAMES = {
    "document": ("license*", "licence*", "copying*", "readme*", "changelog*", "contributing*", "citation*"),
    "environment or packaging file": (
        *("requirements*.txt", "requirements*.in", "constraints.txt", "pyproject.toml", "setup.cfg", "manifest.in"),
        *("tox.ini", "pytest.ini", "mypy.ini", "ruff.toml", ".ruff.toml", ".flake8", ".coveragerc", ".editorconfig"),
        *("environment*.yml", "environment*.yaml", "conda-lock.y*ml", "pipfile", "pixi.toml", ".python-version"),
        *("package.json", "package-lock.json", "pnpm-lock.yaml", ".dockerignore"),
        *("dockerfile", "dockerfile.*", "*.dockerfile"),
        *("docker-compose*.y*ml", "compose.y*ml", "apptainer", "apptainer.def", "singularity", "singularity.def"),
    ),
    "workflow": (
        *("snakefile", "makefile", "gnumakefile", "justfile", "taskfile.y*ml", "jenkinsfile", "dvc.yaml"),
        *(".gitlab-ci.yml", ".travis.yml", "azure-pipelines.yml", ".pre-commit-config.yaml", ".readthedocs.y*ml"),
        *("codecov.yml", ".codecov.yml", "appveyor.yml", ".appveyor.yml"),
    ),
    "git's own": (".gitignore", ".gitattributes", ".gitmodules", ".gitkeep", ".mailmap", ".git-blame-ignore-revs"),
}
# HDF5, netCDF, Parquet, Arrow, ORC, what GDAL reads, databases.
_UNSEEN = (
    *(".h5", ".hdf5", ".hdf", ".he5", ".nc", ".nc4", ".cdf", ".parquet", ".pq", ".arrow", ".feather", ".ipc", ".orc"),
    *(".shp", ".shx", ".dbf", ".gpkg", ".geojson", ".fgb", ".gdb", ".kml", ".tif", ".tiff", ".vrt", ".asc", ".grib"),
    *(".grb", ".grib2", ".db", ".sqlite", ".sqlite3", ".duckdb", ".mdb", ".h5ad", ".loom", ".root"),
)
FOLDERS = {
    "workflow": (".github/", ".gitlab/", ".circleci/", ".ci/"),
    "settings of an editor": (".vscode/", ".idea/", ".claude/", ".cursor/", ".serena/", ".devcontainer/"),
}

_BY_SUFFIX = {suffix: kind for kind, suffixes in KINDS.items() for suffix in suffixes}
_IN_FOLDERS = frozenset(folder.rstrip("/") for folders in FOLDERS.values() for folder in folders)
# With the letters that each begins with: what is made to match one takes some 50 µs to make.
_BY_NAME = [(pattern.partition("*")[0], pattern, kind) for kind, patterns in NAMES.items() for pattern in patterns]
_SOURCE = ".py"
_OF_TEXTS = frozenset({"", ".txt", ".cff", ".html", ".htm", ".pdf"})
_WILDCARD = re.compile(r"(?=.*\w).*[*?\[]")  # a bare "*" names nothing


@lru_cache(maxsize=16_384)  # some 2 MB of paths; as long as the process lives
def kind_of(path: str) -> str | None:
    """Name the kind of a file by its path; None for data and settings, which always count.

    Args:
        path: Relative to the root, with "/".
    """
    name = path.rpartition("/")[2].lower()
    if name.endswith(NOTEBOOK):
        return "notebook"
    dot = name.rfind(".")
    suffix = name[dot:] if dot > 0 else ""
    for start, pattern, kind in _BY_NAME:
        # "citations.csv" and "readme.json" are data: what is taken for a document by mistake would be stale unseen.
        is_named = name.startswith(start) and fnmatchcase(name, pattern)
        if is_named and (kind != "document" or suffix in _OF_TEXTS or suffix in _BY_SUFFIX):
            return kind
    for kind, folders in FOLDERS.items():
        if path.startswith(folders):
            return kind
    return _BY_SUFFIX.get(suffix)


def counts(path: str, names: Collection[str]) -> bool:
    """Say whether a tracked file counts although no import leads to it (X).

    Args:
        path: Relative to the root, with "/".
        names: The last parts of string literals of the code, as `named` gives them.
    """
    kind = kind_of(path)
    if kind is None:
        return True
    if kind == "notebook":
        return False
    name = path.rpartition("/")[2]
    return name in names or any(_WILDCARD.match(each) and fnmatchcase(name, each) for each in names)


def may_name_source(name: str) -> bool:
    """Say whether one of the names that `named` gives may be that of a path that ends in ``.py``."""
    end = name[-len(_SOURCE) :]
    return end == _SOURCE or any(letter in "*?[]" for letter in end)


def opens_unseen(path: str) -> bool:
    """Say whether libraries open files of this kind in C, where Python does not see it."""
    return path.lower().endswith(_UNSEEN)


def named(strings: Collection[str]) -> frozenset[str]:
    """Keep of string literals what could name a file that does not count by itself: their last parts."""
    parts = {text: text.rstrip("/").replace("\\", "/").split("/") for text in strings}
    # A file of whatever name may lie in the folder of a workflow.
    names_folder = not _IN_FOLDERS.isdisjoint(part for each in parts.values() for part in each)
    last = {each[-1] for each in parts.values()}
    return frozenset(
        name
        for name in last
        if _WILDCARD.match(name) or (kind := kind_of(name)) not in (None, "notebook") or (names_folder and kind is None)
    )
