"""A router and the nodes below it follow the load, up and down, and no route is lost."""

from __future__ import annotations

import json

import pytest
from cli.commands import short_folder

from .namespaces import missing, others, run_apart


@pytest.mark.chaos  # `ray stop --force` ends every Ray that it sees: it sees none but its own
@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_nodes_come_and_go_with_the_load() -> None:
    """Sessions come, then partitions and nodes for them; they go, slots are handed off, and nodes leave."""
    before = others()
    with short_folder() as folder:
        done = run_apart("autoscaling.py", folder, RAY_enable_metrics_collection="0")
        assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["nodes"] == [2, 3, 2]
    assert seen["partitions"] == [2, 4, 2]
    assert seen["reasons"] == [None, "entries", "idle"]
    assert (seen["lost"], seen["asked"] > 100) == ([], True)
    assert others() >= before
