"""Who is to own which slots: balanced, and by as few moves as can be."""

from __future__ import annotations

from array import array
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router.core.reshaping import balanced_among, moved
from ray_router.core.slots import SLOTS, Topology

MOST = 64


def least_moves(owners: array[int], partitions: int) -> int:
    """How many slots must move, however it is done, until shares differ by at most one.

    Each partition keeps at most its share, and the larger shares are best given to those that own the most.
    """
    small, larger = divmod(SLOTS, partitions)
    shares = Counter(owners)
    owned = sorted((shares[each] for each in range(partitions)), reverse=True)
    kept = sum(min(own, small + (place < larger)) for place, own in enumerate(owned))
    return SLOTS - kept


def shares_of(owners: array[int], partitions: int) -> list[int]:
    """How many slots each owns; nobody else owns any."""
    shares = Counter(owners)
    assert set(shares) == set(range(partitions))
    return [shares[each] for each in range(partitions)]


@pytest.mark.parametrize("before", range(1, MOST + 1))
def test_no_slot_moves_that_need_not(before: int) -> None:
    """From any number of partitions: balanced within one slot, and moved / least possible is 1."""
    owners = Topology.balanced(before).owners
    for after in {before - 1 or 1, before + 1, 2 * before, 1 + 37 * before % MOST}:
        heirs = balanced_among(owners, range(after))
        shares = shares_of(heirs, after)
        assert max(shares) - min(shares) <= 1
        assert moved(owners, heirs) == least_moves(owners, after)


@pytest.mark.chaos
@pytest.mark.parametrize("before", range(1, MOST + 1))
def test_no_slot_moves_that_need_not_for_any_pair(before: int) -> None:
    """The same for every pair."""
    owners = Topology.balanced(before).owners
    for after in range(1, MOST + 1):
        heirs = balanced_among(owners, range(after))
        assert max(shares_of(heirs, after)) - min(shares_of(heirs, after)) <= 1
        assert moved(owners, heirs) == least_moves(owners, after)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, MOST), min_size=1, max_size=4))
def test_one_resize_after_another_stays_as_cheap(sizes: list[int]) -> None:
    """Whatever the history of a router, the next resize moves no more than it must, and always the same."""
    owners = Topology.balanced(4).owners
    for size in sizes:
        heirs = balanced_among(owners, range(size))
        assert heirs == balanced_among(array("H", owners), list(range(size)))
        assert moved(owners, heirs) == least_moves(owners, size)
        owners = heirs


@settings(deadline=None, max_examples=20)
@given(st.integers(1, MOST), st.integers(1, MOST))
def test_a_balanced_router_stays_as_it_is(before: int, after: int) -> None:
    """Resizing to the number that there is moves nothing; there and back again, all shares are balanced."""
    owners = Topology.balanced(before).owners
    assert balanced_among(owners, range(before)) == owners
    back = balanced_among(balanced_among(owners, range(after)), range(before))
    assert max(shares_of(back, before)) - min(shares_of(back, before)) <= 1


def test_everybody_gives_to_every_newcomer() -> None:
    """So that no pair has to carry all of it."""
    owners = Topology.balanced(4).owners
    heirs = balanced_among(owners, range(6))
    pairs = Counter(pair for pair in zip(owners, heirs, strict=True) if pair[0] != pair[1])
    assert set(pairs) == {(giver, taker) for giver in range(4) for taker in (4, 5)}
    assert max(pairs.values()) - min(pairs.values()) <= 2
