"""Canonical forms of the standard library's types, of instances, and of functions and classes by name."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import datetime
import decimal
import enum
import functools
import multiprocessing
import os
import sys
import types
import zoneinfo
from collections import OrderedDict, namedtuple
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import addict
import attrs
import box
import cloudpickle
import omegaconf
import pandas
import pydantic
import pytest
import pytz

from taggedartifacts._canonical.encoding import canonical, encode
from taggedartifacts._errors import UnhashableError
from taggedartifacts._path import ArtifactPath

UTC = datetime.UTC


class TestTimes:
    def test_own_name_of_a_zone(self):
        """A name that a time zone was given shows in what is written, so it counts; its usual one does not."""
        hour = datetime.timedelta(hours=1)
        zones = [datetime.timezone(hour, name) for name in ("CET", "UTC+01:00", "A")]

        assert canonical(datetime.timezone(hour)) == canonical(zones[1])
        assert 3 == len({canonical(zone) for zone in zones})
        assert canonical(datetime.timezone(datetime.timedelta(0), "Zulu")) == canonical(datetime.UTC)

    def test_zones_count_by_name(self):
        """A zone counts by its name, not by the offset that a database gives for it today."""
        moment = datetime.datetime(2024, 7, 1)
        summer = datetime.timezone(datetime.timedelta(hours=2))
        forms = {
            canonical(moment.replace(tzinfo=zone)) for zone in (None, UTC, summer, zoneinfo.ZoneInfo("Europe/Berlin"))
        }

        assert len(forms) == 4

    def test_utc_is_one(self):
        """All spellings of UTC are equal."""
        moment = datetime.datetime(2024, 7, 1)

        assert canonical(moment.replace(tzinfo=UTC)) == canonical(moment.replace(tzinfo=zoneinfo.ZoneInfo("UTC")))

    def test_zones_without_name(self):
        """A zone that cannot be named is refused."""

        class Local(datetime.tzinfo):
            def utcoffset(self, moment):
                return None

        with pytest.raises(UnhashableError, match="use zoneinfo"):
            canonical(datetime.datetime(2024, 1, 1, tzinfo=Local()))

    def test_zones_of_pytz(self):
        """A time of pytz equals that of zoneinfo, on both sides of a change of clocks, alone and as a Timestamp."""
        berlin, wall = pytz.timezone("Europe/Berlin"), datetime.datetime(2024, 10, 27, 2, 30)
        for fold, is_dst in ((0, True), (1, False)):
            expected = canonical(wall.replace(tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"), fold=fold))
            moment = berlin.localize(wall, is_dst=is_dst)

            assert expected == canonical(moment)
            assert expected == canonical(pandas.Timestamp(moment))
        assert canonical(wall.replace(tzinfo=UTC)) == canonical(wall.replace(tzinfo=pytz.utc))
        assert canonical(datetime.time(1, tzinfo=UTC)) == canonical(datetime.time(1, tzinfo=pytz.utc))

    @pytest.mark.parametrize("value", [datetime.datetime(2024, 1, 1), datetime.time(1)])
    def test_offsets_that_the_zone_does_not_have(self, value):
        """A time whose zone of pytz was put on without localize, so that its offset is another, is refused."""
        with pytest.raises(UnhashableError, match="use zoneinfo"):
            canonical(value.replace(tzinfo=pytz.timezone("Europe/Berlin")))

    def test_zones_that_are_not_known_here(self, monkeypatch):
        """A time of pytz in a zone that this computer does not know is refused with the remedy."""
        moment = pytz.timezone("Europe/Vienna").localize(datetime.datetime(2024, 1, 1))
        monkeypatch.setattr(moment.tzinfo.__class__, "zone", "Europe/Nowhere")

        with pytest.raises(UnhashableError, match="Europe/Nowhere is known here; install tzdata"):
            canonical(moment)


class TestPaths:
    def test_artifacts_count_by_name(self):
        """An artifact counts by its file name with its tag, wherever it lies; no other path or string does."""
        name = "hist-1a2b3c4d5e-0f9e8d7c6b5a.png"

        assert canonical(ArtifactPath(f"a/{name}")) == canonical(ArtifactPath(f"/b/{name}"))
        assert 5 == len({canonical(v) for v in (ArtifactPath(name), Path(name), name, Path(f"a/{name}"), f"a/{name}")})

    def test_paths_count_as_written(self):
        """A path counts as it is written, whatever lies on the disk."""
        assert canonical(Path("a/../b")) != canonical(Path("b"))


class Handmade(Mapping):
    def __init__(self, items):
        self.items_ = items

    def __getitem__(self, key):
        return self.items_[key]

    def __iter__(self):
        return iter(self.items_)

    def __len__(self):
        return len(self.items_)


class Short(tuple):
    _fields = ("a",)


class Settings(dict):
    pass


class SlottedSettings(dict):
    __slots__ = ("seed",)


class UserOrdered(OrderedDict):
    @functools.cached_property
    def size(self):
        return len(self)


class Mirrored(dict):
    def __init__(self, **items):
        super().__init__(items)
        vars(self).update(items)


class Itself(dict):
    def __init__(self, **items):
        super().__init__(items)
        self.__dict__ = self


class TestMappings:
    @pytest.mark.parametrize(
        "make",
        [OrderedDict, types.MappingProxyType, collections.ChainMap, omegaconf.OmegaConf.create],
        ids=lambda make: make.__name__,
    )
    def test_equal_the_dict(self, make):
        """These mappings equal the dict of their items."""
        items = {"a": 1, "b": {"c": [1, "x"]}}

        assert canonical(items) == canonical(make(items))

    def test_other_mappings(self):
        """Any other mapping is an instance, whose items may be the least of it."""
        one, two = (Handmade({"a": 1}) for _ in "ab")
        two.unit = "K"

        assert 3 == len({canonical(value) for value in ({"a": 1}, one, two)})

    def test_factories(self):
        """What a defaultdict gives for a missing key counts."""
        factories = (None, list, int, lambda: 0, lambda: 1)
        forms = [canonical(collections.defaultdict(factory, a=1)) for factory in factories]

        assert len(factories) == len({canonical({"a": 1}), *forms}) - 1

    @pytest.mark.parametrize("kind", [Settings, SlottedSettings, UserOrdered])
    def test_attributes_beside_the_items(self, kind):
        """Attributes that were set on a dict of a class of one's own count beside its items, in whatever way it has."""
        one, two = kind(a=1), kind(a=1)
        one.seed, two.seed = 1, 2

        assert canonical(kind(a=1)) == canonical(kind(a=1))
        assert 4 == len({canonical(value) for value in (one, two, {"a": 1}, kind(a=1))})
        assert f'{{"$object":["test_standard:{kind.__name__}",{{"seed":1}},{{"a":1}}]}}' == canonical(one).decode()

    @pytest.mark.parametrize("kind", [Mirrored, Itself])
    def test_items_that_are_attributes_too(self, kind):
        """Items that a dict keeps as attributes as well count once, and others beside them count."""
        value, other = (kind(a=1, b=[2]) for _ in "ab")

        assert f'{{"$object":["test_standard:{kind.__name__}",{{}},{{"a":1,"b":[2]}}]}}'.encode() == canonical(value)
        other.__dict__["a"] = 3
        assert canonical(other) != canonical(value)

    def test_items_whose_keys_are_no_names(self):
        """A dict that is its own attributes may have any key."""
        value = Itself()
        value[1] = "x"

        assert canonical(value).endswith(b'{"$dict":[[1,"x"]]}]}')

    @pytest.mark.parametrize("make", [addict.Dict, box.Box, box.SBox])
    def test_books_that_libraries_keep(self, make):
        """What libraries note on dicts of theirs, whose attributes are items, does not count."""
        items = {"a": 1, "b": {"c": 1.5}}

        assert canonical(items) == canonical(make(items))

    def test_interpolations(self):
        """An OmegaConf value counts as what it stands for."""
        config = omegaconf.OmegaConf.create({"a": 1, "b": "${a}", "l": [1, 2]})

        assert canonical({"a": 1, "b": 1, "l": [1, 2]}) == canonical(config)

    @pytest.mark.parametrize("missing", ["???", "${nowhere}"])
    def test_values_that_are_missing(self, missing):
        """An OmegaConf value that is not there is refused."""
        config = omegaconf.OmegaConf.create({"a": {"b": missing}})

        with pytest.raises(UnhashableError, match=r"^config → \.model\.a: "):
            encode({"model": config}, "config")


