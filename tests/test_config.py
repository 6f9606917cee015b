"""The config: what each setting may be, where it goes, and how a bad one is told."""

from __future__ import annotations

import pickle
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ray_router.autoscaling import AutoscalingConfig
from ray_router.config import RouterConfig
from ray_router.core.autoscaler import ScalingSettings
from ray_router.core.eviction import POLICIES
from ray_router.core.settings import Limits, PartitionSettings
from ray_router.errors import InvalidConfigError

NO_NUMBERS: tuple[Any, ...] = (nan, inf, -inf, "many", None, [], {})
NO_SECONDS = (0, -1, -1e-9, 1.1e12, *NO_NUMBERS)

BOUNDS: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {  # field: what is good, what is not
    "name": (
        ("default", "a", "0", "chat_1.eu-west", "x" * 64),
        ("", "_chat", "-chat", ".chat", "a b", "a/b", "a\n", "caf\u00e9", "x" * 65, None, 7),
    ),
    "partitions": ((1, 4096, "4"), (0, -1, 4097, 1.5, *NO_NUMBERS)),
    "ttl_s": ((None, 1e-9, 1e12), tuple(bad for bad in NO_SECONDS if bad is not None)),
    "stale_retention_s": ((1e-9, 1e12), NO_SECONDS),
    "tombstone_retention_s": ((1e-9, 1e12), NO_SECONDS),
    "max_entries_per_partition": ((1, 1_000_000_000), (0, 1_000_000_001, 1.5, *NO_NUMBERS)),
    "max_defaults": ((1, 100_000), (0, 100_001, *NO_NUMBERS)),
    "max_candidates": ((1, 16), (0, 17, *NO_NUMBERS)),
    "eviction": (tuple(sorted(POLICIES)), ("", "LRU", "random", None, 7)),
    "telemetry": ((None, "module:function"), ("", "module", "module:", ":function", 7)),
    "ray_metrics": ((True, False), ("perhaps", None, 7)),
    "hash_strategy": (
        ("room", "instance", "module:function", "package.module:_function"),
        ("", "rooms", "thread", ":function", "module:", "module:a function", "module:a.b", "a:b:c", None),
    ),
    "clock": (("wall", "event"), ("", "WALL", "lamport", None)),
    "cleanup_interval_s": ((1e-9, 1e12), NO_SECONDS),
    "max_clock_skew_s": ((0, 86_400), (-1e-9, 86_401, *NO_NUMBERS)),
    "call_timeout_s": ((1e-9, 1e12), NO_SECONDS),
    "deploy_timeout_s": ((1e-9, 1e12), NO_SECONDS),
    "min_live_age_s": ((0, 1e9), (-1e-9, 1.1e9, *NO_NUMBERS)),
    "backoff_first_s": ((1e-9, 1e12), NO_SECONDS),
    "backoff_cap_s": ((1e-9, 1e12), NO_SECONDS),
    "max_pending_calls": ((1, 10_000_000), (0, 10_000_001, *NO_NUMBERS)),
    "max_key_part_bytes": ((1, 65_536), (0, 65_537, *NO_NUMBERS)),
    "max_route_bytes": ((1, 1_048_576), (0, 1_048_577, *NO_NUMBERS)),
    "max_metadata_bytes": ((0, 1_048_576), (-1, 1_048_577, *NO_NUMBERS)),
    "max_batch": ((1, 10_000_000), (0, 10_000_001, *NO_NUMBERS)),
    "max_fallbacks": ((0, 10_000), (-1, 10_001, *NO_NUMBERS)),
    "replicas": ((0, 1), (-1, 2, 0.5, *NO_NUMBERS)),
    "durability": (("async", "sync"), ("", "SYNC", "none", None)),
    "read_preference": (("owner", "any"), ("", "ANY", "standby", None)),
    "replication_interval_ms": ((1e-9, 60_000), (0, -1, 60_001, *NO_NUMBERS)),
    "hedge_after_s": ((1e-9, 1e12), NO_SECONDS),
    "max_restarts_in_window": ((1, 10_000), (0, 10_001, 1.5, *NO_NUMBERS)),
    "restart_window_s": ((1e-9, 1e12), NO_SECONDS),
    "frozen_after_s": ((1e-9, 1e12), NO_SECONDS),
    "snapshot_uri": ((None, "/a/b c", "s3://bucket/chat"), ("", "folder", "./a", "/a\n", "/a\0", 7)),
    "snapshot_interval_s": ((1e-9, 1e12), NO_SECONDS),
    "snapshot_keep": ((1, 10_000), (0, 10_001, 1.5, *NO_NUMBERS)),
    "placement": (("spread", "pack"), ("", "SPREAD", "anywhere", None)),
    "num_cpus": ((0.001, 1024), (-1, 1025, *NO_NUMBERS)),
    "autoscaling": (
        (None, {}, {"min_partitions": 4, "max_partitions": 4}, {"min_partitions": 2, "target_entries": 7}),
        (
            *({"min_partitions": 0}, {"min_partitions": 16_385}, {"min_partitions": 1.5}),
            *({"max_partitions": 0}, {"max_partitions": None}, {"min_partitions": 5, "max_partitions": 4}),
            *({"target_entries": 0}, {"target_calls_per_s": 0}, {"target_calls_per_s": inf}),
            *({"upscale_delay_s": -1}, {"downscale_delay_s": nan}, {"interval_s": 0}, {"interval_s": inf}),
            *({"partitions": 4}, [], 7, "on"),
        ),
    ),
    "resources": (
        ({}, {"gpu_host": 0.001}),
        ({"a": 0}, {"a": -1}, {"a": inf}, {"a": nan}, {"a": None}, None, 7),
    ),
}
GOOD = [(field, value) for field, (good, _) in BOUNDS.items() for value in good]
BAD = [(field, value) for field, (_, bad) in BOUNDS.items() for value in bad]


