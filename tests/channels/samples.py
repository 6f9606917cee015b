"""Small valid payloads, one for each shape that a channel understands, and short ways to read results."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from ray_router.channels import BUILT_IN, IgnoredReason, InboundMessage, InvalidPayloadError, Parsed

Json = dict[str, Any]

SLACK: Json = {
    "type": "event_callback",
    "event": {
        "type": "message",
        "channel": "C1",
        "channel_type": "channel",
        "user": "U1",
        "text": "hi",
        "ts": "1767224901.701849",
        "thread_ts": "1767224888.280449",
    },
}
SLACK_PRESS: Json = {
    "type": "block_actions",
    "user": {"id": "U1"},
    "trigger_id": "1.2.3",
    "container": {"type": "message", "channel_id": "C1", "thread_ts": "1767224888.280449"},
    "actions": [{"action_ts": "1767224902.5"}],
}
TELEGRAM: Json = {
    "update_id": 1,
    "message": {
        "message_id": 7,
        "message_thread_id": 4,
        "is_topic_message": True,
        "date": 1569518342,
        "chat": {"id": -100, "type": "supergroup"},
        "from": {"id": 42, "is_bot": False},
        "text": "hi",
    },
}
TELEGRAM_PRESS: Json = {
    "update_id": 2,
    "callback_query": {
        "id": "99",
        "from": {"id": 42},
        "message": {"message_id": 6, "date": 1569518300, "chat": {"id": 42, "type": "private"}},
    },
}
TELEGRAM_DIRECT_TOPIC: Json = {
    "message_id": 7,
    "date": 1569518342,
    "chat": {"id": -100, "type": "supergroup"},
    "sender_chat": {"id": -200, "type": "channel"},
    "direct_messages_topic": {"topic_id": 55},
    "caption": "a photo",
}
DISCORD: Json = {
    "op": 0,
    "t": "MESSAGE_CREATE",
    "d": {
        "id": "1457536593454825552",
        "type": 0,
        "channel_id": "1457536551830421524",
        "channel_type": 11,
        "author": {"id": "1033044521375764530", "bot": False},
        "timestamp": "2026-01-05T00:50:03.600000+00:00",
        "content": "hi",
    },
}
DISCORD_PRESS: Json = {
    "id": "1457536583141163186",
    "type": 3,
    "context": 0,
    "channel_id": "1457536551830421524",
    "channel": {"id": "1457536551830421524", "type": 11},
    "member": {"user": {"id": "1033044521375764530"}},
    "message": {"id": "1457536567810854934"},
}
DISCORD_FORWARDED: Json = {"type": "GATEWAY_INTERACTION_CREATE", "data": DISCORD_PRESS}
TEAMS: Json = {
    "type": "message",
    "id": "1767224937245",
    "timestamp": "2026-01-02T18:28:24.3788393Z",
    "serviceUrl": "https://smba.example/amer/",
    "from": {"id": "29:1x", "role": "user"},
    "conversation": {"id": "19:a@thread.tacv2;messageid=17", "conversationType": "channel"},
    "text": "hi",
}
WHATSAPP_MESSAGE: Json = {
    "from": "972987654321",
    "id": "wamid.1",
    "timestamp": "1697043223",
    "type": "text",
    "text": {"body": "hi"},
}
WHATSAPP_PRESS: Json = {
    "from_user_id": "US.134",
    "id": "wamid.2",
    "timestamp": "1697043224",
    "type": "interactive",
    "interactive": {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes"}},
}
WHATSAPP: Json = {
    "object": "whatsapp_business_account",
    "entry": [
        {
            "changes": [
                {
                    "field": "messages",
                    "value": {
                        "metadata": {"phone_number_id": "112233"},
                        "messages": [WHATSAPP_MESSAGE, WHATSAPP_PRESS],
                        "statuses": [{"id": "wamid.0", "status": "read"}],
                    },
                }
            ]
        }
    ],
}
MATRIX: Json = {
    "type": "m.room.message",
    "event_id": "$reply",
    "room_id": "!room:server.org",
    "sender": "@user:server.org",
    "origin_server_ts": 1520372800469,
    "unsigned": {"age": 12},
    "content": {
        "msgtype": "m.text",
        "body": "hi",
        "m.relates_to": {"rel_type": "m.thread", "event_id": "$root"},
    },
}
MATRIX_TRANSACTION: Json = {"events": [MATRIX, {**MATRIX, "type": "m.reaction"}]}
GCHAT_MESSAGE: Json = {
    "name": "spaces/A/messages/m",
    "createTime": "2026-01-02T18:02:52.270735Z",
    "sender": {"name": "users/1", "type": "HUMAN"},
    "text": "hi",
    "thread": {"name": "spaces/A/threads/t"},
    "space": {"name": "spaces/A"},
    "threadReply": True,
}
GCHAT: Json = {
    "type": "MESSAGE",
    "eventTime": "2026-01-02T18:02:53Z",
    "space": {"name": "spaces/A", "spaceType": "SPACE"},
    "user": {"name": "users/1"},
    "message": GCHAT_MESSAGE,
}
GCHAT_PRESS: Json = {
    "chat": {
        "eventTime": "2026-01-02T18:02:53Z",
        "user": {"name": "users/1"},
        "buttonClickedPayload": {"space": {"name": "spaces/A", "type": "ROOM"}, "message": GCHAT_MESSAGE},
    }
}
GCHAT_CREATED = "google.workspace.chat.message.v1.created"
GCHAT_BATCH_CREATED = "google.workspace.chat.message.v1.batchCreated"


def pushed(data: object, kind: str | None = None) -> Json:
    """What Pub/Sub posts to deliver ``data``."""
    text = base64.b64encode(json.dumps(data).encode()).decode()
    attributes = {} if kind is None else {"attributes": {"ce-type": kind}}
    return {"subscription": "projects/p/subscriptions/s", "message": {"data": text, **attributes}}


SAMPLES: tuple[tuple[str, Json], ...] = (
    ("slack", SLACK),
    ("slack", SLACK_PRESS),
    ("telegram", TELEGRAM),
    ("telegram", TELEGRAM_PRESS),
    ("telegram", TELEGRAM_DIRECT_TOPIC),
    ("discord", DISCORD),
    ("discord", DISCORD_PRESS),
    ("discord", DISCORD_FORWARDED),
    ("teams", TEAMS),
    ("whatsapp", WHATSAPP),
    ("matrix", MATRIX),
    ("matrix", MATRIX_TRANSACTION),
    ("gchat", GCHAT),
    ("gchat", GCHAT_PRESS),
    ("gchat", pushed({"message": GCHAT_MESSAGE}, GCHAT_CREATED)),
)


def changed(payload: Mapping[str, Any], **changes: object) -> Json:
    """A copy with some values replaced; ``a__b`` stands for the path ``a.b``, ``...`` removes."""
    copy: Json = deepcopy(dict(payload))
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = copy
        for parent in parents:
            place = place[parent]
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return copy


def parse(channel: str, payload: object) -> Parsed:
    """What the channel makes of a payload for the instance ``bot``."""
    return BUILT_IN[channel].parse(payload, "bot")


def message_of(channel: str, payload: object) -> InboundMessage:
    """The one message of a payload."""
    parsed = parse(channel, payload)
    assert not parsed.ignored
    [message] = parsed.messages
    return message


def reason_of(channel: str, payload: object) -> IgnoredReason:
    """The one reason for which a payload is ignored."""
    parsed = parse(channel, payload)
    assert not parsed.messages
    [ignored] = parsed.ignored
    return ignored.reason


def broken_field(channel: str, payload: object) -> str:
    """The field for which a payload is refused."""
    try:
        parse(channel, payload)
    except InvalidPayloadError as error:
        return error.field
    raise AssertionError("the payload was accepted")
