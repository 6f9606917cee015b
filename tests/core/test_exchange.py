"""What partitions owe each other, beyond what the simulated schedules come upon."""

from __future__ import annotations

from math import inf

import pytest

from ray_router.core import candidates
from ray_router.core.events import Observer, ServiceChanged
from ray_router.core.exchange import CopySettings, Exchange
from ray_router.core.lives import Life
from ray_router.core.operations import Delete, Elsewhere, Get, Group, Report, Resolve, Set
from ray_router.core.partition import Partition
from ray_router.core.record import RecordFormat
from ray_router.core.reshaping import balanced_among
from ray_router.core.settings import PartitionSettings
from ray_router.core.slots import Topology, slot_function
from ray_router.core.standby import Standby
from ray_router.core.table import Retention
from ray_router.model import Delivery, Origin

NOW = 1_000.0
slot_of = slot_function("room")
RETENTION = Retention(86_400.0, 86_400.0)


class Member:
    """A partition with its exchange."""

    def __init__(
        self,
        index: int,
        *,
        partitions: int = 3,
        incarnation: int = 1,
        fresh: bool = True,
        node: str = "here",
        synchronous: bool = True,
        copies: int = 2,
        parcel: int = 500,
        observer: Observer | None = None,
        **settings: float,
    ) -> None:
        self.partition = Partition(index, PartitionSettings(**settings), observer)  # type: ignore[arg-type]
        self.standby = Standby(100, 4, RETENTION, RecordFormat(PartitionSettings().ttl_s))
        self.exchange: Exchange = self.partition.exchanges(
            lambda own, defaults: Exchange(
                index,
                Topology.balanced(partitions).with_standbys(),
                slot_of,
                own,
                defaults,
                self.standby,
                CopySettings(synchronous, copies, parcel=parcel),
                incarnation=incarnation,
                node=node,
                fresh=fresh,
                now=NOW,
            )
        )

    def ask(self, *operations: object, copy: bool = False, astray: bool = False) -> tuple[object, ...]:
        """Ask it a group."""
        return self.partition.apply((Group(operations, None, copy, astray),), NOW)[0]  # type: ignore[arg-type]


def talk(*members: Member, now: float = NOW) -> None:
    """Have them tell each other all that they owe."""
    by_index = {member.exchange.index: member for member in members}
    for _ in range(20):
        for member in members:
            for peer in member.exchange.due(now):
                if peer in by_index:
                    other = by_index[peer].exchange
                    other.take(member.exchange.parcel_for(peer, now), now)
                    member.exchange.take(other.parcel_for(member.exchange.index, now), now)


def key_of(owner: int, standby: int, partitions: int = 3) -> str:
    """A key that these keep."""
    orders = Topology.balanced(partitions).with_standbys().orders
    keys = (f"tg:bot:room_{number}" for number in range(10_000))
    return next(key for key in keys if orders[slot_of(key)][:2] == (owner, standby))


def test_an_actor_that_took_anothers_name_takes_a_later_life() -> None:
    """Peers that knew the former one do not take it for an earlier life, and it recovers from them."""
    former, peer, third = Member(0, incarnation=5), Member(1), Member(2)
    talk(former, peer, third)
    key = key_of(0, 1)
    peer.ask(Set(key, "R", NOW), copy=True)
    newcomer = Member(0, incarnation=2, fresh=False)
    assert isinstance(newcomer.ask(Get(key))[0], Elsewhere)
    talk(newcomer, peer, third)
    assert newcomer.exchange.incarnation == 6
    assert newcomer.exchange.ready
    assert newcomer.ask(Get(key))[0] is not None


def test_a_former_life_that_hears_of_a_later_one_is_spent() -> None:
    """A partition that thaws after it was replaced answers no more for its own."""
    old, peer = Member(0), Member(1)
    talk(old, peer)
    peer.exchange.meet({0: Life(2, node="there")}, NOW)
    old.exchange.take(peer.exchange.parcel_for(0, NOW), NOW)
    assert old.exchange.spent
    assert not old.exchange.ready


