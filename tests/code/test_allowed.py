"""Code that is not committed: refused, unless the decorator, the process or the project allows it."""

import pytest
from cases import WRITE

from taggedartifacts import (
    DirtyRepositoryError,
    RepositoryError,
    ScopeError,
)


class TestDirty:
    def test_refused(self, project):
        """Code that is not committed is refused at the call, before it runs."""
        work = project.module(WRITE.replace(", allow_dirty=True", ""))
        project.write("other.csv", "x = 1\n")
        project.commit()
        project.write("other.csv", "x = 2\n")
        work = project.load(project.path / "work.py")

        with pytest.raises(DirtyRepositoryError, match=r"other\.csv"):
            work.f(1, "out/f.txt")
        assert [] == work.runs

    def test_allowed(self, project, caplog):
        """With ``allow_dirty`` it runs, the tag says dirty, and the log says so once."""
        project.write("other.csv", "x = 1\n")
        project.module(WRITE)
        project.write("other.csv", "x = 2\n")
        work = project.load(project.path / "work.py")
        path = work.f(1, "out/f.txt")
        work.f(2, "out/f.txt")

        assert path.tag.dirty is not None
        assert path == work.f(1, "out/f.txt")
        assert 1 == caplog.text.count("code is not committed")
        assert "other.csv" in caplog.text
        project.write("other.csv", "x = 1\n")
        assert project.load(project.path / "work.py").f.path(1, "out/f.txt").tag.dirty is None

    def test_allowed_to_all_by_the_process(self, project, monkeypatch):
        """TAGGEDARTIFACTS_ALLOW_DIRTY=1 allows it to all functions; the tag says dirty all the same."""
        project.commit()
        work = project.module(WRITE.replace(", allow_dirty=True", ""), commit=False)
        for value in ("", "0"):
            monkeypatch.setenv("TAGGEDARTIFACTS_ALLOW_DIRTY", value)
            with pytest.raises(DirtyRepositoryError, match="TAGGEDARTIFACTS_ALLOW_DIRTY=1"):
                work.f(1, "out/f.txt")
            assert "refused" == work.f.explain(1, "out/f.txt").outcome
        monkeypatch.setenv("TAGGEDARTIFACTS_ALLOW_DIRTY", "yes")
        with pytest.raises(RepositoryError, match=r"'yes': set it to 1"):
            work.f(1, "out/f.txt")
        monkeypatch.setenv("TAGGEDARTIFACTS_ALLOW_DIRTY", "1")

        assert work.f(1, "out/f.txt").tag.dirty is not None
        assert "hit" == work.f.explain(1, "out/f.txt").outcome

    def test_allowed_to_all_by_the_project(self, project, monkeypatch):
        """So does the project's setting, unless the process says otherwise; a wrong one is an error."""
        project.write("pyproject.toml", "[tool.taggedartifacts]\nallow_dirty = true\n")
        project.commit()
        work = project.module(WRITE.replace(", allow_dirty=True", ""), commit=False)

        assert work.f(1, "out/f.txt").tag.dirty is not None
        monkeypatch.setenv("TAGGEDARTIFACTS_ALLOW_DIRTY", "0")
        with pytest.raises(DirtyRepositoryError):
            work.f(1, "out/f.txt")
        project.write("pyproject.toml", "[tool.taggedartifacts]\nallow_dirty = 1\n")
        with pytest.raises(ScopeError, match=r"'allow_dirty' in .* must be true or false, not 1"):
            project.load(project.path / "work.py").f(1, "out/f.txt")
