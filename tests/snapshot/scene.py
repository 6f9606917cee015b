"""Routers in this process, what they hold, and folders to damage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ray_router import LocalTransport, Route, RouterConfig, RouterHandle, Scope, Snapshot
from ray_router.testing import ManualClock

FILES = "*/*.chunk"


def router_of(partitions: int = 2, *, clock: ManualClock | None = None, **settings: Any) -> RouterHandle:
    """A router in this process."""
    clock = clock or ManualClock()
    config = RouterConfig(partitions=partitions, **settings)
    return RouterHandle(LocalTransport(config, clock=clock), clock=clock)


def rooms(count: int) -> list[str]:
    """The keys of some rooms."""
    return [f"tg:bot:room_{number}" for number in range(count)]


def fill(router: RouterHandle, keys: Sequence[str]) -> None:
    """Write a route for each, which names it."""
    router.set_many([(key, Route(f"to {key}")) for key in keys]).result()


def lost(router: RouterHandle, keys: Sequence[str]) -> list[str]:
    """Those whose route is not what was written."""
    answers = router.resolve_many(keys).result()
    return [key for key, answer in zip(keys, answers, strict=True) if answer.route != Route(f"to {key}")]


def default_of(router: RouterHandle) -> Route | None:
    """Where a stranger of the bot's is sent."""
    return router.resolve("tg:bot:stranger", widest_scope=Scope.INSTANCE).result().route


def chunk_files(folder: Path) -> list[Path]:
    """The chunks of all snapshots in a folder, in order."""
    return sorted(folder.glob(FILES))


def taken(folder: Path, count: int = 20, **settings: Any) -> Snapshot:
    """A snapshot of a router that holds so many rooms, and one default."""
    router = router_of(**settings)
    fill(router, rooms(count))
    router.set("tg:bot:*", Route("lobby")).result()
    return router.snapshot(str(folder)).result()
