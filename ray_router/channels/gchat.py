"""Google Chat: events of Chat apps and of Workspace add-ons, direct or through Pub/Sub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ray_router.channels import pubsub
from ray_router.channels.inbound import Ignored, IgnoredReason, InboundMessage, Parsed, RoomKind, place
from ray_router.channels.payload import Payload
from ray_router.channels.timestamps import rfc3339_seconds
from ray_router.model import Route, SessionKey

_REASON_BY_INTERACTION = {
    "ADDED_TO_SPACE": IgnoredReason.MEMBERSHIP,
    "APP_COMMAND": IgnoredReason.COMMAND,
    "REMOVED_FROM_SPACE": IgnoredReason.MEMBERSHIP,
}
_REASON_BY_ADD_ON_PAYLOAD = {
    "addedToSpacePayload": IgnoredReason.MEMBERSHIP,
    "appCommandPayload": IgnoredReason.COMMAND,
    "removedFromSpacePayload": IgnoredReason.MEMBERSHIP,
}
_CREATED = "google.workspace.chat.message.v1.created"
_BATCH_CREATED = "google.workspace.chat.message.v1.batchCreated"
_REASON_BY_CLOUD_EVENT = (
    ("google.workspace.chat.message.v1.updated", IgnoredReason.EDIT),
    ("google.workspace.chat.message.v1.batchUpdated", IgnoredReason.EDIT),
    ("google.workspace.chat.message.v1.deleted", IgnoredReason.DELETION),
    ("google.workspace.chat.message.v1.batchDeleted", IgnoredReason.DELETION),
    ("google.workspace.chat.reaction.", IgnoredReason.REACTION),
    ("google.workspace.chat.membership.", IgnoredReason.MEMBERSHIP),
    ("", IgnoredReason.OTHER_EVENT),
)
_ROOM_KINDS = {
    "DIRECT_MESSAGE": RoomKind.DIRECT,
    "DM": RoomKind.DIRECT,
    "GROUP_CHAT": RoomKind.GROUP,
    "ROOM": RoomKind.GROUP,
    "SPACE": RoomKind.GROUP,  # people join a space by invitation
}
_FLAT = ("DIRECT_MESSAGE", "DM", "GROUP_CHAT")


class GoogleChat:
    """Google Chat. The thread is the resource name of the message's thread.

    Direct messages and group chats are documented as flat (``UNTHREADED_MESSAGES``), yet give each
    message a thread of its own. There only a reply in a thread has one, or every message would be a
    session of its own. Events of a subscription name the space without its type: theirs are threads.
    """

    name: Final = "gchat"

    def parse(self, payload: object, instance: str) -> Parsed:
        """What an event holds.

        https://developers.google.com/workspace/chat/api/reference/rest/v1/Event (Chat apps),
        https://developers.google.com/workspace/add-ons/concepts/event-objects#chat-event-object
        (add-ons), https://developers.google.com/workspace/events/guides/events-chat (subscriptions)
        and https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages.
        """
        return Parsed.collect(_outcomes(Payload.of(payload), instance))


def _outcomes(payload: Payload, instance: str) -> Iterator[InboundMessage | Ignored]:
    if not pubsub.is_pushed(payload):
        yield _direct(payload, instance)
        return
    kind, data = pubsub.unwrap(payload)
    if kind is None:
        yield _direct(data, instance)
    elif kind == _CREATED:
        yield _message(data, data, instance)
    elif kind == _BATCH_CREATED:
        for item in data.children("messages"):
            yield _message(item, item, instance)
    else:
        yield Ignored(next(why for prefix, why in _REASON_BY_CLOUD_EVENT if kind.startswith(prefix)))


def _direct(payload: Payload, instance: str) -> InboundMessage | Ignored:
    if payload.has("chat"):
        return _add_on(payload.child("chat"), instance)
    kind = payload.text("type")
    # An app that is added by mentioning it gets the message with that event, and no other.
    if kind == "MESSAGE" or (kind == "ADDED_TO_SPACE" and payload.has("message")):
        return _message(payload, payload, instance)
    if kind == "CARD_CLICKED":
        return _press(payload, payload, instance)
    return Ignored(_REASON_BY_INTERACTION.get(kind, IgnoredReason.OTHER_EVENT))


def _add_on(chat: Payload, instance: str) -> InboundMessage | Ignored:
    if chat.has("messagePayload"):
        return _message(chat, chat.child("messagePayload"), instance)
    if chat.has("buttonClickedPayload"):
        return _press(chat, chat.child("buttonClickedPayload"), instance)
    reasons = (why for name, why in _REASON_BY_ADD_ON_PAYLOAD.items() if chat.has(name))
    return Ignored(next(reasons, IgnoredReason.OTHER_EVENT))


def _message(event: Payload, holder: Payload, instance: str) -> InboundMessage | Ignored:
    message = holder.child("message")
    sender = message.child("sender")
    if sender.optional_text("type") == "BOT":
        return Ignored(IgnoredReason.BOT_MESSAGE)
    if message.has("slashCommand"):
        return Ignored(IgnoredReason.COMMAND)
    return InboundMessage(
        *_place(holder, instance),
        message_id=message.text("name"),
        # ``createTime`` first: it is the same by whichever way the message comes.
        observed_at=_first_stated((message, "createTime"), (event, "eventTime")),
        user=sender.text("name"),
        text=message.optional_text("text"),
        room_kind=_room_kind(holder),
    )


def _press(event: Payload, holder: Payload, instance: str) -> InboundMessage | Ignored:
    if not holder.has("message"):
        return Ignored(IgnoredReason.NO_CONVERSATION)  # in a dialog that no message opened
    return InboundMessage(
        *_place(holder, instance),
        # A press has no id of its own.
        message_id=f"{holder.child('message').text('name')}@{event.text('eventTime')}",
        observed_at=rfc3339_seconds(event, "eventTime"),
        user=event.child("user").text("name"),
        text=None,
        room_kind=_room_kind(holder),
    )


def _place(holder: Payload, instance: str) -> tuple[SessionKey, Route]:
    message = holder.child("message")
    room = _space(holder).text("name")
    thread = message.optional_child("thread")
    is_flat = _space_type(holder) in _FLAT and not message.flag("threadReply")
    if thread is None or is_flat:
        return place(GoogleChat.name, instance, room)
    return place(GoogleChat.name, instance, room, thread.text("name"))


def _room_kind(holder: Payload) -> RoomKind:
    return _ROOM_KINDS.get(_space_type(holder) or "", RoomKind.UNKNOWN)


def _space_type(holder: Payload) -> str | None:
    space = _space(holder)
    return space.optional_text("spaceType") or space.optional_text("type")


def _space(holder: Payload) -> Payload:
    """The space as the event gives it, or as the message does, which may be its name alone."""
    return holder.optional_child("space") or holder.child("message").child("space")


def _first_stated(*times: tuple[Payload, str]) -> float | None:
    return next((rfc3339_seconds(payload, name) for payload, name in times if payload.has(name)), None)
