"""Memory for repeated calls: bounded in bytes, and by keys that tell apart whatever the canonical form does."""

import threading
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taggedartifacts import ArtifactPath, canonical
from taggedartifacts._call.plain import plain_key

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)


class TestPlainKey:
    @given(PLAIN, PLAIN)
    def test_tells_apart(self, a, b):
        """Two values of one key have one canonical form."""
        assert plain_key(a) != plain_key(b) or canonical(a) == canonical(b)

    @pytest.mark.parametrize(
        ("a", "b"),
        [
            (1, 1.0),
            (1, True),
            (0, False),
            (0.0, -0.0),
            ("1", 1),
            ("a", b"a"),
            ({1: 2}, {True: 2}),
            ([], {}),
            ("", None),
            ("a", Path("a")),
            (Path("a-8c1f0e92d4-5b7ad3f0c1e2.png"), ArtifactPath("a-8c1f0e92d4-5b7ad3f0c1e2.png")),
        ],
    )
    def test_tells_equal_values_apart(self, a, b):
        """Types and signs count, also where Python calls the values equal."""
        assert None is not plain_key([a]) != plain_key([b])

    @given(PLAIN)
    def test_is_stable(self, value):
        """The same value gives the same key again, and one that is changed in place another."""
        held = [value]
        assert plain_key(held) == plain_key(held)
        held.append(1)
        assert plain_key(held) != plain_key([value])

    @pytest.mark.parametrize(
        "value",
        [
            object(),
            len,
            int,
            Path,
            PurePath("a"),
            type("Place", (type(Path()),), {})("a"),
            1j,
            type("Text", (str,), {})("a"),
            type("Number", (int,), {})(1),
            type("Dict", (dict,), {})(),
            threading.Lock(),
            "x" * 100_000,
            list(range(100_000)),
            [b"x" * 10_000, b"y" * 10_000],
        ],
    )
    def test_only_plain_and_small(self, value):
        """Anything else than exact builtin values has none, and neither has what is large."""
        assert plain_key([value]) is None

    def test_registered(self, project):
        """A path counts by how its type was registered, from then on, with the module that describes it."""
        project.write("describing.py", "def describe(path):\n    return path.name\n")
        project.write(
            "work.py",
            """
            from pathlib import PurePath, Path
            from taggedartifacts import Artifact, canonical

            @Artifact(keyword="outpath")
            def f(source, outpath): ...

            before = f.path(Path("a"), "out/f.txt"), f.path(Path("b/a"), "out/f.txt")
            from describing import describe
            canonical.register(PurePath, describe)
            after = f.path(Path("a"), "out/f.txt"), f.path(Path("b/a"), "out/f.txt")
            print(len({*before, *after}))
            """,
        )
        project.commit()

        assert "3" == project.python("work.py").strip()

    def test_endless(self):
        """What is nested too deeply has none; the encoder says what is wrong with it."""
        deep = []
        for _ in range(100_000):
            deep = [deep]

        assert plain_key(deep) is None
        while deep:  # taken apart, because its end would recurse as deeply
            deep = deep[0]
