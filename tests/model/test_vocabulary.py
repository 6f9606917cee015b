"""The closed vocabularies: their words, and their order where they have one."""

from __future__ import annotations

import pickle
from enum import Enum, IntEnum

import pytest

from ray_router import model
from ray_router.model import (
    Confidence,
    Delivery,
    FallbackReason,
    Freshness,
    Origin,
    PressureLevel,
    ReportOutcome,
    ResolutionSource,
    Scope,
    SetOutcome,
)


@pytest.mark.parametrize(
    ("vocabulary", "ascending"),
    [
        (Scope, "THREAD ROOM INSTANCE CHANNEL"),
        (Origin, "SYSTEM AGENT INBOUND OPERATOR"),
        (Confidence, "NONE STALE PROVIDED INHERITED ALTERNATE OBSERVED CONFIRMED"),
        (PressureLevel, "NORMAL WARN DEGRADED SHED"),
    ],
)
def test_ordered_words(vocabulary: type[IntEnum], ascending: str) -> None:
    """Words with a rank compare by it."""
    assert [word.name for word in sorted(vocabulary)] == ascending.split()


@pytest.mark.parametrize(
    ("vocabulary", "words"),
    [
        (Freshness, "FRESH STALE EXPIRED"),
        (ResolutionSource, "EXACT ALTERNATE SCOPE PROVIDED STALE NONE"),
        (FallbackReason, "MISS STALE SCOPE_MISS FAILED LOW_CONFIDENCE UNAVAILABLE OVERLOADED"),
        (SetOutcome, "STORED REFRESHED SUPERSEDED SHED UNAVAILABLE"),
        (Delivery, "DELIVERED TRANSIENT PERMANENT MOVED"),
        (ReportOutcome, "APPLIED SUPERSEDED"),
    ],
)
def test_spelled_words(vocabulary: type[Enum], words: str) -> None:
    """Words without a rank are spelled in lower case outside Python."""
    assert [word.name for word in vocabulary] == words.split()
    assert [word.value for word in vocabulary] == words.lower().split()


@pytest.mark.parametrize("vocabulary", [Scope, Origin, Confidence, Delivery, FallbackReason])
def test_words_pickle_as_themselves(vocabulary: type[Enum]) -> None:
    """A word that travelled is the same word."""
    assert all(pickle.loads(pickle.dumps(word)) is word for word in vocabulary)


def test_the_names_of_the_model_are_sorted_and_exist() -> None:
    """``__all__`` is sorted, and names what is there."""
    assert model.__all__ == sorted(model.__all__)
    assert all(hasattr(model, name) for name in model.__all__)
