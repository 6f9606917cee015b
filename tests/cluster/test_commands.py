"""Every command line of ``ray-router`` in the files is one that its command line takes."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer.main
import yaml
from docs.test_commands import check

from ray_router import RouterConfig
from ray_router.cli.app import app

from .files import CLUSTER, ROUTER, blocks, document, runbook_commands

GROUP: Any = typer.main.get_group(app)
COMMANDS = runbook_commands("ray-router")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_runbook_exists(command: str) -> None:
    """With the options and the kinds of values that it is shown with."""
    check(GROUP, shlex.split(command)[1:])


def test_the_command_of_the_job_exists() -> None:
    """It is ours, and with the options that it is started with."""
    program, *words = shlex.split(document(ROUTER / "rayjob.yaml")["spec"]["entrypoint"])
    assert program == "ray-router"
    check(GROUP, words)


def test_there_are_commands() -> None:
    """So that an empty search does not pass for success."""
    used = {shlex.split(command)[1] for command in COMMANDS}
    assert used >= {"up", "down", "status", "advise", "revive", "resize", "snapshot", "restore"}


def test_settings_of_the_router_are_ours() -> None:
    """The file that is mounted is one that `up` takes, whatever is left out."""
    assert RouterConfig.from_file(ROUTER / "router.yaml").partitions > 1


@pytest.mark.parametrize("block", blocks("yaml"))
def test_settings_in_the_runbook_are_ours(block: str) -> None:
    """Over those of the file."""
    RouterConfig.build(**(document(ROUTER / "router.yaml") | yaml.safe_load(block)))


def test_the_launchers_command_asks_for_seats() -> None:
    """As the file of settings does."""
    (launched,) = [command for command in COMMANDS if "--set" in command]
    (seats,) = [word for word in shlex.split(launched) if word.startswith("resources=")]
    settings = RouterConfig.from_file(ROUTER / "router.yaml")
    assert yaml.safe_load(seats.removeprefix("resources=")) == settings.resources


def test_the_runbook_is_one_page() -> None:
    """It is read by somebody in a hurry; and the files that it names are there."""
    text = (CLUSTER / "RUNBOOK.md").read_text(encoding="utf-8")
    assert len(text.split()) < 1_200
    assert max(len(line) for line in text.split("```")[0].splitlines()) <= 125
    for name in ("kuberay/router", "kuberay/front", "launcher", "prometheus", "grafana"):
        assert name in text
        assert (CLUSTER / name).is_dir()
