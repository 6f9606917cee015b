"""Programs of their own, in a Ray that asks for a token: ``python guarded.py host | client ADDRESS``."""

from __future__ import annotations

import logging
import sys
import tempfile
from typing import Any

import ray

import ray_router as rr

NAMESPACE = "guarded"


def host() -> None:
    """Start Ray, deploy a router, say where, and end with standard input."""
    with tempfile.TemporaryDirectory(prefix="rr", dir="/tmp", ignore_cleanup_errors=True) as folder:
        started: Any = ray.init(
            address="local",
            include_dashboard=False,
            num_cpus=2,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=100_000_000,
            _temp_dir=folder,
        )
        router = rr.deploy(rr.RouterConfig(name="secret", partitions=1), namespace=NAMESPACE)
        router.set("tg:bot:room", rr.Route("the secret")).result()
        print(started.address_info["gcs_address"], flush=True)
        sys.stdin.read()
        ray.shutdown()


def client(address: str) -> None:
    """Ask the router, if one gets that far."""
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        answer = rr.connect("secret", namespace=NAMESPACE).resolve("tg:bot:room").result()
    except BaseException as error:  # Ray may give up by exiting
        print(f"refused: {type(error).__name__}", flush=True)
        return
    print(answer.require().external_room_id, flush=True)


if __name__ == "__main__":
    host() if sys.argv[1] == "host" else client(sys.argv[2])
