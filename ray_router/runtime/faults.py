"""The one table that maps what Ray raises to what a handle understands."""

from __future__ import annotations

from ray import exceptions

from ray_router.errors import RouterError
from ray_router.transport import Fault, NotYet, PartitionBroken, PartitionGone, PartitionLost

_FAULTS: tuple[tuple[type[BaseException], type[Fault]], ...] = (
    (exceptions.GetTimeoutError, NotYet),
    (exceptions.ActorDiedError, PartitionGone),
    (exceptions.ActorUnschedulableError, PartitionGone),
    (exceptions.TaskCancelledError, PartitionBroken),
    (exceptions.RayError, PartitionLost),  # unavailable, restarting, or its answer was lost on the way
)


def fault_of(error: BaseException) -> Fault:
    """The fault that an error stands for."""
    if isinstance(error, RouterError):
        return error if isinstance(error, Fault) else PartitionBroken(str(error))
    if isinstance(error, exceptions.RayTaskError):
        cause = error.cause
        own = isinstance(cause, RouterError)
        return fault_of(cause) if own else PartitionBroken(f"it failed with {cause!r}")
    kind = next((fault for foreign, fault in _FAULTS if isinstance(error, foreign)), PartitionBroken)
    first_line = str(error).strip().partition("\n")[0]
    return kind(f"{type(error).__name__}: {first_line}")
