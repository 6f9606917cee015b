"""``up`` and ``down``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from ray_router.cli import options
from ray_router.cli.connection import connected, joined
from ray_router.cli.exits import SAID_NO
from ray_router.cli.plain import router_stats
from ray_router.cli.router_view import router_table
from ray_router.cli.screen import Screen
from ray_router.config import RouterConfig

_SETTINGS = "Settings, over those of the file"


def up(
    *,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", metavar="FILE", help="YAML: the settings of the router.")
    ] = None,
    partitions: Annotated[
        int | None, typer.Option(metavar="N", help="Number of partitions.", rich_help_panel=_SETTINGS)
    ] = None,
    ttl: Annotated[
        float | None,
        typer.Option(
            parser=options.seconds_or_none,
            metavar="SECONDS|none",
            help="How long a route stays fresh.",
            rich_help_panel=_SETTINGS,
        ),
    ] = None,
    max_entries: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Sessions that one partition holds at most.", rich_help_panel=_SETTINGS
        ),
    ] = None,
    eviction: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Policy for who leaves a full partition.",
            rich_help_panel=_SETTINGS,
            autocompletion=options.policies,
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=VALUE", help="Any other setting; repeatable.", rich_help_panel=_SETTINGS
        ),
    ] = None,
    as_json: options.Json = False,
    address: options.Address = None,
    name: options.NameOrTheFiles = None,
    namespace: options.Namespace = "ray_router",
) -> None:
    """Deploy a router, and show its partitions. The same settings again find the one that is running.

    Other settings than those of a running router are refused, and the fields named that differ: end it with
    [b]down[/b] first. Its actors outlive this command, and every other that asks them.

    Examples:
      ray-router up --name chat --partitions 8 --ttl 3600
      ray-router up -c router.yaml --set placement=pack --set num_cpus=0
    """
    screen = Screen(as_json)
    flags: dict[str, Any] = {
        "name": name,
        "partitions": partitions,
        "ttl_s": ttl,
        "max_entries_per_partition": max_entries,
        "eviction": eviction,
    }
    overrides = {field: value for field, value in flags.items() if value is not None}
    overrides |= {field: _value(text) for field, text in options.named(settings, "--set").items()}
    if "ttl_s" in overrides and ttl is not None:
        overrides["ttl_s"] = options.finite(ttl)
    wanted = _config(config, overrides)
    with joined(screen, address):
        from ray_router.runtime import deploy

        with screen.busy(f"deploying {wanted.partitions} partitions"):
            stats = deploy(wanted, namespace=namespace).stats().result()
    screen.show(router_table(stats, screen.results), router_stats(stats))


def down(
    *,
    as_json: options.Json = False,
    address: options.Address = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """End a router and all its actors. What it knew is gone.

    Examples:
      ray-router down --name chat
    """
    screen = Screen(as_json)
    with joined(screen, address):
        from ray_router.runtime import shutdown

        with screen.busy(f"ending router {name}"):
            shutdown(name, namespace=namespace)
    screen.show(f"router {name} has ended", {"name": name, "namespace": namespace, "ended": True})


def revive(
    partition: Annotated[int, typer.Argument(metavar="N", help="The partition's number.")],
    *,
    as_json: options.Json = False,
    address: options.Address = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """Bring a partition back that died too often and was taken out of service.

    Until then its sessions are served by those who keep their copies; [b]status[/b] shows which are out.

    Examples:
      ray-router revive 2 --name chat
    """
    screen = Screen(as_json)
    with connected(screen, address, name, namespace) as router:
        revived = router.revive(partition).result()
    said = f"partition {partition} is back" if revived else f"partition {partition} was not out of service"
    screen.show(said, {"partition": partition, "revived": revived})
    if not revived:
        raise typer.Exit(SAID_NO)


def _config(file: Path | None, overrides: dict[str, Any]) -> RouterConfig:
    """The config of a file, or the default one, with some settings over it."""
    base = {} if file is None else RouterConfig.from_file(file).model_dump()
    return RouterConfig.build(**(base | overrides))


def _value(text: str) -> object:
    """A setting as a config file would have it; what is no YAML is text."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text
