"""``serve``: a front until it is stopped; of a Ray of its own nothing is left."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ray_router.testing import wait_until

from .commands import own_environment, processes_naming, run, run_apart, serving, short_folder

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Settings of a front with a bot."""
    settings = {
        "webhooks": {"telegram": {"bot": {"secret_token": {"env": "A_SECRET_TOKEN"}}}},
        "api_tokens": [{"env": "AN_API_TOKEN"}],
    }
    path = tmp_path / "front.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where Ray works."""
    with short_folder() as path:
        yield path


def free_port() -> int:
    """A port that nobody listens at."""
    with contextlib.closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_bad_settings_cost_no_ray(tmp_path: Path, file: Path) -> None:
    """They are looked at first."""
    ran = run("serve", "-c", tmp_path / "missing.yaml")
    assert (ran.exit_code, ran.output) == (2, "")
    assert "missing.yaml cannot be read: No such file or directory" in ran.errors
    bad = tmp_path / "bad.yaml"
    bad.write_text("webhooks: {slack: {acme: {}}}")
    ran = run("serve", "-c", bad)
    assert (ran.exit_code, ran.output) == (2, "")
    assert "webhooks.slack.acme: needs signing_secret" in ran.errors
    ran = run("serve", "-c", file, "--router", tmp_path / "missing.yaml")
    assert ran.exit_code == 2
    assert run("serve").exit_code == 2


def test_a_missing_extra_is_named(file: Path) -> None:
    """With the command that installs it."""
    code = (
        "import sys; sys.modules['fastapi'] = None; import ray_router.cli as it\n"
        f"sys.argv = ['ray-router', 'serve', '-c', {str(file)!r}]\n"
        "it.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=own_environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "ray-router: the front needs 'fastapi', which is not installed\n"
        "Install it with: pip install 'ray-router[serve]'\n"
    )


@pytest.mark.ray
def test_a_secret_that_is_not_there_is_said_so(folder: Path, file: Path) -> None:
    """Once there is a cluster to look in; and nothing of that is left."""
    ran = run_apart("serve", "-c", file, "--json", RAY_TMPDIR=str(folder), AN_API_TOKEN="x")
    assert (ran.exit_code, ran.output) == (2, "")
    problem = "webhooks.telegram.bot.secret_token: environment variable A_SECRET_TOKEN is not set, or empty"
    assert ran.errors.splitlines()[-1] == f"ray-router: {problem}"
    wait_until(lambda: not processes_naming(folder))


@pytest.mark.ray
def test_a_front_on_a_ray_of_its_own(folder: Path, file: Path, tmp_path: Path) -> None:
    """It says where it is when it receives, works with its own router, and leaves nothing behind."""
    import httpx

    router = tmp_path / "router.yaml"
    router.write_text("partitions: 1\nttl_s: null\n")
    port = free_port()
    arguments = ("serve", "-c", file, "--router", router, "--port", port, "--name", "mine", "--json")
    environment = {"RAY_TMPDIR": str(folder), "A_SECRET_TOKEN": "s3cret", "AN_API_TOKEN": "t0ken"}
    with serving(*arguments, **environment) as (process, said):
        url = said["url"]
        assert said == {"url": f"http://127.0.0.1:{port}", "router": "mine", "namespace": "ray_router"}
        chat = {"message_id": 7, "date": 1_569_518_342, "chat": {"id": 42, "type": "private"}, "text": "hi"}
        answer = httpx.post(
            f"{url}/webhooks/telegram/bot",
            json={"update_id": 1, "message": chat},
            headers={"X-Telegram-Bot-Api-Secret-Token": "s3cret"},
        )
        assert answer.status_code == 200
        found = httpx.get(
            f"{url}/v1/resolve", params={"key": "telegram:bot:42"}, headers={"Authorization": "Bearer t0ken"}
        ).json()
        assert found["route"]["external_room_id"] == "42"
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate()
    assert (process.returncode, rest) == (130, "")
    assert "Traceback" not in errors
    assert not any(secret in errors for secret in ("s3cret", "t0ken"))
    wait_until(lambda: not processes_naming(folder))


@pytest.mark.ray
def test_a_cluster_at_an_address(ray_cluster: str, namespace: str, file: Path, tmp_path: Path) -> None:
    """Its router must be there, and is not set up here."""
    named = ["--name", "nobody", "--namespace", namespace]
    ran = run_apart("serve", "-c", file, *named, "--address", ray_cluster)
    assert (ran.exit_code, ran.output) == (2, "")
    assert f"no router 'nobody' is deployed in namespace '{namespace}'" in ran.errors
    router = tmp_path / "router.yaml"
    router.write_text("partitions: 1\n")
    ran = run_apart("serve", "-c", file, "--router", router, "--address", ray_cluster)
    assert (ran.exit_code, ran.output) == (2, "")
    assert "--router: the cluster at the address has routers of its own" in ran.errors
