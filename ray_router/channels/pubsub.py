"""The wrapping of Google Cloud Pub/Sub push deliveries."""

from __future__ import annotations

import base64
import json

from ray_router.channels.payload import Payload


def is_pushed(payload: Payload) -> bool:
    """True for the body of a push delivery, which names its subscription."""
    return payload.has("subscription")


def unwrap(payload: Payload) -> tuple[str | None, Payload]:
    """The CloudEvents type of a push delivery, if it has one, and the object it carries.

    https://docs.cloud.google.com/pubsub/docs/push#receive_push and, for ``ce-type``,
    https://developers.google.com/workspace/events/guides/about#event-structure.
    """
    message = payload.child("message")
    attributes = message.optional_child("attributes")
    kind = None if attributes is None else attributes.optional_text("ce-type")
    try:
        data = json.loads(base64.b64decode(message.text("data"), validate=True))
    except (ValueError, RecursionError):
        # RecursionError: an object nested deeper than the interpreter's stack.
        raise message.broken("data", "must be base64 of JSON") from None
    return kind, Payload.of(data, f"{message.path}.data")
