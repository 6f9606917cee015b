"""A newcomer's path: the steps of the README, as they are written, in a clone of their own."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from cli.commands import short_folder
from docs.page import blocks

from .conftest import REPOSITORY

(STEPS,) = [block.code.strip().splitlines() for block in blocks("bash") if "git clone" in block.code]
NOTEBOOK = "notebooks/01-first-routes.ipynb"
EXECUTE = f"""
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read({NOTEBOOK!r}, as_version=4)
NotebookClient(notebook, timeout=None, kernel_name="python3").execute()
print("".join(each.text for cell in notebook.cells for each in cell.get("outputs", ()) if "text" in each))
"""


def test_there_are_five_steps_at_most() -> None:
    """From a clone to an own route, resolved in a notebook."""
    assert len(STEPS) <= 5
    assert STEPS[-1].endswith(f"jupyter lab {NOTEBOOK}")
    assert (REPOSITORY / NOTEBOOK).is_file()


def test_the_environment_is_made_as_it_says() -> None:
    """And the third step is the first command of the page, which shows it at work."""
    assert STEPS[1] == "python3 -m venv .venv && source .venv/bin/activate"
    assert STEPS[2] == "pip install '.[cli]' && ray-router demo"


class Shell:
    """A shell that goes through the steps, one after another, each where the one before left it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        hidden = ("PYTHONPATH", "RAY_ADDRESS", "VIRTUAL_ENV", "PYTEST_ADDOPTS")
        kept = {name: value for name, value in os.environ.items() if name not in hidden}
        self.environment = kept | {"RAY_AUTH_MODE": "disabled", "PIP_QUIET": "1"} | environment
        self._folder = folder
        self._taken: list[str] = []

    def take(self, step: str) -> str:
        """Take a step; what it says. Steps that only set up the shell are taken again for each."""
        done = subprocess.run(
            ["bash", "-ec", "\n".join([*self._taken, step])],
            cwd=self._folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (step, done.stdout[-3_000:], done.stderr[-3_000:])
        return done.stdout

    def stay(self, *setting: str) -> None:
        """What the shell remembers of a step: where it is, and which environment it is in."""
        self._taken += setting

    def start(self, step: str) -> subprocess.Popen[str]:
        """Begin a step that goes on until it is stopped."""
        script = "\n".join([*self._taken, step])
        return subprocess.Popen(["bash", "-ec", script], cwd=self._folder, env=self.environment, text=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Somewhere with nothing in it, whose path is short enough for Ray's sockets."""
    with short_folder() as folder:
        yield folder


def served(folder: Path) -> dict[str, Any]:
    """What the running Jupyter server says of itself, once it does."""
    while not (found := list(folder.glob("jpserver-*.json"))):
        time.sleep(0.1)
    server: dict[str, Any] = json.loads(found[0].read_text(encoding="utf-8"))
    return server


@pytest.mark.chaos
def test_a_newcomer_gets_to_an_own_route(folder: Path) -> None:
    """Clone, environment, demo, notebook: each step as it is written. The tests' step is what CI runs."""
    (folder / "config").mkdir()
    (folder / "ray").mkdir()
    settings = {"ServerApp": {"allow_root": True, "ip": "127.0.0.1", "open_browser": False}}
    (folder / "config" / "jupyter_server_config.json").write_text(json.dumps(settings), encoding="utf-8")
    shell = Shell(
        folder,
        JUPYTER_CONFIG_DIR=str(folder / "config"),
        JUPYTER_RUNTIME_DIR=str(folder / "runtime"),
        RAY_TMPDIR=str(folder),
    )
    clone, environment, demo, _, notebook = STEPS
    shell.take(re.sub(r"<[^>]+>", shlex.quote(str(REPOSITORY)), clone))
    shell.stay("cd ray_router")
    shell.take(environment)
    shell.stay("source .venv/bin/activate")
    assert "events found their session's own route fresh" in shell.take(demo)

    install, _, lab = notebook.partition(" && ")
    shell.take(install)
    running = shell.start(lab)
    try:
        server = served(folder / "runtime")
        address = f"{server['url']}api/contents/{NOTEBOOK}?token={server['token']}"
        while True:
            assert running.poll() is None
            try:
                with urlopen(Request(address)) as response:
                    opened = json.load(response)
                break
            except OSError:
                time.sleep(0.1)
        assert opened["type"] == "notebook"
        printed = shell.take(f"python -c {shlex.quote(EXECUTE)}")
        assert "-100123\nexact OBSERVED" in printed
    finally:
        running.terminate()
        running.wait()
