from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from gitrepo import BECOME_NOBODY, IS_ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from records import DIRTY, change_record, put, record_path

from taggedartifacts import Record, RecordError, record
from taggedartifacts._store.record import MAX_RECORD_BYTES, FileEntry, read_record

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    return put(tmp_path)


class TestRecord:
    def test_survives_writing_and_reading(self, tmp_path: Path) -> None:
        """What is written is read back whole, with all that a record can hold."""
        entry = FileEntry("layers/first.bin", 3, 4, "ab" * 16)
        path = put(
            tmp_path,
            dirty=DIRTY,
            files=(entry,),
            companions=(FileEntry("hist.xml", 1, 2, "cd" * 16),),
            changes=(("plots.py", "modified"),),
            patch=f"{DIRTY}.patch",
            scope=("plots.py",),
            remote="https://example.org/plots.git",
        )
        expected = read_record(str(record_path(path)))
        assert expected is not None

        assert expected == Record.from_json(expected.to_json())
        assert expected.files == (entry,)

    def test_keeps_the_record_that_it_replaces(self, artifact: Path) -> None:
        """Until the new artifact is there, its record carries that of the old one."""
        data = json.loads(record_path(artifact).read_text())
        change_record(artifact, replaced=data)

        actual = read_record(str(record_path(artifact)))

        assert actual is not None
        assert actual.replaced == Record.from_json(json.dumps(data).encode())

    def test_prints_what_a_person_asks_for(self, artifact: Path) -> None:
        """The terminal shows function, commit, configuration, time and place."""
        text = str(record(artifact))

        assert text == repr(record(artifact))
        shown = ("plots.py::histogram", "1a2b3c4d5e", '"config":null', "2026-01-02", "1.5 s", "numpy 2.0", "here")
        for expected in shown:
            assert expected in text

    def test_is_escaped_in_a_notebook(self, artifact: Path) -> None:
        """A record may come from anywhere: what it holds is shown, never interpreted."""
        change_record(artifact, function="<script>alert(1)</script>", host="\x1b[2Jhere")

        html = record(artifact)._repr_html_()

        assert "<script>" not in html
        assert "&lt;script&gt;" in html
        assert "\x1b" not in html + str(record(artifact))


def _with(**fields: Any) -> Any:
    return lambda data: json.dumps(data | fields)


_DAMAGED: dict[str, Any] = {
    "empty": lambda _: "",
    "no JSON": lambda _: "hello",
    "truncated": lambda data: json.dumps(data)[:-40],
    "no UTF-8": lambda _: b"\xff\xfe",
    "a list": lambda _: "[]",
    "nested deep": lambda _: "[" * 200_000,
    "nested deep inside": lambda data: json.dumps(data)[:-1] + ', "packages": ' + '{"a":' * 200_000,
    "a huge integer": lambda data: json.dumps(data).replace('"size": 8', '"size": ' + "9" * 10_000),
    "a future schema": _with(schema=2),
    "a schema that is true": _with(schema=True),
    "without a schema": lambda data: json.dumps({key: value for key, value in data.items() if key != "schema"}),
    "without a function": lambda data: json.dumps({key: value for key, value in data.items() if key != "function"}),
    "another kind": _with(kind="socket"),
    "a commit that is none": _with(commit="HEAD"),
    "a digest that is none": _with(digest="0x12"),
    "a digest that is two": _with(digest="0" * 32 + " " + "0" * 32),
    "a commit that is two": _with(commit="0" * 10 + " " + "0" * 32),
    "an empty digest": _with(digest=""),
    "a dirty digest that is none": _with(dirty="yes"),
    "a name that leads elsewhere": _with(artifact="../hist-1a2b3c4d5e-0f9e8d7c6b5a.png"),
    "a patch that leads elsewhere": _with(patch="../../secret"),
    "an output that leads elsewhere": _with(outputs=["a/b"]),
    "an output that is the folder above": _with(outputs=[".."]),
    "a companion that is the folder": _with(companions=[{"path": ".", "size": 1, "mtime_ns": 1, "digest": "0"}]),
    "a companion that leads elsewhere": _with(companions=[{"path": "../x", "size": 1, "mtime_ns": 1, "digest": "0"}]),
    "a companion without a digest": _with(companions=[{"path": "x", "size": 1, "mtime_ns": 1}]),
    "a companion with more": _with(companions=[{"path": "x", "size": 1, "mtime_ns": 1, "digest": "0", "code": "x"}]),
    "a file of a wrong type": _with(files=[{"path": "x", "size": "1", "mtime_ns": 1, "digest": "0"}]),
    "files that are none": _with(files=[1]),
    "a version that is none": _with(packages={"numpy": 2}),
    "changes of three": _with(changes=[["a", "b", "c"]]),
    "changes that are none": _with(changes=[3]),
    "a replaced one that is none": _with(replaced={"schema": 1}),
    "a name that no disk has": _with(artifact="a-1a2b3c4d5e-0f9e8d7c6b5a\ud800"),
    "a companion that no disk has": _with(companions=[{"path": "\ud800", "size": 1, "mtime_ns": 1, "digest": "0"}]),
    "a size beyond all": _with(size=10**400),
    "a time that is none": _with(seconds=float("nan")),
    "a time beyond all": _with(seconds=10**400),
    "a file beyond all": _with(files=[{"path": "x", "size": 10**400, "mtime_ns": 1, "digest": "0"}]),
}


