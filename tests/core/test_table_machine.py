"""A partition against a slow model of its table, step by step, on few keys and little room."""

from __future__ import annotations

from math import inf

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ray_router.core import candidates
from ray_router.core.candidates import SessionState, holds
from ray_router.core.keytext import wider_than
from ray_router.core.ladder import Own, Rules, Wider, Wishes
from ray_router.core.operations import Delete, Get, Report, Resolve, Written
from ray_router.core.partition import Partition
from ray_router.core.resolver import resolve as walk
from ray_router.core.settings import PartitionSettings
from ray_router.core.slots import key_hash
from ray_router.core.standing import Backoff
from ray_router.core.table import Phase
from ray_router.model import Delivery, Origin, ReportOutcome, Scope, SetOutcome

from .consistency import validate
from .strategies import ask, holdings_of, resolve, write
from .table_model import SlowTable

KEYS = ("tg:bot:a", "tg:bot:a:t", "tg:bot:b", "tg:bot:b:t", "tg:bot:c")
SETTINGS = PartitionSettings(
    ttl_s=3.0,
    stale_retention_s=4.0,
    tombstone_retention_s=5.0,
    max_candidates=2,
    backoff_first_s=2.0,
    min_live_age_s=0.0,  # nothing is evicted too young, so nothing is refused under pressure
)
RULES = Rules(Backoff(SETTINGS.backoff_first_s, SETTINGS.backoff_cap_s), 4.0, 5.0)
COUNTED = (
    "new_sessions",
    "went_stale",
    "expired",
    "forgotten",
    "evicted_live",
    "evicted_stale",
    "evicted_tombstones",
)

keys = st.sampled_from(KEYS)
routes = st.sampled_from("ABC")
ages = st.integers(0, 12)


