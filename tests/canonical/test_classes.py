"""Classes that functions define: they count by all that they consist of."""

from __future__ import annotations

import abc
import dataclasses
import enum
import functools
import sys
import typing

import cloudpickle
import pytest

from taggedartifacts import UnhashableError, canonical

LIMIT = 3


def plain(body=0, held=0, default=0, entry=0, base=object, **options):
    class Local(base, **options):
        bins = entry

        def step(self, x=default):
            return x + held + LIMIT

        if body:

            def step(self, x=default):
                return x - held

    return Local


def members(kind):
    class Local:
        if kind == "property":

            @property
            def size(self):
                return 1
        elif kind == "setter":

            @property
            def size(self):
                return 1

            @size.setter
            def size(self, value):
                pass
        elif kind == "cached":

            @functools.cached_property
            def size(self):
                return 1
        elif kind == "static":

            @staticmethod
            def size(self):
                return 1
        elif kind == "class":

            @classmethod
            def size(self):
                return 1
        elif kind == "abstract":

            @abc.abstractmethod
            def size(self):
                return 1
        else:

            def size(self):
                return 1

    return Local


def of_data(default=1, **options):
    metadata = options.pop("metadata", {})
    factory = options.pop("factory", list)
    kind = options.pop("kind", int)

    @dataclasses.dataclass(**options)
    class Local:
        depth: int = dataclasses.field(default=default, metadata=metadata)
        layers: list = dataclasses.field(default_factory=factory)

        def scaled(self):
            return self.depth

    Local.__annotations__["more"] = kind
    return Local


def of_members(second=2, kind=enum.Enum):
    class Local(kind):
        ONE = 1
        TWO = second

        def scaled(self):
            return self.value

    return Local


def of_a_tuple(default=1, **fields):
    class Local(typing.NamedTuple):
        depth: int = default

        def scaled(self):
            return self.depth

    return Local


def of_overloads(kind=int, more=1):
    class Local:
        @functools.singledispatchmethod
        def size(self, value):
            return 0

        @size.register(kind)
        def _(self, value):
            return more

        @size.register(list)
        def _(self, value):
            return 2

    return Local


def of_slots(names):
    class Local:
        __slots__ = names

    return Local


def of_attrs(default=1, **options):
    attrs = pytest.importorskip("attrs")
    validator = options.pop("validator", None)

    @attrs.define(**options)
    class Local:
        depth: int = attrs.field(default=default, validator=validator)

    return Local


def in_a_circle(n):
    class Local:
        def again(self):
            return Local, super(), n

    Local.first = Local()
    return Local


class Meta(type):
    pass


Bound = plain()

# Classes that differ from each other in one place, of each kind.
KINDS = {
    "plain": [
        *(plain(), plain(body=1), plain(held=1), plain(default=1), plain(entry=1), plain(base=Exception)),
        *(plain(base=plain()), plain(metaclass=Meta), plain(metaclass=abc.ABCMeta)),
    ],
    "members": [members(kind) for kind in ("", "property", "setter", "cached", "static", "class", "abstract")],
    "dataclass": [
        *(of_data(), of_data(default=2), of_data(frozen=True), of_data(order=True), of_data(eq=False)),
        *(of_data(metadata={"unit": "K"}), of_data(factory=lambda: [1]), of_data(slots=True), of_data(kind=float)),
        *(of_data(repr=False), of_data(kw_only=True), of_data(match_args=False), of_data(unsafe_hash=True)),
    ],
    "enumeration": [of_members(), of_members(3), of_members(1), of_members(kind=enum.IntEnum)],
    "named tuple": [of_a_tuple(), of_a_tuple(2)],
    "overloads": [of_overloads(), of_overloads(str), of_overloads(more=3)],
    "slots": [of_slots(("a",)), of_slots(("b",)), of_slots(("a", "b")), of_slots(())],
    "circle": [in_a_circle(1), in_a_circle(2)],
}


def example(kind):
    """Make an instance of a class."""
    return next(iter(kind)) if issubclass(kind, enum.Enum) else kind()


class TestClasses:
    @pytest.mark.parametrize("kinds", KINDS.values(), ids=KINDS)
    def test_they_differ(self, kinds):
        """Classes that differ in one place have different forms, and so have their instances."""
        values = [*kinds, *(example(kind) for kind in kinds)]

        assert len(values) == len({canonical(value) for value in values})

    @pytest.mark.parametrize(
        "make",
        [plain, lambda: members("setter"), of_data, of_members, of_a_tuple, lambda: in_a_circle(1)],
        ids=["plain", "members", "dataclass", "enumeration", "named tuple", "circle"],
    )
    def test_they_agree(self, make):
        """A class that its function makes again has the same form, and in a process that it was sent to by value."""
        kind = make()
        expected = [canonical(kind), canonical(example(kind))]
        again = make()
        sent = cloudpickle.loads(cloudpickle.dumps(make()))

        assert expected == [canonical(again), canonical(example(again))]
        assert expected == [canonical(sent), canonical(example(sent))]

    def test_attrs(self):
        """The fields and options of attrs count."""
        kinds = [of_attrs(), of_attrs(2), of_attrs(validator=plain), of_attrs(frozen=True), of_attrs(order=True)]

        assert len(kinds) == len({canonical(kind) for kind in kinds})
        assert canonical(of_attrs()()) == canonical(of_attrs()())

    def test_what_they_read(self, monkeypatch):
        """The globals that the methods read count."""
        before = canonical(plain())
        monkeypatch.setattr(sys.modules[__name__], "LIMIT", 4)

        assert before != canonical(plain())

    def test_what_was_set(self):
        """What is set on the class later counts."""
        changed = plain()
        changed.bins = 1

        assert canonical(plain()) != canonical(changed) == canonical(plain(entry=1))

    def test_bound(self):
        """A class that its module binds to a name counts by that name, and so do its instances."""
        assert b'{"$class":"test_classes:Bound"}' == canonical(Bound)
        assert b'{"$object":["test_classes:Bound",{}]}' == canonical(Bound())

    def test_instances_hold_instances(self):
        """Instances of a class that holds such instances are no circle."""
        kind = plain()
        kind.bins = kind()

        assert canonical([kind(), kind()]) != canonical([kind()])

    def test_compiled(self):
        """A class of a library that compiles what its classes do is refused with what to do."""
        pydantic = pytest.importorskip("pydantic")

        class Local(pydantic.BaseModel):
            depth: int = 1

        for value in (Local, Local()):
            with pytest.raises(UnhashableError, match=r"Local has no canonical form.* define the class in a module"):
                canonical(value)

    def test_place(self):
        """What has no form in such a class is refused with the place."""
        kind = plain()
        kind.bins = object()

        with pytest.raises(UnhashableError, match=r"^value → \.model\.bins: an object of type builtins\.object"):
            canonical({"model": kind()})
