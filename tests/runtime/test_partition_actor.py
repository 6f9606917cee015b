"""A partition as an actor: its lanes, its cleaner, its lives, and what it is asked without a handle."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
import ray

from ray_router import (
    InvalidCallError,
    Route,
    RouterConfig,
    RouterHandle,
    Scope,
    SetOutcome,
    Write,
    connect,
    deploy,
    shutdown,
)
from ray_router.runtime.naming import actor_name
from ray_router.runtime.transport import RayTransport
from ray_router.testing import wait_until
from ray_router.transport import Control, Pulse

from .actors import SHARED, Place, actor_of, data_lane_held, key_on, pids_of

pytestmark = pytest.mark.ray
HOME, AWAY = Route("home"), Route("away")


def test_control_calls_go_past_a_busy_data_lane(shared_router: RouterHandle) -> None:
    """While a partition's data waits, it gives signs of life, its stats, and prunes; then the data come."""
    key = key_on(shared_router, 0)
    shared_router.set(key, HOME).result()
    actor = actor_of(SHARED, 0)
    with data_lane_held(actor) as holding:
        waiting = shared_router.resolve(key)
        stats = shared_router.stats().result()
        assert stats.down == ()
        assert isinstance(ray.get(actor.answer.remote(Control.PING)), Pulse)
        assert shared_router.prune().result().partitions == SHARED.partitions
        assert connect(SHARED.name, namespace=SHARED.namespace).config == shared_router.config
        assert not ray.wait([holding], timeout=0)[0]
        assert (
            shared_router.stats().result().partitions[0].traffic.resolves
            == stats.partitions[0].traffic.resolves
        )
    assert waiting.result().route == HOME


class Unreadable:
    """What cannot be unpickled where it arrives."""

    def __reduce__(self) -> Any:
        return os.stat, ("/no/such/file",)


NO_BATCH = [None, 7, -1.5, True, "batch", b"batch", (), [], {}, object(), type, ("a",) * 5, Control.PING]


def test_nonsense_straight_at_the_actor_is_refused(shared_router: RouterHandle) -> None:
    """What is no batch and no request is refused by name, stores nothing, and the partition goes on."""
    actor = actor_of(SHARED, 0)
    key = key_on(shared_router, 0)
    shared_router.set(key, HOME).result()
    before = shared_router.stats().result().partitions[0]
    for nonsense in NO_BATCH:
        with pytest.raises(
            InvalidCallError, match=r"batch: (must be bytes, not \w+|is not MessagePack)"
        ) as caught:
            ray.get(actor.apply.remote(nonsense))
        assert caught.value.field == "batch"
        if not isinstance(nonsense, Control):
            with pytest.raises(InvalidCallError, match=r"request: must be a Control or the like, not \w+"):
                ray.get(actor.answer.remote(nonsense))
    for call in (actor.apply, actor.answer):
        with pytest.raises(ray.exceptions.RayError):
            ray.get(call.remote(Unreadable()))
        with pytest.raises(TypeError):
            call.remote()
    after = shared_router.stats().result().partitions[0]
    assert (after.holdings, after.pid, after.incarnation) == (before.holdings, before.pid, 1)
    assert shared_router.resolve(key).result().route == HOME


def test_a_refusal_reads_like_one(shared_router: RouterHandle) -> None:
    """What a handle would be told of it is the refusal's own words, not Ray's traceback."""
    transport = RayTransport(SHARED.name, SHARED.namespace)
    ticket = transport.ask(0, "x")  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"^request: must be a Control or the like, not str$"):
        ticket.wait(30)


def test_cleaning_needs_no_calls(ray_cluster: str, namespace: str) -> None:
    """With no calls arriving, sessions go stale, expire and are forgotten, on the partition's own time."""
    config = RouterConfig(
        name="tidy",
        partitions=1,
        ttl_s=2.0,
        stale_retention_s=0.1,
        tombstone_retention_s=0.1,
        cleanup_interval_s=0.02,
    )
    router = deploy(config, namespace=namespace)
    try:
        seen_at = time.time() - 1.0  # half of their life is over when they come
        writes = [Write(f"tg:bot:{number}", HOME, seen_at) for number in range(500)]
        written = router.set_many(writes).result()
        assert {result.outcome for result in written} == {SetOutcome.STORED}

        def entries() -> int:
            return router.stats().result().holdings.entries  # asks, and moves nothing on

        wait_until(lambda: entries() == 0)
        traffic = router.stats().result().traffic
        assert traffic.forgotten == len(writes)
        assert traffic.resolves == 0
    finally:
        shutdown("tidy", namespace=namespace)


@pytest.fixture
def lives(ray_cluster: str, namespace: str) -> Iterator[tuple[RouterHandle, Place]]:
    """A router whose partitions may be killed."""
    router = deploy(RouterConfig(name="lives", partitions=2, call_timeout_s=30), namespace=namespace)
    yield router, Place("lives", namespace, 2)
    shutdown("lives", namespace=namespace)


def test_defaults_survive_a_partitions_death(lives: tuple[RouterHandle, Place]) -> None:
    """A new life has the defaults of its peers before it answers any data; its sessions it has forgotten.

    Its life is counted, so that an earlier one would be known for what it is.
    """
    router, place = lives
    lobby, key = "tg:bot:*", key_on(router, 1)
    router.set_many([(lobby, HOME), ("tg:*:*", AWAY), (key, Route("own"))]).result()
    for life in (1, 2, 3):
        stats = router.stats().result().partitions[1]
        assert (stats.incarnation, stats.restarts) == (life, life - 1)
        os.kill(stats.pid, signal.SIGKILL)
        fresh = RouterHandle(RayTransport(place.name, place.namespace))  # sends as soon as there is somebody
        actor = actor_of(place, 1)

        def reborn(actor: Any = actor, past: int = life) -> bool:
            try:
                pulse = ray.get(actor.answer.remote(Control.PING))
            except ray.exceptions.ActorUnavailableError:
                return False
            return bool(pulse.incarnation > past)

        wait_until(reborn)
        answer = fresh.resolve(key, widest_scope=Scope.CHANNEL).result()
        assert (answer.route, answer.matched_scope) == (HOME, Scope.INSTANCE)
        assert fresh.resolve("tg:other:room", widest_scope=Scope.CHANNEL).result().route == AWAY
    assert router.set(key, AWAY).result().outcome is SetOutcome.STORED
    assert router.resolve(key).result().route == AWAY
    assert pids_of(router)[0] == pids_of(fresh)[0]


def test_a_name_says_whose_actor_it_is(shared_router: RouterHandle) -> None:
    """The router's name stands in each actor's name."""
    names = [each["name"] for each in ray.util.list_named_actors(all_namespaces=True)]
    for partition in range(SHARED.partitions):
        assert actor_name(SHARED.name, partition) in names
        assert SHARED.name in actor_name(SHARED.name, partition)
