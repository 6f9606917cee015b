"""Commands against a real router: what they say, to people and to programs, and their exit codes."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ray_router import SessionKey, connect

from .commands import run
from .logs import messages, write

KEY = "telegram:bot_1:room_9"


@pytest.fixture
def options(ray_cluster: str, namespace: str) -> Iterator[list[str]]:
    """A router of two partitions, and the options that name it."""
    named = ["--name", "chat", "--namespace", namespace]
    ran = run("up", "--partitions", 2, "--ttl", 3_600, *named)
    assert ran.exit_code == 0, ran.errors
    yield named
    run("down", *named)


@pytest.fixture(scope="module")
def standing(ray_cluster: str) -> Iterator[list[str]]:
    """A router for those who leave it as it was, and the options that name it."""
    named = ["--name", "chat", "--namespace", f"test_standing_{os.getpid()}"]
    ran = run("up", "--partitions", 1, *named)
    assert ran.exit_code == 0, ran.errors
    yield named
    run("down", *named)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A small log of a time long gone."""
    records = [each for room in "abcdef" for each in messages(room, 1e9, 30, 20)]
    return write(tmp_path / "chat.jsonl", sorted(records, key=lambda each: str(each["ts"])))


def routers(namespace: str) -> set[str]:
    """The routers that have actors in a namespace."""
    import ray

    named = ray.util.list_named_actors(all_namespaces=True)
    return {each["name"].split(":")[1] for each in named if each["namespace"] == namespace}


def test_a_route_is_set_looked_at_resolved_and_deleted(options: list[str]) -> None:
    """Each answer is one object, and says no by its exit code."""
    ran = run("set", KEY, "--room", "-100123", "--metadata", "lang=de", "--json", *options)
    assert (ran.exit_code, ran.json["key"], ran.json["outcome"]) == (0, KEY, "stored")

    record = run("get", KEY, "--json", *options).json
    assert (record["found"], record["freshness"], record["origin"]) == (True, "fresh", "inbound")
    assert record["route"]["metadata"] == {"lang": "de"}

    answer = run("resolve", f"{KEY}:thread", "--json", *options).json
    assert (answer["source"], answer["matched_scope"], answer["fallback"]) == ("scope", "room", True)
    assert answer["route"]["external_room_id"] == "-100123"

    ran = run("delete", KEY, "--json", *options)
    assert (ran.exit_code, ran.json) == (0, {"key": KEY, "deleted": True})
    ran = run("get", KEY, "--json", *options)
    assert (ran.exit_code, ran.json) == (1, {"key": KEY, "found": False})
    ran = run("resolve", KEY, "--json", *options)
    assert (ran.exit_code, ran.json["route"], ran.json["reason"]) == (1, None, "miss")
    ran = run("delete", KEY, "--json", *options)
    assert (ran.exit_code, ran.json["deleted"]) == (1, False)


def test_people_get_words(options: list[str]) -> None:
    """The route first."""
    assert "stored" in run("set", KEY, "--room", "-100123", *options).output
    assert run("resolve", KEY, *options).output.startswith("-100123\n")
    assert run("get", KEY, *options).output.startswith("-100123\n")
    assert run("resolve", "telegram:bot_1:other", *options).output.startswith("no route\n")
    assert f"the routes of {KEY} are forgotten" in run("delete", KEY, *options).output
    assert f"nothing is stored for {KEY}" in run("get", KEY, *options).output
    assert "on 2 partitions" in run("prune", *options).output


def test_all_that_a_route_may_say_can_be_said(options: list[str], namespace: str) -> None:
    """Thread, origin, life and time."""
    at = "2001-09-09T01:46:40Z"
    run("set", KEY, "--room", "r", "--thread", "t", "--origin", "operator", "--observed-at", at, *options)
    record = connect("chat", namespace=namespace).get(KEY).result()
    assert record is not None
    assert (record.route.external_thread_id, record.origin.name, record.observed_at) == ("t", "OPERATOR", 1e9)
    assert record.expires_in_s == float("inf")
    run("set", "a:b:c", "--room", "r", "--ttl", 5, "--observed-at", time.time() - 60, *options)
    answer = run("resolve", "a:b:c", "--allow-stale", "--json", *options)
    assert (answer.exit_code, answer.json["source"], answer.json["stale"]) == (0, "stale", True)
    assert run("resolve", "a:b:c", *options).exit_code == 1


def test_a_ladder_can_be_bounded_and_helped(options: list[str]) -> None:
    """By scope, by confidence, and with fallbacks in order."""
    run("set", "a:b:*", "--room", "lobby", *options)
    assert run("resolve", "a:b:c", *options).exit_code == 1
    assert run("resolve", "a:b:c", "--widest-scope", "instance", *options).output.startswith("lobby\n")
    ran = run("resolve", "a:b:c", "--fallback", "one", "--fallback", "two", *options)
    assert (ran.exit_code, ran.output.split("\n")[0]) == (0, "one")
    ran = run("resolve", "a:b:c", "--fallback", "one", "--min-confidence", "observed", "--json", *options)
    assert (ran.exit_code, ran.json["reason"]) == (1, "low_confidence")


