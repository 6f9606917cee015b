"""Errors: one tree, fields that say what is wrong, and pickles that keep them."""

from __future__ import annotations

import inspect
import pickle

import pytest

from ray_router import errors
from ray_router.errors import (
    ConfigMismatchError,
    DeadlineExceededError,
    InvalidCallError,
    InvalidConfigError,
    InvalidInputError,
    InvalidKeyError,
    InvalidRouteError,
    NoRouteError,
    PartitionUnavailableError,
    RouterError,
    RouterNotFoundError,
    SnapshotError,
    SnapshotNotFoundError,
)

INPUT = [InvalidInputError, InvalidKeyError, InvalidRouteError, InvalidCallError, InvalidConfigError]
RAISED: list[RouterError] = [
    RouterError("something"),
    *(kind("ttl_s", "must be greater than 0 seconds") for kind in INPUT),
    ConfigMismatchError("chat", ("partitions is 4, not 8", "ttl_s is 60.0, not 30.0")),
    RouterNotFoundError("no router 'chat' in namespace 'ray_router'"),
    NoRouteError("no route for a session of scope room"),
    PartitionUnavailableError(3, "its actor died"),
    DeadlineExceededError("no answer within 2.0 s"),
    SnapshotError("s3://bucket/chat", "is damaged"),
    SnapshotNotFoundError("/folder", "there is no complete one"),
]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_errors_travel(error: RouterError) -> None:
    """Every error pickles with its type, fields and message intact."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert copy.args == error.args
    assert str(copy) == str(error)


def test_every_error_is_tried_here() -> None:
    """No error of the module is left out of the tests above."""
    kinds = {kind for _, kind in inspect.getmembers(errors, inspect.isclass)}
    assert kinds == {type(error) for error in RAISED}
    assert all(issubclass(kind, RouterError) for kind in kinds)


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (InvalidInputError, ValueError),
        (RouterNotFoundError, LookupError),
        (NoRouteError, LookupError),
        (DeadlineExceededError, TimeoutError),
    ],
)
def test_errors_are_what_python_calls_them(kind: type[Exception], builtin: type[Exception]) -> None:
    """Whoever expects Python's own kind of error catches ours."""
    assert issubclass(kind, builtin)


@pytest.mark.parametrize("kind", INPUT)
def test_bad_input_names_the_field(kind: type[InvalidInputError]) -> None:
    """An error about input has the field and the problem apart, and reads as both."""
    error = kind("room", "must not be empty")
    assert (error.field, error.problem) == ("room", "must not be empty")
    assert str(error) == "room: must not be empty"
    assert isinstance(error, InvalidInputError)


def test_a_mismatch_lists_every_field() -> None:
    """A config mismatch names the router and each differing field."""
    error = ConfigMismatchError("chat", ("partitions is 4, not 8", "ttl_s is 60.0, not 30.0"))
    assert (error.name, len(error.fields)) == ("chat", 2)
    assert "'chat'" in str(error)
    assert str(error).endswith("partitions is 4, not 8; ttl_s is 60.0, not 30.0")


def test_an_unavailable_partition_has_a_number() -> None:
    """An error about a partition says which one, and what was observed."""
    error = PartitionUnavailableError(3, "its actor died")
    assert (error.partition, error.problem) == (3, "its actor died")
    assert str(error) == "partition 3 is unavailable: its actor died"
