"""Running commands: in this process, or as a user does, in one of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from typer.testing import CliRunner

from ray_router.cli.app import app

REPOSITORY = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "ray_router.cli")


class Ran(NamedTuple):
    """What a command came to."""

    exit_code: int
    output: str
    errors: str

    @property
    def json(self) -> Any:
        """The one JSON object on standard output."""
        (line,) = self.output.splitlines()
        return json.loads(line)


def run(*arguments: object) -> Ran:
    """Run a command in this process; an exception that it lets through is the test's."""
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


def own_environment(**others: str) -> dict[str, str]:
    """An environment for a command of its own: no cluster is given, and none of this process's is found."""
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    return (
        environment | {"RAY_AUTH_MODE": "disabled", "PYTHONPATH": str(REPOSITORY), "COLUMNS": "160"} | others
    )


def run_apart(*arguments: object, **environment: str) -> Ran:
    """Run a command in a process of its own."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env=own_environment(**environment),
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@contextmanager
def serving(*arguments: object, **environment: str) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """A command in a process of its own, and what it says in its first line, as JSON, of where it serves."""
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        env=own_environment(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield process, json.loads(line)


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder for Ray, whose sockets want a short path."""
    with tempfile.TemporaryDirectory(prefix="rr", dir="/tmp", ignore_cleanup_errors=True) as name:
        yield Path(name)


def processes_naming(folder: Path) -> list[str]:
    """The command lines of all processes that mention a folder: Ray's all name the one that they work in."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True
    )
    return [line for line in listed.stdout.splitlines() if f"{folder}/" in line]
