"""Binding: the interpreter's own, so a decorated function takes exactly the arguments that it takes undecorated."""

import inspect

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from taggedartifacts._call.binding import binder

KINDS = sorted(inspect._ParameterKind)
NAMES = ["a", "b", "c", "parameters", "self", "größe"]


@st.composite
def signatures(draw):
    """Any signature that Python allows, with defaults that are no literals."""
    kinds = sorted(draw(st.lists(st.sampled_from(KINDS), max_size=len(NAMES))))
    parameters, needs_default = [], False
    for name, kind in zip(NAMES, kinds, strict=False):
        several = kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        if several and kind in [each.kind for each in parameters]:
            continue
        positional = kind < inspect.Parameter.VAR_POSITIONAL
        with_default = not several and ((positional and needs_default) or draw(st.booleans()))
        needs_default = needs_default or (positional and with_default)
        default = object() if with_default else inspect.Parameter.empty
        parameters.append(inspect.Parameter(name, kind, default=default, annotation="anything"))
    return inspect.Signature(parameters, return_annotation=int)


def bound(signature, args, kwargs):
    """What the standard library binds, or None where the arguments do not fit."""
    try:
        found = signature.bind(*args, **kwargs)
    except TypeError:
        return None
    found.apply_defaults()
    return list(found.arguments.items())


class TestBinder:
    @given(signatures(), st.lists(st.integers(), max_size=5), st.dictionaries(st.sampled_from(NAMES), st.integers()))
    def test_binds_as_inspect_does(self, signature, args, kwargs):
        """Whatever the signature, the arguments are sorted as the standard library sorts them, or refused likewise."""
        named = {each.name for each in signature.parameters.values() if each.kind is inspect.Parameter.POSITIONAL_ONLY}
        assume(not named & set(kwargs))  # which the standard library gets wrong beside **kwargs, up to Python 3.12
        bind = binder("f", signature)
        expected = bound(signature, args, kwargs)
        try:
            actual = list(bind(*args, **kwargs).items())
        except TypeError:
            actual = None

        assert expected == actual

    def test_positional_only_name_goes_into_kwargs(self):
        """The name of a positional-only parameter is free for ``**kwargs``, as the language has it."""

        def f(a=1, /, **rest): ...

        assert {"a": 1, "rest": {"a": 2}} == binder("f", inspect.signature(f))(a=2)

    def test_error_names_the_function(self):
        """Arguments that do not fit are refused in the words that the undecorated function would have used."""

        def f(a, *, b): ...

        with pytest.raises(TypeError) as expected:
            f(1, 2, b=3)
        with pytest.raises(TypeError) as actual:
            binder(f.__qualname__, inspect.signature(f))(1, 2, b=3)

        assert str(expected.value) == str(actual.value)
