"""Full tables, sessions that come and go, partitions that are killed: does anything grow?"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from random import Random
from statistics import median
from typing import Any

from ray_router.bench import targets
from ray_router.bench.killing import Hunter
from ray_router.bench.measure import Report, figure
from ray_router.bench.sessions import key_of, route_of
from ray_router.bench.stage import Stage
from ray_router.errors import RouterError
from ray_router.handle import RouterHandle
from ray_router.model import Route

_WARM_UP = 1 / 6  # of the time
_COMPARED = 1 / 5  # of what is left, at its beginning and at its end
_KILLS = 60  # over the whole time
_BATCH = 200


class Churn(threading.Thread):
    """Writes sessions that were never seen, and reads some of those it wrote last."""

    def __init__(self, router: RouterHandle) -> None:
        super().__init__(name="churn")
        self._router = router
        self._over = threading.Event()
        self.written = 0
        self.refused: list[str] = []

    def stop(self) -> None:
        """End, when the call under way is over."""
        self._over.set()
        self.join()

    def run(self) -> None:
        """Write, and read, without a pause."""
        while not self._over.is_set():
            new = range(self.written, self.written + _BATCH)
            try:
                self._router.set_many([(key_of(each), Route(route_of(each))) for each in new]).result()
                self._router.resolve_many([key_of(each) for each in new]).result()
                self._router.resolve(key_of(new[0])).result()
            except RouterError as error:
                self.refused.append(str(error))
            self.written += _BATCH


def soak(stage: Stage) -> Report:
    """Keep a router's tables full for the stage's span, with sessions that expire, and kill partitions.

    The first half of the partitions is never killed: what their processes hold at the end is compared with
    what they held after a sixth of the time.
    """
    partitions, random = stage.count(4, least=2), Random(1)
    spared = range(partitions // 2)
    samples: list[tuple[float, ...]] = []
    killed = 0
    settings: dict[str, Any] = {
        "replicas": 1,
        "max_entries_per_partition": stage.count(5_000, least=100),
        "max_restarts_in_window": 1_000,
        "ttl_s": 60.0,
        "stale_retention_s": 30.0,
        "tombstone_retention_s": 30.0,
        "call_timeout_s": 20.0,
    }
    with stage.router(partitions, **settings) as router:
        hunter = Hunter(router, stage.namespace)
        churn = Churn(router)
        began, span_s = time.monotonic(), stage.span_s
        pause_s = span_s / _KILLS
        churn.start()
        try:
            while (spent_s := time.monotonic() - began) < span_s or len(samples) < 2:
                time.sleep(pause_s)
                hunter.kill(random.randrange(len(spared), partitions))
                killed += 1
                if spent_s >= span_s * _WARM_UP:
                    samples.append(tuple(float(hunter.resident_bytes(each)) for each in spared))
                stage.progress(min(0.999, spent_s / span_s))
        finally:
            churn.stop()
    stage.progress(1.0)
    return Report(
        "soak",
        "tables are full, sessions come and go, partitions are killed: does memory grow?",
        (
            figure("kills", "kills", [killed]),
            figure("sessions written", "sessions", [churn.written]),
            figure("calls not answered", "calls", [len(churn.refused)], target=targets.NOTHING),
            *(
                figure(f"memory of partition {index}", "MB", [each[index] / 1e6 for each in samples])
                for index in spared
            ),
            figure(
                "growth of memory",
                "points",
                [_growth([each[index] for each in samples]) for index in spared],
                target=targets.GROWTH_PERCENT,
            ),
        ),
    )


def _growth(samples: Sequence[float]) -> float:
    """Percent by which the median of the last samples is above that of the first."""
    some = max(1, int(len(samples) * _COMPARED))
    return 100 * (median(samples[-some:]) / median(samples[:some]) - 1)
