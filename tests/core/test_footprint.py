"""How much memory a table says that it takes, beside what was really allocated for it."""

from __future__ import annotations

import gc
import tracemalloc
from math import inf

import pytest

from ray_router.core.candidates import observed
from ray_router.core.eviction import POLICIES
from ray_router.core.record import RecordFormat
from ray_router.core.table import Retention, Table
from ray_router.model import Origin

TTL_S, STALE_S = 1_800.0, 100.0
SESSIONS = 1_000


def table(policy: str, capacity: int = SESSIONS) -> Table:
    """An empty one."""
    return Table(capacity, 4, Retention(STALE_S, inf), POLICIES[policy](capacity), RecordFormat(TTL_S))


def fill(filled: Table, routes: int = 1) -> Table:
    """Sessions that came one after the other, and wandered from route to route."""
    for number in range(SESSIONS):
        for each in range(routes):
            at = 1_000_000.0 + number + each / 10
            fact = observed(f"-100{number:020d}{each}", at, TTL_S, Origin.INBOUND)
            filled.merge(f"telegram:bot_1:r{number:09d}", fact, at)
    return filled


def expire(filled: Table) -> Table:
    """Until no more than tombstones are left."""
    while filled.take_next(1e9) is not None:
        pass
    return filled


@pytest.mark.parametrize(
    "kind", ["adaptive", "lru", "s3fifo", "sieve", "wandering", "expired", "evicted", "evicted by S3-FIFO"]
)
def test_it_is_what_is_allocated(kind: str, unmeasured: None) -> None:
    """Whatever the sessions are, it says what was allocated, with what the allocator rounds up."""
    gc.collect()
    tracemalloc.start()
    try:
        match kind:
            case "wandering":
                held = fill(table("adaptive"), routes=3)
            case "expired":
                held = expire(fill(table("adaptive")))
            case "evicted":
                held = fill(table("adaptive", SESSIONS // 3))
            case "evicted by S3-FIFO":
                held = fill(table("s3fifo", SESSIONS // 3))
            case _:
                held = fill(table(kind))
        gc.collect()
        allocated, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(held) >= SESSIONS // 3
    assert 0.9 < held.bytes / allocated < 1.2


def test_nothing_takes_next_to_nothing() -> None:
    """An empty table is a few empty containers."""
    assert 0 < table("adaptive").bytes < 5_000


def test_it_grows_and_shrinks_with_what_is_held() -> None:
    """Long routes take more than short ones, and what left takes nothing."""
    short, long = table("lru"), table("lru")
    for number in range(100):
        for each, room in ((short, "1"), (long, "1" * 1_000)):
            each.merge(f"telegram:bot:{number}", observed(room, 1.0, TTL_S, Origin.INBOUND), 1.0)
    assert 95_000 < long.bytes - short.bytes < 105_000
    evicting = table("lru", 10)
    for number in range(1_000):
        fact = observed("1" * 1_000, float(number), inf, Origin.INBOUND)
        evicting.merge(f"telegram:bot:{number}", fact, float(number))
    assert evicting.bytes < 20_000


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_evicted_sessions_are_remembered_by_some(policy: str) -> None:
    """By the policies that learn from them, and what that takes is part of the table."""
    full, evicting = fill(table(policy)), fill(table(policy, SESSIONS // 2))
    assert full.ghosts == 0
    if policy in ("adaptive", "s3fifo"):
        assert evicting.ghosts == pytest.approx(SESSIONS / 2, rel=0.25)
    else:
        assert evicting.ghosts == 0
