"""Routers of other namespaces are not there."""

from __future__ import annotations

import pytest

from ray_router import Route, RouterConfig, RouterNotFoundError, connect, deploy, shutdown

KEY = "tg:bot:room"


def test_another_namespace_does_not_see_a_router(ray_cluster: str, namespace: str) -> None:
    """Neither to read from, nor to end; one of the same name is another."""
    config = RouterConfig(name="same", partitions=1)
    mine = deploy(config, namespace=namespace)
    mine.set(KEY, Route("mine")).result()
    other = f"{namespace}_other"
    for call in (connect, shutdown):
        with pytest.raises(RouterNotFoundError, match=other):
            call("same", namespace=other)
    theirs = deploy(config, namespace=other)
    assert not theirs.resolve(KEY).result()
    theirs.set(KEY, Route("theirs")).result()
    shutdown("same", namespace=other)
    assert connect("same", namespace=namespace).resolve(KEY).result().route == Route("mine")
    shutdown("same", namespace=namespace)
