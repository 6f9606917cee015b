"""Every recorded webhook payload parses, is ignored or is refused as its content says.

The payloads are not part of this repository: they are looked for in ``$RAY_ROUTER_DATA/webhooks``, by
default in a folder ``shared/data`` beside the repository.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ray_router.channels import IgnoredReason as Why
from ray_router.channels import Parsed, RoomKind
from ray_router.model import SessionKey

from .samples import broken_field, parse

REPOSITORY = Path(__file__).parents[2]
WEBHOOKS = Path(os.environ.get("RAY_ROUTER_DATA", REPOSITORY / "../shared/data")) / "webhooks"

TEAMS_ROOM = "19:d441d38c655c47a085215b2726e76927@thread.tacv2"
TEAMS_ROOM_KEY = TEAMS_ROOM.replace(":", "%3A")
TEAMS_PERSONAL = (
    "a:17NditBRO5pbPlIimLiU0g7vfMqIYTPwqILZJq-TOhzzKiAmv2i6Oerr-QPUpuznpKMZinowF80qU8SFPCsvZlg3EpJU8FYt3rO"
    "-iSCFfYzIIk2STWat73naOa8x5LdSv"
)
DISCORD_THREAD = "1457536551830421524"
GCHAT_THREAD = "spaces/AAQAJ9CXYcg/threads/kVOtO797ZPI"

# file -> session key, external room, external thread, event time, room kind
MESSAGES: dict[str, tuple[str, str, str | None, float | None, RoomKind]] = {
    "slack/01_channel_message_root.json": (
        "slack:bot:C00FAKECHAN1",
        "C00FAKECHAN1",
        None,
        1767224888.280449,
        RoomKind.UNKNOWN,
    ),
    "slack/02_thread_reply.json": (
        "slack:bot:C00FAKECHAN1:1767224888.280449",
        "C00FAKECHAN1",
        "1767224888.280449",
        1767224901.701849,
        RoomKind.UNKNOWN,
    ),
    "slack/03_im_message.json": (
        "slack:bot:D0A5319PS02",
        "D0A5319PS02",
        None,
        1767377001.319859,
        RoomKind.DIRECT,
    ),
    "slack/04_block_action_in_thread.json": (
        "slack:bot:C00FAKECHAN1:1767326125.870439",
        "C00FAKECHAN1",
        "1767326125.870439",
        1767326130.289415,
        RoomKind.UNKNOWN,
    ),
    "slack/07_thread_broadcast.json": (
        "slack:bot:C111:1633663824.000500",
        "C111",
        "1633663824.000500",
        1633670813.0075,
        RoomKind.PUBLIC,
    ),
    "telegram/01_private_text.json": (
        "telegram:bot:218485655",
        "218485655",
        None,
        1569518342.0,
        RoomKind.DIRECT,
    ),
    "telegram/02_supergroup_text.json": (
        "telegram:bot:-1001293752024",
        "-1001293752024",
        None,
        1721592028.0,
        RoomKind.GROUP,
    ),
    "telegram/03_supergroup_dice.json": (
        "telegram:bot:-1001276785818",
        "-1001276785818",
        None,
        1596014550.0,
        RoomKind.GROUP,
    ),
    "telegram/04_forum_topic_message_bare.json": (
        "telegram:bot:-1001847508954:4",
        "-1001847508954",
        "4",
        1675229140.0,
        RoomKind.GROUP,
    ),
    "telegram/05_private_mention.json": (
        "telegram:bot:7527593",
        "7527593",
        None,
        1767224888.0,
        RoomKind.DIRECT,
    ),
    "telegram/06_private_forward_reply_edited.json": (
        "telegram:bot:1111111",
        "1111111",
        None,
        1441645532.0,
        RoomKind.DIRECT,
    ),
    "discord/01_guild_channel_message.json": (
        "discord:bot:1457510428359004343",
        "1457510428359004343",
        None,
        1767574193.676,
        RoomKind.PUBLIC,
    ),
    "discord/03_message_in_thread.json": (
        f"discord:bot:{DISCORD_THREAD}",
        DISCORD_THREAD,
        None,
        1767574203.6,
        RoomKind.PUBLIC,
    ),
    "discord/05_button_in_thread.json": (
        f"discord:bot:{DISCORD_THREAD}",
        DISCORD_THREAD,
        None,
        1767574201.141,
        RoomKind.PUBLIC,
    ),
    "teams/01_channel_mention_root.json": (
        f"teams:bot:{TEAMS_ROOM_KEY}:{TEAMS_ROOM_KEY};messageid=1767224924615",
        TEAMS_ROOM,
        f"{TEAMS_ROOM};messageid=1767224924615",
        None,
        RoomKind.GROUP,
    ),
    "teams/02_channel_thread_reply.json": (
        f"teams:bot:{TEAMS_ROOM_KEY}:{TEAMS_ROOM_KEY};messageid=1767224924615",
        TEAMS_ROOM,
        f"{TEAMS_ROOM};messageid=1767224924615",
        None,
        RoomKind.GROUP,
    ),
    "teams/03_personal_message.json": (
        f"teams:bot:{TEAMS_PERSONAL.replace(':', '%3A')}",
        TEAMS_PERSONAL,
        None,
        1767378504.3788393,
        RoomKind.DIRECT,
    ),
    "teams/04_card_action.json": (
        f"teams:bot:{TEAMS_ROOM_KEY}:{TEAMS_ROOM_KEY};messageid=1767326091220",
        TEAMS_ROOM,
        f"{TEAMS_ROOM};messageid=1767326091220",
        None,
        RoomKind.PUBLIC,
    ),
    "whatsapp/01_text.json": (
        "whatsapp:bot:972987654321",
        "972987654321",
        None,
        1697043223.0,
        RoomKind.DIRECT,
    ),
    "whatsapp/02_image.json": (
        "whatsapp:bot:972987654321",
        "972987654321",
        None,
        1697043379.0,
        RoomKind.DIRECT,
    ),
    "whatsapp/05_callback_button.json": (
        "whatsapp:bot:972987654321",
        "972987654321",
        None,
        1698266730.0,
        RoomKind.DIRECT,
    ),
    "matrix/03_message_in_thread_plain.json": (
        "matrix:bot:!feuiwhf%3Alocalhost:$some-thread%3Aserver",
        "!feuiwhf:localhost",
        "$some-thread:server",
        0.123,
        RoomKind.UNKNOWN,
    ),
    "matrix/06_spec_text.json": (
        "matrix:bot:!jEsUZKDJdhlrceRyVU%3Aexample.org",
        "!jEsUZKDJdhlrceRyVU:example.org",
        None,
        1432735824.653,
        RoomKind.UNKNOWN,
    ),
    "gchat/01_space_mention.json": (
        f"gchat:bot:spaces/AAQAJ9CXYcg:{GCHAT_THREAD}",
        "spaces/AAQAJ9CXYcg",
        GCHAT_THREAD,
        1767224871.749519,
        RoomKind.GROUP,
    ),
    "gchat/02_thread_followup_pubsub.json": (
        f"gchat:bot:spaces/AAQAJ9CXYcg:{GCHAT_THREAD}",
        "spaces/AAQAJ9CXYcg",
        GCHAT_THREAD,
        None,
        RoomKind.UNKNOWN,
    ),
    "gchat/03_dm.json": (
        "gchat:bot:spaces/jLQ7DiAAAAE",
        "spaces/jLQ7DiAAAAE",
        None,
        1767376972.270735,
        RoomKind.DIRECT,
    ),
}
METADATA = {
    "teams": {
        "serviceUrl": "https://smba.trafficmanager.net/amer/a1b2c3d4-e5f6-7890-abcd-ef1234567890/",
    },
    "whatsapp": {"phone_number_id": "1122334455667"},
}
# The one file that holds more than a message breaks the rule of one field an update, and is read anyhow.
IGNORED: dict[str, tuple[Why, ...]] = {
    "slack/05_reaction_added.json": (Why.REACTION,),
    "slack/06_slash_command.json": (Why.COMMAND,),
    "slack/08_message_changed.json": (Why.EDIT,),
    "telegram/06_private_forward_reply_edited.json": (Why.EDIT, *[Why.NO_CONVERSATION] * 3),
    "discord/02_thread_create.json": (Why.THREAD_CREATED,),
    "discord/04_reaction_in_thread.json": (Why.REACTION,),
    "teams/05_reactions_added.json": (Why.REACTION,),
    "whatsapp/03_reaction.json": (Why.REACTION,),
    "whatsapp/04_status_sent.json": (Why.STATUS,),
    "matrix/01_thread_root_encrypted.json": (Why.ENCRYPTED,),
    "matrix/02_message_in_thread_encrypted.json": (Why.ENCRYPTED,),
    "matrix/05_reaction.json": (Why.REACTION,),
}
# Events as they stand in a /sync response or in the specification, without the room they are in.
REFUSED = {
    "matrix/04_message_text.json": "room_id",
    "matrix/07_spec_thread_reply_partial.json": "room_id",
}
FILES = sorted({*MESSAGES, *IGNORED, *REFUSED})

pytestmark = pytest.mark.skipif(
    not WEBHOOKS.is_dir(),
    reason=f"no recorded payloads in {WEBHOOKS}; RAY_ROUTER_DATA may name another folder",
)


def recorded(file: str) -> object:
    return json.loads((WEBHOOKS / file).read_text())


def channel_of(file: str) -> str:
    return Path(file).parts[0]


def parsed(file: str) -> Parsed:
    return parse(channel_of(file), recorded(file))


def test_the_table_names_every_file() -> None:
    """No recorded payload is left out."""
    present = sorted(path.relative_to(WEBHOOKS).as_posix() for path in WEBHOOKS.glob("*/*.json"))
    assert present == FILES


@pytest.mark.parametrize("file", sorted(MESSAGES))
def test_messages(file: str) -> None:
    """A recorded message gives its session, its route, its time and its kind of room."""
    [message] = parsed(file).messages
    route = message.route
    found = (
        str(message.key),
        route.external_room_id,
        route.external_thread_id,
        message.observed_at,
        message.room_kind,
    )
    assert found == MESSAGES[file]
    assert route.metadata == METADATA.get(message.key.channel, {})
    assert SessionKey.parse(str(message.key)) == message.key


@pytest.mark.parametrize("file", sorted({*MESSAGES, *IGNORED}))
def test_ignored_parts(file: str) -> None:
    """Whatever is no message is ignored for its reason, and nothing else is."""
    assert tuple(ignored.reason for ignored in parsed(file).ignored) == IGNORED.get(file, ())
    assert len(parsed(file).messages) == (file in MESSAGES)


@pytest.mark.parametrize("file", sorted(REFUSED))
def test_refused(file: str) -> None:
    """A partial event is refused for the field it lacks."""
    assert broken_field(channel_of(file), recorded(file)) == REFUSED[file]


def test_one_conversation_is_one_session() -> None:
    """A message and a press of a button in one Discord thread lead to one session."""
    written, pressed = (
        MESSAGES[f"discord/0{n}_{what}_in_thread.json"] for n, what in ((3, "message"), (5, "button"))
    )
    assert written[0] == pressed[0]
