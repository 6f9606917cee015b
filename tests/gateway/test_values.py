"""The values of the gateway: settings, errors, and what travels."""

from __future__ import annotations

import pickle

import pytest
from pydantic import ValidationError

import ray_router.gateway
from ray_router.errors import RouterError
from ray_router.gateway import (
    Delivered,
    GatewayClosedError,
    GatewayMismatchError,
    GatewayNotFoundError,
    GatewayOverloadedError,
    GatewaySettings,
    GatewayUnavailableError,
    Moved,
    NoSenderError,
    NotDeliveredError,
    OutcomeUnknownError,
    Permanent,
    Priority,
    Retryable,
    Undelivered,
)
from ray_router.model import PressureLevel, Route

from .scene import HERE, KEY, Scene
from .senders import job

ERRORS = [
    GatewayOverloadedError(PressureLevel.SHED, Priority.LOW, "full"),
    GatewayUnavailableError(1, "restarting"),
    GatewayClosedError(True),
    GatewayClosedError(False),
    OutcomeUnknownError(1, "died"),
    NoSenderError("irc"),
    NotDeliveredError("no_route", "miss"),
    GatewayNotFoundError("none"),
    GatewayMismatchError("chat", ("lanes is 2, not 1",)),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_pickle(error: RouterError) -> None:
    """Every error survives the way through Ray, with what it says."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
    assert isinstance(copy, RouterError)


async def test_results_and_verdicts_pickle() -> None:
    """So do results, settings and verdicts."""
    scene = Scene()
    await scene.knows(HERE)
    result = await scene.gateway.send(KEY, job(1, {"here": ["retryable"]}))
    values = [
        result,
        GatewaySettings(),
        Delivered("1"),
        Retryable(1.0),
        Permanent("gone"),
        Moved(Route("there")),
    ]
    for value in values:
        assert pickle.loads(pickle.dumps(value)) == value
    raised = pickle.loads(pickle.dumps(Undelivered(Permanent("gone"))))
    assert raised.verdict == Permanent("gone")


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_pending": 0},
        {"attempt_timeout_s": float("inf")},
        {"drain_s": -1.0},
        {"backoff_first_s": 2.0, "backoff_cap_s": 1.0},
        {"unknown": 1},
    ],
)
def test_settings_refused(wrong: dict[str, float]) -> None:
    """Settings that make no sense are refused."""
    with pytest.raises(ValidationError):
        GatewaySettings.model_validate(wrong)


def test_settings_differences() -> None:
    """What differs is told with both values."""
    ours, theirs = GatewaySettings(), GatewaySettings(max_pending=7)
    assert ours.differences(theirs) == ("max_pending is 7, not 4096",)
    assert ours.differences(ours) == ()


def test_all_is_sorted() -> None:
    """The public names are listed in order."""
    assert ray_router.gateway.__all__ == sorted(ray_router.gateway.__all__)