class PartitionAgainstModel(RuleBasedStateMachine):
    """Both are told the same; both must know, hold, count and answer the same."""

    @initialize(capacity=st.integers(1, 4))
    def begin(self, capacity: int) -> None:
        settings = SETTINGS._replace(capacity=capacity)
        self.partition = Partition(0, settings)
        self.model = SlowTable(settings)
        self.now = 100

    @rule(
        key=keys,
        route=routes,
        age=ages,
        origin=st.sampled_from((Origin.INBOUND, Origin.SYSTEM)),
        ttl_s=st.sampled_from((None, 1.0, 10.0, inf)),
    )
    def write(self, key: str, route: str, age: int, origin: Origin, ttl_s: float | None) -> None:
        at = self.now - age
        fact = candidates.observed(route, at, SETTINGS.ttl_s if ttl_s is None else ttl_s, int(origin))
        before, after, evicted = self.merged(key, fact)
        outcome = SetOutcome.STORED
        if not holds(after, fact):
            outcome = SetOutcome.SUPERSEDED
        elif route in {seen.route for seen in before.observations}:
            outcome = SetOutcome.REFRESHED
        written = ask(self.partition, write(key, route, at, origin=origin, ttl_s=ttl_s), now=self.now)
        assert written == (Written(outcome, evicted),)

    @rule(
        key=keys,
        route=routes,
        age=ages,
        delivery=st.sampled_from((Delivery.DELIVERED, Delivery.PERMANENT, Delivery.TRANSIENT)),
    )
    def report(self, key: str, route: str, age: int, delivery: Delivery) -> None:
        at = self.now - age
        known_by = {
            Delivery.DELIVERED: candidates.confirmed,
            Delivery.PERMANENT: candidates.failed,
            Delivery.TRANSIENT: candidates.deferred,
        }
        fact = known_by[delivery](route, at)
        _, after, _ = self.merged(key, fact)
        expected = ReportOutcome.APPLIED if holds(after, fact) else ReportOutcome.SUPERSEDED
        assert ask(self.partition, Report(key, route, delivery, at), now=self.now) == (expected,)

    @rule(key=keys, age=ages)
    def delete(self, key: str, age: int) -> None:
        at = self.now - age
        before, after, _ = self.merged(key, candidates.deleted(at))
        found = len(after.observations) < len(before.observations)
        assert ask(self.partition, Delete(key, at), now=self.now) == (found,)

    @rule(key=keys, allow_stale=st.booleans(), fallbacks=st.sampled_from(((), ("P",))))
    def resolve(self, key: str, allow_stale: bool, fallbacks: tuple[str, ...]) -> None:
        state = self.model.known(key)
        own = Own(state, not state.observations and self.model.expired(key, self.now))
        wider = [Wider(scope, text, self.model.known(text)) for scope, text in wider_than(key, Scope.ROOM)]
        expected = walk(key, own, wider, Wishes(fallbacks, allow_stale), RULES, self.now)
        if expected.key is not None:
            self.model.touch(expected.key)
        self.model.tidy(self.now, 4)
        answer = resolve(self.partition, key, now=self.now, allow_stale=allow_stale, fallbacks=fallbacks)
        assert answer == expected.answer

    @rule(keys=st.lists(keys, max_size=40))
    def resolve_many(self, keys: list[str]) -> None:
        for key in keys:
            if walk(key, Own(self.model.known(key)), (), Wishes(), RULES, self.now).answer.route:
                self.model.touch(key)
        self.model.tidy(self.now, min(64, max(4, 2 * len(keys))))
        ask(self.partition, Resolve(tuple(keys), widest_scope=Scope.THREAD), now=self.now)

    @rule(key=keys)
    def look(self, key: str) -> None:
        ask(self.partition, Get(key), now=self.now)
        self.model.tidy(self.now, 4)

    @rule(seconds=st.integers(1, 9))
    def tick(self, seconds: int) -> None:
        self.now += seconds

    @rule(most=st.integers(0, 6))
    def tidy(self, most: int) -> None:
        assert self.partition.tidy(self.now, most) == self.model.tidy(self.now, most)

    def merged(self, key: str, fact: SessionState) -> tuple[SessionState, SessionState, int]:
        """Tell the model, which like a partition then tidies a little."""
        change = self.model.merge(key, fact, self.now)
        self.model.tidy(self.now, 4)
        return change

    @invariant()
    def inside_is_in_order(self) -> None:
        validate(self.partition)

    @invariant()
    def both_know_the_same(self) -> None:
        table = self.partition._table
        for key in KEYS:
            assert (table.state(key) or self.model.known(key)) == self.model.known(key)
            assert (table.state(key) is None) == (self.model.session(key) is None)
            assert table.expired(key, self.now) == self.model.expired(key, self.now)

    @invariant()
    def both_would_evict_in_the_same_order(self) -> None:
        table = self.partition._table
        hashes = {key_hash(key): key for key in KEYS}
        lowest = [hashes.get(name, name) if isinstance(name, int) else name for name in table._lowest]
        assert lowest == [row.key for row in self.model.in_phase(Phase.TOMBSTONE)]
        assert list(table._stale) == [row.key for row in self.model.in_phase(Phase.STALE)]
        order = table._live._order  # type: ignore[attr-defined]  # it is an LRU
        assert list(order) == [row.key for row in self.model.in_phase(Phase.LIVE)]

    @invariant()
    def both_hold_and_count_the_same(self) -> None:
        holdings = holdings_of(self.partition, self.now)
        held = (holdings.live, holdings.stale, holdings.tombstones)
        assert held == tuple(len(self.model.in_phase(phase)) for phase in reversed(Phase))
        traffic = self.partition.stats(self.now).traffic
        assert {name: getattr(traffic, name) for name in COUNTED} == {
            name: self.model.counts[name] for name in COUNTED
        }


TestPartitionAgainstModel = PartitionAgainstModel.TestCase
TestPartitionAgainstModel.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, derandomize=True
)
