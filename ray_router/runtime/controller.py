"""The actor that autoscales a router: beside the partitions, and on no call's way.

It lives on the head, where it keeps no node from being released. When it dies Ray restarts it, and it learns
from the partitions what it has to know; until then the router has the partitions that it has.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

import ray
from ray.actor import ActorHandle

from ray_router.config import RouterConfig
from ray_router.handle.autoscaling import Controller
from ray_router.runtime.fleet import Fleet
from ray_router.runtime.hiring import HiringTransport
from ray_router.runtime.leaving_nodes import LeavingNodes
from ray_router.runtime.naming import controller_name

_log = logging.getLogger(__name__)

_ON_THE_HEAD = {"node:__internal_head__": 0.001}  # a resource that the head of every cluster has
_CLOSE_WITHIN_S = 1.0
_ONE = 0


class ControllerActor:
    """Looks at a router every ``interval_s``. Its constructor never raises: that would end it for good."""

    def __init__(self, config: RouterConfig, namespace: str) -> None:
        self._config = config
        self._namespace = namespace
        self._closing = threading.Event()
        threading.Thread(target=self._run, name="ray-router-controller", daemon=True).start()

    def close(self) -> None:
        """Look no more; the end is near."""
        self._closing.set()

    def _run(self) -> None:
        assert self._config.autoscaling is not None, "it is there because of it"
        transport = HiringTransport(self._config.name, self._namespace)
        controller = Controller(transport, self._config, LeavingNodes())
        while not self._closing.wait(self._config.autoscaling.interval_s):
            try:
                controller.look()
            except Exception:  # the next look may see more
                _log.exception("the controller of router %r stumbled", self._config.name)


def start_controller(config: RouterConfig, namespace: str) -> tuple[ActorHandle[Any], bool]:
    """A router's controller, and whether this call created it; it is not waited for."""
    options = {"num_cpus": 0, "resources": _ON_THE_HEAD, "max_task_retries": 0}
    actor_class = ray.remote(ControllerActor)
    return _fleet(config.name, namespace).find_or_create(_ONE, actor_class, options, config, namespace)


def end_controller(name: str, namespace: str) -> None:
    """End a router's controller, if it has one, before it could have anybody hired again.

    Raises:
        RouterError: it did not end.
    """
    fleet = _fleet(name, namespace)
    fleet.close(fleet.deployed(), _CLOSE_WITHIN_S)


def _fleet(name: str, namespace: str) -> Fleet:
    called = controller_name(name)
    return Fleet(
        noun="controller",
        of=f"router {name!r}",
        namespace=namespace,
        name_of=lambda _: called,
        number_of=lambda each: _ONE if each == called else None,
        needs="a head",
    )
