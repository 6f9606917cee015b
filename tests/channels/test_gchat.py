"""Google Chat payloads."""

from __future__ import annotations

import pytest

from ray_router.channels import IgnoredReason, RoomKind

from .samples import (
    GCHAT,
    GCHAT_BATCH_CREATED,
    GCHAT_CREATED,
    GCHAT_MESSAGE,
    GCHAT_PRESS,
    Json,
    broken_field,
    changed,
    message_of,
    parse,
    pushed,
    reason_of,
)

THREAD = "spaces/A/threads/t"
ADD_ON: Json = {
    "chat": {
        "eventTime": "2026-01-02T18:02:53Z",
        "messagePayload": {"space": {"name": "spaces/A", "type": "ROOM"}, "message": GCHAT_MESSAGE},
    }
}


def test_message() -> None:
    """A message belongs to the thread that it names."""
    message = message_of("gchat", GCHAT)
    assert str(message.key) == f"gchat:bot:spaces/A:{THREAD}"
    assert (message.message_id, message.user, message.text) == ("spaces/A/messages/m", "users/1", "hi")
    assert (message.observed_at, message.room_kind) == (1767376972.270735, RoomKind.GROUP)


@pytest.mark.parametrize(
    "payload",
    [
        ADD_ON,
        pushed(GCHAT),
        pushed(ADD_ON),
        pushed({"message": GCHAT_MESSAGE}, GCHAT_CREATED),
        pushed({"messages": [{"message": GCHAT_MESSAGE}]}, GCHAT_BATCH_CREATED),
        changed(GCHAT, type="ADDED_TO_SPACE"),
    ],
)
def test_ways_to_deliver_a_message(payload: object) -> None:
    """By whichever way a message comes, it gives the same session, id and time."""
    [message] = parse("gchat", payload).messages
    direct = message_of("gchat", GCHAT)
    assert (message.key, message.message_id) == (direct.key, direct.message_id)
    assert message.observed_at == direct.observed_at


def test_time_of_the_event() -> None:
    """A message without a time of its own takes the event's, and none where that states none either."""
    untimed = changed(GCHAT, message__createTime=...)
    assert message_of("gchat", untimed).observed_at == 1767376973.0
    assert message_of("gchat", pushed({"message": untimed["message"]}, GCHAT_CREATED)).observed_at is None


@pytest.mark.parametrize(
    ("space", "thread", "kind"),
    [
        ({"spaceType": "DIRECT_MESSAGE", "type": "DM"}, None, RoomKind.DIRECT),
        ({"type": "DM"}, None, RoomKind.DIRECT),
        ({"spaceType": "GROUP_CHAT", "type": "ROOM"}, None, RoomKind.GROUP),
        ({"spaceType": "SPACE"}, THREAD, RoomKind.GROUP),
        ({"type": "ROOM"}, THREAD, RoomKind.GROUP),
        ({}, THREAD, RoomKind.UNKNOWN),
    ],
)
def test_flat_conversations(space: dict[str, str], thread: str | None, kind: RoomKind) -> None:
    """The top level of a direct message or group chat is one session, that of a space one a topic."""
    top = changed(GCHAT, space={"name": "spaces/A", **space}, message__threadReply=...)
    assert message_of("gchat", top).key.thread == thread
    assert message_of("gchat", top).room_kind is kind
    reply = changed(GCHAT, space={"name": "spaces/A", **space})
    assert message_of("gchat", reply).key.thread == THREAD


def test_message_without_a_thread() -> None:
    """A message that names no thread belongs to its space."""
    assert message_of("gchat", changed(GCHAT, message__thread=...)).key.thread is None


@pytest.mark.parametrize("payload", [GCHAT_PRESS, {**GCHAT, "type": "CARD_CLICKED"}])
def test_press(payload: Json) -> None:
    """A button belongs to its message's thread, and is the user's who pressed it, at that time."""
    press = message_of("gchat", payload)
    assert press.key == message_of("gchat", GCHAT).key
    assert press.message_id == "spaces/A/messages/m@2026-01-02T18:02:53Z"
    assert (press.user, press.text, press.observed_at) == ("users/1", None, 1767376973.0)


def test_press_in_a_dialog() -> None:
    """A button of a dialog that no message opened belongs to no conversation."""
    dialog = {"chat": {"buttonClickedPayload": {"isDialogEvent": True}}}
    assert reason_of("gchat", dialog) is IgnoredReason.NO_CONVERSATION


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (changed(GCHAT, message__sender__type="BOT"), IgnoredReason.BOT_MESSAGE),
        (changed(GCHAT, message__slashCommand={"commandId": "1"}), IgnoredReason.COMMAND),
        ({"type": "ADDED_TO_SPACE"}, IgnoredReason.MEMBERSHIP),
        ({"type": "APP_COMMAND"}, IgnoredReason.COMMAND),
        ({"type": "WIDGET_UPDATED"}, IgnoredReason.OTHER_EVENT),
        ({"chat": {"removedFromSpacePayload": {}}}, IgnoredReason.MEMBERSHIP),
        ({"chat": {"appCommandPayload": {}}}, IgnoredReason.COMMAND),
        ({"chat": {"widgetUpdatedPayload": {}}}, IgnoredReason.OTHER_EVENT),
        (pushed({}, "google.workspace.chat.message.v1.updated"), IgnoredReason.EDIT),
        (pushed({}, "google.workspace.chat.message.v1.batchDeleted"), IgnoredReason.DELETION),
        (pushed({}, "google.workspace.chat.reaction.v1.created"), IgnoredReason.REACTION),
        (pushed({}, "google.workspace.chat.membership.v1.deleted"), IgnoredReason.MEMBERSHIP),
        (pushed({}, "google.workspace.events.subscription.v1.suspended"), IgnoredReason.OTHER_EVENT),
    ],
)
def test_ignored_events(payload: Json, reason: IgnoredReason) -> None:
    """Whatever is no user's message is ignored for what it is."""
    assert reason_of("gchat", payload) is reason


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (changed(GCHAT, type=...), "type"),
        (changed(GCHAT, message=...), "message"),
        (changed(GCHAT, message__createTime="2026"), "message.createTime"),
        (changed(GCHAT, message__thread={}), "message.thread.name"),
        (changed(GCHAT, space__spaceType="DIRECT_MESSAGE", message__threadReply="no"), "message.threadReply"),
        (changed(GCHAT, message__sender=...), "message.sender"),
        (changed(GCHAT_PRESS, chat__eventTime=...), "chat.eventTime"),
        (pushed({"message": {}}, GCHAT_CREATED), "message.data.message.sender"),
        (pushed([]), "message.data"),
        (changed(pushed({}), message__data="***"), "message.data"),
        (changed(pushed({}), message__data="bm8="), "message.data"),
        (changed(pushed({}), message__data="W1tb" * 100_000), "message.data"),
    ],
)
def test_broken_events(payload: Json, field: str) -> None:
    """A broken event is refused for the field that is broken, inside a delivery too."""
    assert broken_field("gchat", payload) == field
