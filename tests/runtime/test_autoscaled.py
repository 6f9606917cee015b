"""A router on Ray chooses its number of partitions by itself, by an actor whose death nobody notices."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
import ray

from ray_router import (
    AutoscalingConfig,
    AutoscalingStats,
    InvalidCallError,
    Route,
    RouterConfig,
    RouterHandle,
    ScalingReason,
    deploy,
    shutdown,
)
from ray_router.testing import wait_until

from .actors import inside, names_in

pytestmark = pytest.mark.ray
PATIENT_S = 60.0
_ALLOWED_S = 120.0
CONTROLLER = "ray_router:scaled:controller"
CONFIG = RouterConfig(
    name="scaled",
    partitions=1,
    call_timeout_s=PATIENT_S,
    stale_retention_s=0.1,
    tombstone_retention_s=0.1,
    cleanup_interval_s=0.1,
    autoscaling=AutoscalingConfig(
        max_partitions=3,
        target_entries=100,
        target_calls_per_s=1e9,
        upscale_delay_s=1.0,
        downscale_delay_s=1.0,
        interval_s=0.2,
    ),
)


@pytest.fixture
def router(ray_cluster: str, namespace: str) -> Iterator[RouterHandle]:
    """One that scales itself, until it is ended."""
    yield deploy(CONFIG, namespace=namespace)
    shutdown(CONFIG.name, namespace=namespace)
    assert names_in(namespace) == []


def controller(namespace: str) -> Any:
    """Its controller."""
    return ray.get_actor(CONTROLLER, namespace=namespace)


def pid_of(actor: Any) -> int:
    """The process of an actor that is up."""
    while True:
        try:
            pid: int = inside(actor, lambda _: os.getpid())
        except ray.exceptions.ActorUnavailableError:
            continue
        return pid


def said(router: RouterHandle) -> AutoscalingStats:
    """What status shows of it."""
    stats = router.stats().result().autoscaling
    assert stats is not None
    return stats


def test_partitions_follow_the_load_whoever_dies(router: RouterHandle, namespace: str) -> None:
    """Sessions come, and partitions with them; the controller is killed, and another goes on; sessions go,
    and partitions leave. No route is lost meanwhile, and the same deployment finds the router at any size."""
    rooms = [f"tg:bot:room_{each}" for each in range(250)]

    def are(partitions: int) -> bool:
        stats = router.stats().result()
        return [each.slots > 0 for each in stats.partitions] == [True] * partitions

    def held() -> int:
        answers = router.resolve_many(rooms).result()
        return sum(answer.route == Route(room) for room, answer in zip(rooms, answers, strict=True))

    router.set_many([(room, Route(room)) for room in rooms]).result()
    first = pid_of(controller(namespace))
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: are(3), within_s=_ALLOWED_S)
    assert held() == 250
    assert pid_of(controller(namespace)) != first
    last = said(router).last
    assert last is not None
    assert (last.after, last.reason) == (3, ScalingReason.ENTRIES)

    again = deploy(CONFIG, namespace=namespace)
    assert names_in(namespace).count(CONTROLLER) == 1
    assert again.resolve(rooms[7]).result().route == Route(rooms[7])
    with pytest.raises(InvalidCallError, match="from 1 to 3, the bounds of autoscaling"):
        again.resize(4)

    for room in rooms[50:]:
        router.delete(room)
    wait_until(lambda: are(1), within_s=_ALLOWED_S)
    assert held() == 50
    wait_until(lambda: said(router).doing == "", within_s=_ALLOWED_S)
    last = said(router).last
    assert last is not None
    assert (last.before, last.after, last.reason) == (2, 1, ScalingReason.IDLE)