@dataclasses.dataclass
class Model:
    depth: int
    rate: float = 0.5

    @functools.cached_property
    def cost(self):
        return self.depth * self.rate


@dataclasses.dataclass(slots=True)
class Slotted:
    depth: int


@attrs.define
class Attrs:
    depth: int


@attrs.define(frozen=True, cache_hash=True)
class AttrsWithCaches:
    depth: int

    @functools.cached_property
    def cost(self):
        return 2.0 / self.depth


class SlotsBelowAttrs(AttrsWithCaches):
    __slots__ = ("more",)


class Pydantic(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    depth: int
    _secret: int = pydantic.PrivateAttr(default=1)


Tuple = namedtuple("Tuple", "depth")  # the untyped spelling counts as well


class Color(enum.Enum):
    RED = 1


class Token(enum.Enum):
    NONE = object()


class Celsius(float):
    pass


class Tagged(list):
    pass


def local_dataclass(factor):
    @dataclasses.dataclass
    class Local:
        depth: int = 1

        def scaled(self):
            return self.depth * factor

    return Local()


def local_enum(factor):
    class Local(enum.Enum):
        ONE = 1

        def scaled(self):
            return self.value * factor

    return Local.ONE


def local_tuple(factor):
    class Local(NamedTuple):
        depth: int = 1

        def scaled(self):
            return self.depth * factor

    return Local()


def local_float(factor):
    class Local(float):
        def scaled(self):
            return self * factor

    return Local(1)


class TestInstances:
    def test_types_count(self):
        """Instances with the same fields of different types differ, and from a dict of the fields."""
        values = [
            Model(1),
            Slotted(1),
            Attrs(1),
            Pydantic(depth=1),
            Tuple(1),
            argparse.Namespace(depth=1),
            {"depth": 1},
        ]

        assert len(values) == len({canonical(value) for value in values})

    @pytest.mark.parametrize("make", [Slotted, Attrs, Tuple, Model, lambda depth: Pydantic(depth=depth)])
    def test_fields_count(self, make):
        """Equal fields are equal, different ones differ."""
        assert canonical(make(1)) == canonical(make(1))
        assert canonical(make(1)) != canonical(make(2))

    def test_other_attributes_count(self):
        """An attribute that was set on an instance beside its fields counts; a cached property does not."""
        plain, looked_at, changed = Model(1), Model(1), Model(1)
        assert looked_at.cost == 0.5
        changed.extra = 1

        assert canonical(plain) == canonical(looked_at)
        assert canonical(plain) != canonical(changed)

    def test_caches_of_attrs(self):
        """A cached property and the hash that attrs keeps in slots neither count nor are computed for it."""
        fresh, used = AttrsWithCaches(2), AttrsWithCaches(2)
        assert hash(used)
        assert used.cost == 1.0

        assert b'{"$object":["test_standard:AttrsWithCaches",{"depth":2}]}' == canonical(fresh)
        assert canonical(fresh) == canonical(used)
        assert b'{"$object":["test_standard:AttrsWithCaches",{"depth":0}]}' == canonical(AttrsWithCaches(0))

    def test_slots_below_attrs(self):
        """The slots that a subclass declares beyond the fields of attrs count."""
        one, two = SlotsBelowAttrs(2), SlotsBelowAttrs(2)
        object.__setattr__(one, "more", 1)

        assert canonical(one) != canonical(two)

    @pytest.mark.parametrize("kind", [argparse.Namespace, types.SimpleNamespace])
    def test_names_that_look_like_caches(self, kind):
        """An attribute of a class that attrs did not make counts, whatever its name is."""
        names = ("_attrs_dir", "_attrs_cached_hash")

        assert 4 == len({canonical(kind(**{name: value})) for name in names for value in "ab"})

    def test_pydantic_keeps_nothing_back(self):
        """Extra fields and private attributes of a model count."""
        private = Pydantic(depth=1)
        private._secret = 2

        assert 3 == len({canonical(value) for value in (Pydantic(depth=1), Pydantic(depth=1, more=2), private)})

    def test_place_of_a_field(self):
        """The place of a refused field reads like the way one would reach it."""
        with pytest.raises(UnhashableError, match=r"^config → \.models\[0\]\.depth: "):
            encode({"models": [Model(object())]}, "config")

    @pytest.mark.parametrize("make", [local_dataclass, local_enum, local_tuple, local_float])
    def test_local_classes(self, make):
        """An instance of a local class counts with the variables that its methods hold of the function around it."""
        assert canonical(make(2)) == canonical(make(2)) != canonical(make(3))

    def test_classes_that_were_defined_again(self, monkeypatch):
        """An instance that was made before its class was defined again, with other methods perhaps, is refused."""
        model = Model(3)
        assert canonical(model)
        monkeypatch.setattr(sys.modules[__name__], "Model", type("Model", (Model,), {}))

        with pytest.raises(UnhashableError, match="Model is another class now"):
            canonical(model)

    def test_classes_that_no_name_gives(self, monkeypatch):
        """An instance whose class is not found under its name is refused, unless it was sent by value to a worker."""
        expected = canonical(Model(3))
        model = Model(3)
        monkeypatch.delattr(sys.modules[__name__], "Model")
        with pytest.raises(UnhashableError, match="that name does not give its class"):
            canonical(model)

        monkeypatch.setitem(cloudpickle.cloudpickle._DYNAMIC_CLASS_TRACKER_BY_CLASS, type(model), "id")
        assert expected == canonical(model)

    def test_enums(self):
        """A member counts by class, name and value, so that it differs from its value."""
        assert canonical(Color.RED) != canonical(1)
        with pytest.raises(UnhashableError, match=r"\.value: "):
            canonical(Token.NONE)

    def test_subclasses_of_built_ins(self):
        """A subclass of a built-in type differs from the plain value, and its attributes count."""
        tagged = Tagged([1])
        tagged.unit = "K"

        assert canonical(Celsius(1)) != canonical(1.0)
        assert 3 == len({canonical(value) for value in (Tagged([1]), [1], tagged)})

    def test_tuples_that_hold_more(self):
        """A tuple whose class names fewer fields than there are, or hides some, is refused."""
        for value in (os.stat("."), Short((1, 2))):
            with pytest.raises(UnhashableError):
                canonical(value)

    def test_decimals(self):
        """Decimals that are equal but compute differently differ, in every context."""
        with decimal.localcontext() as context:
            context.capitals = 0
            lower = canonical(decimal.Decimal("1E+9"))

        assert canonical(decimal.Decimal("1E+9")) == lower
        assert canonical(decimal.Decimal("1.0")) != canonical(decimal.Decimal("1.00"))


def test_locks_of_processes():
    """A lock between processes is refused."""
    with pytest.raises(UnhashableError, match="synchronises"):
        canonical(multiprocessing.Lock())
