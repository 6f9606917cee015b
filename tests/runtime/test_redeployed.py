"""A router that is ended and deployed anew, under handles that knew the old one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import ray

from ray_router import (
    PartitionUnavailableError,
    ResolutionSource,
    Route,
    RouterConfig,
    RouterHandle,
    RouterNotFoundError,
    SetOutcome,
    connect,
    deploy,
    shutdown,
)
from ray_router.runtime.transport import RayTransport
from ray_router.testing import wait_until
from ray_router.transport import Control, PartitionGone

from .actors import Place, actor_of, names_in

pytestmark = pytest.mark.ray
HOME, AWAY = Route("home"), Route("away")
CONFIG = RouterConfig(name="phoenix", partitions=1)
KEY = "tg:bot:room"


@pytest.fixture
def old(ray_cluster: str, namespace: str) -> Iterator[RouterHandle]:
    """A handle of a router; whatever has its name in the end is ended."""
    yield deploy(CONFIG, namespace=namespace)
    if names_in(namespace):
        shutdown(CONFIG.name, namespace=namespace)


def test_an_old_handle_finds_the_new_router(old: RouterHandle, namespace: str) -> None:
    """After an end and a new deployment of the same config it goes on by itself, after one look-up."""
    old.set(KEY, HOME).result()
    shutdown(CONFIG.name, namespace=namespace)
    deploy(CONFIG, namespace=namespace)
    assert old.set(KEY, AWAY).result().outcome is SetOutcome.STORED
    assert old.resolve(KEY).result().route == AWAY
    assert old.stats().result().partitions[0].incarnation == 1


def test_a_handle_of_an_ended_router_answers_from_fallbacks(old: RouterHandle, namespace: str) -> None:
    """While there is no router it says so, without asking for long; once there is one again, it serves."""
    assert old.resolve(KEY).result().route is None
    shutdown(CONFIG.name, namespace=namespace)
    answer = old.resolve(KEY, [AWAY]).result()
    assert (answer.route, answer.source) == (AWAY, ResolutionSource.PROVIDED)
    with pytest.raises(PartitionUnavailableError) as caught:
        old.resolve(KEY).result()
    assert caught.value.partition == 0
    assert old.stats().result().down == (0,)
    deploy(CONFIG, namespace=namespace)
    wait_until(lambda: old.resolve(KEY, [AWAY]).result().source is ResolutionSource.PROVIDED)
    wait_until(lambda: old.set_many([(KEY, HOME)]).result()[0].outcome is SetOutcome.STORED)
    assert old.resolve(KEY, [AWAY]).result().route == HOME


def test_another_config_takes_a_new_handle(old: RouterHandle, namespace: str) -> None:
    """Keys may belong elsewhere now: an old handle is told to connect again, in one line."""
    shutdown(CONFIG.name, namespace=namespace)
    deploy(RouterConfig(name=CONFIG.name, partitions=1, ttl_s=5), namespace=namespace)
    with pytest.raises(PartitionUnavailableError) as caught:
        old.set(KEY, HOME).result()
    assert str(caught.value) == (
        "partition 0 is unavailable: the router was deployed anew with another config: connect again"
    )
    assert old.resolve(KEY, [AWAY]).result().route == AWAY
    again = connect(CONFIG.name, namespace=namespace)
    assert again.resolve(KEY).result().route is None
    assert again.set(KEY, HOME).result().outcome is SetOutcome.STORED


def test_a_transport_looks_again(old: RouterHandle, namespace: str) -> None:
    """Each time it is asked the way, it looks for the actor that has the name now."""
    transport = RayTransport(CONFIG.name, namespace)
    assert transport.open().wait(30).config == CONFIG
    shutdown(CONFIG.name, namespace=namespace)
    deploy(CONFIG, namespace=namespace)
    assert transport.open().wait(30).config == CONFIG
    shutdown(CONFIG.name, namespace=namespace)
    with pytest.raises(RouterNotFoundError, match="no router 'phoenix' is deployed in namespace"):
        transport.open()
    assert not transport.relocate(0)
    with pytest.raises(PartitionGone, match="no actor has its name"):
        transport.ask(0, Control.PING)


async def test_a_loop_is_told_of_an_end(old: RouterHandle, namespace: str) -> None:
    """A call that waits for a router that ends first is told that there is none."""
    for _ in range(4):  # all threads of the lane that would answer
        hold = actor_of(Place(CONFIG.name, namespace, 1), 0).__ray_call__.options(concurrency_group="control")
        hold.remote(lambda partition: partition._closing.wait())
    router = connect(CONFIG.name, namespace=namespace)
    waiting = router.set(KEY, HOME)
    ray.kill(actor_of(Place(CONFIG.name, namespace, 1), 0))
    with pytest.raises(RouterNotFoundError):
        await waiting


def test_without_ray_no_name_is_looked_up(
    old: RouterHandle, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Ray has been shut down, asking it for a name would start a cluster; nobody asks."""
    transport = RayTransport(CONFIG.name, namespace)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "get_actor", lambda *_, **__: pytest.fail("asked Ray"))
    assert not transport.relocate(0)
