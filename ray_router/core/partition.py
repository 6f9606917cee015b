"""``Partition``: the whole behaviour of one partition, as plain calls with ``now``.

It is the only object that changes its mind: it checks what comes in, turns each operation into a merge
or a look, counts, and tells the observer. It reads no clock, starts no thread and knows no runtime; a
shell around it serialises the calls. One bad operation is refused and stores nothing; the others of its
batch are carried out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from typing import Union, cast

from ray_router.core import candidates
from ray_router.core.admission import check_group, check_key, check_now, check_operation
from ray_router.core.candidates import NOTHING, SessionState, holds, merge
from ray_router.core.defaults import Defaults
from ray_router.core.events import (
    Deleted,
    Event,
    Evicted,
    MovedOn,
    Observer,
    PressureChanged,
    RefusedInput,
    Reported,
    Resolved,
    WroteRoute,
    guarded,
    unobserved,
)
from ray_router.core.eviction import POLICIES
from ray_router.core.exchange import Exchange, OwnSessions
from ray_router.core.insight import Insight, NoInsight
from ray_router.core.insight.windows import Totals, Windows
from ray_router.core.keytext import scope_of, wider_than
from ray_router.core.ladder import Own, Rules, Wider, Wishes
from ray_router.core.operations import (
    Answer,
    Answers,
    Delete,
    Explain,
    Explained,
    Get,
    Group,
    Look,
    Operation,
    Refused,
    Report,
    Resolve,
    Result,
    Set,
    Written,
)
from ray_router.core.pressure import Pressure, level_of
from ray_router.core.reception import received, session_keys
from ray_router.core.record import RecordFormat
from ray_router.core.resolver import explain, resolve
from ray_router.core.settings import PartitionSettings
from ray_router.core.standing import Backoff, lives_until, newest_fact, standings
from ray_router.core.table import Change, Phase, Retention, Table, Transition
from ray_router.core.understudy import Copies
from ray_router.errors import InvalidCallError, InvalidInputError
from ray_router.model import (
    Confidence,
    Delivery,
    FallbackReason,
    Freshness,
    Holdings,
    Origin,
    PartitionInsight,
    PartitionStats,
    PressureLevel,
    ReportOutcome,
    ResolutionSource,
    Scope,
    SetOutcome,
    Traffic,
)

_TIDY_LEAST, _TIDY_MOST = 4, 64  # entries moved on inside one call, so that no call pays for all

_REFRESHED = Written(SetOutcome.REFRESHED)
_SOURCE_COUNT = {
    ResolutionSource.EXACT: "exact",
    ResolutionSource.ALTERNATE: "alternate",
    ResolutionSource.SCOPE: "scope",
    ResolutionSource.PROVIDED: "provided",
    ResolutionSource.STALE: "stale_answers",
    ResolutionSource.NONE: "misses",
}
_EVICTION_COUNT = {
    Phase.LIVE: "evicted_live",
    Phase.STALE: "evicted_stale",
    Phase.TOMBSTONE: "evicted_tombstones",
}
_TRANSITION_COUNT = {Phase.STALE: "went_stale", Phase.TOMBSTONE: "expired", None: "forgotten"}


Resolution = tuple[Scope, ResolutionSource, Union[FallbackReason, None], bool]
"""What a resolve came to: the asking key's scope, what answered and why that, and whether it was stale."""


