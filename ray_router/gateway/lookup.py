"""Asking the router where a message goes, and answering from its fallbacks when nobody can be asked."""

from __future__ import annotations

from collections.abc import Set

from ray_router.core.ladder import fits
from ray_router.errors import InvalidInputError, RouterError
from ray_router.gateway.outgoing import Outgoing
from ray_router.handle import RouterHandle
from ray_router.model import Confidence, FallbackReason, Resolution, ResolutionSource, Route

NO_PARTITION = -1  # in a resolution that no partition had a part in


async def look_up(router: RouterHandle, outgoing: Outgoing, tried: Set[Route]) -> Resolution:
    """The router's answer, or what can be said without it.

    A handle answers from the fallbacks itself while it knows the router; one that cannot even find it
    raises, and is answered for here by the same rule. What was tried already is no fallback any more.

    Raises:
        InvalidInputError: the router does not accept the key or a fallback.
        RouterError: the router did not answer, and no fallback would do.
    """
    fallbacks = tuple(route for route in outgoing.fallbacks if route not in tried)
    try:
        return await router.resolve(
            outgoing.session,
            fallbacks,
            allow_stale=outgoing.allow_stale,
            widest_scope=outgoing.widest_scope,
            min_confidence=outgoing.min_confidence,
        )
    except InvalidInputError:
        raise
    except RouterError:
        if outgoing.min_confidence > Confidence.PROVIDED:
            raise
        for route in fallbacks:
            if fits(route.text, outgoing.session):
                return _provided(outgoing, route)
        raise


def _provided(outgoing: Outgoing, route: Route) -> Resolution:
    return Resolution(
        key=outgoing.key,
        route=route,
        source=ResolutionSource.PROVIDED,
        reason=FallbackReason.UNAVAILABLE,
        stale=False,
        confidence=Confidence.PROVIDED,
        matched_scope=None,
        age_s=None,
        expires_in_s=None,
        partition=NO_PARTITION,
        epoch=0,
    )
