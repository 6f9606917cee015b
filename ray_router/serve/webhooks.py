"""``/webhooks/{channel}/{instance}``: what platforms post, and what they ask of an endpoint."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from ray_router.channels import InvalidPayloadError
from ray_router.serve.endpoints import Arrival, Endpoint, NotAuthenticError, WhatsAppEndpoint
from ray_router.serve.front import Front, Receipt
from ray_router.serve.problems import documented, problem

_log = logging.getLogger(__name__)

_NOT_TAKEN = {
    Receipt.FAILED: (424, "the handler failed"),
    Receipt.OVERLOADED: (429, "too many messages are being received"),
}
_ANY_JSON: dict[str, Any] = {
    "requestBody": {
        "description": "What the platform documents, signed as it documents.",
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Received. What stands in the answer is what the platform expects there."},
    202: {"description": "Received; it is still being worked on."},
    **documented(400, 401, 404, 413, 424, 429),
}
_CHALLENGE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The challenge.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}
Name = Annotated[str, Path(min_length=1)]


def webhooks(front: Front) -> APIRouter:
    """The routes of a front's webhooks."""
    routes = APIRouter(tags=["webhooks"])

    async def receive(request: Request, channel: str, instance: str) -> Response:
        endpoint = _endpoint(front, channel, instance)
        body = await request.body()
        try:
            payload = await endpoint.admit(Arrival(request.headers, body, front.clock()))
            if (answer := endpoint.challenge(payload)) is not None:
                front.counts["challenged"] += 1
                return answer
            parsed = endpoint.parse(payload)
        except NotAuthenticError as error:
            raise _refused(front, channel, instance, error) from None
        except InvalidPayloadError as error:
            front.counts["broken"] += 1
            _log.warning("a payload for %s/%s was broken: %s", channel, instance, error)
            raise
        return _answer(endpoint, payload, await front.receive(parsed))

    @routes.post(
        "/webhooks/{channel}/{instance}",
        summary="Deliver a payload",
        responses=_ANSWERS,
        openapi_extra=_ANY_JSON,
    )
    async def deliver(request: Request, channel: Name, instance: Name) -> Response:
        """Authentic payloads are received; what is no message is ignored, and taken as well."""
        return await receive(request, channel, instance)

    @routes.put(
        "/webhooks/matrix/{instance}/_matrix/app/v1/transactions/{transaction}",
        summary="Push a transaction (Matrix)",
        responses=_ANSWERS,
        openapi_extra=_ANY_JSON,
    )
    async def push(request: Request, instance: Name, transaction: Name) -> Response:
        """What a homeserver calls when the URL of the registration is that of its webhook."""
        return await receive(request, "matrix", instance)

    @routes.get(
        "/webhooks/{channel}/{instance}",
        summary="Verify the endpoint (WhatsApp)",
        response_class=Response,
        responses=_CHALLENGE | documented(401, 404, 422),
    )
    async def verify(
        channel: Name,
        instance: Name,
        mode: Annotated[str, Query(alias="hub.mode")] = "",
        token: Annotated[str, Query(alias="hub.verify_token")] = "",
        challenge: Annotated[str, Query(alias="hub.challenge", max_length=1_000)] = "",
    ) -> PlainTextResponse:
        """The challenge, to whoever knows the verify token."""
        endpoint = _endpoint(front, channel, instance)
        if not isinstance(endpoint, WhatsAppEndpoint):
            raise HTTPException(404, "nothing is to be had here; deliveries are posted")
        try:
            answer = endpoint.verify(mode, token, challenge)
        except NotAuthenticError as error:
            raise _refused(front, channel, instance, error) from None
        return PlainTextResponse(answer, headers={"X-Content-Type-Options": "nosniff"})

    return routes


def _endpoint(front: Front, channel: str, instance: str) -> Endpoint:
    endpoint = front.endpoints.get((channel, instance))
    if endpoint is None:
        front.counts["refused.unknown"] += 1
        raise HTTPException(404, "nobody by this name has webhooks here")
    return endpoint


def _refused(front: Front, channel: str, instance: str, error: NotAuthenticError) -> HTTPException:
    front.counts[f"refused.{error.reason}"] += 1
    _log.warning("a delivery to %s/%s was not authentic: %s", channel, instance, error.reason)
    return HTTPException(401, "not authentic", {"WWW-Authenticate": "Signature"})


def _answer(endpoint: Endpoint, payload: object, receipt: Receipt) -> Response:
    if receipt in _NOT_TAKEN and not (receipt is Receipt.FAILED and endpoint.redelivery_blocks):
        return problem(*_NOT_TAKEN[receipt])
    answer = endpoint.acknowledge(payload)
    if receipt is Receipt.UNDER_WAY and answer.body in (b"", b"{}"):
        answer.status_code = 202
    return answer
