"""What the contract is tested on: routers over any transport, with every batch counted."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from ray_router import LocalTransport, Route, RouterConfig, RouterHandle
from ray_router.transport import Batch, Directory, Request, Response, Ticket, Transport

WALL = RouterConfig(partitions=3, cleanup_interval_s=3_600)
EVENT = RouterConfig(
    partitions=2, clock="event", ttl_s=100, stale_retention_s=1_000, tombstone_retention_s=10_000
)


def varied(config: RouterConfig, **changes: Any) -> RouterConfig:
    """The same config but for these fields, checked like any other."""
    return RouterConfig(**{**config.model_dump(), **changes})


HOME, AWAY, ELSEWHERE = Route("home"), Route("away"), Route("elsewhere", "thread", metadata={"lang": "de"})


class CountingTransport:
    """Passes everything on, and counts the batches that each partition is sent."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.batches: Counter[int] = Counter()

    def __reduce__(self) -> tuple[type[CountingTransport], tuple[Transport]]:
        return CountingTransport, (self._inner,)

    def open(self) -> Ticket[Directory]:
        """Pass on."""
        return self._inner.open()

    def submit(self, partition: int, batch: Batch) -> Ticket[Response]:
        """Count, and pass on."""
        self.batches[partition] += 1
        return self._inner.submit(partition, batch)

    def ask(self, partition: int, request: Request) -> Ticket[object]:
        """Pass on."""
        return self._inner.ask(partition, request)

    def relocate(self, partition: int) -> bool:
        """Pass on."""
        return self._inner.relocate(partition)


class Routers:
    """Gives a connected handle for a config."""

    def __init__(self, transport: Callable[[RouterConfig], Transport]) -> None:
        self._transport = transport

    def __call__(self, config: RouterConfig = WALL) -> RouterHandle:
        """A router with this config; it may hold what other tests wrote, in channels of their own."""
        return self.counted(config)[0]

    def counted(self, config: RouterConfig = WALL) -> tuple[RouterHandle, Counter[int]]:
        """A router, and the number of batches that each of its partitions is sent through this handle."""
        transport = CountingTransport(self._transport(config))
        handle = RouterHandle(transport)
        handle.connect()
        return handle, transport.batches


class RayDeployments:
    """Routers on Ray, deployed once for each config; the least recently used end, as processes are dear."""

    def __init__(self, namespace: str, most: int) -> None:
        self._namespace = namespace
        self._most = most
        self._names: OrderedDict[int, str] = OrderedDict()

    def __call__(self, config: RouterConfig) -> Transport:
        """The way to the router with this config."""
        from ray_router import deploy
        from ray_router.runtime.transport import RayTransport

        if config.fingerprint not in self._names:
            while len(self._names) >= self._most:
                self._end(self._names.popitem(last=False)[1])
            name = self._names[config.fingerprint] = f"contract_{config.fingerprint:x}"
            deploy(varied(config, name=name), namespace=self._namespace)
        self._names.move_to_end(config.fingerprint)
        return RayTransport(self._names[config.fingerprint], self._namespace)

    def end(self) -> None:
        """End them all."""
        while self._names:
            self._end(self._names.popitem()[1])

    def _end(self, name: str) -> None:
        from ray_router import shutdown

        shutdown(name, namespace=self._namespace)


def in_process(config: RouterConfig) -> Transport:
    """A new router in this process."""
    return LocalTransport(config)
