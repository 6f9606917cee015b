"""Eviction policies: what each promises the table, and what the table and the partition tell it."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.candidates import observed
from ray_router.core.eviction import POLICIES, Adaptive, EvictionPolicy
from ray_router.core.operations import Operation, Resolve
from ray_router.core.record import RecordFormat
from ray_router.core.table import Retention, Table
from ray_router.model import ResolutionSource

from .cache import Cache
from .consistency import elements, keys_of
from .strategies import ask, holdings_of, partition_of, resolve, routes_of, steadily, write

KEYS = "abcdefghijkl"
Steps = list[tuple[str, str]]
steps = st.lists(
    st.tuples(st.sampled_from(["use", "use", "use", "forget"]), st.sampled_from(KEYS)), max_size=60
)
capacities = st.integers(1, 9)


class PolicyContract:
    """What the table may expect of every policy; inherit it with a ``name``."""

    name: str

    def policy(self, capacity: int) -> EvictionPolicy:
        """A new policy of this name."""
        return POLICIES[self.name](capacity)

    def cache(self, capacity: int) -> Cache:
        """An empty cache with this policy."""
        return Cache(self.policy, capacity)

    def played(self, steps: Steps, capacity: int) -> Cache:
        """A cache after these steps."""
        cache = self.cache(capacity)
        for step, key in steps:
            getattr(cache, step)(key)
        return cache

    @steadily(200)
    @given(steps, capacities)
    def test_it_holds_the_live_sessions(self, steps: Steps, capacity: int) -> None:
        """After each step each live session stands in it once, and no other does."""
        cache = self.cache(capacity)
        for step, key in steps:
            getattr(cache, step)(key)
            assert sorted(keys_of(cache.policy)) == sorted(cache.live)

    @steadily(200)
    @given(steps, capacities)
    def test_every_session_leaves_once(self, steps: Steps, capacity: int) -> None:
        """Eviction after eviction, each live session leaves exactly once, and may come back."""
        cache = self.played(steps, capacity)
        live = sorted(cache.live)
        assert sorted(cache.drain()) == live
        assert cache.use_all(KEYS[:capacity] * 2) == capacity

    @steadily(200)
    @given(steps, capacities)
    def test_the_same_steps_evict_the_same(self, steps: Steps, capacity: int) -> None:
        """A policy is deterministic."""
        one, other = self.played(steps, capacity), self.played(steps, capacity)
        assert one.drain() == other.drain()
        assert one.evicted == other.evicted

    @steadily(200)
    @given(steps, st.integers(1, 9) | st.sampled_from((64, 100)), st.lists(st.lists(st.sampled_from(KEYS))))
    def test_uses_told_together_are_uses_told_one_by_one(
        self, steps: Steps, capacity: int, uses: list[list[str]]
    ) -> None:
        """Many uses told at once, however often each, leave the order that they leave one after another."""
        together, apart = self.played(steps, capacity), self.played(steps, capacity)
        for used in uses:
            live = [key for key in used if key in together.live]
            together.policy.touch_all(live)
            apart.use_all(live)
            for cache in (together, apart):
                cache.use(f"new {len(cache.evicted)}")
        assert together.drain() == apart.drain()
        assert together.evicted == apart.evicted

    @pytest.mark.parametrize("capacity", [1, 2, 3, 10, 100])
    def test_it_does_not_grow(self, capacity: int) -> None:
        """However many sessions come and go, it holds a few numbers for each that may be live."""
        cache = self.cache(capacity)
        for number in range(20 * capacity):
            cache.use(str(number))
            cache.use(str(number - 2 * capacity))
        assert elements(cache.policy) <= 4 * capacity + 16

    def test_the_only_session_is_evicted(self) -> None:
        """With one live session there is no choice."""
        cache = self.cache(1)
        cache.use_all("aab")
        assert cache.evicted == ["a"]


class TestLeastRecentlyUsed(PolicyContract):
    """The policy that is named "lru"."""

    name = "lru"

    @steadily(200)
    @given(steps, capacities)
    def test_the_least_recent_leaves_first(self, steps: Steps, capacity: int) -> None:
        """Sessions leave in the order of their last use."""
        cache = self.cache(capacity)
        last_used: dict[str, int] = {}
        for moment, (step, key) in enumerate(steps):
            getattr(cache, step)(key)
            last_used[key] = moment
        expected = sorted(cache.live, key=last_used.__getitem__)
        assert cache.drain() == expected


class TestSieve(PolicyContract):
    """The policy that is named "sieve"."""

    name = "sieve"


class TestS3Fifo(PolicyContract):
    """The policy that is named "s3fifo"."""

    name = "s3fifo"


class TestAdaptive(PolicyContract):
    """The policy that is named "adaptive"."""

    name = "adaptive"


class TestAdaptiveAtAnyCapacity(PolicyContract):
    """The same where it would leave the matter to LRU."""

    name = "adaptive"

    def policy(self, capacity: int) -> EvictionPolicy:
        """The class itself."""
        return Adaptive(capacity)


def test_every_policy_is_held_to_the_contract() -> None:
    """No policy can be configured that is not tested here."""
    assert {contract.name for contract in PolicyContract.__subclasses__()} == set(POLICIES)


# What the partition tells it

EVERY_POLICY = pytest.mark.parametrize("name", sorted(POLICIES))


@EVERY_POLICY
@pytest.mark.parametrize("capacity", [1, 2, 3])
def test_the_bound_is_exact(name: str, capacity: int) -> None:
    """A partition holds as many sessions as it may, and each write beyond them evicts one."""
    partition = partition_of(eviction=name, capacity=capacity)
    for number in range(40):
        key = f"tg:bot:{number}"
        written, _ = ask(partition, write(key, "R", at=1), Resolve((key,)), now=10)
        assert written.evicted == (number >= capacity)
        assert holdings_of(partition).live == min(number + 1, capacity)
        resolve(partition, f"tg:bot:{number - 1}", now=10)


@EVERY_POLICY
@pytest.mark.parametrize("writes_first", [False, True])
@steadily(25)
@given(st.lists(st.sampled_from(KEYS), max_size=80), st.integers(1, 80))
def test_a_request_is_one_use(name: str, writes_first: bool, asked: list[str], capacity: int) -> None:
    """Hits are those of the bare policy, whether requests resolve and then write or the other way round."""
    partition = partition_of(eviction=name, capacity=capacity)
    cache = Cache(POLICIES[name], capacity)
    for at, key in enumerate(asked, 1):
        text = f"tg:bot:{key}"
        there = bool(routes_of(partition, text))
        request: list[Operation] = [Resolve((text,)), write(text, "R", at=at)]
        ask(partition, *(reversed(request) if writes_first else request), now=at)
        assert there == cache.use(text)


@EVERY_POLICY
def test_what_goes_stale_is_not_evicted(name: str) -> None:
    """A session whose time is over leaves the policy without having been evicted, and may come back."""
    partition = partition_of(eviction=name, capacity=2, ttl_s=10.0)
    ask(partition, write("tg:bot:a", "A", at=0), write("tg:bot:b", "B", at=5), now=5)
    partition.tidy(12, 10)
    ask(partition, write("tg:bot:c", "C", at=12), now=12)
    ask(partition, write("tg:bot:a", "A", at=13), now=13)
    assert resolve(partition, "tg:bot:a", now=13).source is ResolutionSource.EXACT
    assert holdings_of(partition, 13).live == 2
    traffic = partition.stats(13).traffic
    assert (traffic.went_stale, traffic.evicted_stale, traffic.evicted_live) == (1, 1, 1)


class Listener:
    """A policy that only listens."""

    ghosts = 0

    def __init__(self) -> None:
        self.heard: list[str] = []

    def admit(self, key: str) -> None:
        self.heard.append(f"admit {key}")

    def touch(self, key: str) -> None:
        self.heard.append(f"touch {key}")

    def touch_all(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.touch(key)

    def forget(self, key: str) -> None:
        self.heard.append(f"forget {key}")

    def evict(self) -> str:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("asked", "heard"),
    [
        ("Wa", ["admit a"]),
        ("Wa Ra", ["admit a"]),
        ("Wa Ra Ra", ["admit a", "touch a"]),
        ("Wa Ra Wa Ra", ["admit a", "touch a"]),
        ("Wa Ra Ra Wa Ra Wa", ["admit a", "touch a", "touch a"]),
        ("Wa Wa Wa", ["admit a", "touch a", "touch a"]),
        ("Wa Ra Ra Ra", ["admit a", "touch a", "touch a"]),
        ("Wa Wb Ra Rb", ["admit a", "admit b", "touch a", "touch b"]),
        ("Wa Wb Ra Wa Rb Wb", ["admit a", "admit b", "touch a", "touch b"]),
        ("Wa Fa Wa Ra", ["admit a", "forget a", "admit a"]),
        ("Wa Fa Ra", ["admit a", "forget a"]),
    ],
    ids=[
        "a write",
        "a message and its reply",
        "a second reply",
        "two messages and their replies",
        "two requests",
        "writes alone",
        "resolves alone",
        "another between them",
        "requests in turn",
        "it went stale and came back",
        "it went stale",
    ],
)
def test_what_the_table_tells_of(asked: str, heard: list[str]) -> None:
    """A resolve and a write in a row are told as one use; all others are told one by one."""
    policy = Listener()
    table = Table(10, 4, Retention(1e9, 1e9), policy, RecordFormat(inf))
    for at, step in enumerate(asked.split(), 1):
        what, key = step[0], step[1:]
        if what == "W":
            table.merge(key, observed("R", at, 50.0, 1), at)
        elif what == "R":
            table.touch(key)
        else:
            assert table.take_next(at + 1e3) is not None
    assert policy.heard == heard


@pytest.mark.parametrize(
    ("used", "victim"),
    [
        ([], "tg:bot:a"),
        ([Resolve(("tg:bot:a",))], "tg:bot:b"),
        ([Resolve(("tg:bot:a", "tg:bot:b"))], "tg:bot:a"),
        ([Resolve(("tg:bot:b", "tg:bot:a"))], "tg:bot:b"),
        ([write("tg:bot:a", "A", at=2)], "tg:bot:b"),
        ([write("tg:bot:a", "A", at=1)], "tg:bot:a"),
        ([write("tg:bot:a", "A", at=0)], "tg:bot:a"),
        ([write("tg:bot:b", "B", at=2), Resolve(("tg:bot:a",)), Resolve(("tg:bot:b",))], "tg:bot:a"),
        ([Resolve(("tg:bot:a:thread",))], "tg:bot:b"),
        ([Resolve(("tg:bot:a:thread",), fallbacks=("P",))], "tg:bot:b"),
        ([Resolve(("tg:bot:a",), min_confidence=6)], "tg:bot:a"),
    ],
    ids=[
        "nothing: the first written",
        "a resolve makes recent",
        "the last of two resolves is the most recent",
        "whichever was written last",
        "a newer write makes recent",
        "a repeated write touches nothing",
        "an older write touches nothing",
        "a use of another lies between a write and a resolve",
        "a thread's answer from its room makes the room recent",
        "the room answers before the fallback and is recent",
        "a route that was not answered is not used",
    ],
)
@pytest.mark.parametrize("name", ["adaptive", "lru"])
def test_lru_is_exact_at_a_capacity_of_two(name: str, used: list[Operation], victim: str) -> None:
    """Of two sessions the less recently used one makes room for a third."""
    partition = partition_of(capacity=2, eviction=name)
    ask(partition, write("tg:bot:a", "A", at=1), write("tg:bot:b", "B", at=1), now=10)
    ask(partition, *used, now=10)
    ask(partition, write("tg:bot:c", "C", at=1), now=10)
    everyone = {"tg:bot:a", "tg:bot:b", "tg:bot:c"}
    assert {key for key in everyone if routes_of(partition, key)} == everyone - {victim}
