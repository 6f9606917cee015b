"""What is taken comes back: into any number of partitions, as old as it is, beside what is live."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from ray_router import (
    Confidence,
    Delivery,
    InvalidCallError,
    LocalTransport,
    Origin,
    Route,
    RouterConfig,
    RouterHandle,
    SetOutcome,
    SnapshotError,
    SnapshotNotFoundError,
    SnapshotProgress,
    Write,
)
from ray_router.snapshot import taking
from ray_router.testing import ManualClock

from .scene import chunk_files, default_of, fill, lost, rooms, router_of, taken


@pytest.mark.parametrize(("before", "after"), [(1, 1), (4, 7), (7, 3), (2, 12)])
def test_it_comes_back_in_another_number_of_partitions(tmp_path: Path, before: int, after: int) -> None:
    """All of it, each session where it belongs by now, and the defaults everywhere."""
    keys = rooms(700)
    source, target = router_of(before), router_of(after)
    fill(source, keys)
    source.set("tg:bot:*", Route("lobby")).result()
    snapshot = source.snapshot(str(tmp_path)).result()
    assert (snapshot.sessions, snapshot.defaults, snapshot.partitions) == (700, 1, before)
    assert snapshot.size == sum(path.stat().st_size for path in chunk_files(tmp_path))
    restored = target.restore(str(tmp_path)).result()
    assert (restored.snapshot, restored.partitions) == (snapshot, after)
    assert (restored.refused, restored.evicted) == (0, 0)
    assert lost(target, keys) == []
    stats = target.stats().result()
    assert stats.holdings.live == 700
    assert [each.holdings.defaults for each in stats.partitions] == [1] * after
    assert default_of(target) == Route("lobby")


def test_ages_and_reports_are_those_of_then(tmp_path: Path) -> None:
    """Who said so, when, for how long, and what became of it; also past its TTL."""
    clock = ManualClock()
    source, target = router_of(clock=clock, ttl_s=100), router_of(3, clock=clock, ttl_s=9_999)
    key, old, new = "tg:bot:a", Route("old"), Route("new", "thread", metadata={"lang": "de"})
    source.set(key, old, origin=Origin.AGENT).result()
    clock.advance(1)
    source.set(key, new).result()
    source.report(key, new, Delivery.DELIVERED).result()
    source.set("tg:bot:short", old, ttl_s=5).result()
    source.set("tg:bot:endless", old, origin=Origin.OPERATOR).result()
    source.report("tg:bot:endless", old, Delivery.PERMANENT).result()
    clock.advance(50)
    source.snapshot(str(tmp_path)).result()
    clock.advance(40)
    target.restore(str(tmp_path)).result()
    for each in (key, "tg:bot:short", "tg:bot:endless"):
        assert target.get(each).result() == source.get(each).result()
        assert target.resolve(each).result().reason == source.resolve(each).result().reason
    answer = target.resolve(key).result()
    assert (answer.route, answer.age_s, answer.confidence) == (new, 90.0, Confidence.CONFIRMED)
    assert target.resolve("tg:bot:short").result().stale


def test_it_is_merged_with_what_is_live(tmp_path: Path) -> None:
    """Newer knowledge stands, deletions too; twice is once."""
    clock = ManualClock()
    router = router_of(clock=clock)
    fill(router, rooms(3))
    router.snapshot(str(tmp_path)).result()
    clock.advance(1)
    router.set("tg:bot:room_0", Route("moved on")).result()
    router.delete("tg:bot:room_1").result()
    for _ in range(2):
        router.restore(str(tmp_path)).result()
        assert router.resolve("tg:bot:room_0").result().route == Route("moved on")
        assert not router.resolve("tg:bot:room_1").result()
        assert lost(router, ["tg:bot:room_2"]) == []
    record = router.get("tg:bot:room_0").result()
    assert record is not None
    assert record.alternates == (Route("to tg:bot:room_0"),)


def test_standbys_have_what_was_restored(tmp_path: Path) -> None:
    """In both durabilities: a partition that is lost afterwards takes nothing with it."""
    taken(tmp_path, 300)
    for durability in ("async", "sync"):
        target = router_of(3, replicas=1, durability=durability)
        target.restore(str(tmp_path)).result()
        target._transport.restart(1)  # type: ignore[attr-defined]  # a transport of this process
        assert lost(target, rooms(300)) == []
        assert sum(each.copies.entries for each in target.stats().result().partitions if each.copies) == 300


def test_a_router_with_standbys_is_taken_once(tmp_path: Path) -> None:
    """Copies are not in it a second time."""
    assert taken(tmp_path, 100, partitions=3, replicas=1).sessions == 100


def test_a_router_that_is_told_the_time(tmp_path: Path) -> None:
    """Takes in what is of that time."""
    config = RouterConfig(partitions=2, clock="event", ttl_s=10)
    source, target = RouterHandle(LocalTransport(config)), RouterHandle(LocalTransport(config))
    source.at(100.0).set("tg:bot:a", Route("A")).result()
    source.snapshot(str(tmp_path)).result()
    target.restore(str(tmp_path)).result()
    assert target.at(105.0).resolve("tg:bot:a").result().age_s == 5.0
    assert target.at(111.0).resolve("tg:bot:a").result().stale


def test_another_hash_strategy_finds_other_places(tmp_path: Path) -> None:
    """Keys are hashed anew."""
    taken(tmp_path, 100)
    target = router_of(4, hash_strategy="core.shards:by_length")
    target.restore(str(tmp_path)).result()
    assert lost(target, rooms(100)) == []


def test_what_the_router_does_not_take_is_counted(tmp_path: Path) -> None:
    """And left out; the rest is restored. A default counts once, however many partitions refuse it."""
    source = router_of()
    fill(source, rooms(3))
    long = Route("x" * 500)
    source.set_many([("tg:bot:long", long), ("tg:bot:*", long)]).result()
    source.snapshot(str(tmp_path)).result()
    target = router_of(5, max_route_bytes=100)
    assert target.restore(str(tmp_path)).result().refused == 2
    assert lost(target, rooms(3)) == []


def test_what_had_to_make_room_is_counted(tmp_path: Path) -> None:
    """A router that is too small holds as much as it can."""
    taken(tmp_path, 100)
    target = router_of(1, max_entries_per_partition=40)
    assert target.restore(str(tmp_path)).result().evicted == 60
    assert target.stats().result().holdings.entries == 40


def test_a_large_slot_is_read_in_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The threads of one room are in as many chunks as they need, and all of them come back."""
    monkeypatch.setattr("ray_router.wire_snapshot.FULL_BYTES", 4_000)
    keys = [f"tg:bot:room:thread_{number}" for number in range(1_500)]
    source, target = router_of(2), router_of(3)
    fill(source, keys)
    snapshot = source.snapshot(str(tmp_path)).result()
    assert (snapshot.sessions, snapshot.chunks) == (1_500, 6)
    target.restore(str(tmp_path)).result()
    assert lost(target, keys) == []


