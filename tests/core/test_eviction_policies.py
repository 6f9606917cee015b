"""What is particular to each eviction policy, on sequences short enough to follow by hand."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.eviction import POLICIES, Adaptive, LeastRecentlyUsed, S3Fifo, Sieve
from ray_router.core.eviction.ghosts import Ghosts
from ray_router.core.eviction.policy import MOST_LOOKS

from .cache import Cache
from .strategies import steadily

KEYS = "abcdefgh"


def numbered(name: str, count: int) -> list[str]:
    """So many keys."""
    return [f"{name}{number}" for number in range(count)]


# Looks


@pytest.mark.parametrize("policy", [Sieve, S3Fifo, Adaptive])
def test_one_eviction_gives_so_many_chances_and_no_more(
    policy: type[Sieve] | type[S3Fifo] | type[Adaptive],
) -> None:
    """Where all were used, the first is passed over, and so on, until there were enough of them."""
    everyone = numbered("k", 3 * MOST_LOOKS)
    cache = Cache(policy, len(everyone))
    cache.use_all(everyone)
    for _ in range(4):
        cache.use_all(everyone)
    victim = everyone.index(cache.evict())
    assert victim in (MOST_LOOKS, MOST_LOOKS + len(everyone) // 10)  # S3-FIFO's first tenth lies apart


# SIEVE


class SlowSieve:
    """One list, the oldest first, and the hand's place in it."""

    ghosts = 0

    def __init__(self, capacity: int) -> None:
        self.queue: list[str] = []
        self.used: set[str] = set()
        self.hand = 0

    def admit(self, key: str) -> None:
        self.queue.append(key)

    def touch(self, key: str) -> None:
        self.used.add(key)

    def touch_all(self, keys: Sequence[str]) -> None:
        self.used.update(keys)

    def forget(self, key: str) -> None:
        place = self.queue.index(key)
        del self.queue[place]
        self.used.discard(key)
        self.hand -= place < self.hand
        self.hand %= len(self.queue) or 1

    def evict(self) -> str:
        while (key := self.queue[self.hand]) in self.used:
            self.used.remove(key)
            self.hand = (self.hand + 1) % len(self.queue)
        self.forget(key)
        return key


@steadily(300)
@given(
    st.lists(st.tuples(st.sampled_from(["use", "use", "use", "forget"]), st.sampled_from(KEYS)), max_size=80),
    st.integers(1, 7),
)
def test_sieve_is_a_list_and_a_hand(steps: list[tuple[str, str]], capacity: int) -> None:
    """It evicts what the plain reading of the paper evicts."""
    fast, slow = Cache(Sieve, capacity), Cache(SlowSieve, capacity)
    for step, key in steps:
        getattr(fast, step)(key)
        getattr(slow, step)(key)
    assert fast.evicted == slow.evicted
    assert fast.drain() == slow.drain()


def test_sieve_leaves_the_used_where_they_are() -> None:
    """Whoever is passed over keeps its place, and the hand goes on from there."""
    cache = Cache(Sieve, 4)
    cache.use_all("abcdabefg")
    assert cache.evicted == ["c", "d", "e"]
    cache.use_all("h")
    assert cache.evicted[-1] == "f"
    assert cache.drain() == ["g", "h", "a", "b"]


# S3-FIFO


def test_s3fifo_drops_newcomers_quickly() -> None:
    """A scan passes through the small queue, and leaves alone who came before it."""
    cache = Cache(S3Fifo, 20)
    early, scan = numbered("early", 20), numbered("scan", 50)
    cache.use_all(early + scan)
    assert cache.evicted == early[:2] + scan[:-2]
    assert cache.use_all(early[2:]) == 18


def test_s3fifo_keeps_who_was_used_twice() -> None:
    """Two uses move a newcomer on; one leaves it a ghost."""
    cache = Cache(S3Fifo, 20)
    cache.use_all(numbered("early", 20))
    cache.use_all(["once", "once", "twice", "twice", "twice"])
    cache.use_all(numbered("scan", 10))
    assert "once" not in cache.live
    assert "twice" in cache.live


def test_s3fifo_knows_who_comes_back() -> None:
    """A ghost comes back to the main queue, where a scan does not reach it; a stranger does not."""
    cache = Cache(S3Fifo, 20)
    cache.use_all([*numbered("early", 20), "again", *numbered("scan", 5)])
    assert "again" not in cache.live
    cache.use_all(["again", *numbered("other", 5)])
    assert "again" in cache.live
    cache.use_all(["once", *numbered("third", 5)])
    assert "once" not in cache.live


def test_s3fifo_forgets_ghosts_in_time() -> None:
    """After as many evictions as the main queue is long, who comes back is a newcomer."""
    cache = Cache(S3Fifo, 20)
    cache.use_all([*numbered("early", 20), "again", *numbered("scan", 25)])
    cache.use_all(["again", *numbered("other", 5)])
    assert "again" not in cache.live


# Adaptive


def test_adaptive_is_lru_where_there_are_few() -> None:
    """Too few to learn from."""
    assert isinstance(POLICIES["adaptive"](63), LeastRecentlyUsed)
    assert isinstance(POLICIES["adaptive"](64), Adaptive)


def share(cache: Cache) -> float:
    """The newcomers' share of the capacity."""
    assert isinstance(cache.policy, Adaptive)
    return cache.policy._share


def test_adaptive_keeps_the_used_through_a_scan() -> None:
    """Sessions used some time after they came outlast any number that come once; LRU loses them."""
    regulars, others, scan = numbered("regular", 30), numbered("other", 70), numbered("scan", 1_000)
    adaptive, lru = Cache(Adaptive, 100), Cache(LeastRecentlyUsed, 100)
    for cache in (adaptive, lru):
        cache.use_all(regulars + others + regulars + scan)
    assert adaptive.use_all(regulars) == 30
    assert lru.use_all(regulars) == 0


