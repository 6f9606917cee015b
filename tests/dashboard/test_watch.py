"""What the page is sent: what changed between two looks, and what is left of a partition that is silent."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

pytest.importorskip("starlette", reason="the extra 'dashboard' is not installed")
pytest.importorskip("uvicorn", reason="the extra 'dashboard' is not installed")

from ray_router import RouterConfig, RouterHandle
from ray_router.core.slots import SLOTS
from ray_router.dashboard import dashboard_app, watch
from ray_router.testing import FaultyTransport, ManualClock
from ray_router.transport import Directory, LocalTransport, PartitionBroken, Ticket
from ray_router.transport.local import Settled

from .scene import LET_IN, Scene


class Absent(FaultyTransport):
    """Nobody has the router's name."""

    def open(self) -> Ticket[Directory]:
        """Never."""
        return Settled(PartitionBroken("there is none of this name"))


class Watched(Scene):
    """A scene whose clock is ours."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock()
        super().__init__(self.clock, **settings)

    async def look(self, after_s: float = 1.0, since: float | str = 0) -> Any:
        """What the page is sent a while later."""
        self.clock.advance(after_s)
        async with self.client() as http:
            answer = await http.get("/api/state", params={"since": since})
        assert answer.status_code == 200
        return answer.json()


async def test_a_router_at_rest() -> None:
    """Its name, its slots and its bounds; nobody asked, so there are no ratios."""
    seen = await Watched(max_entries_per_partition=100, ttl_s=None).look()
    router = seen["router"]
    assert (router["name"], router["epoch"], router["capacity"], router["ttl_s"]) == ("chat", 1, 400, None)
    assert (seen["problem"], seen["level"], seen["slots"], seen["points"]) == (None, "normal", SLOTS, [])
    assert (router["hit_ratio"], router["fallback_ratio"], seen["findings"], seen["news"]) == (
        None,
        None,
        [],
        [],
    )
    assert [each["partition"] for each in seen["partitions"]] == [0, 1, 2, 3]
    assert sum(each["slots"] for each in seen["partitions"]) == SLOTS
    assert {each["standing"] for each in seen["partitions"]} == {"up"}


async def test_what_is_answered_between_two_looks_is_a_point() -> None:
    """With its counts, and each partition's part of it a second."""
    here = Watched()
    await here.look()
    await here.talk(40)  # 40 find their own route, 20 that of their room, 10 nothing
    seen = await here.look(2.0)
    ((at, seconds, *counts),) = seen["points"]
    assert (at, seconds, counts) == (seen["at"], 2.0, [70, 40, 20, 40])
    assert sum(each["resolves_per_s"] for each in seen["partitions"]) == pytest.approx(35.0)
    assert sum(each["writes_per_s"] for each in seen["partitions"]) == pytest.approx(20.0)
    assert seen["router"]["hit_ratio"] == pytest.approx(40 / 70)
    assert seen["router"]["fallback_ratio"] == pytest.approx(20 / 70)
    assert seen["router"]["live"] == 40


async def test_points_that_the_page_has_are_not_sent_again() -> None:
    """A page that says nothing sensible of what it has gets all of them."""
    here = Watched()
    for _ in range(3):
        seen = await here.look()
    assert len(seen["points"]) == 2
    last = seen["points"][-1][0]
    assert [each[0] for each in (await here.look(since=last))["points"]] == [last + 1]
    assert len((await here.look(since="soon"))["points"]) == 4


async def test_many_pages_cost_no_more_than_one() -> None:
    """Who asks while it is looked, or a moment after, is told the same."""
    here = Watched()
    await here.look()
    before = dict(here.transport.asked)
    first, second = await asyncio.gather(here.look(1.0), here.look(0.0))
    assert first == second
    assert here.transport.asked == {index: asked + 1 for index, asked in before.items()}


