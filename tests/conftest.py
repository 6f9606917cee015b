"""Ray for the tests that need it: one real local Ray for each test process, shared by all of them."""

from __future__ import annotations

import itertools
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage
from hypothesis import settings

_TESTS = Path(__file__).resolve().parent
_SETTINGS = {"RAY_AUTH_MODE": "disabled", "RAY_enable_metrics_collection": "0"}
_numbers = itertools.count()

settings.register_profile("steady", derandomize=True)  # each run tries the same examples
settings.register_profile("searching", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def pytest_configure() -> None:
    """Let Ctrl-C count: background jobs ignore it, and so would the commands that tests interrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs on Ray."""
    for item in items:
        if "ray_cluster" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.ray)


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[str]:
    """A real Ray on this machine, for this process's tests alone; its address.

    The path of its folder is short because the paths of unix sockets must be.
    """
    import ray

    folder = tempfile.mkdtemp(prefix="rr", dir="/tmp")
    python_path = os.pathsep.join([str(_TESTS.parent), str(_TESTS)])
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _SETTINGS.items():
            patch.setenv(name, value)
        cluster: Any = ray.init(
            address="local",
            include_dashboard=False,
            num_cpus=8,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=100_000_000,
            _temp_dir=folder,
            runtime_env={"env_vars": {"PYTHONPATH": python_path}},
        )
        yield cluster.address_info["gcs_address"]
        ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def namespace() -> str:
    """A Ray namespace that no other test uses."""
    return f"test_{os.getpid()}_{next(_numbers)}"


@pytest.fixture
def unmeasured() -> Iterator[None]:
    """Measure no coverage: it makes a long run three times as long, and shorter tests run the same lines."""
    measuring = Coverage.current()
    if measuring is None:
        yield
        return
    measuring.stop()
    try:
        yield
    finally:
        measuring.start()
