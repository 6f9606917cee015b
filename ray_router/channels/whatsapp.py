"""WhatsApp: webhooks of the Cloud API, which come in batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ray_router.channels.inbound import Ignored, IgnoredReason, InboundMessage, Parsed, RoomKind, place
from ray_router.channels.payload import Payload
from ray_router.channels.timestamps import decimal_seconds

_OBJECT = "whatsapp_business_account"
_REASON_BY_FIELD = {"smb_message_echoes": IgnoredReason.BOT_MESSAGE}
_REASON_BY_TYPE = {
    "edit": IgnoredReason.EDIT,
    "reaction": IgnoredReason.REACTION,
    "request_welcome": IgnoredReason.SERVICE_MESSAGE,
    "revoke": IgnoredReason.DELETION,
    "system": IgnoredReason.SERVICE_MESSAGE,
    "unsupported": IgnoredReason.UNSUPPORTED,
}
_TEXT_FIELDS = {
    "button": "text",
    "document": "caption",
    "image": "caption",
    "text": "body",
    "video": "caption",
}
_TITLED_REPLIES = ("button_reply", "list_reply")


class WhatsApp:
    """WhatsApp. The room is the user, or the group; there are no threads.

    Only the business number that was written to can answer, so the route carries its id. One
    instance is one business number: two numbers under one instance would share their users' sessions.
    """

    name: Final = "whatsapp"

    def parse(self, payload: object, instance: str) -> Parsed:
        """What a batch holds.

        https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
        and, for users who hide their number behind a ``from_user_id``,
        https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids.
        """
        return Parsed.collect(_outcomes(Payload.of(payload), instance))


def _outcomes(payload: Payload, instance: str) -> Iterator[InboundMessage | Ignored]:
    if payload.text("object") != _OBJECT:
        raise payload.broken("object", f"must be {_OBJECT!r}")
    for entry in payload.children("entry"):
        for change in entry.children("changes"):
            field = change.text("field")
            if field == "messages":
                yield from _change(change.child("value"), instance)
            else:
                yield Ignored(_REASON_BY_FIELD.get(field, IgnoredReason.OTHER_EVENT))


def _change(value: Payload, instance: str) -> Iterator[InboundMessage | Ignored]:
    for message in value.optional_children("messages"):
        reason = _REASON_BY_TYPE.get(message.text("type"))
        yield _message(value, message, instance) if reason is None else Ignored(reason)
    for _ in value.optional_children("statuses"):
        yield Ignored(IgnoredReason.STATUS)
    for _ in value.optional_children("errors"):
        yield Ignored(IgnoredReason.OTHER_EVENT)


def _message(value: Payload, message: Payload, instance: str) -> InboundMessage:
    number, group = message.optional_text("from"), message.optional_text("group_id")
    user = number or message.optional_text("from_user_id")
    if user is None:
        raise message.broken("from", "is missing, and so is from_user_id")
    needed = {"phone_number_id": value.child("metadata").text("phone_number_id")}
    if group is not None:
        needed["recipient_type"] = "group"
    elif number is None:
        # The Cloud API takes a number in ``to``, but a user id in ``recipient``.
        needed["recipient_parameter"] = "recipient"
    return InboundMessage(
        *place(WhatsApp.name, instance, group or user, **needed),
        message_id=message.text("id"),
        observed_at=decimal_seconds(message, "timestamp"),
        user=user,
        text=_text(message),
        room_kind=RoomKind.DIRECT if group is None else RoomKind.GROUP,
    )


def _text(message: Payload) -> str | None:
    """What the user sees as written: a text, a caption, or the title of the button pressed."""
    kind = message.text("type")
    if kind == "interactive":
        interactive = message.child(kind)
        reply = interactive.text("type")
        return interactive.child(reply).optional_text("title") if reply in _TITLED_REPLIES else None
    return message.child(kind).optional_text(_TEXT_FIELDS[kind]) if kind in _TEXT_FIELDS else None