def refusal(**settings: Any) -> InvalidConfigError:
    """The error that these settings raise."""
    with pytest.raises(InvalidConfigError) as caught:
        RouterConfig.build(**settings)
    return caught.value


# Fields


def test_the_defaults_are_good() -> None:
    """A config needs nothing but its defaults."""
    assert RouterConfig() == RouterConfig.build() == RouterConfig.build(name="default")


def test_every_field_is_tried_here_and_described() -> None:
    """No field is without bounds in this file, or without a description for its readers."""
    assert set(BOUNDS) == set(RouterConfig.model_fields)
    assert all(field.description for field in RouterConfig.model_fields.values())


@pytest.mark.parametrize(("field", "value"), GOOD, ids=str)
def test_values_within_bounds(field: str, value: Any) -> None:
    """What lies on a bound is good."""
    RouterConfig(**{field: value})


@pytest.mark.parametrize(("field", "value"), BAD, ids=str)
def test_values_out_of_bounds(field: str, value: Any) -> None:
    """What lies beyond a bound, or is of another kind, is refused by the field's name."""
    with pytest.raises(ValidationError):
        RouterConfig(**{field: value})
    error = refusal(**{field: value})
    assert error.field.split(".")[0] == field
    assert error.problem


@pytest.mark.parametrize("field", ["partition", "cls", "self", "settings", "ttl", "", "model_config"])
def test_unknown_fields(field: str) -> None:
    """A field that there is not is refused by its name."""
    error = refusal(**{field: 1})
    assert (error.field, error.problem) == (field or "config", "Extra inputs are not permitted")


def test_a_config_never_changes() -> None:
    """A config's fields cannot be set."""
    with pytest.raises(ValidationError):
        RouterConfig().partitions = 8


def test_a_config_travels() -> None:
    """A config pickles, and survives JSON."""
    config = RouterConfig(name="chat", ttl_s=None, resources={"gpu_host": 0.5})
    assert pickle.loads(pickle.dumps(config)) == config
    assert RouterConfig.model_validate_json(config.model_dump_json()) == config


def test_spreading_needs_something_to_reserve() -> None:
    """Spreading actors that ask for nothing is refused, since Ray would not do it."""
    assert "SPREAD" in refusal(num_cpus=0).problem
    assert refusal(placement="spread", num_cpus=0).field == "config"
    assert RouterConfig(num_cpus=0, resources={"router": 1.0}).placement == "spread"
    assert RouterConfig(num_cpus=0, placement="pack").num_cpus == 0


