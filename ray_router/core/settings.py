"""What the pure core is set to: plain values, already validated."""

from __future__ import annotations

from math import inf
from typing import NamedTuple


class Limits(NamedTuple):
    """The greatest inputs that are accepted, in UTF-8 bytes, operations, and seconds."""

    key_part_bytes: int = 512
    route_bytes: int = 2_048
    metadata_bytes: int = 1_024
    batch_operations: int = 100_000
    fallbacks: int = 32


class PartitionSettings(NamedTuple):
    """All that one partition needs to know of the router's config; times in seconds."""

    ttl_s: float = inf
    stale_retention_s: float = 86_400.0
    tombstone_retention_s: float = 86_400.0
    capacity: int = 100_000
    max_defaults: int = 1_024
    max_candidates: int = 4
    eviction: str = "adaptive"
    max_clock_skew_s: float = 5.0
    min_live_age_s: float = 60.0
    call_timeout_s: float = 2.0
    backoff_first_s: float = 1.0
    backoff_cap_s: float = 60.0
    event_clock: bool = False
    limits: Limits = Limits()
