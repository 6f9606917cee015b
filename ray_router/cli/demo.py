"""``demo``: a router, traffic, and what became of it, with nothing to set up and nothing left behind."""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex
from typing import Annotated

import typer
from rich.console import Group

from ray_router.cli import options
from ray_router.cli.connection import joined_or_started, own_router
from ray_router.cli.plain import fields_of, log_summary, run_summary
from ray_router.cli.progress import note_bad_lines, tracked
from ray_router.cli.run_view import RunReport, run_table
from ray_router.cli.screen import Screen
from ray_router.cli.session_view import answers_table
from ray_router.handle import RouterHandle
from ray_router.model import Resolution, Route, Scope, SessionKey
from ray_router.workload import EventLog, SyntheticTraffic, Tally, closing_stats, event_config, play


def demo(
    *,
    events: Annotated[
        Path | None,
        typer.Option("--events", metavar="FILE", help="Chat log to replay, instead of made-up traffic."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the made-up traffic.")] = 0,
    messages: Annotated[int, typer.Option(min=1, metavar="N", help="Messages to make up.")] = 20_000,
    duration: Annotated[
        float | None, typer.Option(min=0.1, metavar="SECONDS", help="Stop after this time, whatever is left.")
    ] = None,
    partitions: Annotated[
        int, typer.Option(min=1, max=4096, metavar="N", help="Partitions of the router.")
    ] = 4,
    ttl: options.Ttl = 1_800.0,
    as_json: options.Json = False,
    address: options.AddressOrOwn = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """See it work: starts Ray on this machine, deploys a router, replays traffic, and leaves nothing running.

    Each message first asks where a reply to its session would go, then says where it came from. Time is
    the messages' own: a day of traffic is over in seconds.

    Examples:
      ray-router demo
      ray-router demo --events chat.jsonl.gz --partitions 8
    """
    screen = Screen(as_json)
    config = event_config(
        name=f"{name[:40]}-demo-{token_hex(4)}", partitions=partitions, ttl_s=options.finite(ttl)
    )
    if events is None:
        source: EventLog | SyntheticTraffic = SyntheticTraffic(messages, seed)
    else:
        source = EventLog(events, limits=config.limits)
        source.check()
    with joined_or_started(screen, address), own_router(screen, config, namespace) as router:
        with tracked(screen, source, f"replaying on {partitions} partitions", duration) as run:
            tally = play(router, run)
        stats = closing_stats(router, tally)
        answers = _sample_answers(router, tally)
    if isinstance(source, EventLog):
        note_bad_lines(screen, source)
    about = log_summary(source) if isinstance(source, EventLog) else {"seed": seed}
    report = RunReport(config, tally, stats, run.elapsed_s)
    screen.show(
        Group(run_table(report, screen.results), "", answers_table(answers)),
        run_summary(report) | about | {"answers": [fields_of(answer) for _, answer in answers]},
    )
    screen.note("All that was started has ended.")


def _sample_answers(router: RouterHandle, tally: Tally) -> list[tuple[str, Resolution]]:
    """How the ladder answers, at the time of the last message, from its rungs in order."""
    last = next((each.last_key for each in tally.partitions if each.last_key), None)
    if last is None:
        return []
    now = router.at(tally.last_at)
    known = SessionKey.parse(last)
    new_thread = SessionKey(known.channel, known.instance, known.room, "new")
    stranger = SessionKey(known.channel, known.instance, "unknown")
    return [
        ("the session that wrote last", now.resolve(known).result()),
        ("a new thread in its room", now.resolve(new_thread).result()),
        ("the same, if the room will not do", now.resolve(new_thread, widest_scope=Scope.THREAD).result()),
        ("a stranger, given a fallback", now.resolve(stranger, [Route("reception")]).result()),
    ]
