import base64
import bz2
import gzip
import json
import lzma
import os
import subprocess
import sys

import pytest

from taggedartifacts._path import ArtifactPath
from taggedartifacts._store.preview import mimebundle

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TAG = "1a2b3c4d5e-0f9e8d7c6b5a"


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(name, content):
        (tmp_path / name).write_bytes(content)
        return mimebundle(name)

    return write


class TestImages:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [("a.png", "image/png"), ("a.JPG", "image/jpeg"), ("a.jpeg", "image/jpeg"), ("a.pdf", "application/pdf")],
    )
    def test_binary(self, write, name, kind):
        """An image is embedded whole, beside text that names it and nothing that would be preferred to it."""

        assert {"text/plain": name, kind: base64.b64encode(PNG).decode()} == write(name, PNG)

    def test_svg(self, write):
        """An SVG is embedded as the text that it is."""

        assert {"text/plain": "a.svg", "image/svg+xml": "<svg>ä</svg>"} == write("a.svg", "<svg>ä</svg>".encode())

    def test_large(self, write):
        """An image of more than 4 MB is named with its size, not embedded."""
        shown = write("a.png", b"\1" * (4 * 2**20 + 1))

        assert {"text/plain": "a.png (4,194,305 bytes, too large to be shown in a notebook)"} == shown


class TestTables:
    @pytest.mark.parametrize(
        ("name", "pack"),
        [("a.csv", bytes), ("a.csv.gz", gzip.compress), ("a.csv.bz2", bz2.compress), ("a.csv.xz", lzma.compress)],
    )
    def test_csv(self, write, name, pack):
        """The head of a CSV is a table, whatever compresses it."""
        shown = write(name, pack(b'a,b\n1,"2,3"\n'))

        assert f"{name}\na  b\n1  2,3" == shown["text/plain"]
        assert "<tr><td>1</td><td>2,3</td></tr>" in shown["text/html"]

    def test_tsv(self, write):
        """So is that of a TSV."""

        assert "a.tsv\na  b\n1  2" == write("a.tsv", b"a\tb\n1\t2\n")["text/plain"]

    def test_escaped(self, write):
        """What stands in the file or in its name cannot run in the page."""
        shown = write("<b>.csv", b"<script>alert(1)</script>,b\n1,2\n")["text/html"]

        assert "<script>" not in shown
        assert "<b>" not in shown

    def test_large(self, write):
        """A large table shows ten rows and twenty columns, and says that there is more."""
        row = ",".join(map(str, range(100)))
        shown = write("a.csv", f"{row}\n".encode() * 100_000)

        assert 10 + 2 + 1 == len(shown["text/plain"].splitlines())
        assert shown["text/plain"].endswith("\n…")
        assert "19  …" in shown["text/plain"]
        assert len(shown["text/html"]) < 10_000

    def test_wide_cells(self, write):
        """A long value is cut."""

        assert len(write("a.csv", b"a\n" + b"x" * 1000)["text/plain"]) < 100

    def test_parquet(self, write, tmp_path):
        """The head of a Parquet file is a table where pandas is loaded."""
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        pandas.DataFrame({"a": range(20), "b": "<"}).to_parquet("a.parquet")
        shown = mimebundle("a.parquet")

        assert shown["text/plain"].startswith("a.parquet\na  b\n0  <\n")
        assert "<td>9</td><td>&lt;</td></tr><tr><td>…" in shown["text/html"]

    def test_parquet_without_pandas(self, tmp_path):
        """Without pandas it is named, and pandas is not imported for it."""
        (tmp_path / "a.parquet").write_bytes(b"PAR1")
        script = (
            "import sys; from taggedartifacts._store.preview import mimebundle; "
            "print(mimebundle('a.parquet'), 'pandas' in sys.modules)"
        )
        run = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)

        assert "{'text/plain': 'a.parquet'} False\n" == run.stdout


class TestText:
    def test_json(self, write):
        """The head of a text follows its name."""

        assert {"text/plain": 'a.json\n{\n "a": 1\n}'} == write("a.json", b'{\n "a": 1\n}')

    def test_long(self, write):
        """A long text is cut, as are long lines."""
        shown = write("a.txt", b"line\n" * 1000)["text/plain"].splitlines()

        assert ["a.txt", *["line"] * 40, "…"] == shown
        assert len(write("b.txt", "ä".encode() * 1_000_000)["text/plain"]) < 300

    def test_control_characters(self, write):
        """Characters that would steer a terminal are replaced."""

        assert "\x1b" not in write("a.log", b"\x1b[2J")["text/plain"]

    @pytest.mark.parametrize("name", ["a.npy", "a.csv", "a.txt.gz", "a.svg", "a.parquet"])
    def test_damaged(self, write, name):
        """A file that is not what its name says is named."""
        shown = write(name, b"\x93NUMPY\xff\xfe\x00")

        assert ["text/plain"] == list(shown)
        assert shown["text/plain"].startswith(name)

    @pytest.mark.parametrize("name", ["a.txt", "a.csv"])
    def test_empty(self, write, name):
        """An empty file is said to be empty."""

        assert {"text/plain": f"{name} (empty)"} == write(name, b"")

    def test_missing(self, write):
        """A file that is not there is said not to be."""

        assert {"text/plain": "gone.png (no such file or directory)"} == mimebundle("gone.png")

    @pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.png", "a.txt.gz"])
    def test_pipe(self, tmp_path, monkeypatch, name):
        """A pipe is named, and not waited for."""
        monkeypatch.chdir(tmp_path)
        os.mkfifo(name)

        assert {"text/plain": f"{name} (cannot be shown)"} == mimebundle(name)


class TestDirectories:
    def test_listing(self, write, tmp_path):
        """A directory lists its files with their sizes, in one order everywhere."""
        for name in ("b.txt", "a.txt", "c/d.txt"):
            (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "out" / name).write_text("1234")

        assert {"text/plain": "out/\n  a.txt  4 bytes\n  b.txt  4 bytes\n  c/d.txt  4 bytes"} == mimebundle("out")

    def test_many(self, write, tmp_path):
        """A large directory shows its first fifty files."""
        (tmp_path / "out").mkdir()
        for number in range(60):
            (tmp_path / "out" / f"{number:02}").touch()

        assert 1 + 50 + 1 == len(mimebundle("out")["text/plain"].splitlines())


class TestArtifactPath:
    def test_same_again(self, write):
        """What is shown is told by the content: the same again, whenever it was written."""
        path = ArtifactPath(f"a-{TAG}.json")
        shown = []
        for _ in range(2):
            write(path.name, json.dumps({"a": 1}).encode())
            shown.append(path._repr_mimebundle_(include=None, exclude=None))

        assert shown[0] == shown[1] == {"text/plain": f'a-{TAG}.json\n{{"a": 1}}'}

    def test_show(self, write, capsys):
        """Where there is no notebook, `show` writes the text."""
        write(f"a-{TAG}.txt", b"text")
        ArtifactPath(f"a-{TAG}.txt").show()

        assert f"a-{TAG}.txt\ntext\n" == capsys.readouterr().out
