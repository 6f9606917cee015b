"""Discord payloads."""

import pytest

from ray_router.channels import IgnoredReason, RoomKind

from .samples import DISCORD, DISCORD_FORWARDED, DISCORD_PRESS, broken_field, changed, message_of, reason_of

THREAD = "1457536551830421524"


def test_message_of_a_thread() -> None:
    """A thread is a channel: its id alone is the room."""
    message = message_of("discord", DISCORD)
    assert str(message.key) == f"discord:bot:{THREAD}"
    assert (message.route.external_room_id, message.route.external_thread_id) == (THREAD, None)
    assert (message.user, message.text) == ("1033044521375764530", "hi")
    assert (message.observed_at, message.room_kind) == (1767574203.6, RoomKind.PUBLIC)


def test_forwarded_message() -> None:
    """A forwarded event is read like the gateway's own frame."""
    forwarded = {"type": "GATEWAY_MESSAGE_CREATE", "timestamp": 0, "data": DISCORD["d"]}
    assert message_of("discord", forwarded) == message_of("discord", DISCORD)


@pytest.mark.parametrize(
    ("channel_type", "kind"),
    [
        (1, RoomKind.DIRECT),
        (3, RoomKind.GROUP),
        (12, RoomKind.GROUP),
        (0, RoomKind.PUBLIC),
        (99, RoomKind.UNKNOWN),
        (None, RoomKind.UNKNOWN),
    ],
)
def test_room_kinds(channel_type: int | None, kind: RoomKind) -> None:
    """The kind of room is what the channel's type says."""
    assert message_of("discord", changed(DISCORD, d__channel_type=channel_type)).room_kind is kind


def test_reply() -> None:
    """A reply is a message; without the privilege to read contents it has no text."""
    assert message_of("discord", changed(DISCORD, d__type=19, d__content="")).text is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"d__author__bot": True}, IgnoredReason.BOT_MESSAGE),
        ({"d__webhook_id": "1"}, IgnoredReason.BOT_MESSAGE),
        ({"d__type": 18}, IgnoredReason.THREAD_CREATED),
        ({"d__type": 7}, IgnoredReason.SERVICE_MESSAGE),
        ({"t": "MESSAGE_UPDATE"}, IgnoredReason.EDIT),
        ({"t": "MESSAGE_DELETE_BULK"}, IgnoredReason.DELETION),
        ({"t": "THREAD_CREATE"}, IgnoredReason.THREAD_CREATED),
        ({"t": "TYPING_START"}, IgnoredReason.OTHER_EVENT),
        ({"op": 11}, IgnoredReason.OTHER_EVENT),
    ],
)
def test_ignored_events(change: dict[str, object], reason: IgnoredReason) -> None:
    """Whatever is no user's message is ignored for what it is."""
    assert reason_of("discord", changed(DISCORD, **change)) is reason


def test_press() -> None:
    """A press in a thread leads to the session of the thread's messages; its id states its time."""
    press = message_of("discord", DISCORD_PRESS)
    assert press.key == message_of("discord", DISCORD).key
    assert (press.message_id, press.observed_at) == ("1457536583141163186", 1767574201.141)
    assert (press.user, press.text, press.room_kind) == ("1033044521375764530", None, RoomKind.PUBLIC)
    assert message_of("discord", DISCORD_FORWARDED) == press


def test_press_in_a_direct_message() -> None:
    """In a direct message the user stands in the interaction itself."""
    direct = changed(DISCORD_PRESS, member=..., user={"id": "5"}, channel=...)
    assert (message_of("discord", direct).user, message_of("discord", direct).room_kind) == (
        "5",
        RoomKind.UNKNOWN,
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": 1}, IgnoredReason.CHALLENGE),
        ({"type": 2}, IgnoredReason.COMMAND),
        ({"type": 4}, IgnoredReason.COMMAND),
        ({"type": 99}, IgnoredReason.OTHER_EVENT),
        ({"context": 2}, IgnoredReason.NO_CONVERSATION),
        ({"channel_id": ...}, IgnoredReason.NO_CONVERSATION),
        ({"type": 5, "message": ...}, IgnoredReason.NO_CONVERSATION),
    ],
)
def test_ignored_interactions(change: dict[str, object], reason: IgnoredReason) -> None:
    """An interaction that shows no place for the bot to reply is ignored for what it is."""
    assert reason_of("discord", changed(DISCORD_PRESS, **change)) is reason


def test_submitted_form() -> None:
    """A form that was opened from a message counts as a press on it."""
    assert message_of("discord", changed(DISCORD_PRESS, type=5)).key.room == THREAD


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"t": None}, "t"),
        ({"d": ...}, "d"),
        ({"d__author": "me"}, "d.author"),
        ({"d__author__bot": "no"}, "d.author.bot"),
        ({"d__timestamp": "2026-01-05"}, "d.timestamp"),
        ({"d__channel_type": 1.0}, "d.channel_type"),
    ],
)
def test_broken_events(change: dict[str, object], field: str) -> None:
    """A broken event is refused for the field that is broken."""
    assert broken_field("discord", changed(DISCORD, **change)) == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "MESSAGE_CREATE"}, "type"),
        ({"type": ...}, "type"),
        ({"id": "-5"}, "id"),
        ({"id": "9" * 21}, "id"),
        ({"member": {}}, "member.user"),
    ],
)
def test_broken_interactions(change: dict[str, object], field: str) -> None:
    """A broken interaction is refused for the field that is broken."""
    assert broken_field("discord", changed(DISCORD_PRESS, **change)) == field
