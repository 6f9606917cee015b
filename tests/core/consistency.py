"""``validate``: whether the structures inside a table, or a partition's defaults, tell one story."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from math import inf
from typing import Any

from ray_router.core.calendar import _SLACK, NEVER, Calendar
from ray_router.core.defaults import Defaults
from ray_router.core.eviction import EvictionPolicy
from ray_router.core.partition import Partition
from ray_router.core.slots import key_hash
from ray_router.core.table import Phase, Table


def validate(partition: Partition) -> None:
    """Assert that a partition's table and defaults are consistent and within their bounds."""
    _validate_table(partition._table)
    _validate_defaults(partition._defaults)


def _validate_table(table: Table) -> None:
    by_phase: dict[Phase, set[str]] = {phase: set() for phase in Phase}
    days: dict[Hashable, int | None] = {}
    for key, entry in table._entries.items():
        by_phase[entry.phase].add(key)
        days[key] = entry.day
        assert entry.day == Calendar.day_of(table._due_at(entry.state, entry.phase))
        assert not (entry.state.observations and key_hash(key) in table._tombstones)
    days |= {hashed: day for hashed, (day, _) in table._tombstones.items()}

    assert len(table) <= table._capacity
    assert sorted(keys_of(table._live)) == sorted(by_phase[Phase.LIVE])
    assert set(table._stale) == by_phase[Phase.STALE]
    assert set(table._lowest) == by_phase[Phase.TOMBSTONE] | set(table._tombstones)
    assert sum(table.count(phase) for phase in Phase) == len(table)
    _validate_calendar(table._due, days)


def _validate_defaults(defaults: Defaults) -> None:
    assert len(defaults) <= defaults._capacity
    _validate_calendar(defaults._due, {key: defaults._day(state) for key, state in defaults._states.items()})


def _validate_calendar(calendar: Calendar[Any], days: Mapping[Hashable, int | None]) -> None:
    """The calendar holds each item exactly once, on its day, and nothing else."""
    expected = sorted((day, str(item)) for item, day in days.items() if day is not NEVER)
    assert sorted((day, str(item)) for day, items in calendar._days.items() for item in items) == expected
    assert all(calendar._days.values())
    assert set(calendar._days) <= set(calendar._order)
    assert len(calendar._order) <= 2 * len(calendar._days) + _SLACK
    assert min(calendar._order, default=inf) <= min(calendar._days, default=inf)


def keys_of(policy: EvictionPolicy) -> list[str]:
    """The live sessions in a policy's queues, as often as they stand there."""
    queues = [part for part in vars(policy).values() if isinstance(part, OrderedDict)]
    return [key for queue in queues for key in queue]


def elements(thing: object, seen: set[int] | None = None) -> int:
    """How many elements all containers reachable from one of our objects hold together."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, str | bytes | int | float | None | type):
        return 0
    seen.add(id(thing))
    if isinstance(thing, Mapping):
        return len(thing) + sum(elements(value, seen) for value in thing.values())
    if hasattr(thing, "__iter__") and hasattr(thing, "__len__"):
        return len(thing) + sum(elements(value, seen) for value in thing)
    return sum(elements(value, seen) for value in getattr(thing, "__dict__", {}).values())
