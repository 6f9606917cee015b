"""Why did it go there? Asked over HTTP: the way of a key, and what is wrong with a question."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra 'dashboard' is not installed")
pytest.importorskip("uvicorn", reason="the extra 'dashboard' is not installed")

from ray_router import Delivery, Route
from ray_router.core.slots import slot_function

from .scene import KEY, Scene


async def ask(scene: Scene, **question: Any) -> Any:
    """The answer to a question."""
    async with scene.client() as http:
        answer = await http.post("/api/explain", json=question)
    assert answer.status_code == 200
    return answer.json()


async def test_the_way_of_a_key() -> None:
    """Its parts, its slot and its partition, and every rung with what it made of each route."""
    scene = Scene()
    await scene.router.set(KEY, Route("-100", metadata={"lang": "de"}))
    await scene.router.set(f"{KEY}:thread_3", Route("-200"))
    await scene.router.report(f"{KEY}:thread_3", Route("-200"), Delivery.PERMANENT)
    told = await ask(scene, key=f"{KEY}:thread_3", fallbacks=["reception"])
    assert (told["outcome"], told["route"], told["source"]) == ("explained", "-100 · lang de", "scope")
    assert told["parts"] == {
        "channel": "telegram",
        "instance": "bot_1",
        "room": "room_9",
        "thread": "thread_3",
    }
    assert (told["slot"], told["strategy"]) == (slot_function("room")(KEY), "room")
    assert told["answered_by"] == f"partition {told['slot'] % 4}"
    rungs = {each["source"]: each for each in told["rungs"]}
    assert list(rungs) == ["exact", "alternate", "scope", "provided", "stale", "none"]
    assert [each for each in rungs if rungs[each]["answered"]] == ["scope"]
    assert rungs["exact"]["candidates"][0]["verdict"] == "failed"
    assert rungs["scope"]["candidates"][0]["why"] == "this is the answer"
    assert (rungs["provided"]["reached"], rungs["provided"]["candidates"][0]["of"]) == (False, "the caller")
    assert rungs["alternate"]["note"] == "no other route of its own"


async def test_what_is_asked_for_counts() -> None:
    """How far to look, and how sure to be."""
    scene = Scene()
    await scene.router.set("telegram:bot_1:*", Route("reception"))
    assert (await ask(scene, key=KEY))["route"] is None
    assert (await ask(scene, key=KEY, widest_scope="instance"))["route"] == "reception"
    unsure = await ask(scene, key=KEY, widest_scope="instance", min_confidence="observed")
    assert (unsure["route"], unsure["reason"]) == (None, "low_confidence")
    assert (await ask(scene, key=KEY, allow_stale=True))["source"] == "none"


async def test_asking_is_no_traffic() -> None:
    """It counts nowhere."""
    scene = Scene()
    await ask(scene, key=KEY)
    assert (await scene.router.stats()).traffic.resolves == 0


@pytest.mark.parametrize(
    ("question", "field", "problem"),
    [
        ({"key": "telegram"}, "key", "has 1 fields where channel:instance:room[:thread] has 3 or 4"),
        ({"key": "telegram:bot::"}, "key", "room: must not be empty"),
        ({"key": ""}, "key", "has 1 fields"),
        ({}, "key", "Field required"),
        ({"key": 7}, "key", "should be a valid string"),
        ({"key": "a:b:" + "c" * 10_000}, "key", "room: is 10000 bytes long; the limit is 512"),
        ({"key": KEY, "fallbacks": ["ok", ""]}, "fallbacks", "line 2 must not be empty"),
        ({"key": KEY, "fallbacks": ["x" * 10_000]}, "fallbacks", "bytes"),
        ({"key": KEY, "fallbacks": ["x"] * 101}, "fallbacks", "at most 100 items"),
        ({"key": KEY, "widest_scope": "world"}, "widest_scope", "Input should be 'thread', 'room'"),
        ({"key": KEY, "more": 1}, "key", "more: Extra inputs are not permitted"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field(
    question: dict[str, Any], field: str, problem: str
) -> None:
    """With the limit; it is an answer, and nothing failed."""
    told = await ask(Scene(), **question)
    assert (told["outcome"], told["field"]) == ("refused", field)
    assert problem in told["problem"]


async def test_no_json_is_no_question() -> None:
    """Whatever it is."""
    async with Scene().client() as http:
        for body in (b"", b"{", b"[]", b"\xff"):
            told = (await http.post("/api/explain", content=body)).json()
            assert (told["outcome"], told["field"]) == ("refused", "key")


async def test_when_nobody_answers() -> None:
    """That is said, with the partition; a fallback that would do is explained."""
    scene = Scene(partitions=1)
    await scene.router.stats()
    scene.transport.remove(0)
    told = await ask(scene, key=KEY)
    assert told["outcome"] == "unanswered"
    assert "partition 0" in told["problem"]
    assert (await ask(scene, key=KEY, fallbacks=["reception"]))["route"] == "reception"
