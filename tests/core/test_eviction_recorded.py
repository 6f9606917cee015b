"""Hit ratios over a real trace, which is not part of this repository.

It is looked for in ``$RAY_ROUTER_DATA/traces``, by default in a folder ``shared/data`` beside the
repository: ``cache2k_web07`` (headissue GmbH, CC-BY-4.0).
"""

from __future__ import annotations

import csv
import gzip
import os
from itertools import islice
from pathlib import Path

import pytest

from ray_router.core.eviction import POLICIES
from ray_router.core.operations import Resolve
from ray_router.core.settings import PartitionSettings
from ray_router.model import ResolutionSource

from .cache import Cache
from .strategies import ask, partition_of, write

REPOSITORY = Path(__file__).parents[2]
DATA = Path(os.environ.get("RAY_ROUTER_DATA", REPOSITORY / "../shared/data"))
TRACE = DATA / "traces" / "cache2k_web07.csv.gz"
UNIQUE = 20_484

pytestmark = [
    pytest.mark.skipif(
        not TRACE.exists(), reason=f"no trace {TRACE}; RAY_ROUTER_DATA may name another folder"
    ),
    pytest.mark.usefixtures("unmeasured"),
]


@pytest.fixture(scope="module")
def requests() -> list[str]:
    """The keys of the trace, as sessions."""
    with gzip.open(TRACE, "rt", encoding="utf-8") as lines:
        return [f"t:i:{row['key']}" for row in csv.DictReader(lines)]


@pytest.mark.parametrize(
    ("name", "of_a_hundredth", "of_a_tenth"),
    [("lru", 39.2, 55.7), ("sieve", 42.2, 57.9), ("s3fifo", 43.8, 58.2), ("adaptive", 44.2, 58.3)],
)
def test_hit_ratios(name: str, of_a_hundredth: float, of_a_tenth: float, requests: list[str]) -> None:
    """Within 0.3 points of libCacheSim's, and of what is in the documentation for what it does not have."""
    for capacity, expected in ((UNIQUE // 100, of_a_hundredth), (UNIQUE // 10, of_a_tenth)):
        hits = Cache(POLICIES[name], capacity).use_all(requests)
        assert 100 * hits / len(requests) == pytest.approx(expected, abs=0.3)


def test_the_default_hits_as_often_in_a_partition(requests: list[str]) -> None:
    """Every request that hits in a bare cache is answered by a partition that resolves and then writes."""
    capacity, first = UNIQUE // 100, 10_000
    partition = partition_of(capacity=capacity)
    hits = 0
    for at, key in enumerate(islice(requests, first), 1):
        ((answer,), _) = ask(partition, Resolve((key,)), write(key, "R", at=at), now=at)
        hits += answer.source is ResolutionSource.EXACT
    default = POLICIES[PartitionSettings().eviction]
    assert hits == Cache(default, capacity).use_all(requests[:first])
