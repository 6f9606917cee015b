"""Made-up sessions of a usual size: 25 characters of key, 25 of route."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from ray_router.handle import RouterHandle
from ray_router.model import Route

CHUNK = 10_000


def key_of(number: int) -> str:
    """A room's key, of 25 characters."""
    return f"telegram:bot_1:r{number:09d}"


def route_of(number: int) -> str:
    """Its platform's id of the room, of 25 characters."""
    return f"-100{number:021d}"


def chunks(entries: int) -> Iterator[dict[str, str]]:
    """So many sessions, 10,000 at a time."""
    for first in range(0, entries, CHUNK):
        yield {key_of(number): route_of(number) for number in range(first, min(entries, first + CHUNK))}


def some_keys(count: int, entries: int, seed: int = 0) -> list[str]:
    """Keys at random from a table of so many sessions."""
    random = Random(seed)
    return [key_of(random.randrange(entries)) for _ in range(count)]


def batches(size: int, entries: int, keys: int = 20_000) -> list[list[str]]:
    """Batches of keys at random: enough of them that nothing but the table could remember them all."""
    return [some_keys(size, entries, seed) for seed in range(max(8, keys // size))]


def load(router: RouterHandle, entries: int, route_at: Callable[[str], Route] = Route) -> None:
    """Give a router so many sessions.

    Args:
        route_at: makes a route of a room's id.
    """
    for chunk in chunks(entries):
        router.set_many([(key, route_at(room)) for key, room in chunk.items()]).result()
