"""Made-up traffic for a partition: each event asks for its session and then writes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from ray_router.core.insight.reuse import ReuseSample


def chats(events: int, sessions: int, seed: int = 0) -> list[tuple[float, str]]:
    """Sessions of very different liveliness (Zipf), with pauses of very different length."""
    random = Random(seed)
    weights = [1.0 / (rank + 1) for rank in range(sessions)]
    at, found = 0.0, []
    for key in random.choices(range(sessions), weights, k=events):
        at += random.paretovariate(1.1)
        found.append((at, f"irc:net:room:{key}"))
    return found


def sampled(events: Iterable[tuple[float, str]], seed: int = 0) -> ReuseSample:
    """A sample that saw each event ask and write."""
    sample = ReuseSample(lambda key, weight: None, seed)
    for at, key in events:
        sample.asked((key,), at)
        sample.wrote((key,), at)
    return sample


def in_batches(events: Sequence[tuple[float, str]], size: int) -> ReuseSample:
    """A sample that saw so many events at a time: all asks, and then all writes."""
    sample = ReuseSample(lambda key, weight: None)
    for begin in range(0, len(events), size):
        batch = events[begin : begin + size]
        keys = [key for _, key in batch]
        sample.asked(keys, batch[0][0])
        sample.wrote(keys, batch[0][0])
    return sample
