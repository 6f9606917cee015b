"""Playing events against a router: each event resolves its own session, then sets its route.

On an event clock (``clock="event"``, as the router's own) every call carries the time of its event, so
the same events give the same answers on any runtime: what a partition answers depends on the calls that
reach it and on their order, and a handle keeps the order of one caller. A partition that counts as down for
a while, as on a busy machine, is waited for. On the wall clock events happen now, whatever times they have,
and what is down is passed over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from time import sleep
from typing import Any, Literal, NamedTuple, TypeVar

from ray_router.errors import DeadlineExceededError, InvalidCallError, PartitionUnavailableError, RouterError
from ray_router.handle import Reply, RouterHandle
from ray_router.handle.intake import key_text
from ray_router.model import Resolution, RouterStats, SetResult
from ray_router.workload.event import Event
from ray_router.workload.tally import Recorder, Score, Tally

WINDOW = 2_000
_ASK_AGAIN_S = 0.05

T = TypeVar("T")


class _Outstanding(NamedTuple):
    number: int
    key: str
    resolution: Reply[Resolution]
    written: Reply[SetResult]


class _Patience:
    """Waits for partitions that are down, for so many seconds in all."""

    def __init__(self, seconds: float) -> None:
        self._left_s = seconds

    def accepted(self, ask: Callable[[], Reply[T]]) -> Reply[T]:
        """Ask, and as long as that is refused at once because the partition is down, ask again."""
        reply = ask()
        while reply.done() and self._left_s > 0 and _is_unavailable(reply):
            sleep(_ASK_AGAIN_S)
            self._left_s -= _ASK_AGAIN_S
            reply = ask()
        return reply


def play(
    handle: RouterHandle,
    events: Iterable[Event],
    *,
    clock: Literal["event", "wall"] = "event",
    window: int = WINDOW,
    recorder: Recorder | None = None,
) -> Tally:
    """Play events in the order given.

    The handle sends what is submitted while a call is under way in the next one, so replies are left
    outstanding, and collected in order.

    Args:
        clock: must be the router's; with ``"wall"`` events are stamped with the present.
        window: how many replies may be outstanding.
        recorder: told of each resolution, in the order of the events.

    Raises:
        InvalidInputError: an event that the router can never accept, or its clock is another.
        Exception: whatever iterating over the events raises.
    """
    config = handle.config
    if config.clock != clock:
        raise InvalidCallError("clock", f"is {clock!r}, but the router {config.name!r} has {config.clock!r}")
    most = max(1, min(window, config.max_pending_calls) // 2)
    patience = _Patience(config.call_timeout_s if clock == "event" else 0.0)
    score = Score(recorder)
    outstanding: deque[_Outstanding] = deque()
    try:
        for at, key, route in events:
            then = handle.at(at) if clock == "event" else handle
            text = key_text(key)
            index = score.came(at, text)
            resolution = patience.accepted(partial(then.resolve, text))
            written = patience.accepted(partial(then.set, text, route))
            outstanding.append(_Outstanding(index, text, resolution, written))
            if len(outstanding) >= most:
                _collect(score, outstanding.popleft())
        while outstanding:
            _collect(score, outstanding.popleft())
    finally:
        for forsaken in outstanding:
            _forsake(forsaken.resolution)
            _forsake(forsaken.written)
    return score.tally()


def closing_stats(handle: RouterHandle, tally: Tally) -> RouterStats:
    """The stats of a router with an event clock at the end of a run, all moved on to the last event.

    A partition only knows the time of the calls that reached it, so each is asked something then.
    """
    at_the_end = handle.at(tally.last_at)
    for reply in [at_the_end.get(each.last_key) for each in tally.partitions if each.last_key]:
        reply.result()
    handle.prune().result()
    return handle.stats().result()


def _collect(score: Score, each: _Outstanding) -> None:
    """Wait for an event's answers; a partition that is down or late is counted, and the run goes on."""
    try:
        resolution = each.resolution.result()
    except (PartitionUnavailableError, DeadlineExceededError):
        score.was_not_answered()
    else:
        score.resolved(each.number, each.key, resolution.partition, resolution.source, resolution.stale)
    try:
        written = each.written.result()
    except (PartitionUnavailableError, DeadlineExceededError):
        score.was_not_answered()
    else:
        score.wrote(written.partition, written.outcome, written.evicted)


def _is_unavailable(reply: Reply[Any]) -> bool:
    try:
        reply.result()
    except PartitionUnavailableError:
        return True
    except RouterError:
        pass
    return False


def _forsake(reply: Reply[Any]) -> None:
    """The run is over, and nobody wants to know."""
    with suppress(RouterError):
        reply.result(0)