class Partition:
    """One partition: a bounded table of sessions, the defaults, and what is counted.

    Args:
        index: the partition's number.
        settings: already validated.
        observer: told of every event, after the fact; what it raises is logged and goes no further.
        insight: learns from the traffic; without one nothing is learnt.
        defaults: shared with another; its own when left out.
        copies: the sessions, where they are others'; its own when left out.
    """

    def __init__(
        self,
        index: int,
        settings: PartitionSettings,
        observer: Observer | None = None,
        insight: Insight | None = None,
        *,
        defaults: Defaults | None = None,
        copies: Copies | None = None,
    ) -> None:
        self._index = index
        self._settings = settings
        self._watched = observer is not None
        self._tell = unobserved if observer is None else guarded(observer)
        self._resolved: dict[Resolution, int] = {}
        retention = Retention(settings.stale_retention_s, settings.tombstone_retention_s)
        policy = POLICIES[settings.eviction](settings.capacity)
        self._records = RecordFormat(settings.ttl_s)
        self._copies = copies
        self._table = (
            Table(settings.capacity, settings.max_candidates, retention, policy, self._records)
            if copies is None
            else cast("Table", copies)  # which have all of a table that is asked for here
        )
        if defaults is None:
            defaults = Defaults(settings.max_defaults, settings.max_candidates, retention)
        self._defaults = defaults
        self._exchange: Exchange | None = None
        self._understudy: Partition | None = None
        self._astray = False  # whether what is written now may be missing elsewhere
        self._pressure = Pressure(settings.call_timeout_s)
        self._level = PressureLevel.NORMAL
        self._counts: Counter[str] = Counter()
        self._insight = NoInsight() if insight is None else insight
        self._windows = Windows()
        self._busy_s = 0.0
        self._rules = Rules(
            Backoff(settings.backoff_first_s, settings.backoff_cap_s),
            settings.stale_retention_s,
            settings.tombstone_retention_s,
        )

    def exchanges(self, exchange: Callable[[OwnSessions, Defaults], Exchange]) -> Exchange:
        """Keep copies for peers, and have them keep its own, by the exchange that is made here."""
        self._exchange = exchange(OwnTable(self), self._defaults)
        copies = Copies(self._exchange)
        self._understudy = Partition(self._index, self._settings, defaults=self._defaults, copies=copies)
        self._understudy._exchange = self._exchange
        return self._exchange

    def apply(
        self, batch: Sequence[Group], now: float | None = None, *, agreed: bool = True
    ) -> list[tuple[Result, ...]]:
        """Carry out a batch, group by group, operation by operation.

        Args:
            batch: what the submissions ask.
            now: epoch seconds by the clock of whoever calls; each group of a router with an event clock
                carries its own instead.
            agreed: whoever calls goes by the same decree of who owns what.

        Raises:
            InvalidCallError: it is no sequence of groups.
        """
        if not isinstance(batch, tuple | list):
            raise InvalidCallError("batch", f"must be a tuple or list of groups, not {type(batch).__name__}")
        return [self._apply_group(group, now, agreed) for group in batch]

    def answer(self, keys: tuple[str, ...], now: float) -> list[str] | None:
        """Resolve keys without wishes, where all of their sessions are here, plain and alive: their records.

        What ``apply`` does for such a group, by a caller that goes by the same decree, in few steps.

        Returns:
            None, with nothing done, where one of them is to be looked at, or the time is the callers'.
        """
        exchange = self._exchange
        if self._settings.event_clock or len(keys) > self._settings.limits.batch_operations:
            return None
        if exchange is not None and not exchange.at_ease:
            return None
        records = self._table.quick(keys, now)
        if None in records:
            return None
        self._keep_totals(now)
        self._note_exact(keys)
        self._have_resolved(keys, now, learn=True)
        return cast("list[str]", records)

    def waited(self, waited_s: float, now: float) -> None:
        """A caller reports how long its last call waited in front of this partition."""
        self._pressure.waited(waited_s, now)
        self._watch_pressure(now)

    def worked(self, service_s: float) -> None:
        """So many seconds were spent on a call."""
        self._busy_s += service_s

    def tidy(self, now: float, most: int) -> int:
        """Move on at most ``most`` entries whose time has come; fewer than that means no more are due."""
        moved = 0
        while moved < most and (transition := self._table.take_next(now)) is not None:
            self._note_transition(transition)
            moved += 1
        forgotten = self._defaults.prune(now, most - moved)
        self._counts["forgotten"] += forgotten
        if self._exchange is not None and self._copies is None:
            self._exchange.standby.prune(now, most)
        return moved + forgotten

    def defaults(self) -> tuple[tuple[str, SessionState], ...]:
        """The defaults of instances and channels, for a peer."""
        return self._defaults.items()

    def merge_defaults(self, items: Iterable[tuple[str, SessionState]], now: float) -> None:
        """Take in a peer's defaults; stamps are taken verbatim."""
        for key, state in items:
            self._defaults.merge(key, state, now)

    def keys(self) -> list[str]:
        """The keys of all that is held here: sessions and defaults."""
        return [*self._table, *(key for key, _ in self._defaults.items())]

    def known(self, key: str) -> SessionState:
        """What is known of a session, be it only that it was deleted, or of a default; touches nothing."""
        if scope_of(key) >= Scope.INSTANCE:
            return self._defaults.state(key) or NOTHING
        return self._table.known(key)

    def restore(self, key: str, state: SessionState, now: float) -> int:
        """Take in what once was known of a session or default; stamps are taken verbatim.

        Returns:
            How many sessions with a route left to make room for it.
        """
        if scope_of(key) >= Scope.INSTANCE:
            self._defaults.merge(key, state, now)
            return 0
        change = self._take_in(key, state, now)
        if self._exchange is not None and self._table.state(key) is not None:
            self._exchange.wrote(key, newest_fact(state), astray=True)
        return _evicted(change)

    def tell(self, event: Event) -> None:
        """Tell the observer what happened around this partition."""
        self._tell(event)

    def stats(self, now: float) -> PartitionStats:
        """What is held and what was counted; the shell adds what it knows of the process."""
        counts, table = self._counts, self._table
        pressure = self._pressure.at(now)
        self._watch_pressure(now)
        return PartitionStats(
            partition=self._index,
            capacity=self._settings.capacity,
            pressure=pressure,
            level=level_of(pressure),
            waiting_s=self._pressure.waiting_s(now),
            ghosts=table.ghosts,
            table_bytes=table.bytes,
            holdings=Holdings(
                live=table.count(Phase.LIVE),
                stale=table.count(Phase.STALE),
                tombstones=table.count(Phase.TOMBSTONE),
                defaults=len(self._defaults),
            ),
            traffic=Traffic(**counts),
            windows=self._windows.over(self._totals(), now),
            load=self._insight.hottest(),
            ask_ages=self._insight.ask_ages(),
        )

    def insight(self, now: float) -> PartitionInsight:
        """What was learnt of the traffic."""
        return self._insight.counts(now)

    def _totals(self) -> Totals:
        traffic = Traffic(**self._counts)
        return Totals(traffic.resolves, traffic.exact, traffic.fallbacks, traffic.sets, self._busy_s)

    def _keep_totals(self, now: float) -> None:
        """Remember what was counted before the first call in every ten seconds."""
        if self._windows.due(now):
            self._windows.copy(self._totals(), now)

    def _have_resolved(self, keys: Sequence[str], now: float, *, learn: bool) -> None:
        """What follows whenever keys were resolved, however they were."""
        if self._resolved:
            self._tell_resolved()
        if learn:
            self._insight.asked(keys, now)
        self.tidy(now, min(_TIDY_MOST, max(_TIDY_LEAST, 2 * len(keys))))

    def _apply_group(self, group: Group, now: float | None, agreed: bool = True) -> tuple[Result, ...]:
        answers = 1
        try:
            check_group(group, self._settings.limits)
            answers = len(group.operations)
            check_now(group.now, event_clock=self._settings.event_clock)
        except InvalidInputError as error:
            return (self._refuse(error),) * answers
        at = now if group.now is None else group.now
        assert at is not None, "a router with clock='wall' is told the time by its shell"
        self._keep_totals(at)
        exchange = self._exchange
        if exchange is not None and self._copies is None:
            place = received(group, exchange, self._settings.limits, agreed=agreed)
            if not isinstance(place, bool):
                return (place,)
            if exchange.sorting:
                self._put_right(group, exchange, at)
            if place and self._understudy is not None:
                return self._understudy._apply_group(group, now, agreed)
            # Whoever goes by another decree may have told others than those who keep it by now.
            self._astray = group.astray is True or group.copy is True or not agreed
        elif self._copies is not None:
            self._copies.astray = group.astray is True or not agreed
        return tuple([self._carry_out(operation, at) for operation in group.operations])

    def _put_right(self, group: Group, exchange: Exchange, now: float) -> None:
        """Put what a group looks at where it belongs, before it does."""
        for key in session_keys(group.operations, self._settings.limits):
            exchange.put_right(key, now)
            for _, wider in wider_than(key, Scope.ROOM):
                exchange.put_right(wider, now)

    def _carry_out(self, operation: Operation, now: float) -> Result:
        try:
            check_operation(operation, self._settings.limits)
        except InvalidInputError as error:
            return self._refuse(error)
        if isinstance(operation, Resolve):
            refused = self._counts["refused"]
            answers = Answers(now, self._resolve_all(operation, now))
            # Only what was checked is fit to be learnt from.
            self._have_resolved(operation.keys, now, learn=self._counts["refused"] == refused)
            return answers
        result = self._change(operation, now)
        self.tidy(now, _TIDY_LEAST)
        return result

    def _change(self, operation: Set | Report | Delete | Get | Explain, now: float) -> Result:
        if isinstance(operation, Set):
            return self._set(operation, now)
        if isinstance(operation, Report):
            return self._report(operation, now)
        if isinstance(operation, Delete):
            return self._delete(operation, now)
        if isinstance(operation, Explain):
            return self._explain(operation, now)
        return self._look(operation.key, now)

    def _set(self, operation: Set, now: float) -> Written:
        key, route, observed_at, origin, ttl_s = operation
        scope = scope_of(key)
        if ttl_s is None:
            ttl_s = self._default_ttl_s(origin, scope)
        observed_at, ttl_s = self._not_ahead(observed_at, now), float(ttl_s)
        if scope < Scope.INSTANCE and self._table.refresh(key, route, observed_at, ttl_s, origin, now):
            written = _REFRESHED
            if self._exchange is not None:
                self._exchange.wrote(key, observed_at, astray=self._astray)
        elif self._sheds(key, scope, origin, now):
            written = Written(SetOutcome.SHED)
            if self._exchange is not None:
                self._exchange.left(key, observed_at)
        else:
            fact = candidates.observed(route, observed_at, ttl_s, int(origin))
            change = self._merge(key, scope, fact, now)
            written = Written(_set_outcome(change, fact), _evicted(change))
        if written.outcome is not SetOutcome.SHED:
            self._insight.wrote((key,), now)
        self._counts[written.outcome.value] += 1
        if self._watched:
            self._tell(WroteRoute(self._index, scope, written.outcome, Origin(origin)))
        return written

    def _sheds(self, key: str, scope: Scope, origin: int, now: float) -> bool:
        """Under the highest pressure only users and operators may open new sessions."""
        if self._level is not PressureLevel.SHED or origin > Origin.AGENT:
            return False
        self._watch_pressure(now)
        state = self._known(key, scope)
        return self._level is PressureLevel.SHED and not (state and state.observations)

    def _report(self, operation: Report, now: float) -> ReportOutcome:
        at = self._not_ahead(operation.at, now)
        route, delivery, scope = operation.route, Delivery(operation.delivery), scope_of(operation.key)
        if delivery is Delivery.DELIVERED:
            fact = candidates.confirmed(route, at)
        elif delivery is Delivery.TRANSIENT:
            fact = candidates.deferred(route, at, operation.retry_after_s or 0.0)
        else:
            fact = candidates.failed(route, at)
            if operation.moved_to is not None:
                ttl_s = self._default_ttl_s(Origin.INBOUND, scope)
                moved = candidates.observed(operation.moved_to, at, ttl_s, Origin.INBOUND)
                fact = merge(fact, moved, self._settings.max_candidates)
        change = self._merge(operation.key, scope, fact, now)
        outcome = ReportOutcome.APPLIED if holds(change.after, fact) else ReportOutcome.SUPERSEDED
        self._counts["reports"] += 1
        if self._watched:
            self._tell(Reported(self._index, delivery, outcome))
        return outcome

    def _delete(self, operation: Delete, now: float) -> bool:
        fact = candidates.deleted(self._not_ahead(operation.at, now))
        change = self._merge(operation.key, scope_of(operation.key), fact, now)
        found = len(change.after.observations) < len(change.before.observations)
        self._counts["deletes"] += 1
        if self._watched:
            self._tell(Deleted(self._index, found))
        return found

    def _look(self, key: str, now: float) -> Look | None:
        state = self._known(key, scope_of(key))
        if state is None or not state.observations:
            return None
        if now > lives_until(state) + self._settings.stale_retention_s:
            return None
        ranked = standings(state, now, self._rules.backoff)
        primary = ranked[0]
        return Look(
            routes=tuple(standing.route for standing in ranked),
            freshness=Freshness.FRESH if primary.fresh else Freshness.STALE,
            observed_at=primary.observed_at,
            age_s=max(0.0, now - primary.observed_at),
            expires_in_s=primary.lives_until - now,
            origin=primary.origin,
            failed=primary.failed or primary.deferred,
        )

    def _resolve_all(self, wishes: Resolve, now: float) -> Sequence[str | Answer | Refused]:
        """All plain, living sessions at once; every other by itself."""
        keys = wishes.keys
        if not keys or wishes.min_confidence > Confidence.OBSERVED:
            return [self._resolve(key, wishes, now) for key in keys]
        try:
            records = self._table.quick(keys, now)
        except TypeError:  # something that is no key, and does not even hash
            records = [None] * len(keys)
        if None not in records:
            self._note_exact(keys)
            return cast("list[str]", records)
        items: list[str | Answer | Refused] = []
        for key, record in zip(keys, records, strict=True):
            if record is None:
                items.append(self._resolve(key, wishes, now))
            else:
                self._note_exact((key,))
                items.append(record)
        return items

    def _note_exact(self, keys: Sequence[str]) -> None:
        """The records of these sessions were given as they are."""
        self._table.touch_quick(keys)
        self._counts["resolves"] += len(keys)
        self._counts["exact"] += len(keys)
        if self._watched:
            threads = "".join(keys).count(":") - 2 * len(keys)  # a room's key has two, a thread's three
            for scope, count in ((Scope.THREAD, threads), (Scope.ROOM, len(keys) - threads)):
                if count:
                    self._note_told((scope, ResolutionSource.EXACT, None, False), count)

    def _resolve(self, key: str, wishes: Resolve, now: float) -> Answer | Refused:
        state = self._table.state(key) if isinstance(key, str) else None
        if state is None:  # what is stored was checked when it came
            try:
                check_key(key, self._settings.limits)
            except InvalidInputError as error:
                return self._refuse(error)
            state = self._defaults.state(key)
        found = resolve(
            key,
            self._own(key, state, now),
            self._wider(key, wishes.widest_scope),
            Wishes(wishes.fallbacks, wishes.allow_stale, wishes.min_confidence),
            self._rules,
            now,
        )
        if found.key is not None and self._table.state(found.key) is not None:
            self._table.touch(found.key)
        answer = found.answer
        self._counts["resolves"] += 1
        self._counts[_SOURCE_COUNT[answer.source]] += 1
        if answer.stale:
            self._counts["stale_detections"] += 1
        if self._watched:
            self._note_told((scope_of(key), answer.source, answer.reason, answer.stale), 1)
        return answer

    def _explain(self, operation: Explain, now: float) -> Explained:
        """A resolve that counts as none; wider scopes than it may look at are shown for what they have."""
        key, fallbacks, allow_stale, widest_scope, min_confidence = operation
        return explain(
            key,
            self._own(key, self._known(key, scope_of(key)), now),
            self._wider(key, Scope.CHANNEL),
            Wishes(fallbacks, allow_stale, min_confidence, widest_scope),
            self._rules,
            now,
        )

    def _own(self, key: str, state: SessionState | None, now: float) -> Own:
        return Own(state or NOTHING, not (state and state.observations) and self._table.expired(key, now))

    def _note_told(self, alike: Resolution, count: int) -> None:
        """Keys were resolved; whoever watches is told when the whole call is, once for all alike."""
        self._resolved[alike] = self._resolved.get(alike, 0) + count

    def _tell_resolved(self) -> None:
        resolved, self._resolved = self._resolved, {}
        for alike, count in resolved.items():
            self._tell(Resolved(self._index, *alike, count))

    def _wider(self, key: str, widest: int) -> Iterator[Wider]:
        for scope, text in wider_than(key, widest):
            state = self._known(text, scope)
            if state is not None:
                yield Wider(scope, text, state)

    def _known(self, key: str, scope: Scope) -> SessionState | None:
        return self._table.state(key) if scope < Scope.INSTANCE else self._defaults.state(key)

    def _merge(self, key: str, scope: Scope, fact: SessionState, now: float) -> Change:
        if scope >= Scope.INSTANCE:
            if self._exchange is not None and self._astray:
                self._exchange.defaults_changed()
            return self._defaults.merge(key, fact, now)
        change = self._table.merge(key, fact, now)
        if self._exchange is not None and self._copies is None:
            self._note_change(key, fact, change, self._exchange)
        return self._note_effects(change, now)

    def _note_change(self, key: str, fact: SessionState, change: Change, exchange: Exchange) -> None:
        """Peers that keep this session may have to know."""
        if fact.deleted_at > -inf:
            exchange.deleted(key, fact.deleted_at, astray=self._astray)
        elif self._astray or change.after != change.before:
            exchange.wrote(key, newest_fact(fact), astray=self._astray)
        elif self._table.state(key) is None:
            exchange.left(key, newest_fact(fact))  # it was not let in; the standby may have it

    def _take_in(self, key: str, state: SessionState, now: float) -> Change:
        """A peer knows this of an own session."""
        change = self._note_effects(self._table.merge(key, state, now), now)
        if self._exchange is not None and self._table.state(key) is None:
            self._exchange.left(key, newest_fact(state))  # it was not let in, or is over
        return change

    def _note_effects(self, change: Change, now: float) -> Change:
        for transition in change.transitions:
            self._note_transition(transition)
        young = 0
        for eviction in change.evictions:
            if self._exchange is not None:
                self._exchange.left(eviction.left, eviction.newest)
            young += eviction.phase is Phase.LIVE and eviction.age_s < self._settings.min_live_age_s
            self._counts[_EVICTION_COUNT[eviction.phase]] += 1
            if self._watched:
                self._tell(Evicted(self._index, eviction.phase, eviction.age_s))
        if change.created or young:
            self._counts["new_sessions"] += change.created
            self._pressure.churned(int(change.created), young, now)
            self._watch_pressure(now)
        return change

    def _note_transition(self, transition: Transition) -> None:
        self._counts[_TRANSITION_COUNT[transition.to]] += 1
        if self._watched:
            self._tell(MovedOn(self._index, transition.left, transition.to))

    def _watch_pressure(self, now: float) -> None:
        pressure = self._pressure.at(now)
        before, self._level = self._level, level_of(pressure)
        if before is not self._level:
            self._counts["pressure_changes"] += 1
            event: Event = PressureChanged(self._index, before, self._level, pressure)
            self._tell(event)

    def _default_ttl_s(self, origin: int, scope: Scope) -> float:
        """What an operator says, and what holds for an instance or channel, stands until further notice."""
        endless = origin == Origin.OPERATOR or scope >= Scope.INSTANCE
        return inf if endless else self._settings.ttl_s

    def _not_ahead(self, stamp: float, now: float) -> float:
        """A stamp of a clock far ahead is clamped, or its route could not be corrected for long."""
        return now if stamp > now + self._settings.max_clock_skew_s else float(stamp)

    def _refuse(self, error: InvalidInputError) -> Refused:
        self._counts["refused"] += 1
        if self._watched:
            self._tell(RefusedInput(self._index, error.field))
        return Refused(type(error).__name__, error.field, error.problem)


