"""``RouterHandle``: the router as its users see it. It holds no routes and decides nothing about them.

A call is checked and stamped here, its keys are hashed to partitions, each partition is asked once, and
the answers are put together in the order asked. What no partition answers is answered from the caller's
fallbacks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from ray_router.config import RouterConfig
from ray_router.core.admission import check_operation, check_resolve, check_seconds
from ray_router.core.operations import USUAL_WISHES, Delete, Explain, Get, Operation, Report, Resolve
from ray_router.core.rebalancing import MOST_MOVES
from ray_router.errors import InvalidCallError
from ray_router.handle import answers
from ray_router.handle.background import in_background
from ray_router.handle.explanations import Asked, as_resolve, explanation
from ray_router.handle.intake import (
    check_key_fits,
    check_keys_fit,
    fallback_texts,
    key_text,
    route_text,
    several_keys,
    stamped,
    writes,
)
from ray_router.handle.link import Link
from ray_router.handle.promise import Promise
from ray_router.handle.rebalancing import Rebalancing
from ray_router.handle.reply import Reply, Submission
from ray_router.handle.resizing import Resizing
from ray_router.handle.resolutions import (
    AnswerTerms,
    Resolutions,
    Share,
    only_resolution,
)
from ray_router.handle.scatter import (
    Gathered,
    Scatter,
    share_look,
    share_operations,
    share_resolve,
)
from ray_router.handle.stamps import Stamps
from ray_router.handle.twofold import Twofold, stage_operations, stage_resolve
from ray_router.handle.watched import WatchedCall
from ray_router.model import (
    Advice,
    Confidence,
    Delivery,
    Explanation,
    Origin,
    PruneResult,
    RebalancePlan,
    ReportResult,
    ResizeProgress,
    ResizeResult,
    Resolution,
    Restored,
    Route,
    RouteRecord,
    RouterStats,
    Scope,
    SessionKey,
    SetResult,
    Snapshot,
    SnapshotProgress,
    Write,
)
from ray_router.snapshot import restore_snapshot, take_snapshot
from ray_router.snapshot.folder import folder_at
from ray_router.telemetry import HandleTelemetry
from ray_router.transport import Control, Directory, Revive, Transport

_PRUNE_WITHIN_S = 60.0

T = TypeVar("T")


class RouterHandle:
    """A router, from one process. Pickles, and may be used from any thread and any event loop.

    Every method submits at once and returns a ``Reply``: ``await`` it, or call ``.result()``. Keys are
    ``SessionKey`` or their text form. Bad input raises an ``InvalidInputError`` that names the field,
    before anything is sent.

    Args:
        transport: carries calls to the partitions.
        clock: epoch seconds, for stamping what is not stamped.
        watching: what watches the calls to a router of this config; as the application of this process
            has set up its OpenTelemetry when left out. It does not pickle with the handle.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Callable[[], float] = time.time,
        watching: Callable[[RouterConfig], HandleTelemetry | None] | None = None,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._stamps = Stamps(clock)
        self._link = Link(transport, watching)
        self._now: float | None = None

    def __reduce__(self) -> tuple[Callable[..., RouterHandle], tuple[object, ...]]:
        if self._now is None:
            return RouterHandle, (self._transport,)
        return _handle_at, (self._transport, self._now)

    def __repr__(self) -> str:
        directory = self._link.directory
        return f"<RouterHandle {directory.config.name if directory else 'not yet connected'}>"

    @property
    def config(self) -> RouterConfig:
        """The router's config; waits for it if need be."""
        return self._link.open().config

    def connect(self) -> None:
        """Learn what there is to know of the router; in an event loop, begin to.

        Raises:
            RouterNotFoundError: there is no such router.
        """
        if asyncio._get_running_loop() is None:
            self._link.open()
        else:
            self._link.begin_to_open()

    def at(self, now: float) -> RouterHandle:
        """This handle at a given time (epoch seconds), for a router with ``clock="event"``.

        Raises:
            InvalidCallError: not a finite number.
        """
        check_seconds("now", now)
        then = object.__new__(RouterHandle)
        then._transport, then._link = self._transport, self._link
        then._clock = lambda: now
        then._stamps = Stamps(then._clock)
        then._now = float(now)
        return then

    def set(
        self,
        key: SessionKey | str,
        route: Route,
        observed_at: float | None = None,
        origin: Origin = Origin.INBOUND,
        ttl_s: float | None = None,
    ) -> Reply[SetResult]:
        """Observe that a route is good for a session.

        Args:
            observed_at: epoch seconds of the event; None is now, a time to come is clamped to now.
            origin: who says so.
            ttl_s: seconds it stays fresh; None takes the router's (for ever, for an operator's routes and
                for the defaults of instances and channels).

        Raises:
            InvalidInputError: at once; nothing is sent.
            PartitionUnavailableError, DeadlineExceededError: on waiting; nobody acknowledged it.

        >>> from ray_router import Route
        >>> from ray_router.testing import local_router
        >>> router = local_router()
        >>> router.set("telegram:bot_1:room_9", Route("-100123")).result().outcome.value
        'stored'
        >>> router.set("telegram:bot_1:room_9", Route("-100999"), observed_at=0.0).result().outcome.value
        'stored'
        >>> router.resolve("telegram:bot_1:room_9").result().require().external_room_id  # the newer one
        '-100123'
        """
        write = stamped(Write(key, route, observed_at, origin, ttl_s), self._stamps)
        return self._ask("set", write.key, write, answers.set_result)

    def set_many(self, items: Iterable[Write | tuple[SessionKey | str, Route]]) -> Reply[Sequence[SetResult]]:
        """``set`` for many, in one call to each partition; results in the order given.

        A bad item refuses the whole batch before anything is sent. Items whose partition is down are
        ``UNAVAILABLE``.

        >>> from ray_router import Route
        >>> from ray_router.testing import local_router
        >>> results = local_router().set_many((f"irc:net:#{n}", Route(f"#{n}")) for n in range(3)).result()
        >>> [each.outcome.value for each in results]
        ['stored', 'stored', 'stored']
        """
        sets = [stamped(write, self._stamps) for write in writes(items)]

        def send(directory: Directory) -> Submission[Sequence[SetResult]]:
            self._check_size("items", len(sets), directory)
            for each in sets:
                check_operation(each, directory.config.limits)
            scatter = self._scatter("set_many", [(each.key, each) for each in sets], directory)
            return Submission(scatter.parts, lambda: answers.set_results(scatter.gather(len(sets))))

        return self._submit(send)

    def get(self, key: SessionKey | str) -> Reply[RouteRecord | None]:
        """Look at what is stored for a session itself; touches nothing. None when there is no route.

        >>> from ray_router import Route
        >>> from ray_router.testing import local_router
        >>> router = local_router()
        >>> router.get("telegram:bot_1:room_9").result() is None
        True
        >>> router.set("telegram:bot_1:room_9", Route("-100123")).result().partition
        1
        >>> router.get("telegram:bot_1:room_9").result().freshness.value
        'fresh'
        """
        text = key_text(key)

        def send(directory: Directory) -> Submission[RouteRecord | None]:
            check_key_fits(text, directory.config.limits)
            scatter = self._scatter("get", [(text, Get(text))], directory, looks=True)
            return Submission(scatter.parts, lambda: answers.record(text, scatter.gather(1)[0]))

        return self._submit(send)

    def resolve(
        self,
        key: SessionKey | str,
        fallbacks: Sequence[Route] = (),
        *,
        allow_stale: bool = False,
        widest_scope: Scope = Scope.ROOM,
        min_confidence: Confidence = Confidence.NONE,
    ) -> Reply[Resolution]:
        """Where a reply to this session goes, and how sure that is.

        Args:
            fallbacks: routes to fall back on when nothing better is known, in order.
            allow_stale: answer with a route past its TTL rather than with nothing.
            widest_scope: how far to look beyond the session itself.
            min_confidence: pass over whatever is less sure.

        Raises:
            InvalidInputError: at once.
            PartitionUnavailableError, DeadlineExceededError: on waiting; the partition did not answer, and
                no fallback was given that would do.

        >>> from ray_router import Confidence, Route
        >>> from ray_router.testing import local_router
        >>> router = local_router()
        >>> answer = router.resolve("telegram:bot_1:room_9", [Route("reception")]).result()
        >>> answer.require().external_room_id, answer.source.value, answer.reason.value
        ('reception', 'provided', 'miss')
        >>> bool(router.resolve("telegram:bot_1:room_9", min_confidence=Confidence.OBSERVED).result())
        False
        """
        if (
            fallbacks == ()
            and allow_stale is False
            and widest_scope is Scope.ROOM
            and min_confidence is Confidence.NONE
        ):
            questions = self._link.questions
            if questions is not None and questions.event_clock is (self._now is not None):
                return questions.ask(key, self._now)
        texts = fallback_texts(fallbacks)
        wishes = Resolve((key_text(key),), texts, allow_stale, widest_scope, min_confidence)
        return self._resolve("resolve", wishes, lambda shares, terms: only_resolution(key, shares[0], terms))

    def explain(
        self,
        key: SessionKey | str,
        fallbacks: Sequence[Route] = (),
        *,
        allow_stale: bool = False,
        widest_scope: Scope = Scope.ROOM,
        min_confidence: Confidence = Confidence.NONE,
    ) -> Reply[Explanation]:
        """What ``resolve`` would answer with these arguments, and why: every rung, with each route on it.

        It counts as no traffic, and makes no session more recent.

        Raises:
            InvalidInputError: at once.
            PartitionUnavailableError, DeadlineExceededError: on waiting; nobody who keeps the session
                answered, and no fallback was given that would do.

        >>> from ray_router import Route, RouterConfig
        >>> from ray_router.testing import local_router
        >>> router = local_router(RouterConfig(partitions=1))
        >>> print(router.explain("tg:bot:room", [Route("reception")]).result())
        tg:bot:room: reception
        provided (miss), provided, partition 0
          exact      nothing is known of the session itself
          alternate  no other route of its own
          scope      nothing is known of a wider scope
        > provided   reception: this is the answer
        - stale      no route of its own is past its TTL
        - none       something on a rung above answered
        """
        texts = fallback_texts(fallbacks)
        wishes = Explain(key_text(key), texts, allow_stale, widest_scope, min_confidence)

        def send(directory: Directory) -> Submission[Explanation]:
            check_operation(wishes, directory.config.limits)
            scatter = self._scatter("explain", [(wishes.key, wishes)], directory, looks=True)
            terms = AnswerTerms(as_resolve(wishes), directory.topology.epoch, self._link.records)
            asked = Asked(wishes, self._link.ownership.owner(wishes.key), terms)
            return Submission(scatter.parts, lambda: explanation(scatter.gather(1)[0], asked))

        return self._submit(send)

    def resolve_many(
        self,
        keys: Iterable[SessionKey | str],
        fallbacks: Sequence[Route] = (),
        *,
        allow_stale: bool = False,
        widest_scope: Scope = Scope.ROOM,
        min_confidence: Confidence = Confidence.NONE,
    ) -> Reply[Sequence[Resolution]]:
        """``resolve`` for many, in one call to each partition; answers in the order given.

        Keys whose partition is down are answered from the fallbacks, with reason ``UNAVAILABLE``.

        >>> from ray_router import Route
        >>> from ray_router.testing import local_router
        >>> router = local_router()
        >>> _ = router.set("irc:net:#1", Route("#1")).result()
        >>> [bool(answer) for answer in router.resolve_many(["irc:net:#0", "irc:net:#1"]).result()]
        [False, True]
        """
        given, texts = several_keys(keys)
        wishes = Resolve(texts, fallback_texts(fallbacks), allow_stale, widest_scope, min_confidence)
        return self._resolve("resolve_many", wishes, lambda shares, terms: Resolutions(given, shares, terms))

    def report(
        self,
        key: SessionKey | str,
        route: Route,
        delivery: Delivery,
        *,
        at: float | None = None,
        moved_to: Route | None = None,
        retry_after_s: float | None = None,
    ) -> Reply[ReportResult]:
        """Say what became of a message that was sent along a route.

        Args:
            at: epoch seconds of the outcome; None is now.
            moved_to: with ``MOVED``, the route that replaces it.
            retry_after_s: with ``TRANSIENT``, how long the provider wants to be left alone.

        >>> from ray_router import Delivery, Route
        >>> from ray_router.testing import local_router
        >>> router, key = local_router(), "telegram:bot_1:room_9"
        >>> _ = router.set(key, Route("-100123")).result()
        >>> moved = router.report(key, Route("-100123"), Delivery.MOVED, moved_to=Route("-100456"))
        >>> moved.result().outcome.value, router.resolve(key).result().require().external_room_id
        ('applied', '-100456')
        """
        if at is not None:
            check_seconds("at", at)
        stamp = self._stamps.now() if at is None else self._stamps.at(at)
        new = None if moved_to is None else route_text(moved_to, "moved_to")
        report = Report(key_text(key), route_text(route), delivery, stamp, new, retry_after_s)
        return self._ask("report", report.key, report, answers.report_result)

    def delete(self, key: SessionKey | str) -> Reply[bool]:
        """Forget a session's routes, and refuse what was observed before now; whether there were any.

        >>> from ray_router import Route
        >>> from ray_router.testing import local_router
        >>> router = local_router()
        >>> _ = router.set("irc:net:#1", Route("#1")).result()
        >>> router.delete("irc:net:#1").result(), router.delete("irc:net:#1").result()
        (True, False)
        """
        text = key_text(key)
        return self._ask("delete", text, Delete(text, self._stamps.now()), answers.found)

    def prune(self) -> Reply[PruneResult]:
        """Move every session on whose time has come; returns how many moved."""

        def send(directory: Directory) -> Submission[PruneResult]:
            deadline = time.monotonic() + max(_PRUNE_WITHIN_S, directory.config.call_timeout_s)
            calls = {
                index: self._link.ask(index, Control.PRUNE, deadline)
                for index in directory.topology.partitions
            }
            return Submission(tuple(calls.values()), lambda: answers.prune_result(calls))

        return self._submit(send)

    def resize(
        self, partitions: int, *, progress: Callable[[ResizeProgress], None] | None = None
    ) -> Reply[ResizeResult]:
        """Add partitions, or take some away, while the router is used.

        Slots move as few as can be, with their sessions; calls go on, and no handle needs to be told. What
        was interrupted is completed by calling this again, and taken back by calling it with the former
        number. It is carried out by this process, and goes on when nobody waits for it. A router that is
        autoscaled takes another number within its bounds, and chooses anew after its delays.

        Args:
            partitions: how many there are to be; they have numbers from 0 on.
            progress: called now and then, in another thread.

        Raises:
            InvalidCallError: at once; that is no number of partitions, or not within autoscaling's bounds.
            PartitionUnavailableError: on waiting; a partition did not answer for a minute.
        """
        resizing = Resizing(self._transport, partitions, progress)

        def work() -> ResizeResult:
            result, topology = resizing.run()
            self._link.learn(topology)
            return result

        def send(directory: Directory) -> Submission[ResizeResult]:
            bounds = directory.config.autoscaling
            if bounds is not None and bounds.nearest(partitions) != partitions:
                raise InvalidCallError(
                    "partitions",
                    f"must be from {bounds.min_partitions} to {bounds.max_partitions}, "
                    f"the bounds of autoscaling, not {partitions}",
                )
            return in_background("ray-router-resize", work)

        return self._submit(send)

    def rebalance(
        self,
        *,
        dry_run: bool = False,
        max_moves: int = MOST_MOVES,
        progress: Callable[[ResizeProgress], None] | None = None,
    ) -> Reply[RebalancePlan]:
        """Have hot partitions hand some of their slots to cool ones, by the load of the last minutes.

        Nothing moves unless a partition that can be relieved has over a tenth more than its fair share. What
        was interrupted is completed by calling this again. It is carried out by this process, and goes on
        when nobody waits for it.

        Args:
            dry_run: only say what would be done.
            max_moves: how many slots may move.
            progress: called now and then, in another thread.

        Raises:
            InvalidCallError: at once; that is no number of moves.
            RouterError: on waiting; partitions are being added or taken away.
            PartitionUnavailableError: on waiting; a partition did not answer for a minute.
        """
        rebalancing = Rebalancing(self._transport, max_moves, progress)

        def work() -> RebalancePlan:
            plan, topology = rebalancing.plan() if dry_run else rebalancing.run()
            self._link.learn(topology)
            return plan

        return self._submit(lambda _: in_background("ray-router-rebalance", work))

    def revive(self, partition: int) -> Reply[bool]:
        """Bring a partition back that died too often and was taken out of service; whether it was out.

        Raises:
            InvalidCallError: on waiting; there is no such partition.
            PartitionUnavailableError, DeadlineExceededError: on waiting; nobody answered.
        """

        def send(directory: Directory) -> Submission[bool]:
            if partition not in directory.topology.partitions:
                raise InvalidCallError("partition", f"must be one of the router's, not {partition!r}")
            deadline = time.monotonic() + directory.config.call_timeout_s
            calls = {
                index: self._link.ask(index, Revive(partition), deadline)
                for index in directory.topology.partitions
            }
            return Submission(tuple(calls.values()), lambda: answers.revived(calls))

        return self._submit(send)

    def stats(self) -> Reply[RouterStats]:
        """What each partition holds and counted; never fails for a partition that is down.

        >>> from ray_router import Route
        >>> from ray_router.testing import local_router
        >>> router = local_router()
        >>> _ = router.set("irc:net:#1", Route("#1")).result()
        >>> stats = router.stats().result()
        >>> stats.holdings.live, stats.traffic.stored, len(stats.partitions)
        (1, 1, 4)
        """

        def send(directory: Directory) -> Submission[RouterStats]:
            deadline = time.monotonic() + directory.config.call_timeout_s
            partitions = {*directory.topology.partitions}
            if directory.config.autoscaling is not None:
                partitions.add(0)  # it knows what there is to say of that, whether it owns slots or not
            calls = {index: self._link.ask(index, Control.STATS, deadline) for index in sorted(partitions)}
            name, epoch = directory.config.name, directory.topology.epoch

            def answer() -> RouterStats:
                stats = answers.router_stats(name, epoch, calls)
                for each in stats.partitions:
                    self._link.heard_of(each.epoch, each.partition)
                return stats

            return Submission(tuple(calls.values()), answer)

        return self._submit(send)

    def advise(self, *, within: float = 0.01) -> Reply[Advice]:
        """Which TTL, capacity and partition count the traffic seen so far speaks for, and why.

        Each partition keeps a small sample of its traffic; nothing is changed by asking. Partitions that are
        down are left out.

        Args:
            within: how much of the hit ratio without limits may be given up for smaller settings, 0 to 1.

        Raises:
            InvalidCallError: at once; ``within`` is no such share.
        """
        check_seconds("within", within, least=0.0)
        if within > 1:
            raise InvalidCallError("within", f"is a share: at most 1, not {within}")

        def send(directory: Directory) -> Submission[Advice]:
            deadline = time.monotonic() + directory.config.call_timeout_s
            partitions = directory.topology.partitions
            stats = {index: self._link.ask(index, Control.STATS, deadline) for index in partitions}
            insights = {index: self._link.ask(index, Control.INSIGHT, deadline) for index in partitions}

            def answer() -> Advice:
                counted = answers.router_stats(directory.config.name, directory.topology.epoch, stats)
                return answers.advice(directory.config, counted, insights, within)

            return Submission((*stats.values(), *insights.values()), answer)

        return self._submit(send)

    def snapshot(
        self, uri: str, *, keep: int | None = None, tell: Callable[[SnapshotProgress], None] | None = None
    ) -> Reply[Snapshot]:
        """Write all that the router holds into a new snapshot in a folder, while it goes on working.

        Args:
            uri: path of the folder on this machine, or its URI for fsspec (the extra ``snapshots``).
            keep: remove what is older than the newest ``keep`` snapshots there; None removes nothing.
            tell: told of the progress, from a thread.

        Raises:
            InvalidCallError: at once; ``keep`` is less than 1.
            SnapshotError: on waiting; it is not complete, and will never be restored.
        """
        if keep is not None and (isinstance(keep, bool) or not isinstance(keep, int) or keep < 1):
            raise InvalidCallError("keep", f"must be at least 1, or None, not {keep!r}")
        folder_at(uri)  # what names no folder is refused before anything is asked
        work = partial(take_snapshot, self._transport, uri, keep=keep, tell=tell)
        return self._submit(lambda _: in_background("ray-router-snapshot", work))

    def restore(
        self,
        uri: str,
        *,
        snapshot: str | None = None,
        tell: Callable[[SnapshotProgress], None] | None = None,
    ) -> Reply[Restored]:
        """Merge a snapshot into what the router holds; stamps are those of then, so ages stay true.

        Args:
            uri: the folder that the snapshot lies in, as it was given to ``snapshot``.
            snapshot: its ``id``; the newest complete one when left out.
            tell: told of the progress, from a thread.

        Raises:
            SnapshotNotFoundError: on waiting; there is none.
            SnapshotError: on waiting; it is damaged, and nothing was restored; or a partition gave no answer,
                and it may be restored again.
        """
        work = partial(restore_snapshot, self._transport, uri, snapshot=snapshot, tell=tell)
        return self._submit(lambda _: in_background("ray-router-restore", work))

    def _ask(
        self, name: str, key: str, operation: Operation, answer: Callable[[Sequence[Gathered]], T]
    ) -> Reply[T]:
        """Submit one operation to every keeper of its key."""

        def send(directory: Directory) -> Submission[T]:
            check_operation(operation, directory.config.limits)
            scatter = self._scatter(name, [(key, operation)], directory)
            return Submission(scatter.parts, lambda: answer(scatter.gather(1)[0]))

        return self._submit(send)

    def _resolve(
        self, name: str, wishes: Resolve, read: Callable[[Sequence[Share], AnswerTerms], T]
    ) -> Reply[T]:
        def send(directory: Directory) -> Submission[T]:
            self._check_size("keys", len(wishes.keys), directory)
            if wishes[1:] != USUAL_WISHES:
                check_resolve(wishes, directory.config.limits)
            check_keys_fit(wishes.keys, directory.config.limits)
            deadline = self._deadline(directory)
            call = self._watched(name, len(wishes.keys), directory)
            ownership, lane = self._link.ownership, self._link.lane
            scatter: Scatter | Twofold
            if ownership.topology.standbys is None:
                since = ownership.topology.since
                scatter = Scatter(
                    share_resolve(wishes, ownership), lane, self._now, deadline, since=since, call=call
                )
            else:
                turns = self._link.turns if directory.config.read_preference == "any" else None
                stages = stage_resolve(wishes, ownership, self._link.strays, turns)
                scatter = Twofold(stages, 1, self._link, self._now, deadline, call=call)
            terms = AnswerTerms(wishes, directory.topology.epoch, self._link.records)
            return Submission(scatter.parts, lambda: read(scatter.answers(), terms))

        return self._submit(send)

    def _submit(self, send: Callable[[Directory], Submission[T]]) -> Reply[T]:
        """Send now; in an event loop that must not be blocked, as soon as the router is known."""
        if self._link.directory is None and asyncio._get_running_loop() is None:
            self._link.open()
        if self._link.directory is not None:
            return Reply(send(self._link.directory))
        launched: Promise[Submission[T]] = Promise()
        context = copy_context()  # a trace goes on where the call was made, not where it is sent

        def launch(directory: Directory | Exception) -> None:
            try:
                launched.settle(
                    directory if isinstance(directory, Exception) else context.run(send, directory)
                )
            except Exception as error:  # a hash strategy is foreign code; whoever waits is told
                launched.settle(error)

        self._link.when_open(launch)
        return Reply(launched)

    def _scatter(
        self,
        name: str,
        operations: Sequence[tuple[str, Operation]],
        directory: Directory,
        *,
        looks: bool = False,
    ) -> Scatter | Twofold:
        """Send operations to whoever keeps their keys; one that only looks needs no more than one answer."""
        ownership, lane, deadline = self._link.ownership, self._link.lane, self._deadline(directory)
        if ownership.topology.standbys is None:
            shares = (
                share_look(*operations[0], ownership) if looks else share_operations(operations, ownership)
            )
            asked = sum([len(share) for _, _, share in shares])
            call = self._watched(name, asked, directory)
            since = ownership.topology.since
            return Scatter(shares, lane, self._now, deadline, since=since, call=call)
        call = self._watched(name, len(operations), directory)
        copies = 0 if looks else 2 if directory.config.durability == "sync" else 1
        stages = stage_operations(operations, copies, ownership, self._link.strays)
        return Twofold(stages, copies, self._link, self._now, deadline, call=call)

    def _watched(self, name: str, keys: int, directory: Directory) -> WatchedCall | None:
        """What tells of a call that is made now; None when nobody watches."""
        telemetry = self._link.telemetry
        return None if telemetry is None else WatchedCall(telemetry, name, directory.config.name, keys)

    def _deadline(self, directory: Directory) -> float:
        """When a call that is made now must be answered, monotonic seconds."""
        if (self._now is None) == (directory.config.clock == "event"):
            problem = "this router has clock='event': call handle.at(now)"
            if self._now is not None:
                problem = "only a router with clock='event' takes the time from its callers"
            raise InvalidCallError("now", problem)
        return time.monotonic() + directory.config.call_timeout_s

    def _check_size(self, field: str, size: int, directory: Directory) -> None:
        limit = directory.config.max_batch
        if size > limit:
            raise InvalidCallError(field, f"are {size} in one call; the limit is {limit}")


def _handle_at(transport: Transport, now: float) -> RouterHandle:
    """A handle at a given time, unpickled."""
    return RouterHandle(transport).at(now)