async def test_a_partition_that_is_down_and_back() -> None:
    """It keeps what it said last, and its return is told with its next life."""
    here = Watched()
    await here.talk()
    await here.look()
    here.transport.kill(2)
    seen = await here.look()
    row = seen["partitions"][2]
    assert (row["standing"], row["for_s"], row["slots"]) == ("down", 0.0, 4_096)
    assert row["resolves_per_s"] is None
    assert seen["problem"] is None
    assert [each["what"] for each in seen["news"]] == ["partition 2 is down"]
    here.transport.revive(2)
    seen = await here.look(4.0)
    row = seen["partitions"][2]
    assert (row["standing"], row["restarts"], row["entries"]) == ("up", 1, 0)
    assert seen["news"][-1] == {
        "at": seen["at"],
        "partition": 2,
        "what": "partition 2 is back after 4 s, in life 2",
    }
    assert all(count >= 0 for point in seen["points"] for count in point)


async def test_a_partition_that_was_never_seen() -> None:
    """Its slots are not known, and that it is down is told."""
    here = Watched()
    here.transport.kill(1)
    seen = await here.look()
    assert (seen["partitions"][1]["standing"], seen["partitions"][1]["slots"]) == ("down", None)
    assert [each["what"] for each in seen["news"]] == ["partition 1 is down"]
    here.transport.revive(1)
    assert (await here.look())["partitions"][1]["slots"] == 4_096


async def test_a_router_that_does_not_answer_at_all() -> None:
    """What was known of it stays, with why and since when; so does what happened."""
    here = Watched(partitions=2)
    await here.talk()
    before = await here.look()
    for index in (0, 1):
        here.transport.kill(index)
    seen = await here.look()
    assert (seen["problem"], seen["answered_at"]) == ("none of its partitions answers", before["at"])
    assert seen["router"]["live"] == before["router"]["live"]
    assert {each["standing"] for each in seen["partitions"]} == {"down"}
    for index in (0, 1):
        here.transport.revive(index)
    seen = await here.look()
    told = [each["what"] for each in seen["news"] if each["partition"] is None]
    assert (seen["problem"], told) == (None, ["the router does not answer", "the router answers again"])


async def test_a_router_that_is_not_there() -> None:
    """Says so, and nothing else."""
    router = RouterHandle(Absent(LocalTransport(RouterConfig())))
    transport = httpx.ASGITransport(dashboard_app(router, lambda token: True))
    async with httpx.AsyncClient(transport=transport, base_url="http://here", headers=LET_IN) as http:
        seen = (await http.get("/api/state")).json()
    assert seen["problem"] == "the router does not answer: there is none of this name"
    assert (seen["router"], seen["partitions"], seen["answered_at"]) == (None, [], None)


async def test_a_router_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not waited for, whatever its own deadline; it is as it was when it goes on."""
    here = Watched(call_timeout_s=60)
    await here.look()
    monkeypatch.setattr(watch, "_GIVES_UP_AFTER_S", 0.05)
    here.transport.freeze(1)
    assert (await here.look())["problem"] == "no answer within 0.05 s"
    here.transport.thaw(1)
    assert (await here.look())["problem"] is None


async def test_a_life_that_ends_unseen() -> None:
    """A restart between two looks is told, and what the next life counted is not compared."""
    here = Watched(partitions=1)
    await here.talk()
    await here.look()
    here.transport.kill(0)
    here.transport.revive(0)
    seen = await here.look()
    assert [each["what"] for each in seen["news"]] == ["partition 0 was restarted, in life 2"]
    assert (seen["points"][0][2:], seen["partitions"][0]["resolves_per_s"]) == ([0, 0, 0, 0], None)


async def test_copies_are_told() -> None:
    """Of a router with standbys: how many each partition keeps, and that nobody owes any."""
    here = Watched(replicas=1, durability="sync")
    await here.talk(20)
    rows = (await here.look())["partitions"]
    assert sum(each["copies"] for each in rows) == 20
    assert {each["owed"] for each in rows} == {0}


async def test_no_session_is_told_of() -> None:
    """But for the rooms that findings name."""
    here = Watched()
    await here.talk()
    seen = await here.look()
    assert seen.pop("findings") == ["partition 0 has 35% of the load, 1.4 times the mean of 4"]
    assert "room_" not in json.dumps(seen)
