"""What a channel makes of a payload: messages, and named reasons for whatever is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ray_router.model import Route, SessionKey


class RoomKind(str, Enum):
    """Who can read along, as far as the payload says.

    ``DIRECT`` one person and we; ``GROUP`` people by invitation; ``PUBLIC`` everyone of a workspace,
    team or server, or any subscriber; ``UNKNOWN`` the payload does not say.
    """

    DIRECT = "direct"
    GROUP = "group"
    PUBLIC = "public"
    UNKNOWN = "unknown"


class IgnoredReason(str, Enum):
    """Why a payload, or a part of one, is no message to answer.

    ``BOT_MESSAGE`` written by a bot, ours included; ``CHALLENGE`` the platform probes the endpoint;
    ``COMMAND`` a command or shortcut, which can be called where we are no member and so shows no place
    to reply; ``DELETION``, ``EDIT`` of an earlier message; ``ENCRYPTED`` not readable by us;
    ``MEMBERSHIP`` someone came or went; ``NO_CONVERSATION`` an act outside any conversation of ours;
    ``OTHER_EVENT`` whatever else the platform tells; ``REACTION`` to a message; ``SERVICE_MESSAGE``
    written by the platform itself; ``STATUS`` of a message we sent; ``THREAD_CREATED`` without a
    message; ``UNSUPPORTED`` something the platform does not let apps see.
    """

    BOT_MESSAGE = "bot_message"
    CHALLENGE = "challenge"
    COMMAND = "command"
    DELETION = "deletion"
    EDIT = "edit"
    ENCRYPTED = "encrypted"
    MEMBERSHIP = "membership"
    NO_CONVERSATION = "no_conversation"
    OTHER_EVENT = "other_event"
    REACTION = "reaction"
    SERVICE_MESSAGE = "service_message"
    STATUS = "status"
    THREAD_CREATED = "thread_created"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """What a user did in a conversation, and where a reply to it goes.

    A message, or a press of a button on one of our messages: both show that the user is there.

    Args:
        key: the session.
        route: where a reply goes.
        message_id: the platform's id of the message or press; unique in its room.
        observed_at: epoch seconds of the event, or None where the platform states no time, so that
            whoever receives it stamps it.
        user: the platform's id of the user.
        text: what the user wrote; None for a press, or a file without a caption.
        room_kind: who can read along.
    """

    key: SessionKey
    route: Route
    message_id: str
    observed_at: float | None
    user: str | None
    text: str | None
    room_kind: RoomKind


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something in a payload that is no message, and why."""

    reason: IgnoredReason


@dataclass(frozen=True, slots=True)
class Parsed:
    """All that a payload holds, in its order. A batch may hold both; an empty batch holds neither."""

    messages: tuple[InboundMessage, ...] = ()
    ignored: tuple[Ignored, ...] = ()

    @classmethod
    def collect(cls, outcomes: Iterable[InboundMessage | Ignored]) -> Parsed:
        """The outcomes, sorted by what they are."""
        messages, ignored = [], []
        for outcome in outcomes:
            if isinstance(outcome, InboundMessage):
                messages.append(outcome)
            else:
                ignored.append(outcome)
        return cls(tuple(messages), tuple(ignored))


def place(
    channel: str, instance: str, room: str, thread: str | None = None, **metadata: str
) -> tuple[SessionKey, Route]:
    """The session of a conversation, and the route to it.

    The key mirrors the route: its room and thread are the very ids that a reply needs, so that every
    kind of event of a conversation, a message or a press, leads to the same session.
    """
    return SessionKey(channel, instance, room, thread), Route(room, thread, metadata=metadata)
