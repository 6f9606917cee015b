"""Matrix payloads."""

import pytest

from ray_router.channels import IgnoredReason

from .samples import MATRIX, MATRIX_TRANSACTION, broken_field, changed, message_of, parse, reason_of


def test_thread() -> None:
    """A message in a thread belongs to the thread's root event."""
    message = message_of("matrix", MATRIX)
    assert str(message.key) == "matrix:bot:!room%3Aserver.org:$root"
    assert (message.message_id, message.user, message.text) == ("$reply", "@user:server.org", "hi")
    assert message.observed_at == 1520372800.469


@pytest.mark.parametrize("relation", [None, {}, {"m.in_reply_to": {"event_id": "$x"}}])
def test_message_of_a_room(relation: object) -> None:
    """A message without a thread belongs to its room, a rich reply included."""
    content = {"msgtype": "m.text", "body": "hi", "m.relates_to": relation}
    assert str(message_of("matrix", changed(MATRIX, content=content)).key) == "matrix:bot:!room%3Aserver.org"


def test_sticker() -> None:
    """A sticker is a message without a kind of its own."""
    sticker = changed(MATRIX, type="m.sticker", unsigned=..., content={"body": "a cat"})
    assert message_of("matrix", sticker).text == "a cat"


def test_transaction() -> None:
    """A transaction holds several events, or none."""
    parsed = parse("matrix", MATRIX_TRANSACTION)
    assert len(parsed.messages) == 1
    assert [ignored.reason for ignored in parsed.ignored] == [IgnoredReason.REACTION]
    assert not parse("matrix", {"events": []}).messages


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "m.reaction"}, IgnoredReason.REACTION),
        ({"type": "m.room.encrypted"}, IgnoredReason.ENCRYPTED),
        ({"type": "m.room.redaction"}, IgnoredReason.DELETION),
        ({"type": "m.typing"}, IgnoredReason.OTHER_EVENT),
        ({"type": "m.room.member", "state_key": ""}, IgnoredReason.MEMBERSHIP),
        ({"type": "m.room.name", "state_key": ""}, IgnoredReason.OTHER_EVENT),
        ({"content__msgtype": "m.notice"}, IgnoredReason.BOT_MESSAGE),
        ({"unsigned__transaction_id": "t1"}, IgnoredReason.BOT_MESSAGE),
        ({"unsigned__redacted_because": {}, "content": {}}, IgnoredReason.DELETION),
        ({"content__m.relates_to__rel_type": "m.replace"}, IgnoredReason.EDIT),
    ],
)
def test_ignored_events(change: dict[str, object], reason: IgnoredReason) -> None:
    """Whatever is no user's message is ignored for what it is."""
    assert reason_of("matrix", changed(MATRIX, **change)) is reason


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": ...}, "type"),
        ({"room_id": ...}, "room_id"),
        ({"content": {}}, "content.msgtype"),
        ({"origin_server_ts": 1e12}, "origin_server_ts"),
        ({"origin_server_ts": 1 << 62}, "origin_server_ts"),
        ({"sender": "\ud800"}, "sender"),
        ({"content__m.relates_to__event_id": ...}, "content.m.relates_to.event_id"),
    ],
)
def test_broken_events(change: dict[str, object], field: str) -> None:
    """A broken event is refused for the field that is broken."""
    assert broken_field("matrix", changed(MATRIX, **change)) == field


def test_broken_transaction() -> None:
    """An event of a transaction is named by its place."""
    assert broken_field("matrix", {"events": [MATRIX, changed(MATRIX, event_id=7)]}) == "events[1].event_id"
