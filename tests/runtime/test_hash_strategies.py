"""Hash strategies of users' own: the same in every process, or not deployed."""

from __future__ import annotations

import pytest

from ray_router import InvalidConfigError, Route, RouterConfig, connect, deploy, shutdown

from . import shard_keys
from .actors import CountingTransport, names_in

pytestmark = pytest.mark.ray
HERE = shard_keys.__name__


def test_a_function_may_say_what_stays_together(ray_cluster: str, namespace: str) -> None:
    """Rooms that it gives the same text share a partition, and a ladder is still one call."""
    from ray_router import RouterHandle

    deploy(
        RouterConfig(name="tongues", partitions=2, hash_strategy=f"{HERE}:by_language"), namespace=namespace
    )
    try:
        transport = CountingTransport("tongues", namespace)
        router = RouterHandle(transport)
        languages = [f"{first}{second}" for first in "abcdef" for second in "xyz"]
        rooms = [f"tg:bot_{number}:{each}-{number}" for each in languages for number in range(5)]
        written = router.set_many([(room, Route(room)) for room in rooms]).result()
        homes = [
            {result.partition for result in written[5 * at : 5 * at + 5]} for at in range(len(languages))
        ]
        assert all(len(home) == 1 for home in homes)
        assert set.union(*homes) == {0, 1}
        transport.batches.clear()
        answers = [router.resolve(f"{room}:thread").result() for room in rooms]
        assert [answer.require().external_room_id for answer in answers] == rooms
        assert transport.batches.total() == len(rooms)
        assert connect("tongues", namespace=namespace).resolve(rooms[0]).result()
    finally:
        shutdown("tongues", namespace=namespace)


@pytest.mark.parametrize(
    ("strategy", "problem"),
    [
        (f"{HERE}:by_process", "gives other slots in partition 0 than here"),
        (f"{HERE}:by_luck", "fails on a session: LookupError"),
        (f"{HERE}:by_weight", "must return str, bytes or int, not float"),
        (f"{HERE}:nobody", "cannot be imported"),
        ("no.such.module:function", "cannot be imported"),
        (f"{HERE}:only_there", "fails on a session: LookupError.*not here"),
    ],
)
def test_a_strategy_that_would_lose_sessions_is_refused(
    ray_cluster: str, namespace: str, strategy: str, problem: str
) -> None:
    """Deployment says what is wrong with it, before any session is routed by it, and leaves nothing."""
    with pytest.raises(InvalidConfigError, match=problem) as caught:
        deploy(RouterConfig(name="lost", partitions=2, hash_strategy=strategy), namespace=namespace)
    assert caught.value.field == "hash_strategy"
    assert names_in(namespace) == []
