"""Traffic and advice, as people and programs see them."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console, RenderableType

from ray_router import Advice, LocalTransport, RouterHandle, RouterStats
from ray_router.cli.advice_view import advice_view
from ray_router.cli.plain import advice_summary, router_stats
from ray_router.cli.router_view import router_table
from ray_router.workload import Event, SyntheticTraffic, event_config, play


@pytest.fixture(scope="module")
def router() -> RouterHandle:
    """One that saw traffic, most of it of one room."""
    handle = RouterHandle(LocalTransport(event_config(partitions=2, ttl_s=60.0, capacity=200)))
    events = [
        event._replace(key="slack:acme:busy") if number % 2 else event
        for number, event in enumerate(SyntheticTraffic(3_000, seed=5))
    ]
    play(handle, [Event(*event) for event in events])
    return handle


@pytest.fixture(scope="module")
def stats(router: RouterHandle) -> RouterStats:
    """Its stats."""
    return router.stats().result()


@pytest.fixture(scope="module")
def advice(router: RouterHandle) -> Advice:
    """Its advice."""
    return router.advise().result()


def printed(view: RenderableType, width: int) -> str:
    """A view on a terminal of this width."""
    console = Console(width=width, file=io.StringIO())
    console.print(view)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 140])
def test_a_routers_traffic_is_shown(stats: RouterStats, width: int) -> None:
    """The last minutes, how old routes are when asked for, and what is hot, in the width that there is."""
    text = printed(router_table(stats, Console(width=width, file=io.StringIO())), width)
    for expected in ("10 minutes", "age when asked for", "hottest rooms", "slack:acme:busy", "! room"):
        assert expected in text
    assert all(len(line) <= width for line in text.splitlines())


def test_programs_get_the_traffic_too(stats: RouterStats) -> None:
    """With shares, by partition and in all."""
    found = json.loads(json.dumps(router_stats(stats), allow_nan=False))
    assert found["hottest"]["rooms"][0]["room"] == "slack:acme:busy"
    assert found["hottest"]["rooms"][0]["share"] == pytest.approx(0.5, abs=0.02)
    assert sum(each["share"] for each in found["partitions"]) == pytest.approx(1.0)
    assert [each["span_s"] for each in found["windows"]] == [60.0, 600.0, 3_600.0]
    assert found["findings"] == list(stats.findings)
    assert found["ask_ages"][-1]["up_to_s"] is None


@pytest.mark.parametrize("width", [80, 140])
def test_advice_is_shown_with_its_reasons(advice: Advice, width: int) -> None:
    """What is, what might be, why, and the curves."""
    text = printed(advice_view(advice, Console(width=width, file=io.StringIO())), width)
    for expected in (
        "hit ratio now",
        "ttl_s",
        "max_entries_per_partition",
        "suggested",
        "no limit",
        "! room",
    ):
        assert expected in text
    assert all(len(line) <= width for line in text.splitlines())


def test_programs_get_the_advice_too(advice: Advice) -> None:
    """With what it would change."""
    found = json.loads(json.dumps(advice_summary(advice), allow_nan=False))
    assert "ttl_s" in found["changes"]
    assert found["suggested"]["ttl_s"] == advice.suggested.ttl_s
    assert found["expected"]["hit_ratio"] == advice.expected.hit_ratio
