"""What one peer is owed."""

from __future__ import annotations

from ray_router.core.outbox import Drop, Outbox, Pass
from ray_router.core.parcels import Stage
from ray_router.core.slots import key_hash


def walk(*keys: str, owed: str | None = None) -> list[Pass]:
    return [Pass(keys, lambda key: owed is None or key == owed)]


def test_changes_of_a_session_leave_as_one_and_are_sent_until_acknowledged() -> None:
    """A key is owed once however often it changed, and pending until the peer has it."""
    outbox = Outbox(10)
    assert outbox.settled
    assert outbox.draft(5) is None
    outbox.note("a")
    outbox.note("a")
    draft = outbox.draft(5)
    assert draft is not None
    assert draft.keys == ("a",)
    assert len(outbox) == 1
    assert outbox.owes("a")
    assert outbox.draft(5) == draft
    assert outbox.acknowledged(outbox.number - 1) is None
    assert outbox.acknowledged(outbox.number) == draft
    assert outbox.settled
    assert not outbox.owes("a")


def test_too_long_a_list_becomes_a_round() -> None:
    """Deletions, which no round comes by, are kept as evictions."""
    outbox = Outbox(2)
    gone = Drop(1, "a", 5.0)
    outbox.note("a", gone)
    outbox.note("b")
    outbox.note("c")
    assert outbox.round_wanted
    outbox.note("d", Drop(2, "d", 6.0))
    assert outbox.owes("anything")
    outbox.begin_round(outbox.term, walk("b"), walk("c", "x", owed="c"))
    first = outbox.draft(1)
    assert first is not None
    assert (first.keys, first.stage) == (("b",), Stage.ITS_OWN)
    assert outbox.owes("c")
    outbox.acknowledged(outbox.number)
    second = outbox.draft(10)
    assert second is not None
    assert (second.keys, second.stage) == (("c",), Stage.ALL)
    assert {drop.key for drop in (*first.drops, *second.drops)} == {"a", "d"}


def test_evictions_are_bounded_and_the_newest_counts() -> None:
    """The oldest is let go of: the standby drops it in time."""
    outbox = Outbox(2)
    for hashed in (1, 2, 3):
        outbox.drop(Drop(hashed, None, 1.0))
    outbox.drop(Drop(3, None, 0.5))
    draft = outbox.draft(10)
    assert draft is not None
    assert sorted(draft.drops) == [Drop(2, None, 1.0), Drop(3, None, 1.0)]


def test_a_new_term_voids_what_the_old_one_was_owed() -> None:
    """What was evicted before a peer was restarted does not concern it."""
    outbox = Outbox(10)
    outbox.begin_round((1, 0, 0), [], [])
    outbox.drop(Drop(1, None, 1.0))
    outbox.note("a")
    outbox.note_defaults()
    outbox.begin_round((2, 0, 0), [], [])
    draft = outbox.draft(10)
    assert draft is not None
    assert (draft.keys, draft.drops, draft.defaults, draft.stage) == ((), (), True, Stage.ALL)
    assert outbox.rounds == 2


def test_a_round_keeps_what_must_go_when_the_peer_lives_on() -> None:
    """A deletion before the first letter, or under way when a round begins, is in no round."""
    outbox, gone, evicted = Outbox(10), Drop(key_hash("a"), "a", 2.0), Drop(7, None, 1.0)
    outbox.drop(evicted)
    assert outbox.draft(10) is not None
    outbox.note("a", gone)
    outbox.note("b")
    outbox.begin_round((1, 0, 0), [], [])
    draft = outbox.draft(10)
    assert draft is not None
    assert (draft.keys, set(draft.drops)) == ((), {gone, evicted})


def test_what_is_written_again_has_not_left() -> None:
    """A session that came back with what is older than the tombstone that had to go is not dropped."""
    outbox = Outbox(10)
    outbox.drop(Drop(key_hash("a"), None, 5.0))
    outbox.drop(Drop(key_hash("b"), None, 5.0))
    outbox.note("a")
    draft = outbox.draft(10)
    assert draft is not None
    assert (draft.keys, [each.hashed for each in draft.drops]) == (("a",), [key_hash("b")])


def test_a_round_is_in_no_stage_until_its_first_part_is_through() -> None:
    """What the peer may own comes first; only when all of it has left does it know what it owns."""
    outbox = Outbox(10)
    outbox.begin_round((1, 0, 0), walk("a", "b", "c"), walk("d"))
    stages = []
    while (draft := outbox.draft(1)) is not None:
        stages.append((draft.keys, draft.stage))
        outbox.acknowledged(outbox.number)
    assert [keys for keys, _ in stages] == [("a",), ("b",), ("c",), ("d",)]
    assert [stage for _, stage in stages] == [Stage.BEGUN, Stage.BEGUN, Stage.ITS_OWN, Stage.ALL]


def test_what_is_under_way_is_owed_still_when_who_keeps_what_changes() -> None:
    """Sessions and evictions alike; a later word on an eviction stands."""
    outbox = Outbox(10)
    outbox.note("a")
    outbox.note("b", Drop(2, "b", 5.0))
    outbox.drop(Drop(1, None, 5.0))
    outbox.drop(Drop(3, None, 5.0))
    assert outbox.draft(10) is not None
    outbox.drop(Drop(3, None, 7.0))
    outbox.go_on((1, 2, 3), [], [])
    draft = outbox.draft(10)
    assert draft is not None
    assert set(draft.keys) == {"a", "b"}
    assert {each.hashed: each.stamp for each in draft.drops} == {1: 5.0, 3: 7.0}
    assert draft.stage is Stage.ALL
