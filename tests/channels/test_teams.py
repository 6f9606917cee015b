"""Microsoft Teams payloads."""

import pytest

from ray_router.channels import IgnoredReason, RoomKind

from .samples import TEAMS, broken_field, changed, message_of, reason_of


def test_thread_of_a_channel() -> None:
    """The thread is the whole conversation id, to which a reply is posted at the service's URL."""
    message = message_of("teams", TEAMS)
    route = message.route
    assert route.external_room_id == "19:a@thread.tacv2"
    assert route.external_thread_id == "19:a@thread.tacv2;messageid=17"
    assert route.metadata == {"serviceUrl": "https://smba.example/amer/"}
    assert str(message.key) == "teams:bot:19%3Aa@thread.tacv2:19%3Aa@thread.tacv2;messageid=17"
    assert (message.user, message.text, message.observed_at) == ("29:1x", "hi", 1767378504.3788393)


def test_conversation_without_threads() -> None:
    """A conversation id without a message id is a room."""
    assert message_of("teams", changed(TEAMS, conversation__id="a:17")).key.thread is None


def test_unstated_time() -> None:
    """The protocol lets an activity state no time."""
    assert message_of("teams", changed(TEAMS, timestamp=...)).observed_at is None


@pytest.mark.parametrize(
    ("conversation", "kind"),
    [
        ({"conversationType": "personal"}, RoomKind.DIRECT),
        ({"conversationType": "groupChat"}, RoomKind.GROUP),
        ({"conversationType": "channel", "isGroup": True}, RoomKind.PUBLIC),
        ({"conversationType": "meeting"}, RoomKind.UNKNOWN),
        ({"isGroup": True}, RoomKind.GROUP),
        ({}, RoomKind.UNKNOWN),
    ],
)
def test_room_kinds(conversation: dict[str, object], kind: RoomKind) -> None:
    """The kind of room is the conversation's type, or else whether it is a group."""
    message = message_of("teams", changed(TEAMS, conversation={"id": "a:1", **conversation}))
    assert message.room_kind is kind


def test_card_action() -> None:
    """A button of an adaptive card counts as a press, other calls do not."""
    press = changed(TEAMS, type="invoke", name="adaptiveCard/action", text=...)
    assert (message_of("teams", press).key, message_of("teams", press).text) == (
        message_of("teams", TEAMS).key,
        None,
    )
    other = changed(TEAMS, type="invoke", name="signin/verifyState")
    assert reason_of("teams", other) is IgnoredReason.OTHER_EVENT


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "messageReaction"}, IgnoredReason.REACTION),
        ({"type": "messageUpdate"}, IgnoredReason.EDIT),
        ({"type": "messageDelete"}, IgnoredReason.DELETION),
        ({"type": "conversationUpdate"}, IgnoredReason.MEMBERSHIP),
        ({"type": "typing"}, IgnoredReason.OTHER_EVENT),
        ({"from__role": "bot"}, IgnoredReason.BOT_MESSAGE),
        ({"from__role": "skill"}, IgnoredReason.BOT_MESSAGE),
    ],
)
def test_ignored_activities(change: dict[str, object], reason: IgnoredReason) -> None:
    """Whatever is no user's message is ignored for what it is."""
    assert reason_of("teams", changed(TEAMS, **change)) is reason


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": 1}, "type"),
        ({"id": ...}, "id"),
        ({"serviceUrl": ""}, "serviceUrl"),
        ({"from__id": None}, "from.id"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"conversation__id": ";messageid=1"}, "conversation.id"),
        ({"conversation": {"id": "a:1", "isGroup": "yes"}}, "conversation.isGroup"),
    ],
)
def test_broken_activities(change: dict[str, object], field: str) -> None:
    """A broken activity is refused for the field that is broken."""
    assert broken_field("teams", changed(TEAMS, **change)) == field
