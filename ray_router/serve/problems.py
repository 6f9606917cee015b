"""What a client is told when something is wrong: a status, and a ``Problem`` as JSON. Never a traceback.

====== ================ =====================================================================
status error            when
====== ================ =====================================================================
400    broken           the body is not what it should be; nothing of it was taken in
401    unauthorized     not signed, wrongly signed, replayed, no token, or a wrong one
404    not_found        no such page, or nobody by this name has webhooks here
405    not_allowed      no such method there
413    too_large        the body is larger than ``max_body_bytes``
422    invalid          a field of a call to ``/v1`` cannot be accepted
424    handler_failed   the handler failed: deliver it again
429    overloaded       there is no room: deliver it again, later
503    unavailable      the router does not answer (``/v1`` alone)
====== ================ =====================================================================
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from ray_router.channels import InvalidPayloadError
from ray_router.errors import InvalidInputError, RouterError

_log = logging.getLogger(__name__)

_ERRORS = {
    400: "broken",
    401: "unauthorized",
    404: "not_found",
    405: "not_allowed",
    413: "too_large",
    422: "invalid",
    424: "handler_failed",
    429: "overloaded",
    503: "unavailable",
}
_TRY_AGAIN_AFTER_S = "1"
_MOST_CHARACTERS = 500


class Problem(BaseModel):
    """What is wrong."""

    error: str = Field(description="One of a few words.")
    problem: str = Field(description="What is wrong, for people.")
    field: str | None = Field(default=None, description="The field that is wrong, if it is one.")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Answers of these statuses, for the OpenAPI document."""
    answers: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem, "description": _ERRORS[status]} for status in statuses
    }
    if 413 in answers:  # what says how large it is beforehand is refused before there is anybody to say why
        answers[413]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    return answers


def problem(
    status: int, what: str, field: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The answer that says what is wrong."""
    body = Problem(error=_ERRORS.get(status, "refused"), problem=what[:_MOST_CHARACTERS], field=field)
    extra = {"Retry-After": _TRY_AGAIN_AFTER_S} if status in (429, 503) else {}
    # A field's path may hold whatever the client sent, lone surrogates included.
    content = {
        name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for name, value in body.model_dump().items()
    }
    return JSONResponse(content, status, {**extra, **(headers or {})})


def install(app: FastAPI) -> None:
    """Have whatever is raised on purpose answered this way."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(InvalidPayloadError, _payload)
    app.add_exception_handler(InvalidInputError, _input)
    app.add_exception_handler(RouterError, _router)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), headers=error.headers)


async def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return problem(422, str(first["msg"]), ".".join(str(part) for part in first["loc"][1:]) or "body")


async def _payload(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, InvalidPayloadError)
    return problem(400, error.problem, error.field)


async def _input(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, InvalidInputError)
    return problem(422, error.problem, error.field)


async def _router(request: Request, error: Exception) -> JSONResponse:
    _log.warning("a call was not answered: %s", error)
    return problem(503, "the router does not answer")
