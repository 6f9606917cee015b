"""The HTTP front: webhooks in, routes out. Needs the extra: ``pip install 'ray-router[serve]'``.

``create_app`` makes an ASGI application of any router, for tests and for whoever has a web server;
``ray_router.serve.deployment`` runs it on Ray Serve, which is what ``ray-router serve`` does.
"""

from ray_router.serve.app import create_app
from ray_router.serve.endpoints import Arrival, Endpoint, NotAuthenticError
from ray_router.serve.front import Front
from ray_router.serve.reference import Reference
from ray_router.serve.settings import FrontSettings, Webhooks

__all__ = [
    "Arrival",
    "Endpoint",
    "Front",
    "FrontSettings",
    "NotAuthenticError",
    "Reference",
    "Webhooks",
    "create_app",
]
