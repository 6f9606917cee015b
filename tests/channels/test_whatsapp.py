"""WhatsApp payloads."""

from __future__ import annotations

import pytest

from ray_router.channels import IgnoredReason, RoomKind

from .samples import WHATSAPP, WHATSAPP_MESSAGE, Json, broken_field, changed, message_of, parse, reason_of

VALUE = "entry[0].changes[0].value"


def change_of(field: str, value: object) -> Json:
    return {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": field, "value": value}]}]}


def batch(*messages: object, **others: object) -> Json:
    return change_of(
        "messages", {"metadata": {"phone_number_id": "112233"}, "messages": [*messages], **others}
    )


def test_batch() -> None:
    """A batch holds several messages and statuses."""
    parsed = parse("whatsapp", WHATSAPP)
    assert [str(message.key) for message in parsed.messages] == [
        "whatsapp:bot:972987654321",
        "whatsapp:bot:US.134",
    ]
    assert [message.text for message in parsed.messages] == ["hi", "Yes"]
    assert [ignored.reason for ignored in parsed.ignored] == [IgnoredReason.STATUS]


def test_user_with_a_number() -> None:
    """A reply goes from the business number that was written to, to the user's number."""
    message = message_of("whatsapp", batch(WHATSAPP_MESSAGE))
    assert message.route.external_room_id == "972987654321"
    assert message.route.metadata == {"phone_number_id": "112233"}
    assert (message.message_id, message.observed_at) == ("wamid.1", 1697043223.0)
    assert message.room_kind is RoomKind.DIRECT


def test_user_without_a_number() -> None:
    """A user who hides the number is answered by the id that stands for it, in its own parameter."""
    hidden = changed(WHATSAPP_MESSAGE, **{"from": "", "from_user_id": "US.134"})
    message = message_of("whatsapp", batch(hidden))
    assert (message.user, message.route.external_room_id) == ("US.134", "US.134")
    assert message.route.metadata == {"phone_number_id": "112233", "recipient_parameter": "recipient"}


def test_group() -> None:
    """A message in a group belongs to the group."""
    message = message_of("whatsapp", batch({**WHATSAPP_MESSAGE, "group_id": "G1"}))
    assert (str(message.key), message.user) == ("whatsapp:bot:G1", "972987654321")
    assert message.route.metadata == {"phone_number_id": "112233", "recipient_type": "group"}
    assert message.room_kind is RoomKind.GROUP


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"type": "image", "image": {"caption": "look"}}, "look"),
        ({"type": "video", "video": {}}, None),
        ({"type": "button", "button": {"payload": "p", "text": "Yes"}}, "Yes"),
        ({"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"title": "B"}}}, "B"),
        ({"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {}}}, None),
        ({"type": "contacts", "contacts": [{}]}, None),
    ],
)
def test_texts(content: Json, text: str | None) -> None:
    """The text is what the user sees as written: a caption, a title, or nothing."""
    assert message_of("whatsapp", batch({**WHATSAPP_MESSAGE, **content})).text == text


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("reaction", IgnoredReason.REACTION),
        ("edit", IgnoredReason.EDIT),
        ("revoke", IgnoredReason.DELETION),
        ("system", IgnoredReason.SERVICE_MESSAGE),
        ("unsupported", IgnoredReason.UNSUPPORTED),
    ],
)
def test_ignored_messages(kind: str, reason: IgnoredReason) -> None:
    """What stands among the messages and is none is ignored for what it is."""
    assert reason_of("whatsapp", batch({**WHATSAPP_MESSAGE, "type": kind})) is reason


def test_other_changes() -> None:
    """Errors and changes of other fields are ignored; what was sent from a phone is our own."""
    assert reason_of("whatsapp", batch(errors=[{"code": 1}])) is IgnoredReason.OTHER_EVENT
    assert reason_of("whatsapp", change_of("account_update", {})) is IgnoredReason.OTHER_EVENT
    assert reason_of("whatsapp", change_of("smb_message_echoes", {})) is IgnoredReason.BOT_MESSAGE


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (changed(WHATSAPP, object="page"), "object"),
        (changed(WHATSAPP, entry=...), "entry"),
        (changed(WHATSAPP, entry={"0": {}}), "entry"),
        (changed(WHATSAPP, entry=[{}]), "entry[0].changes"),
        (batch(WHATSAPP_MESSAGE, metadata={}), f"{VALUE}.metadata.phone_number_id"),
        (batch(WHATSAPP_MESSAGE, 5), f"{VALUE}.messages[1]"),
        (batch(changed(WHATSAPP_MESSAGE, **{"from": ...})), f"{VALUE}.messages[0].from"),
        (batch(changed(WHATSAPP_MESSAGE, timestamp="-1")), f"{VALUE}.messages[0].timestamp"),
        (batch(changed(WHATSAPP_MESSAGE, text=...)), f"{VALUE}.messages[0].text"),
    ],
)
def test_broken_batches(payload: Json, field: str) -> None:
    """A broken batch is refused for the field that is broken, by its place in the batch."""
    assert broken_field("whatsapp", payload) == field
