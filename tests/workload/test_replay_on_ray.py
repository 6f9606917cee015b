"""A whole log through real actors gives what a simulation gives, event by event."""

from __future__ import annotations

from itertools import islice

import pytest

from ray_router import ResolutionSource, deploy, shutdown
from ray_router.workload import EventLog, closing_stats, event_config, play, simulate

from .logfiles import recorded


class Answers:
    """The source of each event's resolution and whether it was stale, one byte each."""

    def __init__(self) -> None:
        self.seen = bytearray()

    def __call__(self, number: int, source: ResolutionSource, stale: bool) -> None:
        if number >= len(self.seen):
            self.seen.extend(bytes(number + 1 - len(self.seen)))
        assert not self.seen[number]
        self.seen[number] = 1 + 2 * list(ResolutionSource).index(source) + stale


@pytest.mark.ray
@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("chat/gitter_appium_gitter.jsonl.gz", 12_000),
        pytest.param("chat/gitter_appium_gitter.jsonl.gz", None, marks=pytest.mark.chaos),
        pytest.param("chat/zulip_bytecodealliance.jsonl.gz", 134_359, marks=pytest.mark.chaos),
    ],
)
def test_a_replay_of_a_log_equals_its_simulation(
    ray_cluster: str, namespace: str, name: str, events: int | None
) -> None:
    """On 4 partitions: each answer, each count of each partition, and what is held at the end."""
    log = list(islice(EventLog(recorded(name)), events))
    simulated, replayed = Answers(), Answers()
    result = simulate(log, 1_800.0, None, 4, recorder=simulated)
    config = event_config(name="replay", partitions=4, ttl_s=1_800.0)
    router = deploy(config, namespace=namespace)
    try:
        tally = play(router, log, recorder=replayed)
        stats = closing_stats(router, tally)
    finally:
        shutdown("replay", namespace=namespace)
    assert tally == result.tally
    assert replayed.seen == simulated.seen
    assert (stats.holdings, stats.traffic) == (result.stats.holdings, result.stats.traffic)
    assert tally.events == len(log)
    assert tally.unanswered == 0
