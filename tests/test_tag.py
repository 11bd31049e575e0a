"""The tag: naming, and reading names back."""

from dataclasses import astuple

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from taggedartifacts import ArtifactNameError, Tag
from taggedartifacts._tag import is_tagged, split_name, tagged_name, untagged_name


def hexes(count):
    return st.text("0123456789abcdef", min_size=count, max_size=count)


TAGS = st.builds(Tag, hexes(10), st.none() | hexes(10), hexes(12))
CLEAN = Tag("1a2b3c4d5e", None, "0f9e8d7c6b5a")
DIRTY = Tag("1a2b3c4d5e", "aaaabbbb00", "0f9e8d7c6b5a")
NAMES = st.one_of(
    st.text(st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1),
    # Stems and suffixes that look like tags, or like parts of one.
    st.lists(st.sampled_from([str(CLEAN), str(DIRTY), "-", ".", "dirty", "a", "gz", "1a2b3c4d5e", ".tar.gz"])).map(
        "".join
    ),
).filter(lambda name: name.strip(".") and "/" not in name)


class TestTag:
    def test_clean(self):
        """A clean tag is commit and config."""
        assert "1a2b3c4d5e-0f9e8d7c6b5a" == str(CLEAN)

    def test_dirty(self):
        """A dirty tag says so and identifies the changes."""
        assert "1a2b3c4d5e-dirty-aaaabbbb00-0f9e8d7c6b5a" == str(DIRTY)

    @pytest.mark.parametrize("path", ["hist-{}.png", "/a/b/hist-{}.png", "x/hist-{}/", "hist-{}", "..a-{}.csv.gz"])
    @pytest.mark.parametrize("tag", [CLEAN, DIRTY])
    def test_parse(self, path, tag):
        """The tag is read back from any path that ends in a tagged name."""
        assert tag == Tag.parse(path.format(tag))

    @pytest.mark.parametrize(
        "name",
        ["hist.png", "", "hist-1a2b3c4d5e.png", "hist-1A2B3C4D5E-0f9e8d7c6b5a.png", f"{CLEAN}.png", f"x-{CLEAN}0.png"],
    )
    def test_parse_nothing(self, name):
        """A name without a tag is a ValueError that shows the name."""
        with pytest.raises(ValueError, match="no tag in the name") as error:
            Tag.parse(name)

        assert repr(name) in str(error.value)

    @pytest.mark.parametrize("path", [None, 3, b"hist-1a2b3c4d5e-0f9e8d7c6b5a.png"])
    def test_parse_no_path(self, path):
        """What is no path is a TypeError that shows it."""
        with pytest.raises(TypeError, match="a tagged path must be a str or a path, not"):
            Tag.parse(path)

    @pytest.mark.parametrize("fields", [(1, 2, 3), ("1a2b3c4d5e", None, None), ("1a2b3c4d5e", b"1a2b3c4d5e", "0" * 12)])
    def test_fields_are_strings(self, fields):
        """A field that is no string is refused as any other that could not be read back."""
        with pytest.raises(ValueError, match=r"of a tag must be \d+ lower-case hex digits, not"):
            Tag(*fields)

    @pytest.mark.parametrize("fields", [("1a2b", None, "0f9e8d7c6b5a"), ("1a2b3c4d5e", "x" * 10, "0f9e8d7c6b5a")])
    def test_fields_are_checked(self, fields):
        """A tag that could not be read back cannot be made."""
        with pytest.raises(ValueError, match="of a tag must be"):
            Tag(*fields)


class TestNames:
    @pytest.mark.parametrize(
        ("name", "stem", "suffix"),
        [
            ("hist.png", "hist", ".png"),
            ("results_0.5.csv", "results_0.5", ".csv"),
            ("a.tar.gz", "a", ".tar.gz"),
            ("brain.nii.gz", "brain", ".nii.gz"),
            ("all.tar.zst", "all", ".tar.zst"),
            ("all.tar.Z", "all", ".tar.Z"),
            ("calls.vcf.bgz", "calls", ".vcf.bgz"),
            ("sky.fits.fz", "sky", ".fits.fz"),
            ("cells.ome.tif", "cells", ".ome.tif"),
            ("cells.OME.TIFF", "cells", ".OME.TIFF"),
            ("cells.ome.zarr", "cells", ".ome.zarr"),
            (".ome.tif", ".ome", ".tif"),
            ("cells.tome.tif", "cells.tome", ".tif"),
            ("A.CSV.GZ", "A", ".CSV.GZ"),
            ("only.gz", "only", ".gz"),
            ("Makefile", "Makefile", ""),
            (".bashrc", ".bashrc", ""),
            (".bashrc.gz", ".bashrc", ".gz"),
            ("odd.", "odd", "."),
            ("été 1.png", "été 1", ".png"),
        ],
    )
    def test_split(self, name, stem, suffix):
        """The suffix is the last one, with the one before it when the last is a compression."""
        assert (stem, suffix) == split_name(name)

    @given(NAMES, TAGS)
    @example("a.b-1a2b3c4d5e-0f9e8d7c6b5a", CLEAN)
    @example("-1a2b3c4d5e-dirty", CLEAN)
    def test_round_trip(self, name, tag):
        """Whatever name is tagged, tag and name are read back as they were."""
        try:
            tagged = tagged_name(name, astuple(tag))
        except ArtifactNameError:
            assume(False)

        assert is_tagged(tagged)
        assert (tag, name) == (Tag.parse(tagged), untagged_name(tagged))

    @given(NAMES, NAMES, TAGS, TAGS)
    def test_different_stays_different(self, name, other, tag, another):
        """No two pairs of name and tag give the same tagged name."""
        assume((name, tag) != (other, another))
        try:
            tagged, different = tagged_name(name, astuple(tag)), tagged_name(other, astuple(another))
        except ArtifactNameError:
            assume(False)

        assert tagged != different

    def test_misleading_stem(self):
        """A stem behind which a clean tag would read as a dirty one is refused."""
        with pytest.raises(ArtifactNameError, match="would read as a dirty one"):
            tagged_name("x-1a2b3c4d5e-dirty.png", astuple(CLEAN))

        assert DIRTY == Tag.parse(tagged_name("x-1a2b3c4d5e-dirty.png", astuple(DIRTY)))

    @given(st.text())
    def test_parse_anything(self, text):
        """Any text either has a tag or is a ValueError, nothing else."""
        try:
            assert isinstance(Tag.parse(text), Tag)
        except ValueError:
            assert not is_tagged(text)
