"""Whether a partition carries a group out, in whose place, or whom it names instead."""

from __future__ import annotations

from typing import Any

import pytest

from ray_router.core.operations import Elsewhere, Explain, Get, Group, Moved, Operation, Resolve, Set
from ray_router.core.reception import received, session_keys
from ray_router.core.reshaping import balanced_among
from ray_router.core.settings import Limits
from ray_router.core.slots import Topology

from .test_custody import slot_of
from .test_exchange import NOW, Member, talk

LIMITS = Limits()
BEFORE = Topology.balanced(3)


def key_from(owner: int, heir: int, partitions: int = 2) -> str:
    """A room that goes from a partition to another when there are so many."""
    heirs = balanced_among(BEFORE.owners, range(partitions))
    keys = (f"tg:bot:room_{number}" for number in range(10_000))
    return next(key for key in keys if (BEFORE.owners[slot_of(key)], heirs[slot_of(key)]) == (owner, heir))


MOVES, STAYS = key_from(2, 0), key_from(0, 0)


def shrunk(members: list[Member]) -> int:
    """Have the last of three partitions hand everything over; the epoch of the decree."""
    decree = members[0].exchange.decree
    decree = decree.heading_for(balanced_among(decree.owners, range(2)))
    assert all(member.exchange.obey(decree, NOW) for member in members)
    talk(*members)
    inherited = decree.inherited()
    assert all(member.exchange.obey(inherited, NOW) for member in members)
    return inherited.since


def answer(
    member: Member, *operations: Operation, copy: bool = False, astray: bool = False, agreed: bool = True
) -> Any:
    """What becomes of a group."""
    group = Group(operations, None, copy, astray)
    return received(group, member.exchange, LIMITS, agreed=agreed)


@pytest.fixture
def members() -> list[Member]:
    """Three partitions that know each other."""
    members = [Member(index) for index in range(3)]
    talk(*members)
    return members


def test_whoever_agrees_is_served(members: list[Member]) -> None:
    """Without a look at what it asks."""
    assert answer(members[0], Get("no key at all")) is False
    assert answer(members[0], Get(MOVES)) is False


def test_whoever_goes_by_another_decree_is_told_of_what_is_not_here(members: list[Member]) -> None:
    """And served with what is; defaults are everywhere."""
    assert answer(members[0], Get(STAYS), agreed=False) is False
    assert answer(members[0], Get("tg:bot:*"), Resolve((STAYS,)), agreed=False) is False
    assert answer(members[0], Set(MOVES, "R", NOW), agreed=False) == Moved(1)
    assert answer(members[0], Resolve((STAYS, MOVES)), agreed=False) == Moved(1)


def test_a_copy_may_have_come_to_be_ones_own(members: list[Member]) -> None:
    """Then it is no copy any more; what is partly one's own is asked for anew."""
    assert answer(members[0], Get(STAYS), copy=True, agreed=False) is False
    assert answer(members[0], Resolve((STAYS, MOVES)), copy=True, agreed=False) == Moved(1)


def test_a_copy_that_others_keep_by_now_is_not_taken(members: list[Member]) -> None:
    """Or it would count as kept where nobody looks for it; but whoever takes a keeper's place takes it."""
    owner = BEFORE.owners[slot_of(STAYS)]
    standby = BEFORE.with_standbys().orders[slot_of(STAYS)][1]
    other = next(each for each in range(3) if each not in (owner, standby))
    write = Set(STAYS, "R", NOW)
    assert answer(members[standby], write, copy=True, agreed=False) is True
    assert answer(members[other], write, copy=True, agreed=False) == Moved(1)
    assert answer(members[other], write, copy=True, astray=True, agreed=False) is True
    assert answer(members[other], write, copy=True) is True


@pytest.mark.parametrize(
    "look", [Get(MOVES), Resolve((MOVES,)), Explain(MOVES)], ids=lambda op: type(op).__name__
)
def test_what_is_on_its_way_is_read_when_it_has_come(members: list[Member], look: Operation) -> None:
    """What is written is taken at once: it is merged with what comes."""
    since = shrunk(members)
    assert answer(members[0], look) == Moved(since)
    assert answer(members[0], Set(MOVES, "R", NOW)) is False
    assert answer(members[0], Get(STAYS)) is False
    talk(*members)
    assert answer(members[0], look) is False
    assert answer(members[2], look, agreed=False) == Moved(since)


def test_a_copy_is_answered_from_when_it_is_whole(members: list[Member]) -> None:
    """Otherwise somebody else is to be asked."""
    restarted = Member(1, incarnation=2, fresh=False)
    assert answer(members[1], Get(STAYS), copy=True) in (True, Elsewhere("it does not hold a whole copy"))
    assert answer(restarted, Get(STAYS), copy=True) == Elsewhere("it does not hold a whole copy")
    assert answer(restarted, Set(STAYS, "R", NOW), copy=True) is True


def test_a_copy_is_not_whole_before_the_former_owner_has_sent_the_last_of_it(members: list[Member]) -> None:
    """The new owner may have sent all that it has, and lack the same."""
    shrunk(members)
    talk(members[0], members[1])
    assert answer(members[1], Get(MOVES), copy=True) == Elsewhere("it does not hold a whole copy")
    assert answer(members[1], Set(MOVES, "R", NOW), copy=True) is True
    talk(*members)
    assert answer(members[1], Get(MOVES), copy=True) is True


def test_a_restarted_partition_answers_for_defaults_alone() -> None:
    """Others have its sessions, where copies are kept."""
    restarted = Member(0, incarnation=2, fresh=False)
    assert isinstance(answer(restarted, Get(STAYS)), Elsewhere)
    assert answer(restarted, Get("tg:bot:*")) is False
    alone = Member(0, incarnation=2, fresh=False, copies=1)
    assert answer(alone, Get(STAYS)) == Moved(1)


def test_bad_input_concerns_no_session() -> None:
    """It is refused later, by whoever it is sent to."""
    bad: Any = 7
    operations: Any = (Get(STAYS), Get("tg"), Get(bad), "nonsense", Resolve(("tg:bot:*", MOVES, bad)))
    assert list(session_keys(operations, LIMITS)) == [STAYS, MOVES]
