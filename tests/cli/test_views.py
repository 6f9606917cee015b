"""What people see: as much as fits, in words, with nothing made up."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from math import inf

import pytest
from rich.console import Console, RenderableType

from ray_router import (
    Confidence,
    FallbackReason,
    Freshness,
    Holdings,
    HotRoom,
    Origin,
    PartitionLoad,
    PartitionStats,
    PressureLevel,
    RebalancePlan,
    Resolution,
    ResolutionSource,
    Route,
    RouteRecord,
    RouterStats,
    Scope,
    SessionKey,
    SlotMove,
    Traffic,
)
from ray_router.cli.explanation_view import explanation_view
from ray_router.cli.plain import fields_of, plain, router_stats, rungs
from ray_router.cli.rebalancing import rebalance_fields, rebalance_view
from ray_router.cli.router_view import router_table
from ray_router.cli.run_view import RunReport, run_table
from ray_router.cli.session_view import record_view, resolution_view
from ray_router.cli.watching import rates_between
from ray_router.testing import local_router
from ray_router.workload import PartitionTally, Tally, event_config

STATS = RouterStats(
    "chat",
    1,
    (
        PartitionStats(
            0,
            incarnation=3,
            node="10.0.0.7",
            pid=4711,
            capacity=1_000,
            slots=8_192,
            pressure=0.9,
            level=PressureLevel.DEGRADED,
            waiting_s=0.0123,
            ghosts=321,
            table_bytes=1_234_567,
            holdings=Holdings(live=900, stale=50, tombstones=50),
            traffic=Traffic(resolves=200, exact=150, scope=20, misses=30, pressure_changes=3),
        ),
        PartitionStats(1, available=False),
    ),
)


def printed(view: RenderableType, width: int = 140) -> list[str]:
    """A view, as lines of a terminal of this width."""
    console = console_of(width)
    console.print(view)
    output = console.file
    assert isinstance(output, io.StringIO)
    return [line.rstrip() for line in output.getvalue().splitlines()]


def console_of(width: int) -> Console:
    """A terminal of this width."""
    return Console(width=width, file=io.StringIO())


def words(lines: list[str], beginning: str) -> list[str]:
    """The words of the line that begins thus."""
    return next(line.split() for line in lines if line.lstrip().startswith(beginning))


def test_a_router_is_shown_by_partition() -> None:
    """Where each is, which life it lives, what it holds and how it answers; one that is down is named."""
    lines = printed(router_table(STATS, console_of(140)))
    assert lines[0] == "router chat, epoch 1 · 1 of 2 partitions up · pressure degraded, 3 changes of level"
    assert lines[1].startswith("sessions: 900 live, 50 stale, 50 expired")
    assert " ".join(words(lines, "0 ")) == (
        "0 yes 10.0.0.7 · 4711 3 8,192 1,000 / 1,000 ████████ 100% 100% 75.0% - 10.0% 12.3 ms degraded 0.90"
    )
    assert words(lines, "1 ") == ["1", "no"]


def test_memory_and_ghosts_are_shown_where_there_is_room() -> None:
    """What the sessions take in all stands above the table, and by partition where it is wide enough."""
    lines = printed(router_table(STATS, console_of(200)), 200)
    assert "memory: 1.2 MB" in lines[1]
    assert {"memory", "ghosts", "waiting"} <= set(words(lines, "partition"))
    assert "100% 1.2 MB 321 100%" in " ".join(words(lines, "0 "))


def test_rates_are_shown_where_they_were_measured() -> None:
    """A partition whose rate is not known says so."""
    assert words(printed(router_table(STATS, console_of(160), {0: (12.4, 1_234.0)})), "0 ")[-4:-2] == [
        "12",
        "1,234",
    ]
    assert words(printed(router_table(STATS, console_of(160), {})), "0 ")[-4:-2] == ["?", "?"]


@pytest.mark.parametrize("width", [80, 100, 120, 140])
def test_a_router_fits_the_terminal(width: int) -> None:
    """Columns that can be spared are left out, and none is cut."""
    for rates in (None, {0: (12.4, 1_234.0)}):
        lines = printed(router_table(STATS, console_of(width), rates), width)
        assert all(len(line) <= width for line in lines)
        assert not any("…" in line for line in lines)
        assert "degraded" in " ".join(words(lines, "0 "))


TALLY = Tally(
    4,
    3,
    0,
    0.0,
    86_400.0,
    (PartitionTally(0, hits=1, misses=2, stale=1, last_key="a"), PartitionTally(2, scope=1)),
)


@pytest.mark.parametrize("width", [80, 140])
def test_a_run_is_shown_by_partition_and_in_all(width: int) -> None:
    """Where it is narrow, what there was none of is left out."""
    report = RunReport(
        event_config(), TALLY, RouterStats("x", 1, (PartitionStats(0, holdings=Holdings(7)),)), 2.0
    )
    lines = printed(run_table(report, console_of(width)), width)
    titles = words(lines, "partition")
    assert ("alternate" in titles) is (width == 140)
    assert {"partition", "events", "hit", "scope", "miss", "stale", "live"} <= set(titles)
    row = dict(zip(" ".join(titles).replace("hit %", "hit%").split(), words(lines, "all"), strict=True))
    assert (row["events"], row["hit"], row["hit%"], row["live"]) == ("4", "1", "25.0%", "7")
    assert words(lines, "2 ")[:4] == ["2", "1", "0", "0.0%"]
    assert "25.0% of 4 events found their session's own route fresh" in lines
    assert "3 sessions · 1970-01-01 to 1970-01-02 · 2 events/s, 2.0 s" in lines


def test_a_run_says_how_many_calls_were_not_answered() -> None:
    """Only then."""
    tally = Tally(1, 1, 1)
    lines = printed(run_table(RunReport(event_config(), tally, RouterStats("x", 1, ()), 0.0), console_of(80)))
    assert lines[-1] == "1 call answered by no partition"


ANSWER = Resolution(
    key=SessionKey("telegram", "bot", "room", "thread"),
    route=Route("-100", "7", metadata={"lang": "de"}),
    source=ResolutionSource.SCOPE,
    reason=FallbackReason.STALE,
    stale=True,
    confidence=Confidence.INHERITED,
    matched_scope=Scope.ROOM,
    age_s=5.25,
    expires_in_s=inf,
    partition=3,
    epoch=1,
)


def test_an_answer_says_where_to_and_how_it_was_found() -> None:
    """In the words of the model."""
    lines = printed(resolution_view(ANSWER))
    assert lines[0] == "-100 · thread 7 · lang de"
    found = {line.split("  ")[0]: line.split("  ")[-1].strip() for line in lines[1:]}
    assert found == {
        "session": "telegram:bot:room:thread",
        "source": "scope (stale)",
        "confidence": "inherited",
        "scope": "room",
        "stale": "yes",
        "age": "5.2 s",
        "expires in": "never",
        "partition": "3",
    }


def test_an_explanation_shows_every_rung_below_the_answer() -> None:
    """With its routes and why each was taken or passed over; for programs too."""
    router = local_router()
    router.set("tg:bot:room", Route("there")).result()
    router.set("tg:bot:*", Route("lobby")).result()
    explained = router.explain("tg:bot:room:thread", [Route("reception")]).result()
    lines = printed(explanation_view(explained))
    assert lines[0] == "there"
    shown = "\n".join(lines)
    for rung in explained.rungs:
        assert rung.source.value in shown
        assert rung.note in shown
        assert all(each.why in shown for each in rung.candidates)
    assert "the caller" in shown
    listed = rungs(explained)
    assert [each["source"] for each in listed] == ["exact", "alternate", "scope", "provided", "stale", "none"]
    assert "this is the answer" in json.dumps(listed, allow_nan=False)


def test_no_answer_is_said_so() -> None:
    """Instead of a route."""
    none = Resolution(
        ANSWER.key,
        None,
        ResolutionSource.NONE,
        FallbackReason.MISS,
        False,
        Confidence.NONE,
        None,
        None,
        None,
        0,
        1,
    )
    assert printed(resolution_view(none))[0] == "no route"


def test_a_record_says_what_is_stored() -> None:
    """And whether it is held back."""
    record = RouteRecord(
        key=SessionKey("a", "b", "c"),
        route=Route("r"),
        freshness=Freshness.STALE,
        observed_at=1_700_000_000.5,
        age_s=60.0,
        expires_in_s=-1.0,
        origin=Origin.OPERATOR,
        alternates=(Route("r2"),),
        failed=True,
    )
    text = "\n".join(printed(record_view(record)))
    for expected in (
        "stale, held back by a failed delivery",
        "operator",
        "2023-11-14 22:13:20.500+00:00",
        "-1.0 s",
        "r2",
    ):
        assert expected in text


def test_programs_get_names_and_null() -> None:
    """Enums by name, keys as text, what never ends as null: every value is JSON."""
    found = fields_of(ANSWER)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["key"] == "telegram:bot:room:thread"
    assert (found["source"], found["confidence"], found["matched_scope"]) == ("scope", "inherited", "room")
    assert found["expires_in_s"] is None
    assert found["route"] == {
        "external_room_id": "-100",
        "external_thread_id": "7",
        "channel": None,
        "instance": None,
        "metadata": {"lang": "de"},
    }
    assert plain([1, True, None, "text", 0.5]) == [1, True, None, "text", 0.5]


def test_programs_get_what_follows_from_a_routers_stats() -> None:
    """As people see it."""
    found = router_stats(STATS)
    assert json.dumps(found, allow_nan=False)
    assert (found["down"], found["level"], found["hit_ratio"]) == ([1], "degraded", 0.75)
    partitions = found["partitions"]
    assert isinstance(partitions, list)
    assert {
        "restarts": 2,
        "entries": 1_000,
        "fallback_ratio": 0.1,
        "level": "degraded",
    }.items() <= partitions[0].items()


def test_rates_are_differences_between_two_looks() -> None:
    """Not where a partition was restarted in between, for it counts anew."""
    restarted = replace(STATS.partitions[0], partition=2, incarnation=4)
    before = RouterStats("chat", 1, (*STATS.partitions, replace(restarted, incarnation=3)))
    later = replace(STATS.partitions[0], traffic=Traffic(resolves=260, stored=30, refreshed=10))
    now = RouterStats("chat", 1, (later, STATS.partitions[1], restarted))
    assert rates_between(before, now, 2.0) == {0: (30.0, 20.0)}


def test_a_rebalance_is_a_table_and_reasons() -> None:
    """What it is for, what it makes of each partition, and the rooms that it cannot help."""
    plan = RebalancePlan(
        (SlotMove(4, 0, 1, 0.2),),
        (PartitionLoad(0, 0.8, 0.6, 8_192, 8_191), PartitionLoad(1, 0.2, 0.4, 8_192, 8_193)),
        1_000.0,
        1.2,
        (HotRoom("irc:net:hot", 7, 600.0),),
        "partition 0 has too much",
        1,
    )

    def drawn(shown: RebalancePlan) -> str:
        return "\n".join(printed(rebalance_view(shown, console_of(160)), 160))

    shown = drawn(plan)
    assert "planned" in shown
    assert "1.60, after 1 moves 1.20, and the least that slots allow is 1.20" in shown
    assert "partition 0 has too much" in shown
    assert "8,193" in shown
    assert "room irc:net:hot has 60% of the traffic" in shown
    assert "done" in drawn(replace(plan, done=True))
    assert "nothing to do" in drawn(replace(plan, moves=()))
    data = json.loads(json.dumps(rebalance_fields(plan), allow_nan=False))
    assert (data["imbalance"], data["expected"], data["best"], len(data["findings"])) == (1.6, 1.2, 1.2, 1)
    assert data["moves"] == [{"slot": 4, "source": 0, "target": 1, "share": 0.2}]
