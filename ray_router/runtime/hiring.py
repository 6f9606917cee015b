"""``HiringTransport``: the way to a router's actors, and to more or fewer of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import ray

from ray_router.config import RouterConfig
from ray_router.runtime.fleet import end
from ray_router.runtime.naming import actor_name
from ray_router.runtime.partitions import CLOSE_WITHIN_S, find_or_create, fleet_of
from ray_router.runtime.transport import RayTransport, deployed_partitions
from ray_router.transport import Fault

_ANSWERS_WITHIN_S = 5.0
_TRY_FOR_S = 60.0  # a partition that was asked may be restarting, or frozen until it is
_LOOK_AGAIN_S = 0.05


class HiringTransport(RayTransport):
    """Apart from the other: an actor needs the way to its peers, and cannot know how one is created."""

    def __reduce__(self) -> tuple[type[RayTransport], tuple[str, str]]:
        return HiringTransport, (self._name, self._namespace)

    def hire(self, partitions: Sequence[int], meanwhile: Callable[[int], None]) -> None:
        """See to it that there are actors for partitions; blocks until they answer.

        All of them are asked for at once, so that Ray can start nodes for all.

        Args:
            meanwhile: called now and then with the one that is waited for; what it raises is passed on.

        Raises:
            Fault: no partition said how the router is configured.
            RouterError: one could not be placed within ``deploy_timeout_s``, and those before it stay; or
                there is no router.
        """
        if not partitions:
            return
        config = self._config()
        fleet = fleet_of(self._name, self._namespace)
        deadline = time.monotonic() + config.deploy_timeout_s
        found = {index: find_or_create(index, config, fleet, joins=True) for index in partitions}
        try:
            for index in partitions:
                fleet.greet({index: found[index][0]}, deadline, partial(meanwhile, index))
                self._actors[index] = found.pop(index)[0]
        except BaseException:
            end([actor for actor, created in found.values() if created])
            raise

    def deployed(self) -> list[int]:
        """The partitions that have a living name, in order."""
        return deployed_partitions(self._name, self._namespace)

    def restart(self, partition: int) -> None:
        """End the life of a partition's actor; Ray starts the next, on a node that is not about to leave."""
        try:
            ray.kill(
                ray.get_actor(actor_name(self._name, partition), namespace=self._namespace), no_restart=False
            )
        except ValueError:
            return  # nobody has its name any more

    def dismiss(self, partitions: Sequence[int]) -> None:
        """End partitions' actors; blocks until their names are free."""
        fleet_of(self._name, self._namespace).close(partitions, CLOSE_WITHIN_S)
        for partition in partitions:
            self._actors.pop(partition, None)

    def _config(self) -> RouterConfig:
        until = time.monotonic() + _TRY_FOR_S
        while True:
            try:
                return self.open().wait(_ANSWERS_WITHIN_S).config
            except Fault:
                if time.monotonic() > until:
                    raise
                time.sleep(_LOOK_AGAIN_S)
