"""What else one might use for a route table on Ray: actors to measure beside the router's partitions."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any

import ray
from cachetools import TTLCache

from ray_router.bench.sessions import chunks
from ray_router.bench.watched import Watched


class Bare(Watched):
    """An actor that does nothing: what no router on Ray can be faster than, call by call."""

    def noop(self) -> None:
        """Do nothing."""


class DictTable(Watched):
    """The first thing that comes to mind: an actor with a dictionary. No TTL, no bound, no ladder."""

    def __init__(self) -> None:
        self._routes: MutableMapping[str, str] = {}

    def noop(self) -> None:
        """Do nothing."""

    def load(self, entries: int) -> None:
        """Take in so many sessions."""
        for chunk in chunks(entries):
            self._routes.update(chunk)

    def get(self, key: str) -> str | None:
        """A session's route."""
        return self._routes.get(key)

    def set(self, key: str, route: str) -> None:
        """A session's route, from now on."""
        self._routes[key] = route

    def get_many(self, keys: Sequence[str]) -> list[str | None]:
        """The routes of many."""
        return [self._routes.get(key) for key in keys]


class TtlTable(DictTable):
    """The second thing: the same with a cache of cachetools, bounded and with a TTL."""

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self._routes = TTLCache(maxsize=capacity, ttl=3_600.0)


@contextmanager
def peer(kind: type[Watched], *arguments: object, name: str = "", namespace: str = "") -> Iterator[Any]:
    """An actor for the time being, up and answering; named if it is to be looked up."""
    options: dict[str, Any] = {"num_cpus": 0}
    if name:
        options |= {"name": name, "namespace": namespace}
    actor_class: Any = ray.remote(kind)
    actor = actor_class.options(**options).remote(*arguments)
    try:
        ray.get(actor.resident_bytes.remote())
        yield actor
    finally:
        ray.kill(actor)
