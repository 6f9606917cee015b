"""Help, and what it costs: no Ray; and the command line says what it needs."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

import ray_router
from ray_router.cli.app import app

from .commands import own_environment, run

COMMANDS = (
    "demo",
    "up",
    "down",
    "serve",
    "status",
    "top",
    "dashboard",
    "revive",
    "resize",
    "rebalance",
    "prune",
    "advise",
    "set",
    "get",
    "resolve",
    "delete",
    "replay",
    "simulate",
    "bench",
)


def python(code: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code], env=own_environment(), capture_output=True, text=True, check=False
    )


def test_help_names_every_command() -> None:
    """Each with a line of its own."""
    shown = run("--help").output
    assert all(f"│ {command} " in shown for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_and_the_common_options(command: str) -> None:
    """``-h`` is enough."""
    shown = run(command, "-h")
    assert shown.exit_code == 0
    expected = {"--json"} if command == "simulate" else {"--json", "--address", "--name", "--namespace"}
    assert all(option in shown.output for option in expected)


def test_examples_stand_on_lines_of_their_own() -> None:
    """As they are typed."""
    lines = run("resolve", "--help").output.splitlines()
    assert any(line.strip() == "ray-router resolve telegram:bot_1:room_9:thread_3" for line in lines)


@pytest.mark.parametrize("command", typer.main.get_group(app).commands)
def test_every_command_is_shown_by_examples_that_it_takes(command: str) -> None:
    """Each is read as the shell and the program read it; what is piped elsewhere is left out."""
    shown = run(command, "--help").output
    _, _, below = shown.partition("Examples")
    lines = [line.strip() for line in below.partition("Exit codes")[0].splitlines()]
    examples = [line for line in lines if line.startswith("ray-router ")]
    assert examples == [line for line in lines if line]
    group = typer.main.get_command(app)
    for example in examples:
        _, name, *words = shlex.split(example.partition(" | ")[0])
        assert name == command
        with group.make_context("ray-router", [name, *words]) as context:
            _, found, rest = group.resolve_command(context, [name, *words])  # type: ignore[attr-defined]
            found.make_context(name, rest, parent=context)


def test_the_exit_codes_stand_below_every_command() -> None:
    """Where a manual has them."""
    for command in ("", *COMMANDS):
        assert "Exit codes" in run(*command.split(), "--help").output


def test_no_command_shows_the_help() -> None:
    """It is the first thing that is typed."""
    ran = run()
    assert "Usage" in ran.output + ran.errors
    assert ran.exit_code in (0, 2)


def test_the_version_is_that_of_the_package() -> None:
    """And nothing else is said."""
    assert run("--version").output == f"ray-router {ray_router.__version__}\n"


def test_help_does_not_load_ray() -> None:
    """Nor does a simulation."""
    done = python(
        "import sys\n"
        "from ray_router.cli import main\n"
        "sys.argv = ['ray-router', '--help']\n"
        "try:\n    main()\nexcept SystemExit as left:\n    assert not left.code, left.code\n"
        "from ray_router.workload import SyntheticTraffic, simulate\n"
        "simulate(SyntheticTraffic(messages=10), 10, None)\n"
        "loaded = [name for name in sys.modules if name.partition('.')[0] == 'ray']\n"
        "assert not loaded, loaded\n"
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_a_missing_extra_is_named(missing: str) -> None:
    """With the command that installs it, and no traceback."""
    done = python(f"import sys; sys.modules[{missing!r}] = None; import ray_router.cli as it; it.main()")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        f"ray-router: the command line needs {missing!r}, which is not installed.\n"
        "Install it with: pip install 'ray-router[cli]'\n"
    )


def test_another_missing_module_is_not_taken_for_the_extra() -> None:
    """That would send its finder the wrong way."""
    done = python("import sys; sys.modules['yaml'] = None; import ray_router.cli as it; it.main()")
    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr


@pytest.mark.parametrize("module", ["ray_router", "ray_router.cli"])
def test_the_module_is_the_command(tmp_path: Path, module: str) -> None:
    """``python -m ray_router``, where ``ray-router`` is not on the path."""
    done = subprocess.run(
        [sys.executable, "-m", module, "--version"],
        env=own_environment(),
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert done.stdout == f"ray-router {ray_router.__version__}\n"
