"""Several drivers and one router: each is a process that joins the cluster by its address."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from ray_router import Route, RouterHandle, connect, deploy, shutdown

from . import driver
from .actors import names_in, own_environment, pids_of
from .driver import RACE

pytestmark = pytest.mark.ray
NAMESPACE = "drivers"


def start(scene: str, address: str) -> subprocess.Popen[str]:
    """A driver of its own."""
    return subprocess.Popen(
        [sys.executable, driver.__file__, scene, address, NAMESPACE],
        env=own_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> Any:
    """What a driver saw, once it has ended."""
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    return json.loads(output.splitlines()[-1])


@pytest.fixture(scope="module")
def raced(ray_cluster: str) -> Iterator[RouterHandle]:
    """The router that two drivers deployed at the same time."""
    other = start("race", ray_cluster)
    assert other.stdin is not None and other.stdout is not None
    assert other.stdout.readline() == "ready\n"
    other.stdin.write("go\n")
    other.stdin.flush()
    router = deploy(RACE, namespace=NAMESPACE)
    other.stdin.write("other\n")
    other.stdin.flush()
    seen = said(other)
    assert seen["pids"] == pids_of(router)
    yield router
    shutdown(RACE.name, namespace=NAMESPACE)


def test_a_race_ends_in_one_router(raced: RouterHandle) -> None:
    """Two drivers that deploy at once get the same actors, and what either wrote, both know."""
    assert names_in(NAMESPACE) == [f"ray_router:race:{partition}" for partition in range(RACE.partitions)]
    assert raced.resolve("tg:bot:other").result().route == Route("raced")
    assert raced.stats().result().down == ()


def test_a_router_outlives_its_drivers(raced: RouterHandle, ray_cluster: str) -> None:
    """It serves others when a driver has ended, even one that deployed it and had calls under way."""
    pids = pids_of(raced)
    assert said(start("unfinished", ray_cluster)) is None
    assert pids_of(connect(RACE.name, namespace=NAMESPACE)) == pids
    assert raced.resolve("tg:bot:other").result().route == Route("raced")


def test_a_driver_that_leaves_and_joins_again(raced: RouterHandle, ray_cluster: str) -> None:
    """Without Ray its handle says so and answers from fallbacks; with Ray again, it finds its router."""
    raced.set("tg:bot:known", Route("known")).result()
    first, problem, without, last = said(start("again", ray_cluster))
    assert (first, without, last) == ("known", "own", "known")
    assert "Ray is not initialised in this process: call ray.init()" in problem


def test_ray_must_be_initialised(raced: RouterHandle, ray_cluster: str) -> None:
    """A process without Ray is told how to get it; none is started for it."""
    problems = said(start("without_ray", ray_cluster))
    assert len(problems) == 3
    for problem in problems:
        assert "call ray.init()" in problem
        assert "ray.init(address='auto')" in problem
