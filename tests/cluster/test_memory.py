"""The memory of workers follows from the router's settings, and from what a session was measured to take."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest

from ray_router import RouterConfig

from .files import LAUNCHER, REPOSITORY, ROUTER, document

CONFIG = RouterConfig.from_file(ROUTER / "router.yaml")
MANIFEST = (ROUTER / "raycluster.yaml").read_text(encoding="utf-8")
MEBIBYTE = 2**20
BETWEEN_RUNS = 0.25  # tables grow by doubling, and allocators round up

MEASURING = """
import gc, sys
from math import inf
from pathlib import Path

from ray_router import LocalTransport, Route, RouterConfig, RouterHandle
from ray_router.bench.sessions import chunks, load
from ray_router.core.record import RecordFormat
from ray_router.core.standby import Standby
from ray_router.core.table import Retention

what, sessions = sys.argv[1], int(sys.argv[2])
config = RouterConfig(partitions=1, ttl_s=None, max_entries_per_partition=2 * sessions)


def resident():
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


if what == "session":
    router = RouterHandle(LocalTransport(config))
    router.set("telegram:bot_1:room", Route("1")).result()
    before = resident()
    load(router, sessions)
else:
    records = RecordFormat(inf)
    standby = Standby(2 * sessions, config.max_candidates, Retention(1e9, 1e9), records)
    before = resident()
    for at, chunk in enumerate(chunks(sessions), 1_700_000_000):
        for number, (key, route) in enumerate(chunk.items()):
            record = records.write(at + number / 10_000, inf, 2, -inf, route)
            standby.merge(key, records.state(record), float(at + 1))
print((resident() - before) / sessions)
"""


def megabytes(beginning: str) -> float:
    """A figure of the manifest's sum: that in front of these words, in MB."""
    (figure,) = re.findall(rf"([\d,]+) MB   {beginning}", MANIFEST)
    return float(figure.replace(",", ""))


def bytes_of(words: str) -> float:
    """What the manifest says that a session takes."""
    (figure,) = re.findall(rf"(\d+) B    {words}", MANIFEST)
    return float(figure)


def memory_of(text: str) -> float:
    """A quantity of memory, in MB."""
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", text).groups()  # type: ignore[union-attr]  # or it fails
    return int(number) * (MEBIBYTE if unit == "Mi" else 1024 * MEBIBYTE) / 1e6


def worker() -> dict[str, Any]:
    """The group of workers."""
    (group,) = document(ROUTER / "raycluster.yaml")["spec"]["workerGroupSpecs"]
    found: dict[str, Any] = group
    return found


def test_the_sum_is_right() -> None:
    """Each figure follows from the settings and from those above it, and the limit is above the last."""
    sessions = CONFIG.max_entries_per_partition / 1e6
    own, copies = megabytes("its own"), megabytes("the copies")
    assert own == sessions * bytes_of("a session")
    assert copies == CONFIG.replicas * sessions * bytes_of("its copy")
    (partition, total) = (float(each.replace(",", "")) for each in re.findall(r"#  += ([\d,]+) MB", MANIFEST))
    assert partition == megabytes("its process") + own + copies
    (seat,) = CONFIG.resources
    seats = int(worker()["resources"][seat])
    assert megabytes("two partitions") == seats * partition
    assert total == seats * partition + sum(map(megabytes, ("Ray's own", "the object", "a Serve")))
    needed = megabytes("for what comes")
    assert needed == round(1.3 * total)
    (container,) = worker()["template"]["spec"]["containers"]
    limit = memory_of(container["resources"]["limits"]["memory"])
    assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"]
    assert needed < 0.95 * limit
    assert limit < 1.5 * needed  # what is asked for is not simply plenty
    assert f"{limit:,.0f} MB;" in MANIFEST
    (store,) = re.findall(r"([\d,]+) MB   the object", MANIFEST)
    assert int(worker()["rayStartParams"]["object-store-memory"]) == float(store) * 1e6


def test_the_clouds_machines_have_room() -> None:
    """The example's sum is that of its seats, and its machine has more."""
    text = (LAUNCHER / "aws.yaml").read_text(encoding="utf-8")
    nodes = document(LAUNCHER / "aws.yaml")["available_node_types"]["partitions"]
    (seat,) = CONFIG.resources
    partition = float(re.findall(r"#  += ([\d,]+) MB", MANIFEST)[0].replace(",", ""))
    rest = sum(map(megabytes, ("Ray's own", "the object", "a Serve")))
    needed = nodes["resources"][seat] * partition + rest
    assert f"{needed:,.0f} MB of 8,590" in re.sub(r"\n\s+# ", " ", text)
    assert 1.3 * needed < 8 * 1024 * MEBIBYTE / 1e6


@pytest.mark.chaos  # a hundred thousands of sessions, ten seconds each way
@pytest.mark.parametrize(("what", "words"), [("session", "a session"), ("copy", "its copy")])
def test_a_session_takes_what_the_sum_says(what: str, words: str) -> None:
    """At 500,000 sessions, in a process of its own, within a quarter."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURING, what, "500000"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) == pytest.approx(bytes_of(words), rel=BETWEEN_RUNS)
