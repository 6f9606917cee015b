"""The table that maps what Ray raises to what a handle understands."""

from __future__ import annotations

import concurrent.futures
import pickle
from typing import Any

import pytest
from ray import exceptions

from ray_router.errors import ConfigMismatchError, DeadlineExceededError, InvalidCallError, RouterError
from ray_router.runtime.faults import fault_of
from ray_router.transport import Fault, NotYet, PartitionBroken, PartitionGone, PartitionLost

UNTYPED: Any = exceptions
TRACEBACK = 'ray::PartitionActor.apply() (pid=1)\n  File "actor.py", line 1, in apply\nwhat it was'


def raised_by_partition(cause: Exception) -> Exception:
    """What Ray raises for an error of the actor's: also of the error's own class."""
    error = UNTYPED.RayTaskError(
        "apply", TRACEBACK, cause, "ray::PartitionActor", 1, "127.0.0.1"
    ).as_instanceof_cause()
    assert isinstance(error, type(cause))
    assert isinstance(error, exceptions.RayTaskError)
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (exceptions.ActorUnavailableError("The actor is restarting", None), PartitionLost),
        (exceptions.ActorDiedError(), PartitionGone),
        (exceptions.ActorUnschedulableError("no such node"), PartitionGone),
        (exceptions.TaskCancelledError(), PartitionBroken),
        (exceptions.WorkerCrashedError(), PartitionLost),
        (UNTYPED.NodeDiedError("its node is gone"), PartitionLost),
        (UNTYPED.OwnerDiedError("ff" * 28, "owner", ""), PartitionLost),
        (exceptions.PendingCallsLimitExceeded("too many"), PartitionLost),
        (exceptions.GetTimeoutError("not ready"), NotYet),
        (concurrent.futures.TimeoutError(), NotYet),
        (TimeoutError(), NotYet),
        (ValueError("what is that?"), PartitionBroken),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_each_foreign_error_has_its_fault(error: Exception, kind: type[Fault]) -> None:
    """By kind; and one line of text, as people read it."""
    fault = fault_of(error)
    assert type(fault) is kind
    assert str(fault)
    assert "\n" not in str(fault)


@pytest.mark.parametrize("kind", [PartitionLost, PartitionGone, PartitionBroken])
def test_a_partitions_own_fault_is_itself(kind: type[Fault]) -> None:
    """With its own words, not Ray's traceback; here or there."""
    for error in (kind("connect again"), raised_by_partition(kind("connect again"))):
        fault = fault_of(error)
        assert type(fault) is kind
        assert str(fault) == "connect again"


@pytest.mark.parametrize(
    "error",
    [InvalidCallError("batch", "must be a Batch"), ConfigMismatchError("chat", ("ttl_s is 1, not 2",))],
    ids=lambda error: type(error).__name__,
)
def test_a_refusal_of_the_whole_call_is_broken(error: RouterError) -> None:
    """Sending it again would not help; the error's own words are kept, and no traceback."""
    for each in (error, raised_by_partition(error)):
        fault = fault_of(each)
        assert type(fault) is PartitionBroken
        assert str(fault) == str(error)


@pytest.mark.parametrize(
    "error",
    [ZeroDivisionError("by zero"), TimeoutError("slow disk"), KeyError("x")],
    ids=lambda error: type(error).__name__,
)
def test_a_partitions_own_trouble_is_broken(error: Exception) -> None:
    """What a partition should never raise is an answer: even a timeout of its own is no "not yet"."""
    fault = fault_of(raised_by_partition(error))
    assert type(fault) is PartitionBroken
    assert str(fault) == f"it failed with {error!r}"


def test_a_partitions_deadline_is_not_ours() -> None:
    """A ``RouterError`` that is a ``TimeoutError`` too is told apart from a wait that has run out."""
    assert type(fault_of(raised_by_partition(DeadlineExceededError("busy")))) is PartitionBroken


@pytest.mark.parametrize("kind", [NotYet, PartitionLost, PartitionGone, PartitionBroken])
def test_faults_travel(kind: type[Fault]) -> None:
    """They pickle."""
    copy = pickle.loads(pickle.dumps(kind("why")))
    assert (type(copy), str(copy)) == (kind, "why")
