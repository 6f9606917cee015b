"""Telegram payloads."""

import pytest

from ray_router.channels import IgnoredReason, RoomKind

from .samples import (
    TELEGRAM,
    TELEGRAM_DIRECT_TOPIC,
    TELEGRAM_PRESS,
    broken_field,
    changed,
    message_of,
    parse,
    reason_of,
)


def test_topic_message() -> None:
    """A message in a forum topic belongs to the topic."""
    message = message_of("telegram", TELEGRAM)
    assert str(message.key) == "telegram:bot:-100:4"
    assert message.route.external_thread_id == "4"
    assert (message.message_id, message.user, message.text) == ("7", "42", "hi")
    assert (message.observed_at, message.room_kind) == (1569518342.0, RoomKind.GROUP)


def test_chain_of_replies() -> None:
    """A thread number without a topic is a chain of replies, to which nothing can be sent."""
    reply = changed(TELEGRAM, message__is_topic_message=...)
    assert str(message_of("telegram", reply).key) == "telegram:bot:-100"


def test_direct_messages_topic() -> None:
    """A channel's direct messages are kept apart by topic, which a reply names in its own parameter."""
    message = message_of("telegram", TELEGRAM_DIRECT_TOPIC)
    assert str(message.key) == "telegram:bot:-100:55"
    assert message.route.metadata == {"thread_parameter": "direct_messages_topic_id"}
    assert (message.user, message.text) == ("-200", "a photo")


def test_message_on_its_own() -> None:
    """A message without its update is read like one with it."""
    assert message_of("telegram", TELEGRAM["message"]) == message_of("telegram", TELEGRAM)


def test_channel_post() -> None:
    """A channel's post has no user."""
    post = {**TELEGRAM["message"], "chat": {"id": -5, "type": "channel"}, "from": None}
    message = message_of("telegram", {"update_id": 1, "channel_post": post})
    assert (message.user, message.room_kind) == (None, RoomKind.PUBLIC)


def test_sender_chat() -> None:
    """On behalf of a chat, the fake bot in its place is not taken for the sender."""
    anonymous = changed(TELEGRAM, message__sender_chat={"id": -100}, message__from={"id": 1, "is_bot": True})
    assert message_of("telegram", anonymous).user == "-100"


def test_messages_of_bots() -> None:
    """A bot's message is ignored."""
    bot = changed(TELEGRAM, message__from={"id": 1, "is_bot": True})
    assert reason_of("telegram", bot) is IgnoredReason.BOT_MESSAGE


def test_unknown_chat_type() -> None:
    """A type of chat that the future brings is not guessed at."""
    assert message_of("telegram", changed(TELEGRAM, message__chat__type="ring")).room_kind is RoomKind.UNKNOWN


@pytest.mark.parametrize("field", ["left_chat_member", "pinned_message", "forum_topic_created"])
def test_service_messages(field: str) -> None:
    """A service message is ignored."""
    service = changed(TELEGRAM, **{f"message__{field}": {"id": 1}})
    assert reason_of("telegram", service) is IgnoredReason.SERVICE_MESSAGE


@pytest.mark.parametrize("field", ["business_connection_id", "guest_query_id"])
def test_chats_of_others(field: str) -> None:
    """A chat that only shares its id with one of ours is no conversation of ours."""
    foreign = changed(TELEGRAM, **{f"message__{field}": "b1"})
    assert reason_of("telegram", foreign) is IgnoredReason.NO_CONVERSATION
    press = changed(TELEGRAM_PRESS, **{f"callback_query__message__{field}": "b1"})
    assert reason_of("telegram", press) is IgnoredReason.NO_CONVERSATION


@pytest.mark.parametrize(
    ("update", "reason"),
    [
        ("business_message", IgnoredReason.NO_CONVERSATION),
        ("edited_message", IgnoredReason.EDIT),
        ("deleted_business_messages", IgnoredReason.DELETION),
        ("message_reaction", IgnoredReason.REACTION),
        ("my_chat_member", IgnoredReason.MEMBERSHIP),
        ("poll_answer", IgnoredReason.OTHER_EVENT),
    ],
)
def test_ignored_updates(update: str, reason: IgnoredReason) -> None:
    """Other updates are ignored for what they are."""
    assert reason_of("telegram", {"update_id": 1, update: {}, "message": None}) is reason


def test_update_of_nothing() -> None:
    """An update with no field but its id holds nothing."""
    parsed = parse("telegram", {"update_id": 1})
    assert (parsed.messages, parsed.ignored) == ((), ())


def test_press() -> None:
    """A button pressed on a message belongs to the message's chat and states no time."""
    press = message_of("telegram", TELEGRAM_PRESS)
    assert str(press.key) == "telegram:bot:42"
    assert (press.message_id, press.observed_at, press.user, press.text) == ("99", None, "42", None)


@pytest.mark.parametrize("change", [{"callback_query__message": ...}, {"callback_query__message__date": 0}])
def test_press_without_its_message(change: dict[str, object]) -> None:
    """A button on an inline or inaccessible message does not say its topic."""
    press = changed(TELEGRAM_PRESS, **change)
    assert reason_of("telegram", press) is IgnoredReason.NO_CONVERSATION


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"update_id": ...}, "update_id"),
        ({"message": []}, "message"),
        ({"message__date": "1569518342"}, "message.date"),
        ({"message__date": -1}, "message.date"),
        ({"message__chat__id": True}, "message.chat.id"),
        ({"message__chat__id": 1 << 64}, "message.chat.id"),
        ({"message__message_thread_id": ...}, "message.message_thread_id"),
        ({"message__is_topic_message": 1}, "message.is_topic_message"),
    ],
)
def test_broken_updates(change: dict[str, object], field: str) -> None:
    """A broken update is refused for the field that is broken."""
    assert broken_field("telegram", changed(TELEGRAM, **change)) == field
