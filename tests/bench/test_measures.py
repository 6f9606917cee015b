"""The measures, at a small scale: what they report, and that it comes from what they did."""

from __future__ import annotations

import gc
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from ray_router.bench import targets
from ray_router.bench.catalogue import MEASURES
from ray_router.bench.hit_ratios import hit_ratios, recorded
from ray_router.bench.measure import Figure, Report
from ray_router.bench.paper import SESSIONS
from ray_router.bench.redis_server import RedisServer, redis_missing, running_redis
from ray_router.bench.sessions import key_of, route_of
from ray_router.bench.stage import Stage
from ray_router.core.eviction import POLICIES
from ray_router.core.slots import SLOTS

_SMALL = 1e-6  # every measure has a least size
_ROUNDS = {"memory": 1, "expiry-calls": 1, "cold": 1}  # each of their rounds deploys anew


class Run(NamedTuple):
    """A measure that was taken: how, what it reported, and the progress that it made."""

    name: str
    stage: Stage
    report: Report
    progress: list[float]

    def figure(self, name: str, at: float | str | None = None) -> Figure:
        """The figure of this name, at a place."""
        (found,) = [each for each in self.report.figures if each.name == name and at in (None, each.at)]
        return found


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer | None]:
    """A Redis, where one is installed."""
    if redis_missing():
        yield None
        return
    with running_redis() as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded log and a trace, of 100 rooms, some of them busier than others."""
    data = tmp_path_factory.mktemp("data")
    rooms = [(number * number) % 101 for number in range(1_000)]
    (data / "chat").mkdir()
    messages = [
        json.dumps({"ts": float(number), "channel": "irc", "instance": "net", "room": f"r{room}"})
        for number, room in enumerate(rooms)
    ]
    (data / "chat" / "made_up.jsonl").write_text("\n".join(messages))
    (data / "traces").mkdir()
    requests = [f"{number},r{room},1" for number, room in enumerate(rooms)]
    (data / "traces" / "made_up_too.csv").write_text("\n".join(["timestamp,key,size", *requests]))
    return data


@pytest.fixture(scope="module")
def stage(redis: RedisServer | None, folder: Path) -> Stage:
    """The smallest there is."""
    return Stage(rounds=2, scale=_SMALL, redis=redis, data=folder, namespace=f"test_bench_{os.getpid()}")


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.usefixtures("ray_cluster")
def test_a_measure(name: str, stage: Stage) -> None:
    """It is taken once, and all that is said of it holds."""
    progress: list[float] = []
    own = replace(stage, rounds=_ROUNDS.get(name, stage.rounds), progress=progress.append)
    gc.freeze()  # a measure collects its garbage, not that of all the tests before
    try:
        run = Run(name, own, MEASURES[name].take(own), progress)
    finally:
        gc.unfreeze()
    it_reports_its_figures(run)
    it_says_how_far_it_is(run)
    ratios_are_of_figures_of_the_same_round(run)
    redis_is_beside_or_its_absence_is_said(run)
    figures_come_from_what_was_done(run)


def it_reports_its_figures(run: Run) -> None:
    """Every figure has its name, its unit and its numbers; a name stands once at each place of the axis."""
    report = run.report
    assert report.measure == run.name
    assert report.question.endswith("?")
    assert report.figures or report.skipped
    assert all(each.unit and each.rounds for each in report.figures)
    assert all(min(each.rounds) >= 0 for each in report.figures if each.unit != "points")
    places = [(each.name, each.at) for each in report.figures]
    assert len(set(places)) == len(places)
    assert any(each.at is not None for each in report.figures) <= (report.axis is not None)


def it_says_how_far_it_is(run: Run) -> None:
    """Progress grows, and ends at the whole."""
    assert run.progress == sorted(run.progress)
    assert run.progress[-1:] == ([1.0] if run.report.figures else [])


def ratios_are_of_figures_of_the_same_round(run: Run) -> None:
    """And of the same place on the axis."""
    checked = 0
    for each in run.report.figures:
        over, _, under = each.name.partition(" over ")
        pair = [
            [other for other in run.report.figures if (other.name, other.at) == (name, each.at)]
            for name in (over, under)
        ]
        if each.unit == "ratio" and all(pair):
            (above,), (below,) = pair
            assert above.unit == below.unit
            assert each.rounds == pytest.approx(
                [one / other for one, other in zip(above.rounds, below.rounds, strict=True)]
            )
            checked += 1
    beside = run.stage.redis is not None and MEASURES[run.name].beside_redis and run.name != "single"
    assert checked >= beside


def redis_is_beside_or_its_absence_is_said(run: Run) -> None:
    """By those measures that would have it."""
    named = any("redis" in each.name.lower() for each in run.report.figures)
    said = any(each.what == "Redis" for each in run.report.skipped)
    assert (named, said) == (
        MEASURES[run.name].beside_redis and run.stage.redis is not None,
        MEASURES[run.name].beside_redis and run.stage.redis is None,
    )


def figures_come_from_what_was_done(run: Run) -> None:
    """Of each measure something that it could not have made up."""
    match run.name:
        case "single":
            resolve, bare = run.figure("resolve, p50"), run.figure("bare actor call, p50")
            of_both = run.figure("resolve over bare actor call, p50")
            assert of_both.rounds == pytest.approx(
                [one / other for one, other in zip(resolve.rounds, bare.rounds, strict=True)]
            )
            assert of_both.target == targets.SINGLE_OVER_BARE_CALL
        case "concurrency":
            assert {each.at for each in run.report.figures} == {1, 10}
        case "batch":
            assert {each.at for each in run.report.figures} == {10}
        case "mixed":
            assert {each.at for each in run.report.figures} == {0.0, 0.1, 0.5}
        case "table-sizes":
            assert {each.at for each in run.report.figures} == {100}
        case "processes":
            assert {each.at for each in run.report.figures} == {1, 2}
        case "memory":
            assert "1,000 routes" in run.report.question
        case "garbage":
            longest = run.figure("partition, longest of all").median
            assert longest >= run.figure("partition, longest by itself").median
            assert longest > 0
        case "expiry-storm":
            middles, ends = run.figure("resolve, median").rounds, run.figure("resolve, longest").rounds
            assert all(end >= middle > 0 for end, middle in zip(ends, middles, strict=True))
        case "expiry-calls":
            worst, tail = run.figure("resolve, longest meanwhile"), run.figure("resolve, p99 meanwhile")
            assert worst.median >= tail.median > 0
        case "hot-keys":
            sizes = run.figure("memory at checkpoints").rounds
            assert run.figure("entries held").rounds == (50.0,)
            growth = run.figure("memory at the end over memory after a tenth")
            assert growth.median == pytest.approx(sizes[-1] / sizes[0])  # bytes there, megabytes here
            assert len(sizes) == 10
        case "hit-ratios":
            assert {each.at for each in run.report.figures} == {1, 10}
            for log, policy in ((log, policy) for log in ("made_up", "made_up_too") for policy in POLICIES):
                assert run.figure(f"{log}, {policy}", 1).median < run.figure(f"{log}, {policy}", 10).median
        case "telemetry":
            off = run.figure("resolve_many here, off over resolve_many here, unwatchable")
            assert off.target == targets.OFF_OVER_UNWATCHABLE
            for name in ("Ray's metrics", "metrics", "metrics and traces"):
                on = run.figure(f"resolve_many, {name} over resolve_many, off")
                assert on.target == targets.WATCHED_OVER_OFF
            assert run.figure("resolve_many, off again over resolve_many, off").rounds
        case "rebalance":
            assert {each.at for each in run.report.figures} == {4, 8}
            before, after = (
                run.figure("zipf 1.2: largest load over mean, before", 4),
                run.figure("zipf 1.2: after", 4),
            )
            assert after.median < before.median
            assert run.figure("zipf 1.2: slots moved", 4).median > 0
        case "paper":
            assert run.figure("calls to connect", 4).rounds == (1.0,)
            assert run.figure("a topology on the wire", 4).median > 2 * SLOTS
            moved = SLOTS - 4 * (SLOTS // 14 + 1)  # four of fourteen, who keep what is left over
            assert run.figure("slots that one node more takes", 4).median == moved
            letter = run.figure("a session in a letter").median
            assert letter > len(key_of(0)) + len(route_of(0))
            letters = run.figure("letters that one node more takes", 4).median
            assert letters == pytest.approx(SESSIONS * moved / SLOTS * letter)
        case "standbys":
            copied = run.figure("set_many, async over set_many, no copies")
            assert copied.target == targets.COPIED_WRITES
        case "recovery":
            assert "of 100 routes" in run.report.question
        case "kills":
            for durability in ("sync", "async"):
                figures = {each.name: each for each in run.report.figures if each.at == durability}
                assert figures["kills"].rounds == (1.0,)
                assert figures["writes acknowledged"].median > 20
                assert figures["writes lost of which nobody says so"].rounds == (0.0,)
                assert figures["calls not answered"].rounds == (0.0,)
                assert figures["resolve, longest"].median >= figures["resolve, p99.9"].median > 0
            assert run.figure("writes lost", "sync").rounds == (0.0,)
        case "soak":
            assert run.figure("kills").median >= 2
            assert run.figure("sessions written").median > 200
            assert run.figure("calls not answered").rounds == (0.0,)
        case "cold":
            assert run.figure("look-ups").rounds == (1.0,)
            assert run.figure("calls").rounds == (2.0,)


def test_what_is_not_there_is_skipped_with_a_reason(stage: Stage, tmp_path: Path) -> None:
    """Data, settings of another release."""
    nowhere = hit_ratios(replace(stage, data=None))
    nothing = hit_ratios(replace(stage, data=tmp_path))
    assert (nowhere.figures, nothing.figures) == ((), ())
    assert "RAY_ROUTER_DATA" in nowhere.skipped[0].reason
    assert str(tmp_path) in nothing.skipped[0].reason


def test_logs_come_before_traces(folder: Path) -> None:
    """By name within each."""
    assert [each.name for each in recorded(folder)] == ["made_up.jsonl", "made_up_too.csv"]


def test_redis_that_is_not_installed_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """With how to get it."""
    monkeypatch.setattr(shutil, "which", lambda program: None)
    assert "apt-get install" in str(redis_missing())
    without = Stage(redis_missing="it is not installed")
    assert [each.reason for each in without.redis_skipped] == ["it is not installed"]
