"""Partitions that die, move or say nothing while a snapshot is taken or restored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ray_router import (
    LocalTransport,
    Route,
    RouterConfig,
    RouterHandle,
    SnapshotError,
    SnapshotNotFoundError,
    SnapshotProgress,
)
from ray_router.snapshot import errand
from ray_router.testing import FaultyTransport, HeldTicket, ManualClock
from ray_router.transport import Page, PartitionLost, ReadPage, Request, TakeIn, TakenIn, Ticket

from .scene import default_of, fill, lost, rooms, router_of, taken

KEYS = rooms(60)


class Unlucky(FaultyTransport):
    """Something happens before the first call of a kind; epochs may rise with each answer."""

    def __init__(self, inner: LocalTransport) -> None:
        super().__init__(inner)
        self.before: tuple[type, Callable[[], None]] | None = None
        self.rises = 0
        self.answers: HeldTicket[object] | None = None

    def ask(self, partition: int, request: Request) -> Ticket[object]:
        """Ask, after what happens."""
        if self.before is not None and isinstance(request, self.before[0]):
            happens, self.before = self.before[1], None
            happens()
        if self.answers is not None and isinstance(request, ReadPage):
            return self.answers
        ticket = super().ask(partition, request)
        if self.rises and isinstance(request, ReadPage | TakeIn):
            self.rises -= 1
            return Risen(ticket)
        return ticket


class Risen:
    """A ticket whose answer is of a later epoch."""

    def __init__(self, ticket: Ticket[object]) -> None:
        self._ticket = ticket

    def wait(self, timeout_s: float) -> object:
        """The answer, of another epoch."""
        answer = self._ticket.wait(timeout_s)
        assert isinstance(answer, Page | TakenIn)
        return answer._replace(epoch=answer.epoch + 1)

    def on_done(self, callback: Callable[[], None]) -> None:
        """As it is."""
        self._ticket.on_done(callback)


def unlucky(partitions: int = 3, **settings: Any) -> tuple[Unlucky, RouterHandle]:
    """A router that holds some rooms, and what to do to it."""
    clock = ManualClock()
    transport = Unlucky(LocalTransport(RouterConfig(partitions=partitions, **settings), clock=clock))
    router = RouterHandle(transport, clock=clock)
    fill(router, KEYS)
    router.set("tg:bot:*", Route("lobby")).result()
    return transport, router


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up at once."""
    monkeypatch.setattr(errand, "PATIENCE_S", 0.0)
    monkeypatch.setattr(errand.Errand.__init__, "__defaults__", (0.0,))


def test_a_partition_that_comes_back_is_asked_again(tmp_path: Path) -> None:
    """With copies it comes back with all that it held, and a snapshot lacks nothing."""
    transport, router = unlucky(replicas=1, durability="sync")

    def dies_and_comes_back() -> None:
        transport.kill(1)
        transport.revive(1)

    transport.before = (ReadPage, dies_and_comes_back)
    router.snapshot(str(tmp_path)).result()
    target = router_of(2)
    target.restore(str(tmp_path)).result()
    assert lost(target, KEYS) == []


