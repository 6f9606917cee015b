"""Copies of others' sessions."""

from __future__ import annotations

from math import inf

from ray_router.core import candidates
from ray_router.core.candidates import SessionState
from ray_router.core.record import FIELD, RecordFormat
from ray_router.core.slots import key_hash
from ray_router.core.standby import Standby
from ray_router.core.table import Retention

KEY, OTHER, THIRD = "tg:bot:room", "tg:bot:other", "tg:bot:third"


RECORDS = RecordFormat(10.0)


def standby(capacity: int = 100) -> Standby:
    return Standby(capacity, 4, Retention(100.0, 1_000.0), RECORDS)


def seen(at: float, ttl_s: float = 10.0, route: str = "home") -> SessionState:
    return candidates.observed(route, at, ttl_s, 2)


def test_a_copy_is_what_was_merged() -> None:
    """Facts join, in any order, and are told by a change."""
    copies = standby()
    assert copies.merge(KEY, seen(5.0), 5.0).created
    assert not copies.merge(KEY, seen(4.0, route="away"), 5.0).created
    state = copies.state(KEY)
    assert state is not None
    assert [each.route for each in state.observations] == ["home", "away"]
    assert copies.merge(KEY, seen(5.0), 5.0).before == state
    assert copies.state(OTHER) is None
    assert copies.keys() == [KEY]


def test_an_eviction_is_heeded_unless_something_newer_is_known() -> None:
    """The owner's stamp decides: a session written since, or marked since, stays."""
    copies = standby()
    copies.merge(KEY, seen(5.0), 5.0)
    copies.drop(key_hash(KEY), 4.9)
    assert len(copies) == 1
    copies.merge(KEY, candidates.confirmed("home", 6.0), 6.0)
    copies.drop(key_hash(KEY), 5.0)
    assert len(copies) == 1
    copies.drop(key_hash(KEY), 6.0)
    copies.drop(key_hash(KEY), 6.0)
    assert len(copies) == 0


def test_a_copy_is_kept_as_long_as_its_owner_remembers_the_session() -> None:
    """Past all retention it is dropped; a deletion is remembered as long as a tombstone is."""
    copies = standby()
    copies.merge(KEY, seen(0.0), 0.0)
    copies.merge(OTHER, candidates.deleted(500.0), 500.0)
    assert copies.prune(1_110.0, 10) == 0
    assert copies.expired(KEY, 111.0)
    assert not copies.expired(KEY, 110.0)
    assert not copies.expired(OTHER, 111.0)
    assert copies.prune(1_111.0, 10) == 1
    assert copies.keys() == [OTHER]
    assert copies.prune(1_501.0, 10) == 1


def test_pruning_looks_at_few_at_a_time_and_at_all_in_turn() -> None:
    """Each call looks at so many entries at most."""
    copies = standby()
    for number in range(10):
        copies.merge(f"{KEY}_{number}", seen(0.0), 0.0)
    assert copies.prune(10_000.0, 4) == 4
    copies.discard(copies.keys()[0])
    assert copies.prune(10_000.0, 4) + copies.prune(10_000.0, 4) == 5


def test_what_is_over_when_it_comes_is_not_kept() -> None:
    """A peer may be slow; what it tells may be past remembering."""
    copies = standby()
    copies.merge(KEY, seen(0.0), 5_000.0)
    assert len(copies) == 0


def test_over_the_bound_the_least_recently_written_makes_room_and_is_counted() -> None:
    """Nothing is refused, nothing grows; what is over goes first, and does not count."""
    copies = standby(capacity=2)
    copies.merge(KEY, seen(1.0), 1.0)
    copies.merge(OTHER, seen(2.0), 2.0)
    copies.merge(KEY, seen(3.0), 3.0)
    copies.merge(THIRD, seen(4.0), 4.0)
    assert copies.keys() == [KEY, THIRD]
    assert copies.evicted == 1
    copies.merge(OTHER, seen(5_000.0), 5_000.0)
    assert copies.keys() == [OTHER]
    assert copies.evicted == 1


def test_reads_leave_a_copy_alone() -> None:
    """Recency is the owner's to keep."""
    copies = standby()
    copies.merge(KEY, seen(1.0), 1.0)
    copies.merge(OTHER, seen(1.0), 1.0)
    copies.touch(KEY)
    assert copies.keys() == [KEY, OTHER]


def test_plain_sessions_are_kept_as_their_records() -> None:
    """As their owner keeps them; what is not plain is kept as what is known of it."""
    copies = standby()
    record = RECORDS.write(5.0, 10.0, 2, -inf, "home")
    assert copies.load(KEY, record, 5.0)
    assert copies.as_stored(KEY) == record
    assert copies.state(KEY) == seen(5.0)
    copies.merge(OTHER, seen(5.0), 5.0)
    assert copies.as_stored(OTHER) == record
    copies.merge(KEY, candidates.failed("home", 6.0), 6.0)
    assert copies.as_stored(KEY) == copies.state(KEY) != seen(5.0)
    odd = f"tg:bot:{FIELD}room"
    assert not copies.load(odd, record, 5.0)
    copies.merge(odd, seen(5.0), 5.0)
    assert copies.state(odd) == seen(5.0)
    assert set(copies.keys()) == {KEY, OTHER, odd}
    copies.drop(key_hash(OTHER), 5.0)
    assert copies.as_stored(OTHER) is None


def test_a_record_takes_the_place_of_an_older_one_alone() -> None:
    """Whatever else is known has to be merged with it."""
    newer = RECORDS.write(7.0, 10.0, 2, 6.0, "home")
    for known, replaced in (
        (seen(5.0), True),
        (seen(7.0), False),
        (seen(5.0, route="away"), False),
        (candidates.merge(seen(5.0), candidates.confirmed("home", 6.5), 4), False),
        (candidates.failed("home", 1.0), False),
    ):
        copies = standby()
        copies.merge(KEY, known, 7.0)
        assert copies.load(KEY, newer, 7.0) == replaced
        if not replaced:
            assert copies.state(KEY) == known
            copies.merge(KEY, RECORDS.state(newer), 7.0)
        assert copies.state(KEY) == candidates.merge(known, RECORDS.state(newer), 4)
    copies = standby()
    assert not copies.load(KEY, newer, 5_000.0)
    assert len(copies) == 0


def test_nothing_is_looked_at_before_anything_can_be_over() -> None:
    """The earliest end of what a pass has seen, or of what came meanwhile, begins the next."""
    copies = standby()
    copies.merge(KEY, seen(0.0), 0.0)
    copies.merge(OTHER, seen(100.0), 100.0)
    assert copies.prune(1_111.0, 1) + copies.prune(1_111.0, 1) == 1
    assert copies.keys() == [OTHER]
    assert copies.prune(1_210.0, 10) == 0
    copies.merge(THIRD, seen(50.0), 100.0)
    assert copies.prune(1_161.0, 10) == 1
    assert copies.prune(1_211.0, 10) == 1
