"""Which live session goes when a partition is full: one small interface, and the policies behind it."""

from __future__ import annotations

from collections.abc import Callable

from ray_router.core.eviction.adaptive import Adaptive, adaptive
from ray_router.core.eviction.lru import LeastRecentlyUsed
from ray_router.core.eviction.policy import EvictionPolicy
from ray_router.core.eviction.s3fifo import S3Fifo
from ray_router.core.eviction.sieve import Sieve

POLICIES: dict[str, Callable[[int], EvictionPolicy]] = {
    "adaptive": adaptive,
    "lru": LeastRecentlyUsed,
    "s3fifo": S3Fifo,
    "sieve": Sieve,
}
"""Policies by the name they have in a config; each is made for a capacity, in sessions."""

__all__ = ["POLICIES", "Adaptive", "EvictionPolicy", "LeastRecentlyUsed", "S3Fifo", "Sieve"]
