"""The sample: what it counts, what it weighs, and what bounds it."""

from __future__ import annotations

from collections import Counter
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router.core.insight import reuse
from ray_router.core.insight.curve import HitCurve
from ray_router.core.insight.reuse import ReuseSample

from .traffic import chats, in_batches, sampled

keys = st.sampled_from("abcdef")


def test_an_ask_is_noted_with_its_age() -> None:
    """From the write before it, however many asks there are in between."""
    sample = ReuseSample(lambda key, weight: None)
    sample.wrote(("a",), 0.0)
    sample.asked(("a",), 5.0)
    sample.asked(("a",), 50.0)
    sample.wrote(("a",), 51.0)
    sample.asked(("a", "b"), 52.0)
    asks = {each.up_to_s: each.asks for each in sample.ask_ages() if each.asks}
    assert asks == {1.0: 1.0, 10.0: 1.0, 60.0: 1.0}
    counts = sample.counts()
    assert (counts.asks, counts.writes, counts.uses, counts.span_s) == (4.0, 2.0, 6, 52.0)
    assert sum(weight for _, _, weight in counts.cells) == 3.0


@given(steps=st.lists(st.tuples(st.booleans(), st.lists(keys, max_size=4)), max_size=60))
def test_at_full_rate_every_ask_after_a_write_is_counted(steps: list[tuple[bool, list[str]]]) -> None:
    """Whatever the batches, with repetitions in them."""
    noticed: Counter[str] = Counter()
    sample = ReuseSample(lambda key, weight: noticed.update({key: int(weight)}))
    written: set[str] = set()
    known = 0
    for at, (writes, batch) in enumerate(steps):
        if writes:
            sample.wrote(batch, float(at))
            written.update(batch)
        else:
            sample.asked(batch, float(at))
            known += sum(key in written for key in batch)
    counts = sample.counts()
    assert sum(weight for _, _, weight in counts.cells) == known
    assert sum(counts.started) == counts.writes
    assert counts.watched == len(written)
    assert noticed == Counter(key for _, batch in steps for key in batch)


def test_a_batch_is_as_good_as_single_calls() -> None:
    """The same keys at the same time, in the same order, are the same."""
    events = chats(2_000, 50)
    single = ReuseSample(lambda key, weight: None)
    for begin in range(0, len(events), 10):
        at = events[begin][0]
        for _, key in events[begin : begin + 10]:
            single.asked((key,), at)
        for _, key in events[begin : begin + 10]:
            single.wrote((key,), at)
    assert single.counts() == in_batches(events, 10).counts()


def test_it_watches_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer and fewer writes sampled, each for more of them; and still says what is true."""
    monkeypatch.setattr(reuse, "MOST_WATCHED", 300)
    events = chats(30_000, 3_000)
    counts, all_counts = sampled(events).counts(), sampled(events, 1).counts()
    assert counts.watched <= 300
    assert counts.stride > 1
    assert sum(counts.started) == pytest.approx(counts.writes, rel=0.05)
    monkeypatch.undo()
    truth = HitCurve(sampled(events).counts())
    for some in (counts, all_counts):
        assert HitCurve(some).hit_ratio(300.0, inf) == pytest.approx(truth.hit_ratio(300.0, inf), abs=0.02)


def test_it_works_a_bounded_number_of_steps_a_second() -> None:
    """A rush lowers the rate at once, and what is seen in quiet times raises it again."""
    steps = 0

    def notice(key: str, weight: float) -> None:
        nonlocal steps
        steps += 1

    sample = ReuseSample(notice)
    rush = [f"k{number % 1_000}" for number in range(100_000)]
    for second in range(20):
        before = steps
        sample.asked(rush, float(second))
        sample.wrote(rush, float(second))
    assert steps - before <= 2 * reuse.MOST_A_SECOND
    assert steps <= 40 * reuse.MOST_A_SECOND
    assert sum(sample.counts().started) == pytest.approx(sample.counts().writes, rel=0.1)
    stride = sample.counts().stride
    for second in range(20, 60):
        sample.asked(["k1"], float(second))
    assert sample.counts().stride < stride


def test_what_was_seen_long_ago_counts_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """All counts by the same half, so that ratios stay."""
    monkeypatch.setattr(reuse, "_FADES_AT", 500)
    events = chats(5_000, 40)
    faded = sampled(events).counts()
    monkeypatch.undo()
    counts = sampled(events).counts()
    assert faded.writes < 1_001 < counts.writes
    assert sum(faded.started) == pytest.approx(faded.writes)
    late = HitCurve(sampled(events[-1_000:]).counts())
    assert HitCurve(faded).hit_ratio(60.0, inf) == pytest.approx(late.hit_ratio(60.0, inf), abs=0.05)


@settings(deadline=None, max_examples=25)
@given(size=st.integers(1, 500))
def test_what_is_not_watched_costs_no_step(size: int) -> None:
    """Keys of a batch that are not sampled are passed over without a call."""
    sample = ReuseSample(lambda key, weight: None)
    sample._stride, sample._skip = 1 << 20, 1 << 20
    sample.asked([f"k{number}" for number in range(size)], 0.0)
    assert sample._work == 0
    assert sample.counts().asks == size
