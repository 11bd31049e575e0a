"""Values of every kind that JSON nearly has, for hypothesis to choose from."""

from hypothesis import strategies as st

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(10**400), max_value=10**400),
    st.floats(),
    st.sampled_from([0.0, -0.0, 5e-324, float("nan"), float("inf"), 1e16, 1e21, 1e-7]),
    st.text(st.characters(codec=None), max_size=8),
    st.sampled_from(["$set", "$", "\ud83d\ude00", "\U0001f600", "\\ud800", '"', "[", ","]),
    st.binary(max_size=70),
)
KEYS = st.one_of(
    st.integers(-3, 3), st.text(st.characters(codec=None), max_size=3), st.sampled_from(["$set", "$dict", "a"])
)
NESTED = st.recursive(
    SCALARS | st.frozensets(st.integers() | st.text(max_size=3), max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
