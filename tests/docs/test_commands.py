"""The commands of the README are ones that exist, and those that are cheap do what they say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main
from cli.commands import run

from ray_router.cli import exits, interrupts
from ray_router.cli.app import app

from .page import REPOSITORY, blocks, commands, table

OURS = [command for command in commands() if command.startswith("ray-router ")]
SETTING_UP = [line for block in blocks("bash") for line in block.code.splitlines() if "pip install" in line]
ELSEWHERE = ("demo", "replay")  # with a Ray or a router of their own, in the tests of the command line


def arguments(command: str) -> list[str]:
    """What comes after the program's name."""
    return shlex.split(command)[1:]


def check(group: Any, words: list[str]) -> None:
    """Read a command as its program does, without carrying it out; raises what the program would.

    A group is click's, or that of typer's own copy of click.
    """
    with group.make_context("program", words) as context:
        name, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])
        command.make_context(name, rest, parent=context)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with the files that the page shows."""
    (tmp_path / "router.yaml").write_text(blocks("yaml")[0].code, encoding="utf-8")
    (tmp_path / "chat.jsonl").write_text(blocks("jsonl")[0].code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", OURS)
def test_a_command_has_the_options_it_is_shown_with(command: str) -> None:
    """And their values are of the right kind."""
    check(typer.main.get_command(app), arguments(command))


def test_every_command_is_on_the_page() -> None:
    """In the table of commands, and nothing else is."""
    listed = {name for row in table("command") for name in row[0].split(", ")}
    assert listed == set(typer.main.get_group(app).commands)


def test_two_commands_set_up() -> None:
    """One for the demo, one for the tests: the one that is run before a change lands."""
    demo, tests, _ = SETTING_UP
    assert demo.split(" && ") == ["pip install '.[cli]'", "ray-router demo"]
    pattern = re.search(r"grep -m1 -E '(.+)' README.md", (REPOSITORY / ".ci/run").read_text())
    assert pattern is not None
    lines = (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()
    assert next(line for line in lines if re.search(pattern[1], line)) == tests
    assert {"-n", "2", "--dist", "loadgroup", "--cov"} <= set(shlex.split(tests))


def test_the_commands_do_what_they_show(ray_cluster: str, folder: Path) -> None:
    """In the order of the page, each with exit code 0."""
    shown = {}
    for command in OURS:
        if arguments(command)[0] not in ELSEWHERE:
            ran = run(*arguments(command))
            assert ran.exit_code == 0, (command, ran.errors)
            shown[command] = ran.output
    (resolved,) = [output for command, output in shown.items() if "resolve" in command]
    assert resolved.startswith("-100123\n")


def test_the_log_is_as_long_as_it_looks(folder: Path) -> None:
    """One of its four events found its own session fresh, at the TTL of the page."""
    (simulated,) = [command for command in OURS if "simulate" in command and "--capacity" not in command]
    found = run(*arguments(simulated), "--json").json
    assert (found["events"], found["hit"], found["bad_lines"]) == (4, 0, 0)
    assert run("simulate", "chat.jsonl", "--ttl", 900, "--json").json["hit"] == 1


def test_commands_of_ray_are_rays(ray_cluster: str) -> None:
    """With options that it has."""
    from ray.scripts.scripts import cli

    theirs = [command for command in commands() if command.startswith("ray ")]
    assert theirs
    for command in theirs:
        check(cli, arguments(command))


def test_exit_codes() -> None:
    """Those of the table are those of the program."""
    codes = [int(row[0]) for row in table("code")]
    assert codes == [0, exits.SAID_NO, exits.BAD_INPUT, exits.INTERRUPTED, interrupts.TERMINATED]
