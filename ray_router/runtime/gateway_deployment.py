"""Deploying, finding and ending a gateway's actors."""

from __future__ import annotations

import re
import time
from functools import partial
from typing import Any

import ray
from ray.actor import ActorHandle

from ray_router.config import NAME_PATTERN, names_a_function
from ray_router.errors import InvalidConfigError
from ray_router.gateway import GatewayMismatchError, GatewayNotFoundError, GatewaySettings
from ray_router.runtime.fleet import Fleet, end
from ray_router.runtime.gateway_actor import (
    CONCURRENCY_GROUPS,
    SPARE_CALLS,
    GatewayActor,
    GatewayPlan,
    LaneHello,
    SenderFactory,
    factory_name,
    lane_name,
    lane_of,
)
from ray_router.runtime.gateway_handle import GatewayHandle
from ray_router.runtime.transport import require_ray

_MOST_LANES = 4_096
_ANSWERS_WITHIN_S = 10.0


def deploy_gateway(
    name: str = "default",
    n: int = 1,
    router_name: str = "default",
    *,
    senders: SenderFactory,
    settings: GatewaySettings | None = None,
    namespace: str = "ray_router",
    num_cpus: float = 0.01,
    deploy_timeout_s: float = 60.0,
    telemetry: str | None = None,
) -> GatewayHandle:
    """Deploy a gateway as detached actors, or find the one that runs with this config already.

    Blocks until every lane has answered. The bounds of the settings hold for each lane.

    Args:
        n: number of lanes, which are actors; a session belongs to one of them by the hash of its room.
        router_name: the router in the same namespace; it need not run yet.
        senders: makes the senders in each actor: ``"module:function"``, or a picklable function. Two
            deployments' factories are compared by name.
        num_cpus: CPUs that Ray reserves for each lane.
        telemetry: ``"module:function"`` that sets OpenTelemetry up in each lane's process; None: as the
            ``OTEL_*`` variables say there, else nothing. As ``RouterConfig.telemetry``, and the same function
            may serve both.

    Raises:
        GatewayMismatchError: a gateway of this name runs with another config.
        InvalidConfigError: an argument cannot be accepted, or the factory or the telemetry fails in the
            actors.
        RouterError: Ray is not initialised, or not all lanes could be placed within ``deploy_timeout_s``;
            nothing that this call created is left.
    """
    require_ray()
    _check(name, n, router_name, senders, telemetry)
    plan = GatewayPlan(
        name=name,
        namespace=namespace,
        lanes=n,
        router_name=router_name,
        senders=factory_name(senders),
        settings=settings or GatewaySettings(),
        num_cpus=num_cpus,
        telemetry=telemetry,
    )
    deadline = time.monotonic() + deploy_timeout_s
    fleet = _fleet(name, namespace)
    actors: dict[int, ActorHandle[Any]] = {}
    created: list[ActorHandle[Any]] = []  # by this call; what another driver created a moment ago is not ours
    try:
        for lanes in (range(1), range(1, n)):  # the first decides: its plan is the gateway's
            for lane in lanes:
                actors[lane], is_new = _find_or_create(lane, plan, senders, fleet)
                created += [actors[lane]] if is_new else []
            hellos: dict[int, LaneHello] = fleet.greet(actors, deadline)
            if differences := plan.differences(hellos[0].plan):
                raise GatewayMismatchError(name, differences)
        for hello in hellos.values():
            if hello.problem is not None:
                raise hello.problem
    except BaseException:  # an interrupted deployment leaves nothing behind either
        end(created)
        raise
    return GatewayHandle(plan)


def connect_gateway(name: str = "default", *, namespace: str = "ray_router") -> GatewayHandle:
    """Find a deployed gateway from any process of the cluster.

    Blocks for one call: in an event loop, ``await asyncio.to_thread(connect_gateway, name)``, or bring a
    handle there, which pickles and knows everything.

    Raises:
        GatewayNotFoundError: there is no such gateway, or it does not answer.
        RouterError: Ray is not initialised.
    """
    require_ray()
    problem = f"no gateway {name!r} is deployed in namespace {namespace!r}"
    for lane in _fleet(name, namespace).deployed():
        try:
            actor = ray.get_actor(lane_name(name, lane), namespace=namespace)
            hello: LaneHello = ray.get(actor.hello.remote(), timeout=_ANSWERS_WITHIN_S)
        except (ValueError, ray.exceptions.RayError) as error:
            problem = f"gateway {name!r} does not answer: {error}".partition("\n")[0]
        else:
            return GatewayHandle(hello.plan)
    raise GatewayNotFoundError(problem)


def shutdown_gateway(
    name: str = "default", *, namespace: str = "ray_router", drain_s: float | None = None
) -> None:
    """End a gateway: each lane accepts nothing more, sends what is pending, and is ended.

    Blocks until the actors' names are free.

    Args:
        drain_s: seconds that the lanes wait for what is pending; None takes their settings'.

    Raises:
        GatewayNotFoundError: there is no such gateway.
        RouterError: Ray is not initialised, or an actor did not end.
    """
    require_ray()
    fleet = _fleet(name, namespace)
    lanes = fleet.deployed()
    if not lanes:
        raise GatewayNotFoundError(f"no gateway {name!r} is deployed in namespace {namespace!r}")
    if drain_s is None:
        try:
            drain_s = connect_gateway(name, namespace=namespace).plan.settings.drain_s
        except GatewayNotFoundError:
            drain_s = 0.0  # no lane answers: there is nothing to wait for
    fleet.close(lanes, drain_s + _ANSWERS_WITHIN_S, drain_s)


def _check(name: str, n: int, router_name: str, senders: SenderFactory, telemetry: str | None) -> None:
    for field, value in (("name", name), ("router_name", router_name)):
        if not isinstance(value, str) or not re.fullmatch(NAME_PATTERN, value):
            raise InvalidConfigError(field, f"must match {NAME_PATTERN}, not {value!r}")
    if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= _MOST_LANES:
        raise InvalidConfigError("n", f"must be a number from 1 to {_MOST_LANES}, not {n!r}")
    if isinstance(senders, str):
        if not names_a_function(senders):
            raise InvalidConfigError("senders", f"must be 'module:function', not {senders!r}")
    elif not callable(senders):
        problem = f"must be 'module:function' or a function, not {type(senders).__name__}"
        raise InvalidConfigError("senders", problem)
    if telemetry is not None and not (isinstance(telemetry, str) and names_a_function(telemetry)):
        raise InvalidConfigError("telemetry", f"must be 'module:function', not {telemetry!r}")


def _fleet(name: str, namespace: str) -> Fleet:
    return Fleet(
        noun="lane",
        of=f"gateway {name!r}",
        namespace=namespace,
        name_of=partial(lane_name, name),
        number_of=partial(lane_of, gateway=name),
        needs="enough free CPU",
    )


def _find_or_create(
    lane: int, plan: GatewayPlan, factory: SenderFactory, fleet: Fleet
) -> tuple[ActorHandle[Any], bool]:
    actor_class = ray.remote(concurrency_groups=CONCURRENCY_GROUPS)(GatewayActor)  # type: ignore[call-overload]
    options = {
        "max_task_retries": 0,  # what Ray lost may have been sent: repeating it is for the caller to say
        "max_concurrency": plan.settings.max_pending + SPARE_CALLS,
        "num_cpus": plan.num_cpus,
        "scheduling_strategy": "SPREAD" if plan.num_cpus else "DEFAULT",
    }
    return fleet.find_or_create(lane, actor_class, options, lane, plan, factory)
