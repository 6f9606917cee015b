"""The launcher's files, as Ray's launcher reads them."""

from __future__ import annotations

import json
import shlex
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import ray.autoscaler
from docs.test_commands import check
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.scripts.scripts import cli

from .files import LAUNCHER, document, runbook_commands

FILES = sorted(LAUNCHER.iterdir())
SCHEMA = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())
STARTS = ("head_start_ray_commands", "worker_start_ray_commands")
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))


def ray_words(command: str) -> list[str]:
    """The words after ``ray`` of a command that sets variables and limits first."""
    words = shlex.split(command.rpartition("; ")[2])
    return words[words.index("ray") + 1 :]


@each_file
def test_a_file_is_of_rays_schema(path: Path) -> None:
    """As it stands, and without a field that Ray does not know."""
    config = document(path)
    jsonschema.validate(config, SCHEMA)
    assert config.keys() <= SCHEMA["properties"].keys()


@each_file
def test_ray_takes_a_file(path: Path) -> None:
    """With its defaults filled in, by its own validation."""
    config = prepare_config(document(path))
    validate_config(config)
    assert config["max_workers"] >= 2


def test_what_ray_does_not_take_is_found() -> None:
    """A provider that is none, a command that is no list."""
    for name, value in (("provider", {}), ("setup_commands", "pip install"), ("cluster_name", 1)):
        bad: dict[str, Any] = deepcopy(document(FILES[0])) | {name: value}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, SCHEMA)


@each_file
@pytest.mark.parametrize("field", STARTS)
def test_ray_is_started_with_options_that_it_has(path: Path, field: str) -> None:
    """Every command of the file, read as Ray's command line does."""
    commands = document(path)[field]
    assert ray_words(commands[-1])[0] == "start"
    for command in commands:
        check(cli, [word.replace("$RAY_HEAD_IP", "127.0.0.1") for word in ray_words(command)])


@each_file
def test_who_joins_shows_a_token(path: Path) -> None:
    """Every machine has it, and the mode is on in every shell."""
    config = document(path)
    assert config["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    assert "RAY_AUTH_MODE=token" in "".join(config["setup_commands"])


@pytest.mark.parametrize("command", runbook_commands("ray"))
def test_rays_commands_in_the_runbook_are_rays(command: str) -> None:
    """With options that it has."""
    check(cli, shlex.split(command)[1:])
