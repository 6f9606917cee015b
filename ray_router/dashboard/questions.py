"""Why did it go there? What is asked about a key, and the answer step by step.

What is wrong with a question is an answer too, not a failed request: the page shows it beside the field.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ray_router.core.slots import SLOTS, slot_function
from ray_router.errors import InvalidInputError, InvalidRouteError, RouterError
from ray_router.handle import RouterHandle
from ray_router.model import Candidate, Confidence, Explanation, Route, Rung, Scope, SessionKey
from ray_router.model.words import route_line, seconds

_MOST_FALLBACKS: Final = 100
_FIELDS: Final = ("fallbacks", "allow_stale", "widest_scope", "min_confidence")


class Question(BaseModel):
    """What somebody typed; fallbacks are ids of rooms."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    fallbacks: tuple[str, ...] = Field(default=(), max_length=_MOST_FALLBACKS)
    allow_stale: bool = False
    widest_scope: Literal["thread", "room", "instance", "channel"] = "room"
    min_confidence: Literal[
        "none", "stale", "provided", "inherited", "alternate", "observed", "confirmed"
    ] = "none"

    def routes(self) -> list[Route]:
        """The fallbacks.

        Raises:
            InvalidRouteError: one is none, and which.
        """
        routes = []
        for number, room in enumerate(self.fallbacks, start=1):
            try:
                routes.append(Route(room))
            except InvalidRouteError as error:
                raise InvalidRouteError("fallbacks", f"line {number} {error.problem}") from None
        return routes


async def answer_to(body: bytes, router: RouterHandle) -> dict[str, object]:
    """The answer to a question, as JSON has it: ``outcome`` is explained, refused or unanswered."""
    try:
        question = Question.model_validate_json(body)
        key = SessionKey.parse(question.key)
        explained = await router.explain(
            key,
            question.routes(),
            allow_stale=question.allow_stale,
            widest_scope=Scope[question.widest_scope.upper()],
            min_confidence=Confidence[question.min_confidence.upper()],
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = str(first["loc"][0]) if first["loc"] else "key"
        return _refused(field, first["msg"])
    except InvalidInputError as error:
        return _refused(error.field, error.problem)
    except RouterError as error:
        return {"outcome": "unanswered", "problem": str(error)}
    return {"outcome": "explained", **_journey(explained, router)}


def _refused(field: str, problem: str) -> dict[str, object]:
    """What is wrong, with the field of the form that it belongs to: a part of a key belongs to the key."""
    of_form = next((each for each in _FIELDS if field.startswith(each)), "key")
    said = problem if field == of_form else f"{field}: {problem}"
    return {"outcome": "refused", "field": of_form, "problem": said}


def _journey(explained: Explanation, router: RouterHandle) -> dict[str, object]:
    key, answer, strategy = explained.key, explained.resolution, router.config.hash_strategy
    return {
        "key": str(key),
        "parts": {each: getattr(key, each) for each in ("channel", "instance", "room", "thread")},
        "scope": key.scope.name.lower(),
        "strategy": strategy,
        "slot": slot_function(strategy)(str(key)),
        "slots": SLOTS,
        "epoch": answer.epoch,
        "answered_by": explained.answered_by,
        "served_by_standby": answer.served_by_standby,
        "route": None if answer.route is None else route_line(answer.route),
        "source": answer.source.value,
        "reason": None if answer.reason is None else answer.reason.value,
        "fallback": answer.fallback,
        "stale": answer.stale,
        "confidence": answer.confidence.name.lower(),
        "age": seconds(answer.age_s),
        "fresh_for": seconds(answer.expires_in_s),
        "rungs": [_rung(each) | {"answered": each.source is answer.source} for each in explained.rungs],
    }


def _rung(rung: Rung) -> dict[str, object]:
    return {
        "source": rung.source.value,
        "reached": rung.reached,
        "note": rung.note,
        "candidates": [_candidate(each) for each in rung.candidates],
    }


def _candidate(each: Candidate) -> dict[str, object]:
    return {
        "route": route_line(each.route),
        "of": "the caller" if each.scope is None else each.scope.name.lower(),
        "verdict": each.verdict.value,
        "why": each.why,
        "seen": each.seen,
        "confidence": each.confidence.name.lower(),
    }
