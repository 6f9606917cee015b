"""Snapshots over any transport: what is taken of one router comes back in another, however it is cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from ray_router import Route, Scope, SessionKey, SnapshotError, SnapshotNotFoundError, Write
from ray_router.snapshot.manifest import FILE

from .subjects import EVENT, HOME, WALL, Routers, varied

OTHER = varied(WALL, partitions=2, replicas=1)


def test_what_is_taken_comes_back(routers: Routers, channel: str, tmp_path: Path) -> None:
    """In another number of partitions, with copies, as old as it is, beside what is live."""
    source = routers(WALL)
    keys = [f"{channel}:bot:room_{number}" for number in range(200)]
    source.set_many([Write(key, Route(key), ttl_s=3_600) for key in keys]).result()
    source.set(SessionKey(channel, "bot"), HOME).result()
    taken = source.snapshot(str(tmp_path)).result()
    assert taken.partitions == 3
    assert taken.sessions >= 200
    before = {key: source.get(key).result() for key in keys[:5]}

    target = routers(OTHER)
    target.set(keys[0], Route("newer")).result()
    restored = target.restore(str(tmp_path)).result()
    assert (restored.snapshot, restored.partitions, restored.refused) == (taken, 2, 0)
    answers = target.resolve_many(keys).result()
    assert [answer.require().external_room_id for answer in answers] == ["newer", *keys[1:]]
    stranger = target.resolve(f"{channel}:bot:stranger", widest_scope=Scope.INSTANCE).result()
    assert stranger.route == HOME
    for key in keys[1:5]:
        record, was = target.get(key).result(), before[key]
        assert record is not None
        assert was is not None
        assert record.observed_at == was.observed_at


def test_a_router_that_is_told_the_time(
    routers: Routers, room: SessionKey, start: float, tmp_path: Path
) -> None:
    """Takes part, whatever time it is."""
    router = routers(EVENT)
    router.at(start).set(room, HOME).result()
    router.snapshot(str(tmp_path)).result()
    router.at(start + 1).delete(room).result()
    router.restore(str(tmp_path)).result()
    assert not router.at(start + 2).resolve(room).result()


def test_a_half_snapshot_is_none(routers: Routers, room: SessionKey, tmp_path: Path) -> None:
    """Nor is a damaged one."""
    router = routers(WALL)
    router.set(room, HOME).result()
    taken = router.snapshot(str(tmp_path)).result()
    chunk = next((tmp_path / taken.id).glob("*.chunk"))
    chunk.write_bytes(chunk.read_bytes()[:-1])
    with pytest.raises(SnapshotError, match="is damaged"):
        router.restore(str(tmp_path)).result()
    (tmp_path / taken.id / FILE).unlink()
    with pytest.raises(SnapshotNotFoundError):
        router.restore(str(tmp_path)).result()
