"""Whose slots others take when nodes leave: those of all who live there, as long as somebody is left."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.departure import Placement, placement

HOMES = {0: "a", 1: "b", 2: "a", 3: "b"}
ALL = range(4)


def test_nobody_leaves() -> None:
    """So all own slots."""
    found = placement(ALL, (), HOMES, ())
    assert found == Placement(4, frozenset())
    assert found.owners == (0, 1, 2, 3)


def test_who_lives_on_a_node_that_leaves_hands_off() -> None:
    """And stays away, whatever is heard of it, until it lives elsewhere."""
    away = frozenset({1, 3})
    assert placement(ALL, (), HOMES, {"b", "c"}) == Placement(4, away)
    assert placement((0, 2), away, HOMES, {"b"}) == Placement(4, away)
    assert placement((0, 2), away, {0: "a", 2: "a"}, ()).owners == (0, 2)
    assert placement((0, 2), away, {0: "a", 1: "c", 2: "a"}, ()).owners == (0, 1, 2)
    assert placement((0, 1, 2), {3}, HOMES | {1: "c", 3: "c"}, {"b"}) == Placement(4, frozenset())


def test_a_node_that_stays_after_all() -> None:
    """Its partitions are given slots again."""
    assert placement((0, 2), {1, 3}, HOMES, ()).owners == (0, 1, 2, 3)


def test_a_partition_that_is_only_down_keeps_its_slots() -> None:
    """Who owns slots and does not answer is nobody's that leaves, as far as is known."""
    homes = {0: "a", 2: "a", 3: "b"}
    assert placement(ALL, (), homes, {"b"}) == Placement(4, frozenset({3}))
    assert placement(ALL, {1}, homes, ()) == Placement(4, frozenset())


def test_everybody_is_to_leave() -> None:
    """Then nobody moves, for nobody could take anything."""
    assert placement(ALL, (), HOMES, {"a", "b"}) == Placement(4, frozenset(), stranded=True)
    later = placement((0, 2), {1, 3}, HOMES, {"a", "b"})
    assert (later.owners, later.stranded) == ((0, 2), True)


nodes = st.sampled_from("abc")


@given(
    st.sets(st.integers(0, 5), min_size=1),
    st.sets(st.integers(0, 5)),
    st.dictionaries(st.integers(0, 5), nodes),
    st.sets(nodes),
)
def test_whatever_nodes_do(
    owners: set[int], away: set[int], homes: dict[int, str], leaving: set[str]
) -> None:
    """Somebody always owns slots; nobody on a node that leaves does, if it can be helped.

    Asked again, once that is so, the answer is the same.
    """
    found = placement(owners, away, homes, leaving)
    assert found.owners
    assert {*owners, *away} >= {found.partitions - 1}
    if found.stranded:
        assert set(found.owners) == owners
    else:
        assert not [each for each in found.owners if homes.get(each) in leaving]
    assert placement(found.owners, found.away, homes, leaving)[:2] == found[:2]
