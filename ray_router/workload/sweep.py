"""Sweeping TTL and capacity over events: the hit ratio of every pair, by the rules themselves.

All routers are given the events side by side, so that these are read once and need not be held.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ray_router.errors import InvalidCallError
from ray_router.handle.intake import key_text, route_text
from ray_router.workload.event import Event
from ray_router.workload.simulate import Simulation, event_config

MOST_POINTS = 400


@dataclass(frozen=True, slots=True)
class Grid:
    """What to sweep: each TTL (seconds) with each capacity (sessions of the whole router); None: no limit."""

    ttls_s: tuple[float | None, ...]
    capacities: tuple[int | None, ...]
    partitions: int = 1
    eviction: str = "lru"

    @property
    def points(self) -> int:
        """How many pairs there are."""
        return len(self.ttls_s) * len(self.capacities)


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """What one pair of settings gave; as in ``SimulationResult``."""

    ttl_s: float | None
    capacity: int | None
    hit_ratio: float
    evicted: int
    expired: int
    live: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """A whole sweep: a point for each TTL with each capacity, in the order of the grid."""

    grid: Grid
    events: int
    sessions: int
    first_at: float
    last_at: float
    points: tuple[SweepPoint, ...]


def sweep(events: Iterable[Event], grid: Grid) -> Sweep:
    """Simulate each TTL with each capacity.

    Raises:
        InvalidCallError: there is nothing to sweep, or too much.
        InvalidConfigError, InvalidInputError, Exception: as from ``simulate``.
    """
    if not 1 <= grid.points <= MOST_POINTS:
        raise InvalidCallError("grid", f"is of {grid.points} points; it must be of 1 to {MOST_POINTS}")
    pairs = [(ttl_s, capacity) for ttl_s in grid.ttls_s for capacity in grid.capacities]
    simulations = [
        Simulation(
            event_config(partitions=grid.partitions, ttl_s=ttl_s, capacity=capacity, eviction=grid.eviction)
        )
        for ttl_s, capacity in pairs
    ]
    for at, key, route in events:
        key_of_event, route_of_event = key_text(key), route_text(route)
        for simulation in simulations:
            simulation.add(at, key_of_event, route_of_event)
    results = [simulation.result() for simulation in simulations]
    tally = results[0].tally
    points = tuple(
        SweepPoint(ttl_s, capacity, result.hit_ratio, result.evicted, result.expired, result.live)
        for (ttl_s, capacity), result in zip(pairs, results, strict=True)
    )
    return Sweep(grid, tally.events, tally.sessions, tally.first_at, tally.last_at, points)
