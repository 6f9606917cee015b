"""Matrix: events of rooms."""

from __future__ import annotations

from typing import Final

from ray_router.channels.inbound import Ignored, IgnoredReason, InboundMessage, Parsed, RoomKind, place
from ray_router.channels.payload import Payload
from ray_router.channels.timestamps import epoch_milliseconds

_MESSAGE, _STICKER, _MEMBER = "m.room.message", "m.sticker", "m.room.member"
_REASON_BY_TYPE = {
    "m.reaction": IgnoredReason.REACTION,
    "m.room.encrypted": IgnoredReason.ENCRYPTED,
    "m.room.redaction": IgnoredReason.DELETION,
}
_REASON_BY_MSGTYPE = {
    "m.key.verification.request": IgnoredReason.SERVICE_MESSAGE,
    "m.notice": IgnoredReason.BOT_MESSAGE,  # what bots write; a bot must never answer one
    "m.server_notice": IgnoredReason.SERVICE_MESSAGE,
}


class Matrix:
    """Matrix. The thread is the event id of its root, which ``m.thread`` relates to.

    An event does not say who we are: of our own messages only those marked by a transaction id are
    known. Bots that write ``m.notice``, as the specification asks, are not heard again.
    """

    name: Final = "matrix"

    def parse(self, payload: object, instance: str) -> Parsed:
        """What a room event, or an application service's transaction of them, holds.

        https://spec.matrix.org/latest/client-server-api/#room-event-format, ``#threading``,
        ``#mroommessage`` and https://spec.matrix.org/latest/application-service-api/#pushing-events.
        An event of ``/sync`` leaves out its room and must be given it.
        """
        document = Payload.of(payload)
        events = document.children("events") if document.has("events") else (document,)
        return Parsed.collect(_outcome(event, instance) for event in events)


def _outcome(event: Payload, instance: str) -> InboundMessage | Ignored:
    reason = _reason(event)
    if reason is not None:
        return Ignored(reason)
    content = event.child("content")
    return InboundMessage(
        *place(Matrix.name, instance, event.text("room_id"), _thread(content)),
        message_id=event.text("event_id"),
        observed_at=epoch_milliseconds(event, "origin_server_ts"),
        user=event.text("sender"),
        text=content.optional_text("body"),
        room_kind=RoomKind.UNKNOWN,
    )


def _reason(event: Payload) -> IgnoredReason | None:
    """Why an event is no message, or None if it is one."""
    kind = event.text("type")
    if event.has("state_key"):
        return IgnoredReason.MEMBERSHIP if kind == _MEMBER else IgnoredReason.OTHER_EVENT
    if kind not in (_MESSAGE, _STICKER):
        return _REASON_BY_TYPE.get(kind, IgnoredReason.OTHER_EVENT)
    unsigned = event.optional_child("unsigned")
    if unsigned is not None and unsigned.has("redacted_because"):
        return IgnoredReason.DELETION
    if unsigned is not None and unsigned.has("transaction_id"):
        return IgnoredReason.BOT_MESSAGE
    content = event.child("content")
    relation = content.optional_child("m.relates_to")
    if relation is not None and relation.optional_text("rel_type") == "m.replace":
        return IgnoredReason.EDIT
    return _REASON_BY_MSGTYPE.get(content.text("msgtype")) if kind == _MESSAGE else None


def _thread(content: Payload) -> str | None:
    relation = content.optional_child("m.relates_to")
    if relation is None or relation.optional_text("rel_type") != "m.thread":
        return None
    return relation.text("event_id")
