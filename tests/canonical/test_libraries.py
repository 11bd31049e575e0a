"""Writers that scientists use, through real calls of the real libraries."""

import json

import pytest

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")

HEAD = """
import json
runs = []
def artifact(**options):
    return Artifact("outpath", ignore=("thing",), **options)
"""


def make(project, body, name, thing):
    """Decorate a function with that body, call it twice for *name*, and return the artifact that was made once."""
    work = project.module(f"{HEAD}\n@artifact()\ndef f(thing, outpath):\n    runs.append(1)\n    {body}\n")
    path = work.f(thing, outpath=f"out/{name}")

    assert path == work.f(thing, outpath=f"out/{name}")
    assert [1] == work.runs
    assert [] == project.staged()
    return path


class TestWriters:
    def test_numpy_save(self, project):
        """numpy.save leaves a suffix that is right alone."""
        path = make(project, "__import__('numpy').save(outpath, thing)", "x.npy", np.arange(5))

        assert [0, 1, 2, 3, 4] == np.load(path).tolist()

    def test_numpy_savez(self, project):
        """numpy.savez_compressed likewise."""
        path = make(project, "__import__('numpy').savez_compressed(outpath, a=thing)", "x.npz", np.arange(5))

        assert [0, 1, 2, 3, 4] == np.load(path)["a"].tolist()

    def test_parquet(self, project):
        """pandas writes parquet."""
        pytest.importorskip("pyarrow")
        path = make(project, "thing.to_parquet(outpath)", "t.parquet", pd.DataFrame({"a": [1, 2]}))

        assert [1, 2] == pd.read_parquet(path)["a"].tolist()

    def test_compressed_csv(self, project):
        """pandas takes the compression from the suffix, which is still there."""
        path = make(project, "thing.to_csv(outpath, index=False)", "t.csv.gz", pd.DataFrame({"a": [1, 2]}))

        assert b"\x1f\x8b" == path.read_bytes()[:2]
        assert [1, 2] == pd.read_csv(path)["a"].tolist()

    @pytest.mark.parametrize(("suffix", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
    def test_matplotlib(self, project, suffix, magic):
        """matplotlib takes the format from the suffix."""
        figure = pytest.importorskip("matplotlib.figure").Figure()
        figure.subplots().plot([1, 2])
        path = make(project, "thing.savefig(outpath)", f"p.{suffix}", figure)

        assert path.read_bytes().startswith(magic)

    def test_joblib(self, project):
        """joblib.dump writes one file."""
        joblib = pytest.importorskip("joblib")
        path = make(project, "__import__('joblib').dump(thing, outpath)", "m.joblib", {"a": np.arange(3)})

        assert [0, 1, 2] == joblib.load(path)["a"].tolist()

    def test_shapefile(self, project):
        """A writer of siblings keeps them together, with one stem."""
        body = (
            "stem = Path(outpath).with_suffix('')\n    for suffix in ('.shp', '.shx', '.dbf', '.shp.xml'):\n"
            "        Path(f'{stem}{suffix}').write_text(suffix)"
        )
        path = make(project, body, "roads.shp", None)
        stem = path.name.removesuffix(".shp")

        assert sorted(f"{stem}{suffix}" for suffix in (".dbf", ".shp", ".shp.xml", ".shx")) == project.files()

    def test_directory_of_model_files(self, project):
        """A directory is one artifact."""
        body = (
            "(Path(outpath) / 'layers').mkdir()\n    (Path(outpath) / 'model.json').write_text(json.dumps(thing))\n"
            "    (Path(outpath) / 'layers' / '0.bin').write_bytes(bytes(1000))"
        )
        path = make(project, body, "model/", {"depth": 3})

        assert {"depth": 3} == json.loads((path / "model.json").read_text())
        assert 1000 == (path / "layers" / "0.bin").stat().st_size
