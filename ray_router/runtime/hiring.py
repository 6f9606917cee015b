"""``HiringTransport``: the way to a router's actors, and to more or fewer of them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ray_router.config import RouterConfig
from ray_router.runtime.fleet import end
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

    def hire(self, partition: int) -> None:
        """See to it that there is an actor for a partition; blocks until it answers.

        Raises:
            Fault: no partition said how the router is configured.
            RouterError: it could not be placed within ``deploy_timeout_s``, or there is no router.
        """
        config = self._config()
        fleet = fleet_of(self._name, self._namespace)
        actor, created = find_or_create(partition, config, fleet, joins=True)
        try:
            fleet.greet({partition: actor}, time.monotonic() + config.deploy_timeout_s)
        except BaseException:
            end([actor] if created else [])
            raise
        self._actors[partition] = actor

    def deployed(self) -> list[int]:
        """The partitions that have a living name, in order."""
        return deployed_partitions(self._name, self._namespace)

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
