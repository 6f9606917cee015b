"""A router that keeps every session twice, over partitions in this process that fail on demand."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from ray_router import (
    DeadlineExceededError,
    LocalTransport,
    PartitionUnavailableError,
    Resolution,
    Route,
    RouterConfig,
    RouterHandle,
    Scope,
)
from ray_router.core.slots import slot_function
from ray_router.errors import InvalidCallError, InvalidInputError
from ray_router.model import Delivery, SetOutcome
from ray_router.testing import FaultyTransport, HeldTicket, wait_until
from ray_router.transport import Request, Ticket

TAKEN = (SetOutcome.STORED, SetOutcome.REFRESHED)  # whoever is asked again may know it already
HOME, AWAY = Route("home"), Route("away")
KEYS = [f"tg:bot:room_{number}" for number in range(60)]


def config(**changes: Any) -> RouterConfig:
    settings: dict[str, Any] = {
        "partitions": 4,
        "replicas": 1,
        "durability": "sync",
        "hedge_after_s": 0.02,
        "call_timeout_s": 5.0,
        "cleanup_interval_s": 3_600,
    }
    return RouterConfig(**(settings | changes))


class Scene:
    """A router, its transport, and who keeps what."""

    def __init__(self, **changes: Any) -> None:
        self.config = config(**changes)
        self.transport = FaultyTransport(LocalTransport(self.config))
        self.router = RouterHandle(self.transport)
        self.router.connect()
        self._topology = self.transport.open().wait(0).topology
        self._slot_of = slot_function("room")

    def keepers(self, key: str) -> tuple[int, int]:
        """Owner and standby."""
        owner, standby, *_ = self._topology.orders[self._slot_of(key)]
        return owner, standby

    def owned_by(self, partition: int) -> list[str]:
        """The keys of an owner."""
        return [key for key in KEYS if self.keepers(key)[0] == partition]

    def set_all(self, route: Route = HOME) -> list[SetOutcome]:
        """Write every key."""
        return [each.outcome for each in self.router.set_many([(key, route) for key in KEYS]).result()]


@pytest.fixture(params=["sync", "async"])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    """A router, by either durability."""
    scene = Scene(durability=request.param)
    yield scene
    scene.router = scene.transport = None  # type: ignore[assignment]  # a courier ends with its owner


def test_a_dead_owner_is_answered_for(scene: Scene) -> None:
    """Reads go to the standby and say so; nothing is raised and nothing is missing."""
    assert scene.set_all() == [SetOutcome.STORED] * len(KEYS)
    scene.transport.kill(1)
    answers = scene.router.resolve_many(KEYS).result()
    assert [answer.require() for answer in answers] == [HOME] * len(KEYS)
    for key, answer in zip(KEYS, answers, strict=True):
        owner, standby = scene.keepers(key)
        assert answer.served_by_standby == (owner == 1)
        assert answer.partition == (standby if owner == 1 else owner)
    assert scene.router.resolve(scene.owned_by(1)[0]).result().served_by_standby
    record = scene.router.get(scene.owned_by(1)[0]).result()
    assert record is not None
    assert record.route == HOME


def test_writes_past_a_dead_owner_are_back_when_it_is(scene: Scene) -> None:
    """Writes, reports and deletions are taken by the standby, and merged back."""
    scene.set_all()
    scene.transport.kill(1)
    written, failed, deleted, *_ = scene.owned_by(1)
    assert scene.router.set(written, AWAY).result().outcome in TAKEN
    scene.router.report(failed, HOME, Delivery.PERMANENT).result()
    assert scene.router.delete(deleted).result()
    assert scene.router.resolve(written).result().require() == AWAY
    scene.transport.revive(1)
    wait_until(lambda: not scene.router.stats().result().down)
    fresh = RouterHandle(scene.transport)  # another process: it knows of no strays
    wait_until(lambda: not fresh.resolve(written).result().served_by_standby)
    assert fresh.resolve(written).result().require() == AWAY
    assert not fresh.resolve(failed).result()
    assert fresh.get(deleted).result() is None
    assert fresh.stats().result().recovered


def test_who_wrote_past_an_owner_reads_past_it(scene: Scene) -> None:
    """What this process wrote is seen by it at once, though the owner is back before it was told."""
    scene.set_all()
    scene.transport.kill(1)
    key = scene.owned_by(1)[0]
    scene.router.set(key, AWAY).result()
    scene.transport.revive(1)
    wait_until(lambda: not scene.router.resolve(scene.owned_by(1)[1]).result().served_by_standby)
    assert scene.router.resolve(key).result().served_by_standby
    assert scene.router.resolve(key).result().require() == AWAY


def test_a_frozen_owner_is_not_waited_for(scene: Scene) -> None:
    """A call that is late goes to the standby; when the owner thaws, it answers again."""
    scene.set_all()
    scene.transport.freeze(2)
    key = scene.owned_by(2)[0]
    assert scene.router.resolve(key).result().served_by_standby
    assert scene.router.set(key, AWAY).result().outcome in TAKEN
    scene.transport.thaw(2)
    fresh = RouterHandle(scene.transport)
    wait_until(lambda: not fresh.resolve(key).result().served_by_standby)
    wait_until(lambda: fresh.resolve(key).result().require() == AWAY)


class Busy(FaultyTransport):
    """A frozen partition is one that is busy: it answers pings."""

    def ask(self, partition: int, request: Request) -> Ticket[object]:
        """Ask past the data lane."""
        return self._inner.ask(partition, request)


def test_a_keeper_that_is_late_but_lives_has_to_have_a_write() -> None:
    """Or it would answer somebody else without it: nobody takes its place, and who wrote waits."""
    scene = Scene(call_timeout_s=60.0)
    scene.transport = Busy(scene.transport._inner)
    scene.router = RouterHandle(scene.transport)
    scene.set_all()
    key = scene.owned_by(2)[0]
    sent = dict(scene.transport.sent)
    scene.transport.freeze(2)
    write = scene.router.set(key, AWAY)
    assert scene.router.resolve(key).result().served_by_standby  # a read waits for nobody who is late
    asked = {each for each, count in scene.transport.sent.items() if count > sent[each]}
    assert asked == set(scene.keepers(key))
    scene.transport.thaw(2)
    assert write.result().outcome in TAKEN
    answer = RouterHandle(scene.transport).resolve(key).result()
    assert (answer.require(), answer.served_by_standby) == (AWAY, False)


def test_who_lives_and_has_no_write_makes_it_no_write() -> None:
    """When a keeper is busy for too long, nobody is told that both have it."""
    scene = Scene(call_timeout_s=0.5)
    scene.transport = Busy(scene.transport._inner)
    scene.router = RouterHandle(scene.transport)
    scene.set_all()
    keys = scene.owned_by(2)[:3]
    scene.transport.freeze(2)
    with pytest.raises(DeadlineExceededError):
        scene.router.set(keys[0], AWAY).result()
    written = scene.router.set_many([(key, AWAY) for key in keys]).result()
    assert {each.outcome for each in written} == {SetOutcome.UNAVAILABLE}
    scene.transport.thaw(2)


def test_who_finds_nobody_in_time_is_told_so() -> None:
    """Whoever goes by an old topology, and cannot learn the new one, has nothing acknowledged."""
    scene = Scene(partitions=2, call_timeout_s=0.5)

    class Mute(FaultyTransport):
        def ask(self, partition: int, request: Request) -> Ticket[object]:
            return HeldTicket()

    inner = scene.transport._inner
    old = RouterHandle(Mute(inner))
    old.connect()
    RouterHandle(inner).resize(3).result()
    written = old.set_many([(key, AWAY) for key in KEYS]).result()
    assert {each.outcome for each in written} == {SetOutcome.UNAVAILABLE}
    assert not any(RouterHandle(inner).resolve_many(KEYS).result())


def test_whoever_answers_first_will_do() -> None:
    """When nobody else is left, both keepers are waited for, and not the one after the other."""
    scene = Scene(partitions=2, call_timeout_s=300.0)
    scene.transport = Busy(scene.transport._inner)
    scene.router = RouterHandle(scene.transport)
    scene.set_all()
    key = scene.owned_by(0)[0]
    scene.transport.freeze(0)
    scene.transport.freeze(1)
    answers: list[Resolution] = []
    reader = Thread(target=lambda: answers.append(scene.router.resolve(key).result()), daemon=True)
    reader.start()
    wait_until(lambda: len(scene.router._link.lane(1)._queue) > 0)  # it is asked once more, and waited for
    scene.transport.thaw(1)
    wait_until(lambda: not reader.is_alive())
    assert [(each.require(), each.served_by_standby) for each in answers] == [(HOME, True)]
    scene.transport.thaw(0)


def test_a_router_restarted_one_by_one_loses_nothing(scene: Scene) -> None:
    """Each life begins empty, and ends up with all that it owned and kept."""
    scene.set_all()
    for partition in range(4):
        scene.transport.kill(partition)
        scene.transport.revive(partition)
    stats = scene.router.stats().result()
    assert stats.recovered
    assert stats.out == ()
    assert [each.copies.lost_window_s for each in stats.partitions if each.copies] == [0.0] * 4 or (
        scene.config.durability == "async"
    )
    assert stats.holdings.live == len(KEYS)
    assert sum(each.copies.entries for each in stats.partitions if each.copies) == len(KEYS)
    assert [answer.require() for answer in scene.router.resolve_many(KEYS).result()] == [HOME] * len(KEYS)


def test_defaults_reach_all_and_a_dead_partition_later(scene: Scene) -> None:
    """The default of an instance is kept by every partition; one that was dead is told."""
    scene.transport.kill(3)
    scene.router.set("tg:bot:*", HOME).result()
    scene.transport.revive(3)
    fresh = RouterHandle(scene.transport)
    wait_until(lambda: not fresh.stats().result().down)
    answers = fresh.resolve_many(KEYS, widest_scope=Scope.INSTANCE).result()
    assert all(answer.require() == HOME for answer in answers)


def test_both_keepers_dead_is_told(scene: Scene) -> None:
    """Without either keeper the fallbacks answer, or an error says which partition is down."""
    scene = Scene(partitions=2, call_timeout_s=0.3, durability=scene.config.durability)
    scene.set_all()
    scene.transport.kill(0)
    scene.transport.kill(1)
    with pytest.raises(PartitionUnavailableError):
        scene.router.resolve(KEYS[0]).result()
    answers = scene.router.resolve_many(KEYS, [AWAY]).result()
    assert [answer.require() for answer in answers] == [AWAY] * len(KEYS)
    assert scene.set_all() == [SetOutcome.UNAVAILABLE] * len(KEYS)


def test_two_partitions_and_one_dead_take_writes() -> None:
    """With nobody to take the place of a keeper, the one that is left acknowledges, and tells the other."""
    scene = Scene(partitions=2)
    scene.transport.kill(0)
    assert set(scene.set_all()) <= set(TAKEN)
    scene.transport.revive(0)
    fresh = RouterHandle(scene.transport)
    wait_until(lambda: fresh.stats().result().recovered)
    wait_until(lambda: not any(answer.served_by_standby for answer in fresh.resolve_many(KEYS).result()))
    assert [answer.require() for answer in fresh.resolve_many(KEYS).result()] == [HOME] * len(KEYS)


def test_a_partition_that_dies_too_often_is_out_until_it_is_revived() -> None:
    """Its sessions are served by others meanwhile; revived, it holds them again."""
    scene = Scene(max_restarts_in_window=2)
    scene.set_all()
    for _ in range(3):
        scene.transport.kill(1)
        scene.transport.revive(1)
    stats = scene.router.stats().result()
    assert stats.out == (1,)
    fresh = RouterHandle(scene.transport)
    key = scene.owned_by(1)[0]
    assert fresh.resolve(key).result().served_by_standby
    assert fresh.set(key, AWAY).result().outcome in TAKEN
    assert fresh.revive(1).result()
    assert not fresh.revive(1).result()
    assert fresh.stats().result().out == ()
    fresh = RouterHandle(scene.transport)
    wait_until(lambda: not fresh.resolve(key).result().served_by_standby)
    assert fresh.resolve(key).result().require() == AWAY
    with pytest.raises(InvalidCallError, match="partition"):
        fresh.revive(9).result()


def test_a_router_without_copies_has_nobody_to_revive() -> None:
    """Nothing is ever out of service there."""
    scene = Scene(replicas=0)
    assert not scene.router.revive(0).result()
    assert scene.router.stats().result().partitions[0].copies is None


async def test_failover_in_an_event_loop(scene: Scene) -> None:
    """The same for those who await: the dead, the frozen, and nothing at all."""
    await scene.router.set_many([(key, HOME) for key in KEYS])
    scene.transport.kill(1)
    scene.transport.freeze(2)
    answers = await scene.router.resolve_many(KEYS)
    healthy = [key for key in KEYS if not set(scene.keepers(key)) <= {1, 2}]
    found = {key for key, answer in zip(KEYS, answers, strict=True) if answer}
    assert set(healthy) <= found
    key = next(key for key in healthy if scene.keepers(key)[0] == 2)
    assert (await scene.router.set(key, AWAY)).outcome in TAKEN
    assert list(await scene.router.resolve_many([])) == []
    scene.transport.thaw(2)


def test_bad_input_is_refused_by_whoever_is_asked(scene: Scene) -> None:
    """Copies are no way round the limits."""
    with pytest.raises(InvalidInputError):
        scene.router.set("tg:bot:" + "x" * 5_000, HOME).result()
    with pytest.raises(InvalidInputError):
        scene.router.resolve_many([KEYS[0], "tg:bot:" + "x" * 5_000]).result()


def test_reads_may_be_shared_between_both_keepers() -> None:
    """Every second answer is the standby's, and says so; of a sync router each has what was acknowledged."""
    scene = Scene(read_preference="any", hedge_after_s=30.0)
    scene.set_all()
    key = scene.owned_by(1)[0]
    answers = [scene.router.resolve(key).result() for _ in range(6)]
    assert [answer.require() for answer in answers] == [HOME] * 6
    assert sum(answer.served_by_standby for answer in answers) == 3
    assert {answer.partition for answer in answers} == set(scene.keepers(key))
    other = RouterHandle(scene.transport)
    for number, each in enumerate(KEYS):
        route = Route(f"{number}")
        scene.router.set(each, route).result()
        assert [other.resolve(each).result().require() for _ in range(2)] == [route] * 2
    everything = scene.router.resolve_many(KEYS).result()
    assert {answer.served_by_standby for answer in everything} == {True, False}


def test_a_standby_that_cannot_answer_is_no_loss() -> None:
    """The owner answers then, whoever's turn it was."""
    scene = Scene(read_preference="any")
    scene.set_all()
    key = scene.owned_by(1)[0]
    scene.transport.kill(scene.keepers(key)[1])
    answers = [scene.router.resolve(key).result() for _ in range(4)]
    assert [(answer.require(), answer.served_by_standby) for answer in answers] == [(HOME, False)] * 4
