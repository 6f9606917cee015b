"""Channels: what platforms deliver, turned into messages with the session and the route they show.

>>> payload = {"update_id": 1, "message": {
...     "message_id": 7, "date": 1569518342, "chat": {"id": 42, "type": "private"}, "text": "hello"}}
>>> [message] = find_channel("telegram").parse(payload, "bot_1").messages
>>> str(message.key), message.route.external_room_id, message.text
('telegram:bot_1:42', '42', 'hello')
"""

from ray_router.channels.channel import Channel
from ray_router.channels.inbound import Ignored, IgnoredReason, InboundMessage, Parsed, RoomKind, place
from ray_router.channels.payload import InvalidPayloadError, Payload
from ray_router.channels.registry import (
    BUILT_IN,
    ENTRY_POINT_GROUP,
    BrokenChannelError,
    UnknownChannelError,
    channel_names,
    find_channel,
)

__all__ = [
    "BUILT_IN",
    "ENTRY_POINT_GROUP",
    "BrokenChannelError",
    "Channel",
    "Ignored",
    "IgnoredReason",
    "InboundMessage",
    "InvalidPayloadError",
    "Parsed",
    "Payload",
    "RoomKind",
    "UnknownChannelError",
    "channel_names",
    "find_channel",
    "place",
]
