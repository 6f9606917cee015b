"""What comes most often, in bounded memory."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.insight.hottest import Hottest

names = st.lists(st.sampled_from("abcdefghijklmnop"), max_size=200)


@given(came=names, places=st.integers(1, 8))
def test_space_saving_keeps_its_promises(came: list[str], places: int) -> None:
    """Every name with its share is there; counts are never too low, nor too high by more than said."""
    sketch, truth = Hottest(places), Counter(came)
    for name in came:
        sketch.add(name, 1.0)
    hot = {each.name: each for each in sketch.top(places)}
    assert len(hot) <= places
    assert {name for name, count in truth.items() if count > len(came) / places} <= set(hot)
    for name, each in hot.items():
        assert each.weight - each.over <= truth[name] <= each.weight
        assert each.over <= len(came) / places


@given(came=names)
def test_with_room_for_all_it_counts(came: list[str]) -> None:
    """Exactly, the most frequent first."""
    sketch = Hottest(16)
    for name in came:
        sketch.add(name, 2.0)
    assert {each.name: each.weight / 2 for each in sketch.top(16)} == Counter(came)
    weights = [each.weight for each in sketch.top(16)]
    assert weights == sorted(weights, reverse=True)
    assert sketch.total == 2 * len(came)


def test_what_was_hot_long_ago_cools_down() -> None:
    """A name that stopped coming is overtaken by one that came less often, but lately."""
    sketch = Hottest(4, fades_at=100)
    for name, times in (("once", 1_000), ("now", 400)):
        for _ in range(times):
            sketch.add(name, 1.0)
    assert [each.name for each in sketch.top(2)] == ["now", "once"]