def test_an_unknown_policy_is_told_with_the_known_ones() -> None:
    """A policy that there is not is refused with the names of those that there are."""
    assert "lru" in refusal(eviction="random").problem


@pytest.mark.parametrize(("bounds", "first"), [((1, 2), 2), ((1, 9), 4), ((6, 9), 6)])
def test_an_autoscaled_router_begins_within_its_bounds(bounds: tuple[int, int], first: int) -> None:
    """With the number that is next to the usual one, unless it is told another."""
    scaling = {"min_partitions": bounds[0], "max_partitions": bounds[1]}
    assert RouterConfig.build(autoscaling=scaling).partitions == first
    assert RouterConfig(autoscaling=AutoscalingConfig(**scaling)).partitions == first
    assert RouterConfig.build(autoscaling=scaling, partitions=bounds[1]).partitions == bounds[1]
    error = refusal(autoscaling=scaling, partitions=bounds[1] + 1)
    assert error.field == "autoscaling"
    assert f"partitions is {bounds[1] + 1}" in error.problem


def test_bounds_of_autoscaling_that_cross() -> None:
    """Are refused with both."""
    error = refusal(autoscaling={"min_partitions": 5, "max_partitions": 4})
    assert error.field == "autoscaling.max_partitions"
    assert "at least min_partitions, which is 5, not 4" in error.problem


def test_autoscaling_aims_below_a_full_partition() -> None:
    """Unless it is told what to aim at."""
    settings = RouterConfig.build(autoscaling={}, max_entries_per_partition=1_000).scaling_settings()
    assert settings == ScalingSettings(1, 16, 800, 1_000, 30, 600)
    told = RouterConfig.build(autoscaling={"target_entries": 7}).scaling_settings()
    assert told is not None
    assert told.target_entries == 7


# Differences


def test_equal_configs_do_not_differ() -> None:
    """A config differs in nothing from one with the same values."""
    one, other = RouterConfig(ttl_s=60), RouterConfig(ttl_s=60.0)
    assert one.differences(other) == ()
    assert one.fingerprint == other.fingerprint


def test_differences_name_fields_and_values() -> None:
    """Each field that differs has a line of its own, with the value that runs and the one asked for."""
    asked, running = RouterConfig(partitions=8, ttl_s=None), RouterConfig(name="chat")
    assert asked.differences(running) == (
        "name is 'chat', not 'default'",
        "partitions is 4, not 8",
        "ttl_s is 1800.0, not None",
    )


@pytest.mark.parametrize("field", BOUNDS)
def test_every_field_tells_configs_apart(field: str) -> None:
    """Configs that differ in one field differ in one line, and in their fingerprints."""
    default = RouterConfig()
    changed = [RouterConfig(**{field: value}) for value in BOUNDS[field][0]]
    other = next(config for config in reversed(changed) if config != default)
    (line,) = default.differences(other)
    assert line.startswith(f"{field} is ")
    assert default.fingerprint != other.fingerprint


# Where settings go


def test_partitions_without_a_ttl_have_the_cores_defaults() -> None:
    """The core's own defaults are the config's, but that the core knows no TTL unless told."""
    assert RouterConfig(ttl_s=None).partition_settings() == PartitionSettings()
    assert RouterConfig().limits == Limits()


@pytest.mark.parametrize(
    ("field", "value", "setting"),
    [
        ("ttl_s", 7.0, "ttl_s"),
        ("stale_retention_s", 7.0, "stale_retention_s"),
        ("tombstone_retention_s", 7.0, "tombstone_retention_s"),
        ("max_entries_per_partition", 7, "capacity"),
        ("max_defaults", 7, "max_defaults"),
        ("max_candidates", 7, "max_candidates"),
        ("max_clock_skew_s", 7.0, "max_clock_skew_s"),
        ("min_live_age_s", 7.0, "min_live_age_s"),
        ("call_timeout_s", 7.0, "call_timeout_s"),
        ("backoff_first_s", 7.0, "backoff_first_s"),
        ("backoff_cap_s", 7.0, "backoff_cap_s"),
    ],
)
def test_a_setting_goes_to_the_partitions(field: str, value: Any, setting: str) -> None:
    """A setting of the config is the one setting of a partition that changes with it."""
    settings = RouterConfig(**{field: value}).partition_settings()
    assert settings == RouterConfig().partition_settings()._replace(**{setting: value})


