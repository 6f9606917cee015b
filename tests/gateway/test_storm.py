"""Thousands of messages at once, with a sender that fails as it likes."""

from __future__ import annotations

import asyncio
import gc
from collections import defaultdict
from itertools import groupby
from random import Random
from typing import Any, NamedTuple

import pytest

from ray_router.config import RouterConfig
from ray_router.gateway import (
    AttemptOutcome,
    Blame,
    Delivered,
    GatewaySettings,
    OutboundGateway,
    Permanent,
    Retryable,
    SendOutcome,
    SendResult,
    Verdict,
)
from ray_router.handle import RouterHandle
from ray_router.model import Route
from ray_router.testing import local_router

SESSIONS = 500
MESSAGES = 4_000
MAX_RETRIES = 12


class Call(NamedTuple):
    """One call of the sender: what it was asked, and whether it had an effect."""

    message: int
    room: str
    effect: bool
    failed: bool


class MoodySender:
    """Fails by a seed: before the effect, after it, for the message, for the route. Watches for overlaps."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._busy: set[str] = set()
        self.calls: dict[str, list[Call]] = defaultdict(list)

    async def send(self, route: Route, payload: Any) -> Verdict:
        session, message = payload
        assert session not in self._busy, "two messages of one session at once"
        self._busy.add(session)
        for _ in range(self._random.randrange(4)):
            await asyncio.sleep(0)
        mood = self._random.random()
        effect = mood < 0.83
        failed = mood >= 0.80
        self._busy.remove(session)
        self.calls[session].append(Call(message, route.external_room_id, effect, failed))
        if not failed:
            return Delivered(str(message))
        if mood < 0.88:  # with its effect below 0.83: the answer got lost
            raise ConnectionError("reset")
        if mood < 0.97:
            return Retryable(problem="busy")
        if mood < 0.98:
            return Permanent("too long", Blame.MESSAGE)
        return Permanent("no such chat")


def gateway_over(router: RouterHandle, sender: MoodySender, **settings: Any) -> OutboundGateway:
    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    return OutboundGateway(
        router,
        {"tg": sender},
        settings=GatewaySettings(max_retries=MAX_RETRIES, router_level_every_s=None, **settings),
        random=Random(1),
        sleep=sleep,
    )


async def knowing_router() -> RouterHandle:
    """Every session has a primary and an alternate."""
    router = local_router(RouterConfig(partitions=4, max_batch=100_000))
    routes = [(f"tg:bot:{number}", Route(f"{number}{side}")) for number in range(SESSIONS) for side in "ba"]
    await router.set_many(routes)
    return router


@pytest.mark.usefixtures("unmeasured")
async def test_thousands_of_messages() -> None:
    """Each session's messages leave in order; none is lost, or doubled but by retrying a failed attempt."""
    sender = MoodySender(seed=3)
    gateway = gateway_over(await knowing_router(), sender, max_pending=2 * MESSAGES, max_concurrency=64)
    order = Random(2).choices(range(SESSIONS), k=MESSAGES)

    results = await asyncio.gather(
        *(
            gateway.send(f"tg:bot:{session}", (str(session), message), (), f"key {message}")
            for message, session in enumerate(order)
        )
    )

    by_message: dict[int, list[Call]] = defaultdict(list)
    for calls in sender.calls.values():
        messages = [message for message, _ in groupby(call.message for call in calls)]
        assert messages == sorted(messages), "out of order, or a message came back"
        for call in calls:
            by_message[call.message].append(call)
    for message, result in enumerate(results):
        check(result, by_message[message])
    outcomes = {outcome: sum(result.outcome is outcome for result in results) for outcome in SendOutcome}
    assert outcomes[SendOutcome.DELIVERED] > 0.9 * MESSAGES
    assert outcomes[SendOutcome.ROUTES_FAILED] and outcomes[SendOutcome.MESSAGE_REFUSED]
    assert sum(result.reports_lost for result in results) == 0
    doubled = [calls for calls in by_message.values() if sum(call.effect for call in calls) > 1]
    assert doubled, "the seed should make some answers get lost"

    stats = gateway.stats()
    assert (stats.pending, stats.sessions, stats.refused) == (0, 0, 0)
    assert stats.remembered == outcomes[SendOutcome.DELIVERED] <= gateway.settings.remembered_keys
    assert stats.outcomes == outcomes
    assert not gateway._tasks and not gateway._repeats._flights
    assert await gateway.aclose() == 0


def check(result: SendResult, calls: list[Call]) -> None:
    """A result tells each call of the sender, and effects beyond the first come of failed attempts alone."""
    assert [each.route.external_room_id for each in result.attempts] == [call.room for call in calls]
    delivered = [each.outcome is AttemptOutcome.DELIVERED for each in result.attempts]
    assert delivered == [not call.failed for call in calls]
    assert sum(delivered) == int(result.delivered)
    assert not any(delivered[:-1]), "sent again though it was delivered"
    if not calls:
        assert result.outcome is SendOutcome.NO_ROUTE


async def test_memory_is_flat() -> None:
    """What some hundred messages need is given back when they are through."""
    sender = MoodySender(seed=4)
    gateway = gateway_over(await knowing_router(), sender, remembered_keys=100)

    async def objects_after_round(number: int) -> int:
        await asyncio.gather(
            *(
                gateway.send(f"tg:bot:{each % 50}", (str(each % 50), each), (), f"{number} {each}")
                for each in range(300)
            )
        )
        sender.calls.clear()
        gc.collect()
        return len(gc.get_objects())

    held = [await objects_after_round(number) for number in range(8)]
    assert held[-1] - held[3] < 300, f"it grows: {held}"
