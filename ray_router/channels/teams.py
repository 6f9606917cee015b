"""Microsoft Teams: activities of the Bot Framework."""

from __future__ import annotations

from typing import Final

from ray_router.channels.inbound import Ignored, IgnoredReason, InboundMessage, Parsed, RoomKind, place
from ray_router.channels.payload import Payload
from ray_router.channels.timestamps import rfc3339_seconds

_REASON_BY_TYPE = {
    "contactRelationUpdate": IgnoredReason.MEMBERSHIP,
    "conversationUpdate": IgnoredReason.MEMBERSHIP,
    "installationUpdate": IgnoredReason.MEMBERSHIP,
    "messageDelete": IgnoredReason.DELETION,
    "messageReaction": IgnoredReason.REACTION,
    "messageUpdate": IgnoredReason.EDIT,
}
_CARD_ACTION = "adaptiveCard/action"
_BOT_ROLES = ("bot", "skill")
_THREAD_MARK = ";messageid="
_ROOM_KINDS = {
    "channel": RoomKind.PUBLIC,
    "groupChat": RoomKind.GROUP,
    "personal": RoomKind.DIRECT,
}


class Teams:
    """Microsoft Teams. The thread is the conversation id with its ``;messageid=``, the room without.

    A reply is posted to ``serviceUrl`` under the conversation id, so the whole id is what a sender
    needs, and the route carries the URL.
    """

    name: Final = "teams"

    def parse(self, payload: object, instance: str) -> Parsed:
        """What an activity holds.

        https://github.com/microsoft/Agents/blob/main/specs/activity/protocol-activity.md and
        https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/channel-and-group-conversations.
        The protocol leaves ``timestamp`` optional (A2040), and asks receivers to ignore types that
        they do not know (A2014).
        """
        return Parsed.collect([_outcome(Payload.of(payload), instance)])


def _outcome(activity: Payload, instance: str) -> InboundMessage | Ignored:
    kind = activity.text("type")
    pressed = kind == "invoke" and activity.optional_text("name") == _CARD_ACTION
    if kind != "message" and not pressed:
        return Ignored(_REASON_BY_TYPE.get(kind, IgnoredReason.OTHER_EVENT))
    sender = activity.child("from")
    if sender.optional_text("role") in _BOT_ROLES:
        return Ignored(IgnoredReason.BOT_MESSAGE)
    conversation = activity.child("conversation")
    full_id = conversation.text("id")
    room, mark, _ = full_id.partition(_THREAD_MARK)
    if not room:
        raise conversation.broken("id", f"must name a room before {_THREAD_MARK}")
    thread = full_id if mark else None
    return InboundMessage(
        *place(Teams.name, instance, room, thread, serviceUrl=activity.text("serviceUrl")),
        message_id=activity.text("id"),
        observed_at=rfc3339_seconds(activity, "timestamp") if activity.has("timestamp") else None,
        user=sender.text("id"),
        text=activity.optional_text("text"),
        room_kind=_room_kind(conversation),
    )


def _room_kind(conversation: Payload) -> RoomKind:
    kind = conversation.optional_text("conversationType")
    if kind is None and conversation.flag("isGroup"):
        return RoomKind.GROUP
    return _ROOM_KINDS.get(kind or "", RoomKind.UNKNOWN)
