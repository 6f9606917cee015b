"""Slack: Events API message events, and buttons pressed on messages."""

from __future__ import annotations

from typing import Final

from ray_router.channels.inbound import Ignored, IgnoredReason, InboundMessage, Parsed, RoomKind, place
from ray_router.channels.payload import Payload
from ray_router.channels.timestamps import decimal_seconds

_REASON_BY_TYPE = {
    "message_action": IgnoredReason.COMMAND,
    "shortcut": IgnoredReason.COMMAND,
    "url_verification": IgnoredReason.CHALLENGE,
    "view_closed": IgnoredReason.NO_CONVERSATION,
    "view_submission": IgnoredReason.NO_CONVERSATION,
}
_REASON_BY_EVENT = {
    "member_joined_channel": IgnoredReason.MEMBERSHIP,
    "member_left_channel": IgnoredReason.MEMBERSHIP,
    "reaction_added": IgnoredReason.REACTION,
    "reaction_removed": IgnoredReason.REACTION,
}
_REASON_BY_SUBTYPE = {
    "bot_message": IgnoredReason.BOT_MESSAGE,
    "channel_join": IgnoredReason.MEMBERSHIP,
    "channel_leave": IgnoredReason.MEMBERSHIP,
    "group_join": IgnoredReason.MEMBERSHIP,
    "group_leave": IgnoredReason.MEMBERSHIP,
    "message_changed": IgnoredReason.EDIT,
    "message_deleted": IgnoredReason.DELETION,
}
_WRITTEN_BY_USERS = (None, "file_share", "me_message", "thread_broadcast")
_ROOM_KINDS = {
    "app_home": RoomKind.DIRECT,
    "channel": RoomKind.PUBLIC,
    "group": RoomKind.GROUP,
    "im": RoomKind.DIRECT,
    "mpim": RoomKind.GROUP,
}


class Slack:
    """Slack. A message of a thread names it by ``thread_ts``; any other belongs to its channel."""

    name: Final = "slack"

    def parse(self, payload: object, instance: str) -> Parsed:
        """What an event, an interaction or a slash command holds.

        https://docs.slack.dev/reference/events/message,
        https://docs.slack.dev/reference/interaction-payloads/block_actions-payload and
        https://docs.slack.dev/interactivity/implementing-slash-commands. A slash command can be called
        in channels where the app is no member, and states no time: it is ignored.
        """
        return Parsed.collect([_outcome(Payload.of(payload), instance)])


def _outcome(payload: Payload, instance: str) -> InboundMessage | Ignored:
    if payload.optional_text("command") and not payload.has("type"):
        return Ignored(IgnoredReason.COMMAND)  # the only payload without a type
    kind = payload.text("type")
    if kind == "event_callback":
        return _event(payload.child("event"), instance)
    if kind == "block_actions":
        return _press(payload, instance)
    return Ignored(_REASON_BY_TYPE.get(kind, IgnoredReason.OTHER_EVENT))


def _event(event: Payload, instance: str) -> InboundMessage | Ignored:
    kind = event.text("type")
    # An app that may not read a channel is still told of its mentions; both events carry one ``ts``.
    if kind not in ("message", "app_mention"):
        return Ignored(_REASON_BY_EVENT.get(kind, IgnoredReason.OTHER_EVENT))
    subtype = event.optional_text("subtype")
    if subtype not in _WRITTEN_BY_USERS:
        return Ignored(_REASON_BY_SUBTYPE.get(subtype, IgnoredReason.SERVICE_MESSAGE))
    if event.has("bot_id"):
        return Ignored(IgnoredReason.BOT_MESSAGE)
    return InboundMessage(
        *place(Slack.name, instance, event.text("channel"), event.optional_text("thread_ts")),
        message_id=event.text("ts"),
        observed_at=decimal_seconds(event, "ts"),
        user=event.optional_text("user"),
        text=event.optional_text("text"),
        room_kind=_ROOM_KINDS.get(event.optional_text("channel_type") or "", RoomKind.UNKNOWN),
    )


def _press(payload: Payload, instance: str) -> InboundMessage | Ignored:
    container = payload.child("container")
    if container.text("type") not in ("message", "message_attachment"):
        return Ignored(IgnoredReason.NO_CONVERSATION)
    actions = payload.children("actions")
    if not actions:
        raise payload.broken("actions", "must not be empty")
    return InboundMessage(
        *place(Slack.name, instance, container.text("channel_id"), container.optional_text("thread_ts")),
        message_id=payload.text("trigger_id"),
        observed_at=decimal_seconds(actions[0], "action_ts"),
        user=payload.child("user").text("id"),
        text=None,
        room_kind=RoomKind.UNKNOWN,
    )