def test_standbys_live_apart_once_it_is_known_where_all_live() -> None:
    """With two nodes every slot's standby is on the other; the epoch says that it changed."""
    members = [Member(index, partitions=4, node="ab"[index // 2]) for index in range(4)]
    key = key_of(0, 1, 4)
    members[0].ask(Set(key, "R", NOW))
    members[1].ask(Set(key, "R", NOW), copy=True)
    talk(*members)
    topology = members[0].exchange.topology
    assert topology.standbys is not None
    pairs = set(zip(topology.owners, topology.standbys, strict=True))
    assert all(owner // 2 != standby // 2 for owner, standby in pairs)
    assert topology.epoch == 2
    assert all(member.exchange.topology == topology for member in members)
    holders = [member.exchange.index for member in members[1:] if member.standby.state(key)]
    assert holders == [topology.orders[slot_of(key)][1]]


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("pending", [False, True], ids=["both are back", "one finds no place"])
def test_after_a_node_is_lost_those_born_elsewhere_are_ready(copies: int, pending: bool) -> None:
    """Though they never knew that partitions lived in two places, they agree with those who did.

    A partition that was never heard of in this life, for it finds no place, is heard of from the others.
    """
    members = [Member(index, partitions=4, copies=copies, node="ab"[index // 2]) for index in range(4)]
    for member in members:
        member.exchange.meet({index: Life(1, node="ab"[index // 2]) for index in range(4)}, NOW)
    talk(*members)
    key = key_of(2, 0, 4)
    again = {"partitions": 4, "copies": copies, "incarnation": 2, "fresh": False, "node": "a"}
    born = [Member(index, **again) for index in (2, 3)]  # type: ignore[arg-type]
    alive = [*members[:2], *born[: 1 if pending else 2]]
    for later_s in range(10):
        talk(*alive, now=NOW + later_s)
    assert [member.exchange.ready for member in alive] == [True] * len(alive)
    assert len({member.exchange.topology.epoch for member in alive}) == 1
    assert len({member.exchange.lives.changes for member in alive}) == 1
    assert not isinstance(alive[2].ask(Get(key))[0], Elsewhere)


def test_a_partition_that_moved_changes_the_epoch() -> None:
    """Born on another node than before, it counts a move, which everybody hears of."""
    members = [Member(0, node="a"), Member(1, node="a"), Member(2, node="b")]
    talk(*members)
    moved = Member(0, incarnation=2, fresh=False, node="c")
    talk(moved, *members[1:])
    talk(moved, *members[1:], now=NOW + 10)
    assert moved.exchange.lives[0].moves == 1
    assert {member.exchange.topology.epoch for member in (moved, *members[1:])} == {4}


def test_an_evicted_session_leaves_its_standby_too() -> None:
    """A full table lets go, and says so: by key, and by hash where no more was left."""
    owner, standby = Member(0, capacity=1), Member(1)
    orders = Topology.balanced(3).with_standbys().orders
    keys = [key for number in range(400) if orders[slot_of(key := f"tg:bot:r{number}")][:2] == (0, 1)][:3]
    for at, key in enumerate(keys):
        owner.ask(Set(key, "R", NOW + at / 10))
        standby.ask(Set(key, "R", NOW + at / 10), copy=True)
    talk(owner, standby)
    assert standby.standby.keys() == keys[2:]
    owner.ask(Delete(keys[2], NOW + 1))
    owner.ask(Set(keys[0], "S", NOW + 2))
    standby.ask(Delete(keys[2], NOW + 1), copy=True)
    standby.ask(Set(keys[0], "S", NOW + 2), copy=True)
    talk(owner, standby)
    assert standby.standby.keys() == keys[:1]


def test_what_an_owner_does_not_let_in_its_standby_lets_go() -> None:
    """A mark on a session that is not there finds no place in a full table."""
    owner, standby = Member(0, capacity=1), Member(1)
    talk(owner, standby)
    key = key_of(0, 1)
    owner.ask(Set(key_of(0, 2), "R", NOW))
    report = Report(key, "R", Delivery.PERMANENT, NOW)
    owner.ask(report)
    standby.ask(report, copy=True)
    assert standby.standby.keys() == [key]
    talk(owner, standby)
    assert standby.standby.keys() == []


def test_what_a_peer_knows_may_find_no_place_either() -> None:
    """Then the peer is told so."""
    owner, standby = Member(0, capacity=1, synchronous=False), Member(1, synchronous=False)
    talk(owner, standby)
    key = key_of(0, 1)
    owner.ask(Set(key_of(0, 2), "R", NOW))
    standby.ask(Report(key, "R", Delivery.PERMANENT, NOW), copy=True, astray=True)
    talk(owner, standby)
    assert owner.partition._table.state(key) is None
    assert standby.standby.keys() == []


def test_a_group_that_cannot_be_answered_here_is_refused_as_a_whole() -> None:
    """Before a partition has recovered, and from a copy that is not whole; bad input is told as ever."""
    member = Member(0, fresh=False)
    own, other = key_of(0, 1), key_of(1, 0)
    assert isinstance(member.ask(Resolve((own,)))[0], Elsewhere)
    assert isinstance(member.ask(Resolve((other,)), copy=True)[0], Elsewhere)
    assert isinstance(member.ask(Get(other), copy=True)[0], Elsewhere)
    assert member.ask(Get("tg:bot:*")) == (None,)
    assert member.ask(Set("tg:bot:*", "R", NOW), Delete("tg:bot:*", NOW))[1] is True
    assert member.ask(Get("tg:bot:*"), copy=True) == (None,)
    assert type(member.ask(Get("not a key"))[0]).__name__ == "Refused"
    assert type(member.ask(Resolve(("x" * 9_000,)), copy=True)[0]).__name__ in ("Refused", "Answers")
    assert member.exchange.lost_window_s == inf


def test_a_stray_default_is_told_to_all() -> None:
    """Every partition keeps the defaults; whoever missed one hears of it."""
    first, second, third = Member(0), Member(1), Member(2)
    talk(first, second, third)
    first.ask(Set("tg:bot:*", "R", NOW), astray=True)
    talk(first, second, third)
    assert second.ask(Get("tg:bot:*"))[0] is not None
    assert third.partition.defaults() == first.partition.defaults()


def test_a_shed_session_leaves_its_standby() -> None:
    """Under the highest pressure agents open no sessions, and their copies do not stay."""
    owner, standby = Member(0), Member(1)
    key = key_of(0, 1)
    for _ in range(50):
        owner.partition.waited(60.0, NOW)
    write = Set(key, "R", NOW, Origin.AGENT)
    owner.ask(write)
    standby.ask(write, copy=True)
    talk(owner, standby)
    assert standby.standby.keys() == []


def test_copies_are_asked_like_sessions() -> None:
    """The ladder works on copies: alternates, rooms, and what has expired."""
    standby = Member(1)
    key = key_of(0, 1)
    assert standby.ask(Set(key, "R", NOW - 10, ttl_s=5.0), copy=True)[0] is not None
    ((answer,),) = [said.items for said in standby.ask(Resolve((key,)), copy=True)]  # type: ignore[attr-defined]
    assert (answer.route, answer.stale) == (None, True)
    standby.ask(Set(key, "S", NOW), Report(key, "S", Delivery.DELIVERED, NOW), copy=True)
    ((answer,),) = [said.items for said in standby.ask(Resolve((f"{key}:t",)), copy=True)]  # type: ignore[attr-defined]
    assert answer.route == "S"
    assert standby.partition._understudy is not None
    stats = standby.partition._understudy.stats(NOW)
    assert (stats.holdings.live, stats.ghosts, stats.table_bytes) == (1, 0, 0)
    assert list(standby.partition._understudy._table) == [key]
    assert standby.partition._understudy._table.known("tg:bot:nobody") == candidates.NOTHING
    assert standby.partition._understudy.tidy(NOW, 10) == 0


def test_an_owner_owes_each_change_to_its_standby() -> None:
    """New, refreshed, repeated and deleted: what peers are owed is counted, and settled once they have it."""
    owner, standby = Member(0, partitions=2, synchronous=False), Member(1, partitions=2, synchronous=False)
    talk(owner, standby)
    key = key_of(0, 1, 2)
    assert (owner.exchange.lag, owner.exchange.settled, owner.exchange.recovered) == (0, True, True)
    owner.ask(Set(key, "R", NOW))
    assert (owner.exchange.lag, owner.exchange.settled) == (1, False)
    talk(owner, standby)
    owner.ask(Set(key, "R", NOW + 1))
    owner.ask(Set(key, "R", NOW - 1))
    assert owner.exchange.lag == 1
    talk(owner, standby)
    assert owner.exchange.settled
    held = standby.standby.state(key)
    assert held is not None
    assert [seen.observed_at for seen in held.observations] == [NOW + 1]
    owner.ask(Delete(key, NOW + 2))
    talk(owner, standby)
    held = standby.standby.state(key)
    assert held is not None
    assert (held.observations, held.deleted_at) == ((), NOW + 2)


def test_what_left_before_it_was_sent_is_not_sent() -> None:
    """A full owner forgets a session that it still owes: only that it left is told."""
    owner, standby = Member(0, capacity=1, synchronous=False), Member(1, synchronous=False)
    talk(owner, standby)
    first, second = (f"{key_of(0, 1)}:{thread}" for thread in "ab")
    owner.ask(Set(first, "R", NOW))
    owner.ask(Set(second, "R", NOW + 1))
    contents = owner.exchange.parcel_for(1, NOW).contents
    assert contents is not None
    assert [key for key, _ in contents.states] == [second]
    assert len(contents.drops) == 1


def test_what_came_back_while_its_leaving_was_told_is_sent_again() -> None:
    """The standby let go of it on the way."""
    owner, standby = Member(0, capacity=1, synchronous=False), Member(1, synchronous=False)
    talk(owner, standby)
    first, second = (f"{key_of(0, 1)}:{thread}" for thread in "ab")
    owner.ask(Set(first, "R", NOW))
    talk(owner, standby)
    owner.ask(Set(second, "R", NOW + 1))
    told = owner.exchange.parcel_for(1, NOW)
    owner.ask(Set(first, "S", NOW + 2))
    standby.exchange.take(told, NOW)
    assert standby.standby.keys() == [second]
    talk(owner, standby)
    assert standby.standby.keys() == [first]


def test_a_partition_that_dies_too_often_is_out_until_it_is_brought_back() -> None:
    """Its peers count its lives and take its place; brought back, it makes way for a life that knows all."""
    members = [Member(0), Member(1), Member(2)]
    talk(*members)
    key = key_of(0, 1)
    for incarnation in range(2, 18):
        taken_out = [
            peer.exchange.take(members[0].exchange.parcel_for(peer.exchange.index, NOW), NOW)
            for peer in members[1:]
        ]
        assert not any(taken_out)
        members[0] = Member(0, incarnation=incarnation, fresh=False)
        talk(*members)
    assert {tuple(member.exchange.lives.out) for member in members} == {(0,)}
    assert 0 not in members[1].exchange.keepers(key)
    assert not members[0].exchange.ready
    assert [member.exchange.revive(0, NOW) for member in members] == [True, True, True]
    assert members[0].exchange.spent
    assert not members[0].exchange.ready


def test_what_happens_around_a_partition_is_told_by_it() -> None:
    """The shell has events of its own, and one observer hears them all."""
    heard: list[object] = []
    event = ServiceChanged(1, in_service=False)
    Member(0, observer=heard.append).partition.tell(event)
    assert heard == [event]


def test_only_long_talks_are_in_haste() -> None:
    """What one parcel holds waits for its round, so that many changes leave as one."""
    members = [Member(index, parcel=2) for index in range(3)]
    assert members[0].exchange.in_haste() == []
    restarted = Member(0, incarnation=2, fresh=False, parcel=2)
    assert restarted.exchange.in_haste() == [1, 2]
    talk(*members)
    keys = [key_of(0, 1)]
    members[0].ask(Set(keys[0], "R", NOW), astray=True)
    assert members[0].exchange.in_question(NOW) == [1]
    assert members[0].exchange.in_haste() == []
    orders = Topology.balanced(3).with_standbys().orders
    keys = [key for number in range(400) if orders[slot_of(key := f"tg:bot:s{number}")][:2] == (0, 1)][:3]
    for key in keys:
        members[0].ask(Set(key, "R", NOW), astray=True)
    assert members[0].exchange.in_haste() == [1]
    talk(*members)
    assert members[0].exchange.in_haste() == []


def test_what_is_on_its_way_may_be_evicted_by_nobody_but_its_owner() -> None:
    """A full partition lets go of what is another's by now, and tells nobody to do the same."""
    members = [Member(index, copies=1, capacity=1) for index in range(2)] + [Member(2, copies=1, capacity=1)]
    owners = Topology.balanced(3).owners
    heirs = balanced_among(owners, range(2))
    keys = [f"tg:bot:room_{number}" for number in range(400)]
    moving = next(key for key in keys if owners[slot_of(key)] == 2)
    taker = heirs[slot_of(moving)]
    members[2].ask(Set(moving, "R", NOW))
    decree = members[0].exchange.decree.heading_for(heirs)
    assert all(member.exchange.obey(decree, NOW) for member in members)
    talk(*members)
    assert all(member.exchange.obey(decree.inherited(), NOW) for member in members)
    members[2].exchange.left(moving, NOW + 1)
    talk(*members)
    for member in members:
        while member.exchange.tidy(NOW, 10):
            pass
    assert members[taker].ask(Get(moving))[0] is not None
    assert members[2].exchange.holds_nothing
    members[taker].exchange.left(moving, NOW + 1)  # nobody else keeps it: there is nobody to tell
    assert members[taker].exchange.settled


def test_what_was_on_its_way_to_another_is_not_said_to_have_left() -> None:
    """Whoever owns it knows best; the standby drops nothing."""
    members = [Member(index) for index in range(3)]
    talk(*members)
    key = key_of(1, 2)
    before = [len(members[0].exchange.due(NOW)), members[0].exchange._left_until]
    members[0].exchange.left(key, NOW + 1)
    assert [len(members[0].exchange.due(NOW)), members[0].exchange._left_until] == before


def test_what_completes_nothing_is_not_taken_for_had() -> None:
    """A restarted partition goes by an earlier decree: what it is told before it knows comes again after."""
    members = [Member(index) for index in range(3)]
    talk(*members)
    decree = members[0].exchange.decree.heading_for(balanced_among(Topology.balanced(3).owners, range(2)))
    assert all(member.exchange.obey(decree, NOW) for member in members)
    talk(*members)
    restarted = Member(1, incarnation=2, fresh=False)
    members[0].exchange.meet({1: Life(2, node="here")}, NOW)
    restarted.exchange.take(members[0].exchange.parcel_for(1, NOW), NOW)  # before it has said by what it goes
    assert restarted.exchange.obey(decree, NOW)
    assert not restarted.exchange.ready
    talk(restarted, members[0], members[2])
    assert restarted.exchange.ready
    assert restarted.exchange.recovered
