"""Advice and what stats say of the traffic, the same on every transport."""

from __future__ import annotations

import pytest

from ray_router import InvalidCallError, Route, SessionKey

from .subjects import EVENT, HOME, WALL, Routers, varied


def test_advice_follows_what_was_seen(routers: Routers, channel: str, start: float) -> None:
    """Sessions that come back after their TTL want a longer one; nothing is changed by saying so."""
    config = varied(EVENT, ttl_s=10, max_entries_per_partition=20)
    router = routers(config)
    rooms = [SessionKey(channel, "bot", f"room_{number}") for number in range(40)]
    for turn in range(12):
        for number, room in enumerate(rooms):
            then = router.at(start + 100.0 * turn + number)
            then.resolve(room).result()
            then.set(room, HOME).result()
    advice = router.advise().result()
    ttl, capacity, partitions = advice.suggestions
    assert (ttl.setting, ttl.current, ttl.is_change) == ("ttl_s", 10.0, True)
    assert ttl.suggested is not None
    assert 100.0 <= ttl.suggested <= 110.0
    assert capacity.suggested is not None
    assert 20 < capacity.suggested <= 60
    assert (partitions.setting, partitions.is_change) == ("partitions", False)
    assert advice.measured < 0.05
    assert advice.expected.hit_ratio == pytest.approx(11 / 12, abs=0.02)
    assert advice.limit.hit_ratio == pytest.approx(11 / 12, abs=0.001)
    assert advice.losses.expired == pytest.approx(11 / 12, abs=0.02)
    assert advice.losses.unknown == pytest.approx(1 / 12, abs=0.001)
    assert advice.suggested.ttl_s == ttl.suggested
    assert router.config.ttl_s == 10.0


def test_too_little_seen_is_no_reason_to_change(routers: Routers, channel: str) -> None:
    """It is said how little it was."""
    router = routers(varied(WALL, partitions=2, max_defaults=2))
    router.set(SessionKey(channel, "bot", "room"), HOME).result()
    advice = router.advise().result()
    assert advice.current == advice.suggested
    assert "too few to say" in advice.suggestions[0].why


@pytest.mark.parametrize("within", [-0.1, 1.5, float("nan")])
def test_what_may_be_given_up_is_a_share(routers: Routers, within: float) -> None:
    """Anything else is refused at once."""
    with pytest.raises(InvalidCallError, match="within"):
        routers().advise(within=within)


def test_stats_show_the_last_minute_and_what_is_hot(routers: Routers, channel: str) -> None:
    """By partition and in all."""
    router = routers(varied(WALL, partitions=2, max_defaults=3))
    busy = [SessionKey(channel, "bot", "busy", f"thread_{number}") for number in range(90)]
    quiet = [SessionKey(channel, "bot", f"quiet_{number}") for number in range(10)]
    router.set_many([(key, Route("r")) for key in busy + quiet]).result()
    router.resolve_many(busy + quiet).result()
    stats = router.stats().result()
    minute = stats.windows[0]
    assert (minute.span_s, minute.resolves, minute.writes, minute.hit_ratio) == (60.0, 100, 100, 1.0)
    assert minute.busy_s > 0.0
    hottest = stats.load.rooms[0]
    assert (hottest.room, stats.load.share(hottest.uses)) == (f"{channel}:bot:busy", 0.9)
    assert sum(age.asks for age in stats.ask_ages) == 100
    assert sum(stats.shares.values()) == pytest.approx(1.0)
    assert f"room {channel}:bot:busy has 90% of the traffic" in stats.findings[0]
    assert stats.findings == router.advise().result().findings
