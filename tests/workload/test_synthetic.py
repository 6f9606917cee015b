"""Made-up traffic: the same for the same seed, skewed, and with sessions that come back late."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

import pytest

from ray_router import InvalidCallError, Route, SessionKey
from ray_router.workload import Event, SyntheticTraffic, simulate


def test_a_seed_gives_the_same_traffic_everywhere() -> None:
    """Again, and elsewhere: the first events of seed 7 are written down here."""
    traffic = SyntheticTraffic(messages=500, seed=7)
    assert [*traffic] == [*traffic] == [*SyntheticTraffic(messages=500, seed=7)]
    assert [*traffic] != [*SyntheticTraffic(messages=500, seed=8)]
    assert len(traffic) == len([*traffic]) == 500
    first = [(round(at - traffic.start, 3), str(key)) for at, key, _ in islice(traffic, 3)]
    assert first == [
        (67.619, "telegram:bot_1:room_0"),
        (200.263, "whatsapp:support:user_15"),
        (206.867, "telegram:bot_1:user_0"),
    ]


def test_time_goes_on_and_takes_about_as_long_as_it_should() -> None:
    """Messages come as a Poisson process."""
    traffic = SyntheticTraffic(messages=5_000, seed=1, span_s=1_000.0)
    times = [event.at for event in traffic]
    assert times == sorted(times)
    assert times[-1] - traffic.start == pytest.approx(1_000.0, rel=0.1)


def test_routes_lead_back_to_where_a_message_came_from() -> None:
    """To its room, and to its thread."""
    for _, key, route in SyntheticTraffic(messages=200):
        assert isinstance(key, SessionKey) and key.room is not None
        assert route == Route(key.room, key.thread)


def test_few_sessions_are_busy() -> None:
    """The busiest room has many times the messages of the median one."""
    rooms = Counter(str(event.key).rsplit(":thread", 1)[0] for event in SyntheticTraffic(messages=10_000))
    counts = sorted(rooms.values())
    assert counts[-1] > 20 * counts[len(counts) // 2]


def test_it_has_all_that_a_router_can_be_asked() -> None:
    """Hits, misses, threads that their room answers for, and sessions past their time."""
    total = simulate(SyntheticTraffic(messages=5_000), 1_800.0, None).tally.total
    assert min(total.hits, total.misses, total.scope, total.stale) > 100


def test_shares_are_what_they_are_set_to() -> None:
    """Kinds of sessions, and late returns, can be had alone."""

    def scopes(**shares: Any) -> set[str]:
        traffic = SyntheticTraffic(messages=500, late_share=0.0, **shares)
        return {str(event.key).split(":")[-1].split("_")[0] for event in traffic}

    assert scopes(thread_share=1.0, direct_share=0.0) == {"thread"}
    assert scopes(thread_share=0.0, direct_share=1.0) == {"user"}
    assert scopes(thread_share=0.0, direct_share=0.0) == {"room"}


def test_a_late_return_is_to_who_was_silent_for_longest() -> None:
    """And only after the time that was set."""
    traffic = SyntheticTraffic(messages=2_000, late_share=1.0, late_after_s=600.0, span_s=7_200.0)
    last: dict[Any, Event] = {}
    late = 0
    for event in traffic:
        longest = min(last.values(), default=None)
        if longest is not None and event.at - longest.at >= 600.0:
            assert event.key == longest.key
            late += 1
        last[event.key] = event
    assert late > 100


@pytest.mark.parametrize(
    "wrong", [{"messages": -1}, {"rooms": 0}, {"thread_share": 0.9}, {"late_share": 1.1}, {"span_s": -1.0}]
)
def test_what_makes_no_traffic_is_refused(wrong: dict[str, Any]) -> None:
    """By the name of the argument."""
    with pytest.raises(InvalidCallError, match=next(iter(wrong))):
        SyntheticTraffic(**wrong)
