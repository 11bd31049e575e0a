"""Checked by mypy and pyright, never run: what editors know of decorated functions."""

import logging
from argparse import Namespace
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal, assert_type

from taggedartifacts import (
    Artifact,
    ArtifactPath,
    Record,
    Tag,
    canonical,
    compare,
    config_hash,
    prune,
    record,
    show_log,
    verify,
    versions,
)


@Artifact("outpath", {"bins": 40}, allow_dirty=True, ignore=("verbose",), inputs=["table"], timeout=3)
def plain(table: str, outpath: str | Path, verbose: bool = False) -> None: ...


assert_type(plain("t.csv", "o.png"), ArtifactPath)
assert_type(plain("t.csv", outpath=Path("o.png"), verbose=True), ArtifactPath)
assert_type(plain.path("t.csv", "o.png"), ArtifactPath)
assert_type(plain.is_cached("t.csv", "o.png"), bool)
assert_type(plain.recompute("t.csv", "o.png"), ArtifactPath)
assert_type(plain("t.csv", "o.png").tag, Tag)
assert_type(plain("t.csv", "o.png").record, Record)
plain(3, "o.png")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
plain("t.csv")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
plain.path("t.csv", "o.png", depth=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


@Artifact("outpath", config=lambda: {"bins": 40})
async def asynchronous(n: int, outpath: str) -> None: ...


async def awaits() -> None:
    assert_type(await asynchronous(1, "o"), ArtifactPath)
    await assert_type(asynchronous(1, "o"), Coroutine[Any, Any, ArtifactPath])
    assert_type(await asynchronous.recompute(1, "o"), ArtifactPath)
    assert_type(asynchronous.path(1, "o"), ArtifactPath)


def count(path: Path) -> int:
    return len(path.read_text())


@Artifact("outpath", load=count)
def loading(n: int, outpath: str) -> None: ...


assert_type(loading(1, "o"), int)
assert_type(loading.path(1, "o"), ArtifactPath)


@Artifact(["one", "other"])
def several(n: int, one: str, other: str) -> None: ...


assert_type(several(1, "a", "b"), tuple[ArtifactPath | Any, ...])
assert_type(several.path(1, "a", "b"), tuple[ArtifactPath | Any, ...])


@Artifact(("png", "csv"), link=True)
def optional(n: int, png: str | None = None, csv: str | None = None) -> None: ...


picture, table = optional(1, png="a.png")
picture.read_bytes()
if table is not None:
    table.read_text()
optional(1, png=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def first(paths: tuple[ArtifactPath, ...]) -> str:
    return paths[0].name


@Artifact(("one", "other"), load=first)
def several_loading(n: int, one: str, other: str) -> None: ...


assert_type(several_loading(1, "a", "b"), str)


@Artifact("source", {"bins": 40}, mode="r")
def reading(source: str) -> float:
    return float(source)


assert_type(reading("o"), float)


class Model:
    @Artifact("outpath", ignore=("self",))
    def method(self, depth: int, outpath: str) -> None: ...


assert_type(Model().method(3, "o"), ArtifactPath)
assert_type(Model.method(Model(), 3, "o"), ArtifactPath)
assert_type(Model().method.path(Model(), 3, "o"), ArtifactPath)
assert_type(Model.method.is_cached(Model(), 3, "o"), bool)
Model().method.path(3, "o")  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]
Model().method("3", "o")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

path = plain("t.csv", "o.png")
assert_type(path.parent, Path)
assert_type(path.parents[0], Path)
assert_type(path / "x", Path)
assert_type(path.joinpath("x"), Path)
assert_type(path.with_name("x"), Path)
assert_type(path.with_stem("x"), Path)
assert_type(path.with_suffix(".x"), Path)

Artifact("outpath", scope=["src", Path("lib")])
Artifact("outpath", allow_dirty="yes")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue,reportArgumentType]
Artifact("outpath", link=True)
Artifact("outpath", {}, True, load=count, link=True, timeout=None)
Artifact("outpath", link="yes")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue,reportArgumentType]
Artifact("outpath", mode="r", link=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
Artifact("outpath", mode="r", load=count)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
Artifact("outpath", ingore=("x",))  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
Artifact("outpath", mode="a")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue,reportArgumentType]

