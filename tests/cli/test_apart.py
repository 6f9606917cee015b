"""Commands as processes of their own: a clean output, a clean end, and nothing left of a Ray of their own."""

from __future__ import annotations

import gzip
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ray_router import RouterConfig, deploy, shutdown
from ray_router.cli import connection
from ray_router.cli.connection import NoClusterError
from ray_router.testing import wait_until

from .commands import COMMAND, Ran, own_environment, processes_naming, run_apart, short_folder
from .logs import messages, write

pytestmark = pytest.mark.ray


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where Ray works, if a command starts it."""
    with short_folder() as path:
        yield path


def nothing_is_left(folder: Path) -> None:
    """No process of a command's Ray, and no file."""
    wait_until(lambda: not processes_naming(folder))
    assert list(folder.iterdir()) == []


def interrupted(folder: Path, cue: str, number: signal.Signals, *arguments: object) -> Ran:
    """Run a command until it says something, send it a signal, and see it end."""
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        env=own_environment(RAY_TMPDIR=str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        said = next(line for line in process.stderr if cue in line)
        process.send_signal(number)
        output, errors = process.communicate()
    return Ran(process.returncode, output, said + errors)


def test_a_demo_needs_nothing_and_leaves_nothing(folder: Path) -> None:
    """One object on standard output, and nothing else there."""
    ran = run_apart("demo", "--messages", 400, "--json", RAY_TMPDIR=str(folder))
    assert ran.exit_code == 0, ran.errors
    found = ran.json
    assert (found["events"], found["partitions"], found["clock"]) == (400, 4, "event")
    assert found["answers"][0]["source"] == "exact"
    assert [each["source"] for each in found["answers"]][2:] == ["none", "provided"]
    assert "Traceback" not in ran.errors
    nothing_is_left(folder)


def test_a_demo_of_a_log_shows_the_log(folder: Path, tmp_path: Path) -> None:
    """Its bad lines too; and it ends early if it is told to."""
    log = write(tmp_path / "chat.jsonl", messages("room", 0, 60, 50))
    log.write_text("nope\n" + log.read_text())
    ran = run_apart("demo", "--events", log, "--partitions", 1, "--duration", 60, RAY_TMPDIR=str(folder))
    assert ran.exit_code == 0, ran.errors
    assert "98.0% of 50 events found their session's own route fresh" in ran.output
    assert f"skipped 1 line of {log}" in ran.errors
    nothing_is_left(folder)


@pytest.mark.parametrize("cue", ["starting Ray", "deploying"])
def test_ctrl_c_at_the_beginning_leaves_nothing(folder: Path, cue: str) -> None:
    """While Ray starts, and while actors do."""
    ran = interrupted(folder, cue, signal.SIGINT, "demo", "--json")
    assert (ran.exit_code, ran.output) == (130, "")
    assert "stopped" in ran.errors
    assert "Traceback" not in ran.errors
    nothing_is_left(folder)


@pytest.mark.parametrize(
    ("command", "number", "exit_code"),
    [(["demo", "--events"], signal.SIGINT, 130), (["replay"], signal.SIGTERM, 143)],
)
def test_an_end_in_the_middle_leaves_nothing(
    folder: Path, tmp_path: Path, command: list[str], number: signal.Signals, exit_code: int
) -> None:
    """With calls under way. The log is a pipe, which opens when the run has begun."""
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    source = write(tmp_path / "chat.jsonl", messages("room", 0, 60, 300)).read_bytes()
    with (
        subprocess.Popen(
            [*COMMAND, *command, str(pipe)],
            env=own_environment(RAY_TMPDIR=str(folder)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process,
        pipe.open("wb") as writer,
    ):
        writer.write(source)
        writer.flush()
        process.send_signal(number)
        output, errors = process.communicate()
    assert (process.returncode, output) == (exit_code, "")
    assert "Traceback" not in errors
    nothing_is_left(folder)


def test_a_failing_demo_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    """And says what is wrong in one line."""
    log = tmp_path / "cut.jsonl.gz"
    whole = write(tmp_path / "chat.jsonl", messages("room", 0, 60, 300)).read_bytes()
    log.write_bytes(gzip.compress(whole)[:-12])
    ran = run_apart("demo", "--events", log, "--json", RAY_TMPDIR=str(folder))
    assert (ran.exit_code, ran.output) == (2, "")
    assert ran.errors.splitlines()[-1].startswith(f"ray-router: {log}: ends in the middle")
    assert "Traceback" not in ran.errors
    nothing_is_left(folder)


def test_a_log_that_is_not_there_costs_no_ray(folder: Path) -> None:
    """It is looked for first."""
    ran = run_apart("demo", "--events", "missing.jsonl", RAY_TMPDIR=str(folder))
    assert ran.exit_code == 2
    assert ran.errors == "ray-router: missing.jsonl: cannot be read: No such file or directory\n"


def test_ray_that_cannot_start_is_said_so(tmp_path: Path) -> None:
    """For want of a folder, and for a path too long for its sockets."""
    ran = run_apart("demo", RAY_TMPDIR=str(tmp_path / "missing"))
    assert (ran.exit_code, ran.output) == (2, "")
    assert "Ray has no folder to work in" in ran.errors
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    ran = run_apart("demo", RAY_TMPDIR=str(deep))
    assert (ran.exit_code, ran.output) == (2, "")
    assert "Ray cannot be started on this machine" in ran.errors
    assert "Traceback" not in ran.errors
    nothing_is_left(deep)


def test_a_command_joins_the_cluster_at_an_address(ray_cluster: str, namespace: str) -> None:
    """Given as an option or in the environment; standard output has the object alone."""
    named = ["--name", "apart", "--namespace", namespace, "--json"]
    assert run_apart("up", "--partitions", 1, "--address", ray_cluster, *named).json["name"] == "apart"
    assert run_apart("status", *named, RAY_ADDRESS=ray_cluster).json["down"] == []
    assert run_apart("down", *named, RAY_ADDRESS=ray_cluster).json["ended"] is True
    assert run_apart("status", *named, RAY_ADDRESS=ray_cluster).exit_code == 2


@pytest.mark.parametrize("on_a_terminal", [True, False])
def test_top_watches_until_ctrl_c(ray_cluster: str, namespace: str, on_a_terminal: bool) -> None:
    """A screen on a terminal; elsewhere one table after the other."""
    router = deploy(RouterConfig(name="watched", partitions=1), namespace=namespace)
    theirs, ours = pty.openpty() if on_a_terminal else os.pipe()
    try:
        with subprocess.Popen(
            [*COMMAND, "top", "--name", "watched", "--namespace", namespace, "--interval", "0.1"],
            env=own_environment(RAY_ADDRESS=ray_cluster, TERM="xterm"),
            stdout=ours,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            seen = b""
            while seen.count(b"1 of 1 partitions up") < 2:
                router.resolve("a:b:c").result()
                seen += os.read(theirs, 4_096)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate()
        assert b"resolves/s" in seen
        assert (process.returncode, "Traceback" in errors) == (130, False)
    finally:
        os.close(ours)
        os.close(theirs)
        shutdown("watched", namespace=namespace)


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("127.0.0.1:1", "no Ray cluster answers at"),
        ("ray://127.0.0.1:1", "no Ray cluster answers at ray://127.0.0.1:1"),
        ("no.such.host.invalid:6379", "no Ray cluster answers at"),
        ("nonsense", "'nonsense' is no address of a Ray cluster"),
    ],
)
def test_an_address_where_nobody_listens_is_said_so(address: str, problem: str) -> None:
    """At once, with how to start a cluster."""
    ran = run_apart("status", "--json", "--address", address)
    assert (ran.exit_code, ran.output) == (2, "")
    assert ran.errors.startswith("ray-router: ")
    assert problem in ran.errors
    assert "ray start --head" in ran.errors
    assert "Traceback" not in ran.errors


def test_no_cluster_at_all_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Ray finds none on this machine."""

    def none(address: str) -> str:
        raise ConnectionError("Could not find any running Ray instance.")

    monkeypatch.setattr(connection, "_host_and_port", none)
    with pytest.raises(NoClusterError, match="no Ray cluster is running on this machine"):
        connection._found(None)