def test_an_answer_is_explained(options: list[str]) -> None:
    """The same answer and exit code, and the ladder below it."""
    run("set", KEY, "--room", "-100123", *options)
    ran = run("resolve", f"{KEY}:thread", "--explain", *options)
    assert (ran.exit_code, ran.output.splitlines()[0]) == (0, "-100123")
    assert "this is the answer" in ran.output
    ran = run("resolve", "telegram:bot_1:other", "--explain", "--json", *options)
    assert (ran.exit_code, ran.json["reason"], len(ran.json["rungs"])) == (1, "miss", 6)


def test_advice_is_given(options: list[str]) -> None:
    """With what was seen too little to change anything, as words and as an object."""
    found = run("advise", "--json", *options).json
    assert found["changes"] == []
    assert found["current"] == found["suggested"]
    ran = run("advise", "--within", 0.5, *options)
    assert ran.exit_code == 0, ran.errors
    assert "too few to say" in " ".join(ran.output.split())


def test_the_partitions_are_shown(options: list[str]) -> None:
    """Once, and with rates."""
    run("set", KEY, "--room", "r", *options)
    found = run("status", "--json", *options).json
    assert (found["name"], found["down"], found["holdings"]["live"]) == ("chat", [], 1)
    assert [each["partition"] for each in found["partitions"]] == [0, 1]
    assert sum(each["slots"] for each in found["partitions"]) == 16_384
    measured = run("top", "--interval", 0.1, "--json", *options).json
    assert measured["per_second"] == {
        "0": {"resolves": 0.0, "writes": 0.0},
        "1": {"resolves": 0.0, "writes": 0.0},
    }
    assert "router chat, epoch 1 · 2 of 2 partitions up" in run("status", *options).output
    assert "resolves/s" in run("top", "--once", "--interval", 0.1, *options).output


def test_up_is_idempotent_and_refuses_another_config(options: list[str], tmp_path: Path) -> None:
    """The differing fields are named."""
    assert run("up", "--partitions", 2, "--ttl", 3_600, "--json", *options).json["name"] == "chat"
    ran = run("up", "--partitions", 3, "--ttl", "none", *options)
    assert ran.exit_code == 2
    assert "partitions is 2, not 3; ttl_s is 3600.0, not None" in ran.errors


def test_a_config_file_is_taken_and_flags_go_over_it(
    ray_cluster: str, namespace: str, tmp_path: Path
) -> None:
    """Its name too, unless another is given."""
    file = tmp_path / "router.yaml"
    file.write_text("name: filed\npartitions: 1\nttl_s: 5\nplacement: pack\n")
    flags = ["--ttl", "none", "--max-entries", 7, "--set", "max_candidates=2", "--namespace", namespace]
    assert run("up", "-c", file, *flags).exit_code == 0
    try:
        config = connect("filed", namespace=namespace).config
        assert (config.partitions, config.ttl_s, config.placement) == (1, None, "pack")
        assert (config.max_entries_per_partition, config.max_candidates) == (7, 2)
    finally:
        assert run("down", "--name", "filed", "--namespace", namespace, "--json").json["ended"]
    assert routers(namespace) == set()


def test_a_log_feeds_a_running_router(options: list[str], log: Path, namespace: str) -> None:
    """As if it happened now: its sessions are fresh afterwards."""
    found = run("replay", log, "--clock", "wall", "--json", *options).json
    assert (found["clock"], found["events"], found["hit"], found["miss"]) == ("wall", 120, 114, 6)
    assert (found["live"], found["unanswered"]) == (6, 0)
    record = connect("chat", namespace=namespace).get(SessionKey("irc", "net", "a")).result()
    assert record is not None and record.observed_at > 1.7e9


def test_a_replay_in_the_logs_own_time_equals_its_simulation(
    ray_cluster: str, log: Path, namespace: str
) -> None:
    """On a router of its own, of which nothing is left."""
    settings = ["--ttl", 20, "--capacity", 4, "--partitions", 2]
    ran = run("replay", log, *settings, "--namespace", namespace, "--json")
    assert ran.exit_code == 0, ran.errors
    taken = ("elapsed_s", "events_per_s")
    replayed, simulated = (
        {name: value for name, value in found.items() if name not in taken}
        for found in (ran.json, run("simulate", log, *settings, "--json").json)
    )
    assert replayed == simulated
    assert replayed["evicted"] > 0
    assert routers(namespace) == set()


def test_a_replay_that_breaks_off_leaves_no_router(
    ray_cluster: str, log: Path, namespace: str, tmp_path: Path
) -> None:
    """It says why."""
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(log.read_bytes())[:-12])
    ran = run("replay", cut, "--namespace", namespace, "--json")
    assert (ran.exit_code, ran.output) == (2, "")
    assert "was it cut off?" in ran.errors
    assert routers(namespace) == set()


