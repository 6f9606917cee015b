"""``Stage``: what a measure is given to work in, and routers of its own for as long as it needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

import ray
from ray.actor import ActorHandle

from ray_router.bench.measure import Skipped
from ray_router.bench.redis_server import RedisServer
from ray_router.bench.watched_partition import WatchedPartition
from ray_router.config import RouterConfig
from ray_router.handle import RouterHandle
from ray_router.runtime import connect, deploy, shutdown
from ray_router.runtime.actor import CONCURRENCY_GROUPS
from ray_router.runtime.naming import actor_name
from ray_router.runtime.transport import RayTransport
from ray_router.telemetry import HandleTelemetry

_SETTINGS: dict[str, Any] = {"ttl_s": 3_600.0, "call_timeout_s": 120.0, "deploy_timeout_s": 600.0}
_LEAST_WINDOW_S = 0.02


def _nobody(fraction: float) -> None:
    """Nobody wants to know how far it is."""


@dataclass(frozen=True)
class Stage:
    """How much to measure, and with what.

    Args:
        rounds: how often each figure is taken.
        scale: of sizes and times; 1 is what figures are to be quoted from.
        progress: told how much of the measure is done, 0 to 1.
        large: the largest sizes too.
        minutes: how long each measure goes on that goes on for as long as one likes.
        redis: the server to measure beside; None: there is none, because of ``redis_missing``.
        data: where recorded logs and traces are.
        name: routers' names begin with it.
        namespace: the Ray namespace that they live in.
    """

    rounds: int = 5
    scale: float = 1.0
    progress: Callable[[float], None] = field(default=_nobody, repr=False)
    large: bool = False
    minutes: float = 1.0
    redis: RedisServer | None = None
    redis_missing: str = "it was not started"
    data: Path | None = None
    name: str = "bench"
    namespace: str = "ray_router"

    @property
    def redis_skipped(self) -> tuple[Skipped, ...]:
        """What a report says that would have had figures of Redis."""
        return () if self.redis is not None else (Skipped("Redis", self.redis_missing),)

    def count(self, full: int, least: int = 1) -> int:
        """A number of things at this scale."""
        return max(least, int(full * self.scale))

    def window_s(self, full: float) -> float:
        """How long to go on with one thing at this scale, in seconds."""
        return max(_LEAST_WINDOW_S, full * self.scale)

    @property
    def span_s(self) -> float:
        """How long a measure goes on that goes on for as long as one likes, in seconds."""
        return max(_LEAST_WINDOW_S, 60.0 * self.minutes * min(1.0, self.scale))

    def config(self, partitions: int = 1, **settings: Any) -> RouterConfig:
        """The config of a router of its own: the usual one, that nobody gives up waiting for."""
        name = f"{self.name}-{token_hex(4)}"
        return RouterConfig.build(**{"name": name, "partitions": partitions} | _SETTINGS | settings)

    @contextmanager
    def router(
        self,
        partitions: int = 1,
        *,
        watching: Callable[[RouterConfig], HandleTelemetry | None] | None = None,
        **settings: Any,
    ) -> Iterator[RouterHandle]:
        """A router for the time being.

        Args:
            watching: what watches the calls; nothing that was not there before, when left out.
        """
        config = self.config(partitions, **settings)
        handle = deploy(config, namespace=self.namespace)
        try:
            if watching is not None:
                handle = RouterHandle(RayTransport(config.name, self.namespace), watching=watching)
            yield handle
        finally:
            shutdown(config.name, namespace=self.namespace)

    @contextmanager
    def watched_router(self, **settings: Any) -> Iterator[tuple[RouterHandle, ActorHandle[Any]]]:
        """A router of one partition that can be watched from inside, and that partition's actor."""
        config = self.config(**settings)
        actor_class: Any = ray.remote(concurrency_groups=CONCURRENCY_GROUPS)(WatchedPartition)  # type: ignore[call-overload]
        name = actor_name(config.name, 0)
        actor = actor_class.options(name=name, namespace=self.namespace, num_cpus=0).remote(
            0, config, self.namespace, False
        )
        try:
            ray.get(actor.resident_bytes.remote())
            yield connect(config.name, namespace=self.namespace), actor
        finally:
            ray.kill(actor)
