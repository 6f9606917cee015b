"""The hit ratios of recorded logs, as an independent simulator gave them."""

from __future__ import annotations

import pytest

from ray_router.workload import EventLog, simulate

from .logfiles import recorded

ZULIP, WEB07 = "chat/zulip_bytecodealliance.jsonl.gz", "traces/cache2k_web07.csv.gz"


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    ("name", "ttl_s", "capacity", "percent"),
    [
        pytest.param(ZULIP, 300, None, 45.8, marks=pytest.mark.chaos),  # the long form has them all
        pytest.param(ZULIP, 1_800, None, 59.0, marks=pytest.mark.chaos),
        pytest.param(ZULIP, 7_200, None, 69.9, marks=pytest.mark.chaos),
        pytest.param(ZULIP, None, 148, 87.25, marks=pytest.mark.chaos),
        pytest.param(ZULIP, None, 1_482, 88.66, marks=pytest.mark.chaos),
        pytest.param(WEB07, None, 205, 39.17, marks=pytest.mark.chaos),
        (WEB07, None, 2_048, 55.67),
    ],
)
def test_the_hit_ratio_of_a_recorded_log(
    name: str, ttl_s: float | None, capacity: int | None, percent: float
) -> None:
    """Sliding TTL without a bound, and LRU without expiry, in one partition; within 0.1 points."""
    log = EventLog(recorded(name))
    result = simulate(log, ttl_s, capacity)
    assert 100 * result.hit_ratio == pytest.approx(percent, abs=0.1)
    assert log.bad == 0
    assert (result.events, result.sessions) == {ZULIP: (134_359, 14_816), WEB07: (76_118, 20_484)}[name]
