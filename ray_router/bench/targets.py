"""What the figures are meant to come to, in one place. Ratios hold on any machine, times do not."""

from __future__ import annotations

from typing import NamedTuple


class Target(NamedTuple):
    """A bound to hold, and one to aim for; None where there is none."""

    bound: float | None
    aim: float | None
    less_is_better: bool = False

    def __str__(self) -> str:
        sign = "<=" if self.less_is_better else ">="
        parts = [] if self.bound is None else [f"{sign} {self.bound:g}"]
        if self.aim is not None:
            parts.append(f"aim {sign} {self.aim:g}" if self.bound is None else f"aim {self.aim:g}")
        return ", ".join(parts)


SINGLE_OVER_BARE_CALL = Target(1.15, 1.05, less_is_better=True)
CONCURRENT_OVER_BARE_CALL = {100: Target(15, 30)}
"""By coroutines."""
CONCURRENT_OVER_REDIS = {100: Target(2.5, 5), 1_000: Target(5, 10)}
"""By coroutines; as many clients of Redis."""
BATCH_OVER_PIPELINE = {1_000: Target(4, 10)}
"""By keys in a call, the answers not read; over a pipeline of GETs."""
BATCH_READ_OVER_MGET = {1_000: Target(0.5, 1.0)}
"""By keys in a call, every answer read; over MGET."""
LARGEST_TABLE_OVER_SMALLEST = {1_000_000: Target(0.75, 0.9)}
"""By routes; over a table of 1,000."""
BYTES_OVER_REDIS = Target(1.8, 1.2, less_is_better=True)
LONGEST_COLLECTION_MS = Target(30, 10, less_is_better=True)
LONGEST_HOLD_MS = Target(10, 3, less_is_better=True)
POINTS_OVER_LRU_ON_LOGS = Target(-0.3, 0.0)
POINTS_OVER_LRU_ON_TRACES = Target(-0.3, None)
POINTS_OVER_S3FIFO_ON_TRACES = Target(None, 0.0)
WATCHED_OVER_OFF = Target(0.95, None)
"""Keys of ``resolve_many`` on Ray, with metrics and traces."""
OFF_OVER_UNWATCHABLE = Target(None, 1.0)
"""Keys a second of CPU time, over a package without any telemetry in it."""
CALLS_TO_FIRST_ANSWER = Target(2, 2, less_is_better=True)
LOOK_UPS_TO_FIRST_ANSWER = Target(1, 1, less_is_better=True)
REBALANCED_OVER_BEST = Target(1.15, 1.05, less_is_better=True)
"""The largest load of a partition over the mean, over the least that slots allow."""
NOTHING = Target(0, 0, less_is_better=True)
"""Lost, or not answered, while partitions are killed one at a time."""
SLOWEST_MS = Target(300, 50, less_is_better=True)
"""One resolve in a thousand, meanwhile."""
LONGEST_MS = Target(1_000, 300, less_is_better=True)
"""Any resolve, meanwhile."""
RECOVERY_OVER_RESTART = Target(3, 1.5, less_is_better=True)
"""A partition of 100,000 routes, from its death until it is complete; over a bare actor's restart."""
COPIED_WRITES = Target(0.65, 0.85)
"""Sessions of ``set_many``, kept twice; over those kept once."""
COPIED_READS = Target(0.97, 1.0)
GROWTH_PERCENT = Target(2, 0, less_is_better=True)
"""Of a partition's process, after a sixth of the time."""
