"""``ManualClock``: stands still until it is told to go on."""

from __future__ import annotations

import pytest

from ray_router import Freshness, Route
from ray_router.testing import ManualClock, local_router


def test_it_stands_still() -> None:
    """Reading it does not move it; advancing does, by any amount."""
    clock = ManualClock(1_000.0)
    assert [clock(), clock()] == [1_000.0, 1_000.0]
    clock.advance(0)
    clock.advance(2.5)
    assert clock() == 1_002.5


def test_it_does_not_go_back() -> None:
    """Time that would run backwards is refused, and has not moved."""
    clock = ManualClock()
    before = clock()
    with pytest.raises(ValueError, match="time goes on, not back: -1 s"):
        clock.advance(-1)
    assert clock() == before


def test_a_router_lives_by_it() -> None:
    """A router in this process ages its routes by the clock alone."""
    clock = ManualClock()
    router = local_router(clock=clock)
    router.set("tg:bot:room", Route("home")).result()
    clock.advance(1_800)
    record = router.get("tg:bot:room").result()
    assert record is not None
    assert (record.freshness, record.age_s, record.expires_in_s) == (Freshness.FRESH, 1_800, 0)
    clock.advance(1)
    record = router.get("tg:bot:room").result()
    assert record is not None
    assert record.freshness is Freshness.STALE
