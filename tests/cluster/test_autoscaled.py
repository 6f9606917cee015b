"""A router and the nodes below it follow the load, up and down, and no route is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli.commands import own_environment, short_folder

from .files import REPOSITORY
from .namespaces import NAMESPACES, missing, others


@pytest.mark.chaos  # `ray stop --force` ends every Ray that it sees: it sees none but its own
@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_nodes_come_and_go_with_the_load() -> None:
    """Sessions come, then partitions and nodes for them; they go, slots are handed off, and nodes leave."""
    tests = REPOSITORY / "tests"
    before = others()
    with short_folder() as folder:
        variables = own_environment(
            HOME=str(folder),
            PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            PYTHONPATH=f"{REPOSITORY}{os.pathsep}{tests}",
            RAY_enable_metrics_collection="0",
        )
        variables.pop("RAY_TMPDIR", None)
        done = subprocess.run(
            [*NAMESPACES, sys.executable, str(tests / "cluster" / "autoscaling.py")],
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["nodes"] == [2, 3, 2]
    assert seen["partitions"] == [2, 4, 2]
    assert seen["reasons"] == [None, "entries", "idle"]
    assert (seen["lost"], seen["asked"] > 100) == ([], True)
    assert others() >= before
