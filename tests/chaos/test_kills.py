"""Partitions on a real Ray are killed under load, one by one: nothing acknowledged is lost, nothing raised.

They count and check, and assert no time. ``RAY_ROUTER_KILLS`` says how many kills there are.
"""

from __future__ import annotations

import os
import signal
import threading
from random import Random

import pytest

from ray_router import Route, RouterConfig, RouterHandle, deploy, shutdown
from ray_router.model import SetOutcome
from ray_router.testing import wait_until

_KILLS = int(os.environ.get("RAY_ROUTER_KILLS", "3"))
_ALLOWED_S = 120.0


class Load:
    """A thread that writes and reads, with a ledger of what was acknowledged and what went wrong."""

    def __init__(self, router: RouterHandle, number: int) -> None:
        self._router = router
        self._number = number
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.promised: dict[str, Route] = {}
        self.raised: list[str] = []
        self.wrong: list[str] = []
        self.by_standby = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, when the call under way is over."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        random, turn = Random(self._number), 0
        while not self._over.is_set():
            turn += 1
            key, route = f"tg:bot_{self._number}:{turn}", Route(f"{self._number}-{turn}")
            try:
                if self._router.set(key, route).result().outcome is not SetOutcome.UNAVAILABLE:
                    self.promised[key] = route
                key = random.choice(list(self.promised))
                answer = self._router.resolve(key).result()
            except Exception as error:  # whatever it is, it must not have been
                self.raised.append(repr(error))
            else:
                self.by_standby += answer.served_by_standby
                if answer.route != self.promised[key]:
                    self.wrong.append(f"{key}: {answer}")


@pytest.mark.chaos
def test_kills_one_at_a_time_lose_nothing(ray_cluster: str, namespace: str) -> None:
    """Each kill comes after the last recovery is complete."""
    config = RouterConfig(
        name="kills", replicas=1, durability="sync", call_timeout_s=20.0, max_restarts_in_window=1_000
    )
    router = deploy(config, namespace=namespace)
    loads = [Load(router, number) for number in range(2)]
    random = Random(1)
    try:
        wait_until(lambda: router.stats().result().recovered, within_s=_ALLOWED_S)
        for load in loads:
            load.start()
        for _ in range(_KILLS):
            victim = random.choice(router.stats().result().partitions)
            promised = sum(len(load.promised) for load in loads)
            wait_until(lambda: sum(len(load.promised) for load in loads) > promised + 20, within_s=_ALLOWED_S)  # noqa: B023 - waited for here
            os.kill(victim.pid, signal.SIGKILL)

            def is_back() -> bool:
                stats = router.stats().result()
                return stats.recovered and stats.partitions[victim.partition].incarnation > victim.incarnation  # noqa: B023 - asked here

            wait_until(is_back, within_s=_ALLOWED_S)
            assert router.stats().result().partitions[victim.partition].copies.lost_window_s == 0.0  # type: ignore[union-attr]
    finally:
        for load in loads:
            load.stop()
    promised_routes = {key: route for load in loads for key, route in load.promised.items()}
    answers = router.resolve_many(list(promised_routes)).result()
    lost = [
        key
        for key, answer in zip(promised_routes, answers, strict=True)
        if answer.route != promised_routes[key]
    ]
    assert lost == []
    assert [what for load in loads for what in load.raised] == []
    assert [what for load in loads for what in load.wrong] == []
    assert sum(load.by_standby for load in loads) > 0
    shutdown("kills", namespace=namespace)
