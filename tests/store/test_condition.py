"""The condition of an artifact: whether what stands there is what its record says."""

import os
from dataclasses import replace

import pytest
from records import put

from taggedartifacts._store.condition import Condition, condition, describe, describe_file
from taggedartifacts._store.folder import Folder, Target
from taggedartifacts._store.record import read_record

FIRST, SECOND = b"first\n", b"second\n"


class Made:
    """An artifact with a companion, of a second run that replaced a first one."""

    def __init__(self, folder):
        self.path = put(folder, content=FIRST)
        self.beside = self.path.with_suffix(".aux")
        self.beside.write_bytes(FIRST)
        self.target = Target(Folder(str(folder)), self.path.name)
        first = self._recorded(replaced=None)
        self.first = first
        self.path.write_bytes(SECOND)
        self.beside.write_bytes(SECOND)
        self.record = self._recorded(replaced=first)

    def _recorded(self, replaced):
        seen = describe(str(self.path))
        known = {"size": seen.size, "mtime_ns": seen.mtime_ns, "digest": seen.digest}
        beside = (describe_file(str(self.beside), self.beside.name),)
        return replace(read_record(self.target.record_path), **known, companions=beside, replaced=replaced)

    def condition(self, **options):
        return condition(self.target, self.record, **options)[0]


@pytest.fixture
def made(tmp_path):
    return Made(tmp_path)


def touch(path):
    os.utime(path, ns=(1, 1))


class TestCondition:
    @pytest.mark.parametrize("read", [False, True])
    def test_as_made(self, made, read):
        """What was not touched is good, whether its times are believed or its content read."""

        assert made.condition(read=read).is_good

    @pytest.mark.parametrize("which", ["path", "beside"])
    def test_touched(self, made, which):
        """Other times alone are no change; the record that comes back has those of now."""
        touch(getattr(made, which))
        answer, record = condition(made.target, made.record)

        assert Condition.TOUCHED is answer
        assert (Condition.WHOLE, record) == condition(made.target, record)

    @pytest.mark.parametrize("which", ["path", "beside"])
    def test_changed(self, made, which):
        """Another content of the same size is a change."""
        getattr(made, which).write_bytes(b"SECOND\n")
        touch(getattr(made, which))

        assert Condition.CHANGED is made.condition()

    def test_read(self, made):
        """An edit that sets the times back is seen by whoever reads, and by nobody else."""
        status = os.stat(made.path)
        made.path.write_bytes(b"SECOND\n")
        os.utime(made.path, ns=(status.st_atime_ns, status.st_mtime_ns))

        assert [Condition.WHOLE, Condition.CHANGED] == [made.condition(), made.condition(read=True)]

    @pytest.mark.parametrize("which", ["path", "beside"])
    def test_partial(self, made, which):
        """What is left of an artifact is as it was made."""
        getattr(made, which).unlink()

        assert Condition.PARTIAL is made.condition()

    @pytest.mark.parametrize(("gone", "changed"), [("path", "beside"), ("beside", "path")])
    def test_partly_changed(self, made, gone, changed):
        """What is left of an artifact holds an edit."""
        getattr(made, gone).unlink()
        getattr(made, changed).write_bytes(b"edited\n")

        assert Condition.CHANGED is made.condition()

    def test_gone(self, made):
        """Nothing is left."""
        made.path.unlink()
        made.beside.unlink()

        assert Condition.GONE is made.condition()

    def test_replaced(self, made):
        """What was to be replaced still stands, and is judged by its own record."""
        made.path.write_bytes(FIRST)
        made.beside.write_bytes(FIRST)
        answer, record = condition(made.target, made.record)

        assert answer.is_good
        assert made.first.digest == record.digest

    def test_halfway(self, made):
        """The companion is of the new run, and the artifact of the one before."""
        made.path.write_bytes(FIRST)

        assert Condition.HALFWAY is made.condition()

    def test_other_kind(self, made):
        """A directory where a file was made is a change."""
        made.path.unlink()
        made.path.mkdir()

        assert Condition.CHANGED is made.condition()


class TestAlone:
    """A file with nothing beside it, which is judged in a shorter way; and what a directory is told by."""

    @pytest.mark.parametrize(("content", "times"), [(b"of another size", None), (b"seconD\n", 1)])
    def test_changed(self, tmp_path, content, times):
        """Another size shows though the times are the same, and other content of the same size by its times."""
        path = put(tmp_path, content=SECOND)
        target = Target(Folder(str(tmp_path)), path.name)
        before = path.stat().st_mtime_ns
        path.write_bytes(content)
        os.utime(path, ns=(before, times or before))

        assert Condition.CHANGED == condition(target, read_record(target.record_path))[0]

    def test_names(self, tmp_path):
        """Files of a directory are told by their names too, in one order everywhere."""
        for number in range(50):
            (tmp_path / f"{number:02}").write_bytes(b"same")
        made = describe(str(tmp_path))
        (tmp_path / "49").rename(tmp_path / "50")

        assert [f"{number:02}" for number in range(50)] == [each.path for each in made.files]
        assert made.digest != describe(str(tmp_path)).digest
