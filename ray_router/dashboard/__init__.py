"""The live page: a router as it works, and why a reply goes where it goes. Needs the extra ``dashboard``.

``dashboard_app`` makes an ASGI application of any router. ``ray-router dashboard`` serves it on this machine
alone; the HTTP front has it under ``/dashboard`` where its settings say so. It shows partitions, counts and
findings, and of sessions only those whose keys somebody types.
"""

from ray_router.dashboard.app import dashboard_app
from ray_router.dashboard.server import PortTakenError, listening, serve_until_stopped

__all__ = ["PortTakenError", "dashboard_app", "listening", "serve_until_stopped"]
