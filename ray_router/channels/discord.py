"""Discord: messages of the gateway, and buttons pressed on messages."""

from __future__ import annotations

import re
from typing import Final

from ray_router.channels.inbound import Ignored, IgnoredReason, InboundMessage, Parsed, RoomKind, place
from ray_router.channels.payload import Payload
from ray_router.channels.timestamps import rfc3339_seconds

_DISPATCH = 0
_FORWARDED = "GATEWAY_"
_REASON_BY_EVENT = {
    "GUILD_MEMBER_ADD": IgnoredReason.MEMBERSHIP,
    "GUILD_MEMBER_REMOVE": IgnoredReason.MEMBERSHIP,
    "MESSAGE_DELETE": IgnoredReason.DELETION,
    "MESSAGE_DELETE_BULK": IgnoredReason.DELETION,
    "MESSAGE_REACTION_ADD": IgnoredReason.REACTION,
    "MESSAGE_REACTION_REMOVE": IgnoredReason.REACTION,
    "MESSAGE_REACTION_REMOVE_ALL": IgnoredReason.REACTION,
    "MESSAGE_REACTION_REMOVE_EMOJI": IgnoredReason.REACTION,
    "MESSAGE_UPDATE": IgnoredReason.EDIT,
    "THREAD_CREATE": IgnoredReason.THREAD_CREATED,
}
_DEFAULT, _REPLY, _THREAD_CREATED = 0, 19, 18
_PING, _COMMAND, _COMPONENT, _AUTOCOMPLETE, _MODAL = 1, 2, 3, 4, 5
_REASON_BY_INTERACTION = {
    _PING: IgnoredReason.CHALLENGE,
    _COMMAND: IgnoredReason.COMMAND,
    _AUTOCOMPLETE: IgnoredReason.COMMAND,
}
_PRIVATE_CHANNEL = 2  # the interaction context of other people's direct and group messages
_ROOM_KINDS = {
    0: RoomKind.PUBLIC,  # a server's text channel
    1: RoomKind.DIRECT,
    2: RoomKind.PUBLIC,  # the text of a voice channel
    3: RoomKind.GROUP,
    5: RoomKind.PUBLIC,  # announcements
    10: RoomKind.PUBLIC,  # a thread of announcements
    11: RoomKind.PUBLIC,  # a public thread
    12: RoomKind.GROUP,  # a private thread
    13: RoomKind.PUBLIC,  # the text of a stage
}
_SNOWFLAKE = re.compile("[0-9]{1,20}")
_EPOCH_MS = 1_420_070_400_000  # the first second of 2015


class Discord:
    """Discord. A thread is a channel: its id is the room, of the key and of the route.

    A message in a thread does not say which channel the thread hangs from, though an interaction
    does. Were the parent the room, one conversation would be two sessions, by the kind of event.
    """

    name: Final = "discord"

    def parse(self, payload: object, instance: str) -> Parsed:
        """What an interaction or a gateway event holds.

        https://docs.discord.com/developers/events/gateway-events#message-create and
        https://docs.discord.com/developers/interactions/receiving-and-responding. An event comes as
        the gateway's own frame (``op``, ``t``, ``d``), or from whoever forwards the gateway to the
        webhook as ``{"type": "GATEWAY_<event>", "data": ...}``. A command can be called where the bot
        is no member: it is ignored.
        """
        return Parsed.collect([_outcome(Payload.of(payload), instance)])


def _outcome(payload: Payload, instance: str) -> InboundMessage | Ignored:
    if payload.has("op"):
        if payload.integer("op") != _DISPATCH:
            return Ignored(IgnoredReason.OTHER_EVENT)
        return _event(payload.text("t"), payload, "d", instance)
    if isinstance(payload.fields.get("type"), str):
        kind = payload.text("type")
        if not kind.startswith(_FORWARDED):
            raise payload.broken("type", f"must be a number, or start with {_FORWARDED}")
        return _event(kind[len(_FORWARDED) :], payload, "data", instance)
    return _interaction(payload, instance)


def _event(kind: str, frame: Payload, data: str, instance: str) -> InboundMessage | Ignored:
    if kind == "MESSAGE_CREATE":
        return _message(frame.child(data), instance)
    if kind == "INTERACTION_CREATE":
        return _interaction(frame.child(data), instance)
    return Ignored(_REASON_BY_EVENT.get(kind, IgnoredReason.OTHER_EVENT))


def _message(message: Payload, instance: str) -> InboundMessage | Ignored:
    author = message.child("author")
    if author.flag("bot") or message.has("webhook_id"):
        return Ignored(IgnoredReason.BOT_MESSAGE)
    kind = message.integer("type")
    if kind == _THREAD_CREATED:
        return Ignored(IgnoredReason.THREAD_CREATED)
    if kind not in (_DEFAULT, _REPLY):
        return Ignored(IgnoredReason.SERVICE_MESSAGE)
    return InboundMessage(
        *place(Discord.name, instance, message.text("channel_id")),
        message_id=message.text("id"),
        observed_at=rfc3339_seconds(message, "timestamp"),
        user=author.text("id"),
        text=message.optional_text("content"),
        room_kind=_room_kind(message.optional_integer("channel_type")),
    )


def _interaction(interaction: Payload, instance: str) -> InboundMessage | Ignored:
    kind = interaction.integer("type")
    if kind not in (_COMPONENT, _MODAL):
        return Ignored(_REASON_BY_INTERACTION.get(kind, IgnoredReason.OTHER_EVENT))
    # A modal that a command opened is on no message, and may be where the bot is no member.
    is_ours = interaction.has("message") and interaction.has("channel_id")
    if not is_ours or interaction.optional_integer("context") == _PRIVATE_CHANNEL:
        return Ignored(IgnoredReason.NO_CONVERSATION)
    account = (interaction.optional_child("member") or interaction).child("user")
    channel = interaction.optional_child("channel")
    return InboundMessage(
        *place(Discord.name, instance, interaction.text("channel_id")),
        message_id=interaction.text("id"),
        observed_at=_created_at(interaction, "id"),
        user=account.text("id"),
        text=None,
        room_kind=_room_kind(None if channel is None else channel.optional_integer("type")),
    )


def _created_at(payload: Payload, name: str) -> float:
    """The time in an id: https://docs.discord.com/developers/reference#snowflakes."""
    snowflake = payload.text(name)
    if not _SNOWFLAKE.fullmatch(snowflake):
        raise payload.broken(name, "must be a snowflake, a decimal number of at most 20 digits")
    return ((int(snowflake) >> 22) + _EPOCH_MS) / 1000


def _room_kind(channel_type: int | None) -> RoomKind:
    return RoomKind.UNKNOWN if channel_type is None else _ROOM_KINDS.get(channel_type, RoomKind.UNKNOWN)
