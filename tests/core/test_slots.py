"""Slots: pinned hashes, one slot for a room and its threads, and balanced topologies."""

from __future__ import annotations

import pickle
from array import array
from collections import Counter
from collections.abc import Iterable
from math import sqrt
from pathlib import Path

import pytest
from hypothesis import given

from ray_router.core.slots import SLOTS, Topology, key_hash, slot_function
from ray_router.errors import InvalidConfigError
from ray_router.model import SessionKey

from . import shards
from .strategies import session_keys, steadily

CUSTOM = shards.__name__

GOLDEN = [  # key, slot by room, slot by instance, hash of a tombstone
    ("tg:*:*", 3158, 15720, 0x4333653464394348),
    ("tg:bot:*", 1116, 13982, 0x0D6015C5FE5F3E89),
    ("tg:bot:a", 10175, 13982, 0x5B2B670DA720A965),
    ("tg:bot:a:1", 10175, 13982, 0x5C4B6BA819B7EB67),
    ("telegram:bot_1:-1001234567890", 2173, 13323, 0xC1423C9C1D686119),
    ("telegram:bot_1:-1001234567890:42", 2173, 13323, 0xEDFC000D78581677),
    ("telegram:bot_2:-1001234567890", 14300, 13019, 0x1AC314C71858B60E),
    ("slack:T024BE7LD:C024BE91L:1718000000.000100", 1844, 12592, 0x956F0E944F21A9BF),
    ("matrix:hs:!abc%3Aserver.org", 10332, 7908, 0x2484D7283A205D32),
    ("teams:t:19%3Ax@thread.tacv2", 2420, 12772, 0x47E0726B861539F4),
    ("whatsapp:1:%2A", 6744, 8195, 0xE1EC76C4375D7E72),
    ("kanal:\u00fc:\U0001f9d1\u200d", 9250, 10307, 0xBECFDF200F30AB66),
]


@pytest.mark.parametrize(("text", "by_room", "by_instance", "hashed"), GOLDEN, ids=ascii)
def test_golden_vectors(text: str, by_room: int, by_instance: int, hashed: int) -> None:
    """The same bytes give the same slot and hash in every process and every release."""
    assert slot_function("room")(text) == by_room
    assert slot_function("instance")(text) == by_instance
    assert key_hash(text) == hashed


@pytest.mark.parametrize("strategy", ["room", "instance", f"{CUSTOM}:by_channel", f"{CUSTOM}:by_length"])
@steadily(200)
@given(key=session_keys)
def test_a_room_and_its_threads_share_a_slot(strategy: str, key: SessionKey) -> None:
    """No strategy sees the thread, so a room's ladder stays on one partition."""
    slot_of = slot_function(strategy)
    room = SessionKey(key.channel, key.instance, key.room)
    assert slot_of(str(key)) == slot_of(str(room))
    assert 0 <= slot_of(str(key)) < SLOTS


@steadily(200)
@given(session_keys, session_keys)
def test_rooms_of_an_instance_share_its_slot(one: SessionKey, other: SessionKey) -> None:
    """By instance, keys share a slot when channel and instance agree."""
    slot_of = slot_function("instance")
    if (one.channel, one.instance) == (other.channel, other.instance):
        assert slot_of(str(one)) == slot_of(str(other))


@pytest.mark.parametrize(
    ("function", "together", "apart"),
    [
        ("by_channel", "tg:other:elsewhere", "slack:bot:room"),
        ("by_room_bytes", "slack:other:room:thread", "tg:bot:elsewhere"),
        ("by_length", "slack:other:four", "tg:bot:five5"),
    ],
)
def test_a_strategy_of_ones_own(function: str, together: str, apart: str) -> None:
    """A custom strategy decides from channel, instance and room what stays together."""
    slot_of = slot_function(f"{CUSTOM}:{function}")
    assert slot_of("tg:bot:room") == slot_of(together)
    assert slot_of("tg:bot:room") != slot_of(apart)


def test_a_number_is_a_slot_itself() -> None:
    """A strategy that returns an int names the slot, modulo their number."""
    assert slot_function(f"{CUSTOM}:by_length")("tg:bot:room") == SLOTS - 4


@pytest.mark.parametrize(
    "strategy",
    [
        "",
        "rooms",
        "no_such_module_at_all:shard",
        f"{CUSTOM}:no_such_function",
        f"{CUSTOM}:NOT_A_FUNCTION",
        ":shard",
        ".relative:shard",
        "..:shard",
        "not a module:shard",
    ],
)
def test_bad_strategies_are_refused(strategy: str) -> None:
    """A strategy that cannot be imported, or called, is refused by name."""
    with pytest.raises(InvalidConfigError, match=r"cannot be imported|is not callable") as caught:
        slot_function(strategy)
    assert caught.value.field == "hash_strategy"


