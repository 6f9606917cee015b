"""``serve``: the HTTP front, until it is stopped."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from ray_router.cli import options
from ray_router.cli.connection import joined_or_started, own_router, runs_its_own
from ray_router.cli.extras import importing
from ray_router.cli.interrupts import uninterrupted
from ray_router.cli.screen import Screen
from ray_router.config import RouterConfig
from ray_router.errors import InvalidConfigError

if TYPE_CHECKING:
    from ray_router.serve import FrontSettings

_NEEDED = ("fastapi", "starlette", "jwt", "cryptography", "uvicorn")


def serve(
    *,
    config: Annotated[
        Path,
        typer.Option(
            "--config", "-c", metavar="FILE", help="YAML: the settings of the front.", show_default=False
        ),
    ],
    router: Annotated[
        Path | None,
        typer.Option(
            "--router",
            metavar="FILE",
            help="YAML: the settings of the router, where Ray is started here and so none runs yet.",
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(metavar="HOST", help="Where to listen.", show_default="the file's, or 127.0.0.1"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65_535, metavar="PORT", help="The port.", show_default="the file's, or 8000"),
    ] = None,
    as_json: options.Json = False,
    address: options.AddressOrOwn = None,
    name: options.NameOrTheFiles = None,
    namespace: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Ray namespace that it lives in.",
            show_default="the file's, or ray_router",
            rich_help_panel=options.CLUSTER,
        ),
    ] = None,
) -> None:
    """Receive webhooks and answer for routes over HTTP, on Ray Serve, until Ctrl-C.

    Without an address, Ray and a router are started on this machine, and ended afterwards. In the cluster at
    an address the router must be there; of what is left there, only Ray Serve itself goes on.

    Examples:
      ray-router serve -c front.yaml
      ray-router serve -c front.yaml --address 10.0.0.5:6379 --host 0.0.0.0
    """
    screen = Screen(as_json)
    flags = {"host": host, "port": port, "router": name, "namespace": namespace}
    settings = _settings(config, {field: value for field, value in flags.items() if value is not None})
    own = runs_its_own(address)
    if router is not None and not own:
        raise InvalidConfigError("--router", "the cluster at the address has routers of its own")
    router_config = RouterConfig.from_file(router) if router is not None else RouterConfig()
    router_config = RouterConfig.build(**(router_config.model_dump() | {"name": settings.router}))
    with (
        joined_or_started(screen, address),
        _router(screen, settings, router_config if own else None),
        _running(screen, settings) as url,
    ):
        screen.show(
            Text.assemble(("serving ", "dim"), (url, "bold"), (f", its API at {url}/docs", "dim")),
            {"url": url, "router": settings.router, "namespace": settings.namespace},
        )
        sys.stdout.flush()  # whoever reads it waits for this line, and not for the end
        screen.note("Ctrl-C ends it.")
        threading.Event().wait()


@contextmanager
def _running(screen: Screen, settings: FrontSettings) -> Iterator[str]:
    """The front, running; ended afterwards."""
    from ray_router.serve.deployment import start, stop

    with screen.busy("starting the front"):
        url = start(settings)
    try:
        yield url
    finally:
        with uninterrupted():
            stop(settings.name)


@contextmanager
def _router(screen: Screen, settings: FrontSettings, config: RouterConfig | None) -> Iterator[None]:
    """A router of this command's own, if it is given one; else it must be there.

    Raises:
        RouterNotFoundError: there is none.
    """
    if config is not None:
        with own_router(screen, config, settings.namespace):
            yield
        return
    from ray_router.runtime import connect

    connect(settings.router, namespace=settings.namespace)
    yield


def _settings(file: Path, overrides: dict[str, Any]) -> FrontSettings:
    """The settings of a file, with some over them.

    Raises:
        MissingExtraError: the extra is not installed.
    """
    with importing(_NEEDED, "the front", "serve"):
        from ray_router.serve import FrontSettings
    return FrontSettings.from_file(file, **overrides)
