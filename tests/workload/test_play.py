"""Playing: each event resolves its session, then sets its route, and everything is counted."""

from __future__ import annotations

from collections.abc import Iterator
from sys import modules

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router import (
    InvalidCallError,
    InvalidKeyError,
    LocalTransport,
    ResolutionSource,
    Route,
    RouterConfig,
    RouterHandle,
    SessionKey,
)
from ray_router.testing import FaultyTransport, ManualClock, wait_until
from ray_router.workload import (
    Event,
    PartitionTally,
    SyntheticTraffic,
    Tally,
    closing_stats,
    event_config,
    play,
    simulate,
)

ROOM, THREAD = SessionKey("irc", "net", "room"), SessionKey("irc", "net", "room", "thread")


def event(at: float, key: SessionKey = ROOM) -> Event:
    """A message from a session."""
    assert key.room is not None
    return Event(at, key, Route(key.room, key.thread))


def local(config: RouterConfig) -> RouterHandle:
    """A router in this process."""
    return RouterHandle(LocalTransport(config))


def test_each_event_is_resolved_before_it_is_set() -> None:
    """First sight, a hit, a thread that its room answers for, the thread itself, a stale session."""
    told: list[tuple[int, ResolutionSource, bool]] = []
    tally = play(
        local(event_config(ttl_s=10)),
        [event(0), event(10), event(11, THREAD), event(12, THREAD), event(21)],
        recorder=lambda *what: told.append(what),
    )
    assert told == [
        (0, ResolutionSource.NONE, False),
        (1, ResolutionSource.EXACT, False),
        (2, ResolutionSource.SCOPE, False),
        (3, ResolutionSource.EXACT, False),
        (4, ResolutionSource.NONE, True),
    ]
    expected = PartitionTally(
        0, hits=2, scope=1, misses=2, stale=1, stored=2, refreshed=3, last_key="irc:net:room"
    )
    assert tally == Tally(5, 2, 0, 0.0, 21.0, (expected,))
    assert (tally.hit_ratio, expected.hit_ratio, expected.events) == (0.4, 0.4, 5)


def test_sums_are_over_partitions() -> None:
    """Each event is counted where its session lives."""
    traffic = SyntheticTraffic(messages=1_000, seed=3)
    tally = play(local(event_config(partitions=3)), traffic)
    assert [each.partition for each in tally.partitions] == [0, 1, 2]
    assert sum(each.events for each in tally.partitions) == tally.total.events == tally.events == 1_000
    assert tally.total.hits == sum(each.hits for each in tally.partitions)
    assert tally.sessions == len({each.key for each in traffic})


def test_nothing_gives_an_empty_tally() -> None:
    """Ratios of nothing are 0."""
    tally = play(local(event_config()), [])
    assert (tally, tally.hit_ratio, tally.total.hit_ratio) == (Tally(), 0.0, 0.0)


def test_keys_may_be_given_as_text() -> None:
    """In any spelling: they count as the session they name."""
    route = Route("r")
    tally = play(local(event_config()), [Event(0, "a:b:%63", route), Event(1, "a:b:c", route)])
    assert (tally.sessions, tally.total.hits) == (1, 1)


def test_on_the_wall_clock_events_happen_now() -> None:
    """Whatever times they have."""
    clock = ManualClock()
    handle = RouterHandle(LocalTransport(RouterConfig(partitions=1, ttl_s=10), clock=clock), clock=clock)

    def slowly() -> Iterator[Event]:
        for _ in range(3):
            yield event(0)
            clock.advance(11)

    assert play(handle, slowly(), clock="wall", window=1).total.stale == 2
    record = handle.get(ROOM).result()
    assert record is not None and record.observed_at == pytest.approx(clock() - 11)


@pytest.mark.parametrize("clock", ["event", "wall"])
def test_a_router_with_another_clock_is_refused(clock: str) -> None:
    """Before anything is played."""
    other = "wall" if clock == "event" else "event"
    with pytest.raises(
        InvalidCallError, match=f"clock: is '{clock}', but the router 'default' has '{other}'"
    ):
        play(local(RouterConfig(clock=other)), [event(0)], clock=clock)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=30)
