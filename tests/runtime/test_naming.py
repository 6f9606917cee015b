"""The names of a router's actors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.config import NAME_PATTERN
from ray_router.runtime.naming import actor_name, partition_of

ROUTERS = st.from_regex(NAME_PATTERN, fullmatch=True)
PARTITIONS = st.integers(min_value=0, max_value=4_095)


@given(router=ROUTERS, other=ROUTERS, partition=PARTITIONS)
def test_an_actor_is_known_by_its_name(router: str, other: str, partition: int) -> None:
    """A partition's name holds its router's, and says which partition it is, to that router alone."""
    name = actor_name(router, partition)
    assert router in name
    assert partition_of(name, router) == partition
    assert (partition_of(name, other) is None) == (other != router)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "chat",
        "chat:0",
        "ray_router:chat",
        "ray_router:chat:",
        "ray_router:chat:x",
        "ray_router:chat:-1",
        "ray_router:chat:0:0",
        "ray_router:chatter:0",
        "other:chat:0",
        "ray_router_gateway:chat:0",
    ],
)
def test_other_actors_are_no_partitions(name: str) -> None:
    """Names of another make are left alone."""
    assert partition_of(name, "chat") is None
