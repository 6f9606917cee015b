"""Snapshots are taken and restored while partitions come and go."""

from __future__ import annotations

from pathlib import Path

import pytest

from ray_router import LocalTransport, Route, RouterConfig, RouterHandle
from ray_router.core.slots import Topology, slot_function
from ray_router.handle.resizing import Resizing
from ray_router.snapshot.errand import Dismissed, Errand
from ray_router.transport import Control, Pulse, ReadPage, Request, TakeIn
from ray_router.transport.local import Settled

from .scene import default_of, fill, lost, rooms

ROOMS = rooms(120)
REPLICAS = [pytest.param(0, id="alone"), pytest.param(1, id="with standbys")]
SIZES = [pytest.param(2, 3, id="growing"), pytest.param(3, 1, id="shrinking")]


class Restless(LocalTransport):
    """It is resized when it is asked something of this kind for the second time."""

    def __init__(self, config: RouterConfig, kind: type, partitions: int) -> None:
        super().__init__(config)
        self._kind = kind
        self._goal = partitions
        self.asked = 0

    def ask(self, partition: int, request: Request) -> Settled[object]:
        """Answer, by what holds then."""
        if isinstance(request, self._kind):
            self.asked += 1
            if self.asked == 2:
                Resizing(self, self._goal).run()
        return super().ask(partition, request)


@pytest.mark.parametrize("replicas", REPLICAS)
@pytest.mark.parametrize(("before", "after"), SIZES)
def test_a_snapshot_begins_anew_when_slots_move(
    tmp_path: Path, replicas: int, before: int, after: int
) -> None:
    """It has every session once, whoever had it at first; nothing is left of what was begun."""
    transport = Restless(RouterConfig(partitions=before, replicas=replicas), ReadPage, after)
    router = RouterHandle(transport)
    fill(router, ROOMS)
    router.set("tg:bot:*", Route("lobby")).result()
    taken = router.snapshot(str(tmp_path)).result()
    assert transport.asked > before
    assert (taken.sessions, taken.defaults, taken.partitions) == (len(ROOMS), 1, after)
    assert len(list(tmp_path.iterdir())) == 1
    other = RouterHandle(LocalTransport(RouterConfig(partitions=4)))
    other.restore(str(tmp_path)).result()
    assert lost(other, ROOMS) == []
    assert default_of(other) == Route("lobby")


@pytest.mark.parametrize("replicas", REPLICAS)
@pytest.mark.parametrize(("before", "after"), SIZES)
def test_a_restore_begins_anew_when_slots_move(
    tmp_path: Path, replicas: int, before: int, after: int
) -> None:
    """What went to former owners is merged again where it belongs."""
    source = RouterHandle(LocalTransport(RouterConfig(partitions=4)))
    fill(source, ROOMS)
    source.snapshot(str(tmp_path)).result()
    transport = Restless(RouterConfig(partitions=before, replicas=replicas), TakeIn, after)
    router = RouterHandle(transport)
    restored = router.restore(str(tmp_path)).result()
    assert restored.partitions == after
    assert lost(router, ROOMS) == []
    assert sum(each.holdings.live for each in router.stats().result().partitions) == len(ROOMS)


def test_a_piece_that_came_to_another_is_sent_on(tmp_path: Path) -> None:
    """Whoever took it in keeps nothing of it."""
    pieces: list[bytes] = []

    class Watched(LocalTransport):
        def ask(self, partition: int, request: Request) -> Settled[object]:
            if isinstance(request, TakeIn):
                pieces.append(request.piece)
            return super().ask(partition, request)

    source = RouterHandle(LocalTransport(RouterConfig(partitions=1)))
    fill(source, ROOMS)
    source.snapshot(str(tmp_path)).result()
    RouterHandle(Watched(RouterConfig(partitions=1))).restore(str(tmp_path)).result()
    (piece,) = pieces

    transport = LocalTransport(RouterConfig(partitions=1))
    router = RouterHandle(transport)
    router.resize(2).result()  # from then on they talk
    transport.ask(0, TakeIn(piece)).wait(0)
    assert lost(router, ROOMS) == []
    owners, slot_of = transport.open().wait(0).topology.owners, slot_function("room")
    held = [each.holdings.live for each in router.stats().result().partitions]
    assert held == [sum(owners[slot_of(room)] == index for room in ROOMS) for index in range(2)]
    assert Topology.balanced(2).owners != owners


def test_who_was_dismissed_is_not_waited_for() -> None:
    """Whoever asks learns it at once."""
    transport = LocalTransport(RouterConfig(partitions=2))
    RouterHandle(transport).resize(1).result()
    with pytest.raises(Dismissed):
        Errand(transport, 1, Control.PING, Pulse).result()