@given(window=st.integers(0, 9), limit=st.integers(1, 9))
def test_how_many_replies_are_outstanding_changes_nothing(window: int, limit: int) -> None:
    """Nor does how many calls may wait."""
    config = event_config(partitions=2, ttl_s=60)
    traffic = SyntheticTraffic(messages=40, rooms=3, users=2, span_s=600)
    narrow = config.model_copy(update={"max_pending_calls": limit})
    assert play(local(narrow), traffic, window=window) == play(local(config), traffic)


def test_a_partition_that_is_down_costs_its_own_events_only() -> None:
    """They are counted as unanswered, and the run goes on."""
    transport = FaultyTransport(LocalTransport(RouterConfig(partitions=2, call_timeout_s=0.2)))
    transport.kill(0)
    tally = play(RouterHandle(transport), SyntheticTraffic(messages=50), clock="wall")
    alive = tally.total
    assert tally.events == 50
    assert [each.partition for each in tally.partitions] == [1]
    assert tally.unanswered == 2 * (50 - alive.events) > 0


def test_a_partition_that_stands_still_for_a_while_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """On an event clock: what is refused meanwhile is asked again, so that the run is the same."""
    config = event_config(partitions=2, ttl_s=600)
    traffic = list(SyntheticTraffic(messages=120, seed=5))
    transport = FaultyTransport(LocalTransport(config))
    handle = RouterHandle(transport)
    at_first = handle.at(0.0)
    there = next(
        key for key in (f"a:b:{n}" for n in range(99)) if at_first.resolve(key).result().partition == 0
    )
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        transport.thaw(0)

    def standing_still() -> Iterator[Event]:
        yield from traffic[:60]
        transport.freeze(0)
        wait_until(lambda: at_first.get(there).done())  # from now on it is refused
        monkeypatch.setattr(modules[play.__module__], "sleep", sleep)
        yield from traffic[60:]

    assert play(handle, standing_still()) == play(local(config), traffic)
    assert slept


def test_a_partition_that_does_not_come_back_is_not_waited_for_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The patience of a run is that of one call."""
    slept: list[float] = []
    monkeypatch.setattr(modules[play.__module__], "sleep", slept.append)
    config = event_config(partitions=2).model_copy(update={"call_timeout_s": 0.2})
    transport = FaultyTransport(LocalTransport(config))
    transport.kill(0)
    tally = play(RouterHandle(transport), SyntheticTraffic(messages=50))
    assert tally.unanswered == 2 * (50 - tally.total.events) > 0
    assert sum(slept) == pytest.approx(0.2, abs=0.051)


def test_a_run_that_breaks_off_raises_why() -> None:
    """The calls under way are not waited for."""

    def broken() -> Iterator[Event]:
        yield event(0)
        raise OSError("the log is gone")

    with pytest.raises(OSError, match="the log is gone"):
        play(local(event_config()), broken())


def test_an_event_that_no_router_accepts_is_refused() -> None:
    """By the field that is wrong, here and in a simulation."""
    bad = [Event(0, SessionKey("c", "i", "x" * 600), Route("r"))]
    with pytest.raises(InvalidKeyError, match="room: is 600 bytes long"):
        play(local(event_config()), bad)
    with pytest.raises(InvalidKeyError, match="room: is 600 bytes long"):
        simulate(bad, 10, None)


def test_at_the_end_all_partitions_have_the_time_of_the_last_event() -> None:
    """One that heard its last call long before has let its sessions go stale since."""
    handle = local(event_config(partitions=16, ttl_s=10))
    rooms = [SessionKey("c", "i", f"room{number}") for number in range(8)]
    tally = play(handle, [*(event(0, room) for room in rooms), event(100)])
    assert handle.stats().result().holdings.live == 9
    assert closing_stats(handle, tally).holdings.live == 1
    assert closing_stats(handle, tally).holdings.stale == 8


def test_closing_a_run_over_nothing_is_harmless() -> None:
    """There is no time to move on to."""
    assert closing_stats(local(event_config()), Tally()).holdings.entries == 0