def test_settings_of_a_replays_own_router_are_not_for_a_running_one(options: list[str], log: Path) -> None:
    """They would have no effect, so they are refused."""
    ran = run("replay", log, "--clock", "wall", "--ttl", 5, *options)
    assert ran.exit_code == 2
    assert "--ttl" in ran.errors


def test_a_demo_may_run_on_a_cluster_that_is_there(ray_cluster: str, namespace: str) -> None:
    """Its router is gone afterwards, the cluster is not."""
    ran = run("demo", "--messages", 500, "--partitions", 2, "--namespace", namespace)
    assert ran.exit_code == 0, ran.errors
    assert "of 500 events found their session's own route fresh" in ran.output
    assert "a stranger, given a fallback" in ran.output
    assert routers(namespace) == set()


@pytest.mark.parametrize("command", ["status", "top", "advise", "down", "prune", "get", "resolve", "delete"])
def test_a_router_that_is_not_there_is_said_so(ray_cluster: str, namespace: str, command: str) -> None:
    """With what would deploy it."""
    key = ["a:b:c"] if command in ("get", "resolve", "delete") else []
    ran = run(command, *key, "--name", "nobody", "--namespace", namespace, "--json")
    assert (ran.exit_code, ran.output) == (2, "")
    assert f"no router 'nobody' is deployed in namespace '{namespace}'" in ran.errors
    assert "ray-router up" in ran.errors


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["get", "a:b"], "key: has 2 fields"),
        (["resolve", "a:b:c", "--fallback", ""], "external_room_id: must not be empty"),
        (["set", "a:b:c", "--room", ""], "external_room_id: must not be empty"),
        (["set", "a:b:c", "--room", "r", "--metadata", "lang"], "'lang' is not NAME=VALUE"),
        (["set", "a:b:c", "--room", "r", "--origin", "nobody"], "'nobody' is none of"),
        (["set", "a:b:c"], "--room"),
        (["resolve", "a:b:c", "--widest-scope", "world"], "'world' is none of"),
        (["get", "a:b:" + "x" * 600], "room: is 600 bytes long; the limit is 512"),
    ],
)
def test_bad_input_is_refused_in_words(standing: list[str], arguments: list[str], problem: str) -> None:
    """With exit code 2."""
    ran = run(*arguments, *standing)
    assert ran.exit_code == 2
    assert problem in " ".join(ran.errors.replace("│", " ").split())


def test_a_snapshot_is_taken_and_restored(options: list[str], tmp_path: Path) -> None:
    """In words for people, as one object for programs; what is not there is said no to."""
    folder = str(tmp_path / "snapshots")
    run("set", KEY, "--room", "-100123", *options)
    ran = run("snapshot", folder, "--keep", 2, "--json", *options)
    assert (ran.exit_code, ran.json["sessions"], ran.json["partitions"]) == (0, 1, 2)
    run("delete", KEY, *options)
    run("set", f"{KEY}:thread", "--room", "-100", *options)
    shown = run("restore", folder, "--snapshot", ran.json["id"], *options)
    assert shown.exit_code == 0, shown.errors
    assert ran.json["id"] in shown.output
    assert "1 sessions" in shown.errors
    assert run("get", f"{KEY}:thread", *options).exit_code == 0
    restored = run("restore", folder, "--json", *options).json
    assert (restored["snapshot"]["id"], restored["refused"]) == (ran.json["id"], 0)
    ran = run("restore", str(tmp_path / "nowhere"), *options)
    assert (ran.exit_code, "there is no complete one" in ran.errors) == (1, True)
    ran = run("snapshot", "nosuch://x", *options)
    assert (ran.exit_code, "Traceback" in ran.errors) == (2, False)


def test_it_is_resized_while_it_runs(options: list[str]) -> None:
    """What became of it is one object, and the sessions are there; a number that is none is bad usage."""
    run("set", KEY, "--room", "-100123", *options)
    ran = run("resize", 3, "--json", *options)
    assert (ran.exit_code, ran.json) == (0, {"slots_moved": 5_461, "partitions": 3, "epoch": 3})
    assert len(run("status", "--json", *options).json["partitions"]) == 3
    assert run("get", KEY, "--json", *options).json["found"]
    shown = run("resize", 3, *options)
    assert "slots moved" in shown.output
    assert run("resize", 0, *options).exit_code == 2


def test_it_is_rebalanced_where_that_is_worth_it(options: list[str]) -> None:
    """The plan is one object, and a table for people; a number that is none is bad usage."""
    ran = run("rebalance", "--dry-run", "--json", *options)
    assert (ran.exit_code, ran.json["done"], ran.json["moves"]) == (0, False, [])
    assert {"imbalance", "expected", "best", "why", "loads", "rooms", "findings"} <= set(ran.json)
    shown = run("rebalance", *options)
    assert (shown.exit_code, "nothing to do" in shown.output) == (0, True)
    assert run("rebalance", "--max-moves", 0, *options).exit_code == 2
