"""The names of a router's actors in a Ray namespace."""

from __future__ import annotations

_PREFIX = "ray_router"


def actor_name(router: str, partition: int) -> str:
    """The Ray name of a partition's actor."""
    return f"{_PREFIX}:{router}:{partition}"


def controller_name(router: str) -> str:
    """The Ray name of the actor that autoscales it."""
    return f"{_PREFIX}:{router}:controller"


def partition_of(name: str, router: str) -> int | None:
    """The partition whose actor has this name; None when it is no actor of this router."""
    prefix, _, index = name.rpartition(":")
    return int(index) if prefix == f"{_PREFIX}:{router}" and index.isdecimal() else None
