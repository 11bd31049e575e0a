"""Values that science passes: equal ones are equal in every process, different ones differ, the rest is refused."""

from __future__ import annotations

import json
import os
import pickle
import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import value_table
from value_table import LIBRARIES, available

from taggedartifacts import UnhashableError, canonical, config_hash
from taggedartifacts._canonical.held import _BOOKKEEPING
from taggedartifacts._canonical.refused import REFUSED as REFUSED_BY_NAME

HERE = Path(value_table.__file__).parent


def rows():
    """Make the rows of all libraries that are there, and a skipped one for each of the others."""
    for name in LIBRARIES:
        if available(name):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for row in LIBRARIES[name][1]():
                    yield pytest.param(row, id=f"{name}: {row.what}")
        else:
            yield pytest.param(None, id=name, marks=pytest.mark.skip(f"{name} is not installed"))


ROWS = list(rows())
COUNTED = [each for each in ROWS if each.values[0] is None or each.values[0].refused is None]
REFUSED = [each for each in ROWS if each.values[0] is not None and each.values[0].refused is not None]


@pytest.mark.filterwarnings("ignore")
class TestLibraries:
    @pytest.mark.parametrize("row", COUNTED)
    def test_equal_and_different(self, row):
        """A value equals one that is made in the same way, and differs from each of the others."""
        forms = [canonical(make()) for make in (row.make, *row.others)]

        assert forms[0] == canonical(row.make())
        assert len(forms) == len(set(forms))

    @pytest.mark.parametrize("row", COUNTED)
    def test_use_does_not_count(self, row):
        """Looking at a value, or using it, does not change its hash; neither does sending it through pickle."""
        value = row.make()
        expected = canonical(value)
        if row.use is not None:
            row.use(value)

        assert expected == canonical(value)
        try:
            sent = pickle.loads(pickle.dumps(value))
        except (pickle.PicklingError, AttributeError, TypeError):
            return
        assert expected == canonical(sent)

    @pytest.mark.parametrize("row", REFUSED)
    def test_refused(self, row):
        """What stands for something else, or changes by being used, is refused with what to do instead."""
        value = row.make()

        with pytest.raises(UnhashableError, match=row.refused):
            config_hash({"a": [value]})
        if isinstance(value, sqlite3.Connection):
            value.close()  # from Python 3.13 on it warns if it has to close itself

    def test_processes_agree(self):
        """Two processes with different hash seeds give the same hashes for all of them."""
        results = []
        for seed in ("1", "20261"):
            environment = {**os.environ, "PYTHONPATH": str(HERE.parent.parent), "PYTHONHASHSEED": seed}
            done = subprocess.run(
                [sys.executable, HERE / "value_table.py"], env=environment, capture_output=True, check=True, text=True
            )
            results.append(json.loads(done.stdout))

        assert results[0] == results[1]


class TestPage:
    """The page on values in the documentation."""

    TEXT = " ".join((HERE.parent.parent / "docs" / "values.rst").read_text(encoding="utf-8").replace("``", "").split())

    @pytest.mark.parametrize("name", LIBRARIES)
    def test_libraries(self, name):
        """The page lists every library and each of its values."""
        assert f"* - {name} - " in self.TEXT
        if available(name):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert [] == [row.what for row in LIBRARIES[name][1]() if row.what not in self.TEXT]

    def test_left_out(self):
        """The specification lists for each class what is left out of its instances."""
        page = (HERE.parent.parent / "docs" / "config-hash.rst").read_text(encoding="utf-8")
        page = " ".join(page.replace("``", "").split())

        missing = [f"{name} - {', '.join(sorted(names))}" for name, names in _BOOKKEEPING.items()]
        assert [] == [each for each in missing if each not in page]

    @pytest.mark.parametrize("refused", REFUSED_BY_NAME, ids=lambda refused: f"{refused.library}: {refused.names[0]}")
    def test_refused(self, refused):
        """The page lists what is refused by name, with what to do instead."""
        assert refused.library in self.TEXT
        assert refused.remedy in self.TEXT

    def test_names(self):
        """A star stands only at the end of a name, where alone it means something."""
        assert [] == [name for refused in REFUSED_BY_NAME for name in refused.names if "*" in name[:-1]]
