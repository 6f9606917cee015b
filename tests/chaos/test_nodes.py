"""Whole nodes are lost, in a cluster of several on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_TESTS = Path(__file__).resolve().parent.parent
_QUICKLY = {  # who is dead is known after some seconds rather than a minute
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
}


@pytest.mark.chaos
def test_a_node_of_two_is_lost_and_nothing_with_it(tmp_path: Path) -> None:
    """Each session has its copy on the other node, and what was there begins anew on that."""
    python_path = os.pathsep.join([str(_TESTS.parent), str(_TESTS)])
    settings = {"RAY_AUTH_MODE": "disabled", "RAY_enable_metrics_collection": "0", "PYTHONPATH": python_path}
    driver = subprocess.run(
        [sys.executable, str(_TESTS / "chaos" / "node_lost.py")],
        env=os.environ | settings | _QUICKLY,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert driver.returncode == 0, driver.stderr[-2_000:]
    found = json.loads(driver.stdout.splitlines()[-1])
    assert found["nodes"] == 2
    assert found["moved"] >= 1
    assert found["acknowledged"] > 500
    assert (found["lost"], found["unanswered"]) == ([], [])
