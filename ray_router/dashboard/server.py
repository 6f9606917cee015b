"""The page on a port of this machine, until it is stopped."""

from __future__ import annotations

import socket

import uvicorn
from starlette.types import ASGIApp

from ray_router.errors import RouterError

_BACKLOG = 128
_LAST_ANSWERS_WITHIN_S = 2


class PortTakenError(RouterError):
    """Nothing can listen at an address."""

    hint = "Choose another with --port; 0 takes any that is free."


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; connections wait in it until they are served.

    Args:
        port: 0 for any that is free.

    Raises:
        PortTakenError: somebody else listens there, or this machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise PortTakenError(f"cannot listen at {host}:{port}: {error.strerror or error}") from None


def serve_until_stopped(app: ASGIApp, at: socket.socket) -> None:
    """Serve, until Ctrl-C or termination; either then goes on as if it had come right after."""
    config = uvicorn.Config(
        app,
        access_log=False,
        lifespan="off",
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_LAST_ANSWERS_WITHIN_S,
        ws="none",
    )
    uvicorn.Server(config).run(sockets=[at])
