"""A driver of its own: ``python driver.py SCENE ADDRESS NAMESPACE``; says what it saw in JSON."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import ray

import ray_router as rr

RACE = rr.RouterConfig(name="race", partitions=3)


def join(address: str) -> None:
    """Become a driver of the cluster at this address."""
    ray.init(address, log_to_driver=False, logging_level=logging.ERROR)


def without_ray(address: str, namespace: str) -> list[str]:
    """What each entry point says where Ray is not initialised, and that none of them changes that."""
    said = []
    calls: list[Callable[[], Any]] = [
        lambda: rr.deploy(rr.RouterConfig(), namespace=namespace),
        lambda: rr.connect("race", namespace=namespace),
        lambda: rr.shutdown("race", namespace=namespace),
    ]
    for call in calls:
        try:
            call()
        except rr.RouterError as error:
            said.append(str(error))
    assert not ray.is_initialized()
    return said


def race(address: str, namespace: str) -> dict[str, Any]:
    """Deploy at the same moment as another driver: when the other end of the pipe says so."""
    join(address)
    print("ready", flush=True)
    sys.stdin.readline()
    router = rr.deploy(RACE, namespace=namespace)
    router.set(f"tg:bot:{sys.stdin.readline().strip()}", rr.Route("raced")).result()
    return {"pids": [each.pid for each in router.stats().result().partitions]}


def again(address: str, namespace: str) -> list[str]:
    """Leave the cluster and join it again, with the same handle and a pickled route through it."""
    join(address)
    router = rr.connect("race", namespace=namespace)
    seen = [router.resolve("tg:bot:known").result().require().external_room_id]
    ray.shutdown()
    try:
        router.resolve("tg:bot:known").result()
    except rr.RouterError as error:
        seen.append(str(error))
    answer = router.resolve("tg:bot:known", [rr.Route("own")]).result()
    seen.append(answer.require().external_room_id)
    assert not ray.is_initialized()
    join(address)
    while (answer := router.resolve("tg:bot:known", [rr.Route("own")]).result()).fallback:
        continue
    return [*seen, answer.require().external_room_id]


def unfinished(address: str, namespace: str) -> None:
    """End with calls under way that nobody waits for."""
    join(address)
    router = rr.connect("race", namespace=namespace)
    for number in range(100):
        router.set(f"tg:bot:unfinished_{number}", rr.Route("raced"))


if __name__ == "__main__":
    scene, address, namespace = sys.argv[1:]
    said = {each.__name__: each for each in (without_ray, race, again, unfinished)}[scene](address, namespace)
    print(json.dumps(said), flush=True)
