"""Who keeps which slot while slots change hands, and what that means for one partition."""

from __future__ import annotations

import pytest

from ray_router.core.custody import Custody, Keeping
from ray_router.core.reshaping import balanced_among
from ray_router.core.slots import SLOTS, Topology, slot_function

NOW = 100.0
slot_of = slot_function("room")

BEFORE = Topology.balanced(2)
HEADING = BEFORE.heading_for(balanced_among(BEFORE.owners, range(3)))
AFTER = HEADING.inherited()


def custody(index: int, topology: Topology = BEFORE, copies: int = 1) -> Custody:
    """What a partition knows."""
    return Custody(index, topology if copies == 1 else topology.with_standbys(), slot_of, copies)


def nobody(partition: int) -> bool:
    """No partition has told anything."""
    return False


def key_that_goes(owner: int, heir: int) -> str:
    """A room that a partition owns before, and another one after."""
    keys = (f"tg:bot:room_{number}" for number in range(10_000))
    return next(
        key for key in keys if (BEFORE.owners[slot_of(key)], AFTER.owners[slot_of(key)]) == (owner, heir)
    )


def change(custody: Custody, topology: Topology, copies: int = 1, *, told: bool = True) -> dict[int, int]:
    """Have it go by another topology; how many slots each is owed now that it was not before."""
    topology = topology if copies == 1 else topology.with_standbys()
    gains = custody.change(topology, (), lambda _: told, lambda _: 1, NOW)
    return {index: len(each.owned) + len(each.kept) for index, each in gains.items()}


def test_an_heir_is_a_keeper_that_the_acting_owner_sends_to() -> None:
    """Nobody else does, so that it comes once; and whoever is owner and heir at once is no heir."""
    keeping = Keeping(0, (0, 1), 2)
    assert keeping.everybody == (0, 1, 2)
    assert [each in keeping for each in range(4)] == [True, True, True, False]
    assert [keeping.sends(each, 2) for each in range(2)] == [True, False]
    assert keeping.sends(1, 0)
    assert Keeping(0, (0, 1), 1).everybody == (0, 1)


def test_owners_owe_their_heirs_what_is_to_be_theirs() -> None:
    """So many slots as move, and to nobody else."""
    moving = sum(a != b for a, b in zip(BEFORE.owners, AFTER.owners, strict=True))
    owners = [custody(0), custody(1)]
    gains = [change(each, HEADING) for each in owners]
    assert sum(each[2] for each in gains) == moving
    assert all(set(each) == {2} and each_one.has_heirs for each, each_one in zip(gains, owners, strict=True))
    assert not custody(2).has_heirs
    for owner, each in enumerate(owners):  # it has been sent what it owns now
        owed = each.change(AFTER, (), lambda _: True, lambda _: 1, NOW)[2].owned
        assert not any(BEFORE.owners[slot] == owner for slot in owed)


def test_what_has_come_to_be_ones_own_is_awaited_until_the_former_owner_has_told_all() -> None:
    """Session by session: what comes from another owner may be there already."""
    heir = custody(2, HEADING)
    change(heir, AFTER)
    first, second = key_that_goes(0, 2), key_that_goes(1, 2)
    assert heir.awaits
    assert heir.owns(first)
    assert not heir.is_here(first)
    heir.receive(lambda each: each == 0, nobody, lambda *_: False)
    assert (heir.is_here(first), heir.is_here(second), heir.awaits) == (True, False, True)
    heir.receive(lambda each: each == 1, nobody, lambda *_: False)
    assert not heir.awaits


@pytest.mark.parametrize("copies", [1, 2])
def test_what_the_dead_had_is_awaited_from_who_keeps_it_too(copies: int) -> None:
    """Once the former owner's life is over; without copies there is nobody, and nothing to wait for."""
    heir = custody(2, HEADING, copies)
    change(heir, AFTER, copies)
    key = key_that_goes(0, 2)
    assert not heir.is_here(key)
    asked: list[tuple[int, int, float]] = []

    def lost(partition: int, incarnation: int, since: float) -> bool:
        asked.append((partition, incarnation, since))
        return partition == 0

    heir.receive(nobody, nobody, lost)
    assert (0, 1, NOW) in asked
    assert heir.is_here(key) == (copies == 1)
    heir.receive(lambda each: each == 1, nobody, lost)
    assert heir.is_here(key)


def test_a_copy_is_awaited_from_the_former_owner_too() -> None:
    """The new one may have said that all is there before the last change has come to itself."""
    heading, after = HEADING.with_standbys(), AFTER.with_standbys()
    for index in range(3):
        keeper = custody(index, HEADING, 2)
        change(keeper, AFTER, 2)
        keys = [f"tg:bot:room_{number}" for number in range(500)]
        came = [key for key in keys if keeper.of(key).regular[1:] == (index,) and not keeper.is_here(key)]
        for key in came:
            slot = slot_of(key)
            assert heading.owners[slot] not in (after.owners[slot], index)
        keeper.receive(lambda _: True, nobody, lambda *_: False)
        assert [key for key in came if not keeper.is_here(key)] == came
        keeper.receive(nobody, lambda _: True, lambda *_: False)
        assert all(keeper.is_here(key) for key in came)


def test_whoever_awaits_everything_awaits_nothing_in_particular() -> None:
    """A restarted partition is not ready at all until it has heard from everybody."""
    heir = custody(2, HEADING)
    heir.change(AFTER, (), lambda _: True, None, NOW)
    assert not heir.awaits


def test_what_is_taken_back_is_awaited_no_longer() -> None:
    """The former owner has it still."""
    heir = custody(2, HEADING)
    change(heir, AFTER)
    change(heir, AFTER.heading_for(BEFORE.owners).inherited())
    assert not heir.awaits


def test_a_standby_is_whole_across_a_change() -> None:
    """If it held all that it kept before, whatever it keeps by now it can answer for; else not."""
    for told in (True, False):
        standby = custody(1, copies=2)
        change(standby, HEADING, 2, told=told)
        regulars = {each.regular for each in standby.alike if 1 in each.regular}
        assert {standby.is_whole(each, lambda _: False) for each in regulars} == {told}
    assert not standby.is_whole((0, 2), lambda _: True)


def test_all_slots_have_keepers_whoever_is_out() -> None:
    """Of those in service, so many as there are copies."""
    custodian = custody(0, HEADING, 2)
    custodian.change(HEADING.with_standbys(), {1}, lambda _: True, lambda _: 1, NOW)
    assert all(1 not in each.regular and len(each.regular) >= 1 for each in custodian.alike)
    assert sum(custodian.topology.shares.values()) == SLOTS


def test_nothing_is_awaited_from_nobody() -> None:
    """When all who kept it are out of service, there is nobody to wait for."""
    heir = custody(2, HEADING)
    heir.change(HEADING, {0, 1}, lambda _: True, lambda _: 1, NOW)
    heir.change(AFTER, {0, 1}, lambda _: True, lambda _: 1, NOW)
    assert heir.owns(key_that_goes(0, 2))
    assert not heir.awaits
