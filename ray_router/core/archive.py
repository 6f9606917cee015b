"""``Archive``: one partition's part in snapshots: which keys are its to give, and what it takes in again.

What is taken in is a fact like any other: it is merged into what stands, with the stamps that it has, and
a standby is owed it. Nothing that comes from a snapshot is trusted: each state is checked as a write is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from ray_router.core.admission import check_belongs, check_key, check_route, check_seconds, check_ttl
from ray_router.core.candidates import NOTHING, Deferral, Mark, Observation, SessionState
from ray_router.core.exchange import Exchange
from ray_router.core.keytext import scope_of
from ray_router.core.partition import Partition
from ray_router.core.reading import Reading
from ray_router.core.settings import Limits
from ray_router.core.slots import SlotOf, Topology
from ray_router.errors import InvalidCallError
from ray_router.model import Origin, Scope

_ORIGINS = frozenset(map(int, Origin))

T = TypeVar("T", bound=NamedTuple)


class Archive:
    """What one partition gives to snapshots, and takes from them.

    Args:
        index: the partition.
        topology: who owns what by now.
        exchange: its part in keeping copies, if any are kept.
    """

    def __init__(
        self,
        index: int,
        partition: Partition,
        topology: Callable[[], Topology],
        slot_of: SlotOf,
        exchange: Exchange | None,
    ) -> None:
        self._index = index
        self._partition = partition
        self._topology = topology
        self._slot_of = slot_of
        self._exchange = exchange

    @property
    def ready(self) -> bool:
        """Whether it holds what it should, as far as it can know."""
        exchange = self._exchange
        if exchange is None or self._index in exchange.lives.out:
            return True
        return exchange.ready and not exchange.custody.awaits

    def begin(self) -> Reading:
        """Begin to read all that this partition is the one to give.

        Its own sessions, and the defaults of its slots, which every partition holds; for partitions that are
        out of service, whoever comes next in their order gives theirs.
        """
        exchange = self._exchange
        keys = self._partition.keys()
        if exchange is not None and (exchange.lives.out or exchange.sorting):
            keys += exchange.standby.keys()
        return Reading(dict.fromkeys(keys), self._slot_of, self._gives)

    def state(self, key: str) -> SessionState:
        """What is known of a key by now."""
        if self._exchange is None or scope_of(key) >= Scope.INSTANCE:
            return self._partition.known(key)
        return self._exchange.known(key)

    def take_in(self, key: str, state: SessionState, now: float) -> int:
        """Merge what was known of a key; how many sessions with a route left to make room for it.

        What is another's by now is sent on to it.
        """
        if self._exchange is None or scope_of(key) >= Scope.INSTANCE or self._owner(key) == self._index:
            return self._partition.restore(key, state, now)
        self._exchange.keep(key, state, now, astray=True)
        return 0

    def _gives(self, key: str) -> bool:
        if self._exchange is not None:
            return self._exchange.keepers(key)[:1] == (self._index,)
        return scope_of(key) < Scope.INSTANCE or self._owner(key) == self._index

    def _owner(self, key: str) -> int:
        return self._topology().owners[self._slot_of(key)]


def checked_state(key: object, state: object, limits: Limits) -> SessionState:
    """What a snapshot says of a key, if it can be so.

    Args:
        key: the text of the key.
        state: the fields of a ``SessionState``, in plain tuples.

    Raises:
        InvalidInputError: naming what cannot be so.
    """
    check_key(key, limits)
    assert isinstance(key, str)
    if not isinstance(state, tuple) or len(state) != len(SessionState._fields):
        raise InvalidCallError("state", f"must have {len(SessionState._fields)} fields")
    observations, failed, confirmed, deferred, deleted_at = state
    if deleted_at != NOTHING.deleted_at:
        check_seconds("deleted_at", deleted_at)
    found = SessionState(
        _several("observations", observations, Observation),
        _several("failed", failed, Mark),
        _several("confirmed", confirmed, Mark),
        _several("deferred", deferred, Deferral),
        float(deleted_at),
    )
    for seen in found.observations:
        if isinstance(seen.origin, bool) or not isinstance(seen.origin, int) or seen.origin not in _ORIGINS:
            raise InvalidCallError("origin", f"must be one of {', '.join(each.name for each in Origin)}")
        check_seconds("observed_at", seen.observed_at)
        check_ttl("ttl_s", seen.ttl_s)
        _check_route(key, seen.route, limits)
    marks: tuple[Mark | Deferral, ...] = (*found.failed, *found.confirmed, *found.deferred)
    for mark in marks:
        check_seconds("at", mark.at)
        _check_route(key, mark.route, limits)
    for deferral in found.deferred:
        check_seconds("retry_after_s", deferral.retry_after_s, least=0.0)
    return found


def _several(field: str, values: Any, kind: type[T]) -> tuple[T, ...]:
    try:
        return tuple([kind(*each) for each in values]) if values else ()
    except TypeError:
        raise InvalidCallError(field, f"must hold {kind.__name__}s alone") from None


def _check_route(key: str, route: object, limits: Limits) -> None:
    check_route(route, limits)
    assert isinstance(route, str)
    check_belongs(key, route)
