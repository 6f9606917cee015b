"""Slack payloads."""

import pytest

from ray_router.channels import IgnoredReason, RoomKind

from .samples import SLACK, SLACK_PRESS, broken_field, changed, message_of, reason_of


def test_thread_reply() -> None:
    """A reply in a thread belongs to the thread that thread_ts names."""
    message = message_of("slack", SLACK)
    assert str(message.key) == "slack:bot:C1:1767224888.280449"
    assert (message.message_id, message.user, message.text) == ("1767224901.701849", "U1", "hi")
    assert message.observed_at == 1767224901.701849


def test_message_of_a_channel() -> None:
    """A message outside a thread belongs to its channel."""
    message = message_of("slack", changed(SLACK, event__thread_ts=...))
    assert str(message.key) == "slack:bot:C1"


@pytest.mark.parametrize("subtype", ["file_share", "me_message", "thread_broadcast"])
def test_subtypes_written_by_users(subtype: str) -> None:
    """A shared file, a /me message and a broadcast reply are messages."""
    assert message_of("slack", changed(SLACK, event__subtype=subtype)).key.thread


def test_mention() -> None:
    """A mention is the message itself, told to an app that may not read the channel."""
    mention = changed(SLACK, event__type="app_mention", event__channel_type=...)
    assert message_of("slack", mention).key == message_of("slack", SLACK).key
    assert message_of("slack", mention).message_id == message_of("slack", SLACK).message_id


@pytest.mark.parametrize(
    ("channel_type", "kind"),
    [
        ("im", RoomKind.DIRECT),
        ("app_home", RoomKind.DIRECT),
        ("mpim", RoomKind.GROUP),
        ("group", RoomKind.GROUP),
        ("channel", RoomKind.PUBLIC),
        ("new", RoomKind.UNKNOWN),
        (None, RoomKind.UNKNOWN),
    ],
)
def test_room_kinds(channel_type: str | None, kind: RoomKind) -> None:
    """The kind of room is what channel_type says, not what an id looks like."""
    assert message_of("slack", changed(SLACK, event__channel_type=channel_type)).room_kind is kind


@pytest.mark.parametrize(
    ("subtype", "reason"),
    [
        ("bot_message", IgnoredReason.BOT_MESSAGE),
        ("channel_join", IgnoredReason.MEMBERSHIP),
        ("channel_topic", IgnoredReason.SERVICE_MESSAGE),
        ("message_changed", IgnoredReason.EDIT),
        ("message_deleted", IgnoredReason.DELETION),
    ],
)
def test_ignored_subtypes(subtype: str, reason: IgnoredReason) -> None:
    """Other subtypes are ignored for what they are."""
    assert reason_of("slack", changed(SLACK, event__subtype=subtype)) is reason


def test_messages_of_bots() -> None:
    """A message with a bot_id is a bot's, perhaps our own."""
    assert reason_of("slack", changed(SLACK, event__bot_id="B1")) is IgnoredReason.BOT_MESSAGE


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("reaction_removed", IgnoredReason.REACTION),
        ("member_joined_channel", IgnoredReason.MEMBERSHIP),
        ("app_home_opened", IgnoredReason.OTHER_EVENT),
    ],
)
def test_ignored_events(event: str, reason: IgnoredReason) -> None:
    """Other events are ignored for what they are."""
    assert reason_of("slack", changed(SLACK, event__type=event)) is reason


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("url_verification", IgnoredReason.CHALLENGE),
        ("shortcut", IgnoredReason.COMMAND),
        ("view_submission", IgnoredReason.NO_CONVERSATION),
        ("app_rate_limited", IgnoredReason.OTHER_EVENT),
    ],
)
def test_ignored_payloads(kind: str, reason: IgnoredReason) -> None:
    """Payloads other than events and presses are ignored for what they are."""
    assert reason_of("slack", {"type": kind}) is reason


def test_slash_command() -> None:
    """A slash command, the one payload without a type, is ignored."""
    assert reason_of("slack", {"command": "/help", "channel_id": "C1"}) is IgnoredReason.COMMAND


def test_press() -> None:
    """A button pressed in a thread belongs to the thread and is written at the time of the press."""
    press = message_of("slack", SLACK_PRESS)
    assert press.key == message_of("slack", SLACK).key
    assert (press.message_id, press.observed_at, press.user, press.text) == (
        "1.2.3",
        1767224902.5,
        "U1",
        None,
    )


def test_press_in_a_view() -> None:
    """A button pressed in a view belongs to no conversation."""
    view = changed(SLACK_PRESS, container__type="view")
    assert reason_of("slack", view) is IgnoredReason.NO_CONVERSATION


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": ...}, "type"),
        ({"event": ...}, "event"),
        ({"event__ts": "soon"}, "event.ts"),
        ({"event__ts": 1767224901}, "event.ts"),
        ({"event__channel": ""}, "event.channel"),
        ({"event__user": {"id": "U1"}}, "event.user"),
    ],
)
def test_broken_events(change: dict[str, object], field: str) -> None:
    """A broken event is refused for the field that is broken."""
    assert broken_field("slack", changed(SLACK, **change)) == field


@pytest.mark.parametrize(
    ("change", "field"),
    [({"actions": []}, "actions"), ({"actions": [{}]}, "actions[0].action_ts"), ({"user": 1}, "user")],
)
def test_broken_presses(change: dict[str, object], field: str) -> None:
    """A broken press is refused for the field that is broken."""
    assert broken_field("slack", changed(SLACK_PRESS, **change)) == field
