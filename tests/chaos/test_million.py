"""A million routes go from four partitions into seven, by way of a folder, while others write and read.

It counts and checks, and asserts no time; what it took is printed (``pytest -s``). ``RAY_ROUTER_SESSIONS``
says how many there are.
"""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ray_router import Route, RouterConfig, RouterHandle, Write, deploy, shutdown

_SESSIONS = int(os.environ.get("RAY_ROUTER_SESSIONS", "1000000"))
_AT_ONCE = 20_000


def batches() -> Iterator[range]:
    """All numbers, some at a time."""
    for first in range(0, _SESSIONS, _AT_ONCE):
        yield range(first, min(_SESSIONS, first + _AT_ONCE))


def key_of(number: int) -> str:
    """A session."""
    return f"slack:workspace_{number % 100}:room_{number}"


class Bystander:
    """Reads one session after the other, and notes how long each took."""

    def __init__(self, router: RouterHandle) -> None:
        self._router = router
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.took_s: list[float] = []

    def __enter__(self) -> Bystander:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.005):
            began = time.perf_counter()
            assert self._router.resolve(key_of(len(self.took_s) % _SESSIONS)).result()
            self.took_s.append(time.perf_counter() - began)

    @property
    def said(self) -> str:
        """Its median and its worst."""
        ranked = sorted(self.took_s)
        at = {share: 1e3 * ranked[int(share * (len(ranked) - 1))] for share in (0.5, 0.99, 1.0)}
        return f"resolve meanwhile p50 {at[0.5]:.1f}, p99 {at[0.99]:.1f}, worst {at[1.0]:.1f} ms"


def memory_mb() -> float:
    """The most that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.chaos
@pytest.mark.usefixtures("unmeasured")
def test_a_million_routes_lose_nothing(ray_cluster: str, namespace: str, tmp_path: Path) -> None:
    """None is lost, and none is older or younger than it was by more than a second."""
    room: Any = {"ttl_s": 36_000, "max_entries_per_partition": _SESSIONS, "call_timeout_s": 120.0}
    source = deploy(RouterConfig(name="four", partitions=4, **room), namespace=namespace)
    began, now = time.perf_counter(), time.time()
    for some in batches():
        writes = [Write(key_of(number), Route(f"C{number}"), now - number % 1_000) for number in some]
        source.set_many(writes).result()
    took_s = time.perf_counter() - began
    print(f"\nset_many {_SESSIONS / took_s:,.0f} a second")
    wrote_mb = memory_mb()

    with Bystander(source) as reader:
        taken = source.snapshot(str(tmp_path)).result()
    print(f"snapshot {taken.sessions / taken.took_s:,.0f} a second, {taken.size:,} bytes; {reader.said}")
    assert taken.sessions == _SESSIONS
    shutdown("four", namespace=namespace)

    target = deploy(RouterConfig(name="seven", partitions=7, **room), namespace=namespace)
    restored = target.restore(str(tmp_path)).result()
    print(f"restore {taken.sessions / restored.took_s:,.0f} a second")
    print(f"the caller's memory rose by {memory_mb() - wrote_mb:.0f} MB")
    assert (restored.refused, restored.evicted) == (0, 0)

    lost, off = [], []
    for some in batches():
        answers = target.resolve_many([key_of(number) for number in some]).result()
        at = time.time()
        for number, answer in zip(some, answers, strict=True):
            if answer.route != Route(f"C{number}"):
                lost.append(number)
            elif answer.age_s is None or abs(at - answer.age_s - (now - number % 1_000)) > 1.0:
                off.append(number)
    shutdown("seven", namespace=namespace)
    assert (len(lost), len(off)) == (0, 0)
