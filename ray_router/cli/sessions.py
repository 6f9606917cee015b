"""``set``, ``get``, ``resolve``, ``delete``: one session; ``prune``: all of them."""

from __future__ import annotations

from typing import Annotated

import typer

from ray_router.cli import options
from ray_router.cli.connection import connected
from ray_router.cli.exits import SAID_NO
from ray_router.cli.explanation_view import explanation_view
from ray_router.cli.plain import fields_of, rungs
from ray_router.cli.screen import Screen
from ray_router.cli.session_view import named_values, record_view, resolution_view
from ray_router.handle.intake import key_text
from ray_router.model import Confidence, Explanation, Origin, Route, Scope, SetOutcome


def set_route(
    *,
    key: options.Key,
    room: Annotated[str, typer.Option(metavar="ID", help="The platform's id of the room to deliver to.")],
    thread: Annotated[
        str | None, typer.Option(metavar="ID", help="The platform's id of the thread in it.")
    ] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="What else the sender needs; repeatable.")
    ] = None,
    origin: options.OriginOption = Origin.INBOUND,
    ttl: Annotated[
        float | None,
        typer.Option(
            parser=options.seconds_or_none,
            metavar="SECONDS|none",
            help="How long it stays fresh; the router's TTL if not given.",
        ),
    ] = None,
    observed_at: Annotated[
        float | None,
        typer.Option(
            parser=options.moment,
            metavar="TIME",
            help="When it was seen: epoch seconds or ISO 8601; now if not given.",
        ),
    ] = None,
    as_json: options.Json = False,
    address: options.Address = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """Say that a route is good for a session.

    Examples:
      ray-router set telegram:bot_1:room_9 --room -100123
      ray-router set 'matrix:hs:!abc%3Aserver.org' --room '!abc:server.org' --origin operator
    """
    screen = Screen(as_json)
    route = Route(room, thread, metadata=options.named(metadata, "--metadata"))
    text = key_text(key)
    with connected(screen, address, name, namespace) as router:
        result = router.set(text, route, observed_at, origin, ttl).result()
    words = {"session": text, "outcome": result.outcome.value, "partition": str(result.partition)}
    screen.show(named_values(words), {"key": text} | fields_of(result))
    if result.outcome in (SetOutcome.SHED, SetOutcome.UNAVAILABLE):
        raise typer.Exit(SAID_NO)


def get(
    *,
    key: options.Key,
    as_json: options.Json = False,
    address: options.Address = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """Look at what is stored for a session itself; exit code 1 when that is nothing.

    A look changes nothing: it is counted nowhere, and makes the session no more recent.

    Examples:
      ray-router get telegram:bot_1:room_9
      ray-router get 'telegram:bot_1:*' --json
    """
    screen = Screen(as_json)
    text = key_text(key)
    with connected(screen, address, name, namespace) as router:
        record = router.get(text).result()
    if record is None:
        screen.show(f"nothing is stored for {text}", {"key": text, "found": False})
        raise typer.Exit(SAID_NO)
    screen.show(record_view(record), {"found": True} | fields_of(record))


def resolve(
    *,
    key: options.Key,
    fallback: Annotated[
        list[str] | None,
        typer.Option(metavar="ROOM", help="Id of a room to fall back on; repeatable, tried in order."),
    ] = None,
    allow_stale: Annotated[
        bool, typer.Option("--allow-stale", help="Answer with a route past its TTL rather than with nothing.")
    ] = False,
    widest_scope: options.WidestScope = Scope.ROOM,
    min_confidence: options.MinConfidence = Confidence.NONE,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", help="Show every rung of the ladder, and why each route was taken or passed over."
        ),
    ] = False,
    as_json: options.Json = False,
    address: options.Address = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """Where does a reply to this session go, and how sure is that? Exit code 1 when there is no route.

    Examples:
      ray-router resolve telegram:bot_1:room_9:thread_3
      ray-router resolve telegram:bot_1:room_9 --fallback -100999 --json
      ray-router resolve telegram:bot_1:room_9:thread_3 --explain --widest-scope instance
    """
    screen = Screen(as_json)
    text = key_text(key)
    fallbacks = [Route(room) for room in fallback or ()]
    with connected(screen, address, name, namespace) as router:
        ask = router.explain if explain else router.resolve
        found = ask(
            text,
            fallbacks,
            allow_stale=allow_stale,
            widest_scope=widest_scope,
            min_confidence=min_confidence,
        ).result()
    answer = found.resolution if isinstance(found, Explanation) else found
    data = fields_of(answer) | {"fallback": answer.fallback}
    if isinstance(found, Explanation):
        screen.show(explanation_view(found), data | {"rungs": rungs(found)})
    else:
        screen.show(resolution_view(answer), data)
    if not answer:
        raise typer.Exit(SAID_NO)


def delete(
    *,
    key: options.Key,
    as_json: options.Json = False,
    address: options.Address = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """Forget a session's routes; exit code 1 when there were none.

    What was observed before now is refused from here on, should it arrive late.

    Examples:
      ray-router delete telegram:bot_1:room_9
    """
    screen = Screen(as_json)
    text = key_text(key)
    with connected(screen, address, name, namespace) as router:
        deleted = router.delete(text).result()
    screen.show(
        f"the routes of {text} are forgotten" if deleted else f"nothing was stored for {text}",
        {"key": text, "deleted": deleted},
    )
    if not deleted:
        raise typer.Exit(SAID_NO)


def prune(
    *,
    as_json: options.Json = False,
    address: options.Address = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """Move every session on whose time has come, now. Partitions do so by themselves, all the time.

    Examples:
      ray-router prune --name chat
    """
    screen = Screen(as_json)
    with connected(screen, address, name, namespace) as router:
        result = router.prune().result()
    screen.show(f"{result.pruned:,} sessions moved on, on {result.partitions} partitions", fields_of(result))
