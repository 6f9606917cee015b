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
    assert not set(table._quick) & set(table._others)
    for key in table:
        state, phase = table.state(key), table._phase_of(key)
        assert state is not None
        by_phase[phase].add(key)
        days[key] = Calendar.day_of(table._due_at(state, phase))
        assert not (state.observations and key_hash(key) in table._tombstones)
    for key in table._quick:
        day = days[key]
        assert table._phase_of(key) is Phase.LIVE
        assert day is NEVER or day > table._due.reached_until or key in table._withdrawing
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
    """The calendar lists each item on its day, however many listings are left from before."""
    listed = {(day, item) for day, items in calendar._days.items() for item in items}
    assert {(day, item) for item, day in days.items() if day is not NEVER} <= listed
    assert sum(map(len, calendar._days.values())) == len(calendar) <= 2 * len(days) + 2 * _SLACK
    assert set(calendar._days) <= {*calendar._ahead, *calendar._reached}
    assert min((*calendar._ahead, *calendar._reached), default=inf) <= min(calendar._days, default=inf)


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
