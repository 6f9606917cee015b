"""Telegram: updates of the Bot API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ray_router.channels.inbound import Ignored, IgnoredReason, InboundMessage, Parsed, RoomKind, place
from ray_router.channels.payload import Payload
from ray_router.channels.timestamps import epoch_seconds
from ray_router.model import Route, SessionKey

_MESSAGES = ("channel_post", "message")
_REASON_BY_UPDATE = {
    "business_message": IgnoredReason.NO_CONVERSATION,
    "chat_join_request": IgnoredReason.MEMBERSHIP,
    "chat_member": IgnoredReason.MEMBERSHIP,
    "chosen_inline_result": IgnoredReason.NO_CONVERSATION,
    "deleted_business_messages": IgnoredReason.DELETION,
    "edited_business_message": IgnoredReason.EDIT,
    "edited_channel_post": IgnoredReason.EDIT,
    "edited_message": IgnoredReason.EDIT,
    "guest_message": IgnoredReason.NO_CONVERSATION,
    "inline_query": IgnoredReason.NO_CONVERSATION,
    "message_reaction": IgnoredReason.REACTION,
    "message_reaction_count": IgnoredReason.REACTION,
    "my_chat_member": IgnoredReason.MEMBERSHIP,
}
# The fields that the Bot API describes as a service message, Bot API 9.
_SERVICE_FIELDS = (
    *("new_chat_members", "left_chat_member", "new_chat_title", "new_chat_photo", "delete_chat_photo"),
    *("group_chat_created", "supergroup_chat_created", "channel_chat_created", "pinned_message"),
    *("chat_owner_left", "chat_owner_changed", "chat_background_set", "message_auto_delete_timer_changed"),
    *("migrate_to_chat_id", "migrate_from_chat_id", "connected_website", "write_access_allowed"),
    *("successful_payment", "refunded_payment", "paid_message_price_changed", "direct_message_price_changed"),
    *("users_shared", "chat_shared", "web_app_data", "boost_added", "proximity_alert_triggered"),
    *("gift", "unique_gift", "gift_upgrade_sent", "giveaway_created", "giveaway_completed"),
    *("checklist_tasks_added", "checklist_tasks_done", "suggested_post_approved", "suggested_post_declined"),
    *("suggested_post_approval_failed", "suggested_post_paid", "suggested_post_refunded"),
    *("forum_topic_created", "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened"),
    *("general_forum_topic_hidden", "general_forum_topic_unhidden", "video_chat_scheduled"),
    *("video_chat_started", "video_chat_ended", "video_chat_participants_invited"),
)
# "Independent from any potential bot chat which might share the same identifier": other people's chats.
_FOREIGN_FIELDS = ("business_connection_id", "guest_query_id")
_ROOM_KINDS = {
    "channel": RoomKind.PUBLIC,
    "group": RoomKind.GROUP,
    "private": RoomKind.DIRECT,
    "supergroup": RoomKind.GROUP,
}


class Telegram:
    """Telegram. The thread is a topic's ``message_thread_id``.

    In other supergroups the field numbers a chain of replies, to which nothing can be sent, so it
    counts only where ``is_topic_message`` says that it is a topic.
    """

    name: Final = "telegram"

    def parse(self, payload: object, instance: str) -> Parsed:
        """What an update, or a message on its own, holds.

        https://core.telegram.org/bots/api#update, ``#message`` and ``#callbackquery``. A pressed
        button states no time.
        """
        return Parsed.collect(_outcomes(Payload.of(payload), instance))


def _outcomes(payload: Payload, instance: str) -> Iterator[InboundMessage | Ignored]:
    if payload.has("message_id") and not payload.has("update_id"):
        yield _message(payload, instance)
        return
    payload.integer("update_id")
    for name in payload.fields:
        if name == "update_id" or not payload.has(name):
            continue
        if name in _MESSAGES:
            yield _message(payload.child(name), instance)
        elif name == "callback_query":
            yield _press(payload.child(name), instance)
        else:
            yield Ignored(_REASON_BY_UPDATE.get(name, IgnoredReason.OTHER_EVENT))


def _message(message: Payload, instance: str) -> InboundMessage | Ignored:
    if any(message.has(field) for field in _FOREIGN_FIELDS):
        return Ignored(IgnoredReason.NO_CONVERSATION)
    if any(message.has(field) for field in _SERVICE_FIELDS):
        return Ignored(IgnoredReason.SERVICE_MESSAGE)
    # On behalf of a chat, ``from`` is a fake bot that stands in for ``sender_chat``.
    sender = message.optional_child("sender_chat") or message.optional_child("from")
    if sender is not None and sender.flag("is_bot"):
        return Ignored(IgnoredReason.BOT_MESSAGE)
    return InboundMessage(
        *_place(message, instance),
        message_id=str(message.integer("message_id")),
        observed_at=epoch_seconds(message, "date"),
        user=None if sender is None else str(sender.integer("id")),
        text=message.optional_text("text") or message.optional_text("caption"),
        room_kind=_room_kind(message),
    )


def _press(query: Payload, instance: str) -> InboundMessage | Ignored:
    message = query.optional_child("message")
    # A date of 0 marks an inaccessible message, which does not say its topic.
    if message is None or message.integer("date") == 0:
        return Ignored(IgnoredReason.NO_CONVERSATION)
    if any(message.has(field) for field in _FOREIGN_FIELDS):
        return Ignored(IgnoredReason.NO_CONVERSATION)
    return InboundMessage(
        *_place(message, instance),
        message_id=query.text("id"),
        observed_at=None,
        user=str(query.child("from").integer("id")),
        text=None,
        room_kind=_room_kind(message),
    )


def _place(message: Payload, instance: str) -> tuple[SessionKey, Route]:
    room = str(message.child("chat").integer("id"))
    topic = message.optional_child("direct_messages_topic")
    if topic is not None:
        # A channel's direct messages: a reply names the topic in a parameter of its own.
        thread = str(topic.integer("topic_id"))
        return place(Telegram.name, instance, room, thread, thread_parameter="direct_messages_topic_id")
    if message.flag("is_topic_message"):
        return place(Telegram.name, instance, room, str(message.integer("message_thread_id")))
    return place(Telegram.name, instance, room)


def _room_kind(message: Payload) -> RoomKind:
    return _ROOM_KINDS.get(message.child("chat").text("type"), RoomKind.UNKNOWN)
