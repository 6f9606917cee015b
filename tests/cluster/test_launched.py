"""The launcher's flow for real: a head, a worker, a router, a client elsewhere, and the end of all of it."""

from __future__ import annotations

import json

import pytest
from cli.commands import short_folder

from ray_router import RouterConfig

from .files import ROUTER
from .namespaces import missing, others, run_apart


@pytest.mark.chaos  # `ray stop` ends every Ray that it sees: it sees none but its own
@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_a_cluster_comes_and_goes() -> None:
    """The commands of the launcher's file and of the runbook, in their order; others' Ray goes on."""
    before = others()
    with short_folder() as folder:
        done = run_apart("launching.py", folder, str(folder), RAY_AUTH_MODE="token")
        assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    config = RouterConfig.from_file(ROUTER / "router.yaml")
    assert seen["nodes"] == 2
    partitions = seen["up"]["partitions"]
    assert [each["available"] for each in partitions] == [True] * config.partitions
    assert seen["set"]["outcome"] == "stored"
    assert seen["resolve"]["route"]["external_room_id"] == "-100123"
    assert seen["down"]["ended"]
    assert seen["nodes_left"] == 1
    assert others() >= before
