"""The front on Ray Serve: deployed, and ended.

Each replica is the ASGI application of ``create_app``, made there, so that secrets are read where they are
used and never travel.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from http.client import NOT_FOUND
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import ray
from ray import serve
from ray.serve.schema import ApplicationStatus

from ray_router.errors import InvalidConfigError, RouterError
from ray_router.gateway import Gateway
from ray_router.handle import RouterHandle
from ray_router.runtime.gateway_deployment import connect_gateway
from ray_router.runtime.transport import RayTransport, require_ray
from ray_router.serve.app import create_app
from ray_router.serve.front import Front
from ray_router.serve.settings import FrontSettings

_DEPLOYMENT = "Front"
_LOOK_AGAIN_S = 0.1
_ANSWERS_WITHIN_S = 5.0
_QUIET = {"log_level": "WARNING", "enable_access_log": False}
_OF_SERVE: Final = ("name", "host", "port", "route_prefix", "start_timeout_s")


class FrontFailedError(RouterError):
    """Ray Serve could not start the front."""


def application(settings: FrontSettings, gateway: Gateway | None = None) -> serve.Application:
    """The front as a Serve application, for ``serve.run``.

    Args:
        gateway: the handle of a deployed gateway, which pickles.
    """

    def build() -> Any:
        return create_app(Front(settings, _router(settings), gateway))

    deployment: Any = serve.deployment(
        serve.ingress(build)(),
        name=_DEPLOYMENT,
        num_replicas=settings.replicas,
        max_ongoing_requests=settings.max_requests,
        ray_actor_options={"num_cpus": settings.num_cpus},
        logging_config=_QUIET,
    )
    bound: serve.Application = deployment.bind()
    return bound


def from_config(args: dict[str, Any]) -> serve.Application:
    """The front for a Serve config file, as its ``import_path``, with the settings as its ``args``.

    Raises:
        InvalidConfigError: a setting is not acceptable, or is one that such a file says elsewhere.
        GatewayNotFoundError: the gateway that the settings name is not deployed.
    """
    for field in _OF_SERVE:
        if field in args:
            raise InvalidConfigError(field, "is said by the Serve config itself, not by its args")
    settings = FrontSettings.build(**args)
    return application(settings, _gateway(settings))


def start(settings: FrontSettings) -> str:
    """Run the front on the cluster that this process is connected to; returns its URL.

    Blocks until its replicas receive. A front of the same name is replaced, without a gap. The router need
    not run yet.

    Raises:
        InvalidConfigError: a secret or plug-in of the settings does not work in the cluster, or Serve runs
            already and listens elsewhere.
        GatewayNotFoundError: the gateway that the settings name is not deployed.
        FrontFailedError: it does not start within ``start_timeout_s``.
        RouterError: Ray is not initialised.
    """
    require_ray()
    gateway = _gateway(settings)
    _rehearse(settings, gateway)
    _quietly(
        lambda: serve.start(
            http_options={"host": settings.host, "port": settings.port}, logging_config=_QUIET
        )
    )
    _check_address(settings)
    url = f"http://{settings.host}:{settings.port}{settings.route_prefix.rstrip('/')}"
    target = serve.RunTarget(application(settings, gateway), settings.name, settings.route_prefix)
    deadline = time.monotonic() + settings.start_timeout_s
    try:
        _quietly(lambda: serve.run_many([target], wait_for_applications_running=False))
        _await_running(settings.name, deadline)
        _await_route(url, deadline)
    except BaseException as error:  # an interrupted start leaves nothing behind either
        stop(settings.name)
        if not isinstance(error, RuntimeError):
            raise
        raise FrontFailedError(f"the front did not start: {_first_line(error)}") from None
    return url


def stop(name: str) -> None:
    """End a front; its replicas finish what is under way first.

    Serve itself goes on: it is the cluster's, and others may use it. ``serve.shutdown()`` ends it.
    """
    _quietly(lambda: serve.delete(name))


def _router(settings: FrontSettings) -> RouterHandle:
    """A handle that looks for its router when it is first used: it need not be there yet."""
    return RouterHandle(RayTransport(settings.router, settings.namespace))


def _gateway(settings: FrontSettings) -> Gateway | None:
    """The deployed gateway that the settings name, if they do."""
    if settings.gateway is None:
        return None
    return connect_gateway(settings.gateway, namespace=settings.namespace)


def _rehearse(settings: FrontSettings, gateway: Gateway | None) -> None:
    """Make a front in a worker of the cluster: Serve would try for long, and then not say what was wrong.

    Raises:
        InvalidConfigError: it cannot be made there.
    """

    def make() -> RouterError | None:
        try:
            Front(settings, _router(settings), gateway)
        except RouterError as error:
            return error
        return None

    try:
        problem = ray.get(ray.remote(make).options(num_cpus=0, max_retries=0).remote())
    except ray.exceptions.RayError as error:
        raise FrontFailedError(f"the front cannot be made in the cluster: {_first_line(error)}") from None
    if problem is not None:
        raise problem


def _check_address(settings: FrontSettings) -> None:
    """Serve listens in one place for a whole cluster, and keeps to it, whatever it is told later."""
    from ray.serve.context import _get_global_client

    client = _get_global_client()
    assert client is not None  # or it would have raised
    options = client.http_config
    if (options.host, options.port) != (settings.host, settings.port):
        raise InvalidConfigError(
            "port",
            f"Ray Serve runs in this cluster already, and listens at {options.host}:{options.port}, not at "
            f"{settings.host}:{settings.port}",
        )


def _await_running(name: str, deadline: float) -> None:
    """Wait for an application, which Serve itself would do for ever where there is no room for it.

    Raises:
        FrontFailedError: Serve gave up, or it is not there in time.
    """
    while True:
        status = serve.status().applications[name]
        if status.status is ApplicationStatus.RUNNING:
            return
        is_late = time.monotonic() > deadline
        if is_late or status.status is ApplicationStatus.DEPLOY_FAILED:
            told = [each.message for each in status.deployments.values()]
            why = _first_line(" ".join(filter(None, [status.message, *told])))
            problem = "its replicas could not be placed in time" if is_late else "it failed"
            raise FrontFailedError(f"the front did not start, {problem}: {why or 'Serve does not say why'}")
        time.sleep(_LOOK_AGAIN_S)


def _await_route(url: str, deadline: float) -> None:
    """Serve has an application run a moment before its proxies know of it."""
    opener = build_opener(ProxyHandler({}))
    while time.monotonic() < deadline:
        try:
            opener.open(f"{url}/healthz", timeout=_ANSWERS_WITHIN_S).close()
        except HTTPError as error:
            if error.code != NOT_FOUND:
                return
        except OSError:
            return  # not to be reached from here, which is no fault
        else:
            return
        time.sleep(_LOOK_AGAIN_S)


def _first_line(error: object) -> str:
    return str(error).strip().partition("\n")[0][:500]


def _quietly(call: Callable[[], object]) -> None:
    """Serve tells of its own doings on standard error, which is ours to write to."""
    logger = logging.getLogger("ray.serve")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        call()
    finally:
        logger.setLevel(level)
