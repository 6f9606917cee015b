"""A router in this process that is autoscaled, and its controller."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from ray_router import (
    AutoscalingConfig,
    AutoscalingStats,
    LocalTransport,
    Route,
    RouterConfig,
    RouterError,
    RouterHandle,
)
from ray_router.handle.autoscaling import Controller
from ray_router.testing import ManualClock
from ray_router.transport import Control, PartitionLost, Request
from ray_router.transport.local import Settled

INTERVAL_S = 5.0


def config(partitions: int = 2, replicas: int = 0, **settings: Any) -> RouterConfig:
    """From 2 to 6 partitions of 100 sessions each, after half a minute up and a minute down."""
    scaling: dict[str, Any] = {"min_partitions": 2, "max_partitions": 6, "target_entries": 100}
    scaling |= {"upscale_delay_s": 30.0, "downscale_delay_s": 60.0}
    return RouterConfig(
        partitions=partitions,
        replicas=replicas,
        durability="sync",
        hedge_after_s=30.0,  # nobody counts as late
        autoscaling=AutoscalingConfig(**(scaling | settings)),
        tombstone_retention_s=1.0,
        stale_retention_s=1.0,
    )


class Shaky(LocalTransport):
    """Partitions in this process: some do not answer, and some find no place."""

    def __init__(self, config: RouterConfig, clock: Callable[[], float], places: int = 100) -> None:
        super().__init__(config, clock=clock)
        self.down: set[int] = set()
        self.unreachable: set[int] = set()
        self.places = places

    def ask(self, partition: int, request: Request) -> Settled[object]:
        """Answer, or be down."""
        if partition in self.unreachable:
            raise PartitionLost("it cannot be called")
        if partition in self.down:
            return Settled(PartitionLost("it is down"))
        return super().ask(partition, request)

    def _hire(self, partition: int) -> None:
        if partition >= self.places:
            raise RouterError(f"partition {partition} could not be placed")
        super()._hire(partition)


class Scene:
    """A router, its controller, and a clock that both go by."""

    def __init__(self, transport: LocalTransport, clock: ManualClock) -> None:
        self.transport, self.clock = transport, clock
        self.router = RouterHandle(transport, clock=clock)
        self.wanted = self.router.config
        self.leaving: Callable[[], Collection[str]] = tuple
        self.controller = self.another()

    def another(self) -> Controller:
        """A controller that knows nothing yet."""
        return Controller(
            self.transport, self.wanted, self._left, self.clock, pause=lambda _: time.sleep(0.001)
        )

    def _left(self) -> Collection[str]:
        return self.leaving()

    @property
    def said(self) -> AutoscalingStats:
        """What whoever asks for stats is told."""
        said = self.router.stats().result().autoscaling
        assert said is not None
        return said

    @property
    def partitions(self) -> int:
        """How many there are, all of them with slots."""
        topology = self.transport.open().wait(0).topology
        assert list(topology.partitions) == self.transport.deployed()
        return len(topology.partitions)

    def write(self, sessions: int) -> None:
        """So many sessions, each with a route."""
        self.router.set_many([(f"tg:bot:{each}", Route(str(each))) for each in range(sessions)]).result()

    def lost(self, sessions: int) -> list[str]:
        """The sessions of the first so many whose routes are not what was written."""
        answers = self.router.resolve_many([f"tg:bot:{each}" for each in range(sessions)]).result()
        return [str(each.key) for number, each in enumerate(answers) if each.route != Route(str(number))]

    def look_for(self, seconds: float) -> None:
        """Look every few seconds."""
        until = self.clock() + seconds
        while self.clock() < until:
            self.clock.advance(INTERVAL_S)
            self.controller.look()


class Housed(Shaky):
    """Partitions that live on nodes, two on each; who is restarted lives on another, if there is one."""

    def __init__(self, config: RouterConfig, clock: Callable[[], float]) -> None:
        self.homes: dict[int, str] = {}
        self.restarted: list[int] = []
        self.new_home: str | None = "new"
        super().__init__(config, clock)

    def ask(self, partition: int, request: Request) -> Settled[object]:
        """Answer; stats say where it lives."""
        answer = super().ask(partition, request)
        if request is Control.STATS and partition not in self.down:
            stats: Any = answer.wait(0)
            return Settled(replace(stats, node=self.home(partition)))
        return answer

    def home(self, partition: int) -> str:
        """Where it lives."""
        return self.homes.get(partition, f"node {partition // 2}")

    def restart(self, partition: int, *, anew: bool = False) -> None:
        """End a life; the next begins where there is room, or later."""
        self.restarted.append(partition)
        if self.new_home is None:
            self.down.add(partition)
            return
        super().restart(partition, anew=anew)
        self.homes[partition] = self.new_home
