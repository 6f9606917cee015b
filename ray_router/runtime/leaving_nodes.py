"""Which nodes are about to leave: drained on purpose, reclaimed by a cloud, or told to stop.

The one place that asks Ray for it. Ray has no public way to; this is the one that Ray Serve goes
(``ray.serve._private.cluster_node_info_cache``), and whatever becomes of it in another Ray, the router lives
on without.
"""

from __future__ import annotations

from typing import Any

import ray

from ray_router.errors import RouterError

_ANSWERS_WITHIN_S = 3.0


class LeavingNodes:
    """Asks the cluster's head, when called."""

    def __init__(self) -> None:
        self._client: Any = None

    def __call__(self) -> frozenset[str]:
        """The ids of the nodes that are about to leave.

        Raises:
            RouterError: this Ray does not say, or its head does not answer.
        """
        try:
            if self._client is None:
                from ray._raylet import GcsClient  # type: ignore[attr-defined]  # it is compiled

                context: Any = ray.get_runtime_context()  # untyped
                self._client = GcsClient(address=context.gcs_address)
            return frozenset(self._client.get_draining_nodes(timeout=_ANSWERS_WITHIN_S))
        except Exception as error:  # what is private may be gone, or be another in another Ray
            self._client = None
            first_line = str(error).partition("\n")[0]
            raise RouterError(
                f"Ray does not say which nodes are about to leave: {type(error).__name__}: {first_line}"
            ) from None