class OwnTable:
    """A partition's own sessions, as its exchange sees them."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    def __iter__(self) -> Iterator[str]:
        return iter(self._partition._table)

    def state(self, key: str) -> SessionState | None:
        """What is known of a session that is here."""
        return self._partition._table.state(key)

    def known(self, key: str) -> SessionState:
        """What is known of a session, be it only that it was deleted."""
        return self._partition._table.known(key)

    def as_stored(self, key: str) -> str | SessionState | None:
        """What is known of a session that is here, as it is kept."""
        return self._partition._table.as_stored(key)

    def load(self, key: str, record: str, now: float) -> bool:
        """Take in a plain session that a peer knows, where nothing is known of it here; whether it was."""
        loaded = self._partition._table.load(key, record, now)
        if loaded:
            self._partition._counts["new_sessions"] += 1
            self._partition._pressure.churned(1, 0, now)
        return loaded

    def merge(self, key: str, fact: SessionState, now: float) -> Change:
        """Take in what a peer knows."""
        return self._partition._take_in(key, fact, now)

    def take(self, key: str) -> SessionState | None:
        """Let go of a session, and leave nothing of it."""
        return self._partition._table.take(key)


def _evicted(change: Change) -> int:
    """How many sessions with a route left to make room for a change."""
    return sum(eviction.phase is not Phase.TOMBSTONE for eviction in change.evictions)


def _set_outcome(change: Change, fact: SessionState) -> SetOutcome:
    if not holds(change.after, fact):
        return SetOutcome.SUPERSEDED
    (written,) = fact.observations
    known = any(seen.route == written.route for seen in change.before.observations)
    return SetOutcome.REFRESHED if known else SetOutcome.STORED
