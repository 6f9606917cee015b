"""The tables of the README are those of the code."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from enum import Enum
from io import StringIO

import pytest
import yaml
from rich.console import Console

import ray_router as rr
from ray_router.cli.run_view import RunReport, run_table
from ray_router.core.pressure import level_of
from ray_router.workload import SyntheticTraffic, event_config, simulate_router

from .page import README, REPOSITORY, drawn, table


def firsts(title: str) -> list[str]:
    """The first cells of a table, in order."""
    return [row[0] for row in table(title)]


class Spelled:
    """A default that is shown as code has it."""

    def __init__(self, member: Enum) -> None:
        self._member = member

    def __repr__(self) -> str:
        return f"{type(self._member).__name__}.{self._member.name}"


def signature(name: str, function: Callable[..., object]) -> str:
    """A call as it is written: names and defaults, without types."""
    parameters = []
    for each in inspect.signature(function).parameters.values():
        if each.name != "self":
            default = Spelled(each.default) if isinstance(each.default, Enum) else each.default
            parameters.append(each.replace(annotation=inspect.Parameter.empty, default=default))
    return f"{name}{inspect.Signature(parameters)}"


def test_the_settings_are_those_of_the_config() -> None:
    """Each with its description, in their order."""
    described = [[name, str(field.description)] for name, field in rr.RouterConfig.model_fields.items()]
    assert [[row[0], row[2]] for row in table("setting")] == described


def test_the_settings_of_autoscaling() -> None:
    """Each with its default and its description, in their order."""
    fields = rr.AutoscalingConfig.model_fields
    described = [[name, field.default, str(field.description)] for name, field in fields.items()]
    assert [[row[0], yaml.safe_load(row[1]), row[2]] for row in table("autoscaling")] == described


@pytest.mark.parametrize("row", table("setting"), ids=lambda row: str(row[0]))
def test_a_setting_has_its_default(row: list[str]) -> None:
    """And would be accepted with it from a file."""
    name, default = row[0], yaml.safe_load(row[1])
    assert getattr(rr.RouterConfig(), name) == default
    assert getattr(rr.RouterConfig.build(**{name: default}), name) == default


def test_the_methods_of_a_handle() -> None:
    """All of them, with their arguments."""
    methods = inspect.getmembers(rr.RouterHandle, inspect.isfunction)
    public = {signature(name, method) for name, method in methods if not name.startswith("_")}
    assert set(firsts("call")) == public


def test_the_functions_on_ray() -> None:
    """With their arguments."""
    functions = (("deploy", rr.deploy), ("connect", rr.connect), ("shutdown", rr.shutdown))
    assert firsts("on Ray") == [signature(name, function) for name, function in functions]


@pytest.mark.parametrize("model", [rr.Route, rr.Resolution])
def test_the_fields_of_a_model(model: type) -> None:
    """All of them, in their order."""
    assert firsts(model.__name__) == [field.name for field in fields(model)]


def test_the_errors() -> None:
    """All that are raised on purpose, but for the root, which the text names."""
    public = [getattr(rr, name) for name in rr.__all__]
    raised = {each.__name__ for each in public if isinstance(each, type) and issubclass(each, rr.RouterError)}
    assert set(firsts("error")) == raised - {"RouterError"}


def test_the_words() -> None:
    """Of each vocabulary all, and in its order where it has one."""
    assert firsts("confidence") == [each.name for each in reversed(rr.Confidence)]
    assert [row[1] for row in table("rung")] == [each.value for each in rr.ResolutionSource]
    assert {row[3] for row in table("rung")} == {each.name for each in rr.Confidence} - {"CONFIRMED"}
    assert set(firsts("reason")) == {each.value for each in rr.FallbackReason}
    assert firsts("Delivery") == [each.name for each in rr.Delivery]
    assert firsts("Verdict") == [each.name for each in rr.Verdict]
    assert firsts("ScalingReason") == [each.name for each in rr.ScalingReason]
    assert firsts("SetOutcome") == [each.name for each in rr.SetOutcome]
    assert firsts("scope") == [each.name.lower() for each in rr.Scope]
    assert firsts("level") == [each.name for each in rr.PressureLevel]


def test_a_key_is_written_as_it_says() -> None:
    """In Python, and as text."""
    for scope, written, text in table("scope"):
        key = eval(written, {"SessionKey": rr.SessionKey})
        assert (str(key), key.scope.name.lower()) == (text, scope)


def test_pressure_begins_where_it_says() -> None:
    """Each level from its number, and not below."""
    for name, least, _ in table("level"):
        level = rr.PressureLevel[name]
        assert level_of(float(least)) is level
        assert level is rr.PressureLevel.NORMAL or level_of(float(least) - 1e-9) < level


def test_every_public_name_is_on_the_page() -> None:
    """Somewhere."""
    page = README.read_text(encoding="utf-8")
    assert [name for name in rr.__all__ if name not in page] == []


@pytest.mark.usefixtures("unmeasured")
def test_the_picture_of_the_demo_is_what_it_counts() -> None:
    """All but how long it takes, which is another on every machine."""
    config = event_config(partitions=4, ttl_s=1_800.0)
    result = simulate_router(config, SyntheticTraffic(20_000, 0))
    console = Console(file=StringIO(), width=110)
    with console.capture() as captured:
        console.print(run_table(RunReport(config, result.tally, result.stats, 1.0), console))
    counted = [line.strip() for line in captured.get().splitlines() if line.strip()]
    shown = drawn(REPOSITORY / ".github" / "pictures" / "demo.svg")
    assert [_words(line) for line in shown[: len(counted) - 1]] == [_words(line) for line in counted[:-1]]


def _words(line: str) -> list[str]:
    """A line of a table, without the lines that are drawn, which are as long as their table."""
    return [word for word in line.split() if not set(word) <= {"─"}]
