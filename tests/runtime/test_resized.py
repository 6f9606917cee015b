"""A router on Ray is resized while it is used: nothing acknowledged is lost, nothing raised, nobody told."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable

import pytest
from handle.resizes import ROOMS, Agents

from ray_router import Resolution, Route, RouterConfig, RouterHandle, Scope, connect, deploy, shutdown
from ray_router.core.slots import SLOTS
from ray_router.testing import wait_until

PATIENT_S = 60.0
_ALLOWED_S = 120.0


def filled(config: RouterConfig, namespace: str) -> RouterHandle:
    """A router that knows every room, and a default."""
    router = deploy(config, namespace=namespace)
    router.set_many([(room, Route(room)) for room in ROOMS]).result()
    router.set("tg:bot:*", Route("lobby")).result()
    return router


def misled(router: RouterHandle, agents: Agents) -> list[tuple[Route, Resolution]]:
    """The rooms whose answers are not what was written last."""
    expected = {room: Route(room) for room in ROOMS} | agents.written
    answers = router.resolve_many(list(expected)).result()
    return [pair for pair in zip(expected.values(), answers, strict=True) if pair[1].route != pair[0]]


def goes_on(agents: Agents) -> Callable[[], bool]:
    """Whether each of the agents has been through some rooms since."""
    before = list(agents.rounds)
    return lambda: all(now > then + 5 for now, then in zip(agents.rounds, before, strict=True))


def test_partitions_come_and_go_under_traffic(ray_cluster: str, namespace: str) -> None:
    """From 4 to 6 to 3: handles from before, and one that is unpickled late, find their way."""
    config = RouterConfig(name="resized", partitions=4, call_timeout_s=PATIENT_S)
    router = filled(config, namespace)
    yesterday = pickle.dumps(router)
    with Agents(lambda: connect("resized", namespace=namespace)) as agents:
        for partitions, moved in ((6, 5_460), (3, SLOTS // 2 - 1)):
            wait_until(goes_on(agents), within_s=_ALLOWED_S)
            resized = router.resize(partitions).result()
            assert (resized.partitions, resized.slots_moved) == (partitions, moved)
        wait_until(goes_on(agents), within_s=_ALLOWED_S)
    assert agents.wrong == []
    old: RouterHandle = pickle.loads(yesterday)
    assert misled(old, agents) == []
    stats = deploy(config, namespace=namespace).stats().result()
    assert [each.slots for each in stats.partitions] == [5_462, 5_461, 5_461]
    assert (stats.down, stats.epoch) == ((), 5)
    assert sum(each.holdings.live for each in stats.partitions) == len(ROOMS)
    assert old.resolve("tg:bot:stranger", widest_scope=Scope.INSTANCE).result().route == Route("lobby")
    shutdown("resized", namespace=namespace)


@pytest.mark.chaos
def test_partitions_come_and_go_with_standbys(ray_cluster: str, namespace: str) -> None:
    """The same where every session is kept twice; and any of them is killed afterwards."""
    config = RouterConfig(
        name="twice",
        partitions=2,
        replicas=1,
        durability="sync",
        call_timeout_s=PATIENT_S,
        frozen_after_s=60.0,
    )
    router = filled(config, namespace)
    with Agents(lambda: connect("twice", namespace=namespace)) as agents:
        for partitions in (4, 3):
            wait_until(goes_on(agents), within_s=_ALLOWED_S)
            assert router.resize(partitions).result().partitions == partitions
        wait_until(goes_on(agents), within_s=_ALLOWED_S)
    assert agents.wrong == []
    assert misled(router, agents) == []
    for victim in range(3):
        wait_until(lambda: router.stats().result().recovered, within_s=_ALLOWED_S)
        os.kill(router.stats().result().partitions[victim].pid, signal.SIGKILL)
        wait_until(lambda: misled(router, agents) == [], within_s=_ALLOWED_S)
        assert misled(connect("twice", namespace=namespace), agents) == []
    shutdown("twice", namespace=namespace)