def test_nothing_is_a_snapshot_too(tmp_path: Path) -> None:
    """Of an empty router, which is no reason to fail."""
    snapshot = router_of().snapshot(str(tmp_path)).result()
    assert (snapshot.sessions, snapshot.chunks) == (0, 0)
    assert router_of().restore(str(tmp_path)).result().snapshot == snapshot


def test_the_newest_is_restored_or_the_one_that_is_named(tmp_path: Path) -> None:
    """Each snapshot is one of its own."""
    router = router_of()
    ids = []
    for number in range(3):
        router.set(f"tg:bot:room_{number}", Route(f"to tg:bot:room_{number}")).result()
        ids.append(router.snapshot(str(tmp_path)).result().id)
    assert sorted(ids) == ids
    newest, first = router_of(), router_of()
    assert newest.restore(str(tmp_path)).result().snapshot.id == ids[-1]
    assert lost(newest, rooms(3)) == []
    assert first.restore(str(tmp_path), snapshot=ids[0]).result().snapshot.id == ids[0]
    assert lost(first, rooms(3)) == ["tg:bot:room_1", "tg:bot:room_2"]


def test_older_ones_are_removed(tmp_path: Path) -> None:
    """All that is older than those that are kept, what never became complete too; nothing else is touched."""
    router = router_of()
    first = router.snapshot(str(tmp_path)).result().id
    (tmp_path / first / "manifest.json").unlink()
    (tmp_path / "mine").mkdir()
    ids = [router.snapshot(str(tmp_path)).result().id for _ in range(3)]
    left = router.snapshot(str(tmp_path), keep=2).result().id
    assert {path.name for path in tmp_path.iterdir()} == {"mine", ids[-1], left}
    with pytest.raises(InvalidCallError, match="keep"):
        router.snapshot(str(tmp_path), keep=0)


def test_progress_is_told(tmp_path: Path) -> None:
    """It rises to the whole, of a snapshot as well as of its restoring."""
    told: list[SnapshotProgress] = []
    router = router_of(3)
    fill(router, rooms(100))
    router.snapshot(str(tmp_path), tell=told.append).result()
    assert told[-1].sessions == 100
    assert told[-1].share == pytest.approx(1.0)
    assert [each.share for each in told] == sorted(each.share for each in told)
    told.clear()
    router.restore(str(tmp_path), tell=told.append).result()
    assert told[-1] == (100, 1.0)
    assert [each.share for each in told] == sorted(each.share for each in told)


async def test_both_waits_work(tmp_path: Path) -> None:
    """In an event loop, which is not held up meanwhile, from the first call on."""
    router = router_of()
    snapshot, _ = await asyncio.gather(_awaited(router.snapshot(str(tmp_path))), asyncio.sleep(0))
    assert (await router.restore(str(tmp_path))).snapshot == snapshot
    with pytest.raises(SnapshotNotFoundError):
        await router.restore(str(tmp_path / "nowhere"))


async def _awaited(reply: object) -> object:
    return await reply  # type: ignore[misc]  # a reply


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """Who talks where is in it."""
    snapshot = taken(tmp_path)
    folder = tmp_path / snapshot.id
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert len(os.listdir(folder)) == snapshot.chunks + 1


def test_what_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be written, or ceases to be, is an error, and no snapshot."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SnapshotError, match="file"):
        router_of().snapshot(str(tmp_path / "file")).result()

    def fails(manifest: object) -> bytes:
        raise SnapshotError("there", "is full")

    monkeypatch.setattr(taking, "pack_manifest", fails)
    with pytest.raises(SnapshotError, match="is full"):
        taken(tmp_path / "folder")
    assert list((tmp_path / "folder").iterdir()) == []


def test_writes_go_on(tmp_path: Path) -> None:
    """What is written while pages are read is answered, and kept."""
    router = router_of(3)
    fill(router, rooms(300))
    outcomes: list[SetOutcome] = []

    def write(progress: SnapshotProgress) -> None:
        key = f"tg:bot:late_{len(outcomes)}"
        (result,) = router.set_many([Write(key, Route(f"to {key}"))]).result()
        outcomes.append(result.outcome)

    snapshot = router.snapshot(str(tmp_path), tell=write).result()
    assert outcomes == [SetOutcome.STORED] * 3
    assert snapshot.sessions >= 300
    target = router_of(2)
    target.restore(str(tmp_path)).result()
    assert lost(target, rooms(300)) == []