assert_type(plain.__name__, str)
plain.__wrapped__("t.csv", "o.png")


# A function with defaults, ``*args`` and ``**kwargs`` keeps its parameters, in a partial and in a pool too.
@Artifact("outpath", config=Namespace(bins=40), allow_dirty=True, inputs=("tables",), scope=("queries",), repo=".")
def defaults(*tables: str, outpath: Path = Path("o.png"), **settings: float) -> None: ...


assert_type(defaults("a.csv", "b.csv", bins=3.0), ArtifactPath)
assert_type(partial(plain, "t.csv")("o.png"), ArtifactPath)
assert_type(partial(plain.path, "t.csv")("o.png"), ArtifactPath)
defaults(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

with ThreadPoolExecutor() as pool:
    assert_type(pool.submit(plain, "t.csv", "o.png"), Future[ArtifactPath])
    assert_type(pool.submit(plain.recompute, "t.csv", "o.png").result(), ArtifactPath)
    assert_type(list(pool.map(partial(plain, "t.csv"), ["o.png"])), list[ArtifactPath])


@Artifact(("one", "other"), load=first)
async def several_asynchronous(n: int, one: str, other: str) -> None: ...


@Artifact("source", mode="r")
async def reading_asynchronous(source: str) -> float:
    return float(source)


@Artifact(("a", "b"), {"bins": 40}, mode="r")
def reading_several(a: str, b: Path) -> bytes:
    return b.read_bytes()


async def awaits_more() -> None:
    assert_type(await several_asynchronous(1, "a", "b"), str)
    assert_type(await reading_asynchronous("o"), float)


assert_type(reading_several("a", Path("b")), bytes)
assert_type(reading_several.path("a", Path("b")), tuple[ArtifactPath | Any, ...])


# Class methods are not here: neither mypy nor pyright binds them, unless they are functions of their own.
class Kinds:
    @staticmethod
    @Artifact("outpath")
    def of_none(n: int, outpath: str) -> None: ...

    @Artifact("outpath", load=count)
    async def loading(self, n: int, outpath: str) -> None: ...


async def awaits_methods() -> None:
    assert_type(await Kinds().loading(1, "o"), int)


assert_type(Kinds.of_none(1, "o"), ArtifactPath)
assert_type(Kinds.of_none.path(1, "o"), ArtifactPath)


# Questions about artifacts, and values.
assert_type(plain.explain("t.csv", "o.png").outcome, Literal["hit", "miss", "read", "refused"])
assert_type(record("o.png"), Record)
assert_type(record("copy.png", search=Path("figures")).config_hash, str)
assert_type(versions(Path("o.png")), list[ArtifactPath])
assert_type(prune("figures", keep=1, older_than=timedelta(days=30), dry_run=False), list[ArtifactPath])
assert_type([problem.what for problem in verify("figures")], list[str])
assert_type(compare("a.png", Path("b.png")).same_code, bool | None)
assert_type(canonical({"bins": 40}), bytes)
assert_type(config_hash({"bins": 40}), str)
assert_type(Tag.parse("o-8c1f0e92d4-5b7ad3f0c1e2.png").dirty, str | None)
assert_type(ArtifactPath("o-8c1f0e92d4-5b7ad3f0c1e2.png").tag, Tag)
show_log()
show_log(logging.WARNING)


class Grid:
    cells = 3


@canonical.register(Grid)
def describe(grid: Grid) -> object:
    return {"cells": grid.cells}


canonical.register(Grid, lambda grid: grid.cells)
assert_type(describe(Grid()), object)
