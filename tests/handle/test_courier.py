"""The courier's thread: there when something is left to look after, gone when nothing is."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from ray_router import FallbackReason, PartitionUnavailableError, SetOutcome
from ray_router.handle import courier as courier_module
from ray_router.handle.courier import TICK_S, Courier
from ray_router.testing import wait_until

from .scene import AWAY, HOME, Scene, in_threads

KEY = "tg:bot:room"


class House:
    """An owner whose lanes are busy as long as a test says so."""

    def __init__(self) -> None:
        self.busy = True
        self.ticks = 0
        self.trouble: Exception | None = None

    def attended(self) -> Iterator[House]:
        """Itself."""
        yield self

    def tick(self) -> bool:
        """Count."""
        self.ticks += 1
        if self.trouble is not None:
            raise self.trouble
        return self.busy


@pytest.fixture
def couriers(monkeypatch: pytest.MonkeyPatch) -> Callable[[], set[threading.Thread]]:
    """The couriers that began after the test did; they end after two idle ticks."""
    monkeypatch.setattr(courier_module, "_IDLE_TICKS", 2)
    before = set(threading.enumerate())
    return lambda: {each for each in set(threading.enumerate()) - before if each.name == "ray-router-courier"}


def test_who_waits_for_each_call_has_no_courier(couriers: Callable[[], set[threading.Thread]]) -> None:
    """A program that waits for its calls one by one has no thread of the handle's."""
    scene = Scene()
    for _ in range(10):
        scene.router.set(KEY, HOME).result()
    assert couriers() == set()


def test_it_ends_when_there_is_nothing_to_do(couriers: Callable[[], set[threading.Thread]]) -> None:
    """After the last call has settled the thread ends, and begins again when it is needed."""
    scene = Scene()
    for expected in (SetOutcome.STORED, SetOutcome.REFRESHED):
        scene.transport.freeze(0)
        replies = [scene.router.set(KEY, HOME), scene.router.set(KEY, HOME)]
        scene.transport.thaw(0)
        assert [reply.result().outcome for reply in replies] == [expected, SetOutcome.REFRESHED]
        assert len(couriers()) == 1
        wait_until(lambda: couriers() == set())


def test_pings_end_when_the_partition_is_back(couriers: Callable[[], set[threading.Thread]]) -> None:
    """A partition is pinged while it is down; once it is back nobody asks any more."""
    scene = Scene(call_timeout_s=0.01)
    scene.transport.kill(0)
    with pytest.raises(PartitionUnavailableError):
        scene.router.set(KEY, HOME).result()
    wait_until(lambda: scene.transport.asked.get(0, 0) >= 3)
    scene.transport.revive(0)
    wait_until(lambda: couriers() == set())
    asked = scene.transport.asked[0]
    assert scene.router.resolve(KEY, [AWAY]).result().reason is FallbackReason.MISS
    assert scene.transport.asked[0] == asked


def test_it_ends_with_its_handle(couriers: Callable[[], set[threading.Thread]]) -> None:
    """A partition that stays down is pinged for as long as there is a handle, and no longer."""
    scene = Scene(call_timeout_s=0.01)
    transport = scene.transport
    transport.kill(0)
    with pytest.raises(PartitionUnavailableError):
        scene.router.set(KEY, HOME).result()
    wait_until(lambda: transport.asked.get(0, 0) >= 2)
    del scene
    gc.collect()
    wait_until(lambda: couriers() == set())


def test_a_lane_in_trouble_does_not_stop_it(
    couriers: Callable[[], set[threading.Thread]], caplog: pytest.LogCaptureFixture
) -> None:
    """What goes wrong with one lane, or one errand, is logged, and the courier goes on."""
    house = House()
    house.trouble = RuntimeError("a broken lane")
    courier = Courier(house)
    courier.attend()
    wait_until(lambda: house.ticks >= 1)
    done = threading.Event()

    def fail() -> None:
        raise RuntimeError("a broken errand")

    courier.post(fail)
    courier.post(done.set)
    done.wait()
    logged = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert "looking after a partition's calls failed" in logged
    assert "a posted errand failed" in logged
    house.trouble, house.busy = None, False
    wait_until(lambda: couriers() == set())


def test_errands_are_carried_out_in_order(couriers: Callable[[], set[threading.Thread]]) -> None:
    """All that is posted is carried out, once, in order, in one thread, while the lanes are ticked too."""
    house = House()
    courier = Courier(house)
    done: list[tuple[int, str]] = []
    for number in range(200):
        courier.post(lambda number=number: done.append((number, threading.current_thread().name)))  # type: ignore[misc]
    wait_until(lambda: len(done) == 200)
    assert done == [(number, "ray-router-courier") for number in range(200)]
    wait_until(lambda: house.ticks >= 2)
    assert len(couriers()) == 1
    house.busy = False
    wait_until(lambda: couriers() == set())


def test_nothing_is_forgotten_as_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """However posting and ending fall together, what is posted is carried out."""
    monkeypatch.setattr(courier_module, "_IDLE_TICKS", 0)
    monkeypatch.setattr(courier_module, "TICK_S", TICK_S / 1_000)
    house = House()
    house.busy = False
    courier = Courier(house)
    done: list[int] = []

    def post(thread: int) -> None:
        for number in range(50):
            carried_out = threading.Event()

            def errand(number: int = number, carried_out: threading.Event = carried_out) -> None:
                done.append(thread * 50 + number)
                carried_out.set()

            courier.post(errand)
            carried_out.wait()

    in_threads([lambda thread=thread: post(thread) for thread in range(4)])  # type: ignore[misc]
    assert sorted(done) == list(range(200))
