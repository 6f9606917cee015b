"""A cache of keys: what a policy is to a table, and nothing else of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ray_router.core.eviction import EvictionPolicy


class Cache:
    """At most ``capacity`` keys; ``evicted`` are those that left to make room, in order."""

    def __init__(self, policy: Callable[[int], EvictionPolicy], capacity: int) -> None:
        self.policy = policy(capacity)
        self.capacity = capacity
        self.live: set[str] = set()
        self.evicted: list[str] = []

    def use(self, key: str) -> bool:
        """Ask for a key, and let it in if it is not there; whether it was."""
        if key in self.live:
            self.policy.touch(key)
            return True
        if len(self.live) == self.capacity:
            self.evict()
        self.policy.admit(key)
        self.live.add(key)
        return False

    def use_all(self, keys: Iterable[str]) -> int:
        """Ask for one key after another; how many were there."""
        return sum([self.use(key) for key in keys])

    def forget(self, key: str) -> None:
        """A key leaves of itself, if it is there."""
        if key in self.live:
            self.policy.forget(key)
            self.live.remove(key)

    def evict(self) -> str:
        """Have the policy choose, which must choose what is there."""
        self.evicted.append(self.policy.evict())
        self.live.remove(self.evicted[-1])
        return self.evicted[-1]

    def drain(self) -> list[str]:
        """Evict all, in order."""
        return [self.evict() for _ in range(len(self.live))]
