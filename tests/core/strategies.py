"""Small spaces of keys, facts and operations, so that collisions happen, and short words to ask with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from math import inf
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ray_router.core import candidates
from ray_router.core.candidates import NOTHING, SessionState, merge
from ray_router.core.events import Observer
from ray_router.core.keytext import scope_of
from ray_router.core.operations import (
    Answer,
    Answers,
    Delete,
    Group,
    Operation,
    Refused,
    Report,
    Resolve,
    Set,
)
from ray_router.core.partition import Partition
from ray_router.core.record import RecordFormat
from ray_router.core.settings import PartitionSettings
from ray_router.handle.resolutions import AnswerTerms, exact_resolution
from ray_router.model import Delivery, Holdings, Origin, SessionKey

Test = TypeVar("Test", bound=Callable[..., None])

THREAD = "tg:bot:room:thread"
ROOM = "tg:bot:room"
INSTANCE = "tg:bot:*"
CHANNEL = "tg:*:*"
LINEAGE = (THREAD, ROOM, INSTANCE, CHANNEL)

LIMIT = 3  # routes of a state, of which there are more
ROUTES = ("A", "B", "C", "D", "E")


def steadily(examples: int) -> Callable[[Test], Test]:
    """Run a property on so many examples, the same on every run.

    A contract may be inherited by several classes: that matters to a database of examples only.
    """
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.differing_executors],
    )


# Keys and routes

parts = st.sampled_from(("a", "b", "*", ":", "%", "\u00fc"))
session_keys = st.one_of(
    st.builds(SessionKey, parts),
    st.builds(SessionKey, parts, parts),
    st.builds(SessionKey, parts, parts, parts),
    st.builds(SessionKey, parts, parts, parts, parts),
)
routes = st.sampled_from(ROUTES)

# Facts and states

times = st.integers(0, 8).map(float)
ttls = st.sampled_from((1.0, 5.0, inf))
origins = st.sampled_from(Origin).map(int)
waits = st.sampled_from((0.0, 3.0, 7.0))

facts = st.one_of(
    st.builds(candidates.observed, routes, times, ttls, origins),
    st.builds(candidates.failed, routes, times),
    st.builds(candidates.confirmed, routes, times),
    st.builds(candidates.deferred, routes, times, waits),
    st.builds(candidates.deleted, times),
)


def joined(facts: list[SessionState], limit: int = LIMIT) -> SessionState:
    """The state that knows all these facts, merged one after another."""
    return reduce(lambda state, fact: merge(state, fact, limit), facts, NOTHING)


states = st.lists(facts, max_size=12).map(joined)

# Operations on one session


def operations_on(key: str, ttls: st.SearchStrategy[float | None]) -> st.SearchStrategy[Operation]:
    """Writes, deletions and reports of one session."""
    return st.one_of(
        st.builds(Set, st.just(key), routes, times, st.sampled_from(Origin), ttls),
        st.builds(Delete, st.just(key), times),
        st.builds(Report, st.just(key), routes, st.just(Delivery.DELIVERED), times),
        st.builds(Report, st.just(key), routes, st.just(Delivery.PERMANENT), times),
        st.builds(Report, st.just(key), routes, st.just(Delivery.MOVED), times, routes),
        st.builds(
            Report, st.just(key), routes, st.just(Delivery.TRANSIENT), times, st.none(), st.none() | waits
        ),
    )


# Words to ask with


def write(
    key: str, route: str, at: float, *, origin: int = Origin.INBOUND, ttl_s: float | None = None
) -> Set:
    """Observe a route."""
    return Set(key, route, at, origin, ttl_s)


def delivered(key: str, route: str, at: float) -> Report:
    """A message arrived along a route."""
    return Report(key, route, Delivery.DELIVERED, at)


def permanent(key: str, route: str, at: float) -> Report:
    """A route is dead."""
    return Report(key, route, Delivery.PERMANENT, at)


def transient(key: str, route: str, at: float, retry_after_s: float | None = None) -> Report:
    """A route failed for the moment."""
    return Report(key, route, Delivery.TRANSIENT, at, None, retry_after_s)


def moved(key: str, route: str, at: float, moved_to: str) -> Report:
    """A route is dead, and another has taken its place."""
    return Report(key, route, Delivery.MOVED, at, moved_to)


def partition_of(observer: Observer | None = None, **changed: Any) -> Partition:
    """A partition with these settings."""
    return Partition(0, PartitionSettings(**changed), observer)


def ask(partition: Partition, *operations: Any, now: float) -> tuple[Any, ...]:
    """Ask a partition, and give one result for each operation; answers are read."""
    group = Group(operations)
    return answers_of(partition, group, partition.apply((group,), now)[0])


def answers_of(partition: Partition, group: Group, results: Sequence[Any]) -> tuple[Any, ...]:
    """The results of a group, with all answers read."""
    return tuple(
        _read(partition, operation, result)
        if isinstance(operation, Resolve) and isinstance(result, Answers)
        else result
        for operation, result in zip(group.operations, results, strict=False)
    )


def read(records: RecordFormat, text: str, key: str, now: float) -> Answer:
    """A record as its session's answer, by way of what callers are given."""
    found = exact_resolution(key, text, now, 0, False, AnswerTerms(Resolve(()), 1, records))
    assert found.route is not None
    return Answer(
        found.route.text,
        found.source,
        found.reason,
        found.stale,
        found.confidence,
        found.matched_scope,
        found.age_s,
        found.expires_in_s,
    )


def _read(partition: Partition, operation: Resolve, answers: Answers) -> tuple[Answer | Refused, ...]:
    return tuple(
        read(partition._records, item, key, answers.now) if isinstance(item, str) else item
        for key, item in zip(operation.keys, answers.items, strict=True)
    )


def resolve(partition: Partition, key: str, now: float, **wishes: Any) -> Answer:
    """Resolve one key."""
    ((answer,),) = ask(partition, Resolve((key,), **wishes), now=now)
    assert isinstance(answer, Answer), answer
    return answer


# Looks inside


def state_of(partition: Partition, key: str) -> SessionState:
    """All that a partition knows of a session."""
    return partition._known(key, scope_of(key)) or NOTHING


def routes_of(partition: Partition, key: str) -> set[str]:
    """The routes that a partition holds for a session."""
    return {seen.route for seen in state_of(partition, key).observations}


def holdings_of(partition: Partition, now: float = 0.0) -> Holdings:
    """How much a partition holds."""
    return partition.stats(now).holdings
