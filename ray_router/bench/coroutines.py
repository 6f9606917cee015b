"""Callers that wait for one answer before they ask again, all in one event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis.asyncio import Redis

Ask = Callable[[str], Awaitable[object]]


def calls_per_s(asks: Sequence[Ask], keys: Sequence[str], window_s: float) -> float:
    """Answers a second to as many coroutines as there are asks, over at least ``window_s`` seconds."""
    return asyncio.run(_ask_on(asks, keys, window_s))


def redis_calls_per_s(
    port: int,
    clients: int,
    ask: Callable[[Redis, str], Awaitable[object]],
    keys: Sequence[str],
    window_s: float,
) -> float:
    """The same for clients of Redis, each with a connection of its own, made before the time starts."""
    return asyncio.run(_ask_redis_on(port, clients, ask, keys, window_s))


async def _ask_on(asks: Sequence[Ask], keys: Sequence[str], window_s: float) -> float:
    answered = 0
    began = time.perf_counter()
    end = began + window_s

    async def ask_on(ask: Ask, number: int) -> None:
        nonlocal answered
        while time.perf_counter() < end:
            await ask(keys[number % len(keys)])
            number += 1
            answered += 1

    apart = max(1, len(keys) // len(asks))
    await asyncio.gather(*(ask_on(ask, number * apart) for number, ask in enumerate(asks)))
    return answered / (time.perf_counter() - began)


async def _ask_redis_on(
    port: int,
    clients: int,
    ask: Callable[[Redis, str], Awaitable[object]],
    keys: Sequence[str],
    window_s: float,
) -> float:
    from redis.asyncio import Redis

    connected = [Redis(host="127.0.0.1", port=port, single_connection_client=True) for _ in range(clients)]
    try:
        for each in connected:
            await each.initialize()
        asks = [lambda key, each=each: ask(each, key) for each in connected]
        return await _ask_on(asks, keys, window_s)
    finally:
        for each in connected:
            await each.aclose()
