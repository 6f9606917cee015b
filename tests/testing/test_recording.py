"""``RecordingObserver`` and ``local_router``: what users test their agents with."""

from __future__ import annotations

import doctest

import pytest

import ray_router.testing
from ray_router import LocalTransport, Origin, Route, RouterConfig, Scope, SetOutcome
from ray_router.core.events import Deleted, Resolved, Served, WroteRoute
from ray_router.testing import ManualClock, RecordingObserver, clock, faulty, local_router, recording

KEY, HOME = "tg:bot:room", Route("home")


def test_it_keeps_every_event_in_order() -> None:
    """All that happened, and what happened of one kind."""
    observer = RecordingObserver()
    router = local_router(observer=observer)
    router.set(KEY, HOME).result()
    router.resolve(KEY).result()
    router.delete(KEY).result()
    kinds = [type(event) for event in observer.events]
    assert kinds == [WroteRoute, Served, Resolved, Served, Deleted, Served]
    (wrote,) = observer.of(WroteRoute)
    assert (wrote.scope, wrote.outcome, wrote.origin) == (Scope.ROOM, SetOutcome.STORED, Origin.INBOUND)
    assert [event.found for event in observer.of(Deleted)] == [True]
    assert observer.of(WroteRoute) == observer.events[:1]


def test_a_local_router_takes_a_config() -> None:
    """Its partitions and settings are the config's, and without one the defaults."""
    assert local_router().config == RouterConfig()
    router = local_router(RouterConfig(name="mine", partitions=7, ttl_s=60), clock=ManualClock())
    router.set(KEY, HOME).result()
    record = router.get(KEY).result()
    assert record is not None
    assert record.expires_in_s == 60
    assert len(router.stats().result().partitions) == 7


def test_local_routers_are_apart() -> None:
    """Two routers in one process share nothing."""
    one, other = local_router(), local_router()
    one.set(KEY, HOME).result()
    assert other.get(KEY).result() is None


@pytest.mark.parametrize("module", [clock, faulty, recording])
def test_the_examples_are_true(module: object) -> None:
    """What the documentation shows is what happens."""
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_everything_public_is_there() -> None:
    """The names that the package promises exist, in order."""
    assert ray_router.testing.__all__ == sorted(ray_router.testing.__all__)
    assert all(hasattr(ray_router.testing, name) for name in ray_router.testing.__all__)
    assert LocalTransport.__name__ in ray_router.__all__
