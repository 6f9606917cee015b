"""``dashboard``: the live page on this machine, until it is stopped."""

from __future__ import annotations

import hmac
import secrets
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from ray_router.cli import options
from ray_router.cli.connection import connected
from ray_router.cli.extras import importing
from ray_router.cli.screen import Screen
from ray_router.errors import InvalidConfigError

if TYPE_CHECKING:
    from types import ModuleType

_NEEDED = ("starlette", "uvicorn")
_TOKEN_BYTES = 24
_LEAST_CHARACTERS = 16


def dashboard(
    *,
    host: Annotated[str, typer.Option(metavar="HOST", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, metavar="PORT", help="The port; 0 takes any that is free.")
    ] = 8280,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where the token is that lets people in.",
            show_default="a new one, which is printed",
        ),
    ] = None,
    as_json: options.Json = False,
    address: options.Address = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """Serve a page that shows a router at work, and why a reply goes where it goes, until Ctrl-C.

    Open the address that it prints: the token in it lets you in, and nobody without it. The page is for this
    machine alone unless [b]--host[/b] says otherwise; then put something with TLS in front of it.

    Examples:
      ray-router dashboard --name chat
      ray-router dashboard --name chat --host 0.0.0.0 --port 9000 --token-file /run/secrets/dashboard
    """
    screen = Screen(as_json)
    page = _extra()
    token = secrets.token_urlsafe(_TOKEN_BYTES) if token_file is None else _token_in(token_file)
    with (
        page.listening(host, port) as listener,
        connected(screen, address, name, namespace) as router,
    ):
        shown = f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{listener.getsockname()[1]}/"
        # A fragment stays in the browser: no server and no log sees the token.
        whole = f"{url}#token={token}" if token_file is None else url
        screen.show(
            Text.assemble(("the page of router ", "dim"), name, (" is at ", "dim"), (whole, "bold")),
            {"url": whole, "router": name, "namespace": namespace},
        )
        sys.stdout.flush()  # whoever reads it waits for this line, and not for the end
        if not _is_loopback(host):
            screen.note("Others can reach it, unencrypted: put something with TLS in front of it.")
        screen.note("Ctrl-C ends it.")
        expected = token.encode()
        app = page.dashboard_app(router, lambda given: hmac.compare_digest(given.encode(), expected))
        page.serve_until_stopped(app, listener)


def _extra() -> ModuleType:
    """The package of the page.

    Raises:
        MissingExtraError: the extra is not installed.
    """
    with importing(_NEEDED, "the page", "dashboard"):
        import ray_router.dashboard as page
    return page


def _token_in(file: Path) -> str:
    """What stands in a file, without white space around it.

    Raises:
        InvalidConfigError: it cannot be read, or can be guessed.
    """
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise InvalidConfigError("--token-file", f"{file} cannot be read: {why}") from None
    if len(token) < _LEAST_CHARACTERS:
        raise InvalidConfigError(
            "--token-file", f"{file} has {len(token)} characters, of at least {_LEAST_CHARACTERS}"
        )
    return token


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
