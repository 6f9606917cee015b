"""A Ray of its own that asks for a token: who has none gets nothing, the router's routes included."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cli.commands import own_environment, short_folder

PROGRAM = (sys.executable, str(Path(__file__).with_name("guarded.py")))
TOKEN, ANOTHER = "ab" * 32, "cd" * 32


def begun(home: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """A program that finds no token but the one that it is given."""
    return subprocess.Popen(
        [*PROGRAM, *arguments],
        env=own_environment(
            HOME=str(home), RAY_TMPDIR=str(home), RAY_enable_metrics_collection="0", **environment
        ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.chaos  # Ray takes 20 seconds to turn a client away
def test_a_client_without_the_token_gets_nothing() -> None:
    """Nor does one with another token; one that has it is answered."""
    with short_folder() as home:
        (home / "ray").mkdir()
        with begun(home, "host", RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=TOKEN) as host:
            assert host.stdout is not None
            address = host.stdout.readline().strip()
            if not address:
                pytest.skip(f"this Ray cannot ask for a token: {host.communicate()[1][-200:]}")
            environments: dict[str, dict[str, str]] = {
                "none": {"RAY_AUTH_MODE": "disabled"},
                "another": {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": ANOTHER},
                "the right one": {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN},
            }
            clients = {
                token: begun(home, "client", address, **environment)
                for token, environment in environments.items()
            }
            said = {token: client.communicate()[0].strip() for token, client in clients.items()}
            host.communicate("")
    assert said.pop("the right one") == "the secret"
    assert all("the secret" not in each for each in said.values())
    assert all(each.startswith("refused") or not each for each in said.values())
