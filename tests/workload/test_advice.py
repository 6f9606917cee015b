"""Advice on recorded logs: what it suggests is what simulations show to be right."""

from __future__ import annotations

from itertools import islice

import pytest

from ray_router import LocalTransport, RouterHandle
from ray_router.workload import EventLog, Grid, Simulation, event_config, play, simulate, sweep

from .logfiles import recorded

ZULIP = "chat/zulip_bytecodealliance.jsonl.gz"
GITTER = "chat/gitter_appium_gitter.jsonl.gz"
A_STEP_LESS = 0.85  # suggestions are rounded up by at most a tenth


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    ("name", "first"),
    [
        pytest.param(ZULIP, None, marks=pytest.mark.chaos),
        pytest.param(GITTER, None, marks=pytest.mark.chaos),
        (GITTER, 10_000),
    ],
)
def test_it_suggests_the_smallest_settings_within_a_point(name: str, first: int | None) -> None:
    """After a log, or its first events, at a capacity of 1 % of its sessions and a TTL of 5 minutes.

    With what it suggests a simulation is within a point of no limits at all; with a TTL a step less, or half
    the capacity, it is not (where capacity suffices, the curve is so flat that a few entries are one event
    in ten thousand); and the hit ratio that it predicted is within a tenth of a point of the simulated one.
    """
    events = list(islice(EventLog(recorded(name)), first))
    sessions = len({str(key) for _, key, _ in events})
    simulation = Simulation(event_config(ttl_s=300.0, capacity=sessions // 100), insight=True)
    for at, key, route in events:
        simulation.add(at, str(key), route.text)
    advice = simulation.advise()
    ttl_s, capacity = advice.suggested.ttl_s, advice.suggested.max_entries_per_partition
    assert ttl_s is not None
    grid = Grid((ttl_s, ttl_s * A_STEP_LESS, None), (capacity, capacity // 2, None))
    real = {(each.ttl_s, each.capacity): each.hit_ratio for each in sweep(events, grid).points}
    limit = real[None, None]
    assert real[ttl_s, capacity] >= limit - 0.01
    assert real[ttl_s * A_STEP_LESS, None] < limit - 0.01
    assert real[ttl_s, capacity // 2] < limit - 0.01
    assert advice.expected.hit_ratio == pytest.approx(real[ttl_s, capacity], abs=0.001)
    assert advice.limit.hit_ratio == pytest.approx(limit, abs=0.001)
    assert advice.measured == pytest.approx(advice.expected_now.hit_ratio, abs=0.001)
    assert advice.expected.uncertainty < 0.02


@pytest.mark.usefixtures("unmeasured")
def test_a_live_router_gives_the_same_advice() -> None:
    """As one in a simulation: on several partitions, through a handle."""
    log = list(islice(EventLog(recorded(GITTER)), 10_000))
    sessions = len({str(key) for _, key, _ in log})
    config = event_config(partitions=2, ttl_s=300.0, capacity=sessions // 100)
    handle = RouterHandle(LocalTransport(config))
    play(handle, log)
    advice = handle.advise().result()
    best = advice.suggested
    real = simulate(log, best.ttl_s, 2 * best.max_entries_per_partition, 2).hit_ratio
    assert advice.expected.hit_ratio == pytest.approx(real, abs=0.01)
    assert real >= simulate(log, None, None, 2).hit_ratio - 0.012


@pytest.mark.usefixtures("unmeasured")
def test_a_room_with_most_of_the_traffic_is_named() -> None:
    """By stats and by advice, with its share and with what it does to the balance."""
    log = EventLog(recorded(ZULIP))
    simulation = Simulation(event_config(partitions=4, ttl_s=300.0), insight=True)
    uses = 0
    for at, key, route in islice(log, 15_000):
        uses += str(key).split(":")[2] == "git-wasmtime"
        simulation.add(at, str(key), route.text)
    advice, stats = simulation.advise(), simulation.result().stats
    share = uses / stats.traffic.resolves
    hottest = stats.load.rooms[0]
    assert hottest.room == "zulip:bytecodealliance.zulipchat.com:git-wasmtime"
    assert stats.load.share(hottest.uses) == pytest.approx(share, abs=0.03)
    assert stats.imbalance > 2.5
    named, *others = stats.findings
    said = stats.load.share(hottest.uses)
    assert named.startswith(f"room {hottest.room} has {said:.0%} of the traffic")
    assert any("times the mean of 4" in finding for finding in others)
    assert any(f"that is because of {hottest.room}" in finding for finding in others)
    assert advice.findings == stats.findings


def test_an_event_is_what_it_is() -> None:
    """The advice of a simulation is about the events that it was given so far."""
    simulation = Simulation(event_config(ttl_s=10.0), insight=True)
    simulation.add(0.0, "a:b:c", "r")
    assert simulation.advise().asks == 1
    simulation.add(1.0, "a:b:c", "r")
    assert simulation.advise().asks == 2