@pytest.mark.parametrize("happens", ["kill", "remove"])
def test_it_may_take_a_while(tmp_path: Path, happens: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls fail until it is back, under another actor's name if need be; then it is asked again."""
    transport, router = unlucky()
    naps = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            transport.revive(2)

    monkeypatch.setattr("ray_router.snapshot.errand.time.sleep", nap)
    getattr(transport, happens)(2)
    snapshot = router.snapshot(str(tmp_path)).result()
    assert (snapshot.sessions < len(KEYS), len(naps) >= 3) == (True, True)

    naps.clear()
    getattr(transport, happens)(2)
    restored = router.restore(str(tmp_path)).result()
    assert (restored.snapshot.id, len(naps) >= 3) == (snapshot.id, True)


@pytest.mark.usefixtures("impatient")
def test_one_that_stays_away_is_an_error(tmp_path: Path) -> None:
    """Nothing is left of the snapshot, and what was restored is restored again when it is back."""
    whole = taken(tmp_path, len(KEYS))
    transport, router = unlucky()
    transport.kill(1)
    with pytest.raises(SnapshotError, match="a partition gave no answer: killed by a test"):
        router.snapshot(str(tmp_path)).result()
    assert [path.name for path in tmp_path.iterdir()] == [whole.id]
    with pytest.raises(SnapshotError, match="restore it again"):
        router.restore(str(tmp_path)).result()
    transport.revive(1)
    router.restore(str(tmp_path)).result()
    assert lost(router, KEYS) == []


@pytest.mark.usefixtures("impatient")
def test_one_that_stands_still_is_an_error_too(tmp_path: Path) -> None:
    """Nobody waits for ever."""
    transport, router = unlucky()
    transport.freeze(0)
    with pytest.raises(SnapshotError, match="a partition gave no answer"):
        router.snapshot(str(tmp_path)).result()


@pytest.mark.parametrize("rises", [1, 2])
def test_slots_that_move_meanwhile_are_read_again(tmp_path: Path, rises: int) -> None:
    """A snapshot, and its restoring, begin anew until nothing moved; nothing is left of the first ones."""
    transport, router = unlucky()
    transport.rises = rises
    snapshot = router.snapshot(str(tmp_path)).result()
    assert [path.name for path in tmp_path.iterdir()] == [snapshot.id]
    transport.rises = rises
    assert router.restore(str(tmp_path)).result().snapshot == snapshot
    assert transport.rises == 0


def test_slots_that_never_stay_are_an_error(tmp_path: Path) -> None:
    """After some attempts."""
    transport, router = unlucky()
    router.snapshot(str(tmp_path)).result()
    transport.rises = 1_000
    with pytest.raises(SnapshotError, match="slots moved between partitions all the time"):
        router.snapshot(str(tmp_path)).result()
    with pytest.raises(SnapshotError, match="slots moved between partitions all the time"):
        router.restore(str(tmp_path)).result()
    assert len(list(tmp_path.iterdir())) == 1


def test_one_that_is_out_of_service_is_stood_in_for(tmp_path: Path) -> None:
    """Others give what it held, defaults included, and take what it should hold."""
    transport, router = unlucky(replicas=1, durability="sync", max_restarts_in_window=2)
    for _ in range(3):
        transport.kill(1)
        transport.revive(1)
    assert router.stats().result().out == (1,)
    snapshot = router.snapshot(str(tmp_path)).result()
    assert (snapshot.sessions, snapshot.defaults) == (len(KEYS), 1)

    whole = router_of(4)
    whole.restore(str(tmp_path)).result()
    assert lost(whole, KEYS) == []
    assert default_of(whole) == Route("lobby")


def test_one_that_is_out_of_service_gets_it_all_when_it_is_back(tmp_path: Path) -> None:
    """Until then others hold what it should."""
    taken(tmp_path / "late", 90)
    transport, router = unlucky(replicas=1, durability="sync", max_restarts_in_window=2)
    for _ in range(3):
        transport.kill(2)
        transport.revive(2)
    assert router.stats().result().out == (2,)
    router.restore(str(tmp_path / "late")).result()
    assert lost(RouterHandle(transport), rooms(90)) == []
    assert router.revive(2).result()
    assert lost(RouterHandle(transport), rooms(90)) == []
    assert router.stats().result().recovered


@pytest.mark.parametrize("times", [1, 1_000])
def test_a_reading_that_was_forgotten_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """Too many others may read: some sessions are in it twice then, none is left out; but not for ever."""
    monkeypatch.setattr("ray_router.wire_snapshot.FULL_SESSIONS", 300)
    keys = [f"tg:bot:room:thread_{number}" for number in range(1_200)]
    transport, router = unlucky(1)
    fill(router, keys)
    told: list[SnapshotProgress] = []

    def others_read(progress: SnapshotProgress) -> None:
        told.append(progress)
        for number in range(5 if len(told) <= times else 0):
            transport.ask(0, ReadPage(f"other_{len(told)}_{number}"))

    if times > 1:
        with pytest.raises(SnapshotError, match="too many are taken at once"):
            router.snapshot(str(tmp_path), tell=others_read).result()
        return
    snapshot = router.snapshot(str(tmp_path), tell=others_read).result()
    assert snapshot.sessions > len(keys)
    target = router_of(2)
    target.restore(str(tmp_path)).result()
    assert lost(target, keys) == []


def test_a_partition_that_does_not_hold_its_sessions_yet_says_so() -> None:
    """It is asked again later: what it would give is not all."""
    inner = LocalTransport(RouterConfig(partitions=2, replicas=1))
    shell = inner._partitions[0]
    assert shell._exchange is not None
    shell._exchange._waiting = True
    with pytest.raises(PartitionLost, match="does not hold its sessions yet"):
        inner.ask(0, ReadPage("reading"))


def test_an_answer_that_is_none(tmp_path: Path) -> None:
    """A partition that answers with something else is broken, and not asked again."""
    transport, router = unlucky()
    transport.answers = HeldTicket()
    transport.answers.settle("nonsense")
    with pytest.raises(SnapshotError, match="it answered with str"):
        router.snapshot(str(tmp_path)).result()


def test_what_cannot_be_removed_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is the first one; what is left is no snapshot."""
    transport, router = unlucky()

    def fails(self: object, child: str) -> None:
        raise SnapshotError("there", "cannot be removed")

    monkeypatch.setattr("ray_router.snapshot.folder.LocalFolder.remove", fails)
    transport.rises = 1_000
    with pytest.raises(SnapshotError, match="slots moved"):
        router.snapshot(str(tmp_path)).result()
    with pytest.raises(SnapshotNotFoundError):
        router.restore(str(tmp_path)).result()