def test_adaptive_counts_few_uses_of_the_proven() -> None:
    """However often proven sessions are used, together or one by one, two bits count it."""
    regulars, others = numbered("regular", 30), numbered("other", 70)
    together, apart = Cache(Adaptive, 100), Cache(Adaptive, 100)
    for cache in (together, apart):
        cache.use_all(regulars + others + regulars + numbered("scan", 1_000))
    together.policy.touch_all(regulars[:10] * 5 + regulars[5:20])
    apart.use_all(regulars[:10] * 5 + regulars[5:20])
    assert together.drain() == apart.drain()


def test_adaptive_is_not_impressed_by_a_burst() -> None:
    """Uses right after a session came do not prove it: it leaves with those that came when it did."""
    cache = Cache(Adaptive, 100)
    cache.use_all(["burst"] * 20 + numbered("other", 99))
    cache.use_all(numbered("scan", 100))
    assert cache.evicted[0] == "burst"


def test_adaptive_orders_newcomers_by_their_last_use() -> None:
    """A burst counts for recency all the same."""
    cache = Cache(Adaptive, 100)
    cache.use_all(["a", "b", "a", *numbered("other", 98), "new"])
    assert cache.evicted == ["b"]


def test_adaptive_takes_back_whom_it_evicted_as_proven() -> None:
    """Who comes back before as many evictions as there are places outlasts a scan."""
    cache = Cache(Adaptive, 100)
    cache.use_all(["again", *numbered("other", 120)])
    assert "again" not in cache.live
    cache.use_all(["again", *numbered("scan", 1_000)])
    assert "again" in cache.live


def test_adaptive_gives_newcomers_room_who_come_back_soon() -> None:
    """Who comes back after seventy others, too many for half of the places, is kept before long."""
    cache = Cache(Adaptive, 100)
    cache.use_all(numbered("proven", 100) * 2)
    assert share(cache) == 0.5
    hits = [cache.use_all([f"new{number}", f"new{number - 35}"]) for number in range(1_000)]
    assert hits[35:40] == [0] * 5
    assert share(cache) > 0.6
    assert hits[200:] == [1] * 800


def test_adaptive_gives_proven_sessions_room_that_come_back_soon() -> None:
    """A working set of most of the capacity is held together against a scan that never ends."""
    cache = Cache(Adaptive, 100)
    working_set = numbered("proven", 80)
    cache.use_all(working_set * 2)
    rounds = [cache.use_all(working_set + numbered(f"scan {number} ", 40)) for number in range(60)]
    assert share(cache) < 0.25
    assert rounds[-10:] == [80] * 10


def test_adaptive_moves_the_share_slowly() -> None:
    """However many come back at once, it moves by a twentieth in a tenth of the capacity's evictions."""
    cache = Cache(Adaptive, 100)
    cache.use_all(numbered("a", 200))
    cache.use_all(reversed(numbered("a", 100)))
    assert 0.5 < share(cache) <= 0.5 + 10 * 0.05
    before = share(cache)
    cache.use_all(numbered("b", 10))
    assert abs(share(cache) - before) <= 0.05 + 1e-9


# Ghosts


@steadily(200)
@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from(KEYS)), max_size=60),
    st.integers(1, 8),
    st.sampled_from([0, 2**32 - 3]),
)
def test_few_ghosts_are_a_queue(steps: list[tuple[bool, str]], bound: int, earlier: int) -> None:
    """Up to eight are remembered exactly, also where the count of them overflows."""
    ghosts, queue = Ghosts(bound), deque[str | None](maxlen=bound)
    ghosts._additions = earlier
    for adds, key in steps:
        if adds and key not in queue:
            ghosts.add(key)
            queue.append(key)
        elif not adds:
            age = len(queue) - queue.index(key) if key in queue else None
            assert ghosts.take(key) == age
            if age:
                queue[-age] = None


@pytest.mark.parametrize("bound", [9, 100, 1_000, 9_999])
def test_many_ghosts_are_nearly_a_queue(bound: int) -> None:
    """Of more than eight no more than the last are remembered, and of those nearly all."""
    ghosts = Ghosts(bound)
    keys = numbered("k", 3 * bound)
    for key in keys:
        ghosts.add(key)
    ages = {key: ghosts.take(key) for key in keys}
    known = [key for key in keys if ages[key] is not None]
    assert all(ages[key] == len(keys) - keys.index(key) for key in known[::50])
    assert set(known) <= set(keys[-bound:])
    assert len(known) >= 0.95 * bound
    assert all(ghosts.take(key) is None for key in keys)


@pytest.mark.parametrize("bound", [1, 8, 100, 20_000])
def test_ghosts_are_counted(bound: int) -> None:
    """Few are counted, many estimated to within a tenth: all that are known, however many were taken."""
    ghosts = Ghosts(bound)
    assert ghosts.count() == 0
    keys = numbered("k", 3 * bound)
    for key in keys[: bound // 2]:
        ghosts.add(key)
    assert ghosts.count() == pytest.approx(bound // 2, rel=0.1)
    for key in keys[bound // 2 :]:
        ghosts.add(key)
    assert ghosts.count() == pytest.approx(bound, rel=0.15)
    for key in keys[::2]:
        ghosts.take(key)
    assert ghosts.count() == pytest.approx(bound / 2, rel=0.2, abs=0.5)


def test_no_ghost_takes_no_memory() -> None:
    """A partition that never was full has none, whatever it might hold."""
    ghosts = Ghosts(10**9)
    assert ghosts.take("a") is None
    assert not len(ghosts._words)
