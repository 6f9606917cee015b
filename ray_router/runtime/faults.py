"""The one table that maps what Ray raises to what a handle understands."""

from __future__ import annotations

from concurrent.futures import TimeoutError as FutureTimeoutError

from ray import exceptions

from ray_router.errors import RouterError
from ray_router.transport import Fault, NotYet, PartitionBroken, PartitionGone, PartitionLost

_FAULTS: tuple[tuple[type[BaseException], type[Fault]], ...] = (
    (exceptions.GetTimeoutError, NotYet),
    (FutureTimeoutError, NotYet),
    (exceptions.ActorDiedError, PartitionGone),
    (exceptions.ActorUnschedulableError, PartitionGone),
    (exceptions.TaskCancelledError, PartitionBroken),
    (exceptions.RayError, PartitionLost),  # unavailable, restarting, or its answer was lost on the way
)


def fault_of(error: BaseException) -> Fault:
    """The fault that an error stands for.

    What a partition raised comes wrapped by Ray: also an instance of what was raised, but its text is a
    traceback, and a ``TimeoutError`` of the partition's is no sign that it has yet to answer.
    """
    if isinstance(error, exceptions.RayTaskError):
        cause = error.cause
        return (
            fault_of(cause)
            if isinstance(cause, RouterError)
            else PartitionBroken(f"it failed with {cause!r}")
        )
    if isinstance(error, RouterError):
        return error if isinstance(error, Fault) else PartitionBroken(str(error))
    kind = next((fault for foreign, fault in _FAULTS if isinstance(error, foreign)), PartitionBroken)
    if kind is NotYet:
        return NotYet("it has not answered yet")
    first_line = str(error).strip().partition("\n")[0]
    return kind(f"{type(error).__name__}: {first_line}")
