"""A router's clock is either the wall's or its callers'; it is never both."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from ray_router import Delivery, InvalidCallError, Reply, RouterHandle, SessionKey

from .subjects import AWAY, EVENT, HOME, Routers

CALLS: dict[str, Callable[[RouterHandle, SessionKey], Reply[object]]] = {
    "set": lambda router, key: router.set(key, HOME),  # type: ignore[dict-item, return-value]
    "set_many": lambda router, key: router.set_many([(key, HOME)]),  # type: ignore[dict-item, return-value]
    "get": lambda router, key: router.get(key),  # type: ignore[dict-item, return-value]
    "resolve": lambda router, key: router.resolve(key),  # type: ignore[dict-item, return-value]
    "resolve_many": lambda router, key: router.resolve_many([key]),  # type: ignore[dict-item, return-value]
    "report": lambda router, key: router.report(key, HOME, Delivery.DELIVERED),  # type: ignore[dict-item, return-value]
    "delete": lambda router, key: router.delete(key),  # type: ignore[dict-item, return-value]
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_event_clock_must_be_told_the_time(
    routers: Routers, room: SessionKey, call: Callable[[RouterHandle, SessionKey], Reply[object]]
) -> None:
    """A router with an event clock refuses a call without its time at once, and says how to give it."""
    router, batches = routers.counted(EVENT)
    with pytest.raises(InvalidCallError, match=r"call handle\.at\(now\)") as raised:
        call(router, room)
    assert raised.value.field == "now"
    assert not batches


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_wall_clock_takes_no_time_from_callers(
    routers: Routers, room: SessionKey, call: Callable[[RouterHandle, SessionKey], Reply[object]]
) -> None:
    """A router with a wall clock refuses calls that bring their own time."""
    router, batches = routers.counted()
    with pytest.raises(InvalidCallError, match="only a router with clock='event'") as raised:
        call(router.at(1e9), room)
    assert raised.value.field == "now"
    assert not batches


@pytest.mark.parametrize("now", [math.nan, math.inf, -math.inf, "noon", None, True])
def test_a_time_must_be_a_number(routers: Routers, now: object) -> None:
    """``at`` refuses what is no finite number."""
    with pytest.raises(InvalidCallError) as raised:
        routers(EVENT).at(now)  # type: ignore[arg-type]
    assert raised.value.field == "now"


def test_times_may_come_in_any_order(routers: Routers, room: SessionKey, start: float) -> None:
    """A late event of the past neither overtakes a newer one nor is lost."""
    router = routers(EVENT)
    router.at(start + 50).set(room, HOME).result()
    router.at(start + 10).set(room, AWAY).result()
    record = router.at(start + 50).get(room).result()
    assert record is not None
    assert (record.route, record.alternates) == (HOME, (AWAY,))


def test_calls_at_one_time_keep_their_order(routers: Routers, room: SessionKey, start: float) -> None:
    """Of two writes at the same time the one submitted last is the newer."""
    router = routers(EVENT).at(start)
    first, second = router.set(room, HOME), router.set(room, AWAY)
    first.result()
    second.result()
    assert router.resolve(room).result().route == AWAY
