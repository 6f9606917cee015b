"""How many partitions a router should have: enough, soon, and not another number a moment later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router.core.autoscaler import Autoscaler, ScalingLook, ScalingSettings, Seen
from ray_router.model import ScalingReason, ScalingWish

SETTINGS = ScalingSettings(
    least=2,
    most=16,
    target_entries=100,
    target_calls_per_s=10,
    upscale_delay_s=30,
    downscale_delay_s=600,
)
INTERVAL_S = 5.0

numbers = st.integers(1, 40)
delays = st.sampled_from([0.0, 5.0, 30.0, 600.0])
loads = st.just(0.0) | st.floats(1e3, 1e7)  # so many that a session or call more or less is no change


@st.composite
def any_settings(draw: st.DrawFn) -> ScalingSettings:
    """Bounds, targets and delays of every kind."""
    least = draw(numbers)
    return ScalingSettings(
        least,
        least + draw(st.integers(0, 40)),
        draw(st.floats(0.1, 1e6)),
        draw(st.floats(0.1, 1e6)),
        draw(delays),
        draw(delays),
    )


class Router:
    """A router as an autoscaler sees it: its load is shared equally, and its calls are counted.

    Partitions that are taken away take their counts with them, and new ones begin with none.
    """

    def __init__(self, settings: ScalingSettings, partitions: int) -> None:
        self.autoscaler = Autoscaler(settings)
        self.counts = [0.0] * partitions
        self.entries = 0.0
        self.calls_per_s = 0.0
        self.now = 1_000.0

    @property
    def partitions(self) -> int:
        """How many there are."""
        return len(self.counts)

    def seen(self) -> dict[int, Seen | None]:
        """What they hold and have counted."""
        each = ceil(self.entries / self.partitions)
        return {index: Seen(1, each, round(count)) for index, count in enumerate(self.counts)}

    def look(self, interval_s: float = INTERVAL_S) -> ScalingLook:
        """Some time later: what one look comes to, and what is decided is done at once."""
        self.now += interval_s
        self.counts = [count + self.calls_per_s * interval_s / self.partitions for count in self.counts]
        look = self.autoscaler.look(self.partitions, self.seen(), self.now)
        new = [0.0] * max(0, look.partitions - self.partitions)
        self.counts = [*self.counts, *new][: look.partitions]
        return look

    def until(self, condition: Callable[[ScalingLook], object], within_s: float) -> ScalingLook:
        """Look until it is so."""
        until = self.now + within_s
        while True:
            look = self.look()
            if condition(look):
                return look
            assert self.now < until, "it never came about"

    def sizes(self, looks: int) -> Iterator[int]:
        """How many there are after each of so many looks."""
        for _ in range(looks):
            yield self.look().partitions


def loaded(partitions: int, entries: float = 0, calls_per_s: float = 0) -> Router:
    """A router with a load."""
    router = Router(SETTINGS, partitions)
    router.entries, router.calls_per_s = entries, calls_per_s
    return router


# What it wants


@pytest.mark.parametrize(
    ("partitions", "entries", "calls_per_s", "wanted", "reason"),
    [
        (4, 400, 40, None, None),
        (4, 330, 33, None, None),  # three would be too close to their targets
        (4, 401, 0, 5, ScalingReason.ENTRIES),
        (4, 0, 41, 5, ScalingReason.CALLS),
        (4, 500, 79, 8, ScalingReason.CALLS),
        (4, 700, 50, 7, ScalingReason.ENTRIES),
        (4, 9_000, 0, 8, ScalingReason.ENTRIES),  # twice as many at once, and no more
        (12, 9_000, 0, 16, ScalingReason.ENTRIES),
        (16, 9_000, 0, None, None),
        (4, 240, 24, 3, ScalingReason.IDLE),
        (4, 240, 25, None, None),
        (4, 0, 0, 3, ScalingReason.IDLE),
        (16, 0, 0, 12, ScalingReason.IDLE),  # a quarter of them, and no more
        (2, 0, 0, None, None),
        (1, 0, 0, 2, ScalingReason.BOUNDS),
        (20, 9_000, 0, 16, ScalingReason.BOUNDS),
    ],
)
def test_what_a_load_is_answered_with(
    partitions: int, entries: int, calls_per_s: int, wanted: int | None, reason: ScalingReason | None
) -> None:
    """Within the bounds, and one step at a time: enough for both targets, and no more than that."""
    router = loaded(partitions, entries, calls_per_s)
    wishes = [router.look().wish for _ in range(3)]
    wish = wishes[-1]
    assert (wish and wish.partitions, wish and wish.reason) == (wanted, reason)


def test_calls_are_those_of_the_last_half_minute() -> None:
    """On average, so that neither a burst nor a pause makes a rate."""
    router = loaded(2, calls_per_s=10)
    assert router.look().calls_per_s is None
    assert router.look().calls_per_s == pytest.approx(10)
    router.calls_per_s = 20
    rates = [router.look().calls_per_s for _ in range(8)]
    assert rates[0] == pytest.approx(15)
    assert rates == sorted(rates, key=lambda rate: rate or 0)
    assert rates[-1] == pytest.approx(20)


def test_a_time_that_stands_still_makes_no_rate() -> None:
    """Nor does one that goes back."""
    router = loaded(2, calls_per_s=10)
    router.look()
    assert router.look(0).calls_per_s is None
    assert router.look(-INTERVAL_S).calls_per_s is None


def test_who_was_restarted_counts_anew() -> None:
    """No rate is made of the counts of two lives."""
    router = loaded(2, calls_per_s=10)
    for _ in range(3):
        router.look()
    seen = router.seen() | {1: Seen(2, 0, 0)}
    assert router.autoscaler.look(2, seen, router.now + 1).calls_per_s is None
    assert router.autoscaler.look(2, seen, router.now + 2).calls_per_s == 0


def test_nothing_is_decided_while_a_partition_does_not_answer() -> None:
    """What was wanted before has to be wanted for its whole delay again."""
    router = loaded(4, entries=1_000)
    router.until(lambda _: router.now >= 1_025, 60)
    assert router.autoscaler.look(4, router.seen() | {2: None}, router.now).wish is None
    wish = router.look().wish
    assert wish is not None
    assert wish.since == router.now
    decided = router.until(lambda look: look.reason, 60)
    assert (router.now - wish.since, decided.partitions) == (30, 8)


# When


def test_more_are_had_soon_and_fewer_late() -> None:
    """Each after its own delay, in which nothing else was wanted."""
    router = loaded(4, entries=500)
    begun = router.now + INTERVAL_S
    up = router.until(lambda look: look.reason, 60)
    assert (up.partitions, router.now - begun) == (5, 30)
    router.entries = 200
    begun = router.now + 2 * INTERVAL_S  # what is asked of the new ones is known from their second look on
    down = router.until(lambda look: look.reason, 700)
    assert (down.partitions, down.reason, router.now - begun) == (4, ScalingReason.IDLE, 600)


def test_a_peak_that_passes_changes_nothing() -> None:
    """Nor does a pause: what is wanted must be wanted at every look."""
    router = loaded(4, entries=330)
    for _ in range(20):
        for entries, looks in ((1_000, 5), (330, 1), (10, 100), (330, 1)):
            router.entries = entries
            assert set(router.sizes(looks)) == {4}


def test_as_many_stay_as_were_needed_at_any_time_of_the_delay() -> None:
    """When fewer would do, but not always as few, the most of them is what is had."""
    router = loaded(16, entries=100)
    for entries in (1_100, 100, 1_040, 100):
        assert set(router.sizes(20)) == {16}
        router.entries = entries
    decided = router.until(lambda look: look.reason, 700)
    assert decided.partitions == 14


def test_a_wish_goes_on_with_whoever_takes_over() -> None:
    """For the time that is left of its delay."""
    wish = ScalingWish(6, ScalingReason.ENTRIES, 980.0)
    router = loaded(4, entries=700)
    router.autoscaler = Autoscaler(SETTINGS, wish)
    first = router.look()
    assert first.wish == ScalingWish(7, ScalingReason.ENTRIES, 980.0)
    assert router.look().partitions == 7
    router.autoscaler = Autoscaler(SETTINGS, wish)
    router.entries = 0
    look = router.look()
    assert look.wish is None, "whoever takes over does not know yet what is asked of the router"
    look = router.look()
    assert look.wish is not None
    assert look.wish.since == router.now


def test_a_resize_by_hand_begins_the_delay_anew() -> None:
    """What was wanted was another number than there was."""
    router = loaded(4, entries=1_000)
    router.until(lambda _: router.now >= 1_025, 60)
    router.counts += [0.0]
    wish = router.look().wish
    assert wish is not None
    assert wish.since == router.now


# For any settings, and whatever is seen

sights = st.dictionaries(
    st.integers(0, 3),
    st.none() | st.builds(Seen, st.integers(1, 2), st.integers(0, 10**9), st.integers(0, 10**9)),
)


@settings(deadline=None, derandomize=True)
@given(
    any_settings(),
    numbers,
    st.lists(st.tuples(sights, st.floats(0, 100)), max_size=20),
)
def test_whatever_is_seen_bounds_steps_and_delays_hold(
    chosen: ScalingSettings,
    partitions: int,
    looks: list[tuple[Mapping[int, Seen | None], float]],
) -> None:
    """A decision lies within the bounds, is one step away, and was wanted at every look of its delay."""
    autoscaler, now = Autoscaler(chosen), 0.0
    wanted_since: dict[bool, float | None] = {True: None, False: None}
    for seen, later_s in looks:
        now += later_s
        look = autoscaler.look(partitions, seen, now)
        to = look.partitions if look.reason else look.wish.partitions if look.wish else partitions
        for up, wanted in ((True, to > partitions), (False, to < partitions)):
            since = wanted_since[up]
            wanted_since[up] = None if not wanted else now if since is None else since
        if to == partitions:
            assert (look.wish, look.reason) == (None, None)
            continue
        assert chosen.least <= to <= chosen.most
        if chosen.least <= partitions <= chosen.most:
            assert partitions - max(1, partitions // 4) <= to <= 2 * partitions
        since = wanted_since[to > partitions]
        assert since is not None
        delay_s = chosen.upscale_delay_s if to > partitions else chosen.downscale_delay_s
        assert (look.reason is not None) == (now - since >= delay_s - 1e-6)
        if look.reason is not None:
            partitions, wanted_since = look.partitions, {True: None, False: None}


@settings(deadline=None, derandomize=True)
@given(any_settings(), numbers, loads, loads)
def test_a_load_that_stays_is_answered_once_and_for_all(
    chosen: ScalingSettings, partitions: int, entries: float, calls_per_s: float
) -> None:
    """It goes one way, and stops where the load is carried: it never swings."""
    router = Router(chosen, partitions)
    router.entries, router.calls_per_s = entries, calls_per_s
    delay_s = chosen.upscale_delay_s + chosen.downscale_delay_s
    sizes = [partitions]
    for _ in range(60):
        router.until(lambda look: look.reason or look.wish is None, delay_s + 2 * INTERVAL_S)
        router.look()  # what is asked is known from the second look on
        sizes.append(router.partitions)
    inside = [size for size in sizes if chosen.least <= size <= chosen.most]
    assert inside in (sorted(inside), sorted(inside, reverse=True))
    assert len(set(sizes[-10:])) == 1
    last = sizes[-1]
    enough = last * chosen.target_entries >= entries and last * chosen.target_calls_per_s >= calls_per_s
    assert enough or last == chosen.most


@pytest.mark.parametrize("entries", [201, 550, 1_600])
def test_up_is_faster_than_down(entries: float) -> None:
    """From the fewest it takes at most three steps, and as many delays; back again it takes longer."""
    router = loaded(2, entries=entries)
    begun = router.now
    router.until(lambda look: look.wish is None and look.reason is None, 200)
    up_s, there = router.now - begun, router.partitions
    assert up_s <= 3 * (SETTINGS.upscale_delay_s + INTERVAL_S) + INTERVAL_S
    router.entries = 0
    begun = router.now
    router.until(lambda look: look.partitions == 2 and look.wish is None and router.partitions == 2, 9_000)
    assert there == 2 or router.now - begun > up_s
