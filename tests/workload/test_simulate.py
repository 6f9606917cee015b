"""Simulating gives what playing gives, event by event, and what a plain count says it should."""

from __future__ import annotations

from collections import OrderedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router import InvalidConfigError, LocalTransport, ResolutionSource, Route, RouterHandle
from ray_router.workload import Event, SyntheticTraffic, closing_stats, event_config, play, simulate

TTLS = st.none() | st.sampled_from([1.0, 10.0, 100.0])
events = st.lists(
    st.builds(
        lambda at, room, thread: Event(
            at,
            f"c:i:{room}" + ("" if thread is None else f":{thread}"),
            Route(f"room {room}", None if thread is None else f"thread {thread}"),
        ),
        st.integers(0, 400_000).map(lambda tenths: tenths / 10) | st.integers(0, 300).map(float),
        st.integers(0, 5),
        st.none() | st.integers(0, 2),
    ),
    max_size=120,
)


class Heard:
    """What a recorder was told, by event."""

    def __init__(self) -> None:
        self.answers: dict[int, tuple[ResolutionSource, bool]] = {}

    def __call__(self, number: int, source: ResolutionSource, stale: bool) -> None:
        assert number not in self.answers
        self.answers[number] = (source, stale)


@settings(max_examples=60, deadline=None)
@given(
    events=events, ttl_s=TTLS, capacity=st.none() | st.integers(4, 12), partitions=st.sampled_from([1, 2, 4])
)
def test_a_simulation_and_a_run_through_a_handle_agree(
    events: list[Event], ttl_s: float | None, capacity: int | None, partitions: int
) -> None:
    """On every single event, on all counts, and on what is held at the end; also where times go back."""
    simulated, played = Heard(), Heard()
    result = simulate(events, ttl_s, capacity, partitions, recorder=simulated)
    handle = RouterHandle(LocalTransport(event_config(partitions=partitions, ttl_s=ttl_s, capacity=capacity)))
    tally = play(handle, events, recorder=played)
    assert simulated.answers == played.answers
    assert len(simulated.answers) == len(events)
    assert result.tally == tally
    stats = closing_stats(handle, tally)
    assert (result.stats.traffic, result.stats.holdings) == (stats.traffic, stats.holdings)
    assert result.stats.traffic.evicted == tally.total.evicted == result.evicted


@settings(deadline=None)
@given(events=events.map(sorted), ttl_s=st.sampled_from([1.0, 10.0, 100.0]))
def test_without_a_bound_hits_are_the_events_that_come_in_time(events: list[Event], ttl_s: float) -> None:
    """A session's own route is fresh when its last message is at most a TTL old."""
    last: dict[object, float] = {}
    hits = 0
    for at, key, _ in events:
        hits += key in last and at - last[key] <= ttl_s
        last[key] = at
    assert simulate(events, ttl_s, None).tally.total.hits == hits


@settings(deadline=None)
@given(events=events, capacity=st.integers(1, 9))
def test_without_expiry_hits_are_those_of_an_lru_cache(events: list[Event], capacity: int) -> None:
    """Exactly, at any capacity, for sessions that no wider one answers for."""
    rooms = [each._replace(key=f"c:i:{str(each.key).replace(':', '/')}") for each in events]
    cache: OrderedDict[object, None] = OrderedDict()
    hits = 0
    for _, key, _ in sorted(rooms):
        if key in cache:
            hits += 1
            cache.move_to_end(key)
        else:
            if len(cache) == capacity:
                cache.popitem(last=False)
            cache[key] = None
    result = simulate(sorted(rooms), None, capacity)
    assert result.tally.total.hits == hits
    assert result.live == len(cache)


def test_a_result_says_what_became_of_the_events() -> None:
    """In all and by partition."""
    traffic = SyntheticTraffic(messages=3_000, seed=5)
    result = simulate(traffic, 600.0, 40, 4)
    assert (result.events, result.sessions) == (3_000, len({each.key for each in traffic}))
    assert result.hit_ratio == result.tally.total.hits / 3_000
    assert result.evicted > 0
    assert result.live <= 40
    assert sum(each.events for each in result.by_partition) == 3_000
    assert result.config.max_entries_per_partition == 10


def test_sessions_expire_after_they_were_stale() -> None:
    """For a day, as routers are set unless told otherwise."""
    day_s = 86_400.0
    far_apart = [Event(0, "c:i:a", Route("a")), Event(2 * day_s, "c:i:b", Route("b"))]
    result = simulate(far_apart, 10.0, None)
    assert (result.expired, result.live, result.stale) == (1, 1, 0)
    again = simulate([*far_apart, Event(2 * day_s + 20, "c:i:b", Route("b"))], 10.0, None)
    assert (again.expired, again.stale) == (1, 1)


def test_the_capacity_is_that_of_the_whole_router() -> None:
    """Shared out evenly, rounded down, so that it is never exceeded."""
    assert event_config(partitions=4, capacity=1_482).max_entries_per_partition == 370
    assert event_config(partitions=1, capacity=1).max_entries_per_partition == 1
    with pytest.raises(InvalidConfigError, match="capacity: of 3 sessions is less than one for each"):
        event_config(partitions=4, capacity=3)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"partitions": 0}, "partitions"),
        ({"ttl_s": 0}, "ttl_s"),
        ({"capacity": 0}, "capacity"),
        ({"eviction": "none such"}, "eviction"),
    ],
)
def test_settings_that_make_no_router_are_refused(wrong: dict[str, object], field: str) -> None:
    """By name, before anything is read."""
    arguments: dict[str, object] = {"ttl_s": 10, "capacity": None, **wrong}
    with pytest.raises(InvalidConfigError) as caught:
        simulate(iter(()), **arguments)  # type: ignore[arg-type]
    assert caught.value.field == field