class TestDamagedRecord:
    @pytest.mark.parametrize("damage", _DAMAGED)
    def test_is_reported(self, artifact: Path, damage: str) -> None:
        """Whatever is in the file, the error names the file and nothing else happens."""
        path = record_path(artifact)
        text = _DAMAGED[damage](json.loads(path.read_text()))
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

        with pytest.raises(RecordError) as caught:
            read_record(str(path))
        assert str(path) in str(caught.value)
        assert len(str(caught.value)) < 1000

    @pytest.mark.parametrize("field", sorted(Record.__dataclass_fields__))
    def test_of_a_wrong_type_is_reported(self, artifact: Path, field: str) -> None:
        """Each field is checked: an object in an object is what none of them holds."""
        path = record_path(artifact)
        change_record(artifact, **{field: {"a": {"b": []}}})

        with pytest.raises(RecordError, match=str(path)):
            read_record(str(path))

    @settings(deadline=None)
    @given(data=st.data())
    def test_never_crashes_the_reader(self, data: st.DataObject) -> None:
        """A record with anything in any of its fields is read or refused."""
        fields = data.draw(st.dictionaries(st.sampled_from(sorted(Record.__dataclass_fields__)), _JSON, max_size=3))
        try:
            record = Record.from_json(json.dumps(_WHOLE | fields).encode())
        except RecordError:
            return
        str(record)
        record._repr_html_()

        assert Record.from_json(record.to_json()).to_json() == record.to_json()


_WHOLE: dict[str, Any] = {
    "schema": 1,
    "artifact": "a-1a2b3c4d5e-0f9e8d7c6b5a",
    "kind": "file",
    "function": "f",
    "commit": "1" * 40,
    "dirty": None,
    "config_hash": "2" * 32,
    "canonical": "{}",
    "scope": [],
    "remote": None,
    "run": "r",
    "outputs": [],
    "started": "now",
    "seconds": 1,
    "size": 1,
    "mtime_ns": 1,
    "digest": "3" * 32,
    "files": [],
    "companions": [],
    "python": "3",
    "platform": "p",
    "host": "h",
    "packages": {},
    "changes": [],
    "patch": None,
    "replaced": None,
}


class TestReadRecord:
    def test_of_none_is_none(self, tmp_path: Path) -> None:
        """An artifact without a record is no error; nor is a name too long for one, or a file where the folder was."""
        (tmp_path / "file").touch()

        assert read_record(str(tmp_path / "nothing.json")) is None
        assert read_record(str(tmp_path / ("n" * 300))) is None
        assert read_record(str(tmp_path / "file" / "x.json")) is None

    def test_follows_no_link(self, artifact: Path, tmp_path: Path) -> None:
        """A symbolic link is no record, even if it leads to one."""
        record_path(artifact).rename(tmp_path / "elsewhere.json")
        record_path(artifact).symlink_to(tmp_path / "elsewhere.json")

        with pytest.raises(RecordError, match="symbolic link"):
            read_record(str(record_path(artifact)))

    def test_never_blocks(self, artifact: Path) -> None:
        """A pipe to which nobody writes is no record."""
        record_path(artifact).unlink()
        os.mkfifo(record_path(artifact))

        with pytest.raises(RecordError, match="not a regular file"):
            read_record(str(record_path(artifact)))

    def test_of_a_directory_is_reported(self, artifact: Path) -> None:
        """A directory is no record."""
        record_path(artifact).unlink()
        record_path(artifact).mkdir()

        with pytest.raises(RecordError, match="not a regular file"):
            read_record(str(record_path(artifact)))

    def test_reads_no_oversized_one(self, artifact: Path) -> None:
        """A file of 100 MB is refused by its size, before it is read."""
        os.truncate(record_path(artifact), 100_000_000)
        assert MAX_RECORD_BYTES < 100_000_000

        with pytest.raises(RecordError, match="100000000 bytes"):
            read_record(str(record_path(artifact)))

    @pytest.mark.skipif(not IS_ROOT, reason="only root can become another user")
    def test_that_is_not_permitted_is_reported(self) -> None:
        """A record that this user may not read is an error that says so."""
        code = (
            f"import sys; from taggedartifacts import record, RecordError\n{BECOME_NOBODY}"
            "try: record(sys.argv[1])\n"
            "except RecordError as error: print(error)"
        )
        with tempfile.TemporaryDirectory() as folder:  # pytest's own directory is closed to others
            Path(folder).chmod(0o755)
            artifact = put(Path(folder))
            record_path(artifact).chmod(0)
            done = subprocess.run([sys.executable, "-c", code, artifact], capture_output=True, text=True, check=True)

            assert f"{record_path(artifact)} cannot be read: Permission denied" in done.stdout


class TestForged:
    def test_no_terminal_escape(self, artifact: Path) -> None:
        """What a record says moves no cursor: not in a table, and not in the message of an error."""
        change_record(artifact, function="\x1b[2Jf\u202e", artifact=artifact.name[:-3] + "\x1b]0;x\x07.png")

        with pytest.raises(RecordError) as caught:
            record(artifact)
        assert "\\x1b" in str(caught.value)
        assert "\x1b" not in str(caught.value)
