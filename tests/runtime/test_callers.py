"""Where a handle may be used from: drivers, tasks, actors of every kind, threads, pickles."""

from __future__ import annotations

import asyncio
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import ray
from ray import cloudpickle

from ray_router import Route, RouterHandle, RouterNotFoundError, connect

from .actors import SHARED

pytestmark = pytest.mark.ray


def round_trip(router: RouterHandle, name: str) -> str:
    """Write a session's route and ask for it; the answer's room."""
    router.set(f"tg:{name}:room", Route(name)).result()
    return router.resolve(f"tg:{name}:room:thread").result().require().external_room_id


async def round_trip_async(router: RouterHandle, name: str) -> str:
    """The same, in an event loop."""
    await router.set(f"tg:{name}:room", Route(name))
    return (await router.resolve(f"tg:{name}:room:thread")).require().external_room_id


@ray.remote(num_cpus=0)
def in_task(router: RouterHandle, name: str) -> str:
    """A task that was given the handle."""
    return round_trip(router, name)


@ray.remote(num_cpus=0)
class SyncAgent:
    """An actor that keeps a handle it was given, and connects to another."""

    def __init__(self, router: RouterHandle) -> None:
        self.router = router

    def answer(self, name: str) -> str:
        """Through the one that it was given."""
        return round_trip(self.router, name)

    def connected(self, name: str) -> str:
        """Through one that it looks up."""
        return round_trip(connect(SHARED.name, namespace=SHARED.namespace), name)


@ray.remote(num_cpus=0)
class AsyncAgent:
    """An actor whose calls share an event loop, like a replica of Ray Serve."""

    def __init__(self, router: RouterHandle) -> None:
        self.router = router

    async def answer(self, name: str) -> list[str]:
        """Many at once."""
        names = [f"{name}_{number}" for number in range(20)]
        return await asyncio.gather(*(round_trip_async(self.router, each) for each in names))

    async def connected(self, name: str) -> str:
        """Looking a router up does not block the loop."""
        return await round_trip_async(connect(SHARED.name, namespace=SHARED.namespace), name)

    async def lost(self) -> str:
        """Nor does looking for one that is not there."""
        try:
            connect("nobody", namespace=SHARED.namespace)
        except RouterNotFoundError as error:
            return str(error)
        return "found"

    async def blocked(self) -> str:
        """A sync wait would block the loop, and is refused."""
        try:
            self.router.stats().result()
        except RuntimeError as error:
            return str(error)
        return "not refused"


def test_a_driver_and_its_threads(shared_router: RouterHandle) -> None:
    """One handle, from many threads at once."""
    with ThreadPoolExecutor(8) as pool:
        names = [f"thread_{number}" for number in range(80)]
        assert list(pool.map(lambda name: round_trip(shared_router, name), names)) == names


def test_threads_with_loops_of_their_own(shared_router: RouterHandle) -> None:
    """One handle, in several event loops and out of them, at the same time."""
    answers: list[str] = []
    threads = [
        threading.Thread(
            target=lambda name=f"loop_{number}": answers.append(
                asyncio.run(round_trip_async(shared_router, name))
            )
        )
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    assert round_trip(shared_router, "no_loop") == "no_loop"
    for thread in threads:
        thread.join()
    assert sorted(answers) == [f"loop_{number}" for number in range(4)]


async def test_an_event_loop_of_a_driver(shared_router: RouterHandle) -> None:
    """Connecting, submitting and awaiting never block it."""
    router = connect(SHARED.name, namespace=SHARED.namespace)
    names = [f"await_{number}" for number in range(50)]
    assert await asyncio.gather(*(round_trip_async(router, name) for name in names)) == names


def test_a_task(shared_router: RouterHandle) -> None:
    """A handle is an argument like any other."""
    assert ray.get([in_task.remote(shared_router, f"task_{number}") for number in range(3)]) == [
        f"task_{number}" for number in range(3)
    ]


def test_actors(shared_router: RouterHandle) -> None:
    """Sync and async actors use the handle they are given, or connect by name."""
    sync, loop = SyncAgent.remote(shared_router), AsyncAgent.remote(shared_router)  # type: ignore[attr-defined]
    assert ray.get(sync.answer.remote("sync")) == "sync"
    assert ray.get(sync.connected.remote("sync_2")) == "sync_2"
    assert ray.get(loop.answer.remote("async")) == [f"async_{number}" for number in range(20)]
    assert ray.get(loop.connected.remote("async_2")) == "async_2"
    assert ray.get(loop.lost.remote()).startswith("no router 'nobody' is deployed")
    assert "await the reply instead" in ray.get(loop.blocked.remote())


@pytest.mark.parametrize("protocol", [pickle, cloudpickle], ids=["pickle", "cloudpickle"])
def test_pickled(shared_router: RouterHandle, protocol: object) -> None:
    """A pickled handle is a name, no routes and no actors; unpickled, it finds its router by itself."""
    frozen = protocol.dumps(shared_router)  # type: ignore[attr-defined]
    assert len(frozen) < 500
    assert SHARED.name.encode() in frozen
    copy = pickle.loads(frozen)
    assert round_trip(copy, "pickled") == "pickled"
    assert copy.config == shared_router.config
