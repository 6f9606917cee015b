"""The Ray runtime: partitions as detached actors. Nothing outside imports ray but this, and on demand."""

from ray_router.runtime.deployment import connect, deploy, shutdown

__all__ = ["connect", "deploy", "shutdown"]