def test_a_module_that_breaks_is_a_bad_strategy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a strategy's module raises when it is imported, the config is to blame."""
    (tmp_path / "a_broken_strategy.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InvalidConfigError, match="division by zero"):
        slot_function("a_broken_strategy:shard")


def test_a_strategy_must_return_what_can_be_hashed() -> None:
    """A custom strategy that returns neither text, bytes nor an int is refused when it is called."""
    with pytest.raises(InvalidConfigError, match="must return str, bytes or int, not NoneType"):
        slot_function(f"{CUSTOM}:by_nothing")("tg:bot:room")


SEQUENTIAL = {
    "telegram groups": lambda number: f"telegram:bot_1:-{1001000000000 + number}",
    "phone numbers": lambda number: f"whatsapp:105:{491700000000 + number}",
    "slack channels": lambda number: f"slack:T024BE7LD:C{number:09X}",
    "matrix rooms": lambda number: f"matrix:hs:!{number:018d}%3Aexample.org",
}


@pytest.mark.parametrize("ids", SEQUENTIAL)
def test_sequential_ids_spread_evenly(ids: str) -> None:
    """Consecutive ids fall on slots, and on partitions, as evenly as chance would have it."""
    slot_of = slot_function("room")
    slots = [slot_of(SEQUENTIAL[ids](number)) for number in range(4 * SLOTS)]
    assert _is_even(Counter(slots).values(), SLOTS, len(slots))
    for partitions in (2, 4, 16, 64):
        owners = Topology.balanced(partitions).owners
        assert _is_even(Counter(owners[slot] for slot in slots).values(), partitions, len(slots))


def _is_even(counts: Iterable[int], cells: int, total: int) -> bool:
    """Whether chi-square lies within five standard deviations of its mean."""
    expected = total / cells
    counts = [*counts]
    counts += [0] * (cells - len(counts))
    freedom = cells - 1
    chi_square = sum((count - expected) ** 2 / expected for count in counts)
    return abs(chi_square - freedom) < 5 * sqrt(2 * freedom)


@pytest.mark.parametrize("partitions", range(1, 65))
def test_balanced_shares_differ_by_at_most_one(partitions: int) -> None:
    """Every slot has one owner, every partition a share, and no share is two slots larger than another."""
    topology = Topology.balanced(partitions)
    shares = topology.shares.values()
    assert topology.partitions == tuple(range(partitions))
    assert sum(shares) == SLOTS
    assert max(shares) - min(shares) <= 1


@pytest.mark.parametrize("partitions", [0, -1, SLOTS + 1])
def test_a_topology_needs_a_partition_and_a_slot_for_each(partitions: int) -> None:
    """There is no topology of no partitions, nor of more than there are slots."""
    with pytest.raises(ValueError, match="partitions must be between"):
        Topology.balanced(partitions)


def test_a_topology_owns_every_slot() -> None:
    """A map of fewer slots is no topology."""
    with pytest.raises(ValueError, match="owns 16384 slots, not 1"):
        Topology(1, array("H", [0]))


def test_a_topology_travels() -> None:
    """A topology pickles, and is equal where epoch and owners are."""
    topology = Topology.balanced(7, epoch=3)
    assert pickle.loads(pickle.dumps(topology)) == topology
    assert topology != Topology.balanced(7, epoch=4)
    assert topology != Topology.balanced(8, epoch=3)


@pytest.mark.parametrize("partitions", [2, 3, 4, 7, 16, 64])
def test_standbys_are_others_and_balanced(partitions: int) -> None:
    """No partition keeps its own copies, and none keeps two slots more than another."""
    topology = Topology.balanced(partitions).with_standbys()
    assert topology.standbys is not None
    kept = Counter(topology.standbys)
    assert all(owner != standby for owner, standby in zip(topology.owners, topology.standbys, strict=True))
    assert max(kept.values()) - min(kept.values()) <= 2
    assert len(kept) == partitions
    assert pickle.loads(pickle.dumps(topology)) == topology


@pytest.mark.parametrize("partitions", [2, 4, 9, 64])
def test_a_slot_that_changes_hands_takes_hardly_another_along(partitions: int) -> None:
    """Copies stay where they are, but for those of the slots that move and of about one more for each."""
    before = Topology.balanced(partitions)
    owners = array("H", before.owners)
    for slot in range(0, SLOTS, SLOTS // 50):
        owners[slot] = (owners[slot] + 1) % partitions
    pairs = zip(before.with_standbys().orders, Topology(2, owners).with_standbys().orders, strict=True)
    assert sum(one[1] != other[1] for one, other in pairs) <= 2 * 51


def test_copies_go_to_another_node_where_there_is_one() -> None:
    """A node that is lost takes no session with it."""
    nodes = {index: "ab"[index % 2] for index in range(6)}
    topology = Topology.balanced(6).with_standbys(nodes, epoch=4)
    assert topology.epoch == 4
    assert all(nodes[way[0]] != nodes[way[1]] for way in topology.ways)


def test_who_to_turn_to_without_standbys() -> None:
    """One partition has nobody to keep its copies; a router without copies has owners alone."""
    assert Topology.balanced(1).with_standbys().standbys is None
    assert set(Topology.balanced(3).orders) == {(0,), (1,), (2,)}
    assert Topology.balanced(3).neighbours == {0: (), 1: (), 2: ()}


def test_substitutes_are_neither_owner_nor_standby() -> None:
    """Whoever takes the place of a keeper is another partition, while there is one."""
    for partitions, length in ((2, 2), (3, 3), (4, 4), (9, 4)):
        topology = Topology.balanced(partitions).with_standbys()
        assert all(len(set(way)) == len(way) == length for way in topology.ways)


def test_a_topology_has_a_standby_for_every_slot() -> None:
    """A map of fewer slots is no topology."""
    with pytest.raises(ValueError, match="owns 16384 slots, not 1"):
        Topology(1, Topology.balanced(2).owners, array("H", [1]))