@pytest.mark.parametrize(
    ("field", "limit"),
    [
        ("max_key_part_bytes", "key_part_bytes"),
        ("max_route_bytes", "route_bytes"),
        ("max_metadata_bytes", "metadata_bytes"),
        ("max_batch", "batch_operations"),
        ("max_fallbacks", "fallbacks"),
    ],
)
def test_a_limit_goes_to_handles_and_partitions(field: str, limit: str) -> None:
    """A limit of the config holds wherever input is checked."""
    seven: Any = 7
    config = RouterConfig(**{field: seven})
    assert config.limits == Limits()._replace(**{limit: seven})
    assert config.partition_settings().limits == config.limits


def test_the_clock_goes_to_the_partitions() -> None:
    """A partition knows whether its callers tell the time."""
    assert RouterConfig(clock="event").partition_settings().event_clock is True
    assert RouterConfig(clock="wall").partition_settings().event_clock is False


# Files


def test_a_file_is_a_config(tmp_path: Path) -> None:
    """A YAML file holds a mapping of fields to values."""
    file = tmp_path / "router.yaml"
    file.write_text("name: chat\npartitions: 8\nttl_s: null\nresources: {gpu_host: 0.5}\n", encoding="utf-8")
    expected = RouterConfig(name="chat", partitions=8, ttl_s=None, resources={"gpu_host": 0.5})
    assert RouterConfig.from_file(file) == RouterConfig.from_file(str(file)) == expected


@pytest.mark.parametrize(
    ("content", "field", "problem"),
    [
        (b"", "config", "must hold a mapping"),
        (b"- name\n- chat\n", "config", "must hold a mapping"),
        (b"chat", "config", "must hold a mapping"),
        (b"name: [", "config", "is not YAML"),
        (b"\tname: chat", "config", "is not YAML"),
        (b"{[]: 1}", "config", "is not YAML"),
        (b"name: !!python/object:os.system {}", "config", "is not YAML"),
        (b"name: \xff\xfe", "config", "is not YAML"),
        (b"name: 2001-13-45", "config", "is not YAML"),
        (b"partitions: many", "partitions", "valid integer"),
        (b"partitions: 0", "partitions", "greater than or equal to 1"),
        (b"partitons: 4", "partitons", "not permitted"),
        (b"7: 4", "7", "not permitted"),
        (b"cls: 4", "cls", "not permitted"),
        (b"resources: {gpu_host: -1}", "resources.gpu_host", "greater than 0"),
        (b"num_cpus: 0", "config", "SPREAD"),
    ],
)
def test_a_bad_file_is_told_by_its_field(tmp_path: Path, content: bytes, field: str, problem: str) -> None:
    """A file that cannot be a config says which field is wrong, without a word about our insides."""
    file = tmp_path / "router.yaml"
    file.write_bytes(content)
    with pytest.raises(InvalidConfigError) as caught:
        RouterConfig.from_file(file)
    assert caught.value.field == field
    assert problem in caught.value.problem
    assert_fit_for_users(caught.value)


@pytest.mark.parametrize("place", ["missing.yaml", "."])
def test_a_file_that_cannot_be_read(tmp_path: Path, place: str) -> None:
    """A file that is not there, or is no file, says so."""
    with pytest.raises(InvalidConfigError, match="cannot be read") as caught:
        RouterConfig.from_file(tmp_path / place)
    assert str(tmp_path / place) in caught.value.problem
    assert_fit_for_users(caught.value)


def assert_fit_for_users(error: InvalidConfigError) -> None:
    """Neither the message nor a printed traceback shows what happened behind the error."""
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    assert not any(word in str(error).lower() for word in ("traceback", "pydantic", 'file "/', "http"))
